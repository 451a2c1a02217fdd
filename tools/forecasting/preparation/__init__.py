"""From recorded demand to what the models see."""

from tools.forecasting.preparation.life import Life
from tools.forecasting.preparation.prepare import PreparedSeries, prepare

__all__ = ["Life", "PreparedSeries", "prepare"]
