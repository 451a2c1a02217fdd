"""Part of a waiting order planned again: the rest of it stays as it was planned, on every surface and in the ERP."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger, settings_of

from graph.rules import BUILT_IN_RULES
from graph.session import LocalSession, open_session
from graph.views.orders import ApprovalView, LineView


def order_of_several(session: LocalSession) -> ApprovalView:
    """The waiting order with most lines, all of them ordering something."""
    found = [one for one in session.pending() if {line.intent for line in one.lines} == {"place"}]
    return max(found, key=lambda one: len(one.lines))


def replanned(session: LocalSession, order: ApprovalView, wanted: str = "") -> tuple[str, ApprovalView]:
    """The run over one item of the order, by default its first, and what it asks the supplier for."""
    wanted = wanted or order.lines[0].item_id
    run_id = session.start(plan_trigger(wanted))
    kept = next(line.line_id for line in reversed(order.lines) if line.item_id != wanted)
    (again,) = [one for one in session.pending() if kept in {line.line_id for line in one.lines}]
    return run_id, again


def asked(lines: tuple[LineView, ...], *without: str) -> dict[str, tuple[float, float, str]]:
    return {
        line.line_id: (line.quantity, line.unit_price, line.expected_arrival)
        for line in lines
        if line.item_id not in without
    }


def test_the_rest_of_an_order_is_asked_for_again_as_it_was_planned(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        first, before = session.runs(1)[0].run_id, session.plan()
        order = order_of_several(session)
        assert len(order.lines) > 2, "the case is an order of several items"
        wanted = order.lines[0].item_id
        run_id, again = replanned(session, order)
        assert asked(again.lines, wanted) == asked(order.lines, wanted)
        assert {line.planned_by for line in again.lines if line.item_id != wanted} == {first}
        now = session.plan()
        assert {one.item_id: one.stock_p50 for one in now.outlooks} == {
            one.item_id: one.stock_p50 for one in before.outlooks
        } | {one.item_id: one.stock_p50 for one in now.outlooks if one.item_id == wanted}
        assert {line.item_id for line in now.lines if line.status == "waiting"} >= {x.item_id for x in again.lines}
        marked = {one.item_id for one in now.outlooks if one.change}
        assert marked == {wanted}
        stops = {item for risk in before.risks for item in risk.item_ids} - {wanted}
        assert stops <= {item for risk in now.risks for item in risk.item_ids}
        assert session.verify_journal().ok
        (chosen,) = [step.summary for step in now.steps if step.node == "choose_plan"]
        assert f"{sum(bool(line.planned_by) for line in now.lines)} lines of the same orders stay as planned" in chosen
        assert session.replay(run_id)["identical"] and session.replay(first)["identical"]
        planned = {one.item_id for one in session.plan(run_id).outlooks}
        assert planned >= {line.item_id for line in order.lines}


def test_a_kept_line_is_explained_and_edited_by_the_plan_that_computed_it(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        order = order_of_several(session)
        kept = order.lines[-1]
        told = session.line_story(kept.line_id)
        run_id, again = replanned(session, order)
        assert session.line_story(kept.line_id).curve == told.curve
        line = next(line for line in again.lines if line.line_id == kept.line_id)
        session.decide(again.approval_id, "edit", "mara", edits={kept.line_id: line.quantity * 2})
        (edited,) = [line for one in session.pending() for line in one.lines if line.line_id == kept.line_id]
        assert edited.quantity == line.quantity * 2 and edited.planned_by == line.planned_by != run_id


def test_kept_lines_are_bought_once_and_nothing_of_the_first_order_is_left(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        order = order_of_several(session)
        _, again = replanned(session, order)
        approved = session.decide(again.approval_id, "approve", "mara")
        assert approved.status == "approved"
        assert session.approval(order.approval_id).status == "void"
        lines = [line for line in session.plan().lines if line.line_id in asked(again.lines)]
        assert sorted(line.status for line in lines) == ["confirmed"] * len(again.lines)


def test_a_restart_between_the_two_plans_changes_nothing(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        order = order_of_several(session)
    shutil.copytree(tmp_path / "home", tmp_path / "other")
    found = []
    for home in ("home", "other"):
        with closing(open_session(settings_of(tmp_path / home))) as session:
            _, again = replanned(session, order)
            found.append(asked(again.lines))
    assert found[0] == found[1]


@pytest.mark.parametrize("rejected", [True, False])
def test_a_companion_that_a_person_turned_down_since_is_not_asked_for_again(tmp_path: Path, *, rejected: bool) -> None:
    """The order is replaced whole; had it been rejected, its lines would stay out as those of any other plan."""
    with demo_session(tmp_path) as session:
        order = order_of_several(session)
        if rejected:
            session.decide(order.approval_id, "reject", "mara", reason="Not this week.")
            session.start(plan_trigger(order.lines[0].item_id))
            waiting = {line.line_id for one in session.pending() for line in one.lines}
            assert not waiting & asked(order.lines).keys()
        else:
            _, again = replanned(session, order)
            assert asked(order.lines, order.lines[0].item_id).keys() <= asked(again.lines).keys()


def test_an_order_that_is_asked_for_again_and_again_does_not_grow(tmp_path: Path) -> None:
    """Nor does what is said of it, where alarms of drift concern every part of it."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        BUILT_IN_RULES.read_text().replace("drift_recent_observations: 4 ", "drift_recent_observations: 40 ")
    )
    with demo_session(tmp_path, planned=False, policy_file=rules) as session:
        session.start(plan_trigger())
        order = order_of_several(session)
        alarms = {verdict.subject for verdict in session.plan().verdicts if verdict.gate == "drift"}
        drifting = next(line.item_id for line in order.lines if line.item_id in alarms)
        said = list[int]()
        for _ in range(3):
            run_id, again = replanned(session, order, drifting)
            (stored,) = [one for one in session._parts.operations.orders_of(run_id) if one.order_key == again.order_key]
            said.append(len(stored.route.verdicts))
        assert len(set(said)) == 1
