"""From a snapshot to an order plan: price candidates, allocate shared limits, explain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tools.domain.plans import CostParts, OrderPlan, Violation
from tools.domain.progress import counted, expect
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.candidates.columns import Columns
from tools.ordering.explaining.conflicts import find_conflicts
from tools.ordering.explaining.plan_lines import Writer, Written, sort_lines
from tools.ordering.limits.allocation import Allocation, Candidates, allocate, has_shared_limits
from tools.ordering.limits.limit_use import CandidateParts
from tools.ordering.pricing.catalogue_prices import Priced, price
from tools.ordering.pricing.items import PARTS
from tools.ordering.problem.fingerprint import snapshot_hash
from tools.ordering.problem.validation import check_snapshot
from tools.ordering.scheduled_plan import plan_by_schedule
from tools.ordering.verification.rules import verify

__all__ = ["Draft", "add_costs", "candidates_of", "draft_orders", "plan_orders", "sort_lines", "write_plan"]

WRITTEN_AT_ONCE = 5_000
"""Items up to which lines and outlooks are written at once; above, each when it is first looked at."""


@dataclass(frozen=True)
class Draft:
    """What a plan orders, item by item; nothing of it is written yet."""

    snapshot: PlanningSnapshot
    settings: OrderingSettings
    priced: Priced
    allocation: Allocation
    left_out: tuple[str, ...] = ()
    """Limits of later periods that bind and that it does not keep, in words."""


def plan_orders(
    snapshot: PlanningSnapshot, settings: OrderingSettings | None = None, *, scheduled: bool = False
) -> OrderPlan:
    """Decide what to order now, from whom, for every item: pure and deterministic for a seed.

    Each item's candidate orders are priced by playing a policy with recourse forward over the sample paths; a
    mixed-integer programme picks one candidate per item within the shared limits. The lower bound is that
    programme's linear relaxation: no choice among these candidates costs less. Batches of items run on all cores;
    the plan does not depend on how many there are. Where limits of later periods bind, the plan is a schedule; with
    `scheduled` it is one as soon as there are such limits, so that plans of several settings compare.
    """
    settings = settings or OrderingSettings()
    if snapshot.n_items == 0:
        return OrderPlan(snapshot_hash(snapshot), settings, snapshot.currency, (), (), (), CostParts(), 0.0)
    check_snapshot(snapshot, settings)
    answer = draft_orders(snapshot, settings, lambda: price(snapshot, settings), scheduled=scheduled)
    return answer if isinstance(answer, OrderPlan) else write_plan(answer)


def draft_orders(
    snapshot: PlanningSnapshot, settings: OrderingSettings, priced: Callable[[], Priced], *, scheduled: bool = False
) -> Draft | OrderPlan:
    """The plan of a checked snapshot before it is written; a schedule comes written.

    `priced` gives what `price` makes of the snapshot and the settings; a schedule does not ask for it.
    """
    found = plan_by_schedule(snapshot, settings, always=scheduled) if snapshot.limits.reach_later else None
    broken = () if found is None else verify(snapshot, found)
    if found is not None and not broken:
        return found
    known = priced()
    if has_shared_limits(snapshot):
        allocation = allocate(snapshot, candidates_of(snapshot, known), settings.time_limit_seconds)
    else:
        allocation = _cheapest(known)
    return Draft(snapshot, settings, known, allocation, (_unscheduled(broken),) if broken else ())


def _unscheduled(broken: Sequence[Violation]) -> str:
    """What a schedule would have broken: it knows no share caps, least numbers of suppliers or least order values."""
    rules = ", ".join(sorted({violation.rule.replace("_", " ").replace(":", " of ") for violation in broken}))
    return (
        f"Limits of later periods are not in this plan: orders planned within them would break other rules ({rules})."
        " Drop one of the two to plan with the other."
    )


def _cheapest(priced: Priced) -> Allocation:
    """The cheapest candidate of every item: nothing couples them."""
    chosen, least = np.zeros(priced.batch_of.size, dtype=np.int64), np.zeros(priced.batch_of.size)
    for batch, rows in priced.parts():
        total = batch.total[rows]
        chosen[batch.items[rows]], least[batch.items[rows]] = np.argmin(total, axis=1), total.min(axis=1)
    none = np.zeros(0)
    return Allocation(chosen, float(least.sum()), (), (), none.astype(np.int64), none, none)


def candidates_of(snapshot: PlanningSnapshot, priced: Priced) -> Candidates:
    """All valid candidates with source rows of the whole snapshot."""
    parts, last = list[CandidateParts](), max(snapshot.sources.item.size - 1, 0)
    for batch, rows in priced.parts():
        items, known = batch.items[rows], batch.columns
        own = np.searchsorted(batch.snapshot.sources.item, rows)
        moved = (np.searchsorted(snapshot.sources.item, items) - own)[:, None, None]
        columns = Columns(
            np.clip(known.source[rows] + moved, 0, last), known.quantity[rows], known.valid[rows], known.wanted[rows]
        )
        parts.append((items, columns, batch.total[rows], None if batch.stored is None else batch.stored[rows]))
    return Candidates.of(parts)


def write_plan(draft: Draft, written: Written | None = None) -> OrderPlan:
    """Lines, outlooks and totals of what was drafted.

    `written` holds what other plans wrote of the same items: whoever gives it reads all of this one, so it is written
    at once whatever its size.
    """
    snapshot, allocation = draft.snapshot, draft.allocation
    at_once = snapshot.n_items <= WRITTEN_AT_ONCE or written is not None
    writer = Writer(snapshot, draft.settings, draft.priced, allocation, written)
    lines, intended, outlooks = writer.lines(), writer.intended(), writer.outlooks()
    if at_once:
        expect(snapshot.n_items)
    parts, risk = np.zeros((snapshot.n_items, len(PARTS))), np.zeros(snapshot.n_items)
    for batch, rows in draft.priced.parts():
        items = batch.items[rows]
        parts[items] = batch.parts[rows, allocation.chosen[items]]
        risk[items] = batch.risk[rows, allocation.chosen[items]]
    if allocation.joint_cost.size:
        parts[:, PARTS.index("ordering")] += allocation.joint_cost
    cost = CostParts(*(float(value) for value in parts.sum(axis=0)))
    return OrderPlan(
        snapshot_hash=draft.priced.digest,
        settings=draft.settings,
        currency=snapshot.currency,
        lines=tuple(lines) if at_once else lines,
        intended=tuple(intended) if at_once else intended,
        outlooks=tuple(counted(outlooks)) if at_once else outlooks,
        cost=cost,
        lower_bound=min(allocation.lower_bound - float(risk.sum()), cost.total),
        conflicts=(*find_conflicts(snapshot, draft.settings, draft.priced, allocation), *draft.left_out),
        leaves_out_later_limits=bool(draft.left_out),
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
