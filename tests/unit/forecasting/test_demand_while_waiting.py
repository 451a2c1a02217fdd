"""Demand over a random lead time, as forecasts tell it and as ordering covers it."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lead_time_demand_in_words import asked_for, least_covering, weighed_demand
from ordering_cases import random_problem

from tools.forecasting.lead_time_demand import lead_time_demand, weighted_quantile
from tools.ordering.problem.levels import cumulative_demand, item_costs, source_levels
from tools.ordering.stochastic.rollout_kernels import fill_windows

WEEK_DAYS = 7.0
GENERATED = settings(max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.generate])


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


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 9), st.sampled_from([1.0, 7.0, 30.4375]))
@GENERATED
def test_units_and_their_probabilities_are_those_that_are_said_in_words(seed, samples, periods, period_days) -> None:
    rng = np.random.default_rng(seed)
    paths = rng.gamma(1.0, 10.0, (samples, periods))
    days = np.unique(rng.integers(0, int(2 * periods * period_days) + 2, rng.integers(1, 6)))
    shares = rng.dirichlet(np.ones(days.size))
    units, weights = lead_time_demand(paths, period_days, days, shares)
    said = weighed_demand(paths.tolist(), period_days, days.tolist(), shares.tolist())
    assert units == pytest.approx([one for one, _ in said], rel=1e-9, abs=1e-9)
    assert np.cumsum(weights) == pytest.approx(np.cumsum([weight for _, weight in said]))
    for level in rng.uniform(0, 1, 5).tolist():
        assert weighted_quantile(units, weights, level) == pytest.approx(least_covering(said, level), abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 6), st.integers(1, 8), st.integers(1, 3))
@GENERATED
def test_the_compiled_windows_cover_the_demand_that_is_said_in_words(seed, items, paths, horizon, review) -> None:
    rng = np.random.default_rng(seed)
    demand = rng.gamma(1.0, 10.0, (items, paths, horizon))
    arrivals = rng.gamma(1.0, 10.0, demand.shape) * (rng.random(demand.shape) < 0.3)
    lead, mean = rng.integers(0, horizon + 3, (items, paths)), rng.uniform(0, 20, items)
    window, cover = np.zeros((items, horizon, paths)), np.zeros((items, horizon))
    fill_windows(demand, arrivals, lead, mean, review, window, cover)
    for i, t in np.ndindex(items, horizon):
        spans = (lead[i] + review).tolist()
        asked = [asked_for(demand[i, s].tolist(), t, spans[s], mean[i]) for s in range(paths)]
        landing = [arrivals[i, s, t + 1 : t + spans[s]].sum() for s in range(paths)]
        assert window[i, t] == pytest.approx(asked)
        assert cover[i, t] == pytest.approx(np.mean(landing))


@given(st.integers(0, 2**32 - 1))
@GENERATED
def test_the_levels_of_sources_cover_the_demand_that_is_said_in_words(seed) -> None:
    snapshot, how = random_problem(seed)
    costs = item_costs(snapshot, how)
    levels = source_levels(snapshot, how, costs, cumulative_demand(snapshot))
    for row, item in enumerate(snapshot.sources.item.tolist()):
        spans = (levels.lead[row] + how.review_periods).tolist()
        ways = list(zip(snapshot.demand[item].tolist(), snapshot.arrivals[item], spans, strict=True))
        asked = [asked_for(path, 0, span, costs.mean_demand[item]) for path, _, span in ways]
        stock = [snapshot.on_hand[item] + landing[:span].sum() for _, landing, span in ways]
        assert levels.window_mean[row] == pytest.approx(np.mean(asked))
        assert levels.window_sd[row] == pytest.approx(np.std(asked), abs=1e-6)
        assert levels.position[row] == pytest.approx(np.mean(stock))
        equally = [(units, 1 / len(asked)) for units in asked]
        assert levels.level[row] == pytest.approx(least_covering(equally, levels.ratio[row]))
        if snapshot.lost_share[item] == 0:
            assert levels.shortfall[row] == pytest.approx(np.sort(np.subtract(asked, stock)))
