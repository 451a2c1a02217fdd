"""The command line, loaded once: each command runs in a process forked from it, and shares nothing but the loading.

As a program, `python loaded_command.py SOCKET` serves until its standard input closes.
"""

import atexit
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
from tempfile import TemporaryDirectory, TemporaryFile

LOADED = ("app", "graph.session", "web.client", "evals.worlds.demo", "evals.worlds.folder", "terminal.reports")
Done = subprocess.CompletedProcess[str]


class LoadedCommand:
    """The process that forks for each command."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="jit-loaded-")
        self._door = str(Path(self._folder.name) / "door")
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._door],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[1],
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, patience: float) -> Done:
        """`jit` with these arguments, as `subprocess.run` gives it. subprocess.TimeoutExpired after `patience` s."""
        asked = json.dumps([list(arguments), dict(environment), str(folder)])
        with TemporaryFile() as out, TemporaryFile() as said, socket.socket(socket.AF_UNIX) as door:
            door.connect(self._door)
            door.settimeout(patience)
            socket.send_fds(door, [b"."], [out.fileno(), said.fileno()])
            with door.makefile("rw", encoding="utf-8") as talk:
                talk.write(asked + "\n")
                talk.flush()
                child = int(talk.readline())
                try:
                    code = int(talk.readline())
                except TimeoutError as error:
                    os.kill(child, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(["jit", *arguments], patience) from error
            out.seek(0)
            said.seek(0)
            return Done(["jit", *arguments], code, out.read().decode(), said.read().decode())

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


def _serve(door: str) -> None:
    """Answer every connection from a fork of its own, until whoever started this is gone."""
    for name in LOADED:
        import_module(name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(door)
        listening.listen()
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
    from select import select

    ready, _, _ = select([listening, 0], [], [])
    return listening in ready


def _answer(caller: socket.socket) -> None:
    """Fork once more for the command, tell its process id and then how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, (out, said), _, _ = socket.recv_fds(caller, 1, 2)
    talk = caller.makefile("rw", encoding="utf-8")
    arguments, environment, folder = json.loads(talk.readline())
    child = os.fork()
    if child == 0:
        caller.close()
        talk.close()
        _become_command(arguments, environment, folder, (out, said))
        return
    talk.write(f"{child}\n")
    talk.flush()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    talk.write(f"{code}\n")
    talk.flush()
    os._exit(0)


def _become_command(arguments: list[str], environment: dict[str, str], folder: str, outputs: tuple[int, int]) -> None:
    """Be the installed command: its arguments, environment, folder and outputs."""
    for number, output in enumerate(outputs, start=1):
        os.dup2(output, number)
        os.close(output)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [str(Path(sys.executable).with_name("jit")), *arguments]
    sys.modules["app"].main()


if __name__ == "__main__":
    _serve(sys.argv[1])
