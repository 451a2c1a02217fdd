"""The nodes of a sourcing run. Each reads the state, asks the desk, an agent or a gate, and returns its update."""

from collections import Counter
from collections.abc import Mapping
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
from graph.computation.desk import Scope
from graph.context import Context
from graph.facts import companions, records
from graph.facts import order_facts as facts
from graph.facts.day_orders import left_of_the_day
from graph.facts.decided_lines import with_decisions
from graph.incoming.triggers import heeded
from graph.run.state import Json, NegotiationTask, RunState, scope_of
from policies.gates import Effect
from tools.domain.alerts import Alert
from tools.domain.orders import Order, OrderLine
from tools.domain.plans import OrderPlan, PlanOption
from tools.domain.progress import look_up
from tools.negotiation import price_limits
from tools.wording import named

Update = dict[str, Any]
SHOWN_EXPOSURES = 12
MOST_PASSES = 8
"""How often a run looks at supply again because it moved while the run planned."""
OLD_SUPPLY = (
    "The dataset version that was asked for does not know what was ordered since it was made: ordering would buy the"
    " same need again, so this plan is only shown."
)
NEVER_STILL = "What is on order moved {} times while this run planned; it ordered nothing. Plan again in a moment."


def sense(state: RunState, runtime: Runtime[Context]) -> Update:
    """Fix the state of supply, the dataset version, the alerts and the items of this run.

    The ledger's counter is read before anything else: whatever moves after it is found out when the plan is
    published, and the run comes back here. A run that an alert starts replans what the alert affects; any other
    heeds the alerts still in force. What waits for a signature in one order with a wanted item is proposed anew with
    it: as it was planned, or planned again where anything is new.
    """
    desk, trigger, operations = runtime.context.desk, state["trigger"], runtime.context.operations
    supply = operations.supply_seq()
    version = _version_to_plan_on(state, runtime.context)
    ignorant = version == trigger.get("dataset_version") and not operations.knows_supply(version)
    dataset = desk.dataset(version)
    new = list(trigger.get("alerts", []))
    alerts = heeded(new, operations, dataset.as_of)
    wanted = set(trigger.get("item_ids", ()))
    if new:
        scope = Scope(version, tuple(dataset.items), orjson.dumps(new, option=orjson.OPT_SORT_KEYS).decode())
        wanted |= set(desk.disruption(scope).affected_item_ids)
    kept = list[Order]()
    if wanted and not ignorant:
        told = orjson.dumps(alerts, option=orjson.OPT_SORT_KEYS).decode()
        scope = Scope(version, tuple(dataset.items), told)
        wanted, kept = companions.with_companions(wanted, scope, state["run_id"], runtime.context)
        wanted |= {line.item_id for order in kept for line in order.lines}
    item_ids = [item_id for item_id in dataset.items if item_id in wanted or (not wanted and not new)]
    budget = facts.budget_left(runtime.context, dataset.currency)
    again = state.get("passes", 0)
    return {
        "item_ids": item_ids,
        "kept": kept,
        "alerts": alerts,
        "supply": supply,
        "dataset_version": version,
        "adjustments": {},
        "budget": budget,
        "passes": 1,
        "rounds": -state.get("rounds", 0),
        "line_verdicts": [],
        "watched": OLD_SUPPLY if ignorant else "",
        "stopped": NEVER_STILL.format(again) if again >= MOST_PASSES else "",
    }


def _version_to_plan_on(state: RunState, context: Context) -> str:
    """The dataset version that was asked for, else the active one, which knows what is on order by now."""
    version = state["dataset_version"]
    if state.get("passes"):
        context.warehouse.drop_artifacts(state["run_id"])
    asked_for = state["trigger"].get("dataset_version")
    fresh = asked_for or context.fresh_dataset() or version
    if fresh != version:
        context.operations.set_run_dataset(state["run_id"], fresh)
    return fresh


def estimate(state: RunState, runtime: Runtime[Context]) -> Update:
    """Demand and lead-time distributions: those of the estimate version that the run is pinned to from here on."""
    context = runtime.context
    version = context.desk.current_estimates(state["dataset_version"])
    look_up()
    context.operations.pin_version(state["run_id"], "estimate", version)
    scope = Scope(state["dataset_version"], scope_of(state).item_ids, estimate_version=version)
    estimates = context.desk.estimates(scope)
    look_up()
    patterns = Counter(made.pattern.value for made in estimates.forecasts)
    context.warehouse.put_artifact(state["run_id"], "estimate", "patterns", dict(patterns.most_common()))
    return {"estimate_version": version}


def assess_risk(state: RunState, runtime: Runtime[Context]) -> Update:
    """Exposure along the supply graph, and which of it the risk agent finds worth telling."""
    context, scope = runtime.context, scope_of(state)
    dataset = context.desk.dataset(scope.dataset_version)
    rows = sorted(context.desk.exposures(scope), key=lambda row: -row.money_at_risk)
    names = {supplier_id: supplier.name for supplier_id, supplier in dataset.suppliers.items()}
    brief = RiskBrief(
        currency=dataset.currency,
        exposures=tuple(
            ExposureFigures(
                node_id=row.node_id,
                item_id=row.item_id,
                node=named(names.get(row.node_id, ""), row.node_id),
                item=named(dataset.items[row.item_id].description, row.item_id),
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
    others, beside, exposed = companions.risks_of(state.get("kept", []), context)
    risks = [*(risk.model_dump(mode="json") for risk in assessment.risks), *others]
    for row in rows:
        exposed[row.item_id] = max(exposed.get(row.item_id, 0.0), row.money_at_risk)
    at_risk = {item_id: money for item_id, money in exposed.items() if money > 0}
    context.warehouse.put_artifact(state["run_id"], "risk", companions.EXPOSED, at_risk)
    context.warehouse.put_artifact(
        state["run_id"],
        "risk",
        "assessment",
        {
            "risks": risks,
            "exposures": [*(row.model_dump() for row in brief.exposures), *beside],
            **records.decided(assessment),
        },
    )
    return {"exposure": exposed, "decisions": [records.decided(assessment)]}


def _alert_sentence(alert: Alert) -> str:
    return f"{alert.kind.value} at {alert.node_id}: {alert.delay_days} days, capacity {alert.capacity_fraction:.0%}"


def compute_options(state: RunState, runtime: Runtime[Context]) -> Update:
    """Plans with bound, cost, service and risk, one per group and profile."""
    context = runtime.context
    options = context.desk.options(scope_of(state))
    rows = {option.option_id: records.option(option) for option in options}
    context.warehouse.put_artifacts(state["run_id"], "option", rows, alone=True)
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
    drafted = records.orders(plan, context.desk.dataset(scope.dataset_version), state["run_id"])
    proposed, held = with_decisions(drafted, plan, scope, choice.choices, context)
    fresh, held = left_of_the_day(proposed, held, scope, state["run_id"], context)
    kept = state.get("kept", [])
    orders = companions.joined(fresh, kept, state["run_id"])
    told = {**choice.model_dump(mode="json"), **records.plan_totals(plan)}
    if kept:
        told["kept_lines"] = sum(len(order.lines) for order in kept)
    context.warehouse.put_artifacts(state["run_id"], "plan", {"choice": told, "scope": asdict(scope)})
    sites = context.desk.dataset(scope.dataset_version).sites
    _store_outlooks(context, state["run_id"], plan, companions.outlooks_of(kept, sites, context))
    decisions = [records.decided(choice)]
    chosen = choice.model_dump(mode="json")
    return {"choice": chosen, "orders": orders, "held": held, "rounds": 1, "decisions": decisions}


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


def _store_outlooks(context: Context, run_id: str, plan: OrderPlan, kept: Mapping[str, Json]) -> None:
    rows = {f"{outlook.item_id}@{outlook.site_id}": records.outlook(outlook) for outlook in plan.outlooks}
    context.warehouse.put_artifacts(run_id, "outlook", {**kept, **rows})


def talked_about_once(state: RunState) -> Literal["limit_prices", "gate_lines"]:
    """Suppliers are talked with in the first round only."""
    return "limit_prices" if state["rounds"] == 1 else "gate_lines"


def limit_prices(state: RunState, runtime: Runtime[Context]) -> Update:
    """By order, target and reservation price of each line that is worth talking about and was not talked about before.

    From what the plan would cost without its source.
    """
    context = runtime.context
    worth = {
        order.order_key: [
            line for line in order.lines if not line.planned_by and not facts.leaves_by_itself(line, context.rules)
        ]
        for order in state["orders"]
        if not order.changes
    }
    asked = frozenset(line.line_id for lines in worth.values() for line in lines)
    if not asked:
        return {"limits": {}}
    reservations = context.desk.reservation_prices(scope_of(state), state["choice"]["choices"], asked)
    priced = {key: [_price_limits(line, reservations) for line in lines] for key, lines in worth.items() if lines}
    return {"limits": priced}


def to_negotiators(state: RunState) -> list[Send] | Literal["gate_lines"]:
    """One negotiator per supplier order that somebody can talk about, in parallel."""
    limits = state["limits"]
    tasks = [
        NegotiationTask(
            run_id=state["run_id"],
            order=order,
            supply=state["supply"],
            round=state["rounds"],
            limits=limits[order.order_key],
        )
        for order in state["orders"]
        if order.order_key in limits
    ]
    return [Send("negotiate", task) for task in tasks] or "gate_lines"


def _price_limits(line: OrderLine, reservations: Mapping[str, float]) -> Json:
    limits = price_limits(line.unit_price, reservations.get(line.line_id))
    return {
        "line_id": line.line_id,
        "item_id": line.item_id,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "target_price": limits.target,
        "reservation_price": limits.reservation,
    }


def negotiate(state: NegotiationTask, runtime: Runtime[Context]) -> Update:
    """Talk prices with one supplier inside the limits that the plan priced."""
    context, order = runtime.context, state["order"]
    brief = NegotiationBrief.model_validate(
        {"supplier_id": order.supplier_id, "currency": order.currency, "lines": state["limits"]}
    )
    other = context.counterparty(brief.supplier_id, {line.line_id: line.unit_price for line in brief.lines})
    outcome = context.agents.negotiator.negotiate(brief, other)
    talk = {"order_key": order.order_key, "round": state["round"]}
    stored: Json = {**outcome.model_dump(mode="json"), **talk}
    context.warehouse.put_artifact(state["run_id"], "negotiation", order.order_key, stored)
    return {"agreements": [{**stored, "supply": state["supply"]}], "decisions": [records.decided(outcome)]}


def close(state: RunState, runtime: Runtime[Context]) -> Update:
    """Store the plan, the decisions and the KPIs of the run."""
    context = runtime.context
    routed = context.operations.orders_of(state["run_id"])
    totals: Mapping[str, float] = records.run_kpis(state, routed, context.desk)
    context.warehouse.put_kpis(state["run_id"], state["dataset_version"], totals, context.now())
    context.warehouse.put_artifact(state["run_id"], "kpi", "run", dict(totals))
    context.warehouse.put_artifact(state["run_id"], "plan", "outcomes", {"outcomes": state.get("outcomes", [])})
    return {}
