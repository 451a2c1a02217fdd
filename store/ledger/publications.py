"""Published plans: which run decided which items, and which of them decides each item now."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import String, bindparam, text

from store.database import Database, to_json
from store.ledger.order_book import OrderBook


@dataclass(frozen=True, slots=True)
class Publication:
    """A published plan: its run, the items that it decided, and its place among all changes of supply."""

    run_id: str
    seq: int
    item_ids: Sequence[str]


class Publications(Database):
    """Published plans, in the order of the ledger's counter."""

    def publications(self, *run_ids: str) -> list[Publication]:
        """The published plans of these runs, latest first, in one query."""
        query = text("SELECT run_id, seq, item_ids FROM publications WHERE run_id IN :run_ids ORDER BY seq DESC")
        named = query.bindparams(bindparam("run_ids", expanding=True, type_=String()))
        with self._read() as connection:
            rows = connection.execute(named, {"run_ids": list(run_ids)})
            return [Publication(row.run_id, row.seq, orjson.loads(row.item_ids)) for row in rows]

    def publications_until(self, run_id: str, limit: int) -> list[Publication]:
        """A run's publication and those before it that decided anything, latest first; none for no plan."""
        query = text(
            "SELECT run_id, seq, item_ids FROM publications WHERE (decides = 1 OR run_id = :run_id)"
            " AND seq <= (SELECT seq FROM publications WHERE run_id = :run_id) ORDER BY seq DESC LIMIT :limit"
        )
        with self._read() as connection:
            rows = connection.execute(query, {"run_id": run_id, "limit": limit})
            return [Publication(row.run_id, row.seq, orjson.loads(row.item_ids)) for row in rows]

    def deciding_runs(self) -> dict[str, str]:
        """Item to the run whose published plan decides it, the latest decided first; plans only shown decide none."""
        query = text("SELECT item_id, run_id FROM planned_items ORDER BY seq DESC, item_id")
        with self._read() as connection:
            rows = connection.execute(query)
            return {row.item_id: row.run_id for row in rows}

    def deciding_run(self, item_id: str) -> str | None:
        """The run whose published plan decides an item; None when none does."""
        query = text("SELECT run_id FROM planned_items WHERE item_id = :item_id")
        with self._read() as connection:
            return connection.execute(query, {"item_id": item_id}).scalar()

    def run_of_line(self, line_id: str) -> str | None:
        """The run that decides the item of a line and orders it in that line; None when none does."""
        query = text(
            "SELECT orders.run_id FROM order_lines JOIN orders USING (order_key) JOIN planned_items"
            " ON planned_items.item_id = order_lines.item_id AND planned_items.run_id = orders.run_id"
            " WHERE order_lines.line_id = :line_id ORDER BY planned_items.seq DESC"
        )
        with self._read() as connection:
            return connection.execute(query, {"line_id": line_id}).scalar()


def note_publication(book: OrderBook, run_id: str, item_ids: Sequence[str], *, decides: bool) -> None:
    """Store that a run published its plan; from now on it decides its items, unless it is only shown."""
    insert = text("INSERT INTO publications (run_id, seq, item_ids, decides) VALUES (:run_id, :seq, :items, :decides)")
    values = {"run_id": run_id, "seq": book.seq, "items": to_json(list(item_ids)), "decides": int(decides)}
    book.connection.execute(insert, values)
    upsert = text(
        "INSERT INTO planned_items (item_id, run_id, seq) VALUES (:item_id, :run_id, :seq)"
        " ON CONFLICT (item_id) DO UPDATE SET run_id = excluded.run_id, seq = excluded.seq"
    )
    rows = [{"item_id": item_id, "run_id": run_id, "seq": book.seq} for item_id in sorted(set(item_ids))]
    if rows and decides:
        book.connection.execute(upsert, rows)
