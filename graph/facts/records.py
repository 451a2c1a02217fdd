"""Values of a run as JSON: what goes into artifacts, state and approvals."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from agents.contracts import Decided
from graph.computation.desk import Desk, Scope
from graph.computation.distributions import figures_of
from graph.run.state import Json, RunState
from graph.views.standing import LEAVING
from policies.gates import Effect, Tier, Verdict
from store.warehouse import Warehouse
from tools.domain.catalogue import Autonomy
from tools.domain.datasets import Dataset
from tools.domain.errors import NotFound
from tools.domain.orders import Order, OrderLine, OrderVerdict
from tools.domain.plans import ItemOutlook, OrderPlan, PlanLine, PlanOption
from tools.ordering.limits.limit_words import limit_in_words

OUTLOOK_FIGURES = tuple(field.name for field in fields(ItemOutlook) if field.name not in ("projected_stock", "cost"))


def verdict(found: Verdict, subject: str) -> Json:
    """A verdict and what it is about."""
    return {
        "gate": found.gate,
        "rule": found.rule,
        "subject": subject,
        "effect": found.effect.value,
        "reason": found.reason,
        "limit": found.limit,
        "actual": found.actual,
        "tier": found.tier.value if found.tier else "",
        "policy_version": found.policy_version,
    }


def order_verdict(found: Verdict, subject: str) -> OrderVerdict:
    """A verdict as an order carries it."""
    return OrderVerdict.model_validate(verdict(found, subject))


def verdict_from(raw: Mapping[str, Any]) -> Verdict:
    """The verdict of a stored record."""
    tier = Tier(raw["tier"]) if raw["tier"] else None
    names = ("gate", "rule", "reason", "limit", "actual", "policy_version")
    return Verdict(effect=Effect(raw["effect"]), tier=tier, **{name: raw[name] for name in names})


def option(made: PlanOption) -> Json:
    """An option's figures, without its lines."""
    names = ("option_id", "group", "profile", "title", "order_value", "fill_rate", "stockout_probability")
    found: Json = {name: getattr(made, name) for name in names}
    return {
        **found,
        "risk_exposure": made.risk_exposure,
        "expected_cost": made.cost.total,
        "suppliers": list(made.suppliers),
        "lines": len(made.orders) + made.proposals,
    }


def outlook(made: ItemOutlook) -> Json:
    """An item's outlook in figures."""
    low, middle, high = figures_of(made.projected_stock)
    return {
        **{name: getattr(made, name) for name in OUTLOOK_FIGURES},
        "cost": asdict(made.cost),
        "stock_p10": low,
        "stock_p50": middle,
        "stock_p90": high,
    }


def decided(made: Decided) -> Json:
    """Who decided, and why a model was passed over."""
    return made.model_dump(include={"decided_by", "fallback_reason", "model", "tokens_in", "tokens_out"})


def plan_totals(plan: OrderPlan) -> Json:
    """Cost, bound and identity of a plan."""
    return {
        "snapshot_hash": plan.snapshot_hash,
        "plan_hash": plan_hash_parts(plan),
        "cost": {**asdict(plan.cost), "total": plan.cost.total},
        "lower_bound": plan.lower_bound,
        "conflicts": list(plan.conflicts),
    }


def plan_hash_parts(plan: OrderPlan) -> list[list[Any]]:
    """The lines that a replay must reproduce bit for bit."""
    return [[line.line_id, line.quantity, line.unit_price, str(line.expected_arrival)] for line in plan.lines]


def orders(plan: OrderPlan, dataset: Dataset, run_id: str) -> list[Order]:
    """Draft orders: new lines by supplier and site, and each change of an open order by itself."""
    grouped: dict[tuple[str, str, str], list[PlanLine]] = {}
    for line in plan.lines:
        if line.period == 0 and line.quantity > 0 and line.offer_id:
            grouped.setdefault((line.supplier_id, line.site_id, line.replaces_order_id or ""), []).append(line)
    return [
        Order(
            order_key="/".join(part for part in (run_id, supplier_id, site_id, changed) if part),
            run_id=run_id,
            supplier_id=supplier_id,
            site_id=site_id,
            currency=plan.currency,
            changes=changed,
            lines=tuple(order_line(line, dataset, plan.currency) for line in lines),
        )
        for (supplier_id, site_id, changed), lines in sorted(grouped.items())
    ]


def order_line(line: PlanLine, dataset: Dataset, currency: str) -> OrderLine:
    """A plan's line as an order carries it."""
    item = dataset.items[line.item_id]
    return OrderLine(
        line_id=line.line_id,
        intent=line.intent,
        item_id=line.item_id,
        item=item.description or line.item_id,
        uom=item.uom,
        autonomy=item.autonomy,
        offer_id=line.offer_id,
        quantity=line.quantity,
        unit_price=line.unit_price,
        list_price=line.unit_price,
        value=line.value,
        landed_cost=line.landed_cost,
        currency=currency,
        order_date=line.order_date,
        expected_arrival=line.expected_arrival,
        policy=line.explanation.policy,
        formula=line.explanation.formula,
        figures=dict(line.explanation.figures),
        notes=tuple(line.explanation.notes),
        binding=tuple(limit_in_words(limit, currency) for limit in line.binding),
    )


def with_agreements(found: Sequence[Order], agreements: Sequence[Json]) -> list[Order]:
    """The orders with what was agreed on their lines; each site's order has a talk of its own."""
    agreed = {
        (outcome["order_key"], agreement["line_id"]): agreement
        for outcome in agreements
        for agreement in outcome["agreements"]
    }
    return [
        order.changed(lines=tuple(_agreed(line, agreed.get((order.order_key, line.line_id))) for line in order.lines))
        for order in found
    ]


def _agreed(line: OrderLine, agreement: Json | None) -> OrderLine:
    if agreement is None:
        return line
    terms = {"agreed_price": float(agreement["unit_price"]), "agreed_from": float(agreement["quantity"])}
    return line.model_copy(update=terms).at_quantity(line.quantity, line.list_price)


def by_autonomy(order: Order) -> list[Order]:
    """The order split by autonomy level, so that a shadow item never holds back another."""
    parts: list[Order] = []
    for level in Autonomy:
        lines = tuple(line for line in order.lines if line.autonomy is level)
        if lines:
            parts.append(order.changed(order_key=f"{order.order_key}/{level.value}", lines=lines))
    return parts


def stored_scope(run_id: str, warehouse: Warehouse) -> Scope:
    """What the plan of a run was computed from. NotFound when it made none."""
    stored = warehouse.artifact(run_id, "plan", "scope")
    if stored is None:
        raise NotFound(f"Run {run_id} made no plan.", remedy="Name a run that reached its plan.", run_id=run_id)
    pairs = [(str(offer_id), float(units)) for offer_id, units in stored["adjustments"]]
    budget = float("inf") if stored["budget"] is None else float(stored["budget"])
    beside = tuple((str(offer_id), float(units)) for offer_id, units in stored.get("beside", ()))
    estimates, item_ids = stored.get("estimate_version", ""), tuple(stored["item_ids"])
    return Scope(stored["dataset_version"], item_ids, stored["alerts"], tuple(pairs), budget, estimates, beside=beside)


def run_kpis(state: RunState, routed: Sequence[Order], desk: Desk) -> dict[str, float]:
    """Figures of a run: what it orders and what it expects. `routed` are its orders in their latest form."""
    placed = [order for order in routed if order.route.kind in LEAVING and not order.changes]
    values = [line.value for order in placed for line in order.lines]
    found = {
        "order_value": float(sum(values)),
        "order_lines": float(len(values)),
        "items": float(len(state["item_ids"])),
    }
    talks = [outcome for outcome in state.get("agreements", []) if outcome.get("supply") == state.get("supply")]
    found["negotiated_saving"] = float(sum(outcome["saved"] for outcome in talks))
    if not state["stopped"]:
        dataset = desk.dataset(state["dataset_version"])
        found["stock_value"] = float(
            sum(max(units, 0.0) * dataset.items[item].unit_value for (item, _), units in dataset.on_hand.items())
        )
    return found
