"""What an ERP is asked for an order, under keys that never change: the ERP knows an action again by its key."""

from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

import orjson
import pytest
from order_cases import line_of, order_of

from erp.actions import actions_of, cancelling, queued_actions, taking_back
from erp.adapter import ActionKind, DraftLine, OrderAction, OrderChange, OrderDraft
from store.operations import OutboxRow
from tools.domain.orders import Intent, Order, OrderStatus

ARRIVAL = date(2026, 3, 22)


def key_of(*parts: str) -> str:
    return sha256(orjson.dumps(list(parts))).hexdigest()


def change(intent: Intent) -> Order:
    order = order_of("A", changes="PO-7")
    return order.changed(lines=(line_of("A", intent=intent),))


def test_an_order_is_placed_with_all_of_its_lines_in_one_action() -> None:
    order = order_of("A", "B")
    key = key_of("run-1", "run-1/S1/A+B", order.route.content_hash, "place")
    lines = tuple(
        DraftLine(
            line_id=f"{item}#0", item_id=item, quantity=10.0, unit_price="2.5", due_date=ARRIVAL, offer_id=f"{item}|S1"
        )
        for item in ("A", "B")
    )
    draft = OrderDraft(supplier_id="S1", site_id="MAIN", currency="USD", lines=lines)
    assert actions_of(order) == [OrderAction(key=key, kind=ActionKind.PLACE, order=draft)]


@pytest.mark.parametrize(
    ("intent", "kinds"),
    [
        (Intent.ADJUST_QUANTITY, [ActionKind.AMEND]),
        (Intent.MOVE_DATE, [ActionKind.AMEND]),
        (Intent.EXPEDITE, [ActionKind.EXPEDITE]),
        (Intent.HOLD, [ActionKind.HOLD]),
        (Intent.CANCEL, [ActionKind.CANCEL]),
    ],
)
def test_a_change_names_the_open_order_and_an_amendment_what_it_sets(intent: Intent, kinds: list[ActionKind]) -> None:
    order = change(intent)
    amended = OrderChange(quantity=10.0, due_date=ARRIVAL)
    assert actions_of(order) == [
        OrderAction(
            key=key_of("run-1", order.order_key, order.route.content_hash, kind.value),
            kind=kind,
            erp_ref="PO-7",
            change=amended if kind is ActionKind.AMEND else None,
        )
        for kind in kinds
    ]


def test_a_new_source_is_ordered_before_the_old_order_is_cancelled() -> None:
    placed, cancelled = actions_of(change(Intent.SWITCH_SUPPLIER))
    assert (placed.kind, placed.erp_ref, placed.change) == (ActionKind.PLACE, None, None)
    assert placed.order is not None and placed.order.lines[0].quantity == 10.0
    assert (cancelled.kind, cancelled.erp_ref, cancelled.order) == (ActionKind.CANCEL, "PO-7", None)


@pytest.mark.parametrize("status", [OrderStatus.WAITING, OrderStatus.APPROVED])
def test_a_queued_action_names_its_order_and_the_signature_under_it_if_there_is_one(status: OrderStatus) -> None:
    order = order_of("A", status=status)
    (action,) = actions_of(order)
    signed = order.route.approval_id if status is OrderStatus.WAITING else None
    payload = action.model_dump(mode="json")
    assert isinstance(payload["order"]["lines"][0]["due_date"], str)
    assert queued_actions(order) == [OutboxRow(action.key, "run-1", "run-1/S1/A", "place", payload, signed)]


@pytest.mark.parametrize(("asked", "parts"), [({}, []), ({"asked_before": 0}, []), ({"asked_before": 2}, ["2"])])
def test_each_time_an_order_is_taken_back_has_a_key_of_its_own(asked: dict[str, Any], parts: list[str]) -> None:
    (placed,) = queued_actions(order_of("A"))
    key = key_of("withdraw", placed.action_key, *parts)
    payload = {"key": key, "kind": "cancel", "order": None, "erp_ref": "SB-1", "change": None}
    made = cancelling(replace(placed, erp_ref="SB-1"), **asked)
    assert made == OutboxRow(key, "run-1", "run-1/S1/A", "cancel", payload, placed.approval_id)
    assert type(made.payload["kind"]) is str


def test_what_takes_an_order_back_cancels_the_order_that_stands() -> None:
    assert taking_back("k1", "SB-1") == OrderAction(key="k1", kind=ActionKind.CANCEL, erp_ref="SB-1")
