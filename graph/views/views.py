"""What the doors see: plain, JSON-able views of runs, plans, approvals and answers.

The command line, the web pages and the HTTP API all render these and nothing else, so that a local session
and one that talks to a running server look the same.
"""

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

EXTRA_COST = "extra_cost_of_ordering_nothing"
"""Figure of a line: expected cost of not ordering it above that of ordering it, over the horizon."""


class View(BaseModel):
    """A frozen view."""

    model_config = ConfigDict(frozen=True)


class TriggerKind(StrEnum):
    """What may start a run."""

    ANALYST = "analyst"
    ALERT = "alert"
    SCHEDULE = "schedule"
    CLI = "cli"
    EVAL = "eval"


class Trigger(View):
    """Why a run starts. `item_ids` empty means every item; `alerts` are typed alerts as JSON objects."""

    kind: TriggerKind
    actor: str
    reason: str = ""
    item_ids: tuple[str, ...] = ()
    alerts: tuple[dict[str, object], ...] = ()
    dataset_version: str | None = None


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


UNDER_WAY = "running"
"""Status of a step that still computes."""


class StepView(View):
    """One node, as progress is shown: a title, one sentence, and how long it took.

    Of one that still computes the sentence says how far it is; it comes again, and once more when it has ended.
    """

    run_id: str
    node: str
    title: str
    summary: str
    seconds: float
    status: str = "ok"
    at: datetime
    done: int = 0
    expected: int = 0
    """Parts of its work that are done, and all of them; only of a step that still computes."""


class RunView(View):
    """A sourcing run in short."""

    run_id: str
    status: RunStatus
    trigger: Trigger
    dataset_version: str
    versions: dict[str, str] = Field(default_factory=dict)
    started_at: datetime
    ended_at: datetime | None = None
    summary: str = ""
    n_lines: int = 0
    order_value: float = 0.0
    currency: str = ""
    pending_approvals: int = 0
    dispatched: int = 0


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
    policy: str = ""
    formula: str = ""
    figures: dict[str, float] = Field(default_factory=dict)
    days_of_cover: float | None = None
    """How long stock lasts by the outlook of its run; told of lines that wait, None elsewhere and where unknown."""
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


class AlertView(View):
    """A supplier alert that was received, and what came of it."""

    message_id: str
    source: str
    received_at: datetime
    status: str
    """new, taken, done, failed"""
    kind: str = ""
    node_id: str = ""
    delay_days: int = 0
    until: str = ""
    """Last day on which it is in force; empty for none."""
    run_id: str | None = None
    error: str = ""


class PartView(View):
    """Whether one part of the installation answers."""

    part: str
    ok: bool
    detail: str


class DatasetView(View):
    """A dataset version in short."""

    version: str
    as_of: date
    created_at: datetime
    active: bool
    parent: str | None
    source: str
    rows: int
    """Over all tables."""


class RejectView(View):
    """A row that an import turned away."""

    file: str
    row: int
    column: str
    reason: str
    expected: str
    remedy: str
    value: str
    import_id: str


class OptionView(View):
    """A computed alternative for a group of items, and whether the planner took it."""

    option_id: str
    group: str
    title: str
    order_value: float
    expected_cost: float
    fill_rate: float
    stockout_probability: float
    risk_exposure: float
    suppliers: tuple[str, ...]
    chosen: bool = False
    reason: str = ""
    run_id: str = ""


class OutlookView(View):
    """One item's position: what stands, what is expected, and why something is or is not ordered."""

    item_id: str
    item: str
    on_hand: float
    inventory_position: float
    reorder_point: float
    safety_stock: float
    days_of_cover: float
    stockout_probability: float
    fill_rate: float
    reason: str
    forecast_model: str = ""
    demand_pattern: str = ""
    history_dates: tuple[str, ...] = ()
    history: tuple[float, ...] = ()
    dates: tuple[str, ...] = ()
    demand_p10: tuple[float, ...] = ()
    demand_p50: tuple[float, ...] = ()
    demand_p90: tuple[float, ...] = ()
    stock_p10: tuple[float, ...] = ()
    stock_p50: tuple[float, ...] = ()
    stock_p90: tuple[float, ...] = ()
    run_id: str = ""
    """The run that planned the item."""
    estimate_version: str = ""
    """The distributions that it was planned with."""
    change: str = ""
    """What the latest plan made of the item: changed, planned again, or empty for neither."""


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


class RiskView(View):
    """One risk on the supply network."""

    node_id: str
    item_ids: tuple[str, ...]
    severity: str
    summary: str
    hedge: str = ""
    days_of_cover: float | None = None
    money_at_risk: float | None = None
    run_id: str = ""
    """The run that found it."""
    graded_by: str = ""
    """Who graded it: rules, or a model."""


class ChangeView(View):
    """One line that differs from what the plan before proposed; a quantity of 0 means no such line."""

    line_id: str
    intent: str
    item_id: str
    item: str
    uom: str
    supplier: str
    before_quantity: float
    after_quantity: float
    since_run: str
    """The latest earlier run that planned the item."""


class PlanPartView(View):
    """What one run decides of the current plan."""

    run_id: str
    started_at: datetime
    trigger: Trigger
    item_ids: tuple[str, ...]
    """Items that it decides still."""
    planned: int
    """How many it planned."""
    expected_cost: float = 0.0
    """Of everything that it planned, over its horizon."""
    lower_bound: float = 0.0


class WholePlanView(View):
    """The current plan of all items, where the latest run alone does not make it."""

    parts: tuple[PlanPartView, ...]
    """Latest first."""
    items: int
    """Items of the active dataset that have a plan."""
    undecided: tuple[str, ...] = ()
    """Items of the active dataset that no plan has decided yet."""
    orders: int = 0
    """Orders of the current plan that wait, left or arrived; neither rejected, replaced nor taken back."""
    lines: int = 0
    order_value: float = 0.0
    currency: str = ""
    pending_approvals: int = 0
    dispatched: int = 0
    """Of these orders, those that the ERP has."""
    under_way: int = 0
    """Lines of earlier plans that are to arrive still, beside those of the current one."""
    under_way_value: float = 0.0

    @property
    def latest(self) -> PlanPartView | None:
        """The part that was planned last."""
        return self.parts[0] if self.parts else None


class PlanView(View):
    """Everything stored about a run, or about the current plan of all items, that a page or a terminal shows."""

    run: RunView
    steps: tuple[StepView, ...] = ()
    quality: tuple[VerdictView, ...] = ()
    risks: tuple[RiskView, ...] = ()
    options: tuple[OptionView, ...] = ()
    lines: tuple[LineView, ...] = ()
    outlooks: tuple[OutlookView, ...] = ()
    verdicts: tuple[VerdictView, ...] = ()
    negotiations: tuple[dict[str, object], ...] = ()
    kpis: dict[str, float] = Field(default_factory=dict)
    lower_bound: float = 0.0
    expected_cost: float = 0.0
    conflicts: tuple[str, ...] = ()
    changes: tuple[ChangeView, ...] = ()
    """Against the latest earlier plan of each item."""
    whole: WholePlanView | None = None
    """The current plan, where several runs make it; None where everything here is one run's."""
    counts: dict[str, int] = Field(default_factory=dict)
    """How many there are of what this view holds a part of; empty where it holds everything."""

    @property
    def currency(self) -> str:
        """Of its money."""
        return (self.whole.currency if self.whole else "") or self.run.currency


class AnswerView(View):
    """A chat answer with the facts that it rests on."""

    text: str
    sources: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    run_id: str | None = None
    decided_by: str = "rules"


class TransitionView(View):
    """One journal row."""

    seq: int
    run_id: str
    node: str
    attempt: int
    step: int
    event: str
    status: str
    started_at: datetime
    ended_at: datetime
    actor: str
    payload: dict[str, object]
    hash: str


class JournalCheckView(View):
    """Result of verifying the hash chain and of comparing it with what the operations database knows."""

    ok: bool
    rows: int
    reason: str = ""
    head_hash: str = ""
    lag_rows: int = 0
    runs: int = 0
    """Runs, decisions and ERP actions of the operations database that were compared with the rows."""
    decisions: int = 0
    actions: int = 0
    uncounted_rows: int = 0
    """Rows from before the operations database counted them: a row added to those would not be found."""

    @property
    def sentence(self) -> str:
        """What was found, and no more than that."""
        if not self.ok:
            return f"The journal does not verify: {self.reason}"
        counted = (_counted(self.runs, "run"), _counted(self.decisions, "decision"))
        known = f"{', '.join(counted)} and {_counted(self.actions, 'ERP action')}"
        uncounted = f" ({self.uncounted_rows:,} of them from before rows were counted)" if self.uncounted_rows else ""
        return f"{self.rows:,} rows{uncounted}, chain unbroken, in agreement with {known} of the operations database"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
