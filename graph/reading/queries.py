"""Stored facts of a run, as views for the doors and as sentences for the analyst."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from graph.reading.naming import Named, in_plain_words
from graph.views.installation import DatasetView
from graph.views.orders import EXTRA_COST, ApprovalView, LineView, VerdictView
from graph.views.plans import OptionView, OutlookView, PlanView, RiskView
from graph.views.runs import RunStatus, RunView, StepView, TransitionView, Trigger
from graph.views.standing import ASKED, LEAVING, ON_ITS_WAY, shown_status
from store.datasets.lineage import DatasetInfo
from store.operations import ApprovalRow, Operations, OutboxRow, RunRow
from store.warehouse import Transition
from tools.domain.datasets import Dataset, grouped
from tools.domain.orders import Order, OrderLine, OrderVerdict
from tools.wording import LineFacts, Stage, StockFacts, told_of_line, told_of_stock

Stored = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Artifacts of a run, by kind and key."""
SHOWN = ("plan", "drift", "verdict", "quality", "risk", "option", "negotiation", "kpi", "outlook")
"""Kinds of artifacts that a plan's view is made from."""
STANDS = ("days_of_cover", "fill_rate", "stockout_probability")
"""Figures of a stored outlook that its words are made from."""
SERIES = ("stock_p10", "stock_p50", "stock_p90")
"""Values per period of a stored outlook."""
AUTONOMY = "autonomy"
"""The gate whose verdicts an order's route adds to those of lines and plan."""


def run_views(
    rows: Sequence[RunRow], operations: Operations, figures: Mapping[str, Mapping[str, Any]]
) -> list[RunView]:
    """Runs in short, with what the ledger tells of each, in two queries; `figures` are of those that have orders."""
    run_ids = [row.run_id for row in rows]
    waiting, sent = operations.pending_count(run_ids), operations.sent_count(run_ids)
    return [_run_view(row, figures.get(row.run_id, {}), waiting, sent) for row in rows]


def _run_view(row: RunRow, figures: Mapping[str, Any], waiting: Mapping[str, int], sent: Mapping[str, int]) -> RunView:
    told = {**row.summary, **figures}
    return RunView(
        run_id=row.run_id,
        status=RunStatus(row.status),
        trigger=Trigger.model_validate(row.trigger),
        dataset_version=row.dataset_version,
        versions={key: str(value) for key, value in row.versions.items()},
        started_at=row.created_at,
        ended_at=row.ended_at,
        summary=str(told.get("text", "")),
        n_lines=int(told.get("lines", 0)),
        order_value=float(told.get("order_value", 0.0)),
        currency=str(told.get("currency", "")),
        pending_approvals=waiting.get(row.run_id, 0),
        dispatched=sent.get(row.run_id, 0),
    )


def figures_by_run(orders: Iterable[Order]) -> dict[str, dict[str, Any]]:
    """What each run orders that has orders."""
    return {run_id: figures_of(own) for run_id, own in grouped(orders, lambda order: order.run_id).items()}


def figures_of(orders: Sequence[Order]) -> dict[str, Any]:
    """What a run orders, from its orders in their latest form."""
    kept = [order for order in orders if order.route.kind in LEAVING]
    placed = [order for order in kept if not order.changes]
    return {
        "lines": sum(len(order.lines) for order in kept),
        "order_value": sum(order.value for order in placed),
        "currency": kept[0].currency if kept else "",
    }


def approval_view(
    row: ApprovalRow, latest: Order | None, dataset: Named, actions: Sequence[OutboxRow] = (), *, own: bool = False
) -> ApprovalView:
    """An approval with the lines that it is about, their order limits, and what the ERP made of its actions.

    `latest` is the order's latest form; an approval that an edit replaced shows what it was asked for itself.
    """
    order, sent = row.order, actions[0] if actions else None
    status = row.status
    if latest is not None and latest.route.approval_id == row.approval_id and row.status != "void":
        status = shown_status(latest) if row.status in ("pending", "approved") else row.status
    lines = tuple(line_view(_with_limits(line, dataset), order, dataset, status, ()) for line in order.lines)
    supplier = dataset.suppliers.get(order.supplier_id)
    return ApprovalView(
        approval_id=row.approval_id,
        run_id=row.run_id,
        order_key=row.order_key,
        status=row.status,
        tier=row.tier,
        content_hash=row.content_hash,
        supplier=supplier.name if supplier and supplier.name else order.supplier_id,
        value=order.value,
        currency=order.currency,
        lines=lines,
        reasons=order.route.reasons,
        proposed_by=tuple(row.proposed_by),
        own=own,
        opened_at=row.opened_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=row.reason,
        erp_status=sent.status if sent else "",
        erp_reference=(sent.erp_ref or "") if sent else "",
        erp_error=(sent.error or "") if sent else "",
    )


def _with_limits(line: OrderLine, dataset: Named) -> OrderLine:
    """The line with its offer's MOQ, multiple and maximum among its figures, for whoever edits the quantity."""
    offer = dataset.offer_of.get(line.offer_id)
    if offer is None:
        return line
    limits = {"moq": offer.moq, "order_multiple": offer.order_multiple}
    if offer.max_quantity is not None:
        limits["max_quantity"] = offer.max_quantity
    return line.model_copy(update={"figures": {**line.figures, **limits}})


def line_view(line: OrderLine, order: Order, dataset: Named, status: str, verdicts: Sequence[VerdictView]) -> LineView:
    """One line with everything that explains it, `verdicts` on it among that."""
    supplier = dataset.suppliers.get(order.supplier_id)
    told = told_of_line(_facts_of(line, order, supplier.name if supplier else "", status))
    return LineView(
        line_id=line.line_id,
        order_key=order.order_key,
        intent=line.intent.value,
        item_id=line.item_id,
        item=line.item,
        uom=line.uom,
        supplier_id=order.supplier_id,
        supplier=supplier.name if supplier and supplier.name else order.supplier_id,
        offer_id=line.offer_id,
        quantity=line.quantity,
        unit_price=line.unit_price,
        value=line.value,
        landed_cost=line.landed_cost,
        currency=line.currency,
        order_date=line.order_date.isoformat(),
        expected_arrival=line.expected_arrival.isoformat(),
        status=status,
        sentence=told.sentence,
        reasons=told.reasons,
        policy=line.policy,
        formula=line.formula,
        figures=line.figures,
        days_of_cover=line.figures.get("days_of_cover"),
        notes=tuple(in_plain_words(note, dataset) for note in line.notes),
        binding=line.binding,
        verdicts=tuple(verdicts),
        run_id=order.run_id,
        planned_by=line.planned_by,
    )


def _facts_of(line: OrderLine, order: Order, supplier: str, status: str) -> LineFacts:
    """What the line's own figures say. What they say of costs and rounding is said of the planned quantity alone."""
    known = line.figures
    planned = known if known.get("quantity", line.quantity) == line.quantity else {}
    return LineFacts(
        intent=line.intent,
        quantity=line.quantity,
        uom=line.uom,
        supplier_id=order.supplier_id,
        supplier=supplier or order.supplier_id,
        currency=line.currency,
        order_date=line.order_date,
        expected_arrival=line.expected_arrival,
        days_of_cover=known.get("days_of_cover"),
        cost_of_waiting=planned.get(EXTRA_COST),
        cost_of_next_best=planned.get("extra_cost_of_next_best_source"),
        expected_need=known.get("lead_time_demand_mean"),
        in_reach=known.get("inventory_position"),
        reserve=known.get("safety_stock"),
        before_rounding=planned.get("quantity_before_rounding"),
        share_that_needs_it=known.get("share_of_paths_that_need_it"),
        limited=bool(line.binding),
        stage=Stage.PLACED if status in ON_ITS_WAY else Stage.ASKED if status in ASKED else Stage.LEFT,
        kept=line.notes[0] if status == "held" and line.notes else "",
    )


def told_of_run(
    run: RunView, dataset: Dataset, stored: Stored, demand: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> PlanView:
    """What a run left behind, without its orders and steps: `stored` are its artifacts of `SHOWN`.

    `demand` is what its estimates say of each item at a site; without it outlooks have no series.
    """
    choice = stored.get("plan", {}).get("choice", {})
    quality = stored.get("quality", {}).get("data", {"verdicts": []})
    risk = stored.get("risk", {}).get("assessment", {"risks": [], "exposures": []})
    return PlanView(
        run=run.model_copy(update={"currency": run.currency or dataset.currency}),
        quality=tuple(VerdictView.model_validate(_verdict(raw)) for raw in quality["verdicts"]),
        risks=tuple(_risk(raw, risk, run.run_id) for raw in risk["risks"]),
        options=_options(stored.get("option", {}), choice, run.run_id),
        outlooks=tuple(
            outlook_view(raw, run, dataset, demand.get(key, {})) for key, raw in stored.get("outlook", {}).items()
        ),
        verdicts=tuple(_gate_verdicts({**stored.get("drift", {}), **stored.get("verdict", {})})),
        negotiations=tuple(dict(talk) for talk in stored.get("negotiation", {}).values()),
        kpis=dict(stored.get("kpi", {}).get("run", {})),
        lower_bound=float(choice.get("lower_bound", 0.0)),
        expected_cost=float(dict(choice.get("cost", {})).get("total", 0.0)),
        conflicts=tuple(in_plain_words(text, dataset) for text in choice.get("conflicts", ())),
    )


def with_orders(
    told: PlanView, run: RunView, orders: Sequence[Order], steps: Sequence[StepView], dataset: Dataset
) -> PlanView:
    """Everything stored about a run: what it left behind, and its orders as the ledger has them."""
    verdicts = list(told.verdicts)
    for order in orders:
        verdicts += [_order_verdict(made) for made in order.route.verdicts if made.gate == AUTONOMY]
    on = grouped(verdicts, lambda found: found.subject)
    lines = tuple(
        line_view(line, order, dataset, shown_status(order), on.get(line.line_id, ()))
        for order in orders
        for line in order.lines
    )
    found = run.model_copy(update={"currency": run.currency or dataset.currency})
    return told.model_copy(update={"run": found, "steps": tuple(steps), "lines": lines, "verdicts": tuple(verdicts)})


def _order_verdict(made: OrderVerdict) -> VerdictView:
    return VerdictView.model_validate(made.model_dump(include=set(VerdictView.model_fields)))


def _gate_verdicts(stored: Mapping[str, Mapping[str, Any]]) -> list[VerdictView]:
    """Line verdicts of the last round, denials of every round, and the plan's verdicts."""
    rounds = sorted(key for key in stored if key.startswith("lines-"))
    kept = [raw for key in rounds[:-1] for raw in stored[key]["verdicts"] if raw["effect"] == "deny"]
    kept += [raw for key in rounds[-1:] for raw in stored[key]["verdicts"]]
    kept += [raw for key, part in stored.items() if key not in rounds for raw in part["verdicts"]]
    return [VerdictView.model_validate(_verdict(raw)) for raw in kept]


def _verdict(raw: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(raw[name]) for name in ("gate", "rule", "subject", "effect", "reason", "limit", "actual")}


def _risk(raw: Mapping[str, Any], assessment: Mapping[str, Any], run_id: str) -> RiskView:
    match = [e for e in assessment["exposures"] if e["node_id"] == raw["node_id"] and e["item_id"] in raw["item_ids"]]
    cover = match[0]["days_of_cover"] if match else None
    money = match[0]["money_at_risk"] if match else None
    graded = str(assessment.get("decided_by", ""))
    found = {"days_of_cover": cover, "money_at_risk": money, "run_id": run_id, "graded_by": graded}
    return RiskView.model_validate({**raw, **found})


def _options(stored: Mapping[str, Mapping[str, Any]], choice: Mapping[str, Any], run_id: str) -> tuple[OptionView, ...]:
    chosen, reasons = dict(choice.get("choices", {})), dict(choice.get("reasons", {}))
    return tuple(
        OptionView(
            **{name: raw[name] for name in OptionView.model_fields if name in raw},
            chosen=chosen.get(raw["group"]) == raw["option_id"],
            reason=str(reasons.get(raw["group"], "")),
            run_id=run_id,
        )
        for raw in stored.values()
    )


def outlook_view(raw: Mapping[str, Any], run: RunView, dataset: Dataset, made: Mapping[str, Any]) -> OutlookView:
    """A stored outlook of a run; `made` is what its estimates say of the item, without which it has no series."""
    figures = {name: raw[name] for name in OutlookView.model_fields if name in raw and (made or name not in SERIES)}
    figures["reason"] = in_plain_words(str(raw["reason"]), dataset)
    told = told_of_stock(StockFacts(*(float(raw[name]) for name in STANDS)))
    quantiles: Mapping[str, Sequence[float]] = made.get("quantiles", {})
    return OutlookView(
        **figures,
        sentence=told.sentence,
        reasons=told.reasons,
        item=dataset.items[raw["item_id"]].description or raw["item_id"],
        on_hand=dataset.on_hand.get((raw["item_id"], raw["site_id"]), 0.0),
        forecast_model=str(made.get("model", "")),
        demand_pattern=str(made.get("pattern", "")),
        history_dates=tuple(made.get("history_dates", ())),
        history=tuple(made.get("history", ())),
        dates=tuple(made.get("dates", ())),
        demand_p10=tuple(quantiles.get("0.1", ())),
        demand_p50=tuple(quantiles.get("0.5", ())),
        demand_p90=tuple(quantiles.get("0.9", ())),
        run_id=run.run_id,
        estimate_version=run.versions.get("estimate", ""),
    )


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
