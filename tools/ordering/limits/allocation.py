"""Choose one candidate per item under limits that items share: budget, storage, supplier capacity, number of orders.

An integer programme over the priced candidates. Its linear relaxation gives the lower bound and the shadow prices: by
HiGHS where it is small, by the Lagrangian dual where it is large. A choice that keeps every limit by construction
comes first; branch and bound improves it as long as the time limit allows. Ordering nothing is always a candidate, so
only storage already over-full by stock and open orders can be infeasible; it is then held to the least that can be
reached.
"""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array, vstack

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.limits.choice_filling import SupplierTerms, filled
from tools.ordering.limits.choice_prices import dual_prices
from tools.ordering.limits.choice_search import best_choice
from tools.ordering.limits.choices import CLOSE, Choice, relaxed
from tools.ordering.limits.limit_use import (
    Candidates,
    LimitRows,
    arrival_probability,
    candidate_storage,
    expected_stock,
    has_shared_limits,
    limit_rows,
    limits_may_bind,
    order_values,
)
from tools.ordering.problem.quantities import TINY

__all__ = [
    "Allocation",
    "Candidates",
    "LimitRows",
    "allocate",
    "arrival_probability",
    "candidate_storage",
    "expected_stock",
    "has_shared_limits",
    "limit_rows",
    "limits_may_bind",
    "order_values",
]

SMALL = 4_000
"""Options up to which nothing but the best choice will do."""
RELAXING = 0.8
"""Share of the time limit for the exact linear relaxation; the Lagrangian dual takes its place after that."""
GOOD_ENOUGH = 1e-4
"""Relative difference from the bound at which a large programme is not searched further."""
WORTH_SAYING = 1e-3
"""Relative difference from the bound above which an unfinished search is called unproven."""


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
    joint_cost: FloatArray = field(default_factory=lambda: np.empty(0))
    """(N,) each item's share, by value, of what ordering from its suppliers at all costs; empty for none."""


def allocate(snapshot: PlanningSnapshot, candidates: Candidates, time_limit: float) -> Allocation:
    """Least-cost choice of one candidate per item within all shared limits."""
    start = perf_counter()
    rows = limit_rows(snapshot, candidates)
    terms = _supplier_terms(snapshot, candidates)
    cheapest = _cheapest(snapshot.n_items, candidates)
    if _fits(rows, cheapest, candidates.item.size) and _meets_terms(terms, cheapest):
        bound = float(candidates.cost[cheapest].sum())
        return _allocation(snapshot, candidates, rows, cheapest, bound, np.zeros(len(rows.names)))
    programme = _programme(snapshot, candidates, rows, terms)
    bound, prices, known = programme.relaxed(RELAXING * time_limit)
    value = float(programme.choice.cost[known].sum())
    small = programme.choice.cost.size <= SMALL
    proven = value - bound <= (CLOSE if small else GOOD_ENOUGH) * max(abs(value), 1.0)
    if not proven:
        left = time_limit - (perf_counter() - start)
        known, proven = best_choice(programme.choice, bound, prices, known, left)
        value = float(programme.choice.cost[known].sum())
    shadow = programme.shadow_prices(prices, len(rows.names))
    unproven = not proven and value - bound > WORTH_SAYING * max(abs(value), 1.0)
    picked = known[known < candidates.item.size]
    return _allocation(snapshot, candidates, rows, picked, min(bound, value), shadow, unproven=unproven)


def _allocation(
    snapshot: PlanningSnapshot,
    candidates: Candidates,
    rows: LimitRows,
    picked: IntArray,
    bound: float,
    prices: FloatArray,
    *,
    unproven: bool = False,
) -> Allocation:
    chosen = np.zeros(snapshot.n_items, dtype=np.int64)
    chosen[candidates.item[picked]] = candidates.column[picked]
    joint = _joint_shares(snapshot, candidates, picked)
    return Allocation(chosen, bound, rows.names, rows.units, rows.supplier, rows.limit, prices, unproven, joint)


def _joint_shares(snapshot: PlanningSnapshot, candidates: Candidates, picked: IntArray) -> FloatArray:
    """(N,) joint order costs of the suppliers ordered from, shared among their items by value."""
    joint = snapshot.limits.joint_order_cost
    if not joint.size or not snapshot.sources.item.size:
        return np.empty(0)
    value = order_values(snapshot, candidates)[picked] + TINY
    v, p = np.nonzero(candidates.quantity[picked] > TINY)
    who, worth = snapshot.sources.supplier[candidates.source[picked][v, p]], value[v, p]
    whole = np.bincount(who, weights=worth, minlength=joint.size)
    shares = np.zeros(snapshot.n_items)
    np.add.at(shares, candidates.item[picked][v], worth / whole[who] * joint[who])
    return shares


def _cheapest(n_items: int, candidates: Candidates) -> IntArray:
    """(N,) index of each item's cheapest candidate, the first among equals."""
    order = np.lexsort((np.arange(candidates.cost.size), candidates.cost, candidates.item))
    first = np.searchsorted(candidates.item[order], np.arange(n_items))
    return order[first]


def _fits(rows: LimitRows, picked: IntArray, size: int) -> bool:
    chosen = np.zeros(size)
    chosen[picked] = 1.0
    return bool(np.all(rows.usage @ chosen <= rows.limit * (1 + 1e-9) + TINY))


def _meets_terms(terms: SupplierTerms, picked: IntArray) -> bool:
    """Whether every supplier ordered from gets its least value, and none costs anything to order from at all."""
    if not (terms.least > 0).any() and not (terms.opening > 0).any():
        return True
    v = np.repeat(np.arange(terms.begin.size - 1), np.diff(terms.begin))
    used = np.isin(v, picked)
    spent = np.bincount(terms.supplier[used], weights=terms.value[used], minlength=terms.least.size)
    ordered = np.bincount(terms.supplier[used], minlength=terms.least.size) > 0
    return not bool((ordered & ((spent < terms.least - 1e-6) | (terms.opening > 0))).any())


def _supplier_terms(snapshot: PlanningSnapshot, candidates: Candidates) -> SupplierTerms:
    """Which candidate spends how much at which supplier that has a least value or a joint cost."""
    k, limits = len(snapshot.supplier_ids), snapshot.limits
    least = limits.supplier_min_order_value if limits.supplier_min_order_value.size else np.zeros(k)
    opening = limits.joint_order_cost if limits.joint_order_cost.size else np.zeros(k)
    least, opening = np.maximum(least, 0.0), np.maximum(opening, 0.0)
    size = candidates.item.size
    gated = (least > 0) | (opening > 0)
    if not gated.any() or not snapshot.sources.item.size:
        none = np.zeros(0, dtype=np.int64)
        return SupplierTerms(np.zeros(size + 1, dtype=np.int64), none, np.zeros(0), opening, least)
    who = snapshot.sources.supplier[candidates.source]
    v, p = np.nonzero((candidates.quantity > TINY) & gated[who])
    table = coo_array((order_values(snapshot, candidates)[v, p] + 1e-12, (v, who[v, p])), shape=(size, k))
    joined = csr_array(table)
    joined.sum_duplicates()
    return SupplierTerms(
        joined.indptr.astype(np.int64),
        joined.indices.astype(np.int64),
        np.asarray(joined.data, np.float64),
        opening,
        least,
    )


@dataclass(frozen=True)
class _Programme:
    """The candidates, then for every gated supplier the options not to order from it and to do so."""

    choice: Choice
    """Rows scaled: limits, least values, and links from item and supplier to the supplier's option."""
    gated: IntArray
    """Suppliers with options."""
    terms: SupplierTerms
    nothing: IntArray
    """(N,) options that order nothing."""
    scale: FloatArray
    """(R,) what the rows of limits are divided by."""
    limits_only: Choice
    """The candidates and limits alone."""

    @property
    def n_candidates(self) -> int:
        return self.limits_only.cost.size

    def relaxed(self, seconds: float) -> tuple[float, FloatArray, IntArray]:
        """Bound, prices (R,) and a choice that keeps every row: the relaxation's own where it is one."""
        exact = relaxed(self.choice, seconds)
        if exact is None:
            bound, prices = dual_prices(self.limits_only)
            prices = np.pad(prices, (0, self.choice.limit.size - prices.size))
            return bound, prices, self.whole(self.filled(prices))
        bound, prices, share = exact
        known = self.rounded(share)
        return bound, prices, self.whole(self.filled(prices, share)) if known is None else known

    def filled(self, prices: FloatArray, share: FloatArray | None = None) -> IntArray:
        """(N,) candidate options by construction."""
        priced = self.choice.priced(prices)[: self.n_candidates]
        own = None if share is None else share[: self.n_candidates]
        return filled(self.limits_only, self.terms, self.nothing, priced, own)

    def whole(self, picked: IntArray) -> IntArray:
        """Options of all groups: the suppliers' follow from the candidates'."""
        terms = self.terms
        counts = np.diff(terms.begin)[picked]
        offset = np.repeat(np.cumsum(counts) - counts, counts)
        at = np.repeat(terms.begin[picked], counts) + np.arange(counts.sum()) - offset
        used = np.zeros(terms.least.size, dtype=np.int64)
        used[terms.supplier[at]] = 1
        base = self.n_candidates + 2 * np.arange(self.gated.size)
        return np.concatenate([picked, base + used[self.gated]])

    def rounded(self, share: FloatArray) -> IntArray | None:
        """The options of a relaxation whose shares are all 0 or 1."""
        picked = np.flatnonzero(share[: self.n_candidates] > 1 - 1e-6)
        if picked.size != self.nothing.size:
            return None
        whole = self.whole(picked)
        return whole if self.choice.fits(whole) else None

    def shadow_prices(self, prices: FloatArray, n_limits: int) -> FloatArray:
        """(R,) money per unit of each limit."""
        return prices[:n_limits] / self.scale[:n_limits]


def _programme(snapshot: PlanningSnapshot, candidates: Candidates, rows: LimitRows, terms: SupplierTerms) -> _Programme:
    item, scale = candidates.item, np.maximum(rows.limit, 1.0)
    if (item[1:] < item[:-1]).any():
        raise ValueError("candidates do not come in the order of their items")
    usage = csr_array(diags_array(1 / scale) @ rows.usage)
    limit = rows.limit / scale
    gated = np.unique(terms.supplier)
    none = np.flatnonzero(candidates.quantity.sum(axis=1) <= TINY)
    nothing = none[np.searchsorted(item[none], np.arange(snapshot.n_items))]
    limits_only = Choice(item, candidates.cost, usage, limit)
    if not gated.size:
        return _Programme(limits_only, gated, terms, nothing, scale, limits_only)
    extra, more = _gate_rows(snapshot.n_items, item, terms, gated)
    wider = (limit.size, item.size + 2 * gated.size)
    wide = csr_array(vstack([csr_array((usage.data, usage.indices, usage.indptr), shape=wider), extra]))
    choice = Choice(
        np.concatenate([item, snapshot.n_items + np.repeat(np.arange(gated.size), 2)]),
        np.concatenate([limits_only.cost, np.stack([np.zeros(gated.size), terms.opening[gated]], axis=1).ravel()]),
        wide,
        np.concatenate([limit, more]),
    )
    return _Programme(choice, gated, terms, nothing, scale, limits_only)


def _gate_rows(n_items: int, item: IntArray, terms: SupplierTerms, gated: IntArray) -> tuple[csr_array, FloatArray]:
    """Using a supplier opens it (a row per item and supplier); an open supplier gets at least its least value."""
    size, number = item.size, np.full(terms.least.size, -1, dtype=np.int64)
    number[gated] = np.arange(gated.size)
    width = size + 2 * gated.size
    v, k = np.repeat(np.arange(size), np.diff(terms.begin)), number[terms.supplier]
    pair, link = np.unique(k * n_items + item[v], return_inverse=True)
    opened = size + 2 * np.arange(gated.size) + 1
    links = coo_array(
        (
            np.concatenate([np.ones(v.size), -np.ones(pair.size)]),
            (np.concatenate([link, np.arange(pair.size)]), np.concatenate([v, opened[pair // n_items]])),
        ),
        shape=(pair.size, width),
    )
    least = np.maximum(terms.least[gated], 1.0)
    floors = np.flatnonzero(terms.least[gated] > 0)
    place = np.full(gated.size, -1, dtype=np.int64)
    place[floors] = np.arange(floors.size)
    mine = place[k] >= 0
    spent = coo_array(
        (
            np.concatenate([-terms.value[mine] / least[k[mine]], terms.least[gated][floors] / least[floors]]),
            (np.concatenate([place[k[mine]], np.arange(floors.size)]), np.concatenate([v[mine], opened[floors]])),
        ),
        shape=(floors.size, width),
    )
    return csr_array(vstack([links, spent])), np.zeros(pair.size + floors.size)
