"""A user's own forecast as it comes, by day, week or month, as means and quantiles per period of the plan."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, DateArray, FloatArray, IntArray
from tools.domain.datasets import Period, UserForecast

LEAST_SHARE = 0.5
"""Share of a period's days that the user must have forecast; the rest of the period is then taken to be like them."""
CLOSED_DAYS = 4
"""Days that a daily forecast may skip (a weekend, holidays) and mean no demand."""
LARGEST_UNITS = 1e12
"""A quantity beyond this is a mistake, and its square would overflow the sums."""
MEDIAN = 0.5


@dataclass(frozen=True, slots=True)
class UserPeriods:
    """The user's forecast on the plan's periods (P,); nan where there is none."""

    means: FloatArray
    """(P,) units; from the quantiles where no mean was given."""
    levels: FloatArray
    """(Q,) ascending, inside 0..1; empty for a forecast of means."""
    quantiles: FloatArray
    """(Q, P) units, ascending in each period that has any; nan where the period lacks that level."""
    notes: tuple[str, ...] = ()
    """What was left out or mended, in words for people."""


@dataclass(frozen=True, slots=True)
class _Rows:
    dates: DateArray
    quantities: FloatArray
    levels: FloatArray

    def where(self, kept: BoolArray | IntArray) -> "_Rows":
        return _Rows(self.dates[kept], self.quantities[kept], self.levels[kept])


def scaled_forecast(user: UserForecast, share: float) -> UserForecast:
    """The forecast of one site that takes this share of the item's demand."""
    return UserForecast(user.item_id, user.dates, user.quantities * share, user.quantiles)


def in_periods(user: UserForecast, period: Period, starts: DateArray) -> UserPeriods:
    """The user's forecast on periods that begin on `starts` (P,) ascending; the last is one period long.

    A row holds from its date for as long as rows lie apart (a month: the calendar month of its date) and is spread
    evenly over these days. Deviations of quantiles from the median are squared before they are added, as if
    periods erred independently: ten daily intervals make an interval about three times as wide, not ten times.
    Rows that cannot be used are left out, and a note says which and why; nothing here raises.
    """
    rows, notes = _usable(user)
    if rows.dates.size == 0 or starts.size == 0:
        return UserPeriods(np.full(starts.size, np.nan), np.empty(0), np.empty((0, starts.size)), notes)
    overlap, known = _overlap(rows.dates, period, starts)
    given = ~np.isnan(rows.levels)
    means = _summed(rows.where(~given), overlap[~given], known)
    levels = np.unique(rows.levels[given])
    quantiles, crossed = _quantiles(rows, levels, overlap, known)
    missing = np.isnan(means)
    means[missing] = _means_of(levels, quantiles)[missing]
    if crossed:
        notes = (*notes, "quantiles that crossed were put in order")
    return UserPeriods(means, levels, quantiles, notes)


def _usable(user: UserForecast) -> tuple[_Rows, tuple[str, ...]]:
    """Rows in order of date and level, without those that say nothing."""
    length = min(user.dates.size, user.quantities.size, user.quantiles.size)
    rows = _Rows(
        user.dates[:length].astype("datetime64[D]"),
        user.quantities[:length].astype(np.float64),
        user.quantiles[:length].astype(np.float64),
    )
    longest = max(user.dates.size, user.quantities.size, user.quantiles.size)
    notes = _counted([(longest - length, "without a date, quantity or quantile column")])
    faults = (
        (np.isnat(rows.dates), "without a date"),
        (~np.isfinite(rows.quantities), "with a quantity that is no finite number"),
        (rows.quantities < 0, "with a negative quantity"),
        (rows.quantities > LARGEST_UNITS, "with a quantity beyond any demand"),
        (~np.isnan(rows.levels) & ~((rows.levels > 0) & (rows.levels < 1)), "with a quantile outside 0..1"),
    )
    bad = np.zeros(length, dtype=np.bool_)
    counts: list[tuple[int, str]] = []
    for fault, reason in faults:
        counts.append((int((fault & ~bad).sum()), reason))
        bad |= fault
    kept, repeated = _last_of_each(rows.where(~bad))
    return kept, (*notes, *_counted([*counts, (repeated, "repeated for a date, of which the last one counts")]))


def _counted(faults: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(f"{count} row{'s' if count > 1 else ''} left out: {reason}" for count, reason in faults if count)


def _last_of_each(rows: _Rows) -> tuple[_Rows, int]:
    """Ascending in date and level, the last row of each pair, and how many others there were."""
    level = np.where(np.isnan(rows.levels), -1.0, rows.levels)
    order = np.lexsort((level, rows.dates)).astype(np.int64)
    day, level = rows.dates[order], level[order]
    last = np.ones(order.size, dtype=np.bool_)
    last[:-1] = (day[1:] != day[:-1]) | (level[1:] != level[:-1])
    return rows.where(order[last]), int((~last).sum())


def _overlap(dates: DateArray, period: Period, starts: DateArray) -> tuple[FloatArray, FloatArray]:
    """(R, P) share of each row's days in each period, and (P,) share of each period's days that the user forecast."""
    first, last = _spans(dates, period)
    begin, end = _day_number(starts), _ends(starts, period)
    days = np.maximum(np.minimum(last[:, None], end) - np.maximum(first[:, None], begin), 0)
    held, until = _without_closed_days(first, last)
    covered = np.maximum(np.minimum(until[:, None], end) - np.maximum(held[:, None], begin), 0).sum(axis=0)
    return days / (last - first)[:, None], np.minimum(covered / (end - begin), 1.0)


def _without_closed_days(first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """Stretches that the rows speak of: days that a daily forecast skips, also at its ends, mean no demand."""
    held, places = np.unique(first, return_index=True)
    until = last[places]
    gaps = held[1:] - until[:-1]
    skipped = (gaps > 0) & (gaps <= CLOSED_DAYS)
    if np.median(until - held) > 1 or not skipped.any():
        return held, until
    usual = int(np.median(gaps[skipped]))
    until = until + np.append(np.where(skipped, gaps, 0), usual)
    held = held - np.append(usual, np.zeros(gaps.size, dtype=np.int64))
    return held, until


def _spans(dates: DateArray, period: Period) -> tuple[IntArray, IntArray]:
    """(R,) first day of each row and the day after its last, in days since 1970.

    As long as the shorter gaps between rows, since longer ones may be holes; of a single row, as long as the period.
    """
    gaps = np.diff(_day_number(np.unique(dates)))
    apart = int(np.quantile(gaps, 0.25, method="lower")) if gaps.size else round(period.days)
    four_weekly = gaps.size > 1 and not (gaps % 28).any()
    if 28 <= apart <= 31 and not four_weekly:
        month = dates.astype("datetime64[M]")
        return _day_number(month), _day_number(month + 1)
    first = _day_number(dates)
    return first, first + max(apart, 1)


def _day_number(dates: DateArray) -> IntArray:
    return dates.astype("datetime64[D]").astype(np.int64)


def _ends(starts: DateArray, period: Period) -> IntArray:
    """(P,) day after the last of each period."""
    if period is Period.MONTH:
        return _day_number(starts.astype("datetime64[M]") + 1)
    return _day_number(starts) + int(period.days)


def _summed(rows: _Rows, overlap: FloatArray, known: FloatArray) -> FloatArray:
    """(P,) units, filled up to whole periods; nan where too few days are known or no row falls."""
    usable = (known >= LEAST_SHARE) & (overlap > 0).any(axis=0)
    total = rows.quantities @ overlap
    return np.divide(total, known, out=np.full(total.size, np.nan), where=usable)


def _quantiles(rows: _Rows, levels: FloatArray, overlap: FloatArray, known: FloatArray) -> tuple[FloatArray, bool]:
    """(Q, P) units in ascending order, and whether any had to be put in order."""
    quantiles = np.full((levels.size, known.size), np.nan)
    middles = _middles(rows) if levels.size else rows.quantities
    for place, level in enumerate(levels):
        mine = rows.levels == level
        centre = _summed(_Rows(rows.dates[mine], middles[mine], rows.levels[mine]), overlap[mine], known)
        away = rows.quantities[mine] - middles[mine]
        squares = np.sign(away) * away**2 @ overlap[mine] / np.maximum(known, LEAST_SHARE)
        quantiles[place] = np.maximum(centre + np.sign(squares) * np.sqrt(np.abs(squares)), 0.0)
    crossed = bool((np.diff(quantiles, axis=0) < -1e-9).any())
    for column in range(known.size):
        there = np.isfinite(quantiles[:, column])
        quantiles[there, column] = np.sort(quantiles[there, column])
    return quantiles, crossed


def _middles(rows: _Rows) -> FloatArray:
    """(R,) median of each row's date by its levels; its mean, else its own quantity, where they lie to one side."""
    middles = rows.quantities.copy()
    given = ~np.isnan(rows.levels)
    for day in np.unique(rows.dates[given]):
        mine = rows.dates == day
        levels, means = rows.levels[mine & given], rows.quantities[mine & ~given]
        if _straddles(levels):
            middles[mine] = np.interp(MEDIAN, levels, np.sort(rows.quantities[mine & given]))
        elif means.size:
            middles[mine] = means[0]
    return middles


def _straddles(levels: FloatArray) -> bool:
    return bool(levels.size and levels[0] <= MEDIAN <= levels[-1])


def _means_of(levels: FloatArray, quantiles: FloatArray) -> FloatArray:
    """(P,) mean of the piecewise linear quantile function, flat beyond its ends; nan where it lacks the median."""
    means = np.full(quantiles.shape[1], np.nan)
    for column in range(quantiles.shape[1]):
        there = np.isfinite(quantiles[:, column])
        if _straddles(levels[there]):
            at = np.concatenate([[0.0], levels[there], [1.0]])
            values = quantiles[there, column]
            means[column] = np.trapezoid(np.concatenate([values[:1], values, values[-1:]]), at)
    return means
