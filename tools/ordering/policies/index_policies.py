"""Policies that a few levels describe: base stock, lots, capped dual index, base-surge, projected inventory."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.snapshots import SourceTable
from tools.ordering.policies.model import InventoryStates, accepted


@dataclass(frozen=True)
class DualIndex:
    """Expedite up to one level, then order up to another from the regular source, at most `cap` at a time.

    Two base-stock levels (Veeraraghavan & Scheller-Wolf 2008); with a cap the capped dual index of Sun & Van Mieghem
    (2019), without an express source base stock, and with a reorder point below `regular_up_to` the (s, S) policy.
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
            position = position + units
        if self.regular_source >= 0:
            gap = np.where(position < self.regular_level - 1e-9, self.regular_up_to - position, 0.0)
            orders[:, self.regular_source] += accepted(self.sources, self.regular_source, np.minimum(gap, self.cap))
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
        orders[:, self.regular_source] = accepted(self.sources, self.regular_source, np.floor(gap + 0.5))
        return orders
