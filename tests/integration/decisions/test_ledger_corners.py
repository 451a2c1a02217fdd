"""Meetings of decisions, read-backs and attempts that are rare, and in which a need was bought twice or lost."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from order_cases import order_of
from postgres_cluster import postgres_cluster

from erp.actions import cancelling, queued_actions
from store.operations import Moved, Operations, Plan, Ruling, Window
from tools.domain.errors import Conflict
from tools.domain.orders import Order, OrderStatus

WINDOW = Window(date(2026, 3, 2), date(2026, 3, 29))
NEED = ("A", "MAIN")


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def operations(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Operations]:
    if request.param == "sqlite":
        with closing(Operations(f"sqlite:///{tmp_path / 'operations.sqlite'}", clock=clock)) as opened:
            yield opened
    else:
        with postgres_cluster() as url, closing(Operations(url, clock=clock)) as opened:
            yield opened


def publish(operations: Operations, *orders: Order) -> None:
    items = sorted({item_id for order in orders for item_id in order.item_ids})
    leaving = [order for order in orders if order.status is OrderStatus.APPROVED]
    plan = Plan(
        run_id=orders[0].run_id,
        seq=operations.supply_seq(),
        item_ids=items,
        needs={(item_id, "MAIN"): WINDOW for item_id in items},
        orders=orders,
        actions=[action for order in leaving for action in queued_actions(order)],
    )
    assert not isinstance(operations.publish(plan), Moved)


def decide(operations: Operations, order: Order, decision: str) -> None:
    actions = queued_actions(order) if decision == "approve" else []
    route = order.route
    operations.decide(Ruling(route.approval_id, decision, "bob", "", route.content_hash, None, None, actions))


def status_of(operations: Operations, order: Order) -> OrderStatus:
    return operations.orders_for([order.order_key])[order.order_key].status


def test_rejecting_one_part_does_not_hide_that_supply_moved_before(operations: Operations) -> None:
    one, other = order_of("A"), order_of("A", supplier_id="S2")
    publish(operations, one, other)
    operations.supply_moved({NEED})
    decide(operations, one, "reject")
    with pytest.raises(Conflict, match="what is on order changed"):
        decide(operations, other, "approve")
    assert status_of(operations, other) is OrderStatus.SUPERSEDED
    assert operations.actions_for([other.order_key]) == {}


def test_an_attempt_that_another_took_over_cannot_make_the_order_free_to_be_withdrawn(
    operations: Operations, clock: Clock
) -> None:
    order = order_of("A")
    publish(operations, order)
    decide(operations, order, "approve")
    (first,) = operations.lease(1, 60)
    clock.now += timedelta(seconds=61)
    (second,) = operations.lease(1, 60)
    operations.retry_later(first.action_key, "refused", 5, may_stand=False, attempt=first.attempts)
    assert operations.outbox()[0].status == "leased"
    with pytest.raises(Conflict, match="may stand in the ERP"):
        operations.withdraw(order.route.approval_id, "bob", "", cancelling)
    operations.fail(first.action_key, "refused", may_stand=False, attempt=first.attempts)
    operations.complete(second.action_key, "PO-1", {"status": "sent"})
    assert status_of(operations, order) is OrderStatus.PLACED


def test_an_order_in_doubt_that_nobody_sends_any_more_can_be_taken_back(operations: Operations) -> None:
    order = order_of("A")
    publish(operations, order)
    decide(operations, order, "approve")
    (row,) = operations.lease(1, 60)
    operations.fail(row.action_key, "no answer", may_stand=True)
    assert status_of(operations, order) is OrderStatus.IN_DOUBT
    operations.withdraw(order.route.approval_id, "bob", "it never came", cancelling)
    assert status_of(operations, order) is OrderStatus.WITHDRAWN
    assert operations.unsent_orders() == []


def test_an_order_in_doubt_that_stands_in_the_erp_is_cancelled_there(operations: Operations) -> None:
    order = order_of("A")
    publish(operations, order)
    decide(operations, order, "approve")
    (row,) = operations.lease(1, 60)
    operations.fail(row.action_key, "no answer", may_stand=True)
    operations.note_in_erp({order.order_key: (OrderStatus.IN_DOUBT, "PO-1")}, "a draft")
    assert operations.own_references({"PO-1"}) == {"PO-1"}
    operations.withdraw(order.route.approval_id, "bob", "", cancelling)
    assert status_of(operations, order) is OrderStatus.CHANGE_SENT
    cancel = operations.actions_for([order.order_key])[order.order_key][-1]
    assert (cancel.kind, cancel.payload["erp_ref"]) == ("cancel", "PO-1")


def test_a_withdrawal_that_the_erp_did_not_answer_can_be_asked_for_again(operations: Operations) -> None:
    order = order_of("A")
    publish(operations, order)
    decide(operations, order, "approve")
    (row,) = operations.lease(1, 60)
    operations.complete(row.action_key, "PO-1", {"status": "sent"})
    for asked in (1, 2):
        operations.withdraw(order.route.approval_id, "bob", "", cancelling)
        (cancel,) = operations.lease(5, 60)
        assert cancel.kind == "cancel", asked
        operations.fail(cancel.action_key, "no answer", may_stand=True)
        assert status_of(operations, order) is OrderStatus.PLACED
    assert len(operations.actions_for([order.order_key])[order.order_key]) == 3
