"""A CSV file laid out for DuckDB's reader: one line a row, cells without quotes or spaces around them.

Most files are so already, and are read where they are; of any other a copy is written, row by row as Python's csv
module reads it. DuckDB's own rules for quotes, blank lines and ragged rows, which differ from those, never apply.
"""

import codecs
import csv
import hashlib
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from store.datasets.lineage import Reject

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
READ_TOGETHER = 1 << 23
"""Bytes looked at together."""
SEPARATOR = "\x1f"
"""Between the cells of a copy."""
ESCAPE = "\x1b"
ESCAPED = {ESCAPE: f"{ESCAPE}0", SEPARATOR: f"{ESCAPE}1", "\n": f"{ESCAPE}2", "\r": f"{ESCAPE}3"}
"""What a cell of a copy has instead of a character that would end it."""
SPECIAL, BREAKS = re.compile(f"[{''.join(ESCAPED)}]"), re.compile(f"[{ESCAPE}\n\r]")
NEWLINE = ord("\n")
SPACES = np.array([9, 11, 12, 13, 28, 29, 30, 31, 32], dtype=np.uint8)
"""The spaces of ASCII but for the end of a line."""


class Unreadable(Exception):
    """A file that cannot be read as a table at all; carries the reject that says why."""

    def __init__(self, reject: Reject) -> None:
        super().__init__(reject.reason)
        self.reject = reject


@dataclass
class Layout:
    """How to read a file. `copy` is None where the file itself is laid out so; `longest` is a line's bytes."""

    sha256: str
    names: tuple[str, ...]
    delimiter: str
    copy: Path | None = None
    longest: int = 0
    restored: bool = False
    """Whether cells of the copy have escaped characters."""
    rejects: list[Reject] = field(default_factory=list[Reject])

    def restore(self, cell: str) -> str:
        """SQL of a cell as it was before it was escaped."""
        for character, instead in reversed(ESCAPED.items()):
            cell = f"replace({cell}, chr({ord(ESCAPE)}) || '{instead[1]}', chr({ord(character)}))"
        return cell


def column_name(name: str) -> str:
    """A header cell as the schema writes it: `Item ID` names the column item_id."""
    return "_".join(name.strip().lower().replace("-", " ").split())


def delimiter_of(header: str) -> str:
    """What separates the cells of a header."""
    return max((",", ";", "\t"), key=header.count)


def lay_out(path: Path, copy: Path) -> Layout:
    """Look a file through and, where it needs one, write its copy. Raises Unreadable, or csv.Error."""
    header, delimiter = _first_line(path)
    digest, is_plain = hashlib.sha256(), True
    decoder = codecs.getincrementaldecoder("utf-8")()
    for piece in _pieces(path):
        digest.update(piece)
        if b"\0" in piece or not _decodes(decoder, piece):
            raise _no_text(path)
        is_plain = is_plain and _is_plain(piece, delimiter, header.count(delimiter))
    if not _decodes(decoder, b"", final=True):
        raise _no_text(path)
    if is_plain:
        names = tuple(column_name(name) for name in header.split(delimiter))
        _check_header(path, names)
        return Layout(digest.hexdigest(), names, delimiter)
    return _copied(path, copy, Layout(digest.hexdigest(), (), delimiter))


def _first_line(path: Path) -> tuple[str, str]:
    """The header as it stands in the file, and what separates its cells. Unreadable when the file is no text."""
    with path.open("rb") as stream:
        line = stream.readline()
    if any(line.startswith(start) for start in FOREIGN):
        raise _no_text(path)
    header = line.decode("utf-8-sig", errors="replace")
    return header, delimiter_of(header)


def _pieces(path: Path) -> Generator[bytes]:
    """The file in pieces of whole lines, the last line ended where it is not."""
    rest = b""
    with path.open("rb") as stream:
        while read := stream.read(READ_TOGETHER):
            head, end, tail = (rest + read).rpartition(b"\n")
            if end:
                yield head + end
            rest = tail
    if rest:
        yield rest


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    if piece.isascii() and not final:
        return decoder.getstate()[0] == b""
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _no_text(path: Path) -> Unreadable:
    """Why the bytes of a file are no text in UTF-8, and where the first of them stands."""
    content = path.read_bytes()
    found = next((name for start, name in FOREIGN.items() if content.startswith(start)), None)
    if found is None and b"\0" not in content:
        return _not_utf8(path, content)
    row = 1 if found else content.count(b"\n", 0, content.find(b"\0")) + 1
    reason = f"the file is {found or 'not text: it holds a zero byte'}"
    remedy = f"Save {path.name} as CSV in UTF-8 (in a spreadsheet: Save as, CSV UTF-8) and import again."
    return Unreadable(Reject(path.name, row, "", reason, "a CSV file in UTF-8", remedy, ""))


def _not_utf8(path: Path, content: bytes) -> Unreadable:
    place = _first_fault(content)
    row, start = content.count(b"\n", 0, place) + 1, content.rfind(b"\n", 0, place) + 1
    header = content.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").strip()
    delimiter = delimiter_of(header)
    names = next(csv.reader([header], delimiter=delimiter), [])
    before = content[start:place].decode("utf-8", errors="replace")
    column = len(next(csv.reader([before], delimiter=delimiter), [""]) or [""]) - 1
    reject = Reject(
        file=path.name,
        row=row,
        column=names[column] if row > 1 and column < len(names) else "",
        reason=f"byte 0x{content[place]:02x} is not UTF-8",
        expected="text in UTF-8",
        remedy=f"Save {path.name} as UTF-8 (in a spreadsheet: CSV UTF-8) and import again.",
        value=content[place : place + 8].decode("latin-1"),
    )
    return Unreadable(reject)


def _first_fault(content: bytes) -> int:
    """Place of the first byte that is not UTF-8, in content that is not all of it."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _is_plain(piece: bytes, delimiter: str, separators: int) -> bool:
    """Whether each of the lines is a row of this many separators, with nothing to unquote, to strip or to leave out."""
    if b'"' in piece or not separators or piece.count(b"\r") != piece.count(b"\r\n"):
        return False
    text = np.frombuffer(piece.replace(b"\r\n", b"\n") + (b"" if piece.endswith(b"\n") else b"\n"), dtype=np.uint8)
    marks = np.flatnonzero((text == NEWLINE) | (text == ord(delimiter)))
    if marks.size % (separators + 1):
        return False
    kinds, ends = text[marks].reshape(-1, separators + 1), marks[separators :: separators + 1]
    lengths = np.diff(ends, prepend=-1)
    return bool(
        (kinds[:, :-1] == ord(delimiter)).all()
        and (kinds[:, -1] == NEWLINE).all()
        and lengths.min() > separators + 1
        and lengths.max() < csv.field_size_limit()
        and _has_bare_cells(piece, text, marks, delimiter)
    )


def _has_bare_cells(piece: bytes, text: NDArray[np.uint8], marks: NDArray[np.intp], delimiter: str) -> bool:
    """Whether no cell begins or ends with a space."""
    edges = np.concatenate([text[:1], text[marks[:-1] + 1], text[np.maximum(marks - 1, 0)]])
    if np.isin(edges, np.setdiff1d(SPACES, [ord(delimiter)])).any():
        return False
    if not (edges >= 128).any():
        return True
    space, end = rf"[^\S{delimiter}\r\n]", rf"[{delimiter}\r\n]"
    return re.search(f"(?:^|{end}){space}|{space}(?:{end}|$)", piece.decode("utf-8-sig")) is None


def _copied(path: Path, copy: Path, layout: Layout) -> Layout:
    """Write the rows of a file as a copy, each behind the line where it begins; keep those that are no rows apart."""
    with path.open(encoding="utf-8-sig", newline="") as stream, copy.open("w", encoding="utf-8", newline="") as out:
        rows = _rows(path, stream, layout)
        for line, cells in rows:
            text = SEPARATOR.join(cells)
            if text.count(SEPARATOR) >= len(cells) or BREAKS.search(text):
                layout.restored = True
                text = SEPARATOR.join(SPECIAL.sub(lambda found: ESCAPED[found[0]], cell) for cell in cells)
            layout.longest = max(layout.longest, 4 * len(text) + 32)
            out.write(f"{line}{SEPARATOR}{text}\n")
    layout.delimiter, layout.copy = SEPARATOR, copy
    return layout


def _rows(path: Path, stream: TextIO, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """(line where it begins, stripped cells) of each row, after the names of the columns."""
    reader = csv.reader(stream, delimiter=layout.delimiter)
    layout.names = tuple(column_name(name) for name in next(reader, []))
    _check_header(path, layout.names)
    line = reader.line_num + 1
    for cells in reader:
        stripped = [cell.strip() for cell in cells]
        if not any(stripped):
            pass  # a blank line, or one that a spreadsheet left behind
        elif len(cells) == len(layout.names) and reader.line_num - line < RUNAWAY_LINES:
            yield line, stripped
        else:
            layout.rejects.append(_ragged(path.name, line, reader.line_num, len(cells), len(layout.names)))
        line = reader.line_num + 1


def _check_header(path: Path, header: tuple[str, ...]) -> None:
    twice = next((name for name in header if header.count(name) > 1), None)
    if header and twice is None:
        return
    reason = "the file has no header" if twice is None else f"column {twice!r} is named twice"
    remedy = f"Put the column names in the first line of {path.name}, each once."
    raise Unreadable(Reject(path.name, 1, twice or "", reason, "one header line", remedy, ""))


def _ragged(file: str, first: int, last: int, found: int, expected: int) -> Reject:
    if last - first >= RUNAWAY_LINES:
        reason = f"a quote that opens here runs on to line {last}"
        return Reject(file, first, "", reason, "a closing quote", "Close the quote, or remove it.", "")
    remedy = "Put quotes around a cell that contains the separator, and fill missing cells with nothing."
    return Reject(file, first, "", f"the row has {found} cells", f"{expected} cells as in the header", remedy, "")
