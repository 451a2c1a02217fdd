"""A command that does not exist is answered with the nearest that does."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from typer.core import TyperGroup

from tools.domain.errors import BadInput

ALIKE = 0.6
"""Share of letters in common from which a name counts as misspelt rather than as another word."""


class Commands(TyperGroup):
    """The commands of `jit`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is named first. BadInput names the nearest when there is none of that name."""
        if not ctx.resilient_parsing and args[0] not in self.commands:
            raise unknown(args[0], self.commands)
        return super().resolve_command(ctx, args)


def unknown(typed: str, known: Iterable[str]) -> BadInput:
    """That there is no such command, and what was meant."""
    found = nearest(typed, known)
    meant = f"Did you mean `jit {found}`? " if found else ""
    return BadInput(f"There is no command {typed!r}.", remedy=f"{meant}All commands: `jit --help`.")


def nearest(typed: str, known: Iterable[str]) -> str:
    """The name that was meant: one that begins so, or the one most alike; empty when none is."""
    names = list(known)
    begun = [name for name in names if name.startswith(typed.casefold())] if typed else []
    return next(iter(begun or get_close_matches(typed.casefold(), names, n=1, cutoff=ALIKE)), "")
