import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tools.forecasting.accuracy import (
    LEVELS,
    absolute_scale,
    coverage,
    covered,
    mean_absolute_scaled_error,
    quantile_losses,
    root_mean_squared_scaled_error,
    seasonal_naive_quantiles,
    squared_scale,
)


def test_the_quantile_loss_of_the_median_alone_is_the_absolute_error() -> None:
    losses = quantile_losses(np.array([6.0, 3.0]), np.array([[4.0, 4.0]]), np.array([0.5]))
    assert losses.tolist() == [2.0, 1.0]


def test_a_high_quantile_is_punished_for_falling_short_and_hardly_for_lying_above() -> None:
    losses = quantile_losses(np.array([10.0, 10.0]), np.array([[8.0, 12.0]]), np.array([0.9]))
    assert losses == pytest.approx([2 * 0.9 * 2, 2 * 0.1 * 2])


def test_quantile_losses_of_several_levels_equal_a_sum_by_hand() -> None:
    levels, quantiles = np.array([0.25, 0.5, 0.75]), np.tile(np.array([[10.0], [20.0], [30.0]]), (1, 2))
    by_hand = 0.0
    for actual in (15.0, 45.0):
        for level, quantile in zip(levels, (10.0, 20.0, 30.0), strict=True):
            error = actual - quantile
            by_hand += 2 * (level * error if error >= 0 else (level - 1) * error) / 3
    assert quantile_losses(np.array([15.0, 45.0]), quantiles, levels).sum() == pytest.approx(by_hand)


def test_losses_and_coverage_of_many_items_at_once_are_those_of_each() -> None:
    rng = np.random.default_rng(1)
    actual, paths = rng.poisson(3, (5, 4)).astype(float), rng.poisson(3, (40, 5, 4)).astype(float)
    quantiles = np.quantile(paths, LEVELS, axis=0)
    together, inside = quantile_losses(actual, quantiles), covered(actual, paths, 0.8)
    for item in range(5):
        assert together[item] == pytest.approx(quantile_losses(actual[item], quantiles[:, item]))
        assert inside[item] == pytest.approx(covered(actual[item], paths[:, item], 0.8))


def test_the_mean_absolute_scaled_error_follows_hyndman_and_koehler() -> None:
    history = np.array([2.0, 4.0, 8.0, 6.0])
    scale = (2 + 4 + 2) / 3
    assert absolute_scale(history) == pytest.approx(scale)
    made = mean_absolute_scaled_error(np.array([7.0, 3.0]), np.array([6.0, 6.0]), history)
    assert made == pytest.approx(((1 + 3) / 2) / scale)


def test_the_seasonal_scale_compares_with_the_same_period_of_the_season_before() -> None:
    history = np.array([10.0, 20.0, 13.0, 25.0])
    assert absolute_scale(history, 2) == pytest.approx((3 + 5) / 2)


def test_the_root_mean_squared_scaled_error_follows_the_m5_competition() -> None:
    history = np.array([0.0, 0.0, 3.0, 5.0, 1.0])
    assert squared_scale(history) == pytest.approx((4 + 16) / 2), "zeros before the first demand do not count"
    made = root_mean_squared_scaled_error(np.array([4.0, 0.0]), np.array([2.0, 2.0]), history)
    assert made == pytest.approx(np.sqrt(4 / 10))


def test_the_naive_forecast_of_a_random_walk_has_a_scaled_error_of_one() -> None:
    walk = np.cumsum(np.random.default_rng(2).normal(0, 1, 20_000)) + 1000
    history, actual, before = walk[:10_000], walk[10_000:], walk[9_999:-1]
    assert mean_absolute_scaled_error(actual, before, history) == pytest.approx(1, abs=0.03)
    assert root_mean_squared_scaled_error(actual, before, history) == pytest.approx(1, abs=0.03)


def test_scaled_errors_of_a_constant_history_are_not_defined() -> None:
    assert np.isnan(mean_absolute_scaled_error(np.array([1.0]), np.array([2.0]), np.full(9, 4.0)))
    assert np.isnan(root_mean_squared_scaled_error(np.array([1.0]), np.array([2.0]), np.empty(0)))


def test_a_right_forecast_of_an_intermittent_item_covers_what_the_interval_says() -> None:
    rng = np.random.default_rng(3)

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        return np.where(rng.random(shape) < 0.1, rng.poisson(4.0, shape), 0).astype(float)

    actual, paths = draw((4000,)), draw((400, 4000))
    low, high = np.quantile(paths, [0.1, 0.9], axis=0)
    closed = float(((actual >= low) & (actual <= high)).mean())
    assert closed > 0.88, "the closed interval [0, 0] covers nine tenths"
    for level in (0.5, 0.8, 0.95):
        assert coverage(actual, paths, level) == pytest.approx(level, abs=0.02)


def test_a_forecast_that_sees_too_much_demand_covers_too_little_at_zero() -> None:
    rng = np.random.default_rng(4)
    actual = np.where(rng.random(3000) < 0.05, 5.0, 0.0)
    paths = np.where(rng.random((400, 3000)) < 0.6, 5.0, 0.0)
    assert coverage(actual, paths, 0.5) < 0.4


def test_a_right_forecast_of_few_paths_covers_what_the_interval_says() -> None:
    rng = np.random.default_rng(5)
    actual, paths = rng.gamma(2, 10, 20_000), rng.gamma(2, 10, (19, 20_000))
    assert coverage(actual, paths, 0.8) == pytest.approx(0.8, abs=0.01)


def test_a_value_outside_all_paths_is_not_covered_and_one_in_their_middle_is() -> None:
    paths = np.tile(np.linspace(1, 99, 99)[:, None], (1, 3))
    assert covered(np.array([0.0, 50.5, 200.0]), paths, 0.95).tolist() == [0.0, 1.0, 0.0]


@given(
    arrays(np.float64, 4, elements=st.floats(0, 50).map(round)),
    arrays(np.float64, (12, 4), elements=st.floats(0, 50).map(round)),
)
def test_wider_intervals_cover_more_and_shares_stay_between_none_and_all(actual: np.ndarray, paths: np.ndarray) -> None:
    narrow, middle, wide = (covered(actual, paths, level) for level in (0.5, 0.8, 0.95))
    assert (narrow >= 0).all()
    assert (wide <= 1 + 1e-12).all()
    assert (narrow <= middle + 1e-12).all()
    assert (middle <= wide + 1e-12).all()


@given(arrays(np.float64, (30, 3), elements=st.floats(0, 1e6)), arrays(np.float64, 3, elements=st.floats(0, 1e6)))
def test_losses_are_never_negative_and_vanish_for_a_sure_forecast_that_is_right(
    paths: np.ndarray, actual: np.ndarray
) -> None:
    assert (quantile_losses(actual, np.quantile(paths, LEVELS, axis=0)) >= 0).all()
    assert quantile_losses(actual, np.tile(actual, (LEVELS.size, 1))).sum() == 0


def test_the_naive_yardstick_grows_less_certain_with_the_seasons_ahead() -> None:
    walk = np.cumsum(np.random.default_rng(6).normal(0, 1, 400)) + 500
    made = seasonal_naive_quantiles(walk, 9, 1)
    width = made[-1] - made[0]
    assert width[0] == pytest.approx(2 * 1.96, rel=0.15)
    assert width[8] == pytest.approx(3 * width[0], rel=0.35), "the root of nine periods"
    assert made[3] == pytest.approx(np.full(9, walk[-1]), abs=1.5)


def test_the_naive_yardstick_of_a_short_history_is_still_finite() -> None:
    for values in (np.empty(0), np.array([5.0]), np.array([5.0, 9.0])):
        assert np.isfinite(seasonal_naive_quantiles(values, 4, 12)).all()
