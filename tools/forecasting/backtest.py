"""Rolling origins: a catalogue is forecast again with earlier clocks, and what came is held against it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from itertools import groupby, islice

import numpy as np

from tools.domain.arrays import DateArray, FloatArray
from tools.domain.datasets import DemandHistory, Period, PeriodSeries
from tools.forecasting.context import DemandContext, Key
from tools.forecasting.history import bucket_all, future_starts
from tools.forecasting.patterns import DemandPattern
from tools.forecasting.scores import (
    AccuracyRow,
    AccuracySummary,
    Forecast,
    SpanRow,
    SpanSummary,
    scored,
    spans_summarised,
    summarised,
)

__all__ = [
    "AccuracyRow",
    "AccuracySummary",
    "BacktestReport",
    "Forecast",
    "Forecaster",
    "Lineage",
    "Origin",
    "SpanRow",
    "SpanSummary",
    "backtest_catalogue",
    "demand_from",
    "origin_dates",
    "summarised",
    "until",
]

SPANS: Mapping[Period, tuple[int, ...]] = {Period.DAY: (7, 14, 28), Period.WEEK: (4, 8, 13), Period.MONTH: (3, 6)}
"""Lead times in periods whose total demand is scored where the caller names none."""
BATCH = 256
"""Forecasts that are scored at once."""

Spans = Sequence[int] | Mapping[Key, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Origin:
    """The clock of one backtest and what was known then."""

    as_of: date
    period: Period
    horizon: int
    context: DemandContext | None = None


Forecaster = Callable[[Sequence[DemandHistory], Origin], Iterable[Forecast]]
"""Histories up to the origin, to one forecast per history in order; a generator keeps memory small."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a backtest was made from, so that it can be made again."""

    dataset_version: str
    model_version: str
    settings: str
    seed: int
    as_of: date
    period: Period
    horizon: int
    origins: tuple[date, ...]
    """Newest first."""


@dataclass(frozen=True)
class BacktestReport:
    """Rows by item and origin, and what they come to."""

    rows: tuple[AccuracyRow, ...]
    spans: tuple[SpanRow, ...]
    lineage: Lineage

    @cached_property
    def overall(self) -> AccuracySummary:
        """All items together."""
        return summarised("all", self.rows)

    @cached_property
    def by_pattern(self) -> tuple[AccuracySummary, ...]:
        """One summary per demand class that occurs."""
        groups = ((pattern, [row for row in self.rows if row.pattern is pattern]) for pattern in DemandPattern)
        return tuple(summarised(pattern.value, rows) for pattern, rows in groups if rows)

    @cached_property
    def by_span(self) -> tuple[SpanSummary, ...]:
        """Lead-time demand by span, for all items and for each demand class that occurs."""
        made: list[SpanSummary] = []
        for periods in sorted({row.periods for row in self.spans}):
            rows = [row for row in self.spans if row.periods == periods]
            groups = [("all", rows)]
            groups += [(pattern.value, [row for row in rows if row.pattern is pattern]) for pattern in DemandPattern]
            made += [spans_summarised(group, periods, found) for group, found in groups if found]
        return tuple(made)

    def as_rows(self) -> list[dict[str, object]]:
        """One plain row per item and origin, for a table: dates as ISO text, undefined figures as None."""
        return [_plain(row) for row in self.rows]


def _plain(row: AccuracyRow) -> dict[str, object]:
    made: dict[str, object] = {}
    for column in fields(row):
        value = getattr(row, column.name)
        if isinstance(value, float):
            made[column.name] = value if np.isfinite(value) else None
        else:
            made[column.name] = value.isoformat() if isinstance(value, date) else value
    return made | {"pattern": row.pattern.value}


def backtest_catalogue(
    histories: Sequence[DemandHistory],
    *,
    as_of: date,
    period: Period,
    horizon: int,
    origins: int,
    step: int,
    make: Forecaster,
    context: DemandContext | None = None,
    spans: Spans | None = None,
    dataset_version: str = "",
    model_version: str = "",
    settings: str = "",
    seed: int = 0,
) -> BacktestReport:
    """Forecast all histories from `origins` earlier clocks, `step` periods apart, and compare with what came.

    The newest origin lies `horizon` periods before `as_of`. Each forecast sees only what was recorded by its clock:
    demand and stock-outs are cut there. A calendar is known beforehand and stays; a user's forecast is left out,
    because nothing says when it was made. Periods in which the item was out of stock, and those that were not
    reported for it, are not scored: what was recorded then is not what was wanted. Clocks are last days of whole
    periods as the records come in them.
    `spans` are the lead times in periods, for all items or by (item_id, site_id); those longer than the horizon
    cannot be scored and are left out.
    """
    calendar = context.calendar if context else ()
    recorded = bucket_all(histories, as_of, period, calendar)
    actual = {(h.item_id, h.site_id): _Recorded(h, series) for h, series in zip(histories, recorded, strict=True)}
    dates = origin_dates(newest_day(recorded, as_of), period, horizon, origins, step)
    chosen = spans if spans is not None else SPANS[period]
    rows: list[AccuracyRow] = []
    span_rows: list[SpanRow] = []
    for origin in dates:
        cut = [until(history, origin) for history in histories]
        for batch in _batches(make(cut, Origin(origin, period, horizon, _known_by(context, origin)))):
            keys = [(made.item_id, made.site_id) for made in batch]
            came = np.stack([_came(actual[key], made.starts, context) for key, made in zip(keys, batch, strict=True)])
            found = scored(batch, came, origin, [_spans_of(key, chosen) for key in keys])
            rows += found[0]
            span_rows += found[1]
    lineage = Lineage(dataset_version, model_version, settings, seed, as_of, period, horizon, dates)
    return BacktestReport(tuple(rows), tuple(span_rows), lineage)


def _batches(made: Iterable[Forecast]) -> Iterator[list[Forecast]]:
    """Neighbours whose paths have the same shape, at most `BATCH` at once."""
    for _, alike in groupby(made, key=lambda forecast: forecast.paths.shape):
        while batch := list(islice(alike, BATCH)):
            yield batch


def _spans_of(key: Key, spans: Spans) -> Sequence[int]:
    return spans.get(key, ()) if isinstance(spans, Mapping) else spans


def origin_dates(as_of: date, period: Period, horizon: int, origins: int, step: int) -> tuple[date, ...]:
    """Clocks of the backtest, newest first: last days of whole periods."""
    back = [horizon + number * step for number in range(origins)]
    if period is not Period.MONTH:
        return tuple((np.datetime64(as_of) - number * int(period.days)).astype(date) for number in back)
    open_month = (np.datetime64(as_of) + 1).astype("datetime64[M]")
    return tuple(((open_month - number).astype("datetime64[D]") - 1).astype(date) for number in back)


def until(history: DemandHistory, origin: date) -> DemandHistory:
    """What was recorded by this day."""
    known = history.dates <= np.datetime64(origin)
    return replace(history, dates=history.dates[known], quantities=history.quantities[known])


def demand_from(series: PeriodSeries, starts: DateArray) -> FloatArray:
    """(T,) units in the periods that begin at `starts`; zero before the item's first record."""
    if not series.starts.size:
        return np.zeros(starts.size)
    places = np.minimum(np.searchsorted(series.starts, starts), series.starts.size - 1)
    return np.where(series.starts[places] == starts, series.quantities[places], 0.0)


@dataclass(frozen=True, slots=True)
class _Recorded:
    history: DemandHistory
    series: PeriodSeries

    def units(self, starts: DateArray) -> FloatArray:
        """(T,) units in the periods that begin at `starts`, nan where they were not reported."""
        known = self.series.starts
        if self.series.period is Period.WEEK and known.size and (starts[0] - known[0]).astype(np.int64) % 7:
            return summed(self.history, np.append(starts, starts[-1] + 7))
        late = np.isin(starts, known[self.series.closed])
        return np.where(late, np.nan, demand_from(self.series, starts))


def summed(history: DemandHistory, edges: DateArray) -> FloatArray:
    """(T,) units recorded between neighbouring edges (T + 1,)."""
    places = np.searchsorted(edges, history.dates, side="right") - 1
    within = (places >= 0) & (places < edges.size - 1) & (history.quantities > 0)
    return np.bincount(places[within], history.quantities[within], edges.size - 1).astype(np.float64)


def newest_day(recorded: Sequence[PeriodSeries], as_of: date) -> date:
    """Last day of the newest complete period of a catalogue; the clock where nothing was recorded."""
    filled = [series for series in recorded if series.starts.size]
    if not filled:
        return as_of
    return (future_starts(filled[0], as_of, 1)[0] - 1).astype(date)


def _came(recorded: _Recorded, starts: DateArray, context: DemandContext | None) -> FloatArray:
    """(T,) units, nan in periods with a day out of stock."""
    units, series = recorded.units(starts), recorded.series
    days = context.stockouts.get((series.item_id, series.site_id)) if context else None
    if days is None or days.size == 0:
        return units
    places = np.searchsorted(starts, days, side="right") - 1
    after = starts[-1] + int(np.ceil(series.period.days))
    units[places[(places >= 0) & (days < after)]] = np.nan
    return units


def _known_by(context: DemandContext | None, origin: date) -> DemandContext | None:
    if context is None:
        return None
    stockouts = {key: days[days <= np.datetime64(origin)] for key, days in context.stockouts.items()}
    return replace(context, stockouts=stockouts, user_forecasts={})
