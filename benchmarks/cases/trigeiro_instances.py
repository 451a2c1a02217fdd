"""Capacitated lot sizing with set-up times, after the design of Trigeiro, Thomas & McClain (1989).

One machine makes N items over T periods; a set-up takes time and money; no demand may be late. The factors of the
published study are kept: number of items, spread of demand, length of set-ups, ratio of set-up to holding cost, and
capacity as a share of the time that lot-for-lot production takes. A quarter of the demand of the first four periods
is set to zero, as there, so that a start without stock is possible.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from tools.domain.arrays import FloatArray
from tools.ordering.schedules.problem.statement import ScheduleProblem

FREE = 10**9
EARLY_ROOM = 1.02
"""Capacity above what the first periods cannot do without: a start without stock leaves no other way."""


@dataclass(frozen=True)
class Factors:
    """One cell of the design."""

    items: int
    periods: int = 20
    demand_spread: float = 10.0
    """Standard deviation around a mean of 100 packs a period."""
    setup_time: float = 11.0
    """Mean of a uniform time from 0.45 to 1.55 times it."""
    setup_cost_ratio: float = 200.0
    """Mean set-up cost, of a uniform one from half to one and a half of it; a pack-period costs 0.8 to 1.2 to hold."""
    utilisation: float = 0.85
    """Time of lot-for-lot production over capacity."""
    seed: int = 0

    @property
    def name(self) -> str:
        """The cell in a few characters."""
        return (
            f"N{self.items} T{self.periods} sd{self.demand_spread:.0f} time{self.setup_time:.0f} "
            f"cost{self.setup_cost_ratio:.0f} u{self.utilisation:.2f} seed{self.seed}"
        )


LEVELS = ((10.0, 11.0, 200.0), (35.0, 43.0, 900.0), (35.0, 11.0, 400.0), (10.0, 43.0, 400.0))
"""Spread of demand, set-up time and cost, taken in turn."""
SIZES = ((6, 15), (12, 15), (24, 15), (6, 30), (12, 30), (24, 30))
"""Items and periods of the published study's larger sets."""


def cells(seeds: int) -> tuple[Factors, ...]:
    """Sizes x utilisation, with the other levels rotated over them, `seeds` instances each."""
    grid = product(SIZES, (0.75, 0.85, 0.95), range(seeds))
    return tuple(
        Factors(n, t, *LEVELS[index % len(LEVELS)], utilisation=u, seed=s) for index, ((n, t), u, s) in enumerate(grid)
    )


def few_cells() -> tuple[Factors, ...]:
    """Five instances across the design."""
    return (
        Factors(6, 15, *LEVELS[1], utilisation=0.95),
        Factors(12, 15, *LEVELS[0], utilisation=0.85),
        Factors(12, 30, *LEVELS[1], utilisation=0.95),
        Factors(24, 15, *LEVELS[2], utilisation=0.75),
        Factors(24, 15, *LEVELS[3], utilisation=0.85),
    )


def trigeiro_instance(factors: Factors) -> ScheduleProblem:
    """The cell's instance: one supplier stands for the machine, an order for a lot, its effort for machine time."""
    rng = np.random.default_rng([factors.items, factors.periods, factors.seed])
    n, periods = factors.items, factors.periods
    demand = np.maximum(np.rint(rng.normal(100, factors.demand_spread, (n, periods))), 0.0)
    early = rng.random((n, 4)) < 0.25
    demand[:, :4][early] = 0.0
    holding = rng.uniform(0.8, 1.2, n)
    setup = np.rint(factors.setup_time * rng.uniform(0.45, 1.55, n))
    cost = np.rint(factors.setup_cost_ratio * rng.uniform(0.5, 1.5, n))
    lot_for_lot = float((demand + setup[:, None] * (demand > 0)).sum() / periods)
    enough = max(lot_for_lot / factors.utilisation, EARLY_ROOM * _least_capacity(demand, setup))
    return _as_problem(demand, holding, setup, cost, np.full((1, periods), np.ceil(enough)))


def _least_capacity(demand: FloatArray, setup: FloatArray) -> float:
    """Time a period without which the demand up to some period cannot be met, with one set-up of each item due."""
    due = np.cumsum(demand, axis=1)
    time = due.sum(axis=0) + setup @ (due > 0)
    return float((time / np.arange(1, demand.shape[1] + 1)).max())


def _as_problem(
    demand: FloatArray, holding: FloatArray, setup: FloatArray, cost: FloatArray, capacity: FloatArray
) -> ScheduleProblem:
    """Capacity is (1, T); the rest by item."""
    n, periods = demand.shape
    zero, whole = np.zeros(n), np.zeros(n, dtype=np.int64)
    endless = np.full(periods, np.inf)
    return ScheduleProblem(
        requirement=np.cumsum(demand, axis=1)[:, :, None],
        holding=holding,
        shortage=np.full(n, np.inf),
        end_value=zero,
        volume=zero,
        source_item=np.arange(n),
        source_supplier=whole,
        lead=whole,
        unit_price=zero,
        break_packs=np.empty((n, 0), dtype=np.int64),
        break_price=np.empty((n, 0)),
        freight=zero,
        fixed_cost=cost,
        least=whole + 1,
        multiple=whole + 1,
        largest=whole + FREE,
        first=whole,
        last=whole + periods - 1,
        effort_per_pack=np.ones(n),
        effort_per_order=setup,
        capacity=capacity,
        budget=endless,
        storage=endless,
        max_orders=endless,
    )
