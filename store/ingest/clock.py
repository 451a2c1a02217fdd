"""The day on which the data ends, and what is left out because it happened later."""

from datetime import UTC, date, datetime

from store.ingest.workbench import Workbench

CLOCKED = {"demand": "date", "receipts": "receipt_date", "purchase_orders": "order_date"}
"""Tables of what has happened, and the column that says when."""


def latest_day(bench: Workbench) -> date:
    """Clock of data that names none: the latest stock date, else the latest date of what has happened."""
    for group in ({"stock": "as_of"}, CLOCKED):
        known = [f"SELECT max({day}) FROM {name}" for name, day in group.items() if name in bench.tables]  # noqa: S608
        found = [bench.ask(query)[0][0] for query in known]
        days = [day for day in found if day is not None]
        if days:
            return max(days)
    return datetime.now(UTC).date()


def cut_future(bench: Workbench, clock: date) -> list[str]:
    """Leave out what happened after the clock, so that a plan at that clock cannot know it."""
    warnings: list[str] = []
    for name, day in CLOCKED.items():
        if name in bench.tables:
            warnings += _told(bench, name, bench.leave_out(name, f"{day} > ?", [clock]), clock)
    if "stock" in bench.tables:
        warnings += _cut_later_counts(bench, clock)
    return warnings


def _told(bench: Workbench, name: str, count: int, clock: date) -> list[str]:
    file = bench.tables[name].file
    return [f"{count} rows of {file} are dated after {clock} and were left out."] if count else []


def _cut_later_counts(bench: Workbench, clock: date) -> list[str]:
    """Leave out counts after the clock, but for items that have no other: there the first one is taken as known."""
    counted = f"SELECT item_id, site_id FROM {bench.good('stock')} WHERE coalesce(as_of, ?) <= ?"  # noqa: S608
    out = bench.leave_out("stock", f"as_of > ? AND (item_id, site_id) IN ({counted})", [clock, clock, clock])
    warnings = _told(bench, "stock", out, clock)
    ((first,),) = bench.ask(f"SELECT min(as_of) FROM {bench.good('stock')} WHERE as_of > ?", [clock])  # noqa: S608
    if first is not None:
        warnings.append(f"Stock was counted on {first}, after the clock {clock}; a plan will take it as known then.")
    return warnings
