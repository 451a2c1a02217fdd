"""What became of a decision, and what can still be undone, in sentences."""

from collections.abc import Callable, Mapping, Sequence

from graph.views.orders import EXTRA_COST, ApprovalView, WaitingGroupView, WaitingView
from tools.domain.orders import PLACING
from web.pages.widgets.wording import money

NOTHING_LEAVES = "Nothing leaves for the ERP until somebody decides."


def is_withdrawn(approval: ApprovalView) -> bool:
    """Whether somebody took the approval back."""
    return any(line.status == "withdrawn" for line in approval.lines)


def is_placing(approval: ApprovalView) -> bool:
    """Whether it orders something, rather than changing an order that the ERP already has."""
    return all(line.intent in PLACING for line in approval.lines)


def may_be_taken_back(approval: ApprovalView) -> bool:
    """Whether there is an order that can still be dropped, or cancelled in the ERP."""
    alive = approval.erp_status in ("queued", "leased", "done")
    return approval.status == "approved" and alive and is_placing(approval) and not is_withdrawn(approval)


def outcome(approval: ApprovalView, *, halted: bool = False) -> str:
    """What the system did with a decided order."""
    if is_withdrawn(approval):
        reference = approval.erp_reference
        return f"Taken back: {reference} is cancelled in the ERP." if reference else "Taken back before it left."
    if approval.status == "rejected":
        return f"Nothing was sent. Reason: {approval.reason}" if approval.reason else "Nothing was sent."
    if approval.status == "void":
        return "Void: a newer plan replaced it, or the policy or the facts changed. Nothing was sent."
    if approval.status == "edited" and not approval.erp_status:
        return "The edited order went through the gates again; where they ask for a signature it waits once more."
    return _sent(approval, halted)


def _sent(approval: ApprovalView, halted: bool) -> str:
    if approval.erp_status == "done":
        return f"Placed in the ERP as {approval.erp_reference or 'an order without a number'}."
    if approval.erp_status == "failed":
        return f"The ERP refused it: {approval.erp_error or 'no reason given'}."
    if approval.erp_status:
        return "Signed; it waits because dispatch is halted." if halted else "Signed and on its way to the ERP."
    return "Signed; its run takes the decision in."


def undoing(approval: ApprovalView) -> str:
    """What can still be undone, and how."""
    if approval.status == "edited" and not approval.erp_status:
        return "Still open: reject the edited order, or edit it again."
    if approval.status == "rejected":
        return "Still open: propose it again, which takes the rejection back and plans its items anew."
    if approval.status == "void" or approval.erp_status == "failed":
        return "Still open: replan its items, and the need is proposed anew if it still stands."
    if is_withdrawn(approval):
        return "Still open: replan its items, and the need is proposed anew if it still stands."
    if may_be_taken_back(approval):
        return "Still open: take it back, which cancels it in the ERP or drops it before it leaves."
    return "Final here: what the ERP has is changed there, and read back from there."


def may_be_proposed_anew(approval: ApprovalView) -> bool:
    """Whether a replan of its items makes sense."""
    return approval.status in ("rejected", "void") or approval.erp_status == "failed" or is_withdrawn(approval)


def cost_of_nothing(approvals: Sequence[ApprovalView]) -> float | None:
    """Expected extra cost of ordering nothing of the items; each counts once, though several orders may serve it.

    None when no line says.
    """
    known = {
        (approval.run_id, line.item_id): line.figures[EXTRA_COST]
        for approval in approvals
        for line in approval.lines
        if EXTRA_COST in line.figures
    }
    return sum(known.values()) if known else None


def cancels(approval: ApprovalView) -> bool:
    """Whether it takes orders back, so that its value is money not spent."""
    return all(line.intent == "cancel" for line in approval.lines)


def waiting_summary(waiting: WaitingView, may_sign: Callable[[WaitingGroupView], bool]) -> tuple[str, ...]:
    """How much waits, for whom, and what leaving it costs."""
    if not waiting.total:
        return ()
    placed = [group for group in waiting.groups if not group.cancels]
    orders = sum(group.orders for group in placed)
    found = [f"{counted(orders, 'order')} worth {_by_currency(_values(placed))}"] if orders else []
    found += [counted(waiting.total - orders, "cancellation")] if waiting.total > orders else []
    tiers: dict[str, int] = {}
    for group in waiting.groups:
        tiers[group.tier] = tiers.get(group.tier, 0) + group.orders
    asked = ", ".join(f"{tiers[tier]:,} for a {tier}" for tier in sorted(tiers))
    mine = sum(group.orders for group in waiting.groups if may_sign(group))
    verb = "waits" if waiting.total == 1 else "wait"
    first = f"{' and '.join(found)} {verb}: {asked}. You may sign {mine:,}."
    if not waiting.left_alone:
        return first, NOTHING_LEAVES
    extra = _by_currency(waiting.left_alone)
    return first, f"{NOTHING_LEAVES} Left alone, it costs about {extra} more over the horizon, shortages included."


def counted(number: int, noun: str) -> str:
    """A number of things."""
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"


def _values(groups: Sequence[WaitingGroupView]) -> dict[str, float]:
    found: dict[str, float] = {}
    for group in groups:
        found[group.currency] = found.get(group.currency, 0.0) + group.value
    return found


def _by_currency(values: Mapping[str, float]) -> str:
    return " and ".join(money(value, currency) for currency, value in values.items())
