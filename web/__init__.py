"""The web doors: a JSON API with a signed webhook, its client, and the workbench."""
