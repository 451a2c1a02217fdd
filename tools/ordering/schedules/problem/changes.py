"""What differs between two problems on the same items and sources, and which items that touches."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.ordering.schedules.problem.statement import ScheduleOrders, ScheduleProblem

OF_ITEMS = ("requirement", "holding", "shortage", "end_value", "volume")
OF_SOURCES = (
    *("source_supplier", "lead", "unit_price", "break_packs", "break_price", "freight", "fixed_cost", "least"),
    *("multiple", "largest", "first", "last", "effort_per_pack", "effort_per_order"),
)


@dataclass(frozen=True)
class Changes:
    """Items whose own figures changed, and all items that touch them through a limit."""

    own: IntArray
    affected: IntArray


def changes_between(before: ScheduleProblem, after: ScheduleProblem, orders: ScheduleOrders) -> Changes:
    """Compare two problems; `orders` is the schedule of the first. Raises ValueError when items or sources differ.

    A change of a supplier's capacity, or of a source there, touches every item with a source at the supplier; a change
    of the budget or the number of orders in a period every item that orders then; of the storage in a period every item
    with orders that have arrived by then.
    """
    if before.requirement.shape != after.requirement.shape or not np.array_equal(before.source_item, after.source_item):
        raise ValueError("the changed problem has other items, sources or periods: solve it from the start")
    sources = _differs(before, after, OF_SOURCES, before.lead.size)
    own = _differs(before, after, OF_ITEMS, before.n_items)
    own[after.source_item[sources]] = True
    suppliers = (before.capacity != after.capacity).any(axis=1)
    suppliers[np.concatenate([before.source_supplier[sources], after.source_supplier[sources]])] = True
    affected = own.copy()
    affected[after.source_item[suppliers[after.source_supplier]]] = True
    affected[after.source_item[orders.source[_in_changed_periods(before, after, orders)]]] = True
    return Changes(own=np.flatnonzero(own), affected=np.flatnonzero(affected))


def _differs(before: ScheduleProblem, after: ScheduleProblem, names: tuple[str, ...], size: int) -> BoolArray:
    """Which rows of the named fields differ."""
    rows = np.zeros(size, dtype=bool)
    for name in names:
        old, new = _values(before, name), _values(after, name)
        if old is not new:
            rows |= (old != new).reshape(size, -1).any(axis=1)
    return rows


def _values(problem: ScheduleProblem, name: str) -> FloatArray:
    return getattr(problem, name)


def _in_changed_periods(before: ScheduleProblem, after: ScheduleProblem, orders: ScheduleOrders) -> BoolArray:
    """Which orders use a limit of all items that changed."""
    placed = (before.budget != after.budget) | (before.max_orders != after.max_orders)
    stored = np.flatnonzero(before.storage != after.storage)
    touched = placed[orders.period]
    if stored.size:
        touched |= orders.period + after.lead[orders.source] <= stored.max()
    return touched
