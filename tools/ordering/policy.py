"""A replenishment policy for one item, to be asked again and again: order-up-to, with expedite as a second index.

Levels are those of the ordering engine for stationary demand; `decide` is vectorised over states, so that a
simulator can ask for thousands of parallel worlds at once.
"""

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.datasets import Period
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SourceTable
from tools.ordering.levels import cumulative_demand, item_costs, source_levels
from tools.ordering.rollout import Channel, continuation


@dataclass(frozen=True)
class ItemModel:
    """One item with known distributions: demand draws, costs and its sources (rows of `sources`, item 0)."""

    demand: FloatArray
    """(S, T) sample paths; for a stationary demand T independent draws each."""
    holding_cost: float
    shortage_cost: float
    sources: SourceTable
    unit_value: float = 0.0


@dataclass(frozen=True)
class InventoryStates:
    """B parallel states of the item at the moment of ordering, before this period's demand."""

    net_stock: FloatArray
    """(B,) on hand less backorders, arrivals of this period included."""
    pipeline: FloatArray = field(default_factory=lambda: np.zeros((1, 0)))
    """(B, L) units that arrive at the start of the next periods: column 0 is the next one."""


@dataclass(frozen=True)
class OrderPolicy:
    """Dual-index base stock: expedite up to one level, then order up to another from the regular source."""

    regular_source: int
    express_source: int
    """-1 without one."""
    regular_level: float
    regular_up_to: float
    express_level: float
    express_window: int
    """Periods ahead whose arrivals the expedite index counts."""
    moq: FloatArray
    order_multiple: FloatArray
    max_quantity: FloatArray

    def decide(self, states: InventoryStates) -> FloatArray:
        """(B, M) units to order now from each source."""
        orders = np.zeros((states.net_stock.size, self.moq.size))
        pipeline = np.broadcast_to(states.pipeline, (states.net_stock.size, states.pipeline.shape[1]))
        position = states.net_stock + pipeline.sum(axis=1)
        if self.express_source >= 0:
            near = states.net_stock + pipeline[:, : self.express_window].sum(axis=1)
            quantity = self._accepted(self.express_level - near, 0.0, self.express_source)
            orders[:, self.express_source] = quantity
            position = position + quantity
        if self.regular_source >= 0:
            slack = self.regular_up_to - self.regular_level
            orders[:, self.regular_source] = self._accepted(self.regular_up_to - position, slack, self.regular_source)
        return orders

    def _accepted(self, gap: FloatArray, slack: float, source: int) -> FloatArray:
        multiple = self.order_multiple[source]
        quantity = np.maximum(gap, self.moq[source])
        if multiple > 0:
            quantity = np.ceil(quantity / multiple - 1e-9) * multiple
        return np.where(gap > slack + 1e-9, np.minimum(quantity, self.max_quantity[source]), 0.0)


def choose_policy(item: ItemModel, settings: OrderingSettings | None = None) -> OrderPolicy:
    """The policy whose levels the engine would use for this item in a stationary world."""
    settings = settings or OrderingSettings()
    snapshot = snapshot_of(item)
    costs = item_costs(snapshot, settings)
    levels = source_levels(snapshot, settings, costs, cumulative_demand(snapshot))
    follow = continuation(snapshot, settings, costs, levels)
    regular, express = follow.regular, follow.express
    return OrderPolicy(
        regular_source=_row(regular),
        express_source=_row(express),
        regular_level=float(regular.level[0, 0]),
        regular_up_to=float(regular.up_to[0, 0]),
        express_level=float(express.level[0, 0]),
        express_window=int(express.lead[0]) + settings.review_periods - 1,
        moq=item.sources.moq,
        order_multiple=item.sources.order_multiple,
        max_quantity=item.sources.max_quantity,
    )


def _row(channel: Channel) -> int:
    return int(channel.row[0]) if channel.active[0] else -1


def snapshot_of(item: ItemModel, on_hand: float = 0.0) -> PlanningSnapshot:
    """The planning problem of one item alone, with nothing on order."""
    one = np.ones(1)
    suppliers = int(item.sources.supplier.max(initial=-1)) + 1
    return PlanningSnapshot(
        as_of=date(2000, 1, 1),
        period=Period.WEEK,
        currency="USD",
        item_ids=("item",),
        site_ids=("MAIN",),
        supplier_ids=tuple(f"supplier {k}" for k in range(suppliers)),
        on_hand=one * on_hand,
        arrivals=np.zeros((1, *item.demand.shape)),
        demand=item.demand[None],
        unit_value=one * item.unit_value,
        holding_cost=one * item.holding_cost,
        shortage_cost=one * item.shortage_cost,
        service_level=one * np.nan,
        storage_volume=np.zeros(1),
        shelf_life_periods=one * np.inf,
        sources=item.sources,
    )
