import numpy as np
import pytest
from scipy.stats import norm, poisson

from benchmarks.cases.planning_worlds import Terms, snapshot_of_paths, source_table
from tools.domain.snapshots import OrderingSettings
from tools.ordering import InventoryStates, ItemModel, choose_policy, plan_orders, verify
from tools.ordering.problem.levels import at_quantile


def quantile_paths(distribution, size: int, periods: int = 1) -> np.ndarray:
    """Sample paths whose first-period draws are the distribution's own mid-quantiles: no sampling noise."""
    draws = distribution.ppf((np.arange(size) + 0.5) / size)
    rng = np.random.default_rng(3)
    return np.stack([rng.permutation(draws) for _ in range(periods)], axis=1)[None].astype(float)


def one_item(demand: np.ndarray, terms: list[Terms], h: float, b: float, on_hand: float = 0.0, **more):
    return snapshot_of_paths(demand, terms, on_hand=[on_hand], holding=[h], shortage=[b], **more)


def test_normal_newsvendor_orders_the_textbook_quantity_at_the_textbook_cost():
    demand = quantile_paths(norm(50, 8), 20_000)
    plan = plan_orders(one_item(demand, [Terms(multiple=0.0)], 0.18, 0.70))
    assert plan.lines[0].quantity == pytest.approx(56.6040, abs=0.01)
    assert plan.cost.total == pytest.approx(1.9976, abs=0.002)


def test_poisson_newsvendor_orders_the_textbook_quantity_at_the_textbook_cost():
    demand = quantile_paths(poisson(6), 20_000)
    plan = plan_orders(one_item(demand, [Terms()], 1.0, 4.0))
    assert plan.lines[0].quantity == 8
    assert plan.cost.total == pytest.approx(3.5701, abs=0.002)


def test_order_fills_up_to_the_base_stock_level_net_of_stock_on_hand():
    demand = quantile_paths(poisson(6), 4_000)
    full = plan_orders(one_item(demand, [Terms()], 1.0, 4.0, on_hand=8.0))
    part = plan_orders(one_item(demand, [Terms()], 1.0, 4.0, on_hand=3.0))
    owed = plan_orders(one_item(demand, [Terms()], 1.0, 4.0, on_hand=-2.0))
    assert full.lines == ()
    assert part.lines[0].quantity == 5
    assert owed.lines[0].quantity == 10


def test_a_service_level_stands_for_the_newsvendor_quantile_of_the_same_value():
    from dataclasses import replace

    demand = quantile_paths(norm(100, 20), 10_000)
    snapshot = one_item(demand, [Terms(multiple=0.0)], 1.0, 0.0)
    snapshot = replace(snapshot, shortage_cost=np.array([np.nan]), service_level=np.array([0.95]))
    assert plan_orders(snapshot).lines[0].quantity == pytest.approx(norm(100, 20).ppf(0.95), abs=0.1)


def test_eoq_is_shown_beside_the_suggestion():
    demand = np.full((1, 8, 1), 1300.0)
    plan = plan_orders(one_item(demand, [Terms(fixed_cost=8.0)], 0.225, 5.0))
    assert plan.lines[0].explanation.figures["economic_order_quantity"] == pytest.approx(304.0468, abs=1e-3)


def test_base_stock_policy_covers_lead_time_and_review_demand():
    rng = np.random.default_rng(1)
    paths = rng.poisson(6.0, (4_000, 12)).astype(float)
    model = ItemModel(paths, 1.0, 4.0, source_table([Terms(lead_time=(0.0, 0.0, 1.0))]))
    policy = choose_policy(model)
    assert policy.rule.regular_level == pytest.approx(poisson(18).ppf(0.8), abs=1)
    orders = policy.decide(InventoryStates(np.array([0.0, 10.0, 40.0]), np.array([[4.0, 0.0]] * 3)))
    assert orders[:, 0] == pytest.approx([policy.rule.regular_level - 4, policy.rule.regular_level - 14, 0])


def test_dual_policy_expedites_only_what_runs_short_before_the_regular_order_can_land():
    paths = np.random.default_rng(2).integers(0, 5, (4_000, 12)).astype(float)
    sources = source_table([Terms(lead_time=(0, 0, 1.0)), Terms(supplier=1, price=10.0, expedite=True)])
    policy = choose_policy(ItemModel(paths, 5.0, 495.0, sources))
    assert (policy.regular_source, policy.express_source) == (0, 1)
    orders = policy.decide(InventoryStates(np.array([0.0, 6.0]), np.array([[3.0], [3.0]])))
    assert orders[0, 1] > 0
    assert orders[1, 1] == 0


def test_a_quantity_discount_is_taken_when_it_saves_more_than_its_stock_costs():
    demand = np.full((1, 16, 10), 10.0)
    terms = [Terms(price=10.0, breaks=((40.0, 8.0),))]
    cheap = plan_orders(one_item(demand, terms, 0.01, 5.0, unit_value=10.0))
    dear = plan_orders(one_item(demand, terms, 4.0, 50.0, unit_value=10.0))
    assert cheap.lines[0].quantity >= 40
    assert cheap.lines[0].unit_price == 8.0
    assert dear.lines[0].quantity == 10


def test_a_shortage_that_costs_more_is_stocked_for_more():
    demand = np.maximum(quantile_paths(norm(100, 30), 2_000), 0.0)
    snapshot = one_item(demand, [Terms()], 1.0, 4.0)
    quantities = [plan_orders(snapshot, OrderingSettings(shortage_weight=w)).lines[0].quantity for w in (0.5, 1.0, 3.0)]
    assert quantities == sorted(quantities)
    assert quantities[0] < quantities[2]
    assert verify(snapshot, plan_orders(snapshot)) == ()


@pytest.mark.parametrize(
    ("ratio", "place"), [(0.0, 0), (0.01, 0), (0.1, 0), (0.11, 1), (0.5, 4), (0.95, 9), (0.9, 8), (1.0, 9)]
)
def test_the_quantile_is_the_smallest_draw_that_covers_the_ratio(ratio, place):
    draws = np.arange(10.0)[None, :]
    assert at_quantile(draws, np.array([ratio]))[0] == place
