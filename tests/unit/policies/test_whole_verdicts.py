"""Verdicts as they are stored with a run: every field of each."""

import pytest
from policy_cases import DATA, DRIFT, LINE, ORDER, PLAN, data_facts, one_rule

from policies.facts import Facts
from policies.gates import Effect, Tier, Verdict, default_rules, evaluate, load_rules

RULES = default_rules()


@pytest.mark.parametrize(
    ("gate", "facts"), [("data", DATA), ("drift", DRIFT), ("lines", LINE), ("plan", PLAN), ("autonomy", ORDER)]
)
def test_a_gate_where_nothing_fires_says_that_all_is_within_every_limit(gate: str, facts: Facts) -> None:
    allowed = Verdict(gate, "none", Effect.ALLOW, "Within every limit.", "", "", None, RULES.version)
    assert evaluate(facts, RULES) == (allowed,)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            DATA.model_copy(update={"stock_age_days": 8}),
            Verdict(
                gate="data",
                rule="stock_freshness",
                effect=Effect.DENY,
                reason="Stock figures are 8 days old; orders on them would repeat what was already bought.",
                limit="7",
                actual="8",
                tier=None,
                policy_version=RULES.version,
            ),
        ),
        (
            LINE.model_copy(update={"sole_source": True}),
            Verdict(
                gate="lines",
                rule="sole_source",
                effect=Effect.WARN,
                reason="Only one active supplier offers this item.",
                limit="two suppliers",
                actual="True",
                tier=None,
                policy_version=RULES.version,
            ),
        ),
        (
            PLAN.model_copy(update={"storage_bp": 12_550}),
            Verdict(
                gate="plan",
                rule="storage",
                effect=Effect.REQUIRE_APPROVAL,
                reason="Projected stock needs 125.5 % of the storage capacity.",
                limit="100 % of capacity",
                actual="12550",
                tier=Tier.MANAGER,
                policy_version=RULES.version,
            ),
        ),
    ],
)
def test_a_rule_that_fires_tells_its_gate_its_words_its_figures_and_its_tier(facts: Facts, expected: Verdict) -> None:
    assert evaluate(facts, RULES) == (expected,)


@pytest.mark.parametrize(
    ("when", "items", "reason"),
    [
        ("items > 100 ? items : false", 101, "The rule answered 101, not true or false."),
        ("10 / items > 3", 0, "The rule could not be evaluated: division by zero in CEL expression"),
    ],
)
def test_a_rule_that_fails_denies_and_asks_nobody_to_sign(when: str, items: int, reason: str) -> None:
    manager_asked = one_rule(when, effect="require_approval").replace("most_items}", "most_items, tier: manager}")
    rules = load_rules(manager_asked)
    denied = Verdict("data", "r", Effect.DENY, reason, "3", str(items), None, rules.version)
    assert rules.rules[0].tier is Tier.MANAGER
    assert evaluate(data_facts(items=items), rules) == (denied,)
