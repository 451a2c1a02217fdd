"""From datasets, plans and orders to the integer facts that the gates know."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from graph.context import Context
from graph.line_facts import PLACING, Ledger, line_facts, points
from graph.state import Json, RunState, scope_of
from policies.facts import AutonomyFacts, DataFacts, LineFacts, PlanFacts
from policies.gates import RuleSet, Verdict
from tools.domain.catalogue import Autonomy
from tools.domain.datasets import Dataset
from tools.domain.money import Money
from tools.domain.snapshots import Intent
from tools.ordering import expected_volume

__all__ = [
    "Ledger",
    "allowed_quantity",
    "autonomy_facts",
    "data_facts",
    "leaves_by_itself",
    "ledger_of",
    "line_facts",
    "plan_facts",
]

TIER_WINDOW = timedelta(days=7)
BUDGET_WINDOW = timedelta(days=30)
BREAKER_WINDOW = timedelta(hours=1)


def data_facts(dataset: Dataset, rejected: int, rows: int) -> DataFacts:
    """Freshness and completeness of a dataset version; `rows` are those kept."""
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
        total_rows=rows + rejected,
    )


def ledger_of(context: Context) -> Ledger:
    """Last prices of the installation's own orders, as a run finds them; receipts carry no price."""
    prices: dict[tuple[str, str], float] = {}
    for row in context.operations.outbox():
        if row.kind == "place" and row.status != "failed":
            order = row.payload["order"]
            for line in order["lines"]:
                prices[line["item_id"], order["supplier_id"]] = float(line["unit_price"])
    return Ledger(prices)


def allowed_quantity(known: LineFacts, verdicts: Sequence[Verdict], rules: RuleSet) -> float:
    """What the gates leave a denied line: a smaller quantity where size was the reason, otherwise nothing."""
    denying = {verdict.rule for verdict in verdicts if verdict.effect.value == "deny"}
    added_days = known.cover_after_days - known.cover_before_days
    if denying != {"max_order_quantity"} or added_days <= 0:
        return 0.0
    most_days = known.max_cover_days * rules.limits["max_cover_factor"]
    return float(max(known.quantity * (most_days - known.cover_before_days) // added_days, 0))


def plan_facts(orders: Sequence[Json], state: RunState, context: Context) -> PlanFacts:
    """What the gates know of the whole plan."""
    placing = [order for order in map(_placing, orders) if order["lines"]]
    by_supplier: dict[str, int] = {}
    for order in placing:
        by_supplier[order["supplier_id"]] = by_supplier.get(order["supplier_id"], 0) + _order_cents(order)
    value = sum(by_supplier.values())
    recent = _left_within(context, BREAKER_WINDOW)
    currency = context.desk.dataset(state["dataset_version"]).currency
    alerts = [row for row in context.operations.inbox(500) if context.now() - row.received_at < BREAKER_WINDOW]
    return PlanFacts(
        value_cents=value,
        value_last_30_days_cents=sum(int(row["value_cents"]) for row in _left_within(context, BUDGET_WINDOW)),
        lines=sum(len(order["lines"]) for order in placing),
        orders=len(placing),
        storage_bp=_storage_bp(placing, state, context),
        worst_supplier_share_bp=points(max(by_supplier.values(), default=0), value),
        money_at_risk_cents=Money.of(max(state.get("exposure", {}).values(), default=0.0), currency).minor,
        orders_last_hour=len(recent),
        value_last_hour_cents=sum(int(row["value_cents"]) for row in recent),
        alerts_last_hour=len(alerts),
    )


def budget_left(context: Context, currency: str) -> float | None:
    """Money of the policy's budget that the last 30 days have not spent; None without a budget."""
    budget = context.rules.limits.get("budget_cents", -1)
    if budget < 0:
        return None
    spent = sum(int(row["value_cents"]) for row in _left_within(context, BUDGET_WINDOW))
    return float(Money(max(0, budget - spent), currency).amount)


def _storage_bp(orders: Sequence[Json], state: RunState, context: Context) -> int:
    """Fullest site over the horizon: stock, open orders and the plan's lines; other items keep what they have."""
    dataset, item_ids = context.desk.dataset(state["dataset_version"]), tuple(state["item_ids"])
    capacities = {site.site_id: site.storage_capacity for site in dataset.sites.values() if site.storage_capacity}
    if not capacities or not item_ids:
        return 0
    scope = replace(scope_of(state), adjustments=(), budget=float("inf"))
    snapshot = context.desk.snapshot(scope)
    ordered = {line["offer_id"]: float(line["quantity"]) for order in orders for line in order["lines"]}
    filled = expected_volume(snapshot, ordered)
    known = set(zip(snapshot.item_ids, snapshot.site_ids, strict=True))
    shares = [0]
    for site, capacity in capacities.items():
        others = sum(
            max(units, 0.0) * dataset.items[item].storage_volume
            for (item, place), units in dataset.on_hand.items()
            if place == site and (item, place) not in known
        )
        peak = float(filled[site].max(initial=0.0)) if site in filled else 0.0
        shares.append(points(peak + others, capacity))
    return max(shares)


def _placing(order: Json) -> Json:
    return {**order, "lines": [line for line in order["lines"] if Intent(line["intent"]) in PLACING]}


def _order_cents(order: Mapping[str, Any]) -> int:
    return sum(Money.of(line["value"], line["currency"]).minor for line in order["lines"])


def _left_within(context: Context, window: timedelta) -> list[dict[str, Any]]:
    since = context.now() - window
    return [
        {
            "supplier_id": row.payload["order"]["supplier_id"],
            "value_cents": _payload_cents(row.payload),
            "key": row.order_key,
        }
        for row in context.operations.outbox()
        if row.created_at is not None and row.created_at > since and row.status != "failed" and row.kind == "place"
    ]


def _payload_cents(payload: Any) -> int:
    order = payload["order"]
    return sum(
        Money.of(float(line["unit_price"]) * line["quantity"], order["currency"]).minor for line in order["lines"]
    )


def leaves_by_itself(line: Json, rules: RuleSet) -> bool:
    """Whether a line is small and automatic: an agreed price would need a signature, and is not worth one."""
    small = Money.of(line["value"], line["currency"]).minor <= rules.limits["auto_order_value_cents"]
    return small and line["autonomy"] == Autonomy.AUTO.value


def autonomy_facts(order: Json, context: Context) -> AutonomyFacts:
    """What the gates know of one supplier order at the door.

    Approvals of the order's own run do not count as waiting: a node that runs again must find the same facts.
    """
    value, key = _order_cents(order), str(order["order_key"])
    left = [
        int(row["value_cents"])
        for row in _left_within(context, TIER_WINDOW)
        if row["supplier_id"] == order["supplier_id"] and row["key"] != key
    ]
    waiting = [
        _order_cents(asked.payload)
        for asked in context.operations.approvals(status="pending")
        if asked.payload["supplier_id"] == order["supplier_id"] and asked.run_id != key.partition("/")[0]
    ]
    strictest = min((Autonomy(line["autonomy"]) for line in order["lines"]), key=list(Autonomy).index)
    return AutonomyFacts(
        order_value_cents=value,
        window_value_cents=value + sum(left),
        waiting_value_cents=sum(waiting),
        autonomy=strictest.value,
        proposed_by_agent=True,
        edited=bool(order.get("edited", False)),
        negotiated=any(line["unit_price"] != line["list_price"] for line in order["lines"]),
        halted=bool(context.operations.flag("halted")),
    )
