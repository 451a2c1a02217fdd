"""Demand over a random lead time: what ordering needs of a forecast.

In plain Python it is `tests/helpers/cases/lead_time_demand_in_words.py`; tests hold the two equal.
"""

import numpy as np

from tools.domain.arrays import FloatArray, IntArray


def lead_time_demand(
    paths: FloatArray, period_days: float, days: IntArray, probabilities: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Units (N,) ascending and their probabilities (N,), over paths (S, T) and lead times `days` (D,).

    Lead time and demand are independent. Within a period demand is spread evenly; beyond the horizon each path goes
    on at its own mean.
    """
    samples, periods = paths.shape
    passed = np.concatenate([np.zeros((samples, 1)), np.cumsum(paths, axis=1)], axis=1)
    spans = np.asarray(days, dtype=float) / period_days
    # a span of just the horizon takes the last period as its part, so that no index is beyond it
    whole = np.minimum(spans.astype(int), periods - 1)
    units = passed[:, whole] + (np.minimum(spans, periods) - whole) * paths[:, whole]
    # beyond the horizon the path goes on at its own mean, so that high paths stay high
    units += np.maximum(spans - periods, 0.0) * paths.mean(axis=1, keepdims=True)
    weights = np.broadcast_to(probabilities / samples, units.shape)
    order = np.argsort(units, axis=None, kind="stable")
    return units.ravel()[order], weights.ravel()[order]


def weighted_quantile(values: FloatArray, weights: FloatArray, level: float) -> float:
    """The least of the ascending values by which this share of the weight has come."""
    place = int(np.searchsorted(np.cumsum(weights), level - 1e-12))
    return float(values[min(place, values.size - 1)])
