"""The ordering engine as a buyer: what it may see, when it looks, and how long its orders wait."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from evals.baselines import DESK_HOURS
from evals.buying import LoopSettings, OrderRequest, View
from evals.contender import ContenderSettings, EngineBuyer
from evals.simulator import simulate
from evals.worlds.demo import DemoWorld, make_demo_world
from evals.worlds.truth import LeadTimeLaw
from tools.domain.catalogue import Autonomy

BRIEF = ContenderSettings(horizon_weeks=12, paths=32)


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return make_demo_world(4, items=8)


class Watched(EngineBuyer):
    """Keeps what was asked for on each day."""

    def __init__(self, world: DemoWorld) -> None:
        super().__init__(world.dataset, BRIEF)
        self.asked: dict[int, Sequence[OrderRequest]] = {}
        self.levels: dict[int, list[float]] = {}

    def review(self, view: View) -> Sequence[OrderRequest]:
        self.levels[view.day] = list(self.reorder_points())
        self.asked[view.day] = super().review(view)
        return self.asked[view.day]


def test_it_plans_every_item_on_the_first_day_and_orders_what_is_short(world: DemoWorld) -> None:
    buyer = Watched(world)
    record = simulate(world, buyer, LoopSettings(3))
    assert np.isnan(buyer.levels[0]).all()
    assert np.isfinite(buyer.levels[1]).all()
    assert buyer.asked[0]
    assert record.orders == sum(len(asked) for asked in buyer.asked.values())
    assert record.planning_seconds.size == sum(bool(asked) for asked in buyer.asked.values())


def test_between_two_weekly_plans_only_items_that_fell_to_their_point_are_ordered(world: DemoWorld) -> None:
    views: list[View] = []

    class Viewed(Watched):
        def review(self, view: View) -> Sequence[OrderRequest]:
            views.append(view)
            return super().review(view)

    buyer = Viewed(world)
    simulate(world, buyer, LoopSettings(10))
    for day in (day for day in buyer.asked if day % 7 and buyer.asked[day]):
        short = {
            key[0]
            for key, units, level in zip(views[day].item_keys, views[day].position, buyer.levels[day], strict=True)
            if units <= level
        }
        assert {request.offer_id.split("|")[0] for request in buyer.asked[day]} <= short


def test_only_items_left_to_the_program_are_ordered_without_waiting_for_a_desk(world: DemoWorld) -> None:
    buyer = Watched(world)
    simulate(world, buyer, LoopSettings(10))
    waits = {
        world.dataset.items[request.offer_id.split("|")[0]].autonomy: request.release_days
        for asked in buyer.asked.values()
        for request in asked
    }
    assert waits.pop(Autonomy.AUTO, 0.0) == 0.0
    assert set(waits.values()) == {DESK_HOURS / 24}


def test_it_sees_nothing_of_the_truth(world: DemoWorld) -> None:
    """Until the first different arrival or demand its orders are the same in a world with another truth."""
    slower = {offer_id: LeadTimeLaw(380.0, 0.01) for offer_id in world.truth.lead_times}
    other = replace(world, truth=replace(world.truth, lead_times=slower, demand=dict(world.truth.demand)))
    asked = list[Sequence[OrderRequest]]()
    for truth in (world, other):
        bare = replace(truth, dataset=replace(truth.dataset, open_orders=()))
        buyer = Watched(bare)
        simulate(bare, buyer, LoopSettings(1))
        asked.append(buyer.asked[0])
    assert asked[0] == asked[1]
    assert asked[0]


def test_the_same_world_gives_the_same_orders_twice(world: DemoWorld) -> None:
    first, again = (simulate(world, EngineBuyer(world.dataset, BRIEF), LoopSettings(6)) for _ in range(2))
    assert first.ordered == pytest.approx(again.ordered)
    assert (first.purchase, first.orders) == (again.purchase, again.orders)
