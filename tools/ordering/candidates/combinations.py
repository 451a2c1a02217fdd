"""Orders that use several sources of an item at once: fast and slow, beyond a cap, within share caps."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.ordering.problem.levels import at_quantile
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.problem.quantities import TINY, order_cap, round_down, round_up

SPREAD_ROUNDS = 4
"""Times a spread order is enlarged so that one supplier's MOQ stays within its share."""


SLOW_LEVELS = (0, 2)
"""Wanted quantities the slow source of a pair fills up to: the full need, and the higher of the hedged ones."""

Part = tuple[IntArray, FloatArray, FloatArray]
"""Sources, quantities and wanted quantities, each (N, C, P)."""


@dataclass(frozen=True)
class SourceGrid:
    """Sources of each item side by side, cheapest score first: (N, J) rows, -1 where an item has fewer."""

    rows: IntArray

    @property
    def present(self) -> BoolArray:
        """(N, J) whether a source stands there."""
        return self.rows >= 0


def source_grid(problem: OrderingProblem) -> SourceGrid:
    """Lay out each item's usable sources by rising score."""
    snapshot, levels = problem.snapshot, problem.levels
    rows = np.flatnonzero(levels.usable)
    item = snapshot.sources.item[rows]
    order = np.lexsort((rows, snapshot.sources.preference[rows], levels.score[rows], item))
    rows, item = rows[order], item[order]
    counts = np.bincount(item, minlength=snapshot.n_items)
    rank = np.arange(rows.size) - np.repeat(np.cumsum(counts) - counts, counts)
    grid = np.full((snapshot.n_items, max(int(counts.max(initial=0)), 1)), -1, dtype=np.int64)
    grid[item, rank] = rows
    return SourceGrid(grid)


def pair_columns(problem: OrderingProblem, grid: SourceGrid, wanted: FloatArray, rounded: FloatArray) -> list[Part]:
    """Two sources at once: a fast one for the gap before a slow one lands, or one for the rest above a cap."""
    if rounded.shape[0] == 0:
        return []
    pairs = list[Part]()
    levels = problem.levels
    good = np.maximum(problem.snapshot.sources.yield_rate, TINY)
    median_need = np.maximum(at_quantile(levels.shortfall, np.full(rounded.shape[0], 0.5)), 0.0) / good
    for first, second in _pairings(grid.rows.shape[1]):
        both = grid.present[:, first] & grid.present[:, second]
        one, two = np.maximum(grid.rows[:, first], 0), np.maximum(grid.rows[:, second], 0)
        swap = levels.mean_lead[one] < levels.mean_lead[two]
        slow, fast = np.where(swap, two, one), np.where(swap, one, two)
        for gap in (rounded[fast, 0], median_need[fast]):
            placed = accepted(problem, fast, gap)
            for level in SLOW_LEVELS:
                rest = np.maximum(wanted[slow, level] - placed * good[fast] / good[slow], 0.0)
                pairs.append(_two(both, (slow, accepted(problem, slow, rest), rest), (fast, placed, gap)))
        rest = np.maximum(wanted[two, 0] - rounded[one, 0] * good[one] / good[two], 0.0)
        over_cap = both & (wanted[one, 0] > rounded[one, 0] + TINY)
        filled = accepted(problem, two, rest)
        pairs.append(_two(over_cap, (one, rounded[one, 0], wanted[one, 0]), (two, filled, rest)))
    return pairs


def accepted(problem: OrderingProblem, rows: IntArray, quantity: FloatArray) -> FloatArray:
    """Quantities rounded up to what the source rows accept, cut to their largest order."""
    sources = problem.snapshot.sources
    moq, multiple = sources.moq[rows], sources.order_multiple[rows]
    top = round_down(order_cap(sources, problem.settings.review_periods)[rows], moq, multiple)
    return np.minimum(round_up(quantity, moq, multiple), top)


def _pairings(width: int) -> list[tuple[int, int]]:
    """The cheapest source with each other one, and the second with the third."""
    paired = [(0, other) for other in range(1, width)]
    return [*paired, (1, 2)] if width > 2 else paired


Order = tuple[IntArray, FloatArray, FloatArray]
"""Source rows, quantities and wanted quantities, each (N,)."""


def _two(both: BoolArray, one: Order, two: Order) -> Part:
    keep = (both & (one[1] > TINY) & (two[1] > TINY))[:, None]
    source = np.stack([one[0], two[0]], axis=1)
    quantity = np.where(keep, np.stack([one[1], two[1]], axis=1), 0.0)
    wanted = np.where(keep, np.stack([one[2], two[2]], axis=1), 0.0)
    return source[:, None, :], quantity[:, None, :], wanted[:, None, :]


def spread_columns(problem: OrderingProblem, grid: SourceGrid, rounded: FloatArray, caps: FloatArray) -> list[Part]:
    """The wanted quantity spread over suppliers, none above its share, for items whose shares are capped."""
    snapshot = problem.snapshot
    suppliers, width = snapshot.sources.supplier, grid.rows.shape[1]
    source = np.zeros((snapshot.n_items, 3, width), dtype=np.int64)
    quantity, wanted = np.zeros(source.shape), np.zeros(source.shape)
    for item in range(snapshot.n_items):
        rows = grid.rows[item][grid.rows[item] >= 0]
        capped = rows.size > 1 and caps[rows].min() < 1
        for index in range(3 if capped else 0):
            total = float(rounded[rows, index].max())
            source[item, index, : rows.size] = rows
            wanted[item, index, : rows.size] = spread(total, suppliers[rows], caps[rows])
            for _ in range(SPREAD_ROUNDS):
                split = accepted(problem, rows, spread(total, suppliers[rows], caps[rows]))
                quantity[item, index, : rows.size] = split
                total = max(total, float((split / np.maximum(caps[rows], 1e-9)).max()))
    return [(source, quantity, wanted)]


def spread(total: float, suppliers: IntArray, caps: FloatArray) -> FloatArray:
    """Fill sources in the given order, each supplier up to its share of `total`."""
    left, taken = total, dict[int, float]()
    split = np.zeros(suppliers.size)
    for position in range(suppliers.size):
        supplier = int(suppliers[position])
        room = float(caps[position]) * total - taken.get(supplier, 0.0)
        split[position] = max(min(left, room), 0.0)
        taken[supplier] = taken.get(supplier, 0.0) + float(split[position])
        left -= float(split[position])
    return split
