"""Where the machine code of kernels is kept: beside the installation where it may be written, else with the user.

The folder's name holds a hash of every kernel's source, so that an upgrade that changes one never reads stale code,
and an upgrade that changes none compiles nothing. A user who may not write beside the installation begins with a copy
of what is there.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

NUMBA_FOLDER = "NUMBA_CACHE_DIR"
"""Numba's own variable: the first place where it is set."""
FOLDERS_KEPT = 4
"""Of the latest sources, in one place: several installations of a user may share it."""


def kernel_folder(modules: Sequence[str]) -> Path | None:
    """The first place that can be written, None when there is none."""
    name = f"kernels-{_key(modules)}"
    for place in _places():
        if _is_ready(place / name):
            return place / name
    return None


def is_kept(folder: Path | None, name: str) -> bool:
    """Whether machine code of a kernel is in the folder, for some processor."""
    return folder is not None and any(folder.glob(f"*/*.{name}-*.nbi"))


def _places() -> Iterator[Path]:
    asked = os.environ.get(NUMBA_FOLDER)
    if asked:
        yield Path(asked).absolute()
    yield installed_place()
    home = os.environ.get("XDG_CACHE_HOME")
    try:
        yield (Path(home) if home else Path.home() / ".cache") / "jit-sourcing"
    except RuntimeError:
        return


def installed_place() -> Path:
    """Beside the installation: whoever may use it finds there what its set-up compiled."""
    return Path(sys.prefix) / "share" / "jit-sourcing"


def _key(modules: Sequence[str]) -> str:
    """Of all sources at once: a kernel holds a copy of the kernels that it calls."""
    digest = sha256()
    for module in modules:
        package, _, name = module.rpartition(".")
        digest.update((files(package) / f"{name}.py").read_bytes())
    return digest.hexdigest()[:12]


def _is_ready(folder: Path) -> bool:
    """Whether the folder is there and can be written; a new one starts as a copy of the installation's."""
    try:
        if not folder.exists():
            _make(folder)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _make(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    installed = installed_place() / folder.name
    if installed.is_dir():
        shutil.copytree(installed, folder, dirs_exist_ok=True)
    folder.mkdir(exist_ok=True)
    known = sorted(folder.parent.glob("kernels-*"), key=lambda path: path.stat().st_mtime)
    for old in known[:-FOLDERS_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
