"""Gap, time and memory of the scheduler on a catalogue under limits that bind, with the bound it proves itself."""

import argparse
import os
import resource
from collections.abc import Sequence
from time import perf_counter, process_time

import numpy as np

from benchmarks.cases.schedule_worlds import WorldSize, make_world
from benchmarks.figures import Figure, report
from tools.ordering.schedules.problem.schedule_check import verify_schedule
from tools.ordering.schedules.problem.statement import ScheduleOutcome, ScheduleProblem
from tools.ordering.schedules.solve import ScheduleProgress, solve_schedules

GOALS = {1_000: (1.0, 10.0), 10_000: (0.5, 60.0), 100_000: (1.0, 120.0)}
"""Gap in percent and seconds to reach, by number of items."""
YARDSTICK = "prototype: 2.0 % in 13 s at 1,000, 0.42 % in 200 s at 10,000, 1.58 % in 137 s at 100,000 items"
STEPS = (2.0, 1.0, 0.5, 0.25, 0.1)
"""Gaps in percent whose time is printed."""


def main(arguments: Sequence[str] | None = None) -> str:
    """Generate, solve, verify and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args(arguments)
    items = 1_000 if asked.quick else asked.items
    goal = GOALS[min(GOALS, key=lambda n: abs(np.log(n / items)))]
    solve_schedules(make_world(WorldSize(50)), time_limit_seconds=0.5)  # compile
    size = WorldSize(items, items_per_supplier=800 if items > 50_000 else 330, seed=asked.seed)
    problem = make_world(size)
    seconds = asked.seconds or goal[1]
    print(describe(size, problem))
    steps: list[ScheduleProgress] = []
    worked: list[float] = []
    started, cpu = perf_counter(), process_time()

    def note(step: ScheduleProgress) -> None:
        steps.append(step)
        worked.append(process_time() - cpu)

    outcome = solve_schedules(problem, time_limit_seconds=seconds, progress=note)
    wall, used = perf_counter() - started, process_time() - cpu
    print(history(steps, worked))
    print(f"wall {wall:.1f} s, processor {used:.1f} s of {os.cpu_count()} cores: {share_had(wall, used)}")
    return report("ordering_scale", figures(problem, outcome, steps, goal, wall))


def describe(size: WorldSize, problem: ScheduleProblem) -> str:
    """The generator's parameters, and how tight its limits are."""
    rows = sum(int(np.isfinite(p).sum()) for p in (problem.capacity, problem.budget, problem.storage))
    return f"{size}\nsuppliers {size.suppliers}, coupling rows {rows}, breaks {problem.break_packs.shape[1]}"


def share_had(wall: float, used: float) -> str:
    """How much of the machine the run had."""
    return f"{100 * used / wall / (os.cpu_count() or 1):.0f} % of the machine"


def history(steps: Sequence[ScheduleProgress], worked: Sequence[float]) -> str:
    """What each phase ended with and when each gap was reached, in seconds of the clock and of the processor."""
    lines = [f"{'phase':24} {'seconds':>8} {'processor':>9} {'bound':>16} {'cost':>16}"]
    for now, cpu, after in zip(steps, worked, [*steps[1:], None], strict=True):
        if after is None or after.phase != now.phase:
            lines.append(f"{now.phase:24} {now.seconds:8.2f} {cpu:9.2f} {now.lower_bound:16,.0f} {now.cost:16,.0f}")
    for percent in STEPS:
        at = next((j for j, step in enumerate(steps) if gap_percent(step) <= percent), None)
        when = "not reached" if at is None else f"after {steps[at].seconds:.2f} s, processor {worked[at]:.2f} s"
        lines.append(f"gap {percent:g} % {when}")
    return "\n".join(lines)


def gap_percent(step: ScheduleProgress) -> float:
    """(cost - bound) / bound of a moment."""
    return 100 * (step.cost - step.lower_bound) / abs(step.lower_bound)


def plannable(problem: ScheduleProblem, cost: float) -> float:
    """Cost beyond buying every item's mean requirement at its cheapest price: what planning can change."""
    return cost - float((problem.end_value * problem.requirement[:, -1].mean(axis=1)).sum())


def binding_percent(problem: ScheduleProblem, outcome: ScheduleOutcome) -> float:
    """Share of the limits whose price is above 0 by more than rounding."""
    prices = outcome.prices
    pairs = ((problem.capacity, prices.capacity), (problem.budget, prices.budget), (problem.storage, prices.storage))
    priced = np.concatenate([price[np.isfinite(limit)] / max(price.max(), 1e-12) for limit, price in pairs])
    return 100 * float((priced > 1e-2).mean())


def figures(
    problem: ScheduleProblem,
    outcome: ScheduleOutcome,
    steps: Sequence[ScheduleProgress],
    goal: tuple[float, float],
    wall: float,
) -> dict[str, Figure]:
    """The figures of DESIGN, and what else says how hard the instance is."""
    when = next((s.seconds for s in steps if gap_percent(s) <= goal[0]), float("inf"))
    share = 100 * (outcome.cost - outcome.lower_bound) / plannable(problem, outcome.lower_bound)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bound = f"bound {outcome.lower_bound:,.0f}, cost {outcome.cost:,.0f}"
    return {
        "gap_percent": Figure(100 * outcome.gap, "%", f"<= {goal[0]:g}", f"{YARDSTICK}; {bound}"),
        "gap_of_plannable_percent": Figure(share, "%", "", "cost beyond the mean requirement at its cheapest price"),
        "seconds": Figure(when, "s", f"<= {goal[1]:g}", f"until the gap was {goal[0]:g} %; ran for {wall:.1f} s"),
        "peak_mb": Figure(peak, "MB", "<= 2000", "prototype: 390 at 100,000 items"),
        "violations": Figure(len(verify_schedule(problem, outcome)), "count", "= 0", "independent verifier"),
        "binding_percent": Figure(binding_percent(problem, outcome), "% of limits", "", "price above 0"),
    }


if __name__ == "__main__":
    print(main())
