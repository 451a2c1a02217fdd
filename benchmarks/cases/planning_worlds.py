"""Seeded planning problems for measuring and testing the ordering engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.datasets import Period
from tools.domain.snapshots import PlanningSnapshot, SharedLimits, SourceTable


@dataclass(frozen=True)
class Terms:
    """Terms of one source, with a lead time as probabilities over whole periods."""

    item: int = 0
    supplier: int = 0
    price: float = 0.0
    lead_time: tuple[float, ...] = (1.0,)
    moq: float = 0.0
    multiple: float = 1.0
    largest: float = float("inf")
    fixed_cost: float = 0.0
    freight: float = 0.0
    expedite: bool = False
    orderable: bool = True
    breaks: tuple[tuple[float, float], ...] = ()
    capacity: float = float("inf")


def source_table(terms: Sequence[Terms]) -> SourceTable:
    """Terms as arrays, in the given order (which must be by item)."""
    length = max((len(t.lead_time) for t in terms), default=1)
    width = max((len(t.breaks) for t in terms), default=0)
    lead = np.array([[*t.lead_time, *([0.0] * (length - len(t.lead_time)))] for t in terms], dtype=np.float64)
    points, prices = np.full((len(terms), width), np.inf), np.full((len(terms), width), np.nan)
    for row, term in enumerate(terms):
        for column, (quantity, price) in enumerate(term.breaks):
            points[row, column], prices[row, column] = quantity, price

    def column_of(name: str) -> FloatArray:
        return np.array([getattr(t, name) for t in terms], dtype=np.float64)

    return SourceTable(
        offer_ids=tuple(f"I{t.item:03d}|S{t.supplier:02d}|{index}|MAIN" for index, t in enumerate(terms)),
        item=np.array([t.item for t in terms], dtype=np.int64),
        supplier=np.array([t.supplier for t in terms], dtype=np.int64),
        unit_price=column_of("price"),
        break_quantity=points,
        break_price=prices,
        freight_per_unit=column_of("freight"),
        fixed_order_cost=column_of("fixed_cost"),
        moq=column_of("moq"),
        order_multiple=column_of("multiple"),
        max_quantity=column_of("largest"),
        capacity_per_period=column_of("capacity"),
        lead_time=lead.reshape(len(terms), length),
        lead_time_days=lead.reshape(len(terms), length) @ np.arange(length) * 7.0,
        expedite=np.array([t.expedite for t in terms], dtype=np.bool_),
        preference=np.zeros(len(terms), dtype=np.int64),
        orderable=np.array([t.orderable for t in terms], dtype=np.bool_),
    )


def snapshot_of_paths(
    demand: FloatArray,
    terms: Sequence[Terms],
    *,
    on_hand: Sequence[float],
    holding: Sequence[float],
    shortage: Sequence[float],
    arrivals: FloatArray | None = None,
    limits: SharedLimits | None = None,
    suppliers: int = 1,
    unit_value: float = 0.0,
    volume: float = 0.0,
) -> PlanningSnapshot:
    """A weekly problem from demand paths (N, S, T) and terms, by hand."""
    n_items = demand.shape[0]
    return PlanningSnapshot(
        as_of=date(2026, 1, 4),
        period=Period.WEEK,
        currency="USD",
        item_ids=tuple(f"I{i:03d}" for i in range(n_items)),
        site_ids=("MAIN",) * n_items,
        supplier_ids=tuple(f"S{k:02d}" for k in range(suppliers)),
        on_hand=np.array(on_hand, dtype=np.float64),
        arrivals=np.zeros(demand.shape) if arrivals is None else arrivals,
        demand=demand,
        unit_value=np.full(n_items, unit_value),
        holding_cost=np.array(holding, dtype=np.float64),
        shortage_cost=np.array(shortage, dtype=np.float64),
        service_level=np.full(n_items, np.nan),
        storage_volume=np.full(n_items, volume),
        shelf_life_periods=np.full(n_items, np.inf),
        sources=source_table(terms),
        limits=limits or SharedLimits(),
    )


def random_snapshot(
    n_items: int,
    *,
    seed: int = 0,
    paths: int = 256,
    horizon: int = 26,
    sources: int = 3,
    limits: SharedLimits | None = None,
) -> PlanningSnapshot:
    """Items with gamma demand and a cheap slow, a middling and a dear fast source each, suppliers shared."""
    rng = np.random.default_rng(seed)
    mean = rng.lognormal(3.5, 0.8, n_items)
    spread = rng.uniform(0.2, 1.2, n_items)
    shape = 1 / spread**2
    demand = rng.gamma(shape[:, None, None], 1.0, (n_items, paths, horizon)) * (mean / shape)[:, None, None]
    suppliers = max(sources + 2, n_items // 4)
    value = rng.lognormal(2.0, 0.7, n_items)
    terms = [
        _random_terms(rng, item, rank, suppliers, mean[item], value[item])
        for item in range(n_items)
        for rank in range(sources)
    ]
    arrivals = np.zeros(demand.shape)
    due = rng.integers(0, min(6, horizon), (n_items, paths))
    arrivals[np.arange(n_items)[:, None], np.arange(paths)[None, :], due] = (mean * rng.uniform(0, 4, n_items))[:, None]
    return snapshot_of_paths(
        demand,
        terms,
        on_hand=list(np.round(mean * rng.uniform(0, 6, n_items))),
        holding=list(value * 0.25 / 52),
        shortage=list(value * rng.uniform(0.1, 0.6, n_items)),
        arrivals=arrivals,
        limits=limits,
        suppliers=suppliers,
        volume=1.0,
    )


def _random_terms(rng: np.random.Generator, item: int, rank: int, suppliers: int, mean: float, value: float) -> Terms:
    least = (6, 3, 0)[min(rank, 2)]
    lead = np.zeros(least + 4)
    lead[least:] = rng.dirichlet(np.ones(4))
    pack = float(rng.choice([1.0, 5.0, 12.0]))
    price = float(value * (1.0, 1.1, 1.8)[min(rank, 2)])
    return Terms(
        item=item,
        supplier=(item + rank * 2) % suppliers,
        price=price,
        lead_time=tuple(lead),
        moq=float(np.ceil(mean * rng.uniform(0, 3) / pack) * pack),
        multiple=pack,
        fixed_cost=float(rng.choice([0.0, 25.0, 80.0])),
        freight=0.02 * price,
        expedite=rank >= 2,
        breaks=((float(np.ceil(6 * mean / pack) * pack), 0.95 * price),) if rank == 0 else (),
    )
