"""The records of a whole catalogue summed into equal periods, in one pass over flat arrays."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from tools.domain.arrays import BoolArray, DateArray, FloatArray, IntArray
from tools.domain.datasets import Period
from tools.forecasting.preparation.records import Records

PART = 2_000
"""Series that are worked on at once."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """K series of one catalogue, end to end. All end with the newest period of the grid."""

    period: Period
    edges: DateArray
    """(G + 1,) first days of the catalogue's periods, oldest first, and the day after the newest."""
    offsets: IntArray
    """(K + 1,) series i is values[offsets[i] : offsets[i + 1]]."""
    values: FloatArray
    """(N,) units."""

    @property
    def sizes(self) -> IntArray:
        """(K,) periods of each series."""
        return np.diff(self.offsets)

    @property
    def starts(self) -> DateArray:
        """(G,) first days of the catalogue's periods."""
        return self.edges[:-1]

    def of(self, place: int) -> slice:
        """Where a series lies in the flat arrays."""
        return slice(int(self.offsets[place]), int(self.offsets[place + 1]))

    def parts(self) -> Iterator[slice]:
        """Runs of series whose values fit the processor's cache."""
        for first in range(0, self.offsets.size - 1, PART):
            yield slice(first, min(first + PART, self.offsets.size - 1))


@dataclass(frozen=True, slots=True)
class _Filled:
    """One part of the catalogue in periods, before it is known where the catalogue begins."""

    sizes: IntArray
    """(K,)."""
    values: FloatArray
    eldest_days: IntArray
    """(K,) age of each history's first record."""
    dense: BoolArray
    """(K,) whether most gaps between its dates are shorter than a period."""


def fill_buckets(parts: Iterable[tuple[Records, int]], last_day: date, period: Period) -> Buckets:
    """Sum per period up to the end of the newest complete one: calendar months, weeks, or days; gaps are zero demand.

    `parts` are the records of the catalogue in order up to `last_day`, each with the number of its histories. The
    oldest period of the catalogue is left out where records come more often than periods and begin within it.
    """
    end = np.datetime64(last_day, "D")
    filled = [_fill(records, count, end, period) for records, count in parts]
    sizes = np.concatenate([part.sizes for part in filled])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    edges = period_edges(end, period, int(sizes.max(initial=0)))
    made = Buckets(period, edges, offsets, np.concatenate([part.values for part in filled]))
    return made if period is Period.MONTH else without_first(made, _partly_recorded(filled, int(period.days)))


def _fill(records: Records, count: int, end: np.datetime64, period: Period) -> _Filled:
    ages = int(end.astype(np.int64)) - records.days
    back = _months_back(records, end) if period is Period.MONTH else ages // int(period.days) + 1
    sizes = np.maximum(_most_per_history(records, back, count), 0)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    whole = back > 0
    places = (offsets[records.owners + 1] - back)[whole]
    values = np.bincount(places, weights=records.quantities[whole], minlength=int(offsets[-1])).astype(np.float64)
    dense = _dense(records, int(period.days), count)
    return _Filled(sizes, values, _most_per_history(records, ages, count), dense)


def period_edges(end: np.datetime64, period: Period, count: int) -> DateArray:
    """(count + 1,) first days of the whole periods up to `end`, and the day after the newest."""
    if period is Period.MONTH:
        return (_first_open_month(end) + np.arange(-count, 1)).astype("datetime64[D]")
    return end + 1 + np.arange(-count, 1) * int(period.days)


def future_edges(end: np.datetime64, period: Period, horizon: int) -> DateArray:
    """(horizon + 1,) first days of the coming periods, and the day after the last."""
    if period is Period.MONTH:
        return (_first_open_month(end) + np.arange(horizon + 1)).astype("datetime64[D]")
    return end + 1 + np.arange(horizon + 1) * int(period.days)


def _first_open_month(end: np.datetime64) -> np.datetime64:
    """The first month that has not ended by this day."""
    return (end + 1).astype("datetime64[M]")


def _months_back(records: Records, end: np.datetime64) -> IntArray:
    """(R,) periods back from the newest edge: 1 is the newest whole month."""
    months = records.days.view("datetime64[D]").astype("datetime64[M]").view(np.int64)
    return int(_first_open_month(end).astype(np.int64)) - months


def _partly_recorded(filled: Sequence[_Filled], length_days: int) -> IntArray:
    """(K,) 1 where a history begins with the catalogue, within a period, and records come more often than periods.

    An item that is first asked for later has a first period like any other.
    """
    ages = np.concatenate([part.eldest_days for part in filled])
    eldest = int(ages.max(initial=0))
    begins = ages // length_days == eldest // length_days
    partly = begins & np.concatenate([part.dense for part in filled])
    return (partly & ((eldest + 1) % length_days != 0) & (eldest >= length_days)).astype(np.int64)


def _most_per_history(records: Records, column: IntArray, count: int) -> IntArray:
    """(K,) largest value of a column in each history, 0 without records."""
    most = np.zeros(count, dtype=np.int64)
    if records.owners.size:
        firsts = np.flatnonzero(np.diff(records.owners, prepend=-1))
        most[records.owners[firsts]] = np.maximum.reduceat(column, firsts)
    return most


def _dense(records: Records, length_days: int, count: int) -> BoolArray:
    gaps = np.diff(records.days)
    between = (records.owners[1:] == records.owners[:-1]) & (gaps > 0)
    owners = records.owners[1:][between]
    short = np.bincount(owners[gaps[between] < length_days], minlength=count)
    return 2 * short > np.bincount(owners, minlength=count)


def without_leading_zeros(buckets: Buckets) -> Buckets:
    """Series from their first demand on: before it the item was not on sale. Those without any stay as they are."""
    filled = buckets.sizes > 0
    if (buckets.values[buckets.offsets[:-1][filled]] > 0).all():
        return buckets
    demands = np.flatnonzero(buckets.values > 0)
    low = np.searchsorted(demands, buckets.offsets[:-1])
    asked = low < np.searchsorted(demands, buckets.offsets[1:])
    firsts = buckets.offsets[:-1].copy()
    firsts[asked] = demands[low[asked]]
    return without_first(buckets, firsts - buckets.offsets[:-1])


def without_first(buckets: Buckets, lead: IntArray) -> Buckets:
    """Without the first periods of each series: `lead` (K,) of them."""
    if not lead.any():
        return buckets
    sizes = buckets.sizes - lead
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    kept = np.repeat(buckets.offsets[:-1] + lead - offsets[:-1], sizes) + np.arange(int(offsets[-1]))
    edges = buckets.edges[buckets.starts.size - int(sizes.max(initial=0)) :]
    return Buckets(buckets.period, edges, offsets, buckets.values[kept])
