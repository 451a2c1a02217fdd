"""Which waiting orders matter most, and why today: ranked by the money at stake, each with a reason in figures."""

from collections.abc import Mapping, Sequence
from datetime import date

from graph.views.base import View
from graph.views.orders import EXTRA_COST, ApprovalView, LineView
from graph.views.plans import OutlookView, PlanView
from terminal.approvals import who
from terminal.figures import count, rough, share, units

FIRST = 3
NEEDED = "share_of_paths_that_need_it"


class MatterView(View):
    """A waiting order, by the line of it that most is at stake for."""

    approval_id: str
    supplier: str
    value: float
    currency: str
    lines: int
    signer: str
    intent: str
    item_id: str
    item: str
    quantity: float
    uom: str
    at_stake: float
    """Of the whole order: what not placing it is expected to cost, or what a cancellation frees."""
    reason: str


class DecisionView(View):
    """What a run leaves to people."""

    orders: int
    value: float
    currency: str
    first: tuple[MatterView, ...]
    """Those with most at stake."""


def decision_of(view: PlanView, waiting: Sequence[ApprovalView]) -> DecisionView:
    """How many orders wait for how much money, and the few that matter most."""
    planned = _quantities(view.lines)
    stakes = {one.approval_id: sum(at_stake(line, planned) for line in one.lines) for one in waiting}
    ranked = sorted((one for one in waiting if one.lines), key=lambda one: (-stakes[one.approval_id], -one.value))
    return DecisionView(
        orders=len(waiting),
        value=sum(one.value for one in waiting),
        currency=view.run.currency,
        first=tuple(_matter(one, view, planned, stakes[one.approval_id]) for one in ranked[:FIRST]),
    )


def _quantities(lines: Sequence[LineView]) -> Mapping[str, float]:
    """Units planned of each item over all its order lines."""
    planned: dict[str, float] = {}
    for line in lines:
        if EXTRA_COST in line.figures:
            planned[line.item_id] = planned.get(line.item_id, 0.0) + line.quantity
    return planned


def at_stake(line: LineView, planned: Mapping[str, float]) -> float:
    """What a cancelled line frees, or what it costs not to place it: its share of what its item costs unordered."""
    if line.intent == "cancel":
        return line.value
    whole = max(planned.get(line.item_id, 0.0), line.quantity)
    return max(line.figures.get(EXTRA_COST, 0.0), 0.0) * line.quantity / whole if whole > 0 else 0.0


def _matter(one: ApprovalView, view: PlanView, planned: Mapping[str, float], stake: float) -> MatterView:
    line = max(one.lines, key=lambda line: (at_stake(line, planned), line.value))
    outlook = next((found for found in view.outlooks if found.item_id == line.item_id), None)
    reasons = (_need(line, outlook), _drift(line, view))
    return MatterView(
        approval_id=one.approval_id,
        supplier=one.supplier,
        value=one.value,
        currency=one.currency,
        lines=len(one.lines),
        signer=who(one),
        intent=line.intent,
        item_id=line.item_id,
        item=line.item,
        quantity=line.quantity,
        uom=line.uom,
        at_stake=stake,
        reason=" ".join(filter(None, reasons)),
    )


def _need(line: LineView, outlook: OutlookView | None) -> str:
    """Why the line is due now, by the first of its figures that says so."""
    if NEEDED in line.figures:
        held = f" ({units(line.figures['on_hand'])} {line.uom} on hand)" if "on_hand" in line.figures else ""
        return f"In {share(1 - line.figures[NEEDED], 0)} of the outcomes looked at, stock lasts without it{held}."
    if outlook is not None and (told := _shortage(line, outlook)):
        return told
    if {"inventory_position", "reorder_point"} <= set(line.figures):
        return (
            f"Stock and the orders that land in time make {rough(line.figures['inventory_position'])} {line.uom}, "
            f"below the level of {rough(line.figures['reorder_point'])}."
        )
    return line.formula or line.policy


def _shortage(line: LineView, outlook: OutlookView) -> str:
    """The period in which stock runs out before the order lands, or a cover that is shorter than its way."""
    stocks = zip(outlook.dates, outlook.stock_p50, strict=False)
    out = next((day for day, stock in stocks if stock <= 0 and day < line.expected_arrival), "")
    if out:
        held = f"{units(outlook.on_hand)} {line.uom} on hand"
        return f"Likely to run out in the period from {out} ({held}); this order lands on {line.expected_arrival}."
    way = (date.fromisoformat(line.expected_arrival) - date.fromisoformat(line.order_date)).days
    if outlook.days_of_cover >= way:
        return ""
    days = count(int(outlook.days_of_cover), "day")
    return f"Stock and open orders last {days}; this order takes {way} and lands on {line.expected_arrival}."


def _drift(line: LineView, view: PlanView) -> str:
    """What a drift alarm says about the item or its supplier, without how it was found."""
    for verdict in (*view.quality, *view.verdicts):
        if verdict.rule.endswith("_drift") and verdict.subject in (line.item_id, line.supplier_id):
            return verdict.reason.partition(", found after")[0].rstrip(".") + "."
    return ""
