"""Commands by group: the panel of `jit --help` that they stand in, and one example under the help of each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import typer

F = TypeVar("F", bound=Callable[..., Any])
EXAMPLE = "Example: "


@dataclass(frozen=True)
class _Entry:
    name: str
    run: Callable[..., Any]
    example: str


@dataclass(frozen=True)
class Group:
    """Commands that belong together for a buyer, in the order in which the help tells them."""

    title: str
    _entries: list[_Entry] = field(default_factory=list[_Entry])

    def command(self, name: str, *, example: str) -> Callable[[F], F]:
        """Make a function the command `jit NAME`; the example is what to write behind `jit`."""

        def kept(run: F) -> F:
            self._entries.append(_Entry(name, run, f"{EXAMPLE}jit {example}"))
            return run

        return kept

    def join(self, cli: typer.Typer) -> None:
        """Give the commands to the command line."""
        for entry in self._entries:
            cli.command(name=entry.name, rich_help_panel=self.title, epilog=entry.example)(entry.run)
