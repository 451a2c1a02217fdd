"""Versioned datasets on their shelf: imported whole, derived from an ERP's read-back, and loaded as values."""

import shutil
import threading
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import orjson

from store.database import to_json
from store.datasets.derived import PARENT, ReadBackRows, stage_read_back
from store.datasets.lineage import DatasetInfo, Reject, SourceFile
from store.datasets.loading import read_dataset, read_offers, read_suppliers
from store.datasets.past_demand import read_demand
from store.datasets.staged import SCHEMA, StagedTables, literal
from store.duck import DuckFile
from store.faults import faults_named
from store.private import private_folder
from store.schema import CANONICAL
from tools.domain.datasets import Catalogue, Dataset
from tools.domain.errors import NotFound
from tools.domain.orders import PurchaseOrder, Receipt

STAGING = ".importing"
"""Folder beside the warehouse in which a coming version's tables are made."""

LARGE_ROWS = 500_000
"""Of a version: from here on more than one core gains something."""


class DatasetShelf(DuckFile):
    """Dataset versions, one of them active, with lineage and rejects."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._staging = threading.Lock()

    @contextmanager
    def staging(self) -> Generator[StagedTables]:
        """Room for the tables of a coming version, one at a time; what a process that ended left there goes first."""
        folder = self._path.with_name(STAGING)
        with self._staging, faults_named("The room for an import", folder, duckdb.Error, OSError):
            shutil.rmtree(folder, ignore_errors=True)
            private_folder(folder)
            staged = StagedTables(folder)
            try:
                yield staged
            finally:
                staged.close()
                shutil.rmtree(folder, ignore_errors=True)

    def import_tables(
        self,
        tables: StagedTables,
        lineage: Sequence[SourceFile],
        as_of: date,
        currency: str,
        *,
        source: str = "",
        parent: str | None = None,
    ) -> str:
        """Store a new dataset version and make it active, all in one transaction; returns its id."""
        content, counts = tables.content_hash(), tables.counts()
        with self._attached(tables):
            number = int(self._all("SELECT coalesce(max(number), 0) + 1 FROM datasets")[0][0])
            version = f"ds-{number}-{content[:8]}"
            with self._transaction():
                for name in (name for name, count in counts.items() if count):
                    self._connection.execute(
                        f"INSERT INTO c_{name} SELECT ?, * FROM staged.{SCHEMA}.{name}",  # noqa: S608
                        [version],
                    )
                self._append(
                    "lineage",
                    [(version, f.path, f.table, f.sha256, f.rows, f.rejected, f.imported_at) for f in lineage],
                )
                self._connection.execute("UPDATE datasets SET active = false")
                self._connection.execute(
                    "INSERT INTO datasets VALUES (?, ?, ?, ?, ?, true, ?, ?, ?, ?)",
                    [version, number, as_of, currency, datetime.now(UTC), parent, content, source, to_json(counts)],
                )
            return version

    @contextmanager
    def _attached(self, tables: StagedTables, mode: str = "READ_ONLY") -> Generator[None]:
        """The staged tables beside the warehouse's own, as `staged`."""
        tables.close()
        with self._watched():
            self._connection.execute(f"ATTACH {literal(str(tables.path))} AS staged ({mode})")
            try:
                yield
            finally:
                if self._opened is not None:
                    self._opened.execute("DETACH staged")

    def derive_dataset(
        self,
        parent: str,
        *,
        receipts: Sequence[Receipt],
        open_orders: Sequence[PurchaseOrder],
        on_hand: Mapping[tuple[str, str], float],
        as_of: date,
        note: str,
        demand: Sequence[tuple[str, str, date, float]] = (),
    ) -> str:
        """A new version from an ERP's read-back: receipts, demand and stock counts appended, open orders replaced."""
        info = next((known for known in self.datasets() if known.version == parent), None)
        if info is None:
            raise NotFound(f"There is no dataset {parent}.", remedy="`jit doctor` names the active one.")
        with self.staging() as staged:
            with self._attached(staged, "READ_WRITE"):
                self._connection.execute(f"CREATE SCHEMA staged.{PARENT}")
                for name in CANONICAL:
                    self._connection.execute(
                        f"CREATE TABLE staged.{PARENT}.{name} AS "  # noqa: S608
                        f"SELECT * EXCLUDE (version) FROM c_{name} WHERE version = ?",
                        [parent],
                    )
            if sum(info.row_counts.values()) > LARGE_ROWS:
                staged.spread()
            read = ReadBackRows(receipts, open_orders, on_hand, demand)
            fresh = stage_read_back(staged, info.as_of, as_of, read)
            now = datetime.now(UTC)
            lineage = [
                SourceFile(note, "receipts", "", fresh, 0, now),
                SourceFile(note, "demand", "", len(demand), 0, now),
            ]
            return self.import_tables(staged, lineage, as_of, info.currency, source=note, parent=parent)

    def datasets(self) -> list[DatasetInfo]:
        """All versions, newest first."""
        rows = self._all(
            "SELECT version, as_of, currency, created_at, active, parent, content_hash, source, row_counts "
            "FROM datasets ORDER BY number DESC"
        )
        return [DatasetInfo(*row[:-1], row_counts=orjson.loads(row[-1])) for row in rows]

    def active_version(self) -> str | None:
        """The active dataset version, None before the first import."""
        found = self._all("SELECT version FROM datasets WHERE active")
        return str(found[0][0]) if found else None

    def activate(self, version: str) -> None:
        """Make a version active again. NotFound when there is none."""
        if version not in {known.version for known in self.datasets()}:
            raise NotFound(f"There is no dataset {version}.", remedy="`jit datasets` lists the versions.")
        self._run("UPDATE datasets SET active = (version = ?)", [version])

    def lineage(self, version: str) -> list[SourceFile]:
        """The files of a version."""
        rows = self._all(
            "SELECT path, table_name, sha256, rows, rejected, imported_at FROM lineage WHERE version = ?", [version]
        )
        return [SourceFile(*row) for row in rows]

    def load_dataset(self, version: str | None = None) -> Dataset:
        """A version as values; the active one when none is named."""
        wanted = version or self.active_version()
        info = next((known for known in self.datasets() if known.version == wanted), None)
        if info is None:
            raise NotFound(
                f"There is no dataset {wanted}." if wanted else "Nothing has been imported yet.",
                remedy="Run `jit import FOLDER` or `jit demo` first.",
            )
        tables = {
            name: self._all(f"SELECT * EXCLUDE (version) FROM c_{name} WHERE version = ?", [info.version])  # noqa: S608
            for name in CANONICAL
            if name != "demand"
        }
        with self._watched():
            past = read_demand(self._connection, info.version)
        return read_dataset(info.version, info.as_of, info.currency, info.content_hash, tables, past)

    def catalogue(self, version: str, item_ids: Collection[str]) -> Catalogue:
        """A version's suppliers and its offers of these items, without loading anything else of it."""
        suppliers = self._all("SELECT * EXCLUDE (version) FROM c_suppliers WHERE version = ?", [version])
        sql = "SELECT * EXCLUDE (version) FROM c_offers WHERE version = ? AND list_contains(?, item_id)"
        offers = read_offers(self._all(sql, [version, sorted(item_ids)]))
        return Catalogue(read_suppliers(suppliers), {offer.offer_id: offer for offer in offers})

    def record_rejects(self, import_id: str, rejects: Sequence[Reject]) -> None:
        """Keep rejected rows with their reasons."""
        now = datetime.now(UTC)
        with self._lock:
            self._append(
                "rejects",
                [(import_id, r.file, r.row, r.column, r.reason, r.expected, r.remedy, r.value, now) for r in rejects],
            )

    def rejects(self, import_id: str | None = None) -> list[Reject]:
        """Rejected rows of one import, or of all."""
        sql = "SELECT file, row, column_name, reason, expected, remedy, value, import_id FROM rejects"
        rows = self._all(sql + " WHERE import_id = ?", [import_id]) if import_id else self._all(sql)
        return [Reject(*row) for row in rows]

    def keep_rejects(self, import_id: str, staged: StagedTables) -> None:
        """Keep what the rules of an import refused, in their order."""
        with self._attached(staged), self._transaction():
            self._connection.execute(
                "INSERT INTO rejects SELECT ?, file, row, column_name, reason, expected, remedy, value, ? "
                "FROM staged.findings.refused ORDER BY place, step, nth",
                [import_id, datetime.now(UTC)],
            )

    def keep_aside(self, import_id: str, staged: StagedTables) -> None:
        """Keep the cells of columns that the schema does not know, by row of the file."""
        with self._attached(staged), self._transaction():
            self._connection.execute(
                "INSERT INTO set_aside SELECT ?, file, row, cells FROM staged.findings.set_aside", [import_id]
            )

    def kept_aside(self, import_id: str, file: str) -> dict[int, dict[str, str]]:
        """Cells of unknown columns of one import and file, by row."""
        sql = "SELECT row, cells FROM set_aside WHERE import_id = ? AND file = ? ORDER BY row"
        return {row: orjson.loads(cells) for row, cells in self._all(sql, [import_id, file])}
