"""The stored facts of a run as sentences that an answer may quote."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.contracts import Fact
from graph.views.orders import ApprovalView, LineView, VerdictView
from graph.views.plans import OptionView, OutlookView, PlanView, RiskView, WholePlanView
from tools.domain.orders import PLACING

EFFECTS = {"warn": "warned", "deny": "denied", "require_approval": "to be signed"}


def facts_of(view: PlanView, approvals: Sequence[ApprovalView]) -> tuple[Fact, ...]:
    """The stored facts of a plan as sentences that an answer may quote."""
    found = [_run_fact(view)] if view.whole is None else _whole_facts(view, view.whole)
    found += [_line_fact(line) for line in view.lines]
    several = view.whole is not None and len(view.whole.parts) > 1
    found += [_outlook_fact(outlook, several=several) for outlook in view.outlooks]
    found += [_risk_fact(risk) for risk in view.risks]
    found += [
        Fact(fact_id=mark, kind="option", subjects=(o.option_id, o.group), text=f"{mark}: {o.reason}")
        for mark, o in _chosen(view).items()
    ]
    lines = {line.line_id: line for line in view.lines if not line.under_way}
    found += [
        _verdict_fact(verdict, lines.get(verdict.subject)) for verdict in view.verdicts if verdict.effect != "allow"
    ]
    found += [_approval_fact(approval) for approval in approvals]
    found += [_talk_fact(talk, view.currency) for talk in view.negotiations]
    found += [
        Fact(fact_id=f"kpi:{name}", kind="kpi", subjects=(name,), text=f"{name}: {value:,.2f}")
        for name, value in view.kpis.items()
    ]
    found += [
        Fact(fact_id=f"conflict:{place}", kind="conflict", subjects=(), text=text)
        for place, text in enumerate(view.conflicts)
    ]
    return tuple(found)


def _run_fact(view: PlanView) -> Fact:
    run = view.run
    totals = (
        f"Run {run.run_id} is {run.status.value}: {run.n_lines} order lines worth {run.order_value:,.0f} "
        f"{run.currency}, {run.pending_approvals} orders wait for approval, {run.dispatched} were dispatched."
    )
    return Fact(fact_id=run.run_id, kind="run", subjects=(run.run_id,), text=totals)


def _whole_facts(view: PlanView, whole: WholePlanView) -> list[Fact]:
    """What the current plan comes to, and which run decides how much of it."""
    totals = (
        f"The current plan holds {whole.items:,} items and {whole.lines:,} order lines worth {whole.order_value:,.0f} "
        f"{whole.currency}; {whole.pending_approvals} orders wait for approval, {whole.dispatched} were dispatched."
    )
    if whole.under_way:
        totals += f" Beside them {whole.under_way:,} order lines of earlier plans are on their way."
    if whole.undecided:
        totals += f" {len(whole.undecided):,} items have no plan yet."
    run = view.run
    none = f"It is {run.status.value} and decides none of it."
    decides = {part.run_id: f"It decides {len(part.item_ids):,} items of the current plan." for part in whole.parts}
    texts = {run.run_id: " ".join([totals, f"Run {run.run_id} began last.", decides.get(run.run_id, none)])}
    texts |= {run_id: f"Run {run_id}: {text}" for run_id, text in decides.items() if run_id != run.run_id}
    return [Fact(fact_id=run_id, kind="run", subjects=(run_id,), text=text) for run_id, text in texts.items()]


def _chosen(view: PlanView) -> dict[str, OptionView]:
    """Chosen options by what names each: several runs may have chosen for one group."""
    chosen = [option for option in view.options if option.chosen]
    first = {option.group: option.run_id for option in reversed(chosen)}
    return {o.option_id if first[o.group] == o.run_id else f"{o.option_id} ({o.run_id})": o for o in chosen}


def _line_fact(line: LineView) -> Fact:
    by = f", on its way from the earlier {line.run_id}" if line.under_way else ""
    text = (
        f"{line.item_id}: {line.intent} {line.quantity:,.0f} {line.uom} from {line.supplier} for {line.value:,.0f} "
        f"{line.currency}, expected {line.expected_arrival} ({line.status}{by}). {line.sentence}"
    ).rstrip()
    formula = (f"Formula: {line.formula}.",) if line.formula else ()
    detail = " ".join((*line.notes, *formula))
    subjects = (line.item_id, line.supplier_id, line.supplier, line.line_id, line.item, line.status)
    figures = {**line.figures, "unit_price": line.unit_price}
    # neither what an earlier plan spent nor a change of an open order is part of what this one spends
    if not line.under_way and line.intent in PLACING:
        figures["value"] = line.value
    return Fact(
        fact_id=f"line:{line.row_id}",
        kind="line",
        subjects=subjects,
        text=text,
        reasons=" ".join(line.reasons),
        detail=detail,
        figures=figures,
        currency=line.currency,
    )


def _outlook_fact(outlook: OutlookView, *, several: bool) -> Fact:
    text = " ".join((f"{outlook.item_id}: {outlook.sentence}", *outlook.reasons))
    if several:
        text += f" {outlook.run_id} planned it."
    figures = {"days_of_cover": outlook.days_of_cover, "stockout_probability": outlook.stockout_probability}
    return Fact(
        fact_id=f"outlook:{outlook.item_id}",
        kind="outlook",
        subjects=(outlook.item_id, outlook.item),
        text=text,
        detail=outlook.reason,
        figures=figures,
    )


def _approval_fact(approval: ApprovalView) -> Fact:
    text = (
        f"{approval.approval_id}: {approval.supplier}, {approval.value:,.0f} {approval.currency}, needs a "
        f"{approval.tier}. {' '.join(approval.reasons)}"
    )
    subjects = (approval.approval_id, approval.supplier, *(line.line_id for line in approval.lines))
    return Fact(fact_id=approval.approval_id, kind="approval", subjects=subjects, text=text)


def _talk_fact(talk: Mapping[str, Any], currency: str) -> Fact:
    supplier = str(talk["supplier_id"])
    said = {
        "agreed": f"better prices agreed on {len(talk['agreements'])} line(s), {talk['saved']:,.2f} {currency} saved",
        "drafted": "nobody answers by itself; an opening is drafted",
    }
    text = f"Talk with {supplier}: {said.get(str(talk['status']), 'no better price')} (rounds: {talk['rounds']})."
    return Fact(fact_id=f"talk:{supplier}", kind="negotiation", subjects=(supplier,), text=text)


def _risk_fact(risk: RiskView) -> Fact:
    fact_id = f"risk:{risk.node_id}:{'+'.join(risk.item_ids)}"
    figures = {} if risk.money_at_risk is None else {"money_at_risk": risk.money_at_risk}
    subjects = (risk.node_id, *risk.item_ids)
    return Fact(fact_id=fact_id, kind="risk", subjects=subjects, text=risk.summary, figures=figures)


def _verdict_fact(verdict: VerdictView, line: LineView | None) -> Fact:
    about = f"{line.item_id} from {line.supplier}" if line else verdict.subject
    said = EFFECTS.get(verdict.effect, verdict.effect)
    text = f"{about}: {said} by the gate {verdict.rule.replace('_', ' ')}. {verdict.reason}"
    subjects = (verdict.subject, verdict.rule)
    return Fact(fact_id=f"verdict:{verdict.rule}:{verdict.subject}", kind="verdict", subjects=subjects, text=text)
