"""A need that several suppliers share: who is turned down is not made up for by asking the others again."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger

from graph.session import LocalSession
from graph.views.orders import LineView

ITEM = "I002"
"""Three suppliers share its need: the cheapest by sea in 104 days, two by road in 19 and 14."""


def asked(session: LocalSession, run_id: str) -> list[LineView]:
    """Lines that a plan asks for; what stays as it was decided is not asked for."""
    return [line for line in session.plan(run_id).lines if line.status != "held"]


def later_lines(folder: Path, rejected: Sequence[str]) -> list[LineView]:
    """What is asked for after some parts were rejected and everything else was signed, until nothing more is."""
    found = list[LineView]()
    with demo_session(folder, planned=False) as session:
        session.halt("ana", True)
        first = asked(session, session.start(plan_trigger(ITEM)))
        assert sorted(line.supplier_id for line in first) == ["S02", "S09", "S14"]
        for one in session.pending():
            answer = "reject" if one.lines[0].supplier_id in rejected else "approve"
            session.decide(one.approval_id, answer, "zoe", "as the meeting wants it")
        session.halt("ana", False)
        for _ in range(8):
            lines = asked(session, session.start(plan_trigger(ITEM)))
            found += lines
            for one in session.pending():
                session.decide(one.approval_id, "approve", "zoe", "needed")
            if not lines:
                return found
    raise AssertionError(f"Still asked for after eight plans: {found}")


@pytest.fixture(scope="module")
def without_a_rejection(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Units that later plans ask for where everything was signed at once."""
    return sum(line.quantity for line in later_lines(tmp_path_factory.mktemp("signed"), ()))


@pytest.mark.parametrize("rejected", [("S09", "S14"), ("S09",), ("S02", "S09")], ids="+".join)
def test_a_part_that_was_turned_down_is_asked_of_nobody_else(
    tmp_path: Path, rejected: tuple[str, ...], without_a_rejection: float
) -> None:
    """Only the rejected lines themselves may come back, and then they say why."""
    later = later_lines(tmp_path, rejected)
    back = [line for line in later if "Decided before" in " ".join(line.notes)]
    assert {line.supplier_id for line in back} <= set(rejected)
    assert sum(line.quantity for line in later if line not in back) <= without_a_rejection


@pytest.mark.parametrize("signed_first", ["S02", "S09", "S14"])
def test_a_part_that_was_signed_is_not_asked_for_again_on_that_day(tmp_path: Path, signed_first: str) -> None:
    """Without the other parts the engine would order the slow one again, and with all of them the next in turn."""
    with demo_session(tmp_path, planned=False) as session:
        session.halt("ana", True)
        first = asked(session, session.start(plan_trigger(ITEM)))
        whole = sum(line.quantity for line in first)
        (chosen,) = (one for one in session.pending() if one.lines[0].supplier_id == signed_first)
        session.decide(chosen.approval_id, "approve", "zoe", "at once")
        session.halt("ana", False)
        session.halt("ana", True)
        rest = asked(session, session.start(plan_trigger(ITEM)))
        assert {line.supplier_id for line in rest} == {"S02", "S09", "S14"} - {signed_first}
        bought = chosen.lines[0].quantity + sum(line.quantity for line in rest)
        assert 0.8 * whole <= bought <= 1.2 * whole
        for one in session.pending():
            session.decide(one.approval_id, "approve", "zoe", "as well")
        session.halt("ana", False)
        last = session.start(plan_trigger(ITEM))
        assert asked(session, last) == []
        said = [note for line in session.plan(last).lines for note in line.notes]
        assert not said or any("that day's plan asks for no more" in note for note in said)


def test_more_of_a_part_than_the_days_plan_asked_for_stays_where_a_person_wants_it(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.halt("ana", True)
        session.start(plan_trigger(ITEM))
        parts = {one.lines[0].supplier_id: one for one in session.pending()}
        session.decide(parts["S02"].approval_id, "approve", "zoe", "at once")
        session.start(plan_trigger(ITEM))
        (small,) = (one for one in session.pending() if one.lines[0].supplier_id == "S14")
        (line,) = small.lines
        session.decide(small.approval_id, "edit", "bob", "rather more", edits={line.line_id: 2 * line.quantity})
        again = asked(session, session.start(plan_trigger(ITEM)))
        assert {one.supplier_id: one.quantity for one in again}["S14"] == 2 * line.quantity
