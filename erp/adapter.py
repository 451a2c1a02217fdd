"""What every ERP must be able to do for us, and how its failures are told apart."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.domain.catalogue import Record
from tools.domain.errors import JitError, OutOfReach
from tools.domain.orders import Intent, OpenOrderStatus, PurchaseOrder, Receipt


class Frozen(BaseModel):
    """A frozen record."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ActionKind(StrEnum):
    """What the outbox asks an ERP to do."""

    PLACE = "place"
    AMEND = "amend"
    HOLD = "hold"
    EXPEDITE = "expedite"
    CANCEL = "cancel"


ACTIONS_OF_INTENT: dict[Intent, tuple[ActionKind, ...]] = {
    Intent.PLACE: (ActionKind.PLACE,),
    Intent.ADJUST_QUANTITY: (ActionKind.AMEND,),
    Intent.MOVE_DATE: (ActionKind.AMEND,),
    Intent.SWITCH_SUPPLIER: (ActionKind.PLACE, ActionKind.CANCEL),
    Intent.EXPEDITE: (ActionKind.EXPEDITE,),
    Intent.HOLD: (ActionKind.HOLD,),
    Intent.CANCEL: (ActionKind.CANCEL,),
}
"""The actions that carry out an intent, in order: a new source is ordered before the old order is cancelled."""


class DraftLine(Frozen):
    """One line of an order to place. Money as decimal text in the order's currency."""

    line_id: str
    item_id: str
    quantity: float = Field(gt=0)
    unit_price: str
    due_date: date
    offer_id: str = ""


class OrderDraft(Frozen):
    """A purchase order to place with one supplier."""

    supplier_id: str
    site_id: str
    currency: str
    lines: tuple[DraftLine, ...] = Field(min_length=1)


class OrderChange(Frozen):
    """What an amendment sets; what is None stays. Quantity is the line's new total, in units."""

    quantity: float | None = Field(default=None, gt=0)
    due_date: date | None = None


class OrderAction(Frozen):
    """One action; `key` is its idempotency key.

    All but `place` concern `erp_ref`: an order, or one of its lines by the `order_id` that open orders carry.
    """

    key: str = Field(min_length=1)
    kind: ActionKind
    order: OrderDraft | None = None
    erp_ref: str | None = None
    change: OrderChange | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind is ActionKind.PLACE and self.order is None:
            raise ValueError("an action that places names its order")
        if self.kind is not ActionKind.PLACE and self.erp_ref is None:
            raise ValueError(f"an action of kind {self.kind} names the order it concerns")
        if self.kind is ActionKind.AMEND and self.change is None:
            raise ValueError("an amendment names what it changes")
        return self


class ErpLine(Frozen):
    """One line as the ERP holds it; `order_id` is the id that open orders and receipts carry."""

    order_id: str
    line_id: str
    item_id: str
    quantity: float
    open_quantity: float
    promised_date: date | None
    status: OpenOrderStatus


class ErpOrder(Frozen):
    """What the ERP says of an order. `key` is the idempotency key that it was placed with."""

    erp_ref: str
    key: str
    status: OpenOrderStatus
    confirmed_at: date | None = None
    lines: tuple[ErpLine, ...] = ()


class Capabilities(Frozen):
    """What an adapter can do; the outbox asks before it relies on one."""

    name: str
    unique_keys: bool
    """Whether the ERP itself refuses a key that it has seen."""
    kinds: frozenset[ActionKind]


class MasterKind(StrEnum):
    """Master data that an ERP can list."""

    ITEMS = "items"
    SUPPLIERS = "suppliers"
    OFFERS = "offers"


class Retryable(OutOfReach):
    """Nothing happened; try again later (connect error, 429, 502 to 504, 423)."""

    code = "JIT-410"


class InDoubt(OutOfReach):
    """It may or may not have happened (read timeout, 500 on a write): look up by key before any resend."""

    code = "JIT-411"


class Permanent(JitError):
    """The ERP refuses for good (validation, 403, 404, 417, wrong state): to a person."""

    code = "JIT-412"


class ConflictFound(JitError):
    """The key is there already (409, 412, duplicate key): adopt the record that carries it."""

    code = "JIT-413"


class AuthFailed(OutOfReach):
    """The ERP refuses our credentials (401): nothing more is sent until a person has looked."""

    code = "JIT-414"


class ErpAdapter(Protocol):
    """One ERP system. Every write carries an idempotency key and has no effect when its key is known."""

    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def submit(self, action: OrderAction) -> ErpOrder:
        """Place the order of an action, as a draft where the ERP has drafts."""
        ...

    def confirm(self, erp_ref: str, key: str) -> ErpOrder:
        """Release a draft to its supplier."""
        ...

    def amend(self, action: OrderAction) -> ErpOrder:
        """Change quantity or date of what is still open, or put it on hold."""
        ...

    def cancel(self, action: OrderAction) -> ErpOrder:
        """Cancel what is still open."""
        ...

    def expedite(self, action: OrderAction) -> ErpOrder:
        """Ask for what is still open to come sooner."""
        ...

    def find_by_key(self, key: str) -> ErpOrder | None:
        """The order that the action with this idempotency key placed or changed."""
        ...

    def get_status(self, erp_ref: str) -> ErpOrder:
        """Current state of an order. Permanent when there is none."""
        ...

    def iter_receipts(self, since: date | None) -> Iterable[Receipt]:
        """Goods received after a day, oldest first."""
        ...

    def iter_open_orders(self) -> Iterable[PurchaseOrder]:
        """Open order lines, with what is still to arrive."""
        ...

    def iter_stock(self) -> Iterable[tuple[str, str, float]]:
        """Item, site and units on hand."""
        ...

    def iter_demand(self, since: date | None) -> Iterable[tuple[str, str, date, float]]:
        """Item, site, day and units demanded after a day, oldest first."""
        ...

    def iter_master(self, kind: MasterKind, since: date | None) -> Iterable[Record]:
        """Master records that changed after a day; all without one."""
        ...

    def health(self) -> dict[str, Any]:
        """Whether it answers, and its clock."""
        ...
