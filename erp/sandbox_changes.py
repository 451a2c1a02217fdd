"""How an action changes the open lines of an order in the sandbox ERP."""

import math
import sqlite3
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from erp.adapter import ActionKind, OrderAction, Permanent

EXPEDITED_SHARE = 0.5
"""Of the days still to wait, what remains after an order is expedited."""


def change_lines(connection: sqlite3.Connection, action: OrderAction, today: date) -> str:
    """Carry out an action on the open lines of an order, or on one line of it; returns the order's reference.

    Permanent when nothing of it is open.
    """
    lines = connection.execute(
        "SELECT * FROM lines WHERE (erp_ref = ? OR order_id = ?) AND open > 0", (action.erp_ref, action.erp_ref)
    ).fetchall()
    if not lines:
        raise Permanent(f"Order {action.erp_ref} has nothing open.", remedy="Read its state.", action_key=action.key)
    for line in lines:
        _CHANGES[action.kind](connection, line, action, today)
    return str(lines[0]["erp_ref"])


def _amend(connection: sqlite3.Connection, line: sqlite3.Row, action: OrderAction, today: date) -> None:
    change, number = action.change, line["number"]
    if change is None:
        return
    if change.quantity is not None:
        arrived = line["quantity"] - line["open"]
        if change.quantity <= arrived:
            raise Permanent(
                f"{arrived:g} units of {line['order_id']} have arrived already.",
                remedy="Cancel what is open instead.",
                action_key=action.key,
            )
        connection.execute(
            "UPDATE lines SET quantity = ?, open = ? WHERE number = ?",
            (change.quantity, change.quantity - arrived, number),
        )
    if change.due_date is not None:
        arrives = date.fromisoformat(line["arrives_on"])
        moved = change.due_date - date.fromisoformat(line["due_on"] or line["arrives_on"])
        _move(connection, number, max(today + timedelta(days=1), arrives + moved), change.due_date)
    connection.execute("UPDATE lines SET status = 'confirmed' WHERE number = ? AND status = 'on_hold'", (number,))


def _hold(connection: sqlite3.Connection, line: sqlite3.Row, action: OrderAction, today: date) -> None:
    del action, today
    connection.execute("UPDATE lines SET status = 'on_hold' WHERE number = ?", (line["number"],))


def _cancel(connection: sqlite3.Connection, line: sqlite3.Row, action: OrderAction, today: date) -> None:
    del action, today
    connection.execute("UPDATE lines SET open = 0, status = 'cancelled' WHERE number = ?", (line["number"],))


def _expedite(connection: sqlite3.Connection, line: sqlite3.Row, action: OrderAction, today: date) -> None:
    del action
    wait = (date.fromisoformat(line["arrives_on"]) - today).days
    _move(connection, line["number"], today + timedelta(days=max(1, math.ceil(wait * EXPEDITED_SHARE))), None)


def _move(connection: sqlite3.Connection, number: int, arrives: date, due: date | None) -> None:
    connection.execute(
        "UPDATE lines SET arrives_on = ?, due_on = COALESCE(?, due_on) WHERE number = ?",
        (arrives.isoformat(), due.isoformat() if due else None, number),
    )


_CHANGES: Mapping[ActionKind, Callable[[sqlite3.Connection, sqlite3.Row, OrderAction, date], None]] = {
    ActionKind.AMEND: _amend,
    ActionKind.HOLD: _hold,
    ActionKind.CANCEL: _cancel,
    ActionKind.EXPEDITE: _expedite,
}
