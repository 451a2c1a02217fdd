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
from tools.forecasting.preparation.calendar_effects import ClosureGroup, closure_groups, open_up
from tools.forecasting.preparation.catalogue_records import read_catalogue
from tools.forecasting.preparation.censoring import uncensor
from tools.forecasting.preparation.closures import NEVER_CLOSED, ClosedDays, DailyCounts, shown_closures
from tools.forecasting.preparation.life import Life, lives
from tools.forecasting.preparation.promotions import read_promotions, without_promotions
from tools.forecasting.preparation.records import Notes, Records, spread_records
from tools.forecasting.preparation.spikes import cut_spikes

__all__ = ["Life", "PreparedCatalogue", "PreparedSeries", "prepare", "prepare_catalogue"]

UNRECORDED_DAYS = 32
"""Days after the last coarse record within which the next one may still be to come."""
YEARLY_SEASON = {Period.DAY: 365, Period.WEEK: 52, Period.MONTH: 12}


@dataclass(frozen=True, slots=True)
class PreparedSeries:
    """One item and site, ready to be forecast."""

    series: PeriodSeries
    """As recorded in complete periods, from the first demand on: what people see."""
    values: FloatArray
    """(n,) units as if every period were fully open and unpromoted; nan where demand is unknown."""
    future: FloatArray
    """(T,) factor on each future period: its open share times its promotion uplift; 1 without a calendar.

    One array may serve many series: it is read, not written to."""
    life: Life
    notes: tuple[str, ...] = ()
    """What was changed and why, in words for people."""
    closed: ClosedDays = NEVER_CLOSED
    """Closed days from the first future period on; one may serve many series."""


@dataclass(frozen=True, slots=True)
class PreparedCatalogue:
    """All series of a catalogue, and the periods that are to be forecast."""

    series: tuple[PreparedSeries, ...]
    ahead: DateArray
    """(T + 1,) first days of the periods after the newest complete one, and the day after the last."""


def prepare(
    histories: Sequence[DemandHistory],
    *,
    as_of: date,
    period: Period,
    horizon: int,
    context: DemandContext | None = None,
) -> tuple[PreparedSeries, ...]:
    """One prepared series per history, in order; never an error for what a history holds."""
    return prepare_catalogue(histories, as_of=as_of, period=period, horizon=horizon, context=context).series


def prepare_catalogue(
    histories: Sequence[DemandHistory],
    *,
    as_of: date,
    period: Period,
    horizon: int,
    context: DemandContext | None = None,
) -> PreparedCatalogue:
    """The same with the coming periods. They begin where the complete ones end, wherever the clock stands.

    Two clocks with the same complete periods give the same series, bit for bit.
    """
    known = context or DemandContext()
    notes: Notes = {}
    if not histories:
        return PreparedCatalogue((), future_edges(np.datetime64(as_of, "D"), period, horizon))
    read = _read(histories, as_of, period, known, notes)
    ahead = future_edges(np.datetime64(read.end, "D"), period, horizon)
    buckets = without_leading_zeros(read.buckets)
    values = buckets.values.copy()
    closed = np.zeros(values.size, dtype=np.bool_)
    _blank_unreported(buckets, values, closed, read)
    uncensor(buckets, values, [(h.item_id, h.site_id) for h in histories], known.stockouts, notes)
    shown = shown_closures(read.counts, buckets)
    groups = closure_groups(known.calendar, [h.item_id for h in histories], read.counts.sites, shown)
    for group in groups:
        open_up(buckets, values, closed, _but(group, read.spread), notes)
    future, coming = _futures(len(histories), groups, ahead, period)
    item_ids = [history.item_id for history in histories]
    promoted = read_promotions(known.calendar, item_ids, buckets, values, ahead)
    for place, factor in without_promotions(promoted, item_ids, known.families, buckets, values, notes).items():
        future[place] = future[place] * factor
    cut_spikes(buckets, values, YEARLY_SEASON[period], notes)
    columns = _Columns(values, closed, future, coming, lives(buckets, values, notes))
    return PreparedCatalogue(_assembled(histories, buckets, columns, notes), ahead)


@dataclass(frozen=True, slots=True)
class _Read:
    buckets: Buckets
    counts: DailyCounts
    spread: Mapping[int, int]
    """Series whose records came in coarser steps than the plan's periods, to the last day that they cover."""
    end: int
    """Last day of the newest complete period."""
    until: IntArray
    """(K,) last day up to which each series is known."""


def _read(histories: Sequence[DemandHistory], as_of: date, period: Period, known: DemandContext, notes: Notes) -> _Read:
    """All histories in periods; read in parts that fit the processor's cache."""
    catalogue = read_catalogue(histories, as_of, period, notes, known.calendar)
    end = catalogue.reporting.end
    counts, spread = DailyCounts(catalogue.sites, end), dict[int, int]()

    def parts() -> Iterator[tuple[Records, int]]:
        for first, records in catalogue.complete():
            own: Notes = {}
            counts.add(records.kept(records.days <= end), first)
            made = spread_records(records, as_of, period, catalogue.straddling(first, records), own)
            for place, words in own.items():
                notes.setdefault(first + place, []).extend(words)
            spread.update({first + place: day for place, day in made.spread.items()})
            yield made.kept(made.days <= end), min(PART, len(histories) - first)

    buckets = fill_buckets(parts(), np.datetime64(end, "D").astype(date), period)
    return _Read(buckets, counts, spread, end, catalogue.reporting.until)


def _blank_unreported(buckets: Buckets, values: FloatArray, closed: BoolArray, read: _Read) -> None:
    """What was not reported yet is unknown, not zero; `closed` says that nothing was seen."""
    late = {place: int(read.until[place]) for place in np.flatnonzero(read.until < read.end).tolist()}
    for place, covered in (late | dict(read.spread)).items():
        if read.end - covered < UNRECORDED_DAYS:
            part = buckets.of(place)
            edges = buckets.edges[buckets.starts.size - int(buckets.sizes[place]) + 1 :].view(np.int64)
            unknown = np.flatnonzero(edges > covered + 1) + part.start
            values[unknown] = np.nan
            closed[unknown] = True


def _but(group: ClosureGroup, left_out: Mapping[int, int]) -> ClosureGroup:
    """The group without series whose records are no longer on their own days."""
    if not left_out:
        return group
    return ClosureGroup(group.members[~np.isin(group.members, list(left_out))], group.days, group.shown)


def _futures(
    count: int, groups: Sequence[ClosureGroup], ahead: DateArray, period: Period
) -> tuple[list[FloatArray], list[ClosedDays]]:
    """Open shares of the coming periods, and the closed days in them; one object for a group's series."""
    made, closed, first = [np.ones(ahead.size - 1)] * count, [NEVER_CLOSED] * count, int(ahead.view(np.int64)[0])
    for group in groups:
        shares, coming = group.days.open_shares(ahead, period), group.days.since(first)
        for member in group.members.tolist():
            made[member], closed[member] = shares, coming
    return made, closed


@dataclass(frozen=True, slots=True)
class _Columns:
    values: FloatArray
    closed: BoolArray
    future: list[FloatArray]
    coming: list[ClosedDays]
    """Closed days in the future."""
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
        future, coming = columns.future[place], columns.coming[place]
        made.append(PreparedSeries(series, columns.values[part], future, columns.life[place], words, coming))
    return tuple(made)
