"""A person's decisions on orders: who may sign, what the signature binds to, and that it is taken in once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import orjson

from erp.actions import cancelling, queued_actions
from graph.decisions.edits import edited_order, previewed, refuse_denied
from graph.decisions.rulings import decisions_on, reconsidered
from graph.facts import records
from graph.parts import Parts
from graph.run.state import Json
from graph.views.orders import ApprovalView, EditPreviewView
from policies.approval import may_decide, signs_own
from policies.gates import Effect, Tier
from store.operations import ApprovalRow, Ruling
from tools.domain.decisions import LineDecision, LineRuling
from tools.domain.errors import BadInput, Conflict, NotAllowed, OutOfReach
from tools.domain.orders import Order, OrderStatus

LARGEST_QUANTITY = 1_000_000_000
"""Units that an edit may order at most: a slip of the keyboard, and money beyond what can be counted in cents."""
STANDING = (OrderStatus.PLACED, OrderStatus.CONFIRMED, OrderStatus.PART_RECEIVED, OrderStatus.RECEIVED)
"""Statuses of an order that still stands in the ERP."""
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
        until: date | None = None,
    ) -> ApprovalView:
        """Decide once: approval, order, outbox and supply change together. The run takes it in as soon as it can.

        NotAllowed when the actor may not sign; Conflict when it is decided already, or when the order, the policy,
        the facts or what is on order are no longer those that were shown; BadInput for edits that are none. `until`
        is the last day on which a rejection or an edit binds the next runs.
        """
        operations, context = self._parts.operations, self._parts.context
        row = operations.approval(approval_id)
        self._may_sign(row, actor)
        self._still_binding(row)
        edited: Order | None = None
        if decision == "edit":
            _check_edits(edits, row.order)
            _must_change(edits or {}, row.order)
            edited, verdicts = edited_order(row.order, edits or {}, actor, context)
            refuse_denied(verdicts)
            _must_stand(edited)
        leaves = row.order if decision == "approve" else edited
        actions = queued_actions(leaves) if leaves and _goes(leaves, decision) else []
        bound = content_hash or row.content_hash
        lines = self._remembered(row, decision, edits or {}, actor, reason, until)
        ruling = Ruling(approval_id, decision, actor, reason, bound, edits, edited, actions, lines)
        try:
            operations.decide(ruling)
        finally:
            self._deliver(row.run_id)
        self._drain()
        return self._show(approval_id)

    def preview(self, approval_id: str, edits: Mapping[str, float]) -> EditPreviewView:
        """What an order would cost at other quantities, by the rule that saves it. BadInput for edits that are none."""
        row = self._parts.operations.approval(approval_id)
        _check_edits(edits, row.order)
        dataset = self._parts.context.desk.dataset(self._parts.operations.run(row.run_id).dataset_version)
        return previewed(row.order, edits, dataset.offer_of)

    def reconsider(self, approval_id: str, actor: str, reason: str) -> ApprovalView:
        """Take a rejection or an edit back: the next run proposes its lines as computed. Conflict, NotAllowed."""
        operations = self._parts.operations
        self._may_sign(operations.approval(approval_id), actor)
        held = operations.line_decisions()
        mine = [made for made in operations.decisions_of_approval(approval_id) if held.get(made.key) == made]
        operations.reconsider(approval_id, reconsidered(mine, actor, reason))
        return self._show(approval_id)

    def _remembered(
        self,
        row: ApprovalRow,
        decision: str,
        edits: Mapping[str, float],
        actor: str,
        reason: str,
        until: date | None,
    ) -> list[LineDecision]:
        """What the next runs are to know: a rejection of every line, an edit of those it changes, what it ends."""
        order, context = row.order, self._parts.context
        stored = context.warehouse.artifact(order.run_id, "plan", "scope") or {"alerts": "[]"}
        alerts: Sequence[Json] = orjson.loads(stored["alerts"])
        ruling = LineRuling(decision) if decision in tuple(LineRuling) else LineRuling.APPROVE
        held = self._parts.operations.line_decisions()
        found = decisions_on(order, row.approval_id, ruling, edits, actor, reason, until, alerts)
        made = [_as_computed(one, held.get(one.key), order) for one in found]
        if ruling is LineRuling.REJECT:
            return made
        if ruling is LineRuling.EDIT:
            changed = _changed_lines(edits, order)
            return [self._until_its_end(one, order) for one in made if one.line_id in changed]
        return [one for one in made if one.key in held and not (order.edited and held[one.key].decided_units > 0)]

    def _until_its_end(self, made: LineDecision, order: Order) -> LineDecision:
        """An edit holds until its need is over: the latest arrival and a review, where nobody said otherwise."""
        if made.until is not None or made.decided_units == 0:
            return made
        context = self._parts.context
        scope = records.stored_scope(order.run_id, context.warehouse)
        review = timedelta(days=context.desk.period(scope.dataset_version).days)
        return replace(made, until=order.latest_arrival + review)

    def withdraw(self, approval_id: str, actor: str, reason: str) -> ApprovalView:
        """Take an approval back: an order that has not left is dropped, one in the ERP is cancelled there.

        The same people may withdraw who may sign. Conflict when it was never approved, was withdrawn before, or
        when the ERP does not take the order back.
        """
        operations = self._parts.operations
        row = operations.approval(approval_id)
        self._may_sign(row, actor)
        self._look_in_erp(row.order_key)
        operations.withdraw(approval_id, actor, reason, cancelling)
        self._drain()
        order = operations.orders_for([row.order_key])[row.order_key]
        if order.status in STANDING:
            raise Conflict(
                f"The ERP did not take the order of approval {approval_id} back: {order.reason}",
                remedy="Cancel what is still open in the ERP, or send the goods back.",
                approval_id=approval_id,
            )
        return self._show(approval_id)

    def _look_in_erp(self, order_key: str) -> None:
        """Where the order stands there by now. One in doubt cannot be taken back while the ERP does not answer."""
        try:
            self._parts.readback.note_in_erp(order_key)
        except OutOfReach:
            known = self._parts.operations.orders_for([order_key]).get(order_key)
            if known is None or known.status is OrderStatus.IN_DOUBT:
                raise

    def _may_sign(self, row: ApprovalRow, actor: str) -> None:
        allowed = may_decide(actor, self._role(actor), row.proposed_by, Tier(row.tier), own=self._own(row.order))
        if allowed.effect is Effect.DENY:
            raise NotAllowed(allowed.reason, remedy="Ask somebody else to decide.", approval_id=row.approval_id)

    def _own(self, order: Order) -> bool:
        """Whether who proposed it may sign it: the installation has one person, and policy leaves it to one."""
        rules = self._parts.context.rules
        return self._parts.operations.of_one_person() and signs_own(order.value_cents, rules)

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


def _as_computed(made: LineDecision, before: LineDecision | None, order: Order) -> LineDecision:
    """The decision against what a plan computed, where the order shows what an earlier edit made of it."""
    if before is None or not order.edited or before.decided_units == 0:
        return made
    return replace(made, proposed_units=before.proposed_units, list_price=before.list_price)


def _goes(order: Order, decision: str) -> bool:
    """Whether an order leaves by this decision: signed, or edited to what policy lets leave by itself."""
    return decision == "approve" or order.status is OrderStatus.APPROVED


def _changed_lines(edits: Mapping[str, float], order: Order) -> frozenset[str]:
    """Lines that get another quantity; an edit may name others at the quantity that they have."""
    return frozenset(line.line_id for line in order.lines if edits.get(line.line_id, line.quantity) != line.quantity)


def _must_change(edits: Mapping[str, float], order: Order) -> None:
    """BadInput for an edit to what the order has."""
    if not _changed_lines(edits, order):
        raise BadInput(
            "This edit changes nothing: the order has these quantities.",
            remedy="Approve the order as it is, or name another quantity.",
        )


def _must_stand(edited: Order | None) -> None:
    """BadInput when the gates would keep the edited order back."""
    if edited is not None and edited.status is OrderStatus.GATED:
        raise BadInput(
            f"This edit would be denied. {edited.reason}", remedy="Choose another quantity, or reject the order."
        )


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
