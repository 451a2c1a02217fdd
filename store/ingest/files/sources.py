"""The files of a folder as relations of text cells: CSV or Parquet, found by their canonical names."""

import csv
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path

import duckdb

from store.datasets.lineage import Reject
from store.datasets.staged import StagedTables, literal
from store.ingest.files.plain import Layout, Unreadable, column_name, lay_out
from store.ingest.files.shapes import SHAPES

SUFFIXES = (".csv", ".parquet")
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods")
SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
"""What stands around a cell without being part of it."""
LINE_LENGTH = 2_000_000
"""Bytes of a line that DuckDB reads unless told otherwise."""


@dataclass(frozen=True)
class Source:
    """A file as a relation: columns c0, c1, … of texts, NULL where a cell is empty, rows in the file's order.

    `line` is SQL for the 1-based line of a row, from a column `line` of the relation or the place of the row.
    """

    table: str
    path: Path
    sha256: str
    columns: tuple[str, ...]
    relation: str
    line: str
    rejects: list[Reject] = field(default_factory=list[Reject])

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.path.name

    @property
    def has_lines(self) -> bool:
        """Whether the relation itself says where its rows stand."""
        return self.line == "line"

    def cell(self, name: str) -> str | None:
        """The relation's column of a file's column; the last one of that name, None when there is none."""
        found = [f"c{place}" for place, known in enumerate(self.columns) if known == name]
        return found[-1] if found else None


def find_sources(folder: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """(canonical table to its files, names of files that are no canonical table)."""
    found: dict[str, list[Path]] = {}
    others: list[str] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        name = path.stem.lower()
        if path.is_file() and path.suffix.lower() in SUFFIXES and name in SHAPES:
            found.setdefault(name, []).append(path)
        elif not path.name.startswith("."):
            others.append(path.name)
    return found, others


def read_source(table: str, path: Path, staged: StagedTables) -> Source:
    """A file as a relation. Raises Unreadable when its bytes are no such table."""
    if path.suffix.lower() == ".parquet":
        return _read_parquet(table, path, staged)
    try:
        layout = lay_out(path, staged.folder / f"{table}.cells")
    except csv.Error as error:
        remedy = f"Look for a cell that is far too long or a quote that is not closed, and save {path.name} again."
        raise Unreadable(
            Reject(path.name, 1, "", f"it does not read as CSV: {error}", "a CSV file", remedy, "")
        ) from error
    line = "rowid + 2" if layout.copy is None else "line"
    return Source(table, path, layout.sha256, layout.names, _csv_relation(path, layout), line, layout.rejects)


def _csv_relation(path: Path, layout: Layout) -> str:
    """DuckDB's reader on text that needs no quotes: each line a row, each separator the end of a cell."""
    cells = [f"c{place}" for place in range(len(layout.names))]
    types = {**({} if layout.copy is None else {"line": "BIGINT"}), **dict.fromkeys(cells, "VARCHAR")}
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    reader = (
        f"read_csv({_exactly(layout.copy or path)}, delim = {literal(layout.delimiter)}, quote = '', escape = '', "
        f"header = false, skip = {1 if layout.copy is None else 0}, auto_detect = false, compression = 'none', "
        f"hive_partitioning = false, max_line_size = {max(LINE_LENGTH, layout.longest + 1)}, columns = {{{columns}}})"
    )
    if not layout.restored:
        return reader
    whole = ", ".join(f"{layout.restore(cell)} AS {cell}" for cell in cells)
    return f"(SELECT * REPLACE ({whole}) FROM {reader})"  # noqa: S608 - names of this module


def _exactly(path: Path) -> str:
    """A path as SQL that DuckDB does not take for a pattern."""
    text = str(path.absolute()).replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
    return literal(text)


def _read_parquet(table: str, path: Path, staged: StagedTables) -> Source:
    """Every column as text; dates as ISO. The row number counts from 1."""
    file = f"read_parquet({_exactly(path)}, hive_partitioning = false)"
    try:
        with staged.using() as connection:
            found = connection.sql(f"FROM {file}")  # noqa: S608 - a quoted path
            names, types = tuple(column_name(name) for name in found.columns), [str(kind) for kind in found.types]
            renamed = ", ".join(f"c{place}" for place in range(len(names)))
            cells = ", ".join(_text(f"c{place}", kind) for place, kind in enumerate(types))
            connection.execute(f"CREATE TABLE text_of_{table} AS SELECT {cells} FROM {file} AS found({renamed})")  # noqa: S608
    except duckdb.Error as error:
        remedy = f"Write {path.name} again, or give the table as CSV."
        reject = Reject(path.name, 1, "", "the file is not readable as Parquet", "a Parquet file", remedy, "")
        raise Unreadable(reject) from error
    with path.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    return Source(table, path, digest, names, f"text_of_{table}", "rowid + 1")


def _text(cell: str, kind: str) -> str:
    """A Parquet column as stripped text; only texts may bring spaces along."""
    text = f"CAST({cell} AS VARCHAR)"
    return f"nullif(trim({text}, {literal(SPACES)}), '') AS {cell}" if kind == "VARCHAR" else f"{text} AS {cell}"
