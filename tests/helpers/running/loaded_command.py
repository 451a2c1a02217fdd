"""The command line, loaded once: each command runs in a process forked from it, and shares nothing but the loading.

As a program, `python loaded_command.py SOCKET` serves until its standard input closes.
"""

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from runpy import run_path
from select import select
from tempfile import TemporaryDirectory, TemporaryFile
from types import ModuleType

LOADED = (
    "app",
    "graph.session",
    "web.client",
    "evals.worlds.demo",
    "evals.worlds.folder",
    "terminal.reports",
    "cel",
    "networkx",
    "sqlalchemy.dialects.sqlite",
)
ROOT = Path(__file__).parents[3]
JIT = Path(sys.executable).with_name("jit")
Done = subprocess.CompletedProcess[str]


class Started:
    """A process forked from the loaded one, while it runs and after."""

    def __init__(self, door: socket.socket, words: Sequence[str]) -> None:
        self._door, self._words = door, words
        self._talk = door.makefile("r", encoding="utf-8")
        self._code: int | None = None
        self.pid = int(self._talk.readline())

    def poll(self) -> int | None:
        """How it ended, None while it runs."""
        if self._code is None and select([self._door], [], [], 0)[0]:
            self._ended()
        return self._code

    def wait(self, patience: float | None = None) -> int:
        """How it ended, negative for a signal. subprocess.TimeoutExpired after `patience` s, when it is killed."""
        if self._code is None and not select([self._door], [], [], patience)[0]:
            self.send_signal(signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(self._words), patience or 0.0)
        return self._ended() if self._code is None else self._code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _ended(self) -> int:
        self._code = int(self._talk.readline())
        self._talk.close()
        self._door.close()
        return self._code


class LoadedCommand:
    """The process that forks for each command."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="jit-loaded-")
        self._door = str(Path(self._folder.name) / "door")
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._door],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def start(
        self, words: Sequence[str], environment: Mapping[str, str], folder: Path, outputs: tuple[int, int]
    ) -> Started:
        """Run the installed command, a script, or `-c` and a text, with their arguments.

        `words` are as they would follow `python`, `outputs` the descriptors of its standard output and error.
        """
        os.umask(mask := os.umask(0))
        asked = json.dumps([list(words), dict(environment), str(folder), mask]) + "\n"
        door = socket.socket(socket.AF_UNIX)
        door.connect(self._door)
        socket.send_fds(door, [b"."], list(outputs))
        door.sendall(asked.encode())
        return Started(door, words)

    def run(self, words: Sequence[str], environment: Mapping[str, str], folder: Path, patience: float) -> Done:
        """The same to its end, as `subprocess.run` gives it. subprocess.TimeoutExpired after `patience` s."""
        with TemporaryFile() as out, TemporaryFile() as said:
            code = self.start(words, environment, folder, (out.fileno(), said.fileno())).wait(patience)
            out.seek(0)
            said.seek(0)
            return Done(list(words), code, out.read().decode(), said.read().decode())

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
        self._folder.cleanup()


@lru_cache(maxsize=1)
def loaded_command() -> LoadedCommand:
    """The one of this process."""
    made = LoadedCommand()
    atexit.register(made.close)
    return made


def load() -> None:
    """Import what a command that plans imports, and load the machine code of the kernels of every plan."""
    for name in LOADED:
        import_module(name)
    compile_ahead = import_module("tools.compile_ahead")
    for module, name in compile_ahead.usual_kernels():
        compile_ahead.compile_one(module, name)


def _serve(door: str) -> None:
    """Answer every connection from a fork of its own, until whoever started this is gone."""
    load()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(door)
        listening.listen()
        gc.freeze()
        os.write(1, b"ready\n")
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while _asked(listening):
            caller, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _answer(caller)
                return
            caller.close()


def _asked(listening: socket.socket) -> bool:
    """Wait for a connection; False once standard input is closed."""
    ready, _, _ = select([listening, 0], [], [])
    return listening in ready


def _answer(caller: socket.socket) -> None:
    """Fork once more for the command, tell its process id and then how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, (out, said), _, _ = socket.recv_fds(caller, 1, 2)
    talk = caller.makefile("rw", encoding="utf-8")
    words, environment, folder, mask = json.loads(talk.readline())
    child = os.fork()
    if child == 0:
        caller.close()
        talk.close()
        os.umask(mask)
        _become_command(words, environment, folder, (out, said))
        return
    os.close(out)
    os.close(said)
    talk.write(f"{child}\n")
    talk.flush()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    talk.write(f"{code}\n")
    talk.flush()
    os._exit(0)


def _become_command(words: list[str], environment: dict[str, str], folder: str, outputs: tuple[int, int]) -> None:
    """Be the command: its words, environment, folder and outputs."""
    atexit.register(gc.unfreeze)
    for number, output in enumerate(outputs, start=1):
        os.dup2(output, number)
        os.close(output)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    _become_program(words)


def _become_program(words: list[str]) -> None:
    """Run what `python` would run for these words."""
    program, *arguments = words
    if program == str(JIT):
        sys.argv = words
        sys.modules["app"].main()
    elif program == "-c":
        text, *arguments = arguments
        sys.argv = [program, *arguments]
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(text, "<string>", "exec"), vars(main))  # noqa: S102
    else:
        sys.argv = words
        sys.path[:0] = [str(Path(program).parent), str(Path(__file__).parents[1] / "cases")]
        run_path(program, run_name="__main__")


if __name__ == "__main__":
    _serve(sys.argv[1])
