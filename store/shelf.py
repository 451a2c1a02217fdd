"""Versioned datasets on their shelf: imported whole, derived from an ERP's read-back, and loaded as values."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime

import orjson

from store.database import to_json
from store.datasets import DEMAND_KINDS, demand_rank, read_dataset, read_offers, read_suppliers
from store.duck import DuckFile
from store.lineage import DatasetInfo, Reject, Rows, SourceFile, StagedTables
from store.schema import CANONICAL
from tools.domain.datasets import Catalogue, Dataset
from tools.domain.errors import NotFound
from tools.domain.orders import PurchaseOrder, Receipt


class DatasetShelf(DuckFile):
    """Dataset versions, one of them active, with lineage and rejects."""

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
        with self._lock:
            content = tables.content_hash()
            number = int(self._all("SELECT coalesce(max(number), 0) + 1 FROM datasets")[0][0])
            version = f"ds-{number}-{content[:8]}"
            counts = {name: len(rows) for name, rows in tables.rows.items()}
            with self._transaction():
                for name, rows in tables.rows.items():
                    if rows:
                        self._append(f"c_{name}", [(version, *row) for row in rows])
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
        """A new version from an ERP's read-back: receipts, demand and stock counts appended, open orders replaced.

        New demand gets the kind of its item's history, since kinds are never added up. Stock that the ERP no
        longer reports is dropped with its history: an old count is no stock to plan with.
        """
        info = next((known for known in self.datasets() if known.version == parent), None)
        if info is None:
            raise NotFound(f"There is no dataset {parent}.", remedy="`jit doctor` names the active one.")
        rows: dict[str, Rows] = {
            name: self._all(f"SELECT * EXCLUDE (version) FROM c_{name} WHERE version = ?", [parent])  # noqa: S608
            for name in CANONICAL
        }
        seen = {(row[0], row[1], row[7]) for row in rows["receipts"]}
        fresh = [r for r in receipts if (r.order_id, r.item_id, r.receipt_date) not in seen]
        rows["receipts"] = [*rows["receipts"], *(tuple(r.model_dump().values()) for r in fresh)]
        rows["purchase_orders"] = [tuple(order.model_dump(mode="json").values()) for order in open_orders]
        rows["stock"] = _counts_with(rows["stock"], info.as_of, on_hand, as_of)
        kinds = {
            (row[0], row[1]): row[4]
            for row in sorted(rows["demand"], key=lambda row: demand_rank(row[4]), reverse=True)
        }
        rows["demand"] = [*rows["demand"], *((*row, kinds.get((row[0], row[1]), DEMAND_KINDS[0])) for row in demand)]
        lineage = [
            SourceFile(note, "receipts", "", len(fresh), 0, datetime.now(UTC)),
            SourceFile(note, "demand", "", len(demand), 0, datetime.now(UTC)),
        ]
        return self.import_tables(StagedTables(rows), lineage, as_of, info.currency, source=note, parent=parent)

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
        }
        return read_dataset(info.version, info.as_of, info.currency, info.content_hash, tables)

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

    def set_aside(self, import_id: str, file: str, cells: Mapping[int, Mapping[str, str]]) -> None:
        """Keep the cells of unknown columns, by row of the file."""
        if cells:
            with self._lock:
                self._append("set_aside", [(import_id, file, row, to_json(kept)) for row, kept in cells.items()])

    def kept_aside(self, import_id: str, file: str) -> dict[int, dict[str, str]]:
        """Cells of unknown columns of one import and file, by row."""
        sql = "SELECT row, cells FROM set_aside WHERE import_id = ? AND file = ? ORDER BY row"
        return {row: orjson.loads(cells) for row, cells in self._all(sql, [import_id, file])}


def _counts_with(
    rows: Rows, clock: date, on_hand: Mapping[tuple[str, str], float], as_of: date
) -> list[tuple[str, str, float, date]]:
    """Earlier stock counts of what is still reported, and the new ones; a second look on a day replaces the first."""
    earlier = [(item, site, units, day or clock) for item, site, units, day in rows]
    kept = [row for row in earlier if (row[0], row[1]) in on_hand and row[3] < as_of]
    return [*kept, *((item, site, units, as_of) for (item, site), units in sorted(on_hand.items()))]
