"""How a command opens the installation, who acts, and how a result leaves."""

import errno
import gc
import getpass
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from tools.domain.errors import OutOfReach

if TYPE_CHECKING:
    from graph.contracts import SourcingSession, StoredAnswers
    from graph.reading.reading import Readings
    from graph.settings import Settings


@lru_cache(maxsize=1)
def settings() -> "Settings":
    """The installation's settings. BadInput names the one that is wrong."""
    from graph.settings import Settings

    try:
        return Settings()
    except ValueError as error:
        from terminal.given import wrong_settings

        raise wrong_settings(error) from error


def local_settings() -> "Settings":
    """The settings, once the home is there and can be written. OutOfReach when it cannot."""
    from store.private import private_folder

    found = settings()
    try:
        private_folder(found.home)
        with TemporaryFile(dir=found.home):
            _must_be_writable(found)
    except OSError as error:
        raise OutOfReach(
            f"The home {found.home.absolute()} cannot be written: {error.strerror}.",
            remedy="Set JIT_HOME to a folder that you may write.",
        ) from error
    return found


def _must_be_writable(found: "Settings") -> None:
    for file in (found.warehouse_path, found.sandbox_path, found.home / "operations.sqlite"):
        if file.exists() and not os.access(file, os.W_OK):
            raise PermissionError(errno.EACCES, f"{file.name} is read-only for you")


@lru_cache(maxsize=1)
def session() -> "SourcingSession":
    """The running server's session if one owns this home, else a local one; one for the whole command."""
    remote = _server()
    if remote is not None:
        return remote
    found = local_settings()
    _close_readings()
    with _loading():
        from graph.session import open_session

    return open_session(found)


def stored() -> "StoredAnswers":
    """A session for a command that only reads: the server's, one without graph and engine, or the whole one.

    The whole one where a run, a decision or an alert was left for whoever opens the home next.
    """
    if session.cache_info().currsize:
        return session()
    return _server() or _readings() or session()


def _server() -> "SourcingSession | None":
    """The session of the server that owns this home; asked only where one has left its address."""
    if not settings().server_file.exists():
        return None
    from web.client import find_server

    return find_server(settings().server_file)


@lru_cache(maxsize=1)
def _readings() -> "Readings | None":
    found = local_settings()
    with _loading():
        from graph.reading.reading import open_readings

    return open_readings(found)


@contextmanager
def _loading() -> Generator[None]:
    """Import with the garbage collector off: what is loaded stays, and looking through it took an eighth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _close_readings() -> None:
    if _readings.cache_info().currsize and (found := _readings()) is not None:
        found.close()
    _readings.cache_clear()


def close() -> None:
    """Release the session, if the command opened one."""
    if session.cache_info().currsize:
        session().close()
    _close_readings()


def actor(given: str) -> str:
    """Who acts: the named one, else who is signed in on this machine."""
    return given or getpass.getuser()


def printed(view: object, as_json: bool) -> bool:
    """Print as JSON when asked; tells whether it did."""
    if not as_json:
        return False
    import orjson
    from pydantic import BaseModel

    def plain(value: object) -> object:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json")
        return str(value)

    sys.stdout.write(orjson.dumps(view, default=plain, option=orjson.OPT_INDENT_2).decode() + "\n")
    return True


def report(result: Mapping[str, Any], as_json: bool) -> None:
    """A plain result, as names and values or as JSON."""
    if not printed(dict(result), as_json):
        from terminal.reports import show_result

        show_result(result)
