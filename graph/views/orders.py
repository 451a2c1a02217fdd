"""Orders as the doors see them: lines with what the gates said, approvals, and what an edit would make."""

from datetime import datetime

from pydantic import Field

from graph.views.base import View

EXTRA_COST = "extra_cost_of_ordering_nothing"
"""Figure of a line: expected cost of not ordering it above that of ordering it, over the horizon."""


class VerdictView(View):
    """One gate's answer on one subject."""

    gate: str
    rule: str
    subject: str
    effect: str
    reason: str
    limit: str = ""
    actual: str = ""


class LineView(View):
    """One order line with everything that explains it."""

    line_id: str
    order_key: str
    intent: str
    item_id: str
    item: str
    uom: str
    supplier_id: str
    supplier: str
    offer_id: str
    quantity: float
    unit_price: float
    value: float
    landed_cost: float
    currency: str
    order_date: str
    expected_arrival: str
    status: str
    """planned, denied, shadow, held, waiting, approved, rejected, dispatched, confirmed, failed, withdrawn"""
    sentence: str = ""
    """What to order and why now, as a buyer would say it."""
    reasons: tuple[str, ...] = ()
    """At most three; `formula`, `figures`, `notes` and `binding` are the mathematics behind them."""
    policy: str = ""
    formula: str = ""
    figures: dict[str, float] = Field(default_factory=dict)
    days_of_cover: float | None = None
    """How long stock and what is on order last. Where the line itself does not say: by the outlook of its run, of lines
    that wait."""
    notes: tuple[str, ...] = ()
    binding: tuple[str, ...] = ()
    verdicts: tuple[VerdictView, ...] = ()
    run_id: str = ""
    """The run that ordered it."""
    planned_by: str = ""
    """The run that computed it, where that is another: nothing new was known of it when it was asked for again."""
    change: str = ""
    """What the latest plan made of it: new, changed, or empty for neither."""
    under_way: bool = False
    """Ordered by an earlier run than the one that decides its item, and to arrive still."""

    @property
    def row_id(self) -> str:
        """Tells lines of one plan apart: two runs may have ordered by the same line id."""
        return f"{self.line_id}@{self.run_id}" if self.under_way else self.line_id


class ApprovalView(View):
    """One order that waits for, or got, a person's decision."""

    approval_id: str
    run_id: str
    order_key: str
    status: str
    """pending, approved, rejected, edited, void"""
    tier: str
    content_hash: str
    supplier: str
    value: float
    currency: str
    lines: tuple[LineView, ...]
    reasons: tuple[str, ...]
    proposed_by: tuple[str, ...]
    own: bool = False
    """Whether who proposed it may sign it: the installation has one person, and policy leaves them this value."""
    opened_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str = ""
    erp_status: str = ""
    """What became of the order that was signed: queued, leased, done or failed; empty when nothing was to be sent."""
    erp_reference: str = ""
    """The order's number in the ERP, once it is placed."""
    erp_error: str = ""


class WaitingGroupView(View):
    """Orders that wait for the same signers."""

    tier: str
    proposed_by: tuple[str, ...]
    own: bool
    """Whether who proposed them may sign them, as for one approval."""
    cancels: bool
    """Whether they take orders back: their value is money not spent."""
    currency: str
    orders: int
    value: float


class WaitingView(View):
    """What waits for a signature: totals over all of it, and the orders of one page."""

    total: int
    matching: int
    """How many of them the search found; all without one."""
    groups: tuple[WaitingGroupView, ...]
    left_alone: dict[str, float] = Field(default_factory=dict)
    """Expected extra cost of ordering nothing of what is to be placed, by currency; empty where no line says."""
    orders: tuple[ApprovalView, ...]
    """Of the search, oldest first, as many as were asked for; their lines tell how long stock covers."""


class EditedLineView(View):
    """One line of an order at another quantity."""

    line_id: str
    quantity: float
    unit_price: float
    value: float
    price_rule: str = ""
    """Why the price is what it is; empty where it is the list price as before."""


class EditPreviewView(View):
    """What an order would cost at other quantities, before anything is saved."""

    lines: tuple[EditedLineView, ...]
    value: float
    currency: str
