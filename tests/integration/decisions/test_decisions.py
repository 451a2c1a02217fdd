"""What was decided of orders stays visible for ever: in the session, on the screen and over HTTP."""

import gzip
import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import demo_home, demo_session, plan_trigger, settings_of, without_an_id
from jit_command import Jit
from pydantic import TypeAdapter
from serving import served
from statements import statements

from graph.session import LocalSession, open_session
from graph.views.decisions import DecisionKind, DecisionView
from graph.views.orders import ApprovalView
from tools.domain.errors import BadInput

VIEWS = TypeAdapter(list[DecisionView])
OLD = Path(__file__).parents[2] / "fixtures" / "operations-0d714e1.sqlite.gz"


def placing(session: LocalSession) -> list[ApprovalView]:
    return [one for one in session.pending() if one.lines[0].intent == "place"]


def of_kind(found: Sequence[DecisionView], kind: DecisionKind) -> DecisionView:
    (one,) = [decision for decision in found if decision.kind is kind]
    return one


Decided = tuple[ApprovalView, ApprovalView, ApprovalView]
"""An order signed and taken back, one rejected, one edited to half, as they waited."""


@pytest.fixture(scope="module")
def _decided_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Decided]:
    home = demo_home(tmp_path_factory.mktemp("decided"), planned=True)
    with closing(open_session(settings_of(home))) as session:
        return home, everything_decided(session)


@pytest.fixture
def decided(_decided_once: tuple[Path, Decided], tmp_path: Path) -> tuple[Path, Decided]:
    """A home where everything was decided, and the three orders."""
    made, orders = _decided_once
    return Path(shutil.copytree(made, tmp_path / "home")), orders


def everything_decided(session: LocalSession) -> Decided:
    """One order signed and taken back, one rejected, one edited to half; then a new plan replaces what waits."""
    signed, rejected = placing(session)[:2]
    edited = next(one for one in placing(session) if one.lines[0].item_id == "I007")
    session.decide(signed.approval_id, "approve", "bob", "agreed by phone")
    session.decide(rejected.approval_id, "reject", "bob", "too much")
    (line,) = edited.lines
    session.decide(edited.approval_id, "edit", "carol", "half will do", edits={line.line_id: line.quantity / 2})
    session.withdraw(signed.approval_id, "carol", "a mistake")
    session.start(plan_trigger())
    return signed, rejected, edited


def test_every_decision_tells_who_why_from_what_to_what_and_what_became_of_it(decided: tuple[Path, Decided]) -> None:
    home, (signed, rejected, edited) = decided
    with closing(open_session(settings_of(home))) as session:
        found = session.decisions()
        approval = of_kind(found, DecisionKind.APPROVED)
        assert (approval.actor, approval.reason, approval.approval_id) == ("bob", "agreed by phone", signed.approval_id)
        assert approval.value_before == approval.value_after == pytest.approx(signed.value)
        assert approval.became.startswith("Cancelled in the ERP as ")
        rejection = of_kind(found, DecisionKind.REJECTED)
        assert (rejection.actor, rejection.reason) == ("bob", "too much")
        assert [line.before_quantity for line in rejection.lines] == [line.quantity for line in rejected.lines]
        assert [line.after_quantity for line in rejection.lines] == [0.0] * len(rejected.lines)
        (line,) = of_kind(found, DecisionKind.EDITED).lines
        (asked,) = edited.lines
        assert (line.before_quantity, line.after_quantity) == (asked.quantity, asked.quantity / 2)
        assert (line.before_price, line.before_value) == (asked.unit_price, asked.value)
        assert line.after_value == pytest.approx(line.after_price * asked.quantity / 2)
        back = of_kind(found, DecisionKind.WITHDRAWN)
        assert (back.actor, back.reason, back.order_key) == ("carol", "a mistake", signed.order_key)


def test_an_edit_to_nothing_shows_what_it_dropped(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        order = placing(session)[0]
        session.decide(
            order.approval_id,
            "edit",
            "bob",
            "not now",
            edits=dict.fromkeys((line.line_id for line in order.lines), 0.0),
        )
        edit = of_kind(session.decisions(), DecisionKind.EDITED)
        assert [(line.before_quantity, line.after_quantity) for line in edit.lines] == [
            (line.quantity, 0.0) for line in order.lines
        ]
        assert edit.became == "Nothing was left of it; nothing was sent."


def test_orders_that_a_plan_replaced_are_one_entry_whose_lines_can_be_read(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        waiting = session.pending()
        run_id = session.start(plan_trigger())
        replaced = of_kind(session.decisions(), DecisionKind.REPLACED)
        assert (replaced.actor, replaced.orders) == (run_id, len(waiting))
        assert replaced.value_before == pytest.approx(sum(one.value for one in waiting), abs=0.1)
        inside = session.decisions(within=replaced.group)
        assert {one.order_key for one in inside} == {one.order_key for one in waiting}
        lines = {(one.order_key, line.line_id): line.before_quantity for one in inside for line in one.lines}
        assert lines == {(one.order_key, line.line_id): line.quantity for one in waiting for line in one.lines}


def test_orders_that_left_by_themselves_are_told_as_policys(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        left = of_kind(session.decisions(), DecisionKind.AUTOMATIC)
        confirmed = {line.order_key for line in session.plan().lines if line.status == "confirmed"}
        assert (left.actor, left.orders) == ("policy", len(confirmed))
        inside = session.decisions(within=left.group)
        assert {one.order_key for one in inside} == confirmed
        assert all(one.became.startswith("It stands in the ERP as ") for one in inside)


def test_decisions_are_found_by_item_supplier_and_person(decided: tuple[Path, Decided]) -> None:
    home, (_, rejected, _) = decided
    with closing(open_session(settings_of(home))) as session:
        carols = session.decisions(actor="carol")
        assert {one.kind for one in carols} == {DecisionKind.EDITED, DecisionKind.WITHDRAWN}
        of_item = session.decisions(item="i007")
        assert all("I007" in {line.item_id for line in one.lines} for one in of_item)
        assert DecisionKind.EDITED in {one.kind for one in of_item}
        by_name = session.decisions(supplier=rejected.supplier.lower())
        assert by_name
        assert {one.supplier for one in by_name} == {rejected.supplier}
        assert by_name == session.decisions(supplier=by_name[0].supplier_id)
        assert session.decisions(item="NOTHING") == []


def test_an_item_that_an_edit_dropped_is_still_found(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        order = next(one for one in placing(session) if len(one.lines) > 1)
        dropped = order.lines[0]
        session.decide(order.approval_id, "edit", "bob", "", edits={dropped.line_id: 0.0})
        edit = of_kind(session.decisions(item=dropped.item_id, actor="bob"), DecisionKind.EDITED)
        after = {line.line_id: line.after_quantity for line in edit.lines}
        assert after[dropped.line_id] == 0.0
        assert len([quantity for quantity in after.values() if quantity]) == len(order.lines) - 1


def test_pages_follow_each_other_without_a_gap_or_a_repeat(decided: tuple[Path, Decided]) -> None:
    with closing(open_session(settings_of(decided[0]))) as session:
        whole = session.decisions(limit=500)
        assert len(whole) > 5
        paged: list[DecisionView] = []
        while page := session.decisions(limit=2, before=paged[-1].cursor if paged else ""):
            paged += page
        assert paged == whole
        with pytest.raises(BadInput, match="no place in the history"):
            session.decisions(before="yesterday")


def test_a_page_is_one_query_however_many_lines_it_has(tmp_path: Path, decided: tuple[Path, Decided]) -> None:
    with demo_session(tmp_path / "few") as session:
        assert statements(session, lambda opened: opened.decisions()) == 1
    with closing(open_session(settings_of(decided[0]))) as session:
        assert statements(session, lambda opened: opened.decisions()) == 1


def test_nothing_is_dropped_by_replans_restarts_and_runs_whose_checkpoints_are_gone(
    decided: tuple[Path, Decided],
) -> None:
    home, _ = decided
    with closing(open_session(settings_of(home))) as session:
        before = session.decisions(limit=500)
    with closing(open_session(settings_of(home))) as session:
        assert session.decisions(limit=500) == before
        for _ in range(2):
            session.start(plan_trigger())
        assert session._parts.operations.closed_runs_with_checkpoints(100, None) == []
        after = session.decisions(limit=500)
    kept = {one.cursor: one for one in after}
    for one in before:
        now = kept[one.cursor]
        assert (now.kind, now.actor, now.reason, now.at, now.lines) == (
            one.kind,
            one.actor,
            one.reason,
            one.at,
            one.lines,
        )


def test_decided_lately_keeps_what_a_person_decided_however_many_orders_become_void(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        rejected = placing(session)[0]
        session.decide(rejected.approval_id, "reject", "bob", "too much")
        for _ in range(2):
            session.start(plan_trigger())
        found = session.decided(20)
        assert len(found) == 20
        assert found[0].approval_id == rejected.approval_id
        assert {one.status for one in found[1:]} == {"void"}


def test_decisions_of_a_home_of_the_first_version_are_told(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    for name in ("operations.sqlite", "operations.sqlite-wal", "operations.sqlite-shm"):
        (home / name).unlink(missing_ok=True)
    (home / "operations.sqlite").write_bytes(gzip.decompress(OLD.read_bytes()))
    without_an_id(home)
    with closing(open_session(settings_of(home))) as session:
        found = session.decisions(limit=500)
        kinds = [one.kind for one in found if one.kind is not DecisionKind.AUTOMATIC]
        assert sorted(kinds) == [DecisionKind.APPROVED, DecisionKind.APPROVED, DecisionKind.REJECTED]
        rejected = of_kind(found, DecisionKind.REJECTED)
        approvals = session._parts.operations.approvals("rejected")
        assert [(one.decided_by, one.reason, one.decided_at) for one in approvals] == [
            (rejected.actor, rejected.reason, rejected.at)
        ]
        assert sum(one.orders for one in found if one.kind is DecisionKind.AUTOMATIC) == 3
        waiting = placing(session)[0]
        session.decide(waiting.approval_id, "reject", "bob", "no longer")
        assert session.decisions(limit=1)[0].reason == "no longer"
        assert len(session.decisions(limit=500)) == len(found) + 1


def test_the_terminal_and_a_server_tell_the_same(decided: tuple[Path, Decided], tmp_path: Path) -> None:
    home, _ = decided
    with closing(open_session(settings_of(home))) as session:
        known = session.decisions()
    jit = Jit(home)
    shown = jit("decisions", "--by", "carol")
    words = " ".join(shown.stdout.split())
    assert shown.returncode == 0, shown.stderr
    assert "carol edited the order to Cedar Diagnostics" in words
    assert "I007 Gauze: place 1,860 → 930 pack at 11.41 → 11.62 USD" in words
    assert "Reason: half will do" in words
    whole = jit("decisions")
    assert "jit decisions --within replaced/" in whole.stdout
    with served(home, tmp_path / "server.log") as server:
        assert VIEWS.validate_python(server.get("/api/decisions")) == known
        assert VIEWS.validate_python(server.get("/api/decisions", by="carol")) == [
            one for one in known if one.actor == "carol"
        ]
        assert VIEWS.validate_json(jit("decisions", "--json").stdout) == known
        assert jit("decisions", "--before", "yesterday").returncode == 2
