"""The branch of one order: which way it goes, what it asks for, and what it hands back of the ledger's form."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command
from order_cases import order_of

from graph.context import Context
from graph.decisions.edits import asked_anew
from graph.run.orders import await_approval, by_answer, decline, dispatch, gate_edit, needs_person
from graph.run.state import OrderState
from tools.domain.orders import Order, OrderStatus

ORDER = order_of("A")


class Ledger:
    """Orders of the ledger, what their approvals show, and how often the outbox was drained before they were read."""

    def __init__(self, *orders: Order, shown: Sequence[Order] = ()) -> None:
        self._orders = {order.order_key: order for order in orders}
        self._shown = shown
        self.calls: list[str] = []

    def approvals(self, run_id: str) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(
                order=order,
                order_key=order.order_key,
                approval_id=order.route.approval_id,
                content_hash=order.route.content_hash,
            )
            for order in self._shown
            if order.run_id == run_id
        ]

    def orders_for(self, order_keys: Sequence[str]) -> dict[str, Order]:
        self.calls.append("read")
        return {key: self._orders[key] for key in order_keys if key in self._orders}

    def drain(self) -> None:
        self.calls.append("drain")


def runtime(ledger: Ledger) -> Runtime[Context]:
    return Runtime(context=cast(Context, SimpleNamespace(operations=ledger, outbox=ledger)))


def state(order: Order = ORDER, **known: Any) -> OrderState:
    return cast(OrderState, {"order": order, **known})


@pytest.mark.parametrize(
    ("status", "way"),
    [
        (OrderStatus.WAITING, "await_approval"),
        (OrderStatus.CHANGE_WAITING, "await_approval"),
        (OrderStatus.APPROVED, "dispatch"),
        (OrderStatus.SENDING, "dispatch"),
        (OrderStatus.IN_DOUBT, "dispatch"),
        (OrderStatus.PLACED, "dispatch"),
        (OrderStatus.CANCELLED, "dispatch"),
        (OrderStatus.FAILED, "dispatch"),
        (OrderStatus.PROPOSED, "decline"),
        (OrderStatus.GATED, "decline"),
        (OrderStatus.SUPERSEDED, "decline"),
        (OrderStatus.REJECTED, "decline"),
        (OrderStatus.WITHDRAWN, "decline"),
    ],
)
def test_an_order_goes_the_way_of_where_it_stands(status: OrderStatus, way: str) -> None:
    assert needs_person(state(ORDER.changed(status=status))) == way


def test_a_branch_pauses_with_what_a_signature_binds_to_and_goes_on_with_the_answer() -> None:
    builder = StateGraph(OrderState)
    builder.add_node("await_approval", await_approval)
    builder.add_edge(START, "await_approval")
    graph, thread = builder.compile(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "1"}}
    (asked,) = graph.invoke(state(), cast(Any, thread))["__interrupt__"]
    assert asked.value == {
        "approval_id": ORDER.route.approval_id,
        "order_key": "run-1/S1/A",
        "content_hash": ORDER.route.content_hash,
        "tier": "buyer",
    }
    answered = graph.invoke(Command(resume={"decision": "approve"}), cast(Any, thread))
    assert answered["answer"] == {"decision": "approve"}


@pytest.mark.parametrize(
    ("decision", "way"), [("approve", "dispatch"), ("edit", "gate_edit"), ("reject", "decline"), ("void", "decline")]
)
def test_an_answer_sends_the_order_its_way_if_it_is_bound_to_this_content(decision: str, way: str) -> None:
    answer = {"decision": decision, "content_hash": ORDER.route.content_hash}
    assert by_answer(state(answer=answer)) == way
    assert by_answer(state(answer={**answer, "content_hash": "another"})) == "decline"


def test_an_edited_order_is_taken_from_the_ledger() -> None:
    edited = ORDER.changed(edited=True)
    assert gate_edit(state(), runtime(Ledger(edited))) == {"order": edited}
    assert gate_edit(state(), runtime(Ledger())) == {"order": ORDER}


def test_an_edited_order_that_asks_again_is_what_its_own_approval_shows_whatever_was_decided_since() -> None:
    signed = ORDER.changed(edited=True, status=OrderStatus.APPROVED)
    asked = asked_anew(ORDER.changed(edited=True), ORDER)
    later = asked_anew(asked.changed(edited=True), asked)
    ledger = Ledger(signed, shown=[ORDER, later, asked])
    assert gate_edit(state(), runtime(ledger)) == {"order": asked}
    assert gate_edit(state(asked), runtime(ledger)) == {"order": later}
    assert gate_edit(state(later), runtime(ledger)) == {"order": signed}


def test_a_dispatched_order_is_handed_back_as_it_stands_after_the_drain() -> None:
    placed = ORDER.changed(status=OrderStatus.PLACED)
    ledger = Ledger(placed)
    assert dispatch(state(), runtime(ledger)) == {
        "order": placed,
        "routed": [placed],
        "outcomes": [{"order_key": "run-1/S1/A", "status": "dispatched"}],
    }
    assert ledger.calls == ["drain", "read"]


@pytest.mark.parametrize(
    ("known", "reason"),
    [({}, "too much; too late"), ({"answer": {"reason": "the warehouse is full"}}, "the warehouse is full")],
    ids=["the gates' reasons", "the person's"],
)
def test_a_declined_order_is_handed_back_with_why(known: dict[str, Any], reason: str) -> None:
    route = ORDER.route.model_copy(update={"reasons": ("too much", "too late")})
    kept = ORDER.changed(status=OrderStatus.REJECTED, route=route)
    ledger = Ledger(kept)
    outcome = {"order_key": "run-1/S1/A", "action_key": "", "status": "rejected", "reason": reason}
    assert decline(state(**known), runtime(ledger)) == {"order": kept, "routed": [kept], "outcomes": [outcome]}
    assert ledger.calls == ["read"]
