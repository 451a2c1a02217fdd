"""From datasets, plans and orders to the integer facts that the gates know."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from graph.context import Context
from graph.facts.line_facts import PLACING, Ledger, line_facts, points
from graph.run.state import RunState, scope_of
from policies.facts import AutonomyFacts, DataFacts, LineFacts, PlanFacts
from policies.gates import RuleSet, Verdict
from store.operations import LeftOrder
from tools.domain.catalogue import Autonomy
from tools.domain.datasets import Dataset
from tools.domain.money import Money
from tools.domain.orders import Order, OrderLine
from tools.ordering import expected_volume

__all__ = [
    "Ledger",
    "Standing",
    "allowed_quantity",
    "autonomy_facts",
    "data_facts",
    "leaves_by_itself",
    "ledger_of",
    "line_facts",
    "plan_facts",
    "standing",
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
    return Ledger(context.operations.last_prices())


def allowed_quantity(known: LineFacts, verdicts: Sequence[Verdict], rules: RuleSet) -> float:
    """What the gates leave a denied line: a smaller quantity where size was the reason, otherwise nothing."""
    denying = {verdict.rule for verdict in verdicts if verdict.effect.value == "deny"}
    added_days = known.cover_after_days - known.cover_before_days
    if denying != {"max_order_quantity"} or added_days <= 0:
        return 0.0
    most_days = known.max_cover_days * rules.limits["max_cover_factor"]
    return float(max(known.quantity * (most_days - known.cover_before_days) // added_days, 0))


def plan_facts(orders: Sequence[Order], state: RunState, context: Context) -> PlanFacts:
    """What the gates know of the whole plan."""
    placing = [lines for lines in map(_placing, orders) if lines]
    by_supplier: dict[str, int] = {}
    for order in orders:
        cents = sum(line.value_cents for line in _placing(order))
        by_supplier[order.supplier_id] = by_supplier.get(order.supplier_id, 0) + cents
    value, now = sum(by_supplier.values()), context.now()
    recent = context.operations.left_since(now - BREAKER_WINDOW)
    month = context.operations.left_since(now - BUDGET_WINDOW)
    currency = context.desk.dataset(state["dataset_version"]).currency
    alerts = [row for row in context.operations.inbox(500) if now - row.received_at < BREAKER_WINDOW]
    return PlanFacts(
        value_cents=value,
        value_last_30_days_cents=sum(left.value_cents for left in month),
        lines=sum(len(lines) for lines in placing),
        orders=len(placing),
        storage_bp=_storage_bp([line for lines in placing for line in lines], state, context),
        worst_supplier_share_bp=points(max(by_supplier.values(), default=0), value),
        money_at_risk_cents=Money.of(max(state.get("exposure", {}).values(), default=0.0), currency).minor,
        orders_last_hour=len(recent),
        value_last_hour_cents=sum(left.value_cents for left in recent),
        alerts_last_hour=len(alerts),
    )


def budget_left(context: Context, currency: str) -> float | None:
    """Money of the policy's budget that the last 30 days have not spent; None without a budget."""
    budget = context.rules.limits.get("budget_cents", -1)
    if budget < 0:
        return None
    spent = sum(left.value_cents for left in context.operations.left_since(context.now() - BUDGET_WINDOW))
    return float(Money(max(0, budget - spent), currency).amount)


def _storage_bp(lines: Sequence[OrderLine], state: RunState, context: Context) -> int:
    """Fullest site over the horizon: stock, open orders and the plan's lines; other items keep what they have.

    Lines that were kept as they were planned count in full.
    """
    dataset, item_ids = context.desk.dataset(state["dataset_version"]), scope_of(state).item_ids
    capacities = {site.site_id: site.storage_capacity for site in dataset.sites.values() if site.storage_capacity}
    if not capacities or not item_ids:
        return 0
    scope = replace(scope_of(state), adjustments=(), budget=float("inf"))
    snapshot = context.desk.snapshot(scope)
    ordered = {line.offer_id: line.quantity for line in lines if not line.planned_by}
    filled = expected_volume(snapshot, ordered)
    known = set(zip(snapshot.item_ids, snapshot.site_ids, strict=True))
    kept: defaultdict[str, float] = defaultdict(float)
    for line in (line for line in lines if line.planned_by):
        site = dataset.offer_of[line.offer_id].site_id
        kept[site] += line.quantity * dataset.items[line.item_id].storage_volume
    shares = [0]
    for site, capacity in capacities.items():
        others = kept[site] + sum(
            max(units, 0.0) * dataset.items[item].storage_volume
            for (item, place), units in dataset.on_hand.items()
            if place == site and (item, place) not in known
        )
        peak = float(filled[site].max(initial=0.0)) if site in filled else 0.0
        shares.append(points(peak + others, capacity))
    return max(shares)


def _placing(order: Order) -> list[OrderLine]:
    return [line for line in order.lines if line.intent in PLACING]


def leaves_by_itself(line: OrderLine, rules: RuleSet) -> bool:
    """Whether a line is small and automatic: an agreed price would need a signature, and is not worth one."""
    return line.value_cents <= rules.limits["auto_order_value_cents"] and line.autonomy is Autonomy.AUTO


@dataclass(frozen=True)
class Standing:
    """What left lately and what waits, read once for all orders of a run."""

    left: Sequence[LeftOrder]
    waiting: Sequence[Order]
    """Of other runs, about items that this run leaves alone."""
    halted: bool


def standing(run_id: str, item_ids: Collection[str], context: Context) -> Standing:
    """What the gates weigh an order of this run against.

    Approvals of the run itself do not count as waiting: a node that runs again must find the same facts. What waits
    for its own items gives way to it.
    """
    again = frozenset(item_ids)
    waiting = context.operations.waiting_orders()
    others = [order for order in waiting if order.run_id != run_id and not again & order.item_ids]
    left = context.operations.left_since(context.now() - TIER_WINDOW)
    return Standing(left, others, bool(context.operations.flag("halted")))


def autonomy_facts(order: Order, beside: Standing) -> AutonomyFacts:
    """What the gates know of one supplier order at the door."""
    value, supplier = order.value_cents, order.supplier_id
    left = [
        known.value_cents
        for known in beside.left
        if known.supplier_id == supplier and known.order_key != order.order_key
    ]
    waiting = [asked.value_cents for asked in beside.waiting if asked.supplier_id == supplier]
    strictest = min((line.autonomy for line in order.lines), key=list(Autonomy).index)
    return AutonomyFacts(
        order_value_cents=value,
        window_value_cents=value + sum(left),
        waiting_value_cents=sum(waiting),
        autonomy=strictest.value,
        proposed_by_agent=True,
        edited=order.edited,
        negotiated=any(line.unit_price != line.list_price for line in order.lines),
        halted=beside.halted,
    )
