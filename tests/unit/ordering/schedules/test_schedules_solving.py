"""Schedules of a catalogue: limits kept, bounds proven, the same answer for a seed, sensible ends for odd input."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases.schedule_worlds import WorldSize, make_world
from tools.ordering.schedules.column_generation import item_sweeps, master
from tools.ordering.schedules.column_generation.dual_prices import DualPrices
from tools.ordering.schedules.feasible import first_schedule, improve
from tools.ordering.schedules.problem.expected_cost import evaluate
from tools.ordering.schedules.problem.programme_arrays import limits_of, prices_of, terms_of, unflat
from tools.ordering.schedules.problem.schedule_check import verify_schedule
from tools.ordering.schedules.problem.statement import ScheduleOutcome, ScheduleProblem
from tools.ordering.schedules.rescheduling import reschedule
from tools.ordering.schedules.solve import ScheduleProgress, solve_schedules


def world(items: int = 60, seed: int = 1, **changes: object) -> ScheduleProblem:
    return replace(make_world(WorldSize(items, periods=12, items_per_supplier=60, seed=seed)), **changes)


def unlimited(problem: ScheduleProblem) -> ScheduleProblem:
    free = {name: np.full_like(getattr(problem, name), np.inf) for name in ("budget", "storage", "max_orders")}
    return replace(problem, capacity=np.full_like(problem.capacity, np.inf), **free)


def stated(problem: ScheduleProblem, outcome: ScheduleOutcome) -> None:
    """What holds for every outcome: limits kept, costs true, bound below cost."""
    assert verify_schedule(problem, outcome) == ()
    assert outcome.item_cost == pytest.approx(evaluate(problem, outcome.orders))
    assert outcome.lower_bound <= outcome.cost + 1e-6 * abs(outcome.cost)


@pytest.mark.parametrize("seed", range(3))
def test_a_schedule_keeps_every_limit_and_comes_near_its_bound(seed: int) -> None:
    problem = world(200, seed)
    outcome = solve_schedules(problem, time_limit_seconds=2.5, gap_target=0.01)
    stated(problem, outcome)
    assert outcome.over == ()
    assert outcome.gap < 0.03


def test_without_limits_every_item_is_at_its_best_and_the_gap_is_nil() -> None:
    problem = unlimited(world())
    outcome = solve_schedules(problem, time_limit_seconds=1)
    stated(problem, outcome)
    assert outcome.gap == 0
    assert outcome.proven


def test_orders_in_a_period_can_be_counted() -> None:
    problem = unlimited(world())
    few = replace(problem, max_orders=np.full(problem.horizon, 12.0))
    outcome = solve_schedules(few, time_limit_seconds=1)
    stated(few, outcome)
    assert np.bincount(outcome.orders.period, minlength=few.horizon).max() <= 12
    assert outcome.prices.max_orders.max() > 0


def test_the_bound_never_exceeds_what_a_longer_search_finds() -> None:
    problem = world(40)
    short = solve_schedules(problem, time_limit_seconds=0.3)
    long = solve_schedules(problem, time_limit_seconds=2)
    assert short.lower_bound <= long.cost + 1e-6
    assert long.cost <= short.cost + 1e-6


def test_progress_only_gets_better() -> None:
    seen: list[ScheduleProgress] = []
    solve_schedules(world(), time_limit_seconds=1, progress=seen.append)
    assert seen[-1].phase == "done"
    assert all(a.lower_bound <= b.lower_bound and a.cost >= b.cost - 1e-9 for a, b in zip(seen, seen[1:], strict=False))


def test_stock_beyond_the_storage_is_named_and_nothing_is_added() -> None:
    problem = world(storage=np.zeros(12))
    outcome = solve_schedules(problem, time_limit_seconds=1)
    assert any("storage in period 0: stock and open orders fill" in words for words in outcome.over)
    assert verify_schedule(problem, outcome) == ()


def test_an_item_that_may_not_be_short_but_must_be_is_named() -> None:
    problem = world(30, shortage=np.full(30, np.inf))
    blocked = replace(problem, capacity=np.zeros_like(problem.capacity))
    outcome = solve_schedules(blocked, time_limit_seconds=1)
    assert outcome.orders.packs.size == 0
    assert any(words.startswith("item ") and "although none may be short" in words for words in outcome.over)


def test_a_budget_of_nothing_orders_nothing() -> None:
    problem = world(budget=np.zeros(12))
    outcome = solve_schedules(problem, time_limit_seconds=1)
    stated(problem, outcome)
    assert outcome.orders.packs.size == 0


@pytest.mark.parametrize(
    ("field", "row", "value", "words"),
    [
        ("source_supplier", 3, 999, "source_supplier row 3 is 999"),
        ("holding", 2, np.nan, "holding row 2"),
        ("lead", 1, -1, "lead row 1 is -1"),
        ("budget", 0, np.nan, "budget row 0"),
    ],
)
def test_a_figure_that_cannot_be_is_refused_by_name(field: str, row: int, value: float, words: str) -> None:
    problem = world()
    wrong = getattr(problem, field).copy()
    wrong[row] = value
    with pytest.raises(ValueError, match=words):
        solve_schedules(replace(problem, **{field: wrong}), time_limit_seconds=1)


def searched(problem: ScheduleProblem) -> tuple[float, float]:
    """Bound and cost after a fixed number of steps."""
    terms, limits = terms_of(problem), limits_of(problem)
    duals = DualPrices(terms, limits)
    duals.ascend(4, 0.5, lambda: True)
    duals.round()
    prices = unflat(duals.prices, duals.limits)
    draft = first_schedule(terms, limits, prices, duals.best_value, lambda: True)
    left = iter(range(20))
    improve(draft, prices, duals.best_value, np.random.default_rng(0), lambda _: next(left, None) is not None)
    return duals.bound, draft.total


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = world(600)
    usual = searched(problem)
    monkeypatch.setattr(item_sweeps, "in_threads", lambda run, parts: [run(part) for part in parts])
    monkeypatch.setattr(master, "in_threads", lambda run, parts: [run(part) for part in parts])
    assert searched(problem) == usual


def test_a_supplier_that_loses_capacity_moves_only_its_own_items() -> None:
    problem = world(300)
    outcome = solve_schedules(problem, time_limit_seconds=2)
    capacity = problem.capacity.copy()
    capacity[2, 1:6] *= 0.3
    changed = replace(problem, capacity=capacity)
    again = reschedule(problem, changed, outcome)
    stated(changed, again.outcome)
    at_supplier = np.unique(problem.source_item[problem.source_supplier == 2])
    assert again.items.tolist() == at_supplier.tolist()
    others = np.setdiff1d(np.arange(300), at_supplier)
    assert again.outcome.item_cost[others] == pytest.approx(outcome.item_cost[others])
    assert again.outcome.gap < outcome.gap + 0.05


def test_a_moved_bound_is_the_bound_at_the_same_prices() -> None:
    problem = world(100)
    outcome = solve_schedules(problem, time_limit_seconds=1)
    requirement = problem.requirement.copy()
    requirement[:7] += 3.0
    changed = replace(problem, requirement=requirement, capacity=problem.capacity * 0.95)
    again = reschedule(problem, changed, outcome).outcome
    duals = DualPrices(terms_of(changed), limits_of(changed))
    duals.start_from(prices_of(outcome.prices))
    duals.visit(duals.prices)
    assert again.lower_bound == pytest.approx(duals.bound)
    stated(changed, again)


def test_nothing_changed_means_nothing_is_ordered_again() -> None:
    problem = world(100)
    outcome = solve_schedules(problem, time_limit_seconds=1)
    again = reschedule(problem, problem, outcome)
    assert again.items.size == 0
    assert again.outcome.orders.packs.tolist() == outcome.orders.packs.tolist()
