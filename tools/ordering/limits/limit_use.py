"""What each candidate order uses of the limits that items share: budget, capacity, number of orders, storage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import PlanningSnapshot, SharedLimits
from tools.kernels import kernel
from tools.ordering.candidates.columns import Columns
from tools.ordering.problem.quantities import TINY, unit_price_at

CandidateParts = tuple[IntArray, Columns, FloatArray, FloatArray | None]
"""Item rows, their columns with source rows of the whole snapshot, totals, and stored volumes where they are known."""


@dataclass(frozen=True)
class Candidates:
    """Valid candidates in a row, V of them, by item: item, column, cost, and their order parts."""

    item: IntArray
    column: IntArray
    cost: FloatArray
    source: IntArray
    """(V, P)"""
    quantity: FloatArray
    """(V, P)"""
    stored: FloatArray | None = None
    """(V, T) expected storage volume; None where it is not known."""

    @classmethod
    def of(cls, parts: Sequence[CandidateParts]) -> "Candidates":
        """Join the batches' valid columns, in the order of their items."""
        depth = max(columns.source.shape[2] for _, columns, _, _ in parts)
        item, column, cost, source, quantity = [], [], [], [], []
        volume = list[FloatArray]()
        for items, columns, total, stored in parts:
            i, c = np.nonzero(columns.valid)
            pad = ((0, 0), (0, depth - columns.source.shape[2]))
            item.append(items[i])
            column.append(c)
            cost.append(total[i, c])
            source.append(np.pad(columns.source[i, c], pad))
            quantity.append(np.pad(columns.quantity[i, c], pad))
            if stored is not None:
                volume.append(stored[i, c])
        known = np.concatenate(volume) if len(volume) == len(parts) else None
        joined = [np.concatenate(a) for a in (item, column, cost, source, quantity)]
        if (joined[0][1:] >= joined[0][:-1]).all():
            return cls(*joined, stored=known)
        order = np.argsort(joined[0], kind="stable")
        return cls(*(array[order] for array in joined), stored=None if known is None else known[order])

    @property
    def orders(self) -> FloatArray:
        """(V,) number of orders that each places."""
        return (self.quantity > TINY).sum(axis=1).astype(np.float64)


@dataclass(frozen=True)
class LimitRows:
    """Shared limits of the first period as rows over the candidates: usage (R, V) at most `limit` (R,)."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    supplier: IntArray
    """(R,) supplier of the row, -1 for what is the buyer's."""
    usage: csr_array
    limit: FloatArray


def budget_now(limits: SharedLimits) -> float:
    """Money for orders placed now, at least 0; inf without limit."""
    first = float(limits.budget_by_period[0]) if limits.budget_by_period.size else np.inf
    return max(min(limits.budget, first), 0.0)


def orders_now(limits: SharedLimits) -> float:
    """Orders that may be placed now; inf without limit."""
    first = float(limits.max_orders_by_period[0]) if limits.max_orders_by_period.size else np.inf
    return max(min(limits.max_orders, first), 0.0)


def capacity_now(snapshot: PlanningSnapshot) -> FloatArray:
    """(K,) units that each supplier ships of what is ordered now; inf without limit."""
    limits = snapshot.limits
    capacity = np.full(len(snapshot.supplier_ids), np.inf)
    if limits.supplier_capacity.size:
        capacity = np.minimum(capacity, limits.supplier_capacity)
    if limits.supplier_capacity_by_period.size:
        capacity = np.minimum(capacity, limits.supplier_capacity_by_period[:, 0])
    return np.maximum(capacity, 0.0)


def has_shared_limits(snapshot: PlanningSnapshot) -> bool:
    """Whether anything couples the orders that items place now."""
    limits = snapshot.limits
    return bool(
        np.isfinite(budget_now(limits))
        or np.isfinite(limits.storage)
        or np.isfinite(orders_now(limits))
        or np.isfinite(capacity_now(snapshot)).any()
        or (limits.supplier_min_order_value > 0).any()
        or (limits.joint_order_cost > 0).any()
    )


def limits_may_bind(snapshot: PlanningSnapshot) -> bool:
    """Whether a shared limit is near enough to what could be ordered that items may have to give way to each other.

    Where not, each item is priced as if it were alone; the limits are looked at all the same.
    """
    limits, sources = snapshot.limits, snapshot.sources
    if not has_shared_limits(snapshot) or not sources.item.size:
        return False
    if np.isfinite(limits.storage) or any(
        (t > 0).any() for t in (limits.supplier_min_order_value, limits.joint_order_cost)
    ):
        return True
    wanted = snapshot.demand.sum(axis=2).max(axis=1, initial=0.0) + np.maximum(-snapshot.on_hand, 0.0)
    most = (wanted[sources.item] + sources.moq + sources.order_multiple) / np.maximum(sources.yield_rate, TINY)
    worth = np.maximum(sources.unit_price, np.nanmax(sources.break_price, axis=1, initial=0.0))
    whole = np.bincount(sources.supplier, weights=most, minlength=len(snapshot.supplier_ids))
    return bool(
        budget_now(limits) < most @ worth
        or orders_now(limits) < sources.item.size
        or (capacity_now(snapshot) < whole).any()
    )


def limit_rows(snapshot: PlanningSnapshot, candidates: Candidates) -> LimitRows:
    """Rows for every finite budget, number of orders, supplier capacity and storage period."""
    names, units, parts = list[str](), list[str](), list[csr_array]()
    supplier, bound = list[int](), list[float]()
    limits = snapshot.limits
    for name, unit, limit, used in (
        ("budget", snapshot.currency, budget_now(limits), lambda: order_values(snapshot, candidates).sum(axis=1)),
        ("number of orders", "orders", orders_now(limits), lambda: candidates.orders),
    ):
        if np.isfinite(limit):
            names.append(name)
            units.append(unit)
            supplier.append(-1)
            bound.append(limit)
            parts.append(csr_array(used()[None, :]))
    capacity = capacity_now(snapshot)
    limited = np.flatnonzero(np.isfinite(capacity))
    names.extend(f"capacity of {snapshot.supplier_ids[int(who)]}" for who in limited)
    units.extend("units" for _ in limited)
    supplier.extend(limited.tolist())
    bound.extend(capacity[limited].tolist())
    parts.append(_capacity_use(snapshot, candidates, limited))
    if np.isfinite(limits.storage):
        periods, stored, room = _storage_rows(snapshot, candidates)
        names.extend(f"storage in period {period}" for period in periods)
        units.extend("volume" for _ in periods)
        supplier.extend(-1 for _ in periods)
        bound.extend(room.tolist())
        parts.append(csr_array(stored))
    matrix = csr_array(vstack(parts))
    return LimitRows(tuple(names), tuple(units), np.array(supplier, dtype=np.int64), matrix, np.array(bound))


def _capacity_use(snapshot: PlanningSnapshot, candidates: Candidates, limited: IntArray) -> csr_array:
    """(suppliers, V) units from each limited supplier."""
    shape = (limited.size, candidates.item.size)
    if not limited.size or not snapshot.sources.item.size:
        return csr_array(shape)
    place = np.full(len(snapshot.supplier_ids), -1, dtype=np.int64)
    place[limited] = np.arange(limited.size)
    row = place[snapshot.sources.supplier[candidates.source]]
    v, p = np.nonzero((candidates.quantity > TINY) & (row >= 0))
    return csr_array(coo_array((candidates.quantity[v, p], (row[v, p], v)), shape=shape))


def _storage_rows(snapshot: PlanningSnapshot, candidates: Candidates) -> tuple[IntArray, FloatArray, FloatArray]:
    """Periods with anything in stock, the volume of each candidate in them, and the room there.

    Where stock and open orders fill more than the room, what they fill is the room: the least that can be reached.
    """
    stored = candidate_storage(snapshot, candidates)
    none = np.flatnonzero(candidates.quantity.sum(axis=1) <= TINY)
    least = np.zeros((snapshot.n_items, snapshot.horizon))
    least[candidates.item[none]] = stored[none]
    periods = np.flatnonzero(stored.max(axis=0, initial=0.0) > 0)
    return periods, stored[:, periods].T, np.maximum(max(snapshot.limits.storage, 0.0), least[:, periods].sum(axis=0))


def order_values(snapshot: PlanningSnapshot, candidates: Candidates) -> FloatArray:
    """(V, P) purchase value of each order part."""
    if snapshot.sources.item.size == 0:
        return np.zeros(candidates.quantity.shape)
    return candidates.quantity * unit_price_at(snapshot.sources, candidates.source, candidates.quantity)


def candidate_storage(snapshot: PlanningSnapshot, candidates: Candidates) -> FloatArray:
    """(V, T) expected storage volume from stock, open orders and the candidate, at the end of each period."""
    if candidates.stored is not None:
        return candidates.stored
    stock = expected_stock(snapshot, candidates.item, candidates.source, candidates.quantity)
    return stock * snapshot.storage_volume[candidates.item][:, None]


def stored_volumes(snapshot: PlanningSnapshot, columns: Columns) -> FloatArray:
    """(N, C, T) the same of every valid column; 0 of the others."""
    items, volumes = np.arange(snapshot.n_items), np.zeros((*columns.valid.shape, snapshot.horizon))
    candidates = Candidates.of([(items, columns, np.zeros(columns.valid.shape), None)])
    volumes[candidates.item, candidates.column] = candidate_storage(snapshot, candidates)
    return volumes


def arrival_probability(snapshot: PlanningSnapshot) -> FloatArray:
    """(M, T) probability that an order placed now has arrived by the start of each period, disruptions left out."""
    cumulative = np.cumsum(snapshot.sources.lead_time, axis=1)
    pad = max(snapshot.horizon - cumulative.shape[1], 0)
    return np.pad(cumulative, ((0, 0), (0, pad)), mode="edge" if cumulative.size else "constant")[:, : snapshot.horizon]


def expected_stock(snapshot: PlanningSnapshot, item: IntArray, source: IntArray, quantity: FloatArray) -> FloatArray:
    """(V, T) mean positive stock of each item over its sample paths with the orders (V, P) placed now.

    The parts of an order arrive independently of each other; usable units count. What cannot be served is counted
    as backordered.
    """
    out = np.zeros((item.size, snapshot.horizon))
    if not item.size:
        return out
    rows = np.unique(item)
    place = np.zeros(snapshot.n_items, dtype=np.int64)
    place[rows] = np.arange(rows.size)
    coming = np.cumsum(snapshot.arrivals[rows] - snapshot.demand[rows], axis=2)
    net = snapshot.on_hand[rows][:, None, None] + coming
    sources = snapshot.sources
    usable = quantity * sources.yield_rate[source] if sources.item.size else np.zeros_like(quantity)
    add_stock(
        net, place[item], source, usable, np.ascontiguousarray(arrival_probability(snapshot)), sources.path_delay, out
    )
    return out


@kernel("void(f8[:,:,::1], i8[::1], i8[:,::1], f8[:,::1], f8[:,::1], i8[:,::1], f8[:,::1])")
def add_stock(  # noqa: C901 - one compiled loop over arrays, with and without disruption
    net: FloatArray,
    item: IntArray,
    source: IntArray,
    usable: FloatArray,
    arrived: FloatArray,
    delay: IntArray,
    out: FloatArray,
) -> None:
    """Fill `out` (V, T): mean over paths, and over every pattern of parts that have or have not arrived."""
    paths, horizon = net.shape[1], net.shape[2]
    live = np.empty(source.shape[1], dtype=np.int64)
    chance, total = np.empty(horizon), np.empty(horizon)
    for v in range(item.size):
        parts = 0
        for p in range(source.shape[1]):
            if usable[v, p] > 1e-9:
                live[parts] = p
                parts += 1
        for pattern in range(1 << parts):
            units = 0.0
            for bit in range(parts):
                if pattern >> bit & 1:
                    units += usable[v, live[bit]]
            # without disruption the pattern's chance is the same on all paths and is taken out of the sum
            if delay.size == 0:
                _arrived_so(chance, pattern, parts, live, source[v], arrived, delay, 0)
                total[:] = 0.0
                for s in range(paths):
                    stock = net[item[v], s]
                    for t in range(horizon):
                        total[t] += max(stock[t] + units, 0.0)
                for t in range(horizon):
                    out[v, t] += chance[t] * total[t] / paths
            else:
                for s in range(paths):
                    _arrived_so(chance, pattern, parts, live, source[v], arrived, delay, s)
                    stock = net[item[v], s]
                    for t in range(horizon):
                        out[v, t] += chance[t] * max(stock[t] + units, 0.0) / paths


@kernel()
def _arrived_so(
    chance: FloatArray,
    pattern: int,
    parts: int,
    live: IntArray,
    source: IntArray,
    arrived: FloatArray,
    delay: IntArray,
    path: int,
) -> None:
    """Fill `chance` (T,): that at each period's start just the parts of the pattern have arrived, on one path."""
    chance[:] = 1.0
    for bit in range(parts):
        row = source[live[bit]]
        late = delay[row, path] if delay.size > 0 else 0
        for t in range(chance.size):
            here = arrived[row, t - late] if t >= late else 0.0
            chance[t] *= here if pattern >> bit & 1 else 1.0 - here
