"""A person's decisions on orders: who may sign, what the signature binds to, and that it is taken in once."""

from collections.abc import Callable, Mapping
from typing import Any

from erp.adapter import ActionKind, OrderAction
from graph import queries, records
from graph.edits import edited_order, refuse_denied
from graph.parts import Parts
from graph.transitions import stable_hash
from graph.views import ApprovalView
from policies.approval import may_decide
from policies.gates import Effect, Tier
from store.operations import ApprovalRow, OutboxRow
from tools.domain.errors import BadInput, Conflict, NotAllowed

LARGEST_QUANTITY = 1_000_000_000
"""Units that an edit may order at most: a slip of the keyboard, and money beyond what can be counted in cents."""
LOCAL_ROLE = "manager"
"""Role of somebody who is no registered user and works on the machine itself, while there are no users."""


class ApprovalDesk:
    """Takes decisions; `deliver` hands one to its run, `drain` sends what is queued, `show` tells what became of it."""

    def __init__(
        self,
        parts: Parts,
        deliver: Callable[[str], None],
        drain: Callable[[], None],
        show: Callable[[str], ApprovalView],
    ) -> None:
        self._parts = parts
        self._deliver = deliver
        self._drain = drain
        self._show = show

    def decide(
        self,
        approval_id: str,
        decision: str,
        actor: str,
        reason: str,
        content_hash: str | None,
        edits: Mapping[str, float] | None,
    ) -> ApprovalView:
        """Decide once; the run takes the decision in at once, or as soon as the databases let it.

        NotAllowed when the actor may not sign; Conflict when it is decided already, or when the order, the policy
        or the facts are no longer those that were shown; BadInput for edits that are none.
        """
        row = self._parts.operations.approval(approval_id)
        self._may_sign(row, actor)
        self._still_binding(row)
        if decision == "edit":
            _check_edits(edits, row.payload)
            refuse_denied(edited_order(row.payload, edits or {}, row.run_id, self._parts.context)[1])
        self._parts.operations.decide_approval(
            approval_id, decision, actor, reason, content_hash or row.content_hash, edits
        )
        self._deliver(row.run_id)
        return self._show(approval_id)

    def withdraw(self, approval_id: str, actor: str, reason: str) -> ApprovalView:
        """Take an approval back: an order that has not left is dropped, one in the ERP is cancelled there.

        The same people may withdraw who may sign. Conflict when it was never approved, or was withdrawn before.
        """
        operations = self._parts.operations
        row = operations.approval(approval_id)
        self._may_sign(row, actor)
        sent = [action for action in operations.outbox(row.run_id) if action.approval_id == approval_id]
        if row.status != "approved" or not sent or sent[-1].kind == ActionKind.CANCEL or sent[-1].status == "failed":
            raise Conflict(
                f"Approval {approval_id} is {row.status}; there is no order to take back.",
                remedy="`jit show` lists the orders of the latest run with their status.",
                approval_id=approval_id,
            )
        with operations.together():
            for action in sent:
                self._take_back(action, actor, reason)
        self._drain()
        return self._show(approval_id)

    def _take_back(self, action: OutboxRow, actor: str, reason: str) -> None:
        operations = self._parts.operations
        if action.erp_ref is None:
            operations.fail(action.action_key, f"{queries.WITHDRAWN}{actor}. {reason}".strip())
            return
        key = stable_hash(["withdraw", action.action_key])
        cancel = OrderAction(key=key, kind=ActionKind.CANCEL, erp_ref=action.erp_ref).model_dump(mode="json")
        operations.enqueue(
            OutboxRow(key, action.run_id, action.order_key, ActionKind.CANCEL.value, cancel, action.approval_id)
        )

    def _may_sign(self, row: ApprovalRow, actor: str) -> None:
        policy = self._parts.context.rules.version
        allowed = may_decide(actor, self._role(actor), row.proposed_by, Tier(row.tier), policy)
        if allowed.effect is Effect.DENY:
            raise NotAllowed(allowed.reason, remedy="Ask somebody else to decide.", approval_id=row.approval_id)

    def _still_binding(self, row: ApprovalRow) -> None:
        """Void an approval whose order or policy is not the one that its hash was made of."""
        order = row.payload
        if row.status != "pending" or row.content_hash == records.signed(
            order, self._parts.context.rules.version, order["facts"]
        ):
            return
        self._parts.operations.supersede_approval(row.approval_id, "the policy or the order changed")
        self._deliver(row.run_id)
        raise Conflict(
            f"The policy or the order changed since approval {row.approval_id} was opened; it is void.",
            remedy="Plan again with `jit plan`; the new order asks anew.",
            approval_id=row.approval_id,
        )

    def _role(self, actor: str) -> str:
        users = self._parts.operations.users()
        known = [user.role for user in users if user.name == actor]
        return known[0] if known else ("viewer" if users else LOCAL_ROLE)


def _check_edits(edits: Mapping[str, float] | None, order: Mapping[str, Any]) -> None:
    if order["changes"]:
        raise BadInput(
            "This concerns an open order of the ERP; it has no quantity to edit.", remedy="Approve or reject it."
        )
    known = {line["line_id"] for line in order["lines"]}
    wrong = sorted(set(edits or {}) - known)
    if not edits or wrong or not all(0 <= quantity <= LARGEST_QUANTITY for quantity in edits.values()):
        raise BadInput(
            f"An edit needs quantities of 0 to {LARGEST_QUANTITY:,} for lines of this order"
            f"{f', not {wrong}' if wrong else ''}.",
            remedy=f"Lines are {', '.join(sorted(known))}.",
        )
