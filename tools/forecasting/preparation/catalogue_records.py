"""The records of a whole catalogue with what is known of their rhythm: only what complete periods hold is passed on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from tools.domain.arrays import BoolArray, IntArray
from tools.domain.datasets import CalendarDay, DemandHistory, Period
from tools.forecasting.preparation.buckets import PART
from tools.forecasting.preparation.records import Notes, Records, read_records
from tools.rhythm import Reporting, read_reporting
from tools.rhythm.grid import epoch_day, weekdays


@dataclass(frozen=True, slots=True)
class CatalogueRecords:
    """Records of K histories in parts that fit the processor's cache."""

    parts: tuple[tuple[int, Records], ...]
    """The place of each part's first history, and its records; owners count from there."""
    sites: IntArray
    """(K,) number of each history's site."""
    reporting: Reporting

    def complete(self) -> Iterator[tuple[int, Records]]:
        """The parts without what belongs to a period that is not complete."""
        coarse = self._coarse()
        until = np.where(coarse, np.iinfo(np.int64).max, self.reporting.until)
        for first, records in self.parts:
            yield first, records.kept(records.days <= until[first + records.owners])

    def _coarse(self) -> BoolArray:
        """(K,) histories whose records stand for more than one period of the grid, or for parts of two."""
        aligned = self.reporting.aligned
        kinds = {rhythm: not aligned(rhythm) for rhythm in set(self.reporting.rhythms.of)}
        return np.array([kinds[rhythm] for rhythm in self.reporting.rhythms.of], dtype=np.bool_)

    def straddling(self, first: int, records: Records) -> BoolArray:
        """(R,) weekly records whose week is no week of the grid."""
        anchors = np.full(self.sites.size, -1, dtype=np.int64)
        for place, rhythm in enumerate(self.reporting.rhythms.of):
            if rhythm.step is Period.WEEK and not self.reporting.aligned(rhythm):
                anchors[place] = rhythm.anchor
        return weekdays(records.days) == anchors[first + records.owners]


def read_catalogue(
    histories: Sequence[DemandHistory],
    as_of: date,
    period: Period,
    notes: Notes,
    calendar: Iterable[CalendarDay] = (),
) -> CatalogueRecords:
    """All usable records up to `as_of`, and up to when they are complete."""
    places: dict[str, int] = {}
    sites: IntArray = np.array([places.setdefault(h.site_id, len(places)) for h in histories], dtype=np.int64)
    parts: list[tuple[int, Records]] = []
    for first in range(0, len(histories), PART):
        own: Notes = {}
        parts.append((first, read_records(histories[first : first + PART], as_of, period, own)))
        notes.update({first + place: words for place, words in own.items()})
    owners = np.concatenate([first + records.owners for first, records in parts]) if parts else sites
    days = np.concatenate([records.days for _, records in parts]) if parts else sites
    closed = [epoch_day(row.day) for row in calendar if row.closed and not row.item_id]
    return CatalogueRecords(tuple(parts), sites, read_reporting(owners, days, sites, as_of, period, closed))
