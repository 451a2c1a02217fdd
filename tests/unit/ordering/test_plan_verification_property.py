"""Plans of five hundred random problems break no rule, and a plan broken on purpose in any way is found out."""

from dataclasses import replace

import numpy as np
import pytest
from ordering_cases import random_problem

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.plans import CostParts, OrderPlan
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SharedLimits
from tools.ordering import plan_orders, verify

BATCHES, EACH = 10, 50


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_plan_of_a_random_problem_breaks_a_rule_or_costs_less_than_its_bound(batch):
    for seed in range(batch * EACH, (batch + 1) * EACH):
        snapshot, settings = random_problem(seed)
        plan = plan_orders(snapshot, settings)
        broken = {violation.rule for violation in verify(snapshot, plan)}
        assert broken <= ({"storage"} if any("over-full" in c for c in plan.conflicts) else set()), seed
        assert plan.lower_bound <= plan.cost.total + 1e-6 * max(abs(plan.cost.total), 1.0), seed
        assert all(np.isfinite(part) for part in vars_of(plan.cost)), seed


def vars_of(cost: CostParts) -> list[float]:
    return [getattr(cost, name) for name in CostParts.__dataclass_fields__]


def test_the_random_problems_hold_every_feature_and_order_something():
    seen, lines, scheduled = set[str](), 0, 0
    for seed in range(40):
        snapshot, settings = random_problem(seed)
        limits, sources = snapshot.limits, snapshot.sources
        plan = plan_orders(snapshot, settings)
        lines += len(plan.lines)
        scheduled += plan.scheduled
        marks = {
            "incremental": sources.incremental.any(),
            "yield": (sources.yield_rate < 1).any(),
            "delay": sources.path_delay.size > 0,
            "window": (sources.first_period > 0).any() and (sources.last_period < 3).any(),
            "frozen": (snapshot.frozen_periods > 0).any(),
            "fill": np.isfinite(snapshot.fill_rate_target).any(),
            "shares": limits.supplier_max_share.size > 0,
            "joint": limits.joint_order_cost.size > 0,
            "least": limits.supplier_min_order_value.size > 0,
            "storage": np.isfinite(limits.storage),
            "orders": np.isfinite(limits.max_orders),
            "later": limits.reach_later,
            "hedged": settings.min_suppliers > 1 and len({line.supplier_id for line in plan.lines}) > 1,
        }
        seen |= {name for name, there in marks.items() if there}
    assert seen == marks.keys()
    assert lines > 40
    assert scheduled > 0


def with_line(plan: OrderPlan, index: int, **changes: object) -> OrderPlan:
    lines = list(plan.lines)
    lines[index] = replace(lines[index], **changes)
    return replace(plan, lines=tuple(lines))


def rules(snapshot: PlanningSnapshot, plan: OrderPlan) -> set[str]:
    return {violation.rule.partition(":")[0] for violation in verify(snapshot, plan)}


def sound(seed: int = 2, **limits: object) -> tuple[PlanningSnapshot, OrderPlan]:
    snapshot = random_snapshot(4, seed=seed, paths=32, limits=SharedLimits(**limits))
    plan = plan_orders(snapshot)
    assert len(plan.lines) > 1
    assert verify(snapshot, plan) == ()
    return snapshot, plan


LINE_FAULTS = {
    "unknown_offer": {"offer_id": "nobody"},
    "wrong_item_or_supplier": {"supplier_id": "nobody"},
    "period": {"period": 1},
    "quantity": {"quantity": -1.0},
    "order_multiple": {"quantity": 100_000.3},
    "moq": {"quantity": 1e-6},
    "unit_price": {"unit_price": 0.01},
    "freight_per_unit": {"freight_per_unit": 99.0},
    "fixed_order_cost": {"fixed_order_cost": 99.0},
}


@pytest.mark.parametrize("rule", LINE_FAULTS)
def test_a_line_changed_by_hand_is_found(rule):
    snapshot, plan = sound(budget=1e9)
    assert rule in rules(snapshot, with_line(plan, 0, **LINE_FAULTS[rule]))


@pytest.mark.parametrize("quantity", [float("nan"), float("inf"), 0.0])
def test_a_quantity_that_is_no_amount_is_found(quantity):
    snapshot, plan = sound()
    assert "quantity" in rules(snapshot, with_line(plan, 0, quantity=quantity))


SOURCE_FAULTS = {
    "not_orderable": {"orderable": False},
    "before_first_period": {"first_period": 1},
    "after_last_period": {"last_period": -1},
    "max_quantity": {"max_quantity": 0.5},
    "source_capacity": {"capacity_per_period": 0.5},
}


@pytest.mark.parametrize("rule", SOURCE_FAULTS)
def test_an_order_that_its_source_does_not_take_is_found(rule):
    snapshot, plan = sound()
    row = snapshot.sources.offer_ids.index(plan.lines[0].offer_id)
    ((field, value),) = SOURCE_FAULTS[rule].items()
    column = getattr(snapshot.sources, field).copy()
    column[row] = value
    changed = replace(snapshot, sources=replace(snapshot.sources, **{field: column}))
    found = [v for v in verify(changed, plan) if v.rule == rule]
    assert [v.line_id for v in found] == [plan.lines[0].line_id]


def test_orders_of_a_frozen_item_and_of_a_barred_expedite_option_are_found():
    snapshot, plan = sound()
    assert "frozen" in rules(replace(snapshot, frozen_periods=np.ones(4, dtype=np.int64)), plan)
    express = replace(snapshot, sources=replace(snapshot.sources, expedite=np.ones(12, dtype=np.bool_)))
    barred = replace(plan, settings=OrderingSettings(allow_expedite=False))
    assert "expedite_not_allowed" in rules(express, barred)
    assert "expedite_not_allowed" not in rules(express, plan)


def test_each_shared_limit_that_is_passed_is_found():
    snapshot, plan = sound()
    suppliers, spent = len(snapshot.supplier_ids), sum(line.value for line in plan.lines)
    table = np.full((suppliers, 2), np.inf)
    table[:, 0] = 0.5
    faults = {
        "budget": [SharedLimits(budget=0.9 * spent), SharedLimits(budget_by_period=np.array([0.9 * spent, np.inf]))],
        "max_orders": [
            SharedLimits(max_orders=len(plan.lines) - 1),
            SharedLimits(max_orders_by_period=np.array([len(plan.lines) - 1.0])),
        ],
        "supplier_capacity": [
            SharedLimits(supplier_capacity=np.full(suppliers, 0.5)),
            SharedLimits(supplier_capacity_by_period=table),
        ],
        "supplier_min_order_value": [SharedLimits(supplier_min_order_value=np.full(suppliers, 2 * spent))],
        "storage": [SharedLimits(storage=1.0)],
        "supplier_share": [SharedLimits(supplier_max_share=np.full(suppliers, 0.1))],
    }
    for rule, cases in faults.items():
        for limits in cases:
            assert rule in rules(replace(snapshot, limits=limits), plan), rule
    hedged = replace(plan, settings=OrderingSettings(min_suppliers=2))
    assert "min_suppliers" in rules(snapshot, hedged)
    single = replace(plan, settings=OrderingSettings(item_min_suppliers={plan.lines[0].item_id: 3}))
    assert {v.line_id for v in verify(snapshot, single) if v.rule == "min_suppliers"} <= {plan.lines[0].item_id}


def test_the_same_need_twice_and_a_plan_of_another_snapshot_are_found():
    snapshot, plan = sound()
    assert "duplicate_need" in rules(snapshot, replace(plan, lines=(*plan.lines, plan.lines[0])))
    assert "snapshot_hash" in rules(random_snapshot(4, seed=3, paths=32), plan)


def test_costs_that_do_not_add_up_and_a_bound_above_the_cost_are_found():
    snapshot, plan = sound()
    dearer = replace(plan, cost=replace(plan.cost, holding=plan.cost.holding + 1.0))
    assert rules(snapshot, dearer) == {"cost_sum"}
    assert rules(snapshot, replace(plan, lower_bound=plan.cost.total + 1.0)) == {"lower_bound"}
    assert rules(snapshot, replace(plan, lower_bound=float("nan"))) == {"lower_bound"}
    assert rules(snapshot, replace(plan, outlooks=plan.outlooks[:-1])) == {"outlooks"}


def test_an_incremental_price_is_the_average_of_the_steps():
    """60 units at 1.00, 40 at 0.80: 92 for 100, and not 80 as with all-units breaks."""
    terms = [Terms(price=1.0, breaks=((60.0, 0.8),), moq=100.0)]
    snapshot = snapshot_of_paths(np.full((1, 4, 4), 50.0), terms, on_hand=[0.0], holding=[0.01], shortage=[9.0])
    steps = replace(snapshot, sources=replace(snapshot.sources, incremental=np.ones(1, dtype=np.bool_)))
    plan = plan_orders(steps)
    (line,) = plan.lines
    assert line.quantity >= 100
    assert line.value == pytest.approx(60 + 0.8 * (line.quantity - 60))
    assert verify(steps, plan) == ()
    assert "unit_price" in rules(steps, with_line(plan, 0, unit_price=0.8))
    assert "unit_price" in rules(snapshot, replace(plan, snapshot_hash=""))


def test_storage_counts_the_usable_part_of_an_order_when_it_can_have_arrived():
    """Half of what is ordered is usable; on every other path it is two periods late."""
    terms = [Terms(price=1.0, moq=40.0, multiple=40.0, largest=40.0)]
    demand = np.zeros((1, 4, 4))
    demand[:, :, 3] = 20.0
    snapshot = snapshot_of_paths(demand, terms, on_hand=[0.0], holding=[0.01], shortage=[9.0], volume=1.0)
    free = plan_orders(snapshot)
    line = replace(plan_orders(replace(snapshot, on_hand=np.array([-20.0]))).lines[0])
    table = replace(snapshot.sources, yield_rate=np.array([0.5]), path_delay=np.array([[0, 2, 0, 2]], dtype=np.int64))

    def volumes(storage: float) -> list[tuple[str, float]]:
        held = replace(snapshot, sources=table, limits=SharedLimits(storage=storage))
        found = verify(held, replace(free, lines=(line,)))
        return [(v.line_id, v.actual) for v in found if v.rule == "storage"]

    assert line.quantity == 40.0
    assert volumes(20.0) == []
    assert volumes(9.0) == [("period 0", 10.0), ("period 1", 10.0), ("period 2", 20.0)]


def test_a_scheduled_plans_later_lines_are_held_to_the_rules_too():
    limits = np.array([[np.inf, 10.0, 10.0, 10.0, 5.0, 5.0]])
    snapshot = snapshot_of_paths(
        np.full((1, 4, 6), 10.0),
        [Terms(price=1.0, multiple=1.0)],
        on_hand=[0.0],
        holding=[0.1],
        shortage=[5.0],
        limits=SharedLimits(supplier_capacity_by_period=limits),
    )
    plan = plan_orders(snapshot)
    assert plan.scheduled and plan.intended
    assert verify(snapshot, plan) == ()

    def changed(**changes: object) -> set[str]:
        later = (replace(plan.intended[0], **changes), *plan.intended[1:])
        return rules(snapshot, replace(plan, intended=later))

    assert "supplier_capacity" in changed(quantity=11.0)
    assert "order_multiple" in changed(quantity=9.5)
    assert "unit_price" in changed(unit_price=0.5)
    assert "period" in changed(period=6)
    assert "duplicate_need" in changed(period=plan.intended[1].period)
    loose = replace(plan, scheduled=False)
    assert verify(snapshot, replace(loose, intended=(replace(plan.intended[0], quantity=11.0),))) == ()
