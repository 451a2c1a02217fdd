from pathlib import Path

import numpy as np
import pytest

from benchmarks.cases.demand_records import ORIGINS, generated_past
from benchmarks.cases.forecasting_peers import ENSEMBLE, MEMBERS, NAIVE, TOTALS, PeerTask, peer_quantiles
from benchmarks.forecasting_accuracy import figures_of, ours, score, table
from tools.forecasting.accuracy import LEVELS
from tools.forecasting.backtest import origin_dates


@pytest.fixture(scope="module")
def task() -> PeerTask:
    rng = np.random.default_rng(1)
    frequent = 50 + 10 * np.sin(np.arange(40)) + rng.normal(0, 3, 40)
    rare = np.where(rng.random(30) < 0.2, 4.0, 0.0)
    return PeerTask((frequent, rare, np.full(12, 7.0)), 1, 4)


def test_every_yardstick_gives_ordered_quantiles_that_are_not_negative(task: PeerTask) -> None:
    made = peer_quantiles(task)
    assert {ENSEMBLE, NAIVE, TOTALS, *MEMBERS} <= set(made)
    for quantiles in made.values():
        assert quantiles.shape == (3, LEVELS.size, 4)
        assert (quantiles >= 0).all()
        assert (np.diff(quantiles, axis=1) >= -1e-9).all()
    assert made["AutoETS"][0, 3] == pytest.approx(np.full(4, 50), abs=15)
    assert made[TOTALS][0, 3, 3] == pytest.approx(200, abs=50)
    assert made[ENSEMBLE] == pytest.approx(np.median([made[name] for name in MEMBERS], axis=0))


def test_the_seasonal_naive_yardstick_repeats_the_last_value_of_a_week(task: PeerTask) -> None:
    assert peer_quantiles(task)[NAIVE][0, 3] == pytest.approx(np.full(4, task.values[0][-1]))


def test_what_the_peers_gave_is_kept_and_read_again(task: PeerTask, tmp_path: Path) -> None:
    first = peer_quantiles(task, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    second = peer_quantiles(task, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    for name, quantiles in first.items():
        assert second[name] == pytest.approx(quantiles)
    peer_quantiles(PeerTask(task.values[:2], 1, 4), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_nothing_scored_for_development_lies_in_the_held_out_periods() -> None:
    records = generated_past(items=4)
    oldest = origin_dates(records.held_out, records.period, records.horizon, ORIGINS, records.step)[-1]
    assert records.development <= oldest
    assert all((h.dates <= np.datetime64(records.development)).all() for h in records.active(development=True))


def test_the_benchmark_scores_us_beside_the_yardsticks_on_the_same_forecasts() -> None:
    records = generated_past(items=12)
    made = score(records, ours, development=False, series=3)
    assert len(made.rows()) == 3 * ORIGINS
    assert len(made.ours.rows) == 12 * ORIGINS
    assert len(made.spans()) == 3 * ORIGINS * len(records.spans)
    figures = figures_of([made])
    assert {"wql_ratio_to_best", "wql_ratio_to_ensemble", "coverage_80", "coverage_95"} <= set(figures)
    assert 0.3 < figures["wql_ratio_to_best"].value < 2
    assert "median of AutoETS, AutoTheta, AutoCES" in table([made])
