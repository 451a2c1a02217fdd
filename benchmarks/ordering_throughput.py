"""How many items a second `plan_orders` decides without shared limits, beside the classical rule on the same paths."""

import argparse
import resource
from bisect import bisect_left, bisect_right
from dataclasses import replace
from operator import attrgetter
from time import perf_counter
from typing import cast

import numpy as np

from benchmarks.cases.throughput_worlds import World, throughput_snapshot
from benchmarks.figures import Figure, report
from tools.domain.arrays import FloatArray, IntArray
from tools.domain.plans import ItemOutlook, OrderPlan, PlanLine
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering import plan_orders, snapshot_hash, verify
from tools.ordering.candidates.columns import Columns
from tools.ordering.plan import add_costs
from tools.ordering.pricing.items import take_items
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.problem.quantities import round_up
from tools.ordering.stochastic.costing import cost_parts
from tools.ordering.stochastic.policy_kinds import continuation
from tools.ordering.stochastic.rollout import play

SAMPLE = 2_000
"""Items whose lines are written, verified and priced beside the classical rule."""
STRETCHES = 8
"""Runs of neighbouring items that the sample is made of."""


def classical_orders(snapshot: PlanningSnapshot) -> tuple[IntArray, FloatArray]:
    """(N,) source row and quantity: order up to the newsvendor level of the source that costs least a unit.

    Plain NumPy over whole arrays: demand over mean lead time plus review on every path, its critical quantile, the
    economic order quantity where it is more than the gap, rounded to MOQ and multiple (Snyder and Shen, 4.3, 5.2).
    """
    sources, rows = snapshot.sources, snapshot.sources.item
    landed = sources.unit_price + sources.freight_per_unit
    order = np.lexsort((landed, rows))
    chosen = order[np.searchsorted(rows[order], np.arange(snapshot.n_items))]
    lead = np.round(sources.lead_time[chosen] @ np.arange(sources.lead_time.shape[1])).astype(np.int64)
    horizon = snapshot.horizon
    ends = np.minimum(lead + 1, horizon)
    inside = np.arange(horizon) < ends[:, None]
    window = np.einsum("nst,nt->ns", snapshot.demand, inside.astype(snapshot.demand.dtype))
    mean = snapshot.demand.mean(axis=(1, 2), dtype=np.float64)
    ratio = snapshot.shortage_cost / (snapshot.shortage_cost + snapshot.holding_cost)
    at = np.clip(np.ceil(ratio * window.shape[1]).astype(np.int64) - 1, 0, window.shape[1] - 1)
    level = np.sort(window, axis=1)[np.arange(snapshot.n_items), at]
    due = np.where(inside, snapshot.arrivals.mean(axis=1), 0.0).sum(axis=1)
    gap = level - snapshot.on_hand - due
    lot = np.sqrt(2 * sources.fixed_order_cost[chosen] * mean / np.maximum(snapshot.holding_cost, 1e-12))
    wanted = np.where(gap > 0, np.maximum(gap, lot), 0.0)
    return chosen, round_up(wanted, sources.moq[chosen], sources.order_multiple[chosen])


def expected_cost_of(snapshot: PlanningSnapshot, rows: IntArray, quantity: FloatArray) -> float:
    """Expected cost of placing these orders and going on by order-up-to from one source, on the engine's paths."""
    problem = OrderingProblem.of(snapshot, OrderingSettings())
    policy = continuation(problem, alternatives=True)
    columns = Columns(
        rows[:, None, None], quantity[:, None, None], np.ones((rows.size, 1), dtype=np.bool_), quantity[:, None, None]
    )
    single = np.where(policy.offered[:, 1], 1, 0)[:, None]
    result = play(problem, policy, columns, choice=single)
    return float(cost_parts(problem, policy, columns, result, single).sum())


def sampled(snapshot: PlanningSnapshot, plan: OrderPlan) -> tuple[PlanningSnapshot, OrderPlan]:
    """Evenly spaced stretches of items with their lines and costs, as a problem and a plan of their own."""
    stretch = max(min(SAMPLE, snapshot.n_items) // STRETCHES, 1)
    starts = np.unique(np.linspace(0, snapshot.n_items - stretch, STRETCHES).astype(np.int64))
    lines, outlooks = list[PlanLine](), list[ItemOutlook]()
    for start in starts.tolist():
        first, last = snapshot.item_ids[start], snapshot.item_ids[start + stretch - 1]
        begin = bisect_left(plan.lines, first, key=attrgetter("item_id"))
        lines.extend(plan.lines[begin : bisect_right(plan.lines, last, key=attrgetter("item_id"))])
        outlooks.extend(plan.outlooks[start : start + stretch])
    part = take_items(snapshot, np.unique((starts[:, None] + np.arange(stretch)).ravel()))
    cost = add_costs([outlook.cost for outlook in outlooks])
    part_plan = replace(
        plan,
        snapshot_hash=snapshot_hash(part),
        lines=tuple(lines),
        intended=(),
        outlooks=tuple(outlooks),
        cost=cost,
        lower_bound=cost.total / (1 + plan.gap),
    )
    return part, part_plan


def measure(world: World) -> dict[str, Figure]:
    """Rate, memory, violations and expected cost of one planning run."""
    plan_orders(throughput_snapshot(replace(world, items=600)))
    snapshot = throughput_snapshot(world)
    started = perf_counter()
    plan = plan_orders(snapshot)
    seconds = perf_counter() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = perf_counter()
    classical_orders(snapshot)
    classical_seconds = perf_counter() - started
    started = perf_counter()
    part, part_plan = sampled(snapshot, plan)
    read_ms = 1000 * (perf_counter() - started) / part.n_items
    broken = len(verify(part, part_plan))
    chosen, quantity = classical_orders(part)
    ours, theirs = part_plan.cost.total, expected_cost_of(part, chosen, quantity)
    rate, rule = world.items / seconds, "NumPy order-up-to from the cheapest source, same paths, one thread"
    return {
        "items_per_second": Figure(rate, "items/s", ">= 5000", f"{rule}: {world.items / classical_seconds:,.0f}"),
        "seconds": Figure(seconds, "s", "<= 20 for 100,000 items", f"{rule}: {classical_seconds:.2f} s"),
        "peak_mb": Figure(peak_mb, "MB", "<= 3000", "with the sample paths themselves"),
        "violations": Figure(broken, "count", "= 0", f"independent verifier, {part.n_items} items"),
        "cost_change_percent": Figure(100 * (ours / theirs - 1), "%", "< 0", f"expected cost of {rule}"),
        "ms_per_item_read": Figure(read_ms, "ms", "<= 1", "lines and outlooks in full, written when looked at"),
    }


def main() -> None:
    """Read the arguments, print the world, measure, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    world = World(items=cast(int, 10_000 if asked.quick and asked.items == 100_000 else asked.items))
    print(world)
    print(report("ordering_throughput", measure(world)))


if __name__ == "__main__":
    main()
