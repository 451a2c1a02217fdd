"""What a policy costs in the long run: many parallel worlds played with common random numbers."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.replenishment.model import InventoryStates, ItemModel, OrderPolicy

WARM_UP = 100
"""Periods of each world that are not counted."""


@dataclass(frozen=True)
class Worlds:
    """Demand of B worlds over T periods, and the lead times of the orders placed in each."""

    demand: FloatArray
    """(B, T) units."""
    lead: IntArray
    """(M, B, T) whole periods; an order never overtakes an earlier one of its source."""

    def part(self, worlds: int, periods: int | None = None) -> "Worlds":
        """The first worlds, and of these the first periods, warm-up included."""
        return Worlds(self.demand[:worlds, :periods], self.lead[:, :worlds, :periods])


def draw_worlds(model: ItemModel, periods: int, worlds: int, seed: int | tuple[int, ...]) -> Worlds:
    """Worlds of `periods` counted periods in all, drawn from the model's own demand and lead times."""
    rng = np.random.default_rng(seed)
    length = -(-periods // worlds) + WARM_UP
    draws = model.demand.ravel()
    demand = draws[rng.integers(0, draws.size, (worlds, length))]
    lead = np.zeros((model.sources.item.size, worlds, length), dtype=np.int64)
    for source, chances in enumerate(model.sources.lead_time):
        if chances.max() > 1 - 1e-9:
            lead[source] = int(chances.argmax())
            continue
        lead[source] = np.searchsorted(np.cumsum(chances)[:-1], rng.random((worlds, length)))
        arrival = np.maximum.accumulate(np.arange(length) + lead[source], axis=1)
        lead[source] = arrival - np.arange(length)
    return Worlds(demand, lead)


def average_cost(policy: OrderPolicy, model: ItemModel, worlds: Worlds) -> FloatArray:
    """(B,) average cost per period of each world after the warm-up, without the cheapest price of what is usable.

    Order of events: arrivals, orders, those of no lead time arrive, demand, cost on the end state. `decide` is asked
    once a period for all worlds together.
    """
    n_worlds, length = worlds.demand.shape
    longest = int(worlds.lead.max(initial=0))
    certain = [bool(np.ptp(lead) == 0) for lead in worlds.lead]
    stock, pipe = np.zeros(n_worlds), np.zeros((n_worlds, longest + 1))
    total, every = np.zeros(n_worlds), np.arange(n_worlds)
    for period in range(length):
        stock = stock + pipe[:, 0]
        pipe = np.concatenate([pipe[:, 1:], np.zeros((n_worlds, 1))], axis=1)
        orders = policy.decide(InventoryStates(stock, pipe[:, :longest]))
        for source in range(orders.shape[1]):
            wait, units = worlds.lead[source, :, period], orders[:, source] * model.sources.yield_rate[source]
            if not certain[source]:
                stock = stock + np.where(wait == 0, units, 0.0)
                pipe[every, np.maximum(wait - 1, 0)] += np.where(wait == 0, 0.0, units)
            elif wait[0] == 0:
                stock = stock + units
            else:
                pipe[:, wait[0] - 1] += units
        stock, cost = model.period_end(stock - worlds.demand[:, period], worlds.demand[:, period])
        if period >= WARM_UP:
            total += model.paid(orders) + cost
    return total / (length - WARM_UP)
