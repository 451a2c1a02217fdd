"""Stored canonical rows to a typed `Dataset`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from store.datasets.past_demand import Key, PastDemand
from store.schema import CANONICAL
from tools.domain.arrays import DateArray
from tools.domain.catalogue import Item, Link, Offer, PriceBreak, PurchasingLimit, Site, Supplier
from tools.domain.datasets import CalendarDay, Dataset, StockHistory, UserForecast
from tools.domain.orders import PurchaseOrder, Receipt

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


def read_dataset(
    version: str, as_of: date, currency: str, content_hash: str, tables: Mapping[str, Table], past: PastDemand
) -> Dataset:
    """Build the dataset; mappings iterate in id order."""
    offers = read_offers(tables["offers"])
    counts = stock_counts(tables["stock"], as_of)
    on_hand = {key: latest_count(found, as_of) for key, found in counts.items()}
    stock_history = _stock_histories(counts, as_of)
    return Dataset(
        version=version,
        as_of=as_of,
        currency=currency,
        items={row["item_id"]: Item.model_validate(row) for row in sorted_rows("items", tables)},
        suppliers=read_suppliers(tables["suppliers"]),
        sites={row["site_id"]: Site.model_validate(row) for row in sorted_rows("sites", tables)},
        offers=tuple(sorted(offers, key=lambda offer: offer.offer_id)),
        on_hand={key: units for key, (_, units) in on_hand.items()},
        stock_as_of={key: day for key, (day, _) in on_hand.items()},
        demand=past.histories,
        open_orders=tuple(PurchaseOrder.model_validate(row) for row in sorted_rows("purchase_orders", tables)),
        receipts=tuple(Receipt.model_validate(row) for row in sorted_rows("receipts", tables)),
        links=tuple(Link.model_validate(row) for row in sorted_rows("links", tables)),
        limits=tuple(PurchasingLimit.model_validate(row) for row in sorted_rows("limits", tables)),
        calendar=tuple(
            CalendarDay(row["date"], row.get("item_id"), bool(row.get("promotion")), bool(row.get("closed")))
            for row in _records("calendar", tables["calendar"])
        ),
        user_forecasts=_forecasts(tables["forecasts"]),
        content_hash=content_hash,
        stock_history=stock_history,
        stockouts=_stockouts(stock_history, past.named, as_of),
    )


def read_offers(rows: Table) -> list[Offer]:
    """Offers of rows in the canonical order of columns."""
    return [
        Offer.model_validate({**row, "price_breaks": parse_breaks(row.get("price_breaks"))})
        for row in _records("offers", rows)
    ]


def read_suppliers(rows: Table) -> dict[str, Supplier]:
    """Suppliers by id, in id order."""
    return {row["supplier_id"]: Supplier.model_validate(row) for row in sorted_rows("suppliers", {"suppliers": rows})}


def stock_counts(rows: Table, as_of: date) -> dict[Key, list[tuple[date, float]]]:
    """Counts by item and site, oldest first; one without a day is of the clock."""
    found: dict[Key, list[tuple[date, float]]] = {}
    for item_id, site_id, units, day in rows:
        found.setdefault((item_id, site_id), []).append((day or as_of, units))
    return {key: sorted(found[key]) for key in sorted(found)}


def latest_count(counts: Sequence[tuple[date, float]], as_of: date) -> tuple[date, float]:
    """The latest count up to the clock; where all are later, the first of them."""
    known = [count for count in counts if count[0] <= as_of]
    return known[-1] if known else counts[0]


def _stock_histories(counts: Mapping[Key, Sequence[tuple[date, float]]], as_of: date) -> dict[Key, StockHistory]:
    found: dict[Key, StockHistory] = {}
    for key, rows in counts.items():
        known = [row for row in rows if row[0] <= as_of]
        if len(known) > 1:
            dates = np.array([day for day, _ in known], dtype="datetime64[D]")
            found[key] = StockHistory(*key, dates, np.array([units for _, units in known], dtype=np.float64))
    return found


def _stockouts(histories: Mapping[Key, StockHistory], named: Collection[Key], as_of: date) -> dict[Key, DateArray]:
    """Days without stock where the records are sales, or do not say what they are.

    What is `named` demand or orders was recorded with or without stock.
    """
    found = {key: history.days_without(as_of) for key, history in histories.items() if key not in named}
    return {key: days for key, days in found.items() if days.size}


def sorted_rows(table: str, tables: Mapping[str, Table]) -> list[dict[str, Any]]:
    """Rows of a table as mappings without nulls, ordered by their first columns."""
    return _records(table, sorted(tables[table], key=lambda row: tuple(str(value) for value in row)))


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
