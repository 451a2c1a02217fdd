"""From a snapshot to an order plan: price candidates, allocate shared limits, explain."""

from dataclasses import replace

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import (
    CostParts,
    ItemOutlook,
    OrderingSettings,
    OrderPlan,
    PlanLine,
    PlanningSnapshot,
)
from tools.ordering.allocation import Allocation, Candidates, allocate, has_shared_limits
from tools.ordering.candidates import Columns
from tools.ordering.conflicts import find_conflicts
from tools.ordering.explanation import Scene, intended_lines, lines_now
from tools.ordering.fingerprint import snapshot_hash
from tools.ordering.open_orders import excess_order_lines
from tools.ordering.outlook import outlook
from tools.ordering.pricing import Batch, batches_of, pick, price_items
from tools.ordering.rollout import play


def plan_orders(snapshot: PlanningSnapshot, settings: OrderingSettings | None = None) -> OrderPlan:
    """Decide what to order now, from whom, for every item: pure and deterministic for a seed.

    Each item's candidate orders are priced by playing the base-stock policy forward over the sample paths;
    a mixed-integer programme picks one candidate per item within the shared limits. The lower bound is that
    programme's linear relaxation: no choice among these candidates costs less.
    """
    settings = settings or OrderingSettings()
    shared = has_shared_limits(snapshot)
    batches = [price_items(snapshot, settings, items, shared=shared) for items in batches_of(snapshot)]
    if not batches:
        return OrderPlan(snapshot_hash(snapshot), settings, snapshot.currency, (), (), (), CostParts(), 0.0)
    allocation = allocate(snapshot, candidates_of(snapshot, batches), settings.time_limit_seconds)
    return write_plan(snapshot, settings, batches, allocation)


def candidates_of(snapshot: PlanningSnapshot, batches: list[Batch]) -> Candidates:
    """All valid candidates with source rows of the whole snapshot."""
    parts = list[tuple[IntArray, Columns, FloatArray]]()
    for batch in batches:
        rows = np.flatnonzero(np.isin(snapshot.sources.item, batch.items))
        columns = batch.columns
        if rows.size:
            columns = replace(columns, source=rows[np.minimum(columns.source, rows.size - 1)])
        parts.append((batch.items, columns, batch.total))
    return Candidates.of(parts)


def write_plan(
    snapshot: PlanningSnapshot, settings: OrderingSettings, batches: list[Batch], allocation: Allocation
) -> OrderPlan:
    """Lines, outlooks and totals of an allocation."""
    lines, intended, outlooks = list[PlanLine](), list[PlanLine](), list[ItemOutlook]()
    for batch in batches:
        chosen = allocation.chosen[batch.items]
        columns = pick(batch.columns, chosen)
        result = play(batch.snapshot, settings, batch.costs, batch.levels, batch.policy, columns, record=True)
        for row in range(batch.items.size):
            scene = Scene(batch, row, int(chosen[row]), result, settings, allocation)
            lines.extend(lines_now(scene))
            intended.extend(intended_lines(scene))
            outlooks.append(outlook(scene))
    lines.extend(excess_order_lines(snapshot, settings))
    cost = add_costs([o.cost for o in outlooks])
    return OrderPlan(
        snapshot_hash=snapshot_hash(snapshot),
        settings=settings,
        currency=snapshot.currency,
        lines=sort_lines(lines),
        intended=sort_lines(intended),
        outlooks=tuple(outlooks),
        cost=cost,
        lower_bound=min(allocation.lower_bound, cost.total),
        conflicts=find_conflicts(snapshot, batches, allocation),
    )


def sort_lines(lines: list[PlanLine]) -> tuple[PlanLine, ...]:
    """By item, site, source and period."""
    return tuple(sorted(lines, key=lambda line: (line.item_id, line.site_id, line.offer_id, line.period, line.line_id)))


def add_costs(costs: list[CostParts]) -> CostParts:
    """Sum part by part."""
    return CostParts(
        sum(c.purchase for c in costs),
        sum(c.freight for c in costs),
        sum(c.ordering for c in costs),
        sum(c.holding for c in costs),
        sum(c.shortage for c in costs),
    )
