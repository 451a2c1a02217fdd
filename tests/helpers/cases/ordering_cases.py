"""Random small planning problems with every kind of limit and feature, for properties that must hold on all of them."""

from dataclasses import replace

import numpy as np

from benchmarks.cases.planning_worlds import Terms, snapshot_of_paths
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SharedLimits, SourceTable

KINDS = ("budget", "storage", "capacity", "least value", "share", "orders", "joint", "by period")
"""Kinds of shared limits."""


def random_problem(seed: int) -> tuple[PlanningSnapshot, OrderingSettings]:
    """One to eight items over a few periods and paths, its sources and limits drawn at random."""
    rng = np.random.default_rng(seed)
    n_items, paths, horizon = int(rng.integers(1, 9)), int(rng.choice([4, 8])), int(rng.integers(3, 9))
    suppliers = int(rng.integers(1, 6))
    mean = rng.choice([0.0, 0.4, 8.0, 60.0], n_items, p=[0.05, 0.15, 0.5, 0.3])
    demand = rng.gamma(2.0, 0.5, (n_items, paths, horizon)) * mean[:, None, None]
    terms = [
        _terms(rng, item, suppliers, float(mean[item]))
        for item in range(n_items)
        for _ in range(rng.choice([0, 1, 2, 3], p=[0.05, 0.25, 0.4, 0.3]))
    ]
    arrivals = np.zeros(demand.shape)
    arrivals[:, :, int(rng.integers(horizon))] = (mean * rng.choice([0.0, 3.0], n_items))[:, None]
    snapshot = snapshot_of_paths(
        demand,
        terms,
        on_hand=np.round(mean * rng.uniform(-1, 3, n_items)).tolist(),
        holding=rng.uniform(0.0, 0.3, n_items).tolist(),
        shortage=rng.uniform(0.1, 20.0, n_items).tolist(),
        arrivals=arrivals,
        suppliers=suppliers,
        unit_value=float(rng.uniform(0, 10)),
        volume=float(rng.choice([0.0, 1.0])),
    )
    snapshot = _with_targets(rng, snapshot)
    snapshot = replace(snapshot, sources=_with_features(rng, snapshot.sources, paths))
    need = float(np.maximum(demand.mean(axis=1).sum(axis=1), 1.0).sum())
    return replace(snapshot, limits=_limits(rng, suppliers, horizon, need)), _settings(rng)


def _terms(rng: np.random.Generator, item: int, suppliers: int, mean: float) -> Terms:
    price, step = float(rng.uniform(1, 10)), float(rng.choice([0.0, 1.0, 5.0, 12.0]))
    lead = rng.dirichlet(np.ones(3)) if rng.random() < 0.6 else np.eye(3)[rng.integers(3)]
    late = int(rng.choice([0, 1, 3, 12], p=[0.5, 0.3, 0.15, 0.05]))
    breaks = tuple((point * max(mean, 1.0), price * share) for point, share in ((2.0, 0.9), (6.0, 0.7)))
    rising = tuple((point, price * 1.3) for point, _ in breaks[:1])
    return Terms(
        item=item,
        supplier=int(rng.integers(suppliers)),
        price=price,
        lead_time=(0.0,) * late + tuple(lead.tolist()),
        moq=float(rng.choice([0.0, 1.0, 3.0, 40.0], p=[0.4, 0.3, 0.25, 0.05])) * max(round(mean), 1),
        multiple=step,
        largest=float(rng.choice([np.inf, 5.0 * mean + 1, 2.0], p=[0.7, 0.25, 0.05])),
        fixed_cost=float(rng.choice([0.0, 10.0, 80.0])),
        freight=float(rng.choice([0.0, 0.2])),
        expedite=bool(rng.random() < 0.2),
        orderable=bool(rng.random() < 0.9),
        breaks=((), breaks, rising)[int(rng.integers(3))],
        capacity=float(rng.choice([np.inf, 2.0 * mean, 0.0], p=[0.8, 0.15, 0.05])),
    )


def _with_targets(rng: np.random.Generator, snapshot: PlanningSnapshot) -> PlanningSnapshot:
    n = snapshot.n_items
    by_service = rng.random(n) < 0.4
    return replace(
        snapshot,
        shortage_cost=np.where(by_service, np.nan, snapshot.shortage_cost),
        service_level=np.where(by_service, rng.choice([0.0, 0.8, 0.95, 1.0], n), np.nan),
        lost_share=rng.choice([0.0, 0.5, 1.0], n),
        fill_rate_target=rng.choice([np.nan, 0.9, 0.99], n, p=[0.9, 0.05, 0.05]),
        frozen_periods=rng.choice([0, 1, 2], n, p=[0.85, 0.1, 0.05]),
        shelf_life_periods=rng.choice([np.inf, 1.0, 3.0], n, p=[0.8, 0.1, 0.1]),
    )


def _with_features(rng: np.random.Generator, sources: SourceTable, paths: int) -> SourceTable:
    rows = len(sources.offer_ids)
    delay = rng.integers(0, 3, (rows, paths)) if rng.random() < 0.2 else np.empty((0, 0), dtype=np.int64)
    return replace(
        sources,
        incremental=rng.random(rows) < 0.3,
        yield_rate=rng.choice([1.0, 0.9, 0.5], rows, p=[0.7, 0.2, 0.1]),
        first_period=rng.choice([0, 1, 4], rows, p=[0.85, 0.1, 0.05]),
        last_period=rng.choice([1_000_000, 0, 2], rows, p=[0.8, 0.1, 0.1]),
        path_delay=delay if rows else np.empty((0, 0), dtype=np.int64),
    )


def _limits(rng: np.random.Generator, suppliers: int, horizon: int, need: float) -> SharedLimits:
    drawn = {kind for kind in KINDS if rng.random() < (0.1 if kind == "by period" else 0.2)}
    share = float(rng.choice([0.0, 0.1, 0.4, 1.0], p=[0.1, 0.2, 0.35, 0.35]))
    each = np.full(suppliers, share * need / suppliers)

    def when(kind: str, limit: np.ndarray) -> np.ndarray:
        return limit if kind in drawn else np.empty(0)

    later = "by period" in drawn
    return SharedLimits(
        budget=float(rng.choice([-5.0, 0.0, share * need * 5])) if "budget" in drawn else np.inf,
        storage=share * need if "storage" in drawn else np.inf,
        supplier_capacity=when("capacity", each),
        supplier_min_order_value=when("least value", np.full(suppliers, 0.3 * need)),
        supplier_max_share=when("share", rng.choice([0.4, 0.6, 1.0], suppliers)),
        max_orders=float(rng.integers(0, 5)) if "orders" in drawn else np.inf,
        joint_order_cost=when("joint", rng.choice([0.0, 40.0, 400.0], suppliers)),
        supplier_capacity_by_period=np.outer(each, rng.uniform(0.1, 1, horizon)) if later else np.empty(0),
        budget_by_period=np.full(horizon, 2.0 * need) if later and rng.random() < 0.5 else np.empty(0),
        max_orders_by_period=np.full(horizon, 2.0) if later and rng.random() < 0.5 else np.empty(0),
    )


def _settings(rng: np.random.Generator) -> OrderingSettings:
    return OrderingSettings(
        seed=int(rng.integers(100)),
        review_periods=int(rng.choice([1, 1, 2])),
        allow_expedite=bool(rng.random() < 0.8),
        max_share=float(rng.choice([1.0, 1.0, 0.6])),
        min_suppliers=int(rng.choice([1, 1, 2])),
        cvar_weight=float(rng.choice([0.0, 0.0, 0.5])),
        time_limit_seconds=0.2,
    )
