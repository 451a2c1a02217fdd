"""The day on which the data ends, and what is left out because it happened later."""

from datetime import UTC, date, datetime

from store.ingest.checked_tables import CheckedTables

CLOCKED = {"demand": "date", "receipts": "receipt_date", "purchase_orders": "order_date"}
"""Tables of what has happened, and the column that says when."""


def latest_day(checked: CheckedTables) -> date:
    """Clock of data that names none: the latest stock date, else the latest date of what has happened."""
    for group in ({"stock": "as_of"}, CLOCKED):
        known = [f"SELECT max({day}) FROM {name}" for name, day in group.items() if name in checked.tables]  # noqa: S608
        found = [checked.ask(query)[0][0] for query in known]
        days = [day for day in found if day is not None]
        if days:
            return max(days)
    return datetime.now(UTC).date()


def cut_future(checked: CheckedTables, clock: date) -> list[str]:
    """Leave out what happened after the clock, so that a plan at that clock cannot know it."""
    warnings: list[str] = []
    for name, day in CLOCKED.items():
        if name in checked.tables:
            warnings += _told(checked, name, checked.leave_out(name, f"{day} > ?", [clock]), clock)
    if "stock" in checked.tables:
        warnings += _cut_later_counts(checked, clock)
    return warnings


def _told(checked: CheckedTables, name: str, count: int, clock: date) -> list[str]:
    file = checked.tables[name].file
    return [f"{count} rows of {file} are dated after {clock} and were left out."] if count else []


def _cut_later_counts(checked: CheckedTables, clock: date) -> list[str]:
    """Leave out counts after the clock, but for items that have no other: there the first one is taken as known."""
    counted = f"SELECT item_id, site_id FROM {checked.good('stock')} WHERE coalesce(as_of, ?) <= ?"  # noqa: S608
    out = checked.leave_out("stock", f"as_of > ? AND (item_id, site_id) IN ({counted})", [clock, clock, clock])
    warnings = _told(checked, "stock", out, clock)
    ((first,),) = checked.ask(f"SELECT min(as_of) FROM {checked.good('stock')} WHERE as_of > ?", [clock])  # noqa: S608
    if first is not None:
        warnings.append(f"Stock was counted on {first}, after the clock {clock}; a plan will take it as known then.")
    return warnings
