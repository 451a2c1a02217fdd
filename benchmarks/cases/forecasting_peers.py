"""The yardsticks of forecasting accuracy: statsforecast's models, alone and as a median ensemble."""

import hashlib
import importlib
import os
import warnings
from collections.abc import Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from tools.domain.arrays import FloatArray
from tools.forecasting.accuracy import INTERVALS, LEVELS

NAIVE = "SeasonalNaive"
WITH_INTERVALS = ("AutoETS", "AutoTheta", "AutoCES", "DynamicOptimizedTheta", NAIVE)
"""Models that state intervals of their own."""
POINTS_ONLY = ("CrostonSBA", "IMAPA", "TSB")
"""Models for intermittent demand: points only, with the normal distribution of their residuals."""
MEMBERS = ("AutoETS", "AutoTheta", "AutoCES")
ENSEMBLE = "median of AutoETS, AutoTheta, AutoCES"
TOTALS = "AutoETS by sample paths"
"""Quantiles of total demand up to each period, from sample paths of AutoETS."""
PATHS = 256
CHUNK = 10


@dataclass(frozen=True)
class PeerTask:
    """Series (n,) that end at one origin, the seasons to look for, and how far ahead."""

    values: tuple[FloatArray, ...]
    season: int
    horizon: int


def peer_quantiles(task: PeerTask, store: Path | None = None, pool: Executor | None = None) -> Mapping[str, FloatArray]:
    """(N, Q, T) quantiles by model over `LEVELS`, cut at zero; read from `store` where the same task was done.

    Those of `TOTALS` are of total demand, all others of demand per period.
    """
    file = store / f"{_digest(task)}.npz" if store else None
    if file and file.exists():
        with np.load(file) as saved:
            made = {name: saved[name].astype(np.float64) for name in saved.files}
    else:
        made = _computed(task, pool)
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(file, **made)  # pyright: ignore[reportArgumentType]
    return made | {ENSEMBLE: np.median([made[name] for name in MEMBERS], axis=0)}


def _digest(task: PeerTask) -> str:
    text = f"{version('statsforecast')}|{task.season}|{task.horizon}|{LEVELS}|{WITH_INTERVALS}|{POINTS_ONLY}|{TOTALS}"
    found = hashlib.sha256(text.encode())
    for values in task.values:
        found.update(values.size.to_bytes(4, "big") + values.tobytes())
    return found.hexdigest()[:24]


def process_pool() -> Executor:
    """Workers on all cores; each imports statsforecast once."""
    return ProcessPoolExecutor(os.cpu_count() or 1, mp_context=get_context("spawn"))


def _computed(task: PeerTask, pool: Executor | None) -> dict[str, FloatArray]:
    parts = [
        PeerTask(task.values[start : start + CHUNK], task.season, task.horizon)
        for start in range(0, len(task.values), CHUNK)
    ]
    done = list(pool.map(_of_part, parts) if pool else map(_of_part, parts))
    return {name: np.concatenate([part[name] for part in done]) for name in done[0]}


def _statsforecast() -> Any:
    """Imported only here, because it takes seconds, and only where peers are not read from a folder."""
    try:
        return importlib.import_module("statsforecast.models")
    except ImportError as error:
        raise ImportError("the yardstick statsforecast is not installed: make .venv/.development") from error


def _of_part(task: PeerTask) -> dict[str, FloatArray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sf = _statsforecast()
        made: dict[str, list[FloatArray]] = {name: [] for name in (*WITH_INTERVALS, *POINTS_ONLY, TOTALS)}
        for values in task.values:
            season = task.season if values.size >= 2 * task.season else 1
            naive = sf.SeasonalNaive(season_length=season)
            for name in WITH_INTERVALS:
                model = naive if name == NAIVE else getattr(sf, name)(season_length=season)
                made[name].append(_stated(model, naive, values, task.horizon))
            for name in POINTS_ONLY:
                model = sf.TSB(alpha_d=0.1, alpha_p=0.1) if name == "TSB" else getattr(sf, name)()
                made[name].append(_normal(model.forecast(y=values, h=task.horizon, fitted=True), values))
            made[TOTALS].append(_totals(sf.AutoETS(season_length=season), values, task.horizon))
    return {name: np.array(found) for name, found in made.items()}


def _totals(model: Any, values: FloatArray, horizon: int) -> FloatArray:
    """(Q, T) quantiles of demand summed up to each period, cut at zero after the sum: before, it would raise them."""
    paths = np.nan_to_num(np.asarray(model.simulate(h=horizon, n_paths=PATHS, y=values, seed=1), dtype=np.float64))
    return np.maximum(np.quantile(np.cumsum(paths, axis=1), LEVELS, axis=0), 0.0)


def _stated(model: Any, naive: Any, values: FloatArray, horizon: int) -> FloatArray:
    """The model's own intervals; those of the seasonal naive forecast where it cannot be fitted."""
    levels = [round(100 * level) for level in INTERVALS]
    try:
        found = model.forecast(y=values, h=horizon, level=levels)
    except (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError):
        found = naive.forecast(y=values, h=horizon, level=levels)
    rows = {0.5: found["mean"]}
    for level in levels:
        rows[round((1 - level / 100) / 2, 3)] = found[f"lo-{level}"]
        rows[round((1 + level / 100) / 2, 3)] = found[f"hi-{level}"]
    quantiles = np.array([rows[round(float(level), 3)] for level in LEVELS])
    if not np.isfinite(quantiles).all():
        quantiles = np.where(np.isfinite(quantiles), quantiles, found["mean"])
    return np.maximum(np.nan_to_num(quantiles), 0.0)


def _normal(found: Mapping[str, FloatArray], values: FloatArray) -> FloatArray:
    residuals = values - found["fitted"]
    known = residuals[np.isfinite(residuals)]
    spread = float(np.sqrt(np.mean(known**2))) if known.size else 0.0
    return np.maximum(found["mean"] + spread * np.asarray(norm.ppf(LEVELS))[:, None], 0.0)
