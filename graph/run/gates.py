"""The nodes that gate: data, lines, plan and autonomy; denied lines go back, what needs a signature waits."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Send

from erp.actions import queued_actions
from graph.context import Context
from graph.facts import companions, records
from graph.facts import order_facts as facts
from graph.facts.drift import about_order, stored_drift
from graph.run import free_memory
from graph.run.state import Json, RunState, scope_of
from graph.run.transitions import stable_hash
from graph.views.runs import TriggerKind
from graph.views.standing import LEAVING
from policies.approval import approval_tier
from policies.facts import LineFacts
from policies.gates import Effect, Tier, Verdict, decide, evaluate
from store.operations import Moved, Plan, Window
from tools.domain.catalogue import Autonomy
from tools.domain.datasets import grouped
from tools.domain.money import Money
from tools.domain.orders import Order, OrderLine, OrderStatus, Route, RouteKind
from tools.domain.progress import counted, expect

Update = dict[str, Any]
KINDS: Mapping[Effect, RouteKind] = {Effect.DENY: RouteKind.DENIED, Effect.REQUIRE_APPROVAL: RouteKind.PERSON}
MAX_ROUNDS = 2
"""Revise rounds: how often denied lines go back to the planner."""


def gate_data(state: RunState, runtime: Runtime[Context]) -> Update:
    """Freshness, completeness and provenance, and whether a plan of so many items fits here; may stop the run."""
    context = runtime.context
    dataset = context.desk.dataset(state["dataset_version"])
    rejected = sum(source.rejected for source in context.warehouse.lineage(state["dataset_version"]))
    rows = sum(source.rows for source in context.warehouse.lineage(state["dataset_version"]))
    verdicts = evaluate(facts.data_facts(dataset, rejected, rows), context.rules)
    context.warehouse.put_artifact(
        state["run_id"], "quality", "data", {"verdicts": [records.verdict(v, "dataset") for v in verdicts]}
    )
    denied = [verdict.reason for verdict in verdicts if verdict.effect is Effect.DENY]
    stopped = state.get("stopped", "") or " ".join(denied)
    stopped = stopped or free_memory.too_many(len(scope_of(state).item_ids), context.desk.settings.horizon_periods)
    if not stopped and not state["item_ids"]:
        stopped = "No item is affected."
    return {"stopped": stopped}


def unless_stopped(state: RunState) -> Literal["estimate", "close"]:
    """Go on unless the data gate stopped the run."""
    return "close" if state["stopped"] else "estimate"


def gate_drift(state: RunState, runtime: Runtime[Context]) -> Update:
    """Change in what was recorded of demand and lead times, judged; an order about it may need a signature."""
    context, scope = runtime.context, scope_of(state)
    dataset, forecasts = context.desk.dataset(scope.dataset_version), context.desk.estimates(scope).forecasts
    return {"drift": stored_drift(state["run_id"], dataset, forecasts, scope.item_ids, context)}


def gate_lines(state: RunState, runtime: Runtime[Context]) -> Update:
    """Quantity, MOQ, price, supplier, need and duplicates, line by line; a kept line's facts are those of its plan."""
    context, scope = runtime.context, scope_of(state)
    chosen, ledger = state["choice"]["choices"], facts.ledger_of(context)
    plan, priced = context.desk.plan(scope, chosen), context.desk.priced(scope, chosen)
    agreements = [one for one in state.get("agreements", []) if one.get("supply") == state.get("supply")]
    found: list[Json] = []
    gated: list[Order] = []
    adjustments = dict(state.get("adjustments", {}))
    proposed = records.with_agreements(state["orders"], agreements)
    expect(sum(len(order.lines) for order in proposed))
    for order in proposed:
        lines: list[OrderLine] = []
        for line in counted(order.lines):
            known = (
                LineFacts.model_validate(line.facts)
                if line.planned_by
                else facts.line_facts(line, plan, context.desk, scope, ledger, priced)
            )
            verdicts = evaluate(known, context.rules)
            found += [records.verdict(verdict, line.line_id) for verdict in verdicts]
            denied = decide(verdicts) is Effect.DENY
            lines.append(line.model_copy(update={"denied": denied, "facts": known.model_dump()}))
            if denied:
                adjustments[line.offer_id] = facts.allowed_quantity(known, verdicts, context.rules)
        gated.append(order.changed(lines=tuple(lines)))
    context.warehouse.put_artifact(state["run_id"], "verdict", f"lines-{state['rounds']}", {"verdicts": found})
    return {"line_verdicts": found, "orders": gated, "adjustments": adjustments}


def denied_lines_go_back(state: RunState) -> Literal["compute_options", "gate_plan"]:
    """Denied lines go back with their offers capped or barred, two rounds at most; then they are dropped."""
    denied = any(verdict["effect"] == Effect.DENY.value for verdict in state["line_verdicts"])
    return "compute_options" if denied and state["rounds"] <= MAX_ROUNDS else "gate_plan"


def gate_plan(state: RunState, runtime: Runtime[Context]) -> Update:
    """Budget, storage, risk tolerance and the cascade breaker, over the plan's allowed lines."""
    context = runtime.context
    orders = [order for order in _allowed(state["orders"]) if not order.changes]
    known = facts.plan_facts(orders, state, context)
    verdicts = evaluate(known, context.rules)
    found = [records.verdict(verdict, "plan") for verdict in verdicts]
    context.warehouse.put_artifact(state["run_id"], "verdict", "plan", {"verdicts": found})
    return {"plan_verdicts": found}


def _allowed(orders: Sequence[Order]) -> list[Order]:
    kept = [(order, tuple(line for line in order.lines if not line.denied)) for order in orders]
    return [order.changed(lines=lines) for order, lines in kept if lines]


def gate_autonomy(state: RunState, runtime: Runtime[Context]) -> Update:
    """Approval tier and autonomy level of each order; then the plan is published, unless supply moved meanwhile.

    Publishing opens the approvals that are needed, queues what leaves by itself, and replaces what earlier runs ask
    for the same items: the same need is never asked for, or bought, twice. From then on the ledger has the orders, and
    the state lets go of what they were drafted from.
    """
    context, run_id = runtime.context, state["run_id"]
    context.cancels.publishing(run_id)
    plan_verdicts = [records.verdict_from(raw) for raw in state["plan_verdicts"]]
    beside = facts.standing(run_id, state["item_ids"], context)
    of_line = grouped(state["line_verdicts"], lambda raw: str(raw["subject"]))
    of_drift = grouped(state.get("drift", {}).get("verdicts", []), lambda raw: str(raw["subject"]))
    of_kept = companions.drift_of(state.get("kept", []))
    routed: list[Order] = []
    for order in _allowed(state["orders"]):
        own = [records.verdict_from(raw) for line in order.lines for raw in of_line.get(line.line_id, ())]
        drift = [*about_order(of_drift, order), *of_kept.get((order.supplier_id, order.site_id), ())]
        known = [*plan_verdicts, *own, *dict.fromkeys(drift)]
        for part in records.by_autonomy(order):
            small = below_minimum(part, state["dataset_version"], context)
            routed.append(route_order(part, [*known, *small], beside, context, typed_by(state)))
    routed += state.get("held", [])
    if state.get("watched"):
        routed = [only_shown(order, state["watched"]) for order in routed]
    published = context.operations.publish(plan_of(state, routed, context))
    if isinstance(published, Moved):
        return {"moved": sorted({item_id for item_id, _ in published.needs})}
    drafted: Update = {"orders": [], "kept": [], "held": [], "limits": {}, "line_verdicts": []}
    return {**drafted, "moved": [], "routed": list(published)}


def plan_of(state: RunState, routed: Sequence[Order], context: Context) -> Plan:
    """What the run publishes: its orders, their actions, and the window of each need that it decides."""
    desk, version = context.desk, state["dataset_version"]
    dataset, review = desk.dataset(version), timedelta(days=desk.period(version).days)
    planned = set(state["item_ids"])
    sites = {(offer.item_id, offer.site_id) for offer in dataset.offers} | set(dataset.on_hand)
    ends = {need: dataset.as_of for need in sites if need[0] in planned}
    for order in routed:
        arrival = order.latest_arrival
        for need in order.needs:
            ends[need] = max(ends.get(need, dataset.as_of), arrival)
    leaving = [order for order in routed if order.status is OrderStatus.APPROVED]
    return Plan(
        run_id=state["run_id"],
        seq=state["supply"],
        item_ids=state["item_ids"],
        needs={need: Window(dataset.as_of, end + review) for need, end in ends.items()},
        orders=routed,
        actions=[action for order in leaving for action in queued_actions(order)],
        decides=not state.get("watched"),
    )


def only_shown(order: Order, reason: str) -> Order:
    """The order as one that is computed and logged only."""
    kept = {"kind": RouteKind.SHADOW, "approval_id": "", "reasons": (reason, *order.route.reasons)}
    return order.changed(status=OrderStatus.GATED, route=order.route.model_copy(update=kept), reason=reason)


def typed_by(state: RunState) -> str:
    """Whoever typed what a run rests on: an alert given by hand. Who asks for a plan proposes nothing."""
    return str(state["trigger"]["actor"]) if state["trigger"]["kind"] == TriggerKind.ALERT.value else ""


def route_order(
    order: Order, inherited: Sequence[Verdict], beside: facts.Standing, context: Context, person: str = ""
) -> Order:
    """The order with its route, the tier that must sign, the reasons and the content hash.

    The program proposes it, and with it the person who typed or edited something of it.
    """
    known = facts.autonomy_facts(order, beside)
    verdicts = [*inherited, *_decided_before(order, context), *evaluate(known, context.rules)]
    kind = KINDS.get(decide(verdicts), RouteKind.AUTO)
    if known.autonomy == Autonomy.SHADOW.value:
        kind = RouteKind.SHADOW
    sealed = order.seal(context.rules.version, known.model_dump())
    reasons = [v.reason for v in verdicts if v.effect in (Effect.DENY, Effect.REQUIRE_APPROVAL)]
    tier = approval_tier(known.order_value_cents, verdicts, context.rules)
    asked = f"ap-{stable_hash([order.run_id, order.order_key, sealed])[:12]}" if kind is RouteKind.PERSON else ""
    waiting = OrderStatus.CHANGE_WAITING if order.changes else OrderStatus.WAITING
    status = {RouteKind.AUTO: OrderStatus.APPROVED, RouteKind.PERSON: waiting}
    return order.changed(
        status=status.get(kind, OrderStatus.GATED),
        route=Route(
            kind=kind,
            tier=tier.value if tier else "",
            reasons=tuple(dict.fromkeys(reasons)),
            verdicts=tuple(records.order_verdict(v, order.order_key) for v in verdicts),
            facts=known.model_dump(),
            policy_version=context.rules.version,
            content_hash=sealed,
            approval_id=asked,
        ),
        proposed_by=tuple(dict.fromkeys(name for name in (*order.proposed_by, "agent:planner", person) if name)),
        reason="" if kind in LEAVING else " ".join(dict.fromkeys(reasons)),
    )


def _decided_before(order: Order, context: Context) -> list[Verdict]:
    """A line that a person decided before is theirs again, whatever its size."""
    said = list(dict.fromkeys(line.decided_before for line in order.lines if line.decided_before))
    version = context.rules.version
    return [
        Verdict("autonomy", "decided_before", Effect.REQUIRE_APPROVAL, reason, "", "", Tier.BUYER, version)
        for reason in said
    ]


def below_minimum(order: Order, dataset_version: str, context: Context) -> list[Verdict]:
    """An order that its supplier would not take as it is: what was held back, denied or edited made it too small."""
    supplier = context.desk.dataset(dataset_version).suppliers.get(order.supplier_id)
    least = supplier.min_order_value if supplier and order.places else 0.0
    worth, needed = Money(minor=order.value_cents, currency=order.currency), Money.of(least, order.currency)
    if worth.minor >= needed.minor:
        return []
    reason = f"The order is worth {worth.amount:,}; {order.supplier_id} takes none below {needed.amount:,}."
    limit, actual, version = str(needed.amount), str(worth.amount), context.rules.version
    return [
        Verdict("autonomy", "supplier_minimum", Effect.REQUIRE_APPROVAL, reason, limit, actual, Tier.BUYER, version)
    ]


def to_order_branches(state: RunState) -> list[Send] | Literal["sense", "close"]:
    """Every order goes its own way from here; where supply moved meanwhile, the run looks again first."""
    if state.get("moved"):
        return "sense"
    return [Send("order", {"order": order}) for order in state.get("routed", [])] or "close"
