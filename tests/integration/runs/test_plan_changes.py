"""A new plan says what it proposes otherwise than the plan before it: in the session, on the screen and in the page."""

import time
from pathlib import Path

from demo_home import demo_session, plan_trigger

from graph.reading.changes import LEFT
from graph.session import LocalSession
from graph.views.plans import ChangeView
from terminal.plans import change_in_words


def _change(before: float, after: float) -> ChangeView:
    return ChangeView(
        line_id="P01|S3#0",
        intent="place",
        item_id="P01",
        item="Latex",
        uom="kg",
        supplier="Cedar",
        before_quantity=before,
        after_quantity=after,
        since_run="r-1",
    )


def test_a_first_plan_has_nothing_to_differ_from_and_the_same_plan_again_does_not(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        assert session.plan().changes == ()
        again = session.start(plan_trigger())
        proposed = session.plan(again)
        assert proposed.lines
        assert [change for change in proposed.changes if change.before_quantity] == []


def test_after_an_alert_every_changed_line_is_named_with_both_quantities(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        first = session.plan(session.start(plan_trigger()))
        event = {"kind": "delay", "node_id": "S05", "delay_days": 60}
        alert = {"specversion": "1.0", "id": "m-1", "source": "edi", "type": "supplier.alert", "data": event}
        session.receive_alert("m-1", alert, "edi")
        run_id = _alert_run(session, first.run.run_id)
        after = session.plan(run_id)
        planned = {outlook.item_id for outlook in after.outlooks}
        before = {line.line_id: line for line in first.lines if line.item_id in planned and line.status not in LEFT}
        now = {line.line_id: line for line in after.lines}
        changed = {change.line_id: (change.before_quantity, change.after_quantity) for change in after.changes}
        assert changed
        for key, (was, is_now) in changed.items():
            assert (was, is_now) == (
                before[key].quantity if key in before else 0.0,
                now[key].quantity if key in now else 0.0,
            )
        same = [key for key in before.keys() & now.keys() if before[key].quantity == now[key].quantity]
        assert not changed.keys() & set(same)
        assert {change.since_run for change in after.changes} == {first.run.run_id}


def _alert_run(session: LocalSession, before: str) -> str:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        alert = session.alerts()[0]
        if alert.status in ("done", "failed"):
            assert alert.run_id not in (None, before)
            return alert.run_id
        time.sleep(0.05)
    raise AssertionError("the alert's run did not end")


def test_a_change_is_told_in_words() -> None:
    assert change_in_words(_change(900, 1200)) == "P01 from Cedar: 1,200 kg instead of 900"
    assert change_in_words(_change(0, 1200)) == "P01 from Cedar: 1,200 kg, new"
    assert change_in_words(_change(900, 0)) == "P01 from Cedar: no longer proposed (was 900 kg)"
