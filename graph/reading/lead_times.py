"""Lead times as the doors see them: how suppliers keep their quotes, what offers take, when open orders arrive."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from graph.computation.estimate_desk import EstimateDesk, Scope
from graph.computation.memo import Memo
from graph.reading.naming import NEAR_MATCHES, near_ids
from graph.reading.open_order_arrivals import Arrivals
from graph.views.lead_times import LeadTimesView, OfferLeadTimesView, SupplierLeadTimesView, chance
from tools.domain.arrays import IntArray
from tools.domain.catalogue import Offer
from tools.domain.datasets import Dataset
from tools.domain.errors import BadInput, NotFound
from tools.domain.orders import PurchaseOrder
from tools.lead_times import LeadTimeDistribution, LeadTimeFindings, OfferFinding, SupplierFinding
from tools.lead_times.estimate import NO_QUOTE
from tools.lead_times.findings import FEWEST_FOR_BIAS

LATEST_SHOWN = 50
"""Open orders that are told when nothing is named."""
LATE = 0.9
"""Share of lead times outlasted from which a sentence tells of an open order."""
VIEWS_KEPT = 16
CURVE_POINTS = 61
CURVE_END = 0.97
"""The days of the curves end where this share of the slowest offer's orders has arrived."""


class LeadTimeDesk:
    """Reads the stored lead times and what the record says beside them."""

    def __init__(self, desk: EstimateDesk) -> None:
        self._desk = desk
        self._kept = Memo(VIEWS_KEPT)

    def lead_times(self, subject: str | None, version: str | None) -> LeadTimesView:
        """All suppliers, or the named supplier, item or open order, by the named or the next run's estimates.

        NotFound names near matches; BadInput when the dataset holds no offer.
        """
        info = self._desk.estimate_info(version)
        dataset = self._desk.dataset(info.origin.dataset_version)
        if not dataset.offers:
            raise BadInput(
                f"Dataset {dataset.version} holds no offer, so no lead time is known.",
                remedy="Add rows to `offers` and `receipts` and import again.",
            )
        scope = Scope(dataset.version, (), estimate_version=info.version)
        leads, findings = self._desk.stored_lead_times(scope), self._desk.lead_time_findings(scope)
        versions = (dataset.version, info.version)
        arrivals = self._kept.of(("arrivals", *versions), lambda: Arrivals(dataset, leads))
        return self._kept.of(
            ("view", *versions, subject),
            lambda: lead_times_view(dataset, info.version, leads, findings, subject, arrivals),
        )


def lead_times_view(
    dataset: Dataset,
    estimate_version: str,
    leads: Mapping[str, LeadTimeDistribution],
    findings: LeadTimeFindings,
    subject: str | None = None,
    arrivals: Arrivals | None = None,
) -> LeadTimesView:
    """The view of all suppliers, or of one supplier, item or open order. NotFound names near matches."""
    part = _Part.of(dataset, subject)
    arrivals = arrivals or Arrivals(dataset, leads)
    latest = arrivals.latest_first(part.orders)
    offers, days = _offers(part, dataset, leads, findings.offers)
    by_supplier = {found.supplier_id: found for found in findings.suppliers}
    return LeadTimesView(
        subject=subject or "",
        kind=part.kind,
        name=part.name,
        as_of=dataset.as_of,
        dataset_version=dataset.version,
        estimate_version=estimate_version,
        suppliers=_suppliers(part.supplier_ids, dataset, by_supplier, arrivals),
        offers=offers,
        days=days,
        orders=tuple(map(arrivals.view, latest if part.kind != "all" else latest[:LATEST_SHOWN])),
        open_orders=len(latest),
    )


class _Part:
    """What is asked about: suppliers, offers and open orders of a subject."""

    def __init__(self, kind: str, name: str, offers: Iterable[Offer], orders: Iterable[PurchaseOrder]) -> None:
        self.kind = kind
        self.name = name
        self.offers = tuple(offers)
        self.orders = tuple(order for order in orders if order.status.is_open)

    @property
    def supplier_ids(self) -> list[str]:
        """Of its offers and open orders."""
        return sorted({one.supplier_id for one in (*self.offers, *self.orders)})

    @classmethod
    def of(cls, dataset: Dataset, subject: str | None) -> "_Part":
        """The part of the dataset that is meant. NotFound."""
        offers, orders = dataset.offers, dataset.open_orders
        if subject is None:
            return cls("all", "", offers, orders)
        if subject in dataset.suppliers:
            return cls(
                "supplier",
                dataset.suppliers[subject].name,
                (offer for offer in offers if offer.supplier_id == subject),
                (order for order in orders if order.supplier_id == subject),
            )
        if subject in dataset.items:
            return cls(
                "item",
                dataset.items[subject].description,
                (offer for offer in offers if offer.item_id == subject),
                (order for order in orders if order.item_id == subject),
            )
        lines = [order for order in orders if order.order_id == subject and order.status.is_open]
        if not lines:
            raise _unknown(dataset, subject)
        lanes = {(line.item_id, line.supplier_id) for line in lines}
        return cls("order", "", (offer for offer in offers if (offer.item_id, offer.supplier_id) in lanes), lines)


def _unknown(dataset: Dataset, subject: str) -> NotFound:
    names = {known: supplier.name for known, supplier in dataset.suppliers.items()}
    names |= {known: item.description for known, item in dataset.items.items()}
    names |= {order.order_id: "" for order in dataset.open_orders if order.status.is_open}
    shown = near_ids(subject, names)
    meant = (
        f"Did you mean {', '.join(shown)}?"
        if shown
        else f"Suppliers are for example {', '.join(list(dataset.suppliers)[:NEAR_MATCHES])}."
    )
    return NotFound(
        f"There is no supplier, item or open order {subject} in dataset {dataset.version}.",
        remedy=meant,
        subject=subject,
    )


def _suppliers(
    supplier_ids: Sequence[str], dataset: Dataset, findings: Mapping[str, SupplierFinding], arrivals: Arrivals
) -> tuple[SupplierLeadTimesView, ...]:
    rows = [_supplier(supplier_id, dataset, findings.get(supplier_id), arrivals) for supplier_id in supplier_ids]
    return tuple(sorted(rows, key=_worst_first))


def _worst_first(row: SupplierLeadTimesView) -> tuple[bool, bool, float, str]:
    """By bias; those with few receipts after the proven ones, those with none last."""
    thin = row.receipts < FEWEST_FOR_BIAS
    return row.bias is None, thin, -(row.bias or 0.0), row.supplier_id


def _supplier(
    supplier_id: str, dataset: Dataset, found: SupplierFinding | None, arrivals: Arrivals
) -> SupplierLeadTimesView:
    known = dataset.suppliers.get(supplier_id)
    waiting = arrivals.of_supplier(supplier_id)
    latest = waiting[0] if waiting else None
    row = SupplierLeadTimesView(
        supplier_id=supplier_id,
        supplier=known.name if known and known.name else supplier_id,
        open_orders=len(waiting),
        overdue_orders=sum(arrivals.overdue_days(order) > 0 for order in waiting),
        latest_order_id=latest.order_id if latest else "",
        latest_age_days=arrivals.age_days(latest) if latest else None,
        latest_older_than=arrivals.older_than(latest) if latest else None,
        sentences=(f"{supplier_id}: no offer of it is known, so neither is its lead time.",),
    )
    row = row.model_copy(update=_record(found)) if found else row
    row = row.model_copy(update={"sentences": _named(row)})
    return row.model_copy(update={"sentences": (*row.sentences, *_late_sentences(row))})


def _late_sentences(row: SupplierLeadTimesView) -> list[str]:
    """Of open orders past the day they were due, and of one that few lead times outlast."""
    told: list[str] = []
    if row.overdue_orders:
        are = "is" if row.overdue_orders == 1 else "are"
        told.append(
            f"{row.supplier}: {row.overdue_orders} of {row.open_orders} open order lines {are} past the day due."
        )
    if row.latest_older_than is not None and row.latest_older_than >= LATE:
        told.append(
            f"{row.supplier}: {row.latest_order_id} has been awaited for {row.latest_age_days} days; "
            f"{chance(row.latest_older_than)} of its lead times are no longer than that."
        )
    return told


def _record(found: SupplierFinding) -> dict[str, object]:
    """What is found of a supplier, as fields of its view."""
    bias, regime, promises = found.bias, found.regime, found.promises
    proven = bias if bias and bias.receipts else None
    told = list(found.sentences)
    if promises and promises.trust != "rebaselined":
        told.append(promises.sentence)
    return {
        "quoted_days": round(proven.quoted_days, 4) if proven else None,
        "taken_days": round(proven.actual_days, 4) if proven else None,
        "bias": round(proven.share, 4) if proven else None,
        "receipts": bias.receipts if bias else 0,
        "regime_since": regime.since if regime else None,
        "regime_factor": round(regime.factor, 3) if regime else None,
        "promise_trust": promises.trust if promises else "",
        "promises": promises.orders if promises else 0,
        "on_time_share": round(promises.on_time_share, 4) if promises else None,
        "mean_yield": found.mean_yield,
        "left_out": len(found.left_out),
        "sentences": tuple(told),
    }


def _named(row: SupplierLeadTimesView) -> tuple[str, ...]:
    """The sentences with the supplier's name for its id, which the first one adds."""
    if row.supplier == row.supplier_id:
        return row.sentences
    named = [text.replace(row.supplier_id, row.supplier, 1) for text in row.sentences]
    return tuple(
        text.replace(row.supplier, f"{row.supplier} ({row.supplier_id})", 1) if place == 0 else text
        for place, text in enumerate(named)
    )


def _offers(
    part: _Part, dataset: Dataset, leads: Mapping[str, LeadTimeDistribution], findings: Iterable[OfferFinding]
) -> tuple[tuple[OfferLeadTimesView, ...], tuple[int, ...]]:
    """Offers with their curves on one axis of days; nothing when all suppliers are asked for."""
    if part.kind == "all" or not part.offers:
        return (), ()
    wanted = {offer.offer_id for offer in part.offers}
    found = {one.offer_id: one for one in findings if one.offer_id in wanted}
    end = max(leads[offer_id].quantile(CURVE_END) for offer_id in wanted)
    days = np.unique(np.rint(np.linspace(0, end, CURVE_POINTS)).astype(np.int64))
    rows = [_offer(offer, dataset, leads[offer.offer_id], found[offer.offer_id], days) for offer in part.offers]
    if part.kind == "item":
        rows.sort(key=lambda row: (row.p50_days, row.offer_id))
    else:
        rows.sort(key=lambda row: (row.bias is None, -(row.bias or 0.0), row.offer_id))
    return tuple(rows), tuple(days.tolist())


def _offer(
    offer: Offer, dataset: Dataset, made: LeadTimeDistribution, found: OfferFinding, days: IntArray
) -> OfferLeadTimesView:
    item, supplier = dataset.items.get(offer.item_id), dataset.suppliers.get(offer.supplier_id)
    quoted = None if made.fallback == NO_QUOTE else found.quoted_days
    return OfferLeadTimesView(
        offer_id=offer.offer_id,
        item_id=offer.item_id,
        item=item.description if item else "",
        supplier_id=offer.supplier_id,
        supplier=supplier.name if supplier and supplier.name else offer.supplier_id,
        site_id=offer.site_id,
        transport_mode=offer.transport_mode,
        expedite=offer.expedite,
        quoted_days=quoted,
        mean_days=round(made.mean, 2),
        p10_days=made.quantile(0.1),
        p50_days=found.p50_days,
        p90_days=found.p90_days,
        bias=round(made.mean / quoted - 1, 4) if quoted else None,
        source=made.source,
        fallback=made.fallback,
        observations=found.observations,
        supplier_observations=found.supplier_observations,
        open_orders=found.open_orders,
        mean_yield=None if found.yield_source == "assumed" else round(found.mean_yield, 4),
        arrived=tuple(np.round(made.cdf(days), 4).tolist()),
        sentence=found.sentence,
    )
