"""Demand over a random lead time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.forecasting.lead_time_demand import lead_time_demand, weighted_quantile

WEEK_DAYS = 7.0


def made(paths: np.ndarray, days: list[int], probabilities: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return lead_time_demand(paths, WEEK_DAYS, np.array(days), np.array(probabilities))


def test_a_certain_lead_time_of_whole_periods_adds_them_up() -> None:
    paths = np.array([[1.0, 2.0, 4.0], [10.0, 20.0, 40.0]])
    units, weights = made(paths, [14], [1.0])
    assert units.tolist() == [3.0, 30.0]
    assert weights.tolist() == [0.5, 0.5]


def test_part_of_a_period_is_part_of_its_demand_and_beyond_the_horizon_the_mean_goes_on() -> None:
    paths = np.array([[7.0, 14.0]])
    units, _ = made(paths, [0, 3, 7, 10, 14, 21], [1 / 6] * 6)
    assert units.tolist() == pytest.approx([0.0, 3.0, 7.0, 13.0, 21.0, 31.5])


@given(
    st.lists(st.lists(st.floats(0, 1e4), min_size=4, max_size=4), min_size=1, max_size=6),
    st.lists(st.integers(0, 60), min_size=1, max_size=5, unique=True),
)
def test_the_mean_is_the_mixture_of_the_means_and_quantiles_rise(paths: list[list[float]], days: list[int]) -> None:
    array, ordered = np.array(paths), sorted(days)
    shares = np.full(len(ordered), 1 / len(ordered))
    units, weights = lead_time_demand(array, WEEK_DAYS, np.array(ordered), shares)
    each = [float(made(array, [day], [1.0])[0].mean()) for day in ordered]
    assert float(units @ weights) == pytest.approx(float(np.mean(each)), abs=1e-6)
    assert weights.sum() == pytest.approx(1.0)
    levels = [weighted_quantile(units, weights, level) for level in (0.0, 0.1, 0.5, 0.95, 1.0)]
    assert levels == sorted(levels)
    assert units[0] <= levels[0] and levels[-1] == units[-1]


def test_a_rare_long_lead_time_shows_in_the_tail_only() -> None:
    paths = np.full((100, 4), 7.0)
    units, weights = made(paths, [7, 28], [0.9, 0.1])
    assert weighted_quantile(units, weights, 0.8) == 7.0
    assert weighted_quantile(units, weights, 0.95) == 28.0
