"""The restricted master of Dantzig-Wolfe: prices at which the plans met so far share the limits best.

Its dual, max over prices >= 0 of sum over items of the cheapest priced plan less prices times limits, is solved as a
smooth concave problem: each item's minimum becomes a soft minimum of width `softness`, whose gradient mixes the plans
(their weights are the master's primal solution), and L-BFGS-B climbs it within a box around the best prices known.
Smoothing keeps the prices away from vertices as an interior point method does, without a factorisation: at 100,000
items every pair of suppliers shares items, so that an interior point's normal matrix is dense in 13,052 rows.
"""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.kernels import kernel
from tools.ordering.limits.solver import descend
from tools.ordering.schedules.column_generation.columns import AmountArray, PlanPool, RowArray
from tools.ordering.schedules.column_generation.item_sweeps import in_threads

BLOCK_ENTRIES = 500_000
"""Entries of the plans of one part; gradients are added part by part, so that threads do not change the result."""
MEMORY = 20
"""Steps that L-BFGS-B remembers."""


@kernel(error_model="numpy")
def _soft_minima(
    first: IntArray,
    cost: FloatArray,
    begin: IntArray,
    row: RowArray,
    amount: AmountArray,
    prices: FloatArray,
    softness: FloatArray,
    use: FloatArray,
) -> float:  # pragma: no cover - compiled
    """Sum over items of the soft minimum of the priced plans; adds the mixed plans' use to `use`.

    Item i of this block has the plans first[i] to first[i + 1].
    """
    total = 0.0
    widest = 0
    for i in range(first.size - 1):
        widest = max(widest, first[i + 1] - first[i])
    priced = np.empty(widest)
    for i in range(first.size - 1):
        base, count = first[i], first[i + 1] - first[i]
        best = np.inf
        for j in range(count):
            value = cost[base + j]
            for entry in range(begin[base + j], begin[base + j + 1]):
                value += prices[row[entry]] * amount[entry]
            priced[j] = value
            best = min(best, value)
        # the best is taken out before the exponential, so that nothing overflows
        mass = 0.0
        for j in range(count):
            priced[j] = np.exp((best - priced[j]) / softness[i])
            mass += priced[j]
        total += best - softness[i] * np.log(mass)
        for j in range(count):
            weight = priced[j] / mass
            # plans of next to no weight are most of them
            if weight > 1e-7:
                for entry in range(begin[base + j], begin[base + j + 1]):
                    use[row[entry]] += weight * amount[entry]
    return total


@dataclass(frozen=True)
class MasterAnswer:
    """Prices of the limits, and the value of the restricted dual there less what the smoothing took."""

    prices: FloatArray
    value: float


def master_prices(
    pool: PlanPool,
    limits: FloatArray,
    centre: FloatArray,
    upper: FloatArray,
    scale: FloatArray,
    softness: FloatArray,
    steps: int,
) -> MasterAnswer:
    """Climb the smoothed dual of the pool from `centre` within 0 .. `upper`; `softness` (N,) in money.

    `limits` is inf where there is none; prices there stay 0. Every item has at least one plan in the pool.
    """
    bound = np.isfinite(limits) & (upper > 0)
    first = np.searchsorted(pool.item, np.arange(softness.size + 1)).astype(np.int64)
    blocks = 1 + pool.row.size // BLOCK_ENTRIES
    cuts = np.linspace(0, softness.size, blocks + 1).astype(int)
    full = np.where(bound, limits, 0.0)
    size = max(1.0, float(np.abs(pool.cost).sum()) / max(pool.cost.size, 1) * softness.size) * 1e-5

    def block(part: int, prices: FloatArray) -> tuple[float, FloatArray]:
        low, high = cuts[part], cuts[part + 1]
        use = np.zeros(limits.size)
        total = _soft_minima(
            first[low : high + 1], pool.cost, pool.begin, pool.row, pool.amount, prices, softness[low:high], use
        )
        return total, use

    def fallen(y: FloatArray) -> tuple[float, FloatArray]:
        prices = np.zeros(limits.size)
        prices[bound] = y * scale[bound]
        parts = in_threads(lambda part: block(part, prices), range(blocks))
        value = sum(part[0] for part in parts) - float(prices @ full)
        slope = np.sum([part[1] for part in parts], axis=0) - full
        return -value / size, -(slope * scale)[bound] / size

    at = np.clip(centre[bound] / scale[bound], 0.0, upper[bound] / scale[bound])
    found, fell = descend(fallen, at, upper[bound] / scale[bound], steps=steps, memory=MEMORY)
    prices = np.zeros(limits.size)
    prices[bound] = found * scale[bound]
    return MasterAnswer(prices=prices, value=-fell * size)
