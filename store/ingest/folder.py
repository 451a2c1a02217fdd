"""Import of a folder: read, type, check, and store as a new dataset version, all or nothing."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from store.datasets.lineage import Reject, SourceFile
from store.datasets.staged import StagedTables
from store.faults import FULL
from store.ingest.checked_tables import CheckedTables
from store.ingest.clock import cut_future, latest_day
from store.ingest.currency import settle_currency
from store.ingest.files.normalize import missing_columns, unknown_columns
from store.ingest.files.plain import Unreadable
from store.ingest.files.shapes import SHAPES
from store.ingest.files.sources import Source, find_sources, read_source
from store.ingest.quality import REFERENCES, check
from store.ingest.refusals import absent_file, empty_files, refusal, refusal_of, same_table
from store.schema import CANONICAL
from store.warehouse import Warehouse
from tools.domain.calendar_days import FIRST_DAY, LAST_DAY
from tools.domain.errors import BadInput

Progress = Callable[[str], None]
LARGE_BYTES = 1 << 24
"""Of a folder's files: from here on more than one core gains something."""


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
    with warehouse.staging() as staged:
        try:
            sources, warnings = _read(folder, import_id, warehouse, staged, say)
        except OSError as error:
            if error.errno in FULL:
                raise
            remedy = "Name a folder whose files this program may read."
            raise BadInput(f"The folder {folder} cannot be read: {error.strerror}.", remedy=remedy) from error
        say("checking rows")
        checked = CheckedTables(staged)
        for source in sources:
            checked.take(source)
        _require(checked, "every", "the file has a header and no rows", import_id, warehouse)
        base = settle_currency(checked, currency)
        check(checked)
        if checked.rejected:
            warehouse.keep_rejects(import_id, staged)
            if not lenient:
                raise refusal(import_id, checked)
        clock = _believable(as_of or latest_day(checked))
        warnings += cut_future(checked, clock)
        _require(checked, "good", "no usable row is left", import_id, warehouse)
        _stage(checked, staged)
        lineage, rejects, counts = _lineage(checked), checked.rejects(), staged.counts()
        say("storing a new version")
        version = warehouse.import_tables(staged, lineage, clock, base, source=str(folder.absolute()))
        unknown = {source.file: names for source in sources if (names := unknown_columns(source))}
        if unknown:
            warehouse.keep_aside(import_id, staged)
    return ImportReport(
        version=version,
        import_id=import_id,
        folder=str(folder),
        as_of=clock,
        currency=base,
        tables=counts,
        rejected=tuple(rejects),
        unknown_columns=unknown,
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


def _read(
    folder: Path, import_id: str, warehouse: Warehouse, staged: StagedTables, say: Progress
) -> tuple[list[Source], list[str]]:
    """The folder's files in the schema's order, and warnings. BadInput when one is no table of the schema."""
    found, others = find_sources(folder)
    absent = [name for name, shape in SHAPES.items() if shape.required and name not in found]
    faults = [absent_file(folder, name, found) for name in absent]
    faults += [same_table(paths) for paths in found.values() if len(paths) > 1]
    if sum(path.stat().st_size for paths in found.values() for path in paths) > LARGE_BYTES:
        staged.spread()
    sources: list[Source] = []
    for name in (name for name in SHAPES if name in found):
        path = found[name][0]
        say(f"reading {path.name}")
        try:
            sources.append(read_source(name, path, staged))
        except Unreadable as error:
            faults.append(error.reject)
        else:
            faults += missing_columns(sources[-1])
    _refuse(faults, import_id, warehouse)
    warnings = [f"{name} is no table of the canonical schema and was left out." for name in others]
    warnings += [f"There is no {name} file." for name in ("stock", "demand") if name not in found]
    return sources, warnings


def _require(checked: CheckedTables, among: str, reason: str, import_id: str, warehouse: Warehouse) -> None:
    """Refuse a required file without rows among `every` row or the `good` ones."""
    _refuse(empty_files(checked, among, reason), import_id, warehouse)


def _refuse(faults: Sequence[Reject], import_id: str, warehouse: Warehouse) -> None:
    if faults:
        warehouse.record_rejects(import_id, faults)
        raise refusal_of(import_id, faults)


def _stage(checked: CheckedTables, staged: StagedTables) -> None:
    """The good rows as the tables of a version; sites that only other tables name are sites all the same."""
    for name in CANONICAL:
        if name in checked.tables:
            checked.finish(name)
    if "sites" not in checked.tables or not checked.count(checked.good("sites")):
        users = [name for name in REFERENCES["site_id"][1] if name in checked.tables]
        used = " UNION ".join(f"SELECT site_id FROM {checked.good(name)}" for name in users)  # noqa: S608
        staged.put("sites", f"SELECT site_id, site_id AS name, NULL AS storage_capacity FROM ({used})")  # noqa: S608


def _lineage(checked: CheckedTables) -> list[SourceFile]:
    now, refused, counts = datetime.now(UTC), checked.rejected_rows(), checked.kept()
    return [
        SourceFile(
            path=str(table.source.path.absolute()),
            table=name,
            sha256=table.source.sha256,
            rows=counts[name],
            rejected=refused.get(table.file, 0),
            imported_at=now,
        )
        for name, table in checked.tables.items()
    ]
