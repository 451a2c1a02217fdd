"""Purchase orders and receipts as the ERP reports them."""

from datetime import date
from enum import StrEnum

from tools.domain.catalogue import Record


class OrderStatus(StrEnum):
    """Where an open purchase order line stands."""

    DRAFT = "draft"
    SENT = "sent"
    CONFIRMED = "confirmed"
    IN_TRANSIT = "in_transit"
    PARTIAL = "partial"
    ON_HOLD = "on_hold"
    RECEIVED = "received"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether goods may still arrive on it."""
        return self not in (OrderStatus.RECEIVED, OrderStatus.CANCELLED)


class PurchaseOrder(Record):
    """One open order line; `quantity` is what is still to arrive."""

    order_id: str
    item_id: str
    supplier_id: str
    site_id: str = "MAIN"
    quantity: float
    order_date: date
    promised_date: date | None = None
    status: OrderStatus = OrderStatus.CONFIRMED


class Receipt(Record):
    """Goods that arrived against an order line."""

    order_id: str
    item_id: str
    supplier_id: str
    site_id: str = "MAIN"
    quantity: float
    order_date: date
    promised_date: date | None = None
    receipt_date: date

    @property
    def lead_time_days(self) -> int:
        """Days from order to receipt."""
        return (self.receipt_date - self.order_date).days
