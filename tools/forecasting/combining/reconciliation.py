"""Forecasts of items and of their family that add up: minimum-trace reconciliation of two levels.

Wickramasuriya, Athanasopoulos and Hyndman (2019) with a diagonal covariance of the base errors, which has a closed
form for two levels; kept non-negative as in Wickramasuriya, Turlach and Hyndman (2020). Whole catalogues at once.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from tools.domain.arrays import BoolArray, FloatArray, IntArray

NO_FAMILY = -1
"""Family index of an item that stands alone."""
TRUST_PRIOR = 8.0
"""Earlier periods that the assumption counts as that a family's forecast is as good as its items' sum."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Means that add up: `items` (N, T) and `families` (F, T) units per period, non-negative."""

    items: FloatArray
    families: FloatArray


def reconcile(
    item_means: FloatArray,
    item_variances: FloatArray,
    family_of: IntArray,
    family_means: FloatArray,
    family_variances: FloatArray,
) -> Reconciled:
    """Means of N items and F families over T periods, moved as little as their variances allow until they add up.

    Per family and period it minimises sum((x - m)^2 / w) + (sum(x) - M)^2 / W over x >= 0, with means m and error
    variances w (N, T) of the items, M and W (F, T) of the family. Without the bound that is the closed form
    x = m + w * (M - sum(m)) / (W + sum(w)).

    `family_of` (N,) holds places of families, `NO_FAMILY` for none. An item forecast at zero stays at zero, so that
    sample paths can follow. An item whose variance is unknown is as uncertain as it is large; a family whose mean or
    variance is unknown (nan, infinite) takes the sum of its items.
    """
    means = np.maximum(item_means, 0.0)
    belongs = _membership(family_of, len(family_means))
    wanted, spread = np.maximum(family_means, 0.0), family_variances
    trusted = np.isfinite(wanted) & np.isfinite(spread)
    weights = _item_weights(means, item_variances) * (family_of != NO_FAMILY)[:, None]
    moved = _moved(means, weights, belongs, np.where(trusted, wanted, np.inf), np.where(trusted, spread, np.inf))
    return Reconciled(moved, belongs @ moved)


def family_variances(family_errors: FloatArray, summed_errors: FloatArray, summed_variances: FloatArray) -> FloatArray:
    """(F, T) variance to give families in `reconcile`, from how they did beside the sum of their items.

    Errors (F, K) in units of the same K earlier periods (K may be 0, nan where one is missing): of the family's own
    forecast, and of its items' forecasts summed. The sum's variance (F, T) is scaled by the ratio of their mean squared
    errors, drawn towards one by `TRUST_PRIOR` periods; without a record both count the same, which puts the family
    halfway. A family that did worse is heard less, never shut out: on weekly and monthly demand a switch that shut it
    out gave up half of what reconciling gains for the items.
    """
    known = np.isfinite(family_errors) & np.isfinite(summed_errors)
    own = (np.where(known, family_errors, 0.0) ** 2).sum(axis=1)
    summed = (np.where(known, summed_errors, 0.0) ** 2).sum(axis=1)
    prior = TRUST_PRIOR * summed / np.maximum(known.sum(axis=1), 1)
    ratio = np.divide(own + prior, summed + prior, out=np.where(own > 0, np.inf, 1.0), where=summed > 0)
    return ratio[:, None] * np.maximum(summed_variances, np.finfo(np.float64).tiny)


def family_sums(values: FloatArray, family_of: IntArray, families: int) -> FloatArray:
    """(F, T) sums of items (N, T) by family; items with `NO_FAMILY` are left out."""
    return _membership(family_of, families) @ values


def _membership(family_of: IntArray, families: int) -> csr_array:
    """(F, N) with a one where the item belongs to the family."""
    members = np.flatnonzero(family_of != NO_FAMILY)
    shape = (families, family_of.size)
    return csr_array((np.ones(members.size), (family_of[members], members)), shape=shape)


def _item_weights(means: FloatArray, variances: FloatArray) -> FloatArray:
    known = np.where(np.isfinite(variances) & (variances >= 0), variances, means**2)
    return np.where(means > 0, known, 0.0)


def _moved(
    means: FloatArray, weights: FloatArray, belongs: csr_array, wanted: FloatArray, spread: FloatArray
) -> FloatArray:
    """Solution of the bounded problem by dropping items that would fall below zero until none does.

    Dropping one only lowers the multiplier of the others, so a dropped item never comes back and the end is the
    optimum; it takes a round or two, at most as many as the largest family has items.
    """
    active: BoolArray = np.ones(means.shape, dtype=np.bool_)
    while True:
        kept, heard = np.where(active, means, 0.0), np.where(active, weights, 0.0)
        room = spread + belongs @ heard
        gap = np.where(np.isfinite(wanted), wanted, 0.0) - belongs @ kept
        step = np.divide(gap, room, out=np.zeros_like(gap), where=(room > 0) & np.isfinite(room))
        moved = kept + heard * (belongs.T @ step)
        below = moved < 0
        if not below.any():
            return moved
        active &= ~below
