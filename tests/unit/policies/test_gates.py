"""Facts in, verdicts out: the algebra, the failures that deny, and what is refused when rules are loaded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_cases import data_facts, one_rule
from pydantic import ValidationError

from policies.facts import AutonomyFacts, DataFacts, LineFacts, PlanFacts
from policies.gates import Effect, Facts, Gate, Tier, Verdict, decide, default_rules, evaluate, load_rules, tier_of
from tools.domain.errors import BadInput


def verdict(effect: Effect, tier: Tier | None = None) -> Verdict:
    return Verdict("plan", "r", effect, "", "", "", tier, "v")


def test_a_rule_that_answers_false_does_not_fire_and_the_gate_allows() -> None:
    verdicts = evaluate(data_facts(items=3), load_rules(one_rule("items > most_items")))
    assert [(v.rule, v.effect) for v in verdicts] == [("none", Effect.ALLOW)]


def test_a_rule_that_fires_shows_its_limit_its_actual_and_its_policy_version() -> None:
    rules = load_rules(one_rule("items > most_items", reason="{items} items, {most_items} allowed"))
    (fired,) = evaluate(data_facts(items=4), rules)
    assert (fired.effect, fired.limit, fired.actual, fired.reason) == (Effect.DENY, "3", "4", "4 items, 3 allowed")
    assert fired.policy_version == rules.version


@pytest.mark.parametrize("effect", ["deny", "warn", "require_approval"])
@pytest.mark.parametrize("when", ["10 / items > most_items", "items * 9000000000000000 > most_items * 9000 * 9000"])
def test_a_division_by_zero_or_an_overflow_denies_whatever_the_rule_would_have_done(when: str, effect: str) -> None:
    rules = load_rules(one_rule(when, effect=effect))
    facts = data_facts(items=0) if "/" in when else data_facts(items=2**53)
    (fired,) = evaluate(facts, rules)
    assert fired.effect is Effect.DENY
    assert "could not be evaluated" in fired.reason


def test_a_missing_fact_denies() -> None:
    without_items = DataFacts.model_construct(stock_age_days=0)
    (fired,) = evaluate(without_items, load_rules(one_rule("items > most_items", effect="warn")))
    assert fired.effect is Effect.DENY
    assert fired.actual == "missing"


def test_a_mistyped_fact_that_slipped_past_validation_denies() -> None:
    text_for_number = data_facts().model_copy(update={"items": "many"})
    (fired,) = evaluate(text_for_number, load_rules(one_rule("items > most_items", effect="warn")))
    assert fired.effect is Effect.DENY


@given(st.lists(st.sampled_from(list(Effect)), min_size=1))
def test_deny_beats_approval_beats_warning_beats_allow_in_any_order(effects: list[Effect]) -> None:
    decided = decide(verdict(effect) for effect in effects)
    strongest = [Effect.DENY, Effect.REQUIRE_APPROVAL, Effect.WARN, Effect.ALLOW]
    assert decided is next(effect for effect in strongest if effect in effects)
    assert decide(verdict(effect) for effect in reversed(effects)) is decided


def test_no_verdict_at_all_denies() -> None:
    assert decide([]) is Effect.DENY


def test_the_highest_tier_asked_for_must_sign() -> None:
    asked = [verdict(Effect.REQUIRE_APPROVAL, Tier.MANAGER), verdict(Effect.REQUIRE_APPROVAL, Tier.BUYER)]
    assert tier_of(asked) is Tier.MANAGER
    assert tier_of([verdict(Effect.REQUIRE_APPROVAL)]) is Tier.BUYER
    assert tier_of([verdict(Effect.WARN), verdict(Effect.DENY)]) is None


@pytest.mark.parametrize(
    "when",
    [
        "[1, 2].all(x, x > items)",
        "[1].exists_one(x, x == items)",
        "[1].map(x, x)[0] == items",
        "[1].filter //\\n (x, x > items).size() > 0",
    ],
)
def test_comprehensions_are_refused_at_load(when: str) -> None:
    with pytest.raises(BadInput, match="comprehension"):
        load_rules(one_rule(when))


def test_the_version_of_a_rule_set_changes_with_its_text() -> None:
    assert load_rules(one_rule("items > 3")).version != load_rules(one_rule("items > 4")).version


@pytest.mark.parametrize("wrong", [{"items": 1.0}, {"items": "1"}, {"items": True}, {"items": 2**54}, {"extra": 1}])
def test_facts_are_strict_bounded_and_closed(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DataFacts.model_validate({**data_facts().model_dump(), **wrong})


@pytest.mark.parametrize("kind", [DataFacts, LineFacts, PlanFacts, AutonomyFacts])
def test_every_built_in_rule_can_be_evaluated_on_typed_facts(kind: type[Facts]) -> None:
    assert not [v for v in evaluate(kind.sample(), default_rules()) if "evaluated" in v.reason]


def test_the_built_in_rules_stand_at_all_four_gates() -> None:
    assert {rule.gate for rule in default_rules().rules} == set(Gate)
