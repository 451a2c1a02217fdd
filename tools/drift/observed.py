"""What the drift detectors watch: demand by item, errors of a plain smoother on it, and lead times by supplier."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from statistics import median

import numpy as np

from tools.domain.arrays import DateArray, FloatArray
from tools.domain.catalogue import Offer
from tools.domain.datasets import Period, PeriodSeries
from tools.domain.orders import Receipt

SMOOTHING = 0.2
"""Weight of the newest observation in the smoother whose one-step errors are watched."""
FIRST_LEVEL = 8
"""Observations whose median the smoother starts from."""
SEASONS = {Period.MONTH: 12, Period.WEEK: 52}
"""Periods of a year; a season is taken out once three years show it."""
LEAST_YEARS = 3
SEASONAL = 0.4
"""Autocorrelation at a year's distance from which on a history counts as seasonal."""


class DriftKind(StrEnum):
    """What may drift."""

    DEMAND_LEVEL = "demand_level"
    LEAD_TIME = "lead_time"
    FORECAST_ERROR = "forecast_error"
    """The size of one-step errors."""
    FORECAST_BIAS = "forecast_bias"
    """Their sign: above zero when demand exceeds the forecast."""


@dataclass(frozen=True, slots=True)
class ObservedSeries:
    """One thing watched over time: `dates` (n,) ascending, `values` (n,), nan or infinite where unknown."""

    subject: str
    """Item id (with @site when it has several) or supplier id."""
    kind: DriftKind
    dates: DateArray
    values: FloatArray
    usual: float = 1.0
    """What a bias is stated against: the mean demand of a period."""

    def known(self) -> "ObservedSeries":
        """The series without what is unknown."""
        kept = np.isfinite(self.values)
        return replace(self, dates=self.dates[kept], values=self.values[kept])


def demand_series(histories: Sequence[PeriodSeries]) -> list[ObservedSeries]:
    """Level, error size and bias of every history; a period that was closed says nothing."""
    sites: dict[str, set[str]] = defaultdict(set)
    for history in histories:
        sites[history.item_id].add(history.site_id)
    found: list[ObservedSeries] = []
    for history in histories:
        several = len(sites[history.item_id]) > 1
        subject = f"{history.item_id}@{history.site_id}" if several else history.item_id
        units = np.where(history.closed, np.nan, history.quantities.astype(np.float64))
        level = ObservedSeries(subject, DriftKind.DEMAND_LEVEL, history.starts, units).known()
        level = replace(level, values=without_season(level.values, SEASONS.get(history.period, 0)))
        found += [level, *_errors_of(level)]
    return found


def _errors_of(level: ObservedSeries) -> tuple[ObservedSeries, ObservedSeries]:
    errors, dates = one_step_errors(level.values), level.dates[FIRST_LEVEL:]
    usual = float(level.values.mean()) if level.values.size else 0.0
    bias = ObservedSeries(level.subject, DriftKind.FORECAST_BIAS, dates, errors, usual)
    return replace(bias, kind=DriftKind.FORECAST_ERROR, values=np.abs(errors)), bias


def without_season(units: FloatArray, length: int) -> FloatArray:
    """Units over the ratio of their place in the year to the whole, by medians; as they are without a clear season.

    Medians over three years or more hardly move when the level of the last periods does.
    """
    if length == 0 or units.size < LEAST_YEARS * length:
        return units
    scaled = units / max(float(units.max()), 1.0)
    centred = scaled - scaled.mean()
    total = float((centred**2).sum())
    if total <= 0 or float((centred[length:] * centred[:-length]).sum()) / total < SEASONAL:
        return units
    places = np.arange(units.size) % length
    typical = np.array([np.median(units[places == place]) for place in range(length)])
    overall = float(np.median(typical))
    if overall <= 0 or typical.min() <= 0:
        return units
    return units * (overall / typical)[places]


def one_step_errors(units: FloatArray) -> FloatArray:
    """(n - FIRST_LEVEL,) actual minus forecast of simple exponential smoothing, each made before its period."""
    if units.size <= FIRST_LEVEL:
        return np.empty(0)
    level = median(units[:FIRST_LEVEL].tolist())
    errors = np.empty(units.size - FIRST_LEVEL)
    for place, actual in enumerate(units[FIRST_LEVEL:].tolist()):
        errors[place] = actual - level
        level += SMOOTHING * errors[place]
    return errors


def lead_time_series(offers: Iterable[Offer], receipts: Iterable[Receipt], as_of: date) -> list[ObservedSeries]:
    """Each supplier's lead times over their quotes, in the order in which goods came.

    By the day of receipt and not of order, since of recent orders only the quick ones have come. Lines of one
    order that came on one day count once, with their median. What nobody offers is told against its own median.
    """
    quoted: dict[tuple[str, str], list[float]] = defaultdict(list)
    for offer in offers:
        quoted[offer.item_id, offer.supplier_id].append(max(offer.lead_time_days, 1.0))
    lanes: dict[tuple[str, str], list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        if receipt.receipt_date <= as_of and receipt.lead_time_days >= 0:
            lanes[receipt.item_id, receipt.supplier_id].append(receipt)
    ratios: dict[str, dict[tuple[date, str], list[float]]] = defaultdict(lambda: defaultdict(list))
    for lane, came in lanes.items():
        usual = float(np.mean(quoted[lane])) if lane in quoted else float(median([r.lead_time_days for r in came]))
        for receipt in came:
            ratio = receipt.lead_time_days / max(usual, 1.0)
            ratios[lane[1]][receipt.receipt_date, receipt.order_id].append(ratio)
    return [_lead_times_of(supplier_id, ratios[supplier_id]) for supplier_id in sorted(ratios)]


def _lead_times_of(supplier_id: str, ratios: dict[tuple[date, str], list[float]]) -> ObservedSeries:
    keys = sorted(ratios)
    dates = np.array([day for day, _ in keys], dtype="datetime64[D]")
    values = np.array([median(ratios[key]) for key in keys])
    return ObservedSeries(supplier_id, DriftKind.LEAD_TIME, dates, values)
