"""Demand distributions per item and site, from history."""

from tools.forecasting.catalogue import Catalogue, DemandForecast
from tools.forecasting.context import DemandContext
from tools.forecasting.forecast import forecast_catalogue, forecast_demand
from tools.forecasting.history import bucket, detect_period
from tools.forecasting.patterns import DemandPattern, classify
from tools.forecasting.settings import ForecastSettings

__all__ = [
    "Catalogue",
    "DemandContext",
    "DemandForecast",
    "DemandPattern",
    "ForecastSettings",
    "bucket",
    "classify",
    "detect_period",
    "forecast_catalogue",
    "forecast_demand",
]
