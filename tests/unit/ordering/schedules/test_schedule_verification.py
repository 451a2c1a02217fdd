"""The schedule verifier finds every rule that a schedule breaks, and recomputes what it costs."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from schedule_cases import one_source_problem, orders_of

from tools.ordering.schedules.problem.schedule_check import expected_by_item, verify_schedule
from tools.ordering.schedules.problem.statement import LimitPrices, ScheduleOrders, ScheduleOutcome

DEMAND = [[2.0, 4.0, 6.0]]


def rules(problem, orders) -> set[str]:
    return {violation.rule for violation in verify_schedule(problem, orders)}


def outcome(problem, orders, *, cost=None, bound=0.0) -> ScheduleOutcome:
    paid = expected_by_item(problem, orders)[0] if cost is None else np.array(cost)
    free = LimitPrices(*(np.zeros_like(x) for x in (problem.capacity, problem.budget, problem.storage, problem.budget)))
    return ScheduleOutcome(orders, paid, bound, free, 0.0)


def test_a_schedule_that_keeps_every_rule_has_no_violation():
    problem = one_source_problem(DEMAND, capacity=[[4.0, 4.0, 4.0]], budget=[9.0, 9.0, 9.0], unit_price=[2.0])
    orders = orders_of((0, 0, 4), (0, 1, 1), (0, 2, 1))
    assert verify_schedule(problem, outcome(problem, orders)) == ()


@pytest.mark.parametrize(
    ("changes", "rows", "broken"),
    [
        ({"least": [3]}, [(0, 0, 2)], "moq"),
        ({"multiple": [4]}, [(0, 0, 6)], "multiple"),
        ({"largest": [5]}, [(0, 0, 6)], "largest"),
        ({"first": [1]}, [(0, 0, 6)], "too_early"),
        ({"last": [0]}, [(0, 1, 6)], "too_late"),
        ({}, [(0, 0, 2), (0, 0, 4)], "one_order_in_sequence"),
        ({"capacity": [[5.0, 9.0, 9.0]]}, [(0, 0, 6)], "capacity"),
        ({"capacity": [[7.0, 9.0, 9.0]], "effort_per_order": [1.5]}, [(0, 0, 6)], "capacity"),
        ({"unit_price": [2.0], "budget": [11.0, 0.0, 0.0]}, [(0, 0, 6)], "budget"),
        ({"volume": [0.5], "storage": [1.5, 9.0, 9.0]}, [(0, 0, 6)], "storage"),
        ({"max_orders": [0.0, 1.0, 1.0]}, [(0, 0, 6)], "max_orders"),
        ({}, [(1, 0, 6)], "unknown_source"),
        ({}, [(0, 3, 6)], "horizon"),
        ({}, [(0, 0, 0)], "packs"),
    ],
)
def test_each_broken_rule_is_named(changes, rows, broken):
    assert rules(one_source_problem(DEMAND, **changes), orders_of(*rows)) == {broken}


def test_the_violation_says_where_and_by_how_much():
    problem = one_source_problem(DEMAND, capacity=[[5.0, 9.0, 9.0]])
    (found,) = verify_schedule(problem, orders_of((0, 0, 6)))
    assert (found.line_id, found.limit, found.actual) == ("supplier 0 period 0", 5.0, 6.0)


def test_orders_out_of_sequence_are_found():
    shuffled = ScheduleOrders(np.array([0, 0]), np.array([1, 0]), np.array([3, 3]))
    assert rules(one_source_problem(DEMAND), shuffled) == {"one_order_in_sequence"}


def test_budget_counts_the_price_of_the_break_reached_and_no_freight():
    problem = one_source_problem(
        DEMAND,
        unit_price=[3.0],
        break_packs=[[6]],
        break_price=[[2.0]],
        freight=[5.0],
        budget=[12.0, 0.0, 0.0],
    )
    assert rules(problem, orders_of((0, 0, 6))) == set()
    assert rules(problem, orders_of((0, 0, 5))) == {"budget"}


def test_stock_that_overfills_the_store_by_itself_is_no_violation_but_adding_to_it_is():
    problem = one_source_problem([[-5.0, -3.0, 2.0]], volume=[1.0], storage=[1.0, 1.0, 1.0])
    assert rules(problem, orders_of((0, 2, 2))) == set()
    assert rules(problem, orders_of((0, 1, 2))) == {"storage"}


def test_a_wrong_cost_and_a_bound_above_the_cost_are_found():
    problem = one_source_problem(DEMAND)
    orders = orders_of((0, 0, 6))
    assert rules(problem, outcome(problem, orders, cost=[5.9])) == {"cost"}
    assert rules(problem, outcome(problem, orders, bound=6.1)) == {"bound"}
    assert rules(problem, outcome(problem, orders, bound=6.0)) == set()


def test_expected_cost_by_hand():
    """Period 0 needs 1 or 3, period 1 needs 2 or 6; 4 packs land in period 1 for 5 each plus 10."""
    problem = one_source_problem(
        np.array([[[1.0, 3.0], [2.0, 6.0]]]),
        shortage=[8.0],
        end_value=[3.0],
        unit_price=[4.0],
        freight=[1.0],
        fixed_cost=[10.0],
        lead=[1],
        volume=[2.0],
    )
    cost, volume, nothing = expected_by_item(problem, orders_of((0, 0, 4)))
    assert cost == pytest.approx([4 * 5 + 10 + 8 * 2 + (1 * 1 + 8 * 1) - 3 * 0])
    assert volume == pytest.approx([0.0, 2.0])
    assert nothing == pytest.approx([0.0, 0.0])


def test_a_shortage_where_none_may_be_short_costs_without_end():
    problem = one_source_problem([[2.0, 4.0], [0.0, 0.0]])
    assert expected_by_item(problem, orders_of((0, 0, 3)))[0] == pytest.approx([np.inf, 0.0])
    assert expected_by_item(problem, orders_of((0, 0, 4)))[0] == pytest.approx([2.0, 0.0])


def test_an_order_that_arrives_after_the_horizon_costs_and_brings_nothing():
    problem = one_source_problem([[0.0, 0.0]], unit_price=[2.0], end_value=[2.0], lead=[1])
    assert expected_by_item(problem, orders_of((0, 1, 3)))[0] == pytest.approx([6.0])


def test_a_catalogue_of_twenty_thousand_items_is_verified_within_seconds():
    rng = np.random.default_rng(0)
    required = np.sort(rng.integers(0, 5, (20_000, 8, 26)).cumsum(axis=2).transpose(0, 2, 1), axis=2)
    problem = one_source_problem(required, shortage=np.full(20_000, 5.0))
    chosen = np.flatnonzero(rng.random(20_000 * 26) < 0.3)
    orders = ScheduleOrders(chosen // 26, chosen % 26, rng.integers(1, 9, chosen.size))
    problem = replace(problem, budget=np.full(26, 1e9))
    started = perf_counter()
    assert verify_schedule(problem, outcome(problem, orders, bound=-np.inf)) == ()
    assert perf_counter() - started < 10
