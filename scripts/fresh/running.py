"""Runs commands as a new user would, in two lanes at most, and stops both at the first failure."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic

LEFT_OUT = ("OPENAI_API_KEY", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHON", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
PATIENCE_SECONDS = 300.0
TOLD_LINES = 40


class Failure(Exception):
    """A command that did not do what it should."""

    def __init__(self, shown: str, code: int | None, output: str) -> None:
        ended = "" if code is None else f" (exit code {code})"
        tail = "\n".join(output.rstrip().splitlines()[-TOLD_LINES:])
        super().__init__(f"{shown}{ended}\n{tail}")


class Stopped(Failure):
    """The other lane failed first."""


def say(line: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def surroundings(**more: str) -> dict[str, str]:
    """The environment without what a new user has not set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JIT_") and name not in LEFT_OUT}
    return {**kept, **more}


class Clock:
    """Seconds since it was made, and the processor's seconds of the processes that have ended since."""

    def __init__(self) -> None:
        self._began, self._computed = monotonic(), _computed()

    def told(self) -> str:
        """Both, for the screen."""
        return f"{monotonic() - self._began:.0f} s ({_computed() - self._computed:.0f} s of computing)"


def _computed() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Runner:
    """Starts processes, waits for them, tells how long they took; a failure ends those of the other lane."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: set[subprocess.Popen[str]] = set()
        self._failed = False

    def run(
        self, command: Sequence[str], folder: Path, *, environment: Mapping[str, str] | None = None, quiet: bool = False
    ) -> str:
        """Standard output of a command that ends with 0. Failure when it does not, or takes too long."""
        shown = " ".join(Path(word).name if at == 0 else word for at, word in enumerate(command))
        began = monotonic()
        process = self.start(command, folder, environment)
        try:
            output, errors = process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.end(process, signal.SIGKILL)
            output, errors = process.communicate()
            errors += f"\nnot done after {PATIENCE_SECONDS:.0f} s"
        finally:
            self.forget(process)
        if process.returncode != 0:
            raise self.failure(shown, process.returncode, output + errors)
        if not quiet:
            say(f"ok {monotonic() - began:5.1f} s  {shown}")
        return output

    def start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """A process in a group of its own. Stopped when the other lane has failed."""
        with self._lock:
            if self._failed:
                raise Stopped(command[0], None, "stopped")
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=folder,
                env=environment or surroundings(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self._alive.add(process)
        return process

    def end(self, process: subprocess.Popen[str], how: signal.Signals) -> None:
        """Send a signal to a process that was started here, and to what it started."""
        if process.poll() is None:
            os.killpg(process.pid, how)

    def forget(self, process: subprocess.Popen[str]) -> None:
        """It has ended."""
        with self._lock:
            self._alive.discard(process)

    def failure(self, shown: str, code: int | None, output: str) -> Failure:
        """The failure to raise: the first one ends what still runs, a later one only says that it was stopped."""
        with self._lock:
            first, self._failed = not self._failed, True
            alive = list(self._alive)
        if not first:
            return Stopped(shown, code, output)
        for process in alive:
            self.end(process, signal.SIGKILL)
        return Failure(shown, code, output)
