"""Open orders that are plainly too much: cancel what is never needed, hold what need not go out yet."""

from datetime import date

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.orders import Intent, OpenOrderStatus, PurchaseOrder
from tools.domain.plans import Explanation, PlanLine
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.problem.quantities import TINY

CHANGEABLE = (OpenOrderStatus.DRAFT, OpenOrderStatus.SENT)
"""Statuses in which a supplier has not confirmed, so that a cancellation costs nothing."""
UNNEEDED = 0.1
"""An order is excess when at most this share of the sample paths ever draws on it."""


def excess_order_lines(snapshot: PlanningSnapshot, settings: OrderingSettings) -> list[PlanLine]:
    """Cancel or hold suggestions for unconfirmed open orders; at most one order an item at a time."""
    rows = snapshot.row_of
    lines, done = list[PlanLine](), set[tuple[str, str]]()
    for order in sorted(snapshot.open_orders, key=lambda o: (o.order_date, o.order_id), reverse=True):
        key = (order.item_id, order.site_id)
        if order.status not in CHANGEABLE or key not in rows or key in done:
            continue
        line = _excess_line(snapshot, settings, rows[key], order)
        if line is not None:
            lines.append(line)
            done.add(key)
    return lines


def _excess_line(
    snapshot: PlanningSnapshot, settings: OrderingSettings, row: int, order: PurchaseOrder
) -> PlanLine | None:
    net = snapshot.on_hand[row] + np.cumsum(snapshot.arrivals[row] - snapshot.demand[row], axis=1)
    lead = _lead_periods(snapshot, row, order)
    usable = order.quantity * _yield_rate(snapshot, row, order)
    drawn = _share_drawn(net, usable, net.shape[1])
    if drawn <= UNNEEDED:
        return _line(snapshot, row, order, Intent.CANCEL, drawn, net.shape[1])
    reach = min(lead + 2 * settings.review_periods, net.shape[1])
    if order.status is OpenOrderStatus.DRAFT and lead + 2 * settings.review_periods <= net.shape[1]:
        soon = _share_drawn(net, usable, reach)
        if soon <= TINY:
            return _line(snapshot, row, order, Intent.HOLD, soon, reach)
    return None


def _yield_rate(snapshot: PlanningSnapshot, row: int, order: PurchaseOrder) -> float:
    """Share of the order that is expected to arrive usable: what `arrivals` counts of it."""
    mine = _offers(snapshot, row, order)
    return float(snapshot.sources.yield_rate[mine].max()) if mine.size else 1.0


def _offers(snapshot: PlanningSnapshot, row: int, order: PurchaseOrder) -> IntArray:
    """Rows of the sources of an item, which stand together, that are the order's supplier's."""
    sources = snapshot.sources
    first, end = np.searchsorted(sources.item, [row, row + 1])
    named = [snapshot.supplier_ids[int(who)] == order.supplier_id for who in sources.supplier[first:end]]
    return first + np.flatnonzero(np.array(named, dtype=np.bool_))


def _share_drawn(net: FloatArray, quantity: float, periods: int) -> float:
    """Share of paths whose stock without the order would fall below zero within the periods."""
    return float((net[:, :periods].min(axis=1) < quantity - TINY).mean())


def _lead_periods(snapshot: PlanningSnapshot, row: int, order: PurchaseOrder) -> int:
    known = order.supplier_id in snapshot.supplier_ids
    mine = _offers(snapshot, row, order) if known else np.flatnonzero(snapshot.sources.item == row)
    if not mine.size:
        return 0
    return int(np.ceil(snapshot.sources.lead_time_days[mine].max() / snapshot.period.days))


def _line(
    snapshot: PlanningSnapshot, row: int, order: PurchaseOrder, intent: Intent, drawn: float, periods: int
) -> PlanLine:
    sources, mine = snapshot.sources, _offers(snapshot, row, order)
    price = float(sources.unit_price[mine[0]]) if mine.size else float(snapshot.unit_value[row])
    explanation = Explanation(
        "excess of an open order",
        "share of sample paths whose stock would fall below zero without the order",
        {
            "share_of_paths_that_need_it": drawn,
            "periods_looked_at": float(periods),
            "quantity": order.quantity,
            "on_hand": float(snapshot.on_hand[row]),
        },
        (f"Order {order.order_id} is {order.status.value}: not yet confirmed.",),
    )
    arrival: date = order.promised_date or snapshot.as_of
    return PlanLine(
        line_id=f"{order.order_id}#{order.item_id}#{intent.value}",
        intent=intent,
        item_id=order.item_id,
        site_id=order.site_id,
        supplier_id=order.supplier_id,
        offer_id=sources.offer_ids[int(mine[0])] if mine.size else "",
        quantity=order.quantity,
        period=0,
        order_date=order.order_date,
        expected_arrival=arrival,
        unit_price=price,
        freight_per_unit=0.0,
        fixed_order_cost=0.0,
        explanation=explanation,
        replaces_order_id=order.order_id,
    )
