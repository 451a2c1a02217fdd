"""Long steps tell how far they are; a run that is cancelled while it computes leaves everything as it was."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from demo_home import demo_session, plan_trigger

from graph.computation import desk
from graph.run import watching
from graph.session import LocalSession
from graph.views.runs import UNDER_WAY, RunStatus, StepView
from tools.domain.errors import Conflict, NotFound
from tools.domain.progress import did, expect
from tools.ordering import PROFILES
from tools.ordering.pricing import items as pricing

LONG = 120.0
"""Seconds that guard against hanging only."""


@pytest.fixture
def told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of the demo are short: all of what they tell is heard, and a batch holds a few items."""
    monkeypatch.setattr(watching, "QUIET_SECONDS", -1.0)
    monkeypatch.setattr(watching, "BETWEEN_SECONDS", 0.0)
    monkeypatch.setattr(pricing, "BATCH_BYTES", 400_000)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[LocalSession]:
    with demo_session(tmp_path) as opened:
        yield opened


@pytest.mark.usefixtures("told_at_once")
def test_each_long_step_tells_how_far_it_is_until_all_of_it_is_done(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        steps = list(session.stream(trigger=plan_trigger()))
    told = [(node, list(group)) for node, group in groupby(steps, key=lambda step: step.node)]
    by_node: dict[str, list[StepView]] = {}
    for node, group in told:
        by_node.setdefault(node, group)
    for node in ("estimate", "compute_options", "choose_plan", "gate_lines"):
        *running, ended = by_node[node]
        assert running and ended.status == "ok"
        assert {step.status for step in running} == {UNDER_WAY}
        assert all(before.done < after.done for before, after in pairwise(running))
        assert running[-1].done == running[-1].expected
        assert all(f"{step.done:,} of {step.expected:,}" in step.summary for step in running)
    options = by_node["compute_options"]
    assert len(options) - 1 >= 2 * len(PROFILES)
    assert all(step.status != UNDER_WAY for step in steps if step.node in ("gate_autonomy", "order", "dispatch"))


@pytest.mark.usefixtures("told_at_once")
def test_what_an_earlier_run_took_tells_how_long_all_that_is_left_takes(session: LocalSession) -> None:
    steps = list(session.stream(trigger=plan_trigger()))
    told = [step for step in steps if step.status == UNDER_WAY and step.done]
    assert told and all(step.summary.endswith(" in all") for step in told)


class Long:
    """A pricing that does not end by itself."""

    def __init__(self) -> None:
        self.began = threading.Event()

    def __call__(self, *_: Any) -> Any:
        expect(100)
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            did(0)
            self.began.set()
            time.sleep(0.01)
        raise AssertionError("nobody ended it")


@pytest.mark.usefixtures("told_at_once")
def test_a_cancelled_run_orders_nothing_and_what_stood_before_it_stands(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, waiting = session.plan(), [one.approval_id for one in session.pending()]
    assert waiting
    with monkeypatch.context() as patched, ThreadPoolExecutor(1) as apart:
        endless = Long()
        patched.setattr(desk, "plan_options", endless)
        running = apart.submit(session.start, plan_trigger())
        assert endless.began.wait(LONG)
        (under_way,) = [run for run in session.runs() if run.status is RunStatus.RUNNING]
        last = list(session.stream(run_id=under_way.run_id))[-1]
        assert (last.node, last.status, last.expected) == ("compute_options", UNDER_WAY, 100)
        ended = session.cancel("ana", reason="the wrong file")
        run_id = running.result(LONG)
    assert ended.run_id == run_id == under_way.run_id
    assert (ended.status, ended.summary) == (RunStatus.STOPPED, "Cancelled by ana: the wrong file.")
    assert ended.ended_at is not None
    assert [one.approval_id for one in session.pending()] == waiting
    assert {line.line_id for line in session.plan().lines} == {line.line_id for line in before.lines}
    assert session.plan(run_id).lines == ()
    assert all(step.status != UNDER_WAY for step in session.stream(run_id=run_id))
    rows = session.journal(run_id) if run_id else ()
    assert any("Cancelled by ana" in str(row.payload.get("message", "")) for row in rows)
    assert [row.actor for row in session.journal() if row.event == "cancel"] == ["ana"]
    assert session.verify_journal().ok
    again = session.start(plan_trigger("I002", "I010"))
    assert session.plan(again).run.status is not RunStatus.STOPPED


def test_only_a_run_that_computes_is_cancelled(session: LocalSession) -> None:
    with pytest.raises(Conflict, match="No run computes"):
        session.cancel("ana")
    waits = session.plan().run.run_id
    with pytest.raises(Conflict, match="it is waiting"):
        session.cancel("ana", waits)
    with pytest.raises(NotFound):
        session.cancel("ana", "run-none")
    assert session.plan().run.status is RunStatus.WAITING
