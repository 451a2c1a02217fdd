import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tools.forecasting.engine.kernels import ALPHAS, TREND_GRID, smooth_rows

SPEC = importlib.util.spec_from_file_location("smoothing_reference", Path(__file__).with_name("smoothing_reference.py"))
assert SPEC and SPEC.loader
reference_module = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(reference_module)
reference = reference_module.reference
HORIZON = 5


def smoothed(values: np.ndarray, first: np.ndarray, origins: list[int]) -> tuple[np.ndarray, ...]:
    rows, tries = len(values), len(origins)
    made = (np.zeros((rows, 3, HORIZON)), np.zeros((rows, 4)))
    earlier = (np.zeros((rows, tries, 3, HORIZON)), np.zeros((rows, tries, 4)))
    slots, starts = np.arange(rows), np.array(origins, dtype=np.int64)
    smooth_rows(values, first, starts, slots, ALPHAS, TREND_GRID, *made, *earlier)
    return (*made, *earlier)


def histories(seed: int, periods: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Gamma, Poisson, trending, shocked and gappy rows; the last one begins late."""
    rng = np.random.default_rng(seed)
    values = np.stack(
        [
            rng.gamma(4, 20, periods),
            rng.poisson(0.4, periods).astype(float),
            100 + 3.0 * np.arange(periods) + rng.normal(0, 5, periods),
            rng.gamma(4, 20, periods),
            rng.gamma(4, 20, periods),
        ]
    )
    values[3, 30] = 5000.0
    values[4, rng.integers(0, periods, 15)] = np.nan
    values[4, :20] = np.nan
    return values, np.array([0, 0, 0, 0, 20])


@pytest.mark.parametrize("seed", range(4))
def test_compiled_smoothing_equals_the_plain_reference(seed: int) -> None:
    values, first = histories(seed)
    ahead, state, _, _ = smoothed(values, first, [])
    for row in range(len(values)):
        expected_ahead, expected_state = reference(values[row], int(first[row]), HORIZON)
        assert ahead[row] == pytest.approx(expected_ahead, rel=1e-9, abs=1e-9)
        assert state[row] == pytest.approx(expected_state, rel=1e-9, abs=1e-12)


def test_a_forecast_from_an_earlier_origin_is_that_of_the_history_cut_there() -> None:
    values, first = histories(7)
    _, _, origin_ahead, origin_state = smoothed(values, first, [25, 40])
    for place, cut in enumerate((25, 40)):
        ahead, state, _, _ = smoothed(np.ascontiguousarray(values[:, :cut]), first, [])
        full = values.shape[1] // 3
        alike = [row for row in range(len(values)) if (cut - first[row]) // 3 >= 12 or full < 4]
        for row in alike:
            assert origin_ahead[row, place] == pytest.approx(ahead[row])
            assert origin_state[row, place] == pytest.approx(state[row])


def test_what_comes_after_an_origin_does_not_change_its_forecast() -> None:
    values, first = histories(8)
    later = values.copy()
    later[:, 45:] = 9_999.0
    before, after = (smoothed(table, first, [45])[2] for table in (values, later))
    assert (before == after).all()


def test_a_row_without_history_gets_zeros_and_leaves_the_others_alone() -> None:
    values, first = histories(9)
    alone = smoothed(values, first, [])[0]
    padded = np.vstack([values, np.full(values.shape[1], np.nan)])
    made = smoothed(padded, np.append(first, values.shape[1]), [])[0]
    assert (made[:-1] == alone).all()
    assert (made[-1] == 0).all()
