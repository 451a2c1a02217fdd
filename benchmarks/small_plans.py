"""How long `plan_orders` takes for ten items with three sources each, 256 sample paths and 26 periods."""

import statistics
from time import perf_counter

import numpy as np

from benchmarks.cases.planning_worlds import random_snapshot
from benchmarks.figures import Figure, quick_asked, report
from tools.domain.snapshots import OrderingSettings, SharedLimits
from tools.ordering import plan_orders, verify


def measure(rounds: int) -> dict[str, Figure]:
    """Median and slowest of fresh problems, without and with a budget that binds."""
    settings = OrderingSettings()
    free, bound, gaps, broken = list[float](), list[float](), list[float](), 0
    for seed in range(rounds):
        snapshot = random_snapshot(10, seed=seed)
        started = perf_counter()
        plan = plan_orders(snapshot, settings)
        free.append(1000 * (perf_counter() - started))
        budget = 0.7 * sum(line.value for line in plan.lines)
        limited = random_snapshot(10, seed=seed, limits=SharedLimits(budget=budget))
        started = perf_counter()
        tight = plan_orders(limited, settings)
        bound.append(1000 * (perf_counter() - started))
        gaps.append(100 * tight.gap)
        broken += len(verify(snapshot, plan)) + len(verify(limited, tight))
    yardstick = "ten items in 20 ms, so that a simulator can ask thousands of times"
    return {
        "median_ms": Figure(statistics.median(free), "ms", "<= 20", yardstick),
        "p95_ms": Figure(float(np.quantile(free, 0.95)), "ms", "<= 20", yardstick),
        "median_ms_with_budget": Figure(statistics.median(bound), "ms", "<= 20", yardstick),
        "gap_percent_with_budget": Figure(statistics.mean(gaps), "%", "<= 2", "linear relaxation of its choice"),
        "violations": Figure(broken, "count", "= 0", "independent verifier"),
    }


if __name__ == "__main__":
    measure(2)
    print(report("small_plans", measure(15 if quick_asked() else 60)))
