"""The demo's own screens: the first page, what matters most, and the end of the tour."""
