"""Prices on the limits: an item's best schedule under them, and the schedules that are worth mixing."""
