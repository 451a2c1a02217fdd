"""Replanning: who is affected, what stays, what a change must save, and that no limit is broken on the way."""

from dataclasses import fields, replace

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.plans import OrderPlan
from tools.domain.snapshots import PlanningSnapshot, SharedLimits
from tools.ordering import Nervousness, SnapshotDelta, plan_orders, replan, verify
from tools.ordering.pricing.proposed_orders import price_orders
from tools.ordering.problem.affected import FREE
from tools.ordering.revision import remaining_limits


def with_stock(snapshot: PlanningSnapshot, row: int, units: float) -> PlanningSnapshot:
    on_hand = snapshot.on_hand.copy()
    on_hand[row] = units
    return replace(snapshot, on_hand=on_hand)


def with_price(snapshot: PlanningSnapshot, factor: float) -> PlanningSnapshot:
    """Every price of the first source."""
    price = snapshot.sources.unit_price.copy()
    price[0] *= factor
    return replace(snapshot, sources=replace(snapshot.sources, unit_price=price))


def capped(snapshot: PlanningSnapshot, supplier: int, units: float) -> PlanningSnapshot:
    limits = np.full(len(snapshot.supplier_ids), np.inf)
    limits[supplier] = units
    return replace(snapshot, limits=replace(snapshot.limits, supplier_capacity=limits))


def items_of(snapshot: PlanningSnapshot, supplier: int) -> set[str]:
    return {snapshot.item_ids[i] for i in snapshot.sources.item[snapshot.sources.supplier == supplier]}


def lines_of(plan: OrderPlan, item_ids: set[str]) -> dict[str, float]:
    return {line.line_id: line.quantity for line in plan.lines if line.item_id in item_ids}


def test_equal_snapshots_differ_in_nothing():
    delta = SnapshotDelta.between(random_snapshot(5, seed=1, paths=16), random_snapshot(5, seed=1, paths=16))
    assert (delta.changed_item_ids, delta.changed_supplier_ids, delta.buyer_limits_changed) == (set(), set(), False)


def test_a_changed_stock_a_changed_price_and_a_new_item_are_found_by_item():
    before = random_snapshot(5, seed=1, paths=16)
    assert SnapshotDelta.between(before, with_stock(before, 3, 0.0)).changed_item_ids == {"I003"}
    assert SnapshotDelta.between(before, with_price(before, 1.1)).changed_item_ids == {"I000"}
    renamed = replace(before, item_ids=("I000", "I001", "I002", "I003", "NEW"))
    assert SnapshotDelta.between(before, renamed).changed_item_ids == {"NEW"}


def test_a_changed_limit_is_found_by_its_supplier_or_as_the_buyers():
    before = random_snapshot(5, seed=1, paths=16)
    assert SnapshotDelta.between(before, capped(before, 2, 9.0)).changed_supplier_ids == {"S02"}
    assert SnapshotDelta.between(before, capped(before, 2, 9.0)).changed_item_ids == set()
    spending = replace(before, limits=SharedLimits(budget=9.0))
    assert SnapshotDelta.between(before, spending).buyer_limits_changed


def test_another_day_affects_every_item():
    before = random_snapshot(3, seed=1, paths=16)
    later = replace(before, as_of=before.as_of.replace(day=before.as_of.day + 7))
    assert SnapshotDelta.between(before, later).changed_item_ids == set(before.item_ids)


@pytest.mark.parametrize("seed", range(5))
def test_a_supplier_that_can_ship_less_replans_all_its_items_and_nobody_elses(seed):
    before = random_snapshot(12, seed=seed, paths=64)
    plan = plan_orders(before)
    supplier = int(np.argmax(np.bincount(before.sources.supplier)))
    used = sum(line.quantity for line in plan.lines if line.supplier_id == f"S{supplier:02d}")
    after = capped(before, supplier, 0.4 * used)
    replanned, diff = replan(plan, SnapshotDelta.between(before, after))
    affected = items_of(before, supplier)
    assert set(diff.recomputed_item_ids) == affected
    others = set(before.item_ids) - affected
    assert lines_of(replanned, others) == lines_of(plan, others)
    assert verify(after, replanned) == ()
    anew = plan_orders(after)
    assert replanned.cost.total == pytest.approx(anew.cost.total, rel=3e-3), "all items under a limit search longer"


def test_a_change_that_saves_less_than_it_is_asked_to_is_not_made():
    before = random_snapshot(6, seed=4, paths=64)
    plan = plan_orders(before)
    row = next(r for r, item_id in enumerate(before.item_ids) if lines_of(plan, {item_id}))
    after = with_stock(before, row, before.on_hand[row] + 60.0)
    delta = SnapshotDelta.between(before, after)
    free, moved = replan(plan, delta)
    assert not moved.is_empty
    calm, kept = replan(plan, delta, Nervousness(cost_per_change=1e9))
    assert kept.is_empty
    assert lines_of(calm, set(before.item_ids)) == lines_of(plan, set(before.item_ids))
    assert calm.cost.total >= free.cost.total - 1e-9
    assert calm.cost.total == pytest.approx(sum(o.cost.total for o in calm.outlooks))
    assert "Kept as planned before" in calm.outlooks[row].reason
    assert verify(after, calm) == ()


def test_a_change_that_saves_enough_is_made():
    before = random_snapshot(6, seed=4, paths=64)
    plan = plan_orders(before)
    row = next(r for r, item_id in enumerate(before.item_ids) if lines_of(plan, {item_id}))
    after = with_stock(before, row, 0.0)
    delta = SnapshotDelta.between(before, after)
    free, moved = replan(plan, delta)
    item = {before.item_ids[row]}
    orders = [[[(o.rpartition("#")[0], q) for o, q in lines_of(p, item).items()] for p in (plan, free)]]
    old, new = price_orders(after, plan.settings, np.array([row]), orders)[0].sum(axis=1)
    changes = len(moved.added) + len(moved.removed) + len(moved.changed)
    assert old - new > 0 and changes > 0
    just_enough = Nervousness(cost_per_change=0.99 * (old - new) / changes)
    too_much = Nervousness(cost_per_change=1.01 * (old - new) / changes)
    assert lines_of(replan(plan, delta, just_enough)[0], item) == lines_of(free, item)
    assert lines_of(replan(plan, delta, too_much)[0], item) == lines_of(plan, item)
    assert lines_of(replan(plan, delta, Nervousness(least_saving_share=1.01 * (old - new) / old))[0], item) == lines_of(
        plan, item
    )


def test_earlier_orders_that_would_break_a_limit_are_not_kept():
    before = random_snapshot(6, seed=4, paths=64)
    plan = plan_orders(before)
    budget = 0.5 * sum(line.value for line in plan.lines)
    after = replace(before, limits=SharedLimits(budget=budget))
    calm, _ = replan(plan, SnapshotDelta.between(before, after), Nervousness(cost_per_change=1e9))
    assert verify(after, calm) == ()


def test_a_kept_order_takes_the_new_price():
    before = random_snapshot(6, seed=4, paths=64)
    plan = plan_orders(before)
    line = plan.lines[0]
    row = before.sources.offer_ids.index(line.offer_id)
    price = before.sources.unit_price.copy()
    price[row] *= 1.02
    after = replace(before, sources=replace(before.sources, unit_price=price))
    calm, _ = replan(plan, SnapshotDelta.between(before, after), Nervousness(cost_per_change=1e9))
    kept = next(found for found in calm.lines if found.line_id == line.line_id)
    assert kept.quantity == line.quantity
    assert verify(after, calm) == ()


def test_given_orders_cost_what_the_plan_says_its_own_cost():
    snapshot = random_snapshot(6, seed=4, paths=64)
    plan = plan_orders(snapshot)
    rows = np.arange(6)
    orders = [
        [[(line.offer_id, line.quantity) for line in plan.lines if line.item_id == item_id], []]
        for item_id in snapshot.item_ids
    ]
    parts = price_orders(snapshot, plan.settings, rows, orders)
    for row, outlook in enumerate(plan.outlooks):
        assert parts[row, 0].sum() == pytest.approx(outlook.cost.total)
        assert parts[row, 1].sum() >= outlook.cost.total - 1e-9


def test_every_limit_of_a_supplier_is_among_those_compared():
    known = {"supplier_capacity", "supplier_capacity_by_period", "supplier_min_order_value", "supplier_max_share"}
    assert set(FREE) == known | {"joint_order_cost"}
    stated = {field.name for field in fields(SharedLimits) if field.name.startswith(("supplier", "joint"))}
    assert stated == set(FREE)


def two_items_by_week(capacity: list[float]) -> PlanningSnapshot:
    """Two items that need 10 a week each from one supplier, whose weekly capacity is shared."""
    terms = [Terms(price=1.0), Terms(item=1, price=1.0)]
    return snapshot_of_paths(
        np.full((2, 4, 6), 10.0),
        terms,
        on_hand=[10.0, 10.0],
        holding=[0.1, 0.1],
        shortage=[5.0, 5.0],
        limits=SharedLimits(supplier_capacity_by_period=np.array([capacity])),
    )


def test_an_item_replanned_alone_takes_what_the_others_leave_of_every_later_week():
    before = two_items_by_week([np.inf, 20.0, 20.0, 20.0, 20.0, 0.0])
    plan = plan_orders(before)
    assert plan.scheduled
    after = with_stock(before, 1, 5.0)
    replanned, diff = replan(plan, SnapshotDelta.between(before, after))
    assert replanned.scheduled
    assert verify(after, replanned) == ()
    weekly = np.zeros(6)
    for line in (*replanned.lines, *replanned.intended):
        weekly[line.period] += line.quantity
    assert np.all(weekly[1:] <= [20, 20, 20, 20, 0])
    assert replanned.cost.total == pytest.approx(plan_orders(after).cost.total, rel=1e-3)
    assert diff.recomputed_item_ids == ("I001",)


def test_what_kept_lines_use_is_taken_off_every_limit():
    snapshot = two_items_by_week([50.0, 20.0, 20.0, 20.0, 20.0, 20.0])
    limits = replace(
        snapshot.limits,
        budget=100.0,
        supplier_capacity=np.array([60.0]),
        max_orders=3.0,
        budget_by_period=np.full(6, 30.0),
        max_orders_by_period=np.full(6, 2.0),
        joint_order_cost=np.array([7.0]),
        supplier_min_order_value=np.array([50.0]),
    )
    snapshot = replace(snapshot, limits=limits)
    line = plan_orders(two_items_by_week([np.inf, 0, 0, 0, 0, 0])).lines[0]
    now, then = replace(line, quantity=12.0), replace(line, quantity=8.0, period=2)
    left = remaining_limits(snapshot, [now], [then])
    assert (left.budget, left.max_orders) == (88.0, 2.0)
    assert left.supplier_capacity.tolist() == [48.0]
    assert left.supplier_capacity_by_period.tolist() == [[38.0, 20.0, 12.0, 20.0, 20.0, 20.0]]
    assert left.budget_by_period.tolist() == [18.0, 30.0, 22.0, 30.0, 30.0, 30.0]
    assert left.max_orders_by_period.tolist() == [1.0, 2.0, 1.0, 2.0, 2.0, 2.0]
    assert (left.joint_order_cost.tolist(), left.supplier_min_order_value.tolist()) == ([0.0], [38.0])
    assert remaining_limits(snapshot, [replace(line, quantity=70.0)]) is None
    assert remaining_limits(snapshot, [now], [replace(then, quantity=21.0)]) is None
