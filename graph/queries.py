"""Stored facts of a run, as views for the doors and as sentences for the analyst."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from pydantic import ValidationError

from agents.contracts import Fact
from graph.views import (
    ApprovalView,
    LineView,
    OptionView,
    OutlookView,
    PlanView,
    RiskView,
    RunStatus,
    RunView,
    StepView,
    Trigger,
    VerdictView,
)
from store.operations import ApprovalRow, Operations, RunRow
from store.warehouse import Warehouse
from tools.domain.alerts import Alert
from tools.domain.datasets import Dataset
from tools.domain.errors import BadInput

PROGRESS_TITLES: Mapping[str, str] = {
    "sense": "Sense",
    "gate_data": "Data quality",
    "estimate": "Forecast demand and lead times",
    "assess_risk": "Assess risk",
    "compute_options": "Compute options",
    "choose_plan": "Choose plan",
    "negotiate": "Negotiate",
    "gate_lines": "Gate lines",
    "gate_plan": "Gate plan",
    "gate_autonomy": "Autonomy and approvals",
    "order": "Order",
    "await_approval": "Await approval",
    "gate_edit": "Gate edit",
    "dispatch": "Dispatch",
    "decline": "Decline",
    "close": "Close",
}


def run_view(row: RunRow, operations: Operations) -> RunView:
    """A run in short."""
    summary = dict(row.summary)
    waiting = operations.approvals("pending", row.run_id)
    sent = [action for action in operations.outbox(row.run_id) if action.status == "done"]
    return RunView(
        run_id=row.run_id,
        status=RunStatus(row.status),
        trigger=Trigger.model_validate(row.trigger),
        dataset_version=row.dataset_version,
        versions={key: str(value) for key, value in row.versions.items()},
        started_at=row.created_at,
        ended_at=row.ended_at,
        summary=str(summary.get("text", "")),
        n_lines=int(summary.get("lines", 0)),
        order_value=float(summary.get("order_value", 0.0)),
        currency=str(summary.get("currency", "")),
        pending_approvals=len(waiting),
        dispatched=len(sent),
    )


def approval_view(row: ApprovalRow, dataset: Dataset) -> ApprovalView:
    """An approval with the lines that it is about."""
    order = row.payload
    statuses = {"pending": "waiting", "approved": "approved", "rejected": "rejected", "edited": "edited"}
    lines = tuple(line_view(line, order, dataset, statuses.get(row.status, row.status), ()) for line in order["lines"])
    supplier = dataset.suppliers.get(order["supplier_id"])
    return ApprovalView(
        approval_id=row.approval_id,
        run_id=row.run_id,
        order_key=row.order_key,
        status=row.status,
        tier=row.tier,
        content_hash=row.content_hash,
        supplier=supplier.name if supplier and supplier.name else str(order["supplier_id"]),
        value=sum(line.value for line in lines),
        currency=order["currency"],
        lines=lines,
        reasons=tuple(order["reasons"]),
        proposed_by=tuple(row.proposed_by),
        opened_at=row.opened_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=row.reason,
    )


def line_view(
    line: Mapping[str, Any], order: Mapping[str, Any], dataset: Dataset, status: str, verdicts: Sequence[VerdictView]
) -> LineView:
    """One line with everything that explains it."""
    supplier = dataset.suppliers.get(str(order["supplier_id"]))
    names = ("line_id", "intent", "item_id", "item", "uom", "offer_id", "quantity", "unit_price", "value")
    more = ("landed_cost", "currency", "order_date", "expected_arrival", "policy", "formula", "figures")
    return LineView(
        order_key=str(order["order_key"]),
        supplier_id=str(order["supplier_id"]),
        supplier=supplier.name if supplier and supplier.name else str(order["supplier_id"]),
        status=status,
        notes=tuple(line["notes"]),
        binding=tuple(line["binding"]),
        verdicts=tuple(v for v in verdicts if v.subject == line["line_id"]),
        **{name: line[name] for name in (*names, *more)},
    )


def plan_view(
    run: RunView,
    orders: Sequence[Mapping[str, Any]],
    steps: Sequence[StepView],
    dataset: Dataset,
    warehouse: Warehouse,
    operations: Operations,
) -> PlanView:
    """Everything stored about a run. `orders` are the routed orders of its state."""
    run_id = run.run_id
    choice = warehouse.artifact(run_id, "plan", "choice") or {}
    stored = warehouse.artifacts(run_id, "verdict")
    verdicts = [VerdictView.model_validate(_verdict(raw)) for part in stored.values() for raw in part["verdicts"]]
    for order in orders:
        verdicts += [
            VerdictView.model_validate(_verdict(raw)) for raw in order.get("verdicts", []) if raw["gate"] == "autonomy"
        ]
    quality = warehouse.artifact(run_id, "quality", "data") or {"verdicts": []}
    risk = warehouse.artifact(run_id, "risk", "assessment") or {"risks": [], "exposures": []}
    return PlanView(
        run=run,
        steps=tuple(steps),
        quality=tuple(VerdictView.model_validate(_verdict(raw)) for raw in quality["verdicts"]),
        risks=tuple(_risk(raw, risk["exposures"]) for raw in risk["risks"]),
        options=_options(warehouse.artifacts(run_id, "option"), choice),
        lines=tuple(
            line_view(line, order, dataset, _status(order, operations), verdicts)
            for order in orders
            for line in order["lines"]
        ),
        outlooks=_outlooks(run_id, dataset, warehouse),
        verdicts=tuple(verdicts),
        negotiations=tuple(warehouse.artifacts(run_id, "negotiation").values()),
        kpis=dict((warehouse.artifact(run_id, "kpi", "run") or {}).items()),
        lower_bound=float(choice.get("lower_bound", 0.0)),
        expected_cost=float(dict(choice.get("cost", {})).get("total", 0.0)),
        conflicts=tuple(choice.get("conflicts", ())),
    )


def _verdict(raw: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(raw[name]) for name in ("gate", "rule", "subject", "effect", "reason", "limit", "actual")}


def _status(order: Mapping[str, Any], operations: Operations) -> str:
    if order["route"] == "drop":
        return str(order["status"])
    sent = [a for a in operations.outbox() if a.order_key == order["order_key"]]
    if sent:
        return {"done": "confirmed", "failed": "failed"}.get(sent[-1].status, "dispatched")
    waiting = [a for a in operations.approvals() if a.approval_id == order.get("approval_id")]
    if waiting:
        return {"pending": "waiting"}.get(waiting[0].status, waiting[0].status)
    return str(order["status"])


def _risk(raw: Mapping[str, Any], exposures: Sequence[Mapping[str, Any]]) -> RiskView:
    match = [e for e in exposures if e["node_id"] == raw["node_id"] and e["item_id"] in raw["item_ids"]]
    cover = match[0]["days_of_cover"] if match else None
    money = match[0]["money_at_risk"] if match else None
    return RiskView.model_validate({**raw, "days_of_cover": cover, "money_at_risk": money})


def _options(stored: Mapping[str, Mapping[str, Any]], choice: Mapping[str, Any]) -> tuple[OptionView, ...]:
    chosen, reasons = dict(choice.get("choices", {})), dict(choice.get("reasons", {}))
    return tuple(
        OptionView(
            **{name: raw[name] for name in OptionView.model_fields if name in raw},
            chosen=chosen.get(raw["group"]) == raw["option_id"],
            reason=str(reasons.get(raw["group"], "")),
        )
        for raw in stored.values()
    )


def _outlooks(run_id: str, dataset: Dataset, warehouse: Warehouse) -> tuple[OutlookView, ...]:
    forecasts = warehouse.artifacts(run_id, "forecast")
    found: list[OutlookView] = []
    for key, raw in warehouse.artifacts(run_id, "outlook").items():
        made = forecasts.get(key, {})
        figures = {name: raw[name] for name in OutlookView.model_fields if name in raw}
        found.append(
            OutlookView(
                **figures,
                item=dataset.items[raw["item_id"]].description or raw["item_id"],
                on_hand=dataset.on_hand.get((raw["item_id"], raw["site_id"]), 0.0),
                forecast_model=str(made.get("model", "")),
                demand_pattern=str(made.get("pattern", "")),
                history_dates=tuple(made.get("history_dates", ())),
                history=tuple(made.get("history", ())),
                dates=tuple(made.get("dates", ())),
                demand_p10=tuple(made.get("p10", ())),
                demand_p50=tuple(made.get("p50", ())),
                demand_p90=tuple(made.get("p90", ())),
            )
        )
    return tuple(found)


def facts_of(view: PlanView, approvals: Sequence[ApprovalView]) -> tuple[Fact, ...]:
    """The stored facts of a run as sentences that an answer may quote."""
    run = view.run
    totals = (
        f"Run {run.run_id} is {run.status.value}: {run.n_lines} order lines worth {run.order_value:,.0f} "
        f"{run.currency}, {run.pending_approvals} orders wait for approval, {run.dispatched} were dispatched."
    )
    found = [Fact(fact_id=run.run_id, kind="run", subjects=(run.run_id,), text=totals)]
    found += [_line_fact(line) for line in view.lines]
    found += [_outlook_fact(outlook) for outlook in view.outlooks]
    found += [_risk_fact(risk) for risk in view.risks]
    found += [
        Fact(fact_id=o.option_id, kind="option", subjects=(o.option_id, o.group), text=f"{o.option_id}: {o.reason}")
        for o in view.options
        if o.chosen
    ]
    found += [_verdict_fact(verdict) for verdict in view.verdicts if verdict.effect != "allow"]
    found += [_approval_fact(approval) for approval in approvals]
    found += [
        Fact(fact_id=f"kpi:{name}", kind="kpi", subjects=(name,), text=f"{name}: {value:,.2f}")
        for name, value in view.kpis.items()
    ]
    found += [
        Fact(fact_id=f"conflict:{place}", kind="conflict", subjects=(), text=text)
        for place, text in enumerate(view.conflicts)
    ]
    return tuple(found)


def _line_fact(line: LineView) -> Fact:
    figures = "; ".join(f"{name} {value:,.4g}" for name, value in line.figures.items())
    text = (
        f"{line.item_id}: {line.intent} {line.quantity:,.0f} {line.uom} from {line.supplier} for {line.value:,.0f} "
        f"{line.currency}, expected {line.expected_arrival} ({line.status}). {line.formula}. {figures}."
    )
    subjects = (line.item_id, line.supplier_id, line.supplier, line.line_id)
    return Fact(fact_id=f"line:{line.line_id}", kind="line", subjects=subjects, text=text)


def _outlook_fact(outlook: OutlookView) -> Fact:
    text = (
        f"{outlook.item_id}: {outlook.reason} Stock covers {outlook.days_of_cover:,.0f} days; the probability of a "
        f"stock-out is {outlook.stockout_probability:.0%}."
    )
    return Fact(fact_id=f"outlook:{outlook.item_id}", kind="outlook", subjects=(outlook.item_id,), text=text)


def _approval_fact(approval: ApprovalView) -> Fact:
    text = (
        f"{approval.approval_id}: {approval.supplier}, {approval.value:,.0f} {approval.currency}, needs a "
        f"{approval.tier}. {' '.join(approval.reasons)}"
    )
    subjects = (approval.approval_id, approval.supplier)
    return Fact(fact_id=approval.approval_id, kind="approval", subjects=subjects, text=text)


def _risk_fact(risk: RiskView) -> Fact:
    fact_id = f"risk:{risk.node_id}:{'+'.join(risk.item_ids)}"
    return Fact(fact_id=fact_id, kind="risk", subjects=(risk.node_id, *risk.item_ids), text=risk.summary)


def _verdict_fact(verdict: VerdictView) -> Fact:
    text = f"{verdict.subject}: {verdict.effect} by {verdict.rule}. {verdict.reason}"
    subjects = (verdict.subject, verdict.rule)
    return Fact(fact_id=f"verdict:{verdict.rule}:{verdict.subject}", kind="verdict", subjects=subjects, text=text)


def alert_of(event: Mapping[str, object], message_id: str, source: str, now: datetime) -> Alert:
    """The typed alert of a CloudEvents body. BadInput names the field that is wrong."""
    inner = event.get("data")
    try:
        return Alert.model_validate(
            {
                **dict(cast(Mapping[str, object], inner or {})),
                "alert_id": message_id,
                "source": source,
                "received_at": now,
            }
        )
    except (ValidationError, TypeError) as error:
        raise BadInput(f"The event holds no valid alert: {error}", remedy="See docs/alerts.md for one.") from error


def step_summary(node: str, run_id: str, warehouse: Warehouse, operations: Operations) -> str:
    """What a step found, in a sentence or a few lines."""
    writers = {
        "gate_data": _data_summary,
        "estimate": _estimate_summary,
        "assess_risk": _risk_summary,
        "compute_options": _options_summary,
        "choose_plan": _choice_summary,
        "gate_lines": _verdict_summary,
    }
    if node in writers:
        return writers[node](run_id, warehouse)
    if node == "gate_autonomy":
        return f"{len(operations.approvals('pending', run_id))} orders wait for a person."
    if node in ("dispatch", "order", "close"):
        return f"{len([a for a in operations.outbox(run_id) if a.status == 'done'])} orders are in the ERP."
    return ""


def _data_summary(run_id: str, warehouse: Warehouse) -> str:
    stored = warehouse.artifact(run_id, "quality", "data") or {"verdicts": []}
    return "\n".join(str(raw["reason"]) for raw in stored["verdicts"])


def _estimate_summary(run_id: str, warehouse: Warehouse) -> str:
    made = warehouse.artifacts(run_id, "forecast").values()
    patterns = Counter(str(raw["pattern"]) for raw in made)
    return ", ".join(f"{count} {name}" for name, count in patterns.most_common())


def _risk_summary(run_id: str, warehouse: Warehouse) -> str:
    stored = warehouse.artifact(run_id, "risk", "assessment") or {"risks": []}
    return "\n".join(str(raw["summary"]) for raw in stored["risks"][:3]) or "No item would run out before it recovers."


def _options_summary(run_id: str, warehouse: Warehouse) -> str:
    return f"{len(warehouse.artifacts(run_id, 'option'))} options priced."


def _choice_summary(run_id: str, warehouse: Warehouse) -> str:
    stored = warehouse.artifact(run_id, "plan", "choice") or {"choices": {}, "reasons": {}}
    return "\n".join(f"{stored['choices'][group]}: {reason}" for group, reason in stored["reasons"].items())


def _verdict_summary(run_id: str, warehouse: Warehouse) -> str:
    stored = warehouse.artifacts(run_id, "verdict")
    effects = Counter(str(raw["effect"]) for part in stored.values() for raw in part["verdicts"])
    return ", ".join(f"{count} {name}" for name, count in effects.most_common())
