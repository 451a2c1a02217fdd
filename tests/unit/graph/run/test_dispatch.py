"""One attempt at an action, whatever the ERP answers: what is asked of it, what is stored, and what is told."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from dispatch_cases import SENT, Answer, Erp, Queue, Rows, outbox_of
from sandbox_world import changing, placing, queued

from erp.adapter import ActionKind, AuthFailed, ConflictFound, ErpOrder, InDoubt, OrderChange, Permanent, Retryable
from erp.outbox import Dispatched, DispatchReport
from store.audit.journal import TransitionDraft
from store.operations import OutboxRow
from tools.domain.errors import JitError, StorageOutOfReach
from tools.domain.orders import OpenOrderStatus

BUSY = Retryable("Busy.", remedy="Wait.")
LOST = InDoubt("No answer.", remedy="Look it up.")
TAKEN = ConflictFound("Duplicate key.", remedy="Adopt it.")
REFUSED = Permanent("No such supplier.", remedy="Correct it.")
LOCKED_OUT = AuthFailed("Key expired.", remedy="Renew it.")
DRAFT = ErpOrder(erp_ref="SB-1", key="k1", status=OpenOrderStatus.DRAFT)
ROW = replace(queued(placing("k1")), attempts=1)
NO_KIND = frozenset[ActionKind]()


def settled(row: OutboxRow, erp: Erp) -> tuple[Any, ...]:
    """What the operations database is told of one attempt."""
    queue = Queue(row)
    outbox_of(queue, erp).drain()
    (told,) = queue.named("complete", "later", "fail")
    return told


def test_an_attempt_is_stored_in_one_transaction_with_its_journal_row_and_the_erps_counter() -> None:
    queue = Queue(ROW)
    outbox_of(queue, Erp(submit=[SENT]), journal=Rows(queue), erp_changes=lambda: 7, lease_seconds=5.0).drain()
    assert queue.calls == [
        ("lease", 1, 5.0),
        ("begin",),
        ("complete", "k1", "SB-1", SENT.model_dump(mode="json")),
        ("changes", 7),
        ("journal",),
        ("end",),
        ("lease", 1, 5.0),
    ]
    assert type(queue.calls[2][3]["status"]) is str


def test_an_action_is_leased_for_a_minute_and_an_erp_without_a_counter_counts_nothing() -> None:
    queue = Queue(ROW)
    outbox_of(queue, Erp(submit=[SENT])).drain()
    assert queue.named("lease", "changes") == [("lease", 1, 60.0), ("changes", 0), ("lease", 1, 60.0)]


@pytest.mark.parametrize(
    ("attempts", "delay"), [(1, 2.0), (2, 4.0), (3, 8.0), (4, 16.0), (5, 32.0), (6, 64.0), (7, 128.0)]
)
def test_a_delay_doubles_with_every_attempt(attempts: int, delay: float) -> None:
    told = settled(replace(ROW, attempts=attempts), Erp(submit=[BUSY], find_by_key=[None]))
    assert told == ("later", "k1", str(BUSY), delay, False, attempts)


@pytest.mark.parametrize("attempts", [8, 9])
def test_the_eighth_attempt_is_the_last(attempts: int) -> None:
    queue = Queue(replace(ROW, attempts=attempts))
    report = outbox_of(queue, Erp(submit=[BUSY], find_by_key=[None])).drain()
    assert queue.named("complete", "later", "fail") == [("fail", "k1", str(BUSY), False, attempts)]
    assert report.attempts == (Dispatched("k1", "run-1", "run-1/S1", "failed", None, str(BUSY)),)


@pytest.mark.parametrize(
    ("before", "outcome", "told"),
    [
        (str(LOST), LOST, "fail"),
        (str(LOST), BUSY, "later"),
        (str(BUSY), LOST, "later"),
        (f"Seen before: {LOST}", LOST, "later"),
        (None, LOST, "later"),
    ],
)
def test_only_doubt_twice_running_goes_to_a_person(before: str | None, outcome: JitError, told: str) -> None:
    row = replace(ROW, attempts=2, error=before)
    assert settled(row, Erp(submit=[outcome], find_by_key=[None, None]))[0] == told


@pytest.mark.parametrize(
    ("attempts", "answers", "told"),
    [
        (1, {"submit": [BUSY]}, ("later", "k1", str(BUSY), 2.0, False, 1)),
        (1, {"submit": [LOST], "find_by_key": [None]}, ("later", "k1", str(LOST), 2.0, True, 1)),
        (1, {"submit": [TAKEN], "find_by_key": [None]}, ("fail", "k1", str(TAKEN), True, 1)),
        (1, {"submit": [REFUSED]}, ("fail", "k1", str(REFUSED), False, 1)),
        (1, {"submit": [LOCKED_OUT]}, ("later", "k1", str(LOCKED_OUT), 300.0, False, 1)),
        (1, {"submit": [DRAFT], "confirm": [BUSY]}, ("later", "k1", str(BUSY), 2.0, True, 1)),
        (1, {"submit": [DRAFT], "confirm": [LOCKED_OUT]}, ("later", "k1", str(LOCKED_OUT), 300.0, True, 1)),
        (2, {"find_by_key": [BUSY]}, ("later", "k1", str(BUSY), 4.0, None, 2)),
        (2, {"find_by_key": [LOCKED_OUT]}, ("later", "k1", str(LOCKED_OUT), 300.0, None, 2)),
        (2, {"find_by_key": [None], "submit": [BUSY]}, ("later", "k1", str(BUSY), 4.0, False, 2)),
        (2, {"find_by_key": [None], "submit": [REFUSED]}, ("fail", "k1", str(REFUSED), False, 2)),
        (2, {"find_by_key": [DRAFT], "confirm": [BUSY]}, ("later", "k1", str(BUSY), 4.0, True, 2)),
        (
            1,
            {"submit": [DRAFT], "confirm": [REFUSED], "get_status": [DRAFT]},
            ("fail", "k1", str(REFUSED), True, 1),
        ),
    ],
)
def test_what_is_stored_says_whether_the_order_may_stand_in_the_erp(
    attempts: int, answers: dict[str, list[Answer]], told: tuple[Any, ...]
) -> None:
    assert settled(replace(ROW, attempts=attempts), Erp(**answers)) == told


@pytest.mark.parametrize(
    ("attempts", "answers", "asked"),
    [
        (1, {"submit": [SENT]}, ["submit"]),
        (1, {"submit": [DRAFT], "confirm": [SENT]}, ["submit", "confirm"]),
        (1, {"submit": [LOST], "find_by_key": [SENT]}, ["submit", "find_by_key"]),
        (1, {"submit": [TAKEN], "find_by_key": [SENT]}, ["submit", "find_by_key"]),
        (2, {"find_by_key": [SENT]}, ["find_by_key"]),
        (2, {"find_by_key": [DRAFT], "confirm": [SENT]}, ["find_by_key", "confirm"]),
        (2, {"find_by_key": [None], "submit": [SENT]}, ["find_by_key", "submit"]),
        *(
            (1, {"submit": [DRAFT], "confirm": [unsure], "get_status": [SENT]}, ["submit", "confirm", "get_status"])
            for unsure in (LOST, TAKEN, REFUSED)
        ),
    ],
)
def test_an_action_is_looked_up_before_it_is_sent_again_and_a_draft_is_released(
    attempts: int, answers: dict[str, list[Answer]], asked: list[str]
) -> None:
    erp = Erp(**answers)
    assert settled(replace(ROW, attempts=attempts), erp) == ("complete", "k1", "SB-1", SENT.model_dump(mode="json"))
    named = {"submit": (placing("k1"),), "find_by_key": ("k1",), "confirm": ("SB-1", "k1:confirm")}
    assert erp.calls == [(name, *named.get(name, ("SB-1",))) for name in asked]


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (ActionKind.AMEND, "amend"),
        (ActionKind.HOLD, "amend"),
        (ActionKind.EXPEDITE, "expedite"),
        (ActionKind.CANCEL, "cancel"),
    ],
)
def test_a_change_is_asked_for_once_and_releases_no_draft(kind: ActionKind, asked: str) -> None:
    action = changing("x1", kind, "SB-1", OrderChange(quantity=7) if kind is ActionKind.AMEND else None)
    erp = Erp(**{asked: [DRAFT]})
    assert settled(replace(queued(action), attempts=1), erp)[:3] == ("complete", "x1", "SB-1")
    assert erp.calls == [(asked, action)]


def test_the_rows_key_is_the_idempotency_key_whatever_the_payload_says() -> None:
    erp = Erp(submit=[SENT])
    settled(replace(ROW, action_key="k2"), erp)
    assert erp.calls == [("submit", placing("k2"))]


def test_what_an_erp_cannot_do_is_not_asked_of_it_and_a_person_is_told() -> None:
    erp, queue = Erp(), Queue()
    erp.kinds = NO_KIND
    row = replace(queued(changing("x1", ActionKind.EXPEDITE, "SB-1")), attempts=1)
    told = "[JIT-412] This ERP cannot expedite. Do it there by hand."
    assert settled(row, erp) == ("fail", "x1", told, False, 1)
    with pytest.raises(Permanent) as refused:
        outbox_of(queue, erp)._carry_out(row, cast(Any, SimpleNamespace(may_stand=False)))
    assert refused.value.context == {"action_key": "x1"}


def test_a_payload_that_makes_no_sense_is_given_up_with_what_is_wrong() -> None:
    told = settled(replace(ROW, payload={"kind": "place"}), Erp())
    assert (told[0], told[3:]) == ("fail", (False, 1))
    assert "an action that places names its order" in told[2] and told[2].endswith(" Correct the order.")


def test_a_report_tells_what_became_of_each_attempt() -> None:
    rows = [replace(queued(placing(f"k{n}"), f"run-{n % 2}"), attempts=1) for n in range(1, 5)]
    report = outbox_of(Queue(*rows), Erp(submit=[SENT, BUSY, REFUSED, LOCKED_OUT])).drain()
    assert report == DispatchReport(
        (
            Dispatched("k1", "run-1", "run-1/S1", "done", "SB-1", None),
            Dispatched("k2", "run-0", "run-0/S1", "retried", None, str(BUSY)),
            Dispatched("k3", "run-1", "run-1/S1", "failed", None, str(REFUSED)),
            Dispatched("k4", "run-0", "run-0/S1", "retried", None, str(LOCKED_OUT)),
        ),
        False,
        str(LOCKED_OUT),
    )
    assert (report.done, report.retried, report.failed) == (("k1",), ("k2", "k4"), ("k3",))


def test_a_drain_that_is_halted_under_way_ends_after_the_attempt_it_was_at() -> None:
    queue = Queue(ROW, replace(ROW, action_key="k2"))
    queue.halt_after = 1
    report = outbox_of(queue, Erp(submit=[SENT, SENT])).drain("another run")
    assert report == DispatchReport((), True, "")
    assert queue.named("complete") == [("complete", "k1", "SB-1", SENT.model_dump(mode="json"))]


def test_an_action_that_a_full_disk_cut_off_is_given_back_once_before_anything_else() -> None:
    queue = Queue(ROW)
    queue.out_of_space = 1
    outbox = outbox_of(queue, Erp(submit=[SENT]))
    with pytest.raises(StorageOutOfReach, match="No space"):
        outbox.drain()
    queue.calls.clear()
    for _ in range(2):
        outbox.drain()
    assert queue.calls == [("give back", "k1"), ("lease", 1, 60.0), ("lease", 1, 60.0)]


@pytest.mark.parametrize(
    ("answer", "status", "outcome", "erp_ref", "error"),
    [(SENT, "ok", "done", "SB-1", None), (BUSY, "error", "retried", None, str(BUSY))],
)
def test_the_journal_tells_the_whole_attempt(
    answer: Answer, status: str, outcome: str, erp_ref: str | None, error: str | None
) -> None:
    queue, before = Queue(replace(ROW, attempts=2, approval_id="ap-1")), datetime.now(UTC)
    rows = Rows(queue)
    outbox_of(queue, Erp(submit=[answer], find_by_key=[None]), journal=rows).drain()
    (draft,) = rows.drafts
    assert before <= draft.started_at <= draft.ended_at <= datetime.now(UTC)
    assert draft == TransitionDraft(
        run_id="run-1",
        node="outbox",
        event="erp",
        status=status,
        started_at=draft.started_at,
        ended_at=draft.ended_at,
        attempt=2,
        actor="outbox",
        payload={
            "action_key": "k1",
            "order_key": "run-1/S1",
            "kind": "place",
            "approval_id": "ap-1",
            "outcome": outcome,
            "erp_ref": erp_ref,
            "error": error,
        },
    )


@pytest.mark.parametrize(
    ("answer", "said"), [(SENT, "place k1: done SB-1"), (BUSY, f"place k1: retried {BUSY}")], ids=["done", "retried"]
)
def test_the_log_names_each_attempt(answer: Answer, said: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="erp.outbox"):
        settled(ROW, Erp(submit=[answer]))
    assert caplog.messages == [said]
