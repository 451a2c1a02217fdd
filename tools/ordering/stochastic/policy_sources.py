"""Which sources a continuation policy orders from: the cheapest, and a faster one for what runs short."""

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.problem.levels import SourceLevels
from tools.ordering.problem.ordering_problem import OrderingProblem


def _first_two(item: IntArray, rows: IntArray, order: IntArray, n_items: int) -> tuple[IntArray, IntArray]:
    """(N,) first and second row of each item in the given order, which must be by item; -1 for none."""
    found = np.full((2, n_items), -1, dtype=np.int64)
    item, rows = item[order], rows[order]
    starts = np.searchsorted(item, np.arange(n_items))
    counts = np.bincount(item, minlength=n_items)
    for place in range(2):
        has = counts > place
        found[place, has] = rows[starts[has] + place]
    return found[0], found[1]


def regular_sources(problem: OrderingProblem) -> tuple[IntArray, IntArray]:
    """(N,) the two cheapest sources by score, those that stay open over the horizon first; -1 for none."""
    snapshot, levels = problem.snapshot, problem.levels
    sources, rows = snapshot.sources, np.flatnonzero(levels.later)
    item = sources.item[rows]
    opens = np.maximum(problem.settings.review_periods, snapshot.frozen_periods)[item] if rows.size else rows
    partly = (sources.first_period[rows] > opens) | (sources.last_period[rows] < snapshot.horizon - 1)
    order = np.lexsort((rows, sources.preference[rows], levels.score[rows], partly, item))
    return _first_two(item, rows, order, snapshot.n_items)


def express_sources(problem: OrderingProblem, regular: IntArray) -> IntArray:
    """(N,) the source, at least half a period faster than the regular one, that saves most a unit; -1 without one.

    Not the fastest at any price: a wholesaler at six times the price saves nothing where air freight would do.
    """
    snapshot, levels = problem.snapshot, problem.levels
    rows = np.flatnonzero(levels.later)
    items = snapshot.sources.item[rows]
    saved = _saving(problem.costs.shortage[items], levels, regular[items], rows)
    faster = levels.mean_lead[rows] < levels.mean_lead[regular[items]] - 0.5
    rows, items, saved = rows[faster], items[faster], saved[faster]
    return _first_two(items, rows, np.lexsort((rows, -saved, items)), snapshot.n_items)[0]


def _saving(shortage: FloatArray, levels: SourceLevels, slow: IntArray, fast: IntArray) -> FloatArray:
    """Shortage cost that a unit from the fast source avoids until the slow one lands, less its premium."""
    periods = np.maximum(levels.mean_lead[slow] - levels.mean_lead[fast], 1.0)
    return shortage * periods - np.maximum(levels.unit_cost[fast] - levels.unit_cost[slow], 0.0)


def express_ratio(problem: OrderingProblem, regular: IntArray, express: IntArray, longest: float) -> FloatArray:
    """Newsvendor ratio of expediting: what a unit saves over what it may cost while it waits for the regular source.

    `longest` caps that wait in periods: regular orders keep landing, so a unit is short until the next of them and
    not for a whole lead time.
    """
    costs, levels = problem.costs, problem.levels
    both = (regular >= 0) & (express >= 0)
    slow, fast = np.maximum(regular, 0), np.maximum(express, 0)
    if levels.mean_lead.size == 0:
        return np.zeros(regular.size)
    periods = np.minimum(np.maximum(levels.mean_lead[slow] - levels.mean_lead[fast], 1.0), longest)
    saved = costs.shortage * periods - np.maximum(levels.unit_cost[fast] - levels.unit_cost[slow], 0.0)
    ratio = saved / np.maximum((costs.shortage + costs.holding) * periods, 1e-12)
    return np.where(both, np.clip(ratio, 0.0, costs.ratio), 0.0)
