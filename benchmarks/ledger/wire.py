"""The connection to the sandbox ERP: it fails before or after the ERP has done what it was asked, as drawn."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any, TypeVar

from benchmarks.ledger.schedule import Schedule
from erp.adapter import (
    AuthFailed,
    Capabilities,
    ConflictFound,
    ErpOrder,
    InDoubt,
    MasterKind,
    OrderAction,
    Permanent,
    Retryable,
)
from erp.sandbox import SandboxErp
from erp.sandbox_clock import Passed
from tools.domain.catalogue import Record
from tools.domain.errors import JitError
from tools.domain.orders import PurchaseOrder, Receipt

T = TypeVar("T")
BEFORE: Sequence[type[JitError]] = (Retryable, Retryable, InDoubt, InDoubt, ConflictFound, Permanent, AuthFailed)
"""What may come of a write that did not reach the ERP."""
AFTER: Sequence[type[JitError]] = (InDoubt, InDoubt, ConflictFound)
"""What may come of one that did."""


@dataclass
class Faults:
    """How often writes fail, in this world."""

    random: Random = field(default_factory=Random)
    probability: float = 0.0

    def drawn(self, kinds: Sequence[type[JitError]]) -> JitError | None:
        """An error to raise, or none."""
        if self.random.random() >= self.probability:
            return None
        return self.random.choice(kinds)("Drawn.", remedy="None.")


class Wire:
    """A `SandboxErp` over a schedule: between any two of its calls another operation may go on."""

    def __init__(self, erp: SandboxErp, schedule: Schedule, faults: Faults) -> None:
        self._erp = erp
        self._schedule = schedule
        self._faults = faults

    def close(self) -> None:
        """Release the file."""
        self._erp.close()

    @property
    def inside(self) -> SandboxErp:
        """The ERP itself, for those who work in it."""
        return self._erp

    @property
    def today(self) -> date:
        """The ERP's clock."""
        return self._erp.today

    @property
    def changes(self) -> int:
        """How often the ERP was written."""
        return self._erp.changes

    def advance(self, days: int, demand: Mapping[str, Sequence[float]] | None = None) -> Passed:
        """Move the ERP's clock."""
        return self._asked(lambda: self._erp.advance(days, demand))

    def capabilities(self) -> Capabilities:
        """What the ERP can do."""
        return self._erp.capabilities()

    def submit(self, action: OrderAction) -> ErpOrder:
        """Place an order."""
        return self._written(lambda: self._erp.submit(action))

    def confirm(self, erp_ref: str, key: str) -> ErpOrder:
        """Release a draft."""
        return self._written(lambda: self._erp.confirm(erp_ref, key))

    def amend(self, action: OrderAction) -> ErpOrder:
        """Change an order."""
        return self._written(lambda: self._erp.amend(action))

    def cancel(self, action: OrderAction) -> ErpOrder:
        """Cancel an order."""
        return self._written(lambda: self._erp.cancel(action))

    def expedite(self, action: OrderAction) -> ErpOrder:
        """Ask for an order to come sooner."""
        return self._written(lambda: self._erp.expedite(action))

    def find_by_key(self, key: str) -> ErpOrder | None:
        """The order of an action."""
        return self._asked(lambda: self._erp.find_by_key(key))

    def get_status(self, erp_ref: str) -> ErpOrder:
        """State of an order."""
        return self._asked(lambda: self._erp.get_status(erp_ref))

    def iter_receipts(self, since: date | None) -> Iterable[Receipt]:
        """Goods received."""
        return self._asked(lambda: self._erp.iter_receipts(since))

    def iter_open_orders(self) -> Iterable[PurchaseOrder]:
        """Open order lines."""
        return self._asked(lambda: self._erp.iter_open_orders())

    def iter_stock(self) -> Iterable[tuple[str, str, float]]:
        """Units on hand."""
        return self._asked(lambda: self._erp.iter_stock())

    def iter_demand(self, since: date | None) -> Iterable[tuple[str, str, date, float]]:
        """Units demanded."""
        return self._asked(lambda: self._erp.iter_demand(since))

    def iter_master(self, kind: MasterKind, since: date | None) -> Iterable[Record]:
        """Master records."""
        return self._asked(lambda: self._erp.iter_master(kind, since))

    def health(self) -> dict[str, Any]:
        """Whether it answers."""
        return self._erp.health()

    def _asked(self, call: Callable[[], T]) -> T:
        self._schedule.point()
        return call()

    def _written(self, call: Callable[[], T]) -> T:
        self._schedule.point()
        if (error := self._faults.drawn(BEFORE)) is not None:
            raise error
        answer = call()
        self._schedule.point()
        if (error := self._faults.drawn(AFTER)) is not None:
            raise error
        return answer
