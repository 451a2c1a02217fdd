"""The periods that demand is summed into: they follow the calendar or the records, never the day of the clock."""

from dataclasses import dataclass
from datetime import date
from typing import cast

import numpy as np

from tools.domain.arrays import DateArray, IntArray
from tools.domain.datasets import Period

MONDAY = 0


def epoch_day(day: date) -> int:
    """Days since 1970-01-01."""
    return int(np.datetime64(day, "D").astype(np.int64))


def weekdays(days: IntArray) -> IntArray:
    """Weekdays of days since 1970-01-01 (a Thursday), Monday 0."""
    return (days + 3) % 7


def months_of(days: IntArray) -> DateArray:
    """Calendar months of days since 1970-01-01."""
    return cast(DateArray, days.view("datetime64[D]").astype("datetime64[M]"))


@dataclass(frozen=True, slots=True)
class Grid:
    """Days, weeks that begin on one weekday, or calendar months, numbered without gaps."""

    period: Period
    week_begins: int = MONDAY
    """Weekday on which its weeks begin, Monday 0."""

    def index(self, days: IntArray) -> IntArray:
        """Numbers of the periods that hold these days since 1970-01-01."""
        if self.period is Period.DAY:
            return days
        if self.period is Period.WEEK:
            return (days + 3 - self.week_begins) // 7
        return months_of(days).view(np.int64)

    def first_day(self, index: int) -> int:
        """First day of a period."""
        if self.period is Period.DAY:
            return index
        if self.period is Period.WEEK:
            return 7 * index - 3 + self.week_begins
        return int(np.datetime64(index, "M").astype("datetime64[D]").astype(np.int64))

    def last_day(self, index: int) -> int:
        """Last day of a period."""
        return self.first_day(index + 1) - 1

    def holding(self, day: int) -> int:
        """Number of the period that holds a day."""
        return int(self.index(np.array([day], dtype=np.int64))[0])

    def ended_by(self, day: int) -> int:
        """Number of the newest period that has ended on this day or before."""
        return self.holding(day + 1) - 1
