from datetime import date, timedelta

import numpy as np
import pytest

from tools.domain.catalogue import Offer
from tools.domain.orders import PurchaseOrder, Receipt
from tools.lead_times import SupplierFinding, fit_lead_times, lead_time_findings, promise_trust

AS_OF = date(2024, 12, 31)


def offer(item_id: str = "A", supplier_id: str = "S03", days: float = 90) -> Offer:
    return Offer(item_id=item_id, supplier_id=supplier_id, unit_price=1, lead_time_days=days)


def receipt(number: int, age: int, lead: int, late: int | None = None, supplier_id: str = "S03") -> Receipt:
    ordered = AS_OF - timedelta(days=age)
    arrived = ordered + timedelta(days=lead)
    return Receipt(
        order_id=f"PO{number}",
        item_id="A",
        supplier_id=supplier_id,
        quantity=1,
        order_date=ordered,
        receipt_date=arrived,
        promised_date=None if late is None else arrived - timedelta(days=late),
    )


def found(receipts: list[Receipt], orders: list[PurchaseOrder] | None = None) -> SupplierFinding:
    return lead_time_findings([offer()], receipts, orders or [], AS_OF).suppliers[0]


def test_a_supplier_that_takes_longer_than_it_quotes_is_named_with_its_bias() -> None:
    finding = found([receipt(n, 300 + n, days) for n, days in enumerate([108, 113, 118, 123, 128] * 3)])
    assert finding.sentences == ("S03 quotes 90 days and takes 118: +31% (15 receipts).",)
    assert finding.bias is not None
    assert finding.bias.share == pytest.approx(118 / 90 - 1, abs=0.005)


def test_open_orders_that_are_late_already_show_in_the_bias() -> None:
    seen = [receipt(n, 400 + n, 90) for n in range(6)]
    late = [
        PurchaseOrder(
            order_id=f"L{n}", item_id="A", supplier_id="S03", quantity=1, order_date=AS_OF - timedelta(days=200)
        )
        for n in range(6)
    ]
    plain, with_late = found(seen).bias, found(seen, late).bias
    assert plain is not None and with_late is not None
    assert plain.share == pytest.approx(0, abs=0.01)
    assert with_late.share > 0.5
    assert with_late.open_orders == 6


def test_a_supplier_without_receipts_or_that_keeps_its_word_is_told_as_such() -> None:
    assert found([]).sentences == ("S03: nothing has been received yet, so its quotes stand unproven.",)
    assert found([receipt(n, 300, 90) for n in range(5)]).sentences == (
        "S03 keeps its quotes: 90 days quoted, 90 taken.",
    )


def test_receipts_that_cannot_be_true_are_left_out_with_their_reason() -> None:
    good = [receipt(n, 500 + n, 80 + n) for n in range(12)]
    bad = [receipt(90, 300, -20), receipt(91, 1200, 900), receipt(92, 30, 60), receipt(93, 700, 85 + 365)]
    left_out = {row.order_id: row.reason for row in found(good + bad).left_out}
    assert left_out == {
        "PO90": "received 20 days before it was ordered",
        "PO91": "900 days: longer than the most of 730 that counts as a lead time",
        "PO92": "received after the date of the data",
        "PO93": "450 days: a year off the supplier's usual, so the year of one of the dates is probably mistyped",
    }
    clean = fit_lead_times([offer()], good, [], AS_OF).distributions
    mixed = fit_lead_times([offer()], good + bad, [], AS_OF).distributions
    assert mixed["A|S03||MAIN"].days.tolist() == clean["A|S03||MAIN"].days.tolist()


def noisy(rng: np.random.Generator, ages: range, middle: float) -> list[Receipt]:
    return [receipt(age, age, round(middle * np.exp(0.2 * rng.normal()))) for age in ages]


def test_a_change_of_level_is_found_with_its_date_and_the_old_level_weighs_less() -> None:
    rng = np.random.default_rng(4)
    old, new = noisy(rng, range(1000, 400, -15), 60), noisy(rng, range(390, 140, -15), 110)
    fitted = fit_lead_times([offer()], old + new, [], AS_OF)
    change = fitted.regimes["S03"]
    assert abs((change.since - (AS_OF - timedelta(days=390))).days) <= 45
    assert change.factor == pytest.approx(110 / 60, rel=0.2)
    assert fitted.distributions["A|S03||MAIN"].quantile(0.5) > 92
    told = [s for s in found(old + new).sentences if "orders since" in s]
    assert len(told) == 1 and "longer than those before" in told[0]


def test_steady_suppliers_raise_no_false_change_of_level() -> None:
    rng = np.random.default_rng(5)
    offers = [offer(supplier_id=f"S{n}") for n in range(200)]
    rows = [
        receipt(1000 * n + age, age, round(80 * np.exp(0.3 * rng.normal())), supplier_id=f"S{n}")
        for n in range(200)
        for age in range(900, 250, -25)
    ]
    assert len(fit_lead_times(offers, rows, [], AS_OF).regimes) <= 6


def test_promises_that_always_equal_the_day_of_receipt_are_not_believed() -> None:
    spread = [40, 60, 80, 100, 120] * 4
    moved = [receipt(n, 300 + n, lead, late=0) for n, lead in enumerate(spread)]
    honest = [receipt(n, 300 + n, lead, late=n % 7 - 2) for n, lead in enumerate(spread)]
    exact = [receipt(n, 300 + n, 30, late=0) for n in range(20)]
    verdicts = [promise_trust(rows)["S03"].trust for rows in (moved, honest, exact, moved[:5])]
    assert verdicts == ["rebaselined", "trusted", "trusted", "too few"]
    assert any("look moved to the outcome" in s for s in found(moved).sentences)


def test_promise_dates_never_change_the_estimate() -> None:
    rows = [receipt(n, 300 + n, 60 + n, late=0) for n in range(10)]
    without = [r.model_copy(update={"promised_date": None}) for r in rows]
    made = [fit_lead_times([offer()], r, [], AS_OF).distributions["A|S03||MAIN"].days.tolist() for r in (rows, without)]
    assert made[0] == made[1]


def test_each_offer_gets_a_sentence_with_its_quote_and_its_evidence() -> None:
    finding = lead_time_findings([offer()], [receipt(n, 300, 118) for n in range(4)], [], AS_OF).offers[0]
    assert finding.sentence.startswith("A from S03: quoted 90 days; half arrive within ")
    assert finding.sentence.endswith("(4 receipts of its own, 4 of the supplier, 0 open orders).")
