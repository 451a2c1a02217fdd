"""A dataset as a folder of CSV files in the canonical schema."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from tools.domain.catalogue import Item, Link, Offer, PriceBreak, PurchasingLimit, Site, Supplier
from tools.domain.datasets import Dataset
from tools.domain.orders import PurchaseOrder, Receipt

Row = Mapping[str, object]


def write_folder(dataset: Dataset, folder: Path) -> dict[str, int]:
    """Write every table that has rows; rows by table."""
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, tuple[tuple[str, ...], Iterable[Row]]] = {
        "items": (tuple(Item.model_fields), _rows(dataset.items.values())),
        "suppliers": (tuple(Supplier.model_fields), _rows(dataset.suppliers.values())),
        "sites": (tuple(Site.model_fields), _rows(dataset.sites.values())),
        "offers": (tuple(Offer.model_fields), _rows(dataset.offers)),
        "purchase_orders": (tuple(PurchaseOrder.model_fields), _rows(dataset.open_orders)),
        "receipts": (tuple(Receipt.model_fields), _rows(dataset.receipts)),
        "links": (tuple(Link.model_fields), _rows(dataset.links)),
        "limits": (tuple(PurchasingLimit.model_fields), _rows(dataset.limits)),
        "demand": (("item_id", "site_id", "date", "quantity", "kind"), _demand(dataset)),
        "stock": (("item_id", "site_id", "on_hand", "as_of"), _stock(dataset)),
        "calendar": (("date", "item_id", "promotion", "closed"), _calendar(dataset)),
    }
    return {name: _write(folder / f"{name}.csv", columns, rows) for name, (columns, rows) in tables.items()}


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> int:
    cells = [{name: _cell(row[name]) for name in columns} for row in rows]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(cells)
    return len(cells)


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return format(value, ".12g")
    return value.isoformat() if isinstance(value, date) else str(value)


def _rows(records: Iterable[BaseModel]) -> Iterable[Row]:
    for record in records:
        yield {name: _plain(getattr(record, name)) for name in type(record).model_fields}


def _plain(value: object) -> object:
    """Price breaks as `100:9.5;500:9.0`; anything else as it is."""
    if isinstance(value, tuple):
        breaks = [b for b in value if isinstance(b, PriceBreak)]
        return ";".join(f"{b.quantity:.12g}:{b.unit_price:.12g}" for b in breaks)
    return value


def _demand(dataset: Dataset) -> Iterable[Row]:
    for history in dataset.demand.values():
        for day, quantity in zip(history.dates, history.quantities, strict=True):
            yield {
                "item_id": history.item_id,
                "site_id": history.site_id,
                "date": str(day),
                "quantity": float(quantity),
                "kind": "demand",
            }


def _stock(dataset: Dataset) -> Iterable[Row]:
    for (item_id, site_id), units in dataset.on_hand.items():
        as_of = dataset.stock_as_of[item_id, site_id]
        history = dataset.stock_history.get((item_id, site_id))
        if history is not None:
            for day, counted in zip(history.dates, history.on_hand, strict=True):
                if day < np.datetime64(as_of):
                    yield {"item_id": item_id, "site_id": site_id, "on_hand": float(counted), "as_of": str(day)}
        yield {"item_id": item_id, "site_id": site_id, "on_hand": units, "as_of": as_of}


def _calendar(dataset: Dataset) -> Iterable[Row]:
    for day in dataset.calendar:
        yield {"date": day.day, "item_id": day.item_id, "promotion": day.promotion, "closed": day.closed}
