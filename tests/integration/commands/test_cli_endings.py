"""How the command line ends: Ctrl-C, crashes, wrong settings, a model out of reach; and what it loads to start."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from jit_command import JIT, Jit

HEAVY = ("langgraph", "langchain", "langchain_core", "duckdb", "openai", "numpy", "scipy", "networkx", "rich.table")
CRASHING = """
import sys
import app
from commands.options import AsJson

@app.cli.command()
def crash(as_json: AsJson = False) -> None:
    raise ZeroDivisionError("a fault")

app.main()
"""
WORKING = """
import threading
import time
import app

def work() -> None:
    time.sleep(0.5)
    print("worked")

@app.cli.command()
def working() -> None:
    print("asked")
    threading.Thread(target=work).start()

app.main()
"""


def crash(jit: Jit, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CRASHING, "crash", *arguments],
        env=jit.environment(**more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_control_c_in_the_middle_of_a_run_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    jit = Jit(tmp_path / "home")
    running = subprocess.Popen(
        [str(JIT), "demo", "--full"],
        env={**jit.environment(), "PYTHONUNBUFFERED": "1"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if "Data quality" in line:
            break
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in errors
    stored = json.loads(jit("runs", "--json").stdout)
    assert [run["status"] for run in stored] != ["running"]


def test_a_crash_is_one_line_with_the_way_to_the_traceback(tmp_path: Path) -> None:
    jit = Jit(tmp_path / "home")
    short = crash(jit)
    assert short.returncode == 1
    assert short.stderr.splitlines()[0] == "Error JIT-000: ZeroDivisionError: a fault"
    assert "JIT_DEBUG=1" in short.stderr
    assert "Traceback" not in short.stderr
    full = crash(jit, JIT_DEBUG="1")
    assert full.returncode == 1
    assert "Traceback" in full.stderr
    machine = crash(jit, "--json")
    assert machine.stderr == ""
    assert json.loads(machine.stdout)["error"]["code"] == "JIT-000"


def test_a_command_waits_for_a_thread_that_is_still_at_work(tmp_path: Path) -> None:
    asked = [sys.executable, "-c", WORKING, "working"]
    done = subprocess.run(asked, env=Jit(tmp_path / "home").environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "asked\nworked\n", "")


@pytest.mark.parametrize(
    ("setting", "told", "code"),
    [
        ({"JIT_PORT": "eighty"}, "port", 2),
        ({"JIT_HORIZON_PERIODS": "2"}, "horizon_periods", 2),
        ({"JIT_POLICY_FILE": "/nowhere/rules.yaml"}, "/nowhere/rules.yaml", 2),
        ({"JIT_HOME": "/dev/null/home"}, "/dev/null/home", 3),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(
    tmp_path: Path, setting: dict[str, str], told: str, code: int
) -> None:
    refused = Jit(tmp_path / "home", setting)("doctor")
    assert refused.returncode == code
    assert told in refused.stderr.splitlines()[0]
    assert len(refused.stderr.splitlines()) == 2


def test_a_broken_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "jit.toml").write_text("port = ", encoding="utf-8")
    refused = Jit(tmp_path / "home")("doctor")
    assert refused.returncode == 2
    assert "jit.toml cannot be read" in refused.stderr


def test_importing_the_command_line_loads_no_heavy_module() -> None:
    asked = f"import sys, app; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_help_tells_the_exit_codes_and_makes_no_home(tmp_path: Path) -> None:
    jit = Jit(tmp_path / "home")
    done = jit("--help")
    assert done.returncode == 0
    told = " ".join(done.stdout.split())
    assert "130 Ctrl-C" in told
    assert "JIT_DEBUG=1" in told
    assert not jit.home.exists()


def test_a_model_out_of_reach_is_one_warning_and_the_rules_decide(tmp_path: Path) -> None:
    jit = Jit(tmp_path / "home", {"JIT_LLM_BASE_URL": "http://127.0.0.1:9/v1", "JIT_LLM_MODEL": "x"})
    done = jit("demo")
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(warnings) == 1, done.stderr
    assert "127.0.0.1:9" in warnings[0]
    plan = json.loads(jit("show", "--json").stdout)
    assert plan["lines"]
    assert {talk["decided_by"] for talk in plan["negotiations"]} == {"rules"}
