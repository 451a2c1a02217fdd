"""The models behind the forecasts: AutoETS and theta from statsforecast, and how errors become sample paths."""

import warnings
from typing import Any

import numpy as np

from tools.domain.arrays import FloatArray
from tools.forecasting.smoothing import Fitted, scaled_error

KNOWN_WARNINGS = (RuntimeWarning, DeprecationWarning, PendingDeprecationWarning, FutureWarning)
"""What statsforecast and its imports say of themselves: numeric edges and their own deprecations."""
CARRY = 0.1
"""Share of an error that lasts where the model does not say: the usual smoothing constant."""


def ensemble(values: FloatArray, horizon: int, season: int) -> Fitted:
    """Mean of AutoETS and DOT; what cannot be fitted is left out and said, and if neither can, a moving average."""
    found, failed = _members(values, horizon, season)
    if not found:
        return moving_average(values, horizon, "; ".join(failed))
    mean = np.mean([made["mean"] for made in found.values()], axis=0)
    residuals = values - np.mean([made["fitted"] for made in found.values()], axis=0)
    note = f"left out {'; '.join(failed)}" if failed else None
    return _plain(mean, residuals[np.isfinite(residuals)], "+".join(found), note, values)


def _members(values: FloatArray, horizon: int, season: int) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What each model gives, and why the others give nothing. Imported here because it takes seconds."""
    found: dict[str, dict[str, Any]] = {}
    failed: list[str] = []
    with warnings.catch_warnings():
        for category in KNOWN_WARNINGS:
            warnings.simplefilter("ignore", category)
        from statsforecast.models import AutoETS, DynamicOptimizedTheta

        members = {"AutoETS": AutoETS(season_length=season), "DOT": DynamicOptimizedTheta(season_length=season)}
        for name, model in members.items():
            try:
                made = model.forecast(y=values, h=horizon, fitted=True)
            except (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError) as error:
                failed.append(f"{name}: {error}")
                continue
            if np.isfinite(made["mean"]).all():
                found[name] = made
            else:
                failed.append(f"{name}: not finite")
    return found, failed


def moving_average(values: FloatArray, horizon: int, reason: str) -> Fitted:
    """Mean of the last 12 periods, with the reason for it."""
    recent = values[-12:]
    return _plain(np.full(horizon, recent.mean()), recent - recent.mean(), "moving-average", reason, values)


def _plain(mean: FloatArray, residuals: FloatArray, model: str, note: str | None, values: FloatArray) -> Fitted:
    carry = np.full(mean.size, CARRY)
    carry[:1] = 1.0
    error = scaled_error(values, residuals)
    return Fitted(np.maximum(mean, 0.0), residuals, carry, np.ones(mean.size), values.size, model, note, error)


def residual_paths(fitted: Fitted, shape: tuple[int, int], rng: np.random.Generator, spread: float = 1.0) -> FloatArray:
    """(S, T) paths: resampled one-step errors, each carried into later periods as the model does, cut at zero.

    The cut alone would raise the mean of a skewed series, so each period is scaled back to the forecast.
    `spread` widens or narrows the errors.
    """
    horizon = shape[1]
    centred = fitted.residuals - fitted.residuals.mean()
    shocks = rng.choice(centred, size=shape) * spread
    lags = np.subtract.outer(np.arange(horizon), np.arange(horizon))
    weights = np.where(lags.T >= 0, fitted.carry[np.abs(lags)], 0.0)
    raw = np.maximum(fitted.mean + (shocks @ weights) * fitted.scale, 0.0)
    means = raw.mean(axis=0)
    return raw * np.divide(fitted.mean, means, out=np.zeros(horizon), where=means > 0)
