"""Limits that could not be met, or that keep items short, said in words with what would cure them.

The plan beside them is the least violating one: within the limits that can be kept, what costs least.
"""

from collections.abc import Sequence

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.explaining.unreachable import fill_floors_missed, short_before_any_order
from tools.ordering.limits.allocation import Allocation
from tools.ordering.pricing.catalogue_prices import Priced
from tools.ordering.pricing.items import Batch, Part
from tools.ordering.problem.quantities import TINY, accepts_orders, supplier_counts, unit_price_at, usable_now
from tools.ordering.schedules.problem.statement import LimitPrices

WORTH_SAYING = 0.005
"""Shortage that a limit adds, as a share of the item's unlimited cost, before it is called a conflict."""
NAMED = 5
"""Items or offers named one by one."""


def find_conflicts(
    snapshot: PlanningSnapshot, settings: OrderingSettings, priced: Priced, allocation: Allocation
) -> tuple[str, ...]:
    """Every conflict of the plan, unmet limits first."""
    parts = tuple(priced.parts())
    found = [*_below_zero(snapshot), *_over_full(snapshot, allocation), *_without_source(parts)]
    found.extend(_closed_by_terms(snapshot, settings))
    found.extend(short_before_any_order(parts))
    found.extend(fill_floors_missed(parts, allocation))
    found.extend(_too_few_suppliers(snapshot, settings, _ordering(parts, allocation)))
    found.extend(_kept_short(snapshot, parts, allocation))
    if allocation.unproven:
        found.append("The time limit ended the search before the choice was proven best; raise time_limit_seconds.")
    return tuple(found)


def scheduled_conflicts(
    snapshot: PlanningSnapshot, settings: OrderingSettings, prices: LimitPrices, parts: FloatArray
) -> tuple[str, ...]:
    """Conflicts of a schedule with cost parts (N, 5): unmet limits, and those by period that keep items short."""
    found = [*_below_zero(snapshot), *_closed_by_terms(snapshot, settings)]
    short = np.flatnonzero(parts[:, 4] > WORTH_SAYING * np.maximum(np.abs(parts.sum(axis=1)), TINY))
    binding = _binding_periods(snapshot, prices)
    if short.size and binding:
        items = named([snapshot.item_ids[int(row)] for row in short[np.argsort(-parts[short, 4], kind="stable")]])
        found.append(
            f"Limits by period, {named(binding)}, keep {items} short, at {parts[short, 4].sum():,.2f}"
            f" {snapshot.currency} of expected shortage cost over the horizon; more room in those periods or a further"
            " source would cure it."
        )
    return tuple(found)


def _binding_periods(snapshot: PlanningSnapshot, prices: LimitPrices) -> list[str]:
    """Limits with a price, each with the day on which its first such period begins."""
    tables = [(f"capacity of {name}", prices.capacity[k]) for k, name in enumerate(snapshot.supplier_ids)]
    tables.extend((("budget", prices.budget), ("number of orders", prices.max_orders), ("storage", prices.storage)))
    return [
        f"{name} from {snapshot.period_begins(int(np.argmax(price > TINY)))} on"
        for name, price in tables
        if (price > TINY).any()
    ]


def named(names: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _below_zero(snapshot: PlanningSnapshot) -> list[str]:
    """Limits that what is committed already exceeds."""
    limits, found = snapshot.limits, list[str]()
    budget = min(limits.budget, float(limits.budget_by_period[0]) if limits.budget_by_period.size else np.inf)
    if budget < 0:
        found.append(
            f"The budget is {budget:,.2f} {snapshot.currency}: below zero, so nothing is ordered; set it to 0 or more."
        )
    orders = min(
        limits.max_orders, float(limits.max_orders_by_period[0]) if limits.max_orders_by_period.size else np.inf
    )
    if orders < 0:
        found.append(f"The number of orders left is {orders:,.0f}: below zero, so nothing is ordered; raise the limit.")
    for k, supplier in enumerate(snapshot.supplier_ids):
        left = float(limits.supplier_capacity[k]) if limits.supplier_capacity.size else np.inf
        if limits.supplier_capacity_by_period.size:
            left = min(left, float(limits.supplier_capacity_by_period[k, 0]))
        if left < 0:
            found.append(
                f"Orders already committed exceed the capacity of {supplier} by {-left:,.0f} units from"
                f" {snapshot.as_of} on, so nothing more is ordered from it; move or cancel committed orders, or agree"
                " more capacity."
            )
    return found


def _over_full(snapshot: PlanningSnapshot, allocation: Allocation) -> list[str]:
    """Storage that stock and open orders fill: by how much, from when, and what fills most of it."""
    over = (np.array(allocation.units) == "volume") & (allocation.limits > snapshot.limits.storage + TINY)
    if not over.any():
        return []
    row = int(np.flatnonzero(over)[np.argmax(allocation.limits[over])])
    periods = [int(name.rpartition(" ")[2]) for name, full in zip(allocation.names, over, strict=True) if full]
    excess = float(allocation.limits[row]) - snapshot.limits.storage
    return [
        f"Storage of {snapshot.limits.storage:,.1f} is over-full by {excess:,.1f} from stock and open orders alone,"
        f" in {len(periods)} period(s) from {snapshot.period_begins(periods[0])} on, mostly with"
        f" {_largest(snapshot, int(allocation.names[row].rpartition(' ')[2]))}; defer or cancel open orders, or find"
        " room."
    ]


def _largest(snapshot: PlanningSnapshot, period: int) -> str:
    """The items that take most of the storage at the end of a period, with their volume."""
    coming = (snapshot.arrivals[:, :, : period + 1] - snapshot.demand[:, :, : period + 1]).sum(axis=2)
    stock = np.maximum(snapshot.on_hand[:, None] + coming, 0.0).mean(axis=1)
    volume = stock * snapshot.storage_volume
    rows = np.argsort(-volume, kind="stable")
    rows = rows[volume[rows] > TINY]
    return named([f"{snapshot.item_ids[int(r)]} ({volume[r]:,.1f})" for r in rows])


def _without_source(parts: Sequence[Part]) -> list[str]:
    found = [
        (int(batch.items[row]), batch.snapshot.item_ids[row])
        for batch, rows in parts
        for row in rows[~batch.policy.regular.active[rows]]
        if batch.parts[row, 0, 4] > TINY
    ]
    words = [
        f"Item {item_id} has no source that may be ordered from now and is expected to run short; approve a source or"
        " lift a supplier's hold."
        for _, item_id in sorted(found)[:NAMED]
    ]
    more = len(found) - NAMED
    return [*words, *([f"{more} more items have no source that may be ordered from now."] if more > 0 else [])]


def _closed_by_terms(snapshot: PlanningSnapshot, settings: OrderingSettings) -> list[str]:
    """Offers whose own terms leave no quantity to order."""
    sources = snapshot.sources
    if not sources.item.size:
        return []
    closed = np.flatnonzero(sources.orderable & ~accepts_orders(sources, settings.review_periods))
    if not closed.size:
        return []
    most = np.minimum(sources.max_quantity, sources.capacity_per_period * settings.review_periods)
    words = [
        f"{sources.offer_ids[int(r)]} (MOQ {sources.moq[r]:,.0f}, multiple {sources.order_multiple[r]:,.0f}, at most"
        f" {most[r]:,.0f})"
        for r in closed[:NAMED]
    ]
    more = f" and {closed.size - NAMED} more" if closed.size > NAMED else ""
    return [
        f"No quantity can be ordered from {', '.join(words)}{more}: the least order is above the largest; agree a"
        " smaller MOQ or multiple, or a larger maximum or capacity."
    ]


def _ordering(parts: Sequence[Part], allocation: Allocation) -> BoolArray:
    """(N,) items that order anything now."""
    found = np.zeros(allocation.chosen.size, dtype=np.bool_)
    for batch, rows in parts:
        placed = batch.columns.quantity[rows, allocation.chosen[batch.items[rows]]]
        found[batch.items[rows]] = placed.max(axis=1, initial=0.0) > TINY
    return found


def _too_few_suppliers(snapshot: PlanningSnapshot, settings: OrderingSettings, ordering: BoolArray) -> list[str]:
    """Items that order now, and ask for more suppliers than there are to order from."""
    own, usual = settings.item_min_suppliers, settings.min_suppliers
    if max(usual, max(own.values(), default=1)) <= 1 or not snapshot.sources.item.size:
        return []
    wanted: IntArray = np.array([own.get(item, usual) for item in snapshot.item_ids], dtype=np.int64)
    usable = supplier_counts(snapshot, usable_now(snapshot, settings))
    rows = np.flatnonzero((usable < wanted) & ordering)
    if not rows.size:
        return []
    names = named([f"{snapshot.item_ids[int(r)]} ({usable[r]} of {wanted[r]})" for r in rows])
    return [
        f"Fewer suppliers than asked for may be ordered from now, on {snapshot.as_of}, for {names}: the order is"
        " shared by those there are; approve another source, or ask for fewer suppliers."
    ]


def _kept_short(snapshot: PlanningSnapshot, parts: Sequence[Part], allocation: Allocation) -> list[str]:
    """Items whose order the shared limits cut, with the value that would restore it."""
    short, missing = dict[int, str](), np.zeros(snapshot.n_items)
    for batch, rows in parts:
        chosen, total = allocation.chosen[batch.items[rows]], batch.total
        free = np.argmin(total[rows], axis=1)
        added = batch.parts[rows, chosen, 4] - batch.parts[rows, free, 4]
        cut = added > WORTH_SAYING * np.abs(total[rows, free])
        short.update((int(batch.items[r]), batch.snapshot.item_ids[int(r)]) for r in rows[cut])
        missing[batch.items[rows]] = np.where(cut, _values(batch, rows, free) - _values(batch, rows, chosen), 0.0)
    if not short:
        return []
    binding = [
        f"{name} ({limit:,.0f} {unit})"
        for name, limit, unit, price in zip(
            allocation.names, allocation.limits, allocation.units, allocation.shadow_prices, strict=True
        )
        if price > 1e-9
    ]
    limits = named(binding) if binding else "least order values and joint order costs of suppliers"
    return [
        f"Shared limits of the orders placed on {snapshot.as_of}, {limits}, keep"
        f" {named([short[item] for item in sorted(short)])} short; orders worth {max(float(missing.sum()), 0.0):,.2f}"
        f" {snapshot.currency} more would serve them as their costs ask."
    ]


def _values(batch: Batch, rows: IntArray, chosen: IntArray) -> FloatArray:
    if batch.snapshot.sources.item.size == 0:
        return np.zeros(chosen.size)
    source, quantity = batch.columns.source[rows, chosen], batch.columns.quantity[rows, chosen]
    return (quantity * unit_price_at(batch.snapshot.sources, source, quantity)).sum(axis=1)
