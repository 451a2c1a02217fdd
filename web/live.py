"""Runs that are under way, and a cheap look at what changed."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Condition, Lock

from graph.contracts import SourcingSession
from graph.views.orders import ApprovalView, WaitingView
from graph.views.plans import PlanView
from graph.views.runs import UNDER_WAY, RunStatus, RunView, StepView, Trigger

RUNS_SHOWN = 3
ORDERS_SHOWN = 10
"""Orders that the page with what waits begins with."""
MESSAGES_SHOWN = 30
DECIDED_SHOWN = 20
PLANS_KEPT = 3


def as_they_stand(steps: Sequence[StepView]) -> list[StepView]:
    """Steps without what was told of one before it ended, but for the last."""
    return [step for step in steps[:-1] if step.status != UNDER_WAY] + list(steps[-1:])


class Feed:
    """The steps of one run, collected by a thread of its own, so that it ends even when nobody watches."""

    def __init__(self, steps: Callable[[], Iterator[StepView]], pool: ThreadPoolExecutor) -> None:
        self._changed = Condition()
        self._steps: list[StepView] = []
        self._work: Future[None] = pool.submit(self._collect, steps)
        self._work.add_done_callback(self._wake)

    @property
    def steps(self) -> tuple[StepView, ...]:
        """The steps so far, and at the end the one that still computes."""
        with self._changed:
            return tuple(as_they_stand(self._steps))

    @property
    def done(self) -> bool:
        """Whether the run ended or waits for people."""
        return self._work.done()

    def follow(self) -> Iterator[StepView]:
        """Each step as it comes; raises at the end what the run raised."""
        shown = 0
        while True:
            with self._changed:
                while len(self._steps) == shown and not self._work.done():
                    self._changed.wait(1.0)
                fresh = self._steps[shown:]
            yield from fresh
            shown += len(fresh)
            if not fresh:
                self._work.result()
                return

    def _collect(self, steps: Callable[[], Iterator[StepView]]) -> None:
        for step in steps():
            with self._changed:
                self._steps.append(step)
                self._changed.notify_all()

    def _wake(self, _work: Future[None]) -> None:
        with self._changed:
            self._changed.notify_all()


class LiveRuns:
    """Starts runs and keeps the feed of the latest one for whoever looks."""

    def __init__(self, session: SourcingSession, workers: int = 4) -> None:
        self._session = session
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="run")
        self.latest: Feed | None = None

    def start(self, trigger: Trigger) -> Feed:
        """Start a run in the background."""
        feed = Feed(lambda: self._session.stream(trigger=trigger), self._pool)
        self.latest = feed
        return feed

    def stored(self, run_id: str) -> Feed:
        """The stored steps of a run, read in the background."""
        return Feed(lambda: self._session.stream(run_id=run_id), self._pool)

    def close(self) -> None:
        """Wait for the runs under way."""
        self._pool.shutdown(wait=True)


@dataclass(frozen=True, slots=True)
class Glance:
    """What every open page shows, and a stamp that differs when anything that is stored changed."""

    runs: Sequence[RunView]
    """The latest few."""
    waiting: WaitingView
    """Totals of what waits, and the orders that a page shows first."""
    messages: Sequence[Mapping[str, object]]
    status: Mapping[str, object]
    steps: Sequence[StepView] = ()
    """Of the run under way."""
    decided: Sequence[ApprovalView] = ()
    stamp: str = ""

    @property
    def running(self) -> RunView | None:
        """The run under way, if any."""
        return next((run for run in self.runs if run.status is RunStatus.RUNNING), None)


class Pulse:
    """One cached glance for all open pages: many cost the session no more than one, and nothing while it rests."""

    def __init__(self, session: SourcingSession, seconds: float = 1.0) -> None:
        self._session = session
        self._seconds = seconds
        self._lock = Lock()
        self._plan_lock = Lock()
        self._glance: Glance | None = None
        self._looked_at = 0.0
        self._plans: dict[str, tuple[str, PlanView]] = {}

    def read(self, *, fresh: bool = False) -> Glance:
        """The latest glance: read anew where something changed, which is asked at most every `seconds`."""
        with self._lock:
            glance = self._glance
            if glance is not None and not fresh and time.monotonic() - self._looked_at <= self._seconds:
                return glance
            stamp = self._session.stamp()
            if glance is None or glance.stamp != stamp:
                glance = self._look(stamp)
            elif glance.running is not None:
                glance = self._with_steps(glance, glance.running)
            self._glance = glance
            self._looked_at = time.monotonic()
            return glance

    def plan(self, run_id: str = "") -> PlanView:
        """What a run planned, the current plan when none is named, without series; read once for all pages.

        NotFound before the first run.
        """
        with self._plan_lock:
            stamp = self._session.stamp()
            known = self._plans.pop(run_id, None)
            plan = known[1] if known and known[0] == stamp else self._session.plan(run_id or None, series=False)
            self._plans[run_id] = (stamp, plan)
            while len(self._plans) > PLANS_KEPT:
                del self._plans[next(iter(self._plans))]
            return plan

    def _look(self, stamp: str) -> Glance:
        session = self._session
        glance = Glance(
            runs=list(session.runs(RUNS_SHOWN)),
            waiting=session.waiting(ORDERS_SHOWN),
            messages=list(session.messages(limit=MESSAGES_SHOWN)),
            status=session.status(),
            decided=list(session.decided(DECIDED_SHOWN)),
            stamp=stamp,
        )
        return glance if glance.running is None else self._with_steps(glance, glance.running)

    def _with_steps(self, glance: Glance, running: RunView) -> Glance:
        """With the steps of the run under way as they stand now."""
        return replace(glance, steps=list(self._session.stream(run_id=running.run_id)))
