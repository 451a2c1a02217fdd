"""The warehouse: versioned datasets with lineage, artifacts of runs, KPIs and the journal, in one DuckDB file."""

from store.archive import Archive
from store.audit.chain import JournalCheck, Transition
from store.datasets.lineage import DatasetInfo, Reject, SourceFile
from store.datasets.shelf import DatasetShelf
from store.datasets.staged import StagedTables
from store.duck import WarehouseBusy
from store.estimates import EstimateShelf

__all__ = [
    "DatasetInfo",
    "JournalCheck",
    "Reject",
    "SourceFile",
    "StagedTables",
    "Transition",
    "Warehouse",
    "WarehouseBusy",
]


class Warehouse(DatasetShelf, EstimateShelf, Archive):
    """Everything analytical of one installation. Thread-safe; one process at a time owns the file."""

    def __enter__(self) -> "Warehouse":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
