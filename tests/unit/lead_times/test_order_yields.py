from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.domain.catalogue import Offer
from tools.domain.orders import OpenOrderStatus, PurchaseOrder, Receipt
from tools.lead_times import YieldDistribution, estimate_yields


def offer(item_id: str = "A", supplier_id: str = "S") -> Offer:
    return Offer(item_id=item_id, supplier_id=supplier_id, unit_price=1, lead_time_days=30)


def receipt(order_id: str, quantity: float, item_id: str = "A", supplier_id: str = "S") -> Receipt:
    return Receipt(
        order_id=order_id,
        item_id=item_id,
        supplier_id=supplier_id,
        quantity=quantity,
        order_date=date(2024, 1, 1),
        receipt_date=date(2024, 2, 1),
    )


def order(order_id: str, quantity: float, status: OpenOrderStatus) -> PurchaseOrder:
    return PurchaseOrder(
        order_id=order_id, item_id="A", supplier_id="S", quantity=quantity, order_date=date(2024, 1, 1), status=status
    )


def shares(given_shares: list[float], item_id: str = "A", supplier_id: str = "S") -> tuple[list[Receipt], dict]:
    rows = [receipt(f"{item_id}{supplier_id}{n}", 100 * s, item_id, supplier_id) for n, s in enumerate(given_shares)]
    return rows, {(row.order_id, item_id): 100.0 for row in rows}


def made(rows: list[Receipt], ordered: dict, *offers: Offer) -> list[YieldDistribution]:
    found = estimate_yields(offers or [offer()], rows, [], ordered)
    return [found[o.offer_id] for o in (offers or [offer()])]


def test_without_ordered_quantities_full_delivery_is_assumed_and_said_so() -> None:
    (found,) = made([receipt("1", 70)], {})
    assert (found.mean, found.full_probability, found.source) == (1, 1, "assumed")
    assert found.fallback == "ordered quantities of received orders are unknown: taken as received in full"


def test_much_evidence_speaks_for_itself_and_little_is_drawn_to_the_pool() -> None:
    rows, ordered = shares([0.8] * 500)
    assert made(rows, ordered)[0].mean == pytest.approx(0.8, abs=0.01)
    rows, ordered = shares([0.8] * 2)
    assert 0.85 < made(rows, ordered)[0].mean < 0.99


def test_an_item_without_finished_orders_takes_its_suppliers_yield() -> None:
    rows, ordered = shares([0.6] * 100, "B")
    new, other = made(rows, ordered, offer("A"), offer("B"))
    assert new.source == "supplier" and other.source == "offer"
    assert new.mean == pytest.approx(0.6, abs=0.05)
    assert new.fallback == "no finished order of this item: the supplier's other items"


def test_suppliers_that_differ_much_are_pooled_less_than_suppliers_that_do_not() -> None:
    """Credibility n / (n + k), k = variance within over variance between (Buhlmann 1967)."""
    offers = [offer(supplier_id=f"S{n}") for n in range(10)]
    apart = [shares([1.0, 0.98] if n else [0.5, 0.52], supplier_id=f"S{n}") for n in range(10)]
    alike = [shares([0.5, 1.0] * 2 if n else [0.5, 0.52], supplier_id=f"S{n}") for n in range(10)]
    means = []
    for world in (apart, alike):
        rows = [row for part, _ in world for row in part]
        ordered = {key: value for _, part in world for key, value in part.items()}
        means.append(made(rows, ordered, *offers)[0].mean)
    assert means[0] < means[1]


def test_several_receipts_of_one_order_add_up_and_an_open_order_is_not_finished() -> None:
    rows = [receipt("1", 40), receipt("1", 60), receipt("2", 10)]
    orders = [order("1", 100, OpenOrderStatus.RECEIVED), order("2", 90, OpenOrderStatus.PARTIAL)]
    found = estimate_yields([offer()], rows, orders)["A|S||MAIN"]
    assert (found.observations, found.mean) == (1, 1)
    short = estimate_yields([offer()], [receipt("1", 40)], [order("1", 100, OpenOrderStatus.CANCELLED)])["A|S||MAIN"]
    assert short.observations == 1 and short.mean < 1


@given(
    received=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=12),
    ordered=st.floats(allow_nan=True, allow_infinity=True),
)
def test_absurd_quantities_still_give_a_distribution(received: list[float], ordered: float) -> None:
    rows = [receipt(str(n), quantity) for n, quantity in enumerate(received)]
    found = estimate_yields([offer()], rows, [], {(str(n), "A"): ordered for n in range(len(received))})["A|S||MAIN"]
    assert found.probabilities.sum() == pytest.approx(1)
    assert 0 <= found.mean <= 1.5
    assert found.quantile(0.1) <= found.quantile(0.9)
