"""Compiled smoothing of a whole catalogue: every parameter of three models at once, one pass over each history.

Each row is walked through once. At every period all levels and trends of the grid move on and their one-step errors
are added up; at chosen origins and at the end the forecasts of each model are the mean over its grid, weighted by how
well each parameter has predicted so far. So every forecast of an origin uses nothing that came after it.
"""

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.kernels import kernel

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Float rules that the compiler may bend; nan keeps its meaning, because it marks unknown demand."""
ALPHAS = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 0.9])
"""Smoothing constants of the level and theta models."""
TREND_GRID = np.array(
    [(a, b, p) for a in (0.1, 0.2, 0.35, 0.6, 0.85) for b in (0.1, 0.3) for p in (0.8, 0.9, 0.97)]
).T.copy()
"""(3, G) smoothing constants of level and trend, and damping."""
KINDS = ("level", "theta", "damped")
WARM_UP = 4
"""Observations before the trend line and the error limit are trusted."""
ERROR_LIMIT = 4.0
"""An error beyond this many root mean squares counts as this many, so that one shock does not choose the model."""
DISCOUNT = 0.98
"""Of past squared errors per period: recent performance counts most."""
SCALE_DISCOUNT = 0.92
"""Of past absolute errors: how uncertain an item is changes faster than which model suits it."""
SHARPNESS = 0.25
"""Exponent on the ratio of squared errors per observation; half of what a normal likelihood has."""
ZERO_DISCOUNT = 0.97


@kernel()
def _head_level(row: FloatArray, first: int) -> float:  # pragma: no cover - compiled
    """Mean of the first third of the history, 4 to 12 periods."""
    length = max(4, min(12, (row.size - first) // 3))
    total, known = 0.0, 0
    for step in range(first, min(row.size, first + length)):
        if not np.isnan(row[step]):
            total += row[step]
            known += 1
    return total / known if known else 0.0


@kernel(fastmath=FAST)
def _step_levels(
    value: float,
    limit: float,
    half_slope: float,
    alphas: FloatArray,
    level: FloatArray,
    offset: FloatArray,
    squares: FloatArray,
    sizes: FloatArray,
    tilted_squares: FloatArray,
    tilted_sizes: FloatArray,
) -> None:  # pragma: no cover - compiled
    """Move levels on and add up errors of the level model, and of theta beside it."""
    for g in range(alphas.size):
        # errors first, then the levels: each is of a forecast made without this value
        plain = value - level[g]
        tilted = plain - half_slope * offset[g]
        level[g] += alphas[g] * plain
        # periods of drift by which a level with drift is ahead of the plain one
        offset[g] = 1.0 + (1.0 - alphas[g]) * offset[g]
        size = abs(plain)
        # the scale takes errors in full, the choice of a parameter limited ones
        sizes[g] = SCALE_DISCOUNT * sizes[g] + size
        size = size if size < limit else limit
        squares[g] = DISCOUNT * squares[g] + size * size
        size = abs(tilted)
        tilted_sizes[g] = SCALE_DISCOUNT * tilted_sizes[g] + size
        size = size if size < limit else limit
        tilted_squares[g] = DISCOUNT * tilted_squares[g] + size * size


@kernel(fastmath=FAST)
def _step_trends(
    value: float,
    limit: float,
    alphas: FloatArray,
    gains: FloatArray,
    dampings: FloatArray,
    level: FloatArray,
    trend: FloatArray,
    squares: FloatArray,
    sizes: FloatArray,
) -> None:  # pragma: no cover - compiled
    """Move damped trends on (Gardner and McKenzie 1985, error-correction form)."""
    for g in range(alphas.size):
        moved = dampings[g] * trend[g]
        predicted = level[g] + moved
        error = value - predicted
        level[g] = predicted + alphas[g] * error
        trend[g] = moved + gains[g] * error
        size = abs(error)
        sizes[g] = SCALE_DISCOUNT * sizes[g] + size
        size = size if size < limit else limit
        squares[g] = DISCOUNT * squares[g] + size * size


@kernel()
def _weigh(
    squares: FloatArray, sizes: FloatArray, observations: float, recent: float, weights: FloatArray
) -> float:  # pragma: no cover - compiled
    """Weights of a grid by its squared errors so far, which sum to 1; returns its mean absolute error."""
    least = squares[0]
    for g in range(1, squares.size):
        least = min(least, squares[g])
    least = max(least, 1e-12)
    total, error = 0.0, 0.0
    for g in range(squares.size):
        # relative to the least, so that the powers neither vanish nor overflow
        weights[g] = (least / max(squares[g], 1e-12)) ** (SHARPNESS * observations)
        total += weights[g]
    for g in range(squares.size):
        weights[g] /= total
        error += weights[g] * sizes[g]
    return error / max(recent, 1e-9)


@kernel()
def _look_ahead_level(
    level: FloatArray, offset: FloatArray, half_slope: float, weights: FloatArray, theta: FloatArray, ahead: FloatArray
) -> None:  # pragma: no cover - compiled
    """Rows 0 and 1 of `ahead`: the level, and theta with half the slope of the fitted line as drift.

    Theta as simple smoothing with drift: Hyndman and Billah 2003, equation 10.
    """
    plain, start = 0.0, 0.0
    for g in range(level.size):
        plain += weights[g] * level[g]
        start += theta[g] * (level[g] + half_slope * (offset[g] - 1.0))
    for h in range(ahead.shape[1]):
        ahead[0, h] = plain
        ahead[1, h] = start + half_slope * (h + 1)


@kernel()
def _look_ahead_trend(
    level: FloatArray, trend: FloatArray, dampings: FloatArray, weights: FloatArray, ahead: FloatArray
) -> None:  # pragma: no cover - compiled
    """Row 2 of `ahead`: the damped trends."""
    for h in range(ahead.shape[1]):
        ahead[2, h] = 0.0
    for g in range(dampings.size):
        reach, power = 0.0, 1.0
        for h in range(ahead.shape[1]):
            power *= dampings[g]
            # damping adds up phi + phi^2 + .. + phi^h periods of trend
            reach += power
            ahead[2, h] += weights[g] * (level[g] + reach * trend[g])


@kernel()
def _half_slope(sums: FloatArray) -> float:  # pragma: no cover - compiled
    """Half the least-squares slope from (count, sum x, sum y, sum xx, sum xy)."""
    spread = sums[0] * sums[3] - sums[1] * sums[1]
    if sums[0] < WARM_UP or spread <= 0.0:
        return 0.0
    return 0.5 * (sums[0] * sums[4] - sums[1] * sums[2]) / spread


@kernel()
def _count(value: float, x: float, sums: FloatArray, zeros: FloatArray) -> None:  # pragma: no cover - compiled
    """Take an observation into the sums of the fitted line and the discounted share of zeros."""
    sums[0] += 1.0
    sums[1] += x
    sums[2] += value
    sums[3] += x * x
    sums[4] += x * value
    zeros[0] = ZERO_DISCOUNT * zeros[0] + (1.0 if value <= 0.0 else 0.0)
    zeros[1] = ZERO_DISCOUNT * zeros[1] + 1.0


@kernel(
    "void(f8[:,::1], i8[::1], i8[::1], i8[::1], f8[::1], f8[:,::1], f8[:,:,::1], f8[:,::1], f8[:,:,:,::1], f8[:,:,::1])"
)
def smooth_rows(
    values: FloatArray,
    first: IntArray,
    origins: IntArray,
    slots: IntArray,
    alphas: FloatArray,
    grid: FloatArray,
    ahead: FloatArray,
    state: FloatArray,
    origin_ahead: FloatArray,
    origin_state: FloatArray,
) -> None:  # pragma: no cover - compiled
    """Smooth rows (N, n) from their first column on and fill the outputs.

    `ahead` (N, 3, T) forecasts of the three models and `state` (N, 4): mean one-step error of each model, share of
    recent periods without demand. Row i with a slot `slots[i]` >= 0 also fills `origin_ahead[slot]` (O, 3, L) and
    `origin_state[slot]` (O, 4): the same as seen when only the columns before each origin were known.
    """
    dampings, trend_alphas = grid[2], grid[0]
    gains = grid[0] * grid[1]
    size, trends = alphas.size, trend_alphas.size
    for i in range(values.shape[0]):
        row = values[i]
        start = _head_level(row, first[i])
        level, offset = np.full(size, start), np.zeros(size)
        squares, sizes = np.zeros(size), np.zeros(size)
        tilted_squares, tilted_sizes = np.zeros(size), np.zeros(size)
        trend_level, trend = np.full(trends, start), np.zeros(trends)
        trend_squares, trend_sizes = np.zeros(trends), np.zeros(trends)
        weights, theta, damped = np.zeros(size), np.zeros(size), np.zeros(trends)
        sums, zeros = np.zeros(5), np.zeros(2)
        observations, recent, place = 0.0, 0.0, 0
        for step in range(first[i], row.size + 1):
            # forecasts come before the step's own value is taken in: an origin knows only the past
            due = place < origins.size and origins[place] == step and slots[i] >= 0
            if due or step == row.size:
                target = ahead[i] if step == row.size else origin_ahead[slots[i], place]
                found = state[i] if step == row.size else origin_state[slots[i], place]
                found[0] = _weigh(squares, sizes, observations, recent, weights)
                found[1] = _weigh(tilted_squares, tilted_sizes, observations, recent, theta)
                found[2] = _weigh(trend_squares, trend_sizes, observations, recent, damped)
                found[3] = zeros[0] / max(zeros[1], 1e-9)
                _look_ahead_level(level, offset, _half_slope(sums), weights, theta, target)
                _look_ahead_trend(trend_level, trend, dampings, damped, target)
            # origins before the history begins get nothing
            while place < origins.size and origins[place] <= step:
                place += 1
            if step == row.size or np.isnan(row[step]):
                continue
            value, half = row[step], _half_slope(sums)
            limit = np.inf
            if sums[0] > WARM_UP:
                # of one middling constant, so that one error is limited alike for all
                limit = ERROR_LIMIT * np.sqrt(squares[2] / observations)
            _step_levels(value, limit, half, alphas, level, offset, squares, sizes, tilted_squares, tilted_sizes)
            _step_trends(value, limit, trend_alphas, gains, dampings, trend_level, trend, trend_squares, trend_sizes)
            observations = DISCOUNT * observations + 1.0
            recent = SCALE_DISCOUNT * recent + 1.0
            _count(value, step - first[i] + 0.0, sums, zeros)
