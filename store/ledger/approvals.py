"""Approvals: what waits for a person, bound to a content hash, and decided once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, String, bindparam, text

from store.database import Database, to_json
from store.packing import order_in, unpacked
from tools.domain.errors import Conflict, NotFound
from tools.domain.orders import Order

MOST_NAMED = 1_000
"""Approvals named in one query."""


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """One order that waits for, or got, a decision. `status`: pending, approved, edited, rejected or void."""

    approval_id: str
    run_id: str
    interrupt_id: str
    order_key: str
    content_hash: str
    tier: str
    proposed_by: Sequence[str]
    order: Order
    """The order as it was shown to whoever decides."""
    opened_at: datetime
    status: str = "pending"
    decision: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str = ""
    edits: Mapping[str, Any] | None = None
    applied: bool = False
    """Whether the run has consumed the decision."""


@dataclass(frozen=True, slots=True)
class PendingText:
    """What waits, as it is stored: of an approval its signers, and its order as JSON."""

    tier: str
    proposed_by: tuple[str, ...]
    order: str | bytes


class ApprovalBook(Database):
    """Approvals by id, by run and by status."""

    def approval(self, approval_id: str) -> ApprovalRow:
        """One approval. NotFound when there is none of this id."""
        with self._read() as connection:
            return select_approval(connection, approval_id)

    def approvals(self, status: str | None = None, run_id: str | None = None) -> list[ApprovalRow]:
        """Oldest first, of one status or run when given."""
        query = text(
            "SELECT * FROM approvals WHERE (CAST(:status AS TEXT) IS NULL OR status = :status)"
            " AND (CAST(:run_id AS TEXT) IS NULL OR run_id = :run_id) ORDER BY opened_at, order_key, approval_id"
        )
        with self._read() as connection:
            found = connection.execute(query, {"status": status, "run_id": run_id})
            return [_approval(row) for row in found]

    def pending_ids(self) -> list[str]:
        """Ids of what waits, oldest first."""
        query = text(
            "SELECT approval_id FROM approvals WHERE status = 'pending' ORDER BY opened_at, order_key, approval_id"
        )
        with self._read() as connection:
            return list(connection.execute(query).scalars())

    def approvals_named(self, approval_ids: Sequence[str]) -> dict[str, ApprovalRow]:
        """These approvals by id, in one query for as many as a query may name."""
        return {row.approval_id: _approval(row) for row in self._named("*", approval_ids)}

    def pending_payloads(self, approval_ids: Sequence[str]) -> dict[str, PendingText]:
        """What was stored of these approvals, by id, without making orders of it."""
        rows = self._named("approval_id, tier, proposed_by, payload", approval_ids)
        return {
            row.approval_id: PendingText(row.tier, tuple(orjson.loads(row.proposed_by)), unpacked(row.payload))
            for row in rows
        }

    def _named(self, columns: str, approval_ids: Sequence[str]) -> Iterator[Row[Any]]:
        query = text(f"SELECT {columns} FROM approvals WHERE approval_id IN :ids")  # noqa: S608 - columns of this class
        query = query.bindparams(bindparam("ids", expanding=True, type_=String()))
        for start in range(0, len(approval_ids), MOST_NAMED):
            with self._read() as connection:
                yield from connection.execute(query, {"ids": list(approval_ids[start : start + MOST_NAMED])})

    def decided_approvals(self, limit: int) -> list[ApprovalRow]:
        """What people decided, latest first; what became void only after that, so that it hides nobody's decision."""
        query = text(
            "SELECT * FROM approvals WHERE status <> 'pending'"
            " ORDER BY CASE WHEN status = 'void' THEN 1 ELSE 0 END, decided_at DESC, opened_at DESC, order_key,"
            " approval_id LIMIT :limit"
        )
        with self._read() as connection:
            return [_approval(row) for row in connection.execute(query, {"limit": limit})]

    def pending_count(self, run_ids: Sequence[str]) -> dict[str, int]:
        """How many approvals wait of each of these runs, in one query."""
        query = text(
            "SELECT run_id, COUNT(*) AS waiting FROM approvals WHERE status = 'pending' AND run_id IN :run_ids"
            " GROUP BY run_id"
        ).bindparams(bindparam("run_ids", expanding=True, type_=String()))
        with self._read() as connection:
            rows = connection.execute(query, {"run_ids": list(run_ids)})
            return {row.run_id: int(row.waiting) for row in rows}

    def mark_approval_applied(self, approval_id: str) -> None:
        """Note that the run has consumed the decision."""
        self._change("UPDATE approvals SET applied = 1 WHERE approval_id = :id", {"id": approval_id})

    def undelivered_decisions(self) -> list[ApprovalRow]:
        """Decided or void, but not yet consumed by their run: what a restart has to deliver; oldest first."""
        query = text(
            "SELECT * FROM approvals WHERE applied = 0 AND status <> 'pending' ORDER BY decided_at, approval_id"
        )
        with self._read() as connection:
            return [_approval(row) for row in connection.execute(query)]


def insert_approval(connection: Connection, order: Order, at: str) -> None:
    """Open the approval of an order that waits."""
    insert = text(
        "INSERT INTO approvals (approval_id, run_id, interrupt_id, order_key, content_hash, tier, proposed_by,"
        " payload, opened_at, status, reason, applied) VALUES (:approval_id, :run_id, '', :order_key,"
        " :content_hash, :tier, :proposed_by, :payload, :opened_at, 'pending', '', 0)"
    )
    values = {
        "approval_id": order.route.approval_id,
        "run_id": order.run_id,
        "order_key": order.order_key,
        "content_hash": order.route.content_hash,
        "tier": order.route.tier,
        "proposed_by": to_json(list(order.proposed_by)),
        "payload": order.model_dump_json(),
        "opened_at": at,
    }
    connection.execute(insert, values)


def void_approvals(connection: Connection, approval_ids: Sequence[str], reason: str, at: str) -> None:
    """Make pending approvals void: a newer order replaces them, or what they were bound to changed."""
    void = text(
        "UPDATE approvals SET status = 'void', decided_at = :at, reason = :reason"
        " WHERE approval_id = :id AND status = 'pending'"
    )
    rows = [{"id": approval_id, "at": at, "reason": reason} for approval_id in approval_ids]
    if rows:
        connection.execute(void, rows)


def select_approval(connection: Connection, approval_id: str) -> ApprovalRow:
    """One approval. NotFound when there is none of this id."""
    row = connection.execute(text("SELECT * FROM approvals WHERE approval_id = :id"), {"id": approval_id}).first()
    if row is None:
        remedy = "`jit approvals` lists the ids."
        raise NotFound(f"There is no approval {approval_id}.", remedy=remedy, approval_id=approval_id)
    return _approval(row)


def must_be_pending(row: ApprovalRow, content_hash: str) -> None:
    """Conflict when an approval is already decided or void, or when its content is not what the decider saw."""
    if row.status != "pending":
        by = f" by {row.decided_by}" if row.decided_by else ""
        why = f": {row.reason}" if row.status == "void" and row.reason else ""
        raise Conflict(
            f"Approval {row.approval_id} is already {row.status}{by}{why}.",
            remedy="`jit approvals` shows what still waits.",
            approval_id=row.approval_id,
        )
    if row.content_hash != content_hash:
        raise Conflict(
            f"The order of approval {row.approval_id} changed since you looked at it.",
            remedy="Read it again and decide on its present content.",
            approval_id=row.approval_id,
            content_hash=row.content_hash,
        )


def _approval(row: Row[Any]) -> ApprovalRow:
    return ApprovalRow(
        approval_id=row.approval_id,
        run_id=row.run_id,
        interrupt_id=row.interrupt_id,
        order_key=row.order_key,
        content_hash=row.content_hash,
        tier=row.tier,
        proposed_by=orjson.loads(row.proposed_by),
        order=order_in(row.payload),
        opened_at=datetime.fromisoformat(row.opened_at),
        status=row.status,
        decision=row.decision,
        decided_at=datetime.fromisoformat(row.decided_at) if row.decided_at else None,
        decided_by=row.decided_by,
        reason=row.reason,
        edits=orjson.loads(row.edits) if row.edits else None,
        applied=bool(row.applied),
    )
