"""The batch engine: all items of a catalogue smoothed at once, with errors pooled across items.

1. Seasons are found and divided out. 2. Three models (level, theta, damped trend) are smoothed over a grid of
parameters. 3. Their weights are those that predicted sums over the horizon best at earlier origins, by demand
pattern. 4. What the combination missed at those origins becomes a pool of error trajectories, from which every
item's distribution is drawn.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.forecasting.engine.kernels import ALPHAS, TREND_GRID, smooth_rows
from tools.forecasting.engine.panel import Panel
from tools.forecasting.engine.pooling import ErrorPool, Trajectories, error_law, features_of, pool_errors
from tools.forecasting.engine.seasonality import find_seasons
from tools.forecasting.patterns import PATTERNS, classify_rows

LEAST_HISTORY = 8
"""Periods known before the first origin that an item is tried from."""
POOLED_ROWS = 4000
POOLED_TRAJECTORIES = 32_000
"""Items and past forecasts that the pool is made of; more would not change it."""
LONGEST_TRAJECTORY = 13
"""Periods that an earlier forecast is held against at most: longer ones would all be old. The rest is chained."""
FEWEST_ORIGINS, MOST_ORIGINS = 6, 40
CHUNK_ROWS = 256
HEADROOM = 3.0
"""Largest demand of the last two years, or largest mean forecast, times this bounds every path."""
PRIOR_WEIGHTS = np.array([0.6, 0.2, 0.2])
"""Of level, theta and damped trend, before anything was seen."""
SEASON_COST = 12.0
"""Observations that a season takes from those that show the error."""
FREQUENT_PATTERNS = 2
"""Codes below this are demand in most periods: smooth and erratic."""
LARGEST_MISS = 6.0
"""A sum missed by more than this many mean errors counts as this many when models are weighed."""
OWN_SHARPNESS, OWN_PERIODS = 0.5, 50.0
"""Exponent per observation on the ratio of an item's own errors when models are weighed, and the most observations."""
PRIOR_FORECASTS = 400.0
"""Past forecasts' worth of those prior weights."""


@dataclass(frozen=True)
class CatalogueFit:
    """Predictive distributions of N items over T periods, in compact form."""

    mean: FloatArray
    """(N, T) units without season, not below 0."""
    season: FloatArray
    """(N, T) factor on mean and error."""
    error: FloatArray
    """(N,) the item's mean one-step error, in units without season."""
    most: FloatArray
    """(N,) units a period, without season, beyond which no path goes."""
    group: IntArray
    """(N,) of like items in `pool`."""
    pattern: IntArray
    """(N,) codes into `PATTERNS`."""
    weights: FloatArray
    """(N, 3) of level, theta and damped trend."""
    past: "EarlierForecasts"
    pool: ErrorPool

    def variances(self) -> FloatArray:
        """(N, T) of the demand of each period, in squared units."""
        shapes: FloatArray = np.stack([errors.var(axis=0) for errors in self.pool.errors])
        return (self.error[:, None] * self.season) ** 2 * shapes[self.group]

    def quantiles(self, levels: FloatArray) -> FloatArray:
        """(N, Q, T) quantiles per period."""
        tables = self.pool.quantiles(levels)
        result: FloatArray = np.empty((self.mean.shape[0], levels.size, self.mean.shape[1]))

        def fill(rows: slice) -> None:
            spread = self.error[rows, None, None] * tables[self.group[rows]]
            np.clip(self.mean[rows, None, :] + spread, 0.0, self.most[rows, None, None], out=spread)
            result[rows] = spread * self.season[rows, None, :]

        in_chunks(self.mean.shape[0], fill)
        return result


@dataclass(frozen=True)
class EarlierForecasts:
    """What was forecast for M of the N items from O earlier origins, and what came, over L periods without season."""

    rows: IntArray
    """(M,) of the catalogue."""
    origins: IntArray
    """(O,) columns of the panel that the forecasts begin at."""
    tried: BoolArray
    """(M, O) whether the item had enough history."""
    mean: FloatArray
    """(M, O, L)"""
    actual: FloatArray
    """(M, O, L) nan where unknown."""
    season: FloatArray
    """(M, O, L) factor that turns these figures into units as sold."""
    error: FloatArray
    """(M, O) mean one-step error then."""
    zero_share: FloatArray
    """(M, O) of periods without demand then."""
    observed: FloatArray
    """(M, O) periods since the first one."""

    def missed(self) -> FloatArray:
        """(M, O, L) actual minus forecast; 0 where unknown."""
        return np.where(np.isfinite(self.actual), self.actual - self.mean, 0.0)

    def blocks(self) -> IntArray:
        """(K,) number of the item and of the stretch of L periods that each tried forecast was held against."""
        item, origin = np.nonzero(self.tried)
        stretch = self.origins[origin] // max(self.mean.shape[2], 1)
        return item * (int(self.origins.max(initial=0)) + 1) + stretch

    def scaled_errors(self, panel: Panel) -> FloatArray:
        """(N,) mean absolute error over that of the naive forecast within the history (MASE); nan where not tried."""
        tried = self.tried.sum(axis=1)
        missed = np.abs(self.missed() * self.season).mean(axis=2)
        missed = (missed * self.tried).sum(axis=1) / np.maximum(tried, 1)
        steps = np.abs(np.diff(panel.values[self.rows], axis=1))
        known = np.isfinite(steps)
        naive = np.where(known, steps, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        able = (tried > 0) & (naive > 0)
        scaled = np.full(panel.size, np.nan)
        scaled[self.rows[able]] = missed[able] / naive[able]
        return scaled


@dataclass
class _Smoothed:
    """N rows, of which M pooled ones were also forecast from O origins over L periods."""

    panel: Panel
    chosen: IntArray
    """(M,) the pooled rows."""
    origins: IntArray
    ahead: FloatArray
    """(N, 3, T)"""
    state: FloatArray
    """(N, 4) mean error of each model, share of periods without demand."""
    season: FloatArray
    seasonal: BoolArray
    pattern: IntArray
    origin_ahead: FloatArray
    """(M, O, 3, L)"""
    origin_state: FloatArray
    """(M, O, 4)"""
    actual: FloatArray
    """(M, O, L) without season, nan where unknown."""
    origin_season: FloatArray
    """(M, O, L)"""

    @property
    def observed(self) -> FloatArray:
        """(N,) periods since each row's first."""
        return np.maximum(self.panel.width - self.panel.first, 0).astype(np.float64)


def in_chunks(count: int, work: Callable[[slice], None]) -> None:
    """Run the work on slices of rows in as many threads as there are processors; the kernels release the lock."""
    parts = [slice(start, min(start + CHUNK_ROWS, count)) for start in range(0, count, CHUNK_ROWS)]
    if len(parts) < 2:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        list(threads.map(work, parts))


def fit_catalogue(panel: Panel, horizon: int) -> CatalogueFit:
    """Forecast every row of the panel; rows without demand get zeros. Deterministic, whatever the threads."""
    made = _smoothed(panel, horizon)
    weights = _pattern_weights(made)
    past = _past_forecasts(made, weights)
    tried, level = past.tried, past.mean.mean(axis=2)[past.tried]
    law = error_law(past.error[tried], level)
    steady = law.steadied(past.error[tried], level, past.observed[tried])
    features = features_of(level, steady, past.zero_share[tried])
    shapes = Trajectories(past.missed()[tried] / steady[:, None], (past.actual == 0)[tried], features, past.blocks())
    pool = pool_errors(shapes, horizon)
    observed = made.observed
    mine = own_weights(weights[made.pattern], made.state[:, :3], observed)
    mean = np.maximum(np.einsum("nk,nkt->nt", mine, made.ahead), 0.0)
    own = law.steadied(np.einsum("nk,nk->n", mine, made.state[:, :3]), mean.mean(axis=1), observed)
    own *= np.where(made.seasonal, np.sqrt(observed / np.maximum(observed - SEASON_COST, 1.0)), 1.0)
    group = pool.group_of(features_of(mean.mean(axis=1), own, made.state[:, 3]))
    most = _largest(panel, mean)
    return CatalogueFit(mean, made.season, own, most, group, made.pattern, mine, past, pool)


def _largest(panel: Panel, mean: FloatArray) -> FloatArray:
    """(N,) most units a period that a path may hold: what was seen lately, or is expected, with headroom."""
    lately = panel.values[:, -2 * round(panel.period.per_year) :]
    seen = np.where(np.isfinite(lately), lately, 0.0).max(axis=1, initial=0.0)
    return HEADROOM * np.maximum(seen, mean.max(axis=1, initial=0.0))


def _smoothed(panel: Panel, horizon: int) -> _Smoothed:
    chosen = _pooled_rows(panel)
    origins, length = _origins(panel.width, horizon, chosen.size)
    count, pooled, tries = panel.size, chosen.size, origins.size
    made = _Smoothed(
        panel,
        chosen,
        origins,
        ahead=np.zeros((count, 3, horizon)),
        state=np.zeros((count, 4)),
        season=np.ones((count, horizon)),
        seasonal=np.zeros(count, dtype=np.bool_),
        pattern=classify_rows(panel.values),
        origin_ahead=np.zeros((pooled, tries, 3, length)),
        origin_state=np.zeros((pooled, tries, 4)),
        actual=np.full((pooled, tries, length), np.nan),
        origin_season=np.ones((pooled, tries, length)),
    )
    slots = np.full(count, -1, dtype=np.int64)
    slots[chosen] = np.arange(pooled)
    in_chunks(count, lambda rows: _smooth_chunk(made, rows, slots[rows]))
    return made


def _smooth_chunk(made: _Smoothed, rows: slice, slots: IntArray) -> None:
    """Fill in the rows of one chunk."""
    part = made.panel.rows(rows)
    seasons = find_seasons(part, made.pattern[rows] < FREQUENT_PATTERNS, made.ahead.shape[2])
    made.season[rows], made.seasonal[rows] = seasons.future, seasons.found
    adjusted = part.values / seasons.past if seasons.found.any() else part.values
    mine = slots >= 0
    for place, origin in enumerate(made.origins):
        came = slice(origin, origin + made.actual.shape[2])
        made.actual[slots[mine], place] = adjusted[mine, came]
        made.origin_season[slots[mine], place] = seasons.past[mine, came]
    smooth_rows(
        np.ascontiguousarray(adjusted),
        part.first,
        made.origins,
        slots,
        ALPHAS,
        TREND_GRID,
        made.ahead[rows],
        made.state[rows],
        made.origin_ahead,
        made.origin_state,
    )


def _pooled_rows(panel: Panel) -> IntArray:
    """Rows that can be forecast from an earlier origin, at most `POOLED_ROWS` spread evenly over the catalogue."""
    able = np.flatnonzero(panel.width - panel.first > LEAST_HISTORY)
    if able.size <= POOLED_ROWS:
        return able
    return able[np.linspace(0, able.size - 1, POOLED_ROWS).round().astype(np.int64)]


def _origins(width: int, horizon: int, pooled: int) -> tuple[IntArray, int]:
    """Columns that earlier forecasts begin at, and how many periods each is held against."""
    least = max(LEAST_HISTORY, width // 3)
    length = max(1, min(horizon, LONGEST_TRAJECTORY, -(-(width - least) // 2)))
    able = np.arange(least, width - length + 1)
    wanted = int(np.clip(POOLED_TRAJECTORIES // max(pooled, 1), FEWEST_ORIGINS, MOST_ORIGINS))
    if able.size > wanted:
        able = able[np.linspace(0, able.size - 1, wanted).round().astype(np.int64)]
    return able.astype(np.int64), length


def _tried(made: _Smoothed) -> BoolArray:
    """(M, O) whether the row had enough history at the origin, and something is known of what came."""
    begun = made.panel.first[made.chosen, None] + LEAST_HISTORY <= made.origins
    return begun & np.isfinite(made.actual).any(axis=2)


def _pattern_weights(made: _Smoothed) -> FloatArray:
    """(P, 3) weights of the models by pattern: least absolute error of the sum over the periods after each origin.

    Searched on a grid of the simplex, since sums are what orders cover, and drawn towards the prior by the number
    of forecasts seen.
    """
    steps = np.arange(0, 11)
    simplex = np.array([(a, b, 10 - a - b) for a in steps for b in steps if a + b <= 10]) / 10.0
    known = np.isfinite(made.actual)
    total = np.where(known, made.actual, 0.0).sum(axis=2)
    sums = (made.origin_ahead * known[:, :, None, :]).sum(axis=3)
    scale = np.maximum(made.origin_state[..., 0], 1e-9) * np.sqrt(np.maximum(known.sum(axis=2), 1))
    tried, codes = _tried(made) & (made.origin_state[..., 0] > 0), made.pattern[made.chosen]
    weights = np.tile(PRIOR_WEIGHTS, (len(PATTERNS), 1))
    for code in range(len(PATTERNS)):
        rows = tried & (codes == code)[:, None]
        count = int(rows.sum())
        if count == 0:
            continue
        missed = np.abs(total[rows, None] - np.maximum(sums[rows] @ simplex.T, 0.0)) / scale[rows, None]
        best = simplex[int(np.argmin(np.minimum(missed, LARGEST_MISS).mean(axis=0)))]
        weights[code] = (count * best + PRIOR_FORECASTS * PRIOR_WEIGHTS) / (count + PRIOR_FORECASTS)
    return weights


def own_weights(usual: FloatArray, error: FloatArray, observed: FloatArray) -> FloatArray:
    """Weights (..., 3) usual for the pattern, sharpened by the item's own mean one-step errors (..., 3) so far."""
    least = np.maximum(error.min(axis=-1, keepdims=True), 1e-12)
    power = OWN_SHARPNESS * np.minimum(observed, OWN_PERIODS)
    weights = usual * (least / np.maximum(error, least)) ** power[..., None]
    return weights / weights.sum(axis=-1, keepdims=True)


def _past_forecasts(made: _Smoothed, weights: FloatArray) -> EarlierForecasts:
    observed = np.maximum(made.origins - made.panel.first[made.chosen, None], 0).astype(np.float64)
    mine = own_weights(weights[made.pattern[made.chosen], None, :], made.origin_state[..., :3], observed)
    mean = np.maximum(np.einsum("mok,mokl->mol", mine, made.origin_ahead), 0.0)
    return EarlierForecasts(
        made.chosen,
        made.origins,
        _tried(made) & (mean.mean(axis=2) > 0),
        mean,
        made.actual,
        made.origin_season,
        error=np.einsum("mok,mok->mo", mine, made.origin_state[..., :3]),
        zero_share=made.origin_state[..., 3],
        observed=observed,
    )
