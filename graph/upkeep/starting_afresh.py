"""Give up what a database held, where it is missing or does not belong to the others, and begin a new one."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime

from erp.sandbox_home import erp_mark
from graph.settings import Settings
from graph.upkeep.restoring import aside_name, carry_on, finish
from store.audit.agreement import AFRESH
from store.audit.belonging import ErpMark, OperationsMark, Part, WarehouseMark
from store.backup import swap as swaps
from store.backup.backup_file import ERP, OPERATIONS, WAREHOUSE
from store.backup.swap import Swap
from store.operations import Operations
from store.warehouse import Warehouse
from tools.domain.errors import BadInput, Conflict, JitError

LOST: Mapping[Part, str] = {
    Part.OPERATIONS: (
        "users, runs, approvals that wait, decisions, the ledger of orders and what was queued for the ERP are given"
        " up. The open orders of the ERP are read back, as orders that were made there, before anything is planned."
    ),
    Part.WAREHOUSE: (
        "datasets, estimates, plans and the journal are given up, and the operations database with them: its runs and"
        " approvals cannot be read without their data. Import your data again."
    ),
    Part.SANDBOX_ERP: (
        "the sandbox ERP's orders, receipts and clock are given up. It begins again from the active dataset; our orders"
        " that stood in it count as cancelled, and the next plan orders for their needs anew."
    ),
}
"""What is given up with each database, and what happens then."""


def start_afresh(settings: Settings, part: Part, actor: str, reason: str) -> Mapping[str, object]:
    """Begin a database anew under the home's id; the old files are kept aside.

    Conflict when the others are not of one home, for then nobody can tell which is the right one. WarehouseBusy while
    another process owns the home. Carried to its end by the next start when it is cut off.
    """
    if not reason.strip():
        raise BadInput("A database is given up for a reason only.", remedy="Say why with --reason.")
    with swaps.alone(settings.home, settings.warehouse_path):
        carry_on(settings)
        begun = _planned(settings, part, actor, reason)
        swaps.staged_folder(settings.home)
        swaps.begin(settings.home, begun)
        finish(settings, begun)
    aside = settings.home / begun.name
    return {"afresh": part.value, "kept_aside": str(aside.absolute()), "reason": reason}


def _planned(settings: Settings, part: Part, actor: str, reason: str) -> Swap:
    operations = OperationsMark() if part is Part.OPERATIONS else _operations_mark(settings)
    warehouse = WarehouseMark() if part is Part.WAREHOUSE else _warehouse_mark(settings)
    erp = ErpMark() if part is Part.SANDBOX_ERP else erp_mark(settings.sandbox_path)
    ids = {mark.home_id for mark in (operations, warehouse, erp) if mark.home_id}
    if len(ids) != 1:
        told = f"are of different homes ({', '.join(sorted(ids))})" if ids else "do not say whose home they are of"
        raise Conflict(
            f"The databases beside {part.value} {told}.",
            remedy="Put the right files back, or `jit restore` a backup of one home.",
        )
    fresh_operations = part in (Part.OPERATIONS, Part.WAREHOUSE)
    counted = OperationsMark(
        handed_over=warehouse.taken,
        projected=warehouse.taken,
        supply=max(operations.supply, erp.supply) + fresh_operations,
        erp_changes=max(erp.changes, operations.erp_changes),
    )
    files = {Part.OPERATIONS: (OPERATIONS,), Part.WAREHOUSE: (WAREHOUSE, OPERATIONS), Part.SANDBOX_ERP: (ERP,)}[part]
    in_tables = fresh_operations and settings.operations_file is None
    return Swap(
        name=aside_name(datetime.now(UTC)),
        came_from=part.value,
        actor=actor,
        made_at="",
        event=AFRESH,
        files=tuple(file for file in files if not (in_tables and file == OPERATIONS)),
        tables=in_tables,
        reason=reason,
        home_id=ids.pop(),
        counters={name: value for name, value in asdict(counted).items() if name in COUNTED},
    )


COUNTED = ("handed_over", "projected", "supply", "erp_changes")


def _operations_mark(settings: Settings) -> OperationsMark:
    """Blank when it cannot be read, which is why it may be given up with the warehouse."""
    file = settings.operations_file
    if file is not None and not file.exists():
        return OperationsMark()
    try:
        with closing(Operations(settings.operations_url, migrate=False)) as operations:
            return operations.home_mark()
    except JitError:
        return OperationsMark()


def _warehouse_mark(settings: Settings) -> WarehouseMark:
    if not settings.warehouse_path.exists():
        return WarehouseMark()
    with Warehouse(settings.warehouse_path) as warehouse:
        return warehouse.home_mark()
