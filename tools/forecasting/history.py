"""Recorded demand into equal buckets: calendar months, weeks as they are recorded, or days."""

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np

from tools.domain.arrays import DateArray
from tools.domain.datasets import CalendarDay, DemandHistory, Period, PeriodSeries
from tools.forecasting.preparation.buckets import PART, fill_buckets, future_edges
from tools.forecasting.preparation.catalogue_records import read_catalogue


def detect_period(histories: Sequence[DemandHistory]) -> Period:
    """The bucket that the recorded dates imply: the median gap between an item's distinct dates."""
    sizes = [history.dates.size for history in histories]
    if not any(sizes):
        return Period.WEEK
    dates: DateArray = np.concatenate([np.asarray(history.dates) for history in histories]).astype("datetime64[D]")
    owners, dated = np.repeat(np.arange(len(sizes)), sizes), ~np.isnat(dates)
    days, owners = dates.view(np.int64)[dated], owners[dated]
    order = np.lexsort((days, owners))
    gaps, same = np.diff(days[order]), np.diff(owners[order]) == 0
    gaps = gaps[same & (gaps > 0)]
    if not gaps.size:
        return Period.WEEK
    median = float(np.median(gaps))
    if median < 4:
        return Period.DAY
    return Period.WEEK if median < 20 else Period.MONTH


def bucket(history: DemandHistory, as_of: date, period: Period) -> PeriodSeries:
    """Sum per complete period up to `as_of`, gaps as zero demand; later, non-finite and negative rows are dropped.

    Periods follow the calendar or the records, so that they are the same whatever day the clock shows. A history
    alone is its own yardstick: beside others, `bucket_all` tells its zeros from what was not reported yet.
    """
    return bucket_all([history], as_of, period)[0]


def bucket_all(
    histories: Sequence[DemandHistory], as_of: date, period: Period, calendar: Iterable[CalendarDay] = ()
) -> tuple[PeriodSeries, ...]:
    """The same for a whole catalogue at once, in the periods of its forecasts; its oldest may be left out.

    `closed` is set where a history had not been reported yet though others had.
    """
    if not histories:
        return ()
    read = read_catalogue(histories, as_of, period, {}, calendar)
    end, until = read.reporting.end, read.reporting.until
    parts = [(part.kept(part.days <= end), min(PART, len(histories) - first)) for first, part in read.complete()]
    made = fill_buckets(parts, np.datetime64(end, "D").astype(date), period)
    bounds = made.edges[1:].view(np.int64)
    series: list[PeriodSeries] = []
    for place, history in enumerate(histories):
        values = made.values[made.of(place)]
        first = made.starts.size - values.size
        late = bounds[first:] > until[place] + 1
        series.append(PeriodSeries(history.item_id, history.site_id, period, made.starts[first:], values, late))
    return tuple(series)


def future_starts(series: PeriodSeries, as_of: date, horizon: int) -> DateArray:
    """First days of the periods after the newest of a series; after the clock where it has none."""
    last = np.datetime64(as_of, "D")
    if series.starts.size:
        newest = series.starts[-1]
        days = int(series.period.days)
        last = newest + days - 1 if series.period is not Period.MONTH else _month_end(newest)
    return future_edges(last, series.period, horizon)[:-1]


def _month_end(first: np.datetime64) -> np.datetime64:
    return (first.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
