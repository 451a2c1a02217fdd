"""What is remembered of decided lines, and how much was bought since: over SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date

import pytest
from order_cases import line_of, order_of, sealed
from postgres_cluster import postgres_cluster

from store.operations import Moved, Operations, Plan, Ruling, Window
from tools.domain.decisions import LineDecision, LineRuling
from tools.domain.errors import Conflict
from tools.domain.orders import Order, OrderStatus

WINDOW = Window(date(2026, 3, 2), date(2026, 3, 29))
KEY = ("I1", "MAIN", "S1", "", "I1#0")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def operations(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    if request.param == "sqlite":
        with closing(Operations(f"sqlite:///{tmp_path_factory.mktemp('lines')}/operations.sqlite")) as opened:
            yield opened
    else:
        with postgres_cluster() as url, closing(Operations(url)) as opened:
            yield opened


def published(operations: Operations, order: Order) -> Order:
    plan = Plan(order.run_id, operations.supply_seq(), ["I1"], {("I1", "MAIN"): WINDOW}, [order])
    assert not isinstance(operations.publish(plan), Moved)
    return order


def decided(order: Order, ruling: LineRuling, units: float) -> LineDecision:
    (line,) = order.lines
    return LineDecision(
        approval_id=order.route.approval_id,
        order_key=order.order_key,
        line_id=line.line_id,
        item_id="I1",
        site_id="MAIN",
        supplier_id=order.supplier_id,
        ruling=ruling,
        proposed_units=line.quantity,
        decided_units=units,
        list_price=line.list_price,
        stockout_bp=100,
        actor="bob",
        reason="less",
        alert_ids=frozenset({"a-1"}),
        until=date(2026, 3, 29),
    )


def rejected(operations: Operations) -> tuple[Order, LineDecision]:
    order = published(operations, order_of("I1", quantity=800))
    made = decided(order, LineRuling.REJECT, 0.0)
    ruling = Ruling(order.route.approval_id, "reject", "bob", "less", order.route.content_hash, lines=[made])
    operations.decide(ruling)
    return order, operations.line_decisions()[KEY]


def test_a_decision_is_remembered_as_it_was_made(operations: Operations) -> None:
    order, made = rejected(operations)
    assert replace(made, decided_on=None) == decided(order, LineRuling.REJECT, 0.0)
    assert operations.decisions_of_approval(order.route.approval_id) == [made]


def test_a_decision_that_is_refused_is_not_remembered(operations: Operations) -> None:
    order = published(operations, order_of("I1"))
    made = decided(order, LineRuling.REJECT, 0.0)
    with pytest.raises(Conflict):
        operations.decide(Ruling(order.route.approval_id, "reject", "bob", "", "another", lines=[made]))
    assert operations.line_decisions() == {}


def test_a_decision_taken_back_holds_nothing_and_moves_supply(operations: Operations) -> None:
    order, made = rejected(operations)
    under_way = Plan(
        "run-9", operations.supply_seq(), ["I1"], {("I1", "MAIN"): WINDOW}, [order_of("I1", run_id="run-9")]
    )
    operations.reconsider(order.route.approval_id, [replace(made, ruling=LineRuling.RECONSIDER, actor="carol")])
    assert operations.line_decisions() == {}
    assert operations.publish(under_way) == Moved((("I1", "MAIN"),))


@pytest.mark.parametrize(
    ("supplier", "said", "bought"),
    [("S1", "", 30.0), ("S2", "bob changed 800 to 30", 30.0), ("S2", "", 0.0)],
    ids=["the same supplier", "another under the decision", "another beside it"],
)
def test_bought_is_what_was_ordered_of_the_line_since(
    operations: Operations, supplier: str, said: str, bought: float
) -> None:
    _, made = rejected(operations)
    line = line_of("I1", 30).model_copy(update={"decided_before": said})
    order = order_of("I1", run_id="run-2", supplier_id=supplier, status=OrderStatus.APPROVED)
    published(operations, sealed(order.changed(lines=(line,))))
    assert operations.bought_since([made]).get(KEY, 0.0) == bought


def test_what_was_ordered_before_a_decision_or_came_to_nothing_is_not_bought(operations: Operations) -> None:
    published(operations, order_of("I1", run_id="run-0", status=OrderStatus.APPROVED))
    _, made = rejected(operations)
    later = published(operations, order_of("I1", run_id="run-2", status=OrderStatus.APPROVED))
    assert operations.bought_since([made]) == {KEY: 10.0}
    operations.note_in_erp({later.order_key: (OrderStatus.FAILED, "")})
    assert operations.bought_since([made]) == {}
    assert operations.bought_since([]) == {}


def test_two_offers_of_one_supplier_are_remembered_apart(operations: Operations) -> None:
    order = published(operations, order_of("I1", quantity=800))
    sea = decided(order, LineRuling.REJECT, 0.0)
    ruling = Ruling(
        order.route.approval_id,
        "reject",
        "bob",
        "less",
        order.route.content_hash,
        lines=[sea, replace(sea, line_id="I1|air#0", proposed_units=100.0)],
    )
    operations.decide(ruling)
    found = {made.line_id: made.proposed_units for made in operations.line_decisions().values()}
    assert found == {"I1#0": 800.0, "I1|air#0": 100.0}
