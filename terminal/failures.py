"""How the command line ends: one clear message, the right exit code, and no traceback unless it is asked for."""

import atexit
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from io import TextIOWrapper
from types import FrameType, TracebackType
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from tools.domain.errors import BadInput, JitError

DEBUG = "JIT_DEBUG"
UNEXPECTED = "JIT-000"
STOPPED_BY_PERSON = 130


_asked_to_stop = threading.Event()


def remember_to_stop(_signal: int, _frame: FrameType | None) -> None:
    """Ctrl-C. Remembered besides raised: a compiled library that calls back into Python swallows the exception."""
    _asked_to_stop.set()
    raise KeyboardInterrupt


def stop_if_asked() -> None:
    """KeyboardInterrupt when a person has asked to stop and nothing has stopped yet."""
    if _asked_to_stop.is_set():
        raise KeyboardInterrupt


def run(cli: typer.Typer, close: Callable[[], None]) -> None:
    """Run a command and exit: 0 done, 1 check failed or crash, 2 bad input, 3 out of reach, 130 Ctrl-C."""
    if DEBUG not in os.environ:
        sys.excepthook = _report_crash
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    signal.signal(signal.SIGINT, remember_to_stop)
    try:
        code = _outcome(cli, close)
        stop_if_asked()
        _leave(code)
    except KeyboardInterrupt:
        sys.exit(STOPPED_BY_PERSON)


def _outcome(cli: typer.Typer, close: Callable[[], None]) -> int:
    try:
        ended = typer.main.get_command(cli).main(prog_name="jit", standalone_mode=False)
        return ended if isinstance(ended, int) else 0
    except JitError as error:
        report(error)
        return error.exit_code
    except TyperException as error:
        return _usage(error)
    finally:
        close()


def _leave(code: int) -> NoReturn:
    """Exit. Everything is closed, so no object is taken down one by one, which took up to a fifth of a command.

    Where a thread is still at work, the interpreter waits for it and ends in its own way.
    """
    code = _flushed(code)
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    sys.stderr.flush()
    os._exit(code)


def _flushed(code: int) -> int:
    """Write out what is buffered while a closed pipe can still be told from a crash."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _usage(error: TyperException) -> int:
    told = error.format_message()
    if told:
        context = getattr(error, "ctx", None)
        command = getattr(context, "command_path", "jit")
        near: Sequence[str] = getattr(error, "possibilities", None) or ()
        meant = f"Did you mean {near[0]}? " if near else ""
        report(BadInput(f"{error.message}." if near else told, remedy=f"{meant}See `{command} --help`."))
    return error.exit_code


def report(error: JitError) -> None:
    """An error of ours with its remedy: on standard error, or as the one JSON document with --json."""
    if wants_json():
        _print_json(error_document(error))
        return
    sys.stderr.write(f"Error {error.code}: {error.message}\n")
    if error.remedy:
        sys.stderr.write(f"  {error.remedy}\n")


def error_document(error: JitError) -> Mapping[str, object]:
    """The JSON form of an error: the HTTP API's, with the exit code."""
    context = {name: value if isinstance(value, int | float) else str(value) for name, value in error.context.items()}
    told = {"code": error.code, "message": error.message, "remedy": error.remedy, "context": context}
    return {"error": {**told, "exit_code": error.exit_code}}


def wants_json() -> bool:
    """Whether the command line asks for JSON."""
    return "--json" in sys.argv[1:]


def _print_json(document: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _report_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """One line for what nobody foresaw; Python itself then exits with 1."""
    del trace
    message = f"{kind.__name__}: {error}".replace("\n", " ")
    remedy = f"This is a fault of the program. Set {DEBUG}=1 and run again for the traceback."
    if wants_json():
        _print_json(
            {"error": {"code": UNEXPECTED, "message": message, "remedy": remedy, "context": {}, "exit_code": 1}}
        )
    else:
        sys.stderr.write(f"Error {UNEXPECTED}: {message}\n  {remedy}\n")
