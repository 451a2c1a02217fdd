"""How good a probabilistic forecast was: quantile loss, coverage and scaled errors, and the seasonal naive yardstick.

Sample paths are (S, ..., T) in units, quantiles (Q, ..., T), and what came (..., T), for one item or many at once.
"""

import numpy as np

from tools.domain.arrays import FloatArray

LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
"""Quantile levels of the losses: the median and both ends of the intervals."""
MEDIAN = 3
"""Its place among `LEVELS`."""
INTERVALS = (0.5, 0.8, 0.95)
"""Central intervals whose coverage is counted."""
LEAST_ERRORS = 8
"""Past errors of the naive forecast below which a shorter lag stands in for the horizon's own."""


def quantile_losses(actual: FloatArray, quantiles: FloatArray, levels: FloatArray = LEVELS) -> FloatArray:
    """(..., T) twice the pinball loss in units, mean over levels.

    Twice, so that the loss of the median alone is the absolute error.
    """
    errors = actual - quantiles
    weights = levels.reshape(-1, *([1] * actual.ndim))
    return 2 * np.maximum(weights * errors, (weights - 1) * errors).mean(axis=0)


def covered(actual: FloatArray, paths: FloatArray, level: float) -> FloatArray:
    """(..., T) how far each actual value lies inside the central interval: 0, 1, or a share at its edge.

    The rank of the actual value among the paths is uniform when the forecast is right, whatever its shape, if ties
    are broken at random. This is the mean over those random draws (the non-randomised transform of Czado, Gneiting
    and Held 2009). A closed interval would cover nearly always where most periods have no demand: an item with
    demand in a tenth of its periods has the 80 % interval [0, 0], and nine tenths of the values lie in it.
    """
    ranks = paths.shape[0] + 1
    low = (paths < actual).sum(axis=0) / ranks
    high = ((paths <= actual).sum(axis=0) + 1) / ranks
    inside = np.minimum(high, (1 + level) / 2) - np.maximum(low, (1 - level) / 2)
    return np.maximum(inside, 0.0) / (high - low)


def coverage(actual: FloatArray, paths: FloatArray, level: float) -> float:
    """Share of actual values inside the central interval of this level, ties counted as in `covered`."""
    return float(covered(actual, paths, level).mean())


def seasonal_naive_quantiles(values: FloatArray, horizon: int, season: int, levels: FloatArray = LEVELS) -> FloatArray:
    """(Q, T) last season repeated, plus its own past errors over as many seasons as the period lies ahead."""
    length = season if values.size > season else 1
    made = np.empty((levels.size, horizon))
    errors = np.zeros(1)
    for begin in range(0, horizon, length):
        lag = begin + length
        if values.size - lag >= LEAST_ERRORS or begin == 0:
            errors = values[lag:] - values[:-lag] if values.size > lag else np.zeros(1)
        end = min(begin + length, horizon)
        last = values[values.size - length + np.arange(end - begin)] if values.size else np.zeros(end - begin)
        spread = np.interp(levels * (errors.size - 1), np.arange(errors.size), np.sort(errors))
        made[:, begin:end] = last + spread[:, None]
    return np.maximum(made, 0.0)


def absolute_scale(history: FloatArray, season: int = 1) -> float:
    """Mean absolute error in units of the seasonal naive forecast within the history (Hyndman and Koehler 2006).

    Counted from the first demand on, as in the M5 competition; nan where that forecast made no error.
    """
    return _scale(np.abs(_naive_errors(history, season)))


def squared_scale(history: FloatArray) -> float:
    """Mean squared one-step naive error within the history, from the first demand on (Makridakis et al. 2022)."""
    return _scale(_naive_errors(history, 1) ** 2)


def _naive_errors(history: FloatArray, season: int) -> FloatArray:
    sold = np.flatnonzero(history > 0)
    begun = history[sold[0] :] if sold.size else history
    length = season if begun.size > season else 1
    return begun[length:] - begun[:-length]


def _scale(errors: FloatArray) -> float:
    known = errors[np.isfinite(errors)]
    return float(known.mean()) if known.size and known.any() else np.nan


def mean_absolute_scaled_error(actual: FloatArray, forecast: FloatArray, history: FloatArray, season: int = 1) -> float:
    """MASE of a point forecast (T,): 1 is as good as the seasonal naive forecast was within the history."""
    return float(np.abs(actual - forecast).mean()) / absolute_scale(history, season) if actual.size else np.nan


def root_mean_squared_scaled_error(actual: FloatArray, forecast: FloatArray, history: FloatArray) -> float:
    """RMSSE of a point forecast (T,), as in the M5 competition."""
    return float(np.sqrt(np.mean((actual - forecast) ** 2) / squared_scale(history))) if actual.size else np.nan
