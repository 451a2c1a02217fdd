"""Where the plan's periods lie among those of the forecast: the plan counts from the clock, the forecast does not."""

from datetime import date

import numpy as np

from tools.domain.arrays import DateArray, FloatArray, IntArray
from tools.domain.datasets import Period
from tools.forecasting.preparation.closures import ClosedDays
from tools.rhythm.grid import epoch_day


def plan_days(as_of: date, period: Period, count: int) -> IntArray:
    """(count + 1,) first days of the plan's periods, since 1970-01-01, and the day after the last."""
    return epoch_day(as_of) + 1 + np.round(np.arange(count + 1) * period.days).astype(np.int64)


def plan_edges(ahead: DateArray, as_of: date, period: Period, closed: ClosedDays) -> FloatArray:
    """(T + 1,) edges of as many plan periods as the forecast has, counted in its periods; empty where they agree.

    Within a period demand falls on its open days. `ahead` (T + 1,) are the edges of the forecast's periods.
    """
    bounds = ahead.astype("datetime64[D]").view(np.int64)
    count = bounds.size - 1
    if count == 0:
        return np.empty(0)
    days = plan_days(as_of, period, count)
    held = np.clip(np.searchsorted(bounds, days, side="right") - 1, 0, count - 1)
    starts, ends = bounds[held], bounds[held + 1]
    before = closed.open_before(days) - closed.open_before(starts)
    whole = closed.open_before(ends) - closed.open_before(starts)
    share = np.where(whole > 0, before / np.maximum(whole, 1), (days - starts) / (ends - starts))
    found = held + np.clip(share, 0.0, 1.0) + _beyond(days, int(bounds[-1]), period, closed)
    return np.empty(0) if np.array_equal(found, np.arange(count + 1)) else found


def _beyond(days: IntArray, end: int, period: Period, closed: ClosedDays) -> FloatArray:
    """Periods from the end of the forecast to each day after it, by their usually open days."""
    after = np.maximum(days, end)
    if period is Period.DAY:
        return (after - end).astype(np.float64)
    usual = period.days * (1.0 - len(closed.rests) / 7)
    return (closed.open_before(after) - closed.open_before(np.array([end]))) / usual
