"""Stored facts of a run, as views for the doors and as sentences for the analyst."""

from collections.abc import Mapping, Sequence
from typing import Any

from graph.naming import in_plain_words
from graph.views import (
    ApprovalView,
    DatasetView,
    LineView,
    OptionView,
    OutlookView,
    PlanView,
    RiskView,
    RunStatus,
    RunView,
    StepView,
    TransitionView,
    Trigger,
    VerdictView,
)
from store.lineage import DatasetInfo
from store.operations import ApprovalRow, Operations, OutboxRow, RunRow
from store.warehouse import Transition, Warehouse
from tools.domain.datasets import Dataset

WITHDRAWN = "Withdrawn by "
"""How the error of an action begins that was taken back before it left."""


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


def approval_view(row: ApprovalRow, dataset: Dataset, actions: Sequence[OutboxRow] = ()) -> ApprovalView:
    """An approval with the lines that it is about, their order limits, and what the ERP made of its actions."""
    order, sent = row.payload, actions[0] if actions else None
    status = "waiting" if row.status == "pending" else row.status
    if actions and is_withdrawn(actions[-1], order):
        status = "withdrawn"
    lines = tuple(line_view(_with_limits(line, dataset), order, dataset, status, ()) for line in order["lines"])
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
        erp_status=sent.status if sent else "",
        erp_reference=(sent.erp_ref or "") if sent else "",
        erp_error=(sent.error or "") if sent else "",
    )


def _with_limits(line: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """The line with its offer's MOQ, multiple and maximum among its figures, for whoever edits the quantity."""
    item, wanted = line["item_id"], line["offer_id"]
    offer = next((one for one in dataset.offers_by_item.get(item, ()) if one.offer_id == wanted), None)
    if offer is None:
        return dict(line)
    limits = {"moq": offer.moq, "order_multiple": offer.order_multiple}
    if offer.max_quantity is not None:
        limits["max_quantity"] = offer.max_quantity
    return {**line, "figures": {**line["figures"], **limits}}


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
        notes=tuple(in_plain_words(note, dataset) for note in line["notes"]),
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
    verdicts = _gate_verdicts(warehouse.artifacts(run_id, "drift") | warehouse.artifacts(run_id, "verdict"))
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
            line_view(line, order, dataset, order_status(order, operations), verdicts)
            for order in orders
            for line in order["lines"]
        ),
        outlooks=_outlooks(run_id, dataset, warehouse),
        verdicts=tuple(verdicts),
        negotiations=tuple(warehouse.artifacts(run_id, "negotiation").values()),
        kpis=dict((warehouse.artifact(run_id, "kpi", "run") or {}).items()),
        lower_bound=float(choice.get("lower_bound", 0.0)),
        expected_cost=float(dict(choice.get("cost", {})).get("total", 0.0)),
        conflicts=tuple(in_plain_words(text, dataset) for text in choice.get("conflicts", ())),
    )


def _gate_verdicts(stored: Mapping[str, Mapping[str, Any]]) -> list[VerdictView]:
    """Line verdicts of the last round, denials of every round, and the plan's verdicts."""
    rounds = sorted(key for key in stored if key.startswith("lines-"))
    kept = [raw for key in rounds[:-1] for raw in stored[key]["verdicts"] if raw["effect"] == "deny"]
    kept += [raw for key in rounds[-1:] for raw in stored[key]["verdicts"]]
    kept += [raw for key, part in stored.items() if key not in rounds for raw in part["verdicts"]]
    return [VerdictView.model_validate(_verdict(raw)) for raw in kept]


def _verdict(raw: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(raw[name]) for name in ("gate", "rule", "subject", "effect", "reason", "limit", "actual")}


def is_withdrawn(last: OutboxRow, order: Mapping[str, Any]) -> bool:
    """Whether the last action of an order took an approval back; a change of an open order may be a cancel too."""
    return (last.kind == "cancel" and not order["changes"]) or (last.error or "").startswith(WITHDRAWN)


def order_status(order: Mapping[str, Any], operations: Operations) -> str:
    """Where an order of a run stands."""
    if order["route"] == "drop":
        return str(order["status"])
    sent = [a for a in operations.outbox() if a.order_key == order["order_key"]]
    if sent and is_withdrawn(sent[-1], order):
        return "withdrawn"
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
        figures["reason"] = in_plain_words(str(raw["reason"]), dataset)
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


def transition_view(row: Transition) -> TransitionView:
    """A journal row."""
    return TransitionView(
        seq=row.seq,
        run_id=row.run_id,
        node=row.node,
        attempt=row.attempt,
        step=row.step,
        event=row.event,
        status=row.status,
        started_at=row.started_at,
        ended_at=row.ended_at,
        actor=row.actor,
        payload=dict(row.payload),
        hash=row.hash,
    )


def dataset_view(info: DatasetInfo) -> DatasetView:
    """A dataset version."""
    names = ("version", "as_of", "created_at", "active", "parent", "source")
    return DatasetView(**{name: getattr(info, name) for name in names}, rows=sum(info.row_counts.values()))
