"""The databases of one home, opened; everything else of an installation stands on them."""

from dataclasses import dataclass

from graph.settings import Settings
from store.journal import Journal
from store.operations import Operations
from store.private import tighten
from store.warehouse import Warehouse

PINNED_RUNS = 200
"""How many of the latest runs keep the distributions that they were planned with while they go on."""


@dataclass(frozen=True)
class Stores:
    """What every session holds open."""

    settings: Settings
    operations: Operations
    warehouse: Warehouse
    journal: Journal

    def close(self) -> None:
        """Project what is staged, then release the files."""
        self.journal.stop()
        self.operations.close()
        self.warehouse.close()

    def pinned_estimates(self) -> set[str]:
        """Estimate versions of runs that go on or wait for people."""
        going_on = (row for row in self.operations.runs(PINNED_RUNS) if row.status in ("running", "waiting"))
        return {str(row.versions["estimate"]) for row in going_on if "estimate" in row.versions}


def open_stores(settings: Settings) -> Stores:
    """Open the databases. OutOfReach when another process owns the warehouse, NewerHome for a newer version's home.

    Both are looked at before either is migrated: a newer version's home is left as it is.
    """
    tighten(settings.home)
    Operations(settings.operations_url, migrate=False).close()
    warehouse = Warehouse(settings.warehouse_path)
    operations = Operations(settings.operations_url)
    return Stores(settings, operations, warehouse, Journal(operations, warehouse))
