"""Clean tables of a coming dataset version, in columns: a DuckDB file of its own beside the warehouse."""

import hashlib
import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from store.interrupts import interruptible
from store.schema import CANONICAL

SETTINGS = ("SET memory_limit = '600MB'", "SET fsync_mode = 'NONE'", "SET enable_progress_bar = false")
"""Of the file's connection: what it sorts beyond that memory spills to the file's folder, and a crash leaves the file
for nobody to read."""
HASHED_TOGETHER = 500_000
"""Rows whose text is made at once."""
SCHEMA = "canonical"
"""Where the tables lie in the file; whoever makes them may use other schemas for his own."""


def fields(table: str) -> dict[str, str]:
    """Columns of a canonical table with their types, in stored order."""
    pairs = (part.split() for part in CANONICAL[table].split(", "))
    return {name: kind for name, kind in pairs}


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


class StagedTables:
    """Canonical tables by name, each in stored order: the order of its rows' texts, which the content hash goes by."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._threads = 1
        self.path = folder / "staged.duckdb"
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None
        with self.using() as connection:
            tables = [f"CREATE TABLE {SCHEMA}.{name} ({columns})" for name, columns in CANONICAL.items()]
            connection.execute("; ".join(["BEGIN", f"CREATE SCHEMA {SCHEMA}", *tables, "COMMIT"]))

    @contextmanager
    def using(self) -> Generator[duckdb.DuckDBPyConnection]:
        """The open file. KeyboardInterrupt when a signal ends a query."""
        if self._opened is None:
            self._opened = duckdb.connect(str(self.path))
            self._opened.execute("; ".join(SETTINGS))
            self._opened.execute(f"SET threads = {self._threads}")
            self._opened.execute(f"SET temp_directory = {literal(str(self.folder / 'spilled'))}")
            if self._prepare is not None:
                self._prepare(self._opened)
        with interruptible():
            yield self._opened

    def prepare(self, how: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Do this to every connection to the file from here on."""
        self.close()
        self._prepare = how

    def spread(self) -> None:
        """Work on all cores from here on: for little, handing work to another core takes longer than the work."""
        self.close()
        self._threads = os.cpu_count() or 1

    def close(self) -> None:
        """Release the file, so that the warehouse can read it; asked again it opens anew."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def put(self, table: str, query: str, values: Sequence[Any] = ()) -> None:
        """Fill a table with the rows of a query, whose columns are named as the table's.

        duckdb.Error when one of them is no such value.
        """
        named = ", ".join(fields(table))
        order = ", ".join(f"{_key(name, kind)} NULLS LAST" for name, kind in fields(table).items())
        with self.using() as connection:
            connection.execute(
                f"INSERT INTO {SCHEMA}.{table} SELECT {named} FROM ({query}) ORDER BY {order}",  # noqa: S608
                list(values),
            )

    def put_rows(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Fill a table with rows, columns in stored order."""
        self.hold(f"rows_of_{table}", table, rows)
        self.put(table, f"FROM rows_of_{table}")

    def hold(self, name: str, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Keep rows with a canonical table's columns under a name that queries of `put` may use."""
        with self.using() as connection:
            connection.execute(f"CREATE TEMP TABLE {name} ({CANONICAL[table]})")
            with connection.appender(name) as appender:
                appender.append_rows(list(rows))

    def counts(self) -> Mapping[str, int]:
        """Rows by table."""
        rows = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {SCHEMA}.{name}" for name in CANONICAL)  # noqa: S608
        with self.using() as connection:
            found = dict(connection.execute(rows).fetchall())
        return {name: int(found[name]) for name in CANONICAL}

    def content_hash(self) -> str:
        """SHA-256 over all rows; the same rows in another order hash alike."""
        digest, counts = hashlib.sha256(), self.counts()
        for name in sorted(CANONICAL):
            digest.update(name.encode())
            for first in range(0, counts[name], HASHED_TOGETHER):
                digest.update(self._texts(name, first).encode())
        return digest.hexdigest()

    def _texts(self, table: str, first: int) -> str:
        """Rows as JSON arrays of texts, one after the other, from a place in the table on."""
        text = " || ',' || ".join(_text(name, kind) for name, kind in fields(table).items())
        query = (
            f"SELECT string_agg('[' || {text} || ']', '' ORDER BY rowid) FROM {SCHEMA}.{table} "  # noqa: S608
            "WHERE rowid BETWEEN ? AND ?"
        )
        with self.using() as connection:
            ((found,),) = connection.execute(query, [first, first + HASHED_TOGETHER - 1]).fetchall()
        return str(found)


def _text(name: str, kind: str) -> str:
    """A cell as JSON, made of what Python's `str` writes."""
    if kind == "VARCHAR":
        return f"to_json(coalesce({name}, 'None'))::VARCHAR"
    if kind == "BOOLEAN":
        return f"CASE {name} WHEN true THEN '\"True\"' WHEN false THEN '\"False\"' ELSE '\"None\"' END"
    return f"'\"' || coalesce({name}::VARCHAR, 'None') || '\"'"


def _key(name: str, kind: str) -> str:
    """What orders a column as its texts are ordered: a day orders like its text, the rest by the text itself."""
    return name if kind == "DATE" else _text(name, kind)
