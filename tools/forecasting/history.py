"""Recorded demand into equal buckets: calendar months, weeks that end on `as_of`, or days."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from tools.domain.arrays import DateArray
from tools.domain.datasets import DemandHistory, Period, PeriodSeries
from tools.forecasting.preparation.buckets import fill_buckets, future_edges
from tools.forecasting.preparation.records import read_records


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
    """Sum per bucket up to `as_of`, gaps as zero demand; later dates and non-finite or negative rows are dropped.

    Weeks are counted backward from `as_of` and a month that has not ended is left out, so the newest bucket is
    whole; the oldest is left out where records come more often than buckets and begin in the middle of it.
    """
    return bucket_all([history], as_of, period)[0]


def bucket_all(histories: Sequence[DemandHistory], as_of: date, period: Period) -> tuple[PeriodSeries, ...]:
    """The same for a whole catalogue at once; its oldest bucket is the one that may be left out."""
    if not histories:
        return ()
    made = fill_buckets([(read_records(histories, as_of, period, {}), len(histories))], as_of, period)
    closed = np.zeros(made.starts.size, dtype=np.bool_)
    series: list[PeriodSeries] = []
    for place, history in enumerate(histories):
        values = made.values[made.of(place)]
        starts = made.starts[made.starts.size - values.size :]
        series.append(PeriodSeries(history.item_id, history.site_id, period, starts, values, closed[: values.size]))
    return tuple(series)


def future_starts(series: PeriodSeries, as_of: date, horizon: int) -> DateArray:
    """First days of the coming buckets."""
    return future_edges(np.datetime64(as_of, "D"), series.period, horizon)[:-1]
