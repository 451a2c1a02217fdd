"""What buyers complain of in other tools, each as a behaviour of ours."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.orders import Intent, OpenOrderStatus, PurchaseOrder
from tools.domain.snapshots import OrderingSettings
from tools.ordering import plan_orders, verify

WEEKS = 12


def steady(terms, on_hand, arrivals=None, rate=10.0, h=0.1, b=10.0, suppliers=3):
    demand = np.full((1, 8, WEEKS), rate)
    return snapshot_of_paths(
        demand,
        terms,
        on_hand=[on_hand],
        holding=[h],
        shortage=[b],
        arrivals=arrivals,
        suppliers=suppliers,
        unit_value=5.0,
    )


def landing(period: int, quantity: float) -> np.ndarray:
    arrivals = np.zeros((1, 8, WEEKS))
    arrivals[:, :, period] = quantity
    return arrivals


FAST = Terms(price=5.0, lead_time=(0.0, 1.0))


def test_an_open_order_that_lands_after_the_need_is_no_cover():
    late = plan_orders(steady([FAST], 10.0, landing(6, 200.0)))
    in_time = plan_orders(steady([FAST], 10.0, landing(1, 200.0)))
    assert sum(line.quantity for line in late.lines) == 10
    assert late.lines[0].explanation.figures["inventory_position"] == 10
    assert in_time.lines == ()


def test_a_second_run_after_ordering_does_not_order_the_same_need_again():
    first = plan_orders(steady([FAST], 5.0))
    placed = sum(line.quantity for line in first.lines)
    again = plan_orders(steady([FAST], 5.0, landing(1, placed)))
    assert placed > 0
    assert again.lines == ()


def test_the_arrival_date_shown_is_the_order_date_plus_the_lead_time():
    plan = plan_orders(steady([Terms(price=5.0, lead_time=(0.0, 0.0, 0.0, 1.0))], 10.0))
    line = plan.lines[0]
    assert line.order_date == date(2026, 1, 4)
    assert line.expected_arrival == line.order_date + timedelta(days=21)


@pytest.mark.parametrize("lead", [1, 2, 4])
def test_a_minimum_order_quantity_raises_the_order_but_not_its_date(lead):
    probabilities = tuple(1.0 if period == lead else 0.0 for period in range(lead + 1))
    snapshot = steady([Terms(price=5.0, lead_time=probabilities, moq=95.0, multiple=12.0)], 5.0)
    plan = plan_orders(snapshot)
    assert plan.lines[0].quantity == 96
    assert plan.lines[0].period == 0
    assert verify(snapshot, plan) == ()


def test_a_large_minimum_is_not_ordered_for_a_need_that_stock_covers():
    assert plan_orders(steady([Terms(price=5.0, lead_time=(0.0, 1.0), moq=500.0)], 60.0)).lines == ()


def test_every_line_shows_its_formula_figures_and_alternative():
    snapshot = random_snapshot(10, seed=4)
    plan = plan_orders(snapshot)
    needed = {
        "inventory_position",
        "lead_time_demand_mean",
        "lead_time_demand_sd",
        "quantile",
        "reorder_point",
        "order_up_to",
        "safety_stock",
        "economic_order_quantity",
        "quantity_before_rounding",
        "quantity",
        "extra_cost_of_ordering_nothing",
    }
    assert len(plan.lines) >= 5
    for line in plan.lines:
        assert needed <= line.explanation.figures.keys()
        assert "lead time" in line.explanation.formula
        assert any(note.startswith("Next best") for note in line.explanation.notes)
        assert line.explanation.figures["extra_cost_of_ordering_nothing"] >= 0


def test_items_that_order_nothing_say_why_with_figures():
    plan = plan_orders(steady([FAST], 60.0))
    reason = plan.outlooks[0].reason
    assert reason.startswith("Order nothing now: stock and the open orders that land within its lead time make 60.0")
    assert "against a level of 20.0" in reason
    assert "nothing is needed" in reason


def test_safety_stock_comes_from_the_spread_of_demand_and_not_from_a_setting():
    rng = np.random.default_rng(5)
    stocks = []
    for spread in (1.0, 10.0):
        demand = np.maximum(rng.normal(50, spread, (1, 1000, 8)), 0)
        snapshot = snapshot_of_paths(demand, [FAST], on_hand=[0.0], holding=[1.0], shortage=[9.0])
        stocks.append(plan_orders(snapshot).outlooks[0].safety_stock)
    assert stocks[0] == pytest.approx(1.2816 * 2**0.5, abs=0.3)
    assert stocks[1] == pytest.approx(10 * 1.2816 * 2**0.5, abs=2.5)


def test_the_near_gap_is_expedited_and_the_rest_comes_from_the_cheap_source():
    slow = Terms(price=5.0, lead_time=(0, 0, 0, 0, 1.0))
    fast = Terms(supplier=1, price=9.0, lead_time=(1.0,), expedite=True)
    plan = plan_orders(steady([slow, fast], 0.0, landing(1, 30.0)))
    by_intent = {line.intent: line for line in plan.lines}
    assert by_intent[Intent.EXPEDITE].quantity == 10
    assert by_intent[Intent.PLACE].quantity == 10
    without = plan_orders(steady([slow, fast], 0.0, landing(1, 30.0)), OrderingSettings(allow_expedite=False))
    assert {line.intent for line in without.lines} == {Intent.PLACE}
    assert without.outlooks[0].fill_rate < plan.outlooks[0].fill_rate


def test_a_source_that_lands_too_late_does_not_win_by_its_price():
    late = Terms(price=4.9, lead_time=(0, 0, 0, 0, 0, 0, 1.0))
    timely = Terms(supplier=1, price=5.0, lead_time=(0.0, 1.0))
    plan = plan_orders(steady([late, timely], 10.0))
    assert any(line.supplier_id == "S01" for line in plan.lines)


@pytest.mark.parametrize(
    ("status", "intents"), [(OpenOrderStatus.DRAFT, [Intent.CANCEL]), (OpenOrderStatus.CONFIRMED, [])]
)
def test_an_unconfirmed_order_that_no_path_needs_is_proposed_for_cancelling(status, intents):
    order = PurchaseOrder(
        order_id="PO1", item_id="I000", supplier_id="S00", quantity=50, order_date=date(2026, 1, 1), status=status
    )
    snapshot = replace(steady([FAST], 400.0, landing(1, 50.0)), open_orders=(order,))
    plan = plan_orders(snapshot)
    assert [line.intent for line in plan.lines] == intents
    assert all(line.replaces_order_id == "PO1" for line in plan.lines)


@pytest.mark.parametrize(
    ("item_id", "supplier_id", "offer_id", "price"),
    [
        ("I000", "S01", "I000|S01|1|MAIN", 6.0),
        ("I001", "S00", "", 5.0),
        ("I001", "S01", "I001|S01|2|MAIN", 8.0),
        ("I001", "S02", "I001|S02|3|MAIN", 9.0),
        ("I001", "gone", "", 5.0),
    ],
)
def test_an_order_to_cancel_is_told_by_the_offer_of_its_own_item_and_supplier(item_id, supplier_id, offer_id, price):
    terms = [
        Terms(price=4.0),
        Terms(supplier=1, price=6.0),
        Terms(item=1, supplier=1, price=8.0),
        Terms(item=1, supplier=2, price=9.0),
    ]
    snapshot = snapshot_of_paths(
        np.full((2, 8, WEEKS), 10.0),
        terms,
        on_hand=[400.0, 400.0],
        holding=[0.1, 0.1],
        shortage=[10.0, 10.0],
        suppliers=3,
        unit_value=5.0,
    )
    order = PurchaseOrder(
        order_id="PO1",
        item_id=item_id,
        supplier_id=supplier_id,
        quantity=50,
        order_date=date(2026, 1, 1),
        status=OpenOrderStatus.SENT,
    )
    (line,) = plan_orders(replace(snapshot, open_orders=(order,))).lines
    assert (line.intent, line.offer_id, line.unit_price) == (Intent.CANCEL, offer_id, price)


@pytest.mark.parametrize(("usable_share", "intents"), [(0.5, [Intent.CANCEL]), (1.0, [])])
def test_an_order_is_needed_for_what_its_own_offer_delivers_usable(usable_share, intents):
    """Thirty units are left at the end: fifty that came usable would be missed, twenty-five would not."""
    terms = [Terms(price=5.0, lead_time=(1.0,)), Terms(supplier=1, price=5.0, lead_time=(1.0,))]
    snapshot = steady(terms, 10.0 * WEEKS + 30.0)
    sources = replace(snapshot.sources, yield_rate=np.array([0.9, usable_share]))
    order = PurchaseOrder(
        order_id="PO1",
        item_id="I000",
        supplier_id="S01",
        quantity=50,
        order_date=date(2026, 1, 1),
        status=OpenOrderStatus.SENT,
    )
    plan = plan_orders(replace(snapshot, sources=sources, open_orders=(order,)))
    assert [line.intent for line in plan.lines] == intents


def test_an_item_without_an_approved_source_is_reported_and_not_ordered():
    plan = plan_orders(steady([Terms(price=5.0, orderable=False)], 0.0))
    assert plan.lines == ()
    assert "no source" in plan.conflicts[0]
