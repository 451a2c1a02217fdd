"""Files and folders for their owner's eyes only, whatever umask the process was started with."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

OTHERS = 0o077
"""What a mode grants to anybody but the owner."""
CHANGED_BY_OTHERS = 0o022
OURS = (
    "operations.sqlite*",
    "warehouse.duckdb*",
    "sandbox_erp.sqlite*",
    "secrets.json",
    ".secrets.json.*",
    "server.json",
    ".server.json.*",
    "demo_world",
    "exports",
    "backups",
    "replaced-*",
    ".restoring*",
    "restore.json",
    ".importing",
)
"""What a home holds of ours, as docs/operations.md lists it."""


def private_folder(folder: Path) -> None:
    """Make a folder for the owner only; one that is there stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def private_file(path: Path) -> None:
    """Make an empty file for the owner only; one that is there stays as it is, and whoever opens it says what fails."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError:
        return


def close_to_others(path: Path) -> None:
    """Take from others what they may do with a file or folder, if it is there and ours to close."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHERS:
            path.chmod(mode & ~OTHERS)
    except (FileNotFoundError, PermissionError):
        return


def tighten(home: Path) -> None:
    """Close what earlier versions or another umask left open; the folder itself when it holds nothing but ours.

    A folder that holds other things too, such as a home directory, is left as it is: others may need to pass.
    """
    private_folder(home)
    for path in _ours(home):
        close_to_others(path)
    if not _strangers(home):
        close_to_others(home)


def open_to_others(home: Path) -> list[Path]:
    """Our files that others may read, and the folder when others may replace what lies in it."""
    exposed = [path for path in _ours(home) if _grants(path, OTHERS)]
    return [home, *exposed] if _grants(home, CHANGED_BY_OTHERS) else exposed


def _ours(home: Path) -> Iterator[Path]:
    for pattern in OURS:
        for path in home.glob(pattern):
            if path.is_symlink():
                continue
            yield path
            if path.is_dir():
                yield from (inner for inner in path.rglob("*") if not inner.is_symlink())


def _strangers(home: Path) -> bool:
    known = {path for pattern in OURS for path in home.glob(pattern)}
    return any(path not in known for path in home.iterdir())


def _grants(path: Path, bits: int) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & bits)
    except FileNotFoundError:
        return False
