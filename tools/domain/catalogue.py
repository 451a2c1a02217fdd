"""Master data of the canonical schema: items, suppliers, sites, offers, links."""

import math
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """A frozen row of the canonical schema. Unknown fields are refused; ingest sets them aside before."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Criticality(StrEnum):
    """How much a stock-out of the item hurts: A most."""

    A = "A"
    B = "B"
    C = "C"


class Autonomy(StrEnum):
    """How far the program may act for the item without a person."""

    SHADOW = "shadow"
    RECOMMEND = "recommend"
    AUTO = "auto"


class SupplierStatus(StrEnum):
    """Whether the supplier may receive orders."""

    ACTIVE = "active"
    ON_HOLD = "on_hold"
    BLOCKED = "blocked"


class Item(Record):
    """A stock-keeping unit. Money fields are in `currency` per `uom`."""

    item_id: str
    description: str = ""
    family: str = ""
    uom: str = "unit"
    unit_value: float = 0.0
    currency: str = "USD"
    holding_rate_per_year: float = 0.2
    stockout_cost_per_unit: float | None = None
    service_level_target: float | None = None
    criticality: Criticality = Criticality.B
    storage_volume: float = 0.0
    shelf_life_days: int | None = None
    autonomy: Autonomy = Autonomy.RECOMMEND
    fill_rate_target: float | None = None
    lost_sales_share: float = 0.0
    frozen_days: int = 0


class Supplier(Record):
    """A party that sells. `risk_score` 0 (safe) to 1."""

    supplier_id: str
    name: str = ""
    country: str = ""
    parent_id: str | None = None
    status: SupplierStatus = SupplierStatus.ACTIVE
    risk_score: float = 0.0
    min_order_value: float = 0.0


class Site(Record):
    """A place that holds stock. `storage_capacity` in the unit of `Item.storage_volume`."""

    site_id: str
    name: str = ""
    storage_capacity: float | None = None


class PriceBreak(Record):
    """Price from `quantity` up: of every unit, or of the units beyond it where the offer's breaks are incremental."""

    quantity: float
    unit_price: float


class Offer(Record):
    """Terms under which a supplier sells an item. `offer_id` joins item, supplier, mode and site by `|`."""

    item_id: str
    supplier_id: str
    site_id: str = "MAIN"
    unit_price: float
    currency: str = "USD"
    price_breaks: tuple[PriceBreak, ...] = ()
    moq: float = 1.0
    order_multiple: float = 1.0
    max_quantity: float | None = None
    lead_time_days: float
    capacity_per_week: float | None = None
    fixed_order_cost: float = 0.0
    freight_per_unit: float = 0.0
    transport_mode: str = ""
    expedite: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
    preference: int = 0
    incremental_breaks: bool = False

    @property
    def offer_id(self) -> str:
        """Stable key of the offer within a dataset version."""
        return "|".join((self.item_id, self.supplier_id, self.transport_mode, self.site_id))

    def unit_price_at(self, quantity: float) -> float:
        """Price of every unit of an order of this quantity; with incremental breaks their mean price."""
        if self.incremental_breaks and quantity > 0:
            return self._incremental_cost(quantity) / quantity
        reached = [b for b in self.price_breaks if quantity >= b.quantity]
        return max(reached, key=lambda b: b.quantity).unit_price if reached else self.unit_price

    def _incremental_cost(self, quantity: float) -> float:
        """Money for an order of which each break prices only the units beyond it."""
        steps = [
            PriceBreak(quantity=0.0, unit_price=self.unit_price),
            *sorted(self.price_breaks, key=lambda b: b.quantity),
        ]
        ends = [step.quantity for step in steps[1:]] + [math.inf]
        return sum(
            step.unit_price * max(0.0, min(quantity, end) - step.quantity)
            for step, end in zip(steps, ends, strict=True)
        )


class Relation(StrEnum):
    """Kinds of edge in the multi-tier network."""

    SUPPLIES = "supplies"
    MADE_FROM = "made_from"
    MADE_AT = "made_at"
    LOCATED_IN = "located_in"
    OWNED_BY = "owned_by"
    SHIPS_THROUGH = "ships_through"


class Link(Record):
    """A directed edge of the multi-tier network."""

    from_id: str
    to_id: str
    relation: Relation
    quantity: float = Field(default=1.0, gt=0)


class LimitKind(StrEnum):
    """What a shared limit bounds."""

    CAPACITY = "capacity"
    """Units ordered from a supplier, per week."""
    BUDGET = "budget"
    """Money ordered for, per week."""
    ORDERS = "orders"
    """Orders placed, per week."""
    SHARE = "share"
    """Share of an item's order that one supplier may get."""
    JOINT_COST = "joint_cost"
    """Money for ordering from a supplier at all, over all items."""


class PurchasingLimit(Record):
    """A limit that items share, of one supplier or of the whole buyer, from one day to another."""

    kind: LimitKind
    supplier_id: str | None = None
    from_date: date | None = None
    to_date: date | None = None
    amount: float
