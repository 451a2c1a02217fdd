"""Schedules of operations on the same databases: at each transaction and each call of the ERP another may go on.

Every operation runs in a thread of its own, and one of them at a time: a seed draws who goes on, so that a schedule
can be played again. A process that is killed ends in the middle of whatever its operations do.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from types import TracebackType

STAYS = 0.4
"""Probability that the operation under way goes on at a point where another could."""


class Killed(BaseException):
    """The process of this operation is gone: nothing of it runs any further."""


@dataclass
class Life:
    """Whether a process lives, and after how many more steps of its operations it is killed."""

    fuse: int | None = None
    dead: bool = False

    def step(self) -> None:
        """One statement or call; Killed when the process ends here, or has ended."""
        if self.fuse is not None:
            self.fuse -= 1
            self.dead = self.dead or self.fuse <= 0
        if self.dead:
            raise Killed


@dataclass
class Task:
    """One operation under way."""

    work: Callable[[], None]
    life: Life
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    over: bool = False
    error: BaseException | None = None


class Schedule:
    """Plays operations beside each other, one step of one of them at a time."""

    def __init__(self) -> None:
        self.switches = 0
        """How often one operation went on in the middle of another."""
        self._random = Random(0)
        self._back = threading.Semaphore(0)
        self._running: dict[int, Task] = {}
        self._beside = 0

    def play(self, jobs: Sequence[tuple[Life, Callable[[], None]]], seed: int) -> None:
        """Run the operations to their ends. What one of them raises is raised once all are over, except Killed."""
        self._random = Random(seed)
        tasks = [Task(work, life) for life, work in jobs]
        threads = [threading.Thread(target=self._run, args=(task,), daemon=True) for task in tasks]
        for thread in threads:
            thread.start()
        current = tasks[0]
        while waiting := [task for task in tasks if not task.over]:
            self._beside = len(waiting) - 1
            if current.over or self._random.random() > STAYS:
                chosen = self._random.choice(waiting)
                self.switches += chosen is not current and not current.over
                current = chosen
            current.go.release()
            self._back.acquire()
        for thread in threads:
            thread.join()
        for task in tasks:
            if task.error is not None:
                raise task.error

    def _run(self, task: Task) -> None:
        task.go.acquire()
        self._running[threading.get_ident()] = task
        try:
            task.work()
        except Killed:
            pass
        except BaseException as error:
            task.error = error
        finally:
            del self._running[threading.get_ident()]
            task.over = True
            self._back.release()

    def point(self) -> None:
        """A point between two transactions: whoever the seed draws goes on."""
        task = self._running.get(threading.get_ident())
        if task is None:
            return
        task.life.step()
        if self._beside:
            self._back.release()
            task.go.acquire()
            if task.life.dead:
                raise Killed

    def step(self) -> None:
        """A statement inside a transaction: nobody else goes on, but the process may be killed."""
        task = self._running.get(threading.get_ident())
        if task is not None:
            task.life.step()


class FairLock:
    """A lock that lets the others of a schedule go on while it is held."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._owner = 0
        self._depth = 0

    def __enter__(self) -> None:
        while self._owner not in (0, threading.get_ident()):
            self._schedule.point()
        self._owner = threading.get_ident()
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = 0
