"""Plain reference of the compiled smoothing: one series, one parameter and one period at a time."""

import math

import numpy as np

from tools.forecasting.engine import kernels

Outcome = tuple[np.ndarray, np.ndarray]


def reference(values: np.ndarray, first: int, horizon: int) -> Outcome:
    """Forecasts (3, T) and state (4,) after the last column of one row, as the module's text describes them."""
    history = values[first:]
    known = [(place, value) for place, value in enumerate(history) if not math.isnan(value)]
    head = max(4, min(12, len(history) // 3))
    begun = [value for place, value in known if place < head]
    start = sum(begun) / len(begun) if begun else 0.0
    limits = error_limits(known, start)
    members = {
        "level": [levels(known, start, a, limits, theta=False, horizon=horizon) for a in kernels.ALPHAS],
        "theta": [levels(known, start, a, limits, theta=True, horizon=horizon) for a in kernels.ALPHAS],
        "damped": [damped(known, start, p, limits, horizon) for p in kernels.TREND_GRID.T],
    }
    observations = sum(kernels.DISCOUNT**age for age in range(len(known)))
    recent = sum(kernels.SCALE_DISCOUNT**age for age in range(len(known)))
    made = [combined(members[name], observations, recent) for name in kernels.KINDS]
    weights = [kernels.ZERO_DISCOUNT ** (len(known) - 1 - place) for place in range(len(known))]
    zero = sum(w for w, (_, value) in zip(weights, known, strict=True) if value <= 0)
    share = zero / max(sum(weights), 1e-9)
    return np.array([ahead for ahead, _ in made]), np.array([*(error for _, error in made), share])


def error_limits(known: list[tuple[int, float]], start: float) -> list[float]:
    """What an error counts at most at each observation: four root mean squares of the third level model so far."""
    alpha, level, square, weight, found = float(kernels.ALPHAS[2]), start, 0.0, 0.0, []
    for count, (_, value) in enumerate(known):
        limit = math.inf if count <= kernels.WARM_UP else kernels.ERROR_LIMIT * math.sqrt(square / weight)
        found.append(limit)
        error = min(abs(value - level), limit)
        square, weight = kernels.DISCOUNT * square + error**2, kernels.DISCOUNT * weight + 1
        level += alpha * (value - level)
    return found


def levels(known, start, alpha, limits, *, theta, horizon):
    """Forecast, squared and absolute errors of simple smoothing, with half the fitted slope as drift for theta."""
    level, square, size = start, 0.0, 0.0
    for count, (_, value) in enumerate(known):
        slope = half_slope(known[:count])
        drift = slope * (1 - (1 - alpha) ** count) / alpha if theta else 0.0
        error = abs(value - level - drift)
        size = kernels.SCALE_DISCOUNT * size + error
        square = kernels.DISCOUNT * square + min(error, limits[count]) ** 2
        level += alpha * (value - level)
    slope = half_slope(known) if theta else 0.0
    steps = np.arange(1, horizon + 1)
    return level + slope * (steps - 1 + (1 - (1 - alpha) ** len(known)) / alpha), square, size


def damped(known, start, parameters, limits, horizon):
    """The same of damped trend smoothing."""
    alpha, beta, phi = parameters
    level, trend, square, size = start, 0.0, 0.0, 0.0
    for count, (_, value) in enumerate(known):
        error = value - level - phi * trend
        level, trend = level + phi * trend + alpha * error, phi * trend + alpha * beta * error
        size = kernels.SCALE_DISCOUNT * size + abs(error)
        square = kernels.DISCOUNT * square + min(abs(error), limits[count]) ** 2
    return level + np.cumsum(phi ** np.arange(1, horizon + 1)) * trend, square, size


def half_slope(known: list[tuple[int, float]]) -> float:
    if len(known) < kernels.WARM_UP:
        return 0.0
    places, values = zip(*known, strict=True)
    return 0.5 * float(np.polyfit(places, values, 1)[0])


def combined(members, observations: float, recent: float) -> tuple[np.ndarray, float]:
    squares = np.array([max(square, 1e-12) for _, square, _ in members])
    weights = (squares.min() / squares) ** (kernels.SHARPNESS * observations)
    weights /= weights.sum()
    ahead = sum(w * forecast for w, (forecast, _, _) in zip(weights, members, strict=True))
    error = sum(w * size for w, (_, _, size) in zip(weights, members, strict=True)) / max(recent, 1e-9)
    return ahead, error
