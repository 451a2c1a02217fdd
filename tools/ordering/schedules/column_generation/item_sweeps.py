"""Passes of the item programme over many items: all at given prices, or one after another within what is left."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.kernels import kernel
from tools.ordering.schedules.column_generation.item_programme import TINY, scratch, solve_item
from tools.ordering.schedules.problem.expected_cost import expected_stock
from tools.ordering.schedules.problem.programme_arrays import Limits, PacksArray, Terms

Part = TypeVar("Part")
Result = TypeVar("Result")
CHUNK = 256
"""Items that a thread takes at a time."""


@kernel(error_model="numpy")
def price_per_pack(source: int, quantity: int, terms: Terms) -> float:  # pragma: no cover - compiled
    """Price of the segment that an order of this size falls into."""
    for segment in range(terms.price.shape[1]):
        if terms.least[source, segment] <= quantity <= terms.most[source, segment]:
            return terms.price[source, segment]
    return terms.price[source, 0]


@kernel(error_model="numpy")
def use_limits(
    item: int, packs: PacksArray, sign: float, terms: Terms, stored: bool, total: Limits
) -> None:  # pragma: no cover - compiled
    """Add `sign` times what the item's orders (S, T) use of every limit; `stored`: of the storage too."""
    start, horizon = terms.start[item], terms.requirement.shape[1]
    for source in range(start, terms.start[item + 1]):
        supplier = terms.supplier[source]
        for placed in range(horizon):
            quantity = packs[source - start, placed]
            if quantity > 0:
                effort = terms.effort_order[source] + terms.effort_pack[source] * quantity
                total.capacity[supplier, placed] += sign * effort
                total.budget[placed] += sign * price_per_pack(source, quantity, terms) * quantity
                total.orders[placed] += sign
    if stored and terms.volume[item] > 0.0:
        level = 0
        for period in range(horizon):
            level += _arriving(item, packs, period, terms)
            stock = expected_stock(float(level), terms.requirement[item, period])
            total.storage[period] += sign * stock * terms.volume[item]


@kernel(error_model="numpy")
def _arriving(item: int, packs: PacksArray, period: int, terms: Terms) -> int:  # pragma: no cover - compiled
    start, landed = terms.start[item], 0
    for source in range(start, terms.start[item + 1]):
        placed = period - terms.lead[source]
        if placed >= 0:
            landed += int(packs[source - start, placed])
    return landed


@kernel(error_model="numpy")
def cost_of_orders(item: int, packs: PacksArray, terms: Terms, prices: Limits) -> float:  # pragma: no cover - compiled
    """Expected cost of an item's orders (S, T), with the prices of the limits."""
    start, horizon = terms.start[item], terms.requirement.shape[1]
    cost, level = 0.0, 0
    for source in range(start, terms.start[item + 1]):
        for placed in range(horizon):
            quantity = packs[source - start, placed]
            if quantity > 0:
                charge = prices.capacity[terms.supplier[source], placed]
                unit = price_per_pack(source, quantity, terms) * (1.0 + prices.budget[placed])
                unit += terms.freight[source] + charge * terms.effort_pack[source]
                cost += unit * quantity + terms.fixed[source] + charge * terms.effort_order[source]
                cost += prices.orders[placed]
    for period in range(horizon):
        level += _arriving(item, packs, period, terms)
        atoms = terms.requirement[item, period]
        # E(R - k)+ = E(k - R)+ - (k - E R), so that one pass over the atoms gives both
        stock = expected_stock(float(level), atoms)
        net = level - atoms.mean()
        hold = terms.holding[item] + prices.storage[period] * terms.volume[item]
        cost += hold * stock + terms.shortage[item] * (stock - net)
        if period == horizon - 1:
            cost -= terms.end_value[item] * net
    return cost


@kernel(error_model="numpy")
def _solve_chunk(
    items: IntArray, terms: Terms, prices: Limits, packs: PacksArray, value: FloatArray
) -> None:  # pragma: no cover - compiled
    work = scratch(terms)
    barred = np.zeros((1, 1), np.int64)
    for item in items:
        mine = packs[terms.start[item] : terms.start[item + 1]]
        value[item] = solve_item(item, terms, prices, prices, False, barred, work, mine)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="schedules")


def in_threads(run: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """The results for all parts, in their order; compiled loops let go of the interpreter."""
    if len(parts) == 1:
        return [run(parts[0])]
    return list(_threads().map(run, parts))


def solve_free(
    terms: Terms, prices: Limits, packs: PacksArray, value: FloatArray, items: IntArray | None = None
) -> None:
    """Best orders of the items under the prices alone: fills `packs` (M, T) and `value` (N,) priced cost.

    Items do not touch each other, so the result is the same for any number of threads.
    """
    chosen = np.arange(terms.start.size - 1) if items is None else items
    parts = [chosen[i : i + CHUNK] for i in range(0, chosen.size, CHUNK)]
    in_threads(lambda part: _solve_chunk(part, terms, prices, packs, value), parts)


@kernel(error_model="numpy")
def total_use(terms: Terms, packs: PacksArray, total: Limits, stored: bool) -> None:  # pragma: no cover - compiled
    """Add what all orders (M, T) use of every limit."""
    for item in range(terms.start.size - 1):
        use_limits(item, packs[terms.start[item] : terms.start[item + 1]], 1.0, terms, stored, total)


@kernel(error_model="numpy")
def _bar_clashes(  # noqa: C901 - one compiled loop over arrays; split, each item would pay calls
    item: int, packs: PacksArray, terms: Terms, room: Limits, barred: IntArray
) -> bool:  # pragma: no cover - compiled
    """Whether orders of the same period take more together than is left; bars all but the largest of them."""
    start, n_sources = terms.start[item], terms.start[item + 1] - terms.start[item]
    clash = False
    for placed in range(packs.shape[1]):
        money, orders, largest = 0.0, 0, 0
        for s in range(n_sources):
            if packs[s, placed] > 0:
                orders += 1
                money += price_per_pack(start + s, packs[s, placed], terms) * packs[s, placed]
                if packs[s, placed] > packs[largest, placed]:
                    largest = s
        if orders < 2:
            continue
        over = money > room.budget[placed] + TINY * (1.0 + abs(money)) * 2 or orders > room.orders[placed] + TINY
        for s in range(n_sources):
            effort, supplier = 0.0, terms.supplier[start + s]
            # the first source of each supplier sees all of its orders
            for other in range(s, n_sources):
                if packs[other, placed] > 0 and terms.supplier[start + other] == supplier:
                    effort += terms.effort_order[start + other]
                    effort += terms.effort_pack[start + other] * packs[other, placed]
            if effort > room.capacity[supplier, placed] + TINY * (1.0 + effort) * 2:
                over = True
        if over:
            clash = True
            for s in range(n_sources):
                if s != largest and packs[s, placed] > 0:
                    barred[s, placed] = 1
    return clash


@kernel(error_model="numpy")
def place_in_turn(
    items: IntArray, terms: Terms, prices: Limits, stored: bool, room: Limits, packs: PacksArray
) -> int:  # pragma: no cover - compiled
    """Order again item by item within what the others leave; returns how many changed.

    An item keeps its old orders when the new ones are no cheaper under the prices. `room` is what is left of the limits
    and follows every change, so the schedule keeps every limit throughout.
    """
    work = scratch(terms)
    horizon = packs.shape[1]
    changed = 0
    for item in items:
        start, end = terms.start[item], terms.start[item + 1]
        mine = packs[start:end]
        # the item gives back what it takes before it orders again
        use_limits(item, mine, 1.0, terms, stored, room)
        fit = np.zeros((end - start, horizon), packs.dtype)
        barred = np.zeros((end - start, horizon), np.int64)
        solve_item(item, terms, prices, room, True, barred, work, fit)
        # each order fits by itself but not together; every turn bars at least one more, so that it ends
        while _bar_clashes(item, fit, terms, room, barred):
            solve_item(item, terms, prices, room, True, barred, work, fit)
        if not np.array_equal(fit, mine):
            old = cost_of_orders(item, mine, terms, prices)
            if cost_of_orders(item, fit, terms, prices) < old - TINY * (1.0 + abs(old)):
                mine[:] = fit
                changed += 1
        use_limits(item, mine, -1.0, terms, stored, room)
    return changed


@kernel(error_model="numpy")
def withdraw(items: IntArray, terms: Terms, stored: bool, room: Limits, packs: PacksArray) -> None:  # pragma: no cover
    """Take back all orders of the items and give `room` what they used; their stock on hand stays where it is."""
    for item in items:
        mine = packs[terms.start[item] : terms.start[item + 1]]
        use_limits(item, mine, 1.0, terms, stored, room)
        mine[:] = 0
        use_limits(item, mine, -1.0, terms, stored, room)


@kernel(error_model="numpy")
def costs_of_items(
    items: IntArray, terms: Terms, packs: PacksArray, prices: Limits
) -> FloatArray:  # pragma: no cover - compiled
    """Costs of some items' orders with the prices of the limits."""
    cost = np.empty(items.size)
    for j, item in enumerate(items):
        cost[j] = cost_of_orders(item, packs[terms.start[item] : terms.start[item + 1]], terms, prices)
    return cost
