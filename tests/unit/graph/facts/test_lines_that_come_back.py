"""Lines that come back although somebody decided on them: what is material, and what other sources make of it."""

from collections.abc import Sequence

import orjson
import pytest
from decided_cases import (
    ALERT,
    EDITED,
    REJECTED,
    KnownDesk,
    after,
    dataset,
    decided,
    drafted,
    line,
    only_line,
)

from graph.computation.desk import Scope
from tools.domain.alerts import Alert
from tools.domain.orders import OrderLine


@pytest.mark.parametrize(
    ("drawn", "risk", "alerts", "because"),
    [
        (line(quantity=1000.0), 0.02, (), "the quantity is 1,000 instead of 800 (+25%)"),
        (line(price=2.5), 0.02, (), "the price is 2.50 instead of 2.00 (+25%)"),
        (line(), 0.08, (), "the risk of a stock-out is 8 %, it was 2 %"),
        (line(), 0.02, (ALERT,), "there is a new alert: delay at S1"),
        (
            line(quantity=1000.0),
            0.08,
            (),
            "the quantity is 1,000 instead of 800 (+25%), and the risk of a stock-out is 8 %, it was 2 %",
        ),
    ],
    ids=["quantity", "price", "risk", "alert", "two of them"],
)
@pytest.mark.parametrize(("units", "before"), [(0.0, REJECTED), (400.0, EDITED)])
def test_a_line_comes_back_as_computed_and_says_what_changed(
    drawn: OrderLine, risk: float, alerts: Sequence[Alert], because: str, units: float, before: str
) -> None:
    order = drafted(drawn)
    said = f"Decided before: {before}. It comes back because {because}."
    back = drawn.model_copy(update={"decided_before": said, "notes": (said, "as computed")})
    assert after([decided(units)], order, risk=risk, alerts=alerts) == ([order.changed(lines=(back,))], [])


def test_the_list_price_is_compared_and_not_the_agreed_one() -> None:
    agreed = line().model_copy(update={"unit_price": 1.0, "agreed_price": 1.0, "agreed_from": 800.0})
    assert after([decided()], drafted(agreed))[0] == []


@pytest.mark.parametrize(("risk", "holds"), [(0.9999, True), (0.99996, False)])
def test_a_risk_is_compared_in_basis_points(risk: float, holds: bool) -> None:
    assert bool(after([decided(stockout_bp=9_500)], drafted(line()), risk=risk)[1]) is holds


def test_an_alert_that_was_known_or_concerns_no_item_of_the_line_changes_nothing() -> None:
    known, elsewhere = (ALERT.model_copy(update=told) for told in ({"alert_id": "a-1"}, {"node_id": "S3"}))
    assert after([decided()], drafted(line()), alerts=(known, elsewhere))[0] == []


def test_what_an_alert_affects_is_worked_out_alone_and_once() -> None:
    desk = KnownDesk(dataset())
    known = ALERT.model_copy(update={"alert_id": "a-1"})
    after([decided(), decided(item_id="B")], drafted(line(), line("B")), alerts=(known, ALERT), desk=desk)
    alone = orjson.dumps([ALERT.model_dump(mode="json")], option=orjson.OPT_SORT_KEYS).decode()
    assert desk.asked == [Scope("ds-1", ("A", "B"), alone)]


def test_a_rejected_need_comes_back_from_another_supplier_and_says_so() -> None:
    order = drafted(line(supplier_id="S2"), supplier_id="S2")
    (back,), held = after([decided()], order)
    said = f"Decided before: {REJECTED}. It comes back because it comes from S2 instead of S1."
    assert (only_line([back]).decided_before, back.edited, held) == (said, False, [])


def test_another_supplier_comes_first_among_what_changed() -> None:
    order = drafted(line(quantity=1000.0, supplier_id="S2"), supplier_id="S2")
    said = only_line(after([decided()], order)[0]).decided_before
    assert said.endswith("because it comes from S2 instead of S1, and the quantity is 1,000 instead of 800 (+25%).")


def test_an_edit_binds_the_need_from_another_supplier_by_that_ones_terms() -> None:
    order = drafted(line(supplier_id="S2"), supplier_id="S2")
    kept = only_line(after([decided(1000.0, proposed_units=850.0)], order)[0])
    assert (kept.quantity, kept.list_price) == (1000.0, 3.0)
    assert only_line(after([decided(400.0)], order)[1]).denied


def test_a_decision_on_a_supplier_who_is_asked_again_does_not_touch_another() -> None:
    mine, others = drafted(line()), drafted(line(supplier_id="S2"), supplier_id="S2")
    proposed, held = after([decided()], mine, others)
    assert proposed == [others]
    assert [order.supplier_id for order in held] == ["S1"]


def test_a_change_of_an_open_order_does_not_count_as_asking_its_supplier_again() -> None:
    change, other = drafted(line(), changes="PO-1"), drafted(line(supplier_id="S2"), supplier_id="S2")
    proposed, held = after([decided()], change, other)
    assert [bool(order.lines[0].decided_before) for order in proposed] == [False, True]
    assert held == []


def test_every_order_of_a_plan_is_judged_by_itself() -> None:
    orders = [drafted(line()), drafted(line("B"), supplier_id="S2"), drafted(line("B"), supplier_id="S3")]
    proposed, held = after([decided()], *orders)
    assert (proposed, len(held)) == (orders[1:], 1)
