"""The same records under many clocks: rhythms, what their dates stand for, gaps, and days that a clock may show."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

import numpy as np

from tools.domain.arrays import DateArray
from tools.domain.datasets import CalendarDay, DemandHistory, Period
from tools.forecasting import DemandContext, DemandForecast, ForecastSettings, forecast_demand

SUNDAY = date(2026, 6, 28)
WEEKS = 60
GOING_ON = 8
"""Weeks, or months, that a file goes on after the newest complete period of a case."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ENDING = ("fri", "sat", "sun")
RHYTHMS = ("daily", "no weekends", "no sundays", *WEEKDAYS, "1st", "15th", "last")
GAPS = ("none", "holes", "closed")
WITHIN = (0, 1, 2, 3, 4, 5, 6)
UNREPORTED = (0, 2, 5, 6, 9, 20)
"""The same where the file ends, and whole periods pass without a report."""


@dataclass(frozen=True)
class Case:
    """Records that are complete up to one day, of which the clock shows one at or after it."""

    rhythm: str
    gaps: str = "none"
    items: int = 1
    goes_on: bool = False
    """Whether the file has later records, too: a running period's and those after the clock."""
    seed: int = 0
    hole: float = 0.15
    """Share of its records that an item lacks."""

    @property
    def period(self) -> Period:
        """The planning bucket."""
        return Period.MONTH if self.rhythm in ("1st", "15th", "last") else Period.WEEK

    @property
    def complete(self) -> date:
        """The day on which the newest complete period ends."""
        if self.period is Period.MONTH:
            return date(2026, 6, 30)
        return SUNDAY + timedelta(days=_week_ends(self.rhythm))

    def clock(self, days: int) -> date:
        """The clock some days on; months move four times as far."""
        return self.complete + timedelta(days=days * (4 if self.period is Period.MONTH else 1))

    @property
    def within(self) -> tuple[int, ...]:
        """Days by which the clock may move before the next period is complete: with the last day that is open."""
        return WITHIN[: len(WITHIN) - {"no weekends": 2, "no sundays": 1}.get(self.rhythm, 0)]

    def histories(self) -> list[DemandHistory]:
        """Records of the items. The first one has its newest record, and so has the file."""
        rng = np.random.default_rng([self.seed, RHYTHMS.index(self.rhythm), GAPS.index(self.gaps)])
        days = self._days()
        made: list[DemandHistory] = []
        for item in range(self.items):
            units = rng.poisson(12, days.size) + 1.0
            kept = rng.random(days.size) >= (self.hole if self.gaps == "holes" else 0.0)
            if item == 0:
                kept[days <= np.datetime64(self.complete)] |= days[days <= np.datetime64(self.complete)] == self._newest
            made.append(DemandHistory(f"I{item}", "MAIN", days[kept], units[kept]))
        return made

    @property
    def _newest(self) -> np.datetime64:
        days = self._days()
        return days[days <= np.datetime64(self.complete)][-1]

    def _days(self) -> DateArray:
        days = _dates(self.rhythm, np.datetime64(self.complete), GOING_ON if self.goes_on else 0)
        closed = np.array([row.day for row in self.context.calendar], dtype="datetime64[D]")
        return days[~np.isin(days, closed)]

    @property
    def context(self) -> DemandContext:
        """Two closed weeks in the past, where there are any."""
        if self.gaps != "closed":
            return DemandContext()
        first = SUNDAY - timedelta(days=7 * 20 - 1)
        days = [first + timedelta(days=ahead) for ahead in range(14)]
        return DemandContext(calendar=tuple(CalendarDay(day, None, False, True) for day in days))

    def forecasts(self, days: int, paths: int = 16) -> tuple[DemandForecast, ...]:
        """What is forecast when the clock stands some days on."""
        return forecast_demand(
            self.histories(),
            as_of=self.clock(days),
            period=self.period,
            horizon=4,
            settings=ForecastSettings(paths=paths),
            context=self.context,
        )


def _week_ends(rhythm: str) -> int:
    """Days from Sunday to the last day of the week of a rhythm."""
    if rhythm not in WEEKDAYS:
        return 0
    place = WEEKDAYS.index(rhythm)
    return (place + (0 if rhythm in ENDING else 6)) % 7 - 6 if place != 0 else 0


def _dates(rhythm: str, complete: np.datetime64, going_on: int) -> DateArray:
    """Dates of records; the newest of a complete period stands for days up to `complete`."""
    if rhythm in ("1st", "15th", "last"):
        months = np.arange(-WEEKS + 1, going_on + 1) + complete.astype("datetime64[M]")
        firsts = months.astype("datetime64[D]")
        if rhythm == "last":
            return (months + 1).astype("datetime64[D]") - 1
        return firsts + (14 if rhythm == "15th" else 0)
    if rhythm in WEEKDAYS:
        newest = complete - (0 if rhythm in ENDING else 6)
        return newest + 7 * np.arange(-WEEKS + 1, going_on + 1)
    days = complete + np.arange(-7 * WEEKS + 1, 7 * going_on + 1)
    weekday = (days.astype(np.int64) + 3) % 7
    return days[weekday < {"daily": 7, "no weekends": 5, "no sundays": 6}[rhythm]]


def combinations() -> Iterator[tuple[Case, tuple[int, ...]]]:
    """Every case with the days by which its clock is moved; the first is the one the others are held against."""
    for place, (rhythm, gaps, goes_on) in enumerate(product(RHYTHMS, GAPS, (False, True))):
        earlier = {"no weekends": (-2, -1), "no sundays": (-1,)}.get(rhythm, ())
        case = Case(rhythm, gaps, 1 if place % 2 else 4, goes_on)
        yield case, (*(case.within if goes_on else UNREPORTED), *earlier)
