"""Plans under limits that reach later periods: they keep every period's limit, and say what each limit is worth."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.plans import OrderPlan
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SharedLimits
from tools.ordering import PROFILES, Catalogue, combine, plan_options, plan_orders, verify


def steady(capacity: list[float], *, horizon: int = 6, lead: int = 0, fast: bool = False) -> PlanningSnapshot:
    """One item that needs 10 a week, from a supplier with a capacity by week, and a dear unlimited one."""
    wait = tuple([0.0] * lead + [1.0])
    terms = [Terms(price=1.0, lead_time=wait), *([Terms(supplier=1, price=3.0)] if fast else [])]
    limits = np.full((2, horizon), np.inf)
    limits[0, : len(capacity)] = capacity
    return snapshot_of_paths(
        np.full((1, 4, horizon), 10.0),
        terms,
        on_hand=[10.0],
        holding=[0.1],
        shortage=[5.0],
        suppliers=2,
        limits=SharedLimits(supplier_capacity_by_period=limits),
    )


def ordered(plan: OrderPlan) -> dict[int, float]:
    return {line.period: line.quantity for line in (*plan.lines, *plan.intended)}


def test_stock_is_built_up_before_a_week_without_capacity():
    plan = plan_orders(steady([np.inf, np.inf, 0.0, 0.0]))
    assert plan.scheduled
    assert ordered(plan) == {1: 30.0, 4: 10.0, 5: 10.0}
    assert plan.gap == pytest.approx(0.0, abs=1e-9)


def test_what_must_be_ordered_now_because_later_weeks_are_full_is_ordered_now():
    """Weeks 1 to 3 take 5 units each: 15 of the 30 units are short of room and come at once."""
    snapshot = steady([np.inf, 5.0, 5.0, 5.0, np.inf, np.inf])
    plan = plan_orders(snapshot)
    (line,) = plan.lines
    assert line.quantity == 15.0
    assert verify(snapshot, plan) == ()


def test_the_price_of_a_week_is_what_one_more_unit_of_its_capacity_saves():
    before = plan_orders(steady([np.inf, 5.0, 5.0, 5.0, np.inf, np.inf]))
    after = plan_orders(steady([np.inf, 5.0, 6.0, 5.0, np.inf, np.inf]))
    (binding,) = [b for line in before.intended if line.period == 2 for b in line.binding]
    assert binding.name == "capacity of S00 in period 2"
    assert binding.limit == 5.0
    assert binding.shadow_price == pytest.approx(before.cost.total - after.cost.total, abs=1e-6)
    assert binding.shadow_price == pytest.approx(0.2), "a unit waits two weeks less"


def test_without_the_cheap_supplier_the_order_would_cost_the_difference_of_prices():
    plan = plan_orders(steady([np.inf, 0.0, 0.0, np.inf, np.inf, np.inf], fast=True))
    (line,) = plan.lines
    assert (line.supplier_id, line.quantity) == ("S00", 20.0)
    extra = line.explanation.figures["extra_cost_of_next_best_source"]
    assert extra == pytest.approx(2.0 * 50 - 0.1 * (10 + 20)), "50 units at 2 more, and none of the 20 waits"


def test_a_budget_by_week_moves_orders_forward():
    horizon = 6
    snapshot = replace(
        steady([], horizon=horizon), limits=SharedLimits(budget_by_period=np.array([np.inf, 5.0, 5.0, 5.0, 5.0, 5.0]))
    )
    plan = plan_orders(snapshot)
    spent = {period: units for period, units in ordered(plan).items() if period > 0}
    assert spent == {period: 5.0 for period in range(1, horizon)}
    assert sum(line.quantity for line in plan.lines) == 25.0
    assert verify(snapshot, plan) == ()


def test_a_number_of_orders_by_week_joins_orders():
    snapshot = replace(steady([]), limits=SharedLimits(max_orders_by_period=np.array([1.0, 0, 1, 0, 1, 0])))
    plan = plan_orders(snapshot)
    assert ordered(plan) == {0: 10.0, 2: 20.0, 4: 20.0}
    assert verify(snapshot, plan) == ()


def test_limits_that_never_bind_leave_the_policys_plan():
    free = random_snapshot(6, seed=3, paths=64)
    roomy = np.full((len(free.supplier_ids), free.horizon), 1e9)
    loose = replace(free, limits=SharedLimits(supplier_capacity_by_period=roomy))
    plan = plan_orders(loose)
    assert not plan.scheduled
    assert [(line.line_id, line.quantity) for line in plan.lines] == [
        (line.line_id, line.quantity) for line in plan_orders(free).lines
    ]


@pytest.mark.parametrize("seed", range(6))
def test_random_plans_keep_the_limits_of_every_period(seed):
    free = random_snapshot(8, seed=seed, paths=64, horizon=12)
    weekly = float(free.demand.mean(axis=(1, 2)).sum())
    capacity = np.full((len(free.supplier_ids), 12), 0.35 * weekly)
    price = float(np.median(free.sources.unit_price))
    limits = SharedLimits(
        supplier_capacity_by_period=capacity,
        budget_by_period=np.full(12, 0.9 * weekly * price),
        max_orders_by_period=np.full(12, 3.0),
    )
    snapshot = replace(free, limits=limits)
    plan = plan_orders(snapshot)
    assert plan.scheduled
    assert verify(snapshot, plan) == ()
    assert plan.lower_bound <= plan.cost.total + 1e-6
    assert plan.cost.total == pytest.approx(sum(outlook.cost.total for outlook in plan.outlooks))
    assert plan_orders(snapshot).lines == plan.lines


def test_a_line_of_a_later_period_that_breaks_a_limit_is_found():
    snapshot = steady([np.inf, 5.0, 5.0, 5.0, np.inf, np.inf])
    plan = plan_orders(snapshot)
    later = next(line for line in plan.intended if line.period == 2)
    changed = replace(
        plan, intended=tuple(replace(line, quantity=9.0) if line is later else line for line in plan.intended)
    )
    assert {v.rule for v in verify(snapshot, changed)} >= {"supplier_capacity:S00"}


def test_a_schedule_counts_cost_as_a_policys_plan_does():
    """Options compare the two: the same horizon's demand is paid for, whether from stock or bought."""
    for seed in range(3):
        free = random_snapshot(12, seed=seed, paths=64)
        capacity = np.full((len(free.supplier_ids), free.horizon), np.inf)
        capacity[:, 3:6] = 1.0
        limited = plan_orders(replace(free, limits=SharedLimits(supplier_capacity_by_period=capacity)))
        assert limited.scheduled
        assert limited.cost.total == pytest.approx(plan_orders(free).cost.total, rel=0.03)


def test_a_schedule_that_would_break_a_least_order_value_is_left_and_the_plan_says_so():
    snapshot = steady([np.inf, 5.0, 5.0, 5.0, np.inf, np.inf])
    limits = replace(snapshot.limits, supplier_min_order_value=np.array([500.0, 0.0]))
    demanding = replace(snapshot, limits=limits)
    plan = plan_orders(demanding)
    assert plan.leaves_out_later_limits and not plan.scheduled
    assert verify(demanding, plan) == ()
    assert any(
        "Limits of later periods are not in this plan" in c and "supplier min order value of S00" in c
        for c in plan.conflicts
    )


def test_a_profile_that_cannot_keep_the_limits_of_later_weeks_is_not_offered_beside_those_that_do():
    """Spreading over suppliers is no part of a schedule: the diversified plan leaves the limits out."""
    snapshot = steady([np.inf, 5.0, 5.0, 5.0, np.inf, np.inf], fast=True)
    spread = plan_orders(snapshot, PROFILES["diversified"].apply(OrderingSettings(), snapshot.item_ids))
    assert spread.leaves_out_later_limits
    offered = {
        option.profile
        for option in plan_options(Catalogue(snapshot, OrderingSettings()), {"all": snapshot.item_ids}, {})
    }
    assert "balanced" in offered
    assert "diversified" not in offered


def test_the_outlook_of_a_schedule_is_that_of_its_own_cases():
    plan = plan_orders(steady([np.inf, np.inf, 0.0, 0.0]))
    (outlook,) = plan.outlooks
    assert outlook.projected_stock[1].tolist() == [0.0, 20.0, 10.0, 0.0, 0.0, 0.0]
    assert (outlook.fill_rate, outlook.stockout_probability, outlook.ready_rate_later) == (1.0, 0.0, 1.0)
    short = plan_orders(steady([0.0, 0.0, 5.0, np.inf, np.inf, np.inf]))
    assert short.outlooks[0].projected_stock[1].tolist() == [0.0, -10.0, -15.0, 0.0, 0.0, 0.0]
    assert short.outlooks[0].fill_rate == pytest.approx(1 - 15 / 60)


def test_options_are_all_schedules_when_one_of_them_is():
    """A shortage that costs little leaves a limit unused that the other profiles need: it is scheduled all the same."""
    snapshot = steady([np.inf, 5.0, 5.0, 5.0, np.inf, np.inf])
    cheap = replace(snapshot, shortage_cost=np.array([0.21]))
    lean = PROFILES["cash_lean"].apply(OrderingSettings(), cheap.item_ids)
    assert plan_orders(cheap).scheduled
    options = plan_options(Catalogue(cheap, OrderingSettings()), {"all": cheap.item_ids}, {})
    assert options and all(option.scheduled for option in options)
    assert plan_orders(cheap, lean, scheduled=True).scheduled
    chosen = combine(Catalogue(cheap, OrderingSettings()), options, {"all": options[0].option_id})
    assert chosen.scheduled
    assert [(line.offer_id, line.quantity) for line in chosen.lines] == list(options[0].orders)
