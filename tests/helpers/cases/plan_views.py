"""Order lines and approvals as the doors see them, by hand."""

from datetime import UTC, datetime

from graph.views.orders import ApprovalView, LineView


def line_view(item_id: str = "I1", *, intent: str = "place", extra: float | None = None, **limits: float) -> LineView:
    figures = dict(limits) if extra is None else {**limits, "extra_cost_of_ordering_nothing": extra}
    return LineView(
        line_id=f"{item_id}#0",
        order_key="run-1/S1",
        intent=intent,
        item_id=item_id,
        item="Seal",
        uom="each",
        supplier_id="S1",
        supplier="Arno",
        offer_id=f"{item_id}|S1",
        quantity=100,
        unit_price=2.5,
        value=250,
        landed_cost=260,
        currency="USD",
        order_date="2026-06-30",
        expected_arrival="2026-07-30",
        status="waiting",
        formula="share of paths that need it",
        figures=figures,
    )


def approval_view(*lines: LineView, approval_id: str = "ap-1", tier: str = "buyer", **more: str) -> ApprovalView:
    found = lines or (line_view(),)
    return ApprovalView.model_validate(
        {
            "approval_id": approval_id,
            "run_id": "run-1",
            "order_key": "run-1/S1",
            "status": "pending",
            "tier": tier,
            "content_hash": "0" * 64,
            "supplier": "Arno",
            "value": sum(one.value for one in found),
            "currency": "USD",
            "lines": found,
            "reasons": (),
            "proposed_by": ("agent:planner",),
            "opened_at": datetime(2026, 6, 30, tzinfo=UTC),
            **more,
        }
    )
