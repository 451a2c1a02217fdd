"""Whether anything changed: one cheap look at what every change moves, so that nobody reads everything to find out."""

from sqlalchemy import text

from store.database import Database

LATEST_RUNS = 20
MOVED_BY_CHANGES = (
    "SELECT 'ledger' AS what, CAST(value AS TEXT) AS mark FROM counters WHERE name = 'supply'",
    "SELECT 'journal', CAST(MAX(top) AS TEXT) FROM (SELECT MAX(id) AS top FROM journal_staging"
    " UNION ALL SELECT value FROM counters WHERE name = 'projected') AS tops",
    "SELECT 'messages', CAST(MAX(id) AS TEXT) FROM messages",
    "SELECT 'inbox ' || status, CAST(COUNT(*) AS TEXT) FROM inbox GROUP BY status",
    "SELECT 'flag ' || name, value FROM flags",
    "SELECT run_id, status || COALESCE(ended_at, '') FROM"
    " (SELECT run_id, status, ended_at FROM runs ORDER BY created_at DESC LIMIT :runs) AS latest",
)
"""The ledger's counter goes up in every transaction on orders, approvals and their actions; journal rows get ids in
turn, and those that left for the warehouse are counted as projected."""


class Changes(Database):
    """A mark of what is stored."""

    def change_mark(self) -> tuple[tuple[str, str], ...]:
        """Differs after every change of orders, decisions, runs, messages, alerts, flags and the journal."""
        query = text(" UNION ALL ".join(MOVED_BY_CHANGES[:-1]))
        latest = text(MOVED_BY_CHANGES[-1])
        with self._read() as connection:
            rows = [*connection.execute(query), *connection.execute(latest, {"runs": LATEST_RUNS})]
            return tuple(sorted((str(what), str(mark)) for what, mark in rows))
