"""Error trajectories of past forecasts, pooled over the items of a catalogue that are alike.

A forecast made at an earlier origin and what came after give a whole trajectory of errors, in units of the item's
own mean error at that origin. Items are alike when their level, their relative error and their share of periods
without demand are. Drawing whole trajectories keeps what matters for lead-time demand: how errors of successive
periods hang together, how they grow with the horizon, their skewness and the zeros. With enough origins the intervals
are those of split conformal prediction within each group (Lei et al. 2018), for single periods and for their sums.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv

from tools.domain.arrays import BoolArray, FloatArray, IntArray

PRIOR_OBSERVATIONS = 4.0
"""Observations' worth of the catalogue's usual error at a level in each item's own mean error."""
LEAST_SHARE = 0.1
"""An item's error is at least this share of its level."""
SMALL_LEAF, LEAF = 80, 240
"""Trajectories that a group of like items has at least: in a small catalogue, and in a large one."""
FEWEST_GROUPS = 60
"""Groups wanted before they grow beyond the small size."""
FAR_BELOW = -1e9
GOLDEN_RATIO = 0.6180339887498949
FEATURE_WEIGHTS = np.array([1.0, 1.0, 2.0])
"""How much level, relative error and zeros count for likeness: an item without zeros should not draw any."""
LARGEST_ERROR = 30.0
"""In mean errors: where an item had hardly any demand before it took off, the ratio says nothing to others."""
CENTRED = 0.5
"""Share of a group's mean error that is taken for chance, because few origins are behind it, and taken out."""
WIDENED = 0.75
"""Over the number of different blocks: how much wider intervals from so few must be (Student's t over the normal)."""
CHAINED = 0.5
"""Share of a trajectory's mean error that goes on when the horizon is longer than the trajectories."""


@dataclass(frozen=True)
class ErrorLaw:
    """The usual mean error at a level over a catalogue: log error = intercept + slope · log level."""

    intercept: float
    slope: float

    def steadied(self, error: FloatArray, level: FloatArray, observations: FloatArray) -> FloatArray:
        """Own mean errors drawn towards the usual one of their level by `PRIOR_OBSERVATIONS`."""
        usual = np.exp(self.intercept) * np.maximum(level, 1e-9) ** self.slope
        drawn = (error * observations + PRIOR_OBSERVATIONS * usual) / (observations + PRIOR_OBSERVATIONS)
        return np.maximum(drawn, LEAST_SHARE * level)


def error_law(error: FloatArray, level: FloatArray) -> ErrorLaw:
    """Least squares in logarithms; proportional to the level where there is too little to fit."""
    good = (error > 0) & (level > 0)
    x, y = np.log(level[good]), np.log(error[good])
    if x.size < 8 or x.std() < 0.1:
        return ErrorLaw(float((y - x).mean()) if x.size else float(np.log(0.5)), 1.0)
    slope, intercept = np.polyfit(x, y, 1)
    return ErrorLaw(float(intercept), float(np.clip(slope, 0.3, 1.2)))


@dataclass(frozen=True)
class Trajectories:
    """K past forecasts over L periods."""

    errors: FloatArray
    """(K, L) actual minus forecast, in mean errors."""
    zero: BoolArray
    """(K, L) whether no demand came."""
    features: FloatArray
    """(K, 3) as `features_of` gives them."""
    block: IntArray
    """(K,) number of the item and stretch of time: forecasts of one block saw much the same demand."""


def features_of(level: FloatArray, error: FloatArray, zero_share: FloatArray) -> FloatArray:
    """(R, 3) what makes items alike: log level, log relative error, share of periods without demand."""
    safe = np.maximum(level, 1e-9)
    return np.column_stack([np.log(safe), np.log(np.maximum(error, 1e-9) / safe), zero_share])


@dataclass(frozen=True)
class _Split:
    feature: int
    threshold: float
    below: "_Split | int"
    above: "_Split | int"


@dataclass(frozen=True)
class ErrorPool:
    """Groups of like items, each with the errors that its items draw from, as long as the horizon."""

    errors: tuple[FloatArray, ...]
    """Per group (K_g, T) centred errors in mean errors, sorted by their sum."""
    zero: tuple[BoolArray, ...]
    """Per group (K_g, T) whether no demand came."""
    root: "_Split | int"

    def group_of(self, features: FloatArray) -> IntArray:
        """(R,) group of items with these features."""
        groups = np.zeros(features.shape[0], dtype=np.int64)
        _descend(self.root, features, np.arange(features.shape[0]), groups)
        return groups

    def quantiles(self, levels: FloatArray) -> FloatArray:
        """(G, Q, T) quantiles of the errors of each group; far below any level where no demand came."""
        tables = [
            np.quantile(np.where(zero, FAR_BELOW, errors), levels, axis=0, method="nearest")
            for errors, zero in zip(self.errors, self.zero, strict=True)
        ]
        return np.stack(tables)


def pool_errors(found: Trajectories, horizon: int) -> ErrorPool:
    """Split the trajectories into groups of like items by halving the widest feature, and bring them to the horizon."""
    trajectories = _with_usual_ones(found)
    count = trajectories.errors.shape[0]
    leaf = int(np.clip(count // FEWEST_GROUPS, SMALL_LEAF, LEAF))
    members: list[IntArray] = []
    spread = (trajectories.features.std(axis=0) + 1e-9) / FEATURE_WEIGHTS

    def split(rows: IntArray) -> _Split | int:
        part = trajectories.features[rows] / spread
        middles = np.median(part, axis=0)
        feature = int(np.argmax([_width(part[:, f], middles[f]) for f in range(part.shape[1])]))
        above = part[:, feature] > middles[feature]
        if min(int(above.sum()), int((~above).sum())) < leaf:
            members.append(rows)
            return len(members) - 1
        return _Split(feature, float(middles[feature] * spread[feature]), split(rows[~above]), split(rows[above]))

    root = split(np.arange(count))
    blocks = [np.unique(trajectories.block[rows]).size for rows in members]
    made = [
        _extended(trajectories.errors[rows] * (1 + WIDENED / count), trajectories.zero[rows], horizon)
        for rows, count in zip(members, blocks, strict=True)
    ]
    return ErrorPool(tuple(errors for errors, _ in made), tuple(zero for _, zero in made), root)


def _with_usual_ones(found: Trajectories) -> Trajectories:
    """At least `SMALL_LEAF` trajectories: what is missing is made of gamma errors that last by a tenth."""
    missing = SMALL_LEAF - found.errors.shape[0]
    if missing <= 0:
        return found
    length = found.errors.shape[1]
    ranks = (np.arange(missing * length) * GOLDEN_RATIO) % 1.0
    shocks = (gammaincinv(2.0, 0.01 + 0.98 * ranks) - 2.0).reshape(missing, length)
    errors = shocks + 0.1 * (np.cumsum(shocks, axis=1) - shocks)
    centre = found.features.mean(axis=0) if found.errors.shape[0] else np.zeros(3)
    return Trajectories(
        np.concatenate([found.errors, errors]),
        np.concatenate([found.zero, np.zeros_like(errors, dtype=np.bool_)]),
        np.concatenate([found.features, np.tile(centre, (missing, 1))]),
        np.concatenate([found.block, -1 - np.arange(missing)]),
    )


def _width(values: FloatArray, middle: float) -> float:
    """How wide a feature is, if its median halves the rows at all."""
    share = float((values > middle).mean())
    low, high = np.quantile(values, [0.1, 0.9])
    return float(high - low) if 0.25 <= share <= 0.75 else 0.0


def _descend(node: "_Split | int", features: FloatArray, rows: IntArray, groups: IntArray) -> None:
    if isinstance(node, int):
        groups[rows] = node
        return
    above = features[rows, node.feature] > node.threshold
    _descend(node.below, features, rows[~above], groups)
    _descend(node.above, features, rows[above], groups)


def _extended(raw: FloatArray, zero: BoolArray, horizon: int) -> tuple[FloatArray, BoolArray]:
    """Errors brought closer to none on average, as long as the horizon, sorted by their sum, with their zeros.

    Beyond the trajectories' length another one goes on from a share of the mean error so far.
    """
    bounded = np.minimum(raw, LARGEST_ERROR)
    errors = bounded - CENTRED * bounded.mean(axis=0)
    parts, zeros, length = [errors], [zero], errors.shape[1]
    carried = _carried(errors)
    for turn in range(1, -(-horizon // length)):
        parts.append(np.roll(errors, 7 * turn, axis=0) + carried[:, None])
        zeros.append(np.roll(zero, 7 * turn, axis=0))
        carried = _carried(parts[-1])
    long: FloatArray = np.concatenate(parts, axis=1)[:, :horizon]
    order = np.argsort(long.sum(axis=1), kind="stable")
    return long[order], np.concatenate(zeros, axis=1)[order, :horizon]


def _carried(errors: FloatArray) -> FloatArray:
    """(K,) what of each trajectory's mean error goes on; none on average over the group."""
    means = errors.mean(axis=1)
    return CHAINED * (means - means.mean())
