"""Intermittent demand: Croston's separation of when from how much, as a compound bootstrap."""

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.datasets import Period

SMOOTHING = 0.1
"""Croston's smoothing constant; 0.05 to 0.2 is usual (Syntetos and Boylan 2005)."""
SILENCE = 3.0
"""Intervals without demand after which the item is taken to be fading (Teunter, Syntetos and Babai 2011)."""
SIZE_HALF_LIFE_DAYS = 365.25
"""Age at which an observed size counts half."""


def demand_probability(values: FloatArray) -> float:
    """Probability of demand in a period (n,): Croston's smoothed interval with the Syntetos-Boylan correction.

    After a silence of more than three intervals the probability decays by the smoothing constant a period, as
    in the method of Teunter, Syntetos and Babai; Croston's alone would stay where it was for ever.
    """
    places = np.flatnonzero(values > 0)
    if places.size == 0:
        return 0.0
    interval = float(values.size / places.size)
    for gap in np.diff(places):
        interval += SMOOTHING * (float(gap) - interval)
    since = values.size - 1 - int(places[-1])
    fading = (1 - SMOOTHING) ** max(0.0, since - SILENCE * interval)
    return min(1.0, (1 - SMOOTHING / 2) / max(interval, 1.0)) * fading


def size_weights(values: FloatArray, period: Period) -> FloatArray:
    """Weight of each positive value (k,), recent ones more; they sum to 1."""
    ages = values.size - 1 - np.flatnonzero(values > 0)
    weights = 0.5 ** (ages * period.days / SIZE_HALF_LIFE_DAYS)
    return weights / weights.sum()


def compound_bootstrap(
    values: FloatArray, period: Period, shape: tuple[int, int], rng: np.random.Generator
) -> FloatArray:
    """(S, T) paths: Bernoulli occurrence with the smoothed probability times resampled sizes."""
    sizes = values[values > 0]
    occurs = rng.random(shape) < demand_probability(values)
    return np.where(occurs, rng.choice(sizes, size=shape, p=size_weights(values, period)), 0.0)
