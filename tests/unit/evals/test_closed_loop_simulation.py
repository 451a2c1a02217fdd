"""The closed loop: no unit appears or is lost, everybody meets the same luck, and the books start after the warm-up."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest

from evals.baselines import StaticReorderPoint, WeeklyCentralPlan
from evals.buying import LoopRecord, LoopSettings, OrderRequest, View
from evals.simulator import simulate
from evals.worlds.demo import DemoWorld, make_demo_world
from tools.domain.arrays import FloatArray


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return make_demo_world(5, items=8)


class RandomBuyer:
    """Orders from any offer on any day, in any accepted quantity."""

    name = "random"

    def __init__(self, world: DemoWorld, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._offers = world.dataset.offers
        self._items = len(world.dataset.on_hand)

    def reorder_points(self) -> FloatArray:
        return np.full(self._items, np.nan)

    def review(self, view: View) -> Sequence[OrderRequest]:
        picked = [offer for offer in self._offers if self._rng.random() < 0.03]
        return [OrderRequest(o.offer_id, o.moq * self._rng.integers(1, 30), self._rng.uniform(0, 4)) for o in picked]


class SleepingBuyer(RandomBuyer):
    """Orders nothing."""

    name = "asleep"

    def review(self, view: View) -> Sequence[OrderRequest]:
        return ()


class SlowBuyer(RandomBuyer):
    """Sees a need at 1,000,000 units from the first day on and orders on the fourth."""

    name = "slow"

    def reorder_points(self) -> FloatArray:
        return np.full(self._items, 1e6)

    def review(self, view: View) -> Sequence[OrderRequest]:
        return [OrderRequest(self._offers[0].offer_id, 10.0, 0.5)] if view.day == 3 else []


class OnceBuyer(RandomBuyer):
    """Places one order on one day."""

    name = "once"

    def __init__(self, world: DemoWorld, offer_id: str, quantity: float, day: int = 0) -> None:
        super().__init__(world, 0)
        self._order, self._day = OrderRequest(offer_id, quantity), day
        self.seen: list[View] = []

    def review(self, view: View) -> Sequence[OrderRequest]:
        self.seen.append(view)
        return [self._order] if view.day == self._day else []


def assert_balanced(record: LoopRecord) -> None:
    assert record.start_net + record.received - record.demanded + record.lost == pytest.approx(record.end_net)
    assert record.start_on_order + record.ordered - record.received == pytest.approx(record.end_on_order)
    assert (record.served_at_once <= record.demanded).all()
    assert (record.served_at_once <= record.served + np.maximum(record.start_net, 0)).all()
    assert (record.received >= 0).all()
    assert (record.end_on_order >= -1e-9).all()
    assert (record.stock_value_by_day >= 0).all()
    assert record.served_value_by_day.sum() == pytest.approx(record.served_at_once @ record.unit_value)
    assert record.demand_value_by_day.sum() == pytest.approx(record.demanded @ record.unit_value)


@pytest.mark.parametrize("lost_sales", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_what_came_in_less_what_went_out_is_what_is_left(world: DemoWorld, seed: int, lost_sales: bool) -> None:
    record = simulate(world, RandomBuyer(world, seed), LoopSettings(12, 5, lost_sales))
    assert record.ordered.sum() > 0
    assert_balanced(record)
    if lost_sales:
        assert (record.end_net >= 0).all()
        assert record.backorder_value_by_day.max() == 0
        assert record.demanded - record.lost == pytest.approx(record.served_at_once)
    else:
        assert record.lost.sum() == 0


def test_the_baselines_books_balance_too(world: DemoWorld) -> None:
    for buyer in (StaticReorderPoint(world.dataset), WeeklyCentralPlan(world.dataset)):
        assert_balanced(simulate(world, buyer, LoopSettings(30)))


def test_who_orders_nothing_pays_nothing_and_only_what_was_on_order_arrives(world: DemoWorld) -> None:
    record = simulate(world, SleepingBuyer(world, 0), LoopSettings(60))
    assert (record.purchase, record.freight, record.ordering, record.orders) == (0, 0, 0, 0)
    assert record.latency_days.size == 0
    assert record.end_on_order.sum() == 0
    assert record.received == pytest.approx(record.start_on_order)
    assert record.backorder_value_by_day[-1] > record.backorder_value_by_day[0]


def test_one_seed_plays_the_same_days_again_and_another_seed_others(world: DemoWorld) -> None:
    first, again = (simulate(world, StaticReorderPoint(world.dataset), LoopSettings(10)) for _ in range(2))
    for name in (field.name for field in fields(LoopRecord) if field.name != "planning_seconds"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name
    other = make_demo_world(6, items=8)
    assert not np.array_equal(
        simulate(other, StaticReorderPoint(other.dataset), LoopSettings(10)).demanded, first.demanded
    )


def test_two_buyers_meet_the_same_customers_and_the_same_luck_with_an_offers_first_order(world: DemoWorld) -> None:
    offer = next(o for o in world.dataset.offers if o.capacity_per_week is None and o.transport_mode == "truck")
    early, late = (OnceBuyer(world, offer.offer_id, 50, day) for day in (0, 9))
    records = [simulate(world, buyer, LoopSettings(20)) for buyer in (early, late)]
    assert np.array_equal(records[0].demanded, records[1].demanded)
    waited = [next(r.lead_time_days for r in buyer.seen[-1].receipts if "#1." in r.order_id) for buyer in (early, late)]
    assert waited[0] == waited[1]


def test_an_order_above_the_weekly_capacity_comes_in_parts_a_week_apart(world: DemoWorld) -> None:
    offer = next(o for o in world.dataset.offers if o.capacity_per_week)
    assert offer.capacity_per_week
    buyer = OnceBuyer(world, offer.offer_id, 2.5 * offer.capacity_per_week)
    simulate(world, buyer, LoopSettings(70))
    parts = [r for r in buyer.seen[-1].receipts if r.order_id.startswith(f"{offer.offer_id}#1.")]
    assert [r.quantity for r in parts] == pytest.approx([offer.capacity_per_week * share for share in (1, 1, 0.5)])
    days = [r.receipt_date for r in parts]
    assert [(later - sooner).days for sooner, later in zip(days, days[1:], strict=False)] == [7, 7]


def test_costs_are_those_of_the_offer_at_the_price_of_the_whole_quantity(world: DemoWorld) -> None:
    offer = next(o for o in world.dataset.offers if o.price_breaks and o.capacity_per_week is None)
    quantity = offer.price_breaks[-1].quantity
    record = simulate(world, OnceBuyer(world, offer.offer_id, quantity), LoopSettings(2))
    assert record.purchase == pytest.approx(quantity * offer.price_breaks[-1].unit_price)
    assert record.freight == pytest.approx(quantity * offer.freight_per_unit)
    assert record.ordering == offer.fixed_order_cost
    assert record.ordered.sum() == quantity


def test_latency_runs_from_the_day_a_need_shows_to_the_orders_release(world: DemoWorld) -> None:
    record = simulate(world, SlowBuyer(world, 0), LoopSettings(2))
    assert record.latency_days == pytest.approx([3.5])


def test_the_warm_up_is_played_and_not_counted(world: DemoWorld) -> None:
    whole = simulate(world, StaticReorderPoint(world.dataset), LoopSettings(12))
    counted = simulate(world, StaticReorderPoint(world.dataset), LoopSettings(8, warm_up_weeks=4))
    assert counted.days == 56
    for name in ("stock_value_by_day", "backorder_value_by_day", "demand_value_by_day", "served_value_by_day"):
        assert getattr(counted, name) == pytest.approx(getattr(whole, name)[28:]), name
    assert counted.end_net == pytest.approx(whole.end_net)
    assert counted.orders < whole.orders


def test_holding_is_each_items_rate_on_its_value_on_hand(world: DemoWorld) -> None:
    record = simulate(world, SleepingBuyer(world, 0), LoopSettings(6))
    assert record.holding == pytest.approx(0.22 * record.stock_value_by_day.sum() / 365)


def test_a_buyer_sees_the_data_of_the_day_and_no_week_that_has_not_ended(world: DemoWorld) -> None:
    buyer = OnceBuyer(world, world.dataset.offers[0].offer_id, 10)
    record = simulate(world, buyer, LoopSettings(3))
    last = buyer.seen[-1]
    assert (last.day, last.weekly_demand.shape[1]) == (20, 2)
    seen = last.current()
    key = last.item_keys[0]
    assert seen.as_of == last.today
    assert seen.demand[key].quantities.size == world.dataset.demand[key].quantities.size + 2
    assert seen.demand[key].quantities[-2:].sum() <= record.demanded[0]
    assert all(receipt.receipt_date <= last.today for receipt in seen.receipts)


def test_a_world_that_begins_with_backorders_serves_them_first(world: DemoWorld) -> None:
    key = next(iter(world.dataset.on_hand))
    owing = replace(world, dataset=replace(world.dataset, on_hand={**world.dataset.on_hand, key: -40.0}))
    record = simulate(owing, StaticReorderPoint(owing.dataset), LoopSettings(40))
    assert_balanced(record)
    assert record.served[0] == pytest.approx(record.demanded[0] + 40 - max(-record.end_net[0], 0))
