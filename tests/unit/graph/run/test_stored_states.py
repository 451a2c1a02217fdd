"""What checkpoints store of a run's state comes back: compressed or not, and with keys that are no longer kept."""

from types import SimpleNamespace

import pytest
from gate_cases import context_of, draft_of
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.types import Command
from order_cases import line_of, order_of

from graph.run.build import build, order_branch
from graph.run.checkpoints import ORDER_TYPES, PACKED, PackedSerializer
from graph.run.orders import await_approval
from graph.run.state import OrderState, RunState
from tools.domain.orders import Order, OrderStatus

ORDERS = [draft_of(*(line_of(f"I{n:03d}") for n in range(40)), supplier_id=f"S{n}") for n in range(3)]
WAITING = order_of("A", status=OrderStatus.WAITING)


@pytest.fixture
def packing() -> PackedSerializer:
    return PackedSerializer(allowed_msgpack_modules=ORDER_TYPES)


def test_a_large_state_is_stored_in_a_fraction_and_comes_back_with_its_types(packing: PackedSerializer) -> None:
    plain = JsonPlusSerializer(allowed_msgpack_modules=ORDER_TYPES).dumps_typed({"orders": ORDERS})
    kind, content = packing.dumps_typed({"orders": ORDERS})
    assert kind == plain[0] + PACKED and len(content) < len(plain[1]) / 4
    again = packing.loads_typed((kind, content))["orders"]
    assert again == ORDERS and all(isinstance(order, Order) for order in again)


@pytest.mark.parametrize("value", [None, b"bytes", {"rounds": 1}, "text", b"x" * 50_000], ids=type)
def test_any_value_comes_back(packing: PackedSerializer, value: object) -> None:
    assert packing.loads_typed(packing.dumps_typed(value)) == value


def test_a_state_of_before_anything_was_compressed_is_read(packing: PackedSerializer) -> None:
    before = JsonPlusSerializer(allowed_msgpack_modules=ORDER_TYPES).dumps_typed({"orders": ORDERS})
    assert packing.loads_typed(before)["orders"] == ORDERS


class EarlierRun(RunState):
    """A run's state as an earlier version had it."""

    versions: dict[str, str]
    risks: list[dict[str, str]]
    closed: bool


class EarlierBranch(OrderState):
    """An order's branch as an earlier version had it."""

    run_id: str
    versions: dict[str, str]


THREAD: RunnableConfig = {"configurable": {"thread_id": "run-1"}}


def test_a_run_with_keys_that_are_gone_goes_on_where_it_stood(packing: PackedSerializer) -> None:
    saver = InMemorySaver(serde=packing)
    known = {"run_id": "run-1", "trigger": {}, "dataset_version": "ds-1", "versions": {"policy": "p-1"}, "rounds": 1}
    earlier = StateGraph(EarlierRun)
    earlier.add_node("assess_risk", lambda _: {"risks": [{"summary": "S1"}], "exposure": {"A": 1.0}})
    earlier.add_node("compute_options", lambda _: {"closed": True})
    earlier.add_edge(START, "assess_risk")
    earlier.add_edge("assess_risk", "compute_options")
    earlier.compile(checkpointer=saver, interrupt_before=["compute_options"]).invoke(known, THREAD)
    stored = build(saver).get_state(THREAD)
    assert stored.next == ("compute_options",) and stored.values["exposure"] == {"A": 1.0}
    assert not stored.values.keys() & {"versions", "risks", "closed"}


def test_a_branch_with_keys_that_are_gone_hears_its_answer(packing: PackedSerializer) -> None:
    saver = InMemorySaver(serde=packing)
    earlier = StateGraph(EarlierBranch)
    earlier.add_node("await_approval", await_approval)
    earlier.add_edge(START, "await_approval")
    known = {"run_id": "run-1", "versions": {"policy": "p-1"}, "order": WAITING}
    earlier.compile(checkpointer=saver).invoke(known, THREAD)
    branch = order_branch()
    branch.checkpointer = saver
    ledger = SimpleNamespace(orders_for=lambda keys: {WAITING.order_key: WAITING})
    answer = {"decision": "reject", "reason": "Too much.", "content_hash": WAITING.route.content_hash}
    context = context_of(operations=ledger)
    (outcome,) = branch.invoke(Command(resume=answer), THREAD, context=context)["outcomes"]
    assert (outcome["order_key"], outcome["reason"]) == (WAITING.order_key, "Too much.")


def test_an_order_that_an_earlier_version_sent_to_its_branch_arrives() -> None:
    sent = {"run_id": "run-1", "versions": {"policy": "p-1"}, "order": WAITING}
    branch = order_branch()
    branch.checkpointer = InMemorySaver()
    (pause,) = branch.invoke(sent, THREAD)["__interrupt__"]
    assert pause.value["order_key"] == WAITING.order_key
