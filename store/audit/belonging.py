"""Whether the databases of a home belong together: each knows the home, and counts how far the others were."""

from dataclasses import dataclass
from enum import StrEnum

from tools.domain.errors import OutOfReach

RESTORE = "Put a backup of this home back with `jit restore FILE`, or the file itself where you moved it"
AFRESH = "or give up what it held with `jit start-afresh {part} --reason WHY`. Nothing was changed."


class Part(StrEnum):
    """The databases of a home, by the names that commands take."""

    OPERATIONS = "operations"
    WAREHOUSE = "warehouse"
    SANDBOX_ERP = "sandbox-erp"


TITLES = {
    Part.OPERATIONS: "The operations database",
    Part.WAREHOUSE: "The warehouse",
    Part.SANDBOX_ERP: "The sandbox ERP's database",
}


class DatabaseMissing(OutOfReach):
    """A database of this home is not there, and the others are."""

    code = "JIT-406"


class DatabaseOlder(OutOfReach):
    """A database of this home is of an earlier moment than the others."""

    code = "JIT-407"


class DatabaseForeign(OutOfReach):
    """A database in this home is of another one."""

    code = "JIT-408"


@dataclass(frozen=True, slots=True)
class OperationsMark:
    """What the operations database says of its home. Counters only ever grow."""

    home_id: str = ""
    founded: bool = False
    """Whether every database of the home had its id."""
    blank: bool = True
    """Whether no run, decision or journal row was ever stored."""
    acted: bool = False
    """Whether an action was ever carried out in the ERP."""
    handed_over: int = 0
    """Id of the last journal row that was given to the warehouse, stored before the warehouse had it."""
    projected: int = 0
    """Id of the last journal row that the warehouse is known to hold."""
    supply: int = 0
    """The ledger's counter."""
    erp_changes: int = 0
    """How often the sandbox ERP had been written when it was last heard of."""


@dataclass(frozen=True, slots=True)
class WarehouseMark:
    """What the warehouse says of its home."""

    home_id: str = ""
    blank: bool = True
    taken: int = 0
    """Id of the last journal row that it took."""


@dataclass(frozen=True, slots=True)
class ErpMark:
    """What the sandbox ERP's database says of its home."""

    home_id: str = ""
    blank: bool = True
    changes: int = 0
    """How often it was written."""
    supply: int = 0
    """The ledger's counter at the last writing."""


def must_belong(operations: OperationsMark, warehouse: WarehouseMark, erp: ErpMark) -> None:
    """DatabaseMissing, DatabaseForeign or DatabaseOlder unless the three are of one home and one time.

    After a crash a database may lack what the others have not heard of yet: each commit is on disk before another
    database counts it, so that only a file that was taken away, exchanged or set back falls behind what is counted.
    """
    _must_be_there(operations, warehouse, erp)
    ids = {
        Part.OPERATIONS: operations.home_id,
        Part.WAREHOUSE: warehouse.home_id,
        Part.SANDBOX_ERP: erp.home_id,
    }
    if operations.home_id:
        _must_be_of_one_home(ids, founded=operations.founded)
    _must_be_of_one_time(operations, warehouse, erp)


def _must_be_there(operations: OperationsMark, warehouse: WarehouseMark, erp: ErpMark) -> None:
    """A database without the home's id is a new one, or one from before there was an id."""
    if not operations.home_id:
        if operations.blank and not (warehouse.blank and erp.blank):
            raise missing(Part.OPERATIONS)
        if warehouse.home_id or erp.home_id:
            raise _older(Part.OPERATIONS, "it is from before this home had an id")
    if not warehouse.home_id and warehouse.blank and operations.founded:
        raise missing(Part.WAREHOUSE)
    if not erp.home_id and erp.blank and (operations.founded or operations.acted):
        raise missing(Part.SANDBOX_ERP)
    if operations.founded and not warehouse.home_id:
        raise _older(Part.WAREHOUSE, "it is from before this home had an id")
    if operations.founded and not erp.home_id:
        raise _older(Part.SANDBOX_ERP, "it is from before this home had an id")


def _must_be_of_one_home(ids: dict[Part, str], *, founded: bool) -> None:
    """Of three ids the one that stands alone is the stranger; with two, the one beside operations."""
    known = {part: home_id for part, home_id in ids.items() if home_id or founded}
    if len(set(known.values())) == 1:
        return
    alone = [part for part, home_id in known.items() if list(known.values()).count(home_id) == 1]
    stranger = alone[0] if len(alone) == 1 else alone[-1]
    others = sorted({home_id for part, home_id in known.items() if part is not stranger})
    raise DatabaseForeign(
        f"{TITLES[stranger]} is of another home ({known[stranger]}); this one is {' or '.join(others)}.",
        remedy=f"{RESTORE}, {AFRESH.format(part=stranger.value)}",
        part=stranger.value,
    )


def _must_be_of_one_time(operations: OperationsMark, warehouse: WarehouseMark, erp: ErpMark) -> None:
    if operations.handed_over < warehouse.taken:
        told = f"it ends at journal row {operations.handed_over} of its own, and the warehouse took {warehouse.taken}"
        raise _older(Part.OPERATIONS, told)
    if operations.supply < erp.supply:
        told = f"its ledger ends at change {operations.supply}, and the ERP was written at change {erp.supply}"
        raise _older(Part.OPERATIONS, told)
    if warehouse.taken < operations.projected:
        told = f"it ends at journal row {warehouse.taken}, and {operations.projected} were handed to it"
        raise _older(Part.WAREHOUSE, told)
    if erp.changes < operations.erp_changes:
        told = f"it ends at its change {erp.changes}, and {operations.erp_changes} were reported"
        raise _older(Part.SANDBOX_ERP, told)


def missing(part: Part) -> DatabaseMissing:
    """A database is gone from a home that has the others."""
    return DatabaseMissing(
        f"{TITLES[part]} of this home is missing, and the others are there.",
        remedy=f"{RESTORE}, {AFRESH.format(part=part.value)}",
        part=part.value,
    )


def _older(part: Part, how: str) -> DatabaseOlder:
    return DatabaseOlder(
        f"{TITLES[part]} is of an earlier moment than the others of this home: {how}.",
        remedy=f"{RESTORE}, {AFRESH.format(part=part.value)}",
        part=part.value,
    )
