"""What a schedule's orders save against ordering elsewhere: the next best source, at the prices of the limits."""

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.schedules.column_generation.item_sweeps import solve_free
from tools.ordering.schedules.problem.programme_arrays import Terms, prices_of, terms_of
from tools.ordering.schedules.problem.statement import LimitPrices, ScheduleProblem

NEVER = -1
"""A last period before the first one: the source takes no order."""


def extra_cost_without(problem: ScheduleProblem, prices: LimitPrices, sources: IntArray) -> dict[int, float]:
    """Source to the money that its item's best orders cost more without it, limits entering by their prices."""
    terms, item = terms_of(problem), problem.source_item[sources]
    charged = prices_of(prices)
    packs = np.zeros((problem.lead.size, problem.horizon), np.int32)

    def values(of: Terms, items: IntArray) -> FloatArray:
        value = np.zeros(problem.n_items)
        solve_free(of, charged, packs, value, items)
        return value

    best = values(terms, np.unique(item))
    turn = np.arange(item.size) - np.searchsorted(item, item)
    found = dict[int, float]()
    for number in np.unique(turn):
        barred = sources[turn == number]
        last = terms.last.copy()
        last[barred] = NEVER
        extra = (values(terms._replace(last=last), problem.source_item[barred]) - best)[problem.source_item[barred]]
        found.update(zip(barred.tolist(), extra.tolist(), strict=True))
    return found
