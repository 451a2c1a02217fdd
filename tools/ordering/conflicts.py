"""Limits that could not be met, or that keep items short, said in words with what would cure them."""

import numpy as np

from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.allocation import Allocation
from tools.ordering.pricing import Batch
from tools.ordering.quantities import TINY, unit_price_at

WORTH_SAYING = 0.005
"""Shortage that a limit adds, as a share of the item's unlimited cost, before it is called a conflict."""


def find_conflicts(snapshot: PlanningSnapshot, batches: list[Batch], allocation: Allocation) -> tuple[str, ...]:
    """Every conflict of the plan, unmet limits first."""
    found = list[str]()
    if snapshot.limits.budget < 0:
        found.append(
            f"The budget is {snapshot.limits.budget:,.2f} {snapshot.currency}: below zero, so nothing is ordered;"
            " set it to 0 or more."
        )
    found.extend(_over_full(snapshot, allocation))
    found.extend(_without_source(batches))
    found.extend(_kept_short(snapshot, batches, allocation))
    if allocation.unproven:
        found.append("The time limit ended the search before the choice was proven best; raise time_limit_seconds.")
    return tuple(found)


def _over_full(snapshot: PlanningSnapshot, allocation: Allocation) -> list[str]:
    unit = np.array(allocation.units) == "volume"
    over = unit & (allocation.limits > snapshot.limits.storage + TINY)
    if not over.any():
        return []
    worst = float(allocation.limits[over].max())
    return [
        f"Storage of {snapshot.limits.storage:,.1f} is over-full by {worst - snapshot.limits.storage:,.1f}"
        f" from stock and open orders alone, in {int(over.sum())} period(s); defer or cancel open orders, or find room."
    ]


def _without_source(batches: list[Batch]) -> list[str]:
    return [
        f"Item {batch.snapshot.item_ids[row]} has no source that may be ordered from now and is expected to run"
        " short; approve a source or lift a supplier's hold."
        for batch in batches
        for row in np.flatnonzero(~batch.policy.regular.active)
        if batch.parts[row, 0, 4] > TINY
    ]


def _kept_short(snapshot: PlanningSnapshot, batches: list[Batch], allocation: Allocation) -> list[str]:
    """Items whose order the shared limits cut, with the value that would restore it."""
    short, missing = list[str](), 0.0
    for batch in batches:
        chosen = allocation.chosen[batch.items]
        free = np.argmin(batch.total, axis=1)
        rows = np.arange(chosen.size)
        added = batch.parts[rows, chosen, 4] - batch.parts[rows, free, 4]
        cut = added > WORTH_SAYING * np.abs(batch.total[rows, free])
        short.extend(batch.snapshot.item_ids[int(r)] for r in np.flatnonzero(cut))
        values = _values(batch, free) - _values(batch, chosen)
        missing += float(values[cut].sum())
    if not short:
        return []
    names = ", ".join(short[:5]) + (f" and {len(short) - 5} more" if len(short) > 5 else "")
    binding = [n for n, p in zip(allocation.names, allocation.shadow_prices, strict=True) if p > 1e-9]
    limits = ", ".join(binding) if binding else "supplier minimum order values"
    return [
        f"Shared limits ({limits}) keep {names} short; orders worth {max(missing, 0.0):,.2f}"
        f" {snapshot.currency} more would serve them as their costs ask."
    ]


def _values(batch: Batch, chosen: np.ndarray) -> np.ndarray:
    rows = np.arange(chosen.size)
    if batch.snapshot.sources.item.size == 0:
        return np.zeros(chosen.size)
    source, quantity = batch.columns.source[rows, chosen], batch.columns.quantity[rows, chosen]
    return (quantity * unit_price_at(batch.snapshot.sources, source, quantity)).sum(axis=1)
