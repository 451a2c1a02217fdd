"""The files of a folder as tables of text: CSV or Parquet, found by their canonical names."""

import csv
import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from store.ingest.shapes import SHAPES
from store.lineage import Reject

SUFFIXES = (".csv", ".parquet")
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods")
FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"\x1f\x8b": "a gzip archive",
}
"""First bytes of files that are often given the name of a CSV by mistake."""
RUNAWAY_LINES = 20
"""A row that runs over more lines than this has a quote that was not closed."""


@dataclass(frozen=True)
class RawTable:
    """A file as text. `columns` (name to cells) are of equal length; `lines` are the 1-based lines of the rows."""

    table: str
    path: Path
    sha256: str
    columns: dict[str, list[str]]
    lines: list[int]
    rejects: list[Reject] = field(default_factory=list[Reject])

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.path.name


class Unreadable(Exception):
    """A file that cannot be read as a table at all; carries the reject that says why."""

    def __init__(self, reject: Reject) -> None:
        super().__init__(reject.reason)
        self.reject = reject


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


def read_source(table: str, path: Path) -> RawTable:
    """Read a file as text. Raises Unreadable when its bytes are no such table."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if path.suffix.lower() == ".parquet":
        return _read_parquet(table, path, digest)
    _refuse_foreign(path, content)
    try:
        return _read_csv(table, path, digest, _decode(path, content))
    except csv.Error as error:
        remedy = f"Look for a cell that is far too long or a quote that is not closed, and save {path.name} again."
        raise Unreadable(
            Reject(path.name, 1, "", f"it does not read as CSV: {error}", "a CSV file", remedy, "")
        ) from error


def _refuse_foreign(path: Path, content: bytes) -> None:
    """Refuse what is not text at all before it is read as text."""
    found = next((name for start, name in FOREIGN.items() if content.startswith(start)), None)
    if found is None and b"\0" in content:
        found = "not text: it holds a zero byte"
    if found is not None:
        row = content.count(b"\n", 0, max(content.find(b"\0"), 0)) + 1 if found.startswith("not text") else 1
        remedy = f"Save {path.name} as CSV in UTF-8 (in a spreadsheet: Save as, CSV UTF-8) and import again."
        raise Unreadable(Reject(path.name, row, "", f"the file is {found}", "a CSV file in UTF-8", remedy, ""))


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        start = content.rfind(b"\n", 0, error.start) + 1
        header = content.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").strip()
        names = next(csv.reader([header], delimiter=_delimiter(header)), [])
        before = content[start : error.start].decode("utf-8", errors="replace")
        place = len(next(csv.reader([before], delimiter=_delimiter(header)), [""]) or [""]) - 1
        raise Unreadable(
            Reject(
                file=path.name,
                row=row,
                column=names[place] if row > 1 and place < len(names) else "",
                reason=f"byte 0x{content[error.start]:02x} is not UTF-8",
                expected="text in UTF-8",
                remedy=f"Save {path.name} as UTF-8 (in a spreadsheet: CSV UTF-8) and import again.",
                value=content[error.start : error.start + 8].decode("latin-1"),
            )
        ) from error


def _delimiter(header: str) -> str:
    return max((",", ";", "\t"), key=header.count)


def _read_csv(table: str, path: Path, digest: str, content: str) -> RawTable:
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=_delimiter(content.partition("\n")[0]))
    header = [_column_name(name) for name in next(reader, [])]
    _check_header(path, header)
    rows: list[list[str]] = []
    lines: list[int] = []
    rejects: list[Reject] = []
    line = reader.line_num + 1
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            pass  # a blank line, or one that a spreadsheet left behind
        elif len(cells) == len(header) and reader.line_num - line < RUNAWAY_LINES:
            rows.append([cell.strip() for cell in cells])
            lines.append(line)
        else:
            rejects.append(_ragged(path.name, line, reader.line_num, len(cells), len(header)))
        line = reader.line_num + 1
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True)) if rows else {n: [] for n in header}
    return RawTable(table, path, digest, columns, lines, rejects)


def _check_header(path: Path, header: list[str]) -> None:
    twice = next((name for name in header if header.count(name) > 1), None)
    if header and twice is None:
        return
    reason = "the file has no header" if twice is None else f"column {twice!r} is named twice"
    remedy = f"Put the column names in the first line of {path.name}, each once."
    raise Unreadable(Reject(path.name, 1, twice or "", reason, "one header line", remedy, ""))


def _column_name(name: str) -> str:
    """A header cell as the schema writes it: `Item ID` names the column item_id."""
    return "_".join(name.strip().lower().replace("-", " ").split())


def _ragged(file: str, first: int, last: int, found: int, expected: int) -> Reject:
    if last - first >= RUNAWAY_LINES:
        reason = f"a quote that opens here runs on to line {last}"
        return Reject(file, first, "", reason, "a closing quote", "Close the quote, or remove it.", "")
    remedy = "Put quotes around a cell that contains the separator, and fill missing cells with nothing."
    return Reject(file, first, "", f"the row has {found} cells", f"{expected} cells as in the header", remedy, "")


def _read_parquet(table: str, path: Path, digest: str) -> RawTable:
    """Every column as text; dates as ISO. The row number counts from 1."""
    with duckdb.connect(":memory:") as connection:
        try:
            found = connection.execute("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet(?)", [str(path)])
            names = [_column_name(str(part[0])) for part in found.description or []]
            rows = found.fetchall()
        except duckdb.Error as error:
            remedy = f"Write {path.name} again, or give the table as CSV."
            reject = Reject(path.name, 1, "", "the file is not readable as Parquet", "a Parquet file", remedy, "")
            raise Unreadable(reject) from error
    cells = [["" if cell is None else str(cell).strip() for cell in column] for column in zip(*rows, strict=True)]
    columns = dict(zip(names, cells, strict=True)) if rows else {name: [] for name in names}
    return RawTable(table, path, digest, columns, list(range(1, len(rows) + 1)))
