"""Rules between cells, rows and tables: keys, references, dates in order, limits that fit each other."""

from collections import Counter
from collections.abc import Mapping

from store.ingest.normalize import TypedTable
from store.ingest.shapes import SHAPES
from tools.domain.catalogue import LimitKind

MAIN = "MAIN"
REFERENCES = {
    "item_id": ("items", ("offers", "demand", "calendar", "forecasts", "stock", "purchase_orders", "receipts")),
    "supplier_id": ("suppliers", ("offers", "purchase_orders", "receipts", "limits")),
    "site_id": ("sites", ("offers", "demand", "stock", "purchase_orders", "receipts")),
}
"""Column to the table that it names a row of, and the tables that use it."""
FOLLOWS = "is refused in its own file"
"""Ends the reason of a reject that another one causes: correct that one, and this one is gone."""
OF_SUPPLIER = (LimitKind.CAPACITY, LimitKind.SHARE, LimitKind.JOINT_COST)
"""Limits of one supplier each; the others are the buyer's."""
PER_WEEK = (LimitKind.CAPACITY, LimitKind.BUDGET, LimitKind.ORDERS)
"""Limits that days may bound."""
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
    for name, fit in (("offers", _offers_fit), ("stock", _counts_dated), ("limits", _limits_fit)):
        if name in tables:
            fit(tables[name])
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


def _limits_fit(table: TypedTable) -> None:
    """A supplier stands where the kind is a supplier's, a share is at most 1, and the days are in order."""
    for position in table.good():
        cells = {name: cell[position] for name, cell in table.columns.items()}
        kind, start, end = cells["kind"], cells["from_date"], cells["to_date"]
        here = f"in that row of {table.file}."
        if kind in OF_SUPPLIER and cells["supplier_id"] is None:
            reason = f"a limit of kind {kind} names no supplier"
            table.reject(position, "supplier_id", reason, "the supplier that is limited", f"Name the supplier {here}")
        elif kind not in OF_SUPPLIER and cells["supplier_id"] is not None:
            reason = f"a limit of kind {kind} has no supplier"
            table.reject(position, "supplier_id", reason, "an empty cell", f"Empty supplier_id {here}")
        elif kind == LimitKind.SHARE and cells["amount"] > 1:
            reason = f"the share {cells['amount']:g} is above 1"
            table.reject(position, "amount", reason, "a share of 0 to 1", f"Write 0.6 for 60 % {here}")
        elif kind not in PER_WEEK and (start or end):
            reason = f"a limit of kind {kind} holds on any day"
            table.reject(position, "from_date", reason, "no dates", f"Empty both dates {here}")
        elif start and end and end < start:
            reason = f"the limit ends on {end}, before it starts on {start}"
            table.reject(position, "to_date", reason, f"{start} or later", f"Correct from_date or to_date {here}")


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
