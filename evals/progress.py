"""A progress display on standard error, so that standard output holds the result alone."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from evals.suites import OnStep


@contextmanager
def watched() -> Generator[OnStep]:
    """A bar of the steps done; nothing where standard error is no terminal."""
    # a fixed stream: the scorers' own output is kept away by replacing sys.stderr for a while
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task("playing", total=None, visible=console.is_terminal)

        def on_step(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=f"played {what}")

        yield on_step
