"""Orders as the first version stored them, JSON objects without a type, become orders of the ledger."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, text

from store.packing import unpacked
from tools.domain.orders import Order, OrderLine, OrderStatus, OrderVerdict, Route, RouteKind

Json = Mapping[str, Any]
ROUTES = {"drop": RouteKind.DENIED, "auto": RouteKind.AUTO, "person": RouteKind.PERSON}
STATUS_OF_APPROVAL = {
    "pending": OrderStatus.WAITING,
    "approved": OrderStatus.APPROVED,
    "rejected": OrderStatus.REJECTED,
    "void": OrderStatus.SUPERSEDED,
    "edited": OrderStatus.SUPERSEDED,
}
STATUS_OF_ACTION = {
    "queued": OrderStatus.APPROVED,
    "leased": OrderStatus.IN_DOUBT,
    "done": OrderStatus.PLACED,
    "failed": OrderStatus.FAILED,
}
WITHDRAWN = "Withdrawn by "
"""How the error of an action begins that was taken back before it left."""


def order_of_first_form(stored: Json, run_id: str, policy_version: str) -> Order:
    """The typed order of a stored JSON object; its hash stays what it was."""
    first = next(iter(stored["lines"]))
    route = Route(
        kind=RouteKind.SHADOW if stored.get("status") == "shadow" else ROUTES[stored["route"]],
        tier=stored["tier"],
        reasons=tuple(stored["reasons"]),
        verdicts=tuple(OrderVerdict.model_validate(raw) for raw in stored["verdicts"]),
        facts=dict(stored["facts"]),
        policy_version=policy_version,
        content_hash=stored["content_hash"],
        approval_id=stored["approval_id"] if stored["route"] == "person" else "",
    )
    return Order(
        order_key=stored["order_key"],
        run_id=run_id,
        supplier_id=stored["supplier_id"],
        site_id=stored["site_id"],
        currency=stored.get("currency") or first["currency"],
        changes=stored["changes"],
        lines=tuple(line_of_first_form(line) for line in stored["lines"]),
        status=OrderStatus.GATED,
        route=route,
        proposed_by=tuple(stored.get("proposed_by", ())),
        edited=bool(stored.get("edited", False)),
        reason=" ".join(stored["reasons"]),
    )


def line_of_first_form(stored: Json) -> OrderLine:
    """A typed line."""
    known = {name: stored[name] for name in OrderLine.model_fields if name in stored}
    return OrderLine.model_validate({**known, "denied": stored.get("status") == "denied"})


def standing(order: Order, approval: str | None, actions: list[Json]) -> Order:
    """The order in the status that the first version's approvals and outbox told; actions in queue order."""
    status = OrderStatus.GATED if approval is None else STATUS_OF_APPROVAL[approval]
    if status is OrderStatus.WAITING and order.changes:
        status = OrderStatus.CHANGE_WAITING
    placed = next((action["erp_ref"] for action in actions if action["erp_ref"]), "")
    if actions:
        last = actions[-1]
        status = STATUS_OF_ACTION[last["status"]]
        if (last["error"] or "").startswith(WITHDRAWN):
            status = OrderStatus.WITHDRAWN
        elif last["kind"] == "cancel" and not order.changes:
            taken_back = {"done": OrderStatus.CANCELLED, "failed": OrderStatus.PLACED}
            status = taken_back.get(last["status"], OrderStatus.CHANGE_SENT)
        elif status is OrderStatus.PLACED and not order.places:
            status = OrderStatus.CHANGE_SENT
    return order.changed(status=status, erp_ref=placed)


def move_first_approvals(connection: Connection) -> None:
    """Give the orders of stored approvals their types; an edit that its run had not taken in is asked for again."""
    rows = connection.execute(
        text("SELECT approval_id, run_id, payload, versions FROM approvals JOIN runs USING (run_id)")
    ).all()
    update = text("UPDATE approvals SET payload = :payload WHERE approval_id = :id")
    for row in rows:
        policy = str(orjson.loads(row.versions).get("policy", ""))
        order = order_of_first_form(orjson.loads(unpacked(row.payload)), row.run_id, policy)
        connection.execute(update, {"payload": order.model_dump_json(), "id": row.approval_id})
    connection.execute(
        text(
            "UPDATE approvals SET status = 'pending', decision = NULL, decided_at = NULL, decided_by = NULL,"
            " reason = '', edits = NULL WHERE status = 'edited' AND applied = 0"
        )
    )
