"""What a database raises names its cause: full disk, broken file, out of reach; and it works on afterwards."""

import errno
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from serving import ballast, small_disk
from sqlalchemy.exc import IntegrityError

from erp.sandbox import SandboxErp
from erp.sandbox_tables import writing
from graph.run.checkpoints import open_checkpointer
from store.audit.journal import Journal, TransitionDraft
from store.faults import faults_named, storage_fault
from store.operations import Operations
from store.warehouse import Warehouse
from tools.domain.errors import DiskFull, FileBroken, StorageOutOfReach


def _draft(number: int) -> TransitionDraft:
    now = datetime.now(UTC)
    return TransitionDraft("r1", f"n{number}", "node", "ok", now, now, payload={"number": number})


def _bulky(rows: int) -> dict[str, dict[str, str]]:
    return {str(number): {"text": f"{number:08d}" * 200} for number in range(rows)}


def test_the_warehouse_opens_itself_anew_after_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk, Warehouse(disk / "w.duckdb") as warehouse:
        warehouse.put_artifacts("r1", "plan", _bulky(2000))
        with ballast(disk):
            with pytest.raises(DiskFull, match=r"warehouse cannot be written"):
                warehouse._run("CHECKPOINT")
            assert len(warehouse.artifacts("r1", "plan")) == 2000, "what is stored can be read meanwhile"
            with pytest.raises(DiskFull, match="No space is left"):
                warehouse.put_artifacts("r2", "plan", _bulky(2000))
        warehouse.put_artifacts("r2", "plan", _bulky(3))
        warehouse._run("CHECKPOINT")
        assert (len(warehouse.artifacts("r1", "plan")), len(warehouse.artifacts("r2", "plan"))) == (2000, 3)


def test_the_projector_goes_on_after_a_full_disk_and_the_journal_is_read_meanwhile(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 24) as disk,
        closing(Operations(f"sqlite:///{tmp_path}/o.sqlite")) as operations,
        Warehouse(disk / "w.duckdb") as warehouse,
    ):
        journal = Journal(operations, warehouse)
        journal.record(_draft(0))
        journal.project()
        with ballast(disk):
            for number in range(1, 400):
                journal.record(_draft(number))
            with pytest.raises(DiskFull):
                journal.project()
            assert [row.payload["number"] for row in journal.transitions("r1")] == list(range(400))
        journal.project()
        assert journal.verify().ok and journal.lag().rows == 0
        assert [row.payload["number"] for row in journal.transitions("r1")] == list(range(400))


def test_a_full_checkpoint_file_leaves_no_lock_on_the_other_tables(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk, closing(Operations(f"sqlite:///{disk}/o.sqlite")) as operations:
        saver, close = open_checkpointer(operations)
        try:
            _fail_to_write(saver, disk)
            operations.set_flag("halted", "ana")
            assert operations.flag("halted") == "ana"
            _write(saver, "after")
            assert saver.get({"configurable": {"thread_id": "after", "checkpoint_ns": ""}}) is not None
        finally:
            close()


def _write(saver: object, thread_id: str, letters: int = 10) -> None:
    config = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
    checkpoint = {"v": 4, "id": "1", "ts": "", "channel_values": {"text": "x" * letters}, "channel_versions": {}}
    saver.put(config, {**checkpoint, "versions_seen": {}}, {}, {})  # type: ignore[attr-defined] # any saver


def _fail_to_write(saver: object, disk: Path) -> None:
    with ballast(disk), pytest.raises(DiskFull, match="checkpoints"):
        for number in range(1000):
            _write(saver, f"t{number}", 1 << 18)


def test_the_sandbox_erp_takes_its_next_change_after_a_full_one(tmp_path: Path) -> None:
    with closing(SandboxErp(tmp_path / "erp.sqlite")) as erp:
        (pages,) = erp._db.execute("PRAGMA page_count").fetchone()
        erp._db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(DiskFull), writing(erp._db) as connection:
            connection.executemany("INSERT INTO master VALUES ('items', ?, ?, '')", [(n, "x" * 999) for n in range(99)])
        erp._db.execute("PRAGMA max_page_count = 100000")
        with writing(erp._db) as connection:
            connection.execute("INSERT INTO master VALUES ('items', 'A', '', '')")
        assert erp._db.execute("SELECT count(*) FROM master").fetchone()[0] == 1


def test_two_changes_together_are_one(tmp_path: Path) -> None:
    with closing(Operations(f"sqlite:///{tmp_path}/o.sqlite")) as operations:
        with pytest.raises(ZeroDivisionError), operations.together():
            operations.set_flag("halted", "ana")
            operations.stage("d1", "r1", "{}")
            raise ZeroDivisionError
        assert operations.flag("halted") is None and operations.staged() == []
        with operations.together():
            operations.set_flag("halted", "ana")
            assert operations.flag("halted") == "ana", "it sees what it has changed"
            operations.stage("d1", "r1", "{}")
        assert operations.flag("halted") == "ana" and len(operations.staged()) == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), DiskFull),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), DiskFull),
        (duckdb.IOException("IO Error: Could not write file: No space left on device"), DiskFull),
        (sqlite3.OperationalError("database or disk is full"), DiskFull),
        (sqlite3.DatabaseError("database disk image is malformed"), FileBroken),
        (sqlite3.DatabaseError("file is not a database"), FileBroken),
        (sqlite3.OperationalError("attempt to write a readonly database"), StorageOutOfReach),
        (sqlite3.OperationalError("database is locked"), StorageOutOfReach),
        (sqlite3.OperationalError("no such table: runs"), None),
        (ValueError("anything"), None),
    ],
)
def test_the_cause_is_told_apart_from_a_fault_of_ours(error: Exception, kind: type[Exception] | None) -> None:
    known = storage_fault(error, "The file", Path("/"))
    assert type(known) is (kind or type(None))
    assert known is None or known.remedy


def test_an_unknown_error_stays_what_it_is() -> None:
    with pytest.raises(IntegrityError), faults_named("The file", None, IntegrityError):
        raise IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed"))


@pytest.mark.parametrize("what", ["operations", "warehouse", "erp"])
def test_a_broken_file_is_named_with_the_remedy(tmp_path: Path, what: str) -> None:
    path = tmp_path / f"{what}.file"
    path.write_bytes(b"garbage" * 4096)
    with pytest.raises(FileBroken, match=path.name) as told:
        if what == "operations":
            Operations(f"sqlite:///{path}")
        elif what == "warehouse":
            Warehouse(path)
        else:
            SandboxErp(path, 7)
    assert "backup" in told.value.remedy
