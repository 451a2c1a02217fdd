"""Closed days: those that the calendar names, and those that a whole catalogue's silence shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tools.domain.arrays import BoolArray, DateArray, FloatArray, IntArray
from tools.domain.datasets import Period
from tools.forecasting.preparation.buckets import Buckets
from tools.forecasting.preparation.records import Records
from tools.rhythm.grid import weekdays

REST_SHARE = 0.8
"""Share of a weekday's dates that are closed from which it is a day of rest."""
REST_WEEKS = 8
WEEK = range(7)
"""Weekdays, Monday 0."""
SURE_RECORDS = 12.0
"""Records to be expected of a day or period before their absence shows that it was closed: e⁻¹² by chance."""
SURE_REST_RECORDS = 30.0
"""Records to be expected of a weekday over the whole history before their absence makes it a day of rest."""
STRAY_SHARE = 0.01
"""Share of another weekday's records that a day of rest may have by mistake."""
DAILY_SHARE = 0.5
"""Share of the days that have records in a catalogue that is recorded by the day."""
WINDOW_DAYS = 28
WINDOW_PERIODS = 6
LARGEST_TABLE = 20_000_000
"""Cells of sites by days up to which each site is judged by itself."""


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """Days without trade: single ones, and weekdays that are always closed."""

    days: IntArray
    """Ascending days since 1970-01-01, without the days of rest."""
    rests: tuple[int, ...] = ()
    """Weekdays that are always closed, Monday 0."""

    def open_shares(self, edges: DateArray, period: Period) -> FloatArray:
        """(n,) share of the usually open days of each period between the edges (n + 1,) that were open.

        A day of rest makes no week or month less open than another, but it closes a day.
        """
        bounds = edges.astype("datetime64[D]").view(np.int64)
        lost = np.diff(np.searchsorted(self.days, bounds))
        resting = _days_of(bounds, self.rests)
        if period is Period.DAY:
            return np.where((lost > 0) | (resting > 0), 0.0, 1.0)
        usual = np.maximum(np.diff(bounds) - resting, 1)
        return np.maximum(1.0 - lost / usual, 0.0)

    def open_before(self, days: IntArray) -> IntArray:
        """(n,) usually open days before each day, counted from one far past: only differences say something."""
        resting = sum(((days + 2 - weekday) // 7 for weekday in self.rests), np.zeros_like(days))
        return days - resting - np.searchsorted(self.days, days)

    def since(self, day: int) -> "ClosedDays":
        """Without the single days before a day."""
        return ClosedDays(self.days[np.searchsorted(self.days, day) :], self.rests)


NEVER_CLOSED = ClosedDays(np.empty(0, dtype=np.int64))


def closed_days(days: Iterable[int], rests: Iterable[int] = ()) -> ClosedDays:
    """Closed days with the weekdays of rest among them recognised.

    Where every weekday looks like one, it was a shutdown of weeks, whose days count one by one.
    """
    every = np.unique(np.array(list(days), dtype=np.int64))
    found = {weekday for weekday in WEEK if _rests(every[weekdays(every) == weekday])}
    resting = set(rests) | (found if len(found) < len(WEEK) else set[int]())
    return ClosedDays(every[~np.isin(weekdays(every), list(resting))], tuple(sorted(resting)))


def _rests(days: IntArray) -> bool:
    weeks = int(days[-1] - days[0]) // 7 + 1 if days.size else 0
    return weeks >= REST_WEEKS and days.size >= REST_SHARE * weeks


def _days_of(bounds: IntArray, resting: Sequence[int]) -> IntArray:
    """(n,) days with one of these weekdays in each period between the bounds (n + 1,)."""
    made = np.zeros(max(bounds.size - 1, 0), dtype=np.int64)
    for weekday in resting:
        made += np.diff((bounds + 2 - weekday) // 7)
    return made


@dataclass(slots=True)
class DailyCounts:
    """How many records of demand each site has on each day: filled part by part, in one table."""

    sites: IntArray
    """(K,) place of each history's site."""
    end: int
    """The last day that counts, in days since 1970-01-01."""
    table: IntArray = field(default_factory=lambda: np.zeros((1, 0), dtype=np.int64))
    """(sites, days) ending on the clock."""

    def add(self, records: Records, first_history: int) -> None:
        """Count the records of the histories from a place on."""
        asked = records.quantities > 0
        if not asked.any():
            return
        ages = self.end - records.days[asked]
        length = max(int(ages.max()) + 1, self.table.shape[1])
        count = int(self.sites.max()) + 1
        if count * length > LARGEST_TABLE:
            self.sites, count = np.zeros_like(self.sites), 1
            self.table = self.table.sum(axis=0, keepdims=True)
        cells = self.sites[records.owners[asked] + first_history] * length + length - 1 - ages
        counts = np.bincount(cells, minlength=count * length).reshape(count, length)
        earlier = self.table.shape[1]
        if earlier:
            counts[: self.table.shape[0], length - earlier :] += self.table
        self.table = counts


def shown_closures(counts: DailyCounts, buckets: Buckets) -> dict[int, ClosedDays]:
    """By place of the site, the days on which nothing was recorded for any item though much was to be expected.

    What is missing at the end of the data counts likewise: it is unknown, not zero. One item's own silence is
    never enough.
    """
    first = counts.end - counts.table.shape[1] + 1
    found: dict[int, ClosedDays] = {}
    coarse: list[int] = []
    for site, row in enumerate(counts.table):
        if _is_daily(row):
            found[site] = _silent_days(row, first)
        else:
            coarse.append(site)
    found |= _silent_periods(buckets, counts.sites, coarse)
    return {site: days for site, days in found.items() if days.days.size or days.rests}


def _is_daily(counts: IntArray) -> bool:
    used = np.flatnonzero(counts)
    return used.size > 0 and used.size >= DAILY_SHARE * (used[-1] - used[0] + 1)


def _silent_days(counts: IntArray, first: int) -> ClosedDays:
    days = first + np.arange(counts.size)
    weekday = weekdays(days)
    sums = np.bincount(weekday, weights=counts, minlength=7)
    dates = np.bincount(weekday, minlength=7)
    others = (sums.sum() - sums) / np.maximum(np.count_nonzero(sums) - (sums > 0), 1)
    resting = (sums <= STRAY_SHARE * others) & (others >= SURE_REST_RECORDS) & (dates >= REST_WEEKS)
    trading = counts > 0
    traded = np.maximum(np.bincount(weekday[trading], minlength=7), 1)
    usual = sums / traded / max(counts.sum() / max(trading.sum(), 1), 1e-9)
    silent = _silent(counts, WINDOW_DAYS, usual[weekday]) & ~resting[weekday]
    return ClosedDays(days[silent], tuple(int(at) for at in np.flatnonzero(resting)))


def _silent(counts: IntArray, window: int, factor: FloatArray | float) -> BoolArray:
    """Where nothing was recorded though the mean of the recorded places around lets much be expected."""
    kernel = np.ones(2 * window + 1)
    total = np.convolve(counts, kernel, mode="full")[window : window + counts.size]
    used = np.convolve(counts > 0, kernel, mode="full")[window : window + counts.size]
    overall = counts.sum() / max(np.count_nonzero(counts), 1)
    expected = np.where(used > 0.5, total / np.maximum(used, 1.0), overall) * factor
    return (counts == 0) & (expected >= SURE_RECORDS)


def _by_period(buckets: Buckets, sites: IntArray) -> IntArray:
    """(sites, G) series of each site with demand in each period of the catalogue."""
    length, count = buckets.starts.size, int(sites.max()) + 1
    counts = np.zeros(count * length, dtype=np.int64)
    sizes = buckets.sizes
    for part in buckets.parts():
        begin, end = buckets.offsets[part.start], buckets.offsets[part.stop]
        asked = np.flatnonzero(buckets.values[begin:end] > 0)
        newest = (sites[part] + 1) * length - (buckets.offsets[1:][part] - begin)
        cells = np.repeat(newest, sizes[part])[asked] + asked
        counts += np.bincount(cells, minlength=counts.size)
    return counts.reshape(count, length)


def _silent_periods(buckets: Buckets, sites: IntArray, wanted: Sequence[int]) -> dict[int, ClosedDays]:
    """The same by whole periods, for sites that are not recorded by the day."""
    if not wanted:
        return {}
    length = buckets.starts.size
    counts = _by_period(buckets, sites)
    bounds = buckets.edges.view(np.int64)
    found: dict[int, ClosedDays] = {}
    for site in wanted:
        silent = np.flatnonzero(_silent(counts[site], WINDOW_PERIODS, 1.0)) if length else ()
        runs = [np.arange(bounds[place], bounds[place + 1]) for place in silent]
        if runs:
            found[site] = ClosedDays(np.concatenate(runs))
    return found
