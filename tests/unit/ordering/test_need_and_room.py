"""When stock runs out before an order lands, and how much room a plan needs."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import Terms, snapshot_of_paths
from tools.ordering import days_short_before, expected_volume

WEEKS = 10


def steady(on_hand: float, arrivals: dict[int, float] | None = None):
    """Ten units a week on every path, one source that delivers after two weeks."""
    landed = np.zeros((1, 8, WEEKS))
    for week, units in (arrivals or {}).items():
        landed[0, :, week] = units
    terms = [Terms(lead_time=(0.0, 0.0, 1.0))]
    demand = np.full((1, 8, WEEKS), 10.0)
    return snapshot_of_paths(demand, terms, on_hand=[on_hand], holding=[1.0], shortage=[9.0], arrivals=landed)


def short_before(snapshot, day: float, arrivals=()) -> float:
    return days_short_before(snapshot, snapshot.item_ids[0], snapshot.site_ids[0], day, arrivals)


@pytest.mark.parametrize(
    ("on_hand", "day", "short"),
    [(30.0, 21, 0.0), (30.0, 20, 0.0), (30.0, 28, 7.0), (25.0, 28, 10.5), (0.0, 14, 14.0), (-10.0, 14, 14.0)],
)
def test_days_short_run_from_the_stock_out_to_the_arrival(on_hand, day, short):
    assert short_before(steady(on_hand), day) == pytest.approx(short)


def test_an_open_order_that_lands_before_the_need_is_cover_and_one_that_lands_after_it_is_none():
    assert short_before(steady(20.0, {2: 100.0}), 28) == 0.0
    assert short_before(steady(20.0, {6: 100.0}), 28) == pytest.approx(14.0)


def test_a_shortage_that_an_open_order_ends_does_not_count_against_a_later_order():
    early_gap = steady(0.0, {3: 60.0})
    assert short_before(early_gap, 14) == pytest.approx(14.0)
    assert short_before(early_gap, 42) == 0.0


def test_what_the_plan_brings_earlier_is_cover_for_what_it_brings_later():
    assert short_before(steady(20.0), 42) == pytest.approx(28.0)
    assert short_before(steady(20.0), 42, [(14.0, 100.0)]) == 0.0
    assert short_before(steady(20.0), 42, [(14.0, 10.0)]) == pytest.approx(21.0)


def test_room_needed_counts_stock_open_orders_and_the_order_once_it_can_have_arrived():
    snapshot = replace(steady(30.0, {4: 40.0}), storage_volume=np.array([0.5]))
    empty = expected_volume(snapshot, {})[snapshot.site_ids[0]]
    assert empty[:5] == pytest.approx([10.0, 5.0, 0.0, 0.0, 10.0])
    filled = expected_volume(snapshot, {snapshot.sources.offer_ids[0]: 40.0})[snapshot.site_ids[0]]
    assert filled[:5] == pytest.approx([10.0, 5.0, 20.0, 15.0, 30.0])


def test_room_needed_counts_only_what_of_an_order_is_usable():
    snapshot = replace(steady(30.0), storage_volume=np.array([0.5]))
    half = replace(snapshot, sources=replace(snapshot.sources, yield_rate=np.array([0.5])))
    offer_id, site = snapshot.sources.offer_ids[0], snapshot.site_ids[0]
    assert expected_volume(half, {offer_id: 40.0})[site] == pytest.approx(
        expected_volume(snapshot, {offer_id: 20.0})[site]
    )
