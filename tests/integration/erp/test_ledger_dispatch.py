"""Orders of the ledger on their way to the ERP: sent as they were decided, taken back, or in doubt."""

import pytest
from integration.erp.outbox_wire import Clock, Wire, _approved, _signed_and_sent, _stands
from order_cases import order_of
from sqlalchemy import text

from erp.actions import cancelling, queued_actions
from erp.adapter import (
    InDoubt,
    Permanent,
)
from erp.outbox import Outbox
from erp.sandbox import SandboxErp
from store.operations import Operations, Plan
from store.packing import unpacked
from tools.domain.orders import OpenOrderStatus, OrderStatus


def test_an_order_of_the_ledger_is_sent_as_it_was_decided(operations: Operations, erp: SandboxErp) -> None:
    order = _approved(operations)
    assert len(Outbox(operations, erp).drain().done) == 1
    assert _stands(operations, order) in (OrderStatus.PLACED, OrderStatus.CONFIRMED)


@pytest.mark.parametrize(
    ("column", "table", "old", "new"),
    [
        ("payload", "outbox", '"quantity":10.0', '"quantity":1000.0'),
        ("body", "orders", '"quantity":10.0', '"quantity":1000.0'),
        ("body", "orders", '"policy_version":"p-1"', '"policy_version":"p-2"'),
    ],
)
def test_an_order_or_an_action_changed_after_it_was_decided_is_never_sent(
    operations: Operations, erp: SandboxErp, column: str, table: str, old: str, new: str
) -> None:
    order = _approved(operations)
    with operations._write() as connection:
        stored = unpacked(connection.execute(text(f"SELECT {column} FROM {table}")).scalar_one())  # noqa: S608
        plain = stored.decode() if isinstance(stored, bytes) else stored
        assert old in plain
        change = text(f"UPDATE {table} SET {column} = :changed")  # noqa: S608
        connection.execute(change, {"changed": plain.replace(old, new)})
    assert len(Outbox(operations, erp).drain().failed) == 1
    assert erp.health()["orders"] == 0
    assert _stands(operations, order) is OrderStatus.FAILED


def test_an_order_whose_approval_was_not_given_is_never_sent(operations: Operations, erp: SandboxErp) -> None:
    order = order_of("A")
    operations.publish(Plan(order.run_id, operations.supply_seq(), ["A"], {}, [order]))
    (action,) = queued_actions(order)
    operations.enqueue(action)
    assert Outbox(operations, erp).drain().failed == (action.action_key,)
    assert erp.health()["orders"] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"kind":"cancel"', '"kind":"expedite"'),
        ('"kind":"cancel","order":null', '"kind":"amend","order":null'),
        ('"erp_ref":"SB000001"', '"erp_ref":"SB000001/1"'),
    ],
)
def test_a_withdrawal_that_was_changed_after_it_was_asked_for_is_never_sent(
    operations: Operations, erp: SandboxErp, old: str, new: str
) -> None:
    order = _signed_and_sent(operations, erp)
    stood = erp.get_status("SB000001")
    operations.withdraw(order.route.approval_id, "bob", "a mistake", cancelling)
    with operations._write() as connection:
        change = text(
            "UPDATE outbox SET payload = REPLACE(REPLACE(payload, :old, :new), :nothing, :much) WHERE kind = 'cancel'"
        )
        much = '"change":{"quantity":1000.0,"due_date":null}'
        connection.execute(change, {"old": old, "new": new, "nothing": '"change":null', "much": much})
    assert len(Outbox(operations, erp).drain().failed) == 1
    assert erp.get_status("SB000001") == stood
    assert _stands(operations, order) in (OrderStatus.PLACED, OrderStatus.CONFIRMED)


def test_an_order_that_was_taken_back_is_cancelled_in_the_erp(operations: Operations, erp: SandboxErp) -> None:
    order = _signed_and_sent(operations, erp)
    operations.withdraw(order.route.approval_id, "bob", "a mistake", cancelling)
    assert len(Outbox(operations, erp).drain().done) == 1
    assert erp.get_status("SB000001").status is OpenOrderStatus.CANCELLED
    assert _stands(operations, order) is OrderStatus.CANCELLED


def test_an_order_in_doubt_stays_on_order_when_it_is_given_up(
    operations: Operations, wire: Wire, erp: SandboxErp, clock: Clock
) -> None:
    order = _approved(operations)
    for _ in range(2):
        wire.before = [InDoubt("No answer.", remedy="Look it up.")]
        Outbox(operations, wire).drain()
        clock.wait(400)
    assert operations.outbox()[0].status == "failed"
    assert _stands(operations, order) is OrderStatus.IN_DOUBT
    assert operations.unsent_orders()[0].counts_as_on_order


def test_an_order_that_was_refused_is_no_longer_on_order(operations: Operations, wire: Wire) -> None:
    order = _approved(operations)
    wire.before = [Permanent("No such supplier.", remedy="Add it.")]
    Outbox(operations, wire).drain()
    assert _stands(operations, order) is OrderStatus.FAILED
    assert operations.unsent_orders() == []


def test_an_order_whose_process_died_while_sending_is_in_doubt_until_it_is_found(
    operations: Operations, wire: Wire, erp: SandboxErp, clock: Clock
) -> None:
    order = _approved(operations)
    operations.lease(1, 60)
    assert _stands(operations, order) is OrderStatus.SENDING
    clock.wait(61)
    operations.lease(1, 60)
    assert _stands(operations, order) is OrderStatus.IN_DOUBT
    clock.wait(61)
    Outbox(operations, wire).drain()
    assert erp.health()["orders"] == 1
    assert _stands(operations, order) in (OrderStatus.PLACED, OrderStatus.CONFIRMED)
