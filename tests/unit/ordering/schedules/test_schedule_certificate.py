"""The monolithic programme proves the best schedule: textbook answers and every schedule tried."""

from dataclasses import replace

import numpy as np
import pytest
from schedule_cases import every_schedule, one_source_problem, orders_of, random_problem

from tools.ordering.schedules.exact.certificate import certify
from tools.ordering.schedules.problem.schedule_check import expected_by_item, verify_schedule

SILVER_PYKE_PETERSON = np.cumsum([10, 62, 12, 130, 154, 129, 88, 52, 124, 160, 238, 41])[None, :]


def best_of_all(problem) -> float:
    """Least cost of the schedules that keep every limit."""
    sound = (s for s in every_schedule(problem) if not verify_schedule(problem, s))
    return min(float(expected_by_item(problem, s)[0].sum()) for s in sound)


def wagner_whitin(demand, setup: float, holding: float) -> float:
    """Least cost by the recursion over the last lot's first period (Wagner & Whitin 1958)."""
    best = [0.0]
    for end in range(1, len(demand) + 1):
        lots = (
            best[first] + setup + holding * sum((t - first) * demand[t] for t in range(first, end))
            for first in range(end)
        )
        best.append(min(lots))
    return best[-1]


def test_the_wagner_whitin_example_of_silver_pyke_and_peterson_costs_501_20():
    problem = one_source_problem(SILVER_PYKE_PETERSON, holding=[0.4], fixed_cost=[54.0])
    proof = certify(problem, time_limit_seconds=30)
    assert proof.proven
    assert proof.cost == pytest.approx(501.20)
    assert proof.lower_bound == pytest.approx(501.20)
    assert wagner_whitin(np.diff(SILVER_PYKE_PETERSON[0], prepend=0), 54.0, 0.4) == pytest.approx(501.20)
    assert verify_schedule(problem, proof.orders) == ()


@pytest.mark.parametrize("seed", range(5))
def test_lot_sizes_without_limits_equal_the_recursion_of_wagner_and_whitin(seed: int):
    rng = np.random.default_rng(seed)
    demand = rng.integers(0, 60, 10) + 1
    proof = certify(one_source_problem(np.cumsum(demand)[None, :], fixed_cost=[90.0]), time_limit_seconds=30)
    assert proof.cost == pytest.approx(wagner_whitin(demand, 90.0, 1.0))


def test_an_all_units_break_is_taken_when_it_pays_for_the_stock():
    """8 packs at 3 cost 24; ordering 10 at 2 costs 20 plus 2 held: 22."""
    terms = {"unit_price": [3.0], "break_packs": [[10]], "break_price": [[2.0]]}
    proof = certify(one_source_problem([[8.0]], **terms), time_limit_seconds=10)
    assert (proof.cost, proof.orders.packs.tolist()) == (pytest.approx(22.0), [10])
    dear = certify(one_source_problem([[8.0]], holding=[3.0], **terms), time_limit_seconds=10)
    assert (dear.cost, dear.orders.packs.tolist()) == (pytest.approx(24.0), [8])


def test_capacity_moves_an_order_forward_and_set_up_effort_counts():
    problem = one_source_problem([[2.0, 8.0]], capacity=[[5.0, 5.0]], effort_per_order=[1.0])
    proof = certify(problem, time_limit_seconds=10)
    assert (proof.orders.period.tolist(), proof.orders.packs.tolist()) == ([0, 1], [4, 4])
    assert proof.cost == pytest.approx(2.0)
    tighter = replace(problem, capacity=np.array([[5.0, 4.9]]))
    assert certify(tighter, time_limit_seconds=10).lower_bound == np.inf


def test_where_nothing_can_arrive_in_time_there_is_provably_no_schedule():
    proof = certify(one_source_problem([[1.0, 2.0]], lead=[1]), time_limit_seconds=10)
    assert proof.proven
    assert proof.lower_bound == np.inf
    assert proof.orders.packs.size == 0
    late = certify(one_source_problem([[1.0, 2.0]], lead=[2]), time_limit_seconds=10)
    assert late.lower_bound == np.inf


def test_nothing_is_ordered_where_stock_covers_all():
    proof = certify(one_source_problem([[-3.0, -1.0]], fixed_cost=[1.0]), time_limit_seconds=10)
    assert (proof.cost, proof.orders.packs.size) == (pytest.approx(4.0), 0)


def test_a_known_schedule_is_kept_as_start():
    problem = one_source_problem(SILVER_PYKE_PETERSON, holding=[0.4], fixed_cost=[54.0])
    start = orders_of(*((0, t, int(q)) for t, q in enumerate(np.diff(SILVER_PYKE_PETERSON[0], prepend=0))))
    assert certify(problem, time_limit_seconds=30, start=start).cost == pytest.approx(501.20)


def test_an_end_value_that_makes_buying_without_end_pay_is_refused():
    with pytest.raises(ValueError, match="lower end_value"):
        certify(one_source_problem([[1.0]], end_value=[9.0], unit_price=[2.0]), time_limit_seconds=1)


@pytest.mark.parametrize("seed", range(24))
def test_two_items_under_every_limit_cost_what_the_best_of_all_schedules_costs(seed: int):
    problem = random_problem(seed)
    proof = certify(problem, time_limit_seconds=20)
    assert proof.proven
    assert verify_schedule(problem, proof.orders) == ()
    assert float(expected_by_item(problem, proof.orders)[0].sum()) == pytest.approx(proof.cost)
    assert proof.cost == pytest.approx(best_of_all(problem), rel=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_two_sources_and_three_atoms_cost_what_the_best_of_all_schedules_costs(seed: int):
    problem = random_problem(100 + seed, items=1, sources=2, atoms=3)
    proof = certify(problem, time_limit_seconds=20)
    assert proof.proven
    assert proof.cost == pytest.approx(best_of_all(problem), rel=1e-6)
