"""An independent check of a schedule against its problem: plain arithmetic, no solver and no engine code.

It shares nothing with the code that made the schedule, so that an error there cannot hide here.
"""

from collections.abc import Iterator

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.plans import Violation
from tools.ordering.schedules.problem.statement import ScheduleOrders, ScheduleOutcome, ScheduleProblem

RELATIVE = 1e-6
ATOMS_AT_ONCE = 4_000_000
"""Requirement atoms held at once while costs are recomputed."""


def verify_schedule(
    problem: ScheduleProblem, outcome_or_orders: ScheduleOutcome | ScheduleOrders
) -> tuple[Violation, ...]:
    """Every rule of the problem that the schedule breaks; empty when it is sound.

    `line_id` names the source, supplier, item and period by row. Storage that stock and open orders over-fill before
    anything is ordered is held to what they fill. An outcome is also held to its stated cost per item (`cost`) and to
    a bound that its cost reaches (`bound`).
    """
    outcome = outcome_or_orders if isinstance(outcome_or_orders, ScheduleOutcome) else None
    orders = outcome_or_orders if isinstance(outcome_or_orders, ScheduleOrders) else outcome_or_orders.orders
    strange = tuple(_strange_rows(problem, orders))
    if strange:
        return strange
    cost, volume, nothing = expected_by_item(problem, orders)
    return (
        *_order_rules(problem, orders),
        *_limit_rules(problem, orders),
        *_above("storage", volume, np.maximum(problem.storage, nothing), ["period"]),
        *(() if outcome is None else _stated_figures(outcome, cost)),
    )


def _strange_rows(problem: ScheduleProblem, orders: ScheduleOrders) -> Iterator[Violation]:
    """Rows that name no source or period, or order nothing: no rule can be checked with them."""
    source, period = orders.source, orders.period
    if not source.size == period.size == orders.packs.size:
        yield Violation("rows", "", float(source.size), float(orders.packs.size))
        return
    known = (source >= 0) & (source < problem.source_item.size)
    yield from _broken("unknown_source", ~known, orders, np.zeros(source.size), source)
    inside = (period >= 0) & (period < problem.horizon)
    yield from _broken("horizon", ~inside, orders, np.full(source.size, problem.horizon - 1), period)
    yield from _broken("packs", orders.packs <= 0, orders, np.ones(source.size), orders.packs)


def _order_rules(problem: ScheduleProblem, orders: ScheduleOrders) -> Iterator[Violation]:
    """MOQ, multiple, largest order, placing window, order of rows and one order a source and period."""
    source, period, packs = orders.source, orders.period, orders.packs
    least, multiple, largest = problem.least[source], problem.multiple[source], problem.largest[source]
    yield from _broken("moq", packs < least, orders, least, packs)
    yield from _broken("multiple", packs % multiple != 0, orders, multiple, packs)
    yield from _broken("largest", packs > largest, orders, largest, packs)
    first, last = problem.first[source], problem.last[source]
    yield from _broken("too_early", period < first, orders, first, period)
    yield from _broken("too_late", period > last, orders, last, period)
    place = source * problem.horizon + period
    repeated = np.zeros(place.size, dtype=np.bool_)
    repeated[1:] = place[1:] <= place[:-1]
    yield from _broken("one_order_in_sequence", repeated, orders, np.ones(place.size), packs)


def _broken(
    rule: str,
    wrong: BoolArray,
    orders: ScheduleOrders,
    limit: FloatArray | IntArray,
    actual: FloatArray | IntArray,
) -> Iterator[Violation]:
    for row in np.flatnonzero(wrong).tolist():
        name = f"source {orders.source[row]} period {orders.period[row]}"
        yield Violation(rule, name, float(limit[row]), float(actual[row]))


def _limit_rules(problem: ScheduleProblem, orders: ScheduleOrders) -> Iterator[Violation]:
    """Capacity by supplier and period, and budget and number of orders by period."""
    source, period, packs = orders.source, orders.period, orders.packs
    effort = np.zeros(problem.capacity.shape)
    taken = problem.effort_per_pack[source] * packs + problem.effort_per_order[source]
    np.add.at(effort, (problem.source_supplier[source], period), taken)
    yield from _above("capacity", effort, problem.capacity, ["supplier", "period"])
    value = _sums(period, unit_prices(problem, orders) * packs, problem.horizon)
    yield from _above("budget", value, problem.budget, ["period"])
    number = _sums(period, np.ones(period.size), problem.horizon)
    yield from _above("max_orders", number, problem.max_orders, ["period"])


def _above(rule: str, actual: FloatArray, limit: FloatArray, axes: list[str]) -> Iterator[Violation]:
    """Entries that exceed their limit by more than rounding."""
    finite = np.where(np.isfinite(limit), np.abs(limit), 0.0)
    for place in np.argwhere(actual > limit + RELATIVE * np.maximum(1.0, finite)).tolist():
        name = " ".join(f"{axis} {row}" for axis, row in zip(axes, place, strict=True))
        yield Violation(rule, name, float(limit[tuple(place)]), float(actual[tuple(place)]))


def unit_prices(problem: ScheduleProblem, orders: ScheduleOrders) -> FloatArray:
    """Price per pack of each order, at the last break point it reaches."""
    price = problem.unit_price[orders.source].astype(np.float64)
    for column in range(problem.break_packs.shape[1]):
        reached = orders.packs >= problem.break_packs[orders.source, column]
        price = np.where(reached, problem.break_price[orders.source, column], price)
    return price


def expected_by_item(problem: ScheduleProblem, orders: ScheduleOrders) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(N,) expected cost with end value; (T,) expected volume in stock with the orders, and (T,) without any.

    Recomputed from the atoms: stock is the mean of max(arrived - required, 0), shortage of max(required - arrived, 0).
    """
    n_items, horizon, atoms = problem.requirement.shape
    arrived = _arrived(problem, orders)
    cost = _paid(problem, orders)
    volume, nothing = np.zeros(horizon), np.zeros(horizon)
    step = max(ATOMS_AT_ONCE // max(horizon * atoms, 1), 1)
    for start in range(0, n_items, step):
        rows = slice(start, min(start + step, n_items))
        required, here = problem.requirement[rows], arrived[rows]
        left = here[:, :, None] - required
        held = np.maximum(left, 0.0).mean(axis=2)
        short = np.maximum(-left, 0.0).mean(axis=2)
        floor = np.where(np.isfinite(problem.shortage[rows, None]), 0.0, RELATIVE)
        late = np.where(short > floor, short, 0.0).sum(axis=1)
        cost[rows] += problem.holding[rows] * held.sum(axis=1) - problem.end_value[rows] * left[:, -1].mean(axis=1)
        cost[rows] += np.multiply(problem.shortage[rows], late, out=np.zeros(late.size), where=late > 0)
        volume += problem.volume[rows] @ held
        nothing += problem.volume[rows] @ np.maximum(-required, 0.0).mean(axis=2)
    return cost, volume, nothing


def _arrived(problem: ScheduleProblem, orders: ScheduleOrders) -> FloatArray:
    """(N, T) packs of the schedule that have arrived by the end of each period."""
    arrived = np.zeros((problem.n_items, problem.horizon))
    due = orders.period + problem.lead[orders.source]
    within = due < problem.horizon
    np.add.at(arrived, (problem.source_item[orders.source[within]], due[within]), orders.packs[within])
    return np.cumsum(arrived, axis=1)


def _paid(problem: ScheduleProblem, orders: ScheduleOrders) -> FloatArray:
    """(N,) price, freight and fixed cost of the orders."""
    source = orders.source
    money = orders.packs * (unit_prices(problem, orders) + problem.freight[source]) + problem.fixed_cost[source]
    return _sums(problem.source_item[source], money, problem.n_items)


def _sums(place: IntArray, amounts: FloatArray, size: int) -> FloatArray:
    """(size,) sum of the amounts at each place."""
    total = np.zeros(size)
    np.add.at(total, place, amounts)
    return total


def _stated_figures(outcome: ScheduleOutcome, cost: FloatArray) -> Iterator[Violation]:
    """The outcome's cost by item against the recomputed one, and its bound against its cost."""
    scale = np.maximum(1.0, np.where(np.isfinite(cost), np.abs(cost), 1.0))
    with np.errstate(invalid="ignore"):
        same = (cost == outcome.item_cost) | (np.abs(cost - outcome.item_cost) <= RELATIVE * scale)
    for row in np.flatnonzero(~same).tolist():
        yield Violation("cost", f"item {row}", float(cost[row]), float(outcome.item_cost[row]))
    total = float(cost.sum())
    if outcome.lower_bound > total + RELATIVE * max(1.0, abs(total)):
        yield Violation("bound", "", total, outcome.lower_bound)
