"""Sample paths of future demand: an ensemble for frequent demand, a compound bootstrap for intermittent demand."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np

from tools.domain.arrays import DateArray, FloatArray
from tools.domain.datasets import DemandHistory, Period, PeriodSeries
from tools.forecasting import models
from tools.forecasting.accuracy import LEAST_HISTORY, PathsFrom, backtest
from tools.forecasting.history import bucket, future_starts
from tools.forecasting.intermittent import compound_bootstrap
from tools.forecasting.patterns import DemandPattern, classify
from tools.forecasting.smoothing import Fitted, smooth

MODEL_VERSION = "1"


SPREAD_PRIOR = 4.0
"""Standardised errors of the expected size that an item's own ones are weighed against."""
LARGEST_SQUARE = 16.0
"""A squared standardised error counts at most this, so that one shock does not set the spread."""


class Engine(StrEnum):
    """Which ensemble forecasts frequent demand."""

    SMOOTHING = "smoothing"
    """Damped trend and theta, built in: milliseconds an item."""
    STATSFORECAST = "statsforecast"
    """AutoETS and the dynamic optimised theta method: seconds to import, up to a tenth of a second an item."""


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """Paths, seed, and how much history the models need."""

    paths: int = 256
    seed: int = 7
    min_observations: int = 8
    """Below this the observed periods are resampled."""
    recent_periods: int = 104
    """At most this much history is used."""
    engine: Engine = Engine.SMOOTHING
    backtest_origins: int = 4
    """Earlier origins from which each item is forecast again, for its spread and its stated accuracy."""
    backtest_horizon: int = 6


@dataclass(frozen=True)
class DemandForecast:
    """Predictive distribution of one item and site. `paths` (S, T) units per period, non-negative."""

    item_id: str
    site_id: str
    period: Period
    starts: DateArray
    paths: FloatArray
    pattern: DemandPattern
    model: str
    fallback: str | None
    history: PeriodSeries
    accuracy: Mapping[str, float] = field(default_factory=dict[str, float])

    def mean(self) -> FloatArray:
        """(T,) expected units per period."""
        return self.paths.mean(axis=0)

    def quantile(self, q: float) -> FloatArray:
        """(T,) quantile per period."""
        return np.quantile(self.paths, q, axis=0)


def forecast_demand(
    histories: Sequence[DemandHistory],
    *,
    as_of: date,
    period: Period,
    horizon: int,
    settings: ForecastSettings | None = None,
) -> tuple[DemandForecast, ...]:
    """One forecast per history, in order. A series that no model fits gets a stated fallback, never an error."""
    chosen = settings or ForecastSettings()
    return tuple(_forecast(bucket(history, as_of, period), as_of, horizon, chosen) for history in histories)


def _forecast(series: PeriodSeries, as_of: date, horizon: int, settings: ForecastSettings) -> DemandForecast:
    name = f"{series.item_id}|{series.site_id}|{settings.seed}"
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values = series.quantities[-settings.recent_periods :]
    pattern = classify(values)
    made = _paths(values, pattern, _Task(series.period, horizon, settings, rng))
    starts = future_starts(series, as_of, horizon)
    return DemandForecast(
        series.item_id,
        series.site_id,
        series.period,
        starts,
        made.paths,
        pattern,
        made.model,
        made.fallback,
        series,
        made.accuracy,
    )


@dataclass(frozen=True, slots=True)
class _Task:
    period: Period
    horizon: int
    settings: ForecastSettings
    rng: np.random.Generator

    @property
    def shape(self) -> tuple[int, int]:
        return self.settings.paths, self.horizon


@dataclass(frozen=True, slots=True)
class _Made:
    paths: FloatArray
    model: str
    fallback: str | None
    accuracy: Mapping[str, float] = field(default_factory=dict[str, float])


def _paths(values: FloatArray, pattern: DemandPattern, task: _Task) -> _Made:
    if pattern is DemandPattern.NONE:
        reason = "no demand in the history" if values.size else "no history"
        return _Made(np.zeros(task.shape), "zero", reason)
    if values.size < task.settings.min_observations:
        reason = f"only {values.size} periods of history: they are resampled"
        return _Made(task.rng.choice(values, size=task.shape), "resample", reason)
    if pattern in (DemandPattern.INTERMITTENT, DemandPattern.LUMPY):
        return _intermittent(values, task)
    return _frequent(values, task)


def _intermittent(values: FloatArray, task: _Task) -> _Made:
    def resampled(past: FloatArray, horizon: int) -> FloatArray:
        return compound_bootstrap(past, task.period, (task.settings.paths, horizon), task.rng)

    paths = resampled(values, task.horizon)
    return _Made(paths, "sba-compound-bootstrap", None, _tested(values, resampled, task))


def _frequent(values: FloatArray, task: _Task) -> _Made:
    """Fit the chosen ensemble; spread and accuracy come from forecasts of the built-in one at earlier origins."""
    if task.settings.engine is Engine.STATSFORECAST:
        fitted = models.ensemble(values, task.horizon, season_length(task.period, values.size))
    else:
        fitted = _fit(values, task.period, task.horizon)
    earlier = _earlier_fits(values, task.period, task.settings)
    spread = error_spread(values, earlier.values())

    def again(past: FloatArray, horizon: int) -> FloatArray:
        return models.residual_paths(earlier[past.size], (task.settings.paths, horizon), task.rng, spread)

    paths = models.residual_paths(fitted, task.shape, task.rng, spread)
    accuracy = {"mase": fitted.mase, "spread": spread} | _tested(values, again, task)
    return _Made(paths, fitted.model, fitted.fallback, accuracy)


def _fit(values: FloatArray, period: Period, horizon: int) -> Fitted:
    fitted = smooth(values, period, horizon)
    if np.isfinite(fitted.mean).all() and np.isfinite(fitted.residuals).all():
        return fitted
    return models.moving_average(values, horizon, "smoothing gave values that are not finite")


def _earlier_fits(values: FloatArray, period: Period, settings: ForecastSettings) -> dict[int, Fitted]:
    """Fits to the history as it was at each earlier origin, by its length."""
    step = settings.backtest_horizon
    cuts = [values.size - back * step for back in range(1, settings.backtest_origins + 1)]
    return {cut: _fit(values[:cut], period, step) for cut in cuts if cut >= LEAST_HISTORY and values[:cut].any()}


def error_spread(values: FloatArray, earlier: Iterable[Fitted]) -> float:
    """Factor on the one-step errors that makes earlier forecasts as uncertain as they turned out to be.

    The root of the mean squared standardised error over the earlier origins, drawn towards 1.
    """
    squares: list[float] = []
    for fitted in earlier:
        variance = float(fitted.residuals.var()) * np.cumsum(fitted.carry**2) * fitted.scale**2
        actual = values[fitted.past : fitted.past + fitted.mean.size]
        known = variance > 0
        squares += np.minimum((actual - fitted.mean)[known] ** 2 / variance[known], LARGEST_SQUARE).tolist()
    return float(np.sqrt((SPREAD_PRIOR + sum(squares)) / (SPREAD_PRIOR + len(squares))))


def _tested(values: FloatArray, make_paths: PathsFrom, task: _Task) -> dict[str, float]:
    """Figures of the backtest; empty where the history is too short for one."""
    step, origins = task.settings.backtest_horizon, task.settings.backtest_origins
    made = backtest(values, make_paths, horizon=step, origins=origins, season=season_length(task.period, values.size))
    if made.origins == 0:
        return {}
    ratio = made.pinball / made.pinball_naive if made.pinball_naive > 0 else 1.0
    return {"pinball_to_naive": ratio, "coverage_80": made.coverage_80, "bias": made.bias}


def season_length(period: Period, observations: int) -> int:
    """Periods in a season that two full seasons of history can show; 1 without."""
    length = 12 if period is Period.MONTH else 1
    return length if observations >= 2 * length else 1
