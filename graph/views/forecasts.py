"""What the doors see of forecasts: figures of an item, their accuracy, and the estimate version behind them."""

from datetime import date, datetime

from pydantic import Field

from graph.views.base import View


class EstimateView(View):
    """An estimate version: what all its distributions were made from, and what differs from the one before."""

    version: str
    number: int
    dataset_version: str
    model_version: str
    parameters: dict[str, object]
    seed: int
    code_version: str
    created_at: datetime
    content_hash: str
    parent: str | None
    active: bool
    held: bool
    """A person chose it: its parameters go on, whatever the settings say."""
    kept: bool
    """Its distributions are still stored; figures always are."""
    chosen_by: str = ""
    reason: str = ""
    differences: tuple[str, ...] = ()


class BacktestView(View):
    """Accuracy over rolling origins: of one item, of a demand class, or of all items. None where not defined."""

    group: str
    """item, class or all"""
    name: str
    """The item's id, the class, or `all`."""
    item: str = ""
    site_id: str = ""
    pattern: str = ""
    forecasts: int
    """Item and origin pairs."""
    mase: float | None
    rmsse: float | None
    wql: float | None
    """Weighted quantile loss: loss over all quantiles as a share of demand."""
    wql_naive: float | None
    """That of the seasonal naive forecast."""
    coverage_50: float | None
    coverage_80: float | None
    coverage_95: float | None
    lead_time_coverage_80: float | None
    """Of total demand over the item's lead time."""
    lead_time_coverage_95: float | None
    bias: float | None
    """(forecast - actual) / actual."""
    first_origin: date | None = None
    last_origin: date | None = None
    estimate_version: str = ""
    dataset_version: str = ""

    @property
    def to_naive(self) -> float | None:
        """Loss as a share of the seasonal naive forecast's; below 1 is better."""
        return self.wql / self.wql_naive if self.wql is not None and self.wql_naive else None


class LeadTimeDemandView(View):
    """What may be asked for while one waits for an offer's goods."""

    role: str
    """cheapest, fastest, or cheapest and fastest"""
    offer_id: str
    supplier: str
    transport_mode: str
    unit_price: float
    """With freight."""
    currency: str
    lead_time_days: dict[str, float]
    """Quantile to days."""
    lead_time_source: str
    mean_units: float
    quantiles: dict[str, float]
    """Quantile to units."""


class EarlierView(View):
    """The median of an earlier version, for comparison."""

    version: str
    dates: tuple[str, ...]
    median: tuple[float, ...]


class ForecastView(View):
    """The forecast of one item at one site, with where it comes from."""

    item_id: str
    item: str
    site_id: str
    other_sites: tuple[str, ...] = ()
    uom: str
    as_of: date
    period: str
    pattern: str
    model: str
    fallback: str | None
    notes: tuple[str, ...] = ()
    dates: tuple[str, ...]
    mean: tuple[float, ...]
    quantiles: dict[str, tuple[float, ...]]
    """Quantile to units per period."""
    history_dates: tuple[str, ...] = ()
    history: tuple[float, ...] = ()
    actual_dates: tuple[str, ...] = ()
    actuals: tuple[float, ...] = ()
    """What a newer dataset says came after `as_of`, per whole period."""
    actuals_from: str = ""
    earlier: tuple[EarlierView, ...] = ()
    lead_time_demand: tuple[LeadTimeDemandView, ...] = ()
    accuracy: dict[str, float] = Field(default_factory=dict)
    """What the model measured of itself when it was fitted."""
    backtest: BacktestView | None = None
    estimate: EstimateView
    chart: dict[str, object] = Field(default_factory=dict)
    """An ECharts option: history, what came, median and intervals."""


class ForecastRowView(View):
    """An item's forecast in one row."""

    item_id: str
    item: str
    site_id: str
    uom: str
    period: str
    pattern: str
    model: str
    fallback: str | None
    next_low: float
    """10 % quantile of the next period."""
    next_median: float
    next_high: float
    """90 % quantile of the next period."""
    recent: tuple[float, ...]
    """The latest recorded periods, oldest first."""
    mase: float | None = None
    loss_to_naive: float | None = None
    """Quantile loss as a share of the seasonal naive forecast's; below 1 is better."""
    coverage_80: float | None = None
    bias: float | None = None
    measured: str = ""
    """backtest, fit, or empty"""
    estimate_version: str
