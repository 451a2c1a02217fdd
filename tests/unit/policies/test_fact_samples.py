"""The made-up facts that every condition is tried on when it is loaded."""

import pytest
from policy_cases import one_rule

from policies.facts import AutonomyFacts, DataFacts, DriftFacts, Facts, LineFacts, PlanFacts
from policies.gates import load_rules


@pytest.mark.parametrize(
    "sample",
    [
        DataFacts(
            stock_age_days=1,
            items=2,
            items_without_stock=3,
            items_without_offer=4,
            items_without_demand=5,
            rejected_rows=6,
            total_rows=7,
        ),
        DriftFacts(
            kind="demand_level",
            subject="subject",
            direction="above",
            size_bp=4,
            since="since",
            observations_to_detect=6,
            age_observations=7,
            drifting=8,
            watched=9,
        ),
        AutonomyFacts(
            order_value_cents=1,
            window_value_cents=2,
            waiting_value_cents=3,
            autonomy="shadow",
            proposed_by_agent=False,
            edited=False,
            negotiated=False,
            halted=False,
        ),
    ],
    ids=lambda facts: type(facts).__name__,
)
def test_a_sample_counts_its_fields_from_one_names_its_words_and_denies_its_flags(sample: Facts) -> None:
    assert type(sample).sample() == sample


@pytest.mark.parametrize("kind", [DataFacts, DriftFacts, LineFacts, PlanFacts, AutonomyFacts])
def test_no_two_numbers_of_a_sample_are_alike_and_none_is_zero(kind: type[Facts]) -> None:
    numbers = [value for _, value in kind.sample() if type(value) is int]
    assert len({0, *numbers}) == 1 + len(numbers)


def test_a_condition_may_divide_by_any_number_or_by_the_difference_of_two() -> None:
    assert load_rules(one_rule("10 / stock_age_days > 3 || 10 / (items - total_rows) > 3")).rules
