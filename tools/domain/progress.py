"""How far long work is: whoever works says how much there is and what is done, whoever asked for it hears that.

Who hears may end the work by raising; it is ended between two parts of it, never within one.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Hear = Callable[[int, int], None]
"""Takes the units done and those expected in all."""


@dataclass
class _Told:
    hear: Hear
    expected: int = 0
    done: int = 0


_TOLD: ContextVar[_Told | None] = ContextVar("told", default=None)


@contextmanager
def heard_by(hear: Hear) -> Generator[None]:
    """Work within the block is told to `hear`, in the thread that asks for it."""
    token = _TOLD.set(_Told(hear))
    try:
        yield
    finally:
        _TOLD.reset(token)


def expect(units: int) -> None:
    """So much more work is ahead."""
    told = _TOLD.get()
    if told is not None:
        told.expected += units


def did(units: int) -> None:
    """So much of it is done. Raises what ends the work."""
    told = _TOLD.get()
    if told is not None:
        told.done += units
        told.hear(told.done, max(told.expected, told.done))


def look_up() -> None:
    """Between two parts that are not counted: whoever hears the work may end it here."""
    did(0)


def counted(parts: Iterable[T]) -> Iterator[T]:
    """The parts, each told as one unit done once the next is asked for."""
    for part in parts:
        yield part
        did(1)
