"""The branch of one order: a person's signature where a gate asks for one, then the outbox."""

from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from erp.adapter import ACTIONS_OF_INTENT, ActionKind, DraftLine, OrderAction, OrderChange, OrderDraft
from graph import records
from graph.context import Context
from graph.edits import edited_order
from graph.gates import route_order
from graph.state import Json, OrderState
from graph.transitions import stable_hash
from policies.gates import Gate
from store.operations import OutboxRow
from tools.domain.errors import IntegrityBroken
from tools.domain.snapshots import Intent

Update = dict[str, Any]


def needs_person(state: OrderState) -> Literal["await_approval", "dispatch", "decline"]:
    """Where the gates sent this order."""
    routes: dict[str, Literal["await_approval", "dispatch", "decline"]] = {
        "person": "await_approval",
        "auto": "dispatch",
    }
    return routes.get(state["order"]["route"], "decline")


def await_approval(state: OrderState) -> Update:
    """Pause until a person decides; nothing else happens here, because a resumed node starts over."""
    order = state["order"]
    asked = {name: order[name] for name in ("approval_id", "order_key", "content_hash", "tier")}
    return {"answer": interrupt(asked)}


def by_answer(state: OrderState) -> Literal["dispatch", "gate_edit", "decline"]:
    """Approve, edit or reject; an answer bound to other content declines."""
    answer, order = state["answer"], state["order"]
    if answer["content_hash"] != order["content_hash"]:
        return "decline"
    routes: dict[str, Literal["dispatch", "gate_edit"]] = {"approve": "dispatch", "edit": "gate_edit"}
    return routes.get(str(answer["decision"]), "decline")


def gate_edit(state: OrderState, runtime: Runtime[Context]) -> Update:
    """An edited order through the gates again; its editor becomes a proposer, so somebody else signs."""
    order, answer = state["order"], state["answer"]
    draft, verdicts = edited_order(order, answer["edits"] or {}, state["run_id"], runtime.context)
    verdicts += [records.verdict_from(raw) for raw in order["verdicts"] if raw["gate"] == Gate.DRIFT.value]
    draft["proposed_by"] = [*order["proposed_by"], answer["actor"]]
    if not draft["lines"]:
        return {"order": {**draft, "lines": order["lines"], "route": "drop", "status": "rejected"}}
    return {"order": route_order(draft, verdicts, state["run_id"], str(answer["actor"]), runtime.context)}


def dispatch(state: OrderState, runtime: Runtime[Context]) -> Update:
    """Put the order's actions into the outbox, each under its key, and drain it."""
    context, order = runtime.context, state["order"]
    _must_be_signed(order, state["versions"]["policy"], context)
    approval_id = order["approval_id"] if order["route"] == "person" else None
    for action in actions_of(order, state["run_id"]):
        payload = action.model_dump(mode="json")
        context.operations.enqueue(
            OutboxRow(action.key, state["run_id"], order["order_key"], action.kind.value, payload, approval_id)
        )
    context.outbox.drain()
    return {"outcomes": [{"order_key": order["order_key"], "status": "dispatched"}]}


def _must_be_signed(order: Json, policy_version: str, context: Context) -> None:
    """IntegrityBroken unless the order is the one that was gated and, where a gate says so, signed."""
    intact = records.signed(order, policy_version, order["facts"]) == order["content_hash"]
    if intact and order["route"] == "person":
        stored = context.operations.approval(order["approval_id"])
        intact = stored.status == "approved" and stored.content_hash == order["content_hash"]
    if not intact:
        raise IntegrityBroken(
            f"Order {order['order_key']} is not the one that was approved.",
            remedy="Plan again; `jit journal --verify` shows whether the log was changed.",
            order_key=order["order_key"],
        )


def actions_of(order: Json, run_id: str) -> list[OrderAction]:
    """ERP actions of an order: one that places its new lines, or those that change the open order it concerns."""
    if not order["changes"]:
        return [_action(ActionKind.PLACE, order, run_id)]
    kinds = [kind for line in order["lines"] for kind in ACTIONS_OF_INTENT[Intent(line["intent"])]]
    return [_action(kind, order, run_id) for kind in dict.fromkeys(kinds)]


def _action(kind: ActionKind, order: Json, run_id: str) -> OrderAction:
    key = stable_hash([run_id, order["order_key"], order["content_hash"], kind.value])
    if kind is ActionKind.PLACE:
        return OrderAction(key=key, kind=kind, order=_draft(order))
    (line,) = order["lines"]
    change = OrderChange(quantity=line["quantity"], due_date=line["expected_arrival"])
    return OrderAction(
        key=key, kind=kind, erp_ref=order["changes"], change=change if kind is ActionKind.AMEND else None
    )


def _draft(order: Json) -> OrderDraft:
    return OrderDraft(
        supplier_id=order["supplier_id"],
        site_id=order["site_id"],
        currency=order["currency"],
        lines=tuple(
            DraftLine(
                line_id=line["line_id"],
                item_id=line["item_id"],
                quantity=line["quantity"],
                unit_price=str(line["unit_price"]),
                due_date=line["expected_arrival"],
                offer_id=line["offer_id"],
            )
            for line in order["lines"]
        ),
    )


def decline(state: OrderState) -> Update:
    """Record that the order does not leave, and why."""
    order, answer = state["order"], state.get("answer")
    status = {"void": "void"}.get(str(answer["decision"]), "rejected") if answer else str(order["status"])
    reason = str(answer["reason"]) if answer else "; ".join(order["reasons"])
    return {"outcomes": [{"order_key": order["order_key"], "action_key": "", "status": status, "reason": reason}]}
