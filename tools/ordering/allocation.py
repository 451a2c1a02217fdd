"""Choose one candidate per item under limits that items share: budget, storage, supplier capacity and minimum.

A mixed-integer programme over the priced candidates, solved by HiGHS. Its linear relaxation gives the lower
bound and the shadow prices. Ordering nothing is always a candidate, so only storage already over-full by stock
and open orders can be infeasible; it is then held to the least that can be reached.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csr_array, diags_array, vstack

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.candidates import Columns
from tools.ordering.quantities import TINY, unit_price_at


@dataclass(frozen=True)
class LimitRows:
    """Shared limits as rows over the candidates: usage (R, V) at most `limit` (R,)."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    supplier: IntArray
    """(R,) supplier of the row, -1 for budget and storage."""
    usage: csr_array
    limit: FloatArray


@dataclass(frozen=True)
class Allocation:
    """The chosen column of each item, the bound, and what one more unit of each limit is worth."""

    chosen: IntArray
    lower_bound: float
    names: tuple[str, ...]
    units: tuple[str, ...]
    supplier: IntArray
    limits: FloatArray
    shadow_prices: FloatArray
    unproven: bool = False
    """The time limit ended the search before the choice was proven best."""


@dataclass(frozen=True)
class Candidates:
    """Valid candidates in a row, V of them: item, column, cost, and their order parts."""

    item: IntArray
    column: IntArray
    cost: FloatArray
    source: IntArray
    """(V, P)"""
    quantity: FloatArray
    """(V, P)"""

    @classmethod
    def of(cls, parts: list[tuple[IntArray, Columns, FloatArray]]) -> "Candidates":
        """Join the batches' valid columns; `parts` holds item rows, columns (whole source rows) and totals."""
        depth = max(columns.source.shape[2] for _, columns, _ in parts)
        item, column, cost, source, quantity = [], [], [], [], []
        for items, columns, total in parts:
            i, c = np.nonzero(columns.valid)
            pad = ((0, 0), (0, depth - columns.source.shape[2]))
            item.append(items[i])
            column.append(c)
            cost.append(total[i, c])
            source.append(np.pad(columns.source[i, c], pad))
            quantity.append(np.pad(columns.quantity[i, c], pad))
        return cls(*(np.concatenate(a) for a in (item, column, cost, source, quantity)))


def has_shared_limits(snapshot: PlanningSnapshot) -> bool:
    """Whether any limit couples items."""
    limits = snapshot.limits
    return bool(
        np.isfinite(limits.budget)
        or np.isfinite(limits.storage)
        or np.isfinite(limits.supplier_capacity).any()
        or (limits.supplier_min_order_value > 0).any()
    )


def limit_rows(snapshot: PlanningSnapshot, candidates: Candidates) -> LimitRows:
    """Rows for every finite budget, supplier capacity and storage period."""
    limits, sources = snapshot.limits, snapshot.sources
    names, units, supplier, usage, bound = list[str](), list[str](), list[int](), list[FloatArray](), list[float]()

    def add(name: str, unit: str, who: int, used: FloatArray, limit: float) -> None:
        names.append(name)
        units.append(unit)
        supplier.append(who)
        usage.append(used)
        bound.append(limit)

    if np.isfinite(limits.budget):
        add("budget", snapshot.currency, -1, order_values(snapshot, candidates).sum(axis=1), max(limits.budget, 0.0))
    for who in np.flatnonzero(np.isfinite(limits.supplier_capacity)):
        mine = sources.supplier[candidates.source] == who
        used = np.where(mine, candidates.quantity, 0.0).sum(axis=1)
        add(f"capacity of {snapshot.supplier_ids[who]}", "units", int(who), used, float(limits.supplier_capacity[who]))
    if np.isfinite(limits.storage):
        stored = candidate_storage(snapshot, candidates)
        empty = np.zeros((snapshot.n_items, snapshot.horizon))
        none = candidates.quantity.sum(axis=1) <= TINY
        empty[candidates.item[none]] = stored[none]
        for period in np.flatnonzero(stored.max(axis=0) > 0):
            least = float(empty[:, period].sum())
            add(f"storage in period {period}", "volume", -1, stored[:, period], max(limits.storage, least))
    matrix = csr_array(np.stack(usage)) if usage else csr_array((0, candidates.item.size))
    return LimitRows(tuple(names), tuple(units), np.array(supplier, dtype=np.int64), matrix, np.array(bound))


def order_values(snapshot: PlanningSnapshot, candidates: Candidates) -> FloatArray:
    """(V, P) purchase value of each order part."""
    if snapshot.sources.item.size == 0:
        return np.zeros(candidates.quantity.shape)
    return candidates.quantity * unit_price_at(snapshot.sources, candidates.source, candidates.quantity)


def candidate_storage(snapshot: PlanningSnapshot, candidates: Candidates) -> FloatArray:
    """(V, T) expected storage volume from stock, open orders and the candidate, at the end of each period."""
    net = snapshot.on_hand[:, None, None] + np.cumsum(snapshot.arrivals - snapshot.demand, axis=2)
    arrived = arrival_probability(snapshot)
    volume = np.zeros((candidates.item.size, snapshot.horizon))
    for index, item in enumerate(candidates.item):
        live = candidates.quantity[index] > TINY
        stock = expected_stock(net[item], candidates.quantity[index][live], arrived[candidates.source[index][live]])
        volume[index] = stock * snapshot.storage_volume[item]
    return volume


def arrival_probability(snapshot: PlanningSnapshot) -> FloatArray:
    """(M, T) probability that an order placed now has arrived by the start of each period."""
    cumulative = np.cumsum(snapshot.sources.lead_time, axis=1)
    pad = max(snapshot.horizon - cumulative.shape[1], 0)
    return np.pad(cumulative, ((0, 0), (0, pad)), mode="edge" if cumulative.size else "constant")[:, : snapshot.horizon]


def expected_stock(net: FloatArray, quantities: FloatArray, arrived: FloatArray) -> FloatArray:
    """(T,) mean positive stock over paths `net` (S, T) and independent arrivals of each order part."""
    if quantities.size == 0:
        return np.maximum(net, 0.0).mean(axis=0)
    without = expected_stock(net, quantities[1:], arrived[1:])
    with_it = expected_stock(net + quantities[0], quantities[1:], arrived[1:])
    return (1 - arrived[0]) * without + arrived[0] * with_it


def allocate(snapshot: PlanningSnapshot, candidates: Candidates, time_limit: float) -> Allocation:
    """Least-cost choice of one candidate per item within all shared limits."""
    rows = limit_rows(snapshot, candidates)
    cheapest = _cheapest(snapshot.n_items, candidates)
    minimum = snapshot.limits.supplier_min_order_value
    if _fits(candidates, rows, cheapest) and _meets_minimum(snapshot, candidates, cheapest, minimum):
        bound = float(candidates.cost[cheapest].sum())
        return _allocation(candidates.column[cheapest], bound, rows, np.zeros(len(rows.names)))
    problem = _Problem(snapshot, candidates, rows)
    bound, prices = problem.relax()
    picked = problem.solve(time_limit)
    if picked is None:
        picked = np.flatnonzero(candidates.quantity.sum(axis=1) <= TINY)
    choice = np.zeros(snapshot.n_items, dtype=np.int64)
    choice[candidates.item[picked]] = candidates.column[picked]
    bound = min(bound, float(candidates.cost[picked].sum()))
    return _allocation(choice, bound, rows, prices, unproven=problem.unproven)


def _allocation(
    chosen: IntArray, bound: float, rows: LimitRows, prices: FloatArray, *, unproven: bool = False
) -> Allocation:
    return Allocation(chosen, bound, rows.names, rows.units, rows.supplier, rows.limit, prices, unproven)


def _cheapest(n_items: int, candidates: Candidates) -> IntArray:
    """(N,) index of each item's cheapest candidate, the first among equals."""
    order = np.lexsort((np.arange(candidates.cost.size), candidates.cost, candidates.item))
    first = np.searchsorted(candidates.item[order], np.arange(n_items))
    return order[first]


def _fits(candidates: Candidates, rows: LimitRows, picked: IntArray) -> bool:
    chosen = np.zeros(candidates.cost.size)
    chosen[picked] = 1.0
    return bool(np.all(rows.usage @ chosen <= rows.limit * (1 + 1e-9) + TINY))


def _meets_minimum(snapshot: PlanningSnapshot, candidates: Candidates, picked: IntArray, minimum: FloatArray) -> bool:
    if not (minimum > 0).any():
        return True
    value = order_values(snapshot, candidates)[picked]
    spent = np.zeros(len(snapshot.supplier_ids))
    np.add.at(spent, snapshot.sources.supplier[candidates.source[picked]], value)
    return bool(np.all((spent <= TINY) | (spent >= minimum - 1e-6)))


class _Problem:
    """The programme: x per candidate, y per supplier with a minimum order value."""

    def __init__(self, snapshot: PlanningSnapshot, candidates: Candidates, rows: LimitRows) -> None:
        self.size, self.n_items = candidates.cost.size, snapshot.n_items
        self.unproven = False
        minimum = snapshot.limits.supplier_min_order_value
        self.gated = np.flatnonzero(minimum > 0)
        self.objective = np.concatenate([candidates.cost, np.zeros(self.gated.size)])
        width = self.size + self.gated.size
        one = np.ones(self.size)
        self.once = csr_array(coo_array((one, (candidates.item, np.arange(self.size))), shape=(self.n_items, width)))
        links, least = self._minimum_rows(snapshot, candidates, minimum, width)
        limits = csr_array((rows.usage.data, rows.usage.indices, rows.usage.indptr), shape=(len(rows.names), width))
        self.scale = np.concatenate([np.maximum(rows.limit, 1.0), np.maximum(minimum[self.gated], 1.0)])
        self.scale = np.concatenate([self.scale, np.ones(self.gated.size * self.n_items)])
        self.upper = csr_array(diags_array(1 / self.scale) @ vstack([limits, least, links]))
        self.right = np.concatenate([rows.limit, np.zeros(self.gated.size * (1 + self.n_items))]) / self.scale
        self.n_limits = len(rows.names)

    def _minimum_rows(
        self, snapshot: PlanningSnapshot, candidates: Candidates, minimum: FloatArray, width: int
    ) -> tuple[csr_array, csr_array]:
        """Using a supplier opens it (per item and supplier); an open supplier gets at least its minimum."""
        value = order_values(snapshot, candidates)
        links_at, least_at = list[tuple[int, int, float]](), list[tuple[int, int, float]]()
        for index, who in enumerate(self.gated):
            mine: BoolArray = (snapshot.sources.supplier[candidates.source] == who) & (candidates.quantity > TINY)
            spent = np.where(mine, value, 0.0).sum(axis=1)
            using = np.flatnonzero(mine.any(axis=1))
            base = index * self.n_items
            links_at.extend((base + int(candidates.item[v]), int(v), 1.0) for v in using)
            links_at.extend((base + int(i), self.size + index, -1.0) for i in np.unique(candidates.item[using]))
            least_at.extend((index, int(v), -float(spent[v])) for v in using)
            least_at.append((index, self.size + index, float(minimum[who])))
        return _sparse(links_at, self.gated.size * self.n_items, width), _sparse(least_at, self.gated.size, width)

    def relax(self) -> tuple[float, FloatArray]:
        """Lower bound and shadow prices from the linear relaxation."""
        result: Any = linprog(
            self.objective,
            A_ub=self.upper if self.right.size else None,
            b_ub=self.right if self.right.size else None,
            A_eq=self.once,
            b_eq=np.ones(self.n_items),
            bounds=(0, 1),
            method="highs",
        )
        if result.status != 0 or result.fun is None:
            return float("-inf"), np.zeros(self.n_limits)
        marginals = result.ineqlin.marginals[: self.n_limits]
        return float(result.fun), np.maximum(-marginals / self.scale[: self.n_limits], 0.0)

    def solve(self, time_limit: float) -> IntArray | None:
        """Indices of the chosen candidates, or nothing when the time limit came before any answer."""
        constraints = [LinearConstraint(self.once, 1, 1)]
        if self.right.size:
            constraints.append(LinearConstraint(self.upper, ub=cast(Any, self.right)))
        result: Any = milp(
            self.objective,
            integrality=np.ones(self.objective.size),
            bounds=Bounds(0, 1),
            constraints=constraints,
            options={"time_limit": time_limit, "mip_rel_gap": 1e-6},
        )
        self.unproven = result.status != 0
        return None if result.x is None else np.flatnonzero(result.x[: self.size] > 0.5)


def _sparse(entries: list[tuple[int, int, float]], rows: int, width: int) -> csr_array:
    if not entries:
        return csr_array((rows, width))
    at = np.array(entries)
    return csr_array(coo_array((at[:, 2], (at[:, 0].astype(int), at[:, 1].astype(int))), shape=(rows, width)))
