"""Order plans: what to order now and later, why, what it costs, and the options beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from tools.domain.arrays import FloatArray
from tools.domain.datasets import grouped
from tools.domain.orders import Intent
from tools.domain.snapshots import OrderingSettings


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
