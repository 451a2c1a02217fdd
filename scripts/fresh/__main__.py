"""Runs the program as a user has it: a new clone in a new folder, the run-time lock only.

`make fresh`, or `python3.11 scripts/fresh [--keep]`. There it runs `make demo`, every command of `jit`, and
`jit serve`; imports every module that ships; and builds the wheel, installs it into an empty environment and runs
`jit demo` from it. What is not committed is not in the clone. Ends with 1 at the first failure, and says which
command, its exit code and what it printed.
"""

import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from running import Clock, Failure, Runner, Stopped, say, surroundings
from serving import serve_and_ask
from shipped import install_wheel
from walk import ACTING, READING, missing, take

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """0 when everything ran, else 1."""
    folder = Path(tempfile.mkdtemp(prefix="jit-fresh-"))
    try:
        _all(Runner(), folder)
    except Failure as failure:
        say(f"FAILED {failure}")
        return 1
    finally:
        if "--keep" in sys.argv[1:]:
            say(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _all(runner: Runner, folder: Path) -> None:
    clone, demo_done = folder / "clone", threading.Event()
    _warn_of_changes()
    began = Clock()
    runner.run(["git", "clone", "--quiet", str(ROOT), str(clone)], folder)
    runner.run(["make", "setup"], clone)
    set_up, began = began.told(), Clock()
    with ThreadPoolExecutor(2) as lanes:
        parts = [
            lanes.submit(_act, runner, clone, folder, demo_done),
            lanes.submit(_import_all, runner, clone),
            lanes.submit(_evaluate, runner, clone, folder),
            lanes.submit(install_wheel, runner, clone, folder),
            lanes.submit(_read, runner, clone, folder, demo_done),
        ]
    failures = [error for error in (part.exception() for part in parts) if error is not None]
    if failures:
        raise min(failures, key=lambda error: isinstance(error, Stopped))
    say(f"Fresh: set-up {set_up}, everything else {began.told()}.")


def _warn_of_changes() -> None:
    status = ["git", "-C", str(ROOT), "status", "--porcelain"]
    changed = subprocess.run(status, capture_output=True, text=True, check=False).stdout.splitlines()  # noqa: S603
    if changed:
        say(f"Not in the clone: {len(changed)} changed files that are not committed.")


def _act(runner: Runner, clone: Path, folder: Path, demo_done: threading.Event) -> None:
    """The demo, what changes its home, and the server."""
    try:
        told = missing(_asked(runner, clone, "listed.py").split("\n"))
        if told:
            raise runner.failure("the commands of scripts/fresh/walk.py", None, told)
        runner.run(["make", "demo"], clone)
        shutil.copytree(clone / ".jit", folder / "read")
    finally:
        demo_done.set()
    found = take(runner, ACTING, clone, clone / ".jit")
    serve_and_ask(runner, clone, found["key"])


def _read(runner: Runner, clone: Path, folder: Path, demo_done: threading.Event) -> None:
    """What reads, in a copy of the demo's home."""
    demo_done.wait()
    take(runner, READING, clone, folder / "read")


def _import_all(runner: Runner, clone: Path) -> None:
    _asked(runner, clone, "imported.py")


def _evaluate(runner: Runner, clone: Path, folder: Path) -> None:
    home = surroundings(JIT_HOME=str(folder / "evaluated"))
    runner.run([str(clone / ".venv/bin/jit"), "eval", "--quick"], clone, environment=home)


def _asked(runner: Runner, clone: Path, script: str) -> str:
    return runner.run([str(clone / ".venv/bin/python"), str(clone / "scripts/fresh" / script)], clone)


if __name__ == "__main__":
    sys.exit(main())
