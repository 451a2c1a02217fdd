"""A run that is over gives its checkpoints back and still tells everything; one that waits keeps them all."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from demo_home import FEW_ITEMS, demo_home, demo_session, on_postgres, plan_trigger, settings_of
from postgres_cluster import postgres_cluster
from sqlalchemy import create_engine, text

from graph.session import LocalSession, open_session
from graph.settings import Settings
from graph.views.runs import RunStatus
from store.operations import Operations

POSTGRES_TABLES = ("checkpoints", "checkpoint_writes", "checkpoint_blobs")


@contextmanager
def _held_back() -> Iterator[None]:
    """As an earlier version left it: checkpoints of closed runs stay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Operations, "closed_runs_with_checkpoints", lambda *_: [])
        yield


def _everything(session: LocalSession, run_id: str) -> dict[str, Any]:
    plan = session.plan(run_id)
    return {
        "plan": plan.model_dump(),
        "explained": session.explain(run_id).model_dump(),
        "line": session.explain(run_id, plan.lines[0].item_id).model_dump(),
        "story": session.line_story(plan.lines[0].line_id, run_id).model_dump(),
        "steps": [step.model_dump() for step in session.stream(run_id)],
        "decided": [view.model_dump() for view in session.decided(100)],
        "replayed": session.replay(run_id),
    }


def _checkpointed(url: str) -> set[str]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    tables = ("checkpoints", "writes") if url.startswith("sqlite") else POSTGRES_TABLES
    query = text(" UNION ".join(f"SELECT thread_id FROM {table}" for table in tables))  # noqa: S608
    with engine.connect() as connection:
        found = set(connection.execute(query).scalars())
    engine.dispose()
    return found


def _told_alike_without_checkpoints(settings: Settings) -> None:
    with closing(open_session(settings)) as session, _held_back():
        first = session.start(plan_trigger(*FEW_ITEMS))
        second = session.start(plan_trigger(*FEW_ITEMS))
        assert session.plan(first).run.status is RunStatus.DONE
        before = {run_id: _everything(session, run_id) for run_id in (first, second)}
    assert _checkpointed(settings.operations_url) >= {first, second}
    with closing(open_session(settings)) as session:
        assert first not in _checkpointed(settings.operations_url)
        assert second in _checkpointed(settings.operations_url)
        assert before[first]["replayed"]["identical"] is True
        assert before[second]["plan"]["changes"] is not None
        assert {run_id: _everything(session, run_id) for run_id in (first, second)} == before


def test_a_home_of_an_earlier_version_sheds_the_checkpoints_of_closed_runs_and_tells_the_same(tmp_path: Path) -> None:
    _told_alike_without_checkpoints(settings_of(demo_home(tmp_path)))


def test_the_same_in_postgres(tmp_path: Path) -> None:
    with postgres_cluster() as url:
        _told_alike_without_checkpoints(on_postgres(demo_home(tmp_path), url))


def test_a_superseded_run_sheds_its_checkpoints_when_the_next_is_planned(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        first = session.plan().run.run_id
        lines = session.plan().lines
        second = session.start(plan_trigger())
        assert _checkpointed(session._parts.settings.operations_url) == {second}
        assert [line.line_id for line in session.plan(first).lines] == [line.line_id for line in lines]
        told = {part.part: part.detail for part in session.diagnose()}
    assert re.search(
        r"MB: \d+\.\d MB checkpoints of runs that wait or go on \(1\), .*; a closed run keeps [1-9]\d kB",
        told["size of the operations database"],
    )
    assert re.search(r"MB artifacts, .* MB journal, .*; a run adds [1-9]\d* kB", told["size of the warehouse"])


def test_the_last_decision_closes_a_run_and_an_earlier_one_does_not(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        run_id, url = session.start(plan_trigger(*FEW_ITEMS)), session._parts.settings.operations_url
        *others, last = session.pending()
        for approval in others:
            session.decide(approval.approval_id, "reject", "bob")
        assert _checkpointed(url) == {run_id}
        session.decide(last.approval_id, "reject", "bob")
        assert session.plan().run.status is RunStatus.DONE
        assert _checkpointed(url) == set()
        assert session.plan().lines


def test_a_run_that_waits_keeps_every_checkpoint_while_others_close(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger(*FEW_ITEMS))
        session.start(plan_trigger(*FEW_ITEMS[:2]))
        waiting = {view.run_id for view in session.pending()}
        assert len(waiting) > 1
        before = _rows_of(tmp_path / "home", waiting)
        session._driver.recover()
        assert _rows_of(tmp_path / "home", waiting) == before
        for approval in session.pending():
            session.decide(approval.approval_id, "approve", "bob")
        assert {session.plan(run_id).run.status for run_id in waiting} == {RunStatus.DONE}


def _rows_of(home: Path, run_ids: set[str]) -> dict[str, tuple[int, int]]:
    with closing(sqlite3.connect(home / "operations.sqlite")) as raw:
        return {
            run_id: tuple(
                raw.execute(f"SELECT COUNT(*) FROM {table} WHERE thread_id = ?", (run_id,)).fetchone()[0]  # noqa: S608
                for table in ("checkpoints", "writes")
            )
            for run_id in run_ids
        }
