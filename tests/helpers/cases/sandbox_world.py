"""A small dataset and orders for tests of the sandbox ERP and the outbox."""

from datetime import date, timedelta

from erp.adapter import ActionKind, DraftLine, OrderAction, OrderChange, OrderDraft
from store.operations import OutboxRow
from tools.domain.catalogue import Item, Offer, Site, Supplier
from tools.domain.datasets import Dataset
from tools.domain.orders import PurchaseOrder

START = date(2026, 3, 2)
OFFER = Offer(item_id="A", supplier_id="S1", unit_price=2.5, lead_time_days=20)
OTHER = Offer(item_id="B", supplier_id="S1", unit_price=4.0, lead_time_days=12)
LEAD_TIMES = {OFFER.offer_id: [14, 18, 20, 22, 35]}


def small_dataset(open_orders: tuple[PurchaseOrder, ...] = ()) -> Dataset:
    """Two items from one supplier, 100 units of each on hand."""
    return Dataset(
        version="ds-1",
        as_of=START,
        currency="USD",
        items={"A": Item(item_id="A"), "B": Item(item_id="B")},
        suppliers={"S1": Supplier(supplier_id="S1")},
        sites={"MAIN": Site(site_id="MAIN")},
        offers=(OFFER, OTHER),
        on_hand={("A", "MAIN"): 100.0, ("B", "MAIN"): 100.0},
        stock_as_of={},
        demand={},
        open_orders=open_orders,
        receipts=(),
    )


def placing(key: str, quantity: float = 50, items: tuple[str, ...] = ("A",)) -> OrderAction:
    """An action that places an order with S1."""
    lines = tuple(
        DraftLine(
            line_id=f"{item}-line",
            item_id=item,
            quantity=quantity,
            unit_price="2.50",
            due_date=START + timedelta(days=20),
            offer_id=OFFER.offer_id if item == "A" else OTHER.offer_id,
        )
        for item in items
    )
    return OrderAction(
        key=key,
        kind=ActionKind.PLACE,
        order=OrderDraft(supplier_id="S1", site_id="MAIN", currency="USD", lines=lines),
    )


def changing(key: str, kind: ActionKind, erp_ref: str, change: OrderChange | None = None) -> OrderAction:
    """An action that concerns an order."""
    return OrderAction(key=key, kind=kind, erp_ref=erp_ref, change=change)


def queued(action: OrderAction, run_id: str = "run-1") -> OutboxRow:
    """The action as a row of the outbox."""
    return OutboxRow(action.key, run_id, f"{run_id}/S1", action.kind.value, action.model_dump(mode="json"))
