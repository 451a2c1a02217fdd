"""Up to when demand is reported: what lies behind is an observation, what lies ahead is forecast.

Histories of one site and rhythm are reported together. A period is complete when it has ended, when every record of
it stands for days that have passed, and when it was reported: silence at the end of a group that has records in most
periods is no demand of zero, it was not reported yet. One item's own silence while the others of its group go on is.
A group that is silent in most periods anyway keeps its zeros, as long as such a silence is not out of the ordinary.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.datasets import Period
from tools.rhythm.grid import Grid, epoch_day, weekdays
from tools.rhythm.reading import Rhythm, Rhythms, read_rhythms

REGULAR = 0.5
"""Share of silent periods below which the end of the records is the end of what was reported."""
UNUSUAL = 0.05
"""Probability of a longer silence below which a group that is often silent counts as not reported."""
DAY_MISSED = 0.01
"""Probability that the days without a record at the end of a period had none, below which it is not all reported."""
LEAST_RECORDS = 4
"""Records of a group below which nothing is known of how regularly it is reported."""
DAYS_OF_WEEK = 7
LATE_DAYS = {Period.DAY: 14, Period.WEEK: 14, Period.MONTH: 32}
"""Days by which one group's records may come later than the others': after that its silence is no demand."""
LEAST_REST_DATES = 4
REST_SHARE = 0.02
"""Share of a weekday's dates with records up to which it may be a day of rest."""
SURE_REST = 0.01
"""Probability that a weekday like the others would have stayed without records, below which it is a day of rest."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """What K histories are found to be, and how far they reach."""

    grid: Grid
    end: int
    """Last day of the newest complete period of any group, in days since 1970-01-01."""
    until: IntArray
    """(K,) last day up to which a history is known; what it holds after is not all of it."""
    last: IntArray
    """(K,) last day of the newest complete period in which the history's group has records; below `until` by
    silence that counts as no demand."""
    rhythms: Rhythms
    rests: tuple[int, ...] = ()
    """Weekdays on which nothing is ever recorded by the day, Monday 0."""

    def aligned(self, rhythm: Rhythm) -> bool:
        """Whether each record of this rhythm belongs to one period of the grid."""
        return _aligned(rhythm, self.grid)


@dataclass(frozen=True, slots=True)
class _Group:
    """The records of one site and rhythm, without what still runs."""

    rhythm: Rhythm
    days: IntArray
    """Ascending, each once."""
    records: int
    """How many there are on these days."""


def read_reporting(
    owners: IntArray,
    days: IntArray,
    sites: IntArray,
    as_of: date,
    period: Period,
    closed: Iterable[int] = (),
) -> Reporting:
    """Rhythms, periods and reach of K histories from the dates of their records up to `as_of`.

    Dates are sorted by history and day; `sites` (K,) are numbers of their sites, `closed` days without trade.
    """
    clock = epoch_day(as_of)
    rhythms = read_rhythms(owners, days, sites)
    weekly = rhythms.common(Period.WEEK)
    grid = Grid(period, weekly.week_begins if weekly else 0)
    shut = np.unique(np.array(list(closed), dtype=np.int64))
    groups = _groups(owners, days, rhythms, clock)
    reach = [_reach(group, grid, clock, shut) for group in groups]
    end = _end(groups, reach, grid, clock, shut)
    untils = [_until(group, own, end, grid) for group, own in zip(groups, reach, strict=True)]
    lasts = [grid.last_day(end if own is None else own) for own in reach]
    of_group = rhythms.groups
    return Reporting(
        grid,
        grid.last_day(end),
        np.array(untils, dtype=np.int64)[of_group],
        np.array(lasts, dtype=np.int64)[of_group],
        rhythms,
        _rests(groups, shut),
    )


def _rests(groups: Sequence[_Group], shut: IntArray) -> tuple[int, ...]:
    dated = [group.days for group in groups if group.rhythm.step is Period.DAY and group.days.size]
    if not dated:
        return ()
    resting = weekday_silence(np.unique(np.concatenate(dated)), shut)[1]
    return tuple(np.flatnonzero(resting).tolist())


def _groups(owners: IntArray, days: IntArray, rhythms: Rhythms, clock: int) -> list[_Group]:
    """Groups in the order of their numbers."""
    kinds = dict(zip(rhythms.groups.tolist(), rhythms.of, strict=True))
    order = np.argsort(rhythms.groups[owners], kind="stable")
    bounds = np.searchsorted(rhythms.groups[owners][order], np.arange(len(kinds) + 1))
    made: list[_Group] = []
    for number in range(len(kinds)):
        mine, counts = np.unique(days[order[bounds[number] : bounds[number + 1]]], return_counts=True)
        passed = kinds[number].covered(mine)[1] <= clock
        made.append(_Group(kinds[number], mine[passed], int(counts[passed].sum())))
    return made


def _aligned(rhythm: Rhythm, grid: Grid) -> bool:
    if rhythm.step is Period.WEEK:
        return grid.period is Period.MONTH or (grid.period is Period.WEEK and rhythm.week_begins == grid.week_begins)
    return rhythm.step is Period.DAY or grid.period is Period.MONTH


def _reach(group: _Group, grid: Grid, clock: int, shut: IntArray) -> int | None:
    """The newest period of which all of the group's records are there; None without any record."""
    if not group.days.size:
        return None
    last = int(group.days[-1])
    if not _aligned(group.rhythm, grid):
        return grid.ended_by(int(group.rhythm.covered(group.days[-1:])[1][0]))
    if group.rhythm.step is grid.period:
        return min(grid.holding(last), grid.ended_by(clock))
    held = grid.holding(last)
    ahead = np.arange(last + 1, grid.last_day(held) + 1)
    is_whole = _week_whole(group, grid, ahead, clock) if group.rhythm.step is Period.WEEK else None
    if is_whole is None:
        is_whole = _days_whole(group, ahead, clock, shut)
    return held if is_whole else held - 1


def _week_whole(group: _Group, grid: Grid, ahead: IntArray, clock: int) -> bool:
    """Whether no further week is dated within the month, or weeks without a record are usual."""
    missing = int(np.count_nonzero(weekdays(ahead) == group.rhythm.anchor))
    ended = ahead.size == 0 or int(ahead[-1]) <= clock
    return ended and _silence(group, Grid(Period.WEEK, group.rhythm.week_begins)) ** missing >= UNUSUAL


def _days_whole(group: _Group, ahead: IntArray, clock: int, shut: IntArray) -> bool:
    """Whether the days ahead of the last record have passed or are closed, and may well have had no demand."""
    if group.records < LEAST_RECORDS:
        return bool((ahead <= clock).all())
    silence, rests = weekday_silence(group.days, shut)
    open_days = ahead[~np.isin(ahead, shut) & ~rests[weekdays(ahead)]]
    if (open_days > clock).any():
        return False
    return float(silence[weekdays(open_days)].prod()) >= DAY_MISSED


def weekday_silence(days: IntArray, shut: IntArray) -> tuple[FloatArray, BoolArray]:
    """(7,) probability that a weekday has no record, and whether it is a day of rest; days of `shut` say nothing."""
    span = np.arange(int(days[0]), int(days[-1]) + 1)
    span = span[~np.isin(span, shut)]
    dates = np.bincount(weekdays(span), minlength=7)
    used = np.minimum(np.bincount(weekdays(days), minlength=7), dates)
    others = np.where(used > REST_SHARE * dates, used, 0).sum(), np.where(used > REST_SHARE * dates, dates, 0).sum()
    share = float(others[0]) / max(float(others[1]), 1.0)
    rests = (used <= REST_SHARE * dates) & (dates >= LEAST_REST_DATES) & ((1.0 - share) ** dates < SURE_REST)
    open_dates, open_used = dates[~rests].sum(), used[~rests].sum()
    usual = (open_dates - open_used + 0.5) / (open_dates + 1.0)
    return (dates - used + 2.0 * usual) / (dates + 2.0), rests


def _silence(group: _Group, grid: Grid) -> float:
    """Probability that a period has no record at all, by Laplace's rule of succession: few periods leave much doubt."""
    used = np.unique(grid.index(group.days))
    length = int(used[-1] - used[0]) + 1
    return (length - used.size + 1.0) / (length + 2.0)


def _is_regular(group: _Group, grid: Grid) -> bool:
    if group.records < LEAST_RECORDS:
        return False
    return not _aligned(group.rhythm, grid) or _silence(group, grid) < REGULAR


def _end(groups: Sequence[_Group], reach: Sequence[int | None], grid: Grid, clock: int, shut: IntArray) -> int:
    """The newest complete period of the catalogue; it goes on over a silence that is usual in all of it."""
    known = [own for own in reach if own is not None]
    if not known:
        return grid.ended_by(clock)
    newest = _over_closed(max(known), grid, clock, shut)
    days = np.unique(np.concatenate([group.days for group in groups]))
    everything = _Group(Rhythm(Period.DAY), days, sum(group.records for group in groups))
    if any(_is_regular(group, grid) for group in groups) or _is_regular(everything, grid):
        return newest
    usual = int(np.log(UNUSUAL) / np.log(_silence(everything, grid)))
    return min(newest + usual, max(grid.ended_by(clock), newest))


def _over_closed(newest: int, grid: Grid, clock: int, shut: IntArray) -> int:
    """The last of the wholly closed periods that have passed since the newest complete one: none had to be reported.

    Less than a week of closed days says nothing yet.
    """
    end = newest
    while end < grid.ended_by(clock) and _is_closed(grid, end + 1, shut):
        end += 1
    return end if grid.last_day(end) - grid.last_day(newest) >= DAYS_OF_WEEK else newest


def _is_closed(grid: Grid, index: int, shut: IntArray) -> bool:
    return bool(np.isin(np.arange(grid.first_day(index), grid.first_day(index + 1)), shut).all())


def _until(group: _Group, reach: int | None, end: int, grid: Grid) -> int:
    """Last day up to which the group's histories are known, with a silence that is too long to be a late report."""
    if reach is None or not _is_regular(group, grid):
        return grid.last_day(end)
    late = grid.last_day(end) - grid.last_day(reach)
    return grid.last_day(reach if late <= LATE_DAYS[group.rhythm.step] else end)
