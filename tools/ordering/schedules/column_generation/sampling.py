"""Prices of the limits from a sample of the items under limits cut to match, where there are very many items."""

import numpy as np

from tools.domain.arrays import IntArray
from tools.ordering.schedules.column_generation.item_sweeps import total_use
from tools.ordering.schedules.problem.programme_arrays import Limits, Terms

OF_ITEMS = ("requirement", "holding", "shortage", "end_value", "volume", "top")


def terms_of_items(terms: Terms, items: IntArray) -> Terms:
    """The terms of some items and their sources, in the same order."""
    counts = np.diff(terms.start)[items]
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    sources = np.arange(start[-1]) + np.repeat(terms.start[items] - start[:-1], counts)
    fields = {
        name: getattr(terms, name)[items if name in OF_ITEMS else sources] for name in Terms._fields if name != "start"
    }
    return Terms(start=start, **fields)


def sampled(terms: Terms, limits: Limits, size: int, rng: np.random.Generator) -> tuple[Terms, Limits]:
    """A sample of `size` items, and limits that leave each of them as much as all items have on average.

    Storage is shared after what stock and open orders fill already.
    """
    n_items = terms.start.size - 1
    part = terms_of_items(terms, np.sort(rng.choice(n_items, size, replace=False)))
    share = size / n_items
    free = limits.storage - idle_use(terms, limits)
    return part, Limits(
        limits.capacity * share, limits.budget * share, free * share + idle_use(part, limits), limits.orders * share
    )


def idle_use(terms: Terms, limits: Limits) -> np.ndarray:
    """(T,) volume that stock and open orders fill."""
    use = Limits(*(np.zeros_like(part) for part in limits))
    total_use(terms, np.zeros((terms.lead.size, terms.requirement.shape[1]), np.int32), use, True)
    return use.storage
