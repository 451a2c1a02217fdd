"""The baselines against the textbook's closed formulas."""

from dataclasses import replace

import numpy as np
import pytest

from evals.baselines import (
    DESK_HOURS,
    StaticReorderPoint,
    WeeklyCentralPlan,
    cheapest_sources,
    lead_weeks,
    lot_size,
    rounded,
    safety_stock,
)
from evals.buying import LoopSettings, View
from evals.simulator import simulate
from evals.worlds.demo import make_demo_world
from evals.worlds.past import WEEKS
from tools.domain.catalogue import Item, Offer, SupplierStatus
from tools.domain.datasets import Dataset

WORLD = make_demo_world(3, items=6)


def offer(**changes: object) -> Offer:
    terms = {"item_id": "A", "supplier_id": "S", "unit_price": 1.0, "lead_time_days": 28, "fixed_order_cost": 8.0}
    return Offer.model_validate(terms | changes)


def view_of(dataset: Dataset, position: float, day: int = 0) -> View:
    keys = tuple(dataset.on_hand)
    full = np.full(len(keys), position)
    return View(dataset, dataset.as_of, day, keys, full, full, (), (), np.zeros((len(keys), 0)))


def test_safety_stock_is_the_factor_times_the_spread_of_demand_over_a_random_lead_time() -> None:
    assert safety_stock(100, 30, (4, 1), 0, 1.645) == pytest.approx(1.645 * np.sqrt(4 * 900 + 10_000))
    assert safety_stock(100, 30, (4, 0), 1, 2.0) == pytest.approx(2 * 30 * np.sqrt(5))
    assert safety_stock(100, 0, (4, 0), 1, 2.0) == 0


def test_the_lot_is_the_economic_order_quantity_in_whole_packs() -> None:
    item = Item(item_id="A", unit_value=1.0, holding_rate_per_year=0.225)
    assert lot_size(offer(), item, 25) == 305  # Snyder and Shen: 304.0468
    assert lot_size(offer(order_multiple=50), item, 25) == 350
    assert lot_size(offer(moq=400), item, 25) == 400
    assert lot_size(offer(max_quantity=200), item, 25) == 200


def test_a_quantity_is_rounded_up_to_the_moq_and_the_multiple() -> None:
    assert rounded(offer(moq=12, order_multiple=10), 3) == 20
    assert rounded(offer(moq=12, order_multiple=10), 40) == 40
    assert rounded(offer(moq=12, order_multiple=10), 40.1) == 50


def test_the_one_source_is_the_cheapest_landed_of_those_that_may_deliver() -> None:
    chosen = cheapest_sources(WORLD.dataset)
    assert set(chosen) == set(WORLD.dataset.items)
    for item_id, best in chosen.items():
        assert WORLD.dataset.suppliers[best.supplier_id].status is SupplierStatus.ACTIVE
        assert not best.expedite
        rivals = [
            o.unit_price + o.freight_per_unit
            for o in WORLD.dataset.offers
            if o.item_id == item_id
            and not o.expedite
            and WORLD.dataset.suppliers[o.supplier_id].status is SupplierStatus.ACTIVE
        ]
        assert best.unit_price + best.freight_per_unit == min(rivals)


def test_lead_times_come_from_receipts_and_from_the_quote_where_there_are_fewer_than_three() -> None:
    best = cheapest_sources(WORLD.dataset)["I001"]
    mine = [r for r in WORLD.dataset.receipts if (r.item_id, r.supplier_id) == ("I001", best.supplier_id)]
    days = np.array([r.lead_time_days for r in mine], dtype=float)
    assert lead_weeks(WORLD.dataset, best) == pytest.approx((days.mean() / 7, days.std(ddof=1) / 7))
    few = replace(WORLD.dataset, receipts=tuple(mine[:2]))
    assert lead_weeks(few, best) == (best.lead_time_days / 7, 0.0)


def test_the_static_reorder_point_is_lead_time_demand_plus_safety_stock_and_never_changes() -> None:
    buyer = StaticReorderPoint(WORLD.dataset)
    for row, key in enumerate(WORLD.dataset.on_hand):
        quantities = WORLD.dataset.demand[key].quantities
        assert quantities.size == WEEKS
        weeks, spread = lead_weeks(WORLD.dataset, cheapest_sources(WORLD.dataset)[key[0]])
        item = WORLD.dataset.items[key[0]]
        factor = {0.98: 2.0537, 0.95: 1.6449, 0.90: 1.2816}[
            item.service_level_target or {"A": 0.98, "B": 0.95, "C": 0.90}[item.criticality]
        ]
        mean, sd = quantities.mean(), quantities.std(ddof=1)
        point = mean * (weeks + 1 / 7) + factor * np.sqrt((weeks + 1 / 7) * sd**2 + mean**2 * spread**2)
        assert buyer.reorder_points()[row] == pytest.approx(point, rel=1e-4)
    before = buyer.reorder_points().copy()
    simulate(WORLD, buyer, LoopSettings(8))
    assert np.array_equal(buyer.reorder_points(), before)


def test_the_static_buyer_orders_whole_lots_until_the_position_is_above_the_point() -> None:
    buyer = StaticReorderPoint(WORLD.dataset)
    points = buyer.reorder_points()
    assert not buyer.review(view_of(WORLD.dataset, float(points.max()) + 1))
    requests = buyer.review(view_of(WORLD.dataset, 0.0))
    ordered = {
        item: sum(r.quantity for r in requests if r.offer_id.startswith(f"{item}|"))
        for item, _ in WORLD.dataset.on_hand
    }
    for (item, _), point in zip(WORLD.dataset.on_hand, points, strict=True):
        lot = next(r.quantity for r in requests if r.offer_id.startswith(f"{item}|"))
        assert ordered[item] - lot <= point < ordered[item]
    assert {r.release_days for r in requests} == {DESK_HOURS / 24}


def test_the_weekly_plan_orders_on_every_seventh_day_only() -> None:
    buyer = WeeklyCentralPlan(WORLD.dataset)
    assert buyer.review(view_of(WORLD.dataset, 0.0, day=0))
    for day in range(1, 7):
        assert not buyer.review(view_of(WORLD.dataset, 0.0, day=day))
    assert buyer.review(view_of(WORLD.dataset, 0.0, day=7))


def test_more_safety_factor_means_a_higher_reorder_point_for_either() -> None:
    plain, more = (StaticReorderPoint(WORLD.dataset, factor).reorder_points() for factor in (0.0, 0.5))
    assert (more > plain).all()
    weekly = [WeeklyCentralPlan(WORLD.dataset, factor) for factor in (0.0, 0.5)]
    for buyer in weekly:
        buyer.review(view_of(WORLD.dataset, 0.0))
    assert (weekly[1].reorder_points() > weekly[0].reorder_points()).all()
