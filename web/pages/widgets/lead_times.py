"""How suppliers keep their quotes, and when open orders arrive."""

from collections.abc import Sequence

from nicegui import ui

from graph.views.lead_times import LeadTimesView, OfferLeadTimesView, OpenOrderView, SupplierLeadTimesView, chance
from web.pages.widgets.parts import empty, grid_table, heading
from web.pages.widgets.wording import percent, quantity, words

SUPPLIERS = (
    "Supplier",
    "Quoted",
    "Taken",
    "Over quote",
    "Receipts",
    "Open orders",
    "Past due",
    "On time",
    "What the record says",
)
OFFERS = ("Offer", "Quoted", "10 %", "50 %", "90 %", "Receipts", "From")
ORDERS = ("Order", "Item", "Supplier", "Quantity", "Age", "Due", "Arrives by then", "Expected", "In 8 of 10 cases")
MOST_SUPPLIERS = 30
MOST_ORDERS = 12


def suppliers_section(view: LeadTimesView | None) -> None:
    """Suppliers by how much longer they take than quoted, and the open orders that are oldest against that."""
    heading("Suppliers' lead times")
    if view is None or not view.suppliers:
        empty("No lead time is known.", "Offers and receipts tell how long orders take.")
        return
    shown = view.suppliers[:MOST_SUPPLIERS]
    grid_table(SUPPLIERS, [supplier_cells(row) for row in shown], numeric=range(1, 8), name="Suppliers' lead times")
    _more(len(view.suppliers) - len(shown), "suppliers")
    late = [order for order in view.orders if order.older_than is not None][:MOST_ORDERS]
    if late:
        heading("Open orders that have waited longest for their supplier", 3)
        _orders_table(late)
        _more(view.open_orders - len(late), "open orders")


def item_section(view: LeadTimesView) -> None:
    """An item's offers with their quantiles, and when its open orders arrive."""
    heading("Lead times, days", 3)
    if view.offers:
        grid_table(OFFERS, [offer_cells(row) for row in view.offers], numeric=range(1, 6), name="Lead times of offers")
    else:
        ui.label("No offer is known.").classes("fine")
    heading("Open orders", 3)
    if view.orders:
        _orders_table(view.orders)
    else:
        ui.label("Nothing is on order.").classes("fine")


def _orders_table(orders: Sequence[OpenOrderView]) -> None:
    grid_table(ORDERS, [order_cells(order) for order in orders], numeric=(3, 4), name="Arrival of open orders")


def _more(number: int, noun: str) -> None:
    if number > 0:
        ui.label(f"{number:,} more {noun}; `jit lead-times` tells of all.").classes("fine")


def supplier_cells(row: SupplierLeadTimesView) -> tuple[str, ...]:
    """A supplier as a row of text."""
    moved = row.promise_trust == "rebaselined"
    trusted = row.promise_trust == "trusted" and row.on_time_share is not None
    return (
        row.supplier if row.supplier == row.supplier_id else f"{row.supplier_id} {row.supplier}",
        "" if row.quoted_days is None else f"{row.quoted_days:.0f}",
        "" if row.taken_days is None else f"{row.taken_days:.0f}",
        "unproven" if row.bias is None else f"{round(row.bias, 2) + 0.0:+.0%}",
        str(row.receipts),
        str(row.open_orders),
        str(row.overdue_orders),
        "dates moved" if moved else percent(row.on_time_share or 0.0) if trusted else "",
        " ".join(row.sentences),
    )


def offer_cells(row: OfferLeadTimesView) -> tuple[str, ...]:
    """An offer as a row of text."""
    mode = ", ".join(part for part in (row.transport_mode, "expedited" if row.expedite else "") if part)
    return (
        f"{row.supplier}{f', {mode}' if mode else ''}",
        "none" if row.quoted_days is None else quantity(row.quoted_days),
        str(row.p10_days),
        str(row.p50_days),
        str(row.p90_days),
        str(row.observations),
        words(row.source) if row.fallback is None else f"{words(row.source)}: {row.fallback}",
    )


def order_cells(order: OpenOrderView) -> tuple[str, ...]:
    """An open order as a row of text."""
    past = "1 day past" if order.overdue_days == 1 else f"{order.overdue_days} days past"
    by_then = "not known" if order.due_probability is None else chance(order.due_probability)
    return (
        order.order_id,
        order.item_id,
        order.supplier,
        quantity(order.quantity, order.uom),
        f"{order.age_days} d",
        "" if order.due_date is None else f"{order.due_date} {order.due_by}",
        past if order.overdue_days else by_then,
        str(order.expected_date or "not known"),
        f"{order.p10_date} to {order.p90_date}" if order.p10_date else order.fallback or "",
    )
