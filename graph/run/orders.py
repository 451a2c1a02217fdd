"""The branch of one order: a person's signature where a gate asks for one, then the outbox.

What a person decides moves the order in the ledger at once; the branch takes its latest form from there.
"""

from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from graph.context import Context
from graph.decisions.edits import next_approval
from graph.run.state import OrderState
from graph.upkeep.old_homes import typed_order
from store.operations import Operations
from tools.domain.orders import Order, OrderStatus

Update = dict[str, Any]


def needs_person(state: OrderState) -> Literal["await_approval", "dispatch", "decline"]:
    """Where the gates sent this order, and where it stands since."""
    order = typed_order(state["order"])
    if order.is_pending:
        return "await_approval"
    return "dispatch" if _leaves(order) else "decline"


def await_approval(state: OrderState) -> Update:
    """Pause until a person decides; nothing else happens here, because a resumed node starts over."""
    order = typed_order(state["order"])
    route = order.route
    asked = {
        "approval_id": route.approval_id,
        "order_key": order.order_key,
        "content_hash": route.content_hash,
        "tier": route.tier,
    }
    return {"answer": interrupt(asked)}


def by_answer(state: OrderState) -> Literal["dispatch", "gate_edit", "decline"]:
    """Approve, edit or reject; an answer bound to other content declines."""
    answer, order = state["answer"], typed_order(state["order"])
    if answer["content_hash"] != order.route.content_hash:
        return "decline"
    routes: dict[str, Literal["dispatch", "gate_edit"]] = {"approve": "dispatch", "edit": "gate_edit"}
    return routes.get(str(answer["decision"]), "decline")


def gate_edit(state: OrderState, runtime: Runtime[Context]) -> Update:
    """The order as its editor left it and the gates judged it: it asks again, leaves, or has ended.

    Where it asks again it is what that approval shows, even if it was decided meanwhile: the branch pauses for every
    answer, each a part of the journal.
    """
    operations, shown = runtime.context.operations, typed_order(state["order"])
    opened = [
        row.order
        for row in operations.approvals(run_id=shown.run_id)
        if row.order_key == shown.order_key
        and row.approval_id == next_approval(shown.route.approval_id, row.content_hash)
    ]
    return {"order": opened[0] if opened else _latest(state, operations)}


def dispatch(state: OrderState, runtime: Runtime[Context]) -> Update:
    """Drain the outbox, where the order's actions were queued when it was approved."""
    runtime.context.outbox.drain()
    order = _latest(state, runtime.context.operations)
    return {
        "order": order,
        "routed": [order],
        "outcomes": [{"order_key": order.order_key, "status": "dispatched"}],
    }


def decline(state: OrderState, runtime: Runtime[Context]) -> Update:
    """Record that the order does not leave, and why."""
    order, answer = _latest(state, runtime.context.operations), state.get("answer")
    reason = str(answer["reason"]) if answer else "; ".join(order.route.reasons)
    outcome = {"order_key": order.order_key, "action_key": "", "status": order.status.value, "reason": reason}
    return {"order": order, "routed": [order], "outcomes": [outcome]}


def _latest(state: OrderState, operations: Operations) -> Order:
    """The ledger's form of the branch's order."""
    order = typed_order(state["order"])
    return operations.orders_for([order.order_key]).get(order.order_key, order)


def _leaves(order: Order) -> bool:
    """Whether the order is on its way, or was, by policy or by a signature."""
    ended = (OrderStatus.SUPERSEDED, OrderStatus.REJECTED, OrderStatus.WITHDRAWN)
    return order.is_decided and order.status not in ended
