"""Typed events from outside. Free text never travels beyond the extractor."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from tools.domain.calendar_days import StartDay
from tools.domain.catalogue import Record

LONGEST_DELAY_DAYS = 730
DelayDays = Annotated[int, Field(ge=0, le=LONGEST_DELAY_DAYS)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


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
    `until` may be the calendar's last day, as some senders write that no end is in sight.
    """

    alert_id: str
    kind: AlertKind
    node_id: str
    item_ids: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()
    delay_days: DelayDays = 0
    capacity_fraction: Share = 1.0
    starts: StartDay | None = None
    until: date | None = None
    confidence: Share = 1.0
    source: str = "webhook"
    received_at: datetime
