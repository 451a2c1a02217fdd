"""The day that the clock shows is no part of the history: only what completes a period changes a forecast.

Equal means equal bits: of each period of the history, of its first days, of what the models saw, and of every sample
path of each coming period. Coming periods are those after the newest complete one, so that a clock within a running
or unreported period forecasts the same ones. What moves with the clock is `planned` alone, the cut of those periods
into the ones that the plan counts from the day after the clock.
"""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rhythm_cases import ENDING, GAPS, RHYTHMS, WEEKDAYS, Case, combinations

from tools.domain.datasets import DemandHistory, Period
from tools.forecasting import DemandForecast, forecast_demand

COMBINATIONS = list(combinations())


def parts(made: DemandForecast) -> dict[str, list[object]]:
    history = made.history
    return {
        "history starts": history.starts.astype(str).tolist(),
        "history": history.quantities.tolist(),
        "closed": history.closed.tolist(),
        "modelled": np.nan_to_num(made.modelled, nan=-1.0).tolist(),
        "starts": made.starts.astype(str).tolist(),
        "paths": made.paths.tolist(),
    }


def all_parts(case: Case, days: int) -> list[dict[str, list[object]]]:
    return [parts(made) for made in case.forecasts(days)]


def test_there_are_over_four_hundred_combinations() -> None:
    assert sum(len(moves) for _, moves in COMBINATIONS) > 400


@pytest.mark.parametrize(("case", "moves"), COMBINATIONS, ids=lambda part: str(part) if isinstance(part, Case) else "")
def test_history_and_forecast_are_equal_period_by_period_when_only_the_clock_moves(
    case: Case, moves: tuple[int, ...]
) -> None:
    expected = all_parts(case, moves[0])
    assert expected[0]["history"], "a case without history would prove nothing"
    last = np.datetime64(str(expected[0]["starts"][0])) - 1
    assert last >= np.datetime64(case.complete)
    for days in moves[1:]:
        assert all_parts(case, days) == expected, days


CASES = st.builds(
    Case,
    rhythm=st.sampled_from(RHYTHMS),
    gaps=st.sampled_from(GAPS),
    items=st.integers(1, 4),
    goes_on=st.booleans(),
    seed=st.integers(0, 10_000),
    hole=st.floats(0.0, 0.3),
)


@settings(max_examples=40, deadline=None)
@given(case=CASES, data=st.data())
def test_no_day_within_a_period_changes_history_or_forecast(case: Case, data: st.DataObject) -> None:
    one, other = (data.draw(st.sampled_from(case.within)) for _ in range(2))
    assert all_parts(case, one) == all_parts(case, other)


@settings(max_examples=20, deadline=None)
@given(case=CASES.filter(lambda case: not case.goes_on), other=st.integers(0, 60))
def test_time_that_passes_without_any_report_changes_neither(case: Case, other: int) -> None:
    assert all_parts(case, 0) == all_parts(case, other)


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_the_next_complete_period_does_change_both(rhythm: str) -> None:
    case = Case(rhythm, goes_on=True)
    before, after = case.forecasts(0)[0], case.forecasts(8)[0]
    assert after.history.quantities.size == before.history.quantities.size + 1
    assert after.starts[0] > before.starts[0]


def test_the_week_of_the_example_is_forecast_the_same_a_day_later() -> None:
    mondays = np.datetime64("2026-06-22") - 7 * np.arange(52)[::-1]
    units = np.random.default_rng(3).poisson(10, 52).astype(np.float64)
    history = DemandHistory("A", "MAIN", mondays, units)
    levels = {
        float(forecast_demand([history], as_of=as_of, period=Period.WEEK, horizon=8)[0].mean().mean())
        for as_of in (date(2026, 6, 28) + timedelta(days=days) for days in range(14))
    }
    assert len(levels) == 1


@pytest.mark.parametrize("weekday", WEEKDAYS)
def test_a_weekly_date_keeps_its_meaning_whatever_the_clock(weekday: str) -> None:
    case = Case(weekday)
    first_days = {str(case.forecasts(days)[0].history.starts[-1]) for days in (0, 3, 6, 10)}
    newest = np.datetime64(case.complete) - 6
    assert first_days == {str(newest)}
    assert (weekday in ENDING) == bool(case.histories()[0].dates[-1] == np.datetime64(case.complete))
