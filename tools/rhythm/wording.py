"""What was found of the rhythm of demand, in a buyer's words."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tools.domain.arrays import BoolArray
from tools.domain.datasets import Period
from tools.rhythm.grid import Grid, epoch_day
from tools.rhythm.reading import LAST_OF_MONTH, Rhythm
from tools.rhythm.reporting import Reporting

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHOWN_SITES = 3
FIRST, SECOND, THIRD = 1, 2, 3
ENDINGS = {FIRST: "st", SECOND: "nd", THIRD: "rd"}


def reporting_words(reporting: Reporting, item_ids: Sequence[str], site_ids: Sequence[str], as_of: date) -> list[str]:
    """Sentences: the rhythms with their items, how far they are reported, and what of the time since is forecast.

    `item_ids` and `site_ids` (K,) are those of the histories.
    """
    if not item_ids:
        return []
    found = sorted(set(reporting.rhythms.of), key=lambda rhythm: -_items(reporting, rhythm, item_ids))
    parts: list[str] = []
    for rhythm in found:
        members = np.array([other == rhythm for other in reporting.rhythms.of])
        parts.append(f"{rhythm_words(rhythm)}, {_counted(_items(reporting, rhythm, item_ids), 'item')}")
        if int(reporting.last[members].max()) < reporting.end:
            parts[-1] += f" (up to {_period_words(reporting.grid, int(reporting.last[members].max()))})"
    rests = ", ".join(f"{WEEKDAYS[at]}s" for at in reporting.rests)
    parts += [f"none on {rests}"] if rests else []
    reach = _period_words(reporting.grid, reporting.end)
    return [
        f"Demand: {'; '.join(parts)}; reported up to {reach}.",
        *_behind(reporting, site_ids),
        *_since(reporting, as_of),
    ]


def rhythm_words(rhythm: Rhythm) -> str:
    """How demand is recorded and what its dates stand for."""
    if rhythm.step is Period.DAY:
        return "dated by the day"
    if rhythm.step is Period.WEEK:
        return f"weekly, dated on the {WEEKDAYS[rhythm.anchor]} that {'begins' if rhythm.begins else 'ends'} the week"
    if rhythm.anchor == LAST_OF_MONTH:
        return "monthly, dated on the last day of the month"
    return f"monthly, dated on the {_ordinal(rhythm.anchor)} of the month"


def _ordinal(number: int) -> str:
    teen = 10 < number % 100 < 20
    return f"{number}{'th' if teen else ENDINGS.get(number % 10, 'th')}"


def _items(reporting: Reporting, rhythm: Rhythm, item_ids: Sequence[str]) -> int:
    return len({item for item, own in zip(item_ids, reporting.rhythms.of, strict=True) if own == rhythm})


def _period_words(grid: Grid, last_day: int) -> str:
    """The period that ends on a day, as people name it."""
    first = np.datetime64(grid.first_day(grid.holding(last_day)), "D").astype(date)
    if grid.period is Period.MONTH:
        return f"{first:%B %Y}"
    day = f"{first.day} {first:%B %Y}"
    return f"the week of {day}" if grid.period is Period.WEEK else day


def _behind(reporting: Reporting, site_ids: Sequence[str]) -> list[str]:
    """Sites whose records end before those of others."""
    sites = np.array(site_ids)
    last = {site: int(reporting.last[_at(sites, site)].max()) for site in sorted(set(site_ids))}
    late = {site: day for site, day in last.items() if day < reporting.end}
    if not late or len(late) == len(last):
        return []
    told = [f"{site} up to {_period_words(reporting.grid, day)}" for site, day in list(late.items())[:SHOWN_SITES]]
    more = f" and {len(late) - SHOWN_SITES} more sites" if len(late) > SHOWN_SITES else ""
    return [f"Not all sites are reported so far: {', '.join(told)}{more}."]


def _at(sites: NDArray[np.str_], site: str) -> BoolArray:
    return np.asarray(sites == site)


def _since(reporting: Reporting, as_of: date) -> list[str]:
    """Whole periods that have passed without a report."""
    grid = reporting.grid
    passed = grid.ended_by(epoch_day(as_of)) - grid.holding(reporting.end)
    if passed <= 0:
        return []
    verb = "has" if passed == 1 else "have"
    return [
        f"{_counted(passed, grid.period.value)} since then {verb} no report yet: forecast, not counted as no demand."
    ]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
