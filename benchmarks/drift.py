"""How soon a shift of 1.5 standard deviations is found, and how often a calm history is thought to have shifted.

Baselines are estimated from 24 to 52 observations, by our detector and by the plain CUSUM beside it (mean and
standard deviation of the baseline, k = 0.5, h = 4 and 5; an alarm sets it to zero again). A delay counts the first
shifted observation as 1; a shift that gives no alarm before its history ends is missed and counts as slower than
any other. `JIT_SHARED_DATA` names the folder of real data; without it only simulated histories are measured.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, quick_asked, report
from tools.domain.arrays import BoolArray, FloatArray
from tools.drift import DriftSettings
from tools.drift.alarms import find_changes
from tools.drift.change_points import tabular_cusum
from tools.forecasting.patterns import DemandPattern, classify

SHIFT_SD = 1.5
BASELINES = (24, 36, 52)
CALM = 40
SHIFTED = 24
SHARED = Path(os.environ.get("JIT_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class Histories:
    """`values` (n, t) with a shift from `shift` on; alarms between `baseline` and `shift` are false."""

    values: FloatArray
    baseline: int
    shift: int


Found = list[list[int]]
"""Alarm places of each history."""


def ours(histories: Histories) -> Found:
    """Alarms of the product's change-point test with its default settings."""
    n, length = histories.values.shape
    ends = np.arange(1, n + 1, dtype=np.int64) * length
    places, _ = find_changes(histories.values.ravel(), ends, DriftSettings())
    found: Found = [[] for _ in range(n)]
    for at in places[:, 2].tolist():
        found[at // length].append(at % length)
    return found


def plain_cusum(limit: float) -> Callable[[Histories], Found]:
    """The textbook chart on the mean and standard deviation of the baseline."""

    def alarms(histories: Histories) -> Found:
        return [_cusum_alarms(row, histories.baseline, limit) for row in histories.values]

    return alarms


def _cusum_alarms(row: FloatArray, baseline: int, limit: float) -> list[int]:
    spread = float(row[:baseline].std(ddof=1))
    if spread <= 0:
        return []
    scaled = (row[baseline:] - row[:baseline].mean()) / spread
    found: list[int] = []
    begin = 0
    while begin < scaled.size:
        upper, lower = tabular_cusum(scaled[begin:], 0.5)
        over = np.flatnonzero(np.maximum(upper, lower) > limit)
        if not over.size:
            break
        begin += int(over[0]) + 1
        found.append(baseline + begin - 1)
    return found


def shifted(calm: FloatArray, shift: int, sd: FloatArray, up: BoolArray) -> FloatArray:
    """The histories (n, t) moved by `SHIFT_SD` of their standard deviation from `shift` on, never below zero."""
    moved = calm.copy()
    moved[:, shift:] += (np.where(up, 1.0, -1.0) * SHIFT_SD * sd)[:, None]
    return np.maximum(moved, 0.0)


def _directions(mean: FloatArray, sd: FloatArray, rng: np.random.Generator) -> BoolArray:
    """Up or down at random, but up where the shift down would not fit above zero."""
    return (rng.random(mean.size) < 0.5) | (mean < SHIFT_SD * sd)


def normal_demand(n: int, length: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Histories (n, length), their true means and standard deviations."""
    cv = rng.uniform(0.1, 0.3, n)
    return 100 * (1 + cv[:, None] * rng.normal(size=(n, length))), np.full(n, 100.0), 100 * cv


def gamma_demand(n: int, length: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Skewed demand with a coefficient of variation of 0.2 to 0.8."""
    cv = rng.uniform(0.2, 0.8, n)
    return 100 * rng.gamma(1 / cv[:, None] ** 2, cv[:, None] ** 2, (n, length)), np.full(n, 100.0), 100 * cv


def negative_binomial_demand(
    n: int, length: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Whole units, 2 to 30 a period, with 1.2 to 4 times the variance of a Poisson."""
    mean, ratio = rng.uniform(2, 30, n), rng.uniform(1.2, 4, n)
    units = rng.negative_binomial((mean / (ratio - 1))[:, None], (1 / ratio)[:, None], (n, length))
    return units.astype(np.float64), mean, np.sqrt(mean * ratio)


def lognormal_lead_times(n: int, length: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Whole days with a median of 20 to 150 and a log standard deviation of 0.15 to 0.6."""
    middle, spread = rng.uniform(20, 150, n), rng.uniform(0.15, 0.6, n)
    days = np.round(middle[:, None] * np.exp(spread[:, None] * rng.normal(size=(n, length))))
    mean = middle * np.exp(spread**2 / 2)
    return days, mean, mean * np.sqrt(np.expm1(spread**2))


def autocorrelated_demand(n: int, length: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Normal demand in which 0.3 of each period's deviation carries over to the next."""
    noise = rng.normal(size=(n, length))
    for place in range(1, length):
        noise[:, place] = 0.3 * noise[:, place - 1] + np.sqrt(1 - 0.3**2) * noise[:, place]
    return 100 + 20 * noise, np.full(n, 100.0), np.full(n, 20.0)


SIMULATED = {
    "level_normal": normal_demand,
    "level_gamma": gamma_demand,
    "level_negative_binomial": negative_binomial_demand,
    "lead_time_lognormal": lognormal_lead_times,
    "level_autocorrelated": autocorrelated_demand,
}


def simulated(name: str, rounds: int) -> Iterator[Histories]:
    """Histories of one kind, a third with each length of baseline."""
    rng = np.random.default_rng(list(SIMULATED).index(name))
    for baseline in BASELINES:
        shift = baseline + CALM
        calm, mean, sd = SIMULATED[name](rounds // len(BASELINES), shift + SHIFTED, rng)
        yield Histories(shifted(calm, shift, sd, _directions(mean, sd, rng)), baseline, shift)


def real_demand(shuffled: bool) -> Iterator[Histories]:
    """Weekly units of the smooth and erratic items of online_retail; shifted for the last 12 of 43 weeks."""
    import pandas as pd

    daily = pd.read_parquet(SHARED / "online_retail" / "daily.parquet", columns=["date", "sku", "units_ordered"])
    weeks = (daily["date"].max() - daily["date"]).dt.days // 7
    table = daily.assign(week=weeks.max() - weeks).pivot_table("units_ordered", "sku", "week", "sum", fill_value=0)
    rows = table.to_numpy(dtype=np.float64)[:, -43:]
    frequent = (DemandPattern.SMOOTH, DemandPattern.ERRATIC)
    kept = np.array([bool(row[:4].any()) and classify(row) in frequent for row in rows])
    yield _real(rows[kept], 24, 31, shuffled)


def real_lead_times(shuffled: bool) -> Iterator[Histories]:
    """Days from order to delivery of the SCMS vendors in the order of delivery, in pieces of 72 orders."""
    import pandas as pd

    names = ["vendor", "delivered_date", "po_so_no", "po_to_delivery_days"]
    sent = pd.read_parquet(SHARED / "scms" / "shipments_to_2013.parquet", columns=names)
    sent = sent[sent["po_to_delivery_days"].between(15, 400)]
    orders = sent.groupby(names[:3], as_index=False, sort=True)["po_to_delivery_days"].median()
    pieces: list[FloatArray] = []
    vendors = np.asarray(orders["vendor"], dtype=np.str_)
    spans = np.asarray(orders["po_to_delivery_days"], dtype=np.float64)
    for vendor in sorted(set(vendors.tolist())):
        days = spans[vendors == vendor]
        pieces += [days[begin : begin + 72] for begin in range(0, days.size - 71, 72)]
    yield _real(np.repeat(np.array(pieces), 20 if shuffled else 1, axis=0), 36, 52, shuffled)


def _real(rows: FloatArray, baseline: int, shift: int, shuffled: bool) -> Histories:
    rng = np.random.default_rng(5)
    calm = rng.permuted(rows, axis=1) if shuffled else rows
    mean, sd = rows.mean(axis=1), rows.std(axis=1, ddof=1)
    return Histories(shifted(calm, shift, sd, _directions(mean, sd, rng)), baseline, shift)


def scores(groups: list[Histories], detect: Callable[[Histories], Found]) -> tuple[float, float, float]:
    """Median delay, false alarms in 100 calm observations, and missed shifts in 100."""
    delays, false, calm = list[float](), 0, 0
    for histories in groups:
        calm += len(histories.values) * (histories.shift - histories.baseline)
        for alarms in detect(histories):
            false += sum(histories.baseline <= at < histories.shift for at in alarms)
            after = [at for at in alarms if at >= histories.shift]
            delays.append(after[0] - histories.shift + 1 if after else float("inf"))
    missed = 100 * float(np.mean(np.isinf(delays)))
    return float(np.median(delays)), 100 * false / calm, missed


def figures_of(name: str, groups: list[Histories], goals: tuple[str, str]) -> dict[str, Figure]:
    """Three figures of one kind of history beside the plain CUSUM's on the same ones."""
    found = scores(groups, ours)
    beside = zip(*(scores(groups, plain_cusum(limit)) for limit in (4.0, 5.0)), strict=True)
    told = [f"plain CUSUM h=4: {low:.3g}, h=5: {high:.3g}" for low, high in beside]
    names = (("median_delay", "observations"), ("false_alarms_percent", "%"), ("missed_percent", "%"))
    return {
        f"{name}_{figure}": Figure(value, unit, goal, yardstick)
        for (figure, unit), value, goal, yardstick in zip(names, found, (*goals, "stated"), told, strict=True)
    }


def measure(rounds: int) -> dict[str, Figure]:
    """All kinds of history, the simulated ones of level and lead time pooled first."""
    goals, stated = ("<= 5", "<= 1"), ("stated", "stated")
    groups = {name: list(simulated(name, rounds)) for name in SIMULATED}
    pooled = [one for name, found in groups.items() if name != "level_autocorrelated" for one in found]
    figures = figures_of("all", pooled, goals)
    figures = {name.removeprefix("all_"): figure for name, figure in figures.items()}
    for name, found in groups.items():
        figures |= figures_of(name, found, stated if name == "level_autocorrelated" else goals)
    if SHARED.is_dir():
        for name, read in (("level_real", real_demand), ("lead_time_real", real_lead_times)):
            figures |= figures_of(f"{name}_shuffled", list(read(shuffled=True)), goals)
            figures |= figures_of(name, list(read(shuffled=False)), stated)
    return figures


if __name__ == "__main__":
    print(report("drift", measure(900 if quick_asked() else 6000)))
