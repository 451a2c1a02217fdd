"""The batch engine: a whole catalogue smoothed at once, with errors pooled over like items."""

from tools.forecasting.engine.fit import CatalogueFit, fit_catalogue
from tools.forecasting.engine.panel import Panel, panel_of

__all__ = ["CatalogueFit", "Panel", "fit_catalogue", "panel_of"]
