"""Receipts whose lead time cannot be true: negative, longer than any, a year mistyped, dated after the clock."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.orders import Receipt
from tools.lead_times.settings import LeadTimeSettings

YEAR_DAYS = 365.25
FEWEST_TO_JUDGE = 8
"""Receipts of a supplier from which a mistyped year can be told from a long delay."""
FAR = 3.5
"""Robust standard deviations from the supplier's median (Iglewicz and Hoaglin 1993)."""
NEAR = 2.0
LEAST_SPREAD = 0.15
"""Of the log lead time, so that a steady supplier's small deviations are no outliers."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A receipt that tells nothing about lead times, and why."""

    order_id: str
    item_id: str
    supplier_id: str
    lead_time_days: int
    reason: str


def left_out_of(
    receipts: Sequence[Receipt], days: IntArray, future: BoolArray, settings: LeadTimeSettings
) -> tuple[BoolArray, tuple[LeftOut, ...]]:
    """(n,) which receipts to keep, and the others with their reason."""
    plausible = ~future & (days >= settings.min_days) & (days <= settings.max_days)
    shifted = _mistyped_years(receipts, days, plausible)
    dropped: list[int] = np.flatnonzero(~plausible | shifted).tolist()
    reasons = (_reason(int(days[row]), bool(future[row]), bool(shifted[row]), settings) for row in dropped)
    listed = tuple(
        LeftOut(receipts[row].order_id, receipts[row].item_id, receipts[row].supplier_id, int(days[row]), reason)
        for row, reason in zip(dropped, reasons, strict=True)
    )
    return plausible & ~shifted, listed


def _reason(days: int, future: bool, shifted: bool, settings: LeadTimeSettings) -> str:
    if future:
        return "received after the date of the data"
    if shifted:
        return f"{days} days: a year off the supplier's usual, so the year of one of the dates is probably mistyped"
    if days < 0:
        return f"received {-days} days before it was ordered"
    if days < settings.min_days:
        return f"{days} days: shorter than the least of {settings.min_days} that counts as a lead time"
    return f"{days} days: longer than the most of {settings.max_days} that counts as a lead time"


def _mistyped_years(receipts: Sequence[Receipt], days: IntArray, plausible: BoolArray) -> BoolArray:
    """(n,) rows far from their supplier's median that a year more or less would bring close to it."""
    shifted = np.zeros(len(days), dtype=bool)
    suspects: list[int] = np.flatnonzero((days < 0) | (days > YEAR_DAYS)).tolist()
    if not suspects:
        return shifted
    usual = _usual(receipts, days, plausible, {receipts[row].supplier_id for row in suspects})
    for row in suspects:
        of_supplier = usual.get(receipts[row].supplier_id)
        if of_supplier is not None:
            year = YEAR_DAYS if days[row] < 0 else -YEAR_DAYS
            far, near = _distance(float(days[row]), of_supplier), _distance(float(days[row]) + year, of_supplier)
            shifted[row] = far > FAR and near < NEAR
    return shifted


def _usual(
    receipts: Sequence[Receipt], days: IntArray, plausible: BoolArray, suppliers: Set[str]
) -> Mapping[str, tuple[float, float]]:
    """Median log lead time and its robust spread, of the suppliers with enough plausible receipts to judge."""
    seen: dict[str, list[int]] = {supplier_id: [] for supplier_id in suppliers}
    for receipt, lead, usable in zip(receipts, days.tolist(), plausible.tolist(), strict=True):
        if usable and receipt.supplier_id in seen:
            seen[receipt.supplier_id].append(lead)
    return {s: _centre_and_spread(np.array(found)) for s, found in seen.items() if len(found) >= FEWEST_TO_JUDGE}


def _centre_and_spread(days: IntArray) -> tuple[float, float]:
    logs: FloatArray = np.log(np.maximum(days, 1).astype(np.float64))
    centre = float(np.median(logs))
    return centre, max(1.4826 * float(np.median(np.abs(logs - centre))), LEAST_SPREAD)


def _distance(days: float, usual: tuple[float, float]) -> float:
    return abs(float(np.log(days)) - usual[0]) / usual[1] if days >= 1 else float("inf")
