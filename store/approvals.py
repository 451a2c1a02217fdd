"""Approvals: what waits for a person, bound to a content hash, and decided once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text

from store.database import Database, to_json, to_text
from store.packing import unpacked
from tools.domain.errors import BadInput, Conflict, NotFound

OUTCOME = {"approve": "approved", "edit": "edited", "reject": "rejected"}


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
    payload: Mapping[str, Any]
    opened_at: datetime
    status: str = "pending"
    decision: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str = ""
    edits: Mapping[str, Any] | None = None
    applied: bool = False
    """Whether the run has consumed the decision."""


class ApprovalBook(Database):
    """Approvals by id, by run and by status. Every commit is durable when it returns."""

    def open_approval(self, row: ApprovalRow) -> ApprovalRow:
        """Store an approval; opening it again changes nothing and returns what is stored."""
        insert = text(
            "INSERT INTO approvals (approval_id, run_id, interrupt_id, order_key, content_hash, tier, proposed_by,"
            " payload, opened_at, status, reason, applied) VALUES (:approval_id, :run_id, :interrupt_id, :order_key,"
            " :content_hash, :tier, :proposed_by, :payload, :opened_at, :status, '', 0) ON CONFLICT DO NOTHING"
        )
        values = {
            "approval_id": row.approval_id,
            "run_id": row.run_id,
            "interrupt_id": row.interrupt_id,
            "order_key": row.order_key,
            "content_hash": row.content_hash,
            "tier": row.tier,
            "proposed_by": to_json(list(row.proposed_by)),
            "payload": to_json(row.payload),
            "opened_at": to_text(row.opened_at),
            "status": row.status,
        }
        with self._write() as connection:
            connection.execute(insert, values)
        return self.approval(row.approval_id)

    def approval(self, approval_id: str) -> ApprovalRow:
        """One approval. NotFound when there is none of this id."""
        query = text("SELECT * FROM approvals WHERE approval_id = :id")
        with self._read() as connection:
            row = connection.execute(query, {"id": approval_id}).first()
        if row is None:
            raise _no_approval(approval_id)
        return _approval(row)

    def approvals(self, status: str | None = None, run_id: str | None = None) -> list[ApprovalRow]:
        """Oldest first, of one status or run when given."""
        query = text(
            "SELECT * FROM approvals WHERE (CAST(:status AS TEXT) IS NULL OR status = :status)"
            " AND (CAST(:run_id AS TEXT) IS NULL OR run_id = :run_id) ORDER BY opened_at, approval_id"
        )
        with self._read() as connection:
            found = connection.execute(query, {"status": status, "run_id": run_id})
            return [_approval(row) for row in found]

    def decide_approval(
        self,
        approval_id: str,
        decision: str,
        actor: str,
        reason: str,
        content_hash: str,
        edits: Mapping[str, Any] | None = None,
    ) -> ApprovalRow:
        """Decide a pending approval in one statement, so that of two deciders exactly one succeeds.

        Raises Conflict when it is already decided or void, or when its content hash is not the one the
        decider saw; NotFound for an unknown id; BadInput for a decision that is not approve, edit or reject.
        """
        if decision not in OUTCOME:
            raise BadInput(f"{decision!r} is no decision.", remedy="Use approve, edit or reject.")
        update = text(
            "UPDATE approvals SET status = :status, decision = :decision, decided_by = :actor, decided_at = :at,"
            " reason = :reason, edits = :edits"
            " WHERE approval_id = :id AND status = 'pending' AND content_hash = :hash RETURNING *"
        )
        values = {
            "id": approval_id,
            "status": OUTCOME[decision],
            "decision": decision,
            "actor": actor,
            "at": self._now(),
            "reason": reason,
            "edits": None if edits is None else to_json(edits),
            "hash": content_hash,
        }
        with self._write() as connection:
            decided = connection.execute(update, values).first()
        return _approval(decided) if decided is not None else self._refuse(approval_id)

    def _refuse(self, approval_id: str) -> ApprovalRow:
        stored = self.approval(approval_id)
        if stored.status != "pending":
            by = f" by {stored.decided_by}" if stored.decided_by else ""
            raise Conflict(
                f"Approval {approval_id} is already {stored.status}{by}.",
                remedy="`jit approvals` shows what still waits.",
                approval_id=approval_id,
            )
        raise Conflict(
            f"The order of approval {approval_id} changed since you looked at it.",
            remedy="Read it again and decide on its present content.",
            approval_id=approval_id,
            content_hash=stored.content_hash,
        )

    def supersede_approval(self, approval_id: str, reason: str = "replaced by a newer plan") -> None:
        """Make a pending approval void: a newer order replaces it, or what it was bound to changed."""
        self._change(
            "UPDATE approvals SET status = 'void', decided_at = :at, reason = :reason"
            " WHERE approval_id = :id AND status = 'pending'",
            {"id": approval_id, "at": self._now(), "reason": reason},
        )

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


def _no_approval(approval_id: str) -> NotFound:
    remedy = "`jit approvals` lists the ids."
    return NotFound(f"There is no approval {approval_id}.", remedy=remedy, approval_id=approval_id)


def _approval(row: Row[Any]) -> ApprovalRow:
    return ApprovalRow(
        approval_id=row.approval_id,
        run_id=row.run_id,
        interrupt_id=row.interrupt_id,
        order_key=row.order_key,
        content_hash=row.content_hash,
        tier=row.tier,
        proposed_by=orjson.loads(row.proposed_by),
        payload=orjson.loads(unpacked(row.payload)),
        opened_at=datetime.fromisoformat(row.opened_at),
        status=row.status,
        decision=row.decision,
        decided_at=datetime.fromisoformat(row.decided_at) if row.decided_at else None,
        decided_by=row.decided_by,
        reason=row.reason,
        edits=orjson.loads(row.edits) if row.edits else None,
        applied=bool(row.applied),
    )
