"""A short search around each item's best order: quantities between and beyond those that formulas propose."""

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.candidates import Columns, most_worth_ordering
from tools.ordering.combinations import accepted, source_grid
from tools.ordering.levels import ItemCosts, SourceLevels, at_quantile
from tools.ordering.quantities import TINY, share_caps

FACTORS = (0.0, 0.6, 0.8, 1.25, 1.6)
"""Multiples of one source's quantity that a round tries; both sources together by the middle ones."""
ROUNDS = 3


def neighbours(
    snapshot: PlanningSnapshot, settings: OrderingSettings, costs: ItemCosts, levels: SourceLevels, best: Columns
) -> Columns:
    """The best column of each item first, then its variants in quantities that the sources accept."""
    depth = best.source.shape[2]
    steps = _steps(depth)
    source = np.repeat(best.source, len(steps), axis=1)
    wanted = best.quantity * steps[None, :, :]
    most = most_worth_ordering(snapshot, settings, costs, levels)[source]
    live = best.quantity > TINY
    roomy = np.where(live, most, 0.0).max(axis=2)
    over = wanted.sum(axis=2) > np.maximum(best.quantity.sum(axis=2), roomy) * (1 + 1e-9)
    wanted = np.where(over[:, :, None], best.quantity, wanted)
    flat = accepted(snapshot, settings, source.reshape(-1), wanted.reshape(-1)).reshape(wanted.shape)
    quantity = np.where(wanted > TINY, flat, 0.0)
    quantity[:, 0] = best.quantity[:, 0]
    wanted[:, 0] = best.wanted[:, 0]
    return Columns(source, quantity, np.ones(source.shape[:2], dtype=np.bool_), wanted)


def one_more_source(
    snapshot: PlanningSnapshot, settings: OrderingSettings, levels: SourceLevels, best: Columns
) -> Columns:
    """The best column of each item first, then the same with each other source added for its median need.

    Pairs are proposed around the cheapest source only; this finds the source that bridges the gap of another pair.
    """
    rows = source_grid(snapshot, levels).rows
    width = rows.shape[1]
    if levels.usable.size == 0:
        return best
    added = np.maximum(rows, 0)
    need = np.maximum(at_quantile(levels.shortfall, np.full(levels.usable.size, 0.5)), 0.0)
    wanted = np.where(rows >= 0, need[added], 0.0)
    used = (best.source == added[:, :, None]) & (best.quantity > TINY)
    wanted = np.where(used.any(axis=2), 0.0, wanted)
    units = accepted(snapshot, settings, added.reshape(-1), wanted.reshape(-1)).reshape(wanted.shape)

    def joined(own: np.ndarray, extra: np.ndarray) -> np.ndarray:
        first = np.concatenate([own, np.zeros_like(own[:, :, :1])], axis=2)
        others = np.concatenate([np.repeat(own, width, axis=1), extra[:, :, None]], axis=2)
        return np.concatenate([first, others], axis=1)

    source = joined(best.source, added)
    quantity = joined(best.quantity, np.where(wanted > TINY, units, 0.0))
    return Columns(source, quantity, np.ones(source.shape[:2], dtype=np.bool_), joined(best.wanted, wanted))


def _steps(depth: int) -> FloatArray:
    """(V, P) factors by source of a column; the first leaves it as it is."""
    rows = [np.ones(depth)]
    for part in range(depth):
        for factor in FACTORS:
            row = np.ones(depth)
            row[part] = factor
            rows.append(row)
    rows += [np.full(depth, factor) for factor in FACTORS[2:4]] if depth > 1 else []
    return np.array(rows)


def may_refine(snapshot: PlanningSnapshot, settings: OrderingSettings) -> bool:
    """Whether quantities may move freely: not where suppliers' shares of an item are capped."""
    caps = share_caps(snapshot, settings)
    return bool(caps.size) and float(caps.min()) >= 1.0


def appended(columns: Columns, found: Columns) -> Columns:
    """The columns with one more, found for each item, where it is not among them already."""
    columns = _deepened(columns, found.source.shape[2])
    same_source = (columns.source == found.source) | (found.quantity <= TINY)
    same = (np.abs(columns.quantity - found.quantity) <= TINY) & same_source
    known = (same.all(axis=2) & columns.valid).any(axis=1)
    return Columns(
        np.concatenate([columns.source, found.source], axis=1),
        np.concatenate([columns.quantity, found.quantity], axis=1),
        np.concatenate([columns.valid, ~known[:, None]], axis=1),
        np.concatenate([columns.wanted, found.wanted], axis=1),
    )


def _deepened(columns: Columns, depth: int) -> Columns:
    """The same columns with room for orders from `depth` sources."""
    pad = ((0, 0), (0, 0), (0, depth - columns.source.shape[2]))
    source = np.pad(columns.source, pad)
    return Columns(source, np.pad(columns.quantity, pad), columns.valid, np.pad(columns.wanted, pad))


def cheapest_order(columns: Columns, total: FloatArray) -> IntArray:
    """(N,) each item's cheapest column that orders something; 0 where none does."""
    orders = (columns.quantity > TINY).any(axis=2) & columns.valid
    return np.argmin(np.where(orders, total, np.inf), axis=1)
