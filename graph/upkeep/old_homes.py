"""Homes of the first version: the orders in their runs' checkpoints become orders of the ledger, once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from erp.actions import queued_actions
from store.ledger.first_orders import order_of_first_form, standing
from store.operations import ApprovalRow, Operations, OutboxRow
from tools.domain.orders import Order, OrderStatus

OLD_ORDERS = ("plan", "routed")
"""Kind and key of the artifact in which a closed run's orders lay before there was a ledger."""
MOVED = "orders_in_ledger"
"""Flag: the orders of every earlier run are in the ledger."""
LOOKED_AT = 100_000
"""Runs of a home."""
CUT_OFF = "The program was upgraded while this run was under way. Plan again."


def typed_order(stored: Order | Mapping[str, Any]) -> Order:
    """The order of a checkpoint, which the first version wrote as a JSON object; its key begins with its run."""
    if isinstance(stored, Order):
        return stored
    return order_of_first_form(stored, str(stored["order_key"]).partition("/")[0], "")


def move_old_runs(operations: Operations, values_of: Callable[[str], Mapping[str, Any]]) -> None:
    """Bring the orders of every run that the ledger does not know into it; `values_of` reads a run's checkpoint."""
    if operations.flag(MOVED):
        return
    runs = operations.runs(LOOKED_AT)
    known = {one.run_id for one in operations.publications(*(row.run_id for row in runs))}
    for row in reversed(runs):
        if row.run_id in known:
            continue
        values = values_of(row.run_id)
        policy = str(row.versions.get("policy", ""))
        if not any(not isinstance(order, Order) for order in (*values.get("routed", ()), *values.get("orders", ()))):
            continue
        if "routed" in values:
            _adopt(row.run_id, policy, values, operations)
        elif row.status == "running":
            operations.set_run_status(row.run_id, "failed", {"text": CUT_OFF})
    operations.set_flag(MOVED, True)


def _adopt(run_id: str, policy: str, values: Mapping[str, Any], operations: Operations) -> None:
    """One run's orders in their latest form, as approvals and outbox tell it."""
    drafted = [order_of_first_form(stored, run_id, policy) for stored in values["routed"]]
    approvals = {row.order_key: row for row in operations.approvals(run_id=run_id)}
    actions = operations.actions_for(order.order_key for order in drafted)
    orders = [_latest(order, approvals.get(order.order_key), actions.get(order.order_key, [])) for order in drafted]
    left = {key: rows[0].created_at for key, rows in actions.items() if rows[0].created_at is not None}
    operations.adopt(run_id, values["item_ids"], orders, cast(Mapping[str, datetime], left))
    missing = [order for order in orders if order.status is OrderStatus.APPROVED and not actions.get(order.order_key)]
    for action in (action for order in missing for action in queued_actions(order)):
        operations.enqueue(action)


def _latest(drafted: Order, approval: ApprovalRow | None, actions: Sequence[OutboxRow]) -> Order:
    order = approval.order if approval is not None else drafted
    return standing(order, approval.status if approval else None, [asdict(action) for action in actions])
