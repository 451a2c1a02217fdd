"""Scores of forecasts that are known to have come true or not: rows by item and origin, and what they come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np

from tools.domain.arrays import BoolArray, DateArray, FloatArray
from tools.domain.datasets import Period, PeriodSeries
from tools.forecasting import accuracy
from tools.forecasting.patterns import DemandPattern


class Forecast(Protocol):
    """What a score reads of a forecast; `paths` (S, T) in units begin in the period at `starts[0]`."""

    @property
    def item_id(self) -> str:
        """Item."""
        ...

    @property
    def site_id(self) -> str:
        """Site."""
        ...

    @property
    def starts(self) -> DateArray:
        """(T,) first days of the periods."""
        ...

    @property
    def paths(self) -> FloatArray:
        """(S, T) units."""
        ...

    @property
    def pattern(self) -> DemandPattern:
        """Demand class of the history."""
        ...

    @property
    def history(self) -> PeriodSeries:
        """As recorded up to the origin."""
        ...


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """One item at one origin. Figures are nan where they are not defined: no demand, no error of the naive forecast."""

    item_id: str
    site_id: str
    pattern: DemandPattern
    """Of the history up to the origin."""
    origin: date
    horizon: int
    mase: float
    """Of the median, which is the point that absolute errors ask for."""
    rmsse: float
    """Of the mean, which is the point that squared errors ask for."""
    wql: float
    wql_naive: float
    """Of the seasonal naive forecast with its own past errors."""
    coverage_50: float
    coverage_80: float
    coverage_95: float
    bias: float
    """(forecast - actual) / actual."""
    lead_time_coverage_80: float
    """Of total demand over the item's spans."""
    lead_time_coverage_95: float
    loss_units: float
    """Quantile loss over the horizon: the numerator of `wql`."""
    loss_naive_units: float
    error_units: float
    """Mean forecast less actual demand over the horizon."""
    actual_units: float
    scale_units: float
    """Mean demand a period of the history: what figures over several items are divided by; 0 without demand."""


@dataclass(frozen=True, slots=True)
class SpanRow:
    """Total demand over one span of one item from one origin."""

    item_id: str
    site_id: str
    pattern: DemandPattern
    origin: date
    periods: int
    coverage_50: float
    coverage_80: float
    coverage_95: float
    loss_units: float
    actual_units: float
    scale_units: float
    """Mean demand over such a span in the history."""


@dataclass(frozen=True, slots=True)
class AccuracySummary:
    """Means over the rows of one demand class, or of all; each item counts alike, whatever its size and unit."""

    group: str
    """A demand class, or `all`."""
    items: int
    forecasts: int
    mase: float
    rmsse: float
    wql: float
    """Losses over demand, both in units of the item's mean demand."""
    wql_units: float
    """Losses over demand, in units as they are: large items decide."""
    wql_naive: float
    coverage_50: float
    coverage_80: float
    coverage_95: float
    bias: float


@dataclass(frozen=True, slots=True)
class SpanSummary:
    """Total demand over one span, for one demand class or all."""

    group: str
    periods: int
    forecasts: int
    wql: float
    coverage_50: float
    coverage_80: float
    coverage_95: float


Scored = tuple[list[AccuracyRow], list[SpanRow]]


def scored(batch: Sequence[Forecast], came: FloatArray, origin: date, spans: Sequence[Sequence[int]]) -> Scored:
    """Rows of forecasts (B,) of equal shape against what came (B, T); `spans` are each item's lead times in periods.

    What came is nan where demand is not known: such periods, and the spans that hold one, are not scored.
    """
    paths = np.stack([made.paths for made in batch], axis=1)
    span_rows = [row for length in _lengths(spans) for row in _span_rows(batch, paths, came, origin, spans, length)]
    by_item: dict[tuple[str, str], list[SpanRow]] = {}
    for row in span_rows:
        by_item.setdefault((row.item_id, row.site_id), []).append(row)
    quantiles = np.quantile(paths, accuracy.LEVELS, axis=0)
    losses = accuracy.quantile_losses(came, quantiles)
    means = paths.mean(axis=0)
    inside = [accuracy.covered(came, paths, level) for level in accuracy.INTERVALS]
    rows: list[AccuracyRow] = []
    for place, made in enumerate(batch):
        known = np.isfinite(came[place])
        outcome = _Outcome(
            came[place, known],
            quantiles[:, place, known],
            means[place, known],
            known,
            float(losses[place, known].sum()),
            tuple(_mean(of_level[place, known].tolist()) for of_level in inside),
        )
        rows.append(_row(made, origin, outcome, by_item.get((made.item_id, made.site_id), [])))
    return rows, span_rows


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The periods whose demand is known, of one item."""

    came: FloatArray
    quantiles: FloatArray
    mean: FloatArray
    known: BoolArray
    loss_units: float
    covered: tuple[float, ...]
    """Share inside each of `INTERVALS`."""


def _row(made: Forecast, origin: date, found: _Outcome, spans: Sequence[SpanRow]) -> AccuracyRow:
    past, horizon = made.history.quantities, found.known.size
    season = 12 if made.history.period is Period.MONTH and past.size >= 24 else 1
    naive = accuracy.seasonal_naive_quantiles(past, horizon, season)[:, found.known]
    naive_units = float(accuracy.quantile_losses(found.came, naive).sum())
    units = float(found.came.sum())
    error = float(found.mean.sum()) - units
    median = found.quantiles[accuracy.MEDIAN]
    return AccuracyRow(
        made.item_id,
        made.site_id,
        made.pattern,
        origin,
        horizon,
        mase=accuracy.mean_absolute_scaled_error(found.came, median, past, season),
        rmsse=accuracy.root_mean_squared_scaled_error(found.came, found.mean, past),
        wql=_ratio(found.loss_units, units),
        wql_naive=_ratio(naive_units, units),
        coverage_50=found.covered[0],
        coverage_80=found.covered[1],
        coverage_95=found.covered[2],
        bias=_ratio(error, units),
        lead_time_coverage_80=_mean([row.coverage_80 for row in spans]),
        lead_time_coverage_95=_mean([row.coverage_95 for row in spans]),
        loss_units=found.loss_units,
        loss_naive_units=naive_units,
        error_units=error,
        actual_units=units,
        scale_units=_mean_demand(past),
    )


def _lengths(spans: Sequence[Sequence[int]]) -> list[int]:
    return sorted({length for of_item in spans for length in of_item})


def _span_rows(
    batch: Sequence[Forecast],
    paths: FloatArray,
    came: FloatArray,
    origin: date,
    spans: Sequence[Sequence[int]],
    length: int,
) -> list[SpanRow]:
    if not 0 < length <= came.shape[1]:
        return []
    known = np.isfinite(came[:, :length].sum(axis=1))
    places = [place for place, of_item in enumerate(spans) if length in of_item and known[place]]
    totals = paths[:, places, :length].sum(axis=2)
    units = came[places, :length].sum(axis=1)
    losses = accuracy.quantile_losses(units, np.quantile(totals, accuracy.LEVELS, axis=0))
    inside = [accuracy.covered(units, totals, level) for level in accuracy.INTERVALS]
    return [
        SpanRow(
            batch[place].item_id,
            batch[place].site_id,
            batch[place].pattern,
            origin,
            length,
            *(float(of_level[index]) for of_level in inside),
            loss_units=float(losses[index]),
            actual_units=float(units[index]),
            scale_units=_mean_demand(batch[place].history.quantities) * length,
        )
        for index, place in enumerate(places)
    ]


def summarised(group: str, rows: Sequence[AccuracyRow]) -> AccuracySummary:
    """Means over rows; losses and errors are summed before they are divided, so a quiet item breaks nothing."""
    known = [row for row in rows if row.scale_units > 0]
    scaled = sum(row.actual_units / row.scale_units for row in known)
    return AccuracySummary(
        group,
        items=len({(row.item_id, row.site_id) for row in rows}),
        forecasts=len(rows),
        mase=_mean([row.mase for row in rows]),
        rmsse=_mean([row.rmsse for row in rows]),
        wql=_ratio(sum(row.loss_units / row.scale_units for row in known), scaled),
        wql_units=_ratio(sum(row.loss_units for row in rows), sum(row.actual_units for row in rows)),
        wql_naive=_ratio(sum(row.loss_naive_units / row.scale_units for row in known), scaled),
        coverage_50=_mean([row.coverage_50 for row in rows]),
        coverage_80=_mean([row.coverage_80 for row in rows]),
        coverage_95=_mean([row.coverage_95 for row in rows]),
        bias=_ratio(sum(row.error_units / row.scale_units for row in known), scaled),
    )


def spans_summarised(group: str, periods: int, rows: Sequence[SpanRow]) -> SpanSummary:
    """Means over the rows of one span."""
    known = [row for row in rows if row.scale_units > 0]
    loss = sum(row.loss_units / row.scale_units for row in known)
    return SpanSummary(
        group,
        periods,
        len(rows),
        _ratio(loss, sum(row.actual_units / row.scale_units for row in known)),
        _mean([row.coverage_50 for row in rows]),
        _mean([row.coverage_80 for row in rows]),
        _mean([row.coverage_95 for row in rows]),
    )


def _mean_demand(past: FloatArray) -> float:
    known = past[np.isfinite(past)]
    return float(known.mean()) if known.size else 0.0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
