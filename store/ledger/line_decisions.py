"""What people decided of order lines, line by line: the latest of each holds until something material changes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Row, text

from store.database import Database, to_json
from store.ledger.order_book import OrderBook, select_named
from tools.domain.decisions import HOLDING, LineDecision, LineKey, LineRuling
from tools.domain.orders import OrderStatus

NEVER_CAME = (OrderStatus.FAILED, OrderStatus.WITHDRAWN, OrderStatus.CANCELLED)


class LineDecisions(Database):
    """Read by every run, before it chooses what to propose."""

    def line_decisions(self) -> dict[LineKey, LineDecision]:
        """The rejections and edits that no later decision of their line ended, in one query."""
        query = text(
            "SELECT * FROM line_decisions WHERE id IN (SELECT MAX(id) FROM line_decisions"
            " GROUP BY item_id, site_id, supplier_id, changes, line_id)"
        )
        with self._read() as connection:
            latest = [_decision(row) for row in connection.execute(query)]
        return {made.key: made for made in latest if made.ruling in HOLDING}

    def bought_since(self, decisions: Iterable[LineDecision]) -> Mapping[LineKey, float]:
        """Units of each decision's line that were ordered since it was made and did not come to nothing.

        What another supplier was asked for under the decision counts as well: its line says what was decided before.
        """
        wanted = {made.key: made.seq for made in decisions}
        if not wanted:
            return {}
        query = text("SELECT order_key, left_seq FROM orders WHERE left_seq >= :first")
        with self._read() as connection:
            left = {row.order_key: row.left_seq for row in connection.execute(query, {"first": min(wanted.values())})}
            orders = select_named(connection, "order_key", left)
        found: dict[LineKey, float] = {}
        for order in orders:
            if order.status in NEVER_CAME or not order.places:
                continue
            for line in order.lines:
                own = (line.item_id, order.site_id, order.supplier_id, order.changes, line.line_id)
                others = [key for key in wanted if key[:2] == own[:2] and not key[3]] if line.decided_before else []
                for key in [own] if own in wanted else others:
                    if left[order.order_key] >= wanted[key]:
                        found[key] = found.get(key, 0.0) + line.quantity
        return found

    def decisions_of_approval(self, approval_id: str) -> list[LineDecision]:
        """What was decided of an approval's lines, in order."""
        query = text("SELECT * FROM line_decisions WHERE approval_id = :id ORDER BY id")
        with self._read() as connection:
            return [_decision(row) for row in connection.execute(query, {"id": approval_id})]


def insert_line_decisions(book: OrderBook, decisions: Sequence[LineDecision]) -> None:
    """Remember decisions, as of the ledger's counter."""
    insert = text(
        "INSERT INTO line_decisions (approval_id, order_key, line_id, item_id, site_id, supplier_id, changes, decision,"
        " proposed_units, decided_units, list_price, stockout_bp, alert_ids, actor, reason, decided_at, until, seq)"
        " VALUES (:approval_id, :order_key, :line_id, :item_id, :site_id, :supplier_id, :changes, :decision,"
        " :proposed_units, :decided_units, :list_price, :stockout_bp, :alert_ids, :actor, :reason, :at, :until, :seq)"
    )
    rows = [_values(made, book) for made in decisions]
    if rows:
        book.connection.execute(insert, rows)


def _values(made: LineDecision, book: OrderBook) -> dict[str, Any]:
    return {
        "approval_id": made.approval_id,
        "order_key": made.order_key,
        "line_id": made.line_id,
        "item_id": made.item_id,
        "site_id": made.site_id,
        "supplier_id": made.supplier_id,
        "changes": made.changes,
        "decision": made.ruling.value,
        "proposed_units": made.proposed_units,
        "decided_units": made.decided_units,
        "list_price": made.list_price,
        "stockout_bp": made.stockout_bp,
        "alert_ids": to_json(sorted(made.alert_ids)),
        "actor": made.actor,
        "reason": made.reason,
        "at": book.at,
        "until": made.until.isoformat() if made.until else None,
        "seq": book.seq,
    }


def _decision(row: Row[Any]) -> LineDecision:
    return LineDecision(
        approval_id=row.approval_id,
        order_key=row.order_key,
        line_id=row.line_id,
        item_id=row.item_id,
        site_id=row.site_id,
        supplier_id=row.supplier_id,
        ruling=LineRuling(row.decision),
        proposed_units=row.proposed_units,
        decided_units=row.decided_units,
        list_price=row.list_price,
        stockout_bp=row.stockout_bp,
        actor=row.actor,
        reason=row.reason,
        changes=row.changes,
        alert_ids=frozenset(orjson.loads(row.alert_ids)),
        until=date.fromisoformat(row.until) if row.until else None,
        decided_on=date.fromisoformat(row.decided_at[:10]),
        seq=row.seq,
    )
