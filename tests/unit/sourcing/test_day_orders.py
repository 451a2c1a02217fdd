"""A day's plan is bought once: of what was ordered since its morning nothing is asked for again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from decided_cases import CHOSEN, OFFERS, KnownDesk, dataset, drafted, line, only_line
from sandbox_world import START

from graph.context import Context
from graph.day_orders import left_of_the_day
from graph.decided_lines import held_order
from graph.desk import Scope
from policies.material import Materiality
from tools.domain.orders import OpenOrderStatus, Order, PurchaseOrder

BY_SEA, BY_ROAD, OF_B = OFFERS[1].offer_id, OFFERS[0].offer_id, OFFERS[2].offer_id


def ordered(units: float, supplier_id: str = "S1", item_id: str = "A", ago: int = 0) -> PurchaseOrder:
    day = START - timedelta(days=ago)
    return PurchaseOrder(order_id="PO-9", item_id=item_id, supplier_id=supplier_id, quantity=units, order_date=day)


def part(units: float, supplier_id: str = "S1") -> Order:
    """A supplier's part of the need for A."""
    return drafted(line(quantity=units, supplier_id=supplier_id), supplier_id=supplier_id)


def desk_of(standing: Sequence[PurchaseOrder], morning: Mapping[str, float]) -> KnownDesk:
    return KnownDesk(replace(dataset(), open_orders=tuple(standing)), morning=morning)


def left(desk: KnownDesk, *orders: Order, held: Sequence[Order] = ()) -> tuple[list[Order], list[Order]]:
    """What is left of a plan, and what is not asked for again."""
    context = cast(Context, SimpleNamespace(desk=desk, materiality=Materiality()))
    return left_of_the_day(orders, held, Scope("ds-1", ("A", "B")), CHOSEN, context)


def asked(orders: Sequence[Order]) -> dict[str, float]:
    return {order.supplier_id: one.quantity for order in orders for one in order.lines}


@pytest.mark.parametrize(
    "standing",
    [
        [],
        [ordered(800.0, ago=1)],
        [ordered(800.0, item_id="B")],
        [ordered(800.0).model_copy(update={"site_id": "NORTH"})],
        [ordered(800.0).model_copy(update={"status": OpenOrderStatus.CANCELLED})],
    ],
    ids=["nothing", "the day before", "of another item", "for another site", "and cancelled"],
)
def test_where_nothing_was_ordered_that_day_a_plan_is_left_as_it_is(standing: list[PurchaseOrder]) -> None:
    desk = desk_of(standing, {})
    assert left(desk, part(800.0)) == ([part(800.0)], [])
    assert desk.mornings == []


def test_a_signed_part_is_not_asked_for_again_and_the_others_are() -> None:
    desk = desk_of([ordered(800.0)], {BY_SEA: 800.0, BY_ROAD: 1500.0})
    kept, dropped = left(desk, part(800.0), part(1400.0, "S2"))
    assert (asked(kept), desk.mornings) == ({"S2": 1400.0}, [{"A"}])
    said = (
        "800 were ordered on 2026-03-02, and that day's plan asks for no more: 800 are not proposed again on that day."
    )
    assert only_line(dropped).notes == (said, "as computed")
    assert (dropped[0].order_key, dropped[0].route.reasons) == ("run-2/S1/MAIN/held", (said,))


def test_only_the_item_that_was_ordered_is_planned_as_in_the_morning() -> None:
    desk = desk_of([ordered(800.0)], {BY_SEA: 800.0, OF_B: 50.0})
    kept, dropped = left(desk, drafted(line(quantity=800.0), line("B", quantity=90.0)))
    assert (only_line(kept).item_id, only_line(kept).quantity) == ("B", 90.0)
    assert (only_line(dropped).item_id, desk.mornings) == ("A", [{"A"}])


@pytest.mark.parametrize(
    ("bought", "units"), [(300.0, 1500.0), (301.0, 1199.0), (500.0, 1000.0), (501.0, None), (2000.0, None)]
)
def test_a_line_gets_what_is_left_unless_that_is_about_what_it_asks_for(bought: float, units: float | None) -> None:
    """Below the supplier's minimum of 1,000 nothing is left."""
    kept, dropped = left(desk_of([ordered(bought, "S2")], {BY_ROAD: 1500.0}), part(1500.0, "S2"))
    assert (asked(kept), len(dropped)) == ({} if units is None else {"S2": units}, int(units is None))


@pytest.mark.parametrize(("bought", "units"), [(799.0, 1001.0), (800.0, None)])
def test_a_part_is_done_once_nearly_all_of_it_was_ordered(bought: float, units: float | None) -> None:
    """Of the 1,000 by sea 201 or nothing are left; the other supplier sells no less than 1,000 itself."""
    desk = desk_of([ordered(bought)], {BY_SEA: 1000.0, BY_ROAD: 800.0})
    assert asked(left(desk, part(1400.0, "S2"))[0]) == ({} if units is None else {"S2": units})


def test_a_line_that_is_cut_says_so_and_has_the_price_of_what_is_left() -> None:
    """400 are below the price break at 700."""
    kept, _ = left(desk_of([ordered(600.0)], {BY_SEA: 1000.0}), part(800.0))
    found = only_line(kept)
    assert (found.quantity, found.list_price, found.value) == (400.0, 2.5, 1000.0)
    said = "600 were ordered on 2026-03-02; of that day's plan 400 are left, where the plan with them computes 800."
    assert found.notes == (said, "as computed")


def test_what_is_left_is_asked_of_another_supplier_where_the_plan_went_over_to_it() -> None:
    desk = desk_of([ordered(500.0, "S2")], {BY_ROAD: 1500.0})
    assert asked(left(desk, part(1400.0))[0]) == {"S1": 1000.0}


def test_each_supplier_keeps_its_own_part_before_others_get_of_it() -> None:
    desk = desk_of([ordered(800.0)], {BY_SEA: 800.0, BY_ROAD: 1500.0})
    assert asked(left(desk, part(2000.0), part(1400.0, "S2"))[0]) == {"S2": 1400.0}
    assert asked(left(desk, part(2000.0), part(1100.0, "S2"))[0]) == {"S1": 400.0, "S2": 1100.0}


def test_a_part_that_was_turned_down_is_left_to_nobody_else() -> None:
    desk = desk_of([ordered(800.0)], {BY_SEA: 800.0, BY_ROAD: 1500.0})
    turned_down = held_order(part(1500.0, "S2"), part(1500.0, "S2").lines)
    kept, held = left(desk, part(800.0), held=[turned_down])
    assert (asked(kept), held[0], asked(held)) == ({}, turned_down, {"S1": 800.0, "S2": 1500.0})


def test_lines_of_one_order_are_held_together_whatever_holds_them() -> None:
    rejected = drafted(line("B")).changed(lines=(line("B").model_copy(update={"notes": ("no",)}),))
    desk = desk_of([ordered(800.0)], {BY_SEA: 800.0})
    kept, (held,) = left(desk, part(800.0), held=[held_order(rejected, rejected.lines)])
    assert (kept, [one.item_id for one in held.lines]) == ([], ["B", "A"])
    assert held.order_key == "run-2/S1/MAIN/held"
    assert (held.route.reasons, held.reason) == (("no", held.lines[1].notes[0]), f"no {held.lines[1].notes[0]}")


def test_a_line_that_came_back_after_a_decision_stays_and_takes_its_part() -> None:
    back = line(quantity=1500.0, supplier_id="S2").model_copy(update={"decided_before": "bob rejected 900"})
    order = drafted(back, supplier_id="S2")
    kept, dropped = left(desk_of([ordered(800.0)], {BY_SEA: 800.0, BY_ROAD: 1500.0}), part(800.0), order)
    assert (kept, len(dropped)) == ([order], 1)


def test_a_change_of_an_open_order_stays() -> None:
    change = drafted(line(), changes="PO-9")
    desk = desk_of([ordered(800.0)], {})
    assert left(desk, change) == ([change], [])
    assert left(desk, change, part(900.0))[0] == [change]


def test_a_cut_line_keeps_to_the_order_multiple() -> None:
    offers = tuple(one.model_copy(update={"order_multiple": 50.0}) for one in OFFERS)
    desk = KnownDesk(replace(dataset(), offers=offers, open_orders=(ordered(570.0),)), morning={BY_SEA: 1000.0})
    assert asked(left(desk, part(800.0))[0]) == {"S1": 400.0}
