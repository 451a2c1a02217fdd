"""Schedules of a whole catalogue under limits per period, with a proven bound."""
