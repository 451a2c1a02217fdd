"""A kill at any moment while the checkpoints of a closed run go: its plan is told unchanged afterwards."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import FEW_ITEMS, demo_home, plan_trigger, settings_of
from loaded_command import loaded_command

from graph.session import open_session
from graph.views.plans import PlanView
from store.operations import Operations

DYING = """
import os, signal, sys
from pathlib import Path
from langgraph.checkpoint.sqlite import SqliteSaver
from graph.session import open_session
from graph.settings import Settings
from store.operations import Operations

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def delete_half(saver, run_id):
    saver.conn.set_trace_callback(lambda sql: die() if sql.startswith("DELETE FROM writes") else None)
    whole(saver, run_id)

def delete_and_die(saver, run_id):
    whole(saver, run_id)
    die()

whole, moment = SqliteSaver.delete_thread, sys.argv[2]
if moment == "before anything is packed":
    Operations.pack_approvals = die
else:
    died = {"before the deletion": die, "within the deletion": delete_half, "after the deletion": delete_and_die}
    SqliteSaver.delete_thread = died[moment]
open_session(Settings.model_validate({"home": sys.argv[1], "llm_model": "", "database_url": ""}))
"""


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, PlanView]]:
    """A home with a closed run that still has its checkpoints, and what it tells."""
    home = demo_home(tmp_path_factory.mktemp("closed"))
    with closing(open_session(settings_of(home))) as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Operations, "closed_runs_with_checkpoints", lambda *_: [])
        first = session.start(plan_trigger("I001", "I002"))
        session.start(plan_trigger(*FEW_ITEMS, "I001"))
        told = session.plan(first)
    yield home, told


@pytest.mark.parametrize(
    "moment", ["before anything is packed", "before the deletion", "within the deletion", "after the deletion"]
)
def test_a_kill_while_checkpoints_go_loses_nothing_of_the_run(
    tmp_path: Path, closed: tuple[Path, PlanView], moment: str
) -> None:
    home, before = tmp_path / "home", closed[1]
    shutil.copytree(closed[0], home)
    done = loaded_command().run(["-c", DYING, str(home), moment], os.environ, tmp_path, 120)
    assert done.returncode == -9, done.stderr
    left = _checkpointed_runs(home)
    assert (before.run.run_id in left) == (moment != "after the deletion")
    with closing(open_session(settings_of(home))) as session:
        assert session.plan(before.run.run_id) == before
        assert session.replay(before.run.run_id)["identical"] is True
    assert before.lines
    assert _checkpointed_runs(home) == left - {before.run.run_id}


def _checkpointed_runs(home: Path) -> set[str]:
    with closing(sqlite3.connect(home / "operations.sqlite")) as raw:
        return {run for (run,) in raw.execute("SELECT thread_id FROM checkpoints UNION SELECT thread_id FROM writes")}
