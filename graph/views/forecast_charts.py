"""The fan chart of a forecast view, with the recorded periods that the models did not take as they stand."""

from datetime import date
from typing import Any

import numpy as np

from graph.views.forecasts import ForecastView
from tools.forecasting import DemandForecast
from tools.forecasting.chart import FanChart, Mark, fan_option


def chart_of(view: ForecastView, made: DemandForecast | None) -> dict[str, Any]:
    """An ECharts option of the view; marks need the distribution that was stored with it."""
    return fan_option(
        FanChart(
            unit=view.uom,
            period=view.period,
            history_dates=view.history_dates,
            history=view.history,
            dates=view.dates,
            quantiles=view.quantiles,
            actual_dates=view.actual_dates,
            actuals=view.actuals,
            earlier=tuple((f"Median of {one.version}", one.dates, one.median) for one in view.earlier),
            marks=marks_of(made, view.history_dates[0]) if made is not None and view.history_dates else (),
        )
    )


def marks_of(made: DemandForecast, since: str) -> tuple[Mark, ...]:
    """Periods that were cut as one-off spikes, and periods whose demand counts as unknown."""
    recorded, values = made.history.quantities, made.modelled
    if values.size != recorded.size or not values.size:
        return ()
    largest = float(np.nanmax(values, initial=0.0))
    found: list[Mark] = []
    for place in np.flatnonzero(np.isnan(values) | ((recorded > largest) & (values < recorded))):
        day, units = str(made.history.starts[place]), float(recorded[place])
        if date.fromisoformat(day) < date.fromisoformat(since):
            continue
        if units > largest:
            found.append(Mark(day, units, "spike", "A one-off: the forecast does not follow it."))
        else:
            found.append(Mark(day, units, "unknown", "Demand was not seen: out of stock or closed."))
    return tuple(found)
