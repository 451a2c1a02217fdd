"""Where a dataset version came from: its files, its rows, and what was refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


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
