"""One candidate per item within shared limits: the best of all choices on small cases, sound on large ones."""

from dataclasses import replace
from itertools import product
from time import perf_counter

import numpy as np
import pytest
from scipy.sparse import csr_array

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.snapshots import PlanningSnapshot, SharedLimits
from tools.ordering import plan_orders, verify
from tools.ordering.limits import choice_filling, choice_search, limit_use
from tools.ordering.limits.allocation import Allocation, Candidates, allocate, limit_rows, order_values
from tools.ordering.limits.choice_prices import dual_prices
from tools.ordering.limits.choices import Choice, relaxed


def drawn_case(seed: int, n_items: int = 4) -> tuple[PlanningSnapshot, Candidates]:
    """Items with four candidates each, of up to two sources, and limits that cut into what they would like."""
    rng = np.random.default_rng(seed)
    snapshot = random_snapshot(n_items, seed=seed, paths=8, horizon=4)
    suppliers, rows = 3, snapshot.sources.item.size
    table = replace(snapshot.sources, supplier=rng.integers(0, suppliers, rows))
    item = np.repeat(np.arange(n_items), 4)
    source = np.stack([3 * item + rng.integers(0, 3, item.size), 3 * item + rng.integers(0, 3, item.size)], axis=1)
    quantity = np.ceil(rng.uniform(5, 60, source.shape)) * (rng.random(source.shape) < 0.8)
    quantity[source[:, 0] == source[:, 1], 1] = 0.0
    quantity[::4] = 0.0
    cost = rng.uniform(0, 400, item.size) + 500.0 * (quantity.sum(axis=1) == 0)
    candidates = Candidates(item, np.tile(np.arange(4), n_items), cost, source, quantity)
    kinds = rng.random(6) < 0.5
    units = quantity.sum()
    limits = SharedLimits(
        budget=float(rng.uniform(0.05, 0.3) * order_values(snapshot, candidates).sum()) if kinds[0] else np.inf,
        storage=float(rng.uniform(0.3, 1.2) * units) if kinds[1] else np.inf,
        supplier_capacity=rng.uniform(0, 0.2, suppliers) * units if kinds[2] else np.empty(0),
        supplier_min_order_value=rng.uniform(0, 600, suppliers) if kinds[3] else np.empty(0),
        max_orders=float(rng.integers(0, 5)) if kinds[4] else np.inf,
        joint_order_cost=rng.uniform(0, 300, suppliers) if kinds[5] else np.empty(0),
    )
    return replace(snapshot, supplier_ids=("A", "B", "C"), sources=table, limits=limits), candidates


def cost_of(snapshot: PlanningSnapshot, candidates: Candidates, picked: np.ndarray) -> float:
    """What a choice costs; inf where it breaks a limit. Plain arithmetic, apart from the rows' use."""
    rows, limits = limit_rows(snapshot, candidates), snapshot.limits
    if (rows.usage.toarray()[:, picked].sum(axis=1) > rows.limit + 1e-7).any():
        return np.inf
    total = float(candidates.cost[picked].sum())
    values = order_values(snapshot, candidates)
    for supplier in range(3):
        mine = snapshot.sources.supplier[candidates.source[picked]] == supplier
        placed = mine & (candidates.quantity[picked] > 0)
        if not placed.any():
            continue
        if limits.supplier_min_order_value.size:
            spent = values[picked][placed].sum()
            total += np.inf if spent < limits.supplier_min_order_value[supplier] - 1e-7 else 0.0
        total += limits.joint_order_cost[supplier] if limits.joint_order_cost.size else 0.0
    return total


def cost_of_allocation(snapshot: PlanningSnapshot, candidates: Candidates, allocation: Allocation) -> float:
    first = np.searchsorted(candidates.item, np.arange(snapshot.n_items))
    return cost_of(snapshot, candidates, first + allocation.chosen)


@pytest.mark.parametrize("seed", range(60))
def test_the_choice_is_the_best_of_all_and_the_bound_below_it(seed):
    snapshot, candidates = drawn_case(seed)
    allocation = allocate(snapshot, candidates, 5.0)
    best = min(
        cost_of(snapshot, candidates, 4 * np.arange(4) + np.array(choice)) for choice in product(range(4), repeat=4)
    )
    assert cost_of_allocation(snapshot, candidates, allocation) == pytest.approx(best, rel=2e-6)
    assert allocation.lower_bound <= best + 1e-6
    assert not allocation.unproven


@pytest.mark.parametrize("seed", range(12))
def test_without_time_to_search_the_choice_still_keeps_every_limit_and_beats_ordering_nothing(seed):
    snapshot, candidates = drawn_case(seed, n_items=25)
    allocation = allocate(snapshot, candidates, 0.0)
    nothing = float(candidates.cost[candidates.quantity.sum(axis=1) == 0][:25].sum())
    cost = cost_of_allocation(snapshot, candidates, allocation)
    assert allocation.lower_bound <= cost + 1e-6
    assert cost <= nothing + 1e-6


def grouped(seed: int, groups: int = 30, rows: int = 4) -> Choice:
    rng = np.random.default_rng(seed)
    size = groups * 5
    usage = rng.uniform(0, 1, (rows, size)) * (rng.random((rows, size)) < 0.6)
    usage[:, ::5] = 0.0
    cost = rng.uniform(0, 10, size)
    cost[::5] += 10.0
    return Choice(np.repeat(np.arange(groups), 5), cost, csr_array(usage), np.full(rows, 0.15 * groups))


@pytest.mark.parametrize("seed", range(5))
def test_the_smoothed_dual_comes_close_to_the_exact_relaxation_and_never_above_it(seed):
    choice = grouped(seed)
    exact = relaxed(choice, 5.0)
    assert exact is not None
    bound, prices = dual_prices(choice)
    assert bound <= exact[0] + 1e-7
    assert bound >= exact[0] - 2e-3 * abs(exact[0])
    assert choice.bound(exact[1]) == pytest.approx(exact[0])
    assert choice.bound(prices) == pytest.approx(bound)


def test_the_compiled_rounds_and_search_do_what_their_plain_source_says(monkeypatch):
    cases = [drawn_case(seed) for seed in range(6)]

    def answers() -> list[list[int]]:
        return [allocate(snapshot, candidates, 1.0).chosen.tolist() for snapshot, candidates in cases]

    compiled = answers()
    monkeypatch.setattr(choice_filling, "take_turns", choice_filling.take_turns.plain)
    monkeypatch.setattr(choice_search, "depth_first", choice_search.depth_first.plain)
    monkeypatch.setattr(limit_use, "add_stock", limit_use.add_stock.plain)
    assert answers() == compiled


@pytest.mark.parametrize("seed", range(3))
def test_expected_stock_is_that_of_many_random_arrivals(seed):
    rng = np.random.default_rng(seed)
    snapshot, _ = drawn_case(seed)
    sources = replace(
        snapshot.sources,
        yield_rate=rng.uniform(0.5, 1.0, 12),
        path_delay=rng.integers(0, 3, (12, 8)),
        lead_time=rng.dirichlet(np.ones(3), 12),
    )
    snapshot = replace(snapshot, sources=sources)
    source, quantity = np.array([[0, 2]]), np.array([[30.0, 17.0]])
    stock = limit_use.expected_stock(snapshot, np.zeros(1, dtype=np.int64), source, quantity)[0]
    net = snapshot.on_hand[0] + np.cumsum(snapshot.arrivals[0] - snapshot.demand[0], axis=1)
    draws, total = 4000, np.zeros(4)
    for path in range(8):
        level = np.tile(net[path], (draws, 1))
        for row, units in zip((0, 2), (30.0, 17.0), strict=True):
            due = rng.choice(3, draws, p=sources.lead_time[row]) + sources.path_delay[row, path]
            level += units * sources.yield_rate[row] * (np.arange(4) >= due[:, None])
        total += np.maximum(level, 0.0).mean(axis=0) / 8
    assert stock == pytest.approx(total, rel=0.03, abs=0.3)


def test_hundreds_of_suppliers_and_a_budget_over_thousands_of_items_are_shared_in_time():
    n_items, suppliers = 2_000, 100
    rng = np.random.default_rng(1)
    snapshot = random_snapshot(n_items, seed=1, paths=2, horizon=4)
    table = replace(snapshot.sources, supplier=rng.integers(0, suppliers, snapshot.sources.item.size))
    item = np.repeat(np.arange(n_items), 13)
    column = np.tile(np.arange(13), n_items)
    source = 3 * item + rng.integers(0, 3, item.size)
    mean = snapshot.demand.mean(axis=(1, 2))
    quantity = np.ceil(mean[item] * rng.uniform(0.5, 10, item.size)) * (column > 0)
    price, need = table.unit_price[source], (mean * rng.uniform(2, 8, n_items))[item]
    cost = 0.02 * quantity * price + 0.5 * np.abs(quantity - need) * price + 30.0 * (quantity > 0)
    candidates = Candidates(item, column, cost, source[:, None], quantity[:, None])
    wanted = 13 * np.arange(n_items) + np.argmin(cost.reshape(n_items, 13), axis=1)
    units = np.bincount(table.supplier[source[wanted]], weights=quantity[wanted], minlength=suppliers)
    limits = SharedLimits(budget=0.7 * float((quantity * price)[wanted].sum()), supplier_capacity=0.8 * units + 1)
    names = tuple(f"S{k:03d}" for k in range(suppliers))
    snapshot = replace(snapshot, supplier_ids=names, sources=table, limits=limits)
    started = perf_counter()
    allocation = allocate(snapshot, candidates, 5.0)
    assert perf_counter() - started < 10.0
    cost_found = float(cost.reshape(n_items, 13)[np.arange(n_items), allocation.chosen].sum())
    assert cost_found <= allocation.lower_bound * 1.02
    used = limit_rows(snapshot, candidates).usage @ (allocation.chosen[item] == column)
    assert np.all(used <= allocation.limits * (1 + 1e-9) + 1e-9)


def joint_case(cost: float) -> PlanningSnapshot:
    """Two items, each cheaper from a supplier of its own than from the one they share."""
    terms = [
        Terms(item=0, supplier=0, price=1.0),
        Terms(item=0, supplier=2, price=1.1),
        Terms(item=1, supplier=1, price=1.0),
        Terms(item=1, supplier=2, price=1.1),
    ]
    return snapshot_of_paths(
        np.full((2, 8, 1), 10.0),
        terms,
        on_hand=[0.0, 0.0],
        holding=[0.1, 0.1],
        shortage=[90.0, 90.0],
        suppliers=3,
        limits=SharedLimits(joint_order_cost=np.array([cost, cost, cost])),
    )


def test_a_joint_order_cost_is_paid_once_a_supplier_and_brings_items_together():
    apart, together = plan_orders(joint_case(1.0)), plan_orders(joint_case(40.0))
    assert {line.supplier_id for line in apart.lines} == {"S00", "S01"}
    assert {line.supplier_id for line in together.lines} == {"S02"}
    assert together.cost.ordering == pytest.approx(40.0)
    assert [outlook.cost.ordering for outlook in together.outlooks] == pytest.approx([20.0, 20.0])
    assert verify(joint_case(40.0), together) == ()


def test_the_number_of_orders_now_goes_to_the_items_that_need_them_most():
    snapshot = random_snapshot(6, seed=2, paths=32)
    free = plan_orders(snapshot)
    few = replace(snapshot, limits=SharedLimits(max_orders=2.0))
    plan = plan_orders(few)
    assert len(free.lines) > 2
    assert len(plan.lines) == 2
    assert verify(few, plan) == ()
    assert any(binding.name == "number of orders" for line in plan.lines for binding in line.binding)


def test_limits_that_lie_far_from_what_could_be_ordered_change_nothing():
    snapshot = random_snapshot(6, seed=3, paths=32)
    suppliers = len(snapshot.supplier_ids)
    roomy = SharedLimits(budget=1e9, supplier_capacity=np.full(suppliers, 1e9), max_orders=1e9)
    assert plan_orders(replace(snapshot, limits=roomy)).lines == plan_orders(snapshot).lines
