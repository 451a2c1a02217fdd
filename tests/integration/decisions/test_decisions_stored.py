"""One conformance suite of the history of decisions and of who decides an item, over SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from order_cases import order_of, sealed
from sqlalchemy import text

from erp.actions import cancelling, queued_actions
from store.ledger.decision_history import DecisionFilter
from store.operations import Moved, Operations, Plan, Ruling, Window
from store.packing import unpacked
from tools.domain.orders import Order, OrderStatus

WINDOW = Window(date(2026, 3, 2), date(2026, 3, 29))


@pytest.fixture(scope="module")
def operations(operations_url: str) -> Iterator[Operations]:
    with closing(Operations(operations_url)) as opened:
        yield opened


@pytest.fixture
def item() -> str:
    """An item of this test alone."""
    return f'it"em-{uuid4().hex[:8]}'


def run() -> str:
    return f"run-{uuid4().hex[:8]}"


def publish(operations: Operations, *orders: Order, items: tuple[str, ...] = (), decides: bool = True) -> None:
    named = {item_id for order in orders for item_id in order.item_ids} | set(items)
    plan = Plan(
        run_id=orders[0].run_id,
        seq=operations.supply_seq(),
        item_ids=sorted(named),
        needs={(item_id, "MAIN"): WINDOW for item_id in named},
        orders=orders,
        actions=[a for order in orders if order.status is OrderStatus.APPROVED for a in queued_actions(order)],
        decides=decides,
    )
    assert not isinstance(operations.publish(plan), Moved)


def rule(operations: Operations, order: Order, decision: str, edited: Order | None = None) -> None:
    actions = queued_actions(order) if decision == "approve" else []
    route = order.route
    operations.decide(
        Ruling(route.approval_id, decision, "bob", f"why {decision}", route.content_hash, None, edited, actions)
    )


def edited_to(order: Order, quantity: float) -> Order:
    (line,) = order.lines
    changed = line.model_copy(update={"quantity": quantity, "value": quantity * line.unit_price})
    return sealed(order.changed(lines=(changed,), edited=True))


def test_the_latest_published_plan_decides_an_item_and_one_that_is_only_shown_decides_none(
    operations: Operations, item: str
) -> None:
    other = f"{item}-2"
    first, second, shown = order_of(item, run_id=run()), order_of(item, run_id=run()), order_of(item, run_id=run())
    publish(operations, first, items=(other,))
    assert {name: operations.deciding_runs()[name] for name in (item, other)} == dict.fromkeys(
        (item, other), first.run_id
    )
    publish(operations, second)
    publish(operations, shown.changed(status=OrderStatus.GATED), decides=False)
    deciding = operations.deciding_runs()
    assert (deciding[item], deciding[other]) == (second.run_id, first.run_id)
    assert list(deciding).index(item) < list(deciding).index(other), "what was decided last comes first"
    (line,) = second.lines
    assert operations.run_of_line(line.line_id) == second.run_id
    assert operations.run_of_line("nothing") is None


def test_a_decision_keeps_its_order_as_it_was_asked_for_and_as_it_was_left(operations: Operations, item: str) -> None:
    order = order_of(item, run_id=run())
    publish(operations, order)
    half = edited_to(order, 5.0)
    rule(operations, order, "edit", half)
    rule(operations, half, "approve")
    operations.withdraw(half.route.approval_id, "carol", "a mistake", cancelling)
    back, signed, edit = operations.decisions(DecisionFilter(item_id=item), 10)
    assert (edit.decision, edit.actor, edit.reason) == ("edit", "bob", "why edit")
    assert ([line.quantity for line in edit.asked.lines], [line.quantity for line in edit.became.lines]) == (
        [10.0],
        [5.0],
    )
    assert (signed.decision, signed.after) == ("approve", "approved")
    assert [line.quantity for line in signed.asked.lines] == [5.0]
    assert (back.actor, back.reason, back.after) == ("carol", "a mistake", "withdrawn")
    assert {one.latest.status for one in (back, signed, edit)} == {OrderStatus.WITHDRAWN}


def test_what_one_plan_replaced_is_one_row_that_opens(operations: Operations, item: str) -> None:
    first, again = run(), run()
    waiting = [order_of(item, run_id=first, supplier_id=name) for name in ("S1", "S2", "S3")]
    publish(operations, *waiting)
    publish(operations, order_of(item, run_id=again))
    (row,) = operations.decisions(DecisionFilter(item_id=item), 10)
    assert (row.orders, row.value_cents, row.actor) == (3, 7500, again)
    inside = operations.decisions(DecisionFilter(within=row.group), 10)
    assert [one.asked.order_key for one in inside] == [order.order_key for order in reversed(waiting)]
    assert {one.orders for one in inside} == {1}


def test_pages_go_on_where_the_last_one_ended(operations: Operations, item: str) -> None:
    for _ in range(5):
        order = order_of(item, run_id=run())
        publish(operations, order)
        rule(operations, order, "reject")
    wanted = DecisionFilter(item_id=item, actor="bob")
    whole = operations.decisions(wanted, 10)
    assert len(whole) == 5
    first = operations.decisions(wanted, 2)
    assert first + operations.decisions(wanted, 10, first[-1].cursor) == whole
    assert operations.decisions(replace(wanted, supplier_id="S9"), 10) == []


def test_items_of_plans_from_before_are_known_after_the_upgrade(operations_url: str, item: str) -> None:
    """A home whose ledger did not yet keep which plan decides an item."""
    other, (one, two, three) = f"{item}-2", (run(), run(), run())
    told = "ordering would buy the same need again, so this plan is only shown."
    shown = order_of(item, run_id=three).changed(status=OrderStatus.GATED, reason=told)
    with closing(Operations(operations_url)) as operations:
        publish(operations, order_of(item, run_id=one), order_of(other, run_id=one))
        publish(operations, order_of(other, run_id=two))
        publish(operations, shown, decides=False)
        with operations._write() as connection:
            for key, body in connection.execute(text("SELECT order_key, body FROM orders")).all():
                plain = {"key": key, "body": Order.model_validate_json(unpacked(body)).model_dump_json()}
                connection.execute(text("UPDATE orders SET body = :body WHERE order_key = :key"), plain)
            connection.execute(text("DROP TABLE planned_items"))
            connection.execute(text("ALTER TABLE publications DROP COLUMN decides"))
            connection.execute(text("DELETE FROM migrations WHERE name = '0004_planned_items'"))
    with closing(Operations(operations_url)) as operations:
        deciding = operations.deciding_runs()
        assert (deciding[item], deciding[other]) == (one, two)
        assert [found.run_id for found in operations.publications_until(two, 2)] == [two, one]
        publish(operations, order_of(item, run_id=(four := run())))
        assert [found.run_id for found in operations.publications_until(four, 2)] == [four, two]


def test_decisions_of_an_earlier_version_are_found_by_the_items_in_their_plain_forms(
    operations: Operations, item: str
) -> None:
    order, before = order_of(f"{item}-now", run_id=run()), order_of(item)
    publish(operations, order)
    rule(operations, order, "reject")
    assert operations.decisions(DecisionFilter(item_id=item), 10) == []
    insert = text(
        "INSERT INTO order_history (order_key, before, after, actor, reason, at, seq, body)"
        " VALUES (:key, 'proposed', 'waiting', 'policy', '', '2026-03-01T08:00:00+00:00', 1, :body)"
    )
    with operations._write() as connection:
        connection.execute(insert, {"key": order.order_key, "body": before.model_dump_json()})
    (found,) = operations.decisions(DecisionFilter(item_id=item), 10)
    assert found.latest.order_key == order.order_key
    assert len(operations.decisions(DecisionFilter(item_id=f"{item}-now"), 10)) == 1
