"""An ERP that holds what was never sent, or what ended here: bought once, nothing lost, and told in a sentence."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger

from erp.actions import actions_of
from graph.session import LocalSession
from tools.domain.errors import Conflict
from tools.domain.orders import Order, OrderStatus


@pytest.fixture
def session(tmp_path: Path) -> Iterator[LocalSession]:
    with demo_session(tmp_path) as opened:
        yield opened


def _waiting(session: LocalSession) -> Order:
    """A waiting order that places goods."""
    return next(order for order in session._parts.operations.waiting_orders() if not order.changes)


def _placed_by_nobody(session: LocalSession, order: Order, key: str = "") -> str:
    """The ERP holds and confirms an order that this program did not send."""
    (action,) = actions_of(order)
    erp = session._parts.erp
    made = erp.submit(action.model_copy(update={"key": key or action.key}))
    erp.confirm(made.erp_ref, f"{made.key}:confirm")
    return made.erp_ref


def _on_order(session: LocalSession, item_id: str) -> float:
    desk, active = session._parts.context.desk, session._parts.warehouse.active_version()
    assert active is not None
    return sum(order.quantity for order in desk.dataset(active).open_orders if order.item_id == item_id)


def _told(session: LocalSession) -> list[str]:
    return [str(row.payload["text"]) for row in session.journal() if row.event == "unexplained"]


@pytest.mark.parametrize(
    ("decision", "said"), [("", "waiting"), ("reject", "rejected"), ("withdraw", "withdrawn"), ("unknown", "no order")]
)
def test_an_order_that_was_never_sent_counts_once_and_is_told(session: LocalSession, decision: str, said: str) -> None:
    order = _waiting(session)
    line, approval_id = order.lines[0], order.route.approval_id
    before = _on_order(session, line.item_id)
    if decision == "reject":
        session.decide(approval_id, "reject", "bob", "too much")
    elif decision == "withdraw":
        session.halt("bob")
        session.decide(approval_id, "approve", "bob")
        session.withdraw(approval_id, "bob", "a mistake")
        session.halt("bob", on=False)
    ref = _placed_by_nobody(session, order, "ab" * 32 if decision == "unknown" else "")
    run_id = session.start(plan_trigger(line.item_id))
    assert _on_order(session, line.item_id) == before + line.quantity
    again = [made for made in session._parts.operations.orders_of(run_id) if line.item_id in made.item_ids]
    assert not [made for made in again if made.places and made.status in (OrderStatus.PLACED, OrderStatus.CONFIRMED)]
    (sentence,) = _told(session)
    assert said in sentence and ref in sentence
    (part,) = [part for part in session.diagnose() if part.part == "orders in the ERP"]
    assert ref in part.detail
    assert session.observe()["unexplained"] == [sentence]
    assert _told(session) == [sentence], "told once"
    assert session.verify_journal().ok


def test_a_waiting_approval_whose_order_the_erp_holds_can_no_longer_be_approved(session: LocalSession) -> None:
    order = _waiting(session)
    _placed_by_nobody(session, order)
    session.observe()
    with pytest.raises(Conflict, match="Nothing was ordered"):
        session.decide(order.route.approval_id, "approve", "bob")


def test_an_approved_order_that_the_erp_holds_before_it_was_sent_is_adopted(session: LocalSession) -> None:
    order = _waiting(session)
    session.halt("bob")
    session.decide(order.route.approval_id, "approve", "bob")
    ref = _placed_by_nobody(session, order)
    before = _on_order(session, order.lines[0].item_id)
    session.observe()
    assert _on_order(session, order.lines[0].item_id) == before + order.lines[0].quantity
    session.halt("bob", on=False)
    session._parts.context.outbox.drain()
    held = session._parts.operations.orders_for([order.order_key])[order.order_key]
    assert (held.erp_ref, held.status) == (ref, OrderStatus.CONFIRMED)
    assert _told(session) == []


def test_an_order_that_is_cancelled_here_and_open_in_the_erp_is_told(session: LocalSession) -> None:
    operations = session._parts.operations
    order = next(made for made in operations.orders_in([OrderStatus.PLACED, OrderStatus.CONFIRMED]) if made.places)
    operations.note_in_erp({order.order_key: (OrderStatus.CANCELLED, order.erp_ref)}, "by mistake")
    session.observe()
    (sentence,) = _told(session)
    assert f"order {order.order_key} is cancelled here" in sentence
