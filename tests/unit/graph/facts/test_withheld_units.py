"""Of a need of which a part was turned down, nobody is asked for what is not needed beside that part."""

from collections.abc import Mapping

import pytest
from decided_cases import EDITED, OFFERS, REJECTED, KnownDesk, after, dataset, decided, drafted, line, only_line

from tools.domain.decisions import LineDecision
from tools.domain.orders import Order, OrderLine

SOURCE, ELSEWHERE = OFFERS[1].offer_id, OFFERS[0].offer_id


def beside(needed: Mapping[str, float]) -> KnownDesk:
    """A desk of which so much is needed, by offer id, beside what was turned down."""
    return KnownDesk(dataset(), needed)


def others(quantity: float = 1500.0) -> Order:
    """Another supplier's part of the need for A."""
    return drafted(line(quantity=quantity, supplier_id="S2"), supplier_id="S2")


@pytest.mark.parametrize(
    ("decision", "bought", "withheld"),
    [
        (decided(), 0.0, [(SOURCE, 800.0)]),
        (decided(300.0), 300.0, [(SOURCE, 500.0)]),
        (decided(900.0), 900.0, []),
    ],
    ids=["rejected", "what an edit took off", "an edit to more"],
)
def test_the_plan_is_asked_again_with_the_units_turned_down_as_if_they_came(
    decision: LineDecision, bought: float, withheld: list[tuple[str, float]]
) -> None:
    desk = beside({ELSEWHERE: 1500.0})
    proposed, held = after([decision], drafted(line()), others(), bought=bought, desk=desk)
    assert desk.withheld == [withheld]
    assert (proposed, len(held)) == ([others()], 1)


@pytest.mark.parametrize(
    ("decisions", "orders"),
    [
        ([decided()], [drafted(line())]),
        ([decided()], [drafted(line()), drafted(line("B"))]),
        ([decided()], [drafted(line()), drafted(line(supplier_id="S2"), supplier_id="S2", changes="PO-2")]),
        ([decided(400.0)], [drafted(line()), others()]),
        ([decided(changes="PO-1")], [drafted(line(), changes="PO-1"), others()]),
    ],
    ids=["no other part", "another item", "a change of an order", "nothing held", "a change held"],
)
def test_where_no_other_part_of_the_need_is_asked_for_the_plan_is_not_asked_again(
    decisions: list[LineDecision], orders: list[Order]
) -> None:
    desk = beside({})
    after(decisions, *orders, desk=desk)
    assert desk.withheld == []


@pytest.mark.parametrize("needed", [0.0, 999.0])
def test_another_supplier_is_not_asked_for_what_is_not_needed_beside_it(needed: float) -> None:
    """999 are below that supplier's minimum."""
    proposed, held = after([decided()], drafted(line()), others(), desk=beside({ELSEWHERE: needed}))
    assert proposed == []
    assert [order.order_key for order in held] == ["run-2/S1/MAIN/held", "run-2/S2/MAIN/held"]
    said = f"{REJECTED}; beside that nothing is needed, so 1,500 are not proposed."
    assert (only_line(held[1:]).notes, held[1].route.reasons) == ((said, "as computed"), (said,))


@pytest.mark.parametrize(("needed", "asked"), [(1199.0, 1199.0), (1200.0, 1500.0), (5000.0, 1500.0)])
def test_another_supplier_is_asked_for_what_the_plan_wants_unless_materially_less_is_needed(
    needed: float, asked: float
) -> None:
    (order,), _ = after([decided()], drafted(line()), others(), desk=beside({ELSEWHERE: needed}))
    found = only_line([order])
    assert (found.quantity, found.value) == (asked, asked * (3.0 if asked < 1500.0 else 2.0))
    assert order.edited is False
    said = f"{REJECTED}; beside that 1,199 are needed, not the 1,500 of the plan."
    assert found.notes == ((said, "as computed") if asked < 1500.0 else ("as computed",))


def test_every_part_that_was_turned_down_is_named() -> None:
    air = line().model_copy(update={"line_id": "by air#0"})
    decisions = [decided(), decided(line_id="by air#0", actor="carol", reason="")]
    _, held = after(decisions, drafted(line(), air), others(), desk=beside({}))
    assert only_line(held[1:]).notes[0].startswith(f"{REJECTED} and carol rejected 800 on 2026-03-01; beside that")


def test_a_line_that_a_person_decided_on_is_kept_to_whatever_is_needed() -> None:
    edited = decided(1200.0, supplier_id="S2", line_id="A2#0", proposed_units=1500.0)
    other = line(quantity=1500.0, supplier_id="S2").model_copy(update={"line_id": "A2#0"})
    order = drafted(other, supplier_id="S2")
    third = drafted(line(quantity=1.0, supplier_id="S1").model_copy(update={"line_id": "A3#0"}), supplier_id="S3")
    (kept, _), _ = after([decided(), edited], drafted(line()), order, third, desk=beside({SOURCE: 1.0}))
    assert only_line([kept]).quantity == 1200.0


@pytest.mark.parametrize(("units", "before"), [(0.0, REJECTED), (300.0, EDITED.replace("400", "300"))])
def test_more_of_a_held_line_stays_held_where_no_more_is_needed(units: float, before: str) -> None:
    """A larger lot may only be the cheaper one: 5,000 at a break do the work of 800."""
    desk = beside({})
    proposed, held = after([decided(units)], drafted(line(quantity=5000.0)), bought=units, desk=desk)
    said = f"{before}; no more than that is needed, so 5,000 are not proposed again."
    assert (proposed, only_line(held).notes[0]) == ([], said)
    assert desk.withheld == [[(SOURCE, 800.0 - units)]]


@pytest.mark.parametrize(("units", "more"), [(0.0, 160.0), (300.0, 160.0)])
def test_a_held_line_comes_back_as_computed_where_a_fifth_more_is_needed_beside_it(units: float, more: float) -> None:
    computed = drafted(line(quantity=5000.0))
    proposed, held = after([decided(units)], computed, bought=units, desk=beside({SOURCE: more}))
    assert (only_line(proposed).quantity, held) == (5000.0, [])
    assert "It comes back because the quantity is 5,000 instead of 800 (+525%)." in only_line(proposed).decided_before
    assert after([decided(units)], computed, bought=units, desk=beside({SOURCE: more - 1.0}))[0] == []


def test_once_a_line_came_back_its_units_are_no_longer_taken_for_coming() -> None:
    desk = beside({SOURCE: 800.0})
    of_b = decided(item_id="B", line_id="B#0")
    rest = drafted(line("B").model_copy(update={"line_id": "B by air#0"}), supplier_id="S2")
    proposed, held = after([decided(), of_b], drafted(line(quantity=5000.0), line("B")), rest, desk=desk)
    assert desk.withheld == [[(SOURCE, 800.0), (OFFERS[2].offer_id, 800.0)], [(OFFERS[2].offer_id, 800.0)]]
    assert (only_line(proposed).quantity, len(held)) == (5000.0, 2)


def test_units_of_an_offer_that_is_gone_are_taken_to_come_from_the_one_in_its_place() -> None:
    desk = beside({})
    after([decided(line_id="by sea, as it was#0")], drafted(line(quantity=5000.0)), desk=desk)
    assert desk.withheld == [[(SOURCE, 800.0)]]


@pytest.mark.parametrize("drawn", [line(quantity=1000.0, price=2.5), line(quantity=1000.0)], ids=["dearer", "edited"])
def test_a_line_that_is_not_only_more_or_that_nobody_bought_of_comes_back_at_once(drawn: OrderLine) -> None:
    desk = beside({})
    decision = decided() if drawn.list_price == 2.5 else decided(400.0)
    assert only_line(after([decision], drafted(drawn), desk=desk)[0]).quantity == 1000.0
    assert desk.withheld == []
