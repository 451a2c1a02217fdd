import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.lead_times import LeadTimeDistribution


def distribution(days: list[int], probabilities: list[float]) -> LeadTimeDistribution:
    return LeadTimeDistribution(np.array(days), np.array(probabilities), "offer", len(days))


THREE = distribution([10, 20, 40], [0.5, 0.3, 0.2])

spreads = st.lists(st.integers(0, 400), min_size=1, max_size=20, unique=True).map(
    lambda days: distribution(sorted(days), [1 / len(days)] * len(days))
)


def test_moments_and_quantiles_are_those_of_the_table() -> None:
    assert THREE.mean == pytest.approx(19)
    assert THREE.sd == pytest.approx(np.sqrt(0.5 * 81 + 0.3 * 1 + 0.2 * 441))
    assert [THREE.quantile(q) for q in (0.1, 0.5, 0.51, 0.8, 0.81, 1)] == [10, 10, 20, 20, 40, 40]


def test_samples_follow_the_probabilities() -> None:
    drawn = THREE.sample(np.random.default_rng(1), 20_000)
    assert (drawn == 40).mean() == pytest.approx(0.2, abs=0.01)


def test_what_remains_is_conditional_on_not_having_arrived() -> None:
    left = THREE.remaining(10)
    assert left.days.tolist() == [10, 30]
    assert left.probabilities == pytest.approx([0.6, 0.4])


def test_an_order_older_than_nearly_every_lead_time_seen_is_still_expected_and_says_so() -> None:
    left = THREE.remaining(60)
    assert left.days.min() >= 1
    assert left.fallback == "older than nearly every lead time seen"
    assert THREE.remaining(20).fallback is None


def test_the_older_an_order_beyond_all_experience_the_longer_it_still_takes() -> None:
    waits = [THREE.remaining(age).mean for age in (50, 100, 200, 400)]
    assert waits == sorted(waits)


def test_the_probability_of_arrival_by_a_day_adds_up_the_days_before() -> None:
    assert [THREE.arrival_probability(day) for day in (9, 10, 19.5, 20, 39, 40, 500)] == pytest.approx(
        [0, 0.5, 0.5, 0.8, 0.8, 1, 1]
    )
    assert THREE.cdf(np.array([[9, 10], [20, 40]])) == pytest.approx(np.array([[0, 0.5], [0.8, 1]]))


@given(spread=spreads, age=st.integers(0, 400), wait=st.integers(0, 400))
def test_what_remains_obeys_bayes(spread: LeadTimeDistribution, age: int, wait: int) -> None:
    """P(T <= a + r | T > a) = (F(a + r) - F(a)) / (1 - F(a))."""
    until, beyond = spread.arrival_probability(age), spread.arrival_probability(age + wait)
    if until <= 0.98:
        assert spread.remaining(age).arrival_probability(wait) == pytest.approx((beyond - until) / (1 - until))


@given(spread=spreads, age=st.integers(0, 5000))
def test_what_remains_is_a_distribution_over_whole_days_to_come(spread: LeadTimeDistribution, age: int) -> None:
    left = spread.remaining(age)
    assert left.probabilities.sum() == pytest.approx(1)
    assert left.days.dtype.kind == "i"
    assert (left.days > 0).all()
    assert (np.diff(left.days) > 0).all()
