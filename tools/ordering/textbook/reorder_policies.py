"""Exact reorder policies with Poisson demand: (s, S) under periodic review, (r, Q) under continuous review."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray
from tools.ordering.textbook.inputs import require_positive
from tools.ordering.textbook.newsvendor import newsvendor_poisson, one_period_cost, poisson_table


@dataclass(frozen=True, slots=True)
class ReorderPolicy:
    """Order when the inventory position is at or below `reorder_point`; cost per period, in money."""

    reorder_point: int
    amount: int
    """Units: the order-up-to level of (s, S), the lot of (r, Q)."""
    cost: float


def reorder_up_to_poisson(fixed_cost: float, holding_cost: float, shortage_cost: float, mean: float) -> ReorderPolicy:
    """Exact (s, S) under periodic review with Poisson demand and no lead time; section 4.4.

    Renewal reward over the pairs that the bounds of Zheng and Federgruen (1991) leave: s below the newsvendor level y,
    S from y up to where one period alone costs more than the best pair. `mean` is the demand of a period.
    """
    require_positive(fixed_cost=fixed_cost, mean=mean)
    cycles = _Cycles(fixed_cost, holding_cost, shortage_cost, mean)
    high = cycles.newsvendor_level
    best = cycles.best_below(high)
    while cycles.period_cost(high + 1) < best.cost:
        high += 1
        found = cycles.best_below(high)
        best = found if found.cost < best.cost else best
    return best


class _Cycles:
    """Cost per period of the cycles between two orders, from the renewal density of demand."""

    def __init__(self, fixed_cost: float, holding_cost: float, shortage_cost: float, mean: float) -> None:
        self._values, self._chance = poisson_table(mean)
        self._rates = holding_cost, shortage_cost
        self._fixed_cost = fixed_cost
        self.newsvendor_level = int(newsvendor_poisson(holding_cost, shortage_cost, mean).level)
        self._visits = [1 / (1 - float(self._chance[0]))]
        self._costs = dict[int, float]()

    def period_cost(self, position: int) -> float:
        """Expected cost of a period that begins at `position`."""
        if position not in self._costs:
            self._costs[position] = one_period_cost(position, *self._rates, self._values, self._chance)
        return self._costs[position]

    def best_below(self, high: int) -> ReorderPolicy:
        """The best reorder point for the order-up-to level `high`: its cost falls, then rises, going down."""
        periods = self._periods_at(0)
        spent, low = self._fixed_cost + periods * self.period_cost(high), high - 1
        while low >= self.newsvendor_level or self.period_cost(low) < spent / periods:
            visits = self._periods_at(high - low)
            spent, periods, low = spent + visits * self.period_cost(low), periods + visits, low - 1
        return ReorderPolicy(low, high, spent / periods)

    def _periods_at(self, distance: int) -> float:
        """Expected periods that a cycle spends at a distance below its start: the renewal density."""
        while len(self._visits) <= distance:
            at = len(self._visits)
            steps = np.arange(1, min(at, self._chance.size - 1) + 1)
            known: FloatArray = np.array(self._visits)[at - steps]
            self._visits.append(float(self._chance[steps] @ known) / (1 - float(self._chance[0])))
        return self._visits[distance]


def reorder_lot_poisson(
    fixed_cost: float, holding_cost: float, shortage_cost: float, rate: float, lead_time: float
) -> ReorderPolicy:
    """Exact (r, Q) under continuous review with Poisson demand at `rate` and a fixed lead time; section 5.5.

    Federgruen and Zheng (1992): the lot takes in the cheaper of the positions on either side while that lowers
    the mean cost of a position.
    """
    require_positive(fixed_cost=fixed_cost, rate=rate, lead_time=lead_time)
    values, chance = poisson_table(rate * lead_time)

    def position_cost(position: int) -> float:
        return one_period_cost(position, holding_cost, shortage_cost, values, chance)

    first = int(newsvendor_poisson(holding_cost, shortage_cost, rate * lead_time).level)
    low, high, lot = first - 1, first + 1, 1
    spent = fixed_cost * rate + position_cost(first)
    below, above = position_cost(low), position_cost(high)
    while min(below, above) < spent / lot:
        spent, lot = spent + min(below, above), lot + 1
        if below <= above:
            low, below = low - 1, position_cost(low - 1)
        else:
            high, above = high + 1, position_cost(high + 1)
    return ReorderPolicy(low, lot, spent / lot)
