"""Rows of the ledger of orders inside one transaction: orders, their history, and the counter of supply."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, Row, String, bindparam, text

from store.packing import order_in, packed
from tools.domain.orders import ALLOWED, UNSENT, ItemSite, Order, OrderStatus

MOST_NAMED = 5_000
"""Values named in one query."""
_S = OrderStatus
TRANSPORT = frozenset({_S.SENDING, _S.IN_DOUBT, _S.PLACED, _S.CONFIRMED, _S.PART_RECEIVED, _S.RECEIVED})
"""Statuses on an order's way, which change nothing of what is on order."""


@dataclass(frozen=True, slots=True)
class Window:
    """From the day of the plan to the latest arrival of what is ordered plus a review."""

    start: date
    end: date


def item_mark(item_id: str) -> str:
    """How an item is found among those of an order's form."""
    return f'"item_id":{orjson.dumps(item_id).decode()}'


def stored_order(row: Row[Any]) -> Order:
    """The order of a row."""
    return order_in(row.body)


def select_orders(connection: Connection, where: str, values: Mapping[str, Any]) -> list[Order]:
    """Orders of a condition, in the order in which they were published."""
    query = text(f"SELECT body FROM orders WHERE {where} ORDER BY seq, order_key")  # noqa: S608 - texts of this package
    return [stored_order(row) for row in connection.execute(query, values)]


def select_named(connection: Connection, column: str, names: Iterable[str]) -> list[Order]:
    """Orders whose column has one of the values."""
    wanted, found = sorted(set(names)), list[Order]()
    query = text(f"SELECT body FROM orders WHERE {column} IN :names ORDER BY seq, order_key")  # noqa: S608
    named = query.bindparams(bindparam("names", expanding=True, type_=String()))
    for start in range(0, len(wanted), MOST_NAMED):
        rows = connection.execute(named, {"names": wanted[start : start + MOST_NAMED]})
        found += [stored_order(row) for row in rows]
    return found


class OrderBook:
    """The ledger within a transaction that holds its counter: of two such transactions one comes after the other."""

    def __init__(self, connection: Connection, at: str) -> None:
        self.connection = connection
        self.at = at
        self.left_at: Mapping[str, str] = {}
        """When orders left that were approved before this transaction, by key."""
        take = text("UPDATE counters SET value = value + 1 WHERE name = 'supply' RETURNING value")
        self.seq = int(connection.execute(take).scalar_one())

    def order(self, order_key: str) -> Order | None:
        """The latest form of an order."""
        return next(iter(select_orders(self.connection, "order_key = :key", {"key": order_key})), None)

    def insert(self, orders: Sequence[Order], actor: str) -> None:
        """Store new orders as they stand."""
        if not orders:
            return
        insert = text(
            "INSERT INTO orders (order_key, run_id, status, supplier_id, site_id, approval_id, erp_ref, value_cents,"
            " left_seq, left_at, seq, body) VALUES (:order_key, :run_id, :status, :supplier_id, :site_id, :approval_id,"
            " :erp_ref, :value_cents, :left_seq, :left_at, :seq, :body)"
        )
        self.connection.execute(insert, [self._values(order) for order in orders])
        self._insert_lines(orders)
        for order in orders:
            self._note(order, "", actor, order.reason, with_body=True)
            self._touch(None, order)

    def move(self, before: Order, after: Order, actor: str, reason: str = "") -> Order:
        """Store an order's next form; its lines anew where they changed."""
        update = text(
            "UPDATE orders SET status = :status, approval_id = :approval_id, erp_ref = :erp_ref,"
            " value_cents = :value_cents, left_seq = COALESCE(left_seq, :left_seq),"
            " left_at = COALESCE(left_at, :left_at), body = :body WHERE order_key = :order_key"
        )
        self.connection.execute(update, self._values(after))
        anew = before.lines != after.lines
        if anew:
            drop = text("DELETE FROM order_lines WHERE order_key = :key")
            self.connection.execute(drop, {"key": after.order_key})
            self._insert_lines([after])
        self._note(after, before.status.value, actor, reason, with_body=anew)
        self._touch(before, after)
        return after

    def note_again(self, order: Order, actor: str, reason: str) -> None:
        """What somebody decided of an order that leaves it as it stands, in its history."""
        self._note(order, order.status.value, actor, reason, with_body=False)

    def move_if_allowed(
        self, before: Order, status: OrderStatus, actor: str, reason: str = "", **more: object
    ) -> Order:
        """The order in that status, and why, where its present one allows it; else as it stands."""
        if status not in ALLOWED[before.status]:
            return before
        return self.move(before, before.moved(status, reason=reason, **more), actor, reason)

    def own(self, run_id: str, needs: Mapping[ItemSite, Window]) -> None:
        """Make a run the owner of these needs, as of now."""
        upsert = text(
            "INSERT INTO needs (item_id, site_id, owner_run, seq, window_from, window_to)"
            " VALUES (:item_id, :site_id, :run_id, :seq, :start, :end) ON CONFLICT (item_id, site_id) DO UPDATE SET"
            " owner_run = excluded.owner_run, seq = excluded.seq, window_from = excluded.window_from,"
            " window_to = excluded.window_to"
        )
        rows = [
            {
                "item_id": item_id,
                "site_id": site_id,
                "run_id": run_id,
                "seq": self.seq,
                "start": window.start.isoformat(),
                "end": window.end.isoformat(),
            }
            for (item_id, site_id), window in sorted(needs.items())
        ]
        if rows:
            self.connection.execute(upsert, rows)

    def bump(self, needs: Iterable[ItemSite]) -> None:
        """Count a change of the supply of these items and sites."""
        upsert = text(
            "INSERT INTO supply (item_id, site_id, version) VALUES (:item_id, :site_id, :seq)"
            " ON CONFLICT (item_id, site_id) DO UPDATE SET version = excluded.version"
        )
        rows = [{"item_id": item_id, "site_id": site_id, "seq": self.seq} for item_id, site_id in sorted(needs)]
        if rows:
            self.connection.execute(upsert, rows)

    def mark_on_order(self) -> None:
        """From now on older datasets do not know what is on order."""
        mark = text("UPDATE counters SET value = :seq WHERE name = 'on_order'")
        self.connection.execute(mark, {"seq": self.seq})

    def _values(self, order: Order) -> dict[str, Any]:
        leaves = order.counts_as_on_order
        return {
            "order_key": order.order_key,
            "run_id": order.run_id,
            "status": order.status.value,
            "supplier_id": order.supplier_id,
            "site_id": order.site_id,
            "approval_id": order.route.approval_id,
            "erp_ref": order.erp_ref,
            "value_cents": order.value_cents,
            "left_seq": self.seq if leaves else None,
            "left_at": self.left_at.get(order.order_key, self.at) if leaves else None,
            "seq": self.seq,
            "body": self._kept(order.model_dump_json()),
        }

    def _kept(self, body: str) -> str | bytes:
        """A form of an order as it is stored; PostgreSQL compresses long texts by itself."""
        return packed(body) if self.connection.dialect.name == "sqlite" else body

    def _insert_lines(self, orders: Sequence[Order]) -> None:
        insert = text(
            "INSERT INTO order_lines (order_key, line_id, item_id, site_id, quantity, unit_price)"
            " VALUES (:order_key, :line_id, :item_id, :site_id, :quantity, :unit_price)"
        )
        rows = [
            {
                "order_key": order.order_key,
                "line_id": line.line_id,
                "item_id": line.item_id,
                "site_id": order.site_id,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
            }
            for order in orders
            for line in order.lines
        ]
        self.connection.execute(insert, rows)

    def _note(self, order: Order, before: str, actor: str, reason: str, *, with_body: bool) -> None:
        insert = text(
            "INSERT INTO order_history (order_key, before, after, actor, reason, at, seq, body, items)"
            " VALUES (:order_key, :before, :after, :actor, :reason, :at, :seq, :body, :items)"
        )
        values = {
            "order_key": order.order_key,
            "before": before,
            "after": order.status.value,
            "actor": actor,
            "reason": reason,
            "at": self.at,
            "seq": self.seq,
            "body": self._kept(order.model_dump_json()) if with_body else None,
            "items": " ".join(map(item_mark, sorted(order.item_ids))) if with_body else None,
        }
        self.connection.execute(insert, values)

    def _touch(self, before: Order | None, after: Order) -> None:
        """Count what a move changes: the state of supply, and whether datasets know what is on order."""
        known = before is not None and before.status in UNSENT
        arrived = known and after.status not in UNSENT
        if after.status in (_S.GATED, _S.RECEIVED) or (after.status is _S.APPROVED and known):
            return
        if after.status not in TRANSPORT:
            needs = after.needs if before is None else before.needs | after.needs
            self._keep_up(after.run_id, needs)
            self.bump(needs)
        if arrived or _on_order(before) != _on_order(after) or after.status is _S.CANCELLED:
            self.mark_on_order()

    def _keep_up(self, run_id: str, needs: Iterable[ItemSite]) -> None:
        """What a run's own orders change leaves its other orders valid, unless something else changed supply before."""
        keep = text(
            "UPDATE needs SET seq = :seq WHERE item_id = :item_id AND site_id = :site_id AND owner_run = :run_id"
            " AND NOT EXISTS (SELECT 1 FROM supply WHERE supply.item_id = needs.item_id"
            " AND supply.site_id = needs.site_id AND supply.version > needs.seq)"
        )
        rows = [
            {"seq": self.seq, "item_id": item_id, "site_id": site_id, "run_id": run_id}
            for item_id, site_id in sorted(needs)
        ]
        self.connection.execute(keep, rows)


def _on_order(order: Order | None) -> bool:
    return order is not None and order.counts_as_on_order
