"""Lead times to be foretold: the real SCMS orders at a past clock, and lanes simulated from known laws."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import duckdb
import numpy as np

from tools.domain.catalogue import Offer
from tools.domain.orders import PurchaseOrder, Receipt
from tools.lead_times import LeadTimeSettings

LAST_DAY = date(2013, 12, 31)
"""The real outcomes are known to this day; later ones are right-censored."""
SCMS_SETTINGS = LeadTimeSettings(min_days=15, max_days=400)
_COLUMNS = "vendor, item_norm, mode, country, sub_class, po_so_no, id, qty_packs, po_sent_date::DATE"


@dataclass(frozen=True, slots=True)
class Shipment:
    """A real order line; `days` is none where it had not arrived by LAST_DAY."""

    line_id: str
    order_id: str
    item_id: str
    supplier_id: str
    site_id: str
    family: str
    mode: str
    quantity: float
    sent: date
    days: int | None

    @property
    def seen_days(self) -> int:
        """How long its outcome could be watched."""
        return (LAST_DAY - self.sent).days


@dataclass(frozen=True)
class Clock:
    """What a planner knew at a date: offers quoted at the median of their mode, receipts and open orders."""

    as_of: date
    offers: Mapping[tuple[str, str, str, str], Offer]
    """By item, supplier, mode and site, also those of orders to come."""
    receipts: tuple[Receipt, ...]
    open_orders: tuple[PurchaseOrder, ...]
    families: Mapping[str, str]
    modes: Mapping[str, str]


def data_folder() -> Path | None:
    """Where the real orders lie, if they do."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("JIT_SHARED_DATA", beside)) / "scms"
    return folder if folder.is_dir() else None


@cache
def shipments(folder: Path) -> tuple[Shipment, ...]:
    """Order lines with a date of sending and, if delivered, a lead time of 15 to 400 days."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS}, po_to_delivery_days FROM read_parquet(?) "  # noqa: S608 - a constant list of columns
            "WHERE po_to_delivery_days BETWEEN 15 AND 400 "
            f"UNION ALL SELECT {_COLUMNS}, NULL FROM read_parquet(?) WHERE po_sent_date IS NOT NULL",
            [str(folder / "shipments_to_2013.parquet"), str(folder / "open_orders_at_2013-12-31.parquet")],
        ).fetchall()
    made = [
        Shipment(
            str(key),
            order,
            item,
            vendor,
            country,
            family,
            mode,
            float(packs),
            sent,
            days if days is None else int(days),
        )
        for vendor, item, mode, country, family, order, key, packs, sent, days in rows
    ]
    return tuple(sorted(made, key=lambda s: (s.sent, s.line_id)))


def at_clock(rows: Sequence[Shipment], as_of: date) -> Clock:
    """The planner's knowledge at the end of this day."""
    arrived = [s for s in rows if s.days is not None and s.sent + timedelta(days=s.days) <= as_of]
    done = {s.line_id for s in arrived}
    waiting = [s for s in rows if s.sent <= as_of and s.line_id not in done]
    every = float(np.median([s.days for s in arrived if s.days is not None]))
    of_mode = {
        mode: float(np.median([s.days for s in arrived if s.mode == mode and s.days is not None]))
        for mode in {s.mode for s in arrived}
    }
    keys = {(s.item_id, s.supplier_id, s.mode, s.site_id) for s in rows}
    offers = {
        key: Offer(
            item_id=key[0],
            supplier_id=key[1],
            transport_mode=key[2],
            site_id=key[3],
            unit_price=1,
            lead_time_days=of_mode.get(key[2], every),
        )
        for key in sorted(keys)
    }
    known = [*arrived, *waiting]
    return Clock(
        as_of,
        offers,
        tuple(_receipt(s) for s in arrived),
        tuple(_open_order(s) for s in waiting),
        {s.item_id: s.family for s in rows},
        {s.order_id: s.mode for s in known},
    )


def _receipt(s: Shipment) -> Receipt:
    return Receipt(
        order_id=s.order_id,
        item_id=s.item_id,
        supplier_id=s.supplier_id,
        site_id=s.site_id,
        quantity=s.quantity,
        order_date=s.sent,
        receipt_date=s.sent + timedelta(days=s.days or 0),
    )


def _open_order(s: Shipment) -> PurchaseOrder:
    return PurchaseOrder(
        order_id=s.order_id,
        item_id=s.item_id,
        supplier_id=s.supplier_id,
        site_id=s.site_id,
        quantity=s.quantity,
        order_date=s.sent,
    )
