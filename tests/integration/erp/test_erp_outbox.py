"""The outbox between the real operations database and the real sandbox ERP, over a wire that fails on purpose."""

import pytest
from integration.erp.outbox_wire import Clock, Rows, Wire, row_of
from sandbox_world import changing, placing, queued

from erp.adapter import (
    ActionKind,
    AuthFailed,
    Capabilities,
    ConflictFound,
    InDoubt,
    OrderChange,
    Permanent,
    Retryable,
)
from erp.outbox import HALTED_FLAG, MAX_ATTEMPTS, Outbox
from erp.sandbox import SandboxErp
from store.operations import Operations, OutboxRow
from tools.domain.orders import OpenOrderStatus


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
