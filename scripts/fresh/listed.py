"""Prints the name of every command of the installed `jit`, those of groups as `GROUP NAME`."""

import sys
from collections.abc import Iterator

import typer

import app


def names(command: object, before: str = "") -> Iterator[str]:
    """Names below a command or group."""
    below = getattr(command, "commands", {})
    for name in below:
        yield from names(below[name], f"{before} {name}".strip())
    if not below:
        yield before


if __name__ == "__main__":
    sys.stdout.write("\n".join(names(typer.main.get_command(app.cli))))
