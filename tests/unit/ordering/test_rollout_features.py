"""Each trait of the planning problem changes the plan as it should; every test fails where the trait is not read."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, RiskMeasure
from tools.ordering import plan_orders, verify
from tools.ordering.pricing.floors import fill_rates, held_to_floors
from tools.ordering.pricing.items import price_items
from tools.ordering.problem.levels import draw_leads
from tools.ordering.problem.quantities import price_of, unit_price_at
from tools.ordering.stochastic.continuations import KINDS

WEEKS = 16


def steady(terms: list[Terms], on_hand: float = 0.0, h: float = 0.1, b: float = 10.0, **more) -> PlanningSnapshot:
    """Ten units a week for certain."""
    demand = np.full((1, 8, WEEKS), 10.0)
    return snapshot_of_paths(demand, terms, on_hand=[on_hand], holding=[h], shortage=[b], suppliers=3, **more)


def varying(terms: list[Terms], on_hand: float = 0.0, h: float = 0.1, b: float = 2.0, **more) -> PlanningSnapshot:
    demand = np.random.default_rng(4).gamma(1.0, 10.0, (1, 256, WEEKS))
    return snapshot_of_paths(demand, terms, on_hand=[on_hand], holding=[h], shortage=[b], suppliers=3, **more)


def with_sources(snapshot: PlanningSnapshot, **columns) -> PlanningSnapshot:
    arrays = {name: np.array(values) for name, values in columns.items()}
    return replace(snapshot, sources=replace(snapshot.sources, **arrays))


def ordered(plan, offer: str = "") -> float:
    return sum(line.quantity for line in plan.lines if offer in line.offer_id)


NEXT_WEEK = Terms(price=5.0, lead_time=(0.0, 1.0))


def test_a_source_that_delivers_four_fifths_is_ordered_from_for_five_fourths_of_the_need():
    whole = plan_orders(steady([NEXT_WEEK]))
    yielding = plan_orders(with_sources(steady([NEXT_WEEK]), yield_rate=[0.8]))
    assert ordered(yielding) == pytest.approx(ordered(whole) / 0.8, abs=1)
    assert yielding.cost.purchase == pytest.approx(whole.cost.purchase / 0.8, rel=0.02)
    assert yielding.outlooks[0].cost.shortage == pytest.approx(whole.outlooks[0].cost.shortage, rel=0.02)


def test_a_cheap_source_with_a_poor_yield_loses_to_a_sound_one():
    terms = [Terms(price=5.0, lead_time=(0.0, 1.0)), Terms(supplier=1, price=6.0, lead_time=(0.0, 1.0))]
    assert {line.supplier_id for line in plan_orders(steady(terms)).lines} == {"S00"}
    poor = with_sources(steady(terms), yield_rate=[0.6, 1.0])
    assert {line.supplier_id for line in plan_orders(poor).lines} == {"S01"}


def test_lost_demand_is_charged_once_and_not_bought_later():
    late = [Terms(price=5.0, lead_time=(0, 0, 0, 0, 1.0))]
    waits = plan_orders(steady(late))
    gone = plan_orders(replace(steady(late), lost_share=np.array([1.0])))
    half = plan_orders(replace(steady(late), lost_share=np.array([0.5])))
    assert gone.cost.shortage == pytest.approx(4 * 10 * (10.0 + 5.0))  # the margin, and the price that it brought
    assert waits.cost.shortage == pytest.approx((10 + 20 + 30 + 40) * 10.0)
    assert gone.cost.purchase == pytest.approx(5.0 * (WEEKS - 4) * 10)
    assert ordered(waits) == ordered(gone) + 40
    assert ordered(gone) < ordered(half) < ordered(waits)


@pytest.mark.parametrize("price", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("lost", [0.0, 0.5, 1.0])
def test_an_item_is_bought_for_its_service_level_whether_what_is_unmet_waits_or_is_lost(lost: float, price: float):
    """About 10 a week, two weeks of lead time, stock of half a week, holding 20 % a year, service level 0.95."""
    demand = np.random.default_rng(1).poisson(10, (1, 400, 12)).astype(np.float64)
    holding = 0.2 * price / 52
    snapshot = snapshot_of_paths(
        demand, [Terms(price=price, lead_time=(0, 0, 1.0))], on_hand=[5.0], holding=[holding], shortage=[19 * holding]
    )
    plan = plan_orders(replace(snapshot, lost_share=np.array([lost]), unit_value=np.array([price])))
    fit = {0.0: (30, 40), 0.5: (25, 35), 1.0: (10, 20)}[lost]  # a week's worth with its safety, and what still waits
    assert fit[0] <= ordered(plan) <= fit[1]
    # two weeks of demand are out of reach of any order; of the ten weeks after, the service level is met
    assert plan.outlooks[0].fill_rate >= (5 + 0.95 * 100) / 120


@pytest.mark.parametrize("target", [0.9, 0.97, 0.99])
def test_a_fill_rate_floor_raises_the_shortage_price_until_it_holds(target: float):
    cheap = varying([NEXT_WEEK], b=0.05)
    settings, items = OrderingSettings(), np.arange(1)
    free = price_items(cheap, settings, items, shared=False)
    floored = replace(cheap, fill_rate_target=np.array([target]))
    held = held_to_floors(price_items(floored, settings, items, shared=False), settings, shared=False)
    assert fill_rates(free)[0] < 0.8
    assert target - 1e-3 <= fill_rates(held)[0] < target + 0.03
    assert held.costs.floor[0] > 1
    plan = plan_orders(floored)
    assert ordered(plan) > ordered(plan_orders(cheap))
    figures = plan.lines[0].explanation.figures
    assert figures["shortage_price_multiple_for_fill_rate"] == pytest.approx(held.costs.floor[0])
    assert figures["fill_rate_projected"] == pytest.approx(fill_rates(held)[0])


def test_a_fill_rate_floor_that_holds_anyway_changes_nothing():
    snapshot = varying([NEXT_WEEK], b=20.0)
    floored = replace(snapshot, fill_rate_target=np.array([0.5]))
    assert ordered(plan_orders(floored)) == ordered(plan_orders(snapshot))
    assert plan_orders(floored).cost == plan_orders(snapshot).cost


def test_a_floor_out_of_reach_ends_with_the_price_that_serves_most():
    capped = replace(varying([replace(NEXT_WEEK, capacity=4.0)]), fill_rate_target=np.array([0.99]))
    plan = plan_orders(capped)
    assert verify(capped, plan) == ()
    assert np.isfinite(plan.cost.total)


def test_a_disruption_on_some_paths_orders_more_or_elsewhere():
    terms = [Terms(price=5.0, lead_time=(0.0, 1.0)), Terms(supplier=1, price=5.5, lead_time=(0.0, 1.0))]
    calm = varying(terms, on_hand=10.0, b=5.0)
    delays = np.zeros((2, 256), dtype=np.int64)
    delays[0, ::2] = 6
    hit = plan_orders(with_sources(calm, path_delay=delays))
    assert ordered(plan_orders(calm), "S01") == 0
    assert ordered(hit, "S01") > 0
    alone = varying([NEXT_WEEK], on_hand=10.0, b=5.0)
    worse = plan_orders(with_sources(alone, path_delay=delays[:1]))
    assert worse.cost.shortage > 1.5 * plan_orders(alone).cost.shortage


def test_a_frozen_item_orders_nothing_now_and_nothing_before_the_freeze_ends():
    snapshot = replace(steady([NEXT_WEEK]), frozen_periods=np.array([3]))
    plan = plan_orders(snapshot)
    assert plan.lines == ()
    assert min(line.period for line in plan.intended) >= 3
    assert plan.cost.shortage >= 10.0 * (10 + 20 + 30 + 40)
    assert plan_orders(steady([NEXT_WEEK])).lines


def test_an_offer_is_ordered_from_only_within_its_dates():
    terms = [NEXT_WEEK, Terms(supplier=1, price=7.0, lead_time=(0.0, 1.0))]
    assert {line.supplier_id for line in plan_orders(steady(terms)).lines} == {"S00"}
    later = with_sources(steady(terms), first_period=[2, 0])
    over = with_sources(steady(terms), last_period=[-1, 50])
    for snapshot in (later, over):
        assert {line.supplier_id for line in plan_orders(snapshot).lines} == {"S01"}
    ending = with_sources(steady([NEXT_WEEK]), last_period=[4])
    plan = plan_orders(ending)
    assert max(line.period for line in plan.intended) <= 4
    assert plan.cost.shortage > plan_orders(steady([NEXT_WEEK])).cost.shortage


def test_a_source_that_ships_little_a_period_is_stocked_ahead_of_a_rush():
    demand = np.full((1, 8, WEEKS), 10.0)
    demand[:, :, 5:8] = 40.0

    def plan(capacity: float):
        terms = [Terms(price=5.0, lead_time=(0.0, 1.0), capacity=capacity)]
        snapshot = snapshot_of_paths(demand, terms, on_hand=[10.0], holding=[0.1], shortage=[10.0])
        return plan_orders(snapshot)

    assert ordered(plan(np.inf)) == 10
    assert ordered(plan(22.0)) > 10
    assert plan(12.0).cost.shortage > plan(22.0).cost.shortage


def test_what_would_be_scrapped_before_its_use_is_not_bought():
    bulk = [Terms(price=10.0, lead_time=(0.0, 1.0), breaks=((100.0, 7.0),))]
    keeps = steady(bulk, on_hand=10.0, h=0.01, unit_value=10.0)
    spoils = replace(keeps, shelf_life_periods=np.array([3.0]))
    assert ordered(plan_orders(keeps)) >= 100
    assert ordered(plan_orders(spoils)) <= 40


def test_stock_that_spoils_counts_as_cost_of_holding():
    keeps = steady([NEXT_WEEK], on_hand=100.0, h=0.01, unit_value=10.0)
    spoils = replace(keeps, shelf_life_periods=np.array([4.0]))
    lost = plan_orders(spoils).cost.holding - plan_orders(keeps).cost.holding
    assert lost == pytest.approx(60 * 10.0, rel=0.05)


@pytest.mark.parametrize("least", [2, 3])
def test_an_order_is_shared_by_as_many_suppliers_as_asked_for(least: int):
    snapshot = random_snapshot(6, seed=3)
    plan = plan_orders(snapshot, OrderingSettings(min_suppliers=least))
    alone = plan_orders(snapshot)
    assert verify(snapshot, plan) == ()
    assert plan.lines
    by_item = {line.item_id: {o.supplier_id for o in plan.lines if o.item_id == line.item_id} for line in plan.lines}
    assert all(len(suppliers) >= least for suppliers in by_item.values())
    assert any(len({o.supplier_id for o in alone.lines if o.item_id == line.item_id}) < least for line in alone.lines)
    one = plan_orders(snapshot, OrderingSettings(item_min_suppliers={"I000": least}))
    others = [line for line in one.lines if line.item_id != "I000"]
    assert others == [line for line in alone.lines if line.item_id != "I000"]


@pytest.mark.parametrize("measure", list(RiskMeasure))
def test_weighing_the_tail_buys_more_cover_at_a_higher_expected_cost(measure: RiskMeasure):
    snapshot = varying([Terms(price=1.0, lead_time=(0.0, 0.0, 1.0))], b=0.5, unit_value=1.0)
    plain = plan_orders(snapshot)
    averse = plan_orders(snapshot, OrderingSettings(cvar_weight=0.5, cvar_level=0.9, cvar_of=measure))
    assert ordered(averse) > ordered(plain)
    assert averse.cost.total >= plain.cost.total - 1e-9
    assert averse.outlooks[0].stockout_probability <= plain.outlooks[0].stockout_probability


def over_both_horizons(seed: int, smooth: bool) -> list[float]:
    """Value ordered now in all, seen over 26 and over 52 weeks."""
    long = random_snapshot(20, seed=seed, horizon=52)
    long = replace(long, unit_value=long.holding_cost * 52 / 0.25)
    if smooth:
        rows = np.zeros(60)
        long = with_sources(long, fixed_order_cost=rows, moq=rows, break_quantity=np.zeros((60, 0)))
        long = with_sources(long, break_price=np.zeros((60, 0)), order_multiple=rows + 1)
    short = replace(long, demand=long.demand[:, :, :26].copy(), arrivals=long.arrivals[:, :, :26].copy())
    return [sum(line.value for line in plan_orders(snapshot).lines) for snapshot in (short, long)]


@pytest.mark.parametrize("seed", range(3))
def test_a_longer_horizon_orders_nearly_the_same_now(seed: int):
    near, far = over_both_horizons(seed, smooth=True)
    assert near == pytest.approx(far, rel=0.05)


def test_a_longer_horizon_orders_little_else_now_where_lots_and_discounts_are_large():
    near, far = np.sum([over_both_horizons(seed, smooth=False) for seed in range(4)], axis=0)
    assert near == pytest.approx(far, rel=0.08)


def after(snapshot: PlanningSnapshot, plan) -> PlanningSnapshot:
    """The same day with the plan's lines under way, on the lead times that the plan drew."""
    leads, arrivals = draw_leads(snapshot, plan.settings.seed), snapshot.arrivals.copy()
    rows = {offer: row for row, offer in enumerate(snapshot.sources.offer_ids)}
    paths = np.arange(snapshot.demand.shape[1])
    for line in plan.lines:
        row = rows[line.offer_id]
        lands = leads[row] < snapshot.horizon
        arrivals[snapshot.sources.item[row], paths[lands], leads[row][lands]] += line.quantity
    return replace(snapshot, arrivals=arrivals)


def test_a_second_plan_right_after_the_orders_are_placed_orders_little_more():
    first = again = 0.0
    for seed in range(4):
        snapshot = random_snapshot(20, seed=seed)
        plan = plan_orders(snapshot)
        first += sum(line.value for line in plan.lines)
        again += sum(line.value for line in plan_orders(after(snapshot, plan)).lines)
    assert again <= 0.12 * first


def test_a_lot_that_a_price_break_pays_for_is_the_usual_one():
    discount = [Terms(price=10.0, lead_time=(0.0, 1.0), breaks=((60.0, 7.0),))]
    settings, items = OrderingSettings(), np.arange(1)
    batch = price_items(steady(discount, h=0.01, unit_value=10.0), settings, items, shared=False)
    dear = price_items(steady(discount, h=9.0, unit_value=10.0), settings, items, shared=False)
    assert batch.levels.beyond.tolist() == [60.0]
    assert dear.levels.beyond.tolist() == [0.0]
    assert plan_orders(steady(discount, h=0.01, unit_value=10.0)).lines[0].quantity >= 60


def test_the_first_policy_stays_where_no_other_saves_and_another_is_named_where_one_does():
    usual = price_items(steady([NEXT_WEEK], on_hand=10.0), OrderingSettings(), np.arange(1), shared=False)
    assert usual.policy.name_of(0) == "base stock"
    snapshot = random_snapshot(30, seed=2)
    batch = price_items(snapshot, OrderingSettings(), np.arange(30), shared=False)
    changed = np.flatnonzero(batch.policy.kind)
    assert changed.size > 0
    plan = plan_orders(snapshot)
    for item in changed.tolist():
        estimates = batch.policy.estimates_of(item)
        name = KINDS[int(batch.policy.kind[item])]
        assert next(iter(estimates)) == name == plan.outlooks[item].policy
        saved = estimates["base stock"] - estimates[name]
        assert saved > 0
        for line in plan.lines_by_item.get((snapshot.item_ids[item], "MAIN"), ()):
            assert line.explanation.figures["saved_by_policy_over_base_stock"] == pytest.approx(saved)
            assert f"Later orders are taken to follow: {name}" in " ".join(line.explanation.notes)


def test_incremental_breaks_price_only_the_units_beyond_them():
    terms = [Terms(price=10.0, breaks=((20.0, 9.0), (50.0, 6.0)))]
    snapshot = with_sources(steady(terms), incremental=[True])
    rows = np.zeros(4, dtype=np.int64)
    quantities = np.array([10.0, 20.0, 40.0, 60.0])
    spent = unit_price_at(snapshot.sources, rows, quantities) * quantities
    assert spent == pytest.approx([100.0, 200.0, 380.0, 200 + 270 + 60])
    assert [price_of(snapshot.sources, 0, q) * q for q in quantities.tolist()] == pytest.approx(spent.tolist())
    assert unit_price_at(steady(terms).sources, rows, quantities) == pytest.approx([10, 9, 9, 6])
