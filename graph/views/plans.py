"""Plans as the doors see them: options, outlooks, risks, changes, and answers about them."""

from datetime import datetime

from pydantic import Field

from graph.views.base import View
from graph.views.orders import LineView, VerdictView
from graph.views.runs import RunView, StepView, Trigger


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
    sentence: str = ""
    """Where the item stands, as a buyer would say it."""
    reasons: tuple[str, ...] = ()
    reason: str
    """Why it orders or does not, with the figures of the plan."""
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
