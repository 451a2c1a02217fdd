"""Small schedules by hand and at random, and their best by trying everything."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from tools.ordering.schedules.problem.statement import ScheduleOrders, ScheduleProblem

NEVER = 10**9


def one_source_problem(requirement, *, suppliers=1, **changes) -> ScheduleProblem:
    """One source an item from `requirement` (N, T) or (N, T, Q): free packs at once, no limit; `changes` by field."""
    required = np.asarray(requirement, dtype=np.float64)
    required = required[:, :, None] if required.ndim == 2 else required
    n, horizon, _ = required.shape
    zero, whole, endless = np.zeros(n), np.zeros(n, dtype=np.int64), np.full(horizon, np.inf)
    plain = ScheduleProblem(
        requirement=required,
        holding=np.ones(n),
        shortage=np.full(n, np.inf),
        end_value=zero,
        volume=zero,
        source_item=np.arange(n),
        source_supplier=whole,
        lead=whole,
        unit_price=zero,
        break_packs=np.empty((n, 0), dtype=np.int64),
        break_price=np.empty((n, 0)),
        freight=zero,
        fixed_cost=zero,
        least=whole + 1,
        multiple=whole + 1,
        largest=whole + NEVER,
        first=whole,
        last=whole + horizon - 1,
        effort_per_pack=np.ones(n),
        effort_per_order=zero,
        capacity=np.full((suppliers, horizon), np.inf),
        budget=endless,
        storage=endless,
        max_orders=endless,
    )
    return replace(plain, **{name: np.asarray(value) for name, value in changes.items()})


def orders_of(*rows: tuple[int, int, int]) -> ScheduleOrders:
    """Orders from (source, period, packs)."""
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 3)
    return ScheduleOrders(table[:, 0], table[:, 1], table[:, 2])


def random_problem(
    seed: int, *, items: int = 2, sources: int = 1, horizon: int = 3, atoms: int = 2, limited: bool = True
) -> ScheduleProblem:
    """Everything at once on a few packs: MOQ, multiples, a break, windows, lead times, set-ups, every limit."""
    rng = np.random.default_rng(seed)
    n, m = items, items * sources
    paths = rng.integers(0, 3, (n, atoms, horizon)).cumsum(axis=2) - rng.integers(0, 3, n)[:, None, None]
    if seed % 3 == 0:
        paths = paths + rng.choice([0.0, 0.25, 0.5], paths.shape)
    price = rng.uniform(2, 6, m)
    multiple = rng.integers(1, 3, m)
    freight = rng.uniform(0, 0.5, m)
    item = np.repeat(np.arange(n), sources)
    cheapest = np.array([(0.8 * price + freight)[item == i].min() for i in range(n)])

    def limit(shape, low, high):
        return np.where(rng.random(shape) < 0.6, rng.integers(low, high, shape).astype(float), np.inf)

    last = np.full(m, horizon - 1)
    problem = ScheduleProblem(
        requirement=np.sort(paths.transpose(0, 2, 1), axis=2).astype(np.float64),
        holding=rng.uniform(0.1, 1.5, n),
        shortage=rng.uniform(0.5, 8, n),
        end_value=cheapest * rng.choice([0.0, 0.7, 1.0], n),
        volume=rng.uniform(0, 2, n),
        source_item=item,
        source_supplier=rng.integers(0, 2, m),
        lead=rng.integers(0, 2, m),
        unit_price=price,
        break_packs=rng.integers(2, 5, (m, 1)),
        break_price=price[:, None] * rng.uniform(0.8, 1.05),
        freight=freight,
        fixed_cost=rng.uniform(0, 6, m),
        least=rng.integers(1, 4, m),
        multiple=multiple,
        largest=rng.integers(4, 7, m),
        first=rng.integers(0, 2, m),
        last=np.where(rng.random(m) < 0.8, last, last - 1),
        effort_per_pack=rng.uniform(0.5, 1.5, m),
        effort_per_order=rng.uniform(0, 2, m),
        capacity=limit((2, horizon), 3, 10),
        budget=limit(horizon, 8, 40),
        storage=limit(horizon, 1, 8),
        max_orders=limit(horizon, 1, 3),
    )
    return problem if limited else without_limits(problem)


def without_limits(problem: ScheduleProblem) -> ScheduleProblem:
    """The same problem with no limit shared by items."""
    names = ("capacity", "budget", "storage", "max_orders")
    return replace(problem, **{name: np.full_like(getattr(problem, name), np.inf) for name in names})


def every_schedule(problem: ScheduleProblem) -> Iterator[ScheduleOrders]:
    """All schedules whose orders keep MOQ, multiple, largest and windows and arrive within the horizon."""
    places = [
        (source, period)
        for source in range(problem.source_item.size)
        for period in range(int(problem.first[source]), int(problem.last[source]) + 1)
        if period + problem.lead[source] < problem.horizon
    ]
    sizes = [
        [0, *(q for q in range(problem.least[s], problem.largest[s] + 1) if q % problem.multiple[s] == 0)]
        for s, _ in places
    ]
    for packs in product(*sizes):
        yield orders_of(*((s, t, q) for (s, t), q in zip(places, packs, strict=True) if q))
