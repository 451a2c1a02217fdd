"""The planning problem and its answer: what the ordering engine reads and what it returns.

Arrays run over N items, M sources, K suppliers, S sample paths and T periods. Period 0 starts the day after
`as_of`. Money is in major units of `currency` as floats; it becomes exact `Money` where orders are formed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.datasets import Period, grouped
from tools.domain.orders import Intent, PurchaseOrder

LAST_PERIOD = 1_000_000
"""A last period that no horizon reaches."""


def _empty() -> FloatArray:
    return np.empty(0)


def _fill(table: object, name: str, rows: int, value: float, dtype: type) -> None:
    """Replace an empty optional array of a frozen table by `rows` equal values."""
    if np.shape(getattr(table, name)) == (0,) and rows:
        object.__setattr__(table, name, np.full(rows, value, dtype=dtype))


@dataclass(frozen=True)
class SourceTable:
    """All sources of all items, one row each, sorted by item; every array has M rows."""

    offer_ids: tuple[str, ...]
    item: IntArray
    """Row of the item."""
    supplier: IntArray
    """Index into `PlanningSnapshot.supplier_ids`."""
    unit_price: FloatArray
    """Price per unit below the first break."""
    break_quantity: FloatArray
    """(M, B) all-units break points, ascending, inf where unused."""
    break_price: FloatArray
    """(M, B) unit price from each break point up, nan where unused."""
    freight_per_unit: FloatArray
    fixed_order_cost: FloatArray
    moq: FloatArray
    order_multiple: FloatArray
    max_quantity: FloatArray
    """Largest single order, inf without limit."""
    capacity_per_period: FloatArray
    """Units the source can ship per period, inf without limit."""
    lead_time: FloatArray
    """(M, L) probability that an order placed now arrives l whole periods later; rows sum to 1."""
    lead_time_days: FloatArray
    """Mean lead time in days, for dates shown to people."""
    expedite: BoolArray
    preference: IntArray
    orderable: BoolArray
    """False where supplier status, validity dates or a disruption forbid an order now."""
    incremental: BoolArray = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    """Whether a break's price holds only for the units beyond it (else for all units); empty for never."""
    yield_rate: FloatArray = field(default_factory=_empty)
    """Mean share of an order that arrives usable; empty for 1. Orders and prices are in ordered units."""
    first_period: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """First period in which an order may be placed; empty for 0."""
    last_period: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Last period in which an order may be placed; empty for no end."""
    path_delay: IntArray = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    """(M, S) whole periods that a disruption adds to an order placed now, by sample path; empty for none."""

    def __post_init__(self) -> None:
        """Give every optional array its M rows."""
        rows = len(self.offer_ids)
        _fill(self, "incremental", rows, False, np.bool_)
        _fill(self, "yield_rate", rows, 1.0, np.float64)
        _fill(self, "first_period", rows, 0, np.int64)
        _fill(self, "last_period", rows, LAST_PERIOD, np.int64)


@dataclass(frozen=True)
class SharedLimits:
    """Limits that several items share; inf or an empty array means no limit."""

    budget: float = float("inf")
    """Value of orders placed now, in money."""
    storage: float = float("inf")
    """Storage volume over all items, at the end of any period."""
    supplier_capacity: FloatArray = field(default_factory=_empty)
    """(K,) units a supplier can ship now over all its items; empty for none."""
    supplier_min_order_value: FloatArray = field(default_factory=_empty)
    """(K,) least value of the order placed with a supplier now; empty for none."""
    supplier_max_share: FloatArray = field(default_factory=_empty)
    """(K,) largest share of an item's quantity over the horizon from one supplier; empty for none."""
    supplier_capacity_by_period: FloatArray = field(default_factory=_empty)
    """(K, T) units a supplier can ship of what is ordered in each period; empty for none. Period 0 is now."""
    budget_by_period: FloatArray = field(default_factory=_empty)
    """(T,) value of the orders placed in each period, in money; empty for none."""
    max_orders: float = float("inf")
    """Orders (source and item) placed now."""
    max_orders_by_period: FloatArray = field(default_factory=_empty)
    """(T,) orders placed in each period; empty for none."""
    joint_order_cost: FloatArray = field(default_factory=_empty)
    """(K,) money for ordering from a supplier at all now, over all its items; empty for none."""

    @property
    def reach_later(self) -> bool:
        """Whether a limit binds orders of later periods too."""
        tables = (self.supplier_capacity_by_period, self.budget_by_period, self.max_orders_by_period)
        return any(bool(np.isfinite(table).any()) for table in tables)


@dataclass(frozen=True)
class PlanningSnapshot:
    """Everything the ordering engine needs, and nothing it does not; built by hand in tests."""

    as_of: date
    period: Period
    currency: str
    item_ids: tuple[str, ...]
    site_ids: tuple[str, ...]
    """(N,) site of each row: an item at two sites is two rows."""
    supplier_ids: tuple[str, ...]
    on_hand: FloatArray
    """(N,) units; negative for backorders."""
    arrivals: FloatArray
    """(N, S, T) units of open orders arriving at the start of each period, by sample path."""
    demand: FloatArray
    """(N, S, T) units demanded in each period, by sample path."""
    unit_value: FloatArray
    """(N,) value of a unit in stock."""
    holding_cost: FloatArray
    """(N,) money per unit and period on the end-of-period stock."""
    shortage_cost: FloatArray
    """(N,) money per unit short and period; nan where a service level is set instead."""
    service_level: FloatArray
    """(N,) cycle service level target; nan where a shortage cost is set instead."""
    storage_volume: FloatArray
    """(N,)"""
    shelf_life_periods: FloatArray
    """(N,) inf without limit."""
    sources: SourceTable
    limits: SharedLimits = field(default_factory=SharedLimits)
    item_notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Item id to stated fallbacks of its estimates, carried into the explanation."""
    open_orders: tuple[PurchaseOrder, ...] = ()
    """The orders behind `arrivals`, for intents that change or cancel one of them."""
    lost_share: FloatArray = field(default_factory=_empty)
    """(N,) share of unmet demand that is lost; the rest is backordered. Empty for all backordered. A unit lost costs
    `shortage_cost` once, a unit backordered costs it each period."""
    fill_rate_target: FloatArray = field(default_factory=_empty)
    """(N,) least share of demand served from stock, once an order placed now can have arrived; nan for none. It may
    stand beside a shortage cost or a service level: the plan keeps to whichever asks for more."""
    frozen_periods: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """(N,) periods from now in which no new order may be placed for the item; empty for none."""

    def __post_init__(self) -> None:
        """Give every optional array its N rows."""
        _fill(self, "lost_share", self.n_items, 0.0, np.float64)
        _fill(self, "fill_rate_target", self.n_items, np.nan, np.float64)
        _fill(self, "frozen_periods", self.n_items, 0, np.int64)

    @cached_property
    def open_orders_of(self) -> Mapping[str, tuple[PurchaseOrder, ...]]:
        """Open orders by item."""
        return grouped(self.open_orders, lambda order: order.item_id)

    @cached_property
    def row_of(self) -> Mapping[tuple[str, str], int]:
        """Row by (item_id, site_id)."""
        return {key: row for row, key in enumerate(zip(self.item_ids, self.site_ids, strict=True))}

    @cached_property
    def source_of(self) -> Mapping[str, int]:
        """Row of the sources by offer id."""
        return {offer_id: row for row, offer_id in enumerate(self.sources.offer_ids)}

    @property
    def n_items(self) -> int:
        """N."""
        return len(self.item_ids)

    @property
    def horizon(self) -> int:
        """T."""
        return self.demand.shape[2]

    def period_begins(self, period: int) -> date:
        """The day on which a period begins."""
        return self.as_of + timedelta(days=round(period * self.period.days) + 1)


class RiskMeasure(StrEnum):
    """What the tail of a plan is measured in."""

    COST = "cost"
    SHORTAGE = "shortage"


@dataclass(frozen=True, slots=True)
class OrderingSettings:
    """How to weigh cost, cash, service and risk. Per-item arrays override the scalar when given."""

    seed: int = 7
    review_periods: int = 1
    """Periods until the next chance to order: an order covers lead time plus this."""
    shortage_weight: float = 1.0
    """Multiplies the shortage cost: above 1 buys service, below 1 frees cash."""
    allow_expedite: bool = True
    max_share: float = 1.0
    """Largest share of an item's order from one supplier; below 1 spreads risk."""
    max_cover_periods: float = float("inf")
    """Caps the order-up-to level at this many periods of mean demand beyond the lead time."""
    item_shortage_weight: Mapping[str, float] = field(default_factory=dict[str, float])
    item_allow_expedite: Mapping[str, bool] = field(default_factory=dict[str, bool])
    item_max_share: Mapping[str, float] = field(default_factory=dict[str, float])
    time_limit_seconds: float = 5.0
    min_suppliers: int = 1
    """Least number of suppliers that share an item's order now, where it has so many; above 1 hedges."""
    item_min_suppliers: Mapping[str, int] = field(default_factory=dict[str, int])
    cvar_weight: float = 0.0
    """Weight of the tail in what is minimised: (1 - w) expected cost + w CVaR over the sample paths."""
    cvar_level: float = 0.9
    """Share of the paths that the tail leaves out."""
    cvar_of: RiskMeasure = RiskMeasure.COST


@dataclass(frozen=True, slots=True)
class CostParts:
    """Expected cost over the horizon by part, in money."""

    purchase: float = 0.0
    freight: float = 0.0
    ordering: float = 0.0
    holding: float = 0.0
    shortage: float = 0.0

    @property
    def total(self) -> float:
        """Sum of the parts."""
        return self.purchase + self.freight + self.ordering + self.holding + self.shortage


@dataclass(frozen=True, slots=True)
class BindingLimit:
    """A limit that the line runs into, and what one more unit of it would be worth."""

    name: str
    limit: float
    shadow_price: float
    unit: str
    when: str = ""
    """The period that it bounds, in words with its first day; empty for orders placed now."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why this quantity: the formula in words, its figures, and the textbook quantities beside them."""

    policy: str
    formula: str
    figures: Mapping[str, float]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One order line. `period` 0 is placed now; later ones are intended only and order nothing."""

    line_id: str
    intent: Intent
    item_id: str
    site_id: str
    supplier_id: str
    offer_id: str
    quantity: float
    period: int
    order_date: date
    expected_arrival: date
    unit_price: float
    freight_per_unit: float
    fixed_order_cost: float
    explanation: Explanation
    binding: tuple[BindingLimit, ...] = ()
    replaces_order_id: str | None = None
    """The open order that an adjust, move, switch, expedite, hold or cancel concerns."""

    @property
    def value(self) -> float:
        """Purchase value without freight, in money."""
        return self.quantity * self.unit_price

    @property
    def landed_cost(self) -> float:
        """Purchase, freight and ordering cost, in money."""
        return self.value + self.quantity * self.freight_per_unit + self.fixed_order_cost


@dataclass(frozen=True, slots=True)
class ItemOutlook:
    """What the plan means for one item (one row of the snapshot)."""

    item_id: str
    site_id: str
    inventory_position: float
    reorder_point: float
    order_up_to: float
    safety_stock: float
    cost: CostParts
    stockout_probability: float
    """Of a stock-out before an order placed at the next review could arrive."""
    fill_rate: float
    """Expected share of demand over the horizon served from stock."""
    projected_stock: FloatArray
    """(3, T) 10th, 50th and 90th percentile of the net stock at the end of each period."""
    days_of_cover: float
    policy: str
    reason: str
    """Why it orders, or why it does not, in one sentence with figures."""
    ready_rate_later: float = 1.0
    """Share of periods that end without a backorder once an order placed at the next review could have arrived:
    what the levels hold to, after the shortage that today's stock already makes."""


@dataclass(frozen=True)
class OrderPlan:
    """The answer. `lines` are to be placed now, `intended` later; both sorted by item and source."""

    snapshot_hash: str
    settings: OrderingSettings
    currency: str
    lines: Sequence[PlanLine]
    intended: Sequence[PlanLine]
    outlooks: Sequence[ItemOutlook]
    cost: CostParts
    lower_bound: float
    """Linear relaxation of the choice among the priced candidate orders: no choice among these costs less, in
    money. It bounds the allocation of shared limits, not every conceivable policy; without a binding limit it
    equals the cost."""
    conflicts: tuple[str, ...] = ()
    """Limits that could not be met, each in words with what would cure it."""
    scheduled: bool = False
    """Whether `intended` is a schedule that keeps the limits of its periods; else it is what a policy would order on
    average, and `lower_bound` is over today's candidates."""
    leaves_out_later_limits: bool = False
    """Whether limits of later periods bind but are not kept: a schedule within them would break another rule."""

    @cached_property
    def lines_by_item(self) -> Mapping[tuple[str, str], tuple[PlanLine, ...]]:
        """Lines to place now by (item_id, site_id)."""
        return grouped(self.lines, lambda line: (line.item_id, line.site_id))

    @cached_property
    def outlook_of(self) -> Mapping[tuple[str, str], ItemOutlook]:
        """Outlook by (item_id, site_id)."""
        return {(outlook.item_id, outlook.site_id): outlook for outlook in self.outlooks}

    @cached_property
    def line_of(self) -> Mapping[str, PlanLine]:
        """Lines to place now by line id."""
        return {line.line_id: line for line in self.lines}

    @cached_property
    def limit_prices(self) -> Mapping[str, float]:
        """Shadow price of each shared limit that binds, in money a unit."""
        return {
            limit.name: limit.shadow_price for line in self.lines for limit in line.binding if limit.shadow_price > 0
        }

    @property
    def gap(self) -> float:
        """(cost - bound) / bound; 0 when both are 0."""
        if self.cost.total <= self.lower_bound:
            return 0.0
        return self.cost.total / max(self.lower_bound, 1e-9) - 1


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of the snapshot that a plan breaks, found by the independent verifier."""

    rule: str
    line_id: str
    limit: float
    actual: float


@dataclass(frozen=True)
class PlanOption:
    """A computed alternative for one group of items; agents choose among these and change nothing in them."""

    option_id: str
    """`group/profile`."""
    group: str
    profile: str
    title: str
    item_ids: tuple[str, ...]
    order_value: float
    """Value of the lines placed now, in money."""
    cost: CostParts
    fill_rate: float
    stockout_probability: float
    """Of a stock-out before an order of the next review could arrive, mean over the group's items."""
    risk_exposure: float
    """Money at risk under the worst single disruption considered."""
    suppliers: tuple[str, ...]
    orders: tuple[tuple[str, float], ...]
    """(offer_id, quantity) placed now, by item."""
    proposals: int = 0
    """Lines beside them that change open orders; the same in every option of the group."""
    scheduled: bool = False
    """Whether its plan is a schedule within the limits of later periods."""
