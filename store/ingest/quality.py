"""Rules between cells, rows and tables: keys, references, dates in order, limits that fit each other."""

from collections import Counter
from collections.abc import Mapping

from store.ingest.normalize import TypedTable
from store.ingest.shapes import SHAPES

MAIN = "MAIN"
REFERENCES = {
    "item_id": ("items", ("offers", "demand", "calendar", "forecasts", "stock", "purchase_orders", "receipts")),
    "supplier_id": ("suppliers", ("offers", "purchase_orders", "receipts")),
    "site_id": ("sites", ("offers", "demand", "stock", "purchase_orders", "receipts")),
}
"""Column to the table that it names a row of, and the tables that use it."""
FOLLOWS = "is refused in its own file"
"""Ends the reason of a reject that another one causes: correct that one, and this one is gone."""
NAMES = {"item_id": "item", "supplier_id": "supplier", "site_id": "site"}


def check(tables: Mapping[str, TypedTable]) -> None:
    """Refuse every row that breaks a rule; sites left out are filled in before."""
    _fill_sites(tables)
    for table in tables.values():
        _unique_keys(table)
    for column, (target, users) in REFERENCES.items():
        if target in tables:
            for user in users:
                if user in tables:
                    _known(tables[user], column, tables[target])
    if "offers" in tables:
        _offers_fit(tables["offers"])
    if "stock" in tables:
        _counts_dated(tables["stock"])
    for name, later in (("receipts", "receipt_date"), ("purchase_orders", "promised_date")):
        if name in tables:
            _not_before_order(tables[name], later)


def _fill_sites(tables: Mapping[str, TypedTable]) -> None:
    """A row without a site belongs to the only site, or to MAIN when no site is named anywhere."""
    used = {
        site for name in REFERENCES["site_id"][1] if name in tables for site in tables[name].columns["site_id"] if site
    }
    sites = set(tables["sites"].columns["site_id"]) if "sites" in tables else used
    only = next(iter(sites)) if len(sites) == 1 else None if sites else MAIN
    for name in REFERENCES["site_id"][1]:
        if name in tables:
            _fill_site(tables[name], only)


def _fill_site(table: TypedTable, only: str | None) -> None:
    cells = table.columns["site_id"]
    for position, site in enumerate(cells):
        if site:
            continue
        if only is None:
            remedy = f"Name the site in that row of {table.file}."
            table.reject(position, "site_id", "the row names no site", "a site, since there are several", remedy)
        else:
            cells[position] = only


def _unique_keys(table: TypedTable) -> None:
    key = SHAPES[table.table].key
    columns = [table.columns[name] for name in key]
    first: dict[tuple[object, ...], int] = {}
    for position in table.good():
        values = tuple(column[position] for column in columns)
        seen = first.setdefault(values, position)
        if seen != position:
            shown = ", ".join(f"{name} {value}" for name, value in zip(key, values, strict=True) if value is not None)
            table.reject(
                position,
                key[0],
                f"the key ({shown}) is already in row {table.lines[seen]}",
                f"one row for each {', '.join(key)}",
                f"Leave out one of the two rows of {table.file}, or add them up.",
            )


def _known(table: TypedTable, column: str, target: TypedTable) -> None:
    known = {target.columns[column][position] for position in target.good()}
    named = set(target.columns[column])
    cells = table.columns[column]
    for position in table.good():
        value = cells[position]
        if value is not None and value not in known:
            fault = FOLLOWS if value in named else "is unknown"
            table.reject(
                position,
                column,
                f"the {NAMES[column]} {value!r} {fault}",
                f"{'an' if column[0] in 'aeiou' else 'a'} {column} of {target.file}",
                f"Add {value} to {target.file}, or correct the row of {table.file}.",
            )


def _offers_fit(table: TypedTable) -> None:
    moq, largest = table.columns["moq"], table.columns["max_quantity"]
    starts, ends = table.columns["valid_from"], table.columns["valid_to"]
    for position in table.good():
        most = largest[position]
        if most is not None and moq[position] > most:
            table.reject(
                position,
                "moq",
                f"the MOQ {moq[position]:g} is above the max_quantity {most:g}",
                f"an MOQ of at most {most:g}",
                f"Lower moq or raise max_quantity in that row of {table.file}.",
            )
        elif starts[position] and ends[position] and ends[position] < starts[position]:
            reason = f"the offer ends on {ends[position]}, before it starts on {starts[position]}"
            remedy = f"Correct valid_from or valid_to in that row of {table.file}."
            table.reject(position, "valid_to", reason, f"{starts[position]} or later", remedy)


def _counts_dated(table: TypedTable) -> None:
    """Of several counts of an item and site each needs its day: without them none is the latest."""
    keys = list(zip(table.columns["item_id"], table.columns["site_id"], strict=True))
    counted = Counter(keys[position] for position in table.good())
    for position in table.good():
        if counted[keys[position]] > 1 and table.columns["as_of"][position] is None:
            reason = f"the row names no day, and item {keys[position][0]} has other rows"
            remedy = f"Name the day of the count in that row of {table.file}, or keep one row of the item."
            table.reject(position, "as_of", reason, "the day of the count", remedy)


def _not_before_order(table: TypedTable, later: str) -> None:
    ordered, dates = table.columns["order_date"], table.columns[later]
    word = later.removesuffix("_date")
    for position in table.good():
        if dates[position] is not None and dates[position] < ordered[position]:
            reason = f"the {word} date {dates[position]} is before the order date {ordered[position]}"
            remedy = f"Correct order_date or {later} in that row of {table.file}."
            table.reject(position, later, reason, f"{ordered[position]} or later", remedy)
