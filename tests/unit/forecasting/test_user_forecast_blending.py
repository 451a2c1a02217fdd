import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from tools.domain.arrays import DateArray, FloatArray
from tools.domain.datasets import Period, UserForecast
from tools.forecasting.combining.blending import (
    PRIOR_WEIGHT,
    Blended,
    PastForecasts,
    blend,
    past_of,
    quantile_function,
    scored,
)
from tools.forecasting.combining.user_forecasts import UserPeriods, in_periods, scaled_forecast

LEVELS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
WEEKS: DateArray = np.datetime64("2024-01-01") + 7 * np.arange(16)
MONTHS: DateArray = np.array([f"2024-{month:02}-01" for month in range(1, 7)], dtype="datetime64[D]")


def given_as(
    dates: DateArray, quantities: list[float] | FloatArray, levels: float | FloatArray = np.nan
) -> UserForecast:
    return UserForecast("P01", dates, np.asarray(quantities, dtype=float), np.broadcast_to(levels, dates.size).copy())


def days(first: str, last: str) -> DateArray:
    return np.arange(np.datetime64(first), np.datetime64(last) + 1)


def sold(seed: int = 1, periods: int = 12) -> FloatArray:
    return np.random.default_rng(seed).poisson(100, periods).astype(float)


def past(actual: FloatArray, error: float) -> PastForecasts:
    """Ours of the first weeks, whose means miss by this share, alternately above and below."""
    means = actual * (1 + error * np.where(np.arange(actual.size) % 2, 1, -1))
    paths = means * np.random.default_rng(6).gamma(25, 1 / 25, (300, actual.size))
    return past_of(WEEKS[: actual.size], actual, paths / paths.mean(axis=0) * means, LEVELS)


NO_PAST = past_of(WEEKS[:0], np.empty(0), np.empty((300, 0)), LEVELS)


def ours(mean: float = 100.0, periods: int = 4) -> FloatArray:
    return np.random.default_rng(2).poisson(mean, (500, periods)).astype(float)


def blended(user: UserForecast, known: PastForecasts = NO_PAST, paths: FloatArray | None = None) -> Blended:
    return blend(ours() if paths is None else paths, WEEKS[12:], user, Period.WEEK, known, np.random.default_rng(4))


def test_a_daily_forecast_without_weekends_adds_up_to_whole_weeks() -> None:
    work = days("2024-01-01", "2024-01-26")
    work = work[np.is_busday(work)]
    made = in_periods(given_as(work, np.full(work.size, 10.0)), Period.WEEK, WEEKS[:5])
    assert made.means == pytest.approx([50, 50, 50, 50, np.nan], nan_ok=True)
    assert made.notes == ()


def test_a_monthly_forecast_is_spread_over_the_days_of_weeks() -> None:
    made = in_periods(given_as(MONTHS[:2], [310.0, 580.0]), Period.WEEK, WEEKS[:10])
    assert made.means[:4] == pytest.approx(70)
    assert made.means[4] == pytest.approx(3 * 10 + 4 * 20)
    assert made.means[5:8] == pytest.approx(140)
    assert made.means[8] == pytest.approx(140)  # four of its seven days are forecast: the others are like them
    assert np.isnan(made.means[9])


@pytest.mark.parametrize("day", ["01", "15", "28"])
def test_a_monthly_row_means_its_calendar_month_on_whichever_day_it_is_dated(day: str) -> None:
    dates = np.array([f"2024-{month:02}-{day}" for month in (1, 2, 3)], dtype="datetime64[D]")
    assert in_periods(given_as(dates, [1.0, 2, 3]), Period.MONTH, MONTHS[:4]).means == pytest.approx(
        [1, 2, 3, np.nan], nan_ok=True
    )


def test_weeks_that_begin_on_another_day_share_their_units() -> None:
    made = in_periods(given_as(WEEKS[:4] + 3, [70.0, 140, 70, 70]), Period.WEEK, WEEKS[:5])
    assert made.means[1] == pytest.approx(3 * 10 + 4 * 20)
    assert made.means[0] == pytest.approx(70)
    assert np.isnan(made.means[4])


def test_a_missing_month_is_not_filled_from_its_neighbours() -> None:
    made = in_periods(given_as(MONTHS[[0, 1, 2, 4]], [1.0, 1, 1, 1]), Period.MONTH, MONTHS)
    assert np.isnan(made.means[[3, 5]]).all()
    assert made.means[4] == pytest.approx(1)


def test_intervals_of_days_add_up_by_their_squares() -> None:
    dates = np.repeat(days("2024-01-01", "2024-01-07"), 3)
    levels, quantities = np.tile([0.1, 0.5, 0.9], 7), np.tile([6.0, 10, 14], 7)
    made = in_periods(given_as(dates, quantities, levels), Period.WEEK, WEEKS[:1])
    assert made.quantiles.ravel() == pytest.approx([70 - 4 * np.sqrt(7), 70, 70 + 4 * np.sqrt(7)])
    assert made.means == pytest.approx(70, rel=0.01)


def test_rows_four_weeks_apart_are_not_taken_for_months() -> None:
    made = in_periods(given_as(WEEKS[[0, 4, 8]], [280.0, 280, 280]), Period.WEEK, WEEKS[:13])
    assert made.means[:12] == pytest.approx(70)
    assert np.isnan(made.means[12])


def test_the_share_of_a_site_scales_the_forecast() -> None:
    user = scaled_forecast(given_as(MONTHS, np.full(6, 200.0)), 0.25)
    assert in_periods(user, Period.MONTH, MONTHS).means == pytest.approx(50)


def test_a_forecast_without_a_record_gets_a_modest_weight() -> None:
    made = blended(given_as(WEEKS[12:], np.full(4, 200.0)))
    assert made.score.weight == PRIOR_WEIGHT
    assert made.paths.mean(axis=0) == pytest.approx(0.7 * ours().mean(axis=0) + 0.3 * 200)
    assert made.notes == ("your forecast counts 30% in 4 of 4 periods: there is no past period to judge it by",)


def test_a_forecast_a_hundred_times_beyond_all_that_ours_holds_possible_is_left_out_with_its_reason() -> None:
    known = past(sold(), 0.1)
    mistyped = given_as(WEEKS[12:], [120.0, 1e11, 120.0, 1e6])
    made = blended(mistyped, known)
    assert made.paths[:, [1, 3]].tolist() == ours()[:, [1, 3]].tolist()
    assert made.paths[:, 0].mean() > ours()[:, 0].mean()
    assert any("of 1e+11 units" in note and "2 periods" in note for note in made.notes)
    levels = np.array([0.1, 0.9])
    wide = given_as(np.repeat(WEEKS[12:13], 2), [100.0, 1e11], levels)
    assert blended(wide, known).paths.tolist() == ours().tolist()


def test_a_new_item_may_sell_a_hundred_times_what_ours_holds_possible() -> None:
    made = blended(given_as(WEEKS[12:], np.full(4, 1e6)), NO_PAST, np.full((500, 4), 1.0))
    assert made.paths.mean() > 1e5


def test_the_record_decides_the_weight() -> None:
    actual = sold()
    better = blended(given_as(WEEKS, np.append(actual * 1.02, np.full(4, 200.0))), past(actual, 0.3))
    worse = blended(given_as(WEEKS, np.append(actual * 1.6, np.full(4, 200.0))), past(actual, 0.1))
    assert better.score.weight > 0.6
    assert worse.score.weight < 0.05
    assert better.score.periods == 12
    assert better.score.user_wql < better.score.our_wql
    assert better.score.user_bias == pytest.approx(0.02)
    assert worse.score.user_bias == pytest.approx(0.6)
    assert "judged by 12 past periods, where it lost 60% of demand and ours 10%" in worse.notes[0]


def test_weights_are_the_inverse_squared_errors_once_the_record_is_long() -> None:
    rng = np.random.default_rng(3)
    actual = np.full(4000, 100.0)
    known = past_of(np.arange(4000).astype("datetime64[D]"), actual, 100 + rng.normal(0, 4, (1, 4000)), LEVELS)
    theirs = UserPeriods(100 + rng.normal(0, 2, 4000), np.empty(0), np.empty((0, 4000)))
    assert scored(theirs, known).weight == pytest.approx((1 / 4) / (1 / 4 + 1 / 16), rel=0.03)


def test_one_period_of_record_moves_the_weight_little() -> None:
    actual = sold(periods=1)
    user = given_as(WEEKS[[0, 12, 13]], [actual[0], 200.0, 200])
    assert PRIOR_WEIGHT < blended(user, past(actual, 0.3)).score.weight < PRIOR_WEIGHT + 0.1


def test_periods_that_the_user_leaves_out_stay_ours() -> None:
    made = blended(given_as(WEEKS[12:14], [200.0, 200]))
    assert (made.paths[:, 2:] == ours()[:, 2:]).all()
    assert "in 2 of 4 periods" in made.notes[0]


def test_a_forecast_of_the_past_only_is_scored_and_not_blended() -> None:
    actual = sold()
    made = blended(given_as(WEEKS[:12], actual), past(actual, 0.2))
    assert (made.paths == ours()).all()
    assert made.score.weight == 0
    assert (made.score.periods, made.score.user_wql) == (12, 0)
    assert made.notes == ("your forecast says nothing of the coming periods: ours stands alone",)


def test_quantile_functions_are_averaged_and_each_path_keeps_its_rank() -> None:
    dates, levels = np.repeat(WEEKS[12:], 3), np.tile([0.1, 0.5, 0.9], 4)
    made = blended(given_as(dates, np.tile(200 + 20 * norm.ppf([0.1, 0.5, 0.9]), 4), levels))
    before = ours()
    for q in (0.1, 0.5, 0.9):
        expected = 0.7 * np.quantile(before, q, axis=0) + 0.3 * (200 + 20 * norm.ppf(q))
        assert np.quantile(made.paths, q, axis=0) == pytest.approx(expected, rel=0.01)
    for place in range(4):
        order = np.argsort(made.paths[:, place])
        assert (np.diff(before[order, place]) >= 0).all()


def test_one_quantile_alone_scales_ours_to_meet_it() -> None:
    made = blended(given_as(WEEKS[12:], np.full(4, 2 * np.quantile(ours(), 0.9)), 0.9))
    assert made.paths.mean() == pytest.approx(ours().mean() * 1.3, rel=0.02)


def test_demand_that_ours_does_not_know_of_comes_with_a_spread() -> None:
    made = blended(given_as(WEEKS[12:], np.full(4, 50.0)), paths=np.zeros((500, 4)))
    assert made.paths.mean(axis=0) == pytest.approx(0.3 * 50)
    assert made.paths.std(axis=0) == pytest.approx(0.3 * 25, rel=0.15)


def test_coverage_is_counted_where_the_user_gave_an_interval() -> None:
    actual = np.array([100.0, 100, 100, 100])
    quantiles = np.array([[90.0, 90, 101, np.nan], [110, 110, 120, 120]])
    theirs = UserPeriods(np.full(4, 100.0), np.array([0.1, 0.9]), quantiles)
    score = scored(theirs, past(actual, 0.0))
    assert score.user_coverage_80 == pytest.approx(2 / 3)
    assert score.our_coverage_80 == 1
    assert np.isnan(scored(UserPeriods(theirs.means, np.empty(0), np.empty((0, 4))), past(actual, 0)).user_coverage_80)


def test_periods_of_unknown_demand_are_no_record() -> None:
    actual = sold()
    actual[::2] = np.nan
    assert blended(given_as(WEEKS, np.full(16, 100.0)), past(actual, 0.1)).score.periods == 6


def test_quantiles_follow_a_normal_distribution_beyond_the_levels_given() -> None:
    at = np.array([0.01, 0.2, 0.5, 0.8, 0.99])
    given_levels = np.array([0.1, 0.5, 0.9])
    assert quantile_function(given_levels, 50 + 5 * norm.ppf(given_levels), at) == pytest.approx(50 + 5 * norm.ppf(at))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("2024-04-01", -5.0, np.nan), "1 row left out: with a negative quantity"),
        (("2024-04-01", np.nan, np.nan), "1 row left out: with a quantity that is no finite number"),
        (("2024-04-01", np.inf, np.nan), "1 row left out: with a quantity that is no finite number"),
        (("2024-04-01", 1e300, np.nan), "1 row left out: with a quantity beyond any demand"),
        (("2024-04-01", 5.0, 1.5), "1 row left out: with a quantile outside 0..1"),
        (("2024-04-01", 5.0, 0.0), "1 row left out: with a quantile outside 0..1"),
        (("NaT", 5.0, np.nan), "1 row left out: without a date"),
    ],
)
def test_a_row_that_says_nothing_is_left_out_with_its_reason(row: tuple[str, float, float], reason: str) -> None:
    good = given_as(WEEKS[12:], np.full(4, 200.0))
    user = UserForecast(
        "P01",
        np.append(good.dates, np.datetime64(row[0], "D")),
        np.append(good.quantities, row[1]),
        np.append(good.quantiles, row[2]),
    )
    made = blended(user)
    assert made.notes[0] == reason
    assert (made.paths == blended(good).paths).all()


def test_of_repeated_dates_the_last_row_counts() -> None:
    made = in_periods(given_as(WEEKS[[0, 1, 1, 2]], [1.0, 2, 3, 4]), Period.WEEK, WEEKS[:3])
    assert made.means == pytest.approx([1, 3, 4])
    assert made.notes == ("1 row left out: repeated for a date, of which the last one counts",)


def test_quantiles_that_cross_are_put_in_order() -> None:
    user = given_as(np.repeat(WEEKS[12:], 2), np.tile([120.0, 80.0], 4), np.tile([0.1, 0.9], 4))
    assert "quantiles that crossed were put in order" in blended(user).notes
    assert (np.diff(in_periods(user, Period.WEEK, WEEKS[12:]).quantiles, axis=0) > 0).all()


def test_columns_of_unequal_length_are_cut_to_the_shortest() -> None:
    user = UserForecast("P01", WEEKS[12:], np.full(2, 200.0), np.full(4, np.nan))
    assert blended(user).notes[0] == "2 rows left out: without a date, quantity or quantile column"


rows = st.tuples(
    st.one_of(st.integers(-400, 400), st.just(None)),
    st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1000)),
    st.one_of(st.just(float("nan")), st.floats(-0.5, 1.5), st.sampled_from([0.1, 0.5, 0.9])),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(rows, max_size=30), st.sampled_from(list(Period)), st.integers(0, 5))
def test_whatever_a_user_hands_in_paths_are_finite_and_not_negative(
    given_rows: list[tuple[int | None, float, float]], period: Period, behind: int
) -> None:
    dates = np.array(
        [np.datetime64("NaT") if day is None else WEEKS[12] + day for day, _, _ in given_rows], dtype="datetime64[D]"
    )
    user = UserForecast("P01", dates, np.array([r[1] for r in given_rows]), np.array([r[2] for r in given_rows]))
    starts = MONTHS[3:] if period is Period.MONTH else WEEKS[12] + int(period.days) * np.arange(3)
    earlier = WEEKS[12] - 31 * np.arange(behind, 0, -1)
    known = past_of(earlier, np.arange(behind) * 1.0, np.random.default_rng(1).random((50, behind)), LEVELS)
    paths = np.random.default_rng(2).poisson(1.0, (50, 3)).astype(float)
    made = blend(paths, starts, user, period, known, np.random.default_rng(3))
    assert np.isfinite(made.paths).all() and (made.paths >= 0).all()
    assert 0 <= made.score.weight <= 1
    again = blend(paths, starts, user, period, known, np.random.default_rng(3))
    assert (again.paths == made.paths).all()
