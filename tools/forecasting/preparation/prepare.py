"""From recorded demand to what the models see: per open period, without one-off spikes, unknown where censored.

Everything works on one flat array of the catalogue's periods; only series that a step changes are touched alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from tools.domain.arrays import BoolArray, DateArray, FloatArray, IntArray
from tools.domain.datasets import DemandHistory, Period, PeriodSeries
from tools.forecasting.context import DemandContext
from tools.forecasting.preparation.buckets import PART, Buckets, fill_buckets, future_edges, without_leading_zeros
from tools.forecasting.preparation.calendar_effects import ClosureGroup, closure_groups, epoch_day, open_up
from tools.forecasting.preparation.censoring import uncensor
from tools.forecasting.preparation.closures import DailyCounts, shown_closures
from tools.forecasting.preparation.life import Life, lives
from tools.forecasting.preparation.promotions import read_promotions, without_promotions
from tools.forecasting.preparation.records import Notes, Records, read_records, spread_records
from tools.forecasting.preparation.spikes import cut_spikes

__all__ = ["Life", "PreparedSeries", "prepare"]

UNRECORDED_DAYS = 32
"""Days after the last coarse record within which the next one may still be to come."""
YEARLY_SEASON = {Period.DAY: 365, Period.WEEK: 52, Period.MONTH: 12}


@dataclass(frozen=True, slots=True)
class PreparedSeries:
    """One item and site, ready to be forecast."""

    series: PeriodSeries
    """As recorded, from the first demand on: what people see."""
    values: FloatArray
    """(n,) units as if every period were fully open and unpromoted; nan where demand is unknown."""
    future: FloatArray
    """(T,) factor on each future period: its open share times its promotion uplift; 1 without a calendar.

    One array may serve many series: it is read, not written to."""
    life: Life
    notes: tuple[str, ...] = ()
    """What was changed and why, in words for people."""


def prepare(
    histories: Sequence[DemandHistory],
    *,
    as_of: date,
    period: Period,
    horizon: int,
    context: DemandContext | None = None,
) -> tuple[PreparedSeries, ...]:
    """One prepared series per history, in order; never an error for what a history holds."""
    if not histories:
        return ()
    known = context or DemandContext()
    notes: Notes = {}
    read = _read(histories, as_of, period, notes)
    buckets = without_leading_zeros(read.buckets)
    values = buckets.values.copy()
    closed = np.zeros(values.size, dtype=np.bool_)
    _blank_unrecorded(buckets, values, read.spread, epoch_day(as_of))
    uncensor(buckets, values, [(h.item_id, h.site_id) for h in histories], known.stockouts, notes)
    ahead = future_edges(np.datetime64(as_of, "D"), period, horizon)
    shown = shown_closures(read.counts, buckets)
    groups = closure_groups(known.calendar, [h.item_id for h in histories], read.counts.sites, shown)
    for group in groups:
        open_up(buckets, values, closed, _but(group, read.spread), notes)
    future = _futures(histories, groups, ahead, period)
    item_ids = [history.item_id for history in histories]
    promoted = read_promotions(known.calendar, item_ids, buckets, values, ahead)
    for place, factor in without_promotions(promoted, item_ids, known.families, buckets, values, notes).items():
        future[place] = future[place] * factor
    cut_spikes(buckets, values, YEARLY_SEASON[period], notes)
    return _assembled(histories, buckets, _Columns(values, closed, future, lives(buckets, values, notes)), notes)


@dataclass(frozen=True, slots=True)
class _Read:
    buckets: Buckets
    counts: DailyCounts
    spread: Mapping[int, int]
    """Series whose records came in coarser steps than the plan's periods, to the last day that they cover."""


def _read(histories: Sequence[DemandHistory], as_of: date, period: Period, notes: Notes) -> _Read:
    """All histories in periods; read in parts that fit the processor's cache."""
    places: dict[str, int] = {}
    sites: IntArray = np.array([places.setdefault(h.site_id, len(places)) for h in histories], dtype=np.int64)
    counts, spread = DailyCounts(sites, epoch_day(as_of)), dict[int, int]()

    def parts() -> Iterator[tuple[Records, int]]:
        for first in range(0, len(histories), PART):
            part = histories[first : first + PART]
            own: Notes = {}
            records = read_records(part, as_of, period, own)
            counts.add(records, first)
            made = spread_records(records, as_of, period, own)
            notes.update({first + place: words for place, words in own.items()})
            spread.update({first + place: day for place, day in made.spread.items()})
            yield made, len(part)

    return _Read(fill_buckets(parts(), as_of, period), counts, spread)


def _blank_unrecorded(buckets: Buckets, values: FloatArray, spread: Mapping[int, int], end: int) -> None:
    """What a monthly record will only tell at the end of the month is unknown until then, not zero."""
    for place, covered in spread.items():
        if end - covered < UNRECORDED_DAYS:
            part = values[buckets.of(place)]
            part[np.flatnonzero(buckets.edges[-part.size :].view(np.int64) > covered + 1)] = np.nan


def _but(group: ClosureGroup, left_out: Mapping[int, int]) -> ClosureGroup:
    """The group without series whose records are no longer on their own days."""
    if not left_out:
        return group
    return ClosureGroup(group.members[~np.isin(group.members, list(left_out))], group.days, group.shown)


def _futures(
    histories: Sequence[DemandHistory], groups: Sequence[ClosureGroup], ahead: DateArray, period: Period
) -> list[FloatArray]:
    """Open shares of the coming periods, one array for all series of a group."""
    made = [np.ones(ahead.size - 1)] * len(histories)
    for group in groups:
        shares = group.days.open_shares(ahead, period)
        for member in group.members.tolist():
            made[member] = shares
    return made


@dataclass(frozen=True, slots=True)
class _Columns:
    values: FloatArray
    closed: BoolArray
    future: list[FloatArray]
    life: list[Life]


def _assembled(
    histories: Sequence[DemandHistory], buckets: Buckets, columns: _Columns, notes: Notes
) -> tuple[PreparedSeries, ...]:
    bounds = buckets.offsets.tolist()
    starts, total = buckets.starts, buckets.starts.size
    made: list[PreparedSeries] = []
    for place, history in enumerate(histories):
        part = slice(bounds[place], bounds[place + 1])
        first = total - (part.stop - part.start)
        series = PeriodSeries(
            history.item_id,
            history.site_id,
            buckets.period,
            starts[first:],
            buckets.values[part],
            columns.closed[part],
        )
        words = tuple(notes.get(place, ()))
        made.append(PreparedSeries(series, columns.values[part], columns.future[place], columns.life[place], words))
    return tuple(made)
