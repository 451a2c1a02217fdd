"""Seeded catalogues under limits that bind, for measuring the scheduler.

An item's pack is the largest common order step, so that demand is a few packs a period. Limits come from what the
items would order if there were none: a supplier's capacity is a share of its own busy periods, alike in every period.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.schedules.column_generation.item_sweeps import solve_free, total_use
from tools.ordering.schedules.problem.programme_arrays import Limits, limits_of, terms_of
from tools.ordering.schedules.problem.statement import ScheduleProblem
from tools.ordering.schedules.problem.unmet_limits import idle_storage


@dataclass(frozen=True)
class WorldSize:
    """Parameters of a generated catalogue."""

    items: int
    periods: int = 26
    sources: int = 4
    items_per_supplier: int = 330
    paths: int = 8
    tightness: float = 0.87
    """Capacity, budget and storage as shares of what the items would use in a busy period without limits."""
    seed: int = 0

    @property
    def suppliers(self) -> int:
        """K."""
        return max(self.sources, round(self.items * self.sources / self.items_per_supplier))


def make_world(size: WorldSize) -> ScheduleProblem:
    """A catalogue with stochastic demand, four sources an item, three breaks, MOQs, multiples and binding limits."""
    rng = np.random.default_rng(size.seed)
    n = size.items
    rate = np.clip(rng.lognormal(np.log(2.2), 0.4, n), 0.8, 5.0)
    value = rng.lognormal(np.log(60.0), 0.8, n)
    holding = value * rng.uniform(0.2, 0.6, n) / 52
    problem = ScheduleProblem(
        requirement=_requirement(rng, rate, size),
        holding=holding,
        shortage=holding * rng.uniform(10, 30, n),
        end_value=np.zeros(n),
        volume=rng.uniform(0.2, 2.0, n),
        **_sources(rng, rate, value, holding, size),
    )
    landed = (problem.break_price.min(axis=1) + problem.freight).reshape(n, size.sources)
    return with_limits(replace(problem, end_value=landed.min(axis=1)), size)


def _requirement(rng: np.random.Generator, rate: FloatArray, size: WorldSize) -> FloatArray:
    """(N, T, Q) cumulative demand on sample paths less the initial stock, in ascending order."""
    period = np.arange(size.periods)
    phase = rng.uniform(0, size.periods, rate.size)
    season = 1 + 0.3 * np.sin(2 * np.pi * (period[None, :] + phase[:, None]) / size.periods)
    mean = rate[:, None] * season
    spread = rng.uniform(0.5, 2.0, rate.size)[:, None, None]
    paths = rng.poisson(rng.gamma(mean[:, :, None] * spread, 1 / spread, (*mean.shape, size.paths)))
    stock = np.round(rate * rng.uniform(2.0, 11.0, rate.size))
    return np.sort(np.cumsum(paths, axis=1) - stock[:, None, None], axis=2).astype(np.float64)


def _sources(
    rng: np.random.Generator, rate: FloatArray, value: FloatArray, holding: FloatArray, size: WorldSize
) -> dict[str, Any]:
    """Sources of all items: the faster, the dearer; MOQ of 1-3 periods' demand; breaks at 2, 3 and 5 periods'."""
    n, s, k = rate.size, size.sources, size.suppliers
    m = n * s
    item = np.repeat(np.arange(n), s)
    lead = rng.integers(1, 7, m)
    price = value[item] * (1.06 - 0.012 * lead + rng.uniform(-0.1, 0.1, m))
    step = rng.choice([1, 1, 1, 2, 2, 3, 4], m)
    least = -(-np.round(rate[item] * rng.uniform(1, 3, m)).astype(np.int64) // step) * step
    breaks = np.maximum(np.round(rate[item, None] * np.array([2, 3, 5])), least[:, None] + np.arange(1, 4))
    cycle = rng.uniform(1.5, 5, n)[item] * rng.uniform(0.8, 1.2, m)
    largest = np.where(rng.random(m) < 0.5, 10**8, np.maximum(least, np.round(rate[item] * 10)))
    return {
        "source_item": item,
        "source_supplier": _distinct(rng, n, s, k).ravel(),
        "lead": lead,
        "unit_price": price,
        "break_packs": breaks.astype(np.int64),
        "break_price": price[:, None] * np.array([0.994, 0.989, 0.985]),
        "freight": value[item] * rng.uniform(0.005, 0.03, m),
        "fixed_cost": holding[item] * rate[item] * cycle**2 / 2,
        "least": least,
        "multiple": step,
        "largest": largest.astype(np.int64),
        "first": np.zeros(m, np.int64),
        "last": np.full(m, size.periods - 1),
        "effort_per_pack": rng.uniform(0.5, 2.0, m),
        "effort_per_order": rng.uniform(0.0, 1.0, m) * rate[item],
        "capacity": np.full((k, size.periods), np.inf),
        "budget": np.full(size.periods, np.inf),
        "storage": np.full(size.periods, np.inf),
        "max_orders": np.full(size.periods, np.inf),
    }


def _distinct(rng: np.random.Generator, rows: int, columns: int, high: int) -> IntArray:
    """(rows, columns) numbers below `high`, no number twice in a row."""
    drawn = rng.integers(0, high, (rows, columns))
    while (twice := (np.diff(np.sort(drawn, axis=1), axis=1) == 0).any(axis=1)).any():
        drawn[twice] = rng.integers(0, high, (int(twice.sum()), columns))
    return drawn


def with_limits(problem: ScheduleProblem, size: WorldSize) -> ScheduleProblem:
    """The same catalogue with limits drawn from what it uses without them."""
    use = free_use(problem)
    busy = np.quantile(use.capacity, 0.9, axis=1, keepdims=True)
    money = np.quantile(use.budget, 0.9)
    room = np.quantile(use.storage, 0.9)
    return replace(
        problem,
        capacity=np.repeat(size.tightness * busy, size.periods, axis=1),
        budget=np.full(size.periods, size.tightness * money),
        # stock on hand cannot be sent away: early periods leave room for it
        storage=np.maximum(size.tightness * room, 1.02 * idle_storage(problem)),
    )


def free_use(problem: ScheduleProblem) -> Limits:
    """What each item's best orders without any limit use."""
    terms = terms_of(problem)
    total = Limits(*(np.zeros_like(part) for part in limits_of(problem)))
    packs = np.zeros((problem.lead.size, problem.horizon), np.int32)
    solve_free(terms, total, packs, np.zeros(problem.n_items))
    total_use(terms, packs, total, True)
    return total
