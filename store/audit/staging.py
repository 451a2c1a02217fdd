"""Journal rows on their way to the warehouse, and the recorded head of the chain there."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, text

from store.audit.chain import JournalHead
from store.database import Database


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A journal row that the warehouse may not have yet. `body` is the draft as JSON."""

    id: int
    draft_id: str
    run_id: str
    body: str
    staged_at: float
    """Seconds since the epoch."""


class Staging(Database):
    """Rows in the order in which they were staged. Writes go through the fast pool."""

    def stage(self, draft_id: str, run_id: str, body: str) -> None:
        """Store one row with one insert."""
        insert = text(
            "INSERT INTO journal_staging (draft_id, run_id, body, staged_at) VALUES (:draft_id, :run_id, :body, :at)"
        )
        values = {"draft_id": draft_id, "run_id": run_id, "body": body, "at": self._epoch()}
        with self._write(fast=True) as connection:
            connection.execute(insert, values)

    def staged(self, limit: int = 1000, run_id: str | None = None) -> list[StagedRow]:
        """Oldest first."""
        query = text(
            "SELECT id, draft_id, run_id, body, staged_at FROM journal_staging"
            " WHERE (CAST(:run_id AS TEXT) IS NULL OR run_id = :run_id) ORDER BY id LIMIT :limit"
        )
        with self._read() as connection:
            found = connection.execute(query, {"limit": limit, "run_id": run_id})
            return [StagedRow(row.id, row.draft_id, row.run_id, row.body, row.staged_at) for row in found]

    def staged_ids(self) -> set[str]:
        """Ids of every row that is on its way."""
        with self._read() as connection:
            return set(connection.execute(text("SELECT draft_id FROM journal_staging")).scalars())

    def staged_count(self) -> tuple[int, float | None]:
        """(rows that wait, when the oldest of them was staged in seconds since the epoch)."""
        with self._read() as connection:
            query = text("SELECT COUNT(*) AS waiting, MIN(staged_at) AS oldest FROM journal_staging")
            row = connection.execute(query).one()
        return int(row.waiting), row.oldest

    def unstage(self, ids: Sequence[int], head: JournalHead) -> None:
        """Forget the rows that the warehouse now holds, record its head and their number, in one transaction.

        Exactly these ids: on PostgreSQL a lower id may become visible after a higher one.
        """
        forget = text("DELETE FROM journal_staging WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
        record = text(
            "INSERT INTO journal_heads (seq, hash, row_count, recorded_at) VALUES (:seq, :hash, :rows, :at)"
            " ON CONFLICT DO NOTHING"
        )
        project = text("UPDATE counters SET value = :top WHERE name = 'projected' AND value < :top")
        with self._write(fast=True) as connection:
            connection.execute(project, {"top": max(ids, default=0)})
            moved = connection.execute(forget, {"ids": list(ids)}).rowcount if ids else 0
            values = {"seq": head.seq, "hash": head.hash, "rows": moved, "at": self._now()}
            connection.execute(record, values)

    def journal_heads(self) -> list[JournalHead]:
        """Every head recorded so far, oldest first: later projections can not cover up a cut tail."""
        with self._read() as connection:
            found = connection.execute(text("SELECT seq, hash, row_count FROM journal_heads ORDER BY seq, recorded_at"))
            return [JournalHead(row.seq, row.hash, row.row_count) for row in found]
