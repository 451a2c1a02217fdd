"""Detectors of drift: textbook sums, how often a calm history gives an alarm, and how soon a shift does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.domain.arrays import FloatArray
from tools.drift import DriftAlarm, DriftKind, DriftSettings, ObservedSeries, watch
from tools.drift.alarms import find_biases, find_changes
from tools.drift.change_points import normal_scores, tabular_cusum

MONTGOMERY = (
    "9.45 7.99 9.29 11.66 12.16 10.18 8.04 11.46 9.20 10.34 9.03 11.47 10.51 9.40 10.08 "
    "9.37 10.62 10.31 8.52 10.84 10.90 9.33 12.29 11.50 10.60 11.08 10.38 11.62 11.31 10.52"
)
"""Montgomery, Introduction to Statistical Quality Control, table 9.1: target 10, standard deviation 1."""
START = np.datetime64("2024-01-01")


def series(values: FloatArray | list[float], kind: DriftKind = DriftKind.DEMAND_LEVEL) -> ObservedSeries:
    seen = np.asarray(values, dtype=np.float64)
    return ObservedSeries("I1", kind, START + 7 * np.arange(seen.size), seen)


def alarms(values: FloatArray | list[float], kind: DriftKind = DriftKind.DEMAND_LEVEL) -> tuple[DriftAlarm, ...]:
    return watch([series(values, kind)]).alarms


def noise(n: int, seed: int = 1) -> FloatArray:
    return np.random.default_rng(seed).normal(100, 10, n)


def shifted(seed: int, by: float = 30.0, before: int = 52, after: int = 12) -> FloatArray:
    return noise(before + after, seed) + np.repeat([0.0, by], [before, after])


def test_the_tabular_cusum_gives_the_sums_that_montgomery_prints() -> None:
    upper, lower = tabular_cusum(np.array([float(x) for x in MONTGOMERY.split()]) - 10, 0.5)
    assert upper[3:8] == pytest.approx([1.16, 2.82, 2.50, 0.04, 1.00])
    assert upper[22:30] == pytest.approx([1.79, 2.79, 2.89, 3.47, 3.35, 4.47, 5.28, 5.30])
    assert lower[:7] == pytest.approx([0.05, 1.56, 1.77, 0.0, 0.0, 0.0, 1.46])
    assert int(np.flatnonzero(upper > 5)[0]) + 1 == 29


def test_normal_scores_are_bloms_and_fall_in_the_middle_for_ties() -> None:
    scores = normal_scores(5)
    assert scores[5, [2, 4, 6, 8, 10]] == pytest.approx([-1.1798, -0.4972, 0.0, 0.4972, 1.1798], abs=1e-4)
    assert scores[5, 3] == pytest.approx(-0.7916, abs=1e-4)


def test_the_change_statistic_is_the_one_of_the_formula() -> None:
    values = np.array([5.0, 3.0, 4.0, 6.0, 2.0, 5.5, 3.5, 4.5, 9.0, 9.5, 10.0])
    settings = DriftSettings(limit=2.2, least_baseline=5, allowance=100.0)
    places, statistics = find_changes(values, np.array([11]), settings)
    scores = normal_scores(11)[11, 2 * np.argsort(np.argsort(values)) + 2]
    expected = scores[-3:].sum() / np.sqrt(scores.var(ddof=1) * 3 * 8 / 11)
    assert places.tolist() == [[0, 8, 10]]
    assert statistics.tolist() == pytest.approx([expected])


def test_the_bias_sums_are_those_of_the_tabular_cusum_on_scaled_errors() -> None:
    errors = np.concatenate([noise(30, 2) - 100, noise(20, 3) - 88])
    settings = DriftSettings(least_baseline=12, baseline=1000)
    places, statistics = find_biases(errors, np.array([50]), settings)
    spread = np.array([np.sqrt(np.mean(errors[:now] ** 2)) for now in range(12, 50)])
    upper, lower = tabular_cusum(np.clip(errors[12:] / spread, -3, 3), 0.5)
    first = int(np.flatnonzero(np.maximum(upper, lower) > 5)[0])
    assert places[0].tolist() == [0, 12 + int(np.flatnonzero(upper[:first] == 0)[-1]) + 1, 12 + first]
    assert statistics[0] == pytest.approx(upper[first])


@pytest.mark.parametrize("kind", ["normal", "gamma", "heavy", "counts"])
def test_a_calm_history_gives_at_most_one_alarm_in_a_hundred_observations(kind: str) -> None:
    rng = np.random.default_rng(11)
    shape = (1500, 104)
    drawn = {
        "normal": rng.normal(size=shape),
        "gamma": rng.gamma(0.7, size=shape),
        "heavy": rng.standard_t(2, shape),
        "counts": rng.poisson(4.0, shape).astype(float),
    }[kind]
    ends = np.arange(1, 1501) * 104
    places, _ = find_changes(drawn.ravel(), ends, DriftSettings())
    assert 0.002 < len(places) / (1500 * 96) <= 0.01
    places, _ = find_biases((drawn - drawn.mean()).ravel(), ends, DriftSettings())
    assert len(places) / (1500 * 96) <= 0.01


@pytest.mark.parametrize("by", [-15.0, 15.0])
def test_a_shift_of_one_and_a_half_standard_deviations_is_found_in_five_observations(by: float) -> None:
    delays = []
    for seed in range(300):
        found = [one.at - 52 + 1 for one in alarms(shifted(seed, by, after=24)) if one.at >= 52]
        delays.append(min(found, default=99))
    assert np.median(delays) <= 5
    assert np.mean(np.array(delays) == 99) < 0.05


def test_an_alarm_says_since_when_and_how_long_it_took() -> None:
    (found,) = alarms(shifted(4, by=40.0))
    assert (found.since, found.direction) == (52, "above")
    assert found.observations_to_detect == found.at - found.since + 1 <= 4
    assert found.since_date == (START + 7 * 52).item()
    assert found.age == 63 - found.at
    assert found.statistic > found.threshold == 2.8
    assert found.size == pytest.approx(0.4, abs=0.15)
    assert f"above its former level since {found.since_date}" in found.reason
    assert f"after {found.observations_to_detect} observations" in found.reason


@given(scale=st.floats(1e-3, 1e6), seed=st.integers(0, 40))
def test_the_unit_of_measure_changes_no_alarm(scale: float, seed: int) -> None:
    values = shifted(seed)
    for kind in (DriftKind.DEMAND_LEVEL, DriftKind.FORECAST_BIAS):
        centred = values - 100 if kind is DriftKind.FORECAST_BIAS else values
        before, after = (alarms(found, kind) for found in (centred, centred * scale))
        assert [(one.at, one.since) for one in after] == [(one.at, one.since) for one in before]
        assert [one.statistic for one in after] == pytest.approx([one.statistic for one in before])


def test_an_alarm_rests_on_the_past_alone() -> None:
    values = shifted(6, after=30)
    whole = [one for one in alarms(values) if one.at < 60]
    assert [(one.at, one.since, one.statistic) for one in alarms(values[:60])] == [
        (one.at, one.since, one.statistic) for one in whole
    ]


@pytest.mark.parametrize("size", [1e3, 1e12])
def test_one_spike_is_no_change_of_level_and_no_bias(size: float) -> None:
    for kind in (DriftKind.DEMAND_LEVEL, DriftKind.FORECAST_BIAS):
        spiked = noise(60, 8)
        assert not alarms(spiked - 100, kind)
        spiked[40] += size
        assert not [one for one in alarms(spiked - 100, kind) if one.at in (40, 41)]


def test_after_an_alarm_the_new_level_is_the_baseline_and_a_way_back_is_a_second_alarm() -> None:
    values = noise(110, 13) + np.repeat([0.0, 40.0, 0.0], [50, 30, 30])
    found = alarms(values)
    assert [(one.direction, abs(one.since - onset) <= 1) for one, onset in zip(found, (50, 80), strict=True)] == [
        ("above", True),
        ("below", True),
    ]


def test_after_an_alarm_that_passed_the_former_level_is_the_baseline_again() -> None:
    values = noise(80, 23) + np.repeat([0.0, 45.0, 0.0, -25.0], [48, 3, 9, 20])
    found = alarms(values)
    assert [(one.direction, one.since) for one in found] == [("above", 48), ("below", 60)]
    assert found[1].at <= 64


def test_autocorrelation_widens_the_limit() -> None:
    rng = np.random.default_rng(31)
    drawn = rng.normal(size=(600, 104))
    for place in range(1, 104):
        drawn[:, place] += 0.3 * drawn[:, place - 1]
    ends = np.arange(1, 601) * 104
    blind, _ = find_changes(drawn.ravel(), ends, DriftSettings(allowance=100.0))
    seeing, _ = find_changes(drawn.ravel(), ends, DriftSettings())
    assert len(seeing) / (600 * 96) < 0.02
    assert len(seeing) < 0.75 * len(blind)


@pytest.mark.parametrize(
    "values",
    [[], [5.0], [5.0] * 8, [0.0] * 60, [np.nan] * 60, [np.inf, -np.inf] * 30, [1e300, -1e300] * 30],
)
@pytest.mark.parametrize("kind", DriftKind)
def test_a_short_constant_or_unknown_series_gives_no_alarm_and_no_error(values: list[float], kind: DriftKind) -> None:
    report = watch([series(values, kind)])
    assert report.alarms == ()
    known = int(np.isfinite(np.array(values, dtype=float)).sum())
    if known <= 8:
        name = kind.value.replace("_", " ")
        assert report.too_short == (f"{name} of I1: too short, {known} observations where 9 are needed",)
    else:
        assert report.watched == {kind.value: 1}


def test_what_never_changes_has_no_drift_and_an_error_that_never_changes_is_a_bias() -> None:
    constant = [7.0] * 60
    assert not [one for kind in DriftKind if kind is not DriftKind.FORECAST_BIAS for one in alarms(constant, kind)]
    assert {one.direction for one in alarms(constant, DriftKind.FORECAST_BIAS)} == {"above"}


def test_unknown_observations_are_passed_over_and_one_bad_series_does_not_fail_the_others() -> None:
    values = shifted(4, by=40.0)
    holed = np.insert(values, [10, 30], [np.nan, np.inf])
    report = watch([series([np.nan] * 40), series(holed), series([1.0])])
    (found,) = report.alarms
    assert (found.since, found.since_date) == (52, (START + 7 * 54).item())
    assert len(report.too_short) == 2


def test_watching_many_series_at_once_gives_what_watching_each_gives() -> None:
    many = [series(shifted(seed, by), kind) for seed, by in ((1, 30.0), (2, -40.0), (3, 0.0)) for kind in DriftKind]
    together = watch(many).alarms
    assert together == tuple(alarm for one in many for alarm in watch([one]).alarms)
    assert together == watch(many).alarms


def test_limits_of_a_policy_become_settings_and_absent_ones_their_default() -> None:
    chosen = DriftSettings.of_limits({"drift_limit_hundredths": 350, "drift_baseline": 30, "max_days_late": 7})
    assert (chosen.limit, chosen.baseline, chosen.bias_limit) == (3.5, 30, 5.0)
    assert DriftSettings.of_limits({}) == DriftSettings()
    names = ("drift_limit_hundredths", "drift_least_baseline", "drift_baseline", "drift_onsets")
    zero = {str(name): 0 for name in names}
    assert isinstance(watch([series(noise(40))], DriftSettings.of_limits(zero)).alarms, tuple)
