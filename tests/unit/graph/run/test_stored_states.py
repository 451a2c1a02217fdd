"""What checkpoints store of a run's state comes back as it was, compressed or of before anything was compressed."""

import pytest
from gate_cases import draft_of
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from order_cases import line_of

from graph.run.checkpoints import ORDER_TYPES, PACKED, PackedSerializer
from tools.domain.orders import Order

ORDERS = [draft_of(*(line_of(f"I{n:03d}") for n in range(40)), supplier_id=f"S{n}") for n in range(3)]


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
