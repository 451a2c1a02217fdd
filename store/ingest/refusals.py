"""What is said of a folder that cannot be imported."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from store.datasets.lineage import Reject
from store.ingest.checked_tables import CheckedTables
from store.ingest.files.shapes import SHAPES
from store.ingest.files.sources import WORKBOOKS
from store.ingest.quality import FOLLOWS
from tools.domain.errors import BadInput


def absent_file(folder: Path, table: str, found: Mapping[str, Sequence[Path]]) -> Reject:
    """A required file that the folder lacks."""
    if not folder.is_dir():
        reason = f"the folder {folder} does not exist"
    else:
        reason = _why_absent(folder, table) if found else f"the folder {folder} is empty of canonical files"
    required = ", ".join(f"{name}.csv" for name, shape in SHAPES.items() if shape.required)
    remedy = f"Put at least {required} (or .parquet) there; docs/data-schema.md describes their columns."
    columns = ", ".join(column.name for column in SHAPES[table].columns if column.required)
    return Reject(f"{table}.csv", 1, columns.split(",")[0], reason, f"a file with columns {columns}", remedy, "")


def _why_absent(folder: Path, table: str) -> str:
    books = [path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in WORKBOOKS]
    mine = next((name for name in books if Path(name).stem.lower() == table), None)
    if mine is not None:
        return f"the file is missing; {mine} is a workbook, to be saved as CSV UTF-8"
    return f"the file is missing; {books[0]} is a workbook" if books else "the file is missing"


def same_table(paths: Sequence[Path]) -> Reject:
    """Several files of one table."""
    names = " and ".join(path.name for path in paths)
    return Reject(paths[0].name, 1, "", f"{names} hold the same table", "one file", "Remove one of them.", names)


def empty_files(checked: CheckedTables, among: str, reason: str) -> list[Reject]:
    """Rejects of the required files without a row among `every` row or the `good` ones."""
    found: list[Reject] = []
    for name in (name for name, shape in SHAPES.items() if shape.required):
        file, ragged = checked.tables[name].file, checked.tables[name].source.rejects
        rows = checked.good(name) if among == "good" else checked.every(name)
        if not checked.count(rows) and not (ragged and among == "every"):
            remedy = f"Fill {file} below its header."
            found.append(Reject(file, 2, SHAPES[name].key[0], reason, "at least one row", remedy, ""))
    return found


def refusal_of(import_id: str, rejects: Sequence[Reject]) -> BadInput:
    """The error of an import that these rejects stop."""
    return _refusal(import_id, rejects[0], len(rejects), 0)


def refusal(import_id: str, checked: CheckedTables) -> BadInput:
    """The error of an import whose rows are refused; one that another one causes never comes first."""
    first, roots, caused = checked.refused_first(FOLLOWS)
    return _refusal(import_id, first, roots, caused)


def _refusal(import_id: str, first: Reject, roots: int, caused: int) -> BadInput:
    where = f"{first.file}, row {first.row}" + (f", column {first.column}" if first.column else "")
    counted = [
        f"{roots - 1} more rejected" if roots > 1 else "",
        f"{caused} rows that name it or another refused row wait on that" if roots and caused else "",
    ]
    more = f" {'; '.join(filter(None, counted))}; all are kept under import {import_id}." if roots + caused > 1 else ""
    return BadInput(
        f"{where}: {first.reason}; expected {first.expected}.",
        remedy=f"{first.remedy}{more} Nothing was imported.",
        file=first.file,
        row=first.row,
        column=first.column,
        import_id=import_id,
        rejected=roots + caused,
    )
