from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tools.domain.datasets import DemandHistory, Period
from tools.forecasting import bucket, detect_period
from tools.forecasting.history import future_starts


def history(dates: list[str], quantities: list[float]) -> DemandHistory:
    return DemandHistory("A", "MAIN", np.array(dates, dtype="datetime64[D]"), np.array(quantities, dtype=float))


def test_months_are_calendar_months_and_a_gap_is_zero_demand() -> None:
    series = bucket(history(["2024-01-05", "2024-01-30", "2024-03-01"], [2, 3, 7]), date(2024, 4, 30), Period.MONTH)
    assert series.starts.astype(str).tolist() == ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]
    assert series.quantities.tolist() == [5, 0, 7, 0]


def test_a_month_that_has_not_ended_is_left_out_and_forecast_instead() -> None:
    series = bucket(history(["2024-01-05", "2024-02-10"], [2, 9]), date(2024, 2, 20), Period.MONTH)
    assert series.quantities.tolist() == [2]
    assert future_starts(series, date(2024, 2, 20), 2).astype(str).tolist() == ["2024-02-01", "2024-03-01"]


def test_weeks_of_daily_records_begin_on_monday_and_the_running_one_is_forecast_instead() -> None:
    days = np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-01-25"))
    series = bucket(history(days.astype(str).tolist(), [1.0] * 24), date(2024, 1, 24), Period.WEEK)
    assert series.quantities.tolist() == [7, 7, 7]
    assert str(series.starts[-1]) == "2024-01-15"
    assert str(future_starts(series, date(2024, 1, 24), 1)[0]) == "2024-01-22"


def test_a_weekly_record_counts_once_its_week_has_ended() -> None:
    mondays = history(["2023-12-25", "2024-01-01", "2024-01-08", "2024-01-15"], [3, 4, 5, 6])
    assert bucket(mondays, date(2024, 1, 17), Period.WEEK).quantities.tolist() == [3, 4, 5]
    assert bucket(mondays, date(2024, 1, 20), Period.WEEK).quantities.tolist() == [3, 4, 5]
    assert bucket(mondays, date(2024, 1, 21), Period.WEEK).quantities.tolist() == [3, 4, 5, 6]


def test_rows_that_are_not_finite_negative_or_in_the_future_are_dropped() -> None:
    dates = ["2024-01-01", "2024-01-02", "2024-01-03", "2025-01-01"]
    series = bucket(history(dates, [float("nan"), -3, 4, 100]), date(2024, 1, 31), Period.MONTH)
    assert series.quantities.tolist() == [4]


def test_an_empty_history_gives_an_empty_series() -> None:
    assert bucket(history([], []), date(2024, 1, 31), Period.WEEK).quantities.size == 0


@given(
    offsets=st.lists(st.integers(0, 400), min_size=1, max_size=40, unique=True),
    period=st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH]),
)
def test_no_bucket_holds_more_than_was_recorded_and_starts_ascend(offsets: list[int], period: Period) -> None:
    first = np.datetime64("2023-01-01")
    dates = np.sort(first + np.array(offsets))
    end = dates[-1].astype(date)
    series = bucket(DemandHistory("A", "MAIN", dates, np.ones(dates.size)), end, period)
    assert series.quantities.sum() <= dates.size
    assert (np.diff(series.starts).astype(int) > 0).all()
    assert series.starts.size == series.quantities.size


def test_the_period_follows_the_usual_gap_between_records() -> None:
    month = history(["2024-01-01", "2024-02-01", "2024-03-01"], [1, 1, 1])
    week = history(["2024-01-01", "2024-01-08", "2024-01-15"], [1, 1, 1])
    day = history(["2024-01-01", "2024-01-02", "2024-01-03"], [1, 1, 1])
    assert [detect_period([h]) for h in (month, week, day)] == [Period.MONTH, Period.WEEK, Period.DAY]
    assert detect_period([history([], [])]) is Period.WEEK
