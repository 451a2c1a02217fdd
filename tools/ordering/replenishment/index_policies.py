"""Policies that a few levels describe: base stock, lots, dual indices, base-surge, projected inventory, backstop."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import SourceTable
from tools.ordering.replenishment.model import InventoryStates, OrderPolicy, accepted


@dataclass(frozen=True)
class DualIndex:
    """Expedite up to one level, then order up to another from the regular source, at most `cap` at a time.

    Two base-stock levels (Veeraraghavan & Scheller-Wolf 2008); with a cap the capped dual index of Sun & Van Mieghem
    (2019), without an express source base stock, with a reorder point below `regular_up_to` the (s, S) policy, and
    with a lot the (r, Q) policy.
    """

    sources: SourceTable
    regular_source: int
    express_source: int
    regular_level: float
    """Order when the inventory position is below this."""
    regular_up_to: float
    express_level: float
    express_window: int
    """Periods ahead whose arrivals the express index counts."""
    cap: float = np.inf
    lot: float = 0.0
    """Regular orders come in whole lots of this size, as many as reach the level; 0 without lots."""
    name: str = "dual index"

    def decide(self, states: InventoryStates) -> FloatArray:
        """(B, M) units to order now from each source."""
        orders = np.zeros((states.net_stock.size, self.sources.item.size))
        pipeline = states.wide(states.pipeline.shape[1])
        position = states.net_stock + pipeline.sum(axis=1)
        if self.express_source >= 0:
            near = states.net_stock + pipeline[:, : self.express_window].sum(axis=1)
            units = accepted(self.sources, self.express_source, self.express_level - near)
            orders[:, self.express_source] = units
            position = position + units * self.sources.yield_rate[self.express_source]
        if self.regular_source >= 0:
            gap = np.minimum(self.regular_up_to - position, self.cap)
            if self.lot > 0:
                gap = np.ceil((self.regular_level - position) / self.lot - 1e-9) * self.lot
            wanted = np.where(position < self.regular_level - 1e-9, gap, 0.0)
            orders[:, self.regular_source] += accepted(self.sources, self.regular_source, wanted)
        return orders


@dataclass(frozen=True)
class BaseSurge:
    """The same quantity every period from the slow source, surges up to a level from the fast one.

    Tailored base-surge (Allon & Van Mieghem 2010).
    """

    sources: SourceTable
    regular_source: int
    express_source: int
    quantity: float
    express_level: float
    express_window: int
    name: str = "tailored base-surge"

    def decide(self, states: InventoryStates) -> FloatArray:
        """(B, M) units to order now from each source."""
        orders = np.zeros((states.net_stock.size, self.sources.item.size))
        near = states.net_stock + states.wide(states.pipeline.shape[1])[:, : self.express_window].sum(axis=1)
        orders[:, self.express_source] = accepted(self.sources, self.express_source, self.express_level - near)
        orders[:, self.regular_source] = accepted(
            self.sources, self.regular_source, np.full(states.net_stock.size, self.quantity)
        )
        return orders


@dataclass(frozen=True)
class ProjectedInventory:
    """Order from the slow source so that the stock projected for when it lands meets a level.

    The projection lets the fast source surge on the way, so stock above its level is not counted twice (projected
    inventory level; Van Jaarsveld & Arts 2024). `draws` are demands of coming periods on equally likely paths.
    """

    sources: SourceTable
    regular_source: int
    express_source: int
    level: float
    express_level: float
    express_window: int
    lead: int
    """Periods until a regular order placed now arrives."""
    draws: FloatArray
    """(S, lead) units."""
    name: str = "projected inventory level"

    def decide(self, states: InventoryStates) -> FloatArray:
        """(B, M) units to order now from each source."""
        orders = np.zeros((states.net_stock.size, self.sources.item.size))
        pipeline = states.wide(max(states.pipeline.shape[1], self.lead))
        near = states.net_stock + pipeline[:, : self.express_window].sum(axis=1)
        units = accepted(self.sources, self.express_source, self.express_level - near)
        orders[:, self.express_source] = units
        stock = np.broadcast_to((near + units)[:, None], (near.size, self.draws.shape[0]))
        for period in range(self.lead):
            column = self.express_window + period
            due = pipeline[:, column : column + 1] if column < pipeline.shape[1] else 0.0
            stock = np.maximum(stock - self.draws[None, :, period] + due, self.express_level)
        gap = self.level - stock.mean(axis=1)
        multiple = float(self.sources.order_multiple[self.regular_source])
        nearest = np.floor(gap / multiple + 0.5) * multiple if multiple > 0 else gap
        orders[:, self.regular_source] = accepted(self.sources, self.regular_source, nearest)
        return orders


@dataclass(frozen=True)
class Backstop:
    """A third source beside a pair: after the pair's orders, it fills what it can still deliver up to a level.

    It serves as overflow where the pair's capacity is short, and as the last resort where it is the fastest.
    """

    base: OrderPolicy
    sources: SourceTable
    source: int
    level: float
    leads: IntArray
    """(M,) usual lead time of each source in whole periods."""

    @property
    def name(self) -> str:
        """The family, in the field's words."""
        return f"{self.base.name} with a third source"

    @property
    def regular_source(self) -> int:
        """As the pair."""
        return self.base.regular_source

    @property
    def express_source(self) -> int:
        """As the pair."""
        return self.base.express_source

    def decide(self, states: InventoryStates) -> FloatArray:
        """(B, M) units to order now from each source."""
        orders, window = self.base.decide(states), int(self.leads[self.source])
        near = states.net_stock + states.wide(states.pipeline.shape[1])[:, :window].sum(axis=1)
        near = near + orders @ np.where(self.leads <= window, self.sources.yield_rate, 0.0)
        orders[:, self.source] += accepted(self.sources, self.source, self.level - near)
        return orders
