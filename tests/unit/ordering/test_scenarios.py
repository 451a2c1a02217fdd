"""Scenarios land on their share of the paths, and a plan that weighs the tail pays for a hedge that the tail shows."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.errors import BadInput
from tools.domain.orders import PurchaseOrder
from tools.domain.plans import OrderPlan
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.network import Disruption
from tools.ordering import Scenario, plan_orders, verify, with_scenarios
from tools.ordering.problem.scenarios import NO_SCENARIO, scenario_paths

PORT_CLOSED = Scenario("port closed", 0.1, Disruption(delay_days_by_supplier={"S00": 35}))


def two_sources(**more) -> PlanningSnapshot:
    """One item from a cheap supplier in two weeks or a dearer one in one week; nothing can be ordered later."""
    demand = np.random.default_rng(4).gamma(16.0, 100 / 16, (1, 400, 8))
    terms = [
        Terms(supplier=0, price=10.0, lead_time=(0, 0, 1.0)),
        Terms(supplier=1, price=11.0, lead_time=(0, 1.0)),
    ]
    shape = {"on_hand": [150.0], "holding": [0.05], "shortage": [0.4], "suppliers": 2, "unit_value": 10.0}
    snapshot = snapshot_of_paths(demand, terms, **(shape | more))
    return replace(snapshot, sources=replace(snapshot.sources, last_period=np.zeros(2, dtype=np.int64)))


@pytest.mark.parametrize("paths", (128, 256, 400))
def test_each_scenario_takes_its_exact_share_of_the_paths_and_nearly_so_every_eighth_path(paths: int):
    happens, luck = scenario_paths(paths, (0.1, 0.25), seed=7)
    assert np.sum(happens == 0) == round(0.1 * paths)
    assert np.sum(happens == 1) == round(0.35 * paths) - round(0.1 * paths)
    every = paths // 32
    assert np.mean(happens[::every] == 0) == pytest.approx(0.1, abs=0.05)
    assert np.mean(happens[::every] == NO_SCENARIO) == pytest.approx(0.65, abs=0.1)
    assert np.mean(luck[happens == 1]) == pytest.approx(0.5)


def test_the_assignment_is_that_of_the_seed():
    first, again, other = (scenario_paths(200, (0.2,), seed)[0] for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_disruption_of_35_days_delays_the_supplier_by_five_weeks_on_a_tenth_of_the_paths():
    disrupted = with_scenarios(two_sources(), [PORT_CLOSED])
    delay = disrupted.sources.path_delay
    assert delay.shape == (2, 400)
    assert np.unique(delay[0], return_counts=True)[1].tolist() == [360, 40]
    assert delay[0].max() == 5
    assert not delay[1].any()


def test_days_between_two_weeks_count_as_the_later_week_and_an_offer_goes_before_its_supplier():
    offer = two_sources().sources.offer_ids[0]
    effects = Disruption(delay_days_by_supplier={"S00": 8, "S01": 8}, delay_days_by_offer={offer: 1})
    delay = with_scenarios(two_sources(), [Scenario("late", 1.0, effects)]).sources.path_delay
    assert np.unique(delay[0]).tolist() == [1]
    assert np.unique(delay[1]).tolist() == [2]


def test_a_supplier_without_capacity_delivers_nothing_within_the_horizon():
    gone = Scenario("bankrupt", 0.5, Disruption(capacity_fraction_by_supplier={"S00": 0.0}))
    delay = with_scenarios(two_sources(), [gone]).sources.path_delay
    assert np.unique(delay[0]).tolist() == [0, 8]


def test_where_a_quarter_of_the_capacity_remains_a_quarter_of_the_scenarios_paths_is_served_as_usual():
    scarce = Scenario(
        "allocation", 0.5, Disruption(delay_days_by_supplier={"S00": 21}, capacity_fraction_by_supplier={"S00": 0.25})
    )
    delay = with_scenarios(two_sources(), [scarce]).sources.path_delay[0]
    assert np.sum(delay == 3) == 150
    assert np.sum(delay == 0) == 250


def test_demand_is_multiplied_for_the_named_item_on_the_scenarios_paths_only():
    snapshot = random_snapshot(2, paths=128)
    surge = Scenario("recall of a rival", 0.25, Disruption(), {"I001": 3.0, "unknown": 9.0})
    disrupted = with_scenarios(snapshot, [surge])
    ratio = disrupted.demand / np.maximum(snapshot.demand, 1e-9)
    assert ratio[0] == pytest.approx(1.0)
    assert np.isclose(ratio[1], 3.0).all(axis=1).sum() == 32
    assert np.isclose(ratio[1], 1.0).all(axis=1).sum() == 96


def test_a_named_open_order_lands_later_on_the_scenarios_paths_and_other_orders_do_not():
    snapshot = two_sources()
    arrivals = np.zeros(snapshot.demand.shape)
    arrivals[0, :, 1], arrivals[0, :, 3] = 60.0, 80.0
    orders = tuple(
        PurchaseOrder(
            order_id=f"PO{week}",
            item_id="I000",
            supplier_id="S00",
            quantity=quantity,
            order_date=date(2026, 1, 1),
            promised_date=date(2026, 1, 4 + 7 * week),
        )
        for week, quantity in ((1, 60.0), (3, 80.0))
    )
    snapshot = replace(snapshot, arrivals=arrivals, open_orders=orders)
    late = Scenario("strike", 0.25, Disruption(delay_days_by_order={"PO3": 14}))
    moved = with_scenarios(snapshot, [late]).arrivals[0]
    assert (moved[:, 1] == 60.0).all()
    assert np.sum(moved[:, 5] == 80.0) == 100
    assert np.sum(moved[:, 3] == 80.0) == 300
    never = Scenario("sunk", 1.0, Disruption(delay_days_by_order={"PO3": 140}))
    assert with_scenarios(snapshot, [never]).arrivals.sum() == 400 * 60.0


def test_no_scenario_changes_nothing_and_earlier_delays_stay():
    snapshot = two_sources()
    assert with_scenarios(snapshot, []) is snapshot
    once = with_scenarios(snapshot, [PORT_CLOSED])
    assert np.array_equal(with_scenarios(once, [PORT_CLOSED]).sources.path_delay, once.sources.path_delay)


@pytest.mark.parametrize("probability", (-0.1, 1.2, float("nan")))
def test_a_probability_out_of_range_is_named(probability: float):
    with pytest.raises(BadInput, match="port closed has the probability"):
        with_scenarios(two_sources(), [replace(PORT_CLOSED, probability=probability)])


def test_scenarios_that_are_likelier_than_certain_together_are_refused():
    with pytest.raises(BadInput, match=r"add up to 1\.2"):
        with_scenarios(two_sources(), [replace(PORT_CLOSED, probability=0.6)] * 2)


def test_a_negative_demand_factor_is_refused():
    with pytest.raises(BadInput, match="multiplies demand"):
        with_scenarios(two_sources(), [replace(PORT_CLOSED, demand_factor_by_item={"I000": -1.0})])


def replayed_cost(snapshot: PlanningSnapshot, plan: OrderPlan) -> np.ndarray:
    """(S,) cost of the plan's orders by path, week by week in plain sums.

    Lead times are certain but for the scenarios; a unit bought is worth the cheapest price.
    """
    sources, (paths, weeks) = snapshot.sources, snapshot.demand.shape[1:]
    leads = sources.lead_time.argmax(axis=1)[:, None] + sources.path_delay
    units = {line.offer_id: line.quantity for line in plan.lines}
    cost = np.zeros(paths)
    for path in range(paths):
        stock = float(snapshot.on_hand[0])
        ordered = 0.0
        for row, offer in enumerate(sources.offer_ids):
            quantity = units.get(offer, 0.0)
            cost[path] += quantity * sources.unit_price[row]
            ordered += quantity
        cost[path] -= ordered * 10.0
        for week in range(weeks):
            for row, offer in enumerate(sources.offer_ids):
                if leads[row, path] == week:
                    stock += units.get(offer, 0.0)
            stock -= snapshot.demand[0, path, week]
            cost[path] += snapshot.holding_cost[0] * max(stock, 0.0) + snapshot.shortage_cost[0] * max(-stock, 0.0)
    return cost


def tail_mean(cost: np.ndarray, level: float) -> float:
    """Mean of the dearest 1 - level of the paths."""
    worst = np.sort(cost)[round(level * cost.size) :]
    return float(worst.mean())


def test_a_plan_that_weighs_the_tail_hedges_against_the_disruption_and_its_replayed_tail_costs_less():
    snapshot = with_scenarios(two_sources(), [PORT_CLOSED])
    expected = plan_orders(snapshot)
    careful = plan_orders(snapshot, OrderingSettings(cvar_weight=0.9, cvar_level=0.9))
    assert verify(snapshot, careful) == ()

    def bought(plan: OrderPlan, supplier: str) -> float:
        return sum(line.quantity for line in plan.lines if line.supplier_id == supplier)

    assert bought(expected, "S00") > 0
    assert bought(careful, "S01") > bought(expected, "S01")
    assert tail_mean(replayed_cost(snapshot, careful), 0.9) < tail_mean(replayed_cost(snapshot, expected), 0.9)
    assert replayed_cost(snapshot, expected).mean() <= replayed_cost(snapshot, careful).mean() + 1e-6
