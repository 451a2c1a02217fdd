"""The journal across sudden deaths and tampering: nothing lost, nothing twice, every change found."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from loaded_command import loaded_command

from store.audit.chain import chain
from store.audit.journal import Journal, TransitionDraft
from store.operations import Operations
from store.warehouse import Warehouse

DYING = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from store.audit.journal import Journal, TransitionDraft
from store.operations import Operations
from store.warehouse import Warehouse

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class DiesAfterCommit(Operations):
    unstage = die

class DiesBeforeCommit(Warehouse):
    append_transitions = die

home, moment, first, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
operations = (DiesAfterCommit if moment == "after" else Operations)(f"sqlite:///{home}/o.sqlite")
warehouse = (DiesBeforeCommit if moment == "before" else Warehouse)(home / "w.duckdb")
journal = Journal(operations, warehouse)
now = datetime.now(UTC)
for number in range(first, last):
    journal.record(TransitionDraft("r1", f"n{number}", "node", "ok", now, now, payload={"number": number}))
journal.project()
"""


def _draft(number: int) -> TransitionDraft:
    now = datetime.now(UTC)
    return TransitionDraft("r1", f"n{number}", "node", "ok", now, now, payload={"number": number})


@contextmanager
def _opened(home: Path) -> Iterator[tuple[Journal, Operations, Warehouse]]:
    with closing(Operations(f"sqlite:///{home}/o.sqlite")) as operations, Warehouse(home / "w.duckdb") as warehouse:
        yield Journal(operations, warehouse), operations, warehouse


def _killed(home: Path, moment: str, first: int, last: int) -> None:
    arguments = [str(home), moment, str(first), str(last)]
    done = loaded_command().run(["-c", DYING, *arguments], os.environ, home, 120)
    assert done.returncode == -9, done.stderr


def _written(home: Path, rows: int) -> None:
    with _opened(home) as (journal, _, _):
        for number in range(rows):
            journal.record(_draft(number))
        journal.project()


def _execute(home: Path, sql: str) -> None:
    with duckdb.connect(str(home / "w.duckdb")) as connection:
        connection.execute(sql)


@pytest.mark.parametrize("moments", [("after",), ("before", "after")])
def test_a_kill_around_the_commit_loses_no_row_and_repeats_none(tmp_path: Path, moments: tuple[str, ...]) -> None:
    for place, moment in enumerate(moments):
        _killed(tmp_path, moment, place * 20, place * 20 + 20)
    with _opened(tmp_path) as (journal, _, warehouse):
        journal.record(_draft(len(moments) * 20))
        assert [row.payload["number"] for row in journal.transitions()] == list(range(len(moments) * 20 + 1))
        assert [row.seq for row in warehouse.transitions()] == list(range(1, len(moments) * 20 + 2))
        assert journal.verify().ok
        assert journal.lag().rows == 0


def test_rows_committed_before_a_kill_are_not_taken_for_tampering(tmp_path: Path) -> None:
    _written(tmp_path, 5)
    _killed(tmp_path, "after", 5, 8)
    with _opened(tmp_path) as (journal, operations, _):
        assert [head.seq for head in operations.journal_heads()] == [5]
        assert journal.verify().ok


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE transitions SET body = replace(body, '\"number\":3', '\"number\":4') WHERE seq = 4",
        "UPDATE transitions SET hash = repeat('0', 64) WHERE seq = 4",
        "UPDATE transitions SET draft_id = 'other' WHERE seq = 4",
        "DELETE FROM transitions WHERE seq = 4",
    ],
)
def test_a_row_that_was_changed_or_removed_is_found(tmp_path: Path, change: str) -> None:
    _written(tmp_path, 9)
    _execute(tmp_path, change)
    with _opened(tmp_path) as (journal, _, warehouse):
        for check in (journal.verify(), warehouse.verify_journal()):
            assert not check.ok
            assert check.first_broken_seq == 4
            assert "Row 4" in check.reason


def test_a_cut_tail_is_found_by_the_recorded_head(tmp_path: Path) -> None:
    _written(tmp_path, 9)
    _execute(tmp_path, "DELETE FROM transitions WHERE seq > 6")
    with _opened(tmp_path) as (journal, _, warehouse):
        assert warehouse.verify_journal().ok
        check = journal.verify()
    assert (check.ok, check.first_broken_seq) == (False, 7)
    assert "its tail is missing" in check.reason


def test_rows_written_after_a_cut_do_not_cover_it_up(tmp_path: Path) -> None:
    _written(tmp_path, 9)
    _execute(tmp_path, "DELETE FROM transitions WHERE seq > 6")
    _written(tmp_path, 5)
    with _opened(tmp_path) as (journal, _, warehouse):
        assert warehouse.verify_journal().ok
        check = journal.verify()
    assert (check.ok, check.first_broken_seq) == (False, 9)
    assert "written anew" in check.reason


def test_an_installation_whose_operations_database_was_renewed_goes_on_with_the_chain(tmp_path: Path) -> None:
    _written(tmp_path, 4)
    for file in tmp_path.glob("o.sqlite*"):
        file.unlink()
    _written(tmp_path, 4)
    with _opened(tmp_path) as (journal, _, _):
        assert [row.seq for row in journal.transitions()] == list(range(1, 9))
        assert journal.verify().ok


def _append_forged(home: Path, **changed: object) -> None:
    """A row after the last one, with the hash that it has to have."""
    with Warehouse(home / "w.duckdb") as warehouse:
        head, now = warehouse.journal_head(), datetime.now(UTC).isoformat()
        body = {"run_id": "r1", "node": "forged", "event": "node", "status": "ok", "started_at": now, **changed}
        warehouse.append_transitions(chain([("forged", body)], head))


def test_a_row_appended_by_another_hand_is_found_though_its_hash_is_right(tmp_path: Path) -> None:
    _written(tmp_path, 9)
    _append_forged(tmp_path)
    with _opened(tmp_path) as (journal, _, warehouse):
        assert warehouse.verify_journal().ok
        check = journal.verify()
    assert (check.ok, check.first_broken_seq) == (False, 10)
    assert "another hand added it" in check.reason


def test_rows_written_after_an_appended_one_do_not_cover_it_up(tmp_path: Path) -> None:
    _written(tmp_path, 9)
    _append_forged(tmp_path)
    _written(tmp_path, 5)
    with _opened(tmp_path) as (journal, _, _):
        check = journal.verify()
    assert (check.ok, check.first_broken_seq) == (False, 10)
    assert "Rows 10 to 15 are 6, but 5 were written" in check.reason


def test_an_appended_row_is_found_behind_rows_whose_record_a_kill_cut_off(tmp_path: Path) -> None:
    _written(tmp_path, 5)
    _killed(tmp_path, "after", 5, 8)
    _append_forged(tmp_path)
    with _opened(tmp_path) as (journal, _, _):
        check = journal.verify()
    assert (check.ok, check.first_broken_seq) == (False, 6)
    assert "Rows 6 to 9 are 4, but 3 were written" in check.reason


def test_a_staging_table_that_was_emptied_before_its_rows_were_recorded_is_found(tmp_path: Path) -> None:
    _written(tmp_path, 5)
    _killed(tmp_path, "after", 5, 8)
    with closing(sqlite3.connect(tmp_path / "o.sqlite")) as raw, raw:
        raw.execute("DELETE FROM journal_staging")
    with _opened(tmp_path) as (journal, _, _):
        check = journal.verify()
    assert (check.ok, check.first_broken_seq) == (False, 6)
    assert "never handed to the journal" in check.reason


def test_a_removed_warehouse_file_is_found(tmp_path: Path) -> None:
    _written(tmp_path, 9)
    (tmp_path / "w.duckdb").unlink()
    with _opened(tmp_path) as (journal, _, _):
        check = journal.verify()
    assert (check.ok, check.first_broken_seq) == (False, 1)
    assert "ends at row 0, but row 9 was written" in check.reason
