"""The DuckDB file under the warehouse: who owns it, its migrations, and its transactions."""

import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from store.migrations import NewerHome, newer_home, refuse_newer
from store.schema import MIGRATIONS
from tools.domain.errors import OutOfReach

PATIENCE_SECONDS = 5.0
"""How long a command waits for the one before it."""
COMPRESSED_FROM_CHARACTERS = 256
"""Texts of this mean length (artifacts, journal rows) are stored with zstd, a quarter of their size; DuckDB's own
threshold of 4096 leaves them as they are."""


class WarehouseBusy(OutOfReach):
    """Another process owns the warehouse file."""

    code = "JIT-401"


class DuckFile:
    """Owns the DuckDB file of this process. One lock: DuckDB connections are not shared between threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = _connected(path)
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(f"SET zstd_min_string_length = {COMPRESSED_FROM_CHARACTERS}")
        self._refuse_newer()
        self._migrate()

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _refuse_newer(self) -> None:
        """NewerHome, with the file let go, when this version does not know all of its tables."""
        if not self._all("SELECT 1 FROM information_schema.tables WHERE table_name = 'migrations'"):
            return
        found = [str(name) for (name,) in self._all("SELECT name FROM migrations")]
        try:
            refuse_newer(found, [name for name, _ in MIGRATIONS], "the warehouse")
        except NewerHome:
            self.close()
            raise

    def _migrate(self) -> None:
        self._run("CREATE TABLE IF NOT EXISTS migrations (name VARCHAR PRIMARY KEY)")
        known = {name for (name,) in self._all("SELECT name FROM migrations")}
        for name, statements in MIGRATIONS:
            if name not in known:
                with self._transaction():
                    for statement in statements:
                        self._connection.execute(statement)
                    self._connection.execute("INSERT INTO migrations VALUES (?)", [name])

    @contextmanager
    def _transaction(self) -> Generator[None]:
        """All or nothing; whatever interrupts the block, a signal included, rolls it back."""
        with self._lock:
            self._connection.begin()
            try:
                yield
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()

    def _run(self, sql: str, values: Sequence[Any] = ()) -> None:
        with self._lock:
            self._connection.execute(sql, list(values))

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, list(values)).fetchall()

    def _append(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._connection.appender(table) as appender:
            appender.append_rows(list(rows))


def _connected(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection; waits a little for another process that is about to let go of the file."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return duckdb.connect(str(path))
        except duckdb.IOException as error:
            if "lock" not in str(error) or time.monotonic() >= until:
                raise _refusal(path, error) from error
            time.sleep(0.1)


def _refusal(path: Path, error: duckdb.IOException) -> OutOfReach:
    if "lock" in str(error):
        return WarehouseBusy(
            f"Another process owns {path}.",
            remedy="Use the running server (`jit` does so by itself when it answers), or end that process.",
        )
    if "storage version number" in str(error):
        return newer_home(f"DuckDB here cannot read the format of {path}")
    remedy = "Check that the folder is writable and that the file is a DuckDB file."
    return OutOfReach(f"The warehouse {path} cannot be opened: {error}.", remedy=remedy)
