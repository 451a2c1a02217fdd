"""Which items a change of the planning problem affects: those changed, and those that touch a changed limit."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from tools.domain.arrays import BoolArray
from tools.domain.plans import OrderPlan, Violation
from tools.domain.snapshots import PlanningSnapshot, SharedLimits, SourceTable

Key = tuple[str, str]
"""(item_id, site_id)."""
FREE = {
    "supplier_capacity": np.inf,
    "supplier_capacity_by_period": np.inf,
    "supplier_min_order_value": 0.0,
    "supplier_max_share": 1.0,
    "joint_order_cost": 0.0,
}
"""Limits of one supplier each, and the value of each that limits nothing."""


@dataclass(frozen=True)
class SnapshotDelta:
    """The problem as it is now, and what changed since the plan."""

    snapshot: PlanningSnapshot
    changed_item_ids: frozenset[str]
    """Items whose data or sources changed."""
    changed_supplier_ids: frozenset[str] = frozenset()
    """Suppliers of whom a limit changed: every item that may order from one of them is affected."""
    buyer_limits_changed: bool = False
    """Whether budget, storage or the number of orders changed: every item is affected."""

    @classmethod
    def between(cls, before: PlanningSnapshot, after: PlanningSnapshot) -> "SnapshotDelta":
        """What differs between two snapshots of one planning bucket; any other difference affects every item."""
        if (before.as_of, before.period, before.horizon) != (after.as_of, after.period, after.horizon):
            return cls(after, frozenset(after.item_ids))
        old, new = _described(before), _described(after)
        return cls(
            after,
            frozenset(key[0] for key, told in new.items() if old.get(key) != told),
            _changed_suppliers(before, after),
            _buyer_limits(before.limits) != _buyer_limits(after.limits),
        )


def affected_rows(delta: SnapshotDelta, plan: OrderPlan) -> BoolArray:
    """(N,) items to compute anew: changed, not yet planned, or touching a changed limit."""
    snapshot, planned = delta.snapshot, {(o.item_id, o.site_id) for o in plan.outlooks}
    if delta.buyer_limits_changed:
        return np.ones(snapshot.n_items, dtype=np.bool_)
    keys = zip(snapshot.item_ids, snapshot.site_ids, strict=True)
    stale = np.array([key[0] in delta.changed_item_ids or key not in planned for key in keys], dtype=np.bool_)
    return stale | _items_of(snapshot, delta.changed_supplier_ids)


def touching(snapshot: PlanningSnapshot, broken: Sequence[Violation]) -> BoolArray:
    """(N,) items that may use a broken limit: a line's item, a supplier's items, or all where it is the buyer's."""
    place = {offer_id: row for row, offer_id in enumerate(snapshot.sources.offer_ids)}
    found, suppliers = np.zeros(snapshot.n_items, dtype=np.bool_), set[str]()
    for violation in broken:
        source, supplier = place.get(violation.line_id.rpartition("#")[0]), violation.rule.partition(":")[2]
        if supplier:
            suppliers.add(supplier)
        elif source is not None:
            found[snapshot.sources.item[source]] = True
        else:
            found[:] = True
    return found | _items_of(snapshot, suppliers)


def _items_of(snapshot: PlanningSnapshot, supplier_ids: frozenset[str] | set[str]) -> BoolArray:
    """(N,) items with an offer of one of the suppliers."""
    wanted = np.array([supplier in supplier_ids for supplier in snapshot.supplier_ids], dtype=np.bool_)
    found = np.zeros(snapshot.n_items, dtype=np.bool_)
    if snapshot.sources.item.size and wanted.any():
        found[snapshot.sources.item[wanted[snapshot.sources.supplier]]] = True
    return found


def _described(snapshot: PlanningSnapshot) -> dict[Key, bytes]:
    """Everything that the snapshot holds of each item and its sources, as bytes that are equal when it is."""
    keys = list(zip(snapshot.item_ids, snapshot.site_ids, strict=True))
    told = {key: bytearray() for key in keys}
    for field in fields(snapshot):
        array = getattr(snapshot, field.name)
        if isinstance(array, np.ndarray):
            for row, key in enumerate(keys):
                told[key] += np.ascontiguousarray(array[row]).tobytes()
    sources = snapshot.sources
    for row, offer_id in enumerate(sources.offer_ids):
        supplier = snapshot.supplier_ids[int(sources.supplier[row])]
        told[keys[int(sources.item[row])]] += f"{offer_id}{supplier}".encode() + _terms(sources, row)
    return {key: bytes(value) for key, value in told.items()}


def _terms(sources: SourceTable, row: int) -> bytes:
    """The arrays of one source, but for the places of its item and supplier."""
    arrays = (getattr(sources, f.name) for f in fields(sources) if f.name not in ("offer_ids", "item", "supplier"))
    return b"".join(np.ascontiguousarray(array[row]).tobytes() for array in arrays if array.size)


def _changed_suppliers(before: PlanningSnapshot, after: PlanningSnapshot) -> frozenset[str]:
    old, new = _supplier_limits(before), _supplier_limits(after)
    return frozenset(name for name in old.keys() | new.keys() if old.get(name, {}) != new.get(name, {}))


def _supplier_limits(snapshot: PlanningSnapshot) -> dict[str, dict[str, bytes]]:
    """Supplier to the limits that really limit it."""
    tables = {name: getattr(snapshot.limits, name) for name in FREE}
    return {
        supplier: {
            name: table[row].tobytes()
            for name, table in tables.items()
            if table.size and (table[row] != FREE[name]).any()
        }
        for row, supplier in enumerate(snapshot.supplier_ids)
    }


def _buyer_limits(limits: SharedLimits) -> tuple[object, ...]:
    """Limits of the buyer as a whole."""
    return (
        limits.budget,
        limits.storage,
        limits.max_orders,
        limits.budget_by_period.tobytes(),
        limits.max_orders_by_period.tobytes(),
    )
