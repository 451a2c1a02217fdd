"""The planning problem and its answer: what the ordering engine reads and what it returns.

Arrays run over N items, M sources, K suppliers, S sample paths and T periods. Period 0 starts the day after
`as_of`. Money is in major units of `currency` as floats; it becomes exact `Money` where orders are formed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.datasets import Period, grouped
from tools.domain.orders import PurchaseOrder

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
