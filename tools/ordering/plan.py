"""From a snapshot to an order plan: price candidates, allocate shared limits, explain."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tools.domain.snapshots import CostParts, OrderingSettings, OrderPlan, PlanningSnapshot, Violation
from tools.ordering.allocation import Allocation, Candidates, allocate, has_shared_limits
from tools.ordering.conflicts import find_conflicts
from tools.ordering.fingerprint import snapshot_hash
from tools.ordering.limit_use import CandidateParts
from tools.ordering.priced import Priced, price
from tools.ordering.pricing import PARTS, Batch
from tools.ordering.scheduled_plan import plan_by_schedule
from tools.ordering.validation import check_snapshot
from tools.ordering.verification import verify
from tools.ordering.writing import Writer, Written, sort_lines

__all__ = ["add_costs", "candidates_of", "plan_orders", "sort_lines", "write_plan"]

WRITTEN_AT_ONCE = 5_000
"""Items up to which lines and outlooks are written at once; above, each when it is first looked at."""


def plan_orders(
    snapshot: PlanningSnapshot,
    settings: OrderingSettings | None = None,
    *,
    scheduled: bool = False,
    priced: Callable[[], Priced] | None = None,
    written: Written | None = None,
) -> OrderPlan:
    """Decide what to order now, from whom, for every item: pure and deterministic for a seed.

    Each item's candidate orders are priced by playing a policy with recourse forward over the sample paths; a
    mixed-integer programme picks one candidate per item within the shared limits. The lower bound is that
    programme's linear relaxation: no choice among these candidates costs less. Batches of items run on all cores;
    the plan does not depend on how many there are. Where limits of later periods bind, the plan is a schedule; with
    `scheduled` it is one as soon as there are such limits, so that plans of several settings compare. `priced` gives
    what `price` makes of the snapshot and the settings, where somebody has it already; `written` holds what other
    plans of the catalogue wrote of their items.
    """
    settings = settings or OrderingSettings()
    if snapshot.n_items == 0:
        return OrderPlan(snapshot_hash(snapshot), settings, snapshot.currency, (), (), (), CostParts(), 0.0)
    check_snapshot(snapshot, settings)
    found = plan_by_schedule(snapshot, settings, always=scheduled) if snapshot.limits.reach_later else None
    broken = () if found is None else verify(snapshot, found)
    if found is not None and not broken:
        return found
    known = priced() if priced else price(snapshot, settings)
    batches = known.batches
    if has_shared_limits(snapshot):
        allocation = allocate(snapshot, candidates_of(snapshot, batches), settings.time_limit_seconds)
    else:
        allocation = _cheapest(batches)
    plan = write_plan(snapshot, settings, known, allocation, written)
    if not broken:
        return plan
    return replace(plan, conflicts=(*plan.conflicts, _unscheduled(broken)), leaves_out_later_limits=True)


def _unscheduled(broken: Sequence[Violation]) -> str:
    """What a schedule would have broken: it knows no share caps, least numbers of suppliers or least order values."""
    rules = ", ".join(sorted({violation.rule.replace("_", " ").replace(":", " of ") for violation in broken}))
    return (
        f"Limits of later periods are not in this plan: orders planned within them would break other rules ({rules})."
        " Drop one of the two to plan with the other."
    )


def _cheapest(batches: Sequence[Batch]) -> Allocation:
    """The cheapest candidate of every item: nothing couples them."""
    totals = [batch.total for batch in batches]
    chosen = np.concatenate([np.argmin(total, axis=1) for total in totals])
    bound = float(sum(total.min(axis=1).sum() for total in totals))
    none = np.zeros(0)
    return Allocation(chosen, bound, (), (), none.astype(np.int64), none, none)


def candidates_of(snapshot: PlanningSnapshot, batches: Sequence[Batch]) -> Candidates:
    """All valid candidates with source rows of the whole snapshot."""
    parts = list[CandidateParts]()
    for batch in batches:
        columns = batch.columns
        first, end = np.searchsorted(snapshot.sources.item, [batch.items[0], batch.items[-1] + 1])
        if end > first:
            columns = replace(columns, source=first + np.minimum(columns.source, end - first - 1))
        parts.append((batch.items, columns, batch.total, batch.stored))
    return Candidates.of(parts)


def write_plan(
    snapshot: PlanningSnapshot,
    settings: OrderingSettings,
    priced: Priced,
    allocation: Allocation,
    written: Written | None = None,
) -> OrderPlan:
    """Lines, outlooks and totals of an allocation."""
    batches = priced.batches
    kept = None if snapshot.n_items > WRITTEN_AT_ONCE else written
    writer = Writer(snapshot, settings, batches, allocation, priced.origin, kept)
    lines, intended, outlooks = writer.lines(), writer.intended(), writer.outlooks()
    at_once = snapshot.n_items <= WRITTEN_AT_ONCE
    chosen = [(batch, np.arange(batch.items.size), allocation.chosen[batch.items]) for batch in batches]
    parts = np.concatenate([batch.parts[rows, columns] for batch, rows, columns in chosen])
    if allocation.joint_cost.size:
        parts[:, PARTS.index("ordering")] += allocation.joint_cost
    cost = CostParts(*(float(value) for value in parts.sum(axis=0)))
    risk = float(sum(batch.risk[rows, columns].sum() for batch, rows, columns in chosen))
    return OrderPlan(
        snapshot_hash=priced.digest,
        settings=settings,
        currency=snapshot.currency,
        lines=tuple(lines) if at_once else lines,
        intended=tuple(intended) if at_once else intended,
        outlooks=tuple(outlooks) if at_once else outlooks,
        cost=cost,
        lower_bound=min(allocation.lower_bound - risk, cost.total),
        conflicts=find_conflicts(snapshot, settings, batches, allocation),
    )


def add_costs(costs: Sequence[CostParts]) -> CostParts:
    """Sum part by part."""
    return CostParts(
        sum(c.purchase for c in costs),
        sum(c.freight for c in costs),
        sum(c.ordering for c in costs),
        sum(c.holding for c in costs),
        sum(c.shortage for c in costs),
    )
