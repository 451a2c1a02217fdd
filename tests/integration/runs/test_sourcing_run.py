"""One sourcing run end to end on the demo world: what it stores, what the journal holds, and what a replay gives."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import WORLD_ITEMS, demo_home, demo_session, plan_trigger, settings_of
from postgres_cluster import postgres_cluster

from graph.rules import BUILT_IN_RULES
from graph.session import LocalSession, open_session
from graph.views.runs import RunStatus
from tools.domain.errors import BadInput


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSession]:
    with demo_session(tmp_path_factory.mktemp("run")) as opened:
        yield opened


def test_every_item_gets_a_reason_and_every_line_its_formula_with_figures(session: LocalSession) -> None:
    view = session.plan()
    assert view.run.status is RunStatus.WAITING
    assert len(view.outlooks) == WORLD_ITEMS
    assert all(outlook.reason and outlook.dates and outlook.stock_p50 for outlook in view.outlooks)
    assert view.lines
    for line in view.lines:
        assert line.formula and line.quantity > 0
        wanted = {"cancel": "share_of_paths_that_need_it"}.get(line.intent, "inventory_position")
        assert wanted in line.figures, line.figures


def test_an_outlook_shows_the_demand_that_the_forecast_shows(session: LocalSession) -> None:
    for shown in (session.outlook("I010"), *(one for one in session.plan().outlooks if one.item_id == "I010")):
        forecast = session.forecast("I010")
        assert (shown.dates, shown.history_dates, shown.history) == (
            forecast.dates,
            forecast.history_dates,
            forecast.history,
        )
        bands = (shown.demand_p10, shown.demand_p50, shown.demand_p90)
        assert bands == tuple(forecast.quantiles[level] for level in ("0.1", "0.5", "0.9"))
        assert (shown.forecast_model, shown.demand_pattern) == (forecast.model, forecast.pattern)


def test_one_option_is_chosen_in_every_group_and_the_choice_has_a_reason(session: LocalSession) -> None:
    options = session.plan().options
    chosen = Counter(option.group for option in options if option.chosen)
    assert set(chosen) == {option.group for option in options} and set(chosen.values()) == {1}
    assert all(option.reason for option in options if option.chosen)


def test_the_demo_shows_orders_that_leave_by_themselves_and_orders_for_each_tier(session: LocalSession) -> None:
    run = session.plan().run
    assert run.dispatched > 0
    assert {approval.tier for approval in session.pending()} == {"buyer", "manager"}


def test_the_steps_come_in_the_order_of_the_design(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        nodes = list(dict.fromkeys(step.node for step in session.stream(trigger=plan_trigger("I001", "I002", "I003"))))
    expected = ["sense", "gate_data", "estimate", "gate_drift", "assess_risk", "compute_options", "choose_plan"]
    expected += ["limit_prices", "negotiate", "gate_lines", "gate_plan", "gate_autonomy"]
    assert [node for node in nodes if node in expected] == expected


def _checkpointed_tasks(home: Path, run_id: str) -> dict[str, bool]:
    """Task id of every node execution that the checkpointer holds, to whether it finished (or still waits)."""
    with closing(sqlite3.connect(home / "operations.sqlite")) as raw:
        rows = raw.execute(
            "SELECT task_id, max(channel NOT IN ('__interrupt__', '__resume__', '__error__')) FROM writes"
            " WHERE thread_id = ? AND task_path NOT LIKE '%__start__' GROUP BY task_id",
            (run_id,),
        ).fetchall()
    return {task_id: bool(finished) for task_id, finished in rows}


def test_the_journal_has_a_row_for_every_node_attempt_that_the_checkpoints_know(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        run_id = session.plan().run.run_id
        for approval in session.pending()[:3]:
            session.decide(approval.approval_id, "approve", "bob")
        rows = [row for row in session._parts.journal.transitions(run_id) if row.event == "node"]
        assert session.verify_journal().ok
    statuses: dict[str, list[str]] = {}
    for row in rows:
        statuses.setdefault(str(row.body["checkpoint_ns"]).split(":")[-1], []).append(row.status)
    tasks = _checkpointed_tasks(tmp_path / "home", run_id)
    assert len(tasks) > 40 and set(statuses) == set(tasks)
    for task_id, finished in tasks.items():
        assert statuses[task_id].count("ok") == finished, task_id
        assert finished or set(statuses[task_id]) == {"interrupted"}, task_id


def test_attempts_count_up_when_a_decision_starts_a_node_again(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        run_id = session.plan().run.run_id
        session.decide(session.pending()[0].approval_id, "approve", "bob")
        journal = session.journal(run_id)
    asked = [row for row in journal if row.node == "await_approval" and row.event == "node"]
    assert max(row.attempt for row in asked) == 2
    assert [row for row in journal if row.event == "resume"]
    assert {"interrupt", "route", "node", "resume", "erp"} <= {row.event for row in journal}


def test_the_journal_says_who_decided_in_every_agents_node(session: LocalSession) -> None:
    journal = session.journal(session.plan().run.run_id)
    for node in ("assess_risk", "choose_plan", "negotiate"):
        decided = [row.payload.get("decided_by") for row in journal if row.node == node and row.event == "node"]
        assert decided and set(decided) == {"rules"}, node


def test_a_replay_from_the_snapshot_gives_the_same_plan_bit_for_bit(session: LocalSession) -> None:
    run_id = session.plan().run.run_id
    found = session.replay(run_id)
    assert found["identical"] is True and found["stored"] == found["replayed"]


def test_a_changed_stored_plan_is_not_identical_on_replay(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        run_id = session.plan().run.run_id
        warehouse = session._parts.warehouse
        stored = warehouse.artifact(run_id, "plan", "choice")
        assert stored is not None
        stored["plan_hash"][0][1] += 1
        warehouse.put_artifact(run_id, "plan", "choice", stored)
        assert session.replay(run_id)["identical"] is False


def test_an_unknown_item_is_refused_with_examples(session: LocalSession) -> None:
    with pytest.raises(BadInput, match="no item I999") as caught:
        session.start(plan_trigger("I999"))
    assert "I001" in str(caught.value)


def test_the_same_run_lives_in_postgres(tmp_path: Path) -> None:
    with postgres_cluster() as url, demo_session(tmp_path, planned=False, database_url=url) as session:
        session.start(plan_trigger())
        approval = session.pending()[0]
        decided = session.decide(approval.approval_id, "approve", "bob")
        assert decided.status == "approved"
        assert session.plan().run.dispatched >= 1
        assert session.verify_journal().ok


def test_a_budget_in_the_policy_shapes_the_plan_instead_of_stopping_it(tmp_path: Path) -> None:
    free = demo_home(tmp_path / "free", planned=True)
    with closing(open_session(settings_of(free))) as session:
        whole = session.plan().run.order_value
    tight = tmp_path / "rules.yaml"
    cents = int(whole * 100 / 2)
    tight.write_text(re.sub(r"budget_cents: -1\b", f"budget_cents: {cents}", BUILT_IN_RULES.read_text()))
    with demo_session(tmp_path, planned=False, policy_file=tight) as session:
        view = session.plan(session.start(plan_trigger()))
    assert 0 < view.run.order_value <= cents / 100
    assert view.lines and not [verdict for verdict in view.verdicts if verdict.rule == "budget"]
