"""From recorded demand to what the models see."""

from tools.forecasting.preparation.life import Life
from tools.forecasting.preparation.prepare import PreparedCatalogue, PreparedSeries, prepare, prepare_catalogue

__all__ = ["Life", "PreparedCatalogue", "PreparedSeries", "prepare", "prepare_catalogue"]
