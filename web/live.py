"""Runs that are under way, and a cheap look at what changed."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Condition, Lock

from graph.contracts import SourcingSession
from graph.views import AlertView, ApprovalView, OutlookView, RunStatus, RunView, StepView, Trigger


class Feed:
    """The steps of one run, collected by a thread of its own, so that it ends even when nobody watches."""

    def __init__(self, steps: Callable[[], Iterator[StepView]], pool: ThreadPoolExecutor) -> None:
        self._changed = Condition()
        self._steps: list[StepView] = []
        self._work: Future[None] = pool.submit(self._collect, steps)
        self._work.add_done_callback(self._wake)

    @property
    def steps(self) -> tuple[StepView, ...]:
        """The steps so far."""
        with self._changed:
            return tuple(self._steps)

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
    """What every open page shows, and a stamp that differs when any of it changed."""

    runs: Sequence[RunView]
    pending: Sequence[ApprovalView]
    messages: Sequence[Mapping[str, object]]
    status: Mapping[str, object]
    steps: Sequence[StepView]
    decided: Sequence[ApprovalView] = ()
    alerts: Sequence[AlertView] = ()
    outlooks: Mapping[tuple[str, str], OutlookView] = field(default_factory=dict[tuple[str, str], OutlookView])
    """Run and item to the outlook that an order waiting for a signature rests on."""
    stamp: int = 0

    @property
    def running(self) -> RunView | None:
        """The run under way, if any."""
        return next((run for run in self.runs[:3] if run.status is RunStatus.RUNNING), None)


class Pulse:
    """One cached glance for all open pages: many pages cost the session no more than one."""

    def __init__(self, session: SourcingSession, seconds: float = 1.0) -> None:
        self._session = session
        self._seconds = seconds
        self._lock = Lock()
        self._glance: Glance | None = None
        self._read_at = 0.0
        self._outlooks: dict[str, dict[tuple[str, str], OutlookView]] = {}

    def read(self, *, fresh: bool = False) -> Glance:
        """The latest glance, at most `seconds` old, or read anew."""
        with self._lock:
            now = time.monotonic()
            if fresh or self._glance is None or now - self._read_at > self._seconds:
                self._glance = self._look()
                self._read_at = time.monotonic()
            return self._glance

    def _steps_of(self, shown: RunView) -> Sequence[StepView]:
        """Stored steps, read again only while the run can have new ones."""
        before = self._glance
        if before and shown in before.runs and shown.status is not RunStatus.RUNNING:
            return before.steps
        return list(self._session.stream(run_id=shown.run_id))

    def _outlooks_of(self, pending: Sequence[ApprovalView]) -> dict[tuple[str, str], OutlookView]:
        """Outlooks of the runs whose orders wait; those of a run that waits no longer change."""
        wanted = {approval.run_id for approval in pending}
        for run_id in wanted - self._outlooks.keys():
            outlooks = self._session.plan(run_id).outlooks
            self._outlooks[run_id] = {(run_id, one.item_id): one for one in outlooks}
        self._outlooks = {run_id: found for run_id, found in self._outlooks.items() if run_id in wanted}
        return {key: one for found in self._outlooks.values() for key, one in found.items()}

    def _look(self) -> Glance:
        session = self._session
        runs = list(session.runs(20))
        running = next((run for run in runs[:3] if run.status is RunStatus.RUNNING), None)
        shown = running or (runs[0] if runs else None)
        glance = Glance(
            runs=runs,
            pending=list(session.pending()),
            messages=list(session.messages()),
            status=session.status(),
            steps=self._steps_of(shown) if shown else [],
            decided=list(session.decided(20)),
            alerts=list(session.alerts(20)),
        )
        return replace(glance, outlooks=self._outlooks_of(glance.pending), stamp=_stamp(glance))


def _stamp(glance: Glance) -> int:
    marks = (
        *(run.model_dump_json() for run in glance.runs[:5]),
        *((a.approval_id, a.content_hash, a.status) for a in glance.pending),
        *((a.approval_id, a.status, a.erp_status, a.lines[0].status if a.lines else "") for a in glance.decided),
        *((a.message_id, a.status) for a in glance.alerts),
        len(glance.messages),
        len(glance.steps),
        str(glance.status.get("halted")),
        str(glance.status.get("dataset")),
        str(glance.status.get("estimates")),
    )
    return hash(marks)
