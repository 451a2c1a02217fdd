"""Typed events from outside. Free text never travels beyond the extractor."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from tools.domain.catalogue import Record


class AlertKind(StrEnum):
    """What happened."""

    DELAY = "delay"
    SHORTAGE = "shortage"
    CAPACITY_CUT = "capacity_cut"
    PRICE_CHANGE = "price_change"
    QUALITY_HOLD = "quality_hold"
    SITE_DOWN = "site_down"
    DISCONTINUED = "discontinued"
    RECOVERED = "recovered"


class Alert(Record):
    """A supplier alert after intake. Ids are known ids of the active dataset; bounds are checked.

    `node_id` names the network node hit (supplier, plant, country, port); `delay_days` is added to what is
    still to arrive from it and to new orders until `until`; `capacity_fraction` is what remains of capacity.
    """

    alert_id: str
    kind: AlertKind
    node_id: str
    item_ids: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()
    delay_days: int = Field(default=0, ge=0, le=730)
    capacity_fraction: float = Field(default=1.0, ge=0.0, le=1.0)
    starts: date | None = None
    until: date | None = None
    confidence: float = Field(default=1.0, ge=0.0, le=1.0)
    source: str = "webhook"
    received_at: datetime
