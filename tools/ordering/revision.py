"""Replan what changed and keep the rest, with the difference spelled out. No run calls it yet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray
from tools.domain.plans import CostParts, ItemOutlook, OrderPlan, PlanLine, Violation
from tools.domain.snapshots import PlanningSnapshot, SharedLimits
from tools.ordering.nervousness import Nervousness, settle
from tools.ordering.plan import add_costs, plan_orders, sort_lines
from tools.ordering.pricing.items import take_items
from tools.ordering.problem.affected import SnapshotDelta, affected_rows, touching
from tools.ordering.problem.fingerprint import snapshot_hash
from tools.ordering.verification.rules import PLACING, verify


@dataclass(frozen=True)
class PlanDiff:
    """What a replan changed, by line id (lines to place now only)."""

    added: tuple[PlanLine, ...]
    removed: tuple[PlanLine, ...]
    changed: tuple[tuple[PlanLine, PlanLine], ...]
    """(before, after) where quantity, supplier terms or intent differ."""
    unchanged: int
    cost_change: float
    """Expected cost after less before, in money."""
    recomputed_item_ids: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing to place now changed."""
        return not (self.added or self.removed or self.changed)


def replan(plan: OrderPlan, delta: SnapshotDelta, nervousness: Nervousness | None = None) -> tuple[OrderPlan, PlanDiff]:
    """Recompute the affected items against what the kept lines leave of the shared limits.

    Kept lines stay as they are. When the result would break a limit of the new snapshot, every item that touches
    that limit is recomputed as well, and when that does not do either, every item. `nervousness` says what a change
    of a line must save to be made at all; without it any saving will do.
    """
    snapshot = delta.snapshot
    stale = affected_rows(delta, plan)
    candidate, broken = _replan_part(plan, snapshot, stale)
    if candidate is None and broken:
        wider = stale | touching(snapshot, broken)
        candidate, _ = _replan_part(plan, snapshot, wider)
        stale = wider
    if candidate is None:
        candidate = plan_orders(snapshot, plan.settings)
        stale = np.ones(snapshot.n_items, dtype=np.bool_)
    if nervousness is not None:
        candidate = settle(snapshot, plan, candidate, stale, nervousness)
    return candidate, compare(plan, candidate, [snapshot.item_ids[r] for r in np.flatnonzero(stale)])


def _replan_part(
    plan: OrderPlan, snapshot: PlanningSnapshot, stale: BoolArray
) -> tuple[OrderPlan | None, tuple[Violation, ...]]:
    """The merged plan; or nothing and the limits that it would break, when more has to be recomputed."""
    keys = list(zip(snapshot.item_ids, snapshot.site_ids, strict=True))
    kept_keys = {key for key, changed in zip(keys, stale.tolist(), strict=True) if not changed}
    kept = [line for line in plan.lines if (line.item_id, line.site_id) in kept_keys]
    later = [line for line in plan.intended if (line.item_id, line.site_id) in kept_keys] if plan.scheduled else []
    limits = remaining_limits(snapshot, kept, later)
    if limits is None:
        return None, ()
    if not stale.any():
        fresh = OrderPlan(snapshot_hash(snapshot), plan.settings, plan.currency, (), (), (), CostParts(), 0.0)
    else:
        fresh = plan_orders(replace(take_items(snapshot, np.flatnonzero(stale)), limits=limits), plan.settings)
    merged = _merge(plan, fresh, snapshot, kept, kept_keys)
    broken = verify(snapshot, merged)
    return (None if broken else merged), broken


def _merge(
    plan: OrderPlan,
    fresh: OrderPlan,
    snapshot: PlanningSnapshot,
    kept: list[PlanLine],
    kept_keys: set[tuple[str, str]],
) -> OrderPlan:
    outlooks = {(o.item_id, o.site_id): o for o in plan.outlooks if (o.item_id, o.site_id) in kept_keys}
    before = add_costs([o.cost for o in outlooks.values()])
    outlooks.update({(o.item_id, o.site_id): o for o in fresh.outlooks})
    intended = [line for line in plan.intended if (line.item_id, line.site_id) in kept_keys]
    ordered: list[ItemOutlook] = [outlooks[key] for key in zip(snapshot.item_ids, snapshot.site_ids, strict=True)]
    cost = add_costs([o.cost for o in ordered])
    slack = max(plan.cost.total - plan.lower_bound, 0.0) if kept_keys else 0.0
    return OrderPlan(
        snapshot_hash=snapshot_hash(snapshot),
        settings=plan.settings,
        currency=snapshot.currency,
        lines=sort_lines([*kept, *fresh.lines]),
        intended=sort_lines([*intended, *fresh.intended]),
        outlooks=tuple(ordered),
        cost=cost,
        lower_bound=min(before.total - slack + fresh.lower_bound, cost.total),
        conflicts=fresh.conflicts,
        scheduled=plan.scheduled or fresh.scheduled,
    )


def remaining_limits(
    snapshot: PlanningSnapshot, kept: Sequence[PlanLine], later: Sequence[PlanLine] = ()
) -> SharedLimits | None:
    """Shared limits less what kept lines use now, and kept lines of a schedule `later`.

    Nothing when storage binds, which kept lines fill over time, or when they use more than there is.
    """
    limits, horizon = snapshot.limits, snapshot.horizon
    lines = [line for line in (*kept, *later) if line.intent in PLACING and line.period < horizon]
    index = {name: k for k, name in enumerate(snapshot.supplier_ids)}
    if np.isfinite(limits.storage) or any(line.supplier_id not in index for line in lines):
        return None
    value, units, orders = (np.zeros((len(index), horizon)) for _ in range(3))
    for line in lines:
        at = index[line.supplier_id], line.period
        value[at] += line.value
        units[at] += line.quantity
        orders[at] += 1
    left = replace(
        limits,
        budget=limits.budget - float(value[:, 0].sum()),
        supplier_capacity=_less(limits.supplier_capacity, units[:, 0]),
        max_orders=limits.max_orders - float(orders[:, 0].sum()),
        supplier_capacity_by_period=_less(limits.supplier_capacity_by_period, units),
        budget_by_period=_less(limits.budget_by_period, value.sum(axis=0)),
        max_orders_by_period=_less(limits.max_orders_by_period, orders.sum(axis=0)),
        joint_order_cost=np.where(orders[:, 0] > 0, 0.0, limits.joint_order_cost)
        if limits.joint_order_cost.size
        else limits.joint_order_cost,
    )
    least = limits.supplier_min_order_value
    owed = np.maximum(least - value[:, 0], 0.0) if least.size else least
    return _at_least_zero(replace(left, supplier_min_order_value=owed))


def _less(table: FloatArray, used: FloatArray) -> FloatArray:
    """A limit's table less what is used of it; a table of more periods than the horizon keeps the others."""
    if not table.size:
        return table
    left = table.astype(np.float64)
    shared = min(left.shape[-1], used.shape[-1])
    left[..., :shared] -= used[..., :shared]
    return left


def _at_least_zero(limits: SharedLimits) -> SharedLimits | None:
    """The limits without rounding below zero; nothing when one is clearly below it."""
    names = ("supplier_capacity", "supplier_capacity_by_period", "budget_by_period", "max_orders_by_period")
    tables = {name: getattr(limits, name) for name in names}
    if min(limits.budget, limits.max_orders, *(float(t.min(initial=0.0)) for t in tables.values())) < -1e-6:
        return None
    tables = {name: np.maximum(table, 0.0) for name, table in tables.items()}
    return replace(limits, budget=max(limits.budget, 0.0), max_orders=max(limits.max_orders, 0.0), **tables)


def compare(before: OrderPlan, after: OrderPlan, recomputed: Sequence[str] = ()) -> PlanDiff:
    """Difference of two plans, line by line."""
    old = {line.line_id: line for line in before.lines}
    new = {line.line_id: line for line in after.lines}
    both = [(old[k], new[k]) for k in sorted(old.keys() & new.keys())]
    changed = tuple(pair for pair in both if _terms(pair[0]) != _terms(pair[1]))
    return PlanDiff(
        added=tuple(new[k] for k in sorted(new.keys() - old.keys())),
        removed=tuple(old[k] for k in sorted(old.keys() - new.keys())),
        changed=changed,
        unchanged=len(both) - len(changed),
        cost_change=after.cost.total - before.cost.total,
        recomputed_item_ids=tuple(recomputed),
    )


def _terms(line: PlanLine) -> tuple[object, ...]:
    return (
        line.intent,
        line.quantity,
        line.unit_price,
        line.freight_per_unit,
        line.fixed_order_cost,
        line.expected_arrival,
    )
