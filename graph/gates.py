"""The nodes that gate: data, lines, plan and autonomy; denied lines go back, what needs a signature waits."""

from collections.abc import Sequence
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Send

from graph import facts, records
from graph.context import Context
from graph.drift import about_order
from graph.state import Json, RunState, scope_of
from graph.transitions import stable_hash
from policies.approval import approval_tier
from policies.gates import Effect, Verdict, decide, evaluate

Update = dict[str, Any]
MAX_ROUNDS = 2
"""Revise rounds: how often denied lines go back to the planner."""


def gate_data(state: RunState, runtime: Runtime[Context]) -> Update:
    """Freshness, completeness and provenance; may stop the run."""
    context = runtime.context
    dataset = context.desk.dataset(state["dataset_version"])
    rejected = sum(source.rejected for source in context.warehouse.lineage(state["dataset_version"]))
    rows = sum(source.rows for source in context.warehouse.lineage(state["dataset_version"]))
    verdicts = evaluate(facts.data_facts(dataset, rejected, rows), context.rules)
    context.warehouse.put_artifact(
        state["run_id"], "quality", "data", {"verdicts": [records.verdict(v, "dataset") for v in verdicts]}
    )
    denied = [verdict.reason for verdict in verdicts if verdict.effect is Effect.DENY]
    stopped = " ".join(denied)
    if not stopped and not state["item_ids"]:
        stopped = "No item is affected."
    return {"stopped": stopped}


def unless_stopped(state: RunState) -> Literal["estimate", "close"]:
    """Go on unless the data gate stopped the run."""
    return "close" if state["stopped"] else "estimate"


def gate_lines(state: RunState, runtime: Runtime[Context]) -> Update:
    """Quantity, MOQ, price, supplier, need and duplicates, line by line."""
    context, scope = runtime.context, scope_of(state)
    plan = context.desk.plan(scope, state["choice"]["choices"])
    orders = records.with_agreements(state["orders"], state.get("agreements", []))
    found: list[Json] = []
    adjustments = dict(state.get("adjustments", {}))
    ledger = facts.ledger_of(context)
    for order in orders:
        for line in order["lines"]:
            known = facts.line_facts(line, plan, context.desk, scope, ledger)
            verdicts = evaluate(known, context.rules)
            found += [records.verdict(verdict, line["line_id"]) for verdict in verdicts]
            line["status"] = "denied" if decide(verdicts) is Effect.DENY else "planned"
            line["facts"] = known.model_dump()
            if line["status"] == "denied":
                adjustments[line["offer_id"]] = facts.allowed_quantity(known, verdicts, context.rules)
    context.warehouse.put_artifact(state["run_id"], "verdict", f"lines-{state['rounds']}", {"verdicts": found})
    return {"line_verdicts": found, "orders": orders, "adjustments": adjustments}


def denied_lines_go_back(state: RunState) -> Literal["compute_options", "gate_plan"]:
    """Denied lines go back with their offers capped or barred, two rounds at most; then they are dropped."""
    denied = any(verdict["effect"] == Effect.DENY.value for verdict in state["line_verdicts"])
    return "compute_options" if denied and state["rounds"] <= MAX_ROUNDS else "gate_plan"


def gate_plan(state: RunState, runtime: Runtime[Context]) -> Update:
    """Budget, storage, risk tolerance and the cascade breaker, over the plan's allowed lines."""
    context = runtime.context
    orders = [order for order in _allowed(state["orders"]) if not order["changes"]]
    known = facts.plan_facts(orders, state, context)
    verdicts = evaluate(known, context.rules)
    found = [records.verdict(verdict, "plan") for verdict in verdicts]
    context.warehouse.put_artifact(state["run_id"], "verdict", "plan", {"verdicts": found})
    return {"plan_verdicts": found}


def _allowed(orders: Sequence[Json]) -> list[Json]:
    kept = [{**order, "lines": [line for line in order["lines"] if line["status"] != "denied"]} for order in orders]
    return [order for order in kept if order["lines"]]


def gate_autonomy(state: RunState, runtime: Runtime[Context]) -> Update:
    """Approval tier and autonomy level of each order; opens the approvals that are needed.

    Approvals of earlier runs about the same items become void first: the same need is never asked for twice.
    """
    context = runtime.context
    records.void_earlier_approvals(state["run_id"], state["item_ids"], context.operations)
    plan_verdicts = [records.verdict_from(raw) for raw in state["plan_verdicts"]]
    routed: list[Json] = []
    for order in _allowed(state["orders"]):
        line_ids = {line["line_id"] for line in order["lines"]}
        own = [records.verdict_from(raw) for raw in state["line_verdicts"] if raw["subject"] in line_ids]
        known = [*plan_verdicts, *own, *about_order(state, order)]
        routed += [
            route_order(part, known, state["run_id"], state["trigger"]["actor"], context)
            for part in records.by_autonomy(order)
        ]
    return {"routed": routed}


def route_order(order: Json, inherited: Sequence[Verdict], run_id: str, proposer: str, context: Context) -> Json:
    """The order with its route (auto, person, drop), tier, reasons and content hash; opens its approval."""
    known = facts.autonomy_facts(order, context)
    verdicts = [*inherited, *evaluate(known, context.rules)]
    effect = decide(verdicts)
    routes = {Effect.DENY: "drop", Effect.REQUIRE_APPROVAL: "person"}
    signed = records.signed(order, context.rules.version, known.model_dump())
    reasons = [v.reason for v in verdicts if v.effect in (Effect.DENY, Effect.REQUIRE_APPROVAL)]
    tier = approval_tier(known.order_value_cents, verdicts, context.rules)
    shadow = known.autonomy == "shadow"
    routed: Json = {
        **order,
        "route": routes.get(effect, "auto"),
        "tier": tier.value if tier else "",
        "reasons": list(dict.fromkeys(reasons)),
        "content_hash": signed,
        "facts": known.model_dump(),
        "status": "shadow" if shadow else {"drop": "denied"}.get(routes.get(effect, "auto"), "planned"),
        "proposed_by": list(dict.fromkeys([*order.get("proposed_by", []), "agent:planner", proposer])),
        "approval_id": f"ap-{stable_hash([run_id, order['order_key'], signed])[:12]}",
        "verdicts": [records.verdict(v, order["order_key"]) for v in verdicts],
    }
    if routed["route"] == "person":
        records.open_approval(routed, run_id, context)
    return routed


def to_order_branches(state: RunState) -> list[Send] | Literal["close"]:
    """Every order goes its own way from here, so that one signature never waits for another."""
    sends = [
        Send("order", {"run_id": state["run_id"], "versions": state["versions"], "order": order})
        for order in state["routed"]
    ]
    return sends or "close"
