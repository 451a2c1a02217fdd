"""What cannot be kept is said: which limits, which items, from when, and what would cure it."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SharedLimits
from tools.ordering import plan_orders, verify

SLOW = Terms(price=1.0, lead_time=(0.0,) * 4 + (1.0,))


def weekly(terms: list[Terms], *, items: int = 1, on_hand: float = 0.0, **changes) -> PlanningSnapshot:
    """Items that need 10 a week each for eight weeks from Monday 5 January 2026 on."""
    demand = np.full((items, 8, 8), 10.0)
    return snapshot_of_paths(
        demand, terms, on_hand=[on_hand] * items, holding=[0.1] * items, shortage=[5.0] * items, suppliers=2, **changes
    )


def conflicts(snapshot: PlanningSnapshot, settings: OrderingSettings | None = None) -> tuple[str, ...]:
    plan = plan_orders(snapshot, settings)
    assert {v.rule for v in verify(snapshot, plan)} <= {"storage"}
    return plan.conflicts


def test_a_floor_out_of_reach_before_the_first_lead_time_says_from_when_to_when_by_how_much_and_what_helps():
    snapshot = weekly([SLOW], on_hand=20.0)
    floor = replace(snapshot, service_level=np.array([0.95]), shortage_cost=np.array([np.nan]))
    (said,) = conflicts(floor)
    assert said == (
        "Item I000 will be short from 2026-01-19 to 2026-02-01 by about 20 units whatever is ordered: its fastest"
        " source, I000|S00|0|MAIN, lands on 2026-02-01; expedite an open order or borrow stock."
    )
    assert plan_orders(floor).lines, "what lands after it is ordered all the same"
    assert conflicts(snapshot) == (), "without a floor being short is a cost like any other"


def test_a_floor_that_a_faster_source_or_stock_keeps_is_no_conflict():
    quick = Terms(supplier=1, price=2.0)
    floor = {"service_level": np.array([0.95]), "shortage_cost": np.array([np.nan])}
    assert conflicts(replace(weekly([SLOW, quick], on_hand=20.0), **floor)) == ()
    assert conflicts(replace(weekly([SLOW], on_hand=60.0), **floor)) == ()


def test_only_the_worst_of_many_unreachable_floors_are_named_and_the_rest_counted():
    terms = [replace(SLOW, item=item) for item in range(8)]
    snapshot = replace(weekly(terms, items=8), service_level=np.full(8, 0.9), shortage_cost=np.full(8, np.nan))
    said = [text for text in conflicts(snapshot) if "short" in text]
    assert len(said) == 6
    assert said[-1].startswith("3 more items will be short")


def test_a_fill_rate_floor_out_of_reach_says_what_is_served_from_when():
    """The only source ships 5 of the 10 units a week that are asked for."""
    snapshot = weekly([Terms(price=1.0, capacity=5.0)])
    (said,) = conflicts(replace(snapshot, fill_rate_target=np.array([0.9])))
    assert said.startswith("Item I000 is served ")
    assert "from stock from 2026-01-05 on, where 90.0% is asked for" in said


def test_a_budget_of_nothing_names_the_items_and_the_money_that_would_cure_it():
    snapshot = weekly([Terms(price=1.0)], limits=SharedLimits(budget=0.0))
    (said,) = conflicts(snapshot)
    assert said == (
        "Shared limits of the orders placed on 2026-01-04, budget (0 USD), keep I000 short; orders worth 10.00 USD more"
        " would serve them as their costs ask."
    )


def test_a_budget_below_zero_is_planned_as_nothing_and_said():
    said = conflicts(weekly([Terms(price=1.0)], limits=SharedLimits(budget=-25.0)))
    assert said[0] == "The budget is -25.00 USD: below zero, so nothing is ordered; set it to 0 or more."


@pytest.mark.parametrize(
    "limits",
    [
        SharedLimits(supplier_capacity=np.array([-40.0, np.inf])),
        SharedLimits(supplier_capacity_by_period=np.array([[-40.0] + [np.inf] * 7, [np.inf] * 8])),
    ],
)
def test_capacity_below_what_is_committed_names_the_supplier_and_by_how_much(limits):
    snapshot = weekly([Terms(price=1.0), Terms(supplier=1, price=1.5)], limits=limits)
    assert {line.supplier_id for line in plan_orders(snapshot).lines} == {"S01"}
    said = conflicts(snapshot)
    assert said[0].startswith(
        "Orders already committed exceed the capacity of S00 by 40 units from 2026-01-04 on, so nothing more is ordered"
    )


def test_a_capacity_that_keeps_an_item_short_is_named_with_its_size():
    snapshot = weekly([Terms(price=1.0)], on_hand=-30.0, limits=SharedLimits(supplier_capacity=np.array([3.0, np.inf])))
    (said,) = conflicts(snapshot)
    assert "capacity of S00 (3 units), keep I000 short" in said


def test_more_suppliers_than_there_are_is_said_and_the_order_goes_to_those_there_are():
    snapshot = weekly([Terms(price=1.0), Terms(supplier=1, price=1.0, orderable=False)])
    settings = OrderingSettings(item_min_suppliers={"I000": 2})
    assert [line.supplier_id for line in plan_orders(snapshot, settings).lines] == ["S00"]
    (said,) = conflicts(snapshot, settings)
    assert said.startswith("Fewer suppliers than asked for may be ordered from now, on 2026-01-04, for I000 (1 of 2)")


def test_overfull_storage_says_by_how_much_from_when_and_with_what():
    snapshot = weekly(
        [Terms(price=1.0)], on_hand=50.0, arrivals=np.zeros((1, 8, 8)), limits=SharedLimits(storage=20.0), volume=2.0
    )
    said = conflicts(snapshot)
    assert said[0].startswith(
        "Storage of 20.0 is over-full by 60.0 from stock and open orders alone, in 3 period(s) from 2026-01-05 on,"
        " mostly with I000 (80.0); defer or cancel open orders"
    )
    assert plan_orders(snapshot).lines == ()


def test_limits_by_period_that_keep_items_short_are_named_with_their_first_day():
    limits = SharedLimits(budget_by_period=np.array([np.inf, np.inf, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    expensive_to_hold = replace(weekly([Terms(price=1.0)], limits=limits), holding_cost=np.array([4.0]))
    plan = plan_orders(expensive_to_hold)
    assert plan.scheduled
    (said,) = plan.conflicts
    assert said.startswith("Limits by period, budget from 2026-01-19 on, keep I000 short, at ")


def test_a_plan_whose_limits_do_not_hurt_has_no_conflicts():
    roomy = random_snapshot(6, seed=3, paths=32, limits=SharedLimits(budget=1e9, storage=1e9))
    assert conflicts(roomy) == ()
