"""Seasonal patterns: found by a test, removed before smoothing, put back on the forecast."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.datasets import Period

YEAR_IN_WEEKS = 365.25 / 7
HARMONICS = 2
LIKELIHOOD_GAIN = 20.0
"""Least n·log(SSE without / SSE with) before a yearly wave is believed; four coefficients need 13.3 at 1 %.

The rest is a margin, because a wandering level over two years resembles a wave."""


@dataclass(frozen=True, slots=True)
class Season:
    """Multiplicative or additive pattern: `past` (n,) and `future` (T,) factors or offsets."""

    past: FloatArray
    future: FloatArray
    multiplicative: bool

    def removed(self, values: FloatArray) -> FloatArray:
        """The seasonally adjusted series (n,)."""
        return values / self.past if self.multiplicative else values - self.past


def find_season(values: FloatArray, period: Period, horizon: int) -> Season:
    """Yearly pattern of months and weeks, weekly pattern of days; none where the history does not show one."""
    if period is Period.WEEK:
        return _yearly_wave(values, horizon)
    length = 12 if period is Period.MONTH else 7
    if values.size >= 2 * length and shows_season(values, length):
        return _decomposed(values, length, horizon)
    return _none(values.size, horizon)


def _none(past: int, horizon: int) -> Season:
    return Season(np.zeros(past), np.zeros(horizon), multiplicative=False)


def shows_season(values: FloatArray, length: int) -> bool:
    """The 90 % test of the theta method on the autocorrelation at the season's lag (Fiorucci et al. 2016)."""
    centred = values - values.mean()
    scale = float(centred @ centred)
    if scale <= 0 or values.size <= length:
        return False
    correlations = np.array([float(centred[lag:] @ centred[:-lag]) / scale for lag in range(1, length + 1)])
    limit = 1.645 * np.sqrt((1 + 2 * float(correlations[:-1] @ correlations[:-1])) / values.size)
    return bool(abs(correlations[-1]) > limit)


def _decomposed(values: FloatArray, length: int, horizon: int) -> Season:
    """Classical decomposition by a centred moving average; ratios where all values are positive."""
    window = np.ones(length) / length
    if length % 2 == 0:
        window = np.convolve(window, [0.5, 0.5])
    trend = np.convolve(values, window, mode="valid")
    offset = (values.size - trend.size) // 2
    inner = values[offset : offset + trend.size]
    multiplicative = bool(values.min() > 0)
    detrended = inner / trend if multiplicative else inner - trend
    phases = (np.arange(trend.size) + offset) % length
    counts = np.bincount(phases, minlength=length)
    pattern = np.bincount(phases, weights=detrended, minlength=length) / np.maximum(counts, 1)
    pattern = pattern / pattern.mean() if multiplicative else pattern - pattern.mean()
    places = np.arange(values.size + horizon) % length
    return Season(pattern[places[: values.size]], pattern[places[values.size :]], multiplicative)


def _yearly_wave(values: FloatArray, horizon: int) -> Season:
    """Two harmonics of the year beside a straight line, by least squares."""
    n = values.size
    if n < 1.9 * YEAR_IN_WEEKS:
        return _none(n, horizon)
    time = np.arange(n + horizon)
    angles = 2 * np.pi * np.outer(time, np.arange(1, HARMONICS + 1)) / YEAR_IN_WEEKS
    waves = np.hstack([np.sin(angles), np.cos(angles)])
    line: FloatArray = np.column_stack([np.ones(n + horizon), time]).astype(np.float64)
    both: FloatArray = np.hstack([line, waves]).astype(np.float64)
    plain = _residual_sum(line[:n], values)
    coefficients = np.linalg.lstsq(both[:n], values, rcond=None)[0]
    seasonal = float(((values - both[:n] @ coefficients) ** 2).sum())
    if plain <= 0 or n * np.log(plain / max(seasonal, 1e-12 * plain)) < LIKELIHOOD_GAIN:
        return _none(n, horizon)
    wave: FloatArray = np.asarray(waves @ coefficients[2:], dtype=np.float64)
    return Season(wave[:n], wave[n:], multiplicative=False)


def _residual_sum(regressors: FloatArray, values: FloatArray) -> float:
    coefficients = np.linalg.lstsq(regressors, values, rcond=None)[0]
    return float(((values - regressors @ coefficients) ** 2).sum())
