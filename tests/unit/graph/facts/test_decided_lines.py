"""Lines that stay as a person decided: held back, or at the edited quantity, shared by who takes the need over."""

from datetime import date, timedelta

import pytest
from decided_cases import (
    EDITED,
    NOT_AGAIN,
    OFFERS,
    REJECTED,
    STAYS,
    after,
    decided,
    drafted,
    line,
    of_offer,
    only_line,
)
from sandbox_world import START

from tools.domain.decisions import LineDecision
from tools.domain.orders import OrderStatus, Route, RouteKind


@pytest.mark.parametrize(
    "decisions",
    [
        [],
        [decided(until=START - timedelta(days=1))],
        [decided(item_id="B")],
        [decided(site_id="NORTH")],
        [decided(changes="PO-1")],
    ],
    ids=["nothing", "one whose time is over", "another item", "another site", "a change of an open order"],
)
def test_what_was_decided_of_something_else_leaves_an_order_as_drafted(decisions: list[LineDecision]) -> None:
    order = drafted(line())
    assert after(decisions, order) == ([order], [])


@pytest.mark.parametrize("until", [None, START])
def test_a_rejected_line_is_held_with_the_reason_and_goes_to_nobody(until: date | None) -> None:
    order = drafted(line())
    proposed, held = after([decided(until=until)], order)
    assert proposed == []
    assert held == [
        order.changed(
            order_key="run-2/S1/MAIN/held",
            lines=(line().model_copy(update={"denied": True, "notes": (REJECTED + NOT_AGAIN, "as computed")}),),
            status=OrderStatus.GATED,
            route=Route(kind=RouteKind.HELD, reasons=(REJECTED + NOT_AGAIN,)),
            proposed_by=("ana", "agent:planner"),
            reason=REJECTED + NOT_AGAIN,
        )
    ]


def test_only_the_rejected_line_of_an_order_is_held() -> None:
    order = drafted(line(), line("B"))
    proposed, held = after([decided()], order)
    assert proposed == [order.changed(lines=(line("B"),))]
    assert only_line(held).item_id == "A"


@pytest.mark.parametrize(
    ("other", "reasons"),
    [
        (decided(item_id="B"), (REJECTED + NOT_AGAIN,)),
        (decided(item_id="B", reason=""), (REJECTED + NOT_AGAIN, "bob rejected 800 on 2026-03-01" + NOT_AGAIN)),
    ],
    ids=["the same", "another"],
)
def test_an_order_that_is_held_says_each_reason_once(other: LineDecision, reasons: tuple[str, ...]) -> None:
    _, (held,) = after([decided(), other], drafted(line(), line("B")))
    assert (held.route.reasons, held.reason) == (reasons, " ".join(reasons))


def test_an_edited_line_keeps_its_quantity_at_that_quantitys_price_and_names_its_editor() -> None:
    order = drafted(line(), line("B"))
    kept = line().at_quantity(400.0, 2.5)
    kept = kept.model_copy(update={"decided_before": EDITED + STAYS, "notes": (EDITED + STAYS, "as computed")})
    assert (kept.unit_price, kept.list_price, kept.value) == (2.5, 2.5, 1000.0)
    assert after([decided(400.0)], order) == (
        [order.changed(lines=(kept, line("B")), edited=True, proposed_by=("ana", "bob"))],
        [],
    )


def test_an_edited_line_keeps_the_price_that_was_agreed_for_it() -> None:
    agreed = line().model_copy(update={"agreed_price": 1.5, "agreed_from": 350.0})
    (order,), _ = after([decided(400.0)], drafted(agreed))
    assert (only_line([order]).unit_price, only_line([order]).list_price) == (1.5, 2.5)


@pytest.mark.parametrize(
    ("decisions", "editors"),
    [
        ([decided(400.0), decided(400.0, item_id="B")], ("ana", "bob")),
        ([decided(400.0), decided(400.0, item_id="B", actor="carol")], ("ana", "bob", "carol")),
        ([decided(400.0), decided(item_id="B", actor="carol")], ("ana", "bob")),
    ],
    ids=["the same editor", "two editors", "one who rejected the other line"],
)
def test_who_edited_a_line_proposes_the_order_and_who_rejected_one_does_not(
    decisions: list[LineDecision], editors: tuple[str, ...]
) -> None:
    (order,), _ = after(decisions, drafted(line(), line("B")))
    assert order.proposed_by == editors


@pytest.mark.parametrize("item_id", ["A", "B"], ids=["with a minimum", "without one"])
def test_an_edited_line_of_which_something_was_bought_is_not_asked_for_again(item_id: str) -> None:
    proposed, held = after([decided(400.0, item_id=item_id)], drafted(line(item_id)), bought=400.0)
    assert (proposed, only_line(held).notes[0]) == ([], EDITED + NOT_AGAIN)


def test_less_than_was_rejected_is_no_change_where_some_was_bought_since() -> None:
    assert len(after([decided()], drafted(line(quantity=300.0)), bought=400.0)[1]) == 1
    assert len(after([decided()], drafted(line(quantity=300.0)))[1]) == 0


@pytest.mark.parametrize(
    ("item_id", "units", "quantities"),
    [("A", 300.0, [300.0]), ("A", 299.0, []), ("B", 0.5, [0.5]), ("B", 1e-6, [1e-6]), ("B", 9e-7, [])],
)
def test_an_edit_below_the_offers_minimum_orders_nothing(item_id: str, units: float, quantities: list[float]) -> None:
    proposed, _ = after([decided(units, item_id=item_id)], drafted(line(item_id)))
    assert [one.quantity for order in proposed for one in order.lines] == quantities


def test_what_was_decided_of_a_change_holds_that_change_back() -> None:
    order = drafted(line(), changes="PO-1")
    proposed, held = after([decided(400.0, changes="PO-1")], order)
    assert (proposed, only_line(held).notes[0]) == ([], EDITED + NOT_AGAIN)
    assert after([decided(changes="PO-2")], order) == ([order], [])
    assert after([decided(supplier_id="S3")], order) == ([order], [])


def test_a_decision_on_one_of_two_offers_of_a_supplier_leaves_the_other_alone() -> None:
    usual, other = of_offer(OFFERS[1], 800.0), of_offer(OFFERS[1], 100.0).model_copy(update={"line_id": "by air#0"})
    proposed, held = after([decided(line_id=usual.line_id)], drafted(usual, other))
    assert [(one.line_id, one.quantity) for order in proposed for one in order.lines] == [("by air#0", 100.0)]
    assert [one.line_id for order in held for one in order.lines] == [usual.line_id]


def test_a_line_of_the_same_supplier_under_another_offer_is_the_one_that_was_decided() -> None:
    proposed, held = after([decided(line_id="by sea, as it was#0")], drafted(of_offer(OFFERS[1], 800.0)))
    assert (proposed, len(held)) == ([], 1)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [((400.0, 400.0), {"S1": 400.0}), ((300.0, 500.0), {"S1": 300.0}), ((700.0, 700.0), {"S1": 700.0, "S3": 700.0})],
    ids=["the first takes it all", "too little for the second", "much more is asked for"],
)
def test_an_edit_is_shared_by_the_suppliers_that_take_its_need_over(
    asked: tuple[float, float], kept: dict[str, float]
) -> None:
    first, second = of_offer(OFFERS[1], asked[0]), of_offer(OFFERS[1], asked[1])
    orders = (drafted(first, supplier_id="S1"), drafted(second, supplier_id="S3"))
    proposed, _ = after([decided(400.0, supplier_id="S2")], *orders)
    assert {order.supplier_id: order.lines[0].quantity for order in proposed} == kept
