"""One rule for prices: an agreed price holds from the agreed quantity up, below it the list price or price break."""

from datetime import date

import pytest
from order_cases import line_of, order_of

from graph.decisions.edits import previewed
from graph.facts.records import with_agreements
from tools.domain.catalogue import Offer, PriceBreak
from tools.domain.orders import OrderLine

OFFER = Offer(
    item_id="I1",
    supplier_id="S1",
    unit_price=15.0,
    lead_time_days=10,
    price_breaks=(PriceBreak(quantity=500, unit_price=14.0), PriceBreak(quantity=2000, unit_price=11.0)),
)


def agreed_line(price: float = 12.5, quantity: float = 803.0, listed: float = 14.0) -> OrderLine:
    line = line_of("I1", quantity, price=listed).model_copy(update={"agreed_price": price, "agreed_from": quantity})
    return line.at_quantity(quantity, listed)


@pytest.mark.parametrize(
    ("quantity", "price"),
    [(803, 12.5), (900, 12.5), (1999, 12.5), (2000, 11.0), (802, 14.0), (500, 14.0), (499, 15.0), (1, 15.0)],
)
def test_the_agreed_price_holds_from_the_agreed_quantity_up(quantity: float, price: float) -> None:
    line = agreed_line().at_quantity(quantity, OFFER.unit_price_at(quantity))
    assert (line.unit_price, line.value) == (price, pytest.approx(quantity * price))


def test_an_edit_down_and_up_again_finds_the_agreed_price_again() -> None:
    down = agreed_line().at_quantity(400, OFFER.unit_price_at(400))
    assert down.unit_price == 15.0
    assert down.at_quantity(803, OFFER.unit_price_at(803)).unit_price == 12.5


def test_an_order_of_an_earlier_version_tells_its_agreement_by_its_price() -> None:
    line = line_of("I1", 803, price=12.5).model_copy(update={"list_price": 14.0})
    assert line.at_quantity(900, 14.0).unit_price == 12.5
    assert line.at_quantity(802, 14.0).unit_price == 14.0


def test_freight_goes_with_the_units() -> None:
    line = line_of("I1", 100, price=2.0).model_copy(update={"landed_cost": 230.0})
    assert line.at_quantity(50, 2.0).landed_cost == pytest.approx(115.0)


@pytest.mark.parametrize(
    ("quantity", "rule"),
    [
        (400, "List price: the agreed 12.50 holds from 803 up."),
        (900, "Agreed from 803 up."),
        (2500, "The list price is lower than the agreed one."),
    ],
)
def test_a_preview_says_which_price_holds_and_adds_up(quantity: float, rule: str) -> None:
    order = order_of("I1").changed(lines=(agreed_line().model_copy(update={"offer_id": OFFER.offer_id}),))
    shown = previewed(order, {"I1#0": quantity}, {OFFER.offer_id: OFFER})
    (line,) = shown.lines
    assert line.price_rule == rule
    assert shown.value == pytest.approx(quantity * line.unit_price)


def test_what_one_site_agreed_is_not_anothers() -> None:
    """Two sites order the same line id of one supplier; each has a talk of its own."""
    north, south = order_of("I1"), order_of("I1")
    north = north.changed(order_key="run-1/S1/NORTH", site_id="NORTH", lines=(line_of("I1", 100, price=10.0),))
    south = south.changed(order_key="run-1/S1/SOUTH", site_id="SOUTH", lines=(line_of("I1", 100, price=10.0),))
    talks = [
        {"order_key": one.order_key, "agreements": [{"line_id": "I1#0", "unit_price": price, "quantity": 100.0}]}
        for one, price in ((north, 9.0), (south, 8.0))
    ]
    found = with_agreements([north, south], talks)
    assert [order.lines[0].unit_price for order in found] == [9.0, 8.0]


def test_what_was_agreed_for_more_does_not_hold_for_less() -> None:
    """A gate caps a line after the talk: the agreed price was for the larger quantity."""
    order = order_of("I1").changed(order_key="k", lines=(line_of("I1", 60, price=10.0),))
    talk = {"order_key": "k", "agreements": [{"line_id": "I1#0", "unit_price": 9.0, "quantity": 100.0}]}
    assert with_agreements([order], [talk])[0].lines[0].unit_price == 10.0


def test_the_day_of_an_order_does_not_change_with_its_quantity() -> None:
    assert agreed_line().at_quantity(5, 15.0).order_date == date(2026, 3, 2)
