"""The nodes of a sourcing run. Each reads the state, asks the desk, an agent or a gate, and returns its update."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

import orjson
from langgraph.runtime import Runtime
from langgraph.types import Send

from agents.contracts import (
    ExposureFigures,
    NegotiationBrief,
    OptionFigures,
    PlannerBrief,
    RiskBrief,
)
from graph import facts, records
from graph.context import Context
from graph.desk import Scope
from graph.state import Json, NegotiationTask, RunState
from graph.transitions import stable_hash
from graph.triggers import in_force
from policies.approval import approval_tier
from policies.gates import Effect, Verdict, decide, evaluate
from tools.domain.alerts import Alert
from tools.domain.snapshots import OrderPlan, PlanOption
from tools.negotiation import price_limits

Update = dict[str, Any]
MAX_ROUNDS = 2
"""Revise rounds: how often denied lines go back to the planner."""
SHOWN_EXPOSURES = 12


def scope_of(state: RunState) -> Scope:
    """The hashable scope that the desk's computations of this run depend on."""
    return Scope(
        dataset_version=state["dataset_version"],
        item_ids=tuple(state["item_ids"]),
        alerts=orjson.dumps(state.get("alerts", []), option=orjson.OPT_SORT_KEYS).decode(),
        adjustments=tuple(sorted(state.get("adjustments", {}).items())),
        budget=float("inf") if state.get("budget") is None else float(state["budget"] or 0.0),
    )


def sense(state: RunState, runtime: Runtime[Context]) -> Update:
    """Fix the dataset version, the alerts and the items of this run.

    A run that an alert starts replans what the alert affects; any other heeds the alerts still in force. Items
    whose order waits for a signature together with a wanted one are wanted too: their order is proposed anew.
    """
    desk, trigger = runtime.context.desk, state["trigger"]
    version = state["dataset_version"]
    dataset = desk.dataset(version)
    new = list(trigger.get("alerts", []))
    held = [alert.model_dump(mode="json") for alert in in_force(runtime.context.operations, dataset.as_of)]
    alerts = [*(alert for alert in held if alert["alert_id"] not in {known["alert_id"] for known in new}), *new]
    wanted = set(trigger.get("item_ids", ()))
    if new:
        scope = Scope(version, tuple(dataset.items), orjson.dumps(new, option=orjson.OPT_SORT_KEYS).decode())
        wanted |= set(desk.disruption(scope).affected_item_ids)
    wanted = records.with_waiting_companions(wanted, runtime.context.operations.approvals("pending"))
    item_ids = [item_id for item_id in dataset.items if item_id in wanted or (not wanted and not new)]
    budget = facts.budget_left(runtime.context, dataset.currency)
    return {"item_ids": item_ids, "alerts": alerts, "adjustments": {}, "budget": budget}


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


def estimate(state: RunState, runtime: Runtime[Context]) -> Update:
    """Demand and lead-time distributions, stored with their provenance."""
    context = runtime.context
    estimates = context.desk.estimates(state["dataset_version"], state["item_ids"])
    for forecast in estimates.forecasts:
        context.warehouse.put_artifact(
            state["run_id"], "forecast", f"{forecast.item_id}@{forecast.site_id}", records.forecast(forecast)
        )
    wanted = set(state["item_ids"])
    offers = [
        offer
        for offer in context.desk.dataset(state["dataset_version"]).offers
        if offer.item_id in wanted and offer.offer_id in estimates.lead_times
    ]
    context.warehouse.put_artifact(
        state["run_id"],
        "lead_time",
        "offers",
        {offer.offer_id: records.lead_time(estimates.lead_times[offer.offer_id]) for offer in offers},
    )
    return {}


def assess_risk(state: RunState, runtime: Runtime[Context]) -> Update:
    """Exposure along the supply graph, and which of it the risk agent finds worth telling."""
    context, scope = runtime.context, scope_of(state)
    dataset = context.desk.dataset(scope.dataset_version)
    rows = sorted(context.desk.exposures(scope), key=lambda row: -row.money_at_risk)
    brief = RiskBrief(
        currency=dataset.currency,
        exposures=tuple(
            ExposureFigures(
                node_id=row.node_id,
                item_id=row.item_id,
                days_of_cover=row.days_of_cover,
                days_to_recover=row.days_to_recover,
                money_at_risk=row.money_at_risk,
                route=row.route,
            )
            for row in rows[:SHOWN_EXPOSURES]
        ),
        alerts=tuple(_alert_sentence(alert) for alert in scope.typed_alerts),
    )
    assessment = context.agents.risk.assess(brief)
    risks = [risk.model_dump(mode="json") for risk in assessment.risks]
    exposed: dict[str, float] = {}
    for row in rows:
        exposed[row.item_id] = max(exposed.get(row.item_id, 0.0), row.money_at_risk)
    context.warehouse.put_artifact(
        state["run_id"],
        "risk",
        "assessment",
        {"risks": risks, "exposures": [row.model_dump() for row in brief.exposures], **records.decided(assessment)},
    )
    return {"risks": risks, "exposure": exposed, "decisions": [records.decided(assessment)]}


def _alert_sentence(alert: Alert) -> str:
    return f"{alert.kind.value} at {alert.node_id}: {alert.delay_days} days, capacity {alert.capacity_fraction:.0%}"


def compute_options(state: RunState, runtime: Runtime[Context]) -> Update:
    """Plans with bound, cost, service and risk, one per group and profile."""
    context = runtime.context
    options = context.desk.options(scope_of(state))
    for option in options:
        context.warehouse.put_artifact(state["run_id"], "option", option.option_id, records.option(option))
    return {}


def choose_plan(state: RunState, runtime: Runtime[Context]) -> Update:
    """The planner chooses one option per group; the engine joins them under the shared limits."""
    context, scope = runtime.context, scope_of(state)
    options = context.desk.options(scope)
    brief = PlannerBrief(
        currency=context.desk.dataset(scope.dataset_version).currency,
        options=tuple(_figures(option) for option in options),
        feedback=tuple(
            str(verdict["reason"])
            for verdict in state.get("line_verdicts", [])
            if verdict["effect"] == Effect.DENY.value
        ),
    )
    choice = context.agents.planner.choose(brief)
    plan = context.desk.plan(scope, choice.choices)
    orders = records.orders(plan, context.desk.dataset(scope.dataset_version), state["run_id"])
    context.warehouse.put_artifacts(
        state["run_id"],
        "plan",
        {"choice": {**choice.model_dump(mode="json"), **records.plan_totals(plan)}, "scope": asdict(scope)},
    )
    _store_outlooks(context, state["run_id"], plan)
    decisions = [records.decided(choice)]
    return {"choice": choice.model_dump(mode="json"), "orders": orders, "rounds": 1, "decisions": decisions}


def _figures(option: PlanOption) -> OptionFigures:
    return OptionFigures(
        option_id=option.option_id,
        group=option.group,
        title=option.title,
        order_value=option.order_value,
        expected_cost=option.cost.total,
        fill_rate=option.fill_rate,
        stockout_probability=option.stockout_probability,
        risk_exposure=option.risk_exposure,
        suppliers=option.suppliers,
    )


def _store_outlooks(context: Context, run_id: str, plan: OrderPlan) -> None:
    for outlook in plan.outlooks:
        context.warehouse.put_artifact(
            run_id, "outlook", f"{outlook.item_id}@{outlook.site_id}", records.outlook(outlook)
        )


def to_negotiators(state: RunState, runtime: Runtime[Context]) -> list[Send] | Literal["gate_lines"]:
    """One negotiator per supplier order that somebody can talk about, in parallel, in the first round only."""
    if state["rounds"] > 1:
        return "gate_lines"
    tasks = [
        NegotiationTask(
            run_id=state["run_id"],
            order=order,
            round=state["rounds"],
            limits=price_limits_of(state, order, runtime.context),
        )
        for order in state["orders"]
        if not order["changes"]
    ]
    return [Send("negotiate", task) for task in tasks if task["limits"]] or "gate_lines"


def price_limits_of(state: RunState, order: Json, context: Context) -> list[Json]:
    """Target and reservation price of each line, from the computed next best source."""
    plan = context.desk.plan(scope_of(state), state["choice"]["choices"])
    found: list[Json] = []
    lines = {line.line_id: line for line in plan.lines}
    for drafted in order["lines"]:
        if facts.leaves_by_itself(drafted, context.rules):
            continue
        line = lines[drafted["line_id"]]
        extra = line.explanation.figures.get("extra_cost_of_next_best_source")
        rival = None if extra is None else line.unit_price + extra / line.quantity
        limits = price_limits(line.unit_price, rival)
        found.append(
            {
                "line_id": line.line_id,
                "item_id": line.item_id,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "target_price": limits.target,
                "reservation_price": limits.reservation,
            }
        )
    return found


def negotiate(state: NegotiationTask, runtime: Runtime[Context]) -> Update:
    """Talk prices with one supplier inside the limits that the plan priced."""
    context, order = runtime.context, state["order"]
    brief = NegotiationBrief.model_validate(
        {"supplier_id": order["supplier_id"], "currency": order["currency"], "lines": state["limits"]}
    )
    other = context.counterparty(brief.supplier_id, {line.line_id: line.unit_price for line in brief.lines})
    outcome = context.agents.negotiator.negotiate(brief, other)
    stored: Json = {**outcome.model_dump(mode="json"), "order_key": order["order_key"], "round": state["round"]}
    context.warehouse.put_artifact(state["run_id"], "negotiation", order["supplier_id"], stored)
    return {"agreements": [stored], "decisions": [records.decided(outcome)]}


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
        routed += [
            route_order(part, [*plan_verdicts, *own], state["run_id"], state["trigger"]["actor"], context)
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


def close(state: RunState, runtime: Runtime[Context]) -> Update:
    """Store the plan, the decisions and the KPIs of the run."""
    context = runtime.context
    totals: Mapping[str, float] = records.run_kpis(state, context.desk)
    context.warehouse.put_kpis(state["run_id"], state["dataset_version"], totals, context.now())
    context.warehouse.put_artifact(state["run_id"], "kpi", "run", dict(totals))
    context.warehouse.put_artifact(state["run_id"], "plan", "outcomes", {"outcomes": state.get("outcomes", [])})
    return {"closed": True}
