"""A whole schedule as one mixed-integer programme, strong enough to certify small catalogues.

Packs of an item are told apart by their level: the k-th pack matters in the paths and periods that require k packs or
more. Delivering levels instead of sums makes expected holding, shortage and stored volume linear and exact, since
E[(k - R)+ - (k - 1 - R)+] rises with k: the programme serves low levels first of its own accord. Bounding each
level's delivery by its order's set-up is the facility-location relaxation of lot sizing (Krarup & Bilde 1977).
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csc_array

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.ordering.schedules.problem.statement import ScheduleProblem

NO_LIMIT_PACKS = 10**8
"""A break point or largest order from here up is not there."""
SAME = 1e-12
"""Difference below which two levels are required alike."""


@dataclass(frozen=True)
class Choices:
    """Order sizes that may be chosen, P of them: a source, a period and a price segment."""

    source: IntArray
    period: IntArray
    lowest: IntArray
    """(P,) fewest multiples."""
    highest: IntArray
    price: FloatArray
    """(P,) money per pack, without freight."""
    place: IntArray
    """(P,) row of its source and period among the places."""
    place_source: IntArray
    place_period: IntArray


@dataclass(frozen=True)
class Deliveries:
    """Packs of a block of levels from an order, W of them, and the blocks themselves, U of them."""

    block: IntArray
    place: IntArray
    cost: FloatArray
    """(W,) money per pack for arriving then rather than never."""
    size: FloatArray
    """(U,) packs of a block; inf beyond all need."""
    must: BoolArray
    """(U,) none of the block may be short."""
    stock: FloatArray
    """(U, T) chance that a pack of the block is in stock if it has arrived."""


@dataclass(frozen=True)
class Monolith:
    """Columns: whether an order is placed (P, binary), its multiples (P, integer), deliveries (W)."""

    choices: Choices
    cost: FloatArray
    base: float
    """Money when nothing is ordered."""
    upper: FloatArray
    rows: csc_array
    row_lower: FloatArray
    row_upper: FloatArray


class Rows:
    """Rows of a sparse programme as they are gathered."""

    def __init__(self) -> None:
        self.number = 0
        self._row = list[IntArray]()
        self._column = list[IntArray]()
        self._value = list[FloatArray]()
        self._lower = list[FloatArray]()
        self._upper = list[FloatArray]()

    def block(self, lower: FloatArray, upper: FloatArray) -> int:
        """Open as many rows as `lower` has; the number of the first."""
        first = self.number
        self.number += lower.size
        self._lower.append(lower)
        self._upper.append(upper)
        return first

    def put(self, row: IntArray, column: IntArray, value: FloatArray) -> None:
        """Add entries."""
        self._row.append(row)
        self._column.append(column)
        self._value.append(np.broadcast_to(value, row.shape))

    def matrix(self, columns: int) -> tuple[csc_array, FloatArray, FloatArray]:
        """All rows by column, with their bounds."""
        place = np.concatenate(self._row), np.concatenate(self._column)
        table = coo_array((np.concatenate(self._value), place), shape=(self.number, columns)).tocsc()
        return csc_array(table), np.concatenate(self._lower), np.concatenate(self._upper)


def monolith(problem: ScheduleProblem) -> Monolith:
    """The whole schedule of a problem as one programme."""
    steps = lattice_steps(problem)
    choices = order_choices(problem)
    deliveries = _deliveries(problem, choices, steps)
    n, w = choices.source.size, deliveries.block.size
    multiple = np.maximum(problem.multiple, 1)[choices.source].astype(np.float64)
    rows = Rows()
    _sizes(rows, choices)
    _flows(rows, choices, deliveries, multiple)
    _limits(rows, problem, choices, deliveries, multiple)
    table, lower, upper = rows.matrix(2 * n + w)
    paid = multiple * (choices.price + problem.freight[choices.source])
    top = np.concatenate([np.ones(n), choices.highest.astype(np.float64), np.full(w, np.inf)])
    cost = np.concatenate([problem.fixed_cost[choices.source], paid, deliveries.cost])
    return Monolith(choices, cost, _nothing_ordered(problem), top, table, lower, upper)


def lattice_steps(problem: ScheduleProblem) -> IntArray:
    """(N,) packs in which the stock of an item moves: the greatest common step of its sources."""
    steps = np.zeros(problem.n_items, dtype=np.int64)
    for item, multiple in zip(problem.source_item.tolist(), problem.multiple.tolist(), strict=True):
        steps[item] = np.gcd(steps[item], max(multiple, 1))
    return np.maximum(steps, 1)


def order_choices(problem: ScheduleProblem) -> Choices:
    """Every source, period and price segment of an order that arrives within the horizon.

    No order need be larger than all that is required, its MOQ or its last break: a multiple less would cost no more.
    """
    lowest, highest, price = _segments(problem)
    first, last = np.maximum(problem.first, 0), np.minimum(problem.last, problem.horizon - 1 - problem.lead)
    width = np.maximum(last - first + 1, 0)
    place_source = np.repeat(np.arange(width.size), width)
    offset = np.arange(place_source.size) - np.repeat(np.cumsum(width) - width, width)
    place_period = first[place_source] + offset
    place, segment = np.nonzero((highest >= lowest)[place_source])
    source = place_source[place]
    return Choices(
        source=source,
        period=place_period[place],
        lowest=lowest[source, segment],
        highest=highest[source, segment],
        price=price[source, segment],
        place=place,
        place_source=place_source,
        place_period=place_period,
    )


def _segments(problem: ScheduleProblem) -> tuple[IntArray, IntArray, FloatArray]:
    """(M, B + 1) fewest and most multiples and price of each segment; fewest above most where there is none."""
    step = np.maximum(problem.multiple, 1)[:, None]
    ends = np.full((step.shape[0], 1), 2 * NO_LIMIT_PACKS)
    lower = np.concatenate([np.ones_like(ends), problem.break_packs], axis=1)
    upper = np.concatenate([problem.break_packs - 1, ends], axis=1)
    upper = np.minimum(upper, np.minimum(problem.largest, _useful(problem))[:, None])
    lower = np.maximum(lower, problem.least[:, None])
    price = np.concatenate([problem.unit_price[:, None], problem.break_price], axis=1)
    return -(-lower // step), upper // step, price


def _useful(problem: ScheduleProblem) -> IntArray:
    """(M,) most packs of an order that can be worth its while."""
    step = np.maximum(problem.multiple, 1)
    need = np.ceil(problem.requirement.max(axis=(1, 2)) - SAME).astype(np.int64)[problem.source_item]
    reached = np.where(problem.break_packs < NO_LIMIT_PACKS, problem.break_packs, 0).max(axis=1, initial=0)
    most = np.maximum(np.maximum(need, problem.least), np.maximum(reached, 1))
    most = -(-most // step) * step
    cheapest = np.minimum(problem.unit_price, problem.break_price.min(axis=1, initial=np.inf)) + problem.freight
    floor = (problem.end_value - problem.holding)[problem.source_item]
    pays = cheapest < floor - 1e-9 * (1 + np.abs(floor))
    endless = np.flatnonzero(pays & (problem.largest >= NO_LIMIT_PACKS))
    if endless.size:
        raise ValueError(
            f"source {endless[0]}: the end value of its item exceeds price and freight plus one period's holding, and "
            "no largest order bounds it: buying without end would pay; lower end_value"
        )
    return np.where(pays, problem.largest, most)


def _deliveries(problem: ScheduleProblem, choices: Choices, steps: IntArray) -> Deliveries:
    """Which blocks of levels each place can deliver, and what a pack of them then costs."""
    place_item = problem.source_item[choices.place_source]
    parts = list[Deliveries]()
    blocks = 0
    for item, step in enumerate(steps.tolist()):
        parts.append(_of_item(problem, choices, item, step, np.flatnonzero(place_item == item), blocks))
        blocks += parts[-1].size.size
    return Deliveries(
        block=np.concatenate([part.block for part in parts]),
        place=np.concatenate([part.place for part in parts]),
        cost=np.concatenate([part.cost for part in parts]),
        size=np.concatenate([part.size for part in parts]),
        must=np.concatenate([part.must for part in parts]),
        stock=np.concatenate([part.stock for part in parts]),
    )


def _of_item(
    problem: ScheduleProblem, choices: Choices, item: int, step: int, places: IntArray, first: int
) -> Deliveries:
    """Deliveries of one item, its blocks numbered from `first`; where none may be short, only those in time."""
    arrival = (choices.place_period + problem.lead[choices.place_source])[places]
    size, stock = _blocks(problem.requirement[item], step)
    strict = not np.isfinite(problem.shortage[item])
    late = 0.0 if strict else float(problem.shortage[item])
    each = problem.holding[item] * stock - late * (1 - stock)
    onwards = np.cumsum(each[:, ::-1], axis=1)[:, ::-1] - problem.end_value[item]
    needed = stock < 1 - SAME
    ever: BoolArray = np.asarray(needed.any(axis=1))
    latest = np.where(ever & strict, needed.argmax(axis=1), problem.horizon)
    block, place = np.nonzero(arrival[None, :] <= latest[:, None])
    return Deliveries(block + first, places[place], onwards[block, arrival[place]], size, ever & strict, stock)


def _blocks(requirement: FloatArray, step: int) -> tuple[FloatArray, FloatArray]:
    """Packs (U,) of each block of levels that are required alike, and chance in stock (U, T); the last has no end."""
    levels = max(int(np.ceil(requirement.max() / step - SAME)), 0)
    edges = step * np.arange(levels + 1.0)
    left = np.empty((levels + 1, requirement.shape[0]))
    for period, atoms in enumerate(requirement):
        left[:, period] = np.maximum(edges[:, None] - atoms[None, :], 0.0).mean(axis=1)
    stock = np.diff(left, axis=0) / step
    fresh = np.ones(levels, dtype=np.bool_)
    fresh[1:] = np.abs(np.diff(stock, axis=0)).max(axis=1, initial=0.0) > SAME
    starts = np.flatnonzero(fresh)
    size = step * np.diff(np.append(starts, levels)).astype(np.float64)
    return np.append(size, np.inf), np.concatenate([stock[starts], np.ones((1, requirement.shape[0]))])


def _sizes(rows: Rows, choices: Choices) -> None:
    """An order's size lies within its segment, and at most one segment of a place is chosen."""
    n = choices.source.size
    one, many = np.arange(n), n + np.arange(n)
    first = rows.block(np.full(n, -np.inf), np.zeros(n))
    rows.put(first + one, many, np.ones(n))
    rows.put(first + one, one, -choices.highest.astype(np.float64))
    first = rows.block(np.zeros(n), np.full(n, np.inf))
    rows.put(first + one, many, np.ones(n))
    rows.put(first + one, one, -choices.lowest.astype(np.float64))
    places = choices.place_source.size
    first = rows.block(np.full(places, -np.inf), np.ones(places))
    rows.put(first + choices.place, one, np.ones(n))


def _flows(rows: Rows, choices: Choices, deliveries: Deliveries, multiple: FloatArray) -> None:
    """What is delivered is what is ordered, no block more than once, and nothing without a set-up."""
    n, w = choices.source.size, deliveries.block.size
    many, delivered = n + np.arange(n), 2 * n + np.arange(w)
    places = choices.place_source.size
    first = rows.block(np.zeros(places), np.zeros(places))
    rows.put(first + deliveries.place, delivered, np.ones(w))
    rows.put(first + choices.place, many, -multiple)
    first = rows.block(np.where(deliveries.must, deliveries.size, -np.inf), deliveries.size)
    rows.put(first + deliveries.block, delivered, np.ones(w))
    chosen = np.flatnonzero(np.isfinite(deliveries.size)[deliveries.block])
    first = rows.block(np.full(chosen.size, -np.inf), np.zeros(chosen.size))
    rows.put(first + np.arange(chosen.size), delivered[chosen], np.ones(chosen.size))
    by_place = np.argsort(choices.place, kind="stable")
    counts = np.bincount(choices.place, minlength=places)[deliveries.place[chosen]]
    row = np.repeat(np.arange(chosen.size), counts)
    start = np.searchsorted(choices.place[by_place], deliveries.place[chosen])
    within = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    choice = by_place[start[row] + within]
    size = deliveries.size[deliveries.block[chosen[row]]]
    rows.put(first + row, choice, -np.minimum(size, choices.highest[choice] * multiple[choice]))


def _limits(
    rows: Rows, problem: ScheduleProblem, choices: Choices, deliveries: Deliveries, multiple: FloatArray
) -> None:
    """Capacity, budget, number of orders and storage, where they are finite."""
    n, source, period = choices.source.size, choices.source, choices.period
    one, many = np.arange(n), n + np.arange(n)
    capacity = rows.block(np.full(problem.capacity.size, -np.inf), problem.capacity.ravel().astype(np.float64))
    row = capacity + problem.source_supplier[source] * problem.horizon + period
    rows.put(row, many, multiple * problem.effort_per_pack[source])
    rows.put(row, one, problem.effort_per_order[source])
    endless = np.full(problem.horizon, -np.inf)
    rows.put(rows.block(endless, problem.budget) + period, many, multiple * choices.price)
    rows.put(rows.block(endless, problem.max_orders) + period, one, np.ones(n))
    if not np.isfinite(problem.storage).any():
        return
    idle = problem.volume @ np.maximum(-problem.requirement, 0.0).mean(axis=2)
    storage = rows.block(endless, np.maximum(problem.storage - idle, 0.0))
    arrival = (choices.place_period + problem.lead[choices.place_source])[deliveries.place]
    volume = problem.volume[problem.source_item[choices.place_source[deliveries.place]]]
    held = volume[:, None] * deliveries.stock[deliveries.block]
    held[np.arange(problem.horizon)[None, :] < arrival[:, None]] = 0.0
    column, when = np.nonzero(held)
    rows.put(storage + when, 2 * n + column, held[column, when])


def _nothing_ordered(problem: ScheduleProblem) -> float:
    """Expected cost of stock and open orders alone; shortage left out where none may be short."""
    late = np.where(np.isfinite(problem.shortage), problem.shortage, 0.0)
    held = np.maximum(-problem.requirement, 0.0).mean(axis=2).sum(axis=1)
    short = np.maximum(problem.requirement, 0.0).mean(axis=2).sum(axis=1)
    ending = problem.requirement[:, -1].mean(axis=1)
    return float(problem.holding @ held + late @ short + problem.end_value @ ending)
