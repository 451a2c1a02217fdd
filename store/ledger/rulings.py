"""What people decide of orders: approval, order, outbox and supply change in one transaction, or nothing does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from store.database import to_json
from store.ledger.approvals import ApprovalRow, insert_approval, must_be_pending, select_approval, void_approvals
from store.ledger.line_decisions import LineDecisions, insert_line_decisions
from store.ledger.order_book import OrderBook
from store.ledger.orders import OrderLedger
from store.ledger.outbox import OutboxRow, actions_of_order, give_up_action, insert_action
from tools.domain.decisions import LineDecision
from tools.domain.errors import BadInput, Conflict
from tools.domain.orders import Order, OrderStatus, in_words

OUTCOME = {"approve": "approved", "edit": "edited", "reject": "rejected"}
SUPPLY_MOVED = "what is on order changed since this was planned"
WITHDRAWN = "Withdrawn by "
"""How the error of an action begins that was taken back before it left."""
NOT_KNOWN = (OrderStatus.SENDING, OrderStatus.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A person's decision, bound to the content that was shown."""

    approval_id: str
    decision: str
    actor: str
    reason: str
    content_hash: str
    edits: Mapping[str, Any] | None = None
    edited: Order | None = None
    """The order after an edit, through the gates again; None where nothing is left of it."""
    actions: Sequence[OutboxRow] = ()
    """What the ERP is to do now."""
    lines: Sequence[LineDecision] = ()
    """What the next runs are to know of it."""


class Rulings(OrderLedger, LineDecisions):
    """Decisions by approval: of two deciders exactly one succeeds."""

    def decide(self, ruling: Ruling) -> ApprovalRow:
        """Decide a pending approval and move its order on; supply that moved since makes it void.

        Raises Conflict when it is already decided or void, when its content hash is not the one the decider saw, or
        when what is on order changed since it was planned; NotFound for an unknown id; BadInput for no decision.
        """
        if ruling.decision not in OUTCOME:
            raise BadInput(f"{ruling.decision!r} is no decision.", remedy="Use approve, edit or reject.")
        with self.order_book() as book:
            row = select_approval(book.connection, ruling.approval_id)
            must_be_pending(row, ruling.content_hash)
            order = _order_of(row, book)
            moved = ruling.decision != "reject" and _supply_moved(order, book)
            if moved:
                _make_void(row, order, SUPPLY_MOVED, book)
            else:
                _note(ruling, book)
                _carry_out(ruling, order, book)
                insert_line_decisions(book, ruling.lines)
        if moved:
            raise Conflict(
                f"Approval {ruling.approval_id} is void: {SUPPLY_MOVED}. Nothing was ordered.",
                remedy="Plan again with `jit plan`; the new order asks anew.",
                approval_id=ruling.approval_id,
            )
        return self.approval_of(ruling.approval_id)

    def approval_of(self, approval_id: str) -> ApprovalRow:
        """One approval as it stands."""
        with self._read() as connection:
            return select_approval(connection, approval_id)

    def void(self, approval_id: str, reason: str) -> None:
        """Make a pending approval and its order void."""
        with self.order_book() as book:
            row = select_approval(book.connection, approval_id)
            if row.status == "pending":
                _make_void(row, _order_of(row, book), reason, book)

    def reconsider(self, approval_id: str, decisions: Sequence[LineDecision]) -> None:
        """Let lines that a person rejected or edited be proposed as they are computed. Conflict when none is held."""
        with self.order_book() as book:
            row = select_approval(book.connection, approval_id)
            if row.status == "pending" or not decisions:
                raise Conflict(
                    f"Approval {approval_id} is {row.status}; it holds back no line.",
                    remedy="`jit decisions` lists who rejected or edited what.",
                    approval_id=approval_id,
                )
            insert_line_decisions(book, decisions)
            book.bump({(made.item_id, made.site_id) for made in decisions})
            book.note_again(_order_of(row, book), decisions[0].actor, decisions[0].reason)

    def withdraw(
        self, approval_id: str, actor: str, reason: str, cancelling: Callable[[OutboxRow, int], OutboxRow]
    ) -> Order:
        """Take an approved order back: drop it where it has not left, else ask the ERP to cancel it.

        One in doubt that nobody sends any more is dropped too: the caller has looked for it in the ERP. `cancelling`
        makes the action that takes back another, given how often that was asked for before.

        Conflict, with what is true now, when there is no order to take back.
        """
        with self.order_book() as book:
            row = select_approval(book.connection, approval_id)
            order = _order_of(row, book)
            actions = actions_of_order(book.connection, order.order_key)
            given_up = order.status is OrderStatus.IN_DOUBT and all(action.status == "failed" for action in actions)
            if row.status != "approved" or not (given_up or _may_be_taken_back(order)):
                raise _nothing_to_take_back(row, order)
            stands = order.erp_ref or any(action.erp_ref for action in actions)
            if not stands and (given_up or order.status is OrderStatus.APPROVED):
                for action in actions:
                    give_up_action(book.connection, action.action_key, f"{WITHDRAWN}{actor}. {reason}".strip(), book.at)
                return book.move(order, order.moved(OrderStatus.WITHDRAWN, reason=reason), actor, reason)
            before = sum(action.kind == "cancel" for action in actions)
            for action in actions:
                if action.kind == "place":
                    standing = replace(action, erp_ref=order.erp_ref or action.erp_ref)
                    insert_action(book.connection, cancelling(standing, before), book.at)
            return book.move(order, order.moved(OrderStatus.CHANGE_SENT, reason=reason), actor, reason)


def _order_of(row: ApprovalRow, book: OrderBook) -> Order:
    """The ledger's order of an approval."""
    order = book.order(row.order_key)
    if order is None:
        raise Conflict(
            f"The order of approval {row.approval_id} is not in the ledger.",
            remedy="Plan again with `jit plan`; the new order asks anew.",
            approval_id=row.approval_id,
        )
    return order


def _supply_moved(order: Order, book: OrderBook) -> bool:
    """Whether the order's needs have another owner, or something else changed their supply since it was planned."""
    query = text(
        "SELECT owner_run, seq, COALESCE(version, 0) AS version FROM needs LEFT JOIN supply USING (item_id, site_id)"
        " WHERE item_id = :item_id AND site_id = :site_id"
    )
    for item_id, site_id in order.needs:
        row = book.connection.execute(query, {"item_id": item_id, "site_id": site_id}).first()
        if row is None or row.owner_run != order.run_id or row.version > row.seq:
            return True
    return False


def _make_void(row: ApprovalRow, order: Order, reason: str, book: OrderBook) -> None:
    void_approvals(book.connection, [row.approval_id], reason, book.at)
    book.move_if_allowed(order, OrderStatus.SUPERSEDED, "session", reason)


def _note(ruling: Ruling, book: OrderBook) -> None:
    update = text(
        "UPDATE approvals SET status = :status, decision = :decision, decided_by = :actor, decided_at = :at,"
        " reason = :reason, edits = :edits WHERE approval_id = :id"
    )
    values = {
        "id": ruling.approval_id,
        "status": OUTCOME[ruling.decision],
        "decision": ruling.decision,
        "actor": ruling.actor,
        "at": book.at,
        "reason": ruling.reason,
        "edits": None if ruling.edits is None else to_json(ruling.edits),
    }
    book.connection.execute(update, values)


def _carry_out(ruling: Ruling, order: Order, book: OrderBook) -> None:
    """The order's next form; what a person edited takes its place as the same need's order."""
    if ruling.decision == "approve":
        book.move(order, order.moved(OrderStatus.APPROVED, reason=ruling.reason), ruling.actor, ruling.reason)
    elif ruling.decision == "reject" or ruling.edited is None:
        book.move(order, order.moved(OrderStatus.REJECTED, reason=ruling.reason), ruling.actor, ruling.reason)
    else:
        book.move(order, ruling.edited, ruling.actor, ruling.reason)
        if ruling.edited.is_pending:
            insert_approval(book.connection, ruling.edited, book.at)
    for action in ruling.actions:
        insert_action(book.connection, action, book.at)


def _may_be_taken_back(order: Order) -> bool:
    if order.status is OrderStatus.APPROVED:
        return True
    return order.places and order.status in (OrderStatus.PLACED, OrderStatus.CONFIRMED, OrderStatus.PART_RECEIVED)


def _nothing_to_take_back(row: ApprovalRow, order: Order) -> Conflict:
    if order.status in NOT_KNOWN:
        return Conflict(
            f"The order of approval {row.approval_id} is {in_words(order.status)}: it may stand in the ERP already.",
            remedy="Try again when the ERP has answered; `jit show` tells where it stands.",
            approval_id=row.approval_id,
        )
    return Conflict(
        f"Approval {row.approval_id} is {row.status} and its order {in_words(order.status)}; there is no order to take"
        " back.",
        remedy="`jit show` lists the orders of the latest run with their status.",
        approval_id=row.approval_id,
    )
