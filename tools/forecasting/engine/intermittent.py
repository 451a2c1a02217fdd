"""Intermittent demand: negative binomial and compound bootstrap paths around a forecast rate."""

import numpy as np

from tools.domain.arrays import FloatArray

RATE_SPREAD = 0.8
"""Squared coefficient of variation of the rate over the horizon: it wanders, and is known from few demands.

Of 0, 0.3 and 0.8 this covered lead-time demand best on weekly retail demand."""
LEAST_DISPERSION = 1.05
"""Variance over mean of a period's demand at least; below it the negative binomial is a Poisson."""
SIZE_HALF_LIFE = 52.0
"""Periods after which an observed size counts half: sizes change over the years."""


def compound_bootstrap(history: FloatArray, rate: FloatArray, paths: int, rng: np.random.Generator) -> FloatArray:
    """(S, T) units: demand occurs by chance, its size is one that was seen (Willemain, Smart and Schwarz 2004).

    `history` (n,) with some demand, nan where unknown; `rate` (T,) expected units per period.
    """
    places = np.flatnonzero(history > 0)
    sizes = history[places]
    weights = 0.5 ** ((history.size - 1 - places) / SIZE_HALF_LIFE)
    weights /= weights.sum()
    chance = np.clip(rate / float(sizes @ weights), 0.0, 1.0)
    occurs = rng.random((paths, rate.size)) < np.minimum(chance * _rates(paths, rng), 1.0)
    return np.where(occurs, rng.choice(sizes, size=occurs.shape, p=weights), 0.0)


def negative_binomial(history: FloatArray, rate: FloatArray, paths: int, rng: np.random.Generator) -> FloatArray:
    """(S, T) whole units around `rate` (T,), with the variance over the mean that the history (n,) shows."""
    known = history[np.isfinite(history)]
    dispersion = max(float(known.var() / known.mean()), LEAST_DISPERSION) if known.any() else LEAST_DISPERSION
    shape = np.maximum(rate, 1e-9) / (dispersion - 1)
    return rng.poisson(rng.gamma(shape, dispersion - 1, (paths, rate.size)) * _rates(paths, rng)).astype(np.float64)


def _rates(paths: int, rng: np.random.Generator) -> FloatArray:
    """(S, 1) factors with mean 1 on the rate of each path."""
    return rng.gamma(1 / RATE_SPREAD, RATE_SPREAD, (paths, 1))
