"""Demand distributions per item and site, from history."""

from tools.forecasting.accuracy import backtest, coverage, pinball
from tools.forecasting.forecast import DemandForecast, Engine, ForecastSettings, forecast_demand
from tools.forecasting.history import bucket, detect_period
from tools.forecasting.patterns import DemandPattern, classify

__all__ = [
    "DemandForecast",
    "DemandPattern",
    "Engine",
    "ForecastSettings",
    "backtest",
    "bucket",
    "classify",
    "coverage",
    "detect_period",
    "forecast_demand",
    "pinball",
]
