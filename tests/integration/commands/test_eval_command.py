"""`jit eval` as a person runs it."""

import json
import subprocess
from pathlib import Path

from jit_command import Jit


def jit(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return Jit(home, {"LANGSMITH_TRACING": "true", "COLUMNS": "120"}, 240.0)("eval", *arguments)


def test_a_short_suite_ends_by_its_goals_and_leaves_a_page_under_the_home(tmp_path: Path) -> None:
    ended = jit(tmp_path, "--quick", "--weeks", "4", "--json")
    document = json.loads(ended.stdout)
    assert ended.returncode == (0 if document["ok"] else 1), ended.stderr
    assert document["settings"]["weeks"] == "4"
    assert {run["seed"] for run in document["runs"]} == {7}
    page = tmp_path / "exports" / "eval-closed_loop.html"
    assert document["report"] == str(page)
    assert "<svg" in page.read_text()


def test_an_unknown_suite_ends_with_2_and_names_the_suites(tmp_path: Path) -> None:
    ended = jit(tmp_path, "nonsense")
    assert ended.returncode == 2
    assert "closed_loop" in ended.stderr
    assert not ended.stdout
    assert "Traceback" not in ended.stderr


def test_a_report_file_that_cannot_be_written_is_found_before_playing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = jit(tmp_path, "--seeds", "50", "--out", str(tmp_path / "file" / "page.html"))
    assert ended.returncode == 2
    assert "--out" in ended.stderr


def test_too_few_weeks_end_with_2(tmp_path: Path) -> None:
    ended = jit(tmp_path, "--weeks", "1")
    assert ended.returncode == 2
    assert "--weeks" in ended.stderr
