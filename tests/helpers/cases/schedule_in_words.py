"""One item's least-cost orders in plain NumPy: the reference of `item_programme.solve_item`.

Within a period what was ordered its lead time ago arrives, at most one order from each source; then the requirement is
taken; what is left, or short, at the end of the period is paid for. So a plan is priced by its packs arrived so far.
"""

import numpy as np

MOST = 60
"""Packs in all, and of an order: more than the small problems of tests can need."""


def sizes(problem, source) -> list[int]:
    """Packs that an order may have: whole multiples from the MOQ to the largest."""
    least, multiple = max(problem.least[source], 1), max(problem.multiple[source], 1)
    return [q for q in range(least, min(problem.largest[source], MOST) + 1) if q % multiple == 0]


def order_use(problem, source, packs) -> tuple[float, float]:
    """Price without freight, by the break that the whole order reaches, and supplier capacity that an order takes."""
    reached = packs >= problem.break_packs[source]
    unit = problem.break_price[source][reached][-1] if reached.any() else problem.unit_price[source]
    return unit * packs, problem.effort_per_order[source] + problem.effort_per_pack[source] * packs


def order_cost(problem, source, placed, packs, prices) -> float:
    """Money for an order; what it takes of the limits is charged at their prices in the period it is placed in."""
    price, effort = order_use(problem, source, packs)
    charged = effort * prices.capacity[problem.source_supplier[source], placed] + prices.orders[placed]
    return price * (1 + prices.budget[placed]) + problem.freight[source] * packs + problem.fixed_cost[source] + charged


def end_cost(problem, item, period, packs, prices):
    """Expected cost of a period by the packs arrived up to its end, and the expected stock then."""
    over = np.asarray(packs, float)[..., None] - problem.requirement[item, period]
    stock, short = np.maximum(over, 0).mean(axis=-1), np.maximum(-over, 0).mean(axis=-1)
    hold = problem.holding[item] + problem.volume[item] * prices.storage[period]
    credit = problem.end_value[item] if period == problem.horizon - 1 else 0.0
    return hold * stock + problem.shortage[item] * short - credit * over.mean(axis=-1), stock


def least_cost(problem, item, prices, fits, room) -> float:
    """Of the plans whose orders all fit (source, placed, packs) and whose expected stock fits `room` (T,)."""
    cost = np.where(np.arange(MOST + 1) == 0, 0.0, np.inf)  # by packs arrived so far
    for period in range(problem.horizon):
        for source in np.flatnonzero(problem.source_item == item):
            placed, before = period - problem.lead[source], cost.copy()
            if max(problem.first[source], 0) <= placed <= problem.last[source]:
                for packs in sizes(problem, source):
                    money = order_cost(problem, source, placed, packs, prices)
                    if fits(source, placed, packs):
                        cost[packs:] = np.minimum(cost[packs:], before[:-packs] + money)
        paid, stock = end_cost(problem, item, period, np.arange(MOST + 1), prices)
        # What is in stock without any order is stored whatever the room.
        fine = stock * problem.volume[item] <= max(room[period], stock[0] * problem.volume[item]) * (1 + 1e-9) + 1e-9
        cost = np.where(fine, cost + paid, np.inf)
    return cost.min()
