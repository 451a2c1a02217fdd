"""Lead times per offer: receipts and open orders pooled over mode, family, supplier, item, site and time.

Everything is a ratio to the quoted lead time, so that a supplier's receipts of one item speak for its other items and
its faster modes, and the quote is the centre to which thin evidence is drawn. Open orders are right-censored. Promise
dates are never read: they are often moved to the outcome (see `promises`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.catalogue import Offer
from tools.domain.orders import PurchaseOrder, Receipt
from tools.lead_times.distribution import LeadTimeDistribution
from tools.lead_times.pooling import Fit, PooledModel
from tools.lead_times.preparation.observations import Observations, observe
from tools.lead_times.preparation.terms import TYPICAL_DAYS
from tools.lead_times.regimes import LIMIT, RegimeChange, regime_changes
from tools.lead_times.settings import LeadTimeSettings
from tools.lead_times.shapes import CELLS, pooled_shape

REFINING_SWEEPS = 6
SUPPLIERS_TO_TRUST_OTHERS = 5.0
"""Suppliers' worth of the quoted spread in that of a supplier without any receipt."""
NO_QUOTE = "the offer states no usable lead time: taken from receipts"
NOTHING_SAID = (
    f"no usable lead time and no receipt: the mean of all quotes, {TYPICAL_DAYS:.0f} days where there is none"
)
FALLBACKS: Mapping[str, str | None] = {
    "offer": None,
    "supplier": "no receipt of this item: supplier's other items and the quote",
    "quoted": "no receipt from this supplier: the quoted lead time with a typical spread",
}


@dataclass(frozen=True)
class FittedLeadTimes:
    """The estimate with what it was made of, for findings."""

    offers: tuple[Offer, ...]
    distributions: Mapping[str, LeadTimeDistribution]
    observations: Observations
    fit: Fit
    weights: FloatArray
    """(n,) of the observations: by age, by lines of one order, by regime."""
    regimes: Mapping[str, RegimeChange]
    """By supplier id, where one was found."""


def estimate_lead_times(
    offers: Sequence[Offer],
    receipts: Iterable[Receipt],
    open_orders: Iterable[PurchaseOrder],
    as_of: date,
    settings: LeadTimeSettings | None = None,
    *,
    families: Mapping[str, str] | None = None,
    modes: Mapping[str, str] | None = None,
) -> Mapping[str, LeadTimeDistribution]:
    """Offer id to its distribution; every offer gets one, with its fallback stated.

    `families` is item id to family, `modes` order id to transport mode; both help to pool and neither is needed.
    """
    return fit_lead_times(offers, receipts, open_orders, as_of, settings, families=families, modes=modes).distributions


def fit_lead_times(
    offers: Sequence[Offer],
    receipts: Iterable[Receipt],
    open_orders: Iterable[PurchaseOrder],
    as_of: date,
    settings: LeadTimeSettings | None = None,
    *,
    families: Mapping[str, str] | None = None,
    modes: Mapping[str, str] | None = None,
) -> FittedLeadTimes:
    """As `estimate_lead_times`, and what was found on the way: rows left out, effects, changes of regime."""
    chosen = settings or LeadTimeSettings()
    seen = observe(offers, receipts, open_orders, as_of, chosen, families or {}, modes or {})
    weights = chosen.recency(seen.age_days) / np.sqrt(np.bincount(seen.order, minlength=1)[seen.order])
    model = PooledModel(seen, chosen)
    fit = model.fit(weights)
    regimes = regime_changes(seen, fit, as_of)
    if regimes:
        weights = weights * _old_regime_weights(seen, regimes, chosen)
    shape = pooled_shape(fit.residuals, weights, seen.arrived, chosen.shape_weight)
    if regimes or not seen.arrived.all():
        fit = model.fit(weights, sweeps=REFINING_SWEEPS, shape=shape)
        shape = pooled_shape(fit.residuals, weights, seen.arrived, chosen.shape_weight)
    distributions = _distributions(offers, seen, fit, shape, chosen)
    return FittedLeadTimes(tuple(offers), distributions, seen, fit, weights, regimes)


def _old_regime_weights(
    seen: Observations, regimes: Mapping[str, RegimeChange], settings: LeadTimeSettings
) -> FloatArray:
    """(n,) factor on the weight of orders before their supplier's change: the less, the clearer the change."""
    since, kept = np.full(len(seen.terms.supplier_ids), np.inf), np.ones(len(seen.terms.supplier_ids))
    for code, supplier_id in enumerate(seen.terms.supplier_ids):
        if supplier_id in regimes:
            change = regimes[supplier_id]
            since[code] = change.age_days
            kept[code] = settings.old_regime_weight * min(1.0, (LIMIT / change.standard_errors) ** 2)
    return np.where(seen.age_days > since[seen.supplier], kept[seen.supplier], 1.0)


def _distributions(
    offers: Sequence[Offer], seen: Observations, fit: Fit, shape: FloatArray, settings: LeadTimeSettings
) -> dict[str, LeadTimeDistribution]:
    terms, count = seen.terms, len(offers)
    if not count:
        return {}
    own, of_supplier, waiting = _evidence(seen)
    variance = fit.spread[:count] ** 2 + fit.uncertainty[:count]
    informed = len(np.unique(seen.supplier))
    quoted = settings.quoted_log_sd**2
    blended = (informed * variance + SUPPLIERS_TO_TRUST_OTHERS * quoted) / (informed + SUPPLIERS_TO_TRUST_OTHERS)
    variance = np.where(of_supplier + waiting > 0, variance, blended)
    centre = np.log(terms.quoted_days[:count]) + fit.location[:count]
    logs = centre[:, None] + np.sqrt(variance)[:, None] * shape
    days, probabilities, starts = _whole_days(np.exp(np.minimum(logs, np.log(float(settings.max_days)))))
    sources = np.where(own > 0, "offer", np.where(of_supplier + waiting > 0, "supplier", "quoted")).tolist()
    fallbacks = _fallbacks(sources, terms.stated[:count], terms.quoted_days[:count], settings)
    rows = zip(offers, sources, own.tolist(), of_supplier.tolist(), waiting.tolist(), fallbacks, strict=True)
    ends = [*starts[1:].tolist(), len(days)]
    return {
        offer.offer_id: LeadTimeDistribution(
            days[start:end],
            probabilities[start:end],
            source,
            arrived,
            fallback,
            supplier_arrived,
            still_open,
        )
        for (offer, source, arrived, supplier_arrived, still_open, fallback), start, end in zip(
            rows, starts.tolist(), ends, strict=True
        )
    }


def _fallbacks(
    sources: Sequence[str], stated: BoolArray, quoted_days: FloatArray, settings: LeadTimeSettings
) -> list[str | None]:
    """By offer, what stands in for receipts of its own, in words."""
    long = (
        f"no lead time over {settings.max_days} days is believed: the quote of {{:,.0f}} counts as {settings.max_days}"
    )
    return [
        (NOTHING_SAID if source == "quoted" else NO_QUOTE)
        if not usable
        else long.format(days)
        if days > settings.max_days
        else FALLBACKS[source]
        for source, usable, days in zip(sources, stated.tolist(), quoted_days.tolist(), strict=True)
    ]


def _evidence(seen: Observations) -> tuple[IntArray, IntArray, IntArray]:
    """By offer: receipts of its item and supplier, of its supplier, and open orders of its item and supplier."""
    terms, count = seen.terms, seen.terms.offers
    pairs = terms.item * len(terms.supplier_ids) + terms.supplier
    codes, lane = np.unique(pairs, return_inverse=True)
    lanes = len(codes)
    of_row = lane[seen.terms_row]
    own = np.bincount(of_row[seen.arrived], minlength=lanes)[lane[:count]]
    waiting = np.bincount(of_row[~seen.arrived], minlength=lanes)[lane[:count]]
    suppliers = np.bincount(seen.supplier[seen.arrived], minlength=len(terms.supplier_ids) or 1)
    return own, suppliers[terms.supplier[:count]], waiting


def _whole_days(quantiles: FloatArray) -> tuple[IntArray, FloatArray, IntArray]:
    """Distinct whole days of all rows end to end, their probabilities, and where each row (of K quantiles) begins."""
    days = np.rint(quantiles).astype(np.int64)
    first = np.ones(days.shape, dtype=bool)
    first[:, 1:] = days[:, 1:] != days[:, :-1]
    flat = first.ravel()
    begins = np.flatnonzero(flat)
    mass = np.add.reduceat(np.tile(CELLS, len(days)), begins) if begins.size else np.empty(0)
    per_row = first.sum(axis=1)
    starts = np.concatenate([[0], np.cumsum(per_row)[:-1]]).astype(np.int64) if len(days) else np.empty(0, np.int64)
    return days.ravel()[begins], mass, starts
