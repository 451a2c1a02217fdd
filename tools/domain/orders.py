"""Orders: ours from their draft to their receipt, and purchase orders and receipts as the ERP reports them.

Checkpoints and the ledger store the types of this module by its name: it is never moved or renamed.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from pydantic import Field

from tools.domain.catalogue import Autonomy, Record
from tools.domain.errors import Conflict
from tools.domain.money import Money
from tools.domain.seals import content_hash

Fact = bool | int | str
"""A value that a gate knows: never a fraction."""
ItemSite = tuple[str, str]
"""Item id and site id: whose supply an order changes."""


class Intent(StrEnum):
    """What a plan line asks the ERP to do."""

    PLACE = "place"
    ADJUST_QUANTITY = "adjust_quantity"
    MOVE_DATE = "move_date"
    SWITCH_SUPPLIER = "switch_supplier"
    EXPEDITE = "expedite"
    HOLD = "hold"
    CANCEL = "cancel"


PLACING = (Intent.PLACE, Intent.EXPEDITE, Intent.SWITCH_SUPPLIER)
"""Intents that order something; the others change an order that the ERP already has."""


class OrderStatus(StrEnum):
    """Where an order of ours stands: one state machine, `ALLOWED` its moves."""

    PROPOSED = "proposed"
    """Drafted by a plan."""
    GATED = "gated"
    """Kept back by a gate, or only watched."""
    WAITING = "waiting"
    """For a signature."""
    CHANGE_WAITING = "change_waiting"
    """A change of an open order, for a signature."""
    APPROVED = "approved"
    """By a person or by policy: on its way, and on order from now on."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """Taken back before it left."""
    SUPERSEDED = "superseded"
    """A newer plan decides its need."""
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    """It may stand in the ERP; it counts as on order until that is known."""
    PLACED = "placed"
    CONFIRMED = "confirmed"
    PART_RECEIVED = "part_received"
    RECEIVED = "received"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """The ERP refused it: nothing stands there."""
    CHANGE_SENT = "change_sent"
    """The ERP was asked to change or cancel it."""


_S = OrderStatus
_IN_ERP = frozenset({_S.PLACED, _S.CONFIRMED, _S.PART_RECEIVED, _S.RECEIVED, _S.CHANGE_SENT, _S.CANCELLED})
_DECIDABLE = frozenset({_S.APPROVED, _S.REJECTED, _S.WITHDRAWN, _S.SUPERSEDED})
ALLOWED: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    _S.PROPOSED: frozenset({_S.GATED, _S.WAITING, _S.CHANGE_WAITING, _S.APPROVED, _S.SUPERSEDED}),
    _S.GATED: frozenset(),
    _S.WAITING: _DECIDABLE,
    _S.CHANGE_WAITING: _DECIDABLE,
    _S.APPROVED: frozenset({_S.SENDING, _S.WITHDRAWN, _S.FAILED}),
    _S.SENDING: _IN_ERP | {_S.APPROVED, _S.IN_DOUBT, _S.FAILED},
    _S.IN_DOUBT: _IN_ERP | {_S.APPROVED, _S.WITHDRAWN, _S.FAILED},
    _S.PLACED: _IN_ERP - {_S.PLACED},
    _S.CONFIRMED: _IN_ERP - {_S.PLACED, _S.CONFIRMED},
    _S.PART_RECEIVED: frozenset({_S.RECEIVED, _S.CHANGE_SENT, _S.CANCELLED}),
    _S.CHANGE_SENT: (_IN_ERP - {_S.CHANGE_SENT}) | {_S.IN_DOUBT},
    _S.REJECTED: frozenset(),
    _S.WITHDRAWN: frozenset(),
    _S.SUPERSEDED: frozenset(),
    _S.RECEIVED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.FAILED: frozenset(),
}
"""From each status those that may follow it; none follow an end."""
PENDING = frozenset({_S.WAITING, _S.CHANGE_WAITING})
ON_ORDER = frozenset({_S.APPROVED, _S.SENDING, _S.IN_DOUBT, _S.PLACED, _S.CONFIRMED, _S.PART_RECEIVED, _S.CHANGE_SENT})
UNSENT = frozenset({_S.APPROVED, _S.SENDING, _S.IN_DOUBT})
"""On order, and not yet known to stand in the ERP."""


class Origin(StrEnum):
    """Who drafted an order."""

    PLANNED = "planned"
    TYPED = "typed"
    ERP = "erp"


class RouteKind(StrEnum):
    """Where the gates send an order."""

    AUTO = "auto"
    PERSON = "person"
    DENIED = "denied"
    SHADOW = "shadow"
    HELD = "held"


class OrderVerdict(Record):
    """A gate's answer that an order carries, and what it is about."""

    gate: str
    rule: str
    subject: str
    effect: str
    reason: str
    limit: str = ""
    actual: str = ""
    tier: str = ""
    policy_version: str = ""


class Route(Record):
    """What the gates decided of an order, and what a signature under it binds to."""

    kind: RouteKind
    tier: str = ""
    reasons: tuple[str, ...] = ()
    verdicts: tuple[OrderVerdict, ...] = ()
    facts: dict[str, Fact] = Field(default_factory=dict)
    policy_version: str = ""
    content_hash: str = ""
    approval_id: str = ""


class OrderLine(Record):
    """One line of an order. Money in `currency`; quantities in `uom`."""

    line_id: str
    intent: Intent
    item_id: str
    item: str = ""
    uom: str = ""
    autonomy: Autonomy = Autonomy.RECOMMEND
    offer_id: str = ""
    quantity: float
    unit_price: float
    list_price: float
    value: float
    landed_cost: float
    currency: str
    order_date: date
    expected_arrival: date
    policy: str = ""
    formula: str = ""
    figures: dict[str, float] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    binding: tuple[str, ...] = ()
    denied: bool = False
    facts: dict[str, Fact] = Field(default_factory=dict)
    agreed_price: float | None = None
    """What the supplier agreed to; None where nothing was."""
    agreed_from: float = 0.0
    """Quantity from which the agreed price holds: the one that was talked about."""
    decided_before: str = ""
    """What a person decided of this line before and why it comes again; empty where nobody did."""
    planned_by: str = ""
    """The run that computed it, where the run of its order left it as it was; empty for the order's own."""

    def at_quantity(self, quantity: float, listed: float) -> Self:
        """The line at another quantity, whose list price or price break is `listed`.

        An agreed price holds from the agreed quantity up; below it, and where the list is cheaper, the list price.
        """
        price = self.price_at(quantity, listed)
        freight = (self.landed_cost - self.value) * quantity / self.quantity
        value = quantity * price
        changed = {"quantity": quantity, "unit_price": price, "list_price": listed, "value": value}
        return self.model_copy(update={**changed, "landed_cost": value + freight})

    def price_at(self, quantity: float, listed: float) -> float:
        """The unit price of an order of this quantity, by that rule."""
        agreed, least = self.agreement
        return min(agreed, listed) if agreed is not None and quantity >= least else listed

    @property
    def agreement(self) -> tuple[float | None, float]:
        """The agreed price and from which quantity; orders of earlier versions tell it by their price alone."""
        if self.agreed_price is None and self.unit_price < self.list_price:
            return self.unit_price, self.quantity
        return self.agreed_price, self.agreed_from

    @property
    def value_cents(self) -> int:
        """Value in minor units."""
        return Money.of(self.value, self.currency).minor


class Order(Record):
    """An order to one supplier for one site, or a change of an open order of the ERP (`changes` names it)."""

    order_key: str
    run_id: str
    supplier_id: str
    site_id: str
    currency: str
    changes: str = ""
    lines: tuple[OrderLine, ...] = Field(min_length=1)
    origin: Origin = Origin.PLANNED
    status: OrderStatus = OrderStatus.PROPOSED
    route: Route = Route(kind=RouteKind.PERSON)
    proposed_by: tuple[str, ...] = ()
    edited: bool = False
    erp_ref: str = ""
    reason: str = ""
    """Why it stands where it stands, in words; empty where that needs none."""

    def changed(self, **fields: object) -> Self:
        """A new order with other fields, validated."""
        return self.model_validate({**{name: getattr(self, name) for name in type(self).model_fields}, **fields})

    def moved(self, status: OrderStatus, **fields: object) -> Self:
        """The order in its next status. Conflict, with what is true now, for a move that is none."""
        if status not in ALLOWED[self.status]:
            raise Conflict(
                f"Order {self.order_key} is {in_words(self.status)}; it cannot become {in_words(status)}.",
                remedy="`jit show` lists the orders of the latest run with their status.",
                order_key=self.order_key,
            )
        return self.changed(status=status, **fields)

    @property
    def places(self) -> bool:
        """Whether it orders goods; the others change or withdraw what was ordered before."""
        return not self.changes or any(line.intent is Intent.SWITCH_SUPPLIER for line in self.lines)

    @property
    def is_pending(self) -> bool:
        """Whether it waits for a signature."""
        return self.status in PENDING

    @property
    def is_open(self) -> bool:
        """Whether it may still become goods."""
        return bool(ALLOWED[self.status])

    @property
    def is_decided(self) -> bool:
        """Whether somebody, or policy, has decided it."""
        return self.status not in PENDING | {OrderStatus.PROPOSED, OrderStatus.GATED}

    @property
    def counts_as_on_order(self) -> bool:
        """Whether its goods are to arrive: from its approval to its receipt."""
        return self.places and self.status in ON_ORDER

    @property
    def needs(self) -> frozenset[ItemSite]:
        """Items and sites whose supply it changes."""
        return frozenset((line.item_id, self.site_id) for line in self.lines)

    @property
    def item_ids(self) -> frozenset[str]:
        """Its items."""
        return frozenset(line.item_id for line in self.lines)

    @property
    def value(self) -> float:
        """Sum of its lines' values."""
        return sum(line.value for line in self.lines)

    @property
    def value_cents(self) -> int:
        """The same in minor units, line by line."""
        return sum(line.value_cents for line in self.lines)

    @property
    def latest_arrival(self) -> date:
        """When the last of it is expected."""
        return max(line.expected_arrival for line in self.lines)

    @property
    def bound(self) -> dict[str, Any]:
        """What a signature covers: change one field and it is void."""
        return {
            "order_key": self.order_key,
            "supplier_id": self.supplier_id,
            "site_id": self.site_id,
            "currency": self.currency,
            "changes": self.changes,
            "lines": [
                [
                    *(line.line_id, line.item_id, line.offer_id, line.intent.value, line.expected_arrival.isoformat()),
                    str(Decimal(str(line.quantity))),
                    str(line.unit_price),
                ]
                for line in self.lines
            ],
        }

    def seal(self, policy_version: str, facts: Mapping[str, Fact]) -> str:
        """The hash of the order under a policy and with the facts that the gates knew."""
        return content_hash(self.bound, policy_version, facts)

    @property
    def is_intact(self) -> bool:
        """Whether it still is what its route was decided on."""
        return self.seal(self.route.policy_version, self.route.facts) == self.route.content_hash


def in_words(status: OrderStatus) -> str:
    """A status as people say it."""
    return status.value.replace("_", " ")


class OpenOrderStatus(StrEnum):
    """Where an open purchase order line stands, as the ERP says."""

    DRAFT = "draft"
    SENT = "sent"
    CONFIRMED = "confirmed"
    IN_TRANSIT = "in_transit"
    PARTIAL = "partial"
    ON_HOLD = "on_hold"
    RECEIVED = "received"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether goods may still arrive on it."""
        return self not in (OpenOrderStatus.RECEIVED, OpenOrderStatus.CANCELLED)


class PurchaseOrder(Record):
    """One open order line; `quantity` is what is still to arrive."""

    order_id: str
    item_id: str
    supplier_id: str
    site_id: str = "MAIN"
    quantity: float
    order_date: date
    promised_date: date | None = None
    status: OpenOrderStatus = OpenOrderStatus.CONFIRMED


class Receipt(Record):
    """Goods that arrived against an order line."""

    order_id: str
    item_id: str
    supplier_id: str
    site_id: str = "MAIN"
    quantity: float
    order_date: date
    promised_date: date | None = None
    receipt_date: date

    @property
    def lead_time_days(self) -> int:
        """Days from order to receipt."""
        return (self.receipt_date - self.order_date).days
