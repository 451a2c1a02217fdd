"""Where the command line prints: a screen of a sensible width, plain text only, and aligned rows."""

import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import lru_cache

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tools.kernels import watching

PIPED_WIDTH = 110
"""Columns when the output is no terminal and COLUMNS does not say."""
NARROWEST = 60
ELLIPSIS = "…"
COMPILING = "Compiling the engine's kernels, once after an install: {place} of {of}"


@lru_cache(maxsize=1)
def screen() -> Console:
    """Standard output. Names from data are printed as they are: no markup, no highlighting, no emoji codes."""
    narrow = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH
    return Console(width=narrow, markup=False, highlight=False, emoji=False)


def width() -> int:
    """Columns to lay out for."""
    return max(screen().width, NARROWEST)


def clean(text: object) -> str:
    """Text without control characters, so that a supplier's name cannot steer the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in str(text))


def say(text: object = "", style: str = "", indent: int = 0) -> None:
    """A paragraph, wrapped between words and indented as a block."""
    _block(text, style, " " * indent, " " * indent)


def _block(text: object, style: str, first: str, rest: str) -> None:
    """Wrapped lines, each behind its lead, without blanks at their ends."""
    lead = first
    for line in Text(clean(text), style=style).wrap(screen(), width() - len(first)):
        line.rstrip()
        screen().print(Text.assemble(lead, line), soft_wrap=True)
        lead = rest


def say_whole(text: object, style: str = "") -> None:
    """A line to copy: never wrapped or cut."""
    screen().print(Text(clean(text), style=style), soft_wrap=True)


def heading(text: str) -> None:
    """A title with a blank line before it."""
    screen().print()
    say(text, "bold")


def bullet(text: object, style: str = "", mark: str = "-") -> None:
    """A paragraph behind a mark, its further lines under its first."""
    _block(text, style, f"  {mark} ", " " * (len(mark) + 3))


def table(names: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = (), fold: str = "") -> None:
    """A plain table; only the column `fold` wraps, so that ids stay whole."""
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for name in names:
        made.add_column(name, justify="right" if name in right else "left", no_wrap=name != fold, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row))
    for segments in screen().render_lines(made, pad=False):
        line = Text.assemble(*((segment.text, segment.style or "") for segment in segments))
        line.rstrip()
        screen().print(line, soft_wrap=True)


def pairs(facts: Iterable[tuple[str, object]]) -> None:
    """Names and values in two columns."""
    told = [(clean(name), value) for name, value in facts]
    longest = max((len(name) for name, _ in told), default=0)
    for name, value in told:
        _block(value if str(value) else "-", "", f"  {name:<{longest}}  ", " " * (longest + 4))


def shorten(text: str, length: int) -> str:
    """At most `length` characters."""
    return text if len(text) <= length else text[: max(length - 1, 0)].rstrip() + ELLIPSIS


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = (), give: int | None = None) -> list[str]:
    """Rows as lines with their columns under each other; the column `give` is shortened where they are too long."""
    cells = [[clean(cell) for cell in row] for row in rows]
    if not cells:
        return []
    sizes = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    if give is not None:
        sizes[give] = max(min(sizes[give], sizes[give] + width() - sum(sizes) - 2 * (len(sizes) - 1)), 8)
        for row in cells:
            row[give] = shorten(row[give], sizes[give])
    return [
        "  ".join(
            cell.rjust(size) if place in right else cell.ljust(size)
            for place, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in cells
    ]


@contextmanager
def working(text: str, *, quiet: bool = False) -> Generator[Callable[[str], None]]:
    """Show on a terminal what runs and for how long; gives what changes the text.

    Where standard output is read by a program (a pipe, or `quiet` for --json) the terminal is that of standard error.
    """
    apart = quiet or not sys.stdout.isatty()
    if apart and not sys.stderr.isatty():
        yield lambda _text: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    console = Console(stderr=True) if apart else screen()
    with Progress(*columns, console=console, transient=True, redirect_stdout=not apart) as shown:
        task = shown.add_task(clean(text), total=None)

        def tell(said: str) -> None:
            shown.update(task, description=clean(said), refresh=True)

        with watching(lambda _name, place, of: tell(COMPILING.format(place=place, of=of))):
            yield tell
