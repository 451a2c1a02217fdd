"""Lead times per offer by partial pooling: supplier and item, then supplier, then the quoted lead time.

Everything is pooled as a ratio to the quoted lead time of the item and supplier, so that a supplier's receipts of
one item speak for its other items and its faster modes. Receipts and open orders weigh in by recency. Open orders
are right-censored: they say only that the lead time exceeds their age, which redistributes their weight to the
longer lead times (Efron's redistribution to the right, equal to the Kaplan-Meier estimate).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray
from tools.domain.catalogue import Offer
from tools.domain.orders import OrderStatus, PurchaseOrder, Receipt
from tools.lead_times.distribution import LeadTimeDistribution

FALLBACKS: Mapping[str, str | None] = {
    "offer": None,
    "supplier": "no receipt of this item: supplier's other items and the quote",
    "quoted": "no receipt from this supplier: the quoted lead time with a typical spread",
}


@dataclass(frozen=True, slots=True)
class LeadTimeSettings:
    """How much weight pools and time carry."""

    supplier_weight: float = 8.0
    """Receipts' worth of the supplier's pool in each offer's estimate."""
    quoted_weight: float = 3.0
    """Receipts' worth of the quoted lead time in each supplier's pool."""
    half_life_days: float = 730.0
    min_days: int = 0
    max_days: int = 730
    quoted_cv: float = 0.35
    """Spread of a lead time known only from a quote: median of real lanes with a dozen receipts or more."""
    drift_share: float = 0.65
    """Each observation speaks for shorter and longer lead times too, by this share of the supplier's own spread:
    they drift from year to year, and those of an unsteady supplier more."""

    def recency(self, ordered: date, as_of: date) -> float:
        """Weight of an order by its date. Arrived and open orders count alike: else censoring would be biased."""
        return 0.5 ** (max((as_of - ordered).days, 0) / self.half_life_days)


@dataclass(frozen=True)
class _Pool:
    """Observed over quoted lead time (n,), its weight, and whether the goods arrived or are still awaited."""

    ratios: FloatArray
    weights: FloatArray
    arrived: BoolArray


_Row = tuple[float, float, bool]
_Lane = tuple[str, str]


def estimate_lead_times(
    offers: Sequence[Offer],
    receipts: Iterable[Receipt],
    open_orders: Iterable[PurchaseOrder],
    as_of: date,
    settings: LeadTimeSettings | None = None,
) -> Mapping[str, LeadTimeDistribution]:
    """Offer id to its distribution; every offer gets one, with its fallback stated."""
    chosen = settings or LeadTimeSettings()
    lanes, vendors = _pools(_quotes(offers), _observed(receipts, open_orders, as_of, chosen))
    return {
        offer.offer_id: _offer_distribution(
            offer, lanes.get((offer.item_id, offer.supplier_id)), vendors.get(offer.supplier_id), chosen
        )
        for offer in offers
    }


def _quotes(offers: Iterable[Offer]) -> dict[_Lane, float]:
    """Mean quoted days by item and supplier: receipts do not say which of several offers they came from."""
    quoted: dict[_Lane, list[float]] = defaultdict(list)
    for offer in offers:
        quoted[offer.item_id, offer.supplier_id].append(max(offer.lead_time_days, 1.0))
    return {lane: sum(days) / len(days) for lane, days in quoted.items()}


def _observed(
    receipts: Iterable[Receipt], open_orders: Iterable[PurchaseOrder], as_of: date, settings: LeadTimeSettings
) -> dict[_Lane, list[_Row]]:
    """Days, weight and arrival of each usable row by item and supplier."""
    rows: dict[_Lane, list[_Row]] = defaultdict(list)
    for receipt in receipts:
        if settings.min_days <= receipt.lead_time_days <= settings.max_days and receipt.receipt_date <= as_of:
            weight = settings.recency(receipt.order_date, as_of)
            rows[receipt.item_id, receipt.supplier_id].append((float(receipt.lead_time_days), weight, True))
    for order in open_orders:
        age = (as_of - order.order_date).days
        if 0 < age <= settings.max_days and order.status.is_open and order.status is not OrderStatus.DRAFT:
            weight = settings.recency(order.order_date, as_of)
            rows[order.item_id, order.supplier_id].append((float(age), weight, False))
    return rows


def _pools(
    quotes: Mapping[_Lane, float], rows: Mapping[_Lane, list[_Row]]
) -> tuple[dict[_Lane, _Pool], dict[str, _Pool]]:
    by_supplier: dict[str, list[_Row]] = defaultdict(list)
    lanes: dict[_Lane, _Pool] = {}
    for lane, observed in rows.items():
        if lane in quotes:
            relative = [(days / quotes[lane], weight, arrived) for days, weight, arrived in observed]
            lanes[lane] = _pool(relative)
            by_supplier[lane[1]] += relative
    return lanes, {supplier_id: _pool(relative) for supplier_id, relative in by_supplier.items()}


def _pool(rows: Sequence[_Row]) -> _Pool:
    ratios, weights, arrived = zip(*rows, strict=True)
    return _Pool(np.array(ratios, dtype=float), np.array(weights, dtype=float), np.array(arrived, dtype=bool))


def redistribute(days: FloatArray, weights: FloatArray, arrived: BoolArray) -> FloatArray:
    """Weights after each censored row's weight has moved to the longer rows; a last censored row keeps its own."""
    order = np.lexsort((~arrived, days))
    moved = weights[order].copy()
    for place in np.flatnonzero(~arrived[order]):
        later = moved[place + 1 :]
        total = float(later.sum())
        if total > 0:
            later += moved[place] * later / total
            moved[place] = 0.0
    result = np.empty_like(weights)
    result[order] = moved
    return result


def _corrected(pool: _Pool, settings: LeadTimeSettings) -> tuple[FloatArray, FloatArray]:
    """Ratios and weights after censoring; an order older than every receipt is taken to need a typical spread more."""
    longer = np.where(pool.arrived, pool.ratios, pool.ratios * (1 + settings.quoted_cv))
    return longer, redistribute(pool.ratios, pool.weights, pool.arrived)


def _offer_distribution(
    offer: Offer, lane: _Pool | None, vendor: _Pool | None, settings: LeadTimeSettings
) -> LeadTimeDistribution:
    quoted, density = _lognormal(settings.quoted_cv, 9)
    ratios, weights = [quoted], [density * settings.quoted_weight]
    if vendor is not None:
        drift = settings.drift_share * _spread(vendor, settings)
        found, mass = _drifted(*_corrected(vendor, settings), drift)
        most = settings.supplier_weight if lane is not None else float(mass.sum())
        ratios.append(found)
        weights.append(mass * min(1.0, most / float(mass.sum())))
        if lane is not None:
            found, mass = _drifted(*_corrected(lane, settings), drift)
            ratios.append(found)
            weights.append(mass)
    arrived = int(lane.arrived.sum()) if lane is not None else 0
    source = "offer" if arrived else ("supplier" if vendor is not None else "quoted")
    days = np.concatenate(ratios) * max(offer.lead_time_days, 1.0)
    return _normalised(days, np.concatenate(weights), source, arrived, FALLBACKS[source])


def _lognormal(cv: float, points: int) -> tuple[FloatArray, FloatArray]:
    """Points and probabilities of a lognormal with mean 1, cut at two standard deviations."""
    sigma = float(np.sqrt(np.log1p(cv**2)))
    steps = np.linspace(-2, 2, points)
    density = np.exp(-0.5 * steps**2)
    return np.exp(sigma * steps - sigma**2 / 2), density / density.sum()


def _drifted(ratios: FloatArray, weights: FloatArray, cv: float) -> tuple[FloatArray, FloatArray]:
    factors, density = _lognormal(cv, 5)
    return np.outer(ratios, factors).ravel(), np.outer(weights, density).ravel()


def _spread(pool: _Pool, settings: LeadTimeSettings) -> float:
    """Standard deviation of the log ratios that arrived, drawn towards the typical one by the quote's weight."""
    logs = np.log(np.maximum(pool.ratios[pool.arrived], 0.05))
    squares = float(((logs - logs.mean()) ** 2).sum()) if logs.size else 0.0
    prior = settings.quoted_weight
    return float(np.sqrt((squares + prior * settings.quoted_cv**2) / (logs.size + prior)))


def _normalised(
    days: FloatArray, weights: FloatArray, source: str, observations: int, fallback: str | None
) -> LeadTimeDistribution:
    support, places = np.unique(np.maximum(np.round(days), 0).astype(np.int64), return_inverse=True)
    mass = np.bincount(places, weights=weights, minlength=len(support))
    kept = mass > 0
    return LeadTimeDistribution(support[kept], mass[kept] / mass[kept].sum(), source, observations, fallback)
