"""What the record says of suppliers and offers, for people: bias of quotes, changes, mistakes, promises, yield."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from tools.domain.catalogue import Offer
from tools.domain.orders import PurchaseOrder, Receipt
from tools.lead_times.distribution import LeadTimeDistribution
from tools.lead_times.estimate import NO_QUOTE, FittedLeadTimes, fit_lead_times
from tools.lead_times.preparation.outliers import LeftOut
from tools.lead_times.promises import PromiseTrust, promise_trust
from tools.lead_times.regimes import RegimeChange
from tools.lead_times.settings import LeadTimeSettings
from tools.lead_times.yields import YieldDistribution, estimate_yields

FEWEST_FOR_BIAS = 3
NOTABLE_BIAS = 0.05
NOTABLE_SHORTFALL = 0.02
LISTED = 3
"""Receipts left out that a sentence names."""


@dataclass(frozen=True, slots=True)
class QuoteBias:
    """What a supplier's orders were quoted and what they take: newer orders count more, open ones as expected."""

    quoted_days: float
    actual_days: float
    receipts: int
    open_orders: int

    @property
    def share(self) -> float:
        """By how much it takes longer than quoted: 0.31 is 31 %."""
        return self.actual_days / self.quoted_days - 1


@dataclass(frozen=True, slots=True)
class SupplierFinding:
    """All that is worth knowing of one supplier's lead times."""

    supplier_id: str
    bias: QuoteBias | None
    """None without any usable receipt or open order, or without a stated quote."""
    regime: RegimeChange | None
    left_out: tuple[LeftOut, ...]
    promises: PromiseTrust | None
    mean_yield: float | None
    """None while no finished order of it states what was ordered."""
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfferFinding:
    """An offer's quote beside what is expected of it."""

    offer_id: str
    quoted_days: float
    p50_days: int
    p90_days: int
    observations: int
    supplier_observations: int
    open_orders: int
    mean_yield: float
    yield_source: str
    """offer, supplier, pool, or assumed where no finished order tells anything"""
    sentence: str


@dataclass(frozen=True, slots=True)
class LeadTimeFindings:
    """Findings by supplier and by offer, in the order of their ids and of the offers."""

    suppliers: tuple[SupplierFinding, ...]
    offers: tuple[OfferFinding, ...]


def lead_time_findings(
    offers: Sequence[Offer],
    receipts: Sequence[Receipt],
    orders: Sequence[PurchaseOrder],
    as_of: date,
    settings: LeadTimeSettings | None = None,
    *,
    families: Mapping[str, str] | None = None,
    modes: Mapping[str, str] | None = None,
    ordered: Mapping[tuple[str, str], float] | None = None,
) -> LeadTimeFindings:
    """From the same record as `estimate_lead_times` and `estimate_yields`; `orders` may hold finished ones too."""
    fitted = fit_lead_times(offers, receipts, orders, as_of, settings, families=families, modes=modes)
    yields = estimate_yields(offers, receipts, orders, ordered)
    return findings_of(fitted, receipts, yields)


def findings_of(
    fitted: FittedLeadTimes, receipts: Iterable[Receipt], yields: Mapping[str, YieldDistribution]
) -> LeadTimeFindings:
    """From estimates that are already there."""
    promises = promise_trust(receipts)
    biases = _biases(fitted)
    of_supplier: dict[str, list[YieldDistribution]] = {}
    for offer in fitted.offers:
        of_supplier.setdefault(offer.supplier_id, []).append(yields[offer.offer_id])
    suppliers = tuple(
        _supplier(supplier_id, biases.get(supplier_id), fitted, promises.get(supplier_id), of_supplier[supplier_id])
        for supplier_id in sorted(of_supplier)
    )
    found = (_offer(o, fitted.distributions[o.offer_id], yields[o.offer_id]) for o in fitted.offers)
    return LeadTimeFindings(suppliers, tuple(found))


def _biases(fitted: FittedLeadTimes) -> dict[str, QuoteBias]:
    """Weighted means of expected lead times and of the quotes that the same orders were placed under."""
    seen, weights = fitted.observations, fitted.weights
    stated = seen.terms.stated[seen.terms_row]
    expected = seen.days * np.exp(fitted.fit.excess)
    quoted = seen.terms.quoted_days[seen.terms_row]
    found: dict[str, QuoteBias] = {}
    for code, supplier_id in enumerate(seen.terms.supplier_ids):
        rows = np.flatnonzero(stated & (seen.supplier == code))
        if rows.size:
            arrived = int(seen.arrived[rows].sum())
            said, took = (float(np.average(days[rows], weights=weights[rows])) for days in (quoted, expected))
            found[supplier_id] = QuoteBias(said, took, arrived, len(rows) - arrived)
    return found


def _supplier(
    supplier_id: str,
    bias: QuoteBias | None,
    fitted: FittedLeadTimes,
    promises: PromiseTrust | None,
    yields: Sequence[YieldDistribution],
) -> SupplierFinding:
    regime = fitted.regimes.get(supplier_id)
    left_out = tuple(row for row in fitted.observations.left_out if row.supplier_id == supplier_id)
    known = [y for y in yields if y.source == "offer"]
    weight = sum(y.observations for y in known)
    mean_yield = sum(y.mean * y.observations for y in known) / weight if weight else None
    sentences = [
        *_bias_sentence(supplier_id, bias),
        *_regime_sentence(supplier_id, regime),
        *_left_out_sentence(supplier_id, left_out),
        *([promises.sentence] if promises and promises.trust == "rebaselined" else []),
        *_yield_sentence(supplier_id, mean_yield, weight),
    ]
    return SupplierFinding(supplier_id, bias, regime, left_out, promises, mean_yield, tuple(sentences))


def _bias_sentence(supplier_id: str, bias: QuoteBias | None) -> list[str]:
    if bias is None or bias.receipts == 0:
        return [f"{supplier_id}: nothing has been received yet, so its quotes stand unproven."]
    quotes = f"{supplier_id} quotes {bias.quoted_days:.0f} days and takes {bias.actual_days:.0f}: {bias.share:+.0%}"
    if bias.receipts < FEWEST_FOR_BIAS:
        return [f"{quotes}, on only {bias.receipts} receipt{'s' if bias.receipts > 1 else ''}."]
    if abs(bias.share) < NOTABLE_BIAS:
        return [f"{supplier_id} keeps its quotes: {bias.quoted_days:.0f} days quoted, {bias.actual_days:.0f} taken."]
    return [f"{quotes} ({bias.receipts} receipts)."]


def _regime_sentence(supplier_id: str, regime: RegimeChange | None) -> list[str]:
    if regime is None:
        return []
    way = "longer" if regime.factor > 1 else "shorter"
    return [
        f"{supplier_id}: orders since {regime.since.isoformat()} take {abs(regime.factor - 1):.0%} {way} than those "
        f"before ({regime.orders_since} against {regime.orders_before} orders); the older ones count less."
    ]


def _left_out_sentence(supplier_id: str, rows: Sequence[LeftOut]) -> list[str]:
    if not rows:
        return []
    named = "; ".join(f"{row.order_id} ({row.reason})" for row in rows[:LISTED])
    more = f"; and {len(rows) - LISTED} more" if len(rows) > LISTED else ""
    return [f"{supplier_id}: left out as no lead times: {named}{more}."]


def _yield_sentence(supplier_id: str, mean_yield: float | None, orders: int) -> list[str]:
    if mean_yield is None or mean_yield > 1 - NOTABLE_SHORTFALL:
        return []
    return [f"{supplier_id} delivers {mean_yield:.0%} of what is ordered ({orders} finished orders)."]


def _offer(offer: Offer, made: LeadTimeDistribution, share: YieldDistribution) -> OfferFinding:
    p50, p90 = made.quantile(0.5), made.quantile(0.9)
    by = f" by {offer.transport_mode}" if offer.transport_mode else ""
    quoted = "no usable quote" if made.fallback == NO_QUOTE else f"quoted {offer.lead_time_days:.0f} days"
    sentence = (
        f"{offer.item_id} from {offer.supplier_id}{by}: {quoted}; half arrive within "
        f"{p50}, nine in ten within {p90} ({made.observations} receipts of its own, "
        f"{made.supplier_observations} of the supplier, {made.open_orders} open orders)."
    )
    return OfferFinding(
        offer.offer_id,
        offer.lead_time_days,
        p50,
        p90,
        made.observations,
        made.supplier_observations,
        made.open_orders,
        share.mean,
        share.source,
        sentence,
    )
