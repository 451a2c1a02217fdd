"""Drives runs through the graph: creates them, goes on with them, and delivers people's decisions to them."""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, StreamMode

from graph.computation.desk import DeskSettings
from graph.parts import Parts
from graph.reading.queries import figures_of
from graph.run.build import Graph
from graph.run.closed_runs import ClosedRuns
from graph.run.pace import Pace
from graph.run.progress import PROGRESS_TITLES, HowFar, live_step, step_under_way
from graph.run.transitions import JournalCallbacks
from graph.views.runs import StepView, Trigger
from graph.views.standing import LEAVING
from store.operations import ApprovalRow
from tools.domain.errors import BadInput, Cancelled, JitError, StorageOutOfReach
from tools.domain.orders import Order
from tools.forecasting.forecast import MODEL_VERSION

LOG = logging.getLogger(__name__)
PARALLEL_NODES = 4
TOLD: list[StreamMode] = ["updates", "custom"]
"""What a drive hears of its graph: steps that ended, and how far one is."""
TAKEN_IN_AT_ONCE = 20
"""Orders of a run that wait, up to which it takes every decision in at once: resuming it looks at each of them."""
PACED_BY = 20
"""How many of the latest runs are looked through for one that tells how long steps take."""
RECOVERED_RUNS = 200
"""How many of the latest runs a new session looks at for one that was cut off."""


class RunDriver:
    """One drive of a run at a time; different runs go on beside each other."""

    def __init__(self, parts: Parts, graph: Graph, refresh: Callable[[], str | None]) -> None:
        self._parts = parts
        self._graph = graph
        self._refresh = refresh
        self._drives: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._owed: set[str] = set()
        self._how_far: dict[str, HowFar] = {}
        self._decided: set[str] = set()
        self.closed = ClosedRuns(parts)

    def create(self, trigger: Trigger, beside: Callable[[str], None] = lambda _run_id: None) -> str:
        """Store a new run on the trigger's dataset, or on the active one with what the ERP did since. BadInput.

        `beside` is called with the run's id in the transaction that stores it.
        """
        parts = self._parts
        dataset = parts.context.desk.dataset(trigger.dataset_version or self._refresh() or "")
        unknown = sorted(set(trigger.item_ids) - set(dataset.items))
        if unknown:
            raise BadInput(
                f"There is no item {', '.join(unknown)} in dataset {dataset.version}.",
                remedy=f"Items are for example {', '.join(list(dataset.items)[:5])}.",
            )
        run_id = f"run-{datetime.now(UTC):%y%m%d%H%M%S}-{uuid.uuid4().hex[:6]}"
        versions = {
            "dataset": dataset.version,
            "models": MODEL_VERSION,
            "desk": DeskSettings.of(parts.settings.model_dump()).as_versions(),
            "policy": parts.context.rules.version,
            "code": installed_version("jit-sourcing"),
        }
        stored = trigger.model_dump(mode="json")
        with parts.operations.together():
            parts.operations.create_run(run_id, stored, trigger.actor, dataset.version, versions)
            beside(run_id)
        return run_id

    def finish(self, run_id: str) -> None:
        """Go on with a run from where it stands, a new one included, until it ends or waits for people."""
        self._go_on_after_crash(run_id)
        for other in sorted({row.run_id for row in self._parts.operations.undelivered_decisions()}):
            try:
                self.deliver_when_possible(other)
            except JitError as error:
                LOG.warning("Run %s could not go on: %s", other, error)

    def drive(self, run_id: str) -> Iterator[StepView]:
        """Drive a new run until it ends or waits for people; yields its steps as they finish."""
        with self._lock_of(run_id):
            for seen in self._go_on(run_id, self._first(run_id)):
                if isinstance(seen, HowFar):
                    yield step_under_way(run_id, seen)
                else:
                    yield live_step(run_id, seen.node, seen.started, self._parts.warehouse, self._parts.operations)
        self._tell_of_replaced()
        self.closed.forget_checkpoints()

    def _tell_of_replaced(self) -> None:
        """Earlier runs hear which of their orders a plan replaced: at once, or later where these are many.

        What it replaced stands in the ledger already.
        """
        replaced = self._parts.operations.undelivered_decisions()
        if len(replaced) <= TAKEN_IN_AT_ONCE:
            self.deliver_decisions()
        else:
            with self._guard:
                self._decided |= {row.run_id for row in replaced}

    def _first(self, run_id: str) -> dict[str, Any]:
        row = self._parts.operations.run(run_id)
        return {
            "run_id": run_id,
            "trigger": dict(row.trigger),
            "dataset_version": row.dataset_version,
        }

    def state(self, run_id: str) -> Any:
        """The run's latest checkpoint."""
        return self._graph.get_state({"configurable": {"thread_id": run_id}})

    def values(self, run_id: str) -> dict[str, Any]:
        """The values of that checkpoint; empty where there is none."""
        return dict(self.state(run_id).values)

    def deliver_decisions(self) -> None:
        """Resume every run that has decisions it has not taken in yet."""
        for run_id in sorted({row.run_id for row in self._parts.operations.undelivered_decisions()}):
            self.deliver(run_id)

    def take_in(self, run_id: str) -> None:
        """Deliver what was decided: at once, or, while many orders of the run wait, with what is decided next.

        The decision itself stands already, in the ledger and the outbox.
        """
        if self._parts.operations.pending_count([run_id]).get(run_id, 0) <= TAKEN_IN_AT_ONCE:
            self.deliver_when_possible(run_id)
        else:
            with self._guard:
                self._decided.add(run_id)

    def deliver_together(self) -> None:
        """Deliver what was decided of runs of which many orders waited."""
        with self._guard:
            due = sorted(self._decided)
        for run_id in due:
            with self._guard:
                self._decided.discard(run_id)  # what is decided from here on is for the next time
            try:
                self.deliver_when_possible(run_id)
            except JitError as error:
                LOG.warning("Run %s could not go on: %s", run_id, error)

    def deliver_when_possible(self, run_id: str) -> None:
        """Deliver what was decided; while a database takes nothing, the run is owed it and `catch_up` delivers."""
        try:
            self.deliver(run_id)
        except StorageOutOfReach as error:
            LOG.warning("The decisions on run %s stand, and reach it later: %s", run_id, error)
            self._owe(run_id)

    @property
    def owed(self) -> frozenset[str]:
        """Runs that a database which took nothing kept from going on."""
        with self._guard:
            return frozenset(self._owed)

    def _owe(self, run_id: str) -> None:
        with self._guard:
            self._owed.add(run_id)

    def catch_up(self) -> None:
        """Go on with the runs that are owed; StorageOutOfReach while that is not possible yet."""
        for run_id in sorted(self.owed):
            try:
                self._go_on_after_crash(run_id)
                self.deliver(run_id)
            except StorageOutOfReach:
                raise
            except JitError as error:
                LOG.warning("Run %s could not go on: %s", run_id, error)
            with self._guard:
                self._owed.discard(run_id)

    def deliver(self, run_id: str) -> None:
        """Resume a run with every decision that it has not taken in yet.

        An edit opens another approval, which may be decided too before the run took the edit in: its pause comes only
        then. What the run no longer waits for counts as taken in.
        """
        operations = self._parts.operations
        with self._lock_of(run_id):
            decided = [row for row in operations.undelivered_decisions() if row.run_id == run_id]
            while decided:
                waiting = {pause.value["approval_id"]: pause.id for pause in self.state(run_id).interrupts}
                heard = [row for row in decided if row.approval_id in waiting]
                if heard:
                    answers = {waiting[row.approval_id]: _answer(row) for row in heard}
                    _exhaust(self._go_on(run_id, Command(resume=answers)))
                for row in heard or decided:
                    operations.mark_approval_applied(row.approval_id)
                decided = [row for row in decided if row not in heard] if heard else []
            self.closed.forget_checkpoints(run_id)

    def recover(self) -> None:
        """After a crash: go on with runs cut off in the middle, deliver stored decisions, drain the outbox."""
        self._parts.operations.release_leases()
        for row in self._parts.operations.runs(RECOVERED_RUNS):
            if row.status == "running":
                try:
                    self._go_on_after_crash(row.run_id)
                except JitError as error:
                    LOG.warning("Run %s could not go on: %s", row.run_id, error)
        self.deliver_decisions()
        self._parts.context.outbox.drain()
        self.closed.forget_checkpoints()

    def _go_on_after_crash(self, run_id: str) -> None:
        """Go on where the checkpoints end.

        A step whose nodes have all written, but whose checkpoint is not stored yet, has tasks and no next node.
        """
        with self._lock_of(run_id):
            if self._parts.operations.run(run_id).status != "running":
                return
            state = self.state(run_id)
            if state.created_at is None:
                _exhaust(self._go_on(run_id, self._first(run_id)))
            elif state.tasks:
                _exhaust(self._go_on(run_id, None))
            else:
                self._note(run_id)

    def _go_on(self, run_id: str, given: Any) -> Iterator["_Ended | HowFar"]:
        """Drive the graph until it ends or waits, then note where the run stands.

        A drive that is cut off (its process ends, its reader goes away) leaves the run as running: the next
        session goes on with it. So does one that a full disk stopped: `catch_up` goes on with it.
        """
        try:
            yield from self._drive_graph(run_id, given)
        except StorageOutOfReach:
            self._owe(run_id)
            raise

    def _drive_graph(self, run_id: str, given: Any) -> Iterator["_Ended | HowFar"]:
        self._parts.operations.set_run_status(run_id, "running")
        started = datetime.now(UTC)
        streamed = self._graph.stream(
            given, self._config(run_id), context=self._parts.context, stream_mode=TOLD, durability="sync"
        )
        told = cast(Iterator[tuple[str, Any]], streamed)
        pace: Pace | None = None
        items = 0
        try:
            for _, part in told:
                if isinstance(part, HowFar):
                    pace = pace or self._pace(run_id)
                    far = self._how_far[run_id] = replace(part, afterwards=pace.rest_after(part.node, items))
                    yield far
                    continue
                items = len((part.get("sense") or {}).get("item_ids", ())) or items
                for node in part:
                    if node in PROGRESS_TITLES:
                        self._how_far.pop(run_id, None)
                        yield _Ended(node, started)
                        started = datetime.now(UTC)
        except (GeneratorExit, KeyboardInterrupt, StorageOutOfReach):
            raise
        except Cancelled as ended:
            self._parts.operations.set_run_status(run_id, "stopped", _summary((), ended.message))
        except BaseException as error:
            self._note(run_id, failure=f"{type(error).__name__}: {error}")
            raise
        else:
            self._note(run_id)
        finally:
            self._how_far.pop(run_id, None)
            self._parts.context.cancels.over(run_id)

    def _pace(self, run_id: str) -> Pace:
        """By the latest of the runs before that published a plan."""
        operations = self._parts.operations
        before = [row.run_id for row in operations.runs(PACED_BY) if row.run_id != run_id]
        published = operations.publications(*before)
        if not published:
            return Pace()
        return Pace.of(self._parts.journal.transitions(published[0].run_id), len(published[0].item_ids))

    def under_way(self, run_id: str) -> Iterator[StepView]:
        """The step of a run that computes right now, where it is known how far it is."""
        far = self._how_far.get(run_id)
        if far is not None:
            yield step_under_way(run_id, far)

    def _config(self, run_id: str) -> RunnableConfig:
        row = self._parts.operations.run(run_id)
        versions = {key: str(value) for key, value in row.versions.items()}
        callbacks = JournalCallbacks(self._parts.journal, run_id, str(row.trigger["kind"]), row.actor, versions)
        return {
            "configurable": {"thread_id": run_id},
            "callbacks": [callbacks],
            "max_concurrency": PARALLEL_NODES,
        }

    def _lock_of(self, run_id: str) -> threading.Lock:
        with self._guard:
            return self._drives.setdefault(run_id, threading.Lock())

    def _note(self, run_id: str, failure: str = "") -> None:
        """Store where the run stands; its state, which is as large as its plan, is read only where nothing waits."""
        operations, stopped, status = self._parts.operations, "", "failed" if failure else "waiting"
        if not failure and not operations.pending_count([run_id]):
            state = self.state(run_id)
            stopped = str(state.values.get("stopped", ""))
            status = "stopped" if stopped else "waiting" if state.interrupts else "done"
        operations.set_run_status(run_id, status, _summary(operations.orders_of(run_id), failure or stopped))


@dataclass(frozen=True, slots=True)
class _Ended:
    """A step that has just ended."""

    node: str
    started: datetime


def _exhaust(steps: Iterator[_Ended | HowFar]) -> None:
    for _ in steps:
        pass


def _answer(row: ApprovalRow) -> dict[str, Any]:
    """What an order's branch hears of its approval; a void one was replaced by a newer plan."""
    return {
        "decision": row.decision or "void",
        "actor": row.decided_by or "",
        "reason": row.reason,
        "content_hash": row.content_hash,
        "edits": dict(row.edits or {}),
    }


def _summary(orders: Sequence[Order], text: str) -> dict[str, Any]:
    kept = [order for order in orders if order.route.kind in LEAVING]
    placed = [order for order in kept if not order.changes]
    changes = f", {len(kept) - len(placed)} changes of open orders" if len(kept) > len(placed) else ""
    return {**figures_of(orders), "text": text or f"{len(placed)} orders{changes}"}
