"""One conformance suite of the ledger of orders over SQLite and PostgreSQL: one owner of each need, one transaction."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import date
from threading import Barrier
from uuid import uuid4

import pytest
from order_cases import order_of, sealed
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from erp.actions import cancelling, queued_actions
from store.operations import Moved, Operations, Plan, Ruling, Window
from store.packing import unpacked
from tools.domain.errors import BadInput, Conflict, NotFound
from tools.domain.orders import Order, OrderStatus

WINDOW = Window(date(2026, 3, 2), date(2026, 3, 29))


@pytest.fixture(scope="module")
def operations(operations_url: str) -> Iterator[Operations]:
    with closing(Operations(operations_url)) as opened:
        yield opened


@pytest.fixture
def item() -> str:
    """An item of this test alone."""
    return f"item-{uuid4().hex[:8]}"


def run() -> str:
    return f"run-{uuid4().hex[:8]}"


def plan_for(operations: Operations, *orders: Order, seq: int | None = None, items: tuple[str, ...] = ()) -> Plan:
    """What a run publishes that looked at supply now, or at a counter."""
    named = {item_id for order in orders for item_id in order.item_ids} | set(items)
    return Plan(
        run_id=orders[0].run_id,
        seq=operations.supply_seq() if seq is None else seq,
        item_ids=sorted(named),
        needs={(item_id, "MAIN"): WINDOW for item_id in named},
        orders=orders,
        actions=[a for order in orders if order.status is OrderStatus.APPROVED for a in queued_actions(order)],
    )


def published(operations: Operations, *orders: Order) -> tuple[Order, ...]:
    made = operations.publish(plan_for(operations, *orders))
    assert not isinstance(made, Moved)
    return made


def ruling(order: Order, decision: str = "approve", actor: str = "bob", edited: Order | None = None) -> Ruling:
    leaves = order if decision == "approve" else None
    actions = queued_actions(leaves) if leaves else []
    return Ruling(order.route.approval_id, decision, actor, "", order.route.content_hash, None, edited, actions)


def status_of(operations: Operations, order: Order) -> OrderStatus:
    return operations.orders_for([order.order_key])[order.order_key].status


def test_a_published_order_its_approval_and_its_history_tell_the_same(operations: Operations, item: str) -> None:
    order = order_of(item, run_id=run())
    assert published(operations, order) == (order,)
    assert operations.orders_of(order.run_id) == [order]
    assert operations.approval(order.route.approval_id).order == order
    (past,) = operations.order_history(order.order_key)
    assert (past.before, past.after, past.order) == ("", "waiting", order)
    assert operations.need_owners()[item, "MAIN"] == order.run_id


def test_the_latest_form_of_an_order_is_compressed_where_the_database_does_not_do_it(
    operations: Operations, item: str
) -> None:
    order = order_of(item, run_id=run())
    published(operations, order)
    with operations._read() as connection:
        query = text("SELECT body FROM orders WHERE order_key = :key")
        body = connection.execute(query, {"key": order.order_key}).scalar_one()
    assert isinstance(body, bytes) is operations.is_sqlite
    assert len(body) < len(order.model_dump_json()) or not operations.is_sqlite
    assert Order.model_validate_json(unpacked(body)) == order


def test_publishing_again_changes_nothing(operations: Operations, item: str) -> None:
    order = order_of(item, run_id=run(), status=OrderStatus.APPROVED)
    plan = plan_for(operations, order)
    operations.publish(plan)
    assert operations.publish(plan) == (order,)
    assert len(operations.actions_for([order.order_key])[order.order_key]) == 1
    assert len(operations.order_history(order.order_key)) == 1


def test_of_plans_made_on_the_same_supply_one_is_published_and_the_others_look_again(
    operations: Operations, item: str
) -> None:
    orders = [order_of(item, run_id=run(), status=OrderStatus.APPROVED) for _ in range(6)]
    plans = [plan_for(operations, order) for order in orders]
    start = Barrier(6)

    def publish(plan: Plan) -> bool:
        start.wait()
        return not isinstance(operations.publish(plan), Moved)

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(publish, plans)) == 1
    keys = [order.order_key for order in orders]
    assert len(operations.orders_for(keys)) == 1 and len(operations.actions_for(keys)) == 1


def test_plans_of_disjoint_items_go_side_by_side(operations: Operations) -> None:
    orders = [order_of(f"item-{uuid4().hex[:8]}", run_id=run()) for _ in range(4)]
    plans = [plan_for(operations, order) for order in orders]
    assert [operations.publish(plan) for plan in plans] == [(order,) for order in orders]


def test_a_newer_plan_replaces_what_waits_for_the_same_need_visibly(operations: Operations, item: str) -> None:
    old, new = order_of(item, run_id=run()), order_of(item, run_id=run(), quantity=20)
    published(operations, old)
    published(operations, new)
    assert status_of(operations, old) is OrderStatus.SUPERSEDED
    assert operations.approval(old.route.approval_id).status == "void"
    assert [order for order in operations.waiting_orders() if item in order.item_ids] == [new]
    assert [(p.before, p.after) for p in operations.order_history(old.order_key)] == [
        ("", "waiting"),
        ("waiting", "superseded"),
    ]
    with pytest.raises(Conflict, match="already void"):
        operations.decide(ruling(old))


def test_a_plan_that_leaves_out_an_item_of_a_waiting_order_looks_again(operations: Operations, item: str) -> None:
    other = f"{item}-b"
    both = order_of(item, other, run_id=run())
    published(operations, both)
    found = operations.publish(plan_for(operations, order_of(item, run_id=run())))
    assert found == Moved(((other, "MAIN"),))
    assert status_of(operations, both) is OrderStatus.WAITING


def test_the_parts_of_one_run_wait_side_by_side_and_are_approved_in_turn(operations: Operations, item: str) -> None:
    one = order_of(item, run_id=run())
    other = order_of(item, run_id=one.run_id, supplier_id="S2")
    published(operations, one, other)
    operations.decide(ruling(one))
    operations.decide(ruling(other))
    assert {status_of(operations, order) for order in (one, other)} == {OrderStatus.APPROVED}


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_moves_supply_so_that_a_run_under_way_looks_again(
    operations: Operations, item: str, decision: str
) -> None:
    order = order_of(item, run_id=run())
    published(operations, order)
    under_way = plan_for(operations, order_of(item, run_id=run()))
    operations.decide(ruling(order, decision))
    assert operations.publish(under_way) == Moved(((item, "MAIN"),))
    assert len(operations.actions_for([order.order_key]).get(order.order_key, [])) == (decision == "approve")


def test_of_many_deciders_at_once_exactly_one_succeeds(operations: Operations, item: str) -> None:
    order = order_of(item, run_id=run())
    published(operations, order)

    def decide(number: int) -> bool:
        try:
            operations.decide(ruling(order, "approve" if number % 2 else "reject", str(number)))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(decide, range(6))) == 1


def test_a_decision_on_changed_content_is_refused_and_leaves_it_pending(operations: Operations, item: str) -> None:
    order = order_of(item, run_id=run())
    published(operations, order)
    with pytest.raises(Conflict, match="changed"):
        operations.decide(replace(ruling(order), content_hash="another"))
    with pytest.raises(BadInput, match="no decision"):
        operations.decide(replace(ruling(order), decision="maybe"))
    with pytest.raises(NotFound):
        operations.decide(replace(ruling(order), approval_id="nowhere"))
    assert status_of(operations, order) is OrderStatus.WAITING
    assert operations.actions_for([order.order_key]) == {}


def test_an_edit_takes_the_place_of_the_order_and_asks_anew(operations: Operations, item: str) -> None:
    order = order_of(item, run_id=run(), quantity=52)
    published(operations, order)
    line = order.lines[0].model_copy(update={"quantity": 26.0, "value": 65.0})
    edited = sealed(order.changed(lines=(line,), edited=True))
    operations.decide(ruling(order, "edit", edited=edited))
    assert operations.orders_of(order.run_id) == [edited]
    assert operations.approval(order.route.approval_id).status == "edited"
    operations.decide(ruling(edited, actor="carol"))
    (action,) = operations.actions_for([order.order_key])[order.order_key]
    assert action.payload["order"]["lines"][0]["quantity"] == 26.0


def test_an_approval_is_void_when_an_order_was_born_in_the_erp_since(operations: Operations, item: str) -> None:
    order = order_of(item, run_id=run())
    published(operations, order)
    operations.supply_moved({(item, "MAIN")})
    with pytest.raises(Conflict, match="what is on order changed"):
        operations.decide(ruling(order))
    assert status_of(operations, order) is OrderStatus.SUPERSEDED
    assert operations.approval(order.route.approval_id).status == "void"
    assert operations.actions_for([order.order_key]) == {}


def test_a_decision_stays_undelivered_until_the_run_applied_it(operations: Operations, item: str) -> None:
    order = order_of(item, run_id=run())
    published(operations, order)
    operations.decide(ruling(order))
    approval_id = order.route.approval_id
    assert approval_id in [row.approval_id for row in operations.undelivered_decisions()]
    operations.mark_approval_applied(approval_id)
    assert approval_id not in [row.approval_id for row in operations.undelivered_decisions()]


def sent(operations: Operations, order: Order) -> str:
    """Lease the order's action; its key."""
    (action,) = operations.actions_for([order.order_key])[order.order_key]
    while action.action_key not in (leased := [row.action_key for row in operations.lease(50, 3600)]):
        assert leased, "the action was never due"
    return action.action_key


def test_an_order_goes_from_approved_over_sending_to_placed_and_received(operations: Operations, item: str) -> None:
    order = order_of(item, run_id=run(), status=OrderStatus.APPROVED)
    published(operations, order)
    key = sent(operations, order)
    assert status_of(operations, order) is OrderStatus.SENDING
    operations.complete(key, "PO-1", {"status": "sent"})
    placed = operations.orders_for([order.order_key])[order.order_key]
    assert (placed.status, placed.erp_ref) == (OrderStatus.PLACED, "PO-1")
    assert operations.orders_of_actions({key[:12], "x" * 12}) == [placed]
    operations.note_in_erp({order.order_key: (OrderStatus.RECEIVED, "PO-1")})
    assert status_of(operations, order) is OrderStatus.RECEIVED
    assert not operations.orders_for([order.order_key])[order.order_key].counts_as_on_order


@pytest.mark.parametrize(
    ("may_stand", "after"),
    [(False, OrderStatus.FAILED), (True, OrderStatus.IN_DOUBT), (None, OrderStatus.FAILED)],
)
def test_a_failed_order_is_on_order_only_while_it_may_stand_in_the_erp(
    operations: Operations, item: str, may_stand: bool | None, after: OrderStatus
) -> None:
    order = order_of(item, run_id=run(), status=OrderStatus.APPROVED)
    published(operations, order)
    under_way = plan_for(operations, order_of(item, run_id=run()))
    operations.fail(sent(operations, order), "refused", may_stand=may_stand)
    assert status_of(operations, order) is after
    moved = isinstance(operations.publish(under_way), Moved)
    assert moved == (after is OrderStatus.FAILED)


def test_a_withdrawn_order_never_leaves_and_one_that_is_being_sent_can_not_be_withdrawn(
    operations: Operations, item: str
) -> None:
    first, second = order_of(item, run_id=run()), order_of(f"{item}-b", run_id=run())
    published(operations, first)
    published(operations, second)
    for order in (first, second):
        operations.decide(ruling(order))
    operations.withdraw(first.route.approval_id, "bob", "a mistake", cancelling)
    assert status_of(operations, first) is OrderStatus.WITHDRAWN
    assert [row.status for row in operations.actions_for([first.order_key])[first.order_key]] == ["failed"]
    key = sent(operations, second)
    with pytest.raises(Conflict, match="may stand in the ERP"):
        operations.withdraw(second.route.approval_id, "bob", "", cancelling)
    operations.complete(key, "PO-7", {})
    operations.withdraw(second.route.approval_id, "bob", "", cancelling)
    assert status_of(operations, second) is OrderStatus.CHANGE_SENT
    cancel = operations.actions_for([second.order_key])[second.order_key][-1]
    operations.lease(50, 3600)
    operations.complete(cancel.action_key, "PO-7", {})
    assert status_of(operations, second) is OrderStatus.CANCELLED


def test_a_dataset_knows_what_is_on_order_until_more_is(operations: Operations, item: str) -> None:
    name = f"ds-{item}"
    operations.note_supply_read(name, operations.supply_seq())
    waiting = order_of(item, run_id=run())
    published(operations, waiting)
    assert operations.knows_supply(name)
    operations.decide(ruling(waiting))
    assert not operations.knows_supply(name)
    operations.note_supply_read(name, operations.supply_seq())
    assert operations.knows_supply(name)


def test_reading_nothing_gives_nothing(operations: Operations) -> None:
    assert operations.orders_of() == [] and operations.orders_for([]) == {} and operations.publications() == []
    assert operations.orders_of_actions(()) == []
    assert operations.actions_for([]) == {} and operations.own_references([]) == set()
    assert operations.pending_count([]) == {} and operations.sent_count([]) == {}
    assert operations.dataset_versions([]) == {}


@pytest.mark.parametrize("statement", ["DELETE FROM order_history", "UPDATE order_history SET actor = 'nobody'"])
def test_the_history_of_orders_is_only_added_to(operations: Operations, item: str, statement: str) -> None:
    published(operations, order_of(item, run_id=run()))
    with pytest.raises(DatabaseError, match="only added to"), operations._write() as connection:
        connection.execute(text(statement))


def test_an_order_moves_only_along_its_state_machine(item: str) -> None:
    order = order_of(item)
    with pytest.raises(Conflict, match="is waiting; it cannot become placed"):
        order.moved(OrderStatus.PLACED)
    done = order.moved(OrderStatus.REJECTED)
    for status in OrderStatus:
        with pytest.raises(Conflict):
            done.moved(status)
