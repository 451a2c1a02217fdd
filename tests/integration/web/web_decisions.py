"""Decisions of the session in memory."""

from graph.views.decisions import DecidedLineView, DecisionKind, DecisionView
from graph.views.orders import ApprovalView, LineView

KINDS = {"approved": DecisionKind.APPROVED, "edited": DecisionKind.EDITED, "rejected": DecisionKind.REJECTED}


def decision_of(approval: ApprovalView) -> DecisionView:
    """What was decided of an approval."""
    kind = KINDS.get(approval.status, DecisionKind.VOID)
    kept = kind in (DecisionKind.APPROVED, DecisionKind.EDITED)
    return DecisionView(
        cursor=f"{approval.approval_id}",
        group=f"one/{approval.approval_id}",
        kind=kind,
        at=approval.decided_at or approval.opened_at,
        actor=approval.decided_by or "session",
        reason=approval.reason,
        run_id=approval.run_id,
        order_key=approval.order_key,
        approval_id=approval.approval_id,
        supplier_id=approval.supplier,
        supplier=approval.supplier,
        currency=approval.currency,
        value_before=approval.value,
        value_after=approval.value if kept else 0.0,
        lines=tuple(_line(line, kept=kept) for line in approval.lines),
    )


def _line(line: LineView, *, kept: bool) -> DecidedLineView:
    return DecidedLineView(
        line_id=line.line_id,
        intent=line.intent,
        item_id=line.item_id,
        item=line.item,
        uom=line.uom,
        before_quantity=line.quantity,
        after_quantity=line.quantity if kept else 0.0,
        before_price=line.unit_price,
        after_price=line.unit_price,
        before_value=line.value,
        after_value=line.value if kept else 0.0,
    )
