"""Drift in a sourcing run: found, judged, stored, shown, and the same in a replay."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger

from graph.facts.drift import as_records, judge, watched
from graph.rules import BUILT_IN_RULES
from graph.session import LocalSession
from policies.gates import default_rules

WARNED = "effect: warn"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSession]:
    with demo_session(tmp_path_factory.mktemp("drift")) as opened:
        yield opened


def with_demand_drift(effect: str, tmp_path: Path) -> Path:
    """The built-in rules with another effect of `demand_drift`."""
    text = BUILT_IN_RULES.read_text()
    before, rule, after = re.split(r"(- id: demand_drift\n(?:    .*\n)+)", text)
    path = tmp_path / "rules.yaml"
    path.write_text(before + rule.replace(WARNED, effect) + after)
    return path


def test_a_run_stores_its_alarms_with_the_limits_that_they_were_found_with(session: LocalSession) -> None:
    run_id = session.plan().run.run_id
    stored = session._parts.warehouse.artifact(run_id, "drift", "alarms")
    assert stored is not None
    assert stored["limits"]["drift_limit_hundredths"] == default_rules().limits["drift_limit_hundredths"]
    assert stored["watched"]["demand_level"] > 30 and stored["watched"]["lead_time"] > 5
    assert stored["alarms"]
    for alarm in stored["alarms"]:
        assert alarm["since_date"] <= alarm["at_date"] and alarm["observations_to_detect"] >= 2
        assert alarm["statistic"] > alarm["threshold"] and str(alarm["since_date"]) in alarm["reason"]


def test_the_journal_row_of_the_gate_counts_the_alarms_by_kind(session: LocalSession) -> None:
    run_id = session.plan().run.run_id
    (row,) = [row for row in session.journal(run_id) if row.node == "gate_drift" and row.event == "node"]
    told = row.payload["drift"]
    stored = session._parts.warehouse.artifact(run_id, "drift", "alarms")
    assert isinstance(told, dict) and stored is not None
    assert told["count"] == len(stored["alarms"]) and len(str(told["hash"])) == 64
    assert sum(int(told.get(kind, 0)) for kind in stored["watched"]) == told["count"]


def test_the_verdicts_stand_with_the_others_and_in_the_step_that_found_them(session: LocalSession) -> None:
    view = session.plan()
    drift = [verdict for verdict in view.verdicts if verdict.gate == "drift"]
    assert drift and {verdict.effect for verdict in drift} == {"warn"}
    known = {outlook.item_id for outlook in view.outlooks} | {line.supplier_id for line in view.lines}
    assert {verdict.subject for verdict in drift if verdict.rule != "lead_time_drift"} <= known
    (step,) = [step for step in view.steps if step.node == "gate_drift"]
    assert drift[0].reason in step.summary
    assert any(
        drift[0].subject in source or drift[0].rule in source for source in session.explain(None, drift[0].rule).sources
    )


def test_a_replay_finds_the_same_alarms_and_tells_when_the_stored_ones_were_others(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        run_id = session.plan().run.run_id
        assert session.replay(run_id)["drift_identical"] is True
        warehouse = session._parts.warehouse
        stored = warehouse.artifact(run_id, "drift", "alarms")
        assert stored is not None
        stored["alarms"][0]["since"] += 1
        warehouse.put_artifact(run_id, "drift", "alarms", stored)
        assert session.replay(run_id)["drift_identical"] is False


def test_a_policy_may_have_a_person_sign_what_drifts_or_drop_it(tmp_path: Path) -> None:
    with demo_session(tmp_path / "warned") as session:
        warned = {v.subject for v in session.plan().verdicts if v.rule == "demand_drift"}
        ordered = {line.item_id for line in session.plan().lines if line.status != "denied"}
    assert warned
    rules = with_demand_drift("effect: deny", tmp_path)
    rules.write_text(rules.read_text().replace("drift_recent_observations: 4 ", "drift_recent_observations: 40 "))
    with demo_session(tmp_path / "denied", planned=False, policy_file=rules) as session:
        view = session.plan(session.start(plan_trigger()))
        denied = {v.subject for v in view.verdicts if v.rule == "demand_drift"}
        assert denied > warned and denied & ordered
        touched = {line.order_key for line in view.lines if line.item_id in denied}
        assert {line.status for line in view.lines if line.order_key in touched} <= {"denied", "shadow"}


def test_no_drift_is_told_where_the_limits_are_wide(session: LocalSession) -> None:
    desk, version = session._parts.context.desk, session.plan().run.dataset_version
    dataset = desk.dataset(version)
    rules = default_rules()
    wide = replace(rules, limits={**rules.limits, "drift_limit_hundredths": 900, "drift_bias_limit_hundredths": 9000})
    report = watched(dataset, [], list(dataset.items), wide.limits)
    assert as_records(report) == [] and judge(report, wide) == []
    assert report.watched["lead_time"] > 5
