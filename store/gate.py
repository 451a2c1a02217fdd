"""A gate before a database's writers: any number pass side by side, none while a copy of one moment is begun."""

import threading
from collections.abc import Generator
from contextlib import contextmanager


class WriteGate:
    """Shared by writers, shut by whoever needs them all to stand still."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._shut = False

    @contextmanager
    def passing(self) -> Generator[None]:
        """One writer's transaction."""
        with self._changed:
            self._changed.wait_for(lambda: not self._shut)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def shut(self) -> Generator[None]:
        """Let the writers inside finish, and nobody in until the block ends."""
        with self._changed:
            self._changed.wait_for(lambda: not self._shut)
            self._shut = True
        try:
            with self._changed:
                self._changed.wait_for(lambda: not self._inside)
            yield
        finally:
            with self._changed:
                self._shut = False
                self._changed.notify_all()
