"""What the gates know. Integers only: money in cents (minor units), shares in basis points, times in days.

A rule names these fields and nothing else; a missing or mistyped fact is an error, and an error denies.
"""

from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, model_validator

BASIS_POINTS = 10_000
LARGEST_FACT = 2**53
"""Beyond it a condition's arithmetic would be inexact or overflow, so such a fact is refused."""


class Facts(BaseModel):
    """Strict and frozen: no coercion, no extra fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    @model_validator(mode="after")
    def _within_range(self) -> Self:
        for name, value in self:
            if isinstance(value, int) and abs(value) > LARGEST_FACT:
                raise ValueError(f"{name} is {value}, beyond +-2^53")
        return self

    @classmethod
    def sample(cls) -> Self:
        """Facts of the right types, no two numbers alike: what a rule is tried on when it is loaded."""
        values: dict[str, Any] = {}
        for number, (name, field) in enumerate(cls.model_fields.items(), start=1):
            choices = get_args(field.annotation)
            text = name if field.annotation is str else False
            values[name] = choices[0] if choices else number if field.annotation is int else text
        return cls.model_validate(values)


class DataFacts(Facts):
    """The dataset version of a run."""

    stock_age_days: int
    items: int
    items_without_stock: int
    items_without_offer: int
    items_without_demand: int
    rejected_rows: int
    total_rows: int


class DriftFacts(Facts):
    """The newest alarm of one kind about one item or supplier."""

    kind: Literal["demand_level", "lead_time", "forecast_error", "forecast_bias"]
    subject: str
    """Item or supplier id."""
    direction: Literal["above", "below"]
    """Where the new level, size or bias lies."""
    size_bp: int
    """Change of the median over the former one; of a bias, the mean error over mean demand."""
    since: str
    """Day on which the change began, as estimated."""
    observations_to_detect: int
    """From that day to the alarm: periods of demand, or receipts."""
    age_observations: int
    """Observations since the alarm."""
    drifting: int
    """Subjects of the run with a recent alarm of this kind and direction."""
    watched: int
    """Subjects of the run with enough observations to give one."""


class LineFacts(Facts):
    """One order line, its item, its source and the forecast behind it."""

    intent: Literal["place", "adjust_quantity", "move_date", "switch_supplier", "expedite", "hold", "cancel"]
    value_cents: int
    quantity: int
    moq: int
    max_quantity: int
    """Largest order that the offer accepts; -1 without a limit."""
    off_multiple: int
    """Units by which the quantity misses the order multiple, rounded up."""
    cover_before_days: int
    """Days of mean demand that stock, open orders and the plan's other lines for the item cover."""
    cover_after_days: int
    """The same with this line."""
    lead_time_days: int
    """Within which nine orders in ten arrive."""
    max_cover_days: int
    """Longest lead time among the plan's lines for the item, plus review, plus the days that the usual lot covers."""
    price_bp_of_offer: int
    """Line price over the offer's list price at this quantity."""
    price_bp_of_last_paid: int
    """Line price over that of the last order that left for this item and supplier; -1 when none is known."""
    supplier_status: Literal["active", "on_hold", "blocked"]
    sole_source: bool
    supplier_share_bp: int
    """The supplier's share of the item's units: received in the last year, on order, and in this plan."""
    next_source_bp: int
    """What ordering without this source would cost more, over the line's landed cost; -1 without another way."""
    days_late: int
    """Days for which stock is expected to be out when the line arrives; 0 when in time. Stock, open orders and the
    plan's lines that arrive earlier count as cover; this line and later ones do not."""
    faster_days: int
    """Days by which the cheapest source that is notably faster would arrive sooner; 0 when none is."""
    faster_premium_bp: int
    """Landed price of that source over this line's, minus BASIS_POINTS."""
    faster_extra_cents: int
    """What ordering the line's need from that source would cost more over the horizon, as the plan prices it; 0 where
    it would cost no more."""
    open_duplicate_days: int
    """Age of an order for the item that the same supplier has not confirmed; -1 without one."""
    expedite_premium_bp: int
    """Landed price over the cheapest ordinary source, minus BASIS_POINTS; 0 when not expedited."""
    stockout_bp: int
    """Probability, under the plan, of a stock-out before an order of the next review could arrive."""
    return_bp: int
    """Expected cost avoided over money spent."""
    forecast_fallback: bool
    forecast_observations: int
    negotiated_bp: int
    """Agreed price over list price; BASIS_POINTS when nothing was agreed."""


class PlanFacts(Facts):
    """The whole plan of a run."""

    value_cents: int
    value_last_30_days_cents: int
    """What left already within the budget's window."""
    lines: int
    orders: int
    storage_bp: int
    """Largest expected storage of stock, open orders and this plan over the capacity; 0 without a capacity."""
    worst_supplier_share_bp: int
    money_at_risk_cents: int
    orders_last_hour: int
    value_last_hour_cents: int
    alerts_last_hour: int


class AutonomyFacts(Facts):
    """One supplier order at the door: what it and its recent siblings amount to."""

    order_value_cents: int
    window_value_cents: int
    """This order and all to the same supplier that left within the tier window, so that splitting evades nothing."""
    waiting_value_cents: int
    """Orders of other runs to the same supplier that wait for a signature."""
    autonomy: Literal["shadow", "recommend", "auto"]
    """The strictest level among its items."""
    proposed_by_agent: bool
    edited: bool
    negotiated: bool
    halted: bool
