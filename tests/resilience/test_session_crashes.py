"""kill -9 anywhere in a run or a decision: the next start goes on, and the ERP gets each order exactly once."""

import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from demo_home import demo_home, settings_of
from jit_command import Jit
from loaded_command import loaded_command

from graph.session import open_session

VICTIM = Path(__file__).with_name("session_victim.py")


def _outcomes(kind: str, home: Path, folder: Path, points: int, words: str = "") -> list[dict[str, Any]]:
    asked = [str(VICTIM), kind, str(home), str(folder), str(points), words]
    run = loaded_command().run(asked, os.environ, home.parent, 280)
    assert run.returncode == 0, run.stderr[-2000:]
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_a_decision_killed_anywhere_reaches_the_erp_exactly_once(tmp_path: Path) -> None:
    home = demo_home(tmp_path, planned=True)
    with closing(open_session(settings_of(home))) as session:
        before = len(session._parts.operations.outbox())
    found = _outcomes("decide", home, tmp_path / "killed", 6)
    assert len(found) == 6
    for after in found:
        where = f"killed before statement {after['point']}"
        assert after["undelivered"] == 0 and after["journal"], where
        assert len(after["outbox"]) == before + after["approved"], where
        assert all(status == "done" for _, status in after["outbox"]), where
        assert sorted(after["placed"]) == sorted(key for key, _ in after["outbox"]), where
    assert {after["approved"] for after in found} == {0, 1}


@pytest.mark.parametrize(("points", "words"), [(4, ""), (4, "INTO checkpoints ")])
def test_a_run_killed_anywhere_goes_on_at_the_next_start(tmp_path: Path, points: int, words: str) -> None:
    """Before a checkpoint, too: then every node of a step has written, and only the checkpoint is missing."""
    found = _outcomes("plan", demo_home(tmp_path), tmp_path / "killed", points, words)
    assert len(found) == points
    for after in found:
        where = f"killed before statement {after['point']}: {after}"
        assert list(after["runs"].values()) in ([], ["waiting"]), where
        assert bool(after["pending"]) == bool(after["runs"]), where
        assert after["journal"] and all(status == "done" for _, status in after["outbox"]), where
        assert sorted(after["placed"]) == sorted(key for key, _ in after["outbox"]), where
    assert len({len(after["placed"]) for after in found if after["runs"]}) == 1


@pytest.mark.parametrize(("points", "words"), [(4, "inbox"), (1, "finished_at ="), (1, "INTO messages")])
def test_an_alert_killed_anywhere_is_planned_once_and_told_once(tmp_path: Path, points: int, words: str) -> None:
    """Between its run and its settlement, too, and between its settlement and the message that tells of it."""
    found = _outcomes("alert", demo_home(tmp_path), tmp_path / "killed", points, words)
    assert len(found) == points
    for after in found:
        where = f"killed before statement {after['point']} of {words}: {after}"
        assert {status for _, status, _ in after["alerts"]} <= {"done"}, where
        assert {run_id for *_, run_id in after["alerts"]} == set(after["runs"]), where
        assert sorted(after["told"]) == sorted(after["runs"]), where
        assert after["journal"] and all(status == "done" for _, status in after["outbox"]), where
    if points == 1:
        assert all(after["alerts"] for after in found)


def test_a_process_killed_while_an_approval_is_pending_loses_nothing(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    reader, writer = os.pipe()
    victim = loaded_command().start([str(VICTIM), "wait", str(home)], os.environ, tmp_path, (writer, 2))
    os.close(writer)
    with os.fdopen(reader) as told:
        assert told.readline() == "pending\n"
        victim.send_signal(signal.SIGKILL)
        assert victim.wait() == -signal.SIGKILL

    def jit(*words: str) -> Any:
        run = Jit(home)(*words, "--json")
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    waiting = next(row for row in jit("approvals") if row["lines"][0]["intent"] != "cancel")
    decided = jit("decide", waiting["approval_id"], "approve", "--actor", "bob")
    assert decided["status"] == "approved"
    with closing(sqlite3.connect(home / "sandbox_erp.sqlite")) as raw:
        lines = raw.execute("SELECT line_id, quantity FROM lines ORDER BY line_id").fetchall()
    wanted = [(line["line_id"], line["quantity"]) for line in waiting["lines"]]
    assert [line for line in lines if line[0] in dict(wanted)] == sorted(wanted)
