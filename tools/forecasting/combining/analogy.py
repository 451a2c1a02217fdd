"""New items by analogy: what their family sold says how much to expect, their own first periods correct it.

Empirical Bayes: the family gives a lognormal prior of the level, and a negative binomial (gamma-Poisson) likelihood of
the item's own first periods, as uncertain as siblings' first periods proved to be, turns it into a posterior. Paths of
siblings that sell about as much, scaled to levels drawn from the posterior, give season and spread.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from tools.domain.arrays import FloatArray, IntArray
from tools.forecasting.preparation.records import counted

LEAST_FAMILY = 4
"""Siblings below which the whole catalogue is asked instead."""
LEAST_LAUNCHES = 6
"""Siblings whose first periods must be on record before their launches are the analogy."""
MOST_SIBLINGS = 200
"""Of more, this many are taken, evenly spread over their levels."""
LAUNCH_MARGIN = 3
"""Periods that a first demand must come after the first recorded period to count as a launch."""
USUAL_SPREAD = 1.2
"""Standard deviation of log levels within a family before it is known; 95 % within a factor of ten either way."""
USUAL_SPREAD_WEIGHT = 3.0
"""Siblings that this assumption counts as."""
USUAL_NOISE = 1.0
"""Squared coefficient of variation of a first period around the coming level before it is known."""
USUAL_NOISE_WEIGHT = 6.0
"""Siblings that this assumption counts as."""
LEAST_LEVEL = 1e-6
"""Units per period below which a sibling sells nothing to speak of."""
HEADROOM = 2.0
"""A new item may sell this many times its best sibling; a lognormal's tail would reach far beyond."""
DONOR_WIDTH = 0.5
"""Standard deviation of the log distance in level at which a sibling still lends its paths."""
GRID = np.linspace(-5.0, 5.0, 401)
"""Standard normal points at which the posterior is evaluated."""


@dataclass(frozen=True, slots=True)
class Siblings:
    """What established items with demand say about a new one; J siblings, made by `gather`."""

    name: str
    """In words: `family ANTIMALARIALS`, `the catalogue`."""
    paths: FloatArray
    """(J, S, T) units: their forecasts."""
    histories: tuple[FloatArray, ...]
    """J times (n_j,) units per period, oldest first, each up to the same newest period; nan = unknown."""
    levels: FloatArray
    """(J,) mean forecast in units per period, above 0."""
    window: int
    """Periods on record in the catalogue: a history that begins later shows a launch."""


@dataclass(frozen=True, slots=True)
class Level:
    """Lognormal prior of the coming level, and how first periods relate to it."""

    log_mean: float
    """Of units per period."""
    log_sd: float
    ramp: float
    """Level of the first periods over the coming level."""
    noise: float
    """Squared coefficient of variation of the mean of the first periods around the coming level, beside Poisson's."""
    highest: float
    """Units per period beyond which the level is not taken to be, unless the own periods come near it."""
    siblings: int
    launches: bool
    """Whether it was learned at the same age; else from the siblings' present levels."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """Forecast by analogy: `paths` (S, T) units, non-negative, and the reason in words."""

    paths: FloatArray
    note: str


def lenders(levels: FloatArray) -> IntArray:
    """Places of the siblings to ask: those with forecast demand (J,); of too many, evenly spread over their levels."""
    found = np.flatnonzero(np.isfinite(levels) & (levels > LEAST_LEVEL))
    if found.size <= MOST_SIBLINGS:
        return found
    ordered = found[np.argsort(levels[found], kind="stable")]
    return np.sort(ordered[np.linspace(0, ordered.size - 1, MOST_SIBLINGS).round().astype(np.int64)])


def gather(name: str, paths: Sequence[FloatArray], histories: Sequence[FloatArray], window: int) -> Siblings:
    """Siblings that can lend: paths (S, T) and histories (n_j,) of established items, in the same order.

    Where paths are costly to make, choose by `lenders` first.
    """
    levels = np.array([lent.mean() for lent in paths])
    places = lenders(levels)
    lent = np.stack([paths[place] for place in places]) if places.size else np.empty((0, 0, 0))
    return Siblings(name, lent, tuple(histories[place] for place in places), levels[places], window)


def choose_siblings(family: Siblings, catalogue: Siblings) -> Siblings:
    """The family where it is large enough, else the whole catalogue."""
    return family if family.levels.size >= LEAST_FAMILY else catalogue


def new_item_paths(
    own: FloatArray,
    siblings: Siblings,
    shape: tuple[int, int],
    rng: np.random.Generator,
    prior: Level | None = None,
) -> NewItem:
    """Sample paths (S, T) of an item with few own periods (n,), n may be 0 and values nan, from its siblings.

    Wider than a sibling's forecast of the same level, because the level itself is uncertain. Same result for the same
    generator state. Without siblings the own periods are resampled. `prior` spares learning the same
    `learn_level(siblings, n, T)` again for each item of one age.
    """
    seen = np.maximum(own[np.isfinite(own)], 0.0)
    if siblings.levels.size == 0:
        return _alone(seen, shape, rng)
    learned = prior or learn_level(siblings, own.size, shape[1])
    known = replace(learned, noise=learned.noise * own.size / seen.size) if seen.size else learned
    levels = rng.permutation(posterior_levels(known, seen, shape[0]))
    return NewItem(_lent_paths(levels, siblings, shape[1], rng), _in_words(siblings.name, known, seen.size))


def learn_level(siblings: Siblings, age: int, horizon: int) -> Level:
    """Prior of a level `age` periods after the first, over the coming `horizon` periods.

    From siblings' launches where enough are on record, else from their present forecasts, with the noise of `age`
    periods before a stretch of history as the likelihood's.
    """
    first, coming = _launches(siblings, age, horizon)
    at_launch = coming.size >= LEAST_LAUNCHES
    if not at_launch:
        coming = siblings.levels
        first, later = _stretches(siblings, age, horizon)
    else:
        later = coming
    ramp = _ramp(first, later) if at_launch else 1.0
    logs = np.log(coming)
    spread = USUAL_SPREAD_WEIGHT * USUAL_SPREAD**2 + float(((logs - logs.mean()) ** 2).sum())
    spread = spread / (USUAL_SPREAD_WEIGHT + max(coming.size - 1, 0)) * (1 + 1 / coming.size)
    noise = _noise(first, ramp * later, age)
    highest = HEADROOM * float(coming.max())
    return Level(float(logs.mean()), float(np.sqrt(spread)), ramp, noise, highest, coming.size, at_launch)


def posterior_levels(prior: Level, seen: FloatArray, count: int) -> FloatArray:
    """(count,) evenly spaced quantiles, ascending, of the level in units per period given the own periods (k,).

    Prior lognormal; the own sum is negative binomial around k times the ramp times the level (a gamma mixture of
    Poissons with squared coefficient of variation `noise`). Evaluated on a grid: the pair is not conjugate.
    """
    logs = prior.log_mean + prior.log_sd * GRID
    if seen.size:
        own = np.log(max(float(seen.mean()) / prior.ramp, 1e-9))
        logs = np.union1d(logs, np.clip(own, logs[0] - 3, logs[-1] + 3) + 3 * np.sqrt(prior.noise) * GRID / GRID[-1])
    density = -0.5 * ((logs - prior.log_mean) / prior.log_sd) ** 2
    if seen.size:
        density += _log_likelihood(seen, prior, np.exp(logs))
    density[logs > np.log(max(prior.highest, HEADROOM**2 * _mean(seen) / prior.ramp))] = -np.inf
    weights = np.exp(density - density.max()) * np.gradient(logs)
    reached = np.cumsum(weights) - 0.5 * weights
    return np.exp(np.interp((np.arange(count) + 0.5) / count, reached / weights.sum(), logs))


def _log_likelihood(seen: FloatArray, prior: Level, levels: FloatArray) -> FloatArray:
    """(G,) of the sum of the own periods; real-valued sums through the gamma function."""
    total, expected, size = float(seen.sum()), seen.size * prior.ramp * levels, 1 / prior.noise
    return np.asarray(
        gammaln(total + size) - size * np.log1p(expected / size) - total * np.log1p(size / expected), dtype=np.float64
    )


def _launches(siblings: Siblings, age: int, horizon: int) -> tuple[FloatArray, FloatArray]:
    """(J,) mean of the first `age` periods, and of the following ones, of siblings whose launch is on record."""
    pairs: list[tuple[float, float]] = []
    for history in siblings.histories:
        positive = np.flatnonzero(history > 0)
        if positive.size == 0 or history.size - positive[0] > siblings.window - LAUNCH_MARGIN:
            continue
        life = history[positive[0] :]
        if life.size >= age + max(horizon // 2, 1):
            pairs.append((_mean(life[:age]), _mean(life[age : age + horizon])))
    return _positive_pairs(pairs)


def _stretches(siblings: Siblings, age: int, horizon: int) -> tuple[FloatArray, FloatArray]:
    """(J,) mean of `age` periods, and of those after, at the end of each established sibling's history."""
    pairs: list[tuple[float, float]] = []
    for history in siblings.histories:
        if history.size >= age + max(horizon // 2, 1):
            part = history[-(age + horizon) :]
            pairs.append((_mean(part[:age]), _mean(part[age:])))
    return _positive_pairs(pairs)


def _positive_pairs(pairs: list[tuple[float, float]]) -> tuple[FloatArray, FloatArray]:
    both = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    kept = both[np.isfinite(both).all(axis=1) & (both[:, 1] > LEAST_LEVEL)]
    return kept[:, 0], kept[:, 1]


def _mean(values: FloatArray) -> float:
    """Of the known values; 0 of none asked for, nan where all asked for are unknown."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else (0.0 if values.size == 0 else float("nan"))


def _ramp(first: FloatArray, later: FloatArray) -> float:
    """Level of first periods over later ones, from mean shares: zeros and giants count no more than others."""
    if not first.any():
        return 1.0
    share = float((first / (first + later)).mean())
    return share / (1 - share)


def _noise(first: FloatArray, expected: FloatArray, age: int) -> float:
    """Squared error of first periods relative to the middle of both, beyond Poisson's, drawn towards the usual one.

    The middle bounds what one sibling counts for (at most 4), where a ratio to a small mean would have no bound;
    m / (1 - m / 4) turns the mean m of it back into the squared coefficient of variation of a gamma variable (within
    a fifth up to 2).
    """
    usual = USUAL_NOISE / max(age, 1)
    if age == 0:
        return usual
    middle = (first + expected) / 2
    squares = ((first - expected) ** 2 - middle / age) / middle**2
    mean = (USUAL_NOISE_WEIGHT * usual + float(squares.sum())) / (USUAL_NOISE_WEIGHT + squares.size)
    return max(mean / (1 - mean / 4), 0.1 * usual)


def _lent_paths(levels: FloatArray, siblings: Siblings, horizon: int, rng: np.random.Generator) -> FloatArray:
    """(S, T): per drawn level (S,) one path of a sibling that sells about as much, scaled to it."""
    closeness = -0.5 * ((np.log(levels)[:, None] - np.log(siblings.levels)) / DONOR_WIDTH) ** 2
    reached = np.cumsum(np.exp(closeness - closeness.max(axis=1, keepdims=True)), axis=1)
    drawn = rng.random((2, levels.size))
    chosen = (reached < drawn[0][:, None] * reached[:, -1:]).sum(axis=1)
    rows = (drawn[1] * siblings.paths.shape[1]).astype(np.int64)
    return siblings.paths[chosen, rows, :horizon] * (levels / siblings.levels[chosen])[:, None]


def _alone(seen: FloatArray, shape: tuple[int, int], rng: np.random.Generator) -> NewItem:
    """Without siblings: own periods resampled, or nothing."""
    if seen.size == 0:
        return NewItem(np.zeros(shape), "no history, and no sibling with demand to compare with")
    return NewItem(rng.choice(seen, size=shape), f"only {seen.size} periods and no sibling with demand: resampled")


def _in_words(name: str, prior: Level, periods: int) -> str:
    age = "what they sold at the same age" if prior.launches else "their present levels"
    own = f", corrected by {periods} own period{'s' if periods > 1 else ''}" if periods else ", without own demand yet"
    return f"by analogy with {counted(prior.siblings, 'item')} of {name} ({age}){own}"
