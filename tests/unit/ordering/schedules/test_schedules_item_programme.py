"""The compiled programme of one item against plain enumeration and against its own invariants."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from schedule_cases import random_problem, without_limits
from schedule_in_words import end_cost, least_cost, order_cost, order_use

from tools.ordering.schedules.column_generation.item_programme import scratch, solve_item
from tools.ordering.schedules.column_generation.item_sweeps import solve_free
from tools.ordering.schedules.problem.expected_cost import evaluate
from tools.ordering.schedules.problem.programme_arrays import Limits, limits_of, terms_of
from tools.ordering.schedules.problem.statement import ScheduleOrders, ScheduleProblem

HORIZON = 4
PRICES = (2.0, 0.3, 0.5, 3.0)
"""Highest prices of capacity, budget, storage and orders."""
GENERATED = settings(max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.generate])


def item(seed: int, *, sources: int = 2, atoms: int = 3, **changes: object) -> ScheduleProblem:
    """One small random item with MOQ, multiples, breaks, largest orders, windows and lead times."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(0, 3, (1, HORIZON, atoms))
    price = rng.uniform(4, 8, sources)
    fields: dict[str, object] = {
        "requirement": np.sort(np.cumsum(steps, axis=1) - rng.integers(0, 3), axis=2).astype(float),
        "holding": rng.uniform(0.1, 1.0, 1),
        "shortage": rng.uniform(1.0, 9.0, 1),
        "end_value": np.array([3.5]),
        "volume": np.ones(1),
        "source_item": np.zeros(sources, np.int64),
        "source_supplier": np.arange(sources),
        "lead": rng.integers(0, 3, sources),
        "unit_price": price,
        "break_packs": np.stack([rng.integers(2, 4, sources), np.full(sources, 10**9)], axis=1),
        "break_price": np.stack([price * 0.9, price * 0.1], axis=1),
        "freight": rng.uniform(0, 1, sources),
        "fixed_cost": rng.uniform(0, 5, sources),
        "least": rng.integers(0, 4, sources),
        "multiple": rng.integers(1, 3, sources),
        "largest": rng.choice([4, 5, 10**9], sources),
        "first": rng.integers(0, 2, sources),
        "last": rng.integers(2, 4, sources),
        "effort_per_pack": rng.uniform(0.5, 2, sources),
        "effort_per_order": rng.uniform(0, 1, sources),
        "capacity": np.full((sources, HORIZON), np.inf),
        "budget": np.full(HORIZON, np.inf),
        "storage": np.full(HORIZON, np.inf),
        "max_orders": np.full(HORIZON, np.inf),
    }
    return ScheduleProblem(**(fields | changes))  # type: ignore[arg-type]


def free(problem: ScheduleProblem, prices: Limits | None = None) -> tuple[float, ScheduleOrders]:
    """The item's best cost under prices, and its orders."""
    terms = terms_of(problem)
    prices = prices or Limits(*(np.zeros_like(part) for part in limits_of(problem)))
    packs = np.zeros((problem.lead.size, problem.horizon), np.int32)
    value = np.zeros(problem.n_items)
    solve_free(terms, prices, packs, value)
    source, period = np.nonzero(packs)
    return float(value.sum()), ScheduleOrders(source, period, packs[source, period].astype(np.int64))


def enumerated(problem: ScheduleProblem, prices: Limits) -> float:
    """The best of all plans with orders of up to eleven packs, one by one in plain Python."""
    places = [
        (s, t)
        for s in range(problem.lead.size)
        for t in range(problem.first[s], problem.last[s] + 1)
        if t + problem.lead[s] < problem.horizon
    ]
    sizes = [
        [0] + [q for q in range(1, 12) if problem.least[s] <= q <= problem.largest[s] and q % problem.multiple[s] == 0]
        for s, _ in places
    ]
    best = np.inf
    for plan in product(*sizes):
        if sum(plan) <= 14 and sum(q > 0 for q in plan) <= 3:
            orders = [(s, t, q) for (s, t), q in zip(places, plan, strict=True) if q > 0]
            best = min(best, priced(problem, orders, prices))
    return best


def priced(problem: ScheduleProblem, orders: Iterable[tuple[int, int, int]], prices: Limits, item: int = 0) -> float:
    """Cost of an item's orders: source, period and packs of each."""
    cost, landed = 0.0, np.zeros(problem.horizon)
    for source, placed, packs in orders:
        cost += order_cost(problem, source, placed, packs, prices)
        landed[placed + problem.lead[source] :] += packs
    return cost + sum(float(end_cost(problem, item, t, landed[t], prices)[0]) for t in range(problem.horizon))


def wider(problem: ScheduleProblem, rng: np.random.Generator) -> ScheduleProblem:
    """The problem with longer lead times, a second break at which the price may rise, and need beyond one order."""
    m = problem.lead.size
    price = problem.unit_price[:, None] * rng.uniform(0.8, 1.1, (m, 2))
    return replace(
        problem,
        requirement=problem.requirement * rng.integers(1, 4),
        shortage=problem.shortage * rng.choice([1.0, 10.0]),
        fixed_cost=problem.fixed_cost * rng.choice([0.0, 1.0]),
        lead=rng.integers(0, 4, m),
        break_packs=np.sort(rng.choice(np.arange(2, 7), (m, 2)), axis=1),
        break_price=price,
    )


def drawn(problem: ScheduleProblem, rng: np.random.Generator) -> Limits:
    """A price of each limit; a third of them are 0."""
    shapes = [(top, part.shape) for top, part in zip(PRICES, limits_of(problem), strict=True)]
    return Limits(*(rng.uniform(0, top, shape) * (rng.random(shape) < 0.67) for top, shape in shapes))


def fitting(problem: ScheduleProblem, room: Limits, barred: set[tuple[int, int]]) -> Callable[[int, int, int], bool]:
    """Whether an order by itself fits into what is left of the limits."""

    def fits(source: int, placed: int, packs: int) -> bool:
        price, effort = order_use(problem, source, packs)
        capacity = room.capacity[problem.source_supplier[source], placed]
        fine = price <= room.budget[placed] and effort <= capacity and room.orders[placed] >= 1
        return bool(fine) and (source, placed) not in barred

    return fits


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 3), st.integers(1, 6), st.integers(1, 4), st.booleans()
)
@GENERATED
def test_the_compiled_programme_finds_what_plain_numpy_finds(seed, items, sources, horizon, atoms, within) -> None:
    rng = np.random.default_rng(seed)
    problem = wider(random_problem(seed, items=items, sources=sources, horizon=horizon, atoms=atoms), rng)
    terms, prices = terms_of(problem), drawn(problem, rng)
    room = limits_of(problem).times(float(rng.choice([0.5, 1.0]))) if within else limits_of(without_limits(problem))
    shut = (rng.random((problem.lead.size, horizon)) < 0.1).astype(np.int64) * within
    fits = fitting(problem, room, {(int(s), int(t)) for s, t in np.argwhere(shut)})
    packs, work = np.zeros(shut.shape, np.int32), scratch(terms)
    for one in range(items):
        mine = slice(terms.start[one], terms.start[one + 1])
        value = solve_item(one, terms, prices, room, within, shut[mine], work, packs[mine])
        orders = [(int(s), int(t), int(packs[s, t])) for s, t in np.argwhere(packs) if problem.source_item[s] == one]
        assert value == pytest.approx(least_cost(problem, one, prices, fits, room.storage), rel=1e-9, abs=1e-9)
        assert priced(problem, orders, prices, one) == pytest.approx(value, rel=1e-9, abs=1e-9)
        assert all(fits(*order) for order in orders)


@pytest.mark.parametrize("seed", range(12))
def test_the_programme_finds_the_cheapest_of_all_plans(seed: int) -> None:
    problem = item(seed, sources=1 + seed % 2)
    nothing = Limits(*(np.zeros_like(part) for part in limits_of(problem)))
    value, orders = free(problem)
    assert value == pytest.approx(enumerated(problem, nothing), abs=1e-9)
    assert evaluate(problem, orders).sum() == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_prices_of_limits_count_as_money(seed: int) -> None:
    problem = item(100 + seed)
    rng = np.random.default_rng(seed)
    prices = drawn(problem, rng)
    assert free(problem, prices)[0] == pytest.approx(enumerated(problem, prices), abs=1e-9)


def test_two_sources_may_deliver_in_the_same_period() -> None:
    needs = np.full((1, HORIZON, 1), 8.0)
    needs[0, :2] = 0.0
    problem = item(
        0,
        requirement=needs,
        lead=np.array([1, 2]),
        least=np.zeros(2, np.int64),
        multiple=np.ones(2, np.int64),
        largest=np.array([4, 4]),
        first=np.array([1, 0]),
        last=np.array([1, 0]),
        shortage=np.array([50.0]),
    )
    _, orders = free(problem)
    assert orders.packs.tolist() == [4, 4]
    assert (orders.period + problem.lead[orders.source]).tolist() == [2, 2]


def test_a_price_that_rises_at_a_break_is_charged() -> None:
    rising = item(3, break_price=np.array([[9.0, 9.0], [9.0, 9.0]]), largest=np.full(2, 10**9))
    nothing = Limits(*(np.zeros_like(part) for part in limits_of(rising)))
    assert free(rising)[0] == pytest.approx(enumerated(rising, nothing), abs=1e-9)


def test_an_item_that_is_covered_orders_nothing() -> None:
    assert free(item(1, requirement=np.full((1, HORIZON, 2), -3.0)))[1].packs.size == 0


def test_an_end_value_above_the_price_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="item 0 .* lower end_value"):
        terms_of(item(1, end_value=np.array([99.0])))


def test_an_item_without_a_source_is_short() -> None:
    none = {
        name: np.zeros((0, *np.shape(getattr(item(2), name))[1:]), getattr(item(2), name).dtype)
        for name in [
            "source_item",
            "source_supplier",
            "lead",
            "unit_price",
            "break_packs",
            "break_price",
            "freight",
            "fixed_cost",
            "least",
            "multiple",
            "largest",
            "first",
            "last",
            "effort_per_pack",
            "effort_per_order",
        ]
    }
    problem = item(2, **none)
    value, orders = free(problem)
    assert orders.packs.size == 0
    assert value == pytest.approx(evaluate(problem, orders).sum())
