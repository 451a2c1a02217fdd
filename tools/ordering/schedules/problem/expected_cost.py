"""Expected holding and shortage cost of cumulative orders, and the cost of given orders in plain NumPy."""

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.kernels import kernel
from tools.ordering.schedules.problem.statement import ScheduleOrders, ScheduleProblem


@kernel(error_model="numpy")
def add_period_cost(
    values: FloatArray,
    out: FloatArray,
    top: int,
    atoms: FloatArray,
    holding: float,
    shortage: float,
    credit: float,
) -> None:  # pragma: no cover - compiled
    """Set `out[k]` to `values[k]` plus the expected cost of a period that ends with k packs ordered in all.

    g(k) = holding E(k - R)+ + shortage E(R - k)+ - credit (k - E R); linear between neighbouring atoms.
    """
    n = atoms.size
    total = 0.0
    for q in range(n):
        total += atoms[q]
    below, k = 0.0, 0
    for q in range(n + 1):
        # within this stretch exactly the first q atoms lie at or below k
        end = top + 1
        if q < n:
            end = int(min(max(np.ceil(atoms[q]), 0.0), top + 1.0))
        # q atoms are covered and cost holding for one pack more, the others save shortage
        slope = (holding * q - shortage * (n - q)) / n - credit
        level = (shortage * (total - below) - holding * below) / n + credit * total / n
        if end > k:
            # slices spare the check for negative places, which would keep the compiler from using vectors
            source, target = values[k:end], out[k:end]
            level += slope * k
            for j in range(end - k):
                target[j] = source[j] + (level + slope * j)
            k = end
        if q < n:
            below += atoms[q]


@kernel(error_model="numpy")
def expected_stock(level: float, atoms: FloatArray) -> float:  # pragma: no cover - compiled
    """E(level - R)+ in packs."""
    total = 0.0
    for q in range(atoms.size):
        if atoms[q] < level:
            total += level - atoms[q]
    return total / atoms.size


def evaluate(problem: ScheduleProblem, orders: ScheduleOrders) -> FloatArray:
    """(N,) expected cost of the given orders: purchase, freight, ordering, holding and shortage, less the end value."""
    cost = np.zeros(problem.n_items)
    item = problem.source_item[orders.source]
    packs = orders.packs.astype(np.float64)
    paid = packs * (order_price(problem, orders) + problem.freight[orders.source]) + problem.fixed_cost[orders.source]
    np.add.at(cost, item, paid)
    level = cumulative_packs(problem, orders)
    over = level[:, :, None] - problem.requirement
    cost += problem.holding * np.maximum(over, 0.0).mean(axis=2).sum(axis=1)
    short = np.maximum(-over, 0.0).mean(axis=2).sum(axis=1)
    may = np.isfinite(problem.shortage)
    cost += np.where(may, np.where(may, problem.shortage, 0.0) * short, np.where(short > 1e-9, np.inf, 0.0))
    return cost - problem.end_value * over[:, -1].mean(axis=1)


def order_price(problem: ScheduleProblem, orders: ScheduleOrders) -> FloatArray:
    """Price per pack of each order, without freight, by its size."""
    price = problem.unit_price[orders.source].astype(np.float64)
    for column in range(problem.break_packs.shape[1]):
        reached = orders.packs >= problem.break_packs[orders.source, column]
        price = np.where(reached, problem.break_price[orders.source, column], price)
    return price


def cumulative_packs(problem: ScheduleProblem, orders: ScheduleOrders) -> IntArray:
    """(N, T) packs arrived up to the end of each period."""
    arrival = orders.period + problem.lead[orders.source]
    inside = arrival < problem.horizon
    landed = np.zeros((problem.n_items, problem.horizon), dtype=np.int64)
    np.add.at(landed, (problem.source_item[orders.source[inside]], arrival[inside]), orders.packs[inside])
    return np.cumsum(landed, axis=1)
