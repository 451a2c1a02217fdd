"""One conformance suite over every operations database: SQLite and PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from order_cases import order_of

from store.operations import JournalHead, Operations, OperationsOutOfReach, OutboxRow, Plan
from tools.domain.errors import BadInput, Conflict, NotFound


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = datetime(2024, 5, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def operations(operations_url: str, clock: Clock) -> Iterator[Operations]:
    with closing(Operations(operations_url, clock=clock)) as opened:
        yield opened


def _action(run_id: str) -> OutboxRow:
    return OutboxRow(f"key-{uuid4().hex}", run_id, "S1|MAIN", "place", {"quantity": 10})


def test_a_run_goes_from_running_to_done_with_its_summary(operations: Operations) -> None:
    run_id = f"run-{uuid4().hex}"
    operations.create_run(run_id, {"kind": "cli", "item_ids": ["A"]}, "ann", "ds-1-x", {"policy": "p1"})
    operations.create_run(run_id, {"kind": "other"}, "bob", "ds-2-y", {})
    assert operations.run(run_id).status == "running"
    operations.set_run_status(run_id, "done", {"lines": 3})
    stored = operations.run(run_id)
    assert (stored.status, stored.actor, stored.summary) == ("done", "ann", {"lines": 3})
    assert stored.trigger["item_ids"] == ["A"]
    assert stored.ended_at is not None
    assert run_id in [run.run_id for run in operations.runs(1000)]
    with pytest.raises(NotFound):
        operations.run("nowhere")


def test_a_replayed_message_is_refused(operations: Operations) -> None:
    message_id = uuid4().hex
    assert operations.receive(message_id, "alert", {"node": "S1"}, "webhook")
    assert not operations.receive(message_id, "alert", {"node": "S2"}, "webhook")
    taken = operations.take_inbox(60)
    assert taken is not None
    assert taken.payload == {"node": "S1"}
    operations.finish_inbox(taken.message_id, run_id="r1")
    assert next(row for row in operations.inbox(10) if row.message_id == message_id).status == "done"


def test_a_message_whose_worker_died_is_taken_again_after_its_lease(operations: Operations, clock: Clock) -> None:
    message_id = uuid4().hex
    operations.receive(message_id, "alert", {}, "webhook")
    first = operations.take_inbox(30)
    assert first is not None
    assert operations.take_inbox(30) is None
    clock.advance(31)
    again = operations.take_inbox(30)
    assert again is not None
    assert (again.message_id, again.attempts) == (message_id, 2)
    operations.finish_inbox(message_id, error="no such node")
    assert operations.take_inbox(30) is None


def test_an_action_is_queued_once_and_done_once(operations: Operations) -> None:
    action = _action("run-out")
    assert operations.enqueue(action)
    assert not operations.enqueue(replace(action, payload={"quantity": 99}))
    (leased,) = operations.lease(10, 60)
    assert (leased.payload, leased.attempts) == ({"quantity": 10}, 1)
    assert operations.lease(10, 60) == []
    operations.complete(action.action_key, "PO-1", {"state": "confirmed"})
    (done,) = operations.outbox(run_id="run-out", status="done")
    assert (done.erp_ref, done.response) == ("PO-1", {"state": "confirmed"})
    with pytest.raises(NotFound):
        operations.complete("nowhere", "PO-2", {})


def test_a_retried_action_waits_its_delay_and_an_expired_lease_is_leased_again(
    operations: Operations, clock: Clock
) -> None:
    action = _action("run-retry")
    operations.enqueue(action)
    operations.lease(10, 60)
    operations.retry_later(action.action_key, "timeout", 20)
    assert operations.lease(10, 60) == []
    clock.advance(21)
    assert [row.attempts for row in operations.lease(10, 60)] == [2]
    clock.advance(61)
    assert [row.attempts for row in operations.lease(10, 60)] == [3]
    operations.fail(action.action_key, "no such supplier")
    clock.advance(61)
    assert operations.lease(10, 60) == []
    assert operations.outbox(run_id="run-retry")[0].error == "no such supplier"


def test_workers_that_lease_at_once_never_share_an_action(operations: Operations) -> None:
    keys = [_action("run-many") for _ in range(24)]
    for action in keys:
        operations.enqueue(action)
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: operations.lease(5, 60), range(8)))
    leased = [row.action_key for batch in batches for row in batch]
    leased += [row.action_key for row in operations.lease(50, 60)]
    assert sorted(leased) == sorted(action.action_key for action in keys)


def test_only_the_hash_of_a_key_is_stored_and_a_link_works_once(
    operations: Operations, clock: Clock, tmp_path: Path
) -> None:
    name = f"ann-{uuid4().hex}"
    key = operations.add_user(name, "buyer")
    user = operations.user_by_key(key)
    assert user is not None
    assert (user.name, user.role) == (name, "buyer")
    assert operations.user_by_key("jit_guess") is None
    token = operations.issue_link(name, 60)
    assert operations.redeem_link(token) == user
    assert operations.redeem_link(token) is None
    late = operations.issue_link(name, 60)
    clock.advance(61)
    assert operations.redeem_link(late) is None
    with pytest.raises(Conflict):
        operations.add_user(name, "admin")
    with pytest.raises(BadInput, match="no role"):
        operations.add_user("kim", "king")


def test_flags_and_conversations_are_kept(operations: Operations) -> None:
    assert operations.flag("unset") is None
    operations.set_flag("halted", True)
    operations.set_flag("halted", {"by": "ann"})
    assert operations.flag("halted") == {"by": "ann"}
    talk = uuid4().hex
    operations.add_message(talk, "user", "why so many of A?", {})
    operations.add_message(talk, "assistant", "because", {"sources": ["plan"]})
    kept = operations.messages(talk)
    assert [(message.role, message.text) for message in kept] == [
        ("user", "why so many of A?"),
        ("assistant", "because"),
    ]
    assert kept[1].payload == {"sources": ["plan"]}


def test_journal_rows_leave_staging_only_by_their_ids(operations: Operations) -> None:
    for name in ("a", "b", "c"):
        operations.stage(name, f"run-{name}", "{}")
    first, second, third = operations.staged(10)
    assert [row.draft_id for row in operations.staged(10, run_id="run-b")] == ["b"]
    operations.unstage([first.id, third.id], JournalHead(2, "x"))
    operations.unstage([], JournalHead(2, "x"))
    assert operations.staged(10) == [second]
    assert operations.staged_count()[0] == 1
    assert operations.journal_heads() == [JournalHead(2, "x")]


def test_everything_pending_is_there_when_the_database_is_opened_again(
    operations_url: str, operations: Operations
) -> None:
    order = order_of("kept", run_id=f"run-{uuid4().hex}")
    operations.publish(Plan(order.run_id, operations.supply_seq(), ["kept"], {}, [order]))
    with closing(Operations(operations_url)) as reopened:
        approval_id = order.route.approval_id
        assert reopened.approval(approval_id) == operations.approval(approval_id)
        assert reopened.orders_of(order.run_id) == [order]


def test_the_checkpointer_gets_what_its_saver_opens(operations: Operations) -> None:
    address = operations.checkpointer_url
    assert address.startswith("postgresql://") or Path(address).is_file()


def test_a_database_that_does_not_answer_is_out_of_reach(tmp_path: Path) -> None:
    with pytest.raises(OperationsOutOfReach, match="JIT_DATABASE_URL") as refused:
        Operations(f"postgresql://nobody@/none?host={tmp_path}")
    assert refused.value.exit_code == 3
