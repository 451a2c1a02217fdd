"""The outbox between the real operations database and the real sandbox ERP, over a wire that fails on purpose."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from order_cases import order_of
from sandbox_world import LEAD_TIMES, changing, placing, queued, small_dataset
from sqlalchemy import text

from erp.actions import cancelling, queued_actions
from erp.adapter import (
    ActionKind,
    AuthFailed,
    Capabilities,
    ConflictFound,
    ErpAdapter,
    ErpOrder,
    InDoubt,
    OrderAction,
    OrderChange,
    Permanent,
    Retryable,
)
from erp.outbox import HALTED_FLAG, MAX_ATTEMPTS, Outbox
from erp.sandbox import SandboxErp
from store.audit.journal import TransitionDraft
from store.operations import Operations, OutboxRow, Plan, Ruling, Window
from store.packing import unpacked
from tools.domain.errors import JitError
from tools.domain.orders import OpenOrderStatus, Order, OrderStatus


class Wire:
    """A connection to an ERP that fails before or after the ERP has done what it was asked."""

    def __init__(self, erp: ErpAdapter) -> None:
        self._erp = erp
        self.before: list[JitError] = []
        self.after: list[JitError] = []
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return getattr(self._erp, name)

    def submit(self, action: OrderAction) -> ErpOrder:
        return self._through("submit", lambda: self._erp.submit(action))

    def confirm(self, erp_ref: str, key: str) -> ErpOrder:
        return self._through("confirm", lambda: self._erp.confirm(erp_ref, key))

    def find_by_key(self, key: str) -> ErpOrder | None:
        self.calls.append("find")
        return self._erp.find_by_key(key)

    def _through(self, name: str, call: Callable[[], ErpOrder]) -> ErpOrder:
        self.calls.append(name)
        if self.before:
            raise self.before.pop()
        order = call()
        if self.after:
            raise self.after.pop()
        return order


class Clock:
    """Time that a test moves, so that a delay needs no waiting."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Rows:
    """Keeps journal rows in order."""

    def __init__(self) -> None:
        self.drafts: list[TransitionDraft] = []

    def record(self, draft: TransitionDraft) -> None:
        self.drafts.append(draft)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def operations(tmp_path: Path, clock: Clock) -> Iterator[Operations]:
    with Operations(f"sqlite:///{tmp_path / 'operations.sqlite'}", clock=clock) as opened:
        yield opened


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[SandboxErp]:
    sandbox = SandboxErp(tmp_path / "erp.sqlite")
    sandbox.seed_from(small_dataset(), LEAD_TIMES)
    yield sandbox
    sandbox.close()


@pytest.fixture
def wire(erp: SandboxErp) -> Wire:
    return Wire(erp)


def row_of(operations: Operations, key: str) -> OutboxRow:
    return next(row for row in operations.outbox() if row.action_key == key)


def test_every_queued_action_is_carried_out_once_and_noted(operations: Operations, erp: SandboxErp) -> None:
    for number in range(5):
        operations.enqueue(queued(placing(f"k{number}")))
    report = Outbox(operations, erp).drain()
    assert report.done == tuple(f"k{number}" for number in range(5))
    assert Outbox(operations, erp).drain().attempts == ()
    rows = operations.outbox(status="done")
    assert [row.erp_ref for row in rows] == [f"SB00000{number}" for number in range(1, 6)]
    assert {erp.get_status(row.erp_ref or "").status for row in rows} <= {
        OpenOrderStatus.SENT,
        OpenOrderStatus.CONFIRMED,
    }


def test_an_answer_lost_after_the_erp_acted_is_found_by_key_and_nothing_is_sent_again(
    operations: Operations, wire: Wire, erp: SandboxErp
) -> None:
    operations.enqueue(queued(placing("k1")))
    wire.after = [InDoubt("No answer.", remedy="Look it up.")]
    assert Outbox(operations, wire).drain().done == ("k1",)
    assert wire.calls == ["submit", "find", "confirm"]
    assert erp.health()["orders"] == 1


def test_a_lost_confirmation_is_read_from_the_orders_state(operations: Operations, wire: Wire, erp: SandboxErp) -> None:
    erp.submit(placing("k1"))
    operations.enqueue(queued(placing("k1")))
    wire.after = [InDoubt("No answer.", remedy="Look it up."), InDoubt("No answer.", remedy="Look it up.")]
    assert Outbox(operations, wire).drain().done == ("k1",)
    assert row_of(operations, "k1").response is not None
    assert erp.get_status("SB000001").status is not OpenOrderStatus.DRAFT


def test_what_never_reached_the_erp_is_sent_again_after_a_look_up(
    operations: Operations, wire: Wire, erp: SandboxErp, clock: Clock
) -> None:
    operations.enqueue(queued(placing("k1")))
    outbox = Outbox(operations, wire)
    wire.before = [Retryable("Connection refused.", remedy="Wait.")]
    assert outbox.drain().retried == ("k1",)
    assert outbox.drain().attempts == ()
    clock.wait(3)
    assert outbox.drain().done == ("k1",)
    assert wire.calls == ["submit", "find", "submit", "confirm"]
    assert erp.health()["orders"] == 1


def test_delays_double_and_a_person_gets_it_after_the_last_try(
    operations: Operations, wire: Wire, clock: Clock
) -> None:
    operations.enqueue(queued(placing("k1")))
    outbox = Outbox(operations, wire)
    wire.before = [Retryable("Busy.", remedy="Wait.")] * 20
    tries, waited = 0, 0
    while row_of(operations, "k1").status == "queued":
        tries += len(outbox.drain().attempts)
        clock.wait(1)
        waited += 1
    assert tries == MAX_ATTEMPTS
    assert waited == pytest.approx(2 + 4 + 8 + 16 + 32 + 64 + 128, abs=10)
    assert row_of(operations, "k1").status == "failed"


def test_in_doubt_twice_running_goes_to_a_person(operations: Operations, wire: Wire, clock: Clock) -> None:
    operations.enqueue(queued(placing("k1")))
    outbox = Outbox(operations, wire)
    wire.before = [InDoubt("No answer.", remedy="Look it up.")] * 2
    assert outbox.drain().retried == ("k1",)
    clock.wait(10)
    assert outbox.drain().failed == ("k1",)
    assert "JIT-411" in (row_of(operations, "k1").error or "")


def test_a_conflict_adopts_the_record_that_carries_the_key(operations: Operations, wire: Wire, erp: SandboxErp) -> None:
    operations.enqueue(queued(placing("k1")))
    wire.after = [ConflictFound("Duplicate key.", remedy="Adopt it.")]
    assert Outbox(operations, wire).drain().done == ("k1",)
    assert erp.health()["orders"] == 1


def test_a_conflict_with_nothing_under_our_key_goes_to_a_person(operations: Operations, wire: Wire) -> None:
    operations.enqueue(queued(placing("k1")))
    wire.before = [ConflictFound("Changed meanwhile.", remedy="Read it.")]
    assert Outbox(operations, wire).drain().failed == ("k1",)


def test_a_refusal_stops_its_own_action_and_no_other(operations: Operations, wire: Wire) -> None:
    operations.enqueue(queued(placing("k1")))
    operations.enqueue(queued(placing("k2")))
    wire.before = [Permanent("No such supplier.", remedy="Correct it.")]
    report = Outbox(operations, wire).drain()
    assert (report.failed, report.done) == (("k1",), ("k2",))


def test_refused_credentials_stop_everything_and_lose_nothing(operations: Operations, wire: Wire, clock: Clock) -> None:
    operations.enqueue(queued(placing("k1")))
    operations.enqueue(queued(placing("k2")))
    wire.before = [AuthFailed("Key expired.", remedy="Renew it.")]
    report = Outbox(operations, wire).drain()
    assert (report.retried, "Key expired" in report.stopped, wire.calls) == (("k1",), True, ["submit"])
    clock.wait(301)
    assert set(Outbox(operations, wire).drain().done) == {"k1", "k2"}


def test_nothing_leaves_while_dispatch_is_halted(operations: Operations, erp: SandboxErp) -> None:
    operations.enqueue(queued(placing("k1")))
    operations.set_flag(HALTED_FLAG, "ana")
    assert Outbox(operations, erp).drain().halted
    assert erp.health()["orders"] == 0
    operations.set_flag(HALTED_FLAG, "")
    assert Outbox(operations, erp).drain().done == ("k1",)


def test_a_payload_that_makes_no_sense_goes_to_a_person(operations: Operations, erp: SandboxErp) -> None:
    operations.enqueue(OutboxRow("k1", "run-1", "run-1/S1", "place", {"kind": "place"}))
    operations.enqueue(OutboxRow("k2", "run-1", "run-1/S1", "amend", {"kind": "amend", "erp_ref": "X"}))
    assert Outbox(operations, erp).drain().failed == ("k1", "k2")


def test_what_an_erp_cannot_do_is_not_asked_of_it(operations: Operations, wire: Wire, erp: SandboxErp) -> None:
    class PlacesOnly(Wire):
        def capabilities(self) -> Capabilities:
            return Capabilities(name="small", unique_keys=True, kinds=frozenset({ActionKind.PLACE}))

    operations.enqueue(queued(changing("x1", ActionKind.EXPEDITE, "SB000001")))
    assert Outbox(operations, PlacesOnly(erp)).drain().failed == ("x1",)


def test_changes_go_through_the_same_door(operations: Operations, erp: SandboxErp) -> None:
    operations.enqueue(queued(placing("k1")))
    operations.enqueue(queued(changing("a1", ActionKind.AMEND, "SB000001", OrderChange(quantity=70))))
    operations.enqueue(queued(changing("e1", ActionKind.EXPEDITE, "SB000001")))
    operations.enqueue(queued(changing("h1", ActionKind.HOLD, "SB000001")))
    operations.enqueue(queued(changing("c1", ActionKind.CANCEL, "SB000001/1")))
    assert Outbox(operations, erp).drain().done == ("k1", "a1", "e1", "h1", "c1")
    order = erp.get_status("SB000001")
    assert (order.status, order.lines[0].quantity) == (OpenOrderStatus.CANCELLED, 70)


def test_a_report_of_one_run_shows_only_that_run(operations: Operations, erp: SandboxErp) -> None:
    operations.enqueue(queued(placing("k1"), "run-1"))
    operations.enqueue(queued(placing("k2"), "run-2"))
    assert Outbox(operations, erp).drain("run-2").done == ("k2",)
    assert erp.health()["orders"] == 2


def test_every_attempt_is_a_journal_row(operations: Operations, wire: Wire, clock: Clock) -> None:
    operations.enqueue(queued(placing("k1")))
    rows = Rows()
    outbox = Outbox(operations, wire, rows)
    wire.before = [Retryable("Busy.", remedy="Wait.")]
    outbox.drain()
    clock.wait(3)
    outbox.drain()
    assert [(row.event, row.status, row.attempt, row.run_id) for row in rows.drafts] == [
        ("erp", "error", 1, "run-1"),
        ("erp", "ok", 2, "run-1"),
    ]
    assert rows.drafts[1].payload["erp_ref"] == "SB000001"


def _approved(operations: Operations) -> Order:
    """An order in the ledger that leaves by itself, with its action queued."""
    order = order_of("A", status=OrderStatus.APPROVED)
    plan = Plan(order.run_id, operations.supply_seq(), ["A"], {}, [order], queued_actions(order))
    assert operations.publish(plan) == (order,)
    return order


def _stands(operations: Operations, order: Order) -> OrderStatus:
    return operations.orders_for([order.order_key])[order.order_key].status


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


def _signed_and_sent(operations: Operations, erp: SandboxErp) -> Order:
    """An order that bob signed and that stands in the ERP."""
    order, window = order_of("A"), Window(date(2026, 3, 2), date(2026, 3, 29))
    operations.publish(Plan(order.run_id, operations.supply_seq(), ["A"], {("A", "MAIN"): window}, [order]))
    route = order.route
    operations.decide(
        Ruling(route.approval_id, "approve", "bob", "", route.content_hash, actions=queued_actions(order))
    )
    assert len(Outbox(operations, erp).drain().done) == 1
    return order


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
