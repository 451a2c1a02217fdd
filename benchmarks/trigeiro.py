"""Capacitated lot sizing with set-up times: the scheduler beside HiGHS on the whole programme, at equal time.

Instances follow the design of Trigeiro, Thomas & McClain (1989). HiGHS gets the facility-location form of the
programme, the strongest we know, one thread and the same seconds. Both gaps are to the better of the two bounds.
"""

import argparse
import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from time import perf_counter

from benchmarks.cases.trigeiro_instances import Factors, cells, few_cells, trigeiro_instance
from benchmarks.figures import Figure, report
from tools.ordering.schedules.exact.certificate import certify
from tools.ordering.schedules.problem.schedule_check import expected_by_item, verify_schedule
from tools.ordering.schedules.problem.statement import ScheduleOrders, ScheduleProblem
from tools.ordering.schedules.solve import solve_schedules


@dataclass(frozen=True)
class Contest:
    """Both solvers on one instance, in money and seconds."""

    name: str
    cost: float
    bound: float
    seconds: float
    highs_cost: float
    highs_bound: float
    highs_seconds: float
    violations: int

    def gap_percent(self, cost: float) -> float:
        """Gap of a cost to the better bound."""
        best = max(self.bound, self.highs_bound)
        return 100 * (cost - best) / best


def compete(factors: Factors, seconds: float) -> Contest:
    """Solve one instance with both."""
    problem = trigeiro_instance(factors)
    started = perf_counter()
    ours = solve_schedules(problem, time_limit_seconds=seconds)
    between = perf_counter()
    proof = certify(problem, time_limit_seconds=seconds)
    ended = perf_counter()
    violations = len(verify_schedule(problem, ours)) + len(verify_schedule(problem, proof.orders))
    highs_cost = _cost(problem, proof.orders)
    times = between - started, ended - between
    return Contest(
        factors.name, ours.cost, ours.lower_bound, times[0], highs_cost, proof.lower_bound, times[1], violations
    )


def _cost(problem: ScheduleProblem, orders: ScheduleOrders) -> float:
    return float(expected_by_item(problem, orders)[0].sum())


def figures(contests: list[Contest]) -> dict[str, Figure]:
    """Mean gaps over the instances that both solved, and who solved how many; a late pack is no solution."""
    both = [c for c in contests if math.isfinite(c.cost) and math.isfinite(c.highs_cost)]
    gaps = [c.gap_percent(c.cost) for c in both]
    rival = [c.gap_percent(c.highs_cost) for c in both]
    wins = sum(c.cost < c.highs_cost * (1 - 1e-7) for c in contests)
    losses = sum(c.highs_cost < c.cost * (1 - 1e-7) for c in contests)
    yardstick = "better of HiGHS's bound and ours; instances that both solved"
    return {
        "mean_gap_percent": Figure(fmean(gaps), "%", f"<= {fmean(rival):.3g} (HiGHS)", yardstick),
        "mean_gap_percent_highs": Figure(fmean(rival), "%", "", "HiGHS, whole programme, equal time"),
        "max_gap_percent": Figure(max(gaps), "%", f"<= {max(rival):.3g} (HiGHS)", yardstick),
        "wins": Figure(wins, "count", "", "cheaper than HiGHS"),
        "losses": Figure(losses, "count", f"<= {wins}", "dearer than HiGHS"),
        "unsolved": Figure(_late(c.cost for c in contests), "count", "= 0", "no schedule without late packs"),
        "unsolved_highs": Figure(_late(c.highs_cost for c in contests), "count", "", "the same of HiGHS"),
        "mean_seconds": Figure(fmean(c.seconds for c in contests), "s", "", "ours"),
        "mean_seconds_highs": Figure(fmean(c.highs_seconds for c in contests), "s", "", "HiGHS"),
        "instances": Figure(len(contests), "count", "", "generated from the published design"),
        "violations": Figure(sum(c.violations for c in contests), "count", "= 0", "independent verifier"),
    }


def _late(costs: Iterable[float]) -> int:
    return sum(not math.isfinite(cost) for cost in costs)


def main() -> None:
    """Print each instance, then the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--seeds", type=int, default=1)
    options, _ = parser.parse_known_args()
    seconds = options.seconds or (4.0 if options.quick else 5.0)
    solve_schedules(trigeiro_instance(Factors(6, 15)), time_limit_seconds=0.5)
    print(f"{seconds:g} s each; {'instance':50}{'ours':>10}{'bound':>10}{'HiGHS':>10}{'bound':>10}{'gaps %':>14}")
    contests = list[Contest]()
    for factors in few_cells() if options.quick else cells(options.seeds):
        c = compete(factors, seconds)
        contests.append(c)
        numbers = f"{c.cost:10.0f}{c.bound:10.0f}{c.highs_cost:10.0f}{c.highs_bound:10.0f}"
        print(f"{c.name:61}{numbers}{c.gap_percent(c.cost):7.2f}{c.gap_percent(c.highs_cost):7.2f}", flush=True)
    print(report("trigeiro", figures(contests)))


if __name__ == "__main__":
    main()
