"""The table of commands that `make fresh` runs against the commands that there are."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FRESH = Path(__file__).parents[2] / "scripts" / "fresh"
MODULES = ("walk", "listed", "running")


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    monkeypatch.syspath_prepend(str(FRESH))
    yield {name: __import__(name) for name in MODULES}
    for name in MODULES:
        sys.modules.pop(name, None)


def listed(fresh: dict[str, ModuleType]) -> list[str]:
    import typer

    import app

    return list(fresh["listed"].names(typer.main.get_command(app.cli)))


def test_every_command_is_run_by_make_fresh_and_every_line_of_it_is_a_command(fresh: dict[str, ModuleType]) -> None:
    assert fresh["walk"].missing(listed(fresh)) == ""


def test_a_new_command_that_it_does_not_run_and_one_that_is_gone_are_told(fresh: dict[str, ModuleType]) -> None:
    told = fresh["walk"].missing([*(name for name in listed(fresh) if name != "rejects"), "archive", "user add"])
    assert "`jit archive` is not run" in told
    assert "`jit user add` is not run" in told
    assert "`jit rejects` is no command" in told


def test_the_first_failure_is_told_with_command_code_and_output(
    fresh: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = fresh["running"]
    runner = running.Runner()
    assert runner.run(["sh", "-c", "echo fine"], tmp_path) == "fine\n"
    assert "sh -c echo fine" in capsys.readouterr().out
    with pytest.raises(running.Failure, match=r"sh -c echo no.* \(exit code 7\)\nno\nwhy"):
        runner.run(["sh", "-c", "echo no; echo why >&2; exit 7"], tmp_path)
    with pytest.raises(running.Stopped):
        runner.run(["sh", "-c", "echo fine"], tmp_path)


def test_the_environment_of_a_new_user_has_no_settings_and_no_keys(
    fresh: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIT_HOME", "/srv")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("VIRTUAL_ENV", "/srv/venv")
    seen = fresh["running"].surroundings(JIT_PORT="0")
    assert {"JIT_HOME", "OPENAI_API_KEY", "VIRTUAL_ENV"} & set(seen) == set()
    assert seen["JIT_PORT"] == "0"
