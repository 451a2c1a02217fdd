"""Lot sizing of a catalogue: which packs to order from which source in which period, within limits per period.

N items, M sources sorted by item, K suppliers, T periods. All quantities are whole packs of the item. Every order of
the horizon is fixed now (static uncertainty; Bookbinder & Tan 1988): demand enters as a distribution of what is
required up to each period, so that expected holding and shortage cost of a schedule are exact.
"""

from dataclasses import dataclass

from tools.domain.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class ScheduleProblem:
    """Everything the scheduler needs; built from a planning snapshot, by a generator or by hand."""

    requirement: FloatArray
    """(N, T, Q) packs required up to the end of each period, less stock and open orders: Q equally likely values in
    ascending order; Q = 1 when they are known. Negative where stock still covers them."""
    holding: FloatArray
    """(N,) money per pack in stock at the end of a period."""
    shortage: FloatArray
    """(N,) money per pack short at the end of a period; inf where none may be short."""
    end_value: FloatArray
    """(N,) money credited per pack in stock at the end of the horizon, and charged per pack short then."""
    volume: FloatArray
    """(N,) storage volume of a pack."""
    source_item: IntArray
    source_supplier: IntArray
    lead: IntArray
    """(M,) whole periods from placing to use: an order of period t serves the demand of period t + lead."""
    unit_price: FloatArray
    """(M,) money per pack below the first break."""
    break_packs: IntArray
    """(M, B) ascending break points in packs, very large where unused."""
    break_price: FloatArray
    """(M, B) price per pack of all packs of an order from each break point up."""
    freight: FloatArray
    """(M,) money per pack."""
    fixed_cost: FloatArray
    """(M,) money per order."""
    least: IntArray
    """(M,) fewest packs of an order (MOQ)."""
    multiple: IntArray
    """(M,) an order is a whole multiple of this many packs, at least 1."""
    largest: IntArray
    """(M,) most packs of one order."""
    first: IntArray
    """(M,) first period in which an order may be placed."""
    last: IntArray
    """(M,) last period in which an order may be placed."""
    effort_per_pack: FloatArray
    """(M,) supplier capacity that a pack takes."""
    effort_per_order: FloatArray
    """(M,) supplier capacity that an order takes whatever its size (set-up time)."""
    capacity: FloatArray
    """(K, T) effort that a supplier has for the orders placed in each period; inf without limit."""
    budget: FloatArray
    """(T,) price without freight of the orders placed in each period; inf without limit."""
    storage: FloatArray
    """(T,) expected volume in stock at the end of each period; inf without limit."""
    max_orders: FloatArray
    """(T,) number of orders placed in each period; inf without limit."""

    @property
    def n_items(self) -> int:
        """N."""
        return self.requirement.shape[0]

    @property
    def horizon(self) -> int:
        """T."""
        return self.requirement.shape[1]


@dataclass(frozen=True)
class ScheduleOrders:
    """Orders of a schedule in rows, sorted by source and period; at most one a source and period."""

    source: IntArray
    period: IntArray
    packs: IntArray


@dataclass(frozen=True)
class LimitPrices:
    """What one more unit of each limit would save, in money: the multipliers of the Lagrangian bound."""

    capacity: FloatArray
    """(K, T)"""
    budget: FloatArray
    """(T,)"""
    storage: FloatArray
    """(T,)"""
    max_orders: FloatArray
    """(T,)"""


@dataclass(frozen=True)
class ScheduleOutcome:
    """A schedule that keeps every limit, what it costs, and a proven bound on what any schedule costs."""

    orders: ScheduleOrders
    item_cost: FloatArray
    """(N,) expected cost, end value included."""
    lower_bound: float
    prices: LimitPrices
    seconds: float
    proven: bool = False
    """The schedule was proven best."""
    over: tuple[str, ...] = ()
    """Limits that no schedule can keep (stock and open orders break them already), in words."""

    @property
    def cost(self) -> float:
        """Expected cost of all items, in money."""
        return float(self.item_cost.sum())

    @property
    def gap(self) -> float:
        """(cost - bound) / bound; 0 when the cost does not exceed the bound."""
        if self.cost <= self.lower_bound:
            return 0.0
        return (self.cost - self.lower_bound) / max(abs(self.lower_bound), 1e-9)
