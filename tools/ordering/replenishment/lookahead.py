"""One step of policy improvement: try a little more and less of each order, and play the base policy on from there.

A rollout on sample paths (Bertsekas, Reinforcement Learning and Optimal Control, 2.4): with the same paths for every
alternative, the improvement over the base policy is known far better than either cost.
"""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray
from tools.ordering.replenishment.model import InventoryStates, ItemModel, OrderPolicy, accepted

MOVES = ((0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (1.0, -1.0), (-1.0, 1.0))
"""Steps added to the regular and to the express order; the first leaves both as the base policy has them."""

SAME = 1e-9
"""Money by which a move must beat the usual orders."""


@dataclass(frozen=True)
class Lookahead:
    """A base policy with today's orders improved on sample paths."""

    base: OrderPolicy
    model: ItemModel
    draws: FloatArray
    """(S, H) demand of the coming periods on equally likely paths."""
    step: float
    """Units that a move adds or takes."""

    @property
    def name(self) -> str:
        """The family, in the field's words."""
        return f"lookahead on {self.base.name}"

    @property
    def regular_source(self) -> int:
        """As the base policy."""
        return self.base.regular_source

    @property
    def express_source(self) -> int:
        """As the base policy."""
        return self.base.express_source

    def decide(self, states: InventoryStates) -> FloatArray:
        """(B, M) units to order now from each source."""
        longest, moves = int(self.model.leads().max(initial=0)), len(MOVES)
        usual = self.base.decide(states)
        options = np.stack([self._moved(usual, regular, express) for regular, express in MOVES])
        stock, pipeline = np.tile(states.net_stock, moves), np.tile(states.wide(max(longest, 1)), (moves, 1))
        cost = self._cost(stock, pipeline, options.reshape(stock.size, -1)).reshape(moves, -1)
        cost[0] -= SAME
        return options[cost.argmin(axis=0), np.arange(states.net_stock.size)]

    def _moved(self, usual: FloatArray, regular: float, express: float) -> FloatArray:
        """(B, M) the usual orders with so many steps more or less from the two sources."""
        orders = usual.copy()
        for source, move in ((self.regular_source, regular), (self.express_source, express)):
            if source >= 0 and move:
                usable = orders[:, source] * self.model.sources.yield_rate[source] + move * self.step
                orders[:, source] = accepted(self.model.sources, source, usable)
        return orders

    def _cost(self, net_stock: FloatArray, pipeline: FloatArray, orders: FloatArray) -> FloatArray:
        """(B,) mean cost over the paths of placing the orders now and following the base policy after."""
        paths, horizon = self.draws.shape
        stock, pipe = np.repeat(net_stock, paths), np.repeat(pipeline, paths, axis=0)
        units, total = np.repeat(orders, paths, axis=0), np.zeros(stock.size)
        for period in range(horizon):
            if period:
                stock = stock + pipe[:, 0]
                pipe = np.concatenate([pipe[:, 1:], np.zeros((stock.size, 1))], axis=1)
                units = self.base.decide(InventoryStates(stock, pipe))
            paid = self.model.paid(units)
            stock, pipe = self._placed(stock, pipe, units)
            demand = np.tile(self.draws[:, period], net_stock.size)
            stock, cost = self.model.period_end(stock - demand, demand)
            total += paid + cost
        return total.reshape(net_stock.size, paths).mean(axis=1)

    def _placed(self, stock: FloatArray, pipe: FloatArray, units: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Stock and pipeline with the orders on their usual lead times."""
        leads, pipe = self.model.leads(), pipe.copy()
        for source in np.flatnonzero(units.any(axis=0)):
            usable = units[:, source] * self.model.sources.yield_rate[source]
            if leads[source] == 0:
                stock = stock + usable
            else:
                pipe[:, leads[source] - 1] += usable
        return stock, pipe
