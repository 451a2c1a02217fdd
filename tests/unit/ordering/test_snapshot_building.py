from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest

from tools.domain.catalogue import Item, Offer, PriceBreak, Site, Supplier, SupplierStatus
from tools.domain.datasets import Dataset, Period
from tools.domain.errors import BadInput
from tools.domain.orders import PurchaseOrder
from tools.domain.snapshots import SharedLimits
from tools.lead_times import LeadTimeDistribution
from tools.network.disruption import Disruption
from tools.ordering import build_snapshot, plan_orders, verify

AS_OF = date(2026, 1, 4)


@dataclass(frozen=True)
class Paths:
    item_id: str
    site_id: str
    period: Period
    paths: np.ndarray
    fallback: str | None = None


def lead(*days: int) -> LeadTimeDistribution:
    return LeadTimeDistribution(np.array(days), np.full(len(days), 1 / len(days)), "offer", 9)


REGULAR = Offer(item_id="A", supplier_id="S1", unit_price=4.0, lead_time_days=14, moq=5, order_multiple=5)
QUICK = Offer(item_id="A", supplier_id="S2", unit_price=9.0, lead_time_days=0, expedite=True, capacity_per_week=70)
OPEN = PurchaseOrder(order_id="PO1", item_id="A", supplier_id="S1", quantity=30, order_date=date(2025, 12, 28))


def dataset(**changes) -> Dataset:
    made = Dataset(
        version="ds-1",
        as_of=AS_OF,
        currency="USD",
        items={"A": Item(item_id="A", unit_value=5.2, holding_rate_per_year=0.5, service_level_target=0.9)},
        suppliers={"S1": Supplier(supplier_id="S1", min_order_value=20.0), "S2": Supplier(supplier_id="S2")},
        sites={"MAIN": Site(site_id="MAIN")},
        offers=(REGULAR, QUICK),
        on_hand={("A", "MAIN"): 12.0},
        stock_as_of={},
        demand={},
        open_orders=(OPEN,),
        receipts=(),
    )
    return replace(made, **changes)


FORECAST = Paths("A", "MAIN", Period.WEEK, np.full((40, 10), 10.0))
LEADS = {REGULAR.offer_id: lead(14), QUICK.offer_id: lead(0)}


def test_an_open_order_arrives_when_the_rest_of_its_lead_time_is_over():
    snapshot = build_snapshot(dataset(), [FORECAST], LEADS, horizon=8)
    assert snapshot.arrivals.shape == (1, 40, 8)
    assert snapshot.arrivals[0].mean(axis=0) == pytest.approx([0, 30, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(("days", "period", "later"), [(14, 1, 0), (15, 1, 1 / 7), (20, 1, 6 / 7), (21, 2, 0)])
def test_an_order_that_arrives_within_a_period_serves_it_with_the_share_of_it_that_is_left(days, period, later):
    """A week has passed of the lead time, so the order of 15 days arrives on day 8: a day into period 1."""
    snapshot = build_snapshot(dataset(), [FORECAST], {**LEADS, REGULAR.offer_id: lead(days)}, horizon=8)
    arrived = snapshot.arrivals[0].mean(axis=0) / 30
    assert arrived[period] == pytest.approx(1 - later, abs=0.03)
    assert arrived[period + 1] == pytest.approx(later, abs=0.03)


def test_an_order_placed_today_arrives_as_a_new_one_of_its_offer_would():
    """Else what was just ordered would count for less than the plan took it for, and be ordered again in part."""
    fresh = OPEN.model_copy(update={"order_id": "PO2", "order_date": AS_OF})
    leads = {**LEADS, REGULAR.offer_id: lead(10, 25)}
    snapshot = build_snapshot(dataset(open_orders=(fresh,)), [FORECAST], leads, horizon=8)
    row = snapshot.sources.offer_ids.index(REGULAR.offer_id)
    arrived = snapshot.arrivals[0].mean(axis=0) / fresh.quantity
    assert arrived[:5] == pytest.approx(snapshot.sources.lead_time[row][:5], abs=0.03)


def test_a_delayed_order_arrives_later_and_a_delayed_supplier_delivers_later():
    hit = Disruption(delay_days_by_supplier={"S1": 7}, delay_days_by_order={"PO1": 14})
    snapshot = build_snapshot(dataset(), [FORECAST], LEADS, horizon=8, disruption=hit)
    assert snapshot.arrivals[0].mean(axis=0)[3] == 30
    assert snapshot.sources.lead_time_days.tolist() == [21, 0]


def test_what_hits_one_offer_leaves_the_suppliers_other_offers_as_they_are():
    late = Disruption(delay_days_by_offer={REGULAR.offer_id: 14}, capacity_fraction_by_offer={QUICK.offer_id: 0.0})
    snapshot = build_snapshot(dataset(), [FORECAST], LEADS, horizon=8, disruption=late)
    assert snapshot.sources.lead_time_days.tolist() == [28, 0]
    assert snapshot.sources.orderable.tolist() == [True, False]


def test_lead_times_in_days_keep_their_mean_in_periods():
    snapshot = build_snapshot(dataset(), [FORECAST], {**LEADS, REGULAR.offer_id: lead(10, 25)}, horizon=8)
    periods = snapshot.sources.lead_time @ np.arange(snapshot.sources.lead_time.shape[1])
    assert periods[0] == pytest.approx(17.5 / 7)
    assert snapshot.sources.lead_time.sum(axis=1) == pytest.approx([1, 1])


def test_holding_cost_is_the_yearly_rate_on_the_value_by_period():
    snapshot = build_snapshot(dataset(), [FORECAST], LEADS, horizon=8)
    assert snapshot.holding_cost[0] == pytest.approx(5.2 * 0.5 * 7 / 365.25)
    assert snapshot.service_level[0] == 0.9
    assert np.isnan(snapshot.shortage_cost[0])


def test_a_blocked_supplier_and_one_without_capacity_cannot_be_ordered_from():
    blocked = {**dataset().suppliers, "S1": Supplier(supplier_id="S1", status=SupplierStatus.BLOCKED)}
    snapshot = build_snapshot(dataset(suppliers=blocked), [FORECAST], LEADS, horizon=8)
    assert snapshot.sources.orderable.tolist() == [False, True]
    down = Disruption(capacity_fraction_by_supplier={"S2": 0.0})
    cut = build_snapshot(dataset(), [FORECAST], LEADS, horizon=8, disruption=down)
    assert cut.sources.orderable.tolist() == [True, False]


def test_an_expired_offer_cannot_be_ordered_from():
    offers = (REGULAR.model_copy(update={"valid_to": date(2026, 1, 3)}), QUICK)
    snapshot = build_snapshot(dataset(offers=offers), [FORECAST], LEADS, horizon=8)
    assert snapshot.sources.orderable.tolist() == [False, True]


def test_suppliers_minimum_order_values_become_limits_beside_the_given_ones():
    snapshot = build_snapshot(dataset(), [FORECAST], LEADS, horizon=8, limits=SharedLimits(budget=100.0))
    assert snapshot.limits.budget == 100.0
    assert snapshot.limits.supplier_min_order_value.tolist() == [20.0, 0.0]


def test_fallbacks_are_stated_in_the_lines_notes():
    forecast = replace(FORECAST, fallback="four observations: mean of the family")
    snapshot = build_snapshot(dataset(open_orders=()), [forecast], {}, horizon=8)
    line = plan_orders(snapshot).lines[0]
    assert any("four observations" in note for note in line.explanation.notes)
    assert any("quoted lead time" in note for note in line.explanation.notes)


def test_a_plan_from_a_dataset_keeps_every_limit():
    snapshot = build_snapshot(dataset(open_orders=()), [FORECAST], LEADS, horizon=8)
    plan = plan_orders(snapshot)
    assert plan.lines
    assert verify(snapshot, plan) == ()


def test_forecasts_of_different_periods_are_refused():
    with pytest.raises(BadInput, match="mix periods"):
        monthly = replace(FORECAST, site_id="B", period=Period.MONTH)
        build_snapshot(dataset(), [FORECAST, monthly], LEADS, horizon=8)
    with pytest.raises(BadInput, match="No item"):
        build_snapshot(dataset(), [], LEADS, horizon=8)


def test_items_bring_their_lost_share_fill_rate_and_frozen_days_and_offers_their_kind_of_breaks():
    item = Item(item_id="A", unit_value=5.0, lost_sales_share=0.25, fill_rate_target=0.97, frozen_days=8)
    offers = (REGULAR.model_copy(update={"incremental_breaks": True}), QUICK)
    snapshot = build_snapshot(dataset(items={"A": item}, offers=offers), [FORECAST], LEADS, horizon=8)
    assert (snapshot.lost_share[0], snapshot.fill_rate_target[0], snapshot.frozen_periods[0]) == (0.25, 0.97, 2)
    assert dict(zip(snapshot.sources.offer_ids, snapshot.sources.incremental.tolist(), strict=True)) == {
        REGULAR.offer_id: True,
        QUICK.offer_id: False,
    }
    plain = build_snapshot(dataset(), [FORECAST], LEADS, horizon=8)
    assert np.isnan(plain.fill_rate_target[0])
    assert (plain.lost_share[0], plain.frozen_periods[0]) == (0.0, 0)


@pytest.mark.parametrize(
    ("quantity", "all_units", "incremental"), [(50, 2.0, 2.0), (100, 1.9, 2.0), (600, 1.5, (200 + 760 + 150) / 600)]
)
def test_incremental_breaks_price_only_the_units_beyond_them(quantity, all_units, incremental):
    steps = (PriceBreak(quantity=100, unit_price=1.9), PriceBreak(quantity=500, unit_price=1.5))
    offer = Offer(item_id="A", supplier_id="S1", unit_price=2.0, price_breaks=steps, lead_time_days=7)
    assert offer.unit_price_at(quantity) == pytest.approx(all_units)
    stepped = offer.model_copy(update={"incremental_breaks": True})
    assert stepped.unit_price_at(quantity) == pytest.approx(incremental)


@dataclass(frozen=True)
class Share:
    mean: float
    fallback: str | None = None


def test_yields_enlarge_orders_count_open_orders_by_what_is_usable_and_are_told():
    yields = {REGULAR.offer_id: Share(0.8, "no finished order of this item"), QUICK.offer_id: Share(1.02)}
    snapshot = build_snapshot(dataset(), [FORECAST], LEADS, horizon=8, yields=yields)
    assert snapshot.sources.yield_rate.tolist() == [0.8, 1.0]
    assert snapshot.arrivals[0].mean(axis=0)[1] == pytest.approx(0.8 * 30)
    assert any("80.0% of an order arrives usable (no finished order" in note for note in snapshot.item_notes["A"])
    full = build_snapshot(dataset(open_orders=()), [FORECAST], LEADS, horizon=8)
    low = build_snapshot(dataset(open_orders=()), [FORECAST], LEADS, horizon=8, yields=yields)
    ordered = [{li.supplier_id: li.quantity for li in plan_orders(s).lines}["S1"] for s in (full, low)]
    assert ordered[1] > ordered[0]
    assert full.sources.yield_rate.tolist() == [1.0, 1.0]


def test_a_yield_of_almost_nothing_is_planned_as_a_low_one():
    yields = {REGULAR.offer_id: Share(0.0)}
    snapshot = build_snapshot(dataset(), [FORECAST], LEADS, horizon=8, yields=yields)
    assert snapshot.sources.yield_rate[0] == 0.05


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "first", "last", "orderable"),
    [
        (None, None, 0, 1_000_000, True),
        (date(2026, 1, 4), date(2026, 1, 4), 0, 0, True),
        (date(2026, 1, 5), None, 1, 1_000_000, False),
        (date(2026, 1, 11), date(2026, 1, 18), 1, 2, False),
        (date(2026, 1, 12), date(2026, 1, 24), 2, 2, False),
        (None, date(2026, 1, 3), 0, -1, False),
    ],
)
def test_validity_dates_become_the_periods_whose_orders_are_placed_within_them(
    valid_from, valid_to, first, last, orderable
):
    offers = (REGULAR.model_copy(update={"valid_from": valid_from, "valid_to": valid_to}), QUICK)
    sources = build_snapshot(dataset(offers=offers), [FORECAST], LEADS, horizon=8).sources
    assert (sources.first_period[0], sources.last_period[0], sources.orderable[0]) == (first, last, orderable)
    assert sources.first_period[1] == 0


def test_an_offer_of_a_blocked_supplier_does_not_open_when_its_validity_begins():
    blocked = {**dataset().suppliers, "S1": Supplier(supplier_id="S1", status=SupplierStatus.BLOCKED)}
    offers = (REGULAR.model_copy(update={"valid_from": date(2026, 1, 12)}), QUICK)
    sources = build_snapshot(dataset(offers=offers, suppliers=blocked), [FORECAST], LEADS, horizon=8).sources
    assert sources.first_period[0] == 0
    assert not sources.orderable[0]
