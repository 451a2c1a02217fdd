"""Scores of foretold lead times against outcomes, some of which are not known yet.

An order's outcome can be watched for a time known beforehand (from its sending to the last day of the record). The
continuous ranked probability score integrated over that window alone is proper, and needs no outcome beyond it
(threshold weighting, Gneiting and Ranjan 2011): late orders count, and no order is picked for having arrived early.
"""

from collections.abc import Sequence

import numpy as np

from tools.domain.arrays import FloatArray
from tools.lead_times import LeadTimeDistribution
from tools.lead_times.shapes import redistribute

LONGEST_DAYS = 800
GRID = np.arange(LONGEST_DAYS)


def cdf_table(made: Sequence[LeadTimeDistribution]) -> FloatArray:
    """(n, LONGEST_DAYS) P(T <= day)."""
    return np.stack([one.cdf(GRID) for one in made])


def empirical_table(samples: Sequence[FloatArray]) -> FloatArray:
    """(n, LONGEST_DAYS) share of each sample up to the day."""
    return np.stack([np.searchsorted(np.sort(days), GRID, side="right") / len(days) for days in samples])


def windowed_crps(table: FloatArray, days: FloatArray, window_days: FloatArray) -> FloatArray:
    """(n,) integral over the window of (F - 1{T <= day})^2; `days` is nan where nothing arrived within it."""
    arrived = np.where(np.isnan(days), np.inf, days)[:, None] <= GRID
    return (((table - arrived) ** 2) * (window_days[:, None] > GRID)).sum(axis=1)


def interval_coverage(made: Sequence[LeadTimeDistribution], days: FloatArray, window_days: FloatArray) -> float:
    """Share of outcomes within the central 80 %, by Kaplan-Meier over the probability transforms.

    Orders not arrived within their window are censored at the transform of its end: their weight moves to the orders
    with higher transforms, so that the share is that of all orders and not of those that came early.
    """
    known = ~np.isnan(days)
    at = np.where(known, days, window_days)
    transform = np.array([one.arrival_probability(float(day)) for one, day in zip(made, at, strict=True)])
    weight = redistribute(transform, np.full(len(days), 1 / len(days)), known)
    lower = np.array([one.quantile(0.1) for one in made])
    upper = np.array([one.quantile(0.9) for one in made])
    return float(weight[known & (days >= lower) & (days <= upper)].sum())
