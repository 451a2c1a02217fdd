"""A person's decisions on orders: who may sign, what the signature binds to, and that it is taken in once."""

from collections.abc import Callable, Mapping

from erp.actions import cancelling, queued_actions
from graph.edits import edited_order, refuse_denied
from graph.parts import Parts
from graph.views import ApprovalView
from policies.approval import may_decide
from policies.gates import Effect, Tier
from store.operations import ApprovalRow, Ruling
from tools.domain.errors import BadInput, Conflict, NotAllowed
from tools.domain.orders import Order, OrderStatus

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
        """Decide once: approval, order, outbox and supply change together. The run takes it in as soon as it can.

        NotAllowed when the actor may not sign; Conflict when it is decided already, or when the order, the policy,
        the facts or what is on order are no longer those that were shown; BadInput for edits that are none.
        """
        operations, context = self._parts.operations, self._parts.context
        row = operations.approval(approval_id)
        self._may_sign(row, actor)
        self._still_binding(row)
        edited: Order | None = None
        if decision == "edit":
            _check_edits(edits, row.order)
            edited, verdicts = edited_order(row.order, edits or {}, actor, context)
            refuse_denied(verdicts)
        leaves = row.order if decision == "approve" else edited
        actions = queued_actions(leaves) if leaves and _goes(leaves, decision) else []
        bound = content_hash or row.content_hash
        ruling = Ruling(approval_id, decision, actor, reason, bound, edits, edited, actions)
        try:
            operations.decide(ruling)
        finally:
            self._deliver(row.run_id)
        self._drain()
        return self._show(approval_id)

    def withdraw(self, approval_id: str, actor: str, reason: str) -> ApprovalView:
        """Take an approval back: an order that has not left is dropped, one in the ERP is cancelled there.

        The same people may withdraw who may sign. Conflict when it was never approved, or was withdrawn before.
        """
        operations = self._parts.operations
        self._may_sign(operations.approval(approval_id), actor)
        operations.withdraw(approval_id, actor, reason, cancelling)
        self._drain()
        return self._show(approval_id)

    def _may_sign(self, row: ApprovalRow, actor: str) -> None:
        policy = self._parts.context.rules.version
        allowed = may_decide(actor, self._role(actor), row.proposed_by, Tier(row.tier), policy)
        if allowed.effect is Effect.DENY:
            raise NotAllowed(allowed.reason, remedy="Ask somebody else to decide.", approval_id=row.approval_id)

    def _still_binding(self, row: ApprovalRow) -> None:
        """Void an approval whose order or policy is not the one that its hash was made of."""
        latest = self._parts.operations.orders_for([row.order_key]).get(row.order_key)
        policy, facts = self._parts.context.rules.version, row.order.route.facts
        shown = (row.order, latest) if latest is not None else (row.order,)
        if row.status != "pending" or all(order.seal(policy, facts) == row.content_hash for order in shown):
            return
        self._parts.operations.void(row.approval_id, "the policy or the order changed")
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


def _goes(order: Order, decision: str) -> bool:
    """Whether an order leaves by this decision: signed, or edited to what policy lets leave by itself."""
    return decision == "approve" or order.status is OrderStatus.APPROVED


def _check_edits(edits: Mapping[str, float] | None, order: Order) -> None:
    if order.changes:
        raise BadInput(
            "This concerns an open order of the ERP; it has no quantity to edit.", remedy="Approve or reject it."
        )
    known = {line.line_id for line in order.lines}
    wrong = sorted(set(edits or {}) - known)
    if not edits or wrong or not all(0 <= quantity <= LARGEST_QUANTITY for quantity in edits.values()):
        raise BadInput(
            f"An edit needs quantities of 0 to {LARGEST_QUANTITY:,} for lines of this order"
            f"{f', not {wrong}' if wrong else ''}.",
            remedy=f"Lines are {', '.join(sorted(known))}.",
        )
