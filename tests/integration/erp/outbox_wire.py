"""A wire to an ERP that fails on purpose, a clock that is set by hand, and rows that are kept."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from order_cases import order_of

from erp.actions import queued_actions
from erp.adapter import (
    ErpAdapter,
    ErpOrder,
    OrderAction,
)
from erp.outbox import Outbox
from erp.sandbox import SandboxErp
from store.audit.journal import TransitionDraft
from store.operations import Operations, OutboxRow, Plan, Ruling, Window
from tools.domain.errors import JitError
from tools.domain.orders import Order, OrderStatus


class Wire:
    """A connection to an ERP that fails before or after the ERP has done what it was asked."""

    def __init__(self, erp: ErpAdapter) -> None:
        self._erp = erp
        self.before: list[JitError] = []
        self.after: list[JitError] = []
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return getattr(self._erp, name)

    def submit(self, action: OrderAction) -> ErpOrder:
        return self._through("submit", lambda: self._erp.submit(action))

    def confirm(self, erp_ref: str, key: str) -> ErpOrder:
        return self._through("confirm", lambda: self._erp.confirm(erp_ref, key))

    def find_by_key(self, key: str) -> ErpOrder | None:
        self.calls.append("find")
        return self._erp.find_by_key(key)

    def _through(self, name: str, call: Callable[[], ErpOrder]) -> ErpOrder:
        self.calls.append(name)
        if self.before:
            raise self.before.pop()
        order = call()
        if self.after:
            raise self.after.pop()
        return order


class Clock:
    """Time that a test moves, so that a delay needs no waiting."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Rows:
    """Keeps journal rows in order."""

    def __init__(self) -> None:
        self.drafts: list[TransitionDraft] = []

    def record(self, draft: TransitionDraft) -> None:
        self.drafts.append(draft)


def row_of(operations: Operations, key: str) -> OutboxRow:
    return next(row for row in operations.outbox() if row.action_key == key)


def _approved(operations: Operations) -> Order:
    """An order in the ledger that leaves by itself, with its action queued."""
    order = order_of("A", status=OrderStatus.APPROVED)
    plan = Plan(order.run_id, operations.supply_seq(), ["A"], {}, [order], queued_actions(order))
    assert operations.publish(plan) == (order,)
    return order


def _stands(operations: Operations, order: Order) -> OrderStatus:
    return operations.orders_for([order.order_key])[order.order_key].status


def _signed_and_sent(operations: Operations, erp: SandboxErp) -> Order:
    """An order that bob signed and that stands in the ERP."""
    order, window = order_of("A"), Window(date(2026, 3, 2), date(2026, 3, 29))
    operations.publish(Plan(order.run_id, operations.supply_seq(), ["A"], {("A", "MAIN"): window}, [order]))
    route = order.route
    operations.decide(
        Ruling(route.approval_id, "approve", "bob", "", route.content_hash, actions=queued_actions(order))
    )
    assert len(Outbox(operations, erp).drain().done) == 1
    return order
