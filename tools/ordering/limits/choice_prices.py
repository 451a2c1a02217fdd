"""Prices of shared rows for large programmes: the Lagrangian dual, smoothed and climbed by L-BFGS.

Each group's minimum becomes a soft minimum (Nesterov, Smooth minimization of non-smooth functions, 2005) that narrows
in stages; any prices at least 0 give a proven bound, and the best met are returned.
"""

from functools import partial

import numpy as np

from tools.domain.arrays import FloatArray
from tools.ordering.limits.choices import Choice
from tools.ordering.limits.solver import descend

WIDTHS = (1e-1, 1e-2, 1e-3)
"""Softness by stage, as a share of the spread of a group's costs."""
STEPS = 40
"""Climbing steps of a stage."""


def dual_prices(choice: Choice) -> tuple[float, FloatArray]:
    """The best bound met and its prices (R,)."""
    first, counts = choice.first, np.diff(choice.first)
    low = np.minimum.reduceat(choice.cost, first[:-1])
    spread = np.maximum.reduceat(choice.cost, first[:-1]) - low
    most = max(float(spread.sum()), 1e-9)
    # rows are scaled to about 1, so that this is the size of a price
    unit = most / max(choice.limit.size, 1)
    best, at = choice.bound(np.zeros(choice.limit.size)), np.zeros(choice.limit.size)

    def fallen(scaled: FloatArray, width: FloatArray) -> tuple[float, FloatArray]:
        nonlocal best, at
        prices = scaled * unit
        priced = choice.priced(prices)
        least = np.minimum.reduceat(priced, first[:-1])
        shared = float(prices @ choice.limit)
        # the bound that counts is the exact one; the soft one only shows the way
        exact = float(least.sum()) - shared
        if exact > best:
            best, at = exact, prices.copy()
        weight = np.exp((np.repeat(least, counts) - priced) / np.repeat(width, counts))
        mass = np.add.reduceat(weight, first[:-1])
        # the weights of the soft minimum are its gradient: how much of each option is taken
        slope = choice.usage @ (weight / np.repeat(mass, counts)) - choice.limit
        value = float((least - width * np.log(mass)).sum()) - shared
        return -value / most, -slope * unit / most

    start = np.zeros(choice.limit.size)
    for width in WIDTHS:
        soft = np.maximum(width * spread, 1e-9)
        top = np.full(start.size, most / unit)
        found, fell = descend(partial(fallen, width=soft), start, top, steps=STEPS)
        # a stage that ended below the best exact bound is no place to start from
        start = at / unit if best > -fell * most else found
    return best, at
