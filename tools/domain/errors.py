"""Errors that carry a code, the ids concerned, and what to do about them."""

from collections.abc import Mapping
from typing import ClassVar


class JitError(Exception):
    """Base of every error this program raises on purpose.

    `code` is stable and documented in docs/operations.md; `remedy` tells the reader what to do next;
    `context` holds ids (never secrets). `exit_code` is what the command line ends with.
    """

    code: ClassVar[str] = "JIT-000"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str, **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.context: Mapping[str, object] = context

    def __str__(self) -> str:
        return f"[{self.code}] {self.message} {self.remedy}".strip()


class BadInput(JitError):
    """Something the user gave cannot be used; nothing was changed."""

    code = "JIT-100"
    exit_code = 2


class NotFound(BadInput):
    """An id that names nothing here."""

    code = "JIT-101"


class Conflict(JitError):
    """The thing changed, or was already decided, since the caller looked at it."""

    code = "JIT-200"


class NotAllowed(JitError):
    """A policy or a role forbids this."""

    code = "JIT-201"


class Cancelled(JitError):
    """A person ended the run while it computed; nothing of it was published."""

    code = "JIT-202"


class IntegrityBroken(JitError):
    """Stored history does not match its hashes."""

    code = "JIT-300"


class OutOfReach(JitError):
    """A part (ERP, model, database, server) does not answer."""

    code = "JIT-400"
    exit_code = 3


class StorageOutOfReach(OutOfReach):
    """A database takes nothing at present. What was accepted before is done once it does; see `jit doctor`."""


class DiskFull(StorageOutOfReach):
    """No space is left where a file of this installation lies."""

    code = "JIT-403"


class FileBroken(OutOfReach):
    """A file of this installation is damaged, or is no file of its kind."""

    code = "JIT-404"
