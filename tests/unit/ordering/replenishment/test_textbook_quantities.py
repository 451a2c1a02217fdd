"""Textbook functions: the printed answers of Snyder and Shen, and properties that hold for any input."""

from itertools import product
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tools.domain.errors import BadInput
from tools.ordering import textbook as tb

money = st.floats(0.05, 50.0)


def test_the_economic_order_quantity_is_that_of_the_book():
    plain = tb.economic_order_quantity(8, 0.225, 1300)
    assert (plain.quantity, plain.cost) == (pytest.approx(304.0468, abs=5e-5), pytest.approx(68.4105, abs=5e-5))
    waiting = tb.economic_order_quantity_with_backorders(8, 0.225, 5, 1300)
    assert (waiting.quantity, waiting.cost) == (pytest.approx(310.8126, abs=5e-5), pytest.approx(66.9214, abs=5e-5))


def test_the_economic_order_quantity_with_disruptions_is_that_of_example_9_1():
    lot = tb.economic_order_quantity_with_disruptions(8, 0.225, 5, 1300, disruption_rate=1.5, recovery_rate=14)
    assert (lot.quantity, lot.cost) == (pytest.approx(772.811, abs=5e-4), pytest.approx(173.950, abs=5e-4))


def test_newsvendor_levels_are_those_of_the_book():
    normal = tb.newsvendor_normal(0.18, 0.70, 50, 8)
    assert (normal.level, normal.cost) == (pytest.approx(56.6040, abs=5e-5), pytest.approx(1.9976, abs=5e-5))
    poisson = tb.newsvendor_poisson(1, 4, 6)
    assert (poisson.level, poisson.cost) == (8, pytest.approx(3.5701, abs=5e-5))


def test_the_newsvendor_with_disruptions_is_that_of_example_9_3():
    level = tb.newsvendor_with_disruptions(0.25, 3, 2000, disruption_chance=0.04, recovery_chance=0.25)
    assert (level.level, level.cost) == (pytest.approx(8000), pytest.approx(2737.0689, abs=1e-4))


def test_exact_reorder_policies_are_those_of_the_book():
    up_to = tb.reorder_up_to_poisson(5, 1, 4, 6)
    assert (up_to.reorder_point, up_to.amount, up_to.cost) == (4, 10, pytest.approx(8.0341, abs=5e-5))
    lot = tb.reorder_lot_poisson(100, 20, 150, 1.5, 2)
    assert (lot.reorder_point, lot.amount, lot.cost) == (3, 5, pytest.approx(107.9236, abs=5e-5))


@given(fixed=money, holding=money, demand=st.floats(1, 1e4))
def test_no_lot_costs_less_than_the_economic_one(fixed: float, holding: float, demand: float):
    best = tb.economic_order_quantity(fixed, holding, demand)
    for factor in (0.5, 0.9, 1.0, 1.1, 2.0):
        lot = best.quantity * factor
        assert fixed * demand / lot + holding * lot / 2 >= best.cost * (1 - 1e-9)


@given(fixed=money, holding=money, demand=st.floats(1, 1e4))
def test_dear_backorders_and_rare_breakdowns_lead_back_to_the_plain_quantity(
    fixed: float, holding: float, demand: float
):
    plain = tb.economic_order_quantity(fixed, holding, demand)
    waiting = tb.economic_order_quantity_with_backorders(fixed, holding, 1e9 * holding, demand)
    assert waiting.quantity == pytest.approx(plain.quantity, rel=1e-6)
    broken = tb.economic_order_quantity_with_disruptions(
        fixed, holding, 1.0, demand, disruption_rate=1e-9, recovery_rate=1.0
    )
    assert broken.cost == pytest.approx(plain.cost, rel=1e-4)
    steady = tb.economic_order_quantity_with_disruptions(
        fixed, holding, 1.0, demand, disruption_rate=0.0, recovery_rate=1.0
    )
    assert steady == plain


@given(holding=money, shortage=money, mean=st.floats(0.2, 30))
def test_the_poisson_newsvendor_level_is_the_cheapest_of_all(holding: float, shortage: float, mean: float):
    best = tb.newsvendor_poisson(holding, shortage, mean)
    values, chance = tb.poisson_table(mean)
    costs = [tb.one_period_cost(level, holding, shortage, values, chance) for level in values]
    assert best.cost == pytest.approx(min(costs), rel=1e-9)


def test_a_supplier_that_never_fails_to_recover_in_a_period_needs_two_periods_at_most():
    safe = tb.newsvendor_with_disruptions(1, 100, 10, disruption_chance=0.02, recovery_chance=1.0)
    assert safe.level == 20


@settings(max_examples=25, deadline=None)
@given(fixed=st.floats(0.5, 30), holding=st.floats(0.5, 3), shortage=st.floats(1, 12), mean=st.floats(0.5, 8))
def test_no_reorder_pair_nearby_is_cheaper_than_the_exact_one(
    fixed: float, holding: float, shortage: float, mean: float
):
    best = tb.reorder_up_to_poisson(fixed, holding, shortage, mean)
    values, chance = tb.poisson_table(mean)
    lows = range(best.reorder_point - 4, best.reorder_point + 5)
    highs = range(best.amount - 4, best.amount + 5)
    pairs = [(low, high) for low, high in product(lows, highs) if low < high]
    costs = {pair: long_run_cost(*pair, fixed, holding, shortage, values, chance) for pair in pairs}
    assert best.cost == pytest.approx(costs[best.reorder_point, best.amount], rel=1e-8)
    assert best.cost <= min(costs.values()) * (1 + 1e-9)


def long_run_cost(low, high, fixed, holding, shortage, values, chance) -> float:
    """Mean cost of an (s, S) policy from the stationary distribution of its Markov chain."""
    states = np.arange(low + 1, high + 1)
    start = states.size - 1
    moves = np.zeros((states.size, states.size))
    ordering = np.zeros(states.size)
    for row, state in enumerate(states):
        after = state - values
        for place, probability in zip(after, chance, strict=True):
            column = start if place <= low else int(place) - low - 1
            moves[row, column] += probability
            ordering[row] += probability if place <= low else 0.0
    moves[:, start] += 1 - moves.sum(axis=1)
    system = np.vstack([moves.T - np.eye(states.size), np.ones(states.size)])
    share = np.linalg.lstsq(system, np.append(np.zeros(states.size), 1.0), rcond=None)[0]
    periods = [tb.one_period_cost(float(s), holding, shortage, values, chance) for s in states]
    return float(share @ (np.array(periods) + fixed * ordering))


def test_value_iteration_finds_the_cost_of_the_exact_reorder_policy():
    values, chance = tb.poisson_table(6.0)
    positions = np.arange(-60, 31)
    period = np.array([tb.one_period_cost(float(p), 1.0, 4.0, values, chance) for p in positions])
    worth = np.zeros(positions.size)
    for _ in range(400):
        after = np.array([chance @ worth[np.maximum(place - values.astype(int), 0)] for place in range(positions.size)])
        stay = period + after
        best_above = np.minimum.accumulate(stay[::-1])[::-1]
        fresh = np.minimum(stay, 5.0 + best_above)
        gain, worth = fresh[70] - worth[70], fresh
    assert gain == pytest.approx(tb.reorder_up_to_poisson(5, 1, 4, 6).cost, abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(fixed=st.floats(5, 200), holding=st.floats(1, 20), shortage=st.floats(10, 150), rate=st.floats(0.5, 4))
def test_no_lot_and_reorder_point_nearby_are_cheaper_than_the_exact_ones(
    fixed: float, holding: float, shortage: float, rate: float
):
    best = tb.reorder_lot_poisson(fixed, holding, shortage, rate, 2.0)
    values, chance = tb.poisson_table(rate * 2.0)

    def cost(point: int, lot: int) -> float:
        positions = range(point + 1, point + lot + 1)
        held = sum(tb.one_period_cost(float(p), holding, shortage, values, chance) for p in positions)
        return (fixed * rate + held) / lot

    assert best.cost == pytest.approx(cost(best.reorder_point, best.amount), rel=1e-9)
    points, lots = (
        range(best.reorder_point - 6, best.reorder_point + 7),
        range(max(1, best.amount - 6), best.amount + 7),
    )
    assert best.cost <= min(cost(*pair) for pair in product(points, lots)) * (1 + 1e-9)


def test_a_simulated_reorder_lot_policy_costs_what_the_formula_says():
    fixed, holding, shortage, rate, lead = 100.0, 20.0, 150.0, 1.5, 2.0
    best = tb.reorder_lot_poisson(fixed, holding, shortage, rate, lead)
    rng = np.random.default_rng(4)
    events = 400_000
    position = best.reorder_point + best.amount - np.arange(events) % best.amount
    net = position - rng.poisson(rate * lead, events)
    cost = holding * np.maximum(net, 0).mean() + shortage * np.maximum(-net, 0).mean() + fixed * rate / best.amount
    assert cost == pytest.approx(best.cost, rel=0.01)


@given(mean=st.floats(1, 100), spread=st.floats(0, 30), lead=st.floats(0.5, 10))
def test_a_certain_lead_time_leaves_the_newsvendor_of_its_demand(mean: float, spread: float, lead: float):
    found = tb.base_stock_normal(1, 9, demand_mean=mean, demand_sd=spread, lead_mean=lead, lead_sd=0)
    plain = tb.newsvendor_normal(1, 9, mean * lead, spread * sqrt(lead))
    assert found.level == pytest.approx(plain.level)
    shaky = tb.base_stock_normal(1, 9, demand_mean=mean, demand_sd=spread, lead_mean=lead, lead_sd=1)
    assert shaky.level > found.level


def test_the_standard_deviation_over_a_random_lead_time_is_that_of_a_simulation():
    rng = np.random.default_rng(5)
    lead = rng.poisson(4, 200_000)
    demand = rng.normal(20 * lead, 6 * np.sqrt(lead))
    assert demand.std() == pytest.approx(tb.lead_time_demand_sd(20, 6, 4, 2), rel=0.01)


stage = st.builds(tb.Stage, st.integers(0, 3), st.floats(0.1, 5))


@settings(deadline=None)
@given(stages=st.lists(stage, min_size=1, max_size=4), quoted=st.integers(0, 2), inbound=st.integers(0, 2))
def test_guaranteed_service_of_a_serial_line_equals_the_best_of_all_quotes(
    stages: list[tb.Stage], quoted: int, inbound: int
):
    found = tb.guaranteed_service(stages, demand_sd=10, service_score=1.5, quoted_time=quoted, inbound_time=inbound)
    longest = inbound + sum(s.processing_time for s in stages)
    costs = []
    for quotes in product(range(longest + 1), repeat=len(stages)):
        nets = [i + s.processing_time - q for s, q, i in zip(stages, quotes, (inbound, *quotes[:-1]), strict=True)]
        if min(nets) >= 0 and quotes[-1] <= quoted:
            costs.append(sum(s.holding_cost * 15 * sqrt(n) for s, n in zip(stages, nets, strict=True)))
    assert found.cost == pytest.approx(min(costs))
    assert found.cost == pytest.approx(
        sum(s.holding_cost * held for s, held in zip(stages, found.safety_stocks, strict=True))
    )


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: tb.economic_order_quantity(0, 1, 10), "fixed_cost"),
        (lambda: tb.economic_order_quantity(1, float("nan"), 10), "holding_cost"),
        (lambda: tb.economic_order_quantity_with_backorders(1, 1, -2, 10), "shortage_cost"),
        (lambda: tb.newsvendor_normal(1, 1, 10, -1), "sd"),
        (lambda: tb.newsvendor_poisson(1, 1, 0), "mean"),
        (lambda: tb.newsvendor_discrete(1, 1, [1, 2], [0.5, 0.2]), "sum to"),
        (lambda: tb.newsvendor_discrete(1, 1, [2, 1], [0.5, 0.5]), "ascend"),
        (lambda: tb.newsvendor_with_disruptions(1, 1, 10, disruption_chance=1.4, recovery_chance=1), "disruption"),
        (lambda: tb.reorder_lot_poisson(1, 1, 1, 1, 0), "lead_time"),
        (lambda: tb.guaranteed_service([], demand_sd=1, service_score=1), "stage"),
        (lambda: tb.guaranteed_service([tb.Stage(-1, 1)], demand_sd=1, service_score=1), "processing_time"),
    ],
)
def test_a_value_that_a_formula_cannot_use_is_named_with_its_remedy(call, named: str):
    with pytest.raises(BadInput, match=named) as raised:
        call()
    assert raised.value.remedy


def test_poisson_tables_leave_out_a_negligible_tail():
    values, chance = tb.poisson_table(6)
    assert chance.sum() == pytest.approx(1, abs=1e-11)
    assert chance == pytest.approx(stats.poisson.pmf(values, 6))
