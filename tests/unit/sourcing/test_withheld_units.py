"""What people decided not to order counts as coming while the rest of the need is planned."""

import pytest
from decided_cases import EDITED, OFFERS, REJECTED, as_decided, decided, drafted, line, only_line

from graph.decided_lines import NOTHING_WITHHELD, Withheld, joined

SOURCE = OFFERS[1].offer_id
LEFT_OUT = Withheld({"A#0": (SOURCE, 800.0)})


def test_units_of_a_held_line_are_left_out_of_the_need() -> None:
    found = as_decided([decided()], drafted(line(quantity=780.0)))
    assert (found.proposed, only_line(found.held).quantity) == ([], 780.0)
    assert found.withheld == LEFT_OUT
    assert found.withheld.by_offer == ((SOURCE, 800.0),)


def test_of_an_edited_line_the_units_that_were_taken_off_are_left_out_once_the_others_were_bought() -> None:
    assert as_decided([decided(300.0)], drafted(line())).withheld == NOTHING_WITHHELD
    found = as_decided([decided(300.0)], drafted(line(quantity=500.0)), bought=300.0)
    assert found.withheld.units == {"A#0": (SOURCE, 500.0)}


def test_a_line_edited_to_more_leaves_nothing_out() -> None:
    found = as_decided([decided(900.0)], drafted(line(quantity=300.0)), bought=900.0)
    assert (len(found.held), found.withheld.by_offer) == (1, ())


def test_a_decision_on_an_offer_that_is_gone_leaves_its_units_out_of_the_offer_that_took_its_place() -> None:
    found = as_decided([decided(line_id="by sea, as it was#0")], drafted(line()))
    assert found.withheld.by_offer == ((SOURCE, 800.0),)


def test_units_of_two_lines_of_one_offer_add_up() -> None:
    assert Withheld({"a": ("X", 2.0), "b": ("W", 1.0), "c": ("X", 3.0), "d": ("Y", 0.0)}).by_offer == (
        ("W", 1.0),
        ("X", 5.0),
    )


def test_a_change_of_an_open_order_that_is_held_leaves_nothing_out() -> None:
    found = as_decided([decided(changes="PO-1")], drafted(line(), changes="PO-1"))
    assert (len(found.held), found.withheld) == (1, NOTHING_WITHHELD)


def test_what_counts_as_coming_stays_so_where_its_source_is_not_asked() -> None:
    """Then another supplier's line is its own, and not the rejected one from elsewhere."""
    order = drafted(line(quantity=1000.0, supplier_id="S2"), supplier_id="S2")
    found = as_decided([decided()], order, counted=LEFT_OUT)
    assert (found.proposed, found.held, found.withheld) == ([order], [], LEFT_OUT)


@pytest.mark.parametrize(("units", "before"), [(0.0, REJECTED), (300.0, EDITED.replace("400", "300"))])
def test_more_of_a_held_line_stays_held_until_more_is_needed_even_beside_it(units: float, before: str) -> None:
    """A larger lot may only be the cheaper one: 5,000 at a break do the work of 800."""
    found = as_decided([decided(units)], drafted(line(quantity=5000.0)), bought=units)
    said = f"{before}; no more than that is needed, so 5,000 are not proposed again."
    assert (found.proposed, only_line(found.held).notes[0]) == ([], said)
    assert found.withheld.units == {"A#0": (SOURCE, 800.0 - units)}


@pytest.mark.parametrize(("more", "comes_back"), [(159.0, False), (160.0, True)])
def test_a_held_line_comes_back_where_a_fifth_more_is_needed_beside_what_counts_as_coming(
    more: float, comes_back: bool
) -> None:
    found = as_decided([decided()], drafted(line(quantity=more)), counted=LEFT_OUT)
    assert [len(found.proposed), len(found.held)] == ([1, 0] if comes_back else [0, 1])
    assert found.withheld == (Withheld(grown=frozenset({"A#0"})) if comes_back else LEFT_OUT)
    if comes_back:
        because = "the quantity is 960 instead of 800 (+20%)"
        assert only_line(found.proposed).decided_before.endswith(f"It comes back because {because}.")


def test_what_was_bought_of_an_edited_line_counts_as_well() -> None:
    counted = Withheld({"A#0": (SOURCE, 500.0)})
    for more, held in [(159.0, 1), (160.0, 0)]:
        found = as_decided([decided(300.0)], drafted(line(quantity=more)), counted=counted, bought=300.0)
        assert len(found.held) == held


def test_a_line_that_outgrew_its_decision_is_planned_like_any_other() -> None:
    grown = Withheld(grown=frozenset({"A#0"}))
    asked_more = as_decided([decided()], drafted(line(quantity=1000.0)), counted=grown)
    assert (only_line(asked_more.proposed).quantity, asked_more.held, asked_more.withheld) == (1000.0, [], grown)
    asked_the_same = as_decided([decided()], drafted(line()), counted=grown)
    assert (asked_the_same.proposed, len(asked_the_same.held), asked_the_same.withheld) == ([], 1, grown)


def test_a_line_that_is_dearer_as_well_comes_back_at_once() -> None:
    found = as_decided([decided()], drafted(line(quantity=1000.0, price=2.5)))
    assert (len(found.proposed), found.withheld) == (1, NOTHING_WITHHELD)


def test_an_edited_line_of_which_nothing_was_bought_comes_back_at_once_where_more_is_asked() -> None:
    found = as_decided([decided(400.0)], drafted(line(quantity=1000.0)))
    assert (only_line(found.proposed).quantity, found.withheld) == (1000.0, NOTHING_WITHHELD)


def test_held_lines_of_several_plans_are_told_once_and_with_each_reason() -> None:
    first = as_decided([decided()], drafted(line())).held
    later = as_decided(
        [decided(), decided(item_id="B", line_id="B#0", reason="")], drafted(line(quantity=9.0), line("B"))
    )
    whole = joined(first, later.held)
    (order,) = whole
    assert [(one.line_id, one.quantity) for one in order.lines] == [("A#0", 800.0), ("B#0", 800.0)]
    assert order.order_key == first[0].order_key
    assert (order.reason, len(order.route.reasons)) == (" ".join(order.route.reasons), 2)
    assert joined([], later.held) == later.held
    assert joined(first, first) == first
