"""The outbox: ERP actions that were decided here and are still to be done there, each under its own key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text

from store.database import Database, to_json
from tools.domain.errors import NotFound


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


class Outbox(Database):
    """Actions in the order they were queued. Every commit is durable when it returns."""

    def enqueue(self, row: OutboxRow) -> bool:
        """Queue an action; False when its key is known already, and then nothing changes."""
        now = self._now()
        queued = self._change(
            "INSERT INTO outbox (action_key, run_id, order_key, kind, payload, approval_id, status, attempts, due_at,"
            " leased_until, created_at, updated_at) VALUES (:key, :run_id, :order_key, :kind, :payload, :approval_id,"
            " 'queued', 0, 0, 0, :now, :now) ON CONFLICT DO NOTHING",
            {
                "key": row.action_key,
                "run_id": row.run_id,
                "order_key": row.order_key,
                "kind": row.kind,
                "payload": to_json(row.payload),
                "approval_id": row.approval_id,
                "now": now,
            },
        )
        return queued == 1

    def lease(self, limit: int = 10, seconds: float = 60.0) -> list[OutboxRow]:
        """Take due actions for `seconds`, oldest first; an expired lease counts as due again."""
        now = self._epoch()
        query = self._lock_rows(
            "SELECT id FROM outbox WHERE (status = 'queued' AND due_at <= :now)"
            " OR (status = 'leased' AND leased_until < :now) ORDER BY id LIMIT :limit"
        )
        take = text(
            "UPDATE outbox SET status = 'leased', leased_until = :until, attempts = attempts + 1, updated_at = :at"
            " WHERE id = :id RETURNING *"
        )
        until = {"until": now + seconds, "at": self._now()}
        with self._write() as connection:
            due = connection.execute(text(query), {"now": now, "limit": limit}).scalars().all()
            return [_action(connection.execute(take, {**until, "id": row_id}).one()) for row_id in due]

    def complete(self, action_key: str, erp_ref: str, response: Mapping[str, Any]) -> None:
        """Note that the ERP did it, under its own reference."""
        self._settle(action_key, status="done", erp_ref=erp_ref, response=to_json(response))

    def retry_later(self, action_key: str, error: str, delay: float) -> None:
        """Queue it again, due in `delay` seconds."""
        self._settle(action_key, status="queued", error=error, due_at=self._epoch() + delay)

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

    def fail(self, action_key: str, error: str) -> None:
        """Give it up to a person."""
        self._settle(action_key, status="failed", error=error)

    def _settle(
        self,
        action_key: str,
        *,
        status: str,
        erp_ref: str | None = None,
        response: str | None = None,
        error: str | None = None,
        due_at: float = 0.0,
    ) -> None:
        changed = self._change(
            "UPDATE outbox SET status = :status, erp_ref = COALESCE(:erp_ref, erp_ref), response = :response,"
            " error = :error, due_at = :due_at, leased_until = 0, updated_at = :at WHERE action_key = :key",
            {
                "key": action_key,
                "status": status,
                "erp_ref": erp_ref,
                "response": response,
                "error": error,
                "due_at": due_at,
                "at": self._now(),
            },
        )
        if not changed:
            raise NotFound(f"The outbox has no action {action_key}.", remedy="Queue it first.", action_key=action_key)

    def outbox(self, run_id: str | None = None, status: str | None = None) -> list[OutboxRow]:
        """Actions in queue order, of one run or status when given."""
        query = text(
            "SELECT * FROM outbox WHERE (CAST(:run_id AS TEXT) IS NULL OR run_id = :run_id)"
            " AND (CAST(:status AS TEXT) IS NULL OR status = :status) ORDER BY id"
        )
        with self._read() as connection:
            return [_action(row) for row in connection.execute(query, {"run_id": run_id, "status": status})]


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
