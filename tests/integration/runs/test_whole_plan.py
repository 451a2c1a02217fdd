"""A run over part of the items shows the whole plan: in the session, in chat, on the screen and over HTTP."""

import shutil
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import WORLD_ITEMS, demo_home, demo_session, plan_trigger, settings_of
from jit_command import Jit
from serving import served
from statements import statements

from evals.worlds.demo import AS_OF
from graph.session import LocalSession, open_session
from graph.views.plans import PlanView
from graph.views.runs import Trigger, TriggerKind

PART = ("I002", "I008")


def planned_again(session: LocalSession, *item_ids: str) -> tuple[str, PlanView]:
    """The first run's id, and the current plan after another run over some items."""
    (first,) = session.runs(1)
    session.start(plan_trigger(*item_ids))
    return first.run_id, session.plan()


def test_a_plan_of_all_items_by_one_run_is_that_runs_plan(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        assert session.plan() == session.plan(session.runs(1)[0].run_id)
        assert session.plan().whole is None


def test_after_a_run_over_two_items_the_other_items_keep_their_plan_their_risks_and_their_options(
    tmp_path: Path,
) -> None:
    with demo_session(tmp_path) as session:
        before = session.plan()
        first, now = planned_again(session, *PART)
        latest = session.runs(1)[0].run_id
        assert now.run.run_id == latest
        assert {one.item_id: one.run_id for one in now.outlooks} == {
            one.item_id: latest if one.item_id in PART else first for one in before.outlooks
        }
        assert len(now.outlooks) == WORLD_ITEMS
        kept = [line for line in before.lines if line.item_id not in PART]
        assert [line for line in now.lines if line.item_id not in PART] == kept
        lost = {risk.item_ids for risk in before.risks} - {risk.item_ids for risk in now.risks}
        assert not {item_id for items in lost for item_id in items} - set(PART)
        assert {option.run_id for option in now.options} == {first, latest}
        assert now.whole is not None
        assert {part.run_id: len(part.item_ids) for part in now.whole.parts} == {latest: 2, first: WORLD_ITEMS - 2}
        own = session.plan(latest)
        assert {one.item_id for one in own.outlooks} == set(PART)
        assert own.whole is None


def test_figures_of_the_whole_plan_come_from_the_current_orders_of_all_runs(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        _, now = planned_again(session, *PART)
        assert now.whole is not None
        assert now.whole.pending_approvals == len(session.pending())
        living = [one for one in now.lines if one.status in ("waiting", "confirmed") and not one.under_way]
        assert now.whole.lines == len(living)
        assert now.kpis["order_value"] == now.whole.order_value
        assert now.whole.order_value == pytest.approx(sum(one.value for one in living if one.intent == "place"))


def test_orders_that_left_stay_in_the_picture_when_their_item_is_planned_again(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        left = [line for line in session.plan().lines if line.status == "confirmed"]
        items = {line.item_id for line in left}
        _, now = planned_again(session, *items)
        shown = [line for line in now.lines if line.under_way]
        assert Counter((one.line_id, one.quantity) for one in shown) == Counter((o.line_id, o.quantity) for o in left)
        session.start(plan_trigger())
        assert [line.row_id for line in session.plan().lines if line.under_way].count(shown[0].row_id) == 1
        assert len({line.row_id for line in session.plan().lines}) == len(session.plan().lines)


def test_what_the_latest_run_changed_is_marked(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        _, now = planned_again(session, *PART)
        changed = {change.line_id for change in now.changes if change.after_quantity}
        assert changed
        assert {line.line_id for line in now.lines if line.change} == changed
        marks = {one.item_id: one.change for one in now.outlooks if one.change}
        touched = {change.item_id for change in now.changes}
        assert marks == {item_id: "changed" if item_id in touched else "planned again" for item_id in PART}


def test_a_run_that_stopped_or_was_only_shown_decides_nothing(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        (first,) = session.runs(1)
        old = session.plan().run.dataset_version
        session.observe(1)
        trigger = Trigger(kind=TriggerKind.CLI, actor="ana", item_ids=PART, dataset_version=old)
        shown = session.plan(session.start(trigger))
        assert {line.status for line in shown.lines} <= {"shadow"}, "the case is a plan that is only shown"
        assert shown.outlooks
        now = session.plan()
        assert now.whole is not None
        assert now.run.run_id == shown.run.run_id
        assert [part.run_id for part in now.whole.parts] == [first.run_id]


def test_items_that_no_run_has_planned_are_named(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(*PART))
        whole = session.plan().whole
        assert whole is not None
        assert whole.items == 2
        assert len(whole.undecided) == WORLD_ITEMS - 2


def test_items_that_a_new_dataset_no_longer_has_disappear(tmp_path: Path) -> None:
    home = demo_home(tmp_path, planned=True)
    other = tmp_path / "other"
    other.mkdir()
    (other / "items.csv").write_text("item_id,unit_value\nI002,20\nNEW,20\n")
    (other / "suppliers.csv").write_text("supplier_id\nS1\n")
    (other / "offers.csv").write_text(
        "item_id,supplier_id,unit_price,moq,lead_time_days\nI002,S1,18,1,21\nNEW,S1,1,1,9\n"
    )
    (other / "stock.csv").write_text(f"item_id,on_hand,as_of\nI002,5,{AS_OF}\nNEW,5,{AS_OF}\n")
    (other / "demand.csv").write_text(
        "item_id,date,quantity\n"
        + "".join(
            f"{item},2026-{month:02d}-0{day},4\n" for item in ("I002", "NEW") for month in range(1, 7) for day in (1, 8)
        )
    )
    with closing(open_session(settings_of(home))) as session:
        assert session.import_folder(str(other), as_of=AS_OF)["version"]
        now = session.plan()
        assert {one.item_id for one in now.outlooks} <= {"I002"}
        assert {line.item_id for line in now.lines} <= {"I002"}
        assert now.whole is not None
        assert now.whole.undecided == ("NEW",)


def test_chat_answers_about_an_item_that_the_latest_run_left_alone(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        before = session.plan()
        risk = max(before.risks, key=lambda one: one.money_at_risk or 0.0)
        (item_id,) = risk.item_ids
        assert item_id not in PART
        planned_again(session, *PART)
        told = session.ask(f"What is the risk of {item_id}?", actor="ana").text
        assert risk.summary in told
        why = session.ask(f"Why {item_id}?", actor="ana")
        assert any(source.startswith(f"line:{item_id}") or source == f"outlook:{item_id}" for source in why.sources)
        status = session.ask("status", actor="ana").text
        assert f"The current plan holds {WORLD_ITEMS} items" in status
        largest = session.ask("What are the largest risks?", actor="ana").text
        assert risk.summary in largest.splitlines()[1]


def test_the_story_of_a_line_is_told_by_the_run_that_ordered_it(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        line = next(one for one in session.plan().lines if one.item_id == "I010")
        first, _ = planned_again(session, *PART)
        assert session.line_story(line.line_id).run_id == first


def test_several_runs_are_read_with_as_many_queries_as_two(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        session.start(plan_trigger("I002"))
        two = statements(session, lambda opened: opened.plan())
        for item_id in ("I008", "I010", "I014"):
            session.start(plan_trigger(item_id))
        whole = session.plan().whole
        assert whole is not None
        assert len(whole.parts) > 3
        assert statements(session, lambda opened: opened.plan()) == two <= 13


def test_the_terminal_and_a_server_show_the_whole_plan_and_what_one_run_planned(tmp_path: Path) -> None:
    home = demo_home(tmp_path, planned=True)
    jit = Jit(home)
    part = jit("plan", *PART, "--actor", "ana")
    assert "has the plan of every item" in " ".join(part.stdout.split())
    shown = jit("show")
    words = " ".join(shown.stdout.split())
    assert shown.returncode == 0
    assert f"The current plan of {WORLD_ITEMS} items" in words
    assert "38 items of the 40 that it planned by run-" in words
    assert "Current plan: " in words
    local = PlanView.model_validate_json(jit("show", "--json").stdout)
    explained = jit("explain", "I010")
    assert "I010 Syringe 5 ml: place" in explained.stdout
    copied = Path(shutil.copytree(home, tmp_path / "served"))
    with served(copied, tmp_path / "server.log") as server:
        over_http = PlanView.model_validate(server.get("/api/runs/latest"))
        latest = server.get("/api/runs")[0]["run_id"]
        alone = PlanView.model_validate(server.get(f"/api/runs/{latest}"))
    assert (over_http.whole, over_http.lines, over_http.outlooks) == (local.whole, local.lines, local.outlooks)
    assert alone.whole is None
    assert {one.item_id for one in alone.outlooks} == set(PART)
