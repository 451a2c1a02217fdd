"""What the built-in rules let through, and what they stop, one field at a time."""

import pytest
from policy_cases import DATA, DRIFT, LINE, ORDER, PLAN

from policies.facts import DriftFacts, Facts, LineFacts
from policies.gates import Effect, RuleSet, Tier, decide, default_rules, evaluate, load_rules, tier_of

RULES = default_rules()


def fired(facts: Facts) -> dict[str, Effect]:
    return {verdict.rule: verdict.effect for verdict in evaluate(facts, RULES)}


@pytest.mark.parametrize("facts", [DATA, DRIFT, LINE, PLAN, ORDER])
def test_plain_facts_pass_every_gate(facts: Facts) -> None:
    assert fired(facts) == {"none": Effect.ALLOW}


ALONGSIDE = {
    "order_value_manager": {"auto_order_value"},
    "edited_order": {"segregation_of_duties"},
}
"""Rules that rightly fire together with the one under test; all others must stay silent."""
CASES = [
    (DATA, {"stock_age_days": 8}, "stock_freshness", Effect.DENY),
    (DATA, {"items_without_stock": 40}, "data_completeness", Effect.DENY),
    (DATA, {"items_without_stock": 1}, "items_without_stock", Effect.WARN),
    (DATA, {"items_without_offer": 1}, "items_without_offer", Effect.WARN),
    (DATA, {"items_without_demand": 1}, "items_without_demand", Effect.WARN),
    (DATA, {"rejected_rows": 101}, "rejected_rows", Effect.DENY),
    (DRIFT, {"size_bp": 1_500}, "demand_drift", Effect.WARN),
    (DRIFT, {"size_bp": 1_500, "kind": "lead_time"}, "lead_time_drift", Effect.WARN),
    (DRIFT, {"size_bp": 1_500, "kind": "forecast_error"}, "forecast_error_drift", Effect.WARN),
    (DRIFT, {"size_bp": 1_500, "kind": "forecast_bias"}, "forecast_bias", Effect.WARN),
    (LINE, {"quantity": 49}, "moq", Effect.DENY),
    (LINE, {"quantity": 401}, "offer_maximum", Effect.DENY),
    (LINE, {"off_multiple": 1}, "order_multiple", Effect.DENY),
    (LINE, {"cover_after_days": 181}, "max_order_quantity", Effect.DENY),
    (LINE, {"supplier_status": "blocked"}, "supplier_status", Effect.DENY),
    (LINE, {"supplier_status": "on_hold"}, "supplier_status", Effect.DENY),
    (LINE, {"price_bp_of_offer": 10_051}, "price_over_offer", Effect.DENY),
    (LINE, {"price_bp_of_last_paid": 12_001}, "price_over_last_paid", Effect.REQUIRE_APPROVAL),
    (LINE, {"supplier_share_bp": 8_001, "value_cents": 2_500_000}, "supplier_share", Effect.WARN),
    (LINE, {"sole_source": True}, "sole_source", Effect.WARN),
    (LINE, {"days_late": 8}, "delivery_after_need", Effect.WARN),
    (LINE, {"days_late": 8, "faster_days": 20, "faster_premium_bp": 900}, "faster_source_passed_over", Effect.WARN),
    (LINE, {"open_duplicate_days": 0}, "duplicate_need", Effect.REQUIRE_APPROVAL),
    (LINE, {"expedite_premium_bp": 5_001, "stockout_bp": 499}, "expedite_justification", Effect.DENY),
    (LINE, {"return_bp": -1}, "minimum_return", Effect.DENY),
    (
        LINE,
        {"forecast_fallback": True, "forecast_observations": 5},
        "forecast_provenance",
        Effect.REQUIRE_APPROVAL,
    ),
    (LINE, {"negotiated_bp": 4_999}, "negotiation_bounds", Effect.DENY),
    (LINE, {"negotiated_bp": 10_001}, "negotiation_bounds", Effect.DENY),
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
    (ORDER, {"window_value_cents": 1_000_001}, "auto_order_value", Effect.REQUIRE_APPROVAL),
    (ORDER, {"window_value_cents": 5_000_001}, "order_value_manager", Effect.REQUIRE_APPROVAL),
    (ORDER, {"negotiated": True}, "negotiated_terms", Effect.REQUIRE_APPROVAL),
    (ORDER, {"edited": True}, "edited_order", Effect.REQUIRE_APPROVAL),
]


@pytest.mark.parametrize(("facts", "change", "rule", "effect"), CASES)
def test_one_fact_over_its_limit_fires_its_rule(
    facts: Facts, change: dict[str, object], rule: str, effect: Effect
) -> None:
    found = fired(facts.model_validate({**facts.model_dump(), **change}))
    assert found.pop(rule) is effect
    assert set(found) <= ALONGSIDE.get(rule, set())


def test_every_built_in_rule_is_fired_by_some_test_case_here() -> None:
    elsewhere = {"budget", "segregation_of_duties"}
    assert {rule.id for rule in RULES.rules} == {rule for _, _, rule, _ in CASES} | elsewhere


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"supplier_share_bp": 9_900}, "supplier_share"),
        ({"supplier_share_bp": 9_900, "value_cents": 9_000_000, "next_source_bp": -1}, "supplier_share"),
        ({"supplier_share_bp": 9_900, "value_cents": 9_000_000, "next_source_bp": 501}, "supplier_share"),
        ({"days_late": 7}, "delivery_after_need"),
        ({"days_late": 90, "faster_days": 20, "faster_premium_bp": 2_501}, "faster_source_passed_over"),
        ({"days_late": 90, "faster_days": 20, "faster_premium_bp": 2_500}, "delivery_after_need"),
        ({"price_bp_of_last_paid": -1}, "price_over_last_paid"),
        ({"max_quantity": -1, "quantity": 10_000}, "offer_maximum"),
        ({"forecast_fallback": True}, "forecast_provenance"),
        ({"open_duplicate_days": 8}, "duplicate_need"),
        ({"expedite_premium_bp": 5_001, "stockout_bp": 500}, "expedite_justification"),
    ],
)
def test_what_is_unknown_small_or_unavoidable_is_not_worth_a_message(change: dict[str, object], rule: str) -> None:
    assert rule not in fired(LINE.model_copy(update=change))


@pytest.mark.parametrize("kind", ["demand_level", "lead_time", "forecast_error", "forecast_bias"])
@pytest.mark.parametrize("change", [{"age_observations": 5}, {"size_bp": 1_499}])
def test_an_old_or_a_small_drift_is_not_worth_a_message(kind: str, change: dict[str, int]) -> None:
    facts = DRIFT.model_dump() | {"size_bp": 1_500, "kind": kind} | change
    assert fired(DriftFacts.model_validate(facts)) == {"none": Effect.ALLOW}


def test_forecast_errors_that_shrink_are_no_warning() -> None:
    better = DRIFT.model_copy(update={"size_bp": 9_000, "kind": "forecast_error", "direction": "below"})
    assert fired(better) == {"none": Effect.ALLOW}


def test_a_drift_says_what_moved_how_far_since_when_and_how_many_do() -> None:
    (verdict,) = evaluate(DRIFT.model_copy(update={"size_bp": 4_500}), RULES)
    assert verdict.reason == (
        "Demand of I001 is 45 % above its former level since 2026-05-13, found after 5 periods; "
        "such alarms: 2 of 40 items."
    )


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 49},
        {"off_multiple": 1},
        {"quantity": 401},
        {"cover_after_days": 181},
        {"open_duplicate_days": 0},
        {"supplier_status": "blocked"},
    ],
)
def test_an_expedited_order_is_held_to_what_binds_any_other(change: dict[str, object]) -> None:
    assert decide(evaluate(LINE.model_copy(update=change), RULES)) in (Effect.DENY, Effect.REQUIRE_APPROVAL)
    express = LINE.model_copy(update={**change, "intent": "expedite"})
    assert decide(evaluate(express, RULES)) is decide(evaluate(LINE.model_copy(update=change), RULES))


def budgeted(cents: int) -> RuleSet:
    return load_rules(RULES.text.replace("budget_cents: -1 ", f"budget_cents: {cents} ", 1))


@pytest.mark.parametrize(
    ("budget", "left", "effect"),
    [
        (-1, 10**12, Effect.ALLOW),
        (50_000_000, 0, Effect.ALLOW),
        (49_999_999, 0, Effect.DENY),
        (60_000_000, 10_000_001, Effect.DENY),
        (60_000_000, 10_000_000, Effect.ALLOW),
    ],
)
def test_a_budget_holds_for_the_plan_and_what_left_in_30_days_together(budget: int, left: int, effect: Effect) -> None:
    facts = PLAN.model_copy(update={"value_last_30_days_cents": left})
    assert decide(evaluate(facts, budgeted(budget))) is effect


def test_what_waits_with_the_same_supplier_counts_for_the_managers_tier_but_not_for_a_small_automatic_order() -> None:
    waiting = {"window_value_cents": 3_000_000, "waiting_value_cents": 2_000_001}
    assert tier_of(evaluate(ORDER.model_copy(update={**waiting, "autonomy": "recommend"}), RULES)) is Tier.MANAGER
    small = ORDER.model_copy(update={"waiting_value_cents": 90_000_000})
    assert decide(evaluate(small, RULES)) is Effect.ALLOW


def test_an_order_split_into_small_ones_needs_the_same_signature_as_the_whole() -> None:
    whole = ORDER.model_copy(update={"order_value_cents": 6_000_000, "window_value_cents": 6_000_000})
    tenth = whole.model_copy(update={"order_value_cents": 600_000})
    assert tier_of(evaluate(whole, RULES)) is tier_of(evaluate(tenth, RULES)) is Tier.MANAGER


@pytest.mark.parametrize(
    ("value_usd", "tier"),
    [(500, None), (10_000, None), (10_001, Tier.BUYER), (25_000, Tier.BUYER), (25_001, Tier.MANAGER)],
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


def test_an_order_that_a_person_changed_after_an_agent_proposed_it_needs_a_second_person() -> None:
    verdicts = evaluate(ORDER.model_copy(update={"edited": True}), RULES)
    assert "segregation_of_duties" in {verdict.rule for verdict in verdicts}
    assert tier_of(verdicts) is Tier.BUYER


def test_reasons_show_money_and_percent_as_people_read_them() -> None:
    (verdict,) = evaluate(LINE.model_copy(update={"price_bp_of_offer": 10_075}), RULES)
    assert verdict.reason == "The price is 100.75 % of the contract price."
    (verdict,) = evaluate(PLAN, budgeted(40_000_000))
    assert verdict.reason == "The plan costs 500,000 and 0 left in 30 days; the budget is 400,000."
    assert (verdict.limit, verdict.actual) == ("40000000", "50000000")
