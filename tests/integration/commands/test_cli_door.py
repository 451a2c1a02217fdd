"""The door of the command line: light help, the version, completion, and what is misspelt or out of reach."""

import json
import os
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from jit_command import JIT, Jit

HEAVY = (
    *("agents", "erp", "evals", "graph", "policies", "store", "web"),
    *("duckdb", "fastapi", "highspy", "httpx", "langchain", "langchain_core", "langgraph", "networkx", "nicegui"),
    *("numba", "numpy", "openai", "orjson", "pydantic", "scipy", "sqlalchemy", "uvicorn", "yaml"),
)
HELPED = """
import atexit
import sys
import app
sys.argv = ["jit", *{arguments!r}]
atexit.register(lambda: sys.stderr.write(str([name for name in {heavy!r} if name in sys.modules])))
app.main()
"""


COMPLETING = """
eval "$(jit --show-completion bash)"
COMP_WORDS=($1); COMP_CWORD=$2
_jit_completion jit
echo "${COMPREPLY[@]}"
"""


@pytest.fixture
def jit(tmp_path: Path) -> Jit:
    return Jit(tmp_path / "home")


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (("--help",), ()),
        (("--version",), ()),
        (("plan", "--help"), ("pydantic",)),
        (("serve", "--help"), ("pydantic",)),
    ],
)
def test_help_and_version_load_nothing_that_computes(
    arguments: tuple[str, ...], needed: tuple[str, ...], jit: Jit
) -> None:
    """Pydantic is what typer itself converts the options of a command with."""
    heavy = tuple(name for name in HEAVY if name not in needed)
    asked = [sys.executable, "-c", HELPED.format(arguments=arguments, heavy=heavy)]
    done = subprocess.run(asked, env=jit.environment(), capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "[]"
    assert done.stdout
    assert not jit.home.exists()


def test_the_version_is_that_of_the_installation(jit: Jit) -> None:
    assert jit("--version").stdout == f"jit {version('jit-sourcing')}\n"


def test_the_help_tells_the_groups_in_order(jit: Jit) -> None:
    told = jit("--help").stdout
    groups = ("─ Plan ─", "─ Decide ─", "─ Ask ─", "─ Data ─", "─ Estimates ─", "─ Undo ─", "─ Run the service ─")
    places = [told.index(group) for group in groups]
    assert places == sorted(places)
    assert "Example: jit forecast I010 --plot" in jit("forecast", "--help").stdout


def test_bash_completes_commands_options_and_decisions(jit: Jit) -> None:
    found = {**jit.environment(), "PATH": f"{JIT.parent}:{os.environ['PATH']}"}
    found["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"

    def completed(typed: str, word: int) -> list[str]:
        asked = ["bash", "-c", COMPLETING, "bash", typed, str(word)]
        done = subprocess.run(asked, env=found, capture_output=True, text=True, timeout=60, check=True)
        assert done.stderr == ""
        return done.stdout.split()

    assert completed("jit fore", 1) == ["forecast"]
    assert "--backtest" in completed("jit forecast --ba", 2)
    assert completed("jit decide ap-1 re", 3) == ["reject"]
    assert completed("jit user kim --role ma", 4) == ["manager"]
    assert not jit.home.exists()


def test_completion_is_installed_for_the_shell_that_asks(jit: Jit, tmp_path: Path) -> None:
    asked = ["bash", "-c", f"'{JIT}' --install-completion; exit $?"]
    found = {**jit.environment(), "HOME": str(tmp_path)}
    done = subprocess.run(asked, env=found, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "bash completion installed in" in done.stdout
    assert "_jit_completion" in (tmp_path / ".bash_completions" / "jit.sh").read_text(encoding="utf-8")
    assert "jit.sh" in (tmp_path / ".bashrc").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("plna",), ("There is no command 'plna'.", "Did you mean `jit plan`?")),
        (("aprovals", "--json"), ("There is no command 'aprovals'.", "Did you mean `jit approvals`?")),
        (("xyzzy",), ("There is no command 'xyzzy'.", "All commands: `jit --help`.")),
        (("plan", "--raeson", "x"), ("No such option: --raeson.", "Did you mean --reason? See `jit plan --help`.")),
        (("--versoin",), ("No such option: --versoin.", "Did you mean --version? See `jit --help`.")),
    ],
)
def test_what_is_misspelt_is_answered_with_the_nearest(jit: Jit, typed: tuple[str, ...], told: tuple[str, str]) -> None:
    done = jit(*typed)
    assert done.returncode == 2
    assert not jit.home.exists()
    if "--json" in typed:
        error = json.loads(done.stdout)["error"]
        assert (done.stderr, error["code"]) == ("", "JIT-100")
        answer = [error["message"], error["remedy"]]
    else:
        answer = [line.removeprefix("Error JIT-100: ").strip() for line in done.stderr.splitlines()]
    assert len(answer) == 2
    assert all(part in line for part, line in zip(told, answer, strict=True))


def test_a_port_that_is_taken_is_told_with_what_to_do(jit: Jit) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = jit("serve", "--port", str(port))
    assert refused.returncode == 3
    assert refused.stdout == ""
    assert refused.stderr.splitlines() == [
        f"Error JIT-400: Cannot listen on 127.0.0.1:{port}: Address already in use.",
        "  Another program has the port: `jit serve --port 0` takes a free one.",
    ]


@pytest.mark.parametrize(
    ("arguments", "setting", "code", "told"),
    [
        (("--host", "nowhere.invalid", "--port", "0"), {}, 3, "Give an address of this machine with --host"),
        ((), {"JIT_PORT": "99999"}, 2, "Give one from 0 to 65535"),
        (("--port", "99999"), {}, 2, "jit serve --help"),
    ],
)
def test_an_address_that_is_none_is_told_with_what_to_give(
    jit: Jit, arguments: tuple[str, ...], setting: dict[str, str], code: int, told: str
) -> None:
    refused = jit("serve", *arguments, **setting)
    assert refused.returncode == code, refused.stderr
    assert len(refused.stderr.splitlines()) == 2
    assert told in refused.stderr.splitlines()[1]


UNWRITABLE = (
    *(("demo",), ("runs",), ("user", "kim"), ("link", "kim"), ("serve", "--port", "0")),
    ("eval", "--quick", "--weeks", "4"),
)


@pytest.mark.parametrize("arguments", UNWRITABLE, ids=" ".join)
def test_a_home_that_cannot_be_written_is_told_in_a_line_with_the_remedy(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "home"
    file.write_text("a file, no folder", encoding="utf-8")
    refused = Jit(file)(*arguments)
    assert refused.returncode == (2 if arguments[0] == "eval" else 3)
    assert refused.stdout == ""
    first, remedy = refused.stderr.splitlines()
    assert str(file) in first
    assert "cannot be written" in first
    assert "JIT_HOME" in remedy or "--out" in remedy


def test_a_folder_for_the_demo_that_cannot_be_written_is_named(jit: Jit) -> None:
    refused = jit("demo", "--folder", "/dev/null/world")
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error JIT-100: The folder /dev/null/world cannot be written")
