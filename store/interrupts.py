"""A signal that ends a DuckDB query is an interrupt like any other."""

from collections.abc import Generator
from contextlib import contextmanager

INTERRUPTED = "Query interrupted"
"""What DuckDB makes of a KeyboardInterrupt that a signal raised while it read rows."""


@contextmanager
def interruptible() -> Generator[None]:
    """KeyboardInterrupt where DuckDB raises what it makes of one."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == INTERRUPTED:
            raise KeyboardInterrupt from error
        raise
