"""The databases of one home, opened; everything else of an installation stands on them."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from erp.sandbox_home import erp_mark, set_erp_home
from graph.settings import Settings
from store.audit.belonging import Part, WarehouseMark, missing, must_belong
from store.audit.journal import Journal
from store.backup.swap import begun
from store.operations import Operations
from store.private import tighten
from store.warehouse import Warehouse, WarehouseBusy

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
    """Open the databases. OutOfReach when another process owns the warehouse or they do not belong together.

    All are looked at before any is migrated or made: a newer version's home is left as it is (NewerHome), and so is
    one where a database is missing, of an earlier moment or of another home.
    """
    tighten(settings.home)
    _carry_on_cut_off(settings)
    operations = _looked_at(settings)
    try:
        warehouse = Warehouse(settings.warehouse_path)
    except BaseException:  # an interrupt, too: nothing half-done stays open
        operations.close()
        raise
    try:
        if begun(settings.home) is not None:
            raise WarehouseBusy("A restore of this home is under way.", remedy="Wait until it has ended.")
        known = operations.home_mark()
        must_belong(known, warehouse.home_mark(), erp_mark(settings.sandbox_path))
        operations.migrate()
        if not known.founded:
            _found(operations, warehouse, settings.sandbox_path, known.home_id)
    except BaseException:  # an interrupt, too: nothing half-done stays open
        warehouse.close()
        operations.close()
        raise
    return Stores(settings, operations, warehouse, Journal(operations, warehouse))


def _carry_on_cut_off(settings: Settings) -> None:
    """A restore that was cut off is carried to its end first; a look at one name where there is none."""
    if begun(settings.home) is not None:
        from graph.upkeep.restoring import carry_on_cut_off

        carry_on_cut_off(settings)


def open_operations(settings: Settings) -> Operations:
    """The operations database alone, beside whatever process owns the home. Refused like the whole home."""
    tighten(settings.home)
    _carry_on_cut_off(settings)
    operations = _looked_at(settings)
    try:
        erp, known = erp_mark(settings.sandbox_path), operations.home_mark()
        unknown = WarehouseMark(known.home_id, blank=not settings.warehouse_path.exists(), taken=known.projected)
        must_belong(known, unknown, erp)
        operations.migrate()
    except BaseException:  # an interrupt, too: nothing half-done stays open
        operations.close()
        raise
    return operations


def _looked_at(settings: Settings) -> Operations:
    """The operations database before any migration. DatabaseMissing when a file is gone that others stand beside.

    Nothing is made before this is known. The operations database is made first and the sandbox ERP's last, so that no
    crash leaves the later ones alone.
    """
    warehouse, erp = settings.warehouse_path.exists(), settings.sandbox_path.exists()
    file = settings.operations_file
    if file is not None and not file.exists() and (warehouse or erp):
        raise missing(Part.OPERATIONS)
    operations = Operations(settings.operations_url, migrate=False)
    try:
        known = operations.home_mark()
        if not warehouse and (known.founded or not known.blank):
            raise missing(Part.WAREHOUSE)
        if not erp and (known.founded or known.acted):
            raise missing(Part.SANDBOX_ERP)
    except BaseException:  # an interrupt, too: nothing half-done stays open
        operations.close()
        raise
    return operations


def _found(operations: Operations, warehouse: Warehouse, erp: Path, home_id: str) -> None:
    """Give a home its id, in every database: one of its own, or one that a crash left half given."""
    home_id = home_id or f"home-{secrets.token_hex(6)}"
    operations.set_home(home_id, founded=False)
    warehouse.set_home(home_id)
    set_erp_home(erp, home_id)
    operations.set_home(home_id, founded=True)
