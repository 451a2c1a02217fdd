"""The current plan of every item: the latest published plan that decided it, merged from the runs involved."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.contracts import Severity
from graph.views.orders import LineView, VerdictView
from graph.views.plans import OptionView, OutlookView, PlanPartView, PlanView, RiskView, WholePlanView
from graph.views.standing import LEAVING
from tools.domain.orders import ON_ORDER, UNSENT, Order, OrderLine, OrderStatus

_S = OrderStatus
GIVEN_UP = frozenset({_S.REJECTED, _S.WITHDRAWN, _S.SUPERSEDED, _S.CANCELLED, _S.FAILED, _S.GATED})
IN_ERP = frozenset({_S.PLACED, _S.CONFIRMED, _S.PART_RECEIVED, _S.RECEIVED, _S.CHANGE_SENT})
BY_RULES = "rules"
Ordered = tuple[Order, OrderLine]
"""A line with its order."""


def is_under_way(order: Order) -> bool:
    """Whether an order of an earlier plan belongs to the picture: it is on order, or its change is being sent."""
    return order.status in (ON_ORDER if order.places else UNSENT)


@dataclass(frozen=True)
class Part:
    """A run that decides items of the current plan: its whole view, and which of its items it decides still."""

    view: PlanView
    item_ids: frozenset[str]
    planned: int
    """How many items it planned."""

    @property
    def run_id(self) -> str:
        """Its run."""
        return self.view.run.run_id


def merged(
    latest: PlanView, parts: Sequence[Part], orders: Sequence[Order], earlier: Sequence[LineView], known: Iterable[str]
) -> PlanView:
    """One plan of the parts, latest first, beside what `latest`, the run that began last, tells of itself.

    `orders` are those of the parts' runs as the ledger has them, `earlier` the lines under way for items that another
    run decides by now, `known` the items that there are.
    """
    decided = {item_id: part.run_id for part in parts for item_id in part.item_ids}
    current = [
        (order, line)
        for order in orders
        if order.route.kind in LEAVING and order.status not in GIVEN_UP
        for line in order.lines
        if decided.get(line.item_id) == order.run_id
    ]
    whole = _whole(parts, current, earlier, [item_id for item_id in known if item_id not in decided])
    by_size = sorted(parts, key=lambda part: -len(part.item_ids))
    newest = parts[0].view if parts else PlanView(run=latest.run)
    lines = [line for part in parts for line in part.view.lines if line.item_id in part.item_ids]
    return PlanView(
        run=latest.run,
        steps=latest.steps,
        quality=latest.quality,
        risks=_risks(parts),
        options=tuple(option for part in by_size for option in _options(part)),
        lines=(*lines, *earlier),
        outlooks=tuple(one for part in parts for one in part.view.outlooks if one.item_id in part.item_ids),
        verdicts=_verdicts(parts),
        negotiations=tuple(talk for part in parts for talk in _talks(part)),
        kpis=_kpis(newest, whole, current),
        lower_bound=newest.lower_bound,
        expected_cost=newest.expected_cost,
        conflicts=tuple(dict.fromkeys(text for part in parts for text in _conflicts(part, parts[0]))),
        changes=newest.changes,
        whole=whole,
    )


def _whole(
    parts: Sequence[Part], current: Sequence[Ordered], earlier: Sequence[LineView], undecided: Sequence[str]
) -> WholePlanView:
    """What the current orders come to, each counted once."""
    orders = {order.order_key: order for order, _ in current}
    currency = next((part.view.run.currency for part in parts if part.view.run.currency), "")
    return WholePlanView(
        parts=tuple(_part_view(part) for part in parts),
        items=sum(len(part.item_ids) for part in parts),
        undecided=tuple(undecided),
        orders=len(orders),
        lines=len(current),
        order_value=sum(line.value for order, line in current if not order.changes and order.currency == currency),
        currency=currency,
        pending_approvals=sum(order.is_pending for order in orders.values()),
        dispatched=sum(order.status in IN_ERP for order in orders.values()),
        under_way=len(earlier),
        under_way_value=sum(line.value for line in earlier if line.currency == currency),
    )


def _part_view(part: Part) -> PlanPartView:
    run = part.view.run
    return PlanPartView(
        run_id=run.run_id,
        started_at=run.started_at,
        trigger=run.trigger,
        item_ids=tuple(sorted(part.item_ids)),
        planned=part.planned,
        expected_cost=part.view.expected_cost,
        lower_bound=part.view.lower_bound,
    )


def _risks(parts: Sequence[Part]) -> tuple[RiskView, ...]:
    """Every risk of an item from the run that decides it, those graded by rules against the largest of them all."""
    found = [
        risk.model_copy(update={"item_ids": items})
        for part in parts
        for risk in part.view.risks
        if (items := tuple(item_id for item_id in risk.item_ids if item_id in part.item_ids))
    ]
    worst = max((risk.money_at_risk or 0.0 for risk in found), default=0.0)
    graded = [_graded(risk, worst) for risk in found]
    return tuple(sorted(graded, key=lambda risk: -(risk.money_at_risk or 0.0)))


def _graded(risk: RiskView, worst: float) -> RiskView:
    if risk.graded_by != BY_RULES or risk.money_at_risk is None or worst <= 0:
        return risk
    return risk.model_copy(update={"severity": Severity.of_share(risk.money_at_risk / worst).value})


def _options(part: Part) -> Sequence[OptionView]:
    """What a run weighed, while it decides everything that it weighed, or the larger part of it."""
    return part.view.options if 2 * len(part.item_ids) > part.planned else ()


def _verdicts(parts: Sequence[Part]) -> tuple[VerdictView, ...]:
    """Verdicts on what each run decides still; on anything wider, the latest of each rule."""
    found: list[VerdictView] = []
    wider: set[tuple[str, str]] = set()
    for part in parts:
        orders = {line.order_key for line in part.view.lines if line.item_id in part.item_ids}
        planned = {outlook.item_id for outlook in part.view.outlooks} | {line.item_id for line in part.view.lines}
        own: set[tuple[str, str]] = set()
        for verdict in part.view.verdicts:
            items = planned & set(re.split(r"[|#]", verdict.subject))
            mark = (verdict.rule, verdict.subject)
            if items:
                found += [verdict] if items <= part.item_ids else []
            elif "/" in verdict.subject:
                found += [verdict] if verdict.subject in orders else []
            elif mark not in wider:
                own.add(mark)
                found.append(verdict)
        wider |= own
    return tuple(found)


def _talks(part: Part) -> Sequence[dict[str, object]]:
    """What was said with suppliers that the run still orders from."""
    suppliers = {line.supplier_id for line in part.view.lines if line.item_id in part.item_ids}
    return [talk for talk in part.view.negotiations if talk.get("supplier_id") in suppliers]


def _conflicts(part: Part, latest: Part) -> Sequence[str]:
    """Conflicts name limits that several items share: they hold while the run decides all of these."""
    return part.view.conflicts if part is latest or len(part.item_ids) == part.planned else ()


def _kpis(newest: PlanView, whole: WholePlanView, current: Sequence[Ordered]) -> dict[str, float]:
    """Key figures of the whole: what the current orders come to; the stock as the latest run found it."""
    placed = [(order, line) for order, line in current if not order.changes and order.currency == whole.currency]
    found = {
        "order_value": whole.order_value,
        "order_lines": float(len(placed)),
        "items": float(whole.items),
        "negotiated_saving": sum((line.list_price - line.unit_price) * line.quantity for _, line in placed),
    }
    return {**found, **{name: value for name, value in newest.kpis.items() if name not in found}}


def with_marks(view: PlanView) -> PlanView:
    """The view with what its latest plan changed marked at each line and, in a plan of several runs, at each item."""
    before = {(change.line_id, change.before_quantity > 0) for change in view.changes if change.after_quantity > 0}
    latest = _latest_run(view)
    touched = {change.item_id for change in view.changes}
    planned = set(view.whole.parts[0].item_ids) if view.whole and view.whole.parts else set[str]()
    planned -= {line.item_id for line in view.lines if line.planned_by and line.run_id == latest}
    alone = view.whole is None or len(view.whole.parts) < 2
    return view.model_copy(
        update={
            "lines": tuple(
                line.model_copy(update={"change": _line_change(line, before)})
                if line.run_id == latest and not line.under_way
                else line
                for line in view.lines
            ),
            "outlooks": tuple(_marked(one, touched, set[str]() if alone else planned) for one in view.outlooks),
        }
    )


def _latest_run(view: PlanView) -> str:
    return view.whole.parts[0].run_id if view.whole and view.whole.parts else view.run.run_id


def _line_change(line: LineView, before: set[tuple[str, bool]]) -> str:
    return "changed" if (line.line_id, True) in before else "new" if (line.line_id, False) in before else ""


def _marked(one: OutlookView, touched: set[str], planned: set[str]) -> OutlookView:
    change = "changed" if one.item_id in touched else "planned again" if one.item_id in planned else ""
    return one.model_copy(update={"change": change}) if change else one
