"""One look at the rows of the ledger and of the sandbox ERP. Nothing of the program's own code reads them here."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
BORN_THERE = ("hand:", "before:")
"""How the keys of orders begin that were born in the ERP."""


@dataclass(frozen=True)
class Books:
    """Rows of both databases; the ledger's by the key of their order, the ERP's lines by its reference."""

    orders: Mapping[str, Row]
    lines: Mapping[str, list[Row]]
    approvals: Mapping[str, Row]
    outbox: list[Row]
    runs: Mapping[str, Row]
    decided_lines: list[Row]
    erp_orders: list[Row]
    erp_lines: Mapping[str, list[Row]]
    stock: Mapping[tuple[str, str], float]
    """Units on hand by item and site."""
    receipts: list[Row]
    demand: list[Row]
    """What was asked for since the ERP began, by item, site and day."""
    today: str
    """The ERP's clock."""

    @property
    def ours(self) -> list[Row]:
        """Orders of the ERP that came from here."""
        return [row for row in self.erp_orders if not str(row["idempotency_key"]).startswith(BORN_THERE)]

    def units(self, keys: Iterable[str]) -> dict[tuple[str, str], float]:
        """Units of orders of the ledger by item and site."""
        found = defaultdict[tuple[str, str], float](float)
        for key in keys:
            for line in self.lines.get(key, ()):
                found[line["item_id"], line["site_id"]] += line["quantity"]
        return found


def read_books(home: Path) -> Books:
    """Everything that is stored by now; the ERP after the ledger, which writes there and notes it afterwards."""
    with closing(_opened(home / "operations.sqlite")) as ledger:
        orders = {row["order_key"]: row for row in _rows(ledger, "orders")}
        lines = _grouped(_rows(ledger, "order_lines"), "order_key")
        approvals = {row["approval_id"]: row for row in _rows(ledger, "approvals")}
        outbox, runs = _rows(ledger, "outbox"), {row["run_id"]: row for row in _rows(ledger, "runs")}
        decided = _rows(ledger, "line_decisions")
    with closing(_opened(home / "sandbox_erp.sqlite")) as erp:
        erp_orders, erp_lines = _rows(erp, "orders"), _grouped(_rows(erp, "lines"), "erp_ref")
        stock = {(row["item_id"], row["site_id"]): row["on_hand"] for row in _rows(erp, "stock")}
        receipts, demand = _rows(erp, "receipts"), _rows(erp, "demand")
        (today,) = erp.execute("SELECT today FROM clock").fetchone()
    return Books(orders, lines, approvals, outbox, runs, decided, erp_orders, erp_lines, stock, receipts, demand, today)


def _opened(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
    connection.row_factory = sqlite3.Row
    connection.execute("BEGIN")
    return connection


def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608 - names of this module


def _grouped(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found
