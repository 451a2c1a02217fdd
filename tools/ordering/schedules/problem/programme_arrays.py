"""The catalogue as the compiled programmes read it: arrays by item and source, order sizes cut into price segments."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.schedules.problem.soundness import refuse_unsound
from tools.ordering.schedules.problem.statement import LimitPrices, ScheduleProblem
from tools.ordering.schedules.problem.unmet_limits import idle_storage

PacksArray = NDArray[np.int32]
"""(sources, periods) packs ordered."""
UNUSED_PACKS = 10**8
"""A break point or largest order from here up is not there."""
MOST_LEVELS = 200_000
"""Levels of one item that its programme can hold."""
SHORT_FACTOR = 50.0
"""Where none may be short, a pack short for a period costs this many times what a pack and an order can cost."""


class Terms(NamedTuple):
    """The problem in the form of the item programmes; N items, M sources, T periods, B price segments of a source."""

    requirement: FloatArray
    holding: FloatArray
    shortage: FloatArray
    """(N,) finite: where none may be short, a price above all others."""
    end_value: FloatArray
    volume: FloatArray
    start: IntArray
    """(N + 1,) first source of each item."""
    supplier: IntArray
    lead: IntArray
    price: FloatArray
    """(M, B) money per pack within each segment, without freight."""
    least: IntArray
    most: IntArray
    """(M, B) fewest and most packs of an order within each segment, whole multiples; most < least where empty."""
    freight: FloatArray
    fixed: FloatArray
    multiple: IntArray
    first: IntArray
    last: IntArray
    effort_pack: FloatArray
    effort_order: FloatArray
    top: IntArray
    """(N,) highest cumulative order that an item can need, see `highest_level`."""


class Limits(NamedTuple):
    """One value for each coupling row: what is left of a limit, or its price."""

    capacity: FloatArray
    budget: FloatArray
    storage: FloatArray
    orders: FloatArray

    def copied(self) -> "Limits":
        """The same values in arrays of their own."""
        return Limits(*(part.copy() for part in self))

    def times(self, factor: float) -> "Limits":
        """Every value multiplied."""
        return Limits(*(part * factor for part in self))

    def flat(self) -> FloatArray:
        """All rows in one array: capacity by supplier and period, budget, storage, orders."""
        return np.concatenate([part.ravel() for part in self])


def unflat(rows: FloatArray, like: Limits) -> Limits:
    """The reverse of `Limits.flat`."""
    ends = np.cumsum([part.size for part in like])
    parts = np.split(rows, ends[:-1])
    return Limits(*(np.ascontiguousarray(part.reshape(old.shape)) for part, old in zip(parts, like, strict=True)))


def limits_of(problem: ScheduleProblem, idle: FloatArray | None = None) -> Limits:
    """The limits themselves, inf where there is none; storage at least what stock and open orders fill anyway.

    `idle` is `idle_storage` of the problem where it is known.
    """
    idle = idle_storage(problem) if idle is None else idle
    parts = (problem.capacity, problem.budget, np.maximum(problem.storage, idle), problem.max_orders)
    return Limits(*(np.array(part, dtype=np.float64) for part in parts))


def prices_of(prices: LimitPrices) -> Limits:
    """Prices of limits in the form of the programmes."""
    return Limits(*(np.array(p, float) for p in (prices.capacity, prices.budget, prices.storage, prices.max_orders)))


def as_prices(rows: Limits) -> LimitPrices:
    """Prices of limits in the form of the contract."""
    return LimitPrices(capacity=rows.capacity, budget=rows.budget, storage=rows.storage, max_orders=rows.orders)


def terms_of(problem: ScheduleProblem) -> Terms:
    """Read a problem once for all programmes; ValueError for what they could not read safely."""
    refuse_unsound(problem)
    least, most, price = _segments(problem)
    start = np.searchsorted(problem.source_item, np.arange(problem.n_items + 1)).astype(np.int64)
    return Terms(
        requirement=np.ascontiguousarray(problem.requirement, dtype=np.float64),
        holding=_floats(problem.holding),
        shortage=_finite_shortage(problem),
        end_value=_floats(problem.end_value),
        volume=_floats(problem.volume),
        start=start,
        supplier=_whole(problem.source_supplier),
        lead=_whole(problem.lead),
        price=price,
        least=least,
        most=most,
        freight=_floats(problem.freight),
        fixed=_floats(problem.fixed_cost),
        multiple=_whole(np.maximum(problem.multiple, 1)),
        first=_whole(np.maximum(problem.first, 0)),
        last=_whole(np.minimum(problem.last, problem.horizon - 1)),
        effort_pack=_floats(problem.effort_per_pack),
        effort_order=_floats(problem.effort_per_order),
        top=highest_level(problem, least, most, price, start),
    )


def highest_level(
    problem: ScheduleProblem, least: IntArray, most: IntArray, price: FloatArray, start: IntArray
) -> IntArray:
    """(N,) packs that some best plan never exceeds in all, whatever the prices of the limits (none is negative).

    Take the last order to arrive, of q packs, that brings the sum to k. If k - q covers the highest requirement, leave
    it out: no pack is ever short and, when no source sells below the end value less one period's holding cost, nothing
    is lost. So k - q stays below that requirement; and one multiple less would do unless q is the least order, at a
    break point, or k - multiple is below the requirement too. Hence k < requirement + the largest of these sizes.
    """
    need = np.ceil(problem.requirement.max(axis=(1, 2)) - 1e-9).astype(np.int64)
    sizes = np.where(most >= least, least, 0).max(axis=1, initial=0)
    sizes = np.maximum(sizes, np.maximum(problem.multiple, 1))
    extra = np.zeros(problem.n_items, dtype=np.int64)
    np.maximum.at(extra, problem.source_item, sizes)
    top = np.where((need > 0) & (np.diff(start) > 0), need - 1 + extra, 0)
    _refuse_endless(problem, np.where(most >= least, price, np.inf), top)
    return top.astype(np.int64)


def _refuse_endless(problem: ScheduleProblem, price: FloatArray, top: IntArray) -> None:
    """Raise ValueError where buying beyond all need would pay, or levels do not fit."""
    cheapest = price.min(axis=1) + problem.freight
    floor = (problem.end_value - problem.holding)[problem.source_item]
    endless = np.flatnonzero(cheapest < floor - 1e-9 * np.abs(floor) - 1e-9)
    if endless.size:
        source = int(endless[0])
        raise ValueError(
            f"end_value of item {int(problem.source_item[source])} exceeds what source {source} charges per pack "
            f"({cheapest[source]:g}) plus one period's holding cost: buying without end would pay; lower end_value"
        )
    if top.size and top.max() > MOST_LEVELS:
        raise ValueError(
            f"item {int(top.argmax())} needs up to {int(top.max())} packs in the horizon, at most {MOST_LEVELS} fit: "
            "count it in larger packs"
        )


def _segments(problem: ScheduleProblem) -> tuple[IntArray, IntArray, FloatArray]:
    """(M, B + 1) order sizes and price of each all-units segment, in whole multiples."""
    n_sources = problem.lead.size
    step = np.maximum(problem.multiple, 1)[:, None]
    points = np.where(problem.break_packs >= UNUSED_PACKS, 2 * UNUSED_PACKS, problem.break_packs)
    lower = np.concatenate([np.ones((n_sources, 1), np.int64), points], axis=1)
    upper = np.concatenate([points - 1, np.full((n_sources, 1), 2 * UNUSED_PACKS)], axis=1)
    lower = np.maximum(lower, problem.least[:, None])
    upper = np.minimum(upper, problem.largest[:, None])
    least = -(-lower // step) * step
    most = np.maximum(upper, 0) // step * step
    most = np.where((most < np.maximum(lower, 1)) | (lower >= UNUSED_PACKS), 0, most)
    least = np.where(most < least, 1, least)
    price = np.concatenate([problem.unit_price[:, None], problem.break_price], axis=1)
    return _whole(least), _whole(most), _floats(np.where(most >= least, price, 0.0))


def _finite_shortage(problem: ScheduleProblem) -> FloatArray:
    """(N,) shortage cost with a price above all others where it is inf."""
    dearest = np.zeros(problem.n_items)
    landed = problem.unit_price + problem.freight + problem.fixed_cost
    np.maximum.at(dearest, problem.source_item, landed)
    steep = SHORT_FACTOR * (dearest + problem.holding + 1.0)
    return _floats(np.where(np.isfinite(problem.shortage), problem.shortage, steep))


def _whole(values: IntArray) -> IntArray:
    return np.ascontiguousarray(values, dtype=np.int64)


def _floats(values: FloatArray) -> FloatArray:
    return np.ascontiguousarray(values, dtype=np.float64)
