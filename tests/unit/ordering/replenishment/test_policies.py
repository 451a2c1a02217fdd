"""Policies with recourse: exact optima, tuned families against plain references, and what the choice says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import poisson

from benchmarks.cases.planning_worlds import Terms, source_table
from benchmarks.dual_sourcing import INSTANCES
from tools.domain.snapshots import OrderingSettings
from tools.ordering.problem.quantities import price_of
from tools.ordering.replenishment import InventoryStates, ItemModel, average_cost, choose_policy
from tools.ordering.replenishment.exact import SmallModel, solve_small
from tools.ordering.replenishment.index_policies import BaseSurge, DualIndex, ProjectedInventory
from tools.ordering.replenishment.levels_kernel import pair_of, play_levels
from tools.ordering.replenishment.lookahead import Lookahead
from tools.ordering.replenishment.simulation import WARM_UP, Worlds, draw_worlds
from tools.ordering.replenishment.tuning import setting_of


def small(instance) -> SmallModel:
    top, lead = instance.top, instance.lead
    end = -top + np.arange((lead + 4) * top)[:, None] - np.arange(top + 1)[None, :]
    cost = (instance.holding * np.maximum(end, 0) + instance.backlog * np.maximum(-end, 0)).mean(axis=1)
    return SmallModel(np.full(top + 1, 1 / (top + 1)), cost, -top, instance.premium, lead, top + 1)


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: instance.name)
def test_the_exact_programme_gives_the_known_optimum_to_its_printed_digits(instance):
    assert solve_small(small(instance))[0] == pytest.approx(instance.optimum, abs=1e-4)


def test_without_a_fast_source_lost_sales_cost_less_than_any_base_stock_level():
    """Lead time 2, Poisson demand: the exact policy against every base-stock level, both simulated in one set."""
    draws = np.random.default_rng(5).poisson(3.0, (400, 20)).clip(0, 9).astype(float)
    model = ItemModel(draws, 1.0, 9.0, source_table([Terms(lead_time=(0, 0, 1.0))]), lost_share=1.0)
    policy = choose_policy(model)
    assert policy.name == "exact dynamic programming"
    worlds = draw_worlds(model, 100_000, 500, 11)
    cost = float(average_cost(policy, model, worlds).mean())
    levels = np.stack([setting_of(level, level) for level in range(4, 20)])
    stock = play_levels(pair_of(model, 0), model, worlds, levels)
    assert cost < stock.min()
    assert cost == pytest.approx(policy.value, rel=0.01)


def by_hand(rule, model: ItemModel, worlds: Worlds) -> float:
    """The same worlds in plain Python, one at a time."""
    total = 0.0
    for world in range(worlds.demand.shape[0]):
        stock, due = 0.0, {}
        for period in range(worlds.demand.shape[1]):
            stock += due.pop(period, 0.0)
            coming = np.array([[due.get(period + 1 + i, 0.0) for i in range(8)]])
            orders = rule.decide(InventoryStates(np.array([stock]), coming))[0]
            spent = 0.0
            for source, units in enumerate(orders):
                usable = units * model.sources.yield_rate[source]
                spent += units * price_of(model.sources, source, units) - usable * model.cheapest()
                spent += model.sources.fixed_order_cost[source] if units > 0 else 0.0
                arrival = period + int(worlds.lead[source, world, period])
                if arrival == period:
                    stock += usable
                else:
                    due[arrival] = due.get(arrival, 0.0) + usable
            demand = worlds.demand[world, period]
            stock -= demand
            short = max(-stock, 0.0)
            if period >= WARM_UP:
                total += spent + model.holding_cost * max(stock, 0) + model.shortage_cost * short
            stock += model.lost_share * min(short, demand)
    return total / (worlds.demand.shape[0] * (worlds.demand.shape[1] - WARM_UP))


def two_sources(lost_share: float = 0.0, **express) -> ItemModel:
    slow = Terms(price=2.0, lead_time=(0, 0, 0.5, 0.5), moq=3, multiple=3, fixed_cost=4.0, breaks=((9.0, 1.8),))
    fast = Terms(supplier=1, price=3.0, lead_time=express.get("lead_time", (1.0,)), expedite=True)
    draws = np.random.default_rng(8).negative_binomial(1, 0.2, (50, 20)).astype(float)
    sources = replace(source_table([slow, fast]), yield_rate=np.array([0.9, 1.0]))
    return ItemModel(draws, 0.5, 60.0, sources, lost_share=lost_share)


RULES = {
    "dual index": lambda m: DualIndex(m.sources, 0, 1, 14.0, 18.0, 6.0, 0),
    "capped": lambda m: DualIndex(m.sources, 0, 1, 16.0, 16.0, 6.0, 0, cap=6.0),
    "lots": lambda m: DualIndex(m.sources, 0, 1, 12.0, 22.0, 6.0, 0, lot=10.0),
    "base-surge": lambda m: BaseSurge(m.sources, 0, 1, 3.0, 6.0, 0),
}


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("lost_share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", RULES)
def test_the_fast_simulators_agree_with_plain_python(name, lost_share, incremental):
    model = two_sources(lost_share)
    model = replace(model, sources=replace(model.sources, incremental=np.full(2, incremental)))
    rule, worlds = RULES[name](model), draw_worlds(model, 300, 3, 4)
    assert np.ptp(worlds.lead[0], axis=0).max() > 0, "lead times differ between worlds"
    plain = by_hand(rule, model, worlds)
    assert float(average_cost(rule, model, worlds).mean()) == pytest.approx(plain)
    if isinstance(rule, BaseSurge):
        setting = setting_of(0.0, surge=rule.express_level, base=rule.quantity)
    else:
        level, up_to, surge = rule.regular_level, rule.regular_up_to, rule.express_level
        setting = setting_of(level, up_to, cap=rule.cap, surge=surge, lot=rule.lot)
    assert play_levels(pair_of(model, 0, 1), model, worlds, setting[None])[0] == pytest.approx(plain)


def test_base_stock_meets_the_newsvendor_quantile_of_lead_time_and_review():
    draws = np.random.default_rng(1).poisson(6.0, (4_000, 12)).astype(float)
    policy = choose_policy(ItemModel(draws, 1.0, 4.0, source_table([Terms(lead_time=(0.0, 0.0, 1.0))])))
    assert policy.name == "base stock"
    assert policy.rule.regular_level == pytest.approx(poisson(18).ppf(0.8), abs=1)
    level = policy.rule.regular_level
    expected = (np.maximum(level - np.arange(80), 0) * poisson(18).pmf(np.arange(80))).sum()
    short = (np.maximum(np.arange(80) - level, 0) * poisson(18).pmf(np.arange(80))).sum()
    assert policy.value == pytest.approx(expected + 4 * short, rel=0.03)


def test_lots_are_ordered_where_an_order_has_a_fixed_cost():
    """Textbook: K = 5, h = 1, p = 4, Poisson 6, no lead time: (s, S) = (4, 10) at 8.0341 a period."""
    draws = np.random.default_rng(3).poisson(6.0, (20_000, 10)).astype(float)
    model = ItemModel(draws, 1.0, 4.0, source_table([Terms(fixed_cost=5.0)]))
    policy = choose_policy(model)
    assert policy.name == "(s, S)"
    worlds = draw_worlds(model, 400_000, 400, 77)
    assert float(average_cost(policy, model, worlds).mean()) == pytest.approx(8.0341, rel=0.01)


def test_the_projected_level_counts_what_the_fast_source_adds_on_the_way():
    """Nothing on order and no demand: the projection stays at the express level, so the rest is ordered."""
    sources = source_table([Terms(lead_time=(0, 0, 1.0)), Terms(supplier=1, expedite=True)])
    rule = ProjectedInventory(sources, 0, 1, 12.0, 5.0, 0, 2, np.zeros((8, 2)))
    orders = rule.decide(InventoryStates(np.array([0.0, 8.0, 20.0])))
    assert orders.tolist() == [[7.0, 5.0], [4.0, 0.0], [0.0, 0.0]]
    busy = replace(rule, draws=np.full((8, 2), 10.0))
    assert busy.decide(InventoryStates(np.array([20.0])))[0, 0] == 7.0, "stock falls to 0 and is raised to 5"


def test_a_lookahead_is_no_worse_than_its_base_and_better_than_a_poor_one():
    model = two_sources()
    poor = DualIndex(model.sources, 0, 1, 30.0, 30.0, 2.0, 0)
    rule = Lookahead(poor, model, model.demand[:40, :8], 3.0)
    worlds = draw_worlds(model, 2_000, 20, 6)
    gain = average_cost(poor, model, worlds) - average_cost(rule, model, worlds)
    assert gain.mean() > 2 * gain.std() / np.sqrt(gain.size)


@pytest.mark.parametrize("express", [{"lead_time": (1.0,)}, {"lead_time": (0.0, 1.0)}])
def test_orders_keep_to_the_terms_of_their_source(express):
    model = two_sources(**express)
    policy = choose_policy(model)
    rng = np.random.default_rng(2)
    states = InventoryStates(rng.integers(-20, 40, 500).astype(float), rng.integers(0, 4, (500, 3)) * 3.0)
    orders = policy.decide(states)
    assert orders.shape == (500, 2)
    slow = orders[:, 0]
    assert np.all((slow == 0) | (slow >= 3)) and np.all(slow % 3 == 0)
    assert np.all(orders >= 0) and orders[:, 1].max() > 0
    assert policy.express_source == 1


def test_the_choice_is_the_cheapest_of_its_families_and_says_what_the_others_cost():
    policy = choose_policy(INSTANCES[0].model())
    costs = {rule.name: cost for rule, cost in policy.alternatives}
    assert {"exact dynamic programming", "capped dual index", "dual index", "tailored base-surge", "base stock"} <= set(
        costs
    )
    assert policy.value == min(costs.values())
    assert policy.name == "exact dynamic programming"
    for name in costs:
        assert name in policy.reason
    again = choose_policy(INSTANCES[0].model())
    assert [(rule.name, cost) for rule, cost in again.alternatives] == [
        (rule.name, cost) for rule, cost in policy.alternatives
    ]


def test_real_valued_demand_is_served_by_a_tuned_family_within_reach_of_whole_units():
    rng = np.random.default_rng(9)
    sources = source_table(
        [Terms(lead_time=(0, 0, 1.0), multiple=0.0), Terms(supplier=1, price=6.0, multiple=0.0, expedite=True)]
    )
    policy = choose_policy(ItemModel(rng.gamma(4.0, 2.5, (200, 20)), 1.0, 30.0, sources))
    costs = {rule.name: cost for rule, cost in policy.alternatives}
    assert "exact dynamic programming" not in costs
    assert policy.express_source == 1
    assert {"projected inventory level", "capped dual index"} <= set(costs)


def test_forbidden_express_and_a_dearer_shortage_change_the_choice():
    model = INSTANCES[0].model()
    assert choose_policy(model, OrderingSettings(allow_expedite=False)).express_source == -1
    alone = ItemModel(two_sources().demand, 0.5, 60.0, source_table([Terms(lead_time=(0, 0, 1.0))]))
    levels = [choose_policy(alone, OrderingSettings(shortage_weight=w)).rule.regular_level for w in (0.2, 1.0, 3.0)]
    assert levels[0] < levels[1] < levels[2]


def test_an_item_without_a_source_orders_nothing():
    sources = source_table([Terms(orderable=False)])
    policy = choose_policy(ItemModel(np.ones((4, 4)), 1.0, 5.0, sources))
    assert policy.regular_source == -1
    assert policy.decide(InventoryStates(np.array([-5.0, 3.0]))).tolist() == [[0.0], [0.0]]
