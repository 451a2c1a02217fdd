"""What the plan counts from the clock is cut from the forecast's own periods, and keeps its distribution."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rhythm_cases import Case

from tools.domain.datasets import Period
from tools.forecasting.planned import dealt, edges_of, planned
from tools.forecasting.preparation.closures import NEVER_CLOSED, ClosedDays
from tools.forecasting.preparation.plan_periods import plan_edges

WEEKS = np.datetime64("2026-06-29") + 7 * np.arange(5)
NO_DAYS = np.empty(0, dtype=np.int64)


def test_a_clock_at_the_end_of_the_newest_week_plans_the_weeks_that_are_forecast() -> None:
    made = Case("mon").forecasts(0)[0]
    assert planned(made, date(2026, 6, 28)) is made


def test_a_clock_two_days_on_plans_from_the_third_day_and_passes_over_the_two() -> None:
    case = Case("mon")
    made = case.forecasts(2)[0]
    cut = planned(made, case.clock(2))
    assert edges_of(made, case.clock(2)).tolist() == pytest.approx([2 / 7 + week for week in range(5)])
    assert str(cut.starts[0]) == "2026-07-01"
    assert (cut.paths.sum(axis=1) >= made.paths[:, 1:].sum(axis=1)).all()
    assert (cut.paths == np.floor(cut.paths)).all()
    assert planned(made, case.clock(2)).paths.tolist() == cut.paths.tolist()


def test_weeks_that_passed_unreported_are_forecast_and_passed_over() -> None:
    case = Case("mon")
    made = case.forecasts(14, paths=64)[0]
    assert edges_of(made, case.clock(14)).tolist() == [2, 3, 4, 5, 6]
    cut = planned(made, case.clock(14))
    assert cut.paths[:, :2].tolist() == made.paths[:, 2:].tolist()
    assert cut.paths.shape == made.paths.shape
    assert cut.mean().min() > 0


def test_edges_count_open_days_so_that_a_closed_weekend_takes_no_demand_with_it() -> None:
    weekends = ClosedDays(NO_DAYS, (5, 6))
    assert plan_edges(WEEKS, date(2026, 6, 26), Period.WEEK, weekends).size == 0, "Saturday begins as good as Monday"
    assert plan_edges(WEEKS, date(2026, 7, 1), Period.WEEK, weekends).tolist() == pytest.approx(
        [0.6, 1.6, 2.6, 3.6, 4.6]
    )


def test_months_of_the_plan_begin_on_the_day_after_the_clock() -> None:
    months = np.arange("2026-06", "2026-11", dtype="datetime64[M]").astype("datetime64[D]")
    assert plan_edges(months, date(2026, 6, 15), Period.MONTH, NEVER_CLOSED)[0] == pytest.approx(15 / 30)


@pytest.mark.parametrize("share", [1 / 7, 0.5, 6 / 7])
@pytest.mark.parametrize(
    ("name", "shape", "mean"), [("gamma", 4.0, 80.0), ("negative binomial", 2.0, 9.0), ("lumpy", 0.05, 2.0)]
)
def test_weeks_across_an_edge_are_distributed_as_whole_ones(name: str, shape: float, mean: float, share: float) -> None:
    rng = np.random.default_rng(5)
    rate = rng.gamma(shape, mean / shape, (20_000, 3))
    paths = rate if name == "gamma" else rng.poisson(rate).astype(np.float64)
    across = dealt(paths, np.array([share, 1 + share, 2 + share]), rng)
    assert across.mean() == pytest.approx(mean, rel=0.05)
    assert across.std() == pytest.approx(paths.std(), rel=0.05)
    for level in (0.1, 0.5, 0.9, 0.99):
        assert np.quantile(across, level) == pytest.approx(np.quantile(paths, level), rel=0.08, abs=1.0)
    assert abs(np.corrcoef(across.T)[0, 1]) < 0.03


@given(
    seed=st.integers(0, 1_000),
    steps=st.lists(st.floats(0.01, 2.5), min_size=1, max_size=8),
    first=st.floats(0, 3),
    whole=st.booleans(),
)
def test_no_unit_is_lost_or_made_between_the_edges(seed: int, steps: list[float], first: float, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    paths = rng.gamma(1.0, 5.0, (7, 30))
    paths = np.floor(paths) if whole else paths
    edges = np.concatenate([[0.0], first + np.cumsum([0.0, *steps]), [30.0]])
    cut = dealt(paths, edges, rng)
    assert (cut >= 0).all()
    assert cut.sum(axis=1) == pytest.approx(paths.sum(axis=1))
    assert not whole or (cut == np.floor(cut)).all()
