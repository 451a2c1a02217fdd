"""Changes of regime: since when a supplier delivers at another level than before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.lead_times.pooling import Fit
from tools.lead_times.preparation.observations import Observations

FEWEST_ORDERS = 12
SHORTEST_REGIME = 5
"""Orders on either side of a change."""
LIMIT = 4.0
"""Standard errors of the difference of means, at the best of all places; under 1 % of steady series reach it."""
LEAST_SPREAD = 0.05
"""Of the log lead time, so that a supplier of perfect regularity has standard errors too."""
LEAST_CHANGE = 0.2
"""Of the log lead time: a change of less than a fifth matters to no plan."""


@dataclass(frozen=True, slots=True)
class RegimeChange:
    """The latest shift in level of one supplier's lead times."""

    since: date
    """Order date of the first order of the new regime."""
    age_days: int
    factor: float
    """New level over the old."""
    standard_errors: float
    orders_before: int
    orders_since: int


def regime_changes(seen: Observations, fit: Fit, as_of: date) -> Mapping[str, RegimeChange]:
    """By supplier id. Orders too young to have arrived for the most part are left out, arrived or not.

    The place of the largest standardised difference between the means before and after (Hawkins 1977); the part after
    it is searched again, so that the latest change is the one told. Among the young those that arrived are the quick
    ones, which would look like a change for the better.
    """
    found: dict[str, RegimeChange] = {}
    supplier, logs, doubt, age = _ripe_orders(seen, fit)
    bounds = np.flatnonzero(np.diff(supplier, prepend=-1, append=-1)).tolist()
    for start, end in zip(bounds[:-1], bounds[1:], strict=True):
        if end - start >= FEWEST_ORDERS:
            change = _latest(logs[start:end], doubt[start:end], age[start:end], as_of)
            if change is not None:
                found[seen.terms.supplier_ids[int(supplier[start])]] = change
    return found


def _ripe_orders(seen: Observations, fit: Fit) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Supplier, mean log residual, its variance if still open, and age of each order, oldest first by supplier.

    The lines of an order that came on one day count once.
    """
    at = seen.terms_row
    due = seen.terms.quoted_days[at] * np.exp(fit.location[at] + fit.spread[at])
    ripe = np.flatnonzero(seen.age_days >= due)
    _, first, places = np.unique(seen.order[ripe], return_index=True, return_inverse=True)
    lines = np.bincount(places)
    logs = np.bincount(places, fit.undrifted[ripe]) / lines
    doubt = np.bincount(places, fit.doubt[ripe]) / lines
    supplier, age = seen.supplier[ripe][first], seen.age_days[ripe][first]
    order = np.lexsort((-age, supplier))
    return supplier[order], logs[order], doubt[order], age[order]


def _latest(logs: FloatArray, doubt: FloatArray, age: FloatArray, as_of: date) -> RegimeChange | None:
    begin, told = 0, None
    while (step := _largest_step(logs[begin:], doubt[begin:])) is not None:
        place, errors = step
        cut = begin + place
        change = float(logs[cut:].mean() - logs[begin:cut].mean())
        if errors < LIMIT or abs(change) < LEAST_CHANGE:
            break
        days = int(age[cut])
        told = RegimeChange(
            as_of - timedelta(days=days), days, float(np.exp(change)), errors, cut - begin, len(logs) - cut
        )
        begin = cut
    return told


def _largest_step(logs: FloatArray, doubt: FloatArray) -> tuple[int, float] | None:
    """Place and standard errors of the largest difference of means, with the spread left within the two parts."""
    count = len(logs)
    if count < FEWEST_ORDERS:
        return None
    place = np.arange(SHORTEST_REGIME, count - SHORTEST_REGIME + 1)
    sums, squares = np.cumsum(logs), float(logs @ logs)
    before = sums[place - 1]
    after = sums[-1] - before
    between = before**2 / place + after**2 / (count - place)
    left = np.maximum(squares - between, 0.0) + float(doubt.sum())
    within = np.sqrt(np.maximum(left / (count - 2), LEAST_SPREAD**2))
    gap = before / place - after / (count - place)
    errors = np.abs(gap) / (within * np.sqrt(1 / place + 1 / (count - place)))
    best = int(np.argmax(errors))
    return int(place[best]), float(errors[best])
