"""The history of decisions: what people and policy decided of orders, page by page, read from what is only added to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from store.database import Database
from store.ledger.order_book import item_mark
from store.ledger.orders import REPLACED
from store.packing import order_in
from tools.domain.orders import PENDING, Order

UPGRADE = "upgrade"
"""Who brought in the orders of an earlier version; their decisions are told by their approvals alone."""
MACHINES = ("outbox", "erp", "session", "policy", UPGRADE)
"""Who moves orders on without deciding anything anew."""


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions are wanted; empty fields want all."""

    item_id: str = ""
    supplier_id: str = ""
    actor: str = ""
    within: str = ""
    """A group whose orders are wanted one by one."""


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision, or several orders that one event decided alike: then `orders` counts them."""

    cursor: str
    """Names the place of the row: decisions before it come next."""
    group: str
    """Names the event, whose orders are read one by one `within` it."""
    before: str
    after: str
    """Statuses of the order before and after the decision, by the ledger."""
    actor: str
    reason: str
    at: datetime
    decision: str
    """What a person pressed: approve, edit or reject; empty for what nobody pressed."""
    approval_id: str
    orders: int
    value_cents: int
    asked: Order
    """The order as it was decided on."""
    became: Order
    """The order as the decision left it."""
    latest: Order
    """The order as it stands now."""


class Decisions(Database):
    """Decisions of the ledger. The history is only added to, so nothing is ever missing from it."""

    def decisions(self, wanted: DecisionFilter, limit: int, before: str = "") -> list[DecisionRow]:
        """A page of decisions, latest first, in one query; `before` is the cursor of the last row of the page before.

        What one event did to several orders alike, a plan that replaced them or policy that let them leave, is one
        row; `wanted.within` names such an event to see its orders.
        """
        number, _, sub = before.partition("/")
        values = {
            "replaced": REPLACED,
            "item": item_mark(wanted.item_id),
            "every_item": int(not wanted.item_id),
            "supplier": wanted.supplier_id,
            "actor": wanted.actor,
            "within": wanted.within,
            "number": int(number) if number.isdigit() else 2**62,
            "sub": sub,
            "limit": limit,
        }
        with self._read() as connection:
            rows = connection.execute(text(_query(sqlite=self.is_sqlite, apart=bool(wanted.within))), values)
            return list({row.grp: _decision(row) for row in rows}.values())


def _query(*, sqlite: bool, apart: bool) -> str:
    found = f"{'INSTR' if sqlite else 'STRPOS'}(COALESCE(form.items, form.body), :item)"
    pending = ", ".join(f"'{status.value}'" for status in sorted(PENDING))
    machines = ", ".join(f"'{name}'" for name in MACHINES)
    shown = "('one/' || id || '/' || approval)" if apart else "event"
    return f"""
WITH told AS (
    SELECT h.id, h.order_key, h.before, h.after, h.seq, h.reason AS why, a.approval_id AS decided, a.decision,
        a.reason AS said, a.status AS outcome, a.payload, o.approval_id AS last_approval, o.value_cents,
        CASE WHEN h.actor = '{UPGRADE}' THEN COALESCE(a.decided_by, '') ELSE h.actor END AS who,
        CASE WHEN h.actor = '{UPGRADE}' THEN COALESCE(a.decided_at, o.left_at, h.at) ELSE h.at END AS at,
        CASE WHEN h.actor = '{UPGRADE}' THEN 1 ELSE 0 END AS adopted,
        COALESCE(a.approval_id, '') AS approval,
        CASE WHEN h.after = 'superseded' AND (h.reason = :replaced OR h.actor = '{UPGRADE}') THEN 'replaced/' || h.seq
            WHEN h.before = '' AND a.approval_id IS NULL THEN 'automatic/' || h.seq
            ELSE 'one/' || h.id || '/' || COALESCE(a.approval_id, '') END AS event
    FROM order_history h JOIN orders o ON o.order_key = h.order_key
    LEFT JOIN approvals a ON a.order_key = h.order_key AND a.status <> 'pending' AND (
        (h.actor <> '{UPGRADE}' AND a.decided_at = h.at) OR (h.actor = '{UPGRADE}' AND NOT EXISTS (
            SELECT 1 FROM order_history x WHERE x.order_key = h.order_key AND x.before <> '' AND x.at = a.decided_at)))
    WHERE (h.before IN ({pending})
        OR (h.before = '' AND h.actor = 'policy' AND h.after = 'approved')
        OR (h.before = h.after AND h.actor NOT IN ({machines}))
        OR (h.before <> '' AND h.after IN ('withdrawn', 'change_sent') AND h.actor NOT IN ({machines}))
        OR (h.actor = '{UPGRADE}' AND (a.approval_id IS NOT NULL OR (o.approval_id = '' AND o.left_at IS NOT NULL))))
      AND (CAST(:supplier AS TEXT) = '' OR o.supplier_id = :supplier)
      AND (:every_item = 1 OR EXISTS (
        SELECT 1 FROM order_history form WHERE form.order_key = h.order_key AND {found} > 0))
), named AS (
    SELECT told.*, {shown} AS grp, CASE WHEN {shown} LIKE 'one/%' THEN approval ELSE '' END AS sub FROM told
    WHERE (CAST(:actor AS TEXT) = '' OR who = :actor) AND (CAST(:within AS TEXT) = '' OR event = :within)
), page AS (
    SELECT grp, MAX(id) AS last, MAX(sub) AS last_sub, COUNT(*) AS orders, SUM(value_cents) AS cents FROM named
    GROUP BY grp HAVING MAX(id) < :number OR (MAX(id) = :number AND MAX(sub) < :sub)
    ORDER BY last DESC, last_sub DESC LIMIT :limit
)
SELECT named.*, page.orders, page.cents, latest.body AS latest_body,
    (SELECT form.body FROM order_history form WHERE form.order_key = named.order_key AND form.id < named.id
        AND form.body IS NOT NULL ORDER BY form.id DESC LIMIT 1) AS asked_body,
    (SELECT form.body FROM order_history form WHERE form.order_key = named.order_key AND form.id <= named.id
        AND form.body IS NOT NULL ORDER BY form.id DESC LIMIT 1) AS became_body
FROM page JOIN named ON named.grp = page.grp AND named.id = page.last AND named.sub = page.last_sub
JOIN orders latest ON latest.order_key = named.order_key
ORDER BY page.last DESC, page.last_sub DESC
"""  # noqa: S608 - texts of this package


def _decision(row: Row[Any]) -> DecisionRow:
    became = order_in(row.became_body)
    asked = row.payload if row.adopted and row.payload is not None else row.asked_body
    return DecisionRow(
        cursor=f"{row.id}/{row.sub}",
        group=row.event,
        before=row.before,
        after=_left_as(row),
        actor=row.who,
        reason=(row.said or row.why) if row.adopted else row.why,
        at=datetime.fromisoformat(row.at),
        decision=row.decision or "",
        approval_id=row.decided or row.last_approval or "",
        orders=int(row.orders),
        value_cents=int(row.cents or 0),
        asked=order_in(asked) if asked is not None else became,
        became=became,
        latest=order_in(row.latest_body),
    )


def _left_as(row: Row[Any]) -> str:
    """The status that the decision gave the order; of one adopted from an earlier version, what its approval says."""
    if not row.adopted:
        return str(row.after)
    said = str(row.outcome or "approved")
    return {"void": "superseded", "edited": "waiting"}.get(said, said)
