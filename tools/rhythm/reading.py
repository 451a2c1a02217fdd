"""The rhythm of recorded demand, read from its own dates; where an item's do not decide, from those beside it.

A history whose rows fall on one weekday is weekly, one whose rows fall on one day of the month is monthly, and any
other is dated by the day on which demand came. What a weekly date stands for is read from its weekday alone, so that
it does not change with the clock: weeks end on a Friday, Saturday or Sunday, and a date on another day begins one.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from tools.domain.arrays import BoolArray, IntArray
from tools.domain.datasets import Period
from tools.rhythm.grid import months_of, weekdays

SAME_SHARE = 0.9
"""Share of the dates on one weekday, or one day of the month, that makes a rhythm; holidays move some of them."""
LEAST_MONTHS = 4
"""Dates that decide for months: by chance once in 30³ places."""
LEAST_DATES = 8
"""Dates that decide for weeks or days: by chance once in 7⁷ places."""
LEAST_POOLED = 4
"""Dates that decide for a whole catalogue of which no history decides alone."""
LAST_OF_MONTH = -1
ENDING = (4, 5, 6)
"""Weekdays that end a week: Friday, Saturday, Sunday."""


@dataclass(frozen=True, slots=True, order=True)
class Rhythm:
    """How often demand is recorded, and what its dates stand for."""

    step: Period
    anchor: int = 0
    """Weekday of weekly dates, Monday 0; day of the month of monthly ones, -1 for the last; 0 for days."""

    @property
    def begins(self) -> bool:
        """Whether a date is the first day of what it stands for."""
        return self.anchor != LAST_OF_MONTH if self.step is Period.MONTH else not self._ends_week

    @property
    def _ends_week(self) -> bool:
        return self.step is Period.WEEK and self.anchor in ENDING

    @property
    def week_begins(self) -> int:
        """Weekday on which its weeks begin; Monday where it is not weekly."""
        if self.step is not Period.WEEK:
            return 0
        return (self.anchor + 1) % 7 if self._ends_week else self.anchor

    def date_of(self, day: date) -> date:
        """The date under which demand of a day is recorded."""
        if self.step is Period.DAY:
            return day
        if self.step is Period.WEEK:
            first = day - timedelta(days=(day.weekday() - self.week_begins) % 7)
            return first if self.begins else first + timedelta(days=6)
        length = monthrange(day.year, day.month)[1]
        return day.replace(day=length if self.anchor == LAST_OF_MONTH else min(self.anchor, length))

    def covered(self, days: IntArray) -> tuple[IntArray, IntArray]:
        """First and last day that records of these dates stand for."""
        if self.step is Period.DAY:
            return days, days
        if self.step is Period.WEEK:
            firsts = days - (0 if self.begins else 6)
            return firsts, firsts + 6
        months = months_of(days)
        firsts = months.astype("datetime64[D]").view(np.int64)
        after = (months + 1).astype("datetime64[D]").view(np.int64)
        return firsts, after - 1


@dataclass(frozen=True, slots=True)
class Rhythms:
    """The rhythm of each of K histories, and groups of those that are recorded alike at one site."""

    of: tuple[Rhythm, ...]
    """(K,)."""
    groups: IntArray
    """(K,) histories of the same number share site and rhythm."""
    own: BoolArray
    """(K,) whether a history's own dates decided."""

    def common(self, step: Period) -> Rhythm | None:
        """The most frequent rhythm of a step, None where no history has it."""
        counted = Counter(rhythm for rhythm in self.of if rhythm.step is step)
        return max(counted, key=lambda rhythm: (counted[rhythm], -rhythm.anchor)) if counted else None


@dataclass(frozen=True, slots=True)
class _Dates:
    """How the distinct dates of each row's histories fall, (K,) or (K, n)."""

    number: IntArray
    by_weekday: IntArray
    by_day: IntArray
    last: IntArray

    def summed(self) -> "_Dates":
        """All histories as one."""
        parts = (self.number, self.by_weekday, self.by_day, self.last)
        return _Dates(*(part.sum(axis=0, keepdims=True) for part in parts))


def read_rhythms(owners: IntArray, days: IntArray, sites: IntArray) -> Rhythms:
    """Rhythms of K histories from their dates, sorted by history and day; `sites` (K,) are numbers of their sites."""
    dates = _dates(owners, days, sites.size)
    found = _decided(dates, LEAST_DATES)
    fallback = _decided(dates.summed(), LEAST_POOLED)[0] or Rhythm(Period.DAY)
    pools = _pools(found, sites, fallback)
    of = tuple(own or pools[site] for own, site in zip(found, sites.tolist(), strict=True))
    numbers: dict[tuple[int, Rhythm], int] = {}
    groups = [numbers.setdefault(key, len(numbers)) for key in zip(sites.tolist(), of, strict=True)]
    own = np.array([rhythm is not None for rhythm in found], dtype=np.bool_)
    return Rhythms(of, np.array(groups, dtype=np.int64), own)


def _dates(owners: IntArray, days: IntArray, count: int) -> _Dates:
    fresh = np.ones(days.size, dtype=np.bool_)
    fresh[1:] = (days[1:] != days[:-1]) | (owners[1:] != owners[:-1])
    owners, days = owners[fresh], days[fresh]
    months = months_of(days)
    place = days - months.astype("datetime64[D]").view(np.int64)
    last = months_of(days + 1) != months
    return _Dates(
        np.bincount(owners, minlength=count),
        np.bincount(owners * 7 + weekdays(days), minlength=7 * count).reshape(count, 7),
        np.bincount(owners * 31 + place, minlength=31 * count).reshape(count, 31),
        np.bincount(owners[last], minlength=count),
    )


def _decided(dates: _Dates, least: int) -> list[Rhythm | None]:
    """The rhythm that each row of dates shows, None where it shows none."""
    enough = SAME_SHARE * dates.number
    weekday, day = dates.by_weekday.argmax(axis=1), dates.by_day.argmax(axis=1)
    monthly = (dates.number >= LEAST_MONTHS) & (dates.by_day.max(axis=1) >= enough)
    at_end = (dates.number >= LEAST_MONTHS) & (dates.last >= enough)
    weekly = (dates.number >= least) & (dates.by_weekday.max(axis=1) >= enough)
    found: list[Rhythm | None] = []
    columns = (dates.number, monthly, at_end, weekly, weekday, day)
    for number, is_monthly, ends, is_weekly, at, place in zip(*(each.tolist() for each in columns), strict=True):
        if is_weekly:
            found.append(Rhythm(Period.WEEK, at))
        elif is_monthly or ends:
            found.append(Rhythm(Period.MONTH, LAST_OF_MONTH if ends else place + 1))
        else:
            found.append(Rhythm(Period.DAY) if number >= least else None)
    return found


def _pools(found: Sequence[Rhythm | None], sites: IntArray, fallback: Rhythm) -> dict[int, Rhythm]:
    """What histories that do not decide take over: the rhythm of most others at their site, else of the catalogue."""
    everywhere = Counter(rhythm for rhythm in found if rhythm)
    here: dict[int, Counter[Rhythm]] = {site: Counter() for site in np.unique(sites).tolist()}
    for rhythm, site in zip(found, sites.tolist(), strict=True):
        if rhythm:
            here[site][rhythm] += 1
    usual = _most(everywhere) or fallback
    return {site: _most(counted) or usual for site, counted in here.items()}


def _most(counted: Counter[Rhythm]) -> Rhythm | None:
    return max(counted, key=lambda rhythm: (counted[rhythm], rhythm)) if counted else None
