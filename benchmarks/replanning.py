"""One supplier slips in a plan of a whole catalogue: what touches it is ordered again, within what all others leave.

The plan is a schedule of 26 periods with limits by period; the event takes away part of a supplier's capacity for the
next periods and makes its lead times longer. Measured are the time from the changed problem to the new schedule, the
violations that an independent verifier finds, and how much a computation from scratch would still save.
"""

import statistics
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from benchmarks.cases.schedule_worlds import WorldSize, make_world
from benchmarks.figures import Figure, quick_asked, report
from tools.ordering.schedules.problem.schedule_check import verify_schedule
from tools.ordering.schedules.problem.statement import ScheduleOutcome, ScheduleProblem
from tools.ordering.schedules.rescheduling import reschedule
from tools.ordering.schedules.solve import solve_schedules

LOST_SHARE, PERIODS, LATER = 0.4, 8, 1
"""The event: share of capacity lost, for how many periods, and periods added to the lead time of every source."""
EVENTS = 7


@dataclass(frozen=True)
class Event:
    """One supplier's slip, and what replanning did."""

    items: int
    milliseconds: float
    violations: int
    outcome: ScheduleOutcome


def slipped(problem: ScheduleProblem, supplier: int) -> ScheduleProblem:
    """The problem after the supplier's event."""
    capacity, lead = problem.capacity.copy(), problem.lead.copy()
    capacity[supplier, :PERIODS] *= 1 - LOST_SHARE
    lead[problem.source_supplier == supplier] += LATER
    return replace(problem, capacity=capacity, lead=lead)


def replanned(problem: ScheduleProblem, outcome: ScheduleOutcome, supplier: int) -> Event:
    """The event of one supplier, replanned and verified."""
    after = slipped(problem, supplier)
    started = perf_counter()
    found = reschedule(problem, after, outcome)
    taken = 1000 * (perf_counter() - started)
    return Event(found.items.size, taken, len(verify_schedule(after, found.outcome)), found.outcome)


def measure(items: int, plan_seconds: float, anew_seconds: float) -> dict[str, Figure]:
    """Replanning several suppliers of one plan, and one of them from scratch for comparison."""
    size = WorldSize(items=items)
    problem = make_world(size)
    outcome = solve_schedules(problem, time_limit_seconds=plan_seconds)
    print(f"{size}: {size.suppliers} suppliers, gap {100 * outcome.gap:.3f} % after {outcome.seconds:.0f} s")
    suppliers = np.linspace(0, size.suppliers - 1, EVENTS).astype(int).tolist()
    replanned(problem, outcome, suppliers[0])
    events = [replanned(problem, outcome, supplier) for supplier in suppliers]
    for supplier, event in zip(suppliers, events, strict=True):
        print(
            f"supplier {supplier:4d}: {event.items:4d} items in {event.milliseconds:6.1f} ms,"
            f" {event.violations} violations, cost {100 * (event.outcome.cost / outcome.cost - 1):+.3f} %"
        )
    after = slipped(problem, suppliers[0])
    anew = solve_schedules(after, time_limit_seconds=anew_seconds, warm_prices=outcome.prices)
    told = f"{statistics.median(event.items for event in events):.0f} items of one supplier among {items:,}"
    return {
        "median_ms": Figure(statistics.median(event.milliseconds for event in events), "ms", "<= 100", told),
        "violations": Figure(sum(event.violations for event in events), "count", "= 0", "independent verifier"),
        "objective_gap_percent": Figure(
            100 * (events[0].outcome.cost / anew.cost - 1), "%", "<= 0.5", f"everything anew in {anew_seconds:.0f} s"
        ),
        "bound_gap_percent": Figure(
            100 * max(event.outcome.gap for event in events), "%", "stated", "bound moved by the change, worst event"
        ),
    }


if __name__ == "__main__":
    print(report("replanning", measure(3_000, 8.0, 6.0) if quick_asked() else measure(10_000, 45.0, 45.0)))
