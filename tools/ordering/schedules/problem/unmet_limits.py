"""What a schedule could not keep, in words."""

import numpy as np

from tools.domain.arrays import FloatArray
from tools.ordering.schedules.problem.expected_cost import cumulative_packs
from tools.ordering.schedules.problem.statement import ScheduleOrders, ScheduleProblem

NAMED = 10
"""Conflicts that are named one by one."""


def conflicts_of(problem: ScheduleProblem, orders: ScheduleOrders, idle: FloatArray | None = None) -> tuple[str, ...]:
    """Storage that stock and open orders overfill already, and items short although none may be.

    `idle` is `idle_storage` of the problem where it is known.
    """
    idle = idle_storage(problem) if idle is None else idle
    return (*_overfull_storage(problem, idle), *_short_items(problem, orders))


def idle_storage(problem: ScheduleProblem) -> FloatArray:
    """(T,) expected volume in stock at the end of each period when nothing is ordered."""
    stock = np.maximum(-problem.requirement, 0.0)
    return np.einsum("n,ntq->t", problem.volume, stock) / max(problem.requirement.shape[2], 1)


def _overfull_storage(problem: ScheduleProblem, idle: FloatArray) -> list[str]:
    periods = np.flatnonzero(idle > problem.storage * (1 + 1e-9) + 1e-9)
    return [
        f"storage in period {t}: stock and open orders fill {idle[t]:g} of {problem.storage[t]:g} before any order; "
        "move open orders or rent room"
        for t in periods
    ]


def _short_items(problem: ScheduleProblem, orders: ScheduleOrders) -> list[str]:
    """Items that may not be short and are: the first period, and by how much."""
    strict = np.flatnonzero(~np.isfinite(problem.shortage))
    if not strict.size:
        return []
    level = cumulative_packs(problem, orders)[strict]
    short = np.maximum(problem.requirement[strict].max(axis=2) - level, 0.0)
    items = np.flatnonzero(short.max(axis=1) > 1e-9)
    words: list[str] = []
    for row in items[:NAMED]:
        period = int(np.flatnonzero(short[row] > 1e-9)[0])
        words.append(
            f"item {strict[row]}: short of {short[row, period]:g} packs in period {period} although none may be short; "
            "more capacity, a faster source or a shortage cost would cure it"
        )
    if items.size > NAMED:
        words.append(f"{items.size - NAMED} more items are short although none may be")
    return words
