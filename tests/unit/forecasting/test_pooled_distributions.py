import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.domain.datasets import Period
from tools.forecasting import DemandPattern, classify
from tools.forecasting.catalogue import item_paths
from tools.forecasting.engine.fit import fit_catalogue, in_chunks
from tools.forecasting.engine.intermittent import compound_bootstrap, negative_binomial
from tools.forecasting.engine.panel import panel_of
from tools.forecasting.engine.pooling import SMALL_LEAF, Trajectories, error_law, features_of, pool_errors
from tools.forecasting.engine.seasonality import find_seasons, show_season


def fitted(series: list[np.ndarray], period: Period = Period.WEEK, horizon: int = 6):
    return fit_catalogue(panel_of(series, period), horizon)


def test_patterns_follow_the_cut_offs_of_syntetos_boylan_and_croston() -> None:
    assert classify(np.array([10.0, 11, 9, 10, 12, 10])) is DemandPattern.SMOOTH
    assert classify(np.array([1.0, 30, 2, 40, 1, 25])) is DemandPattern.ERRATIC
    assert classify(np.array([10.0, 0, 0, 11, 0, 9])) is DemandPattern.INTERMITTENT
    assert classify(np.array([1.0, 0, 0, 60, 0, 2])) is DemandPattern.LUMPY
    assert classify(np.zeros(5)) is DemandPattern.NONE
    assert classify(np.empty(0)) is DemandPattern.NONE


def test_periods_of_unknown_demand_do_not_make_an_item_intermittent() -> None:
    values = np.array([10.0, np.nan, 11, np.nan, 9, np.nan, 10])
    assert classify(values) is DemandPattern.SMOOTH
    assert classify(np.nan_to_num(values)) is DemandPattern.INTERMITTENT


def test_a_constant_series_is_forecast_by_its_constant() -> None:
    made = fitted([np.full(30, 12.0)])
    assert made.mean[0] == pytest.approx(np.full(6, 12.0))


def test_a_straight_line_is_continued_and_a_flat_noise_is_not() -> None:
    rng = np.random.default_rng(2)
    made = fitted([10 + 2.0 * np.arange(40), *(rng.gamma(9, 10, 40) for _ in range(5))])
    assert made.mean[0, :3] == pytest.approx([90, 92, 94], rel=0.03)
    assert np.abs(np.diff(made.mean[1:], axis=1)).max() < 2


def test_a_monthly_season_comes_back_in_the_forecast() -> None:
    months = np.arange(60)
    values = 100 * (1 + 0.5 * np.sin(2 * np.pi * months / 12))
    made = fitted([values], Period.MONTH, 12)
    expected = 100 * (1 + 0.5 * np.sin(2 * np.pi * (60 + np.arange(12)) / 12))
    assert made.mean[0] * made.season[0] == pytest.approx(expected, rel=0.06)


def test_a_yearly_wave_is_found_in_two_years_of_weeks() -> None:
    rng = np.random.default_rng(3)
    weeks = np.arange(104)
    wave = 100 + 40 * np.sin(2 * np.pi * weeks / 52.18) + rng.normal(0, 10, 104)
    seasons = find_seasons(panel_of([wave], Period.WEEK), np.array([True]), 52)
    assert np.ptp(100 * seasons.future[0]) == pytest.approx(80, rel=0.2)


@pytest.mark.parametrize(("period", "periods", "allowed"), [(Period.WEEK, 156, 0.02), (Period.MONTH, 72, 0.06)])
def test_white_noise_shows_a_season_in_few_samples(period: Period, periods: int, allowed: float) -> None:
    noise = np.random.default_rng(5).gamma(6, 10, (400, periods))
    seasons = find_seasons(panel_of(list(noise), period), np.ones(400, dtype=bool), 12)
    assert seasons.found.mean() <= allowed
    assert (seasons.future[~seasons.found] == 1).all()


def test_the_season_test_keeps_its_level_on_white_noise() -> None:
    found = show_season(np.random.default_rng(6).normal(size=(2000, 72)), 12)
    assert found.mean() < 0.07


def test_likeness_is_learned_so_that_steady_and_wild_items_draw_from_different_errors() -> None:
    rng = np.random.default_rng(8)
    steady, wild = rng.gamma(400, 0.25, (60, 80)), rng.gamma(0.8, 125, (60, 80))
    made = fitted([*steady, *wild])
    spread = made.quantiles(np.array([0.1, 0.9]))
    relative = (spread[:, 1] - spread[:, 0]).mean(axis=1) / made.mean.mean(axis=1)
    assert relative[:60].mean() == pytest.approx(2 * 1.28 * 0.05, rel=0.35)
    assert relative[60:].mean() == pytest.approx(2.4, rel=0.25)
    assert not set(made.group[:60].tolist()) & set(made.group[60:].tolist())


def test_intervals_cover_what_a_gamma_world_brings_next() -> None:
    rng = np.random.default_rng(10)
    world = rng.gamma(3, 30, (300, 86))
    made = fitted(list(world[:, :80]))
    low, high = made.quantiles(np.array([0.1, 0.9])).transpose(1, 0, 2)
    actual = world[:, 80:]
    assert ((actual >= low) & (actual <= high)).mean() == pytest.approx(0.8, abs=0.03)
    assert (actual < low).mean() == pytest.approx(0.1, abs=0.03)


def test_errors_of_a_wandering_level_grow_with_the_horizon() -> None:
    rng = np.random.default_rng(1)
    walks = 200 + np.cumsum(rng.normal(0, 4, (40, 100)), axis=1)
    made = fitted(list(np.maximum(walks, 1)), horizon=20)
    low, high = made.quantiles(np.array([0.1, 0.9])).transpose(1, 0, 2)
    width = (high - low).mean(axis=0)
    assert width[19] > 2 * width[0]


def test_the_result_does_not_depend_on_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    series = list(np.random.default_rng(4).gamma(2, 10, (5000, 40)))
    made = []
    for count in (1, 4):
        monkeypatch.setattr("tools.forecasting.engine.fit.os.cpu_count", lambda count=count: count)
        made.append(fitted(series).quantiles(np.array([0.5])))
    assert (made[0] == made[1]).all()


def test_every_chunk_is_worked_on_once() -> None:
    seen = np.zeros(5000)

    def work(rows: slice) -> None:
        seen[rows] += 1

    in_chunks(5000, work)
    assert (seen == 1).all()


def test_a_pool_without_trajectories_uses_the_usual_errors() -> None:
    nothing = Trajectories(
        np.empty((0, 3)), np.empty((0, 3), dtype=bool), np.empty((0, 3)), np.empty(0, dtype=np.int64)
    )
    pool = pool_errors(nothing, 8)
    assert [errors.shape for errors in pool.errors] == [(SMALL_LEAF, 8)]
    assert 0.5 < pool.errors[0][:, 0].std() < 2.5
    assert pool.errors[0].mean() == pytest.approx(0, abs=0.35)


def test_few_independent_forecasts_make_wider_intervals_than_many() -> None:
    rng = np.random.default_rng(3)
    errors, zero, features = rng.normal(size=(200, 4)), np.zeros((200, 4), dtype=bool), np.zeros((200, 3))
    few = pool_errors(Trajectories(errors, zero, features, np.arange(200) % 3), 4)
    many = pool_errors(Trajectories(errors, zero, features, np.arange(200)), 4)
    assert few.errors[0].std() / many.errors[0].std() == pytest.approx(1.25 / (1 + 0.75 / 200))


def test_an_item_that_took_off_from_nothing_lends_no_absurd_error() -> None:
    errors = np.random.default_rng(3).normal(size=(200, 4))
    errors[0, 2] = 5_000.0
    pool = pool_errors(Trajectories(errors, np.zeros((200, 4), dtype=bool), np.zeros((200, 3)), np.arange(200)), 4)
    assert 20 < max(group.max() for group in pool.errors) <= 31


def test_beyond_the_trajectories_a_wrong_level_goes_on_in_part_and_adds_no_bias() -> None:
    rng = np.random.default_rng(4)
    errors = np.repeat(rng.normal(size=(200, 1)), 5, axis=1) + 0.1 * rng.normal(size=(200, 5))
    pool = pool_errors(Trajectories(errors, np.zeros((200, 5), dtype=bool), np.zeros((200, 3)), np.arange(200)), 10)
    first, later = pool.errors[0][:, :5].mean(axis=1), pool.errors[0][:, 5:].mean(axis=1)
    assert 0.25 < np.corrcoef(first, later)[0, 1] < 0.75
    assert abs(later.mean()) < 0.1


def test_no_path_goes_beyond_three_times_what_was_seen_lately_or_is_expected() -> None:
    rng = np.random.default_rng(5)
    series = [rng.gamma(2, 10, 150) for _ in range(20)]
    series[0][0] = 9_000.0
    panel = panel_of(series, Period.WEEK)
    made = fit_catalogue(panel, 6)
    lately = np.array([values[-104:].max() for values in series])
    assert made.most == pytest.approx(3 * np.maximum(lately, made.mean.max(axis=1)))
    wild = replace(made, error=100 * made.error)
    assert item_paths(wild, panel, 0, 200, rng).max() == pytest.approx(made.most[0])
    assert wild.quantiles(np.array([0.99]))[0].max() == pytest.approx(made.most[0])


def test_paths_of_intermittent_demand_by_weight_are_exactly_zero_as_often_as_the_past_was() -> None:
    rng = np.random.default_rng(6)
    world = (rng.random((80, 104)) < 0.35) * rng.gamma(4, 2.5, (80, 104))
    panel = panel_of(list(world), Period.WEEK)
    made = fit_catalogue(panel, 6)
    zeros = np.mean([(item_paths(made, panel, row, 256, rng) == 0).mean() for row in range(80)])
    assert zeros == pytest.approx(0.65, abs=0.06)
    table = made.quantiles(np.array([0.3, 0.9]))
    assert (table[:, 0] == 0).mean() > 0.95
    assert (table[:, 1] > 0).all()


def test_the_usual_error_at_a_level_is_recovered() -> None:
    rng = np.random.default_rng(2)
    level = rng.lognormal(3, 1, 500)
    law = error_law(0.7 * level**0.8 * rng.lognormal(0, 0.2, 500), level)
    assert law.slope == pytest.approx(0.8, abs=0.03)
    assert np.exp(law.intercept) == pytest.approx(0.7, rel=0.1)
    thin = law.steadied(np.array([0.0]), np.array([10.0]), np.array([0.0]))
    assert thin == pytest.approx(np.exp(law.intercept) * 10**law.slope)


def test_features_of_an_item_without_level_are_finite() -> None:
    assert np.isfinite(features_of(np.zeros(1), np.zeros(1), np.ones(1))).all()


def test_the_compound_bootstrap_draws_only_sizes_that_occurred_at_the_wanted_rate() -> None:
    history = np.array([0.0, 3, 0, np.nan, 8, 0, 0, 3, 0, 0])
    paths = compound_bootstrap(history, np.full(6, 1.2), 4000, np.random.default_rng(1))
    assert set(np.unique(paths)) == {0.0, 3.0, 8.0}
    assert paths.mean() == pytest.approx(1.2, rel=0.08)


def test_the_negative_binomial_has_the_mean_asked_for_and_at_least_the_variance_seen() -> None:
    rng = np.random.default_rng(1)
    history = rng.negative_binomial(2, 0.4, 400).astype(float)
    paths = negative_binomial(history, np.full(8, 3.0), 8000, rng)
    assert paths.mean() == pytest.approx(3.0, rel=0.05)
    assert paths.var() >= 3.0 * history.var() / history.mean()
    assert (paths == np.floor(paths)).all()


def test_importing_the_forecasts_does_not_import_pandas() -> None:
    code = "import sys, tools.forecasting; sys.exit('statsforecast' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(0, 1e7) | st.just(float("nan")), max_size=60), min_size=1, max_size=4))
def test_any_histories_give_finite_forecasts_that_are_not_negative(rows: list[list[float]]) -> None:
    for period in Period:
        made = fitted([np.array(row, dtype=float) for row in rows], period, 13)
        quantiles = made.quantiles(np.array([0.05, 0.5, 0.95]))
        assert np.isfinite(quantiles).all()
        assert (quantiles >= 0).all()
        assert (np.diff(quantiles, axis=1) >= 0).all()
