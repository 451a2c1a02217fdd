import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from tools.domain.arrays import FloatArray, IntArray
from tools.forecasting.combining.reconciliation import (
    NO_FAMILY,
    Reconciled,
    family_sums,
    family_variances,
    reconcile,
)

Case = tuple[FloatArray, FloatArray, IntArray, FloatArray, FloatArray]


@st.composite
def catalogues(draw: st.DrawFn, bound: float = 0.0) -> Case:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    items, families, periods = draw(st.integers(1, 12)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    means = rng.gamma(1.0, 50.0, (items, periods)) + bound
    return (
        means,
        rng.gamma(1.0, 100.0, means.shape),
        rng.integers(NO_FAMILY, families, items),
        rng.gamma(1.0, 200.0, (families, periods)),
        rng.gamma(1.0, 400.0, (families, periods)) + 1e-3,
    )


def by_matrices(means: FloatArray, variances: FloatArray, total: float, total_variance: float) -> FloatArray:
    """Items of the minimum-trace solution S (S' W^-1 S)^-1 S' W^-1 y, unbounded, written with its matrices."""
    summing = np.vstack([np.ones(means.size), np.eye(means.size)])
    weights = np.diag(1 / np.concatenate([[total_variance], variances]))
    base = np.concatenate([[total], means])
    return np.linalg.solve(summing.T @ weights @ summing, summing.T @ weights @ base)


def test_items_and_family_meet_where_their_variances_say() -> None:
    made = reconcile(
        np.array([[10.0], [30.0]]), np.array([[1.0], [3.0]]), np.zeros(2, int), np.array([[50.0]]), np.array([[4.0]])
    )
    assert made.items.ravel() == pytest.approx([10 + 10 / 8, 30 + 30 / 8])
    assert made.families.item() == pytest.approx(45.0)


@given(catalogues())
def test_items_add_up_to_their_family_and_are_never_negative(case: Case) -> None:
    made = reconcile(*case)
    assert (made.items >= 0).all()
    assert made.families == pytest.approx(family_sums(made.items, case[2], len(case[3])))


@given(catalogues(bound=1000.0))
def test_without_a_bound_in_the_way_it_is_the_minimum_trace_solution(case: Case) -> None:
    means, variances, family_of, totals, total_variances = case
    made = reconcile(means, variances, family_of, totals + family_sums(means, family_of, len(totals)), total_variances)
    for family in range(len(totals)):
        mine = family_of == family
        for period in range(means.shape[1]) if mine.any() else ():
            total = totals[family, period] + means[mine, period].sum()
            explicit = by_matrices(means[mine, period], variances[mine, period], total, total_variances[family, period])
            assert made.items[mine, period] == pytest.approx(explicit, rel=1e-6)


def test_with_the_bound_in_the_way_no_other_choice_is_nearer() -> None:
    means, variances = np.array([1.0, 2.0, 40.0]), np.array([50.0, 1.0, 20.0])

    def distance(items: FloatArray) -> float:
        return float(((items - means) ** 2 / variances).sum() + (items.sum() - 3.0) ** 2 / 5.0)

    made = reconcile(
        means[:, None], variances[:, None], np.zeros(3, int), np.array([[3.0]]), np.array([[5.0]])
    ).items.ravel()
    best = minimize(distance, means, bounds=[(0, None)] * 3, tol=1e-14)
    assert made[0] == 0
    assert distance(made) <= best.fun + 1e-9
    assert made == pytest.approx(best.x, abs=1e-3)


@given(catalogues())
def test_what_adds_up_already_stays_as_it_is(case: Case) -> None:
    means, variances, family_of, _, total_variances = case
    sums = family_sums(means, family_of, len(total_variances))
    assert reconcile(means, variances, family_of, sums, total_variances).items == pytest.approx(means)


@given(catalogues(), st.randoms(use_true_random=False))
def test_the_order_of_items_does_not_matter(case: Case, shuffler: st.DataObject) -> None:
    means, variances, family_of, totals, total_variances = case
    order = np.random.default_rng(len(means)).permutation(len(means))
    plain = reconcile(*case).items
    shuffled = reconcile(means[order], variances[order], family_of[order], totals, total_variances).items
    assert shuffled == pytest.approx(plain[order], rel=1e-9, abs=1e-9)


@settings(max_examples=30)
@given(catalogues())
def test_items_without_a_family_and_items_at_zero_do_not_move(case: Case) -> None:
    means, variances, family_of, totals, total_variances = case
    means[0] = 0
    made = reconcile(means, variances, family_of, totals, total_variances)
    assert (made.items[0] == 0).all()
    alone = family_of == NO_FAMILY
    assert made.items[alone] == pytest.approx(means[alone])


@pytest.mark.parametrize("unknown", [np.nan, np.inf])
def test_a_family_of_unknown_forecast_or_variance_takes_the_sum_of_its_items(unknown: float) -> None:
    means, ones = np.array([[10.0], [30.0]]), np.ones((2, 1))
    families = np.zeros(2, int)
    for total, variance in ((unknown, 4.0), (50.0, unknown)):
        made = reconcile(means, ones, families, np.array([[total]]), np.array([[variance]]))
        assert made == Reconciled(pytest.approx(means), pytest.approx(np.array([[40.0]])))


def test_an_item_of_unknown_variance_is_as_uncertain_as_it_is_large() -> None:
    means, families, total = np.array([[10.0], [30.0]]), np.zeros(2, int), np.array([[50.0]])
    unknown = reconcile(means, np.array([[np.nan], [3.0]]), families, total, np.ones((1, 1)))
    stated = reconcile(means, np.array([[100.0], [3.0]]), families, total, np.ones((1, 1)))
    assert unknown.items == pytest.approx(stated.items)


def test_certain_items_outvote_a_certain_family() -> None:
    means = np.array([[10.0], [30.0]])
    made = reconcile(means, np.zeros((2, 1)), np.zeros(2, int), np.array([[50.0]]), np.zeros((1, 1)))
    assert made.items == pytest.approx(means)
    assert made.families.item() == pytest.approx(40.0)


def test_without_a_record_the_family_is_met_halfway() -> None:
    means, variances, families = np.array([[10.0], [30.0]]), np.array([[4.0], [12.0]]), np.zeros(2, int)
    none = np.empty((1, 0))
    trust = family_variances(none, none, family_sums(variances, families, 1))
    assert reconcile(means, variances, families, np.array([[60.0]]), trust).families.item() == pytest.approx(50.0)


def test_a_family_is_heard_the_less_the_worse_it_did_than_its_items() -> None:
    rng = np.random.default_rng(2)
    summed = rng.normal(0, 10, (3, 24))
    own = summed * np.array([[0.3], [1.0], [4.0]])
    trust = family_variances(own, summed, np.full((3, 1), 100.0)).ravel()
    assert trust[0] < trust[1] < trust[2]
    assert trust[1] == pytest.approx(100.0)


def test_periods_without_one_of_both_errors_are_no_record() -> None:
    own, summed = np.array([[5.0, np.nan, 50.0]]), np.array([[5.0, 1.0, np.nan]])
    assert family_variances(own, summed, np.ones((1, 1))).item() == pytest.approx(1.0)
    assert family_variances(np.ones((1, 2)), np.zeros((1, 2)), np.ones((1, 1))).item() == np.inf
