"""Candidate orders per item: what to place now, from one source or a few, in quantities they accept."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.combinations import Part, SourceGrid, pair_columns, source_grid, spread_columns
from tools.ordering.levels import ItemCosts, SourceLevels, at_quantile
from tools.ordering.quantities import TINY, order_cap, round_down, round_up, share_caps, unit_price_at

HEDGED_RATIOS = (0.5, 0.8)
"""Lower quantiles tried beside the critical ratio: they pay where an expedited order can still follow."""
FRACTIONS = (0.25, 0.5, 0.75)
"""Parts of the wanted quantity tried when items compete for a shared limit."""


@dataclass(frozen=True)
class Columns:
    """Alternatives per item, (N, C, P): up to P sources each; column 0 of every item orders nothing."""

    source: IntArray
    quantity: FloatArray
    valid: BoolArray
    """(N, C)"""
    wanted: FloatArray
    """(N, C, P) the quantities before rounding."""


def wanted_quantities(
    snapshot: PlanningSnapshot, settings: OrderingSettings, costs: ItemCosts, levels: SourceLevels, shared: bool
) -> tuple[FloatArray, FloatArray]:
    """(M, Q) quantities before and after rounding that each source might be ordered for now."""
    sources, rows = snapshot.sources, snapshot.sources.item
    cap = order_cap(sources, settings.review_periods)
    need = np.maximum(at_quantile(levels.shortfall, costs.ratio[rows]), 0.0)
    need = np.minimum(need, most_worth_ordering(snapshot, settings, costs, levels))
    raw = [
        need,
        *(
            np.minimum(np.maximum(at_quantile(levels.shortfall, np.minimum(costs.ratio[rows], r)), 0), need)
            for r in HEDGED_RATIOS
        ),
    ]
    longer = need + levels.beyond
    longer = np.minimum(longer, np.maximum(most_worth_ordering(snapshot, settings, costs, levels), need))
    raw.append(np.where(need > TINY, longer, 0.0))
    raw.extend(need * fraction for fraction in (FRACTIONS if shared else ()))
    raw.extend(_to_next_breaks(snapshot, costs, need, longer))
    wanted = np.stack(raw, axis=1)
    moq, multiple = sources.moq[:, None], sources.order_multiple[:, None]
    up = np.minimum(round_up(wanted, moq, multiple), round_down(cap, sources.moq, sources.order_multiple)[:, None])
    down = round_down(need[:, None], moq, multiple)
    down = np.minimum(down, up[:, :1])
    return np.concatenate([wanted, need[:, None]], axis=1), np.concatenate([up, down], axis=1)


def most_worth_ordering(
    snapshot: PlanningSnapshot, settings: OrderingSettings, costs: ItemCosts, levels: SourceLevels
) -> FloatArray:
    """(M,) most units worth ordering now by cover cap, shelf life and horizon."""
    rows = snapshot.sources.item
    mean = costs.mean_demand[rows]
    cover = levels.window_mean + settings.max_cover_periods * np.maximum(mean, 1e-12) - levels.position
    shelf = mean * np.where(np.isfinite(snapshot.shelf_life_periods[rows]), snapshot.shelf_life_periods[rows], 1e12)
    horizon = levels.level + mean * snapshot.horizon
    return np.maximum(np.minimum(np.minimum(cover, shelf), horizon), 0.0)


def _to_next_breaks(
    snapshot: PlanningSnapshot, costs: ItemCosts, need: FloatArray, longer: FloatArray
) -> list[FloatArray]:
    """Break points above the need, where a cheaper price may pay for the extra stock."""
    horizon = costs.mean_demand[snapshot.sources.item] * snapshot.horizon
    points: list[FloatArray] = []
    for column in range(snapshot.sources.break_quantity.shape[1]):
        point = snapshot.sources.break_quantity[:, column]
        worth = np.isfinite(point) & (point > need) & (need > TINY) & (point <= horizon + longer)
        points.append(np.where(worth, np.where(np.isfinite(point), point, 0.0), 0.0))
    return points


def build_columns(
    snapshot: PlanningSnapshot,
    settings: OrderingSettings,
    costs: ItemCosts,
    levels: SourceLevels,
    *,
    shared: bool,
) -> Columns:
    """All candidate orders of all items, duplicates within an item marked invalid."""
    wanted, rounded = wanted_quantities(snapshot, settings, costs, levels, shared)
    grid = source_grid(snapshot, levels)
    parts = [_single_columns(grid, wanted, rounded), *pair_columns(snapshot, settings, levels, grid, wanted, rounded)]
    caps = share_caps(snapshot, settings)
    if caps.size and caps.min() < 1:
        parts.extend(spread_columns(snapshot, settings, grid, rounded, caps))
    columns = _join(parts, snapshot.n_items)
    return Columns(columns.source, columns.quantity, _distinct(snapshot, columns, levels.usable, caps), columns.wanted)


def _single_columns(grid: SourceGrid, wanted: FloatArray, rounded: FloatArray) -> Part:
    rows = np.maximum(grid.rows, 0)
    n_items, width = rows.shape
    if rounded.shape[0] == 0:
        empty = np.zeros((n_items, 1, 1))
        return empty.astype(np.int64), empty, empty
    quantity = np.where(grid.present[:, :, None], rounded[rows], 0.0).reshape(n_items, -1, 1)
    before = np.where(grid.present[:, :, None], wanted[rows], 0.0).reshape(n_items, -1, 1)
    source = np.repeat(rows, rounded.shape[1], axis=1).reshape(n_items, width * rounded.shape[1], 1)
    return source, quantity, before


def _join(parts: list[Part], n_items: int) -> Columns:
    """All parts side by side behind the column that orders nothing."""
    depth = max(part[0].shape[2] for part in parts)
    shape = (n_items, 1 + sum(part[0].shape[1] for part in parts), depth)
    source, quantity, wanted = np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape)
    start = 1
    for part_source, part_quantity, part_wanted in parts:
        _, width, deep = part_source.shape
        place = np.s_[:, start : start + width, :deep]
        source[place], quantity[place], wanted[place] = part_source, part_quantity, part_wanted
        start += width
    return Columns(source, quantity, np.ones(shape[:2], dtype=np.bool_), wanted)


def _distinct(snapshot: PlanningSnapshot, columns: Columns, usable: BoolArray, caps: FloatArray) -> BoolArray:
    """Keep one of equal columns, the empty one first, and only those within the share caps."""
    valid = np.zeros(columns.quantity.shape[:2], dtype=np.bool_)
    key = np.where(columns.quantity > TINY, columns.source + 1.0, 0.0)
    rows = np.concatenate([np.round(columns.quantity, 6), key], axis=2)
    for item in range(snapshot.n_items):
        seen = dict[bytes, int]()
        for index, row in enumerate(rows[item]):
            seen.setdefault(row.tobytes(), index)
        valid[item, list(seen.values())] = True
    return valid & within_shares(snapshot, columns, usable, caps) if caps.size and caps.min() < 1 else valid


def within_shares(snapshot: PlanningSnapshot, columns: Columns, usable: BoolArray, caps: FloatArray) -> BoolArray:
    """(N, C) no supplier above its share, allowing for one order multiple; sole suppliers are exempt."""
    sources = snapshot.sources
    total = columns.quantity.sum(axis=2)
    several = _supplier_counts(snapshot, usable) > 1
    fine = np.ones(total.shape, dtype=np.bool_)
    for part in range(columns.quantity.shape[2]):
        rows = columns.source[:, :, part]
        same = sources.supplier[columns.source] == sources.supplier[rows][:, :, None]
        taken = np.where(same, columns.quantity, 0.0).sum(axis=2)
        slack = np.maximum(sources.order_multiple[rows], 0.0)
        over = taken > caps[rows] * total + slack + TINY
        fine &= ~(over & (columns.quantity[:, :, part] > TINY))
    return fine | ~several[:, None]


def _supplier_counts(snapshot: PlanningSnapshot, usable: BoolArray) -> IntArray:
    """(N,) different suppliers that may be ordered from now."""
    sources = snapshot.sources
    rows = np.flatnonzero(usable)
    pairs = np.unique(np.stack([sources.item[rows], sources.supplier[rows]], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=snapshot.n_items) if pairs.size else np.zeros(snapshot.n_items, np.int64)


def now_costs(snapshot: PlanningSnapshot, columns: Columns) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(N, C) purchase, freight and ordering cost of placing each column now."""
    if snapshot.sources.item.size == 0:
        zero = np.zeros(columns.quantity.shape[:2])
        return zero, zero, zero
    rows, quantity = columns.source, columns.quantity
    price = unit_price_at(snapshot.sources, rows, quantity)
    freight = snapshot.sources.freight_per_unit[rows]
    fixed = np.where(quantity > TINY, snapshot.sources.fixed_order_cost[rows], 0.0)
    return (quantity * price).sum(axis=2), (quantity * freight).sum(axis=2), fixed.sum(axis=2)
