"""The quoted terms that orders were placed under, coded as columns for the estimate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.catalogue import Offer
from tools.domain.orders import PurchaseOrder, Receipt

UNKNOWN_MODE = "unknown mode"
TYPICAL_DAYS = 30.0
"""Where neither a quote nor any receipt says how long."""

LONGEST_QUOTE_DAYS = 3650.0
"""A quote of more is no lead time but a slip."""

_Key = tuple[str, str, str, str | None]

Line = Receipt | PurchaseOrder


@dataclass(frozen=True)
class Terms:
    """Codes and quote of the offers (first `offers` rows) and of what order lines say of theirs (the rest)."""

    offers: int
    supplier: IntArray
    item: IntArray
    family: IntArray
    mode: IntArray
    site: IntArray
    quoted_days: FloatArray
    """Positive everywhere; where the offer states none, what receipts suggest."""
    stated: BoolArray
    """Whether the offer itself states a usable time."""
    supplier_ids: tuple[str, ...]


def quoted_terms(
    offers: Sequence[Offer],
    lines: Sequence[Line],
    modes: Mapping[str, str],
    families: Mapping[str, str],
    arrival_days: FloatArray,
) -> tuple[Terms, IntArray]:
    """The terms, and for each line its row in them; the first lines are receipts with these `arrival_days`."""
    sought: dict[_Key, int] = {}
    rows = [sought.setdefault((o.item_id, o.supplier_id, o.site_id, modes.get(o.order_id)), len(sought)) for o in lines]
    by_lane = _by_lane(offers)
    found = [_match(key, by_lane) for key in sought]
    named = [(o.item_id, o.supplier_id, o.site_id, o.transport_mode) for o in offers]
    named += [(key[0], key[1], key[2], mode) for key, (_, mode) in zip(sought, found, strict=True)]
    items, suppliers, sites, of_mode = zip(*named, strict=True) if named else ((), (), (), ())
    (supplier, supplier_ids), (item, _) = _coded(suppliers), _coded(items)
    quotes = np.array([_usable(o.lead_time_days) for o in offers] + [days for days, _ in found], dtype=np.float64)
    terms_row = len(offers) + np.array(rows, dtype=np.int64)
    stated = np.isfinite(quotes)
    _fill(quotes, terms_row[: len(arrival_days)], arrival_days, item, supplier)
    family = _coded([families.get(item_id, "") for item_id in items])[0]
    mode, site = _coded(of_mode)[0], _coded(sites)[0]
    quoted = np.maximum(quotes, 1.0)
    return Terms(len(offers), supplier, item, family, mode, site, quoted, stated, supplier_ids), terms_row


def _coded(names: Iterable[str]) -> tuple[IntArray, tuple[str, ...]]:
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(name, len(codes)) for name in names], dtype=np.int64), tuple(codes)


def _usable(days: float) -> float:
    """A quote of nothing or less, or of a decade, states no time."""
    return max(days, 1.0) if 0 < days <= LONGEST_QUOTE_DAYS else float("nan")


def _by_lane(offers: Iterable[Offer]) -> Mapping[tuple[str, str], list[Offer]]:
    found: dict[tuple[str, str], list[Offer]] = {}
    for offer in offers:
        found.setdefault((offer.item_id, offer.supplier_id), []).append(offer)
    return found


def _match(key: _Key, by_lane: Mapping[tuple[str, str], list[Offer]]) -> tuple[float, str]:
    """Mean usable quote and mode of the offers closest to what the line says: mode first, then site, then any."""
    item_id, supplier_id, site_id, mode = key
    near = by_lane[item_id, supplier_id]
    if len(near) > 1:
        near = [offer for offer in near if offer.transport_mode == mode] or near
        near = [offer for offer in near if offer.site_id == site_id] or near
    usable = [days for offer in near if isfinite(days := _usable(offer.lead_time_days))]
    known = {offer.transport_mode for offer in near}
    return (sum(usable) / len(usable) if usable else float("nan")), (known.pop() if len(known) == 1 else UNKNOWN_MODE)


def _fill(quotes: FloatArray, rows: IntArray, days: FloatArray, item: IntArray, supplier: IntArray) -> None:
    """Missing quotes in place: the lane's median receipt, else the supplier's, else the mean of stated quotes."""
    missing = np.flatnonzero(~np.isfinite(quotes))
    if not missing.size:
        return
    stated = quotes[np.isfinite(quotes)]
    otherwise = float(stated.mean()) if stated.size else float(np.median(days)) if days.size else TYPICAL_DAYS
    lane = supplier * (int(item.max()) + 1) + item
    by_lane, by_supplier = _medians(lane[rows], days), _medians(supplier[rows], days)
    for place in missing.tolist():
        own = by_lane.get(int(lane[place]))
        quotes[place] = own if own is not None else by_supplier.get(int(supplier[place]), otherwise)


def _medians(codes: IntArray, days: FloatArray) -> dict[int, float]:
    if not len(codes):
        return {}
    order = np.argsort(codes, kind="stable")
    values, starts = np.unique(codes[order], return_index=True)
    parts = np.split(days[order], starts[1:])
    return {int(code): float(np.median(part)) for code, part in zip(values, parts, strict=True)}
