"""Seasonal factors of many series at once: found by a test, divided out before smoothing, put back on the forecast."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray
from tools.domain.datasets import Period
from tools.forecasting.engine.panel import Panel

YEAR_IN_WEEKS = 365.25 / 7
HARMONICS = 2
LIKELIHOOD_GAIN = 20.0
"""Least n·log(SSE without / SSE with) before a yearly wave is believed; four coefficients need 13.3 at 1 %.

The rest is a margin, because a wandering level over two years resembles a wave."""
WANDERING = 2.0
"""A wave is shrunk by this many times what independent noise alone would show, for the same reason."""
LIKELY_SHARE, CERTAIN_SHARE = 0.3, 0.6
"""What a season must keep of itself after shrinking: with the test, and without it (F = 2.5, about 1 % by chance)."""
SMALLEST_FACTOR, LARGEST_FACTOR = 0.2, 4.0
SEASON_LENGTHS = {Period.DAY: 7, Period.MONTH: 12}
"""Periods in a season that is found by decomposition; weeks have a yearly wave instead."""


@dataclass(frozen=True)
class Seasons:
    """Multiplicative factors: `past` (N, n), `future` (N, T); 1 where a row shows no season."""

    past: FloatArray
    future: FloatArray
    found: BoolArray
    """(N,)"""
    coefficients: int
    """Numbers that a found season is made of."""


def find_seasons(panel: Panel, wanted: BoolArray, horizon: int) -> Seasons:
    """Weekly pattern of days, yearly pattern of weeks and months, for the rows `wanted` (N,) that show one."""
    past = np.ones_like(panel.values)
    future = np.ones((panel.size, horizon))
    found = np.zeros(panel.size, dtype=np.bool_)
    weekly = panel.period is Period.WEEK
    coefficients = 2 * HARMONICS if weekly else SEASON_LENGTHS[panel.period]
    least = int(1.9 * YEAR_IN_WEEKS) if weekly else 2 * coefficients
    for start in np.unique(panel.first[wanted]):
        rows = np.flatnonzero(wanted & (panel.first == start))
        if panel.width - start < least:
            continue
        values = filled(panel.values[rows, start:])
        shown, before, after = _yearly_waves(values, horizon) if weekly else _decomposed(values, coefficients, horizon)
        past[rows[shown], start:] = before[shown]
        future[rows[shown]] = after[shown]
        found[rows] = shown
    return Seasons(past, future, found, coefficients)


def filled(values: FloatArray) -> FloatArray:
    """Rows (R, k) with unknown periods at the row's mean."""
    unknown = np.isnan(values)
    if not unknown.any():
        return values
    known = np.maximum((~unknown).sum(axis=1), 1)
    means = np.where(unknown, 0.0, values).sum(axis=1) / known
    return np.where(unknown, means[:, None], values)


def show_season(values: FloatArray, length: int) -> BoolArray:
    """(R,) rows (R, k) that pass the theta method's test of the autocorrelation, at 95 % (Fiorucci et al. 2016)."""
    centred = values - values.mean(axis=1, keepdims=True)
    scale = np.maximum((centred**2).sum(axis=1), 1e-300)
    lags = [(centred[:, lag:] * centred[:, :-lag]).sum(axis=1) / scale for lag in range(1, length + 1)]
    correlations: FloatArray = np.stack(lags)
    limit = 1.96 * np.sqrt((1 + 2 * (correlations[:-1] ** 2).sum(axis=0)) / values.shape[1])
    return np.abs(correlations[-1]) > limit


def _decomposed(values: FloatArray, length: int, horizon: int) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Classical multiplicative decomposition by a centred moving average, shrunk by what noise alone would show."""
    count = values.shape[1]
    trend, offset = _moving_average(values, length)
    inner = values[:, offset : offset + trend.shape[1]]
    ratios = inner / np.maximum(trend, 1e-9 + 1e-3 * values.mean(axis=1, keepdims=True))
    phases = (np.arange(trend.shape[1]) + offset) % length
    pattern: FloatArray = np.stack([ratios[:, phases == phase].mean(axis=1) for phase in range(length)], axis=1)
    pattern /= np.maximum(pattern.mean(axis=1, keepdims=True), 1e-9)
    noise = (ratios - pattern[:, phases]).var(axis=1) * length / trend.shape[1]
    signal = np.maximum(((pattern - 1) ** 2).mean(axis=1), 1e-12)
    kept = np.clip(1 - noise / signal, 0.0, 1.0)
    pattern = np.clip(1 + kept[:, None] * (pattern - 1), SMALLEST_FACTOR, LARGEST_FACTOR)
    shown = (show_season(values, length) & (kept > LIKELY_SHARE)) | (kept > CERTAIN_SHARE)
    places = np.arange(count + horizon) % length
    return shown, pattern[:, places[:count]], pattern[:, places[count:]]


def _moving_average(values: FloatArray, length: int) -> tuple[FloatArray, int]:
    """Centred moving average of rows, and how many periods it starts after them."""
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    plain = (sums[:, length:] - sums[:, :-length]) / length
    trend = plain if length % 2 else (plain[:, 1:] + plain[:, :-1]) / 2
    return trend, (values.shape[1] - trend.shape[1]) // 2


def _yearly_waves(values: FloatArray, horizon: int) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Two harmonics of the year beside a straight line, by least squares, as a ratio to the line."""
    count = values.shape[1]
    time = np.arange(count + horizon)
    angles = 2 * np.pi * np.outer(time, np.arange(1, HARMONICS + 1)) / YEAR_IN_WEEKS
    both = np.column_stack([np.ones(count + horizon), time / count, np.sin(angles), np.cos(angles)])
    basis, triangle = np.linalg.qr(both[:count])
    on_basis = values @ basis
    plain = np.maximum((values**2).sum(axis=1) - (on_basis[:, :2] ** 2).sum(axis=1), 0.0)
    seasonal = np.maximum(plain - (on_basis[:, 2:] ** 2).sum(axis=1), 1e-12 * plain + 1e-300)
    shown = (plain > 0) & (count * np.log(np.maximum(plain, 1e-300) / seasonal) >= LIKELIHOOD_GAIN)
    noise = 2 * HARMONICS * seasonal[shown] / (count - 2 - 2 * HARMONICS)
    kept = np.clip(1 - WANDERING * noise / (plain - seasonal)[shown], 0.0, 1.0)
    fitted = np.linalg.solve(triangle, on_basis[shown].T)
    base = np.maximum(both[:, :2] @ fitted[:2], 0.2 * values[shown].mean(axis=1) + 1e-12)
    factors = np.ones((values.shape[0], count + horizon))
    factors[shown] = np.clip(1 + kept * (both[:, 2:] @ fitted[2:]) / base, SMALLEST_FACTOR, LARGEST_FACTOR).T
    return shown, factors[:, :count], factors[:, count:]
