"""The pooled shape of log residuals as quantiles, and lead times made of it."""

import numpy as np
from scipy.special import log_ndtr, ndtri

from tools.domain.arrays import BoolArray, FloatArray

_BODY = np.concatenate([[0.002, 0.006], np.arange(0.015, 0.98, 0.02)])
_TAIL = np.array([0.98, 0.986, 0.99, 0.993, 0.9955, 0.9975, 0.999, 0.9998])
LEVELS: FloatArray = np.concatenate([_BODY, _TAIL])
"""Probabilities at which quantiles are taken; denser where ordering and old orders look, in the upper tail."""
CELLS: FloatArray = np.diff(np.concatenate([[0.0], (LEVELS[1:] + LEVELS[:-1]) / 2, [1.0]]))
"""Probability that each quantile stands for."""
SMALLEST_SPREAD = 1e-9


def normal_shape() -> FloatArray:
    """(K,) standard normal quantiles at LEVELS, with variance 1 over the cells."""
    quantiles = ndtri(LEVELS)
    return quantiles / np.sqrt(CELLS @ quantiles**2)


def beyond_age(age: FloatArray, shape: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,), (n,) mean and variance of a residual known to exceed `age`; past the shape's tail the normal's."""
    hazard = np.exp(-0.5 * age**2 - log_ndtr(-age)) / np.sqrt(2 * np.pi)
    place = np.searchsorted(shape, age, side="right")
    inside = place < len(shape) - 3
    at = np.minimum(place, len(shape) - 1)
    mass, first, second = (np.cumsum((CELLS * shape**power)[::-1])[::-1][at] for power in range(3))
    mean = np.where(inside, first / mass, hazard)
    variance = np.where(inside, second / mass - mean**2, 1 + age * hazard - hazard**2)
    return mean, np.clip(variance, 0.0, 1.0)


def redistribute(days: FloatArray, weights: FloatArray, arrived: BoolArray) -> FloatArray:
    """Weights after each censored row's has moved to the longer rows; rows beyond the last arrival keep their own.

    Efron's redistribution to the right (1967): weights of arrived rows are the jumps of the Kaplan-Meier estimate.
    """
    order = np.lexsort((~arrived, days))
    came, mass = arrived[order], weights[order]
    at_risk = np.cumsum(mass[::-1])[::-1]
    hazard = np.where(came & (at_risk > 0), mass / np.maximum(at_risk, 1e-300), 0.0)
    survival = np.concatenate([[1.0], np.cumprod(1 - hazard)])
    jumps = hazard * survival[:-1] * float(weights.sum())
    later = np.flatnonzero(came)[-1] + 1 if came.any() else 0
    left = survival[later] * float(weights.sum())
    tail = mass[later:]
    if tail.size and left > 0:
        jumps[later:] = left * tail / tail.sum()
    result = np.empty_like(weights)
    result[order] = jumps
    return result


def pooled_shape(residuals: FloatArray, weights: FloatArray, arrived: BoolArray, prior_weight: float) -> FloatArray:
    """(K,) quantiles at LEVELS with mean 0 and variance 1: observed residuals blended with the normal's."""
    normal = normal_shape()
    return _blended(_observed(residuals, weights, arrived), normal, len(residuals), prior_weight)


def _blended(observed: FloatArray | None, prior: FloatArray, count: int, prior_weight: float) -> FloatArray:
    """Quantiles averaged by weight (Vincent 1912), with mean 0 and variance 1: location and spread are the model's."""
    centred = prior if observed is None else observed - CELLS @ observed
    spread = float(np.sqrt(CELLS @ centred**2))
    if observed is None or spread < SMALLEST_SPREAD:
        return prior
    mixed = (count * centred / spread + prior_weight * prior) / (count + prior_weight)
    return mixed / np.sqrt(CELLS @ mixed**2)


def _observed(residuals: FloatArray, weights: FloatArray, arrived: BoolArray) -> FloatArray | None:
    """(K,) quantiles of the Kaplan-Meier estimate; censored rows beyond the last arrival stay where they are."""
    if arrived.sum() < 3:
        return None
    mass = redistribute(residuals, weights / weights.sum(), arrived)
    order = np.argsort(residuals, kind="stable")
    jumps, found = mass[order], residuals[order]
    kept = jumps > 0
    return np.interp(LEVELS, (np.cumsum(jumps) - jumps / 2)[kept], found[kept])
