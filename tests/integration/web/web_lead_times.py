"""Lead times of the suppliers of `web_stock`: the real estimate over receipts and one open order of each item."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

from integration.web.web_stock import ITEMS, Stocked

from graph.reading.lead_times import lead_times_view
from graph.views.lead_times import LeadTimesView
from tools.domain.catalogue import Item, Offer, Supplier
from tools.domain.datasets import Dataset
from tools.domain.orders import PurchaseOrder, Receipt
from tools.lead_times import LeadTimeFindings, estimate_yields, findings_of, fit_lead_times
from tools.lead_times.estimate import FittedLeadTimes

AS_OF = date(2026, 6, 30)
LATER_SHARES = (1.1, 1.3, 1.2, 1.5, 1.25, 1.4)
"""Lead times of the receipts over their quote."""


def supplier_id_of(item: Stocked) -> str:
    return item.supplier.split()[0].upper()


def receipts_of(item: Stocked) -> list[Receipt]:
    made = []
    for place, share in enumerate(LATER_SHARES):
        ordered = AS_OF - timedelta(days=120 + 30 * place)
        arrived = ordered + timedelta(days=round(item.lead_days * share))
        promised = ordered + timedelta(days=item.lead_days)
        made.append(
            Receipt(
                order_id=f"PO-{item.item_id[2:]}{place}",
                item_id=item.item_id,
                supplier_id=supplier_id_of(item),
                quantity=item.pack,
                order_date=ordered,
                promised_date=promised,
                receipt_date=arrived,
            )
        )
    return made


def open_order_of(item: Stocked) -> PurchaseOrder:
    return PurchaseOrder(
        order_id=f"PO-{item.item_id[2:]}9",
        item_id=item.item_id,
        supplier_id=supplier_id_of(item),
        quantity=item.pack,
        order_date=AS_OF - timedelta(days=item.lead_days - 3),
        promised_date=AS_OF + timedelta(days=3),
    )


def stock_dataset() -> Dataset:
    suppliers = {supplier_id_of(item): item.supplier for item in ITEMS}
    return Dataset(
        version="ds-1-ab12cd34",
        as_of=AS_OF,
        currency="EUR",
        items={item.item_id: Item(item_id=item.item_id, description=item.name, uom="each") for item in ITEMS},
        suppliers={key: Supplier(supplier_id=key, name=suppliers[key]) for key in sorted(suppliers)},
        sites={},
        offers=tuple(
            Offer(
                item_id=item.item_id,
                supplier_id=supplier_id_of(item),
                unit_price=item.price,
                lead_time_days=item.lead_days,
                transport_mode="truck",
            )
            for item in ITEMS
        ),
        on_hand={},
        stock_as_of={},
        demand={},
        open_orders=tuple(open_order_of(item) for item in ITEMS),
        receipts=tuple(receipt for item in ITEMS for receipt in receipts_of(item)),
    )


def findings_from(dataset: Dataset) -> tuple[FittedLeadTimes, LeadTimeFindings]:
    fitted = fit_lead_times(dataset.offers, dataset.receipts, dataset.open_orders, dataset.as_of)
    yields = estimate_yields(dataset.offers, dataset.receipts, dataset.open_orders)
    return fitted, findings_of(fitted, dataset.receipts, yields)


@cache
def _known() -> tuple[Dataset, FittedLeadTimes, LeadTimeFindings]:
    return (dataset := stock_dataset(), *findings_from(dataset))


def lead_times_of(subject: str | None, version: str) -> LeadTimesView:
    dataset, fitted, found = _known()
    return lead_times_view(dataset, version, fitted.distributions, found, subject)


def view_of(subject: str | None = None, **changed: object) -> LeadTimesView:
    """The view of the same suppliers after changes to their dataset."""
    dataset = replace(stock_dataset(), **changed)  # type: ignore[arg-type]
    fitted, found = findings_from(dataset)
    return lead_times_view(dataset, "est-1-00c0ffee", fitted.distributions, found, subject)
