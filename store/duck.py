"""The DuckDB file under the warehouse: who owns it, its migrations, and its transactions."""

import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import duckdb

from store.faults import faults_named, storage_fault
from store.interrupts import interruptible
from store.migrations import newer_home, refuse_newer
from store.private import close_to_others, private_folder
from store.schema import MIGRATIONS
from tools.domain.errors import JitError, OutOfReach

PATIENCE_SECONDS = 5.0
"""How long a command waits for the one before it."""
COMPRESSED_FROM_CHARACTERS = 256
"""Texts of this mean length (artifacts, journal rows) are stored with zstd, a quarter of their size; DuckDB's own
threshold of 4096 leaves them as they are."""

ZONED = "TIMESTAMP WITH TIME ZONE"


class WarehouseBusy(OutOfReach):
    """Another process owns the warehouse file."""

    code = "JIT-401"


class DuckFile:
    """Owns the DuckDB file of this process. One lock: DuckDB connections are not shared between threads.

    A write that fails at a bad moment, on a full disk for example, makes DuckDB refuse everything until the file
    is opened anew: that is done here, at once or, when it fails as well, by whoever asks next.
    """

    def __init__(self, path: Path) -> None:
        with faults_named("The warehouse", path, OSError):
            private_folder(path.parent)
        self._path = path
        self._files = (path, path.with_name(f"{path.name}.wal"))
        self._lock = threading.RLock()
        self._opened: duckdb.DuckDBPyConnection | None = None
        try:
            self._refuse_newer()
            self._migrate()
        except JitError:
            self.close()
            raise
        self._close_to_others()

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()

    @contextmanager
    def still(self) -> Generator[None]:
        """Nobody writes or reads until the block ends."""
        with self._lock:
            yield

    def reader(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own, which sees one moment from its first reading in a transaction on."""
        with self._watched():
            return self._connection.cursor()

    def copy_to(self, target: Path, own: duckdb.DuckDBPyConnection) -> None:
        """Copy the file as a reader in its transaction sees it; what is there gives way to the whole new one.

        DuckDB copies by itself: whoever else opens and closes the file lets go of its lock.
        """
        part = target.with_name(f"{target.name}.part")
        with faults_named("The copy of the warehouse", part, duckdb.Error, OSError):
            part.unlink(missing_ok=True)
            quoted = str(part).replace("'", "''")
            ((name,),) = own.sql("SELECT current_database()").fetchall()
            own.execute(f"ATTACH '{quoted}' AS copied")
            own.execute(f'COPY FROM DATABASE "{name}" TO copied')
            own.commit()
            own.execute("DETACH copied")
            part.chmod(0o600)
            part.rename(target)

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """The open connection; opened anew when the one before was lost. Use it under the lock."""
        if self._opened is None:
            self._opened = _connected(self._path)
            self._opened.execute("SET TimeZone = 'UTC'")
            self._opened.execute(f"SET zstd_min_string_length = {COMPRESSED_FROM_CHARACTERS}")
        return self._opened

    @contextmanager
    def _watched(self) -> Generator[None]:
        """Hold the lock; name the cause of what DuckDB raises, and let go of a connection that it has given up."""
        with self._lock, faults_named("The warehouse", self._path, duckdb.Error, OSError), interruptible():
            try:
                yield
            except duckdb.FatalException:
                if self._opened is not None:
                    self._opened.close()
                    self._opened = None
                raise

    def _refuse_newer(self) -> None:
        """NewerHome when this version does not know all of its tables."""
        if not self._all("SELECT 1 FROM information_schema.tables WHERE table_name = 'migrations'"):
            return
        found = [str(name) for (name,) in self._all("SELECT name FROM migrations")]
        refuse_newer(found, [name for name, _ in MIGRATIONS], "the warehouse")

    def _migrate(self) -> None:
        self._run("CREATE TABLE IF NOT EXISTS migrations (name VARCHAR PRIMARY KEY)")
        known = {name for (name,) in self._all("SELECT name FROM migrations")}
        lacking = [name for name, _ in MIGRATIONS if name not in known]
        if known and lacking:
            with closing(self.reader()) as reader:
                reader.begin()
                self.copy_to(self._path.with_name(f"{self._path.name}.before-{lacking[-1]}"), reader)
        for name, statements in MIGRATIONS:
            if name not in known:
                with self._transaction():
                    for statement in statements:
                        self._connection.execute(statement)
                    self._connection.execute("INSERT INTO migrations VALUES (?)", [name])

    @contextmanager
    def _transaction(self) -> Generator[None]:
        """All or nothing; whatever interrupts the block, a signal included, rolls it back."""
        with self._watched():
            self._connection.begin()
            try:
                yield
            except duckdb.FatalException:
                raise
            except BaseException:  # an interrupt, too: nothing half-done stays
                if self._opened is not None:
                    self._opened.rollback()
                raise
            self._connection.commit()
            self._close_to_others()

    def _close_to_others(self) -> None:
        """DuckDB makes its file and, anew after each checkpoint, the log beside it as the umask says."""
        for path in self._files:
            close_to_others(path)

    def _run(self, sql: str, values: Sequence[Any] = ()) -> None:
        with self._watched():
            self._connection.execute(sql, list(values))
            self._close_to_others()

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query.

        Points of time leave DuckDB without a zone and get UTC here: with one, DuckDB asks for pytz, which neither it
        nor we declare.
        """
        with self._watched():
            found = self._connection.sql(sql, params=list(values))
            zoned = [at for at, kind in enumerate(found.types) if str(kind) == ZONED]
            return _in_utc(found, zoned) if zoned else found.fetchall()

    def _append(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._watched(), self._connection.appender(table) as appender:
            appender.append_rows(list(rows))


def _in_utc(found: duckdb.DuckDBPyRelation, zoned: Sequence[int]) -> list[tuple[Any, ...]]:
    """Rows whose columns at the places `zoned` hold points of time. The connection's zone is UTC."""
    columns = [duckdb.ColumnExpression(name) for name in found.columns]
    for at in zoned:
        columns[at] = columns[at].cast("TIMESTAMP").alias(found.columns[at])
    rows = [list(row) for row in found.select(*columns).fetchall()]
    for row in rows:
        for at in zoned:
            row[at] = None if row[at] is None else row[at].replace(tzinfo=UTC)
    return [tuple(row) for row in rows]


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
    unknown = OutOfReach(f"The warehouse {path} cannot be opened: {error}.", remedy=remedy)
    return storage_fault(error, f"The warehouse {path}", path) or unknown
