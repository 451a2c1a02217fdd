"""How time passes in the sandbox ERP: suppliers confirm, goods arrive late or in parts, demand takes stock."""

import math
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from tools.domain.orders import OpenOrderStatus

CONFIRMATION_DAYS = ((0, 0.80), (1, 0.12), (2, 0.05), (3, 0.03))
"""Days from order to confirmation, and their probability: most within hours, one in twenty after two days."""
PARTIAL_PROBABILITY = 0.12
"""Of an arrival that brings only part of what is open."""
PARTIAL_SHARES = (0.5, 0.9)
BACKORDER_DAYS = (3, 21)
"""The rest of a partial arrival comes this many days later, both ends included."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What happened while the clock moved."""

    today: date
    confirmed: int
    receipts: int
    served: float
    """Units demanded and taken from stock."""
    short: float
    """Units demanded that were not there; they are lost."""


def draw(seed: int, *names: object) -> np.random.Generator:
    """A generator for one named event, so that no draw depends on how many came before it."""
    return np.random.default_rng(zlib.crc32("|".join(map(str, (seed, *names))).encode()))


def confirmation_delay(seed: int, *names: object) -> int:
    """Days until a supplier confirms an order."""
    days, probabilities = zip(*CONFIRMATION_DAYS, strict=True)
    return int(draw(seed, "confirm", *names).choice(days, p=probabilities))


def pass_days(connection: sqlite3.Connection, days: int, demand: Mapping[str, Sequence[float]] | None = None) -> Passed:
    """Move the clock day by day inside the caller's transaction.

    `demand` maps an item to the units demanded on each of these days; other items use their mean.
    """
    today, seed = connection.execute("SELECT today, seed FROM clock").fetchone()
    now = date.fromisoformat(today)
    confirmed = receipts = 0
    served = short = 0.0
    for day in range(days):
        now += timedelta(days=1)
        confirmed += confirm_due(connection, now)
        receipts += _receive_due(connection, now, seed)
        taken, missing = _consume(connection, now, {item: units[day] for item, units in (demand or {}).items()})
        served += taken
        short += missing
    connection.execute("UPDATE clock SET today = ?", (now.isoformat(),))
    return Passed(now, confirmed, receipts, served, short)


def confirm_due(connection: sqlite3.Connection, today: date) -> int:
    """Suppliers whose answer is due confirm, and promise a date by the lead time they quote."""
    due = connection.execute(
        "SELECT erp_ref, ordered_on FROM orders WHERE confirmed_on IS NULL AND confirms_on <= ?", (today.isoformat(),)
    ).fetchall()
    for order in due:
        connection.execute(
            "UPDATE orders SET confirmed_on = ? WHERE erp_ref = ?", (today.isoformat(), order["erp_ref"])
        )
        connection.execute(
            "UPDATE lines SET promised_on = date(?, '+' || quoted_days || ' days'),"
            " status = CASE status WHEN 'sent' THEN 'confirmed' ELSE status END WHERE erp_ref = ?",
            (order["ordered_on"], order["erp_ref"]),
        )
    return len(due)


def _receive_due(connection: sqlite3.Connection, today: date, seed: int) -> int:
    due = connection.execute(
        "SELECT l.*, o.supplier_id, o.site_id, o.ordered_on FROM lines l JOIN orders o USING (erp_ref)"
        " WHERE l.open > 0 AND l.arrives_on <= ? AND l.status NOT IN ('draft', 'on_hold') ORDER BY l.number",
        (today.isoformat(),),
    ).fetchall()
    for line in due:
        arrived, next_day = _arrival(line, today, seed)
        rest = line["open"] - arrived
        status = OpenOrderStatus.PARTIAL if rest > 0 else OpenOrderStatus.RECEIVED
        connection.execute(
            "UPDATE lines SET open = ?, arrives_on = ?, status = ? WHERE number = ?",
            (rest, next_day.isoformat(), status.value, line["number"]),
        )
        connection.execute(
            "INSERT INTO receipts (order_id, item_id, supplier_id, site_id, quantity, order_date, promised_date,"
            " receipt_date) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                line["order_id"],
                line["item_id"],
                line["supplier_id"],
                line["site_id"],
                arrived,
                line["ordered_on"],
                line["promised_on"],
                today.isoformat(),
            ),
        )
        connection.execute(
            "INSERT INTO stock VALUES (?, ?, ?, 0) ON CONFLICT DO UPDATE SET on_hand = on_hand + excluded.on_hand",
            (line["item_id"], line["site_id"], arrived),
        )
    return len(due)


def _arrival(line: sqlite3.Row, today: date, seed: int) -> tuple[float, date]:
    """Units that arrive today, and the day of the rest. Only a first arrival is ever partial."""
    chance = draw(seed, "arrival", line["order_id"], line["item_id"], line["arrives_on"])
    whole = line["status"] == OpenOrderStatus.PARTIAL.value or line["open"] < 2
    if whole or chance.random() >= PARTIAL_PROBABILITY:
        return line["open"], today
    arrived = max(1, math.floor(line["open"] * chance.uniform(*PARTIAL_SHARES)))
    return float(arrived), today + timedelta(days=int(chance.integers(*BACKORDER_DAYS, endpoint=True)))


def _consume(connection: sqlite3.Connection, today: date, demanded: Mapping[str, float]) -> tuple[float, float]:
    """Take the day's demand from stock and note what was asked for; returns units served and units short."""
    served = short = 0.0
    changes: list[tuple[float, str, str]] = []
    asked: list[tuple[str, str, str, float]] = []
    for row in connection.execute("SELECT item_id, site_id, on_hand, daily_demand FROM stock").fetchall():
        wanted = demanded.get(row["item_id"], row["daily_demand"])
        taken = max(0.0, min(wanted, row["on_hand"]))
        served += taken
        short += wanted - taken
        asked.append((row["item_id"], row["site_id"], today.isoformat(), wanted))
        if taken:
            changes.append((taken, row["item_id"], row["site_id"]))
    connection.executemany("UPDATE stock SET on_hand = on_hand - ? WHERE item_id = ? AND site_id = ?", changes)
    connection.executemany("INSERT INTO demand VALUES (?, ?, ?, ?)", asked)
    return served, short
