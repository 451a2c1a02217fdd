"""Yield of an order: quantity received over quantity ordered, pooled from all suppliers to the offer."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.catalogue import Offer
from tools.domain.orders import PurchaseOrder, Receipt

HIGHEST_SHARE = 1.5
"""Deliveries of more are counted as this: beyond it a unit of measure is the likelier cause."""
GRID: FloatArray = np.round(np.arange(0, 151) / 100, 2)
FULL = 100
"""Place of a yield of 1 on the grid."""
UNKNOWN = "ordered quantities of received orders are unknown: taken as received in full"
FALLBACKS: Mapping[str, str | None] = {
    "offer": None,
    "supplier": "no finished order of this item: the supplier's other items",
    "pool": "no finished order from this supplier: all suppliers together",
    "assumed": UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class YieldSettings:
    """Prior weight of full delivery, and bounds of the credibility constant."""

    full_weight: float = 2.0
    """Finished orders' worth of full delivery in the pool of all suppliers."""
    default_orders: float = 8.0
    """Orders at which a group's own record weighs half, where too few groups tell."""
    least_orders: float = 2.0
    most_orders: float = 40.0


@dataclass(frozen=True)
class YieldDistribution:
    """P(received / ordered = shares[i]) = probabilities[i]; shares ascend and probabilities sum to 1."""

    shares: FloatArray
    probabilities: FloatArray
    source: str
    """Where it comes from: offer, supplier, pool, assumed."""
    observations: int
    """Finished orders of the item and supplier."""
    fallback: str | None = None

    @property
    def mean(self) -> float:
        """Expected share received."""
        return float(self.shares @ self.probabilities)

    @property
    def full_probability(self) -> float:
        """P(all that was ordered arrives)."""
        return float(self.probabilities[self.shares >= 1].sum())

    def quantile(self, q: float) -> float:
        """The least share that is not exceeded with probability at least q."""
        place = int(np.searchsorted(np.cumsum(self.probabilities), q - 1e-12))
        return float(self.shares[min(place, len(self.shares) - 1)])


def estimate_yields(
    offers: Sequence[Offer],
    receipts: Iterable[Receipt],
    orders: Iterable[PurchaseOrder],
    ordered: Mapping[tuple[str, str], float] | None = None,
    settings: YieldSettings | None = None,
) -> Mapping[str, YieldDistribution]:
    """Offer id to its yield; every offer gets one, with its fallback stated.

    Quantities ordered come from `ordered` (order id and item id to quantity), else from finished rows of `orders`,
    whose quantity is then what was ordered. An order still open is not finished, whatever has come of it; receipts
    of an order whose quantity nobody states tell nothing. Groups are drawn to the level above by credibility
    n / (n + k), with k the variance within groups over that between them (Buhlmann 1967).
    """
    finished = _finished(receipts, orders, ordered or {})
    lanes = list(dict.fromkeys((offer.item_id, offer.supplier_id) for offer in offers))
    tables = _pooled(lanes, finished, settings or YieldSettings())
    row_of = {lane: row for row, lane in enumerate(lanes)}
    rows = ((offer.offer_id, row_of[offer.item_id, offer.supplier_id]) for offer in offers)
    return {
        offer_id: _distribution(tables.probabilities[row], str(tables.sources[row]), int(tables.own[row]))
        for offer_id, row in rows
    }


@dataclass(frozen=True)
class _Tables:
    """By item and supplier: probabilities over GRID, where they come from, and its own finished orders."""

    probabilities: FloatArray
    sources: Sequence[str]
    own: IntArray


def _pooled(
    lanes: Sequence[tuple[str, str]], finished: Mapping[tuple[str, str], Sequence[float]], settings: YieldSettings
) -> _Tables:
    codes = {supplier_id: code for code, supplier_id in enumerate(dict.fromkeys(s for _, s in lanes))}
    of_lane = np.array([codes[supplier_id] for _, supplier_id in lanes], dtype=np.int64)
    rows = [(row, share) for row, lane in enumerate(lanes) for share in finished.get(lane, ())]
    table = np.array(rows, dtype=np.float64).reshape(-1, 2)
    lane, supplier = table[:, 0].astype(np.int64), of_lane[table[:, 0].astype(np.int64)]
    places = np.rint(np.clip(table[:, 1], 0, HIGHEST_SHARE) * 100).astype(np.int64)
    pool = np.bincount(places, minlength=len(GRID)).astype(np.float64)
    pool[FULL] += settings.full_weight
    by_supplier = _credible(supplier, places, np.tile(pool / pool.sum(), (len(codes), 1)), settings)
    by_lane = _credible(lane, places, by_supplier[of_lane], settings)
    own = np.bincount(lane, minlength=len(lanes))
    whole = np.bincount(supplier, minlength=len(codes))[of_lane]
    none = "pool" if len(rows) else "assumed"
    sources = np.where(own > 0, "offer", np.where(whole > 0, "supplier", none)).tolist()
    return _Tables(by_lane, sources, own)


def _distribution(mass: FloatArray, source: str, observations: int) -> YieldDistribution:
    kept = np.flatnonzero(mass > 0)
    return YieldDistribution(GRID[kept], mass[kept] / mass[kept].sum(), source, observations, FALLBACKS[source])


def _finished(
    receipts: Iterable[Receipt], orders: Iterable[PurchaseOrder], ordered: Mapping[tuple[str, str], float]
) -> dict[tuple[str, str], list[float]]:
    """Shares received of finished orders by item and supplier."""
    asked, still_open = dict(ordered), set[tuple[str, str]]()
    for order in orders:
        key = (order.order_id, order.item_id)
        if order.status.is_open:
            still_open.add(key)
        else:
            asked.setdefault(key, order.quantity)
    received: dict[tuple[str, str, str], float] = defaultdict(float)
    for receipt in receipts:
        if isfinite(receipt.quantity):
            received[receipt.order_id, receipt.item_id, receipt.supplier_id] += receipt.quantity
    shares: dict[tuple[str, str], list[float]] = defaultdict(list)
    for (order_id, item_id, supplier_id), quantity in received.items():
        wanted = asked.get((order_id, item_id), 0.0)
        if (order_id, item_id) not in still_open and isfinite(wanted) and wanted > 0:
            shares[item_id, supplier_id].append(quantity / wanted)
    return shares


def _credible(group: IntArray, places: IntArray, above: FloatArray, settings: YieldSettings) -> FloatArray:
    """(groups, len(GRID)) probabilities of each group between its own record and the level above."""
    flat = np.bincount(group * len(GRID) + places, minlength=above.size)
    counts = flat.reshape(above.shape).astype(np.float64)
    size = counts.sum(axis=1)
    k = _credibility_orders(counts, size, settings)
    own = counts / np.maximum(size, 1.0)[:, None]
    weight = (size / (size + k))[:, None]
    return weight * own + (1 - weight) * above


def _credibility_orders(counts: FloatArray, size: FloatArray, settings: YieldSettings) -> float:
    """Variance within groups over variance between them, by the moments of the groups with two orders or more."""
    used = size >= 2
    if used.sum() < 3:
        return settings.default_orders
    n, table = size[used], counts[used]
    mean = table @ GRID / n
    within = float((table @ GRID**2 - n * mean**2).sum() / (n - 1).sum())
    centre = float(n @ mean / n.sum())
    spread = float(n @ (mean - centre) ** 2) - (len(n) - 1) * within
    between = spread / float(n.sum() - n @ n / n.sum())
    if between <= 0:
        return settings.most_orders
    return float(np.clip(within / between, settings.least_orders, settings.most_orders))
