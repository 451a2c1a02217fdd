"""What the operations database keeps of runs that are over, how large it is, and giving back what was freed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from store.database import Database, to_text
from store.packing import packed

FAILED_RUNS_KEPT = timedelta(days=7)
"""How long a run that failed keeps its checkpoints, for whoever looks into it."""
LEAST_RECLAIMED_BYTES = 16_000_000
"""Less free space than this is left to the next runs."""


@dataclass(frozen=True, slots=True)
class OperationsSize:
    """Bytes of the operations database and of what fills it."""

    total: int
    free: int
    """Within the total: given back by the next rewrite, or used by the next rows."""
    checkpoints: int
    runs_with_checkpoints: int
    closed_runs: int
    kept: int
    """Approvals and ERP actions of the closed runs."""


_SQLITE_SIZES = {
    "checkpoints": "SELECT (SELECT COALESCE(SUM(LENGTH(checkpoint) + LENGTH(metadata)), 0) FROM checkpoints)"
    " + (SELECT COALESCE(SUM(LENGTH(value)), 0) FROM writes)",
    "total": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "free": "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size",
}
_POSTGRES_SIZES = {
    "checkpoints": "SELECT pg_total_relation_size('checkpoints') + pg_total_relation_size('checkpoint_blobs')"
    " + pg_total_relation_size('checkpoint_writes')",
    "total": "SELECT pg_database_size(current_database())",
    "free": "SELECT 0",
}
_SIZES = {
    "runs_with_checkpoints": "SELECT COUNT(DISTINCT thread_id) FROM checkpoints",
    "closed_runs": "SELECT COUNT(*) FROM runs WHERE status IN ('done', 'stopped')",
    "kept": "SELECT (SELECT COALESCE(SUM(LENGTH(payload)), 0) FROM approvals a"
    " JOIN runs r ON r.run_id = a.run_id WHERE r.status IN ('done', 'stopped'))"
    " + (SELECT COALESCE(SUM(LENGTH(payload) + LENGTH(COALESCE(response, ''))), 0) FROM outbox o"
    " JOIN runs r ON r.run_id = o.run_id WHERE r.status IN ('done', 'stopped'))",
}


class Upkeep(Database):
    """Reads LangGraph's tables, which its saver makes beside ours in the same database."""

    def closed_runs_with_checkpoints(self, limit: int, run_id: str | None = None) -> list[str]:
        """Runs, oldest first, that nothing goes on with any more and whose checkpoints are still stored.

        A run with an approval that waits, or whose decision it has not taken in, is none of them.
        """
        query = text(
            "SELECT r.run_id FROM runs r WHERE (CAST(:run_id AS TEXT) IS NULL OR r.run_id = :run_id)"
            " AND (r.status IN ('done', 'stopped') OR (r.status = 'failed' AND r.ended_at < :failed_before))"
            " AND EXISTS (SELECT 1 FROM checkpoints c WHERE c.thread_id = r.run_id)"
            " AND NOT EXISTS (SELECT 1 FROM approvals a WHERE a.run_id = r.run_id"
            " AND (a.status = 'pending' OR a.applied = 0)) ORDER BY r.created_at, r.run_id LIMIT :limit"
        )
        failed_before = to_text(self._clock() - FAILED_RUNS_KEPT)
        with self._read() as connection:
            found = connection.execute(query, {"run_id": run_id, "failed_before": failed_before, "limit": limit})
            return list(found.scalars())

    def pack_approvals(self, run_id: str) -> None:
        """Compress the orders of a closed run's approvals in SQLite; PostgreSQL compresses long texts by itself."""
        if not self.is_sqlite:
            return
        query = text("SELECT approval_id, payload FROM approvals WHERE run_id = :run_id AND TYPEOF(payload) = 'text'")
        update = text("UPDATE approvals SET payload = :payload WHERE approval_id = :id")
        with self._write() as connection:
            for row in connection.execute(query, {"run_id": run_id}).all():
                connection.execute(update, {"payload": packed(row.payload), "id": row.approval_id})

    def size(self) -> OperationsSize:
        """How large the database is, and what fills it."""
        queries: Mapping[str, str] = _SIZES | (_SQLITE_SIZES if self.is_sqlite else _POSTGRES_SIZES)
        with self._read() as connection:
            return OperationsSize(
                **{name: int(connection.execute(text(sql)).scalar_one()) for name, sql in queries.items()}
            )

    def reclaim(self) -> bool:
        """Rewrite a SQLite file of which most is free; tells whether it did. PostgreSQL's autovacuum sees to its own.

        The rewrite takes as long as what is kept is large. SQLite makes it all or nothing, and others may read
        meanwhile.
        """
        if not self.is_sqlite:
            return False
        with self._read() as connection:
            free, total = (
                int(connection.execute(text(_SQLITE_SIZES[name])).scalar_one()) for name in ("free", "total")
            )
        if free < LEAST_RECLAIMED_BYTES or 2 * free < total:
            return False
        raw = self._engine.raw_connection()
        try:
            raw.cursor().execute("VACUUM")
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            raw.close()
        return True
