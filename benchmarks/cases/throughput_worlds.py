"""Seeded catalogues of any size, made in whole arrays, for measuring how fast items are planned."""

from dataclasses import dataclass
from datetime import date
from typing import cast

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.datasets import Period
from tools.domain.snapshots import PlanningSnapshot, SourceTable

SOURCES = 4
"""A cheap slow, a nearer, a near and a fast source each."""
LONGEST_LEAD = 10


@dataclass(frozen=True)
class World:
    """Parameters of a generated catalogue: gamma demand, half the items with an open order, no shared limits."""

    items: int
    paths: int = 64
    periods: int = 26
    coefficient_of_variation: tuple[float, float] = (0.2, 1.2)
    mean_demand_log: tuple[float, float] = (3.5, 0.8)
    unit_value_log: tuple[float, float] = (2.0, 0.7)
    items_per_supplier: int = 330
    seed: int = 0


def throughput_snapshot(world: World) -> PlanningSnapshot:
    """The planning problem; sample paths in single precision, half the memory of double."""
    rng = np.random.default_rng(world.seed)
    n, shape = world.items, (world.items, world.paths, world.periods)
    mean, value = rng.lognormal(*world.mean_demand_log, n), rng.lognormal(*world.unit_value_log, n)
    gamma = 1 / rng.uniform(*world.coefficient_of_variation, n) ** 2
    demand, arrivals = np.empty(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    for item in range(n):
        draws = rng.standard_gamma(gamma[item], shape[1:], dtype=np.float32)
        demand[item] = draws * np.float32(mean[item] / gamma[item])
    due = rng.integers(0, min(6, world.periods), (n, world.paths))
    units = mean * rng.uniform(0, 4, n) * (rng.random(n) < 0.5)
    arrivals[np.arange(n)[:, None], np.arange(world.paths), due] = units[:, None]
    nothing = np.full(n, np.nan)
    return PlanningSnapshot(
        as_of=date(2026, 1, 4),
        period=Period.WEEK,
        currency="USD",
        item_ids=tuple(f"I{i:07d}" for i in range(n)),
        site_ids=("MAIN",) * n,
        supplier_ids=tuple(f"S{k:05d}" for k in range(_suppliers(world))),
        on_hand=np.round(mean * rng.uniform(0, 6, n)),
        arrivals=cast(FloatArray, arrivals),
        demand=cast(FloatArray, demand),
        unit_value=value,
        holding_cost=value * 0.25 / 52,
        shortage_cost=value * rng.uniform(0.1, 0.6, n),
        service_level=nothing,
        storage_volume=np.ones(n),
        shelf_life_periods=np.full(n, np.inf),
        sources=_sources(rng, world, mean, value),
    )


def _suppliers(world: World) -> int:
    return max(SOURCES, world.items * SOURCES // world.items_per_supplier)


def _sources(rng: np.random.Generator, world: World, mean: FloatArray, value: FloatArray) -> SourceTable:
    item, rank = np.repeat(np.arange(world.items), SOURCES), np.tile(np.arange(SOURCES), world.items)
    rows, suppliers = item.size, _suppliers(world)
    least = np.array([6, 3, 2, 0])[rank]
    spread = rng.dirichlet(np.ones(4), rows)
    lead = np.zeros((rows, LONGEST_LEAD))
    np.put_along_axis(lead, least[:, None] + np.arange(4), spread, axis=1)
    pack = rng.choice([1.0, 5.0, 12.0], rows)
    price = value[item] * np.array([1.0, 1.06, 1.12, 1.8])[rank] * rng.uniform(0.98, 1.02, rows)
    point = np.where(rank == 0, np.ceil(6 * mean[item] / pack) * pack, np.inf)
    return SourceTable(
        offer_ids=tuple(f"I{i:07d}|{r}" for i, r in zip(item.tolist(), rank.tolist(), strict=True)),
        item=item,
        supplier=(item + rank * 7) % suppliers,
        unit_price=price,
        break_quantity=point[:, None],
        break_price=np.where(rank == 0, 0.95 * price, np.nan)[:, None],
        freight_per_unit=0.02 * price,
        fixed_order_cost=rng.choice([0.0, 25.0, 80.0], rows),
        moq=np.ceil(mean[item] * rng.uniform(0, 3, rows) / pack) * pack,
        order_multiple=pack,
        max_quantity=np.full(rows, np.inf),
        capacity_per_period=np.full(rows, np.inf),
        lead_time=lead,
        lead_time_days=lead @ np.arange(LONGEST_LEAD) * 7.0,
        expedite=rank == SOURCES - 1,
        preference=np.zeros(rows, dtype=np.int64),
        orderable=np.ones(rows, dtype=np.bool_),
    )
