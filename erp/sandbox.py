"""A small ERP of our own: real tables in its own SQLite file, a unique idempotency key, and a seeded clock.

Confirmations, late and partial receipts come from the seed and each offer's lead-time samples, so that the same
orders on the same days arrive the same way.
"""

import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from erp.adapter import (
    ActionKind,
    Capabilities,
    DraftLine,
    ErpLine,
    ErpOrder,
    MasterKind,
    OrderAction,
    OrderDraft,
    Permanent,
)
from erp.sandbox_changes import change_lines
from erp.sandbox_clock import Passed, confirm_due, confirmation_delay, draw, pass_days
from erp.sandbox_tables import TAKEN_OVER, fill, open_file, writing
from tools.domain.catalogue import Item, Offer, Record, Supplier
from tools.domain.datasets import Dataset
from tools.domain.orders import OpenOrderStatus, PurchaseOrder, Receipt

UNKNOWN_LEAD_TIME_DAYS = 30
"""Lead time of an item and supplier that no offer joins."""
RECORDS: Mapping[MasterKind, type[Record]] = {
    MasterKind.ITEMS: Item,
    MasterKind.SUPPLIERS: Supplier,
    MasterKind.OFFERS: Offer,
}


class SandboxErp:
    """Implements `ErpAdapter`. Safe across threads and processes (SQLite WAL, full durability)."""

    def __init__(self, path: Path, seed: int = 7, supply: Callable[[], int] = lambda: 0) -> None:
        """`supply` tells the ledger's counter: what it says at each writing is on disk already."""
        self._seed = seed
        self._supply = supply
        self._lock = threading.RLock()
        self._db = open_file(path)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def still(self) -> Generator[None]:
        """Nobody writes or reads until the block ends."""
        with self._lock:
            yield

    def seed_from(
        self,
        dataset: Dataset,
        lead_times: Mapping[str, Iterable[int]],
        daily_demand: Mapping[str, float] | None = None,
    ) -> None:
        """Start over from a dataset: its stock, open orders, master data and clock.

        `lead_times` maps offer ids to samples in days (an offer without one keeps its quoted lead time), and
        `daily_demand` items to mean units a day.
        """
        with self._lock, writing(self._db, self._supply):
            fill(self._db, dataset, lead_times, daily_demand or {}, self._seed)
            known: dict[tuple[str, str], list[int]] = {}
            for order in dataset.open_orders:
                pair = (order.item_id, order.supplier_id)
                if pair not in known:
                    known[pair] = self._samples(*pair, "")
                self._take_over(order, known[pair], dataset.as_of)

    def _take_over(self, order: PurchaseOrder, samples: Sequence[int], today: date) -> None:
        """An order that was open before the sandbox began: it arrives later than today, given its age.

        `samples` are lead times of its item and supplier in days, ascending.
        """
        age = (today - order.order_date).days
        chance = draw(self._seed, "open", order.order_id, order.item_id)
        left = [days - age for days in samples if days > age]
        wait = (
            int(chance.choice(left)) if left else int(chance.integers(1, 1 + max(1, samples[len(samples) // 2] // 2)))
        )
        self._db.execute(
            "INSERT INTO orders VALUES (?, ?, ?, ?, '', ?, NULL, ?) ON CONFLICT DO NOTHING",
            (
                order.order_id,
                f"{TAKEN_OVER}{order.order_id}",
                order.supplier_id,
                order.site_id,
                order.order_date.isoformat(),
                today.isoformat(),
            ),
        )
        self._db.execute(
            "INSERT INTO lines (order_id, erp_ref, line_id, item_id, quantity, open, promised_on, due_on, quoted_days,"
            " arrives_on, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
            (
                order.order_id,
                order.order_id,
                order.order_id,
                order.item_id,
                order.quantity,
                order.quantity,
                _text(order.promised_date),
                _text(order.promised_date),
                (today + timedelta(days=wait)).isoformat(),
                order.status.value,
            ),
        )

    def _samples(self, item_id: str, supplier_id: str, offer_id: str) -> list[int]:
        """Lead times in days, ascending: the offer's, or all of this item and supplier."""
        rows = self._db.execute(
            "SELECT days, offer_id FROM lead_times WHERE item_id = ? AND supplier_id = ? ORDER BY days",
            (item_id, supplier_id),
        ).fetchall()
        own = [int(row["days"]) for row in rows if row["offer_id"] == offer_id]
        return own or [int(row["days"]) for row in rows] or [UNKNOWN_LEAD_TIME_DAYS]

    @property
    def today(self) -> date:
        """The sandbox's clock; the wall clock until it is seeded."""
        with self._lock:
            row = self._db.execute("SELECT today FROM clock").fetchone()
        return date.fromisoformat(row["today"]) if row else datetime.now(UTC).date()

    def advance(self, days: int, demand: Mapping[str, Sequence[float]] | None = None) -> Passed:
        """Move the clock, all days or none: confirmations, then arrivals, then demand, day by day.

        `demand` maps items to units on each of these days; the others use the mean they were seeded with.
        """
        with self._lock:
            if self._db.execute("SELECT today FROM clock").fetchone() is None:
                raise Permanent("The sandbox ERP is empty.", remedy="Seed it from a dataset first.")
            with writing(self._db, self._supply):
                return pass_days(self._db, days, demand)

    @property
    def is_empty(self) -> bool:
        """Whether it was never seeded."""
        return not self._read("SELECT 1 FROM clock")

    @property
    def changes(self) -> int:
        """How often the file was written."""
        (row,) = self._read("SELECT changes FROM home")
        return int(row["changes"])

    def capabilities(self) -> Capabilities:
        """Unique keys, and every kind of action."""
        return Capabilities(name="sandbox", unique_keys=True, kinds=frozenset(ActionKind))

    def submit(self, action: OrderAction) -> ErpOrder:
        """Store a draft once per key, in one transaction; a repeat returns the order that is there."""
        draft = action.order
        if draft is None:
            raise Permanent("The action has no order.", remedy="Plan again.", action_key=action.key)
        with self._lock, writing(self._db, self._supply):
            found = self.find_by_key(action.key)
            return found or self._insert(action.key, draft)

    def _insert(self, key: str, draft: OrderDraft) -> ErpOrder:
        today = self.today
        (count,) = self._db.execute("SELECT count(*) FROM orders").fetchone()
        ref = f"SB{count + 1:06d}"
        self._db.execute(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
            (ref, key, draft.supplier_id, draft.site_id, draft.currency, today.isoformat()),
        )
        for number, line in enumerate(draft.lines, start=1):
            self._insert_line(ref, f"{ref}/{number}", line, draft, today)
        self._note(key, ActionKind.PLACE.value, ref)
        return self.get_status(ref)

    def _insert_line(self, ref: str, order_id: str, line: DraftLine, draft: OrderDraft, today: date) -> None:
        samples = self._samples(line.item_id, draft.supplier_id, line.offer_id)
        (earlier,) = self._db.execute(
            "SELECT count(*) FROM lines JOIN orders USING (erp_ref)"
            " WHERE item_id = ? AND supplier_id = ? AND ordered_on = ?",
            (line.item_id, draft.supplier_id, today.isoformat()),
        ).fetchone()
        chance = draw(self._seed, "lead", line.item_id, draft.supplier_id, line.offer_id, today, earlier)
        days = int(chance.choice(samples))
        self._db.execute(
            "INSERT INTO lines (order_id, erp_ref, line_id, item_id, quantity, open, unit_price, due_on, quoted_days,"
            " arrives_on, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'draft')",
            (
                order_id,
                ref,
                line.line_id,
                line.item_id,
                line.quantity,
                line.quantity,
                line.unit_price,
                line.due_date.isoformat(),
                samples[len(samples) // 2],
                (today + timedelta(days=max(1, days))).isoformat(),
            ),
        )

    def _note(self, key: str, kind: str, ref: str) -> None:
        self._db.execute("INSERT INTO actions VALUES (?, ?, ?, ?)", (key, kind, ref, self.today.isoformat()))

    def confirm(self, erp_ref: str, key: str) -> ErpOrder:
        """Release a draft to its supplier, who confirms at once or some days later."""
        with self._lock, writing(self._db, self._supply):
            found = self.find_by_key(key)
            if found is not None:
                return found
            order = self.get_status(erp_ref)
            if order.status is not OpenOrderStatus.DRAFT:
                raise Permanent(
                    f"Order {erp_ref} is {order.status}, not a draft.", remedy="Read its state.", erp_ref=erp_ref
                )
            today = self.today
            answers = today + timedelta(days=confirmation_delay(self._seed, erp_ref, today))
            self._db.execute("UPDATE lines SET status = 'sent' WHERE erp_ref = ? AND status = 'draft'", (erp_ref,))
            self._db.execute("UPDATE orders SET confirms_on = ? WHERE erp_ref = ?", (answers.isoformat(), erp_ref))
            confirm_due(self._db, today)
            self._note(key, "confirm", erp_ref)
            return self.get_status(erp_ref)

    def amend(self, action: OrderAction) -> ErpOrder:
        """Change quantity or date of an open line, or put what is open on hold."""
        return self._change(action)

    def cancel(self, action: OrderAction) -> ErpOrder:
        """Cancel what is still open."""
        return self._change(action)

    def expedite(self, action: OrderAction) -> ErpOrder:
        """Halve the days that what is open still takes."""
        return self._change(action)

    def _change(self, action: OrderAction) -> ErpOrder:
        """Change the open lines of an order, or one line of it, once per key."""
        with self._lock, writing(self._db, self._supply):
            found = self.find_by_key(action.key)
            if found is not None:
                return found
            ref = change_lines(self._db, action, self.today)
            self._note(action.key, action.kind.value, ref)
            return self.get_status(ref)

    def find_by_key(self, key: str) -> ErpOrder | None:
        """The order that the action with this idempotency key placed or changed."""
        with self._lock:
            row = self._db.execute("SELECT erp_ref FROM actions WHERE idempotency_key = ?", (key,)).fetchone()
            return self.get_status(row["erp_ref"]) if row else None

    def get_status(self, erp_ref: str) -> ErpOrder:
        """State of an order. Permanent when there is none."""
        with self._lock:
            order = self._db.execute("SELECT * FROM orders WHERE erp_ref = ?", (erp_ref,)).fetchone()
            rows = self._db.execute("SELECT * FROM lines WHERE erp_ref = ? ORDER BY number", (erp_ref,)).fetchall()
        if order is None:
            raise Permanent(f"There is no order {erp_ref}.", remedy="Look it up by its key.", erp_ref=erp_ref)
        lines = tuple(
            ErpLine(
                order_id=row["order_id"],
                line_id=row["line_id"],
                item_id=row["item_id"],
                quantity=row["quantity"],
                open_quantity=row["open"],
                promised_date=_day(row["promised_on"]),
                status=OpenOrderStatus(row["status"]),
            )
            for row in rows
        )
        return ErpOrder(
            erp_ref=erp_ref,
            key=order["idempotency_key"],
            status=_status_of([line.status for line in lines]),
            confirmed_at=_day(order["confirmed_on"]),
            lines=lines,
        )

    def iter_receipts(self, since: date | None) -> Iterable[Receipt]:
        """Goods received after a day, oldest first. A day's receipts are complete once the clock is there."""
        rows = self._read(
            "SELECT order_id, item_id, supplier_id, site_id, quantity, order_date, promised_date, receipt_date"
            " FROM receipts WHERE receipt_date > ? ORDER BY number",
            since.isoformat() if since else "",
        )
        return [Receipt.model_validate(dict(row)) for row in rows]

    def iter_open_orders(self) -> Iterable[PurchaseOrder]:
        """Open lines with what is still to arrive."""
        rows = self._read(
            "SELECT order_id, item_id, supplier_id, site_id, open AS quantity, ordered_on AS order_date,"
            " promised_on AS promised_date, status FROM lines JOIN orders USING (erp_ref)"
            " WHERE open > 0 ORDER BY number"
        )
        return [PurchaseOrder.model_validate(dict(row)) for row in rows]

    def iter_stock(self) -> Iterable[tuple[str, str, float]]:
        """Item, site and units on hand."""
        rows = self._read("SELECT item_id, site_id, on_hand FROM stock ORDER BY item_id, site_id")
        return [(row["item_id"], row["site_id"], row["on_hand"]) for row in rows]

    def iter_demand(self, since: date | None) -> Iterable[tuple[str, str, date, float]]:
        """Item, site, day and units demanded, served or not, after a day; oldest first."""
        rows = self._read(
            "SELECT item_id, site_id, day, quantity FROM demand WHERE day > ? ORDER BY day, item_id, site_id",
            since.isoformat() if since else "",
        )
        return [(row["item_id"], row["site_id"], date.fromisoformat(row["day"]), row["quantity"]) for row in rows]

    def iter_master(self, kind: MasterKind, since: date | None) -> Iterable[Record]:
        """Master records that changed after a day; all without one."""
        rows = self._read(
            "SELECT payload FROM master WHERE kind = ? AND changed_on > ? ORDER BY id",
            kind.value,
            since.isoformat() if since else "",
        )
        return [RECORDS[kind].model_validate_json(row["payload"]) for row in rows]

    def health(self) -> dict[str, Any]:
        """It answers; its clock and how many orders it holds."""
        (row,) = self._read("SELECT count(*) AS orders FROM orders")
        return {"ok": True, "clock": self.today.isoformat(), "orders": row["orders"]}

    def _read(self, query: str, *values: str) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _status_of(lines: Sequence[OpenOrderStatus]) -> OpenOrderStatus:
    """An order stands where the least finished of its lines stands; cancelled lines do not count beside others."""
    kept = [status for status in lines if status is not OpenOrderStatus.CANCELLED]
    if not kept:
        return OpenOrderStatus.CANCELLED
    if OpenOrderStatus.ON_HOLD in kept:
        return OpenOrderStatus.ON_HOLD
    if OpenOrderStatus.RECEIVED in kept and len(set(kept)) > 1:
        return OpenOrderStatus.PARTIAL
    return OpenOrderStatus.PARTIAL if OpenOrderStatus.PARTIAL in kept else kept[0]
