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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

from running import Failure, Runner, Stopped, say, surroundings
from serving import serve_and_ask
from walk import missing, take
from wheel import install_wheel

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


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
    clone = folder / "clone"
    _warn_of_changes()
    began = monotonic()
    runner.run(["git", "clone", "--quiet", str(ROOT), str(clone)], folder)
    runner.run(["make", "setup"], clone)
    ready = monotonic()
    with ThreadPoolExecutor(2) as lanes:
        futures = [lanes.submit(_commands, runner, clone), lanes.submit(_package, runner, clone, folder)]
    ended = [future.exception() for future in futures]
    for failure in sorted(filter(None, ended), key=lambda error: isinstance(error, Stopped)):
        raise failure
    say(f"Fresh: set-up {ready - began:.0f} s, everything else {monotonic() - ready:.0f} s.")


def _warn_of_changes() -> None:
    status = ["git", "-C", str(ROOT), "status", "--porcelain"]
    changed = subprocess.run(status, capture_output=True, text=True, check=False).stdout.splitlines()  # noqa: S603
    if changed:
        say(f"Not in the clone: {len(changed)} changed files that are not committed.")


def _commands(runner: Runner, clone: Path) -> None:
    """What a user types, in the clone."""
    python = clone / ".venv/bin/python"
    listed = runner.run([str(python), str(HERE / "listed.py")], clone, quiet=True)
    told = missing(listed.split("\n"))
    if told:
        raise runner.failure("the table of scripts/fresh/walk.py", None, told)
    runner.run(["make", "demo"], clone)
    key = take(runner, clone, clone / ".jit" / "demo_world")
    serve_and_ask(runner, clone, key)


def _package(runner: Runner, clone: Path, folder: Path) -> None:
    """What ships: modules, the evaluation in a home of its own, the wheel."""
    python = clone / ".venv/bin/python"
    runner.run([str(python), str(HERE / "imported.py")], clone)
    home = surroundings(JIT_HOME=str(folder / "evaluated"))
    runner.run([str(clone / ".venv/bin/jit"), "eval", "--quick"], clone, environment=home)
    install_wheel(runner, clone, folder)


if __name__ == "__main__":
    sys.exit(main())
