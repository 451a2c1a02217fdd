"""Drift of demand, lead times and forecasts, watched in what was recorded."""

from tools.drift.alarms import DriftAlarm, DriftReport, DriftSettings, watch
from tools.drift.observed import DriftKind, ObservedSeries, demand_series, lead_time_series

__all__ = [
    "DriftAlarm",
    "DriftKind",
    "DriftReport",
    "DriftSettings",
    "ObservedSeries",
    "demand_series",
    "lead_time_series",
    "watch",
]
