"""Stored canonical rows to a typed `Dataset`."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from store.schema import CANONICAL
from tools.domain.catalogue import Item, Link, Offer, PriceBreak, Site, Supplier
from tools.domain.datasets import CalendarDay, Dataset, DemandHistory, UserForecast
from tools.domain.orders import PurchaseOrder, Receipt

DEMAND_KINDS = ("demand", "order", "sales")
"""Nearest to true demand first: sales miss what was not in stock."""
Table = Sequence[tuple[Any, ...]]


def columns(table: str) -> tuple[str, ...]:
    """Column names of a canonical table, in order."""
    return tuple(part.split()[0] for part in CANONICAL[table].split(", "))


def parse_breaks(text: str | None) -> tuple[PriceBreak, ...]:
    """`100:9.5;500:9.0` to all-units price breaks, ascending. ValueError when malformed."""
    if not text:
        return ()
    pairs = [part.split(":") for part in text.split(";") if part]
    found = [PriceBreak(quantity=float(quantity), unit_price=float(price)) for quantity, price in pairs]
    return tuple(sorted(found, key=lambda brk: brk.quantity))


def _records(table: str, rows: Table) -> list[dict[str, Any]]:
    names = columns(table)
    return [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]


def read_dataset(version: str, as_of: date, currency: str, content_hash: str, tables: Mapping[str, Table]) -> Dataset:
    """Build the dataset; mappings iterate in id order."""
    offers = [
        Offer.model_validate({**row, "price_breaks": parse_breaks(row.get("price_breaks"))})
        for row in _records("offers", tables["offers"])
    ]
    stock = _records("stock", tables["stock"])
    return Dataset(
        version=version,
        as_of=as_of,
        currency=currency,
        items={row["item_id"]: Item.model_validate(row) for row in sorted_rows("items", tables)},
        suppliers={row["supplier_id"]: Supplier.model_validate(row) for row in sorted_rows("suppliers", tables)},
        sites={row["site_id"]: Site.model_validate(row) for row in sorted_rows("sites", tables)},
        offers=tuple(sorted(offers, key=lambda offer: offer.offer_id)),
        on_hand={(row["item_id"], row["site_id"]): row["on_hand"] for row in stock},
        stock_as_of={(row["item_id"], row["site_id"]): row.get("as_of", as_of) for row in stock},
        demand=_histories(tables["demand"]),
        open_orders=tuple(PurchaseOrder.model_validate(row) for row in sorted_rows("purchase_orders", tables)),
        receipts=tuple(Receipt.model_validate(row) for row in sorted_rows("receipts", tables)),
        links=tuple(Link.model_validate(row) for row in sorted_rows("links", tables)),
        calendar=tuple(
            CalendarDay(row["date"], row.get("item_id"), bool(row.get("promotion")), bool(row.get("closed")))
            for row in _records("calendar", tables["calendar"])
        ),
        user_forecasts=_forecasts(tables["forecasts"]),
        content_hash=content_hash,
    )


def sorted_rows(table: str, tables: Mapping[str, Table]) -> list[dict[str, Any]]:
    """Rows of a table as mappings without nulls, ordered by their first columns."""
    return _records(table, sorted(tables[table], key=lambda row: tuple(str(value) for value in row)))


def _histories(rows: Table) -> dict[tuple[str, str], DemandHistory]:
    """One history per item and site, of the kind nearest to true demand: kinds are never added up."""
    kinds: dict[tuple[str, str], dict[str, list[tuple[date, float]]]] = {}
    for item_id, site_id, day, quantity, kind in rows:
        kinds.setdefault((item_id, site_id), {}).setdefault(kind or DEMAND_KINDS[0], []).append((day, quantity))
    found: dict[tuple[str, str], DemandHistory] = {}
    for key in sorted(kinds):
        best = min(kinds[key], key=DEMAND_KINDS.index)
        pairs = sorted(kinds[key][best])
        dates = np.array([day for day, _ in pairs], dtype="datetime64[D]")
        found[key] = DemandHistory(*key, dates, np.array([quantity for _, quantity in pairs], dtype=np.float64))
    return found


def _forecasts(rows: Table) -> dict[str, UserForecast]:
    grouped: dict[str, list[tuple[date, float, float]]] = {}
    for item_id, day, quantity, quantile in rows:
        grouped.setdefault(item_id, []).append((day, quantity, np.nan if quantile is None else quantile))
    return {
        item_id: UserForecast(
            item_id,
            np.array([row[0] for row in found], dtype="datetime64[D]"),
            np.array([row[1] for row in found], dtype=np.float64),
            np.array([row[2] for row in found], dtype=np.float64),
        )
        for item_id, found in sorted(grouped.items())
    }
