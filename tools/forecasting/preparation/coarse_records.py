"""Monthly records in a weekly plan, weekly ones in a daily plan: spread over the days that they cover.

Left in the one week that carries the month's date, a steady monthly demand would look lumpy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np

from tools.domain.arrays import BoolArray, DateArray, FloatArray, IntArray
from tools.domain.datasets import Period
from tools.rhythm.grid import weekdays
from tools.rhythm.reading import ENDING

LEAST_RUN = 4
"""Gaps in a row that keep to the grid before records are taken to be coarse; irregular demand does so by chance
once in 30⁴ places."""
LEAST_RUN_OF_ALL = 3
"""The same where all gaps of a history keep to the grid."""
MONTH_END = -1
LONGEST_SKIP = 12
"""Steps that may lie between two coarse records: steps without demand are often not recorded."""


PLANNED = {
    ("monthly", Period.WEEK): "the week",
    ("monthly", Period.DAY): "the day",
    ("weekly", Period.DAY): "the day",
    ("weekly", Period.WEEK): "other weeks",
}
LEAST_GAP_DAYS = {Period.DAY: 7, Period.WEEK: 28}
"""Shortest gap between coarse records."""


@dataclass(frozen=True, slots=True)
class SpreadRecords:
    """All records, the coarse ones replaced by daily shares, and by history what was done."""

    owners: IntArray
    days: IntArray
    quantities: FloatArray
    words: dict[int, str]
    covered: dict[int, int]
    """The last day that the records of a history cover, for histories with coarse ones."""


def spread_coarse_records(
    owners: IntArray, days: IntArray, quantities: FloatArray, end: int, period: Period, straddling: BoolArray
) -> SpreadRecords | None:
    """Daily shares in place of coarse records, None where there are none. Columns are sorted by history and day.

    `straddling` (R,) are weekly records whose week is none of the plan's; what covers days after `end` is left out.
    """
    wide = period is not Period.MONTH and _may_be_coarse(owners, days, LEAST_GAP_DAYS[period])
    if not (wide or straddling.any()):
        return None
    months, key = _places_in_months(days)
    monthly = _on_grid(owners, np.diff(months), key) if wide else np.zeros_like(straddling)
    weekly = straddling & ~monthly
    if wide and period is Period.DAY:
        weekly |= _on_grid(owners, _whole_weeks(days), np.zeros_like(days)) & ~monthly
    if not (monthly | weekly).any():
        return None
    begins = days - np.where(np.isin(weekdays(days), ENDING), 6, 0)
    firsts, lasts = _months_covered(days, months, key)
    firsts, lasts = np.where(weekly, begins, firsts), np.where(weekly, begins + 6, lasts)
    known = ~((monthly | weekly) & (lasts > end))
    words = _words(owners[monthly & known], "monthly", period) | _words(owners[weekly & known], "weekly", period)
    owners, days, quantities = owners[known], days[known], quantities[known]
    coarse, firsts, lasts = (monthly | weekly)[known], firsts[known], lasts[known]
    lengths = lasts[coarse] - firsts[coarse] + 1
    ahead = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return SpreadRecords(
        np.concatenate([owners[~coarse], np.repeat(owners[coarse], lengths)]),
        np.concatenate([days[~coarse], np.repeat(firsts[coarse], lengths) + ahead]),
        np.concatenate([quantities[~coarse], np.repeat(quantities[coarse] / lengths, lengths)]),
        words,
        _covered(owners, np.where(coarse, lasts, end), words),
    )


def _may_be_coarse(owners: IntArray, days: IntArray, least_gap_days: int) -> bool:
    """Whether any history has wide gaps in a row: a screen, for most catalogues have none."""
    wide = (np.diff(days) >= least_gap_days) & (owners[1:] == owners[:-1])
    return bool((wide[2:] & wide[1:-1] & wide[:-2]).any())


def _covered(owners: IntArray, lasts: IntArray, spread: Iterable[int]) -> dict[int, int]:
    places = np.searchsorted(owners, np.array(list(spread)), side="right") - 1
    return dict(zip(spread, lasts[places].tolist(), strict=True))


def _words(owners: IntArray, step: str, period: Period) -> dict[int, str]:
    counted = zip(*np.unique(owners, return_counts=True), strict=True)
    why = f"since the plan goes by {PLANNED[step, period]}"
    return {int(owner): f"{int(count)} {step} records spread over their days, {why}" for owner, count in counted}


def _places_in_months(days: IntArray) -> tuple[IntArray, IntArray]:
    """Months since 1970, and the place of the day in its month from 0; the last day counts as MONTH_END."""
    months = cast(DateArray, days.view("datetime64[D]").astype("datetime64[M]"))
    place = days - months.astype("datetime64[D]").view(np.int64)
    last = (days + 1).view("datetime64[D]").astype("datetime64[M]") != months
    return months.view(np.int64), np.where(last, MONTH_END, place)


def _months_covered(days: IntArray, months: IntArray, key: IntArray) -> tuple[IntArray, IntArray]:
    """First and last day that a monthly record stands for: its month, or the month from its day on."""
    first = months.view("datetime64[M]").astype("datetime64[D]").view(np.int64)
    after = (months + 1).view("datetime64[M]").astype("datetime64[D]").view(np.int64)
    whole = key == MONTH_END
    return np.where(whole, first, days), np.where(whole, days, after + key - 1)


def _whole_weeks(days: IntArray) -> IntArray:
    """Weeks between neighbouring records, 0 where the gap is no multiple of seven days."""
    gaps = np.diff(days)
    return np.where(gaps % 7 == 0, gaps // 7, 0)


def _on_grid(owners: IntArray, steps: IntArray, key: IntArray) -> BoolArray:
    """Records that belong to a long run of whole steps with the same place in the step."""
    inside = owners[1:] == owners[:-1]
    regular = inside & (key[1:] == key[:-1]) & (steps >= 1) & (steps <= LONGEST_SKIP)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], regular, [False]]).astype(np.int8)))
    found = np.zeros(owners.size, dtype=np.bool_)
    for low, high in zip(edges[::2], edges[1::2], strict=True):
        whole = (low == 0 or not inside[low - 1]) and (high == inside.size or not inside[high])
        if high - low >= (LEAST_RUN_OF_ALL if whole else LEAST_RUN):
            found[low : high + 1] = True
    return found
