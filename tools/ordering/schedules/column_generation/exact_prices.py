"""Exact prices of the limits of small catalogues: Dantzig-Wolfe with a linear master until no plan is missing.

The smoothed master comes near quickly and stays a little beside the exact prices. People read the prices, so where
few items make it cheap the linear master finishes the search: its dual prices are what one more unit of each limit
saves while schedules may be mixed.
"""

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.schedules.column_generation.columns import PlanPool
from tools.ordering.schedules.column_generation.dual_prices import DualPrices
from tools.ordering.schedules.problem.programme_arrays import PacksArray

ROUNDS = 60
CLOSED = 1e-7
"""Relative distance between the master's value and the bound at which no plan is missing."""


def finish_exactly(duals: DualPrices, packs: PacksArray) -> None:
    """Take the search for prices to the end, or as far as a fixed number of rounds goes; the bound never falls.

    `packs` (M, T) are orders that keep every limit, so that some mixture of plans always fits.
    """
    duals.pool = duals.pool.with_plans(duals.terms, packs, duals.finite)
    for _ in range(ROUNDS):
        value, prices = linear_master(duals.pool, duals.flat_limits, duals.value.size)
        if value is None:
            return
        duals.visit(prices)
        if value - duals.bound_at(prices) <= CLOSED * (1.0 + abs(value)):
            duals.prices, duals.best_value = prices, duals.value.copy()
            return


def linear_master(pool: PlanPool, limits: FloatArray, n_items: int) -> tuple[float | None, FloatArray]:
    """Least cost of mixtures of the pool's plans within the limits, and its dual prices; None where none fits."""
    finite = np.flatnonzero(np.isfinite(limits))
    place = np.full(limits.size, -1, dtype=np.int64)
    place[finite] = np.arange(finite.size)
    plan: IntArray = np.repeat(np.arange(pool.cost.size), np.diff(pool.begin))
    used = place[pool.row] >= 0
    rows = csr_array(
        (pool.amount[used].astype(np.float64), (place[pool.row[used]], plan[used])), shape=(finite.size, pool.cost.size)
    )
    once = csr_array((np.ones(pool.cost.size), (pool.item, np.arange(pool.cost.size))), shape=(n_items, pool.cost.size))
    from scipy.optimize import linprog

    answer: Any = linprog(
        pool.cost, A_ub=rows, b_ub=limits[finite], A_eq=once, b_eq=np.ones(n_items), bounds=(0, None), method="highs-ds"
    )
    prices = np.zeros(limits.size)
    if answer.status != 0:
        return None, prices
    prices[finite] = np.maximum(-answer.ineqlin.marginals, 0.0)
    return float(answer.fun), prices
