"""Closed days: history as if every period were fully open, and the open share of each future period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.datasets import CalendarDay, Period
from tools.forecasting.preparation.buckets import Buckets
from tools.forecasting.preparation.closures import NEVER_CLOSED, ClosedDays, closed_days
from tools.forecasting.preparation.records import Notes, counted
from tools.rhythm.grid import epoch_day

LEAST_OPEN = 1 / 3
"""Share of a period's usual days open below which it says too little and counts as unknown."""

WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True)
class ClosureGroup:
    """Series that were closed on the same days."""

    members: IntArray
    """Places of the series."""
    days: ClosedDays
    shown: int
    """How many of the days the records show by themselves."""


def closure_groups(
    calendar: Sequence[CalendarDay], item_ids: Sequence[str], sites: IntArray, shown: Mapping[int, ClosedDays]
) -> list[ClosureGroup]:
    """Series by the days on which they were closed; those that never were are in no group."""
    named: dict[str | None, list[int]] = {}
    for row in calendar:
        if row.closed:
            named.setdefault(row.item_id or None, []).append(epoch_day(row.day))
    if not named and not shown:
        return []
    common = named.pop(None, [])
    members: dict[tuple[str | None, int], list[int]] = {}
    for place, item_id in enumerate(item_ids):
        members.setdefault((item_id if item_id in named else None, int(sites[place])), []).append(place)
    groups: list[ClosureGroup] = []
    for (item_id, site), places in members.items():
        own = [*common, *(named[item_id] if item_id is not None else [])]
        seen = shown.get(site, NEVER_CLOSED)
        days = closed_days([*own, *seen.days.tolist()], seen.rests)
        if days.days.size or days.rests:
            unnamed = int(np.count_nonzero(~np.isin(seen.days, own)))
            groups.append(ClosureGroup(np.array(places, dtype=np.int64), days, unnamed))
    return groups


def open_up(buckets: Buckets, values: FloatArray, closed: BoolArray, group: ClosureGroup, notes: Notes) -> None:
    """Scale partly closed periods of `values` (N,) to fully open ones and make closed ones unknown, in place.

    `closed` (N,) is set where nothing was open.
    """
    shares = group.days.open_shares(buckets.edges, buckets.period)
    ends, sizes = buckets.offsets[1:][group.members], buckets.sizes[group.members]
    touched = np.zeros(group.members.size, dtype=np.bool_)
    for place in np.flatnonzero(shares < 1.0):
        back = shares.size - int(place)
        reaches = sizes >= back
        flat = ends[reaches] - back
        touched |= reaches
        if shares[place] < LEAST_OPEN:
            values[flat] = np.nan
            closed[flat] = shares[place] <= 0.0
        else:
            values[flat] /= shares[place]
    words = _words(buckets, group, shares)
    for member in group.members[touched]:
        notes.setdefault(int(member), []).append(words)


def _words(buckets: Buckets, group: ClosureGroup, shares: FloatArray) -> str:
    period = buckets.period.value
    bounds = buckets.edges.view(np.int64)
    inside = group.days.days[(group.days.days >= bounds[0]) & (group.days.days < bounds[-1])]
    parts: list[str] = []
    if inside.size:
        first, last = (str(np.datetime64(int(day), "D")) for day in (inside[0], inside[-1]))
        when = f"on {first}" if inside.size == 1 else f"from {first} to {last}"
        shown = f", {group.shown} of them shown by nothing being recorded for any item" if group.shown else ""
        parts.append(f"{counted(int(inside.size), 'closed day')} {when}{shown}")
    if group.days.rests and buckets.period is Period.DAY:
        parts.append(f"closed on {', '.join(WEEKDAYS[at] for at in group.days.rests)}")
    unknown, scaled = int((shares < LEAST_OPEN).sum()), int(((shares >= LEAST_OPEN) & (shares < 1.0)).sum())
    done = [f"{counted(unknown, period)} of the catalogue unknown"] if unknown else []
    done += [f"{counted(scaled, period)} scaled to open ones"] if scaled else []
    return f"{'; '.join(parts)}: {', '.join(done)}"
