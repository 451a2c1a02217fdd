"""How fast the default ensemble forecasts a catalogue with intervals, beside statsforecast's AutoETS."""

import resource
import warnings
from importlib import import_module
from time import perf_counter, process_time

import numpy as np

from benchmarks.figures import Figure, quick_asked, report
from tools.domain.arrays import FloatArray
from tools.domain.datasets import Period
from tools.forecasting.accuracy import LEVELS
from tools.forecasting.engine import fit_catalogue
from tools.forecasting.engine.panel import Panel

MONTHLY, MONTHS, MONTHS_AHEAD = 10_000, 72, 12
WEEKLY, WEEKS, WEEKS_AHEAD = 100_000, 156, 13
PEER_SERIES, ROUNDS = 40, 3


def demand(items: int, periods: int, season: float, seed: int) -> FloatArray:
    """(N, n) whole units: levels from a lognormal, gamma noise, half of the items with a season, a tenth with trend."""
    rng = np.random.default_rng(seed)
    time = np.arange(periods)
    phase, seasonal = rng.uniform(0, 2 * np.pi, (items, 1)), rng.random((items, 1)) < 0.5
    shape = 1 + 0.3 * seasonal * np.sin(2 * np.pi * time / season + phase)
    shape *= 1 + (rng.random((items, 1)) < 0.1) * time / periods
    return np.round(rng.gamma(6, 1 / 6, (items, periods)) * shape * rng.lognormal(3, 1, (items, 1)))


def ours(values: FloatArray, period: Period, horizon: int) -> tuple[float, float]:
    """Processor seconds and seconds on the clock for forecasts and quantiles of all rows, best of a few."""
    panel = Panel(values, np.zeros(len(values), dtype=np.int64), period)
    best = (np.inf, np.inf)
    for _ in range(ROUNDS):
        busy, clock = process_time(), perf_counter()
        fit_catalogue(panel, horizon).quantiles(LEVELS)
        best = min(best, (process_time() - busy, perf_counter() - clock))
    return best


def auto_ets(values: FloatArray, season: int, horizon: int) -> float:
    """Processor seconds a series of AutoETS with intervals, after one that is not counted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = import_module("statsforecast.models").AutoETS(season_length=season)
        model.forecast(y=values[0], h=horizon, level=[50, 80, 95])
        busy = process_time()
        for row in values[1:]:
            model.forecast(y=row, h=horizon, level=[50, 80, 95])
        return (process_time() - busy) / (len(values) - 1)


def measure(quick: bool) -> dict[str, Figure]:
    """Series a core-second on monthly demand, beside AutoETS; clock and memory of a large weekly catalogue."""
    monthly = demand(MONTHLY, MONTHS, 12, seed=1)
    ours(monthly[:50], Period.MONTH, MONTHS_AHEAD)
    busy, _ = ours(monthly, Period.MONTH, MONTHS_AHEAD)
    peer = auto_ets(monthly[: PEER_SERIES // 2 if quick else PEER_SERIES], 12, MONTHS_AHEAD)
    large = WEEKLY
    weekly_busy, weekly_clock = ours(demand(large, WEEKS, 365.25 / 7, seed=2), Period.WEEK, WEEKS_AHEAD)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    monthly_words, weekly_words = f"{MONTHLY:,} series of {MONTHS} months", f"{large:,} series of {WEEKS} weeks"
    return {
        "series_per_core_second": Figure(MONTHLY / busy, "series", ">= 10000", monthly_words),
        "ratio_to_autoets": Figure(peer * MONTHLY / busy, "times", ">= 100", f"AutoETS, {1000 * peer:.0f} ms a series"),
        "weekly_seconds": Figure(weekly_clock, "s", "<= 10, goal 1", f"{weekly_words}, both cores"),
        "weekly_series_per_core_second": Figure(large / weekly_busy, "series", ">= 10000", weekly_words),
        "peak_mb": Figure(peak, "MB", "<= 2048", "whole process, with the generated demand"),
    }


if __name__ == "__main__":
    print(report("forecasting_speed", measure(quick_asked())))
