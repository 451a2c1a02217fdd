import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.domain.datasets import Period
from tools.forecasting import DemandPattern, backtest, classify, coverage, pinball
from tools.forecasting.intermittent import compound_bootstrap, demand_probability
from tools.forecasting.models import ensemble, moving_average, residual_paths
from tools.forecasting.seasons import find_season, shows_season
from tools.forecasting.smoothing import smooth


def test_patterns_follow_the_cut_offs_of_syntetos_boylan_and_croston() -> None:
    assert classify(np.array([10.0, 11, 9, 10, 12, 10])) is DemandPattern.SMOOTH
    assert classify(np.array([1.0, 30, 2, 40, 1, 25])) is DemandPattern.ERRATIC
    assert classify(np.array([10.0, 0, 0, 11, 0, 9])) is DemandPattern.INTERMITTENT
    assert classify(np.array([1.0, 0, 0, 60, 0, 2])) is DemandPattern.LUMPY
    assert classify(np.zeros(5)) is DemandPattern.NONE
    assert classify(np.empty(0)) is DemandPattern.NONE


def test_a_constant_series_is_forecast_by_its_constant() -> None:
    assert smooth(np.full(30, 12.0), Period.WEEK, 5).mean == pytest.approx(np.full(5, 12.0))


def test_a_straight_line_is_continued() -> None:
    mean = smooth(10 + 2.0 * np.arange(40), Period.WEEK, 3).mean
    assert mean == pytest.approx([90, 92, 94], rel=0.05)


def test_a_monthly_season_comes_back_in_the_forecast() -> None:
    months = np.arange(48)
    values = 100 * (1 + 0.5 * np.sin(2 * np.pi * months / 12))
    expected = 100 * (1 + 0.5 * np.sin(2 * np.pi * (48 + np.arange(12)) / 12))
    assert smooth(values, Period.MONTH, 12).mean == pytest.approx(expected, rel=0.06)


def test_a_yearly_wave_is_found_in_two_years_of_weeks_and_noise_has_none() -> None:
    rng = np.random.default_rng(3)
    weeks = np.arange(104)
    wave = 100 + 40 * np.sin(2 * np.pi * weeks / 52.18) + rng.normal(0, 10, 104)
    assert np.ptp(find_season(wave, Period.WEEK, 52).future) == pytest.approx(80, rel=0.2)
    assert np.ptp(find_season(rng.normal(100, 10, 104), Period.WEEK, 52).future) == 0


def test_white_noise_shows_no_monthly_season_in_most_samples() -> None:
    rng = np.random.default_rng(5)
    found = [shows_season(rng.normal(size=72), 12) for _ in range(200)]
    assert np.mean(found) < 0.2


def test_errors_carried_forward_make_far_periods_less_certain() -> None:
    walk = np.cumsum(np.random.default_rng(1).normal(0, 1, 100)) + 100
    paths = residual_paths(smooth(walk, Period.WEEK, 20), (4000, 20), np.random.default_rng(2))
    assert paths[:, 19].std() > 2 * paths[:, 0].std()


def test_paths_keep_the_forecast_mean_although_they_are_cut_at_zero() -> None:
    values = np.random.default_rng(4).gamma(0.7, 20, 60)
    fitted = smooth(values, Period.WEEK, 8)
    paths = residual_paths(fitted, (500, 8), np.random.default_rng(2), spread=1.5)
    assert (paths >= 0).all()
    assert paths.mean(axis=0) == pytest.approx(fitted.mean)


def test_a_moving_average_says_why_it_stands_in() -> None:
    made = moving_average(np.arange(24.0), 3, "no model fits")
    assert made.mean.tolist() == [17.5, 17.5, 17.5]
    assert made.fallback == "no model fits"


def test_the_statsforecast_ensemble_continues_a_season_without_a_warning() -> None:
    months = np.arange(48)
    values = 100 + 30 * np.sin(2 * np.pi * months / 12) + np.random.default_rng(1).normal(0, 3, 48)
    made = ensemble(values, 12, 12)
    assert made.model == "AutoETS+DOT"
    assert made.mean == pytest.approx(100 + 30 * np.sin(2 * np.pi * np.arange(12) / 12), abs=12)


def test_importing_the_forecasts_does_not_import_statsforecast() -> None:
    code = "import sys, tools.forecasting; sys.exit('statsforecast' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_demand_every_fourth_period_has_the_bias_corrected_probability() -> None:
    values = np.tile([0.0, 0, 0, 5], 12)
    assert demand_probability(values) == pytest.approx((1 - 0.1 / 2) / 4)


def test_an_item_that_fell_silent_fades() -> None:
    busy = np.tile([0.0, 0, 0, 5], 12)
    silent = np.concatenate([busy, np.zeros(30)])
    assert demand_probability(silent) < 0.25 * demand_probability(busy)


def test_the_compound_bootstrap_draws_only_sizes_that_occurred() -> None:
    values = np.array([0.0, 3, 0, 0, 8, 0, 0, 3, 0, 0])
    paths = compound_bootstrap(values, Period.MONTH, (200, 6), np.random.default_rng(1))
    assert set(np.unique(paths)) == {0.0, 3.0, 8.0}
    assert (paths > 0).mean() == pytest.approx(demand_probability(values), abs=0.05)


def test_pinball_loss_of_the_median_is_half_the_absolute_error() -> None:
    paths = np.full((10, 2), 4.0)
    assert pinball(np.array([6.0, 3.0]), paths, np.array([0.5])) == pytest.approx(0.5 * (2 + 1) / 2)


def test_coverage_counts_what_lies_inside_the_interval() -> None:
    paths = np.tile(np.linspace(0, 100, 101)[:, None], (1, 2))
    assert coverage(np.array([50.0, 95.0]), paths, 0.8) == 0.5


def test_a_backtest_without_enough_history_has_no_origin() -> None:
    made = backtest(np.ones(10), lambda past, horizon: np.ones((5, horizon)), horizon=6, origins=3, season=1)
    assert made.origins == 0
    assert np.isnan(made.pinball)


@given(st.lists(st.floats(0, 1e7), min_size=8, max_size=60))
def test_any_history_gives_finite_forecasts_that_are_not_negative(values: list[float]) -> None:
    for period in (Period.WEEK, Period.MONTH):
        fitted = smooth(np.array(values), period, 13)
        paths = residual_paths(fitted, (16, 13), np.random.default_rng(0))
        assert np.isfinite(paths).all()
        assert (paths >= 0).all()
