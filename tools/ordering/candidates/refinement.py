"""A short search around each item's best order: quantities between and beyond those that formulas propose."""

from dataclasses import replace

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.candidates.columns import Columns, beside, most_worth_ordering
from tools.ordering.candidates.combinations import accepted, source_grid
from tools.ordering.problem.levels import at_quantile
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.problem.quantities import TINY, least_suppliers, share_caps, supplier_counts, usable_now

COARSE, FINE = (0.0, 0.6, 0.8, 1.25, 1.6), (0.85, 0.93, 1.08, 1.18, 1.4)
"""Multiples of one source's quantity that a round tries; all sources together by the middle ones."""
ROUNDS = ((COARSE,), (COARSE, FINE), (COARSE, FINE))
"""Rounds after each time that a further source is looked for."""


def neighbours(problem: OrderingProblem, best: Columns, factors: tuple[float, ...] = COARSE) -> Columns:
    """The best column of each item first, then its variants in quantities that the sources accept."""
    depth = best.source.shape[2]
    steps = _steps(depth, factors)
    source = np.repeat(best.source, len(steps), axis=1)
    wanted = best.quantity * steps[None, :, :]
    most = most_worth_ordering(problem)[source]
    live = best.quantity > TINY
    roomy = np.where(live, most, 0.0).max(axis=2)
    over = wanted.sum(axis=2) > np.maximum(best.quantity.sum(axis=2), roomy) * (1 + 1e-9)
    wanted = np.where(over[:, :, None], best.quantity, wanted)
    flat = accepted(problem, source.reshape(-1), wanted.reshape(-1)).reshape(wanted.shape)
    quantity = np.where(wanted > TINY, flat, 0.0)
    quantity[:, 0] = best.quantity[:, 0]
    wanted[:, 0] = best.wanted[:, 0]
    changes = ((steps != 1)[None, :, :] & live).any(axis=2)
    changes[:, 0] = True
    return Columns(source, quantity, changes, wanted)


def one_more_source(problem: OrderingProblem, best: Columns) -> Columns:
    """The best column of each item first, then the same with each other source added, in a few quantities.

    Pairs are proposed around the cheapest source only; this finds the source that bridges the gap of another pair by
    its median need, the one that fills up to its own level what the others leave, and the one that is worth a price
    break beside a gap bridged by another.
    """
    snapshot, levels = problem.snapshot, problem.levels
    rows = source_grid(problem).rows
    if levels.usable.size == 0:
        return best
    sources = snapshot.sources
    good = np.maximum(sources.yield_rate, TINY)
    placed = (best.quantity * good[best.source]).sum(axis=2)[sources.item, 0]
    need = np.maximum(at_quantile(levels.shortfall, np.full(levels.usable.size, 0.5)), 0.0) / good
    room = np.maximum(most_worth_ordering(problem) - placed / good, 0.0)
    rest = np.maximum(at_quantile(levels.shortfall, levels.ratio) + levels.beyond - placed, 0.0) / good
    rest = np.minimum(rest, room)
    points = np.where(sources.break_quantity <= room[:, None], sources.break_quantity, 0.0)
    added = np.concatenate([need[:, None], rest[:, None], points], axis=1)
    parts = [_with_added(problem, rows, added[:, column], best) for column in range(added.shape[1])]
    own = _deepened(best, best.source.shape[2] + 1)
    return beside(own, *parts)


def _with_added(problem: OrderingProblem, rows: IntArray, added: FloatArray, best: Columns) -> Columns:
    """The best column of each item with the given units (M,) of each of its other sources, one source a column."""
    width, source = rows.shape[1], np.maximum(rows, 0)
    wanted = np.where(rows >= 0, added[source], 0.0)
    used = (best.source == source[:, :, None]) & (best.quantity > TINY)
    wanted = np.where(used.any(axis=2), 0.0, wanted)
    units = accepted(problem, source.reshape(-1), wanted.reshape(-1)).reshape(wanted.shape)

    def joined(own: np.ndarray, extra: np.ndarray) -> np.ndarray:
        return np.concatenate([np.repeat(own, width, axis=1), extra[:, :, None]], axis=2)

    return Columns(
        joined(best.source, source),
        joined(best.quantity, np.where(wanted > TINY, units, 0.0)),
        wanted > TINY,
        joined(best.wanted, wanted),
    )


def _steps(depth: int, factors: tuple[float, ...]) -> FloatArray:
    """(V, P) factors by source of a column; the first leaves it as it is."""
    rows = [np.ones(depth)]
    for part in range(depth):
        for factor in factors:
            row = np.ones(depth)
            row[part] = factor
            rows.append(row)
    rows += [np.full(depth, factor) for factor in factors[2:4]] if depth > 1 else []
    return np.array(rows)


def may_refine(snapshot: PlanningSnapshot, settings: OrderingSettings) -> bool:
    """Whether the quantities of every item may move freely."""
    free = freely_ordered(snapshot, settings)
    return bool(snapshot.sources.item.size) and bool(free.all())


def freely_ordered(snapshot: PlanningSnapshot, settings: OrderingSettings) -> BoolArray:
    """(N,) items whose quantities may move: no supplier's share is capped and no least number must share an order.

    A sole supplier takes it all, whatever the cap.
    """
    free = np.ones(snapshot.n_items, dtype=np.bool_)
    np.logical_and.at(free, snapshot.sources.item, share_caps(snapshot, settings) >= 1.0)
    free |= supplier_counts(snapshot, usable_now(snapshot, settings)) <= 1
    return free & (least_suppliers(snapshot, settings) <= 1)


def appended(columns: Columns, found: Columns, wanted: BoolArray) -> Columns:
    """The columns with one more, found for each item of those wanted, where it is not among them already."""
    columns = _deepened(columns, found.source.shape[2])
    same_source = (columns.source == found.source) | (found.quantity <= TINY)
    same = (np.abs(columns.quantity - found.quantity) <= TINY) & same_source
    known = (same.all(axis=2) & columns.valid).any(axis=1)
    return beside(columns, replace(found, valid=(wanted & ~known)[:, None]))


def _deepened(columns: Columns, depth: int) -> Columns:
    """The same columns with room for orders from `depth` sources."""
    pad = ((0, 0), (0, 0), (0, max(depth - columns.source.shape[2], 0)))
    source = np.pad(columns.source, pad)
    return Columns(source, np.pad(columns.quantity, pad), columns.valid, np.pad(columns.wanted, pad))


def cheapest_order(columns: Columns, total: FloatArray) -> IntArray:
    """(N,) each item's cheapest column that orders something; 0 where none does."""
    orders = (columns.quantity > TINY).any(axis=2) & columns.valid
    return np.argmin(np.where(orders, total, np.inf), axis=1)
