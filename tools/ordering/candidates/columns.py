"""Candidate orders per item: what to place now, from one source or a few, in quantities they accept."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.snapshots import PlanningSnapshot
from tools.kernels import kernel
from tools.ordering.candidates.combinations import Part, SourceGrid, pair_columns, source_grid, spread_columns
from tools.ordering.problem.levels import ItemCosts, at_quantile
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.problem.quantities import (
    TINY,
    least_suppliers,
    order_cap,
    round_down,
    round_up,
    share_caps,
    supplier_counts,
)

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


def beside(*columns: Columns) -> Columns:
    """Alternatives of the same items from equally many sources, one after the other."""
    return Columns(
        np.concatenate([some.source for some in columns], axis=1),
        np.concatenate([some.quantity for some in columns], axis=1),
        np.concatenate([some.valid for some in columns], axis=1),
        np.concatenate([some.wanted for some in columns], axis=1),
    )


def wanted_quantities(problem: OrderingProblem, shared: bool) -> tuple[FloatArray, FloatArray]:
    """(M, Q) quantities before and after rounding that each source might be ordered for now, in ordered units."""
    snapshot, costs, levels = problem.snapshot, problem.costs, problem.levels
    sources = snapshot.sources
    cap = order_cap(sources, problem.settings.review_periods)
    most, good = most_worth_ordering(problem), np.maximum(sources.yield_rate, TINY)
    need = np.minimum(np.maximum(at_quantile(levels.shortfall, levels.ratio), 0.0) / good, most)
    raw = [
        need,
        *(
            np.minimum(np.maximum(at_quantile(levels.shortfall, np.minimum(levels.ratio, r)), 0) / good, need)
            for r in HEDGED_RATIOS
        ),
    ]
    lots = np.where(need > TINY, np.ceil(need * good / np.maximum(levels.beyond, TINY) - 1e-9) * levels.beyond, 0.0)
    longer = np.minimum(np.maximum(need, lots / good), np.maximum(most, need))
    raw.append(np.where(need > TINY, longer, 0.0))
    ahead = built_ahead(problem) / good
    if ahead.any():
        raw.append(np.where(need + ahead > need, np.minimum(need + ahead, np.maximum(most, need)), 0.0))
    raw.extend(need * fraction for fraction in (FRACTIONS if shared else ()))
    raw.extend(_to_next_breaks(snapshot, costs, need, longer))
    wanted = np.stack(raw, axis=1)
    moq, multiple = sources.moq[:, None], sources.order_multiple[:, None]
    up = np.minimum(round_up(wanted, moq, multiple), round_down(cap, sources.moq, sources.order_multiple)[:, None])
    down = round_down(need[:, None], moq, multiple)
    down = np.minimum(down, up[:, :1])
    return np.concatenate([wanted, need[:, None]], axis=1), np.concatenate([up, down], axis=1)


def most_worth_ordering(problem: OrderingProblem) -> FloatArray:
    """(M,) most units worth ordering now by cover cap, shelf life and horizon, in ordered units."""
    snapshot, costs, levels = problem.snapshot, problem.costs, problem.levels
    rows = snapshot.sources.item
    mean = costs.mean_demand[rows]
    cover = levels.window_mean + problem.settings.max_cover_periods * np.maximum(mean, 1e-12) - levels.position
    shelf = mean * np.where(np.isfinite(snapshot.shelf_life_periods[rows]), snapshot.shelf_life_periods[rows], 1e12)
    horizon = levels.level + mean * snapshot.horizon
    return np.maximum(np.minimum(np.minimum(cover, shelf), horizon), 0.0) / np.maximum(
        snapshot.sources.yield_rate, TINY
    )


def built_ahead(problem: OrderingProblem) -> FloatArray:
    """(M,) usable units to order beyond the need because later demand outruns what the source ships a review."""
    snapshot, levels, review = problem.snapshot, problem.levels, problem.settings.review_periods
    sources, rows, horizon = snapshot.sources, snapshot.sources.item, snapshot.horizon
    ships = order_cap(sources, review) * sources.yield_rate / review
    ahead = np.zeros(rows.size)
    tight = np.flatnonzero(np.isfinite(ships))
    if not tight.size:
        return ahead
    mean = np.concatenate([np.zeros((snapshot.n_items, 1)), snapshot.demand.mean(axis=1).cumsum(axis=1)], axis=1)
    start = np.minimum(np.round(levels.mean_lead[tight]).astype(np.int64) + review, horizon)
    for later in range(1, horizon):
        end = np.minimum(start + later, horizon)
        asked = mean[rows[tight], end] - mean[rows[tight], start]
        ahead[tight] = np.maximum(ahead[tight], asked - ships[tight] * (end - start))
    return ahead


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


def build_columns(problem: OrderingProblem, *, shared: bool) -> Columns:
    """All candidate orders of all items, duplicates within an item marked invalid."""
    snapshot, settings = problem.snapshot, problem.settings
    wanted, rounded = wanted_quantities(problem, shared)
    grid = source_grid(problem)
    parts = [_single_columns(grid, wanted, rounded), *pair_columns(problem, grid, wanted, rounded)]
    caps, least = share_caps(snapshot, settings), least_suppliers(snapshot, settings)
    spread = np.minimum(caps, 1.0 / least[snapshot.sources.item]) if caps.size else caps
    if caps.size and spread.min() < 1:
        parts.extend(spread_columns(problem, grid, rounded, spread))
    columns = _join(parts, snapshot.n_items)
    valid = _distinct(columns)
    if caps.size and caps.min() < 1:
        valid &= within_shares(snapshot, columns, problem.levels.usable, caps)
    if int(least.max(initial=1)) > 1:
        valid &= _enough_suppliers(snapshot, columns, least)
    return Columns(columns.source, columns.quantity, valid, columns.wanted)


def _enough_suppliers(snapshot: PlanningSnapshot, columns: Columns, least: IntArray) -> BoolArray:
    """(N, C) nothing ordered, or from at least the item's least number of suppliers."""
    live = columns.quantity > TINY
    supplier = np.where(live, snapshot.sources.supplier[columns.source], -1)
    ordered = np.sort(supplier, axis=2)
    different = (np.diff(ordered, axis=2, prepend=-1) > 0).sum(axis=2)
    return ~live.any(axis=2) | (different >= least[:, None])


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


def _distinct(columns: Columns) -> BoolArray:
    """(N, C) keep one of equal columns, the empty one first."""
    valid = np.zeros(columns.quantity.shape[:2], dtype=np.bool_)
    mark_distinct(columns.source, columns.quantity, valid)
    return valid


@kernel("void(i8[:,:,::1], f8[:,:,::1], b1[:,::1])")
def mark_distinct(source: IntArray, quantity: FloatArray, valid: BoolArray) -> None:
    """Mark the first of equal columns of each item; equal are the same quantities from the same sources in order."""
    n_items, n_columns, depth = quantity.shape
    for item in range(n_items):
        for column in range(n_columns):
            known = False
            for other in range(column):
                if not valid[item, other]:
                    continue
                same = True
                for part in range(depth):
                    one, two = quantity[item, column, part], quantity[item, other, part]
                    if abs(one - two) > 5e-7 or (
                        (one > 1e-9 or two > 1e-9) and source[item, column, part] != source[item, other, part]
                    ):
                        same = False
                        break
                if same:
                    known = True
                    break
            valid[item, column] = not known


def within_shares(snapshot: PlanningSnapshot, columns: Columns, usable: BoolArray, caps: FloatArray) -> BoolArray:
    """(N, C) no supplier above its share, allowing for one order multiple; sole suppliers are exempt."""
    sources = snapshot.sources
    total = columns.quantity.sum(axis=2)
    several = supplier_counts(snapshot, usable) > 1
    fine = np.ones(total.shape, dtype=np.bool_)
    for part in range(columns.quantity.shape[2]):
        rows = columns.source[:, :, part]
        same = sources.supplier[columns.source] == sources.supplier[rows][:, :, None]
        taken = np.where(same, columns.quantity, 0.0).sum(axis=2)
        slack = np.maximum(sources.order_multiple[rows], 0.0)
        over = taken > caps[rows] * total + slack + TINY
        fine &= ~(over & (columns.quantity[:, :, part] > TINY))
    return fine | ~several[:, None]
