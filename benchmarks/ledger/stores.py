"""One look at the tables of the operations database and of the sandbox ERP, and whether they tell the same.

Reads rows only, and nothing of the ledger's code: it is what the ledger is judged by.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from tools.domain.orders import ItemSite

WAITING = ("waiting", "change_waiting")
UNSENT = ("approved", "sending", "in_doubt")
STANDING = ("placed", "confirmed", "part_received", "received")
MAY_STAND = ("sending", "in_doubt", "change_sent", "cancelled", *STANDING)
DUE = ("queued", "leased")
NOTHING_TO_SEND = ("waiting", "change_waiting", "rejected", "superseded", "gated")
BORN_THERE = ("hand:", "before:")
"""How the keys of orders begin that were born in the ERP."""
Row = Mapping[str, Any]


@dataclass
class Stores:
    """Rows of every table by the key of their order."""

    orders: dict[str, Row]
    lines: dict[str, list[Row]]
    history: dict[str, list[Row]]
    approvals: dict[str, list[Row]]
    actions: dict[str, list[Row]]
    erp_orders: dict[str, Row]
    """By idempotency key."""
    erp_lines: dict[str, list[Row]]
    """By reference."""
    done_keys: set[str]
    stock: dict[ItemSite, float]

    def actions_of(self, key: str) -> list[Row]:
        """Actions of an order."""
        return self.actions.get(key, [])

    def units_of(self, keys: Iterable[str]) -> dict[ItemSite, float]:
        """Units of these orders by item and site."""
        units = defaultdict[ItemSite, float](float)
        for key in keys:
            for line in self.lines[key]:
                units[line["item_id"], line["site_id"]] += line["quantity"]
        return units

    def waiting(self) -> dict[ItemSite, float]:
        """Units that wait for a signature."""
        return self.units_of(key for key, row in self.orders.items() if row["status"] == "waiting")

    def on_their_way(self) -> dict[ItemSite, float]:
        """Units of orders that are decided, and not in the ERP."""
        return self.units_of(
            key
            for key, order in self.orders.items()
            if order["status"] in UNSENT
            and any(row["kind"] == "place" and row["action_key"] not in self.done_keys for row in self.actions_of(key))
        )

    def open_in_erp(self) -> dict[ItemSite, float]:
        """Units that are still to arrive, as the ERP has them."""
        units = defaultdict[ItemSite, float](float)
        for order in self.erp_orders.values():
            for line in self.erp_lines.get(order["erp_ref"], []):
                units[line["item_id"], order["site_id"]] += line["open"]
        return units


def look(engine: Engine, erp: sqlite3.Connection) -> Stores:
    """Everything that is stored by now; the ERP after the ledger, which writes there and notes it afterwards."""
    with engine.connect() as connection:

        def rows(query: str) -> list[Row]:
            found = connection.execute(text(query))
            names = list(found.keys())
            return [dict(zip(names, tuple(row), strict=True)) for row in found]

        orders = {row["order_key"]: row for row in rows("SELECT * FROM orders")}
        lines = grouped(rows("SELECT * FROM order_lines"))
        history = grouped(rows("SELECT * FROM order_history ORDER BY id"))
        approvals = grouped(rows("SELECT approval_id, order_key, status, content_hash FROM approvals"))
        actions = grouped(rows("SELECT action_key, order_key, kind, status, erp_ref FROM outbox ORDER BY id"))
    erp.row_factory = sqlite3.Row
    held = [dict(row) for row in erp.execute("SELECT * FROM orders")]
    erp_lines = [dict(row) for row in erp.execute("SELECT * FROM lines")]
    done = {row["idempotency_key"] for row in erp.execute("SELECT idempotency_key FROM actions")}
    stock = {(row["item_id"], row["site_id"]): row["on_hand"] for row in erp.execute("SELECT * FROM stock")}
    by_key: dict[str, Row] = {row["idempotency_key"]: row for row in held}
    return Stores(orders, lines, history, approvals, actions, by_key, grouped(erp_lines, "erp_ref"), done, stock)


def grouped(rows: Iterable[Row], key: str = "order_key") -> dict[str, list[Row]]:
    """Rows by one of their columns."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def asked_for_twice(stores: Stores) -> list[str]:
    """Needs for which orders of more than one run wait."""
    askers = defaultdict[ItemSite, set[str]](set)
    for key, order in stores.orders.items():
        for line in stores.lines[key] if order["status"] in WAITING else []:
            askers[line["item_id"], line["site_id"]].add(order["run_id"])
    return [f"{need}: asked for by {sorted(runs)}" for need, runs in askers.items() if len(runs) > 1]


def disagreements(stores: Stores) -> list[str]:
    """Where orders, lines, history, approvals, outbox and ERP do not tell the same."""
    found: list[str] = []
    for key, order in stores.orders.items():
        found += _tells_the_same(key, order, stores)
    known = {row["action_key"] for rows in stores.actions.values() for row in rows}
    strange = [key for key in stores.erp_orders if not key.startswith(BORN_THERE) and key not in known]
    return [*found, *(f"the ERP has an order of key {key} that nobody queued" for key in strange)]


def _tells_the_same(key: str, order: Row, stores: Stores) -> list[str]:
    status, actions, approvals = order["status"], stores.actions_of(key), stores.approvals.get(key, [])
    pending = [row["approval_id"] for row in approvals if row["status"] == "pending"]
    placing = [row["action_key"] for row in actions if row["kind"] == "place"]
    in_erp = [action for action in placing if action in stores.erp_orders]
    carried_out = any(row["status"] == "done" for row in actions)
    rules = {
        "its history ends there": stores.history[key][-1]["after"] == status,
        "its approval waits when it does": pending == ([order["approval_id"]] if status in WAITING else []),
        "nothing is sent of it": status not in NOTHING_TO_SEND or not actions,
        "an action of it is due": status != "approved" or any(row["status"] in DUE for row in actions),
        "somebody sends it": status != "sending" or any(row["status"] == "leased" for row in actions),
        "it stands in the ERP once": len(in_erp) <= 1,
        "it stands in the ERP": status not in STANDING or len(in_erp) == 1,
        "it does not stand in the ERP": not in_erp or status in MAY_STAND,
        "nothing of it was carried out": status not in ("withdrawn", "failed") or not carried_out,
        "the ERP has its quantities": all(_alike(stores, key, action) for action in in_erp),
        "its approval tells so": _signed(order, approvals),
    }
    return [f"{key} is {status}: not so that {rule}" for rule, holds in rules.items() if not holds]


def _signed(order: Row, approvals: list[Row]) -> bool:
    """What left by a signature was approved, and what was not approved is nowhere."""
    last = {row["approval_id"]: row["status"] for row in approvals}.get(order["approval_id"])
    expected = {
        "rejected": ("rejected", "edited"),
        "superseded": ("void",),
        "waiting": ("pending",),
        "change_waiting": ("pending",),
    }.get(order["status"], ("approved",))
    return not order["approval_id"] or last in expected


def _alike(stores: Stores, key: str, action: str) -> bool:
    ours = Counter({row["line_id"]: row["quantity"] for row in stores.lines[key]})
    held = stores.erp_lines[stores.erp_orders[action]["erp_ref"]]
    return ours == Counter({row["line_id"]: row["quantity"] for row in held})
