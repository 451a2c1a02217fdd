"""The outbox: ERP actions that were decided here and are still to be done there, each under its own key."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, String, bindparam, text

from store.database import Database, to_json
from store.ledger.order_book import OrderBook
from tools.domain.errors import NotFound
from tools.domain.orders import Order, OrderStatus

DUE = ("queued", "leased")
"""Statuses of actions that are still to be done."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One ERP action. `status`: queued, leased, done or failed.

    `attempts` counts leases: above one, an earlier attempt may have reached the ERP, so look it up by
    `action_key` before sending it again.
    """

    action_key: str
    run_id: str
    order_key: str
    kind: str
    payload: Mapping[str, Any]
    approval_id: str | None = None
    status: str = "queued"
    attempts: int = 0
    erp_ref: str | None = None
    response: Mapping[str, Any] | None = None
    error: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class QueuedActions(Database):
    """Actions in the order they were queued; what becomes of one moves its order on in the same transaction."""

    def enqueue(self, row: OutboxRow) -> bool:
        """Queue an action; False when its key is known already, and then nothing changes."""
        with self._write() as connection:
            return insert_action(connection, row, self._now())

    def lease(self, limit: int = 10, seconds: float = 60.0) -> list[OutboxRow]:
        """Take due actions for `seconds`, oldest first; an expired lease counts as due again.

        Their orders are being sent from now on. One that was being sent already may stand in the ERP: in doubt.
        """
        now = self._epoch()
        due = (
            "SELECT id FROM outbox WHERE (status = 'queued' AND due_at <= :now)"
            " OR (status = 'leased' AND leased_until < :now) ORDER BY id LIMIT :limit"
        )
        wanted = {"now": now, "limit": limit}
        with self._read() as connection:
            if connection.execute(text(due), wanted).first() is None:
                return []
        take = text(
            "UPDATE outbox SET status = 'leased', leased_until = :until, attempts = attempts + 1, updated_at = :at"
            " WHERE id = :id RETURNING *"
        )
        until = {"until": now + seconds, "at": self._now()}
        with self._write() as connection:
            book = OrderBook(connection, self._now())
            ids = connection.execute(text(self._lock_rows(due)), wanted).scalars().all()
            rows = [_action(connection.execute(take, {**until, "id": row_id}).one()) for row_id in ids]
            for row in rows:
                _being_sent(row, book)
            return rows

    def complete(self, action_key: str, erp_ref: str, response: Mapping[str, Any]) -> None:
        """Note that the ERP did it, under its own reference."""
        with self._settling(action_key) as (row, book):
            _settle(row, book, status="done", erp_ref=erp_ref, response=to_json(response))
            _done(row, erp_ref, response, book)

    def retry_later(
        self, action_key: str, error: str, delay: float, *, may_stand: bool | None = False, attempt: int | None = None
    ) -> None:
        """Queue it again, due in `delay` seconds. `may_stand`: whether the ERP may have done it, None for unknown.

        An attempt that another has taken over changes nothing: only the later one can tell.
        """
        with self._settling(action_key) as (row, book):
            if _taken_over(row, attempt):
                return
            _settle(row, book, status="queued", error=error, due_at=self._epoch() + delay)
            _not_done(row, OrderStatus.APPROVED, error, may_stand, book)

    def fail(self, action_key: str, error: str, *, may_stand: bool | None = False, attempt: int | None = None) -> None:
        """Give it up to a person. An order that may stand in the ERP stays in doubt, and on order."""
        with self._settling(action_key) as (row, book):
            if _taken_over(row, attempt):
                return
            _settle(row, book, status="failed", error=error)
            _not_done(row, OrderStatus.FAILED, error, may_stand, book)

    def give_back(self, action_key: str) -> None:
        """End the lease of an action that was not settled: it is due at once."""
        self._change(
            "UPDATE outbox SET leased_until = 0 WHERE action_key = :key AND status = 'leased'", {"key": action_key}
        )

    def overdue_actions(self) -> int:
        """How many were put off until now, or leased by somebody who did not settle them."""
        query = text(
            "SELECT COUNT(*) FROM outbox WHERE (status = 'queued' AND due_at > 0 AND due_at <= :now)"
            " OR (status = 'leased' AND leased_until < :now)"
        )
        with self._read() as connection:
            return int(connection.execute(query, {"now": self._epoch()}).scalar_one())

    @contextmanager
    def _settling(self, action_key: str) -> Generator[tuple[OutboxRow, OrderBook]]:
        """The action within a transaction on the ledger. NotFound when there is none of this key."""
        with self._write() as connection:
            book = OrderBook(connection, self._now())
            query = text("SELECT * FROM outbox WHERE action_key = :key")
            row = connection.execute(query, {"key": action_key}).first()
            if row is None:
                raise NotFound(
                    f"The outbox has no action {action_key}.", remedy="Queue it first.", action_key=action_key
                )
            yield _action(row), book

    def actions_for(self, order_keys: Iterable[str]) -> dict[str, list[OutboxRow]]:
        """Actions in queue order by the key of their order, in one query."""
        query = text("SELECT * FROM outbox WHERE order_key IN :keys ORDER BY id").bindparams(
            bindparam("keys", expanding=True, type_=String())
        )
        found = dict[str, list[OutboxRow]]()
        with self._read() as connection:
            for row in connection.execute(query, {"keys": sorted(set(order_keys))}):
                found.setdefault(row.order_key, []).append(_action(row))
        return found

    def own_references(self, erp_refs: Iterable[str]) -> set[str]:
        """Those of the ERP's references that are of our actions or orders, in one query."""
        query = text(
            "SELECT erp_ref FROM outbox WHERE erp_ref IN :refs UNION SELECT erp_ref FROM orders WHERE erp_ref IN :refs"
        ).bindparams(bindparam("refs", expanding=True, type_=String()))
        with self._read() as connection:
            return set(connection.execute(query, {"refs": sorted(set(erp_refs))}).scalars())

    def sent_count(self, run_ids: Sequence[str]) -> dict[str, int]:
        """How many actions the ERP has carried out of each of these runs, in one query."""
        query = text(
            "SELECT run_id, COUNT(*) AS sent FROM outbox WHERE status = 'done' AND run_id IN :run_ids GROUP BY run_id"
        ).bindparams(bindparam("run_ids", expanding=True, type_=String()))
        with self._read() as connection:
            rows = connection.execute(query, {"run_ids": list(run_ids)})
            return {row.run_id: int(row.sent) for row in rows}

    def outbox_counts(self) -> dict[str, int]:
        """How many actions stand in each status."""
        with self._read() as connection:
            rows = connection.execute(text("SELECT status, COUNT(*) AS found FROM outbox GROUP BY status"))
            return {row.status: int(row.found) for row in rows}

    def outbox(self, run_id: str | None = None, status: str | None = None) -> list[OutboxRow]:
        """Actions in queue order, of one run or status when given."""
        query = text(
            "SELECT * FROM outbox WHERE (CAST(:run_id AS TEXT) IS NULL OR run_id = :run_id)"
            " AND (CAST(:status AS TEXT) IS NULL OR status = :status) ORDER BY id"
        )
        with self._read() as connection:
            return [_action(row) for row in connection.execute(query, {"run_id": run_id, "status": status})]


def insert_action(connection: Connection, row: OutboxRow, at: str) -> bool:
    """Queue an action; False when its key is known already, and then nothing changes."""
    insert = text(
        "INSERT INTO outbox (action_key, run_id, order_key, kind, payload, approval_id, status, attempts, due_at,"
        " leased_until, created_at, updated_at) VALUES (:key, :run_id, :order_key, :kind, :payload, :approval_id,"
        " 'queued', 0, 0, 0, :now, :now) ON CONFLICT DO NOTHING"
    )
    values = {
        "key": row.action_key,
        "run_id": row.run_id,
        "order_key": row.order_key,
        "kind": row.kind,
        "payload": to_json(row.payload),
        "approval_id": row.approval_id,
        "now": at,
    }
    return connection.execute(insert, values).rowcount == 1


def actions_of_order(connection: Connection, order_key: str) -> list[OutboxRow]:
    """Actions of an order in queue order."""
    query = text("SELECT * FROM outbox WHERE order_key = :key ORDER BY id")
    return [_action(row) for row in connection.execute(query, {"key": order_key})]


def give_up_action(connection: Connection, action_key: str, error: str, at: str) -> None:
    """Drop an action that has not left."""
    drop = text("UPDATE outbox SET status = 'failed', error = :error, updated_at = :at WHERE action_key = :key")
    connection.execute(drop, {"key": action_key, "error": error, "at": at})


def _settle(
    row: OutboxRow,
    book: OrderBook,
    *,
    status: str,
    erp_ref: str | None = None,
    response: str | None = None,
    error: str | None = None,
    due_at: float = 0.0,
) -> None:
    """Store what became of an action; what the ERP has done stays done, whoever else was still sending it."""
    update = text(
        "UPDATE outbox SET status = :status, erp_ref = COALESCE(:erp_ref, erp_ref), response = :response,"
        " error = :error, due_at = :due_at, leased_until = 0, updated_at = :at"
        " WHERE action_key = :key AND (status <> 'done' OR CAST(:status AS TEXT) = 'done')"
    )
    values = {
        "key": row.action_key,
        "status": status,
        "erp_ref": erp_ref,
        "response": response,
        "error": error,
        "due_at": due_at,
        "at": book.at,
    }
    book.connection.execute(update, values)


def _taken_over(row: OutboxRow, attempt: int | None) -> bool:
    return attempt is not None and row.attempts > attempt


def _being_sent(row: OutboxRow, book: OrderBook) -> None:
    order = book.order(row.order_key)
    if order is not None and order.status is OrderStatus.SENDING and row.attempts > 1:
        book.move_if_allowed(order, OrderStatus.IN_DOUBT, "outbox", "an earlier attempt was cut off")
    elif order is not None and order.status is OrderStatus.APPROVED:
        book.move(order, order.moved(OrderStatus.SENDING), "outbox")


def _done(row: OutboxRow, erp_ref: str, response: Mapping[str, Any], book: OrderBook) -> None:
    """An order stands in the ERP once its last action is done; one that was taken back is cancelled there."""
    order = book.order(row.order_key)
    if order is None:
        return
    if _takes_back(row, order):
        book.move(order, order.moved(OrderStatus.CANCELLED), "outbox")
        return
    left = [action for action in actions_of_order(book.connection, row.order_key) if action.status in DUE]
    placed = row.kind == "place" or bool(order.erp_ref)
    reached = OrderStatus.CONFIRMED if response.get("status") == "confirmed" else OrderStatus.PLACED
    status = OrderStatus.APPROVED if left else reached if placed else OrderStatus.CHANGE_SENT
    book.move_if_allowed(order, status, "outbox", erp_ref=erp_ref if row.kind == "place" else order.erp_ref)


def _takes_back(row: OutboxRow, order: Order) -> bool:
    """Whether an action cancels an order of ours that a person took back."""
    return row.kind == "cancel" and order.places and order.status is OrderStatus.CHANGE_SENT


def _not_done(row: OutboxRow, status: OrderStatus, error: str, may_stand: bool | None, book: OrderBook) -> None:
    """An order that surely does not stand in the ERP waits again or has failed; else it is in doubt."""
    order = book.order(row.order_key)
    if order is None or row.status == "done":
        return
    if _takes_back(row, order):
        if status is OrderStatus.FAILED:
            actions = actions_of_order(book.connection, order.order_key)
            answered = any(action.kind == "place" and action.status == "done" for action in actions)
            stands = OrderStatus.PLACED if answered else OrderStatus.IN_DOUBT
            book.move(order, order.moved(stands, reason=error), "outbox", error)
    elif may_stand:
        book.move_if_allowed(order, OrderStatus.IN_DOUBT, "outbox", error)
    elif order.status is OrderStatus.SENDING or may_stand is False:
        book.move_if_allowed(order, status, "outbox", error)


def _action(row: Row[Any]) -> OutboxRow:
    return OutboxRow(
        action_key=row.action_key,
        run_id=row.run_id,
        order_key=row.order_key,
        kind=row.kind,
        payload=orjson.loads(row.payload),
        approval_id=row.approval_id,
        status=row.status,
        attempts=row.attempts,
        erp_ref=row.erp_ref,
        response=orjson.loads(row.response) if row.response else None,
        error=row.error,
        created_at=datetime.fromisoformat(row.created_at),
        updated_at=datetime.fromisoformat(row.updated_at),
    )
