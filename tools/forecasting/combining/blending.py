"""A user's own forecast beside ours: scored over the past, weighed by its record, blended into the sample paths."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from tools.domain.arrays import BoolArray, DateArray, FloatArray
from tools.domain.datasets import Period, UserForecast
from tools.forecasting.combining.user_forecasts import MEDIAN, UserPeriods, in_periods

PRIOR_WEIGHT = 0.3
"""Weight of a user's forecast without a record: modest beside the half that Blattberg and Hoch (1990) found."""
PRIOR_PERIODS = 4.0
"""Past periods that the prior weight counts as."""
LARGEST_FACTOR = 4.0
"""Ours is scaled towards the user's mean up to this many times; beyond it our pattern says nothing of theirs."""
LEVEL_SHAPE = 4.0
"""Gamma shape of a user's mean where ours lends no pattern: coefficient of variation one half."""
LARGEST_SURPRISE = 100.0
"""Beyond this many times the most that ours holds possible, a user's figure for an established item is mistyped or in
another unit of measure. A spare part that sells one a quarter may well be told to sell fifty for a project."""
CENTRAL_80 = np.array([0.1, 0.9])


@dataclass(frozen=True, slots=True)
class PastForecasts:
    """Our own forecasts of K past periods, made before them, and what came."""

    starts: DateArray
    """(K,) first days."""
    actual: FloatArray
    """(K,) units; nan where demand is unknown."""
    means: FloatArray
    """(K,) units."""
    levels: FloatArray
    """(Q,) ascending."""
    quantiles: FloatArray
    """(Q, K) units."""


@dataclass(frozen=True, slots=True)
class UserScore:
    """A user's forecast beside ours over the past periods that have both; nan where nothing can be said.

    `wql` is the weighted quantile loss, 2 * pinball loss / demand, at the levels that the user gave, or at the median
    (absolute error / demand) for a forecast of means: ours is scored at the same levels. `bias` is (forecast -
    actual) / actual over all periods.
    """

    periods: int
    weight: float
    """Of the user's forecast in the blend, 0..1; 0 where it says nothing of the coming periods."""
    user_wql: float
    our_wql: float
    user_bias: float
    our_bias: float
    user_coverage_80: float
    our_coverage_80: float


@dataclass(frozen=True, slots=True)
class Blended:
    """Sample paths (S, T) units after the blend, the record behind its weight, and what was done in words."""

    paths: FloatArray
    score: UserScore
    notes: tuple[str, ...]


def past_of(starts: DateArray, actual: FloatArray, paths: FloatArray, levels: FloatArray) -> PastForecasts:
    """Our past forecasts from sample paths (S, K) of each past period."""
    quantiles = np.quantile(paths, levels, axis=0) if starts.size else np.empty((levels.size, 0))
    means = paths.mean(axis=0) if starts.size else np.empty(0)
    return PastForecasts(starts, actual, means, levels, quantiles)


def blend(
    paths: FloatArray,
    starts: DateArray,
    user: UserForecast,
    period: Period,
    past: PastForecasts,
    rng: np.random.Generator,
) -> Blended:
    """Our paths (S, T) of periods that begin on `starts` (T,), drawn towards the user's forecast where it has one.

    Rows dated in the past count as forecasts made for those periods, which nothing in the data proves. A mean scales
    the paths of its period; two or more quantiles average the quantile functions (Vincent averaging), each path moving
    at its own rank, so that dependence between periods stays. Never raises for what a user's forecast holds.
    """
    theirs = in_periods(user, period, np.concatenate([past.starts, starts]))
    behind, ahead = _split(theirs, past.starts.size)
    ahead, beyond = _believable(ahead, float(paths.max(initial=0.0)) if past.starts.size else 0.0)
    covered = ~np.isnan(ahead.means) | np.isfinite(ahead.quantiles).any(axis=0)
    score = scored(behind, past, heard=bool(covered.any()))
    blended = paths.astype(np.float64)
    for place in np.flatnonzero(covered):
        one = UserPeriods(ahead.means[[place]], ahead.levels, ahead.quantiles[:, [place]])
        blended[:, place] = _blended_period(blended[:, place], one, score.weight, rng)
    return Blended(blended, score, (*theirs.notes, *beyond, _in_words(score, int(covered.sum()), starts.size)))


def _believable(ahead: UserPeriods, most: float) -> tuple[UserPeriods, tuple[str, ...]]:
    """Without the periods far beyond `most`, the largest demand on our paths; 0 where ours cannot judge."""
    highest = np.fmax(ahead.means, np.fmax.reduce(ahead.quantiles, axis=0, initial=np.nan))
    beyond = highest > LARGEST_SURPRISE * most if most > 0 else np.zeros(highest.size, dtype=np.bool_)
    if not beyond.any():
        return ahead, ()
    count, largest = int(beyond.sum()), float(highest[beyond].max())
    words = (
        f"your forecast of {largest:.6g} units is over {LARGEST_SURPRISE:.0f} times the most that ours holds possible "
        f"({most:,.6g}): left out in {count} period{'s' if count > 1 else ''}"
    )
    means, quantiles = np.where(beyond, np.nan, ahead.means), np.where(beyond, np.nan, ahead.quantiles)
    return UserPeriods(means, ahead.levels, quantiles), (words,)


def scored(theirs: UserPeriods, past: PastForecasts, *, heard: bool = True) -> UserScore:
    """The record of the user's forecast of K past periods beside ours, and the weight that follows from it."""
    both = np.isfinite(theirs.means) & np.isfinite(past.actual) & np.isfinite(past.means)
    actual, user, ours = past.actual[both], theirs.means[both], past.means[both]
    weight = _weight(user - actual, ours - actual) if heard else 0.0
    user_wql, our_wql = _losses(theirs, past, both)
    return UserScore(
        int(both.sum()),
        weight,
        user_wql,
        our_wql,
        _bias(user, actual),
        _bias(ours, actual),
        _coverage_80(theirs.levels, theirs.quantiles[:, both], actual),
        _coverage_80(past.levels, past.quantiles[:, both], actual),
    )


def quantile_function(levels: FloatArray, values: FloatArray, at: FloatArray) -> FloatArray:
    """(A,) quantiles at probabilities `at`, from two or more `values` (Q,) at ascending `levels` (Q,).

    Linear in the normal score of the probability, between the levels and beyond them; not below 0.
    """
    known, wanted = ndtri(levels), ndtri(at)
    inner = np.interp(wanted, known, values)
    low = (values[1] - values[0]) / (known[1] - known[0]) * np.minimum(wanted - known[0], 0.0)
    high = (values[-1] - values[-2]) / (known[-1] - known[-2]) * np.maximum(wanted - known[-1], 0.0)
    return np.maximum(inner + low + high, 0.0)


def _split(theirs: UserPeriods, past: int) -> tuple[UserPeriods, UserPeriods]:
    behind = UserPeriods(theirs.means[:past], theirs.levels, theirs.quantiles[:, :past])
    return behind, UserPeriods(theirs.means[past:], theirs.levels, theirs.quantiles[:, past:])


def _weight(user_errors: FloatArray, our_errors: FloatArray) -> float:
    """Weight with the least squared error of the blend over the record (Bates and Granger 1969), drawn to the prior.

    For uncorrelated errors it is the inverse mean squared error's; errors that both make, such as noise of demand, tell
    nothing. The prior is `PRIOR_PERIODS` periods in which ours erred as it did on average, and the user's
    independently and so much more that the weight is `PRIOR_WEIGHT`.
    """
    prior = PRIOR_PERIODS * float((our_errors**2).mean()) if our_errors.size else 0.0
    gain = prior + float((our_errors * (our_errors - user_errors)).sum())
    apart = prior / PRIOR_WEIGHT + float(((our_errors - user_errors) ** 2).sum())
    return float(np.clip(gain / apart, 0.0, 1.0)) if apart > 0 else PRIOR_WEIGHT


def _losses(theirs: UserPeriods, past: PastForecasts, both: BoolArray) -> tuple[float, float]:
    """Weighted quantile loss of the user's forecast and of ours, at the levels that the user gave."""
    actual = past.actual[both]
    total = float(actual.sum())
    quantiles = theirs.quantiles[:, both]
    whole = np.isfinite(quantiles).all(axis=1) if actual.size else np.zeros(theirs.levels.size, dtype=np.bool_)
    levels = theirs.levels[whole] if whole.any() else np.array([MEDIAN])
    user = quantiles[whole] if whole.any() else theirs.means[None, both]
    if total <= 0:
        return float("nan"), float("nan")
    ours = np.array([_at(past.levels, column, levels) for column in past.quantiles[:, both].T]).T
    return _loss(actual, user, levels) / total, _loss(actual, ours, levels) / total


def _at(levels: FloatArray, values: FloatArray, at: FloatArray) -> FloatArray:
    return quantile_function(levels, values, at) if levels.size > 1 else np.repeat(values, at.size)


def _loss(actual: FloatArray, quantiles: FloatArray, levels: FloatArray) -> float:
    errors = actual - quantiles
    tilted = np.maximum(levels[:, None] * errors, (levels[:, None] - 1) * errors)
    return float(2 * tilted.mean(axis=0).sum())


def _bias(forecast: FloatArray, actual: FloatArray) -> float:
    total = float(actual.sum())
    return float(forecast.sum() - total) / total if total > 0 else float("nan")


def _coverage_80(levels: FloatArray, quantiles: FloatArray, actual: FloatArray) -> float:
    """Share inside the central 80 %, over periods whose quantiles reach that far; nan without any."""
    inside: list[bool] = []
    for column, value in zip(quantiles.T, actual, strict=True):
        there = np.isfinite(column)
        if there.any() and levels[there][0] <= CENTRAL_80[0] and levels[there][-1] >= CENTRAL_80[1]:
            low, high = quantile_function(levels[there], column[there], CENTRAL_80)
            inside.append(bool(low <= value <= high))
    return float(np.mean(inside)) if inside else float("nan")


def _blended_period(ours: FloatArray, theirs: UserPeriods, weight: float, rng: np.random.Generator) -> FloatArray:
    """(S,) units of one period."""
    there = np.isfinite(theirs.quantiles[:, 0])
    levels, values = theirs.levels[there], theirs.quantiles[there, 0]
    if levels.size > 1:
        return (1 - weight) * ours + weight * quantile_function(levels, values, _ranks(ours, rng))
    mean = float(ours.mean())
    wanted = float(theirs.means[0])
    if np.isnan(wanted):
        reached = float(np.quantile(ours, levels[0]))
        wanted = mean * float(values[0]) / reached if reached > 0 else float(values[0])
    if wanted <= LARGEST_FACTOR * mean:
        return ours * (1 - weight + weight * wanted / mean) if mean > 0 else ours
    spread = rng.gamma(LEVEL_SHAPE, size=ours.size)
    return (1 - weight) * ours + weight * wanted * spread / spread.mean()


def _ranks(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(S,) probability of each path within its period; equal ones, such as zeros, in random order."""
    ranks = np.empty(values.size)
    ranks[np.lexsort((rng.random(values.size), values))] = (np.arange(values.size) + 0.5) / values.size
    return ranks


def _in_words(score: UserScore, covered: int, horizon: int) -> str:
    if covered == 0:
        return "your forecast says nothing of the coming periods: ours stands alone"
    part = f"your forecast counts {score.weight:.0%} in {covered} of {horizon} periods"
    if score.periods == 0:
        return f"{part}: there is no past period to judge it by"
    past = f"{part}: judged by {score.periods} past period{'s' if score.periods > 1 else ''}"
    if np.isnan(score.user_wql):
        return f"{past} without demand"
    return f"{past}, where it lost {score.user_wql:.0%} of demand and ours {score.our_wql:.0%}"
