"""Where a dataset version came from: its files, its rows, and what was refused."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Where the rows of a table came from."""

    path: str
    table: str
    sha256: str
    rows: int
    rejected: int
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """One dataset version in short."""

    version: str
    as_of: date
    currency: str
    created_at: datetime
    active: bool
    parent: str | None
    content_hash: str
    source: str
    row_counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that could not be imported, and why."""

    file: str
    row: int
    column: str
    reason: str
    expected: str
    remedy: str
    value: str
    import_id: str = ""


@dataclass(frozen=True)
class StagedTables:
    """Clean rows by canonical table, columns in the schema's order."""

    rows: Mapping[str, Rows]

    def content_hash(self) -> str:
        """SHA-256 over all rows; the same rows in another order hash alike."""
        digest = hashlib.sha256()
        for name in sorted(self.rows):
            digest.update(name.encode())
            for row in sorted(orjson.dumps([str(value) for value in row]) for row in self.rows[name]):
                digest.update(row)
        return digest.hexdigest()
