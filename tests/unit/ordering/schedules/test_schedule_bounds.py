"""On random small problems the scheduler keeps every limit, and bound, best cost and its cost stand in order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_cases import random_problem

from tools.ordering.schedules.exact.certificate import certify
from tools.ordering.schedules.problem.expected_cost import evaluate
from tools.ordering.schedules.problem.schedule_check import expected_by_item, verify_schedule
from tools.ordering.schedules.solve import solve_schedules


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    items=st.integers(1, 4),
    sources=st.integers(1, 3),
    horizon=st.integers(2, 5),
    atoms=st.integers(1, 4),
)
def test_limits_are_kept_and_the_best_cost_lies_between_bound_and_cost(seed, items, sources, horizon, atoms):
    problem = random_problem(seed, items=items, sources=sources, horizon=horizon, atoms=atoms)
    found = solve_schedules(problem, time_limit_seconds=0.2)
    assert verify_schedule(problem, found) == ()
    assert found.item_cost == pytest.approx(expected_by_item(problem, found.orders)[0])
    best = certify(problem, time_limit_seconds=20)
    assert verify_schedule(problem, best.orders) == ()
    tolerance = 1e-6 * max(1.0, abs(best.cost))
    assert best.proven
    assert found.lower_bound <= best.cost + tolerance
    assert best.cost <= found.cost + tolerance


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), items=st.integers(1, 3), sources=st.integers(1, 3), horizon=st.integers(2, 7))
def test_without_limits_the_item_programmes_find_the_best_cost(seed, items, sources, horizon):
    problem = random_problem(seed, items=items, sources=sources, horizon=horizon, atoms=3, limited=False)
    found = solve_schedules(problem, time_limit_seconds=5)
    best = certify(problem, time_limit_seconds=20)
    assert found.proven
    assert best.proven
    assert found.cost == pytest.approx(best.cost, rel=1e-6, abs=1e-6)
    assert np.array_equal(found.item_cost, evaluate(problem, found.orders))
