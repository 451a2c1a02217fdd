"""An item's forecast: the fan chart, its accuracy, what is asked for while one waits, and where it comes from."""

from collections.abc import Sequence

from nicegui import ui

from graph.views.forecasts import BacktestView, EstimateView, ForecastView
from web.pages.widgets.charts import labelled_chart
from web.pages.widgets.parts import figures, grid_table, heading
from web.pages.widgets.wording import money, percent, quantity, when, words

UNKNOWN = "not known"


def demand_chart(view: ForecastView) -> None:
    """History, what came, the median and the 50, 80 and 95 % intervals."""
    labelled_chart("Demand per period", dict(view.chart), in_words(view))


def in_words(view: ForecastView) -> str:
    """The chart's message for who cannot see it."""
    if not view.dates:
        return "No forecast."
    low, middle, high = (view.quantiles[level][0] for level in ("0.1", "0.5", "0.9"))
    said = f"The first {view.period}'s median is {middle:,.0f}, between {low:,.0f} and {high:,.0f} in 8 of 10 cases."
    if not view.actuals:
        return said
    inside = sum(view.quantiles["0.1"][n] <= came <= view.quantiles["0.9"][n] for n, came in enumerate(view.actuals))
    return f"{said} Of {len(view.actuals)} {view.period}s that came since, {inside} lie in that interval."


def forecast_facts(view: ForecastView) -> None:
    """Notes, accuracy, demand while waiting, and provenance."""
    for note in view.notes:
        ui.label(note).classes("fine")
    heading("Accuracy", 3)
    figures(accuracy_figures(view))
    if view.lead_time_demand:
        heading("Demand while one waits", 3)
        _waiting(view)
    heading("Where the forecast comes from", 3)
    figures(provenance_figures(view.estimate))


def accuracy_figures(view: ForecastView) -> list[tuple[str, str]]:
    """Of the stored backtest, or what the model measured of itself."""
    tested = view.backtest
    if tested is None:
        own = [(words(name).replace("Mase", "MASE"), quantity(round(v, 3))) for name, v in view.accuracy.items()]
        return [*own, ("Backtest", "none stored yet")]
    return [
        ("Quantile loss to seasonal naive", _ratio(tested.to_naive)),
        ("MASE, RMSSE", f"{_number(tested.mase)}, {_number(tested.rmsse)}"),
        ("Inside 50, 80, 95 %", _shares(tested)),
        ("Lead-time demand inside 80 %", _share(tested.lead_time_coverage_80)),
        ("Bias", UNKNOWN if tested.bias is None else f"{tested.bias:+.0%}"),
        ("Forecasts compared", str(tested.forecasts)),
    ]


def _ratio(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.2f}, {abs(1 - value):.0%} {'better' if value <= 1 else 'worse'}"


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else percent(value)


def _shares(tested: BacktestView) -> str:
    return ", ".join(_share(value) for value in (tested.coverage_50, tested.coverage_80, tested.coverage_95))


def _waiting(view: ForecastView) -> None:
    levels: Sequence[str] = tuple(view.lead_time_demand[0].quantiles)
    rows = [
        (
            f"{one.supplier}, {one.role}",
            money(one.unit_price, one.currency),
            " · ".join(quantity(days) for days in one.lead_time_days.values()),
            quantity(round(one.mean_units), view.uom),
            *(quantity(round(one.quantiles[level]), view.uom) for level in levels),
        )
        for one in view.lead_time_demand
    ]
    headers = ("Offer", "Price with freight", "Days, 10 · 50 · 90 %", "Mean", *(f"{float(q):.0%}" for q in levels))
    grid_table(headers, rows, numeric=range(1, len(headers)), name="Demand while one waits")


def provenance_figures(estimate: EstimateView) -> list[tuple[str, str]]:
    """The versions that a forecast rests on."""
    return [
        ("Estimate version", f"{estimate.version}{', active' if estimate.active else ''}"),
        ("Dataset", estimate.dataset_version),
        ("Models", estimate.model_version),
        ("Code", estimate.code_version),
        ("Seed", str(estimate.seed)),
        ("Made", when(estimate.created_at)),
    ]
