"""What a database's own error means: a full disk, a broken file, a file out of reach; or a fault of this program."""

import errno
import shutil
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from sqlalchemy.exc import SQLAlchemyError

from tools.domain.errors import DiskFull, FileBroken, JitError, OutOfReach, StorageOutOfReach

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS = ("no space left on device", "database or disk is full", "disk quota exceeded", "file too large")
BROKEN_WORDS = ("not a database", "malformed", "not a valid duckdb database", "corrupt", "checksum")
READ_ONLY_WORDS = ("readonly database", "read-only file system", "permission denied", "unable to open database")
BUSY_WORDS = ("database is locked", "database table is locked")
LITTLE_BYTES = 1 << 18
"""With less space left than this, an unexplained failure to write is the full disk's."""
PRIMARY_CODE = 0xFF
"""SQLite's extended codes carry the primary one in their low byte."""


def store_faults() -> tuple[type[Exception], ...]:
    """For an `except` around work that may be left for later; PostgreSQL's driver is imported only there."""
    from psycopg import Error as PostgresError

    return (JitError, OSError, sqlite3.Error, duckdb.Error, SQLAlchemyError, PostgresError)


def storage_fault(error: BaseException, what: str, where: Path | None) -> OutOfReach | None:
    """The error that names the cause and the remedy, or None when the error is no storage's."""
    if isinstance(error, JitError):
        return None
    told = " ".join(str(part).lower() for part in _chain(error))
    if any(_is_full(part, where) for part in _chain(error)) or any(words in told for words in FULL_WORDS):
        return disk_full(what, where)
    reason = str(getattr(error, "orig", None) or error).splitlines()[0]
    if any(words in told for words in BROKEN_WORDS):
        return FileBroken(
            f"{what} is damaged: {reason}.", remedy="Stop the program, put the file back from a backup, start again."
        )
    if any(words in told for words in READ_ONLY_WORDS):
        return StorageOutOfReach(
            f"{what} cannot be written: {reason}.", remedy="Make the file and its folder writable for this user."
        )
    if any(words in told for words in BUSY_WORDS):
        return StorageOutOfReach(
            f"{what} is held by another process: {reason}.", remedy="Wait for it, or end the process that holds it."
        )
    return None


def disk_full(what: str, where: Path | None) -> DiskFull:
    """No space is left; says where."""
    place = f" on the disk of {_standing(where)}" if where is not None else " on its server's disk"
    return DiskFull(
        f"No space is left{place}: {what[:1].lower()}{what[1:]} cannot be written.",
        remedy="Free space there. What was accepted goes on by itself then, without a restart.",
    )


@contextmanager
def faults_named(what: str, where: Path | None, *kinds: type[Exception]) -> Generator[None]:
    """Turn errors of these kinds into ours where their cause is known; others stay as they are."""
    try:
        yield
    except kinds as error:
        known = storage_fault(error, what, where)
        if known is None:
            raise
        raise known from error


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, the driver's error that SQLAlchemy wraps, and what either came from."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting += [one for one in (getattr(part, "orig", None), part.__cause__) if one is not None]


def _is_full(error: BaseException, where: Path | None) -> bool:
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    if getattr(error, "sqlstate", None) == "53100":  # PostgreSQL's disk_full
        return True
    code = getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE
    if code == sqlite3.SQLITE_FULL:
        return True
    return code == sqlite3.SQLITE_IOERR and where is not None and space_left(where) < LITTLE_BYTES


def space_left(where: Path) -> int:
    """Bytes free for this user on the disk of a path."""
    return shutil.disk_usage(_standing(where)).free


def _standing(path: Path) -> Path:
    """The nearest folder of a path that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
