"""From datasets, plans and orders to the integer facts that the gates know."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from graph.context import Context
from graph.desk import Desk, Scope
from graph.state import Json, RunState
from policies.facts import BASIS_POINTS, AutonomyFacts, DataFacts, LineFacts, PlanFacts
from policies.gates import Verdict
from tools.domain.catalogue import Autonomy, Offer, SupplierStatus
from tools.domain.datasets import Dataset
from tools.domain.money import Money
from tools.domain.orders import OrderStatus
from tools.domain.snapshots import OrderPlan

TIER_WINDOW = timedelta(days=7)
CEILING = 10**9
"""Stands for infinity where a fact is an integer."""


def data_facts(dataset: Dataset, rejected: int, rows: int) -> DataFacts:
    """Freshness and completeness of a dataset version."""
    ages = [(dataset.as_of - day).days for day in dataset.stock_as_of.values()]
    stocked = {item_id for item_id, _ in dataset.on_hand}
    offered = {offer.item_id for offer in dataset.offers}
    demanded = {item_id for item_id, _ in dataset.demand}
    return DataFacts(
        stock_age_days=max(ages, default=0),
        items=len(dataset.items),
        items_without_stock=len(set(dataset.items) - stocked),
        items_without_offer=len(set(dataset.items) - offered),
        items_without_demand=len(set(dataset.items) - demanded),
        rejected_rows=rejected,
        total_rows=rows,
    )


def line_facts(line: Json, plan: OrderPlan, desk: Desk, scope: Scope) -> LineFacts:
    """What the gates know of one drafted line."""
    dataset = desk.dataset(scope.dataset_version)
    offer = next(offer for offer in dataset.offers if offer.offer_id == line["offer_id"])
    outlook = next(known for known in plan.outlooks if known.item_id == line["item_id"])
    estimates = desk.estimates(scope.dataset_version, scope.item_ids)
    forecast = next(made for made in estimates.forecasts if made.item_id == line["item_id"])
    daily = max(float(forecast.mean().mean()) / estimates.period.days, 1e-9)
    quantity, figures = float(line["quantity"]), line["figures"]
    lead_days = estimates.lead_times[offer.offer_id].quantile(0.9)
    listed = offer.unit_price_at(quantity)
    rivals = _active_rivals(dataset, offer)
    spent = max(float(line["landed_cost"]), 1e-9)
    shortage = [row for row in range(outlook.projected_stock.shape[1]) if outlook.projected_stock[1, row] < 0]
    arrival = float(np.ceil(lead_days / estimates.period.days))
    return LineFacts(
        intent=line["intent"],
        value_cents=Money.of(line["value"], line["currency"]).minor,
        quantity=round(quantity),
        moq=round(offer.moq),
        off_multiple=round(quantity % offer.order_multiple) % max(1, round(offer.order_multiple)),
        cover_after_days=_whole((max(outlook.inventory_position, 0) + quantity) / daily),
        lead_time_days=lead_days,
        max_cover_days=_whole(2 * lead_days + 6 * estimates.period.days + offer.moq / daily),
        price_bp_of_offer=_points(line["unit_price"], listed),
        price_bp_of_last_paid=BASIS_POINTS,
        supplier_status=dataset.suppliers[offer.supplier_id].status.value,
        sole_source=not rivals,
        supplier_share_bp=_points(
            quantity, sum(other.quantity for other in plan.lines if other.item_id == offer.item_id)
        ),
        days_late=_whole((arrival - shortage[0]) * estimates.period.days) if shortage and arrival > shortage[0] else 0,
        open_duplicate_days=_duplicate_days(dataset, offer),
        expedite_premium_bp=_premium(offer, rivals, listed) if offer.expedite else 0,
        stockout_bp=round(outlook.stockout_probability * BASIS_POINTS),
        return_bp=_whole(figures.get("extra_cost_of_ordering_nothing", 0.0) / spent * BASIS_POINTS),
        forecast_fallback=forecast.fallback is not None,
        forecast_observations=int(forecast.history.quantities.size),
        negotiated_bp=_points(line["unit_price"], line.get("list_price", line["unit_price"])),
        negotiated_floor_bp=5_000,
    )


def _whole(value: float) -> int:
    return int(min(max(value, -CEILING), CEILING))


def _points(part: float, whole: float) -> int:
    return round(part / whole * BASIS_POINTS) if whole else BASIS_POINTS


def _active_rivals(dataset: Dataset, offer: Offer) -> list[Offer]:
    return [
        other
        for other in dataset.offers
        if other.item_id == offer.item_id
        and other.supplier_id != offer.supplier_id
        and dataset.suppliers[other.supplier_id].status is SupplierStatus.ACTIVE
    ]


def _premium(offer: Offer, rivals: Sequence[Offer], listed: float) -> int:
    ordinary = [other.unit_price + other.freight_per_unit for other in rivals if not other.expedite]
    if not ordinary:
        return 0
    return max(0, _points(listed + offer.freight_per_unit, min(ordinary)) - BASIS_POINTS)


def _duplicate_days(dataset: Dataset, offer: Offer) -> int:
    ages = [
        (dataset.as_of - order.order_date).days
        for order in dataset.open_orders
        if (order.item_id, order.supplier_id) == (offer.item_id, offer.supplier_id)
        and order.status in (OrderStatus.DRAFT, OrderStatus.SENT)
    ]
    return min(ages, default=-1)


def allowed_quantity(known: LineFacts, verdicts: Sequence[Verdict]) -> float:
    """What the gates leave a denied line: a smaller quantity where size was the reason, otherwise nothing."""
    denying = {verdict.rule for verdict in verdicts if verdict.effect.value == "deny"}
    if denying != {"max_order_quantity"} or known.cover_after_days <= 0:
        return 0.0
    return float(known.quantity * known.max_cover_days * 3 // known.cover_after_days)


def plan_facts(orders: Sequence[Json], state: RunState, context: Context) -> PlanFacts:
    """What the gates know of the whole plan."""
    values = [Money.of(line["value"], line["currency"]).minor for order in orders for line in order["lines"]]
    by_supplier: dict[str, int] = {}
    for order in orders:
        by_supplier[order["supplier_id"]] = sum(
            Money.of(line["value"], line["currency"]).minor for line in order["lines"]
        )
    recent = _recent(context, timedelta(hours=1))
    alerts = [row for row in context.operations.inbox(500) if context.now() - row.received_at < timedelta(hours=1)]
    return PlanFacts(
        value_cents=sum(values),
        budget_cents=-1,
        lines=len(values),
        orders=len(orders),
        storage_bp=0,
        worst_supplier_share_bp=_points(max(by_supplier.values(), default=0), sum(values)),
        money_at_risk_cents=round(max(state.get("exposure", {}).values(), default=0.0) * 100),
        orders_last_hour=len(recent),
        value_last_hour_cents=sum(int(row["value_cents"]) for row in recent),
        alerts_last_hour=len(alerts),
    )


def _recent(context: Context, window: timedelta) -> list[dict[str, Any]]:
    since = context.now() - window
    return [
        {
            "supplier_id": row.payload["order"]["supplier_id"],
            "value_cents": _payload_cents(row.payload),
            "key": row.order_key,
        }
        for row in context.operations.outbox()
        if row.created_at is not None and row.created_at > since and row.status != "failed"
    ]


def _payload_cents(payload: Any) -> int:
    order = payload["order"]
    return sum(
        Money.of(float(line["unit_price"]) * line["quantity"], order["currency"]).minor for line in order["lines"]
    )


def autonomy_facts(order: Json, context: Context) -> AutonomyFacts:
    """What the gates know of one supplier order at the door."""
    value = sum(Money.of(line["value"], line["currency"]).minor for line in order["lines"])
    siblings = sum(
        int(row["value_cents"])
        for row in _recent(context, TIER_WINDOW)
        if row["supplier_id"] == order["supplier_id"] and row["key"] != order["order_key"]
    )
    strictest = min((Autonomy(line["autonomy"]) for line in order["lines"]), key=list(Autonomy).index)
    return AutonomyFacts(
        order_value_cents=value,
        window_value_cents=value + siblings,
        autonomy=strictest.value,
        proposed_by_agent=True,
        edited=bool(order.get("edited", False)),
        negotiated=any(line["unit_price"] != line["list_price"] for line in order["lines"]),
        halted=bool(context.operations.flag("halted")),
    )
