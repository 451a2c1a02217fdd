"""The volume that stock, open orders and a plan's orders fill, worked out for the verifier alone."""

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import PlanningSnapshot


def volume_by_period(snapshot: PlanningSnapshot, rows: IntArray, quantities: FloatArray) -> FloatArray:
    """(T,) expected storage volume over all items with orders of `quantities` placed now at source `rows`."""
    by_item: dict[int, list[tuple[int, float]]] = {}
    for row, quantity in zip(rows.tolist(), quantities.tolist(), strict=True):
        by_item.setdefault(int(snapshot.sources.item[row]), []).append((row, quantity))
    volume = np.zeros(snapshot.horizon)
    for item in range(snapshot.n_items):
        net = snapshot.on_hand[item] + np.cumsum(snapshot.arrivals[item] - snapshot.demand[item], axis=1)
        volume += snapshot.storage_volume[item] * _expected_stock(snapshot, net, by_item.get(item, []))
    return volume


def _expected_stock(snapshot: PlanningSnapshot, net: FloatArray, orders: list[tuple[int, float]]) -> FloatArray:
    """Mean over paths and over every combination of orders that has, or has not, arrived; usable units count."""
    arrived = [_arrived(snapshot, row) for row, _ in orders]
    stock = np.zeros(snapshot.horizon)
    for pattern in range(2 ** len(orders)):
        chance, extra = np.ones_like(net), 0.0
        for bit, (row, quantity) in enumerate(orders):
            here = bool(pattern >> bit & 1)
            chance = chance * (arrived[bit] if here else 1 - arrived[bit])
            extra += quantity * float(snapshot.sources.yield_rate[row]) if here else 0.0
        stock += (chance * np.maximum(net + extra, 0.0)).mean(axis=0)
    return stock


def _arrived(snapshot: PlanningSnapshot, row: int) -> FloatArray:
    """(S, T) probability that an order placed now is there by the start of each period, disruptions included."""
    sources, (paths, horizon) = snapshot.sources, snapshot.demand.shape[1:]
    delay = sources.path_delay[row] if sources.path_delay.size else np.zeros(paths, dtype=np.int64)
    by_period = np.array([sources.lead_time[row, : period + 1].sum() for period in range(horizon)])
    chance = np.zeros((paths, horizon))
    for path, late in enumerate(delay.tolist()):
        chance[path, late:] = by_period[: max(horizon - late, 0)]
    return chance
