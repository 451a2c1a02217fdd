"""The engine under the operations database: SQLite in WAL mode, or PostgreSQL, chosen by URL."""

import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from store.faults import faults_named
from store.gate import WriteGate
from store.ledger.first_orders import move_first_approvals
from store.migrations import refuse_newer, scripts, statements_for
from store.private import private_file, private_folder
from tools.domain.errors import JitError, StorageOutOfReach

MIGRATION_LOCK = 7_211_501
"""Key of the PostgreSQL advisory lock that keeps two processes from migrating at once."""


MOVES: Mapping[str, Callable[[Connection], None]] = {"0003_orders": move_first_approvals}
"""What a migration does with stored rows after its statements."""


class OperationsOutOfReach(StorageOutOfReach):
    """The operations database does not answer."""

    code = "JIT-402"


class _RawConnection(Protocol):
    isolation_level: str | None

    def execute(self, statement: str, /) -> object: ...


def utc_now() -> datetime:
    """The wall clock, aware and in UTC."""
    return datetime.now(UTC)


def to_json(value: object) -> str:
    """Compact JSON text; dates become ISO text."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def to_text(moment: datetime) -> str:
    """ISO text in UTC with microseconds, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class Database:
    """One operations database with two pools: `full` durability, and `fast` for the journal's staging rows.

    A commit through the fast pool survives the death of the process; only a power cut can lose the last of
    them. Approvals, inbox and outbox go through the full pool, whose commits are on disk when they return.
    Without `migrate` it is only looked at: NewerHome when this version is too old for it.
    """

    skip_locked: ClassVar[str] = " FOR UPDATE SKIP LOCKED"

    def __init__(self, url: str, *, clock: Callable[[], datetime] = utc_now, migrate: bool = True) -> None:
        self._url = make_url(url.replace("postgres://", "postgresql://", 1))
        if self._url.drivername == "postgresql":
            self._url = self._url.set(drivername="postgresql+psycopg")
        self._clock = clock
        self._joined = threading.local()
        self.gate = WriteGate()
        """What every writing transaction passes."""
        self._engine = self._open(durable=True)
        self._fast = self._open(durable=False)
        try:
            self._refuse_newer()
            if migrate:
                self.migrate()
        except DatabaseError as error:
            self.close()
            raise self._away(error) from error
        except JitError:
            self.close()
            raise

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    @property
    def is_sqlite(self) -> bool:
        """Whether the rows lie in a SQLite file."""
        return self._url.get_backend_name() == "sqlite"

    @property
    def checkpointer_url(self) -> str:
        """What LangGraph's saver opens: the path of the SQLite file, or a PostgreSQL URL."""
        if self.is_sqlite:
            return str(self._url.database)
        return self._url.set(drivername="postgresql").render_as_string(hide_password=False)

    @property
    def _file(self) -> Path | None:
        """The SQLite file; None when the rows lie on a server."""
        return Path(str(self._url.database)) if self.is_sqlite else None

    @property
    def _title(self) -> str:
        return f"The operations database {self._url.render_as_string(hide_password=True)}"

    def _away(self, error: DBAPIError) -> OperationsOutOfReach:
        return OperationsOutOfReach(
            f"{self._title} cannot be used: {error.orig}.",
            remedy="Start it, correct JIT_DATABASE_URL (empty for SQLite), or restore the file from a backup.",
        )

    @contextmanager
    def together(self) -> Generator[None]:
        """One durable transaction around several of this database's methods, called from this thread."""
        with self._write() as connection:
            self._joined.connection = connection
            try:
                yield
            finally:
                self._joined.connection = None

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()
        self._fast.dispose()

    def _open(self, *, durable: bool) -> Engine:
        if not self.is_sqlite:
            commit = "on" if durable else "off"
            options = {"options": f"-c synchronous_commit={commit} -c timezone=UTC", "connect_timeout": 5}
            return create_engine(self._url, pool_pre_ping=True, connect_args=options)
        file = Path(str(self._url.database))
        private_folder(file.parent)
        private_file(file)  # SQLite gives the files beside it the same mode
        engine = create_engine(self._url, connect_args={"timeout": 30, "check_same_thread": False}, pool_size=8)
        level = "FULL" if durable else "NORMAL"

        def prepare(raw: _RawConnection, _: object) -> None:
            raw.isolation_level = None
            raw.execute("PRAGMA journal_mode=WAL")
            raw.execute(f"PRAGMA synchronous={level}")
            raw.execute("PRAGMA foreign_keys=ON")

        event.listen(engine, "connect", prepare)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _keep_copy(self, names: Iterable[str]) -> None:
        """Copy a SQLite file beside itself before its tables change; whole, with what its log still holds.

        A copy that an upgrade made which was cut off, or undone since, is of an earlier moment and gives way.
        """
        source = Path(str(self._url.database))
        with self._read() as connection:
            known = connection.execute(text("SELECT name FROM sqlite_master WHERE name = 'migrations'")).first()
            done = {row.name for row in connection.execute(text("SELECT name FROM migrations"))} if known else set()
        lacking = [name for name in names if done and name not in done]
        if lacking:
            kept = source.with_name(f"{source.name}.before-{next((n for n in lacking if n in MOVES), lacking[-1])}")
            part = kept.with_name(f"{kept.name}.part")
            part.unlink(missing_ok=True)
            private_file(part)
            with faults_named("The copy before the upgrade", part, sqlite3.Error, OSError):
                with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
                    old.backup(new)
                part.rename(kept)

    def _refuse_newer(self) -> None:
        with self._read() as connection:
            if inspect(connection).has_table("migrations"):
                found = connection.execute(text("SELECT name FROM migrations")).scalars().all()
                refuse_newer(found, [name for name, _ in scripts("operations")], "the operations database")

    def migrate(self) -> None:
        """Make the tables, or bring those that are there up to this version."""
        if self.is_sqlite:
            self._keep_copy(name for name, _ in scripts("operations"))
        with self._write() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            connection.execute(text("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, at TEXT)"))
            done = {row.name for row in connection.execute(text("SELECT name FROM migrations"))}
            for name, statements in scripts("operations"):
                if name in done:
                    continue
                for statement in statements_for(statements, self._url.get_backend_name()):
                    connection.execute(text(statement))
                if name in MOVES:
                    MOVES[name](connection)
                insert = text("INSERT INTO migrations (name, at) VALUES (:name, :at)")
                connection.execute(insert, {"name": name, "at": self._now()})

    @contextmanager
    def _read(self) -> Generator[Connection]:
        joined: Connection | None = getattr(self._joined, "connection", None)
        if joined is not None:
            yield joined
            return
        with self._told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _write(self, *, fast: bool = False) -> Generator[Connection]:
        """A transaction that holds SQLite's write lock from its start, so that it never fails half way."""
        joined: Connection | None = getattr(self._joined, "connection", None)
        if joined is not None:
            yield joined
            return
        engine = self._fast if fast else self._engine
        with (
            self.gate.passing(),
            self._told(),
            engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _told(self) -> Generator[None]:
        """Name the cause of what the driver raises; a server that went away is out of reach."""
        try:
            with faults_named(self._title, self._file, DBAPIError):
                yield
        except DBAPIError as error:
            if error.connection_invalidated or (not self.is_sqlite and isinstance(error, OperationalError)):
                raise self._away(error) from error
            raise

    def _change(self, statement: str, values: Mapping[str, Any]) -> int:
        """Run one statement durably; returns the rows it changed."""
        with self._write() as connection:
            return connection.execute(text(statement), values).rowcount

    def _lock_rows(self, statement: str) -> str:
        """The query with row locks where the database has them; SQLite's write lock covers the whole file."""
        return statement if self.is_sqlite else statement + self.skip_locked

    def _now(self) -> str:
        return to_text(self._clock())

    def _epoch(self) -> float:
        return self._clock().timestamp()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
