"""What better terms of an offer are worth: exact small cases, and properties that hold for any item."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.errors import BadInput, NotFound
from tools.domain.snapshots import OrderingSettings, SharedLimits
from tools.ordering import plan_orders, reservation_prices, reservation_values


def steady(terms: list[Terms], *, on_hand: float = 0.0, shortage: float = 20.0, periods: int = 12, **more):
    """One item with a certain demand of 10 a period; holding costs 1 a unit and period."""
    return snapshot_of_paths(
        np.full((1, 4, periods), 10.0), terms, on_hand=[on_hand], holding=[1.0], shortage=[shortage], **more
    )


def values_of(snapshot, offer: int = 0, plan_settings: OrderingSettings | None = None):
    plan = plan_orders(snapshot, plan_settings)
    return plan, reservation_values(snapshot, plan, snapshot.sources.offer_ids[offer])


def test_a_lower_price_is_worth_its_cut_on_every_unit_ordered():
    plan, found = values_of(steady([Terms(price=50.0)]))
    assert found.quantity == plan.lines[0].quantity == 10
    assert [one.value for one in found.lower_price[:2]] == pytest.approx([5.0, 10.0])
    assert found.per_percent == pytest.approx(5.0)


def test_a_cut_that_pays_for_holding_is_worth_what_is_bought_ahead_too():
    """2.50 off a unit pays for stock of up to two periods at 1 each: 30 units, of which 20 and 10 are held."""
    _, found = values_of(steady([Terms(price=50.0)]))
    assert found.lower_price[2].value == pytest.approx(2.5 * 30 - (20 + 10))
    assert found.lower_price[3].value == pytest.approx(5.0 * 50 - (40 + 30 + 20 + 10))


def test_the_reservation_price_is_that_of_the_other_source_where_they_differ_in_price_alone():
    snapshot = steady([Terms(price=50.0), Terms(supplier=1, price=53.0)], suppliers=2)
    _, found = values_of(snapshot)
    assert found.next_best == {snapshot.sources.offer_ids[1]: 10}
    assert found.next_best_extra == pytest.approx(30.0)
    assert found.reservation_price == pytest.approx(53.0)
    assert found.indifference_price == pytest.approx(53.0)


def test_an_offer_that_is_passed_over_would_be_taken_at_the_price_of_the_one_that_is_not():
    _, found = values_of(steady([Terms(price=50.0), Terms(supplier=1, price=53.0)], suppliers=2), offer=1)
    assert found.quantity == 0
    assert found.unit_price == 53.0
    assert found.reservation_price == pytest.approx(50.0)
    assert [one.value for one in found.lower_price[:3]] == pytest.approx([0.0, 0.0, 0.0])


def test_a_sole_source_may_ask_what_going_short_would_cost():
    """Ordering the next period instead leaves 10 units short for one period, at 20 each, less 0 of holding."""
    _, found = values_of(steady([Terms(price=50.0)]))
    assert found.next_best == {}
    assert found.reservation_price == pytest.approx(50.0 + found.next_best_extra / 10)
    assert found.next_best_extra == pytest.approx(200.0)


def test_a_period_earlier_is_worth_the_shortage_that_it_ends():
    """With two periods of lead time and nothing in stock, an order of today lands behind two periods of shortage."""
    snapshot = steady([Terms(price=5.0, lead_time=(0.0, 0.0, 1.0))], on_hand=0.0)
    _, found = values_of(snapshot)
    saved = [one.value for one in found.earlier]
    assert [one.change for one in found.earlier] == [1.0, 2.0]
    assert saved[0] == pytest.approx(20.0 * 20, abs=1e-6)
    assert saved[1] == pytest.approx(20.0 * 20 + 20.0 * 10, abs=1e-6)


def test_an_earlier_date_is_worth_nothing_where_stock_lasts():
    snapshot = steady([Terms(price=5.0, lead_time=(0.0, 1.0))], on_hand=60.0)
    plan = plan_orders(snapshot)
    assert plan.lines == ()
    assert all(one.value == 0 for one in reservation_values(snapshot, plan, snapshot.sources.offer_ids[0]).earlier)


def test_a_smaller_moq_saves_the_stock_that_it_forces_upon_the_plan():
    snapshot = steady([Terms(price=5.0, moq=30.0)], shortage=200.0)
    plan, found = values_of(snapshot)
    assert plan.lines[0].quantity == 30
    assert [one.change for one in found.smaller_moq] == [15.0, 0.0]
    half, none = (one.value for one in found.smaller_moq)
    assert 0 < half < none
    assert none == pytest.approx(4 * (20 + 10)), "four orders of 30 in twelve periods, each held for two and one"


def test_a_larger_order_is_worth_the_shortage_that_the_maximum_leaves():
    snapshot = steady([Terms(price=5.0, largest=5.0)], periods=4)
    _, found = values_of(snapshot)
    assert [one.change for one in found.larger_maximum] == [6.25, 10.0, np.inf]
    rising = [one.value for one in found.larger_maximum]
    assert rising == sorted(rising) and rising[0] > 0


def test_a_budget_that_binds_makes_every_unit_dearer_by_its_shadow_price():
    terms = [Terms(item=i, supplier=i, price=10.0) for i in range(3)]
    demand = np.random.default_rng(2).poisson(20, (3, 64, 8)).astype(float)
    free = snapshot_of_paths(demand, terms, on_hand=[0.0] * 3, holding=[1.0] * 3, shortage=[9.0] * 3, suppliers=3)
    tight = replace(free, limits=SharedLimits(budget=450.0))
    plan = plan_orders(tight)
    price = max(limit.shadow_price for line in plan.lines for limit in line.binding)
    assert price > 0
    offer = plan.lines[0].offer_id
    bound = reservation_values(tight, plan, offer)
    unbound = reservation_values(free, replace(plan, lines=tuple(replace(x, binding=()) for x in plan.lines)), offer)
    assert bound.next_best_extra < unbound.next_best_extra


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_values_are_never_negative_and_rise_with_the_change(seed: int):
    snapshot = random_snapshot(2, seed=seed, paths=64, horizon=13)
    plan = plan_orders(snapshot)
    for offer_id in snapshot.sources.offer_ids:
        found = reservation_values(snapshot, plan, offer_id)
        for values in (found.lower_price, found.earlier, found.smaller_moq, found.larger_maximum):
            rising = [one.value for one in values]
            assert rising == sorted(rising)
            assert all(value >= 0 for value in rising)
        cut = found.lower_price
        assert cut[1].value >= 2 * cut[0].value - 1e-6, "saving grows at least in proportion: more may be bought"
        assert found.reservation_price <= found.indifference_price + 1e-6


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_at_the_reservation_price_the_planned_order_costs_as_much_as_the_next_best(seed: int):
    snapshot = random_snapshot(2, seed=seed, paths=64, horizon=13)
    plan = plan_orders(snapshot)
    for line in plan.lines:
        found = reservation_values(snapshot, plan, line.offer_id)
        dearer = (found.reservation_price - line.unit_price) * line.quantity
        if found.reservation_price > 0:
            assert dearer == pytest.approx(found.next_best_extra, abs=1e-4)


def test_an_unknown_offer_and_one_that_may_not_be_ordered_from_are_named_with_the_remedy():
    snapshot = steady([Terms(price=5.0), Terms(supplier=1, price=4.0, orderable=False)], suppliers=2)
    plan = plan_orders(snapshot)
    with pytest.raises(NotFound, match="I999"):
        reservation_values(snapshot, plan, "I999|S00|0|MAIN")
    with pytest.raises(BadInput, match="may not be ordered") as refused:
        reservation_values(snapshot, plan, snapshot.sources.offer_ids[1])
    assert refused.value.remedy


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_many_lines_at_once_have_the_reservation_prices_that_each_has_alone(seed: int):
    snapshot = random_snapshot(6, seed=seed, paths=64, horizon=13)
    plan = plan_orders(snapshot)
    together = reservation_prices(snapshot, plan, {line.line_id for line in plan.lines})
    assert together.keys() == {line.line_id for line in plan.lines}
    for line in plan.lines:
        alone = reservation_values(snapshot, plan, line.offer_id)
        assert together[line.line_id] >= alone.reservation_price - 1e-6, "alone it also looks along a ladder"
        assert together[line.line_id] == pytest.approx(alone.reservation_price, rel=0.02)


def test_reservation_prices_of_no_line_are_none():
    snapshot = random_snapshot(2, seed=1, paths=32, horizon=8)
    assert reservation_prices(snapshot, plan_orders(snapshot), ["nothing#0"]) == {}
