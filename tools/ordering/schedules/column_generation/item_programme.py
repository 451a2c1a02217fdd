"""One item's best orders by dynamic programming over cumulative packs, with time counted by arrival.

The state is the number of packs that have arrived; periods pass one after another and within a period the sources
whose order can arrive then, so that several may arrive together. A source's step takes, for each price segment, the
cheapest of all order sizes at once: with costs linear in the size it is a minimum over a sliding window of levels,
found by doubling in log2(window) passes over the levels. No loop over order sizes is left: O(T S B K log K).
Prices of the limits enter as dearer packs, orders and stock; what is left of the limits as smaller order sizes.

The same programme in plain NumPy is `tests/helpers/cases/schedule_in_words.py`; tests hold the two equal.
"""

from typing import NamedTuple

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.kernels import kernel
from tools.ordering.schedules.problem.expected_cost import add_period_cost, expected_stock
from tools.ordering.schedules.problem.programme_arrays import Limits, PacksArray, Terms

TINY = 1e-9
ENDLESS = 10**9
"""Packs of an order that nothing limits."""
LANES = 16
"""Levels that a pass handles at a time."""


class Scratch(NamedTuple):
    """Working arrays, large enough for every item of a catalogue: K levels, R steps."""

    rows: FloatArray
    """(R, K) cost of each level after each step."""
    kind: IntArray
    """(R,) source x T + placing period of the step, -1 for the end of a period."""
    one: FloatArray
    two: FloatArray
    """(2 K,) costs in a sliding window, inf in the left half."""


@kernel(error_model="numpy")
def scratch(terms: Terms) -> Scratch:  # pragma: no cover - compiled
    """Working arrays of `solve_item`."""
    widest, top = 0, 0
    for item in range(terms.start.size - 1):
        widest = max(widest, terms.start[item + 1] - terms.start[item])
        top = max(top, terms.top[item])
    horizon = terms.requirement.shape[1]
    n = horizon * (widest + 1) + 1
    wide = top + 1 + 2 * LANES
    sliding = np.full((2, 2 * wide), np.inf)
    return Scratch(np.zeros((n, wide)), np.empty(n, np.int64), sliding[0], sliding[1])


@kernel(error_model="numpy")
def _take_segment(
    before: FloatArray,
    after: FloatArray,
    top: int,
    least: int,
    most: int,
    multiple: int,
    unit: float,
    fixed: float,
    one: FloatArray,
    two: FloatArray,
) -> None:  # pragma: no cover - compiled
    """Lower `after[k]` to the cheapest `before[k - q] + fixed + unit q` over q = least, least + multiple .. most."""
    n = top - least + 1
    width = min((most - least) // multiple, (n - 1) // multiple) + 1
    # whole vectors only: what lies beyond top is never looked at, and left of `pad` all is inf
    padded = ((n + LANES - 1) // LANES) * LANES
    pad = one.size // 2
    # slices spare the check for negative places, which would keep the compiler from using vectors
    source, target = before[:padded], one[pad : pad + padded]
    # before[k - q] + unit q = (before[k - q] - unit (k - q)) + unit k: the bracket is one array for all k
    for j in range(padded):
        target[j] = source[j] - unit * j
    span = 1
    while span < width:
        # two spans that overlap make a wider one: a minimum does not mind what it sees twice
        step = min(span, width - span)
        back = pad - step * multiple
        source, earlier, target = one[pad : pad + padded], one[back : back + padded], two[pad : pad + padded]
        for j in range(padded):
            target[j] = source[j] if source[j] < earlier[j] else earlier[j]
        one, two = two, one
        span += step
    # the window that ends at level j leads to level least + j
    base = fixed + unit * least
    source, target = one[pad : pad + padded], after[least : least + padded]
    for j in range(padded):
        cost = source[j] + (base + unit * j)
        old = target[j]
        target[j] = cost if cost < old else old


@kernel(error_model="numpy")
def packs_left(source: int, period: int, terms: Terms, room: Limits) -> int:  # pragma: no cover - compiled
    """Most packs of one order that what is left of the capacity and of the number of orders allows."""
    if room.orders[period] < 1.0 - TINY:
        return 0
    left = room.capacity[terms.supplier[source], period]
    if left == np.inf:
        return ENDLESS
    slack = TINY * (1.0 + abs(left))
    # the set-up is due before the first pack
    left -= terms.effort_order[source]
    if left < -slack:
        return 0
    if terms.effort_pack[source] <= 0.0:
        return ENDLESS
    return int(min((left + slack) / terms.effort_pack[source], 1.0 * ENDLESS))


@kernel(error_model="numpy")
def segment_most(
    source: int, segment: int, left: float, packs: int, terms: Terms
) -> int:  # pragma: no cover - compiled
    """Most packs of one order within a price segment when `packs` and `left` of the budget are left."""
    most, price = min(terms.most[source, segment], packs), terms.price[source, segment]
    # divide only where the price is above 0
    if price * most > left:
        most = int(max(left + TINY * (1.0 + left), 0.0) / price)
    return most


@kernel(error_model="numpy")
def _bar_full_levels(
    values: FloatArray, top: int, atoms: FloatArray, volume: float, left: float
) -> None:  # pragma: no cover - compiled
    """Forbid levels whose expected stock does not fit into what is left of the storage."""
    if left == np.inf or volume <= 0.0:
        return
    # what is in stock without any order is stored whatever the room
    allowed = max(left, expected_stock(0.0, atoms) * volume)
    allowed += TINY * (1.0 + allowed)
    if expected_stock(float(top), atoms) * volume <= allowed:
        return
    # expected stock rises with the level, so that one level parts those that fit from those that do not
    low, high = 0, top
    while low < high:
        middle = (low + high + 1) // 2
        if expected_stock(float(middle), atoms) * volume <= allowed:
            low = middle
        else:
            high = middle - 1
    for k in range(low + 1, top + 1):
        values[k] = np.inf


@kernel(error_model="numpy")
def solve_item(  # noqa: C901 - one compiled loop over arrays; split, each item would pay calls
    item: int,
    terms: Terms,
    prices: Limits,
    room: Limits,
    within: bool,
    barred: IntArray,
    work: Scratch,
    packs: PacksArray,
) -> float:  # pragma: no cover - compiled
    """Fill `packs` (S, T) with the item's best orders under the prices and return their priced cost.

    `within`: keep what is left of the limits, and place nothing where `barred` (S, T) is set.
    """
    rows, kind, horizon = work.rows, work.kind, terms.requirement.shape[1]
    top = terms.top[item]
    start, end = terms.start[item], terms.start[item + 1]
    packs[: end - start] = 0
    row = 0
    # nothing has arrived before the first period
    rows[0, : top + 1] = np.inf
    rows[0, 0] = 0.0
    for period in range(horizon):
        for source in range(start, end):
            # what can arrive now was placed a lead time ago, and pays the prices of that period
            placed = period - terms.lead[source]
            if placed < terms.first[source] or placed > terms.last[source]:
                continue
            packs_most = ENDLESS
            if within:
                packs_most = 0 if barred[source - start, placed] else packs_left(source, placed, terms, room)
                if packs_most == 0:
                    continue
            charge = prices.capacity[terms.supplier[source], placed]
            fixed = terms.fixed[source] + charge * terms.effort_order[source] + prices.orders[placed]
            add = terms.freight[source] + charge * terms.effort_pack[source]
            step = terms.multiple[source]
            opened = False
            for segment in range(terms.price.shape[1]):
                least, most = terms.least[source, segment], terms.most[source, segment]
                if most < least or least > top:
                    continue
                if within:
                    most = segment_most(source, segment, float(room.budget[placed]), packs_most, terms)
                    if most < least:
                        continue
                # ordering nothing comes first, and every segment starts from there: one order a source and period
                if not opened:
                    rows[row + 1, : top + 1] = rows[row, : top + 1]
                    opened = True
                unit = terms.price[source, segment] * (1.0 + prices.budget[placed]) + add
                _take_segment(rows[row], rows[row + 1], top, least, most, step, unit, fixed, work.one, work.two)
            if opened:
                row += 1
                kind[row] = source * horizon + placed
        # the storage is looked at when all sources have delivered, as the stock of the period's end is stored
        if within:
            _bar_full_levels(rows[row], top, terms.requirement[item, period], terms.volume[item], room.storage[period])
        hold = terms.holding[item] + prices.storage[period] * terms.volume[item]
        # stock left at the end is worth its value, and packs short are charged it
        credit = terms.end_value[item] if period == horizon - 1 else 0.0
        add_period_cost(
            rows[row], rows[row + 1], top, terms.requirement[item, period], hold, terms.shortage[item], credit
        )
        row += 1
        kind[row] = -1
    best = 0
    # the fewest packs among equals
    for k in range(1, top + 1):
        if rows[row, k] < rows[row, best]:
            best = k
    value = rows[row, best]
    _walk_back(best, row, start, terms, prices, room, within, work, packs)
    return value


@kernel(error_model="numpy")
def _walk_back(
    level: int,
    row: int,
    start: int,
    terms: Terms,
    prices: Limits,
    room: Limits,
    within: bool,
    work: Scratch,
    packs: PacksArray,
) -> None:  # pragma: no cover - compiled
    """Find the orders along the best path: at each step that lowered the cost, the size that did."""
    rows, kind, horizon = work.rows, work.kind, terms.requirement.shape[1]
    for back in range(row, 0, -1):
        # an order is only taken where it is cheaper, so that an equal cost means none
        if kind[back] < 0 or rows[back, level] == rows[back - 1, level]:
            continue
        source, placed = kind[back] // horizon, kind[back] % horizon
        charge = prices.capacity[terms.supplier[source], placed]
        fixed = terms.fixed[source] + charge * terms.effort_order[source] + prices.orders[placed]
        add = terms.freight[source] + charge * terms.effort_pack[source]
        # the least and not the equal cost: the sums are rounded otherwise than on the way forward
        best, size = np.inf, 0
        for segment in range(terms.price.shape[1]):
            least, most = terms.least[source, segment], terms.most[source, segment]
            if within:
                packs_most = packs_left(source, placed, terms, room)
                most = segment_most(source, segment, float(room.budget[placed]), packs_most, terms)
            unit = terms.price[source, segment] * (1.0 + prices.budget[placed]) + add
            for quantity in range(least, min(most, level) + 1, terms.multiple[source]):
                cost = rows[back - 1, level - quantity] + (fixed + unit * quantity)
                if cost < best:
                    best, size = cost, quantity
        packs[source - start, placed] = size
        level -= size
