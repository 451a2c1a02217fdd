"""New, active, discontinued: from the silence at the end of a history, against its own pauses."""

from datetime import date

import numpy as np
import pytest

from tools.domain.arrays import FloatArray
from tools.domain.datasets import DemandHistory, Period
from tools.forecasting.preparation import prepare
from tools.forecasting.preparation.life import Life, silence_probability

AS_OF = date(2024, 12, 29)


def lives(rows: list[FloatArray], period: Period = Period.WEEK) -> list[Life]:
    end = np.datetime64(AS_OF)
    step = int(period.days)
    histories = [
        DemandHistory(str(at), "MAIN", end - step * np.arange(row.size)[::-1], row) for at, row in enumerate(rows)
    ]
    return [made.life for made in prepare(histories, as_of=AS_OF, period=period, horizon=4)]


def life(values: object, period: Period = Period.WEEK) -> Life:
    return lives([np.asarray(values, dtype=np.float64)], period)[0]


def test_an_item_without_demand_an_item_just_launched_and_one_in_use_are_told_apart() -> None:
    assert life([0.0] * 60) is Life.NONE
    assert life([0.0] * 60 + [3, 4, 2]) is Life.NEW
    assert life([3, 4, 2, 5] * 10) is Life.ACTIVE


def test_a_lone_demand_of_long_ago_is_not_new() -> None:
    assert life([5] + [0] * 30) is not Life.NEW


def test_a_steady_item_that_fell_silent_for_a_quarter_is_discontinued() -> None:
    assert life([5] * 80 + [0] * 14) is Life.DISCONTINUED
    assert life([5] * 80 + [0] * 5) is Life.ACTIVE


def test_an_intermittent_item_pauses_longer_before_it_is_discontinued() -> None:
    rng = np.random.default_rng(2)
    past = np.where(rng.random(150) < 0.08, 4.0, 0.0)
    past[[0, -1]] = 4.0
    assert life(np.append(past, np.zeros(20))) is Life.ACTIVE
    assert life(np.append(past, np.zeros(120))) is Life.DISCONTINUED


def test_a_seasonal_item_between_its_seasons_is_active() -> None:
    year = np.where(np.arange(52) >= 44, 30.0, 0.0)
    assert life(np.append(np.tile(year, 3), np.zeros(40))) is Life.ACTIVE


def test_after_a_run_down_half_the_silence_is_enough() -> None:
    ending = [40.0] * 30 + [30, 20, 12, 8, 5, 4, 3, 2, 2, 1] + [0] * 8
    assert life(ending) is Life.DISCONTINUED
    assert life([40.0] * 40 + [0] * 8) is Life.ACTIVE


@pytest.mark.parametrize("rate", [0.05, 0.15, 0.4, 0.9])
def test_few_items_that_go_on_as_before_are_called_discontinued(rate: float) -> None:
    rng = np.random.default_rng(5)
    made = lives([np.where(rng.random(156) < rate, 3.0, 0.0) for _ in range(1_500)])
    assert np.mean([each is Life.DISCONTINUED for each in made]) < 0.01


def test_the_probability_of_a_silence_falls_with_its_length_and_with_what_is_known_of_the_rate() -> None:
    often, seldom = np.arange(0, 50), np.arange(0, 500, 10)
    assert silence_probability(often, 3) < 1e-4
    assert silence_probability(seldom, 10) == pytest.approx(0.9**10, rel=0.1)
    assert silence_probability(seldom, 40) < silence_probability(seldom, 20)
    assert silence_probability(np.array([0, 10]), 30) > silence_probability(seldom, 30)
