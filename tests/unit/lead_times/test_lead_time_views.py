"""What the doors see of lead times: order of suppliers, arrival of open orders, near matches, sentences."""

from datetime import date, timedelta

import numpy as np
import pytest
from integration.web.web_lead_times import AS_OF, open_order_of, receipts_of, stock_dataset, supplier_id_of, view_of
from integration.web.web_stock import ITEMS

from graph.reading.open_order_arrivals import UNKNOWN_LANE, Arrivals
from graph.views.lead_times import LeadTimesView, OpenOrderView, chance
from tools.domain.catalogue import Offer
from tools.domain.errors import NotFound
from tools.domain.orders import OpenOrderStatus, PurchaseOrder
from tools.lead_times import LeadTimeDistribution, awaited_offers

SEAL = ITEMS[0]
FIVE_DAYS = LeadTimeDistribution(np.array([10, 20, 30, 40, 50]), np.full(5, 0.2), "offer", 5)


def only_order(view: LeadTimesView) -> OpenOrderView:
    (found,) = view.orders
    return found


def awaited(order: PurchaseOrder) -> OpenOrderView:
    """The view of an open order of the seal whose lead time is 10, 20, 30, 40 or 50 days, each with 20 %."""
    dataset = stock_dataset()
    leads = dict.fromkeys((offer.offer_id for offer in dataset.offers), FIVE_DAYS)
    return Arrivals(dataset, leads).view(order)


def seal_order(age_days: int, promised_in_days: int | None) -> PurchaseOrder:
    promised = None if promised_in_days is None else AS_OF + timedelta(days=promised_in_days)
    changed = {"order_date": AS_OF - timedelta(days=age_days), "promised_date": promised}
    return open_order_of(SEAL).model_copy(update=changed)


def test_the_supplier_furthest_over_its_quotes_comes_first_and_few_receipts_prove_nothing() -> None:
    slow = [
        receipt.model_copy(update={"receipt_date": receipt.order_date + timedelta(days=3 * ITEMS[3].lead_days)})
        for receipt in receipts_of(ITEMS[3])
    ]
    scarce = [
        receipt.model_copy(update={"receipt_date": receipt.order_date + timedelta(days=100)})
        for receipt in receipts_of(ITEMS[4])[:2]
    ]
    others = [receipt for item in (ITEMS[0], ITEMS[1], ITEMS[2]) for receipt in receipts_of(item)]
    rows = view_of(receipts=(*others, *slow, *scarce)).suppliers
    proven = [row for row in rows if row.receipts >= 3]
    assert [row.bias for row in proven] == sorted((row.bias for row in proven), reverse=True)
    assert rows[0].supplier_id == supplier_id_of(ITEMS[3])
    assert [row.supplier_id for row in rows[-2:]] == [supplier_id_of(ITEMS[4]), supplier_id_of(ITEMS[5])]
    assert rows[-1].bias is None and "nothing has been received yet" in rows[-1].sentences[0]


def test_the_chance_of_arrival_by_the_promised_day_is_that_of_the_time_that_remains() -> None:
    order = awaited(seal_order(age_days=25, promised_in_days=15))
    assert order.due_by == "promised"
    assert order.older_than == pytest.approx(0.4)
    assert order.due_probability == pytest.approx(2 / 3, abs=1e-4), "30 and 40 of the days 30, 40, 50 that remain"
    assert order.expected_date == AS_OF + timedelta(days=15)
    assert (order.p10_date, order.p90_date) == (AS_OF + timedelta(days=5), AS_OF + timedelta(days=25))
    assert "the chance that it comes by then is 67 %." in order.sentence
    assert f"in 8 of 10 cases between {order.p10_date} and {order.p90_date}" in order.sentence


def test_an_order_past_its_promised_day_says_by_how_much_and_still_has_an_expected_day() -> None:
    order = awaited(seal_order(age_days=25, promised_in_days=-1))
    assert (order.overdue_days, order.due_probability) == (1, 0.0)
    assert "which was 1 day ago." in order.sentence
    assert order.expected_date is not None and order.expected_date > AS_OF


def test_an_order_without_a_promised_day_is_due_by_its_offers_quote() -> None:
    order = awaited(seal_order(age_days=5, promised_in_days=None))
    assert (order.due_by, order.due_date) == ("quoted", AS_OF + timedelta(days=SEAL.lead_days - 5))
    assert "by its quote due on" in order.sentence


def test_an_order_older_than_every_lead_time_states_its_fallback() -> None:
    order = awaited(seal_order(age_days=90, promised_in_days=None))
    assert order.older_than == 1.0
    assert order.fallback == "older than nearly every lead time seen"
    assert order.expected_date is not None and order.expected_date > AS_OF


def test_an_order_whose_supplier_offers_no_such_item_is_listed_last_and_as_unknown() -> None:
    stranger = seal_order(40, 3).model_copy(update={"supplier_id": supplier_id_of(ITEMS[4]), "order_id": "PO-X"})
    view = view_of("I-101", open_orders=(stranger, open_order_of(SEAL)))
    assert [order.order_id for order in view.orders] == [open_order_of(SEAL).order_id, "PO-X"]
    unknown = view.orders[-1]
    assert (unknown.expected_date, unknown.due_probability, unknown.fallback) == (None, None, UNKNOWN_LANE)
    assert unknown.sentence.endswith(f"{UNKNOWN_LANE}.")


def test_finished_orders_are_not_open() -> None:
    done = open_order_of(SEAL).model_copy(update={"status": OpenOrderStatus.RECEIVED})
    assert view_of("I-101", open_orders=(done,)).orders == ()


def test_an_order_is_told_alone_with_its_offer_and_supplier() -> None:
    view = view_of(open_order_of(SEAL).order_id)
    assert view.kind == "order"
    assert only_order(view).item_id == "I-101"
    assert [offer.item_id for offer in view.offers] == ["I-101"]
    assert [row.supplier_id for row in view.suppliers] == [supplier_id_of(SEAL)]


def test_curves_rise_from_nothing_on_one_axis_of_days() -> None:
    view = view_of(supplier_id_of(SEAL))
    assert view.days[0] == 0 and list(view.days) == sorted(set(view.days))
    for offer in view.offers:
        assert len(offer.arrived) == len(view.days)
        assert offer.arrived[0] == 0 and list(offer.arrived) == sorted(offer.arrived)
    slowest = max(view.offers, key=lambda offer: offer.p90_days)
    assert slowest.arrived[-1] == pytest.approx(0.97, abs=0.03)
    assert all(offer.p10_days <= offer.p50_days <= offer.p90_days for offer in view.offers)


@pytest.mark.parametrize(
    ("subject", "near"),
    [("i-101", "I-101"), ("I-1", "I-101"), ("northwind", "NORTHWIND"), ("bearing", "I-102"), ("PO-1019x", "PO-1019")],
)
def test_a_misspelt_subject_is_refused_with_near_ones(subject: str, near: str) -> None:
    with pytest.raises(NotFound) as refused:
        view_of(subject)
    assert f"There is no supplier, item or open order {subject}" in refused.value.message
    assert refused.value.remedy.startswith("Did you mean") and near in refused.value.remedy


def test_a_subject_like_nothing_is_refused_with_examples() -> None:
    with pytest.raises(NotFound) as refused:
        view_of("zzzzzz")
    assert refused.value.remedy.startswith("Suppliers are for example")


def test_sentences_name_the_supplier_and_once_its_id_too() -> None:
    row = next(row for row in view_of().suppliers if row.supplier_id == supplier_id_of(SEAL))
    assert row.sentences[0].startswith("Northwind Seals (NORTHWIND) quotes ")
    assert [text for text in row.sentences[1:] if "NORTHWIND" in text] == []
    assert any("orders came by the date promised" in text for text in row.sentences)


def test_yield_is_unknown_while_no_finished_order_states_what_was_ordered() -> None:
    view = view_of(supplier_id_of(SEAL))
    assert {row.mean_yield for row in view.suppliers} == {None}
    assert {offer.mean_yield for offer in view.offers} == {None}
    finished = [
        PurchaseOrder(
            order_id=receipt.order_id,
            item_id=receipt.item_id,
            supplier_id=receipt.supplier_id,
            quantity=2 * receipt.quantity,
            order_date=receipt.order_date,
            status=OpenOrderStatus.RECEIVED,
        )
        for receipt in receipts_of(SEAL)
    ]
    told = view_of(supplier_id_of(SEAL), open_orders=tuple(finished))
    assert told.suppliers[0].mean_yield is not None and told.suppliers[0].mean_yield < 0.8
    assert any("of what is ordered" in text for text in told.suppliers[0].sentences)


def test_an_order_is_awaited_by_the_slowest_regular_offer_whose_lead_time_is_known() -> None:
    def offer(mode: str, days: float, *, expedite: bool = False) -> Offer:
        kept = {"item_id": "I", "supplier_id": "S", "unit_price": 1.0}
        return Offer.model_validate({**kept, "lead_time_days": days, "transport_mode": mode, "expedite": expedite})

    sea, air, courier = offer("ocean", 60), offer("air", 10), offer("courier", 90, expedite=True)
    every = {one.offer_id for one in (sea, air, courier)}
    assert awaited_offers((air, courier, sea), every) == {("I", "S"): sea.offer_id}
    assert awaited_offers((air, courier, sea), every - {sea.offer_id}) == {("I", "S"): air.offer_id}
    assert awaited_offers((courier,), every) == {("I", "S"): courier.offer_id}


@pytest.mark.parametrize(
    ("probability", "said"), [(0.0, "0 %"), (0.004, "under 1 %"), (0.5, "50 %"), (0.996, "over 99 %"), (1.0, "100 %")]
)
def test_near_certainty_is_never_told_as_certainty(probability: float, said: str) -> None:
    assert chance(probability) == said


def test_the_clock_of_the_view_is_that_of_its_dataset() -> None:
    later = view_of(as_of=date(2026, 7, 10))
    assert later.as_of == date(2026, 7, 10)
    assert {order.overdue_days for order in later.orders} == {7}
