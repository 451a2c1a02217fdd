"""Lead times observed, as columns: receipts that arrived and open orders that are still awaited."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.catalogue import Offer
from tools.domain.orders import OpenOrderStatus, PurchaseOrder, Receipt
from tools.lead_times.preparation.outliers import LeftOut, left_out_of
from tools.lead_times.preparation.terms import Line, Terms, quoted_terms
from tools.lead_times.settings import LeadTimeSettings

SHORTEST_DAYS = 0.5
"""Stands for goods received on the day of the order, whose logarithm would not exist."""


@dataclass(frozen=True)
class Observations:
    """One row per usable receipt or open order (n,); offers' own columns are in `terms`."""

    days: FloatArray
    """Lead time of a receipt, age of an open order."""
    arrived: BoolArray
    age_days: FloatArray
    """From the order to the clock."""
    terms_row: IntArray
    """Row of `terms` that the order was placed under."""
    order: IntArray
    """Lines of one order that came on one day share a code: they are one lead time told several times."""
    terms: Terms
    left_out: tuple[LeftOut, ...]

    @property
    def supplier(self) -> IntArray:
        """Code of each row's supplier."""
        return self.terms.supplier[self.terms_row]

    @property
    def log_ratios(self) -> FloatArray:
        """Log of observed over quoted days."""
        return np.log(np.maximum(self.days, SHORTEST_DAYS) / self.terms.quoted_days[self.terms_row])


def observe(
    offers: Sequence[Offer],
    receipts: Iterable[Receipt],
    open_orders: Iterable[PurchaseOrder],
    as_of: date,
    settings: LeadTimeSettings,
    families: Mapping[str, str],
    modes: Mapping[str, str],
) -> Observations:
    """Usable rows with the terms that they were ordered under; what is left out is listed with its reason."""
    offered = {(offer.item_id, offer.supplier_id) for offer in offers}
    known = [r for r in receipts if (r.item_id, r.supplier_id) in offered]
    received = np.array([r.receipt_date.toordinal() for r in known], dtype=np.int64)
    ordered = np.array([r.order_date.toordinal() for r in known], dtype=np.int64)
    today = as_of.toordinal()
    keep, left_out = left_out_of(known, received - ordered, received > today, settings)
    waiting = [o for o in open_orders if (o.item_id, o.supplier_id) in offered and _awaited(o, as_of, settings)]
    waited = np.array([(as_of - order.order_date).days for order in waiting], dtype=np.float64)
    arrival_days = (received - ordered)[keep].astype(np.float64)
    days = np.concatenate([arrival_days, waited])
    lines: list[Line] = [*(known[row] for row in np.flatnonzero(keep)), *waiting]
    terms, rows = quoted_terms(offers, lines, modes, families, arrival_days)
    return Observations(
        days=days,
        arrived=np.arange(len(lines)) < len(arrival_days),
        age_days=np.concatenate([(today - ordered)[keep].astype(np.float64), waited]),
        terms_row=rows,
        order=_orders(lines, days),
        terms=terms,
        left_out=left_out,
    )


def _awaited(order: PurchaseOrder, as_of: date, settings: LeadTimeSettings) -> bool:
    sent = order.status.is_open and order.status is not OpenOrderStatus.DRAFT
    return sent and 0 < (as_of - order.order_date).days <= settings.max_days


def _orders(lines: Sequence[Line], days: FloatArray) -> IntArray:
    codes: dict[tuple[str, str, float], int] = {}
    keys = ((line.supplier_id, line.order_id, day) for line, day in zip(lines, days.tolist(), strict=True))
    return np.array([codes.setdefault(key, len(codes)) for key in keys], dtype=np.int64)
