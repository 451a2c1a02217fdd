"""A planning snapshot becomes a scheduling problem: packs, terms by pack, requirements and limits by period."""

from dataclasses import replace

import numpy as np
import pytest
from schedule_cases import orders_of

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.snapshots import OrderingSettings, SharedLimits
from tools.ordering.schedules.problem.from_snapshot import schedule_problem

SETTINGS = OrderingSettings()


def snapshot_of(terms, *, demand=None, on_hand=0.0, **more):
    paths = np.full((1, 4, 6), 24.0) if demand is None else demand
    return snapshot_of_paths(paths, terms, on_hand=[on_hand], holding=[0.5], shortage=[4.0], suppliers=3, **more)


def built(terms, **more):
    return schedule_problem(snapshot_of(terms, **more), SETTINGS)


def test_the_pack_is_the_greatest_common_step_of_the_order_multiples():
    _, packs = built([Terms(multiple=4.0), Terms(multiple=6.0)])
    assert packs.units_per_pack == pytest.approx([2.0])


def test_small_multiples_make_a_larger_pack_that_every_source_accepts():
    demand = np.full((1, 4, 6), 2_400.0)
    problem, packs = built([Terms(multiple=1.0), Terms(multiple=12.0)], demand=demand)
    assert packs.units_per_pack == pytest.approx([192.0])
    assert problem.multiple.tolist() == [1, 1]


def test_a_multiple_larger_than_the_pack_is_kept_as_several_packs():
    problem, packs = built([Terms(multiple=1.0), Terms(multiple=50.0)])
    assert packs.units_per_pack == pytest.approx([2.0])
    assert problem.multiple.tolist() == [1, 25]


def test_without_a_multiple_a_period_takes_about_a_dozen_packs():
    problem, packs = built([Terms(multiple=0.0)])
    assert packs.units_per_pack == pytest.approx([2.0])
    assert problem.requirement[0, :, 0] == pytest.approx(12.0 * np.arange(1, 7))


def test_terms_are_counted_by_pack():
    term = Terms(
        price=3.0,
        freight=0.5,
        fixed_cost=20.0,
        moq=9.0,
        multiple=4.0,
        largest=43.0,
        capacity=41.0,
        breaks=((17.0, 2.0),),
    )
    problem, packs = built([term], volume=1.5)
    assert packs.units_per_pack == pytest.approx([4.0])
    assert (problem.unit_price[0], problem.freight[0], problem.fixed_cost[0]) == (12.0, 2.0, 20.0)
    assert (problem.least[0], problem.multiple[0], problem.largest[0]) == (3, 1, 10)
    assert (problem.break_packs[0, 0], problem.break_price[0, 0]) == (5, 8.0)
    assert (problem.holding[0], problem.shortage[0], problem.volume[0]) == (2.0, 16.0, 6.0)
    assert problem.end_value[0] == pytest.approx(10.0)
    assert problem.effort_per_pack[0] == 4.0


def test_yield_makes_a_usable_pack_dearer_and_its_order_larger():
    snapshot = snapshot_of([Terms(price=3.0, multiple=1.0, moq=5.0)])
    snapshot = replace(snapshot, sources=replace(snapshot.sources, yield_rate=np.array([0.8])))
    problem, packs = schedule_problem(snapshot, SETTINGS)
    assert packs.units_per_pack == pytest.approx([2.0])
    assert (problem.unit_price[0], problem.effort_per_pack[0]) == (pytest.approx(7.5), pytest.approx(2.5))
    assert packs.ordered_units(orders_of((0, 0, 4), (0, 1, 3))) == pytest.approx([10.0, 7.0])
    assert problem.least[0] == 2


@pytest.mark.parametrize("seed", range(5))
def test_every_allowed_size_turns_into_units_that_the_source_accepts(seed: int):
    snapshot = random_snapshot(8, seed=seed, paths=16)
    problem, packs = schedule_problem(snapshot, SETTINGS)
    sources = snapshot.sources
    for source, row in enumerate(packs.source_row):
        step = int(problem.multiple[source])
        least = -(-int(problem.least[source]) // step) * step
        for size in (least, least + step, least + 7 * step):
            units = float(packs.ordered_units(orders_of((source, 0, size)))[0])
            assert units >= sources.moq[row] - 1e-9
            assert units % sources.order_multiple[row] == pytest.approx(0.0, abs=1e-6)
            assert units == pytest.approx(size * packs.units_per_pack[problem.source_item[source]])


def test_incremental_breaks_become_all_units_steps_that_never_understate_the_price():
    snapshot = snapshot_of([Terms(price=4.0, multiple=1.0, breaks=((40.0, 3.0), (80.0, 2.0)))])
    snapshot = replace(snapshot, sources=replace(snapshot.sources, incremental=np.array([True])))
    problem, packs = schedule_problem(snapshot, SETTINGS)
    each = packs.ordered_per_pack[0]
    for size in range(1, 72):
        units = size * each
        exact = 4 * min(units, 40) + 3 * min(max(units - 40, 0), 40) + 2 * max(units - 80, 0)
        reached = np.flatnonzero(problem.break_packs[0] <= size)
        price = problem.unit_price[0] if reached.size == 0 else problem.break_price[0, reached[-1]]
        assert exact - 1e-6 <= size * price <= 1.1 * exact


def test_requirement_is_demand_less_arrivals_and_stock_in_ascending_means():
    demand = np.array([[[2.0, 2.0], [4.0, 4.0], [6.0, 6.0], [8.0, 8.0]]])
    arrivals = np.zeros((1, 4, 2))
    arrivals[:, :, 1] = 2.0
    terms = [Terms(multiple=1.0, lead_time=(0.0, 1.0))]
    snapshot = snapshot_of(terms, demand=demand, arrivals=arrivals, on_hand=3.0)
    problem, _ = schedule_problem(snapshot, SETTINGS, atoms=2)
    assert problem.requirement[0, 0] == pytest.approx([0.0, 4.0])
    assert problem.requirement[0, 1] == pytest.approx([1.0, 9.0])


def test_only_the_demand_since_the_last_order_for_a_period_is_uncertain():
    """Without lead time the order for the second period is placed when the first one's demand is known."""
    demand = np.array([[[2.0, 2.0], [4.0, 4.0], [6.0, 6.0], [8.0, 8.0]]])
    problem, _ = schedule_problem(snapshot_of([Terms(multiple=1.0)], demand=demand), SETTINGS, atoms=4)
    assert problem.requirement[0, 1] == pytest.approx([5 + 2, 5 + 4, 5 + 6, 5 + 8])
    rng = np.random.default_rng(4)
    long = rng.poisson(20.0, (1, 256, 24)).astype(float)
    snapshot = snapshot_of([Terms(multiple=1.0, lead_time=(0.0, 0.0, 1.0))], demand=long)
    spread = np.ptp(schedule_problem(snapshot, SETTINGS)[0].requirement[0], axis=1)
    assert spread[3:].max() < 1.3 * spread[3:].min()
    assert spread[20] < 1.5 * spread[2]


def test_no_path_asks_for_more_above_the_mean_than_the_cover_cap():
    demand = np.zeros((1, 10, 6))
    demand[0, 9] = 100.0
    snapshot = snapshot_of([Terms(multiple=1.0)], demand=demand)
    mean = demand[0].mean(axis=0).cumsum()
    capped = schedule_problem(snapshot, OrderingSettings(max_cover_periods=2.0), atoms=10)[0]
    assert capped.requirement[0].max(axis=1) == pytest.approx(mean + 2.0 * 10.0)
    assert schedule_problem(snapshot, SETTINGS, atoms=10)[0].requirement[0, 0, -1] == 100.0


def test_a_source_whose_lead_time_strays_costs_the_safety_stock_that_it_asks_for():
    steady = Terms(price=10.0, lead_time=(0.0, 0.0, 1.0))
    wild = Terms(supplier=1, price=10.0, lead_time=(0.4, 0.0, 0.2, 0.0, 0.4))
    problem, packs = built([steady, wild])
    assert problem.freight[0] == 0.0
    assert problem.freight[1] > 0.0
    alone, _ = built([wild])
    assert alone.freight[0] == 0.0, "what the usual source asks for is in the requirement"


def test_a_late_lead_time_meets_the_requirement_of_a_later_period():
    """Lead time 1 or 3, planned as 2: half the paths look a period ahead, half a period back."""
    terms = [Terms(multiple=1.0, lead_time=(0.0, 0.5, 0.0, 0.5))]
    problem, packs = built(terms, demand=np.full((1, 4, 6), 5.0), on_hand=5.0)
    assert (problem.lead[0], packs.units_per_pack[0]) == (2, 1.0)
    assert problem.requirement[0, 2] == pytest.approx([5.0, 5.0, 15.0, 15.0])
    assert problem.requirement[0, 0] == pytest.approx([-5.0, -5.0, 5.0, 5.0])
    assert problem.requirement[0, 5] == pytest.approx([20.0, 20.0, 30.0, 30.0])


def test_windows_come_from_validity_and_frozen_periods_and_what_is_forbidden_is_left_out():
    terms = [Terms(price=1.0, orderable=False), Terms(price=2.0), Terms(price=3.0, expedite=True)]
    snapshot = snapshot_of(terms)
    sources = replace(snapshot.sources, first_period=np.array([0, 1, 3]), last_period=np.array([9, 4, 9]))
    snapshot = replace(snapshot, sources=sources, frozen_periods=np.array([2]))
    problem, packs = schedule_problem(snapshot, SETTINGS)
    assert packs.source_row.tolist() == [1, 2]
    assert (problem.first.tolist(), problem.last.tolist()) == ([2, 3], [4, 5])
    _, packs = schedule_problem(snapshot, OrderingSettings(allow_expedite=False))
    assert packs.source_row.tolist() == [1]


def test_limits_of_now_join_those_of_the_periods():
    limits = SharedLimits(
        budget=50.0,
        supplier_capacity=np.array([9.0, np.inf, np.inf]),
        supplier_capacity_by_period=np.full((3, 4), 20.0),
        budget_by_period=np.full(6, 80.0),
        max_orders=2.0,
        storage=700.0,
    )
    problem, _ = built([Terms()], limits=limits)
    assert problem.capacity[0].tolist() == [9.0, 20.0, 20.0, 20.0, np.inf, np.inf]
    assert problem.capacity[1, 0] == 20.0
    assert problem.budget.tolist() == [50.0, 80.0, 80.0, 80.0, 80.0, 80.0]
    assert problem.max_orders.tolist() == [2.0] + [np.inf] * 5
    assert problem.storage.tolist() == [700.0] * 6


def test_an_item_without_a_source_or_demand_is_carried_along():
    demand = np.concatenate([np.full((1, 4, 6), 24.0), np.zeros((1, 4, 6))])
    snapshot = snapshot_of_paths(
        demand, [Terms(item=1, multiple=5.0)], on_hand=[0.0, 10.0], holding=[0.5, 0.5], shortage=[4.0, 4.0]
    )
    problem, packs = schedule_problem(snapshot, SETTINGS)
    assert problem.source_item.tolist() == [1]
    assert packs.units_per_pack == pytest.approx([2.0, 5.0])
    assert problem.requirement[1] == pytest.approx(np.full((6, 4), -2.0))
    assert np.isfinite(problem.end_value).all()


def test_no_order_is_larger_than_the_cover_cap_or_the_shelf_life_asks_for_but_the_minimum_may_be_ordered():
    terms = [Terms(lead_time=(0.0, 1.0)), Terms(supplier=1, moq=500.0)]
    snapshot = replace(snapshot_of(terms, demand=np.full((1, 4, 12), 10.0)), shelf_life_periods=np.array([np.inf]))
    largest = schedule_problem(snapshot, OrderingSettings(max_cover_periods=3.0))[0].largest
    assert largest.tolist() == [(1 + 1 + 3) * 10, 500]
    perishable = replace(snapshot, shelf_life_periods=np.array([2.0]))
    assert schedule_problem(perishable, OrderingSettings())[0].largest.tolist() == [20, 500]
