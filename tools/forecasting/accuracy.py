"""How good a probabilistic forecast was: pinball loss, coverage, and a rolling-origin backtest."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray

LEVELS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
"""Quantile levels over which the pinball loss is averaged."""

LEAST_HISTORY = 12
"""Periods of history, some with demand, below which no origin is tried."""

PathsFrom = Callable[[FloatArray, int], FloatArray]
"""History (n,) and horizon to sample paths (S, T)."""


def pinball(actual: FloatArray, paths: FloatArray, levels: FloatArray = LEVELS) -> float:
    """Mean pinball loss in units over levels and periods of paths (S, T) against actual demand (T,)."""
    quantiles = np.quantile(paths, levels, axis=0)
    errors = actual - quantiles
    return float(np.maximum(levels[:, None] * errors, (levels[:, None] - 1) * errors).mean())


def coverage(actual: FloatArray, paths: FloatArray, level: float) -> float:
    """Share of actual values inside the central interval of this level."""
    low, high = np.quantile(paths, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return float(((actual >= low) & (actual <= high)).mean())


@dataclass(frozen=True, slots=True)
class Backtest:
    """Means over the origins of a rolling backtest."""

    pinball: float
    """Units."""
    pinball_naive: float
    """Of the seasonal naive forecast with its own past errors, in units."""
    coverage_80: float
    bias: float
    """(forecast - actual) / actual over all origins; 0 without demand."""
    origins: int


def backtest(values: FloatArray, make_paths: PathsFrom, *, horizon: int, origins: int, season: int) -> Backtest:
    """Forecast from earlier origins, newest first, `horizon` periods apart, and compare with what came.

    Origins that leave less than `LEAST_HISTORY` are left out; without any, every figure is nan.
    """
    rows: list[tuple[float, float, float, float, float]] = []
    for back in range(1, origins + 1):
        cut = values.size - back * horizon
        if cut < LEAST_HISTORY or not values[:cut].any():
            break
        past, actual = values[:cut], values[cut : cut + horizon]
        paths = make_paths(past, horizon)
        naive = seasonal_naive_paths(past, horizon, season)
        rows.append(
            (
                pinball(actual, paths),
                pinball(actual, naive),
                coverage(actual, paths, 0.8),
                float(paths.mean(axis=0).sum()),
                float(actual.sum()),
            )
        )
    if not rows:
        return Backtest(*([float("nan")] * 4), origins=0)
    losses, naives, covered, forecast, actual_sum = (np.array(column) for column in zip(*rows, strict=True))
    bias = float((forecast.sum() - actual_sum.sum()) / actual_sum.sum()) if actual_sum.sum() > 0 else 0.0
    return Backtest(float(losses.mean()), float(naives.mean()), float(covered.mean()), bias, len(rows))


def seasonal_naive_paths(values: FloatArray, horizon: int, season: int) -> FloatArray:
    """(S, T) last season repeated, plus each of its own past errors; the yardstick of every backtest."""
    length = season if values.size > season else 1
    errors = values[length:] - values[:-length]
    last = values[values.size - length + np.arange(horizon) % length]
    return np.maximum(last + errors[:, None], 0.0)
