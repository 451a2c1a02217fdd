"""The last check before dispatch: the order is the one that was decided and signed, and the action is its own."""

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from dispatch_cases import SENT, Erp, Queue, outbox_of
from order_cases import line_of, order_of, sealed

from erp.actions import cancelling, queued_actions
from erp.adapter import OrderAction
from store.operations import OutboxRow
from tools.domain.errors import IntegrityBroken
from tools.domain.orders import Intent, Order, OrderStatus, RouteKind


def _signed(order: Order, *, status: str = "approved", content_hash: str = "") -> dict[str, Any]:
    """The approvals of an order, as they are stored."""
    route = order.route
    bound = content_hash or route.content_hash
    return {route.approval_id: SimpleNamespace(status=status, content_hash=bound)}


def _check(order: Order, row: OutboxRow, approvals: Mapping[str, Any] | None = None) -> None:
    known = _signed(order) if approvals is None else approvals
    outbox_of(Queue(orders=[order], approvals=known), Erp())._must_be_decided(row)


def _sending(status: OrderStatus = OrderStatus.SENDING) -> tuple[Order, OutboxRow]:
    """A signed order of two lines that is being sent, and its action."""
    order = order_of("A", "B").changed(status=status)
    (row,) = queued_actions(order)
    return order, replace(row, attempts=1)


@pytest.mark.parametrize("status", [OrderStatus.SENDING, OrderStatus.IN_DOUBT])
def test_an_order_that_is_what_was_signed_may_leave(status: OrderStatus) -> None:
    order, row = _sending(status)
    _check(order, row)
    _check(order, replace(row, payload={**row.payload, "key": "another"}))


def test_an_order_that_leaves_by_policy_needs_no_signature() -> None:
    order = order_of("A", status=OrderStatus.APPROVED).changed(status=OrderStatus.SENDING)
    (row,) = queued_actions(order)
    _check(order, row, {})


@pytest.mark.parametrize(
    "status", [one for one in OrderStatus if one not in (OrderStatus.SENDING, OrderStatus.IN_DOUBT)]
)
def test_an_order_that_is_not_being_sent_does_not_leave_and_the_error_says_where_it_stands(
    status: OrderStatus,
) -> None:
    order, row = _sending(status)
    with pytest.raises(IntegrityBroken) as broken:
        _check(order, row)
    stands = status.value.replace("_", " ")
    assert broken.value.message == f"Order run-1/S1/A+B is not the one that was approved; it is {stands}."
    assert broken.value.remedy == "Plan again; `jit journal --verify` shows whether the log was changed."
    assert broken.value.context == {"order_key": "run-1/S1/A+B"}


def _line(quantity: float = 10.0, price: float = 2.5) -> dict[str, Any]:
    return {"lines": (line_of("A", quantity, price=price), line_of("B"))}


@pytest.mark.parametrize(
    "changed",
    [
        {"supplier_id": "S2"},
        {"site_id": "NORTH"},
        {"currency": "EUR"},
        {"changes": "PO-1"},
        _line(quantity=10.5),
        _line(price=2.51),
        {"lines": (line_of("A"),)},
    ],
)
def test_an_order_that_is_not_what_was_signed_does_not_leave(changed: dict[str, Any]) -> None:
    """Neither when its action was changed with it, nor when that was left alone."""
    order, row = _sending()
    other = order.changed(**changed)
    for asked in (row, *queued_actions(other.changed(changes=""))):
        with pytest.raises(IntegrityBroken):
            _check(other, asked)


@pytest.mark.parametrize("status", ["pending", "edited", "rejected", "void"])
def test_an_order_whose_approval_was_not_given_does_not_leave(status: str) -> None:
    order, row = _sending()
    with pytest.raises(IntegrityBroken):
        _check(order, row, _signed(order, status=status))


def test_an_order_whose_signature_is_under_other_content_does_not_leave() -> None:
    order, row = _sending()
    with pytest.raises(IntegrityBroken):
        _check(order, row, _signed(order, content_hash="another"))


def _told(row: OutboxRow, **changed: Any) -> OutboxRow:
    return replace(row, payload={**row.payload, **changed})


def test_an_action_that_is_not_what_was_signed_does_not_leave() -> None:
    order, row = _sending()
    asked = row.payload["order"]
    lines = asked["lines"]
    others = [
        _told(row, order={**asked, "supplier_id": "S2"}),
        _told(row, order={**asked, "lines": lines[:1]}),
        _told(row, order={**asked, "lines": [*lines, lines[0]]}),
        _told(row, order={**asked, "lines": [{**lines[0], "quantity": 11.0}, lines[1]]}),
        _told(row, order={**asked, "lines": [{**lines[0], "unit_price": "2.4"}, lines[1]]}),
        _told(row, kind="cancel", erp_ref="SB-1"),
        _told(row, erp_ref="SB-1"),
        replace(row, kind="cancel"),
    ]
    for other in others:
        with pytest.raises(IntegrityBroken):
            _check(order, other)


def test_each_action_of_a_change_may_leave_and_no_other() -> None:
    order = order_of("A", changes="PO-1")
    order = sealed(order.changed(lines=(line_of("A", intent=Intent.SWITCH_SUPPLIER),), status=OrderStatus.SENDING))
    placed, cancelled = queued_actions(order)
    for row in (placed, cancelled):
        _check(order, row)
    with pytest.raises(IntegrityBroken):
        _check(order, _told(cancelled, erp_ref="PO-2"))


def _taken_back() -> tuple[Order, OutboxRow]:
    """A signed order that stands in the ERP and that somebody took back, and the action that cancels it."""
    order, row = _sending()
    standing = replace(row, erp_ref="SB-1")
    return order.changed(status=OrderStatus.CHANGE_SENT, erp_ref="SB-1"), cancelling(standing)


def test_an_order_that_was_taken_back_is_cancelled() -> None:
    order, row = _taken_back()
    _check(order, row)
    automatic = order.changed(route=order.route.model_copy(update={"kind": RouteKind.AUTO}))
    _check(automatic, row, {})


def test_of_an_order_that_was_taken_back_nothing_else_is_asked() -> None:
    order, row = _taken_back()
    others = [
        _told(row, erp_ref="SB-2"),
        _told(row, kind="amend", change={"quantity": 1000.0, "due_date": None}),
        _told(row, kind="expedite"),
        _told(row, change={"quantity": 1000.0, "due_date": None}),
        replace(row, kind="expedite"),
        *queued_actions(order),
    ]
    for other in others:
        with pytest.raises(IntegrityBroken):
            _check(order, other)


def test_an_attempt_at_an_order_that_is_not_the_signed_one_asks_the_erp_for_nothing() -> None:
    order, row = _sending(OrderStatus.WITHDRAWN)
    erp = Erp()
    for attempts, may_stand in ((1, False), (2, None)):
        queue = Queue(replace(row, attempts=attempts), orders=[order], approvals=_signed(order))
        outbox_of(queue, erp).drain()
        (told,) = queue.named("complete", "later", "fail")
        assert (told[0], told[1], told[3:]) == ("fail", row.action_key, (may_stand, attempts))
        assert told[2].startswith("[JIT-300] Order run-1/S1/A+B is not the one that was approved; it is withdrawn.")
    assert erp.calls == []


def test_an_action_is_sent_as_the_order_was_signed() -> None:
    order, row = _sending()
    erp = Erp(submit=[SENT])
    queue = Queue(row, orders=[order], approvals=_signed(order))
    assert outbox_of(queue, erp).drain().done == (row.action_key,)
    assert erp.calls == [("submit", OrderAction.model_validate(row.payload))]
