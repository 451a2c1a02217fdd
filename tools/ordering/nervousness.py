"""Keep what was planned unless changing it saves enough: every change costs attention. No run calls it yet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from tools.domain.arrays import BoolArray
from tools.domain.plans import CostParts, ItemOutlook, OrderPlan, PlanLine
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.explaining.plan_lines import sort_lines
from tools.ordering.pricing.proposed_orders import price_orders
from tools.ordering.problem.affected import touching
from tools.ordering.problem.quantities import price_of
from tools.ordering.verification.rules import PLACING, verify

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Nervousness:
    """What a change of an item's orders must save to be made; both must be reached."""

    cost_per_change: float = 0.0
    """Money for every line added, removed or changed."""
    least_saving_share: float = 0.0
    """Share of the item's expected cost with its earlier orders."""


@dataclass(frozen=True)
class _Case:
    """One item whose orders differ: what was planned, what the new plan says, and what each costs."""

    key: Key
    old: tuple[PlanLine, ...]
    new: tuple[PlanLine, ...]
    old_parts: CostParts
    saving: float


def settle(
    snapshot: PlanningSnapshot, before: OrderPlan, after: OrderPlan, stale: BoolArray, nervousness: Nervousness
) -> OrderPlan:
    """The new plan with the earlier orders of every item for which changing them saves too little.

    Where the kept orders together break a limit, the items that touch it follow the new plan after all.
    """
    kept = [case for case in _cases(snapshot, before, after, stale) if _too_little(case, nervousness)]
    while kept:
        settled = _with_kept(after, kept)
        broken = verify(snapshot, settled)
        if not broken:
            return settled
        keys = list(zip(snapshot.item_ids, snapshot.site_ids, strict=True))
        freed = {keys[row] for row in np.flatnonzero(touching(snapshot, broken))}
        kept = [case for case in kept if case.key not in freed]
    return after


def _cases(snapshot: PlanningSnapshot, before: OrderPlan, after: OrderPlan, stale: BoolArray) -> list[_Case]:
    offers = set(snapshot.sources.offer_ids)
    new = _placing(after)
    old = {key: tuple(restated(snapshot, line) for line in lines) for key, lines in _placing(before).items()}
    keys = list(zip(snapshot.item_ids, snapshot.site_ids, strict=True))
    planned = {(o.item_id, o.site_id) for o in before.outlooks}
    rows = [
        row
        for row in np.flatnonzero(stale)
        if keys[row] in planned
        and _changes(old.get(keys[row], ()), new.get(keys[row], ()))
        and all(line.offer_id in offers for line in old.get(keys[row], ()))
    ]
    if not rows:
        return []
    orders = [[_order(table.get(keys[row], ())) for table in (old, new)] for row in rows]
    parts = price_orders(snapshot, before.settings, np.array(rows), orders)
    return [
        _Case(
            keys[row],
            old.get(keys[row], ()),
            new.get(keys[row], ()),
            CostParts(*(float(value) for value in costs[0])),
            float(costs[0].sum() - costs[1].sum()),
        )
        for row, costs in zip(rows, parts, strict=True)
    ]


def restated(snapshot: PlanningSnapshot, line: PlanLine) -> PlanLine:
    """The same quantity at the terms and dates of the new snapshot; a line of an unknown offer as it was."""
    sources = snapshot.sources
    if line.offer_id not in snapshot.source_of:
        return line
    row = snapshot.source_of[line.offer_id]
    wait = timedelta(days=int(np.ceil(sources.lead_time_days[row])))
    return replace(
        line,
        order_date=snapshot.as_of,
        expected_arrival=snapshot.as_of + wait,
        unit_price=price_of(sources, row, line.quantity),
        freight_per_unit=float(sources.freight_per_unit[row]),
        fixed_order_cost=float(sources.fixed_order_cost[row]),
    )


def _placing(plan: OrderPlan) -> dict[Key, tuple[PlanLine, ...]]:
    """Lines to place now, by item."""
    found = dict[Key, tuple[PlanLine, ...]]()
    for line in plan.lines:
        if line.intent in PLACING:
            key = (line.item_id, line.site_id)
            found[key] = (*found.get(key, ()), line)
    return found


def _order(lines: Sequence[PlanLine]) -> list[tuple[str, float]]:
    return [(line.offer_id, line.quantity) for line in lines]


def _changes(old: Sequence[PlanLine], new: Sequence[PlanLine]) -> int:
    """Lines added, removed or of another quantity."""
    was, now = dict(_order(old)), dict(_order(new))
    return sum(was.get(offer, 0.0) != now.get(offer, 0.0) for offer in was.keys() | now.keys())


def _too_little(case: _Case, nervousness: Nervousness) -> bool:
    return case.saving < _asked(case, nervousness)


def _asked(case: _Case, nervousness: Nervousness) -> float:
    """Money that the change of an item's orders must save."""
    by_lines = nervousness.cost_per_change * _changes(case.old, case.new)
    return max(by_lines, nervousness.least_saving_share * abs(case.old_parts.total))


def _with_kept(after: OrderPlan, kept: Sequence[_Case]) -> OrderPlan:
    """The plan with the earlier orders of some items, and what they cost."""
    cases = {case.key: case for case in kept}
    others = [line for line in after.lines if line.intent not in PLACING or (line.item_id, line.site_id) not in cases]
    lines = [*others, *(line for case in kept for line in case.old)]
    outlooks = [_kept_outlook(o, cases.get((o.item_id, o.site_id)), after.currency) for o in after.outlooks]
    cost = CostParts(*(sum(getattr(o.cost, name) for o in outlooks) for name in CostParts.__dataclass_fields__))
    return replace(
        after,
        lines=sort_lines(lines),
        outlooks=tuple(outlooks),
        cost=cost,
        lower_bound=min(after.lower_bound, cost.total),
    )


def _kept_outlook(outlook: ItemOutlook, case: _Case | None, currency: str) -> ItemOutlook:
    if case is None:
        return outlook
    told = ", ".join(f"{line.quantity:,.0f} from {line.offer_id}" for line in case.old) or "nothing"
    reason = (
        f"Kept as planned before ({told}): the best orders now would save {case.saving:,.2f} {currency}, less than"
        " what a change must save."
    )
    return replace(outlook, cost=case.old_parts, reason=reason)
