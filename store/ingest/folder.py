"""Import of a folder: read, type, check, and store as a new dataset version, all or nothing."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from store.ingest import quality
from store.ingest.currency import settle_currency
from store.ingest.normalize import TypedTable, missing_columns, set_aside, typed
from store.ingest.shapes import SHAPES
from store.ingest.sources import WORKBOOKS, RawTable, Unreadable, find_sources, read_source
from store.lineage import Reject, SourceFile, StagedTables
from store.schema import CANONICAL
from store.warehouse import Warehouse
from tools.domain.calendar_days import FIRST_DAY, LAST_DAY
from tools.domain.errors import BadInput

Progress = Callable[[str], None]
CLOCKED = {"demand": "date", "receipts": "receipt_date"}
"""Tables of what has happened, and the column that says when."""


@dataclass(frozen=True)
class ImportReport:
    """What an import made of a folder."""

    version: str | None
    import_id: str
    folder: str
    as_of: date
    currency: str
    tables: Mapping[str, int]
    """Rows stored by table."""
    rejected: tuple[Reject, ...] = ()
    unknown_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """File to the columns that were kept aside."""
    warnings: tuple[str, ...] = ()


def import_folder(
    folder: Path,
    as_of: date | None,
    warehouse: Warehouse,
    *,
    currency: str | None = None,
    lenient: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Read a folder in the canonical schema into a new, active dataset version.

    Raises BadInput, after keeping the rejects, when any row is refused; with `lenient` the good rows are
    imported all the same. A file that is no table at all, or lacks a required column, is refused either way.
    """
    import_id = uuid.uuid4().hex[:12]
    say = progress or _silent
    try:
        raws, warnings = _read(folder, import_id, warehouse, say)
    except OSError as error:
        remedy = "Name a folder whose files this program may read."
        raise BadInput(f"The folder {folder} cannot be read: {error.strerror}.", remedy=remedy) from error
    _require_lines(raws, import_id, warehouse)
    say("checking rows")
    tables = {name: typed(raw) for name, raw in raws.items()}
    base = settle_currency(tables, currency)
    quality.check(tables)
    rejects = [reject for table in tables.values() for reject in table.rejects]
    warehouse.record_rejects(import_id, rejects)
    if rejects and not lenient:
        raise _refusal(import_id, rejects)
    clock = _believable(as_of or _latest(tables))
    warnings += _cut_future(tables, clock)
    staged = {name: tables[name].rows() if name in tables else [] for name in CANONICAL}
    _require_rows(raws, staged, import_id, warehouse)
    staged["sites"] = staged["sites"] or _sites_used(tables)
    say("storing a new version")
    version = warehouse.import_tables(
        StagedTables(staged), _lineage(raws, tables), clock, base, source=str(folder.absolute())
    )
    return ImportReport(
        version=version,
        import_id=import_id,
        folder=str(folder),
        as_of=clock,
        currency=base,
        tables={name: len(rows) for name, rows in staged.items()},
        rejected=tuple(rejects),
        unknown_columns=_keep_aside(raws, import_id, warehouse),
        warnings=tuple(warnings),
    )


def _silent(_: str) -> None:
    pass


def _believable(clock: date) -> date:
    """BadInput for a clock so near an end of the calendar that nothing can be counted from it."""
    if FIRST_DAY <= clock <= LAST_DAY:
        return clock
    remedy = "Give the day on which the data ends as as-of, or correct the dates in the files."
    raise BadInput(f"as_of: {clock} does not lie between {FIRST_DAY} and {LAST_DAY}.", remedy=remedy)


def _read(folder: Path, import_id: str, warehouse: Warehouse, say: Progress) -> tuple[dict[str, RawTable], list[str]]:
    found, others = find_sources(folder)
    absent = [name for name, shape in SHAPES.items() if shape.required and name not in found]
    faults = [_absent(folder, name, found) for name in absent]
    faults += [_twice(paths) for paths in found.values() if len(paths) > 1]
    raws: dict[str, RawTable] = {}
    for name, paths in sorted(found.items(), key=lambda entry: list(SHAPES).index(entry[0])):
        say(f"reading {paths[0].name}")
        try:
            raws[name] = read_source(name, paths[0])
        except Unreadable as error:
            faults.append(error.reject)
        else:
            faults += missing_columns(raws[name])
    if faults:
        warehouse.record_rejects(import_id, faults)
        raise _refusal(import_id, faults)
    warnings = [f"{name} is no table of the canonical schema and was left out." for name in others]
    warnings += [f"There is no {name} file." for name in ("stock", "demand") if name not in found]
    return raws, warnings


def _absent(folder: Path, table: str, found: Mapping[str, Sequence[Path]]) -> Reject:
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


def _twice(paths: Sequence[Path]) -> Reject:
    names = " and ".join(path.name for path in paths)
    return Reject(paths[0].name, 1, "", f"{names} hold the same table", "one file", "Remove one of them.", names)


def _require_lines(raws: Mapping[str, RawTable], import_id: str, warehouse: Warehouse) -> None:
    """Refuse a required file that is nothing but a header, before every row elsewhere is found to miss it."""
    empty = [name for name, shape in SHAPES.items() if shape.required and not (raws[name].lines or raws[name].rejects)]
    _refuse_empty(empty, "the file has a header and no rows", raws, import_id, warehouse)


def _require_rows(
    raws: Mapping[str, RawTable], staged: Mapping[str, Sequence[Any]], import_id: str, warehouse: Warehouse
) -> None:
    empty = [name for name, shape in SHAPES.items() if shape.required and not staged[name]]
    _refuse_empty(empty, "no usable row is left", raws, import_id, warehouse)


def _refuse_empty(
    empty: Sequence[str], reason: str, raws: Mapping[str, RawTable], import_id: str, warehouse: Warehouse
) -> None:
    faults = [
        Reject(
            raws[name].file,
            2,
            SHAPES[name].key[0],
            reason,
            "at least one row",
            f"Fill {raws[name].file} below its header.",
            "",
        )
        for name in empty
    ]
    if faults:
        warehouse.record_rejects(import_id, faults)
        raise _refusal(import_id, faults)


def _refusal(import_id: str, rejects: Sequence[Reject]) -> BadInput:
    roots = [reject for reject in rejects if not reject.reason.endswith(quality.FOLLOWS)]
    first, caused = (roots or rejects)[0], len(rejects) - len(roots)
    where = f"{first.file}, row {first.row}" + (f", column {first.column}" if first.column else "")
    counted = [
        f"{len(roots) - 1} more rejected" if len(roots) > 1 else "",
        f"{caused} rows that name it or another refused row wait on that" if roots and caused else "",
    ]
    more = f" {'; '.join(filter(None, counted))}; all are kept under import {import_id}." if len(rejects) > 1 else ""
    return BadInput(
        f"{where}: {first.reason}; expected {first.expected}.",
        remedy=f"{first.remedy}{more} Nothing was imported.",
        file=first.file,
        row=first.row,
        column=first.column,
        import_id=import_id,
        rejected=len(rejects),
    )


def _latest(tables: Mapping[str, TypedTable]) -> date:
    """Clock of data that names none: the latest stock date, else the latest date of what has happened."""
    sources = ((("stock", "as_of"),), (*CLOCKED.items(), ("purchase_orders", "order_date")))
    for group in sources:
        days = [
            day for name, column in group if name in tables for day in tables[name].columns[column] if day is not None
        ]
        if days:
            return max(days)
    return datetime.now(UTC).date()


def _cut_future(tables: Mapping[str, TypedTable], clock: date) -> list[str]:
    """Leave out what happened after the clock, so that a plan at that clock cannot know it."""
    warnings: list[str] = []
    for name, column in (*CLOCKED.items(), ("purchase_orders", "order_date")):
        if name in tables:
            table = tables[name]
            future = {p for p in table.good() if table.columns[column][p] > clock}
            table.bad |= future
            if future:
                warnings.append(f"{len(future)} rows of {table.file} are dated after {clock} and were left out.")
    if "stock" in tables:
        warnings += _cut_later_counts(tables["stock"], clock)
    return warnings


def _cut_later_counts(table: TypedTable, clock: date) -> list[str]:
    """Leave out counts after the clock, but for items that have no other: there the first one is taken as known."""
    days = {position: table.columns["as_of"][position] or clock for position in table.good()}
    keys = {position: (table.columns["item_id"][position], table.columns["site_id"][position]) for position in days}
    counted = {keys[position] for position, day in days.items() if day <= clock}
    later = {position for position, day in days.items() if day > clock}
    out = {position for position in later if keys[position] in counted}
    table.bad |= out
    warnings = [f"{len(out)} rows of {table.file} are dated after {clock} and were left out."] if out else []
    if later - out:
        first = min(days[position] for position in later - out)
        warnings.append(f"Stock was counted on {first}, after the clock {clock}; a plan will take it as known then.")
    return warnings


def _sites_used(tables: Mapping[str, TypedTable]) -> list[tuple[Any, ...]]:
    users = [tables[name] for name in quality.REFERENCES["site_id"][1] if name in tables]
    return [
        (site, site, None) for site in sorted({table.columns["site_id"][p] for table in users for p in table.good()})
    ]


def _lineage(raws: Mapping[str, RawTable], tables: Mapping[str, TypedTable]) -> list[SourceFile]:
    now = datetime.now(UTC)
    return [
        SourceFile(
            path=str(raw.path.absolute()),
            table=name,
            sha256=raw.sha256,
            rows=len(tables[name].good()),
            rejected=len({reject.row for reject in tables[name].rejects}),
            imported_at=now,
        )
        for name, raw in raws.items()
    ]


def _keep_aside(raws: Mapping[str, RawTable], import_id: str, warehouse: Warehouse) -> dict[str, tuple[str, ...]]:
    kept: dict[str, tuple[str, ...]] = {}
    for raw in raws.values():
        cells = set_aside(raw)
        warehouse.set_aside(import_id, raw.file, cells)
        unknown = tuple(name for name in raw.columns if name not in SHAPES[raw.table].names)
        if unknown:
            kept[raw.file] = unknown
    return kept
