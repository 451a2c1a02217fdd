"""What a person decided stays decided: rejections and edits bind the next runs until something material changed."""

import csv
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger, settings_of

from evals.worlds.demo import AS_OF, write_demo_world
from graph.session import LocalSession, open_session
from graph.views.orders import ApprovalView, LineView
from tools.domain.errors import Conflict, NotAllowed

ITEM = "I022"


def approval_of(session: LocalSession, item_id: str = ITEM) -> ApprovalView:
    return next(one for one in session.pending() if {line.item_id for line in one.lines} == {item_id})


def asks_for(session: LocalSession, item_id: str = ITEM) -> list[LineView]:
    """Lines of the item that wait for somebody."""
    return [line for one in session.pending() for line in one.lines if line.item_id == item_id]


def lines_of(session: LocalSession, run_id: str, status: str) -> list[LineView]:
    return [line for line in session.plan(run_id).lines if line.status == status]


def half_of(line: LineView) -> float:
    return line.quantity / 2 // line.figures["order_multiple"] * line.figures["order_multiple"]


def test_a_rejected_line_does_not_come_back_and_the_plan_says_why(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM))
        session.decide(approval_of(session).approval_id, "reject", "bob", "the warehouse is full")
        again = session.start(plan_trigger(ITEM))
        assert asks_for(session) == []
        (held,) = lines_of(session, again, "held")
        assert "bob rejected" in held.notes[0] and "the warehouse is full" in held.notes[0]
        assert session.plan(again).run.order_value == 0


def test_a_rejection_survives_a_restart_and_a_clock_that_moves(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM))
        session.decide(approval_of(session).approval_id, "reject", "bob", "no")
    with closing(open_session(settings_of(tmp_path / "home"))) as session:
        session.start(plan_trigger(ITEM))
        assert asks_for(session) == []


def test_a_rejection_until_a_day_ends_with_it(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM))
        today = next(one for one in session.datasets() if one.active).as_of
        session.decide(approval_of(session).approval_id, "reject", "bob", "next week", until=today)
        session.start(plan_trigger(ITEM))
        assert asks_for(session) == []
        session.observe(1)
        session.start(plan_trigger(ITEM))
        assert asks_for(session)


def test_a_rejected_line_comes_back_after_a_new_alert_and_says_what_changed(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM))
        rejected = approval_of(session)
        session.decide(rejected.approval_id, "reject", "bob", "too dear")
        supplier = rejected.lines[0].supplier_id
        alert = {
            "alert_id": "a-1",
            "kind": "delay",
            "node_id": supplier,
            "delay_days": 1,
            "source": "test",
            "received_at": "2026-07-01T08:00:00Z",
        }
        session.start(plan_trigger(ITEM).model_copy(update={"alerts": (alert,)}))
        lines = [line for line in asks_for(session) if line.supplier_id == supplier]
        assert lines
        reasons = " ".join(approval_of(session).reasons)
        assert "bob rejected" in reasons and "too dear" in reasons and f"new alert: delay at {supplier}" in reasons


def test_thresholds_are_settings(tmp_path: Path) -> None:
    """With a threshold of nothing every plan is a change, so that a rejected line comes back, and says so."""
    with demo_session(tmp_path, planned=False, material_quantity_percent=0) as session:
        session.start(plan_trigger(ITEM))
        session.decide(approval_of(session).approval_id, "reject", "bob", "no")
        session.start(plan_trigger(ITEM))
        assert asks_for(session)
        assert "Decided before" in " ".join(approval_of(session).reasons)


def test_an_edit_that_waits_keeps_its_quantity_in_the_next_plan(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM))
        first = approval_of(session)
        (line,) = first.lines
        session.decide(first.approval_id, "edit", "bob", "half will do", edits={line.line_id: half_of(line)})
        for _ in range(2):
            session.start(plan_trigger(ITEM))
            (asked,) = asks_for(session)
            assert asked.quantity == half_of(line)
            assert "half will do" in asked.notes[0]
        with pytest.raises(NotAllowed, match="somebody else"):
            session.decide(approval_of(session).approval_id, "approve", "bob")
        session.decide(approval_of(session).approval_id, "approve", "carol")


def test_the_rest_of_an_edited_and_signed_order_is_not_asked_for(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM))
        first = approval_of(session)
        (line,) = first.lines
        session.decide(first.approval_id, "edit", "bob", "half will do", edits={line.line_id: half_of(line)})
        session.decide(approval_of(session).approval_id, "approve", "carol")
        again = session.start(plan_trigger(ITEM))
        assert asks_for(session) == []
        (held,) = lines_of(session, again, "held")
        assert "half will do" in held.notes[0]


def test_an_edit_of_an_edit_is_measured_against_what_was_computed(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM))
        (line,) = approval_of(session).lines
        step = line.figures["order_multiple"]
        for actor, units in (("bob", line.quantity - step), ("carol", half_of(line))):
            session.decide(approval_of(session).approval_id, "edit", actor, "less", edits={line.line_id: units})
        session.start(plan_trigger(ITEM))
        (asked,) = asks_for(session)
        assert asked.quantity == half_of(line)


def test_a_decision_taken_back_lets_the_line_come_as_it_is_computed(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM))
        rejected = approval_of(session)
        with pytest.raises(Conflict, match="holds back no line"):
            session.reconsider(rejected.approval_id, "bob")
        session.decide(rejected.approval_id, "reject", "bob", "no")
        session.reconsider(rejected.approval_id, "carol", "yes after all")
        told = session.decisions(item=ITEM)
        assert [(one.kind, one.actor, one.reason) for one in told[:2]] == [
            ("reconsidered", "carol", "yes after all"),
            ("rejected", "bob", "no"),
        ]
        assert told[0].lines[0].after_quantity == told[1].lines[0].before_quantity
        session.start(plan_trigger(ITEM))
        (asked,) = asks_for(session)
        assert asked.quantity == rejected.lines[0].quantity
        assert not any("bob" in note for note in asked.notes)
        with pytest.raises(Conflict, match="holds back no line"):
            session.reconsider(rejected.approval_id, "carol")


def test_who_asks_for_a_plan_proposes_nothing_and_may_sign_it(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM, actor="ana"))
        waiting = approval_of(session)
        assert waiting.proposed_by == ("agent:planner",)
        assert session.decide(waiting.approval_id, "approve", "ana").decided_by == "ana"


def test_one_person_signs_their_own_edit_once_they_said_that_they_are_alone(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM))
        (line,) = approval_of(session).lines
        session.decide(approval_of(session).approval_id, "edit", "ana", "less", edits={line.line_id: half_of(line)})
        with pytest.raises(NotAllowed, match="somebody else"):
            session.decide(approval_of(session).approval_id, "approve", "ana")
        session.one_person("ana")
        assert any(row.event == "one_person" and row.actor == "ana" for row in session.journal(""))
        assert approval_of(session).own
        assert session.decide(approval_of(session).approval_id, "approve", "ana").status == "approved"


def test_one_person_is_one_only_while_nobody_else_may_sign(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        users = session._parts.operations
        users.add_user("ana", "manager")
        session.one_person("ana")
        assert session.status()["one_person"] is True
        users.add_user("vic", "viewer")
        assert session.status()["one_person"] is True
        users.add_user("bob", "buyer")
        assert session.status()["one_person"] is False
        with pytest.raises(Conflict, match="2 people may sign"):
            session.one_person("ana")


def test_the_dialog_shows_the_value_that_is_saved(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        tried = 0
        for waiting in session.pending():
            for line in waiting.lines:
                units = half_of(line) if line.figures.get("order_multiple") else 0.0
                if line.intent != "place" or units < line.figures["moq"]:
                    continue
                edits = {line.line_id: units}
                shown = session.preview_edit(waiting.approval_id, edits)
                assert session.approval(waiting.approval_id).status == "pending"
                saved, _ = _edited(session, waiting.approval_id, edits)
                assert saved == pytest.approx(shown.value)
                tried += 1
                break
        assert tried > 3


def _edited(session: LocalSession, approval_id: str, edits: dict[str, float]) -> tuple[float, str]:
    session.decide(approval_id, "edit", "bob", "half", edits=edits)
    order = session._parts.operations.orders_for([session.approval(approval_id).order_key])
    (found,) = order.values()
    return found.value, found.status.value


def test_an_edit_below_what_the_supplier_takes_says_so_before_it_is_signed(tmp_path: Path) -> None:
    write_demo_world(tmp_path / "world")
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(ITEM))
        (line,) = approval_of(session).lines
        suppliers = tmp_path / "world" / "suppliers.csv"
        with suppliers.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        for row in rows:
            row["min_order_value"] = str(0.9 * line.value if row["supplier_id"] == line.supplier_id else 0)
        with suppliers.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        session.import_folder(str(tmp_path / "world"), as_of=AS_OF)
        session.start(plan_trigger(ITEM))
        shown = approval_of(session)
        assert not any("takes none below" in reason for reason in shown.reasons)
        edited = {one.line_id: half_of(one) for one in shown.lines}
        session.decide(shown.approval_id, "edit", "bob", "less", edits=edited)
        told = [reason for reason in approval_of(session).reasons if "takes none below" in reason]
        assert len(told) == 1 and f"{line.supplier_id} takes none below" in told[0]


def test_an_edit_and_the_signature_on_it_reach_the_run_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_session(tmp_path, planned=False) as session:
        run_id = session.start(plan_trigger(ITEM))
        first = approval_of(session)
        (line,) = first.lines
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(session._driver, "deliver", lambda run_id: None)
            session.decide(first.approval_id, "edit", "bob", "less", edits={line.line_id: half_of(line)})
        session.decide(approval_of(session).approval_id, "approve", "carol", "so be it")
        assert session.plan(run_id).run.status == "done"
        checked = session.verify_journal()
        assert checked.ok, checked.reason


def test_a_second_edit_and_its_signature_reach_the_run_that_heard_of_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_session(tmp_path, planned=False) as session:
        run_id = session.start(plan_trigger(ITEM))
        (line,) = approval_of(session).lines
        least = line.figures["moq"]
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(session._driver, "deliver", lambda run_id: None)
            for who, units in (("bob", least + 2 * line.figures["order_multiple"]), ("erin", least)):
                session.decide(approval_of(session).approval_id, "edit", who, "less", edits={line.line_id: units})
        session.decide(approval_of(session).approval_id, "approve", "carol", "so be it")
        assert session.plan(run_id).run.status == "done"
        checked = session.verify_journal()
        assert (checked.ok, checked.decisions) == (True, 3), checked.reason
