"""One step of policy improvement: try a little more and less of each order, and play the base policy on from there.

A rollout on sample paths (Bertsekas, Reinforcement Learning and Optimal Control, 2.4): with the same paths for every
alternative, the improvement over the base policy is known far better than either cost.
"""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray
from tools.ordering.policies.model import InventoryStates, ItemModel, OrderPolicy, accepted
from tools.ordering.quantities import unit_price_at

MOVES = ((0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (1.0, -1.0), (-1.0, 1.0))
"""Steps added to the regular and to the express order; the first leaves both as the base policy has them."""


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
        longest = int(self.model.leads().max(initial=0))
        pipeline = states.wide(max(longest, 1))
        usual = self.base.decide(states)
        best, chosen = self._cost(states.net_stock, pipeline, usual), usual
        for regular, express in MOVES[1:]:
            orders = usual.copy()
            for source, move in ((self.regular_source, regular), (self.express_source, express)):
                if source >= 0 and move:
                    orders[:, source] = accepted(self.model.sources, source, orders[:, source] + move * self.step)
            cost = self._cost(states.net_stock, pipeline, orders)
            better = cost < best - 1e-9
            best, chosen = np.where(better, cost, best), np.where(better[:, None], orders, chosen)
        return chosen

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
            stock, pipe, paid = self._placed(stock, pipe, units)
            stock = stock - np.tile(self.draws[:, period], net_stock.size)
            held = self.model.holding_cost * np.maximum(stock, 0.0)
            total += paid + held + self.model.shortage_cost * np.maximum(-stock, 0.0)
            stock = np.maximum(stock, 0.0) if self.model.lost_share >= 1 else stock
        return total.reshape(net_stock.size, paths).mean(axis=1)

    def _placed(
        self, stock: FloatArray, pipe: FloatArray, units: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Stock and pipeline with the orders, and their price above the cheapest with fixed costs."""
        table, leads = self.model.sources, self.model.leads()
        rows = np.broadcast_to(np.arange(units.shape[1]), units.shape)
        unit = unit_price_at(table, rows, units) + table.freight_per_unit - self.model.cheapest()
        paid = (units * unit + np.where(units > 0, table.fixed_order_cost, 0.0)).sum(axis=1)
        pipe = pipe.copy()
        for source in np.flatnonzero(units.any(axis=0)):
            usable = units[:, source] * table.yield_rate[source]
            if leads[source] == 0:
                stock = stock + usable
            else:
                pipe[:, leads[source] - 1] += usable
        return stock, pipe, paid
