"""Limits stated per week and by date, as limits of planning periods."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.catalogue import LimitKind, PurchasingLimit
from tools.domain.datasets import Period
from tools.domain.snapshots import SharedLimits

COVERED = 0.5
"""Share of a period's days that a limit must cover to hold for the period."""


def with_stated_limits(
    limits: SharedLimits,
    stated: Sequence[PurchasingLimit],
    supplier_ids: Sequence[str],
    *,
    as_of: date,
    period: Period,
    horizon: int,
) -> SharedLimits:
    """The limits with those of the data added; what is already bounded is left as it is.

    Amounts per week become amounts per period by its days. Where several rows hold on a day, the smallest counts.
    """
    place = {supplier: row for row, supplier in enumerate(supplier_ids)}
    tables = {
        kind: np.stack([_by_period(rows, as_of, period, horizon) for rows in _split(stated, kind, place)])
        for kind in (LimitKind.CAPACITY, LimitKind.BUDGET, LimitKind.ORDERS)
        if any(row.kind is kind for row in stated)
    }
    found = {
        "supplier_capacity_by_period": tables.get(LimitKind.CAPACITY),
        "budget_by_period": _only(tables.get(LimitKind.BUDGET)),
        "max_orders_by_period": _whole(_only(tables.get(LimitKind.ORDERS))),
        "supplier_max_share": _by_supplier(stated, LimitKind.SHARE, place, 1.0),
        "joint_order_cost": _by_supplier(stated, LimitKind.JOINT_COST, place, 0.0),
    }
    added = {name: table for name, table in found.items() if table is not None and not getattr(limits, name).size}
    return replace(limits, **added)


def _split(
    stated: Sequence[PurchasingLimit], kind: LimitKind, place: dict[str, int]
) -> tuple[Sequence[PurchasingLimit], ...]:
    """Rows of a kind, by supplier where it is a supplier's and in one group where it is the buyer's."""
    mine = [row for row in stated if row.kind is kind]
    if kind is not LimitKind.CAPACITY:
        return (mine,)
    return tuple([row for row in mine if row.supplier_id == supplier] for supplier in place)


def _by_period(rows: Sequence[PurchasingLimit], as_of: date, period: Period, horizon: int) -> FloatArray:
    """(T,) amount of each period; inf where fewer than half of its days have a limit."""
    ends = np.round(np.arange(1, horizon + 1) * period.days).astype(np.int64)
    days = np.full(int(ends[-1]), math.inf)
    for row in rows:
        first = 0 if row.from_date is None else max((row.from_date - as_of).days - 1, 0)
        last = days.size if row.to_date is None else max((row.to_date - as_of).days, 0)
        days[first:last] = np.minimum(days[first:last], row.amount / 7)
    amounts = np.full(horizon, math.inf)
    for number, part in enumerate(np.split(days, ends[:-1])):
        known = part[np.isfinite(part)]
        if known.size >= COVERED * part.size:
            amounts[number] = known.mean() * part.size
    return amounts


def _only(table: FloatArray | None) -> FloatArray | None:
    return None if table is None else table[0]


def _whole(table: FloatArray | None) -> FloatArray | None:
    """Orders cannot be split: part of an order per period is rounded up to one."""
    return None if table is None else np.ceil(table - 1e-9)


def _by_supplier(
    stated: Sequence[PurchasingLimit], kind: LimitKind, place: dict[str, int], free: float
) -> FloatArray | None:
    mine = {row.supplier_id: row.amount for row in stated if row.kind is kind and row.supplier_id in place}
    return np.array([mine.get(supplier, free) for supplier in place]) if mine else None
