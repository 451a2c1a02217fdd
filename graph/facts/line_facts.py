"""What the gates know of one drafted order line: its source, its need, its price and the forecast behind it."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from graph.computation.desk import Desk, Scope
from policies.facts import BASIS_POINTS, LineFacts
from tools.domain.catalogue import Offer, SupplierStatus
from tools.domain.datasets import Dataset
from tools.domain.money import Money
from tools.domain.orders import OpenOrderStatus, OrderLine
from tools.domain.plans import OrderPlan, PlanLine
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering import days_short_before, extra_cost_of_switching
from tools.ordering.pricing.catalogue_prices import Priced
from tools.ordering.verification.rules import PLACING

CEILING = 10**9
"""Stands for infinity where a fact is an integer."""
NOTABLY_FASTER_DAYS = 7
SHARE_WINDOW = timedelta(days=365)


@dataclass(frozen=True)
class Ledger:
    """What the installation paid before this run."""

    last_prices: Mapping[tuple[str, str], float]
    """Unit price of the last order that left, by item and supplier."""


def line_facts(
    line: OrderLine, plan: OrderPlan, desk: Desk, scope: Scope, ledger: Ledger, priced: Priced | None = None
) -> LineFacts:
    """What the gates know of one drafted line. `priced`: what the plan's items were priced as, if at hand."""
    dataset, snapshot = desk.dataset(scope.dataset_version), desk.snapshot(scope)
    estimates = desk.estimates(scope)
    offer = dataset.offer_of[line.offer_id]
    key = (offer.item_id, offer.site_id)
    planned = plan.line_of[line.line_id]
    outlook, forecast = plan.outlook_of[key], estimates.forecast_of[key]
    daily = max(float(forecast.mean().mean()) / estimates.period.days, 1e-9)
    quantity, figures, spent = line.quantity, line.figures, max(line.landed_cost, 1e-9)
    others = [p for p in plan.lines_by_item[key] if _places_now(p) and p.line_id != planned.line_id]
    before = max(outlook.inventory_position, 0) + sum(other.quantity for other in others)
    ordered_from = {offer.offer_id, *(known.offer_id for known in (planned, *others))} & estimates.lead_times.keys()
    leads = {offer_id: estimates.lead_times[offer_id].quantile(0.9) for offer_id in ordered_from}
    longest_days = max(leads.get(known.offer_id, 0) for known in (planned, *others))
    lot_days = max(offer.moq, float(figures.get("economic_order_quantity", 0.0))) / daily
    days_late = _days_late(snapshot, planned, others) if planned.intent in PLACING else 0
    faster = _faster(snapshot, planned, others) if days_late else None
    rivals = _ordinary_rivals(dataset, offer)
    return LineFacts(
        intent=line.intent.value,
        value_cents=line.value_cents,
        quantity=math.floor(quantity + 1e-9),
        moq=_comparable(offer.moq, quantity),
        max_quantity=-1 if offer.max_quantity is None else _comparable(offer.max_quantity, quantity),
        off_multiple=_off_multiple(quantity, offer.order_multiple),
        cover_before_days=whole(before / daily),
        cover_after_days=whole((before + quantity) / daily),
        lead_time_days=leads.get(offer.offer_id, 0),
        max_cover_days=whole(longest_days + estimates.period.days + lot_days),
        price_bp_of_offer=points(line.unit_price, offer.unit_price_at(quantity)),
        price_bp_of_last_paid=_points_or_unknown(
            line.unit_price, ledger.last_prices.get((offer.item_id, offer.supplier_id))
        ),
        supplier_status=dataset.suppliers[offer.supplier_id].status.value,
        sole_source=not any(rival.supplier_id != offer.supplier_id for rival in _rivals(dataset, offer)),
        supplier_share_bp=_supplier_share(dataset, planned, [planned, *others]),
        next_source_bp=_points_or_unknown(figures.get("extra_cost_of_next_best_source"), spent),
        days_late=days_late,
        faster_days=faster.days_sooner if faster else 0,
        faster_premium_bp=faster.premium_bp if faster else 0,
        faster_extra_cents=faster.extra_cents(snapshot, plan, planned, priced) if faster else 0,
        open_duplicate_days=_duplicate_days(dataset, offer),
        expedite_premium_bp=_premium(offer, rivals, quantity) if offer.expedite else 0,
        stockout_bp=round(outlook.stockout_probability * BASIS_POINTS),
        return_bp=whole(figures.get("extra_cost_of_ordering_nothing", 0.0) / spent * BASIS_POINTS),
        forecast_fallback=forecast.fallback is not None,
        forecast_observations=int(forecast.history.quantities.size),
        negotiated_bp=points(line.unit_price, line.list_price),
    )


def whole(value: float) -> int:
    """A figure as a bounded whole number."""
    return int(min(max(value, -CEILING), CEILING))


def points(part: float, total: float) -> int:
    """Basis points of a total; BASIS_POINTS of nothing."""
    return round(part / total * BASIS_POINTS) if total else BASIS_POINTS


def _points_or_unknown(part: float | None, total: float | None) -> int:
    return -1 if part is None or not total else max(points(part, total), 0)


def _places_now(line: PlanLine) -> bool:
    return line.period == 0 and line.intent in PLACING


def _comparable(limit: float, quantity: float) -> int:
    """A limit as a whole number that is above, at or below the whole quantity just as the two really are."""
    shown = math.floor(quantity + 1e-9)
    if abs(limit - quantity) <= 1e-9 * max(1.0, quantity):
        return shown
    return max(math.ceil(limit), shown + 1) if limit > quantity else min(math.floor(limit), shown - 1)


def _off_multiple(quantity: float, multiple: float) -> int:
    if multiple <= 0:
        return 0
    missed = abs(quantity - round(quantity / multiple) * multiple)
    return 0 if missed <= 1e-6 * max(1.0, quantity) else math.ceil(missed)


def _rivals(dataset: Dataset, offer: Offer) -> list[Offer]:
    """Other offers of the item at the site that may be ordered from today."""
    return [
        other
        for other in dataset.offers_by_item[offer.item_id]
        if other.site_id == offer.site_id
        and other.offer_id != offer.offer_id
        and dataset.suppliers[other.supplier_id].status is SupplierStatus.ACTIVE
        and (other.valid_from is None or other.valid_from <= dataset.as_of)
        and (other.valid_to is None or other.valid_to >= dataset.as_of)
    ]


def _ordinary_rivals(dataset: Dataset, offer: Offer) -> list[Offer]:
    return [other for other in _rivals(dataset, offer) if not other.expedite]


def _premium(offer: Offer, ordinary: Sequence[Offer], quantity: float) -> int:
    landed = [other.unit_price_at(quantity) + other.freight_per_unit for other in ordinary]
    if not landed:
        return 0
    return max(0, points(offer.unit_price_at(quantity) + offer.freight_per_unit, min(landed)) - BASIS_POINTS)


def _supplier_share(dataset: Dataset, line: PlanLine, ordered: Sequence[PlanLine]) -> int:
    """The line's supplier among the units of the item received in a year, on order, and in the plan."""
    units = defaultdict[str, float](float)
    for receipt in dataset.receipts_by_item.get(line.item_id, ()):
        if receipt.receipt_date > dataset.as_of - SHARE_WINDOW:
            units[receipt.supplier_id] += receipt.quantity
    for order in dataset.open_orders_by_item.get(line.item_id, ()):
        if order.status.is_open:
            units[order.supplier_id] += order.quantity
    for other in ordered:
        units[other.supplier_id] += other.quantity
    return points(units[line.supplier_id], sum(units.values()))


def _days_late(snapshot: PlanningSnapshot, line: PlanLine, others: Sequence[PlanLine]) -> int:
    """Days for which stock is expected to be out when the line arrives, with what arrives before it."""
    earlier = [
        ((other.expected_arrival - snapshot.as_of).days, other.quantity)
        for other in others
        if (other.expected_arrival, other.line_id) < (line.expected_arrival, line.line_id)
    ]
    arrival = (line.expected_arrival - snapshot.as_of).days
    return int(days_short_before(snapshot, line.item_id, line.site_id, arrival, earlier))


@dataclass(frozen=True)
class _Faster:
    """A notably faster source that the plan leaves unused."""

    offer_id: str
    days_sooner: int
    premium_bp: int

    def extra_cents(self, snapshot: PlanningSnapshot, plan: OrderPlan, line: PlanLine, priced: Priced | None) -> int:
        """What the line's need from it would cost more, as the plan prices it; 0 where it would cost no more."""
        extra = extra_cost_of_switching(snapshot, plan, line.line_id, self.offer_id, priced)
        return Money.of(max(extra, 0.0), snapshot.currency).minor


def _faster(snapshot: PlanningSnapshot, line: PlanLine, others: Sequence[PlanLine]) -> _Faster | None:
    """The cheapest notably faster source that the plan leaves unused."""
    sources = snapshot.sources
    used = {line.offer_id, *(other.offer_id for other in others)}
    row = snapshot.source_of[line.offer_id]
    mine = range(*np.searchsorted(sources.item, [sources.item[row], sources.item[row] + 1]).tolist())
    sooner = {other: float(sources.lead_time_days[row] - sources.lead_time_days[other]) for other in mine}
    able = [
        other
        for other in mine
        if sources.orderable[other] and sooner[other] >= NOTABLY_FASTER_DAYS and sources.offer_ids[other] not in used
    ]
    if not able:
        return None
    landed = {other: float(sources.unit_price[other] + sources.freight_per_unit[other]) for other in able}
    best = min(able, key=landed.__getitem__)
    own = line.unit_price + line.freight_per_unit
    premium = max(0, points(landed[best], own) - BASIS_POINTS)
    return _Faster(sources.offer_ids[best], round(sooner[best]), premium)


def _duplicate_days(dataset: Dataset, offer: Offer) -> int:
    ages = [
        (dataset.as_of - order.order_date).days
        for order in dataset.open_orders_by_item.get(offer.item_id, ())
        if (order.supplier_id, order.site_id) == (offer.supplier_id, offer.site_id)
        and order.status in (OpenOrderStatus.DRAFT, OpenOrderStatus.SENT)
    ]
    return min(ages, default=-1)
