"""Where an item stands in its life, from when it was asked for: none yet, new, active or discontinued."""

from enum import StrEnum

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.datasets import Period
from tools.forecasting.preparation.buckets import Buckets
from tools.forecasting.preparation.records import Notes


class Life(StrEnum):
    """Where an item stands in its life."""

    NONE = "none"
    """No demand was ever recorded."""
    NEW = "new"
    """Too young for its own history to say enough."""
    ACTIVE = "active"
    DISCONTINUED = "discontinued"
    """Demand ended: what is left fades out."""


NEW_PERIODS = {Period.DAY: 28, Period.WEEK: 8, Period.MONTH: 6}
"""Known periods since the first demand below which an item is new."""
LEAST_SILENCE = {Period.DAY: 60, Period.WEEK: 13, Period.MONTH: 6}
"""Known periods without demand below which nothing is called discontinued; half of it after a run-down."""
UNLIKELY = 0.002
"""Probability of such a silence, were the item still asked for as before, below which it is discontinued."""
LONGER_THAN_BEFORE = 1.5
"""Times the longest earlier silence: seasonal and clustered demand pauses, too."""
RUN_DOWN_SHARE = 0.25
"""Mean of the last quarter of the demands against that of the others at or below which demand ran down."""
RUN_DOWN_DEMANDS = 8


def lives(buckets: Buckets, values: FloatArray, notes: Notes) -> list[Life]:
    """The life of each series; `values` (N,) are nan where demand is unknown, which says nothing either way."""
    demands = np.flatnonzero(values > 0)
    low = np.searchsorted(demands, buckets.offsets[:-1])
    high = np.searchsorted(demands, buckets.offsets[1:])
    asked = high > low
    unknown = np.isnan(values)
    known = np.concatenate([[0], np.cumsum(~unknown)]) if unknown.any() else np.arange(values.size + 1)
    made = [Life.ACTIVE if any_ else Life.NONE for any_ in asked.tolist()]
    places, ends = np.flatnonzero(asked), buckets.offsets[1:][asked]
    first, last = demands[low[asked]], demands[high[asked] - 1]
    new = known[ends] - known[first] < NEW_PERIODS[buckets.period]
    for place in places[new].tolist():
        made[place] = Life.NEW
    silence = known[ends] - known[last + 1]
    quiet = ~new & (silence >= LEAST_SILENCE[buckets.period] // 2)
    for place, length in zip(places[quiet].tolist(), silence[quiet].tolist(), strict=True):
        part = values[buckets.of(place)]
        if has_ended(part[~np.isnan(part)], buckets.period):
            made[place] = Life.DISCONTINUED
            words = f"no demand for {length} {buckets.period.value}s, far longer than its pauses: discontinued"
            notes.setdefault(place, []).append(words)
    return made


def has_ended(known: FloatArray, period: Period) -> bool:
    """Whether the silence at the end of a series (n,) is too long to be one of its pauses."""
    demands = np.flatnonzero(known > 0)
    silence = known.size - 1 - int(demands[-1])
    least = LEAST_SILENCE[period]
    if silence < (least // 2 if _ran_down(known[demands]) else least):
        return False
    gaps = np.diff(demands) - 1
    if silence < LONGER_THAN_BEFORE * gaps.max(initial=0):
        return False
    return silence_probability(demands, silence) < UNLIKELY


def silence_probability(demands: IntArray, silence: int) -> float:
    """Probability of `silence` periods without demand after the places (k,) of the demands.

    Beta-binomial prediction: k - 1 demands in the periods after the first, with Jeffreys' prior, so that few
    demands leave much doubt.
    """
    hits = demands.size - 1 + 0.5
    misses = int(demands[-1] - demands[0]) - (demands.size - 1) + 0.5
    steps = np.arange(silence)
    return float(np.exp(np.log((misses + steps) / (hits + misses + steps)).sum()))


def _ran_down(sizes: FloatArray) -> bool:
    """Whether the last demands were a fraction of those before."""
    if sizes.size < RUN_DOWN_DEMANDS:
        return False
    recent = max(sizes.size // 4, 2)
    return bool(sizes[-recent:].mean() <= RUN_DOWN_SHARE * sizes[:-recent].mean())
