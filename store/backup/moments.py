"""Databases as they are at one moment: begun while nobody writes, copied while everybody goes on."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from store.faults import faults_named
from store.private import private_file
from store.warehouse import Warehouse


class Moment(Protocol):
    """What one database held when this was begun."""

    def begin(self) -> None:
        """From now on it is seen as it is now."""
        ...

    def write_into(self, folder: Path) -> None:
        """Write it as files of its own."""
        ...

    def close(self) -> None:
        """Let the database forget the moment."""
        ...


class SqliteMoment:
    """A SQLite file in WAL mode: a reader that began keeps what it saw."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        with faults_named("The file", path, sqlite3.Error):
            self._reader = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)

    def begin(self) -> None:
        """Read, and go on with that reading."""
        with faults_named("The file", self._path, sqlite3.Error):
            self._reader.execute("BEGIN")
            self._reader.execute("SELECT 1 FROM sqlite_master").fetchone()

    def write_into(self, folder: Path) -> None:
        """One file without a log beside it."""
        target = folder / self._name
        private_file(target)
        with faults_named("The copy", target, sqlite3.Error), closing(sqlite3.connect(target)) as made:
            self._reader.backup(made)

    def close(self) -> None:
        """End the reading."""
        self._reader.close()


class WarehouseMoment:
    """The DuckDB file."""

    def __init__(self, warehouse: Warehouse, name: str) -> None:
        self._name = name
        self._warehouse = warehouse
        self._reader = warehouse.reader()

    def begin(self) -> None:
        """Read, and go on with that reading."""
        self._reader.begin()
        self._reader.sql("SELECT 1 FROM migrations").fetchall()

    def write_into(self, folder: Path) -> None:
        """One file without a log beside it."""
        self._warehouse.copy_to(folder / self._name, self._reader)

    def close(self) -> None:
        """End the reading."""
        self._reader.close()


TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    " AND table_type = 'BASE TABLE' ORDER BY table_name"
)
COLUMNS = (
    "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    " AND table_name = %s ORDER BY ordinal_position"
)
SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()"


class PostgresMoment:
    """Every table of the database's own schema, read in one repeatable transaction."""

    def __init__(self, url: str, name: str) -> None:
        import psycopg

        self._name = name
        self._connection: psycopg.Connection[Any] = psycopg.connect(url, connect_timeout=5)
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._connection.read_only = True
        self._tables: list[str] = []

    def begin(self) -> None:
        """Read, and go on with that reading."""
        self._tables = [str(table) for (table,) in self._connection.execute(TABLES)]

    def write_into(self, folder: Path) -> None:
        """A file for each table, and one that names their columns and the sequences."""
        from psycopg import sql

        made = folder / self._name
        made.mkdir(mode=0o700)
        columns: dict[str, list[str]] = {}
        for table in self._tables:
            columns[table] = [str(column) for (column,) in self._connection.execute(COLUMNS, [table])]
            names = sql.SQL(", ").join(map(sql.Identifier, columns[table]))
            query = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(table), names)
            file = made / f"{table}.copy"
            private_file(file)
            with self._connection.cursor().copy(query) as rows, file.open("wb") as stored:
                for block in rows:
                    stored.write(block)
        sequences = {str(name): last for name, last in self._connection.execute(SEQUENCES)}
        layout = made / "layout.json"
        private_file(layout)
        layout.write_text(json.dumps({"columns": columns, "sequences": sequences}), encoding="utf-8")

    def close(self) -> None:
        """End the reading."""
        self._connection.close()
