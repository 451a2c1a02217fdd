"""What only reads loads neither the graph nor the engine's compiler; help loads no numbers at all."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import demo_home, plan_trigger, settings_of

from graph.reading.reading import open_readings
from graph.session import open_session
from store.operations import Operations

WATCHED = ("langgraph", "langchain_core", "langsmith", "numba", "networkx", "numpy", "duckdb", "fastapi")
TELL = f"""
import atexit, json, sys
from app import main
atexit.register(lambda: print(json.dumps([name for name in {WATCHED} if name in sys.modules]), file=sys.stderr))
main()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_home(tmp_path_factory.mktemp("light"), planned=True)


def _loaded(home: Path, *command: str) -> tuple[str, set[str]]:
    """What a command printed, and which of the watched modules it loaded."""
    ended = subprocess.run(
        [sys.executable, "-c", TELL, *command],
        env={**os.environ, "JIT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout, set(json.loads(ended.stderr.splitlines()[-1]))


def _line_without_story(home: Path) -> str:
    """An item that the plan looks at and orders nothing of: its explanation has no curve to compute."""
    with closing(open_session(settings_of(home))) as session:
        plan = session.plan()
    ordered = {line.item_id for line in plan.lines}
    return next(outlook.item_id for outlook in plan.outlooks if outlook.item_id not in ordered)


def test_a_stored_explanation_is_read_without_graph_and_compiler(home: Path) -> None:
    item_id = _line_without_story(home)
    told, loaded = _loaded(home, "explain", item_id)
    assert item_id in told
    assert loaded == {"numpy", "duckdb"}


def test_a_cost_curve_is_computed_without_the_graph_and_read_the_second_time(home: Path) -> None:
    with closing(open_session(settings_of(home))) as session:
        item_id = session.plan().lines[0].item_id
    first, loaded = _loaded(home, "explain", item_id)
    assert "numba" in loaded
    assert "langgraph" not in loaded
    second, loaded = _loaded(home, "explain", item_id)
    assert second == first
    assert loaded == {"numpy", "duckdb"}


@pytest.mark.parametrize("command", ["forecast I010", "forecast", "runs", "show", "approvals", "datasets", "journal"])
def test_what_is_stored_is_read_without_graph_and_compiler(home: Path, command: str) -> None:
    told, loaded = _loaded(home, *command.split())
    assert told
    assert loaded == {"numpy", "duckdb"}


def test_help_loads_neither_numbers_nor_databases(home: Path) -> None:
    told, loaded = _loaded(home, "--help")
    assert "forecast" in told
    assert loaded == set()


def test_a_home_with_a_run_that_was_cut_off_is_left_to_a_session_that_goes_on_with_it(tmp_path: Path) -> None:
    settings = settings_of(demo_home(tmp_path, planned=True))
    readings = open_readings(settings)
    assert readings is not None
    latest = readings.runs(1)[0]
    readings.close()
    with Operations(settings.operations_url) as operations:
        operations.set_run_status(latest.run_id, "running")
    assert open_readings(settings) is None


def test_reading_says_what_the_whole_session_says(tmp_path: Path) -> None:
    settings = settings_of(demo_home(tmp_path, planned=True))
    with closing(open_session(settings)) as session:
        session.start(plan_trigger("I010"))
        plan, answer, waiting = session.plan(), session.explain(None, "I010"), list(session.pending())
        story = session.line_story(plan.lines[0].line_id)
    readings = open_readings(settings)
    assert readings is not None
    with closing(readings):
        assert readings.plan() == plan
        assert readings.explain(None, "I010") == answer
        assert list(readings.pending()) == waiting
        assert readings.line_story(plan.lines[0].line_id) == story
