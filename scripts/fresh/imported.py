"""Imports every module of every package that the installed distribution owns."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from importlib.metadata import distribution

AT_LEAST = 200
"""Modules; fewer mean that they were not found."""


def modules() -> Iterator[str]:
    """Names of all modules of ours."""
    for top in (distribution("jit-sourcing").read_text("top_level.txt") or "").split():
        yield top
        paths = getattr(importlib.import_module(top), "__path__", None)
        if paths is not None:
            yield from (found.name for found in pkgutil.walk_packages(paths, f"{top}."))


def main() -> int:
    """1 when a module cannot be imported."""
    names = [name for name in modules() if not name.startswith("__editable__")]
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            sys.stderr.write(f"{name}: {error}\n")
            return 1
    sys.stdout.write(f"{len(names)} modules\n")
    return 0 if len(names) >= AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
