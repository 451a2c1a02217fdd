"""One-off spikes are cut; heavy tails, level shifts and seasonal peaks are not."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.domain.arrays import FloatArray
from tools.domain.datasets import DemandHistory, Period
from tools.forecasting.preparation import PreparedSeries, prepare
from tools.forecasting.preparation.spikes import find_spikes

AS_OF = date(2024, 12, 29)


def prepared(values: FloatArray) -> PreparedSeries:
    days = np.datetime64(AS_OF) - 7 * np.arange(values.size)[::-1]
    return prepare([DemandHistory("A", "MAIN", days, values)], as_of=AS_OF, period=Period.WEEK, horizon=4)[0]


def steady(size: int = 100) -> FloatArray:
    return np.random.default_rng(3).poisson(20, size).astype(np.float64)


def test_a_one_off_spike_is_cut_to_the_largest_usual_quantity() -> None:
    values = steady()
    usual = values.max()
    values[40] = 600
    made = prepared(values)
    assert made.values[40] == usual
    assert made.series.quantities[40] == 600
    assert any("600 units" in note and "one-off spike" in note for note in made.notes)
    assert np.delete(made.values, 40).tolist() == np.delete(values, 40).tolist()


def test_a_quantity_beyond_belief_counts_as_unknown() -> None:
    values = steady()
    values[40] = 80_995
    assert np.isnan(prepared(values).values[40])


def test_a_spike_in_the_newest_period_is_cut_and_the_note_says_that_it_may_be_a_shift() -> None:
    values = steady()
    values[-1] = 600
    made = prepared(values)
    assert made.values[-1] < 600
    assert any("newest period" in note for note in made.notes)


@pytest.mark.parametrize("first", [60, 98])
def test_a_level_shift_is_no_spike(first: int) -> None:
    values = steady()
    values[first:] *= 30
    assert prepared(values).values.tolist() == values.tolist()


def test_a_seasonal_peak_that_comes_back_is_no_spike() -> None:
    values = steady(110)
    values[[40, 92]] = 600
    assert find_spikes(values, season=52) == []


def test_a_size_that_comes_now_and_again_is_usual() -> None:
    values = steady()
    values[[10, 45, 80]] = [500, 700, 600]
    assert prepared(values).values.tolist() == values.tolist()


def test_the_bulk_of_heavy_tailed_and_lumpy_demand_stays() -> None:
    rng = np.random.default_rng(8)
    cut = total = 0
    kept: list[float] = []
    for _ in range(300):
        sizes = rng.lognormal(2, 1.2, 104) * (rng.random(104) < 0.3)
        made = prepared(sizes) if sizes.any() else None
        if made is not None:
            cut += int((made.values < made.series.quantities).sum())
            total += made.values.size
            kept.append(float(made.values.sum() / made.series.quantities.sum()))
    assert cut < 0.003 * total
    assert np.mean(kept) > 0.98


def test_items_with_a_handful_of_demands_keep_them_without_a_catalogue_to_judge_by() -> None:
    assert prepared(np.array([5.0, 0, 0, 9_000, 0, 4])).values.max() == 9_000


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.just(0.0), st.floats(0.5, 1e6), st.just(float("nan"))), max_size=80))
def test_cutting_never_raises_a_value_and_leaves_at_least_half_of_the_demands(found: list[float]) -> None:
    values = np.array(found)
    spikes = find_spikes(values, season=52)
    assert all(not spike.replaced >= spike.size for spike in spikes)
    assert 2 * len(spikes) <= np.count_nonzero(values > 0)
