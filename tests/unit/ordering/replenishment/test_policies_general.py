"""Policies for what is not small and plain: breaks, capacities, third sources, random lead times, mixed shortages."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import Terms, source_table
from benchmarks.dual_sourcing import INSTANCES
from tools.ordering.replenishment import InventoryStates, ItemModel, average_cost, choose_policy
from tools.ordering.replenishment.exact import ExactPolicy
from tools.ordering.replenishment.index_policies import Backstop, DualIndex
from tools.ordering.replenishment.levels_kernel import pair_of, play_levels
from tools.ordering.replenishment.simulation import draw_worlds
from tools.ordering.replenishment.small_items import exact_policy
from tools.ordering.replenishment.tuning import by_steps, setting_of

POISSON = np.random.default_rng(3).poisson(10.0, (2_000, 10)).astype(float)
NEVER_ARRIVES_LATE = (0.0, 0.0, 1.0)


def fresh_cost(policy, model: ItemModel) -> float:
    return float(average_cost(policy, model, draw_worlds(model, 100_000, 200, 99)).mean())


def test_a_price_break_is_taken_when_it_saves_more_than_its_stock_costs():
    """A break saves 10 of 100 a period; in lots of 60 the stock costs about 0.3 more, at a dear holding cost 30."""
    sources = source_table([Terms(price=10.0, lead_time=NEVER_ARRIVES_LATE, breaks=((60.0, 9.0),))])
    cheap, dear = ItemModel(POISSON, 0.01, 5.0, sources), ItemModel(POISSON, 1.0, 500.0, sources)
    lots, plain = choose_policy(cheap), choose_policy(dear)
    assert lots.decide(InventoryStates(np.zeros(1)))[0, 0] >= 60
    assert lots.value == pytest.approx(fresh_cost(lots, cheap), rel=0.03)
    assert lots.value < 1.0
    assert plain.name == "base stock"


def test_two_sources_of_the_same_lead_time_share_what_the_cheap_one_cannot_ship():
    """5 of 10 units come at 1.0 and 5 at 1.5; from the dear one alone 2.5 a period more would be paid."""
    slow = Terms(price=1.0, lead_time=NEVER_ARRIVES_LATE, capacity=5.0)
    model = ItemModel(
        POISSON, 1.0, 20.0, source_table([slow, Terms(supplier=1, price=1.5, lead_time=NEVER_ARRIVES_LATE)])
    )
    policy = choose_policy(model)
    alone = dict((rule.name, cost) for rule, cost in policy.alternatives)["base stock"]
    assert (policy.regular_source, policy.express_source) == (0, 1)
    assert alone - policy.value == pytest.approx(2.5, abs=0.15)


def test_a_third_source_fills_what_two_small_ones_leave_open():
    slow = Terms(price=1.0, lead_time=(0, 0, 0, 1.0), capacity=5.0)
    middle = Terms(supplier=1, price=1.5, lead_time=NEVER_ARRIVES_LATE, capacity=4.0)
    fast = Terms(supplier=2, price=4.0, lead_time=(0, 1.0), multiple=0.0)
    model = ItemModel(POISSON, 1.0, 20.0, source_table([slow, middle, fast]))
    policy = choose_policy(model)
    assert isinstance(policy.rule, Backstop)
    two = min(cost for rule, cost in policy.alternatives if not isinstance(rule, Backstop))
    assert policy.value < two - 3.0
    assert policy.value == pytest.approx(fresh_cost(policy, model), rel=0.02)


def test_a_backstop_counts_only_what_arrives_before_its_own_delivery():
    sources = source_table([Terms(lead_time=(0, 0, 1.0)), Terms(supplier=1), Terms(supplier=2, lead_time=(0, 1.0))])
    pair = DualIndex(sources, 0, 1, 20.0, 20.0, 4.0, 0)
    rule = Backstop(pair, sources, 2, 9.0, np.array([2, 0, 1]))
    orders = rule.decide(InventoryStates(np.array([1.0, 3.0]), np.array([[2.0, 7.0], [0.0, 0.0]])))
    assert orders.tolist() == [[7.0, 3.0, 3.0], [16.0, 1.0, 5.0]]


def test_the_express_lead_time_shifts_the_exact_programme_and_its_value_holds_in_simulation():
    slow, fast = Terms(lead_time=(0, 0, 0, 1.0)), Terms(supplier=1, price=4.0, lead_time=(0, 1.0), expedite=True)
    model = ItemModel(np.arange(5.0)[None, :], 1.0, 19.0, source_table([slow, fast]))
    policy = choose_policy(model)
    assert isinstance(policy.rule, ExactPolicy)
    cost = average_cost(policy, model, draw_worlds(model, 400_000, 400, 7))
    assert float(cost.mean()) == pytest.approx(policy.value, abs=4 * float(cost.std()) / 20)
    assert policy.value > choose_policy(INSTANCES[14].model()).value, "an express order a period later costs more"


def test_a_small_cap_on_the_slow_source_costs_and_a_large_one_does_not():
    def with_cap(cap: float) -> ItemModel:
        slow, fast = (
            Terms(lead_time=NEVER_ARRIVES_LATE, capacity=cap),
            Terms(supplier=1, price=4.0, expedite=True),
        )
        return ItemModel(np.arange(5.0)[None, :], 1.0, 19.0, source_table([slow, fast]))

    values = [exact_policy(with_cap(cap), 0, 1, np.full(2, 2.0)).average_cost for cap in (1.0, 2.0, 50.0)]
    assert values[0] > values[1] > values[2]
    assert values[2] == pytest.approx(INSTANCES[14].optimum, abs=1e-4)
    policy = choose_policy(with_cap(1.0))
    assert fresh_cost(policy, with_cap(1.0)) == pytest.approx(values[0], rel=0.01)


def test_states_outside_the_table_are_served_sanely():
    policy = choose_policy(INSTANCES[1].model())
    states = InventoryStates(np.array([-500.0, 500.0, 3.4]), np.array([[0.0, 0.0], [40.0, 0.0], [90.0, 70.0]]))
    orders = policy.decide(states)
    assert orders[0, 1] >= 500, "a deep backlog is bridged at once"
    assert orders[1].tolist() == [0.0, 0.0]
    assert orders[2, 0] == 0.0
    assert policy.decide(InventoryStates(np.zeros(2))).shape == (2, 2)


@pytest.mark.parametrize("lost_share", [0.0, 0.5, 1.0])
def test_the_tuned_level_is_the_best_of_all_levels_in_fresh_worlds(lost_share):
    lead = (0.0, 0.3, 0.3, 0.2, 0.2)
    model = ItemModel(POISSON, 1.0, 20.0, source_table([Terms(price=1.0, lead_time=lead)]), lost_share=lost_share)
    policy = choose_policy(model)
    levels = np.stack([setting_of(level, level) for level in range(25, 75)])
    costs = play_levels(pair_of(model, 0), model, draw_worlds(model, 100_000, 200, 99), levels)
    assert policy.name == "base stock"
    assert fresh_cost(policy, model) <= costs.min() * 1.01


def test_lead_times_of_a_source_never_cross():
    model = ItemModel(POISSON, 1.0, 20.0, source_table([Terms(lead_time=(0.2, 0.3, 0.2, 0.3))]))
    lead = draw_worlds(model, 2_000, 10, 1).lead[0]
    assert np.all(np.diff(lead + np.arange(lead.shape[1]), axis=1) >= 0)
    assert lead.min() >= 0 and not np.array_equal(lead[0], lead[1])


def test_steps_find_the_lowest_point_of_a_bowl():
    levels, cost = by_steps(lambda x: float((x[0] - 3) ** 2 + (x[1] + 5) ** 2 + x[0] * x[1] / 4), np.zeros(2), 1.0)
    best = min((x - 3) ** 2 + (y + 5) ** 2 + x * y / 4 for x in range(-9, 9) for y in range(-9, 9))
    assert cost == best
    assert levels.shape == (2,)


def test_twice_as_much_is_ordered_from_a_source_that_delivers_half_in_usable_units():
    whole = ItemModel(POISSON, 1.0, 20.0, source_table([Terms(lead_time=NEVER_ARRIVES_LATE)]))
    part = replace(whole, sources=replace(whole.sources, yield_rate=np.array([0.5])))
    state = InventoryStates(np.array([0.0, 20.0]))
    assert np.array_equal(choose_policy(part).decide(state), 2 * choose_policy(whole).decide(state))
    assert choose_policy(part).value == pytest.approx(choose_policy(whole).value)
