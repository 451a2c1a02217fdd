"""Facts that pass every built-in gate, and rule files of one rule."""

from policies.facts import AutonomyFacts, DataFacts, DriftFacts, LineFacts, PlanFacts

DATA = DataFacts(
    stock_age_days=0,
    items=40,
    items_without_stock=0,
    items_without_offer=0,
    items_without_demand=0,
    rejected_rows=0,
    total_rows=5000,
)
DRIFT = DriftFacts(
    kind="demand_level",
    subject="I001",
    direction="above",
    size_bp=1_400,
    since="2026-05-13",
    observations_to_detect=5,
    age_observations=4,
    drifting=2,
    watched=40,
)
LINE = LineFacts(
    intent="place",
    value_cents=1_000_000,
    quantity=100,
    moq=50,
    max_quantity=400,
    off_multiple=0,
    cover_before_days=20,
    cover_after_days=60,
    lead_time_days=30,
    max_cover_days=60,
    price_bp_of_offer=10_000,
    price_bp_of_last_paid=10_000,
    supplier_status="active",
    sole_source=False,
    supplier_share_bp=6_000,
    next_source_bp=300,
    days_late=0,
    faster_days=0,
    faster_premium_bp=0,
    faster_extra_cents=0,
    open_duplicate_days=-1,
    expedite_premium_bp=0,
    stockout_bp=2_000,
    return_bp=5_000,
    forecast_fallback=False,
    forecast_observations=72,
    negotiated_bp=10_000,
)
PLAN = PlanFacts(
    value_cents=50_000_000,
    value_last_30_days_cents=0,
    lines=10,
    orders=6,
    storage_bp=7_000,
    worst_supplier_share_bp=5_000,
    money_at_risk_cents=60_000_000,
    orders_last_hour=0,
    value_last_hour_cents=0,
    alerts_last_hour=1,
)
ORDER = AutonomyFacts(
    order_value_cents=100_000,
    window_value_cents=100_000,
    waiting_value_cents=0,
    autonomy="auto",
    proposed_by_agent=True,
    edited=False,
    negotiated=False,
    halted=False,
)
ONE_RULE = """
name: one
limits: {{most_items: 3}}
rules:
  - {{id: r, gate: {gate}, when: "{when}", effect: {effect}, reason: "{reason}", actual: {actual}, limit: {limit}}}
"""


def one_rule(
    when: str,
    *,
    gate: str = "data",
    effect: str = "deny",
    reason: str = "why",
    actual: str = "items",
    limit: str = "most_items",
) -> str:
    return ONE_RULE.format(when=when, gate=gate, effect=effect, reason=reason, actual=actual, limit=limit)


def data_facts(**changes: int) -> DataFacts:
    plain = {
        "stock_age_days": 0,
        "items": 10,
        "items_without_stock": 0,
        "items_without_offer": 0,
        "items_without_demand": 0,
        "rejected_rows": 0,
        "total_rows": 100,
    }
    return DataFacts.model_validate({**plain, **changes})
