"""Exchange files of a home for others that lie ready: to the end, whenever the process that began is killed."""

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from store.backup.backup_file import sync_folder
from store.faults import faults_named
from store.private import private_file, private_folder
from store.warehouse import WarehouseBusy
from tools.domain.errors import OutOfReach

STAGED = ".restoring"
"""Folder of the files that lie ready."""
NOTICE = "restore.json"
BESIDE = ("", "-wal", "-shm", ".wal")
"""What a database leaves beside its file: it goes with it."""


@dataclass(frozen=True, slots=True)
class Swap:
    """What is being exchanged. From the moment when its notice is on disk it is carried to the end."""

    name: str
    """Of the folder, or schema, that keeps what is replaced."""
    came_from: str
    actor: str
    made_at: str
    event: str
    files: tuple[str, ...]
    """Files of the home that give way, whether or not others take their places."""
    tables: bool = False
    """Whether the operations database in PostgreSQL is exchanged too."""
    migrations: tuple[str, ...] = ()
    """Those of that database."""
    reason: str = ""
    home_id: str = ""
    counters: Mapping[str, int] = field(default_factory=dict[str, int])
    """Where a database that is started afresh begins to count."""


@contextmanager
def alone(home: Path, warehouse: Path) -> Generator[None]:
    """Keep every other process from owning the home. WarehouseBusy when one does."""
    private_folder(home)
    with (home / ".restoring.lock").open("w") as guard, _locked_warehouse(warehouse):
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutOfReach("A restore of this home is under way.", remedy="Wait until it has ended.") from error
        yield


@contextmanager
def _locked_warehouse(path: Path) -> Generator[None]:
    """The lock that DuckDB itself takes on its file."""
    if not path.exists():
        yield
        return
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise WarehouseBusy(
                f"Another process owns {path}.", remedy="Stop the server, or wait for the command, and try again."
            ) from error
        yield


def staged_folder(home: Path) -> Path:
    """An empty folder for what lies ready; what a restore that never began left there is dropped."""
    folder = home / STAGED
    shutil.rmtree(folder, ignore_errors=True)
    private_folder(folder)
    return folder


def settle_logs(folder: Path) -> None:
    """Take the logs beside database files into them, so that each is one file."""
    for path in folder.glob("*.sqlite"):
        with faults_named("The file", path, sqlite3.Error), closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in folder.glob("*.duckdb"):
        with faults_named("The file", path, duckdb.Error), duckdb.connect(str(path)) as connection:
            connection.execute("CHECKPOINT")


def begin(home: Path, swap: Swap) -> None:
    """Write the notice: from now on the exchange is carried to its end."""
    sync_folder(home / STAGED)
    beside = home / f"{NOTICE}.part"
    private_file(beside)
    with beside.open("w", encoding="utf-8") as notice:
        json.dump(asdict(swap), notice)
        notice.flush()
        os.fsync(notice.fileno())
    beside.rename(home / NOTICE)
    sync_folder(home)


def begun(home: Path) -> Swap | None:
    """The exchange that was begun and has not ended."""
    try:
        stored: dict[str, Any] = json.loads((home / NOTICE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    files, migrations = tuple(stored.pop("files")), tuple(stored.pop("migrations"))
    return Swap(files=files, migrations=migrations, **stored)


def exchange_files(home: Path, swap: Swap) -> None:
    """Move what gives way into its folder, and what lies ready into its place; again from wherever it was cut off.

    A file is exchanged while it lies ready; one without a successor while its folder does not hold it.
    """
    aside, staged = home / swap.name, home / STAGED
    private_folder(aside)
    for name in swap.files:
        ready = staged / name
        if ready.exists() or not (aside / f"{name}.gone").exists():
            for suffix in BESIDE:
                old = home / f"{name}{suffix}"
                if old.exists():
                    old.rename(aside / old.name)
            if ready.exists():
                ready.rename(home / name)
            private_file(aside / f"{name}.gone")
    sync_folder(aside)
    sync_folder(home)


def end(home: Path, swap: Swap) -> None:
    """Nothing is left to do."""
    for name in swap.files:
        (home / swap.name / f"{name}.gone").unlink(missing_ok=True)
    (home / NOTICE).unlink()
    sync_folder(home)
    shutil.rmtree(home / STAGED, ignore_errors=True)
