"""The records of a whole catalogue as flat columns: what cannot be demand is left out, and said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from tools.domain.arrays import BoolArray, DateArray, FloatArray, IntArray
from tools.domain.datasets import DemandHistory, Period
from tools.forecasting.preparation.coarse_records import spread_coarse_records

Notes = dict[int, list[str]]
"""Place of a history to what was changed in it, in words for people."""
LONGEST_PERIODS = 40_000
"""Periods that a series may span: beyond it lies a mistyped year."""
LONGEST_SILENCE_DAYS = 1_826
"""Records before a silence of five years belong to another life of the item, or to a mistyped year."""
LARGEST_UNITS = 1e12
"""No real demand is larger; sums of such quantities stay exact."""
CANCELLED_WITHIN_DAYS = 31
"""A return of exactly the quantity of an earlier record within this time cancels it."""


@dataclass(frozen=True, slots=True)
class Records:
    """Usable records of K histories, by history and then by day."""

    owners: IntArray
    """(R,) place of the history that the record belongs to."""
    days: IntArray
    """(R,) days since 1970-01-01."""
    quantities: FloatArray
    """(R,) units, finite and not negative."""
    spread: Mapping[int, int] = field(default_factory=dict[int, int])
    """Histories that were recorded in coarser steps than the plan, and the last day that their records cover."""

    def kept(self, keep: BoolArray) -> "Records":
        """These of the records."""
        return replace(self, owners=self.owners[keep], days=self.days[keep], quantities=self.quantities[keep])


def counted(count: int, noun: str) -> str:
    """`1 week`, `2 weeks`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def read_records(histories: Sequence[DemandHistory], as_of: date, period: Period, notes: Notes) -> Records:
    """Sorted, usable records up to `as_of`; never an error for what a history holds."""
    end = int(np.datetime64(as_of, "D").astype(np.int64))
    records = _flat(histories, notes)
    records = _sorted(_usable(records, end, notes))
    records = _without_old(records, end - LONGEST_PERIODS * int(period.days), notes)
    _count_duplicates(records, notes)
    return records


def spread_records(records: Records, clock: date, period: Period, straddling: BoolArray, notes: Notes) -> Records:
    """Records that stand for more than one of the plan's periods, or for parts of two, over the days that they cover.

    `straddling` (R,) are weekly records whose week is none of the plan's. What covers days after `clock` still runs
    and is left out.
    """
    end = int(np.datetime64(clock, "D").astype(np.int64))
    made = spread_coarse_records(records.owners, records.days, records.quantities, end, period, straddling)
    if made is None:
        return records
    for owner, words in made.words.items():
        notes.setdefault(owner, []).append(words)
    return _sorted(Records(made.owners, made.days, made.quantities, made.covered))


def _flat(histories: Sequence[DemandHistory], notes: Notes) -> Records:
    """All rows as they are; where dates and quantities differ in number, the rows that have both."""
    dates = [np.asarray(history.dates) for history in histories]
    quantities = [np.asarray(history.quantities) for history in histories]
    for place, (days, units) in enumerate(zip(dates, quantities, strict=True)):
        if days.size != units.size:
            size = min(days.size, units.size)
            dates[place], quantities[place] = days[:size], units[:size]
            notes.setdefault(place, []).append(
                f"{days.size} dates but {units.size} quantities: the first {size} rows are used"
            )
    sizes = np.array([days.size for days in dates], dtype=np.int64)
    owners = np.repeat(np.arange(sizes.size), sizes)
    if owners.size == 0:
        return Records(owners, np.empty(0, dtype=np.int64), np.empty(0))
    columns: DateArray = np.concatenate(dates).astype("datetime64[D]")
    return Records(owners, columns.view(np.int64), np.concatenate(quantities).astype(np.float64))


def _usable(records: Records, end: int, notes: Notes) -> Records:
    days, units = records.days, records.quantities
    if not units.size or (
        0 <= units.min() <= units.max() <= LARGEST_UNITS and days.max() <= end and _dated(days).all()
    ):
        return records
    records = _without_cancelled(records, notes)
    days, units = records.days, records.quantities
    undated = ~_dated(days)
    unknown = ~undated & ~(np.abs(units) <= LARGEST_UNITS)
    negative = ~undated & ~unknown & (units < 0)
    future = ~undated & ~unknown & ~negative & (days > end)
    for mask, words in (
        (undated, "without a date left out"),
        (unknown, "whose quantity is no number up to 1e12 left out"),
        (negative, "with a negative quantity (returns) left out"),
        (future, "dated after the clock left out"),
    ):
        _note(notes, records.owners[mask], lambda count, words=words: f"{counted(count, 'row')} {words}")
    return records.kept(~(undated | unknown | negative | future))


def _dated(days: IntArray) -> BoolArray:
    return days != np.datetime64("NaT").astype(np.int64)


def _note(notes: Notes, owners: IntArray, words: Callable[[int], str]) -> None:
    for owner, count in zip(*np.unique(owners, return_counts=True), strict=True):
        notes.setdefault(int(owner), []).append(words(int(count)))


def _without_cancelled(records: Records, notes: Notes) -> Records:
    """Records and their cancellations out: a return that equals the latest earlier record of that quantity."""
    keep = np.ones(records.owners.size, dtype=np.bool_)
    returned = np.isfinite(records.quantities) & (records.quantities < 0) & _dated(records.days)
    for place in np.flatnonzero(returned):
        low, high = np.searchsorted(records.owners, [records.owners[place], records.owners[place] + 1])
        ages = records.days[place] - records.days[low:high]
        same = keep[low:high] & (records.quantities[low:high] == -records.quantities[place])
        matching = np.flatnonzero(same & (ages >= 0) & (ages <= CANCELLED_WITHIN_DAYS))
        if matching.size:
            original = low + matching[np.argmin(ages[matching])]
            keep[[place, original]] = False
            day = np.datetime64(int(records.days[int(original)]), "D")
            words = f"{-records.quantities[place]:,.0f} units of {day} were cancelled: left out with their return"
            notes.setdefault(int(records.owners[place]), []).append(words)
    return records.kept(keep)


def _sorted(records: Records) -> Records:
    """By history and day; left as they are when they already are so, which is usual."""
    owners, days = records.owners, records.days
    falling = (np.diff(days) < 0) & (np.diff(owners) == 0)
    if not falling.any() and not (np.diff(owners) < 0).any():
        return records
    order = np.lexsort((days, owners))
    return replace(records, owners=owners[order], days=days[order], quantities=records.quantities[order])


def _without_old(records: Records, floor: int, notes: Notes) -> Records:
    """Without what lies before a silence of years, or further back than any series may reach."""
    owners, days = records.owners, records.days
    silent = np.flatnonzero((np.diff(days) > LONGEST_SILENCE_DAYS) & (np.diff(owners) == 0))
    old = days < floor
    for place in silent:
        old[np.searchsorted(owners, owners[place]) : place + 1] = True
    if not old.any():
        return records
    words = f"from before a silence of over {LONGEST_SILENCE_DAYS // 365} years left out"
    _note(notes, owners[old], lambda count: f"{counted(count, 'row')} {words}")
    return records.kept(~old)


def _count_duplicates(records: Records, notes: Notes) -> None:
    again = (np.diff(records.days) == 0) & (np.diff(records.owners) == 0)
    if again.any():
        owners = records.owners[1:][again]
        _note(notes, owners, lambda count: f"{counted(count, 'repeated date')}: quantities added up")
