"""What the built-in rules let through, and what they stop, one field at a time."""

import pytest

from policies.facts import AutonomyFacts, DataFacts, Facts, LineFacts, PlanFacts
from policies.gates import Effect, Tier, decide, default_rules, evaluate, tier_of

RULES = default_rules()
DATA = DataFacts(
    stock_age_days=0,
    items=40,
    items_without_stock=0,
    items_without_offer=0,
    items_without_demand=0,
    rejected_rows=0,
    total_rows=5000,
)
LINE = LineFacts(
    intent="place",
    value_cents=1_000_000,
    quantity=100,
    moq=50,
    off_multiple=0,
    cover_after_days=60,
    lead_time_days=30,
    max_cover_days=60,
    price_bp_of_offer=10_000,
    price_bp_of_last_paid=10_000,
    supplier_status="active",
    sole_source=False,
    supplier_share_bp=6_000,
    days_late=0,
    open_duplicate_days=-1,
    expedite_premium_bp=0,
    stockout_bp=2_000,
    return_bp=5_000,
    forecast_fallback=False,
    forecast_observations=72,
    negotiated_bp=10_000,
    negotiated_floor_bp=9_000,
)
PLAN = PlanFacts(
    value_cents=50_000_000,
    budget_cents=-1,
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
    autonomy="auto",
    proposed_by_agent=True,
    edited=False,
    negotiated=False,
    halted=False,
)


def fired(facts: Facts) -> dict[str, Effect]:
    return {verdict.rule: verdict.effect for verdict in evaluate(facts, RULES)}


@pytest.mark.parametrize("facts", [DATA, LINE, PLAN, ORDER])
def test_plain_facts_pass_every_gate(facts: Facts) -> None:
    assert fired(facts) == {"none": Effect.ALLOW}


@pytest.mark.parametrize(
    ("facts", "change", "rule", "effect"),
    [
        (DATA, {"stock_age_days": 8}, "stock_freshness", Effect.DENY),
        (DATA, {"items_without_stock": 40}, "data_completeness", Effect.DENY),
        (DATA, {"items_without_offer": 1}, "items_without_offer", Effect.WARN),
        (DATA, {"items_without_demand": 1}, "items_without_demand", Effect.WARN),
        (DATA, {"rejected_rows": 101}, "rejected_rows", Effect.DENY),
        (LINE, {"quantity": 49}, "moq", Effect.DENY),
        (LINE, {"off_multiple": 1}, "order_multiple", Effect.DENY),
        (LINE, {"cover_after_days": 181}, "max_order_quantity", Effect.DENY),
        (LINE, {"supplier_status": "blocked"}, "supplier_status", Effect.DENY),
        (LINE, {"supplier_status": "on_hold"}, "supplier_status", Effect.DENY),
        (LINE, {"price_bp_of_offer": 10_051}, "price_over_offer", Effect.DENY),
        (LINE, {"price_bp_of_last_paid": 12_001}, "price_over_last_paid", Effect.REQUIRE_APPROVAL),
        (LINE, {"supplier_share_bp": 8_001}, "supplier_share", Effect.WARN),
        (LINE, {"sole_source": True}, "sole_source", Effect.WARN),
        (LINE, {"days_late": 1}, "delivery_after_need", Effect.WARN),
        (LINE, {"open_duplicate_days": 0}, "duplicate_need", Effect.REQUIRE_APPROVAL),
        (LINE, {"expedite_premium_bp": 5_001, "stockout_bp": 499}, "expedite_justification", Effect.DENY),
        (LINE, {"return_bp": -1}, "minimum_return", Effect.DENY),
        (
            LINE,
            {"forecast_fallback": True, "forecast_observations": 5},
            "forecast_provenance",
            Effect.REQUIRE_APPROVAL,
        ),
        (LINE, {"negotiated_bp": 8_999}, "negotiation_bounds", Effect.DENY),
        (LINE, {"negotiated_bp": 10_001}, "negotiation_bounds", Effect.DENY),
        (PLAN, {"budget_cents": 49_999_999}, "budget", Effect.DENY),
        (PLAN, {"storage_bp": 10_001}, "storage", Effect.REQUIRE_APPROVAL),
        (PLAN, {"money_at_risk_cents": 500_000_001}, "risk_beyond_spend", Effect.WARN),
        (
            PLAN,
            {"money_at_risk_cents": 2_500_000_001, "value_cents": 500_000_000},
            "risk_tolerance",
            Effect.REQUIRE_APPROVAL,
        ),
        (PLAN, {"worst_supplier_share_bp": 8_001}, "supplier_diversity", Effect.REQUIRE_APPROVAL),
        (PLAN, {"orders_last_hour": 495}, "cascade_orders", Effect.REQUIRE_APPROVAL),
        (PLAN, {"value_last_hour_cents": 4_950_000_001}, "cascade_value", Effect.REQUIRE_APPROVAL),
        (PLAN, {"alerts_last_hour": 201}, "cascade_alerts", Effect.REQUIRE_APPROVAL),
        (ORDER, {"halted": True}, "halted", Effect.REQUIRE_APPROVAL),
        (ORDER, {"autonomy": "recommend"}, "autonomy_recommend", Effect.REQUIRE_APPROVAL),
        (ORDER, {"autonomy": "shadow"}, "autonomy_shadow", Effect.DENY),
        (ORDER, {"window_value_cents": 500_001}, "auto_order_value", Effect.REQUIRE_APPROVAL),
    ],
)
def test_one_fact_over_its_limit_fires_its_rule_and_no_other(
    facts: Facts, change: dict[str, object], rule: str, effect: Effect
) -> None:
    assert fired(facts.model_validate({**facts.model_dump(), **change})) == {rule: effect}


def test_an_order_split_into_small_ones_needs_the_same_signature_as_the_whole() -> None:
    whole = ORDER.model_copy(update={"order_value_cents": 6_000_000, "window_value_cents": 6_000_000})
    tenth = whole.model_copy(update={"order_value_cents": 600_000})
    assert tier_of(evaluate(whole, RULES)) is tier_of(evaluate(tenth, RULES)) is Tier.MANAGER


@pytest.mark.parametrize(
    ("value_usd", "tier"), [(500, None), (5_000, None), (5_001, Tier.BUYER), (50_000, Tier.BUYER), (5e6, Tier.MANAGER)]
)
def test_who_must_sign_rises_with_the_value_of_an_automatic_order(value_usd: float, tier: Tier | None) -> None:
    cents = int(value_usd * 100)
    verdicts = evaluate(ORDER.model_copy(update={"window_value_cents": cents, "order_value_cents": cents}), RULES)
    assert tier_of(verdicts) is tier


def test_no_amount_of_money_alone_denies_an_order() -> None:
    huge = ORDER.model_copy(update={"window_value_cents": 10**13, "order_value_cents": 10**13})
    assert decide(evaluate(huge, RULES)) is Effect.REQUIRE_APPROVAL


@pytest.mark.parametrize("intent", ["cancel", "hold"])
def test_a_cancellation_is_not_held_to_what_binds_an_order(intent: str) -> None:
    change = {"intent": intent, "quantity": 0, "supplier_status": "blocked", "return_bp": -1, "off_multiple": 3}
    assert decide(evaluate(LineFacts.model_validate({**LINE.model_dump(), **change}), RULES)) is Effect.ALLOW


@pytest.mark.parametrize("changed", ["edited", "negotiated"])
def test_terms_changed_after_an_agent_proposed_them_need_a_second_person(changed: str) -> None:
    verdicts = evaluate(ORDER.model_copy(update={changed: True}), RULES)
    assert "segregation_of_duties" in {verdict.rule for verdict in verdicts}
    assert tier_of(verdicts) is Tier.BUYER


def test_reasons_show_money_and_percent_as_people_read_them() -> None:
    (verdict,) = evaluate(LINE.model_copy(update={"price_bp_of_offer": 10_075}), RULES)
    assert verdict.reason == "The price is 100.75 % of the contract price."
    (verdict,) = evaluate(PLAN.model_copy(update={"budget_cents": 40_000_000}), RULES)
    assert verdict.reason == "The plan costs 500,000, the budget is 400,000."
    assert (verdict.limit, verdict.actual) == ("40000000", "50000000")
