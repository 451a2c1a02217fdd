"""The journal in one process: order, threads, lag and what a draft may hold."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from store.audit.chain import JournalHead, chain, verify_chain
from store.audit.journal import Journal, TransitionDraft
from store.operations import Operations
from store.warehouse import Warehouse
from tools.domain.errors import IntegrityBroken

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


@pytest.fixture
def journal(tmp_path: Path, warehouse: Warehouse) -> Iterator[Journal]:
    with closing(Operations(f"sqlite:///{tmp_path}/o.sqlite")) as operations:
        yield Journal(operations, warehouse)


def _draft(node: str = "sense", **changed: object) -> TransitionDraft:
    return replace(TransitionDraft("r1", node, "node", "ok", NOON, NOON), **changed)


def test_rows_keep_their_order_and_everything_the_draft_said(journal: Journal) -> None:
    journal.record(_draft("sense", payload={"rows": 14, "as_of": date(2013, 12, 31)}, versions={"data": "ds-1"}))
    journal.record(_draft("estimate", attempt=2, status="error", model="m", tokens_in=5))
    first, second = journal.transitions("r1")
    assert (first.seq, first.node, first.payload) == (1, "sense", {"rows": 14, "as_of": "2013-12-31"})
    assert (first.started_at, first.body["versions"]) == (NOON, {"data": "ds-1"})
    assert (second.attempt, second.status, second.body["tokens_in"]) == (2, "error", 5)
    assert second.prev_hash == first.hash
    assert journal.transitions("another run") == []


def test_parallel_recorders_lose_nothing(journal: Journal) -> None:
    journal.start_projector()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: journal.record(_draft(f"n{number}")), range(120)))
    journal.stop()
    assert sorted(row.node for row in journal.transitions()) == sorted(f"n{number}" for number in range(120))
    assert journal.verify().ok


def test_a_recorded_row_reaches_the_warehouse_within_a_second_by_itself(journal: Journal, warehouse: Warehouse) -> None:
    journal.start_projector()
    journal.record(_draft())
    deadline = time.monotonic() + 1.0
    while not warehouse.transitions() and time.monotonic() < deadline:
        time.sleep(0.02)
    found = len(warehouse.transitions())
    journal.stop()
    assert found == 1


def test_the_lag_counts_what_waits(journal: Journal) -> None:
    assert journal.lag() == (0, 0.0)
    journal.record(_draft())
    assert journal.lag().rows == 1
    assert journal.project() == 1
    assert journal.project() == 0
    assert journal.lag().rows == 0


def test_attempts_are_counted_by_task(journal: Journal) -> None:
    journal.record(_draft(attempt=1, checkpoint_ns="a:1", status="error"))
    journal.record(_draft(attempt=2, checkpoint_ns="a:1"))
    journal.record(_draft(event="route", attempt=9, checkpoint_ns="a:1"))
    journal.record(_draft(attempt=1, checkpoint_ns="b:1"))
    assert journal.attempts("r1") == {"a:1": 2, "b:1": 1}


def test_rows_that_do_not_follow_the_last_one_are_refused(warehouse: Warehouse) -> None:
    body = {"run_id": "r", "node": "n", "event": "node", "status": "ok", "started_at": NOON.isoformat()}
    warehouse.append_transitions(chain([("d1", body)], JournalHead()))
    with pytest.raises(IntegrityBroken):
        warehouse.append_transitions(chain([("d2", body)], JournalHead()))
    assert len(warehouse.transitions()) == 1


def test_a_chain_rewritten_from_the_start_differs_from_the_recorded_head() -> None:
    rows = chain([(f"d{number}", {"run_id": "r"}) for number in range(4)], JournalHead())
    forged = chain([(f"x{number}", {"run_id": "r"}) for number in range(4)], JournalHead())
    recorded = [JournalHead(rows[-1].seq, rows[-1].hash)]
    assert verify_chain(rows, recorded).ok
    assert verify_chain(forged).ok
    assert "written anew" in verify_chain(forged, recorded).reason


@pytest.mark.parametrize(
    "change", ["run_id = 'another'", "status = 'error'", "node = 'x'", "started_at = started_at + INTERVAL 1 HOUR"]
)
def test_a_row_filed_under_other_columns_than_its_hash_covers_is_found(tmp_path: Path, change: str) -> None:
    path = tmp_path / "w.duckdb"
    rows = chain([(f"d{number}", asdict(_draft()) | _times()) for number in range(3)], JournalHead())
    with Warehouse(path) as warehouse:
        warehouse.append_transitions(rows)
        assert warehouse.verify_journal().ok
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"UPDATE transitions SET {change} WHERE seq = 2")  # noqa: S608
    with Warehouse(path) as warehouse:
        check = warehouse.verify_journal()
    assert (check.ok, check.first_broken_seq) == (False, 2)
    assert "Row 2 is filed under" in check.reason


def _times() -> dict[str, str]:
    return {"started_at": NOON.isoformat(), "ended_at": NOON.isoformat()}
