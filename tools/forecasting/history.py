"""Recorded demand into equal buckets: calendar months, weeks that end on `as_of`, or days."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from tools.domain.arrays import DateArray, IntArray
from tools.domain.datasets import DemandHistory, Period, PeriodSeries


def detect_period(histories: Sequence[DemandHistory]) -> Period:
    """The bucket that the recorded dates imply: the median gap between an item's distinct dates."""
    gaps = [
        np.diff(np.unique(history.dates)).astype("timedelta64[D]").astype(np.int64)
        for history in histories
        if np.unique(history.dates).size > 1
    ]
    if not gaps:
        return Period.WEEK
    median = float(np.median(np.concatenate(gaps)))
    if median < 4:
        return Period.DAY
    return Period.WEEK if median < 20 else Period.MONTH


def bucket(history: DemandHistory, as_of: date, period: Period) -> PeriodSeries:
    """Sum per bucket up to `as_of`, gaps as zero demand; later dates and non-finite or negative rows are dropped.

    Weeks are counted backward from `as_of` and a month that has not ended is left out, so the newest bucket is
    whole; the oldest is left out where records come more often than buckets and begin in the middle of it.
    """
    end = np.datetime64(as_of)
    usable = np.isfinite(history.quantities) & (history.quantities >= 0) & (history.dates <= end)
    dates, quantities = history.dates[usable], history.quantities[usable]
    if dates.size == 0:
        starts, sums = np.empty(0, dtype="datetime64[D]"), np.empty(0)
    else:
        starts, places = _months(dates, end) if period is Period.MONTH else _runs_of_days(dates, end, int(period.days))
        inside = (places >= 0) & (places < starts.size)
        sums = np.bincount(places[inside], weights=quantities[inside], minlength=starts.size).astype(np.float64)
    closed = np.zeros(starts.size, dtype=np.bool_)
    return PeriodSeries(history.item_id, history.site_id, period, starts, sums, closed)


def _months(dates: DateArray, end: np.datetime64) -> tuple[DateArray, IntArray]:
    """First days of the whole calendar months, and each date's place among them."""
    first = dates.min().astype("datetime64[M]")
    count = max(int((_first_open_month(end) - first).astype(int)), 0)
    places = (dates.astype("datetime64[M]") - first).astype(np.int64)
    return (first + np.arange(count)).astype("datetime64[D]"), places


def _first_open_month(end: np.datetime64) -> np.datetime64:
    """The first month that has not ended by this day."""
    return (end + 1).astype("datetime64[M]")


def _runs_of_days(dates: DateArray, end: np.datetime64, length: int) -> tuple[DateArray, IntArray]:
    """First days of the buckets of equal length that end on `end`, and each date's place among them."""
    count = int((end - dates.min()).astype(int)) // length + 1
    places = count - 1 - (end - dates).astype(np.int64) // length
    starts: DateArray = end - np.arange(count, 0, -1) * length + 1
    if count > 1 and starts[0] < dates.min() and _records_per_bucket(dates, length) > 1:
        return starts[1:], places - 1
    return starts, places


def _records_per_bucket(dates: DateArray, length_days: int) -> float:
    gaps = np.diff(np.unique(dates)).astype("timedelta64[D]").astype(np.int64)
    return length_days / float(np.median(gaps)) if gaps.size else 0.0


def future_starts(series: PeriodSeries, as_of: date, horizon: int) -> DateArray:
    """First days of the coming buckets."""
    end = np.datetime64(as_of)
    if series.period is Period.MONTH:
        return (_first_open_month(end) + np.arange(horizon)).astype("datetime64[D]")
    return end + 1 + np.arange(horizon) * int(series.period.days)
