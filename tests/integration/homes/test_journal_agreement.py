"""The journal is compared with runs, decisions and ERP actions, so that rewriting its chain is not enough."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from demo_home import demo_session, settings_of
from postgres_cluster import postgres_cluster

from graph.session import open_session
from store.audit.chain import JournalHead, Transition, chain
from store.audit.journal import Journal
from store.operations import Operations
from store.warehouse import Warehouse
from terminal.timeline import show_check


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run that waits, with an approved and a rejected order and orders that left by themselves."""
    folder = tmp_path_factory.mktemp("journal")
    with demo_session(folder) as session:
        approved, rejected, *_ = session.pending()
        session.decide(approved.approval_id, "approve", "bob")
        session.decide(rejected.approval_id, "reject", "bob", "too much")
        assert session.verify_journal().ok
    yield folder / "home"


def _verified(home: Path) -> tuple[bool, str]:
    """What the stored rows tell, without a session that would go on with the work."""
    path = f"sqlite:///{home}/operations.sqlite"
    with closing(Operations(path)) as operations, Warehouse(home / "warehouse.duckdb") as warehouse:
        journal = Journal(operations, warehouse)
        check, found = journal.verify(), journal.agreement()
    return check.ok and not found.differences, " ".join([check.reason, *found.differences])


def _rewritten(home: Path, kept: Callable[[Transition], bool]) -> None:
    """The rows that are kept, chained anew, and the operations database's only head to match."""
    path = home / "warehouse.duckdb"
    with Warehouse(path) as warehouse:
        rows = chain([(row.draft_id, row.body) for row in warehouse.transitions() if kept(row)], JournalHead())
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM transitions")
    with Warehouse(path) as warehouse:
        warehouse.append_transitions(rows)
    _execute(home, "DELETE FROM journal_heads")
    if rows:
        sql = "INSERT INTO journal_heads (seq, hash, row_count, recorded_at) VALUES (?, ?, ?, '')"
        _execute(home, sql, (rows[-1].seq, rows[-1].hash, len(rows)))


def _execute(home: Path, sql: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(home / "operations.sqlite")) as raw, raw:
        raw.execute(sql, values)


def _forged_row(home: Path) -> None:
    with Warehouse(home / "warehouse.duckdb") as warehouse:
        last = warehouse.transitions()[-1]
        body = {**last.body, "node": "outbox"}
        warehouse.append_transitions(chain([("forged", body)], warehouse.journal_head()))


def _edited_row(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("UPDATE transitions SET body = replace(body, 'bob', 'eve')")


def _cut_tail(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("DELETE FROM transitions WHERE seq > (SELECT max(seq) - 5 FROM transitions)")


def _emptied_with_its_heads(home: Path) -> None:
    _rewritten(home, lambda _: False)


def _removed_file(home: Path) -> None:
    (home / "warehouse.duckdb").unlink()


def _removed_file_and_heads(home: Path) -> None:
    _removed_file(home)
    _execute(home, "DELETE FROM journal_heads")


def _decisions_left_out(home: Path) -> None:
    _rewritten(home, lambda row: row.node != "await_approval")


def _dispatch_left_out(home: Path) -> None:
    _rewritten(home, lambda row: row.event != "erp")


def _another_decider(home: Path) -> None:
    _execute(home, "UPDATE approvals SET decided_by = 'eve' WHERE decision = 'approve'")


def _run_without_rows(home: Path) -> None:
    columns = "trigger_json, actor, dataset_version, versions, summary, created_at, ended_at"
    copied = f"INSERT INTO runs (run_id, status, {columns}) SELECT 'run-forged', 'done', {columns} FROM runs"  # noqa: S608
    _execute(home, copied)


def _forgotten_run(home: Path) -> None:
    _execute(home, "DELETE FROM runs")


def _forgotten_action(home: Path) -> None:
    _execute(home, "DELETE FROM outbox")


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        (_forged_row, "another hand added it"),
        (_edited_row, "does not match its hash"),
        (_cut_tail, "its tail is missing"),
        (_emptied_with_its_heads, "left no row in the journal"),
        (_removed_file, "ends at row 0"),
        (_removed_file_and_heads, "left no row in the journal"),
        (_decisions_left_out, "Decision ap-"),
        (_dispatch_left_out, "ERP action "),
        (_another_decider, "Decision ap-"),
        (_run_without_rows, "Run run-forged left no row in the journal"),
        (_forgotten_run, "unknown to the operations database"),
        (_forgotten_action, "was never in the outbox"),
    ],
)
def test_every_kind_of_tampering_with_one_database_is_found(
    tmp_path: Path, home: Path, tampering: Callable[[Path], None], told: str
) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    tampering(copy)
    ok, reason = _verified(copy)
    assert not ok
    assert told in reason, reason


def test_the_sentence_counts_what_was_compared_and_says_what_it_cannot_know(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(home, tmp_path / "home")
    with closing(open_session(settings_of(tmp_path / "home"))) as session:
        check = session.verify_journal()
        session._parts.operations._change("UPDATE approvals SET decided_by = 'eve' WHERE decision = 'approve'", {})
        changed = session.verify_journal()
    assert not changed.ok and "Decision ap-" in changed.sentence
    assert check.ok and check.uncounted_rows == 0 and (check.runs, check.decisions) == (1, 2) and check.actions > 1
    show_check(check)
    told = " ".join(capsys.readouterr().out.split())
    assert f"in agreement with 1 run, 2 decisions and {check.actions} ERP actions" in told
    assert "can rewrite both" in told and check.head_hash in told


def test_the_comparison_reads_what_postgres_knows_too(tmp_path: Path) -> None:
    with postgres_cluster() as url, demo_session(tmp_path, planned=False, database_url=url) as session:
        assert session.verify_journal().uncounted_rows == 1
        with closing(Operations(url)) as operations:
            operations.create_run("run-x", {"kind": "cli", "actor": "ana"}, "ana", "ds-1", {})
            assert session.verify_journal().ok
            session.halt("ana")
            assert "2 rows (1 of them from before rows were counted)" in session.verify_journal().sentence
            operations.set_run_status("run-x", "done")
        assert "Run run-x left no row" in session.verify_journal().reason
