"""What a policy is chosen for, what it is asked, and what it answers."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import SourceTable
from tools.ordering.problem.quantities import round_down, round_up, unit_price_at

USUAL_LEAD_SHARE = 0.25
"""A mean lead time this much above a whole period counts as that period."""


@dataclass(frozen=True)
class ItemModel:
    """One item with known distributions: demand draws, costs and its sources (rows of `sources`, item 0)."""

    demand: FloatArray
    """(S, T) sample paths; for a stationary demand T independent draws each."""
    holding_cost: float
    """Money per unit in stock at the end of a period."""
    shortage_cost: float
    """Money per unit backordered and period, or per unit lost."""
    sources: SourceTable
    unit_value: float = 0.0
    lost_share: float = 0.0
    """Share of newly unmet demand that is lost; the rest waits."""

    @property
    def mean_demand(self) -> float:
        """Units per period."""
        return float(self.demand.mean())

    def leads(self) -> IntArray:
        """(M,) usual lead time of each source in whole periods."""
        mean = self.sources.lead_time @ np.arange(self.sources.lead_time.shape[1])
        return np.ceil(mean - USUAL_LEAD_SHARE).astype(np.int64)

    def landed(self, quantity: FloatArray) -> FloatArray:
        """(M,) price and freight per usable unit of orders of (M,) `quantity` units."""
        rows = np.arange(quantity.size)
        price = unit_price_at(self.sources, rows, quantity) + self.sources.freight_per_unit
        return price / self.sources.yield_rate

    def paid(self, orders: FloatArray) -> FloatArray:
        """(B,) money for price, freight and ordering of (B, M) units, without the cheapest price of what is usable."""
        table = self.sources
        rows = np.broadcast_to(np.arange(orders.shape[1]), orders.shape)
        unit = unit_price_at(table, rows, orders) + table.freight_per_unit - self.cheapest() * table.yield_rate
        return (orders * unit + np.where(orders > 0, table.fixed_order_cost, 0.0)).sum(axis=1)

    def period_end(self, net_stock: FloatArray, demand: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(B,) what the next period starts from, and the holding and shortage cost, of (B,) stock after demand."""
        debt = np.maximum(-net_stock, 0.0)
        cost = self.holding_cost * (net_stock + debt) + self.shortage_cost * debt
        if self.lost_share <= 0:
            return net_stock, cost
        return net_stock + self.lost_share * np.minimum(debt, demand), cost

    def cheapest(self) -> float:
        """Landed cost of a unit that no source undercuts at any quantity."""
        lowest = np.fmin(self.sources.unit_price, np.fmin.reduce(self.sources.break_price, axis=1, initial=np.inf))
        return float(((lowest + self.sources.freight_per_unit) / self.sources.yield_rate).min(initial=np.inf))


@dataclass(frozen=True)
class InventoryStates:
    """B parallel states of the item at the moment of ordering, before this period's demand."""

    net_stock: FloatArray
    """(B,) on hand less backorders, arrivals of this period included."""
    pipeline: FloatArray = field(default_factory=lambda: np.zeros((1, 0)))
    """(B, L) units that arrive at the start of the next periods: column 0 is the next one."""

    def wide(self, columns: int) -> FloatArray:
        """(B, columns) the pipeline with as many periods; what arrives later still is added to the last."""
        size = self.net_stock.size
        rows = np.broadcast_to(self.pipeline, (size, self.pipeline.shape[1]))
        found = np.zeros((size, columns))
        near = min(columns, rows.shape[1])
        found[:, :near] = rows[:, :near]
        if columns and rows.shape[1] > columns:
            found[:, -1] += rows[:, columns:].sum(axis=1)
        return found


class OrderPolicy(Protocol):
    """A rule that says for any state what to order now from every source."""

    @property
    def name(self) -> str:
        """The family, in the field's words."""
        ...

    @property
    def regular_source(self) -> int:
        """Row of the source that usual orders go to; -1 without one."""
        ...

    @property
    def express_source(self) -> int:
        """Row of the source that bridges gaps; -1 without one."""
        ...

    def decide(self, states: InventoryStates) -> FloatArray:
        """(B, M) units to order now from each source."""
        ...


def accepted(sources: SourceTable, source: int, wanted: FloatArray) -> FloatArray:
    """The order that brings as many usable units, as the source takes it: yield, MOQ, multiple, largest order."""
    one = np.zeros(wanted.shape)
    moq, multiple = one + sources.moq[source], one + sources.order_multiple[source]
    largest = min(float(sources.max_quantity[source]), float(sources.capacity_per_period[source]))
    top = round_down(one + largest, moq, multiple)
    return np.minimum(round_up(np.maximum(wanted, 0.0) / sources.yield_rate[source], moq, multiple), top)
