"""The operations database's own mark: whose home it is of, and how far the other databases were."""

from sqlalchemy import inspect, text

from store.audit.belonging import OperationsMark
from store.database import Database

HISTORY = (
    "SELECT EXISTS (SELECT 1 FROM runs) OR EXISTS (SELECT 1 FROM journal_heads)"
    " OR EXISTS (SELECT 1 FROM journal_staging) OR EXISTS (SELECT 1 FROM approvals) AS filled,"
    " EXISTS (SELECT 1 FROM outbox WHERE status = 'done') AS acted"
)
"""Whether anything has ever happened, and whether any of it reached the ERP."""


class HomeMark(Database):
    """Reads the mark even before a migration, and sets it."""

    def home_mark(self) -> OperationsMark:
        """What is known of the home; of a database from before there was a mark only whether it is blank."""
        with self._read() as connection:
            tables = set(inspect(connection).get_table_names())
            if "runs" not in tables:
                return OperationsMark()
            filled, acted = connection.execute(text(HISTORY)).one()
            if "home" not in tables:
                return OperationsMark(blank=not filled, acted=bool(acted))
            home = connection.execute(text("SELECT id, founded FROM home")).one()
            counted = {row.name: int(row.value) for row in connection.execute(text("SELECT name, value FROM counters"))}
        return OperationsMark(
            home_id=home.id,
            founded=bool(home.founded),
            blank=not filled,
            acted=bool(acted),
            handed_over=counted["handed_over"],
            projected=counted["projected"],
            supply=counted["supply"],
            erp_changes=counted["erp_changes"],
        )

    def applied(self) -> list[str]:
        """Names of the migrations that this database had."""
        with self._read() as connection:
            return list(connection.execute(text("SELECT name FROM migrations ORDER BY name")).scalars())

    def held(self) -> dict[str, int]:
        """How many runs, orders and waiting approvals there are."""
        query = text(
            "SELECT (SELECT COUNT(*) FROM runs) AS runs, (SELECT COUNT(*) FROM orders) AS orders,"
            " (SELECT COUNT(*) FROM approvals WHERE status = 'pending') AS waiting_approvals"
        )
        with self._read() as connection:
            row = connection.execute(query).one()
        return {"runs": row.runs, "orders": row.orders, "waiting_approvals": row.waiting_approvals}

    def set_home(self, home_id: str, *, founded: bool) -> None:
        """Store whose home this is, and whether every database of it has the id."""
        self._change("UPDATE home SET id = :id, founded = :founded", {"id": home_id, "founded": int(founded)})

    def note_erp_changes(self, changes: int, *, read: int = 0) -> None:
        """The sandbox ERP was written that often by now, and that often when a dataset was last read from it."""
        self._raise_counters(erp_changes=changes, erp_read=read)

    def erp_read(self) -> int:
        """How often the sandbox ERP had been written when a dataset was last read from it."""
        with self._read() as connection:
            return int(connection.execute(text("SELECT value FROM counters WHERE name = 'erp_read'")).scalar_one())

    def hand_over(self, row_id: int) -> None:
        """Up to this journal row the warehouse is about to be given all: on disk before the warehouse has them."""
        self._raise_counters(handed_over=row_id)

    def start_counting_at(self, mark: OperationsMark) -> None:
        """For a database that was started afresh beside older ones: no counter begins below what they count."""
        self._raise_counters(
            handed_over=mark.handed_over,
            projected=mark.projected,
            supply=mark.supply,
            erp_changes=mark.erp_changes,
        )
        self._change("UPDATE counters SET value = :supply WHERE name = 'on_order'", {"supply": mark.supply})
        with self._write() as connection:
            if not self.is_sqlite:
                sequence = "SELECT setval(pg_get_serial_sequence('journal_staging', 'id'), GREATEST(1, :last))"
                connection.execute(text(sequence), {"last": mark.handed_over})
                return
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = 'journal_staging'"))
            insert = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('journal_staging', :last)")
            connection.execute(insert, {"last": mark.handed_over})

    def _raise_counters(self, **values: int) -> None:
        with self._write() as connection:
            for name, value in values.items():
                raise_to = text("UPDATE counters SET value = :value WHERE name = :name AND value < :value")
                connection.execute(raise_to, {"name": name, "value": value})
