"""A need is bought once: whoever plans, approves and edits at the same time, and whatever the clock says."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from demo_home import demo_session, plan_trigger
from postgres_cluster import postgres_cluster

from graph.session import LocalSession
from graph.views.orders import ApprovalView
from tools.domain.errors import Conflict

AUTOMATIC = "I002"
"""The demo world's item whose orders leave by themselves."""
SIGNED = ("I008", "I022")
ITEMS = (AUTOMATIC, *SIGNED)


def erp_lines(home: Path) -> Counter[tuple[str, str, float]]:
    """How often each item, supplier and quantity of ours stands in the ERP."""
    query = (
        "SELECT item_id, supplier_id, quantity FROM lines JOIN orders USING (erp_ref)"
        " WHERE idempotency_key NOT LIKE 'before:%' AND status <> 'cancelled'"
    )
    with closing(sqlite3.connect(home / "sandbox_erp.sqlite")) as raw:
        return Counter(raw.execute(query).fetchall())


def waiting_needs(session: LocalSession) -> Counter[tuple[str, str]]:
    """Runs that ask for each item: one owner is one run, whatever it split the need into."""
    runs = {(line.item_id, approval.run_id) for approval in session.pending() for line in approval.lines}
    return Counter(item for item, _ in runs)


def start_together(session: LocalSession, count: int, *item_ids: str) -> list[str]:
    """Start as many runs at the same moment."""
    start = Barrier(count)

    def work(number: int) -> str:
        start.wait()
        return session.start(plan_trigger(*item_ids, actor=f"user-{number}"))

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def approval_of(session: LocalSession, item_id: str) -> ApprovalView:
    return next(one for one in session.pending() if {line.item_id for line in one.lines} == {item_id})


def after_step(session: LocalSession, node: str, act: Callable[[], None], *item_ids: str) -> str:
    """A run during which something is done right after one of its steps."""
    run_id, done = "", False
    for step in session.stream(trigger=plan_trigger(*item_ids)):
        run_id = step.run_id
        if step.node == node and not done:
            act()
            done = True
    return run_id


def test_three_runs_at_once_place_each_automatic_order_once(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        start_together(session, 3, *ITEMS)
        placed = erp_lines(tmp_path / "home")
        assert placed and {item for item, _, _ in placed} == {AUTOMATIC}
        assert set(placed.values()) == {1}


@pytest.mark.postgres
def test_three_runs_at_once_on_postgres_place_each_automatic_order_once(tmp_path: Path) -> None:
    with postgres_cluster() as url, demo_session(tmp_path, planned=False, database_url=url) as session:
        start_together(session, 3, *ITEMS)
        placed, waiting = erp_lines(tmp_path / "home"), waiting_needs(session)
        assert {item for item, _, _ in placed} == {AUTOMATIC} and set(placed.values()) == {1}
        assert set(waiting) == set(SIGNED) and set(waiting.values()) == {1}


def test_runs_at_once_leave_one_owner_of_each_waiting_need(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        start_together(session, 3, *SIGNED)
        waiting = waiting_needs(session)
        assert set(waiting) == set(SIGNED) and set(waiting.values()) == {1}


def asked_for(session: LocalSession) -> set[tuple[str, str, float]]:
    """Item, supplier and quantity of every line that waits."""
    return {(line.item_id, line.supplier_id, line.quantity) for one in session.pending() for line in one.lines}


@pytest.fixture(scope="module")
def asked_after_an_approval(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str, float]]:
    """What a plan asks for that begins after the approval."""
    with demo_session(tmp_path_factory.mktemp("in-turn"), planned=False) as session:
        session.start(plan_trigger(*SIGNED))
        session.decide(approval_of(session, "I022").approval_id, "approve", "bob")
        session.start(plan_trigger(*SIGNED))
        return asked_for(session)


@pytest.mark.parametrize("node", ["sense", "choose_plan", "gate_plan"])
def test_an_order_approved_while_a_replan_is_under_way_is_not_asked_for_again(
    tmp_path: Path, node: str, asked_after_an_approval: set[tuple[str, str, float]]
) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(*SIGNED))
        first = approval_of(session, "I022")
        after_step(session, node, lambda: session.decide(first.approval_id, "approve", "bob") and None, *SIGNED)
        assert session.approval(first.approval_id).status == "approved"
        bought = ("I022", first.lines[0].supplier_id, first.lines[0].quantity)
        assert bought not in asked_for(session) == asked_after_an_approval
        assert erp_lines(tmp_path / "home") == {bought: 1}


def test_an_order_that_a_replan_replaced_can_no_longer_be_approved(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(*SIGNED))
        first = approval_of(session, "I022")
        again = session.start(plan_trigger(*SIGNED))
        with pytest.raises(Conflict, match="void"):
            session.decide(first.approval_id, "approve", "bob")
        assert approval_of(session, "I022").run_id == again
        assert erp_lines(tmp_path / "home") == {}


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_clock_that_is_set_back_or_forward_repeats_nothing(tmp_path: Path, hours: int) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session._parts.operations._clock = lambda: datetime.now(UTC) + timedelta(hours=hours)
        session.start(plan_trigger(AUTOMATIC))
        placed = erp_lines(tmp_path / "home")
        session.start(plan_trigger(AUTOMATIC))
        session.start(plan_trigger(AUTOMATIC))
        after = erp_lines(tmp_path / "home")
        assert placed and set(after.values()) == {1}
        assert sum(units for _, _, units in after) < 1.1 * sum(units for _, _, units in placed)


def test_a_plan_on_a_dataset_that_does_not_know_what_was_ordered_is_only_shown(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        older = next(one.version for one in session.datasets() if one.active)
        session.start(plan_trigger(*ITEMS))
        placed, waiting = erp_lines(tmp_path / "home"), session.pending()
        run_id = session.start(plan_trigger(*ITEMS).model_copy(update={"dataset_version": older}))
        plan = session.plan(run_id)
        assert plan.lines and {line.status for line in plan.lines} == {"shadow"}
        assert session.pending() == waiting and erp_lines(tmp_path / "home") == placed


def test_after_an_edit_the_plan_the_approval_and_the_erp_tell_the_same_quantity(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        run_id = session.start(plan_trigger(*SIGNED))
        first = approval_of(session, "I022")
        (line,) = first.lines
        half = line.quantity / 2 // line.figures["order_multiple"] * line.figures["order_multiple"]
        session.decide(first.approval_id, "edit", "bob", "half will do", edits={line.line_id: half})
        again = approval_of(session, "I022")
        assert _quantities(session, run_id, "I022") == {("waiting", half)}
        session.decide(again.approval_id, "approve", "carol")
        assert _quantities(session, run_id, "I022") == {("confirmed", half)}
        assert erp_lines(tmp_path / "home") == {("I022", line.supplier_id, half): 1}
        assert session.plan(run_id).run.order_value == pytest.approx(
            sum(known.value for known in session.plan(run_id).lines if known.status in ("confirmed", "waiting"))
        )


def _quantities(session: LocalSession, run_id: str, item_id: str) -> set[tuple[str, float]]:
    return {(line.status, line.quantity) for line in session.plan(run_id).lines if line.item_id == item_id}
