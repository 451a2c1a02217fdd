"""Work that goes on behind the requests: it survives what its work raises, tries again, and says what is wrong."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

Value = TypeVar("Value")
LOG = logging.getLogger(__name__)
LONGEST_PAUSE_SECONDS = 5.0
"""Between two tries of work that fails: no longer, so that it goes on soon after its cause is gone."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps work from being done, and since when."""

    since: datetime
    reason: str


def attempted(work: Callable[[], Value]) -> Future[Value]:
    """The outcome of some work, whatever it raises: a fault of one piece must not end the thread behind it."""
    with ThreadPoolExecutor(1, thread_name_prefix="attempt") as pool:
        return pool.submit(work)


class BackgroundWork:
    """A thread that does some work again and again: at once while there is more, else after a pause or when woken.

    `work` tells whether there is more to do at once. `answer`, when given, is asked about what the work raised and
    tells whether that is dealt with; otherwise it is kept as the trouble until the work succeeds.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], bool],
        every_seconds: float,
        answer: Callable[[BaseException], bool] = lambda _fault: False,
    ) -> None:
        self.name = name
        self._work = work
        self._answer = answer
        self._every_seconds = every_seconds
        self._trouble: Trouble | None = None
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def trouble(self) -> Trouble | None:
        """What went wrong at the latest try; None when nothing did."""
        return self._trouble

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin; a second start changes nothing."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._keep_working, name=self.name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Finish the piece of work under way, and end."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def _keep_working(self) -> None:
        failed = 0
        with ThreadPoolExecutor(1, thread_name_prefix=self.name) as pool:
            while not self._stopping.is_set():
                self._wake.clear()
                more, fault = self._try(pool)
                self._note(fault)
                failed = 0 if fault is None else failed + 1
                if not more:
                    self._pause(failed)

    def _try(self, pool: ThreadPoolExecutor) -> tuple[bool, BaseException | None]:
        """One piece of work: whether there is more, and what keeps it from being done."""
        tried = pool.submit(self._work)
        fault = tried.exception()
        if fault is None:
            return tried.result(), None
        answered = pool.submit(self._answer, fault)
        if answered.exception() is None and answered.result():
            return True, None
        return False, answered.exception() or fault

    def _pause(self, failed: int) -> None:
        seconds = min(LONGEST_PAUSE_SECONDS, self._every_seconds * 2**failed) if failed else self._every_seconds
        (self._stopping if failed else self._wake).wait(seconds)

    def _note(self, fault: BaseException | None) -> None:
        if fault is None:
            if self._trouble is not None:
                LOG.warning("%s: goes on again.", self.name)
            self._trouble = None
        elif self._trouble is None:
            LOG.warning("%s cannot go on: %s", self.name, fault, exc_info=fault)
            self._trouble = Trouble(datetime.now(UTC), str(fault) or type(fault).__name__)
        else:
            self._trouble = Trouble(self._trouble.since, str(fault) or type(fault).__name__)
