"""What an ERP has to do for an order of ours, each action under its idempotency key."""

import hashlib

import orjson

from erp.adapter import ACTIONS_OF_INTENT, ActionKind, DraftLine, OrderAction, OrderChange, OrderDraft
from store.operations import OutboxRow
from tools.domain.orders import Order, RouteKind


def actions_of(order: Order) -> list[OrderAction]:
    """One action that places an order's lines, or those that change the open order that it concerns."""
    if not order.changes:
        return [_action(ActionKind.PLACE, order)]
    kinds = [kind for line in order.lines for kind in ACTIONS_OF_INTENT[line.intent]]
    return [_action(kind, order) for kind in dict.fromkeys(kinds)]


def queued_actions(order: Order) -> list[OutboxRow]:
    """The actions of an order as rows of the outbox."""
    approval_id = order.route.approval_id if order.route.kind is RouteKind.PERSON else None
    return [
        OutboxRow(
            action.key, order.run_id, order.order_key, action.kind.value, action.model_dump(mode="json"), approval_id
        )
        for action in actions_of(order)
    ]


def cancelling(row: OutboxRow, asked_before: int = 0) -> OutboxRow:
    """The action that takes back what another has placed; each time that it is asked for has its own key."""
    key = _key("withdraw", row.action_key, *([str(asked_before)] if asked_before else []))
    cancel = taking_back(key, row.erp_ref).model_dump(mode="json")
    return OutboxRow(key, row.run_id, row.order_key, ActionKind.CANCEL.value, cancel, row.approval_id)


def taking_back(key: str, erp_ref: str | None) -> OrderAction:
    """What the ERP is asked where a person takes back an order that stands there."""
    return OrderAction(key=key, kind=ActionKind.CANCEL, erp_ref=erp_ref)


def _action(kind: ActionKind, order: Order) -> OrderAction:
    key = _key(order.run_id, order.order_key, order.route.content_hash, kind.value)
    if kind is ActionKind.PLACE:
        return OrderAction(key=key, kind=kind, order=_draft(order))
    (line,) = order.lines
    change = OrderChange(quantity=line.quantity, due_date=line.expected_arrival)
    return OrderAction(key=key, kind=kind, erp_ref=order.changes, change=change if kind is ActionKind.AMEND else None)


def _key(*parts: str) -> str:
    return hashlib.sha256(orjson.dumps(list(parts))).hexdigest()


def _draft(order: Order) -> OrderDraft:
    return OrderDraft(
        supplier_id=order.supplier_id,
        site_id=order.site_id,
        currency=order.currency,
        lines=tuple(
            DraftLine(
                line_id=line.line_id,
                item_id=line.item_id,
                quantity=line.quantity,
                unit_price=str(line.unit_price),
                due_date=line.expected_arrival,
                offer_id=line.offer_id,
            )
            for line in order.lines
        ),
    )
