"""A schedule brought up to date after a change: only the items that touch what changed are ordered again.

Every item that orders from a changed supplier counts, not only the changed items: ordered alone within what the others
leave, they could not make room (50 items alone left two limits broken in a prototype, all 330 of the supplier none).
"""

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.schedules.column_generation.item_sweeps import (
    costs_of_items,
    place_in_turn,
    solve_free,
    total_use,
    withdraw,
)
from tools.ordering.schedules.feasible import KEPT_BACK, none_like
from tools.ordering.schedules.problem.changes import changes_between
from tools.ordering.schedules.problem.expected_cost import evaluate
from tools.ordering.schedules.problem.programme_arrays import Limits, PacksArray, Terms, limits_of, prices_of, terms_of
from tools.ordering.schedules.problem.statement import ScheduleOrders, ScheduleOutcome, ScheduleProblem
from tools.ordering.schedules.problem.unmet_limits import conflicts_of, idle_storage

FRESH_BOUND_ITEMS = 500
"""Up to so many items the bound is found afresh; it may have come from other prices or a mixed-integer programme."""


@dataclass(frozen=True)
class Rescheduled:
    """The new schedule, and which items were ordered again."""

    outcome: ScheduleOutcome
    items: IntArray


def reschedule(
    before: ScheduleProblem, after: ScheduleProblem, outcome: ScheduleOutcome, *, also: IntArray | None = None
) -> Rescheduled:
    """Order what the change touches (and the items `also`) again within what all others leave; the others stay.

    The prices are those of the old schedule, and the bound is the old one moved by the change at these prices, so it is
    proven for the new problem: beyond `FRESH_BOUND_ITEMS` the outcome's bound must be the one at its prices, as
    `solve_schedules` returns it.
    """
    started = perf_counter()
    changes = changes_between(before, after, outcome.orders)
    items = changes.affected if also is None else np.union1d(changes.affected, also)
    terms = terms_of(after)
    packs = _packs_of(after, outcome.orders)
    idle = idle_storage(after)
    limits, prices = limits_of(after, idle), prices_of(outcome.prices)
    kept = _order_again(items, terms, limits, prices, packs, outcome.item_cost)
    if not kept:
        items = np.arange(after.n_items)
        _order_again(items, terms, limits, prices, packs, outcome.item_cost)
    source, period = np.nonzero(packs)
    orders = ScheduleOrders(source, period, packs[source, period].astype(np.int64))
    updated = replace(
        outcome,
        orders=orders,
        item_cost=_costs(after, terms, orders, packs, items, outcome.item_cost),
        lower_bound=_moved_bound(before, terms, limits, outcome, changes.own, idle),
        proven=False,
        over=conflicts_of(after, orders, idle),
    )
    return Rescheduled(replace(updated, seconds=perf_counter() - started), items)


def _packs_of(problem: ScheduleProblem, orders: ScheduleOrders) -> PacksArray:
    packs = np.zeros((problem.lead.size, problem.horizon), np.int32)
    packs[orders.source, orders.period] = orders.packs
    return packs


def _order_again(
    items: IntArray, terms: Terms, limits: Limits, prices: Limits, packs: PacksArray, stake: FloatArray
) -> bool:
    """Withdraw and order the items in turn; whether every limit is kept that can be."""
    stored = bool(np.isfinite(limits.storage).any())
    use = none_like(limits)
    total_use(terms, packs, use, stored)
    room = Limits(*(limit - used for limit, used in zip(limits, use, strict=True)))
    withdraw(items, terms, stored, room, packs)
    least = room.copied()
    sequence = items[np.argsort(-np.abs(stake[items]), kind="stable")]
    place_in_turn(sequence, terms, prices, stored, room, packs)
    best = np.zeros(stake.size)
    solve_free(terms, prices, np.zeros_like(packs), best, items)
    regret = costs_of_items(sequence, terms, packs, prices) - best[sequence]
    behind = sequence[regret > KEPT_BACK * np.abs(best[sequence])]
    place_in_turn(behind, terms, none_like(prices), stored, room, packs)
    tolerance = [1e-7 * (1.0 + np.where(np.isfinite(limit), np.abs(limit), 0.0)) for limit in limits]
    below = [left < -slack for left, slack in zip(room, tolerance, strict=True)]
    idle = [left < -slack for left, slack in zip(least, tolerance, strict=True)]
    return items.size == stake.size or not any((b | i).any() for b, i in zip(below, idle, strict=True))


def _costs(
    problem: ScheduleProblem,
    terms: Terms,
    orders: ScheduleOrders,
    packs: PacksArray,
    items: IntArray,
    old: FloatArray,
) -> FloatArray:
    """(N,) costs, counted afresh for the items alone unless some item may not be short."""
    if not np.isfinite(problem.shortage).all():
        return evaluate(problem, orders)
    cost = old.copy()
    cost[items] = costs_of_items(items, terms, packs, none_like(limits_of(problem, np.zeros(problem.horizon))))
    return cost


def _fresh_bound(terms: Terms, limits: Limits, prices: Limits) -> float:
    """The Lagrangian bound at prices, from all items."""
    packs = np.zeros((terms.lead.size, terms.requirement.shape[1]), np.int32)
    value = np.zeros(terms.start.size - 1)
    solve_free(terms, prices, packs, value)
    rows, price = limits.flat(), prices.flat()
    priced = price > 0
    return float(value.sum() - price[priced] @ rows[priced])


def _moved_bound(
    before: ScheduleProblem,
    terms: Terms,
    limits: Limits,
    outcome: ScheduleOutcome,
    changed: IntArray,
    idle: FloatArray,
) -> float:
    """The Lagrangian bound at the old prices: changed items' minima and limits exchanged in the old bound."""
    prices = prices_of(outcome.prices)
    if before.n_items <= FRESH_BOUND_ITEMS:
        return _fresh_bound(terms, limits, prices)
    bound = outcome.lower_bound
    old_limits = limits_of(before, None if changed.size else idle)
    for old, new, price in zip(old_limits, limits, prices, strict=True):
        if np.any((price > 0) & ~np.isfinite(new)):
            return -np.inf
        moved = (price > 0) & (old != new)
        bound += float((price[moved] * (old[moved] - new[moved])).sum())
    if changed.size:
        packs, value = np.zeros((before.lead.size, before.horizon), np.int32), np.zeros(before.n_items)
        solve_free(terms, prices, packs, value, changed)
        bound += float(value[changed].sum())
        solve_free(terms_of(before), prices, packs, value, changed)
        bound -= float(value[changed].sum())
    return bound
