"""A run of which many orders wait takes decisions in together; each stands in the ledger at once."""

from contextlib import closing
from pathlib import Path

import pytest
from demo_home import demo_home, demo_session, settings_of

from graph.run import driver
from graph.session import LocalSession, open_session
from tools.domain.orders import OrderStatus


@pytest.fixture
def many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run counts as one of which many orders wait, and nothing is taken in behind the test's back."""
    monkeypatch.setattr(driver, "TAKEN_IN_AT_ONCE", -1)
    monkeypatch.setattr("graph.run.catching_up.LOOK_EVERY_SECONDS", 3600.0)


def resumed(session: LocalSession) -> int:
    """How often a decision set the run going again, as the journal has it."""
    session._parts.journal.project()
    return sum(row.event == "resume" for row in session.journal(session.runs()[0].run_id))


def test_decisions_stand_at_once_and_are_taken_in_together(many_wait: None, tmp_path: Path) -> None:
    home = demo_home(tmp_path, planned=True)
    with closing(open_session(settings_of(home))) as session:
        operations = session._parts.operations
        asked = session.pending()[:3]
        for approval in asked:
            session.decide(approval.approval_id, "approve", "mara")
        orders = operations.orders_for([approval.order_key for approval in asked])
        assert {order.status for order in orders.values()} <= {
            OrderStatus.PLACED,
            OrderStatus.CONFIRMED,
            OrderStatus.CHANGE_SENT,
        }
        assert len(operations.undelivered_decisions()) == 3
        assert resumed(session) == 0
    with closing(open_session(settings_of(home))) as session:
        assert session._parts.operations.undelivered_decisions() == []
        outcomes = {row.payload.get("order_key") for row in session.journal(session.runs()[0].run_id)}
        assert {approval.order_key for approval in asked} <= outcomes


def test_a_home_that_is_closed_has_taken_in_what_was_decided(many_wait: None, tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        operations = session._parts.operations
        first = session.pending()[0]
        session.decide(first.approval_id, "reject", "mara", "no room")
        session._driver.deliver_together()
        assert operations.undelivered_decisions() == []
        assert operations.orders_for([first.order_key])[first.order_key].status is OrderStatus.REJECTED


def test_the_last_orders_of_a_run_are_taken_in_at_once(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        while waiting := session.pending():
            session.decide(waiting[0].approval_id, "reject", "mara", "no room")
        assert session._parts.operations.undelivered_decisions() == []
        assert session.runs()[0].status == "done"
