"""From the inbox to a run: alerts are stored once, and replan what they affect; none is lost, none planned twice."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from graph.incoming.readings import GIVEN_BY, OURS, AlertReader, joint_trigger
from graph.incoming.triggers import FORM, typed_alert
from graph.parts import Parts
from graph.run.driver import RunDriver
from graph.run.state import Json
from graph.views.runs import AlertView
from store.background import BackgroundWork
from store.operations import InboxRow, RunRow
from tools.domain.errors import BadInput, Conflict, JitError, StorageOutOfReach
from tools.domain.plain_json import misfit

LOG = logging.getLogger(__name__)
LEASE_SECONDS = 600.0
IDLE_SECONDS = 5.0
TALK = "main"


class AlertIntake:
    """Takes alerts in at once and works through them on a thread of its own.

    Messages are bound to their run in the transaction that creates it, and settled in the one that tells of it:
    whenever the process ends, the next one finds the run, goes on with it, and settles them once.
    """

    def __init__(self, parts: Parts, driver: RunDriver) -> None:
        self._parts = parts
        self._driver = driver
        self._reader = AlertReader(parts)
        self._held: InboxRow | None = None
        self._batch: tuple[str, ...] = ()
        self._apart: set[str] = set()
        self.worker = BackgroundWork("alerts", self._work, IDLE_SECONDS, self._answer)
        """Plans what waits in the inbox."""

    def open(self) -> None:
        """Begin to work, first on what an earlier process left."""
        self.worker.start()

    def close(self) -> None:
        """Finish the alert under way; others stay stored for the next session."""
        self.worker.stop()

    def receive(
        self,
        message_id: str,
        event: Mapping[str, object],
        source: str,
        given_by: str = "",
        beside: Callable[[], None] = lambda: None,
    ) -> Mapping[str, object]:
        """Store an alert durably. Conflict when its id was seen before; BadInput when it is no alert.

        `beside` is called in the transaction that stores it.
        """
        reason = misfit(event)
        if reason:
            raise BadInput(f"The event is not valid: {reason}.", remedy=FORM)
        context, operations = self._parts.context, self._parts.operations
        dataset = context.desk.dataset(self._parts.warehouse.active_version() or "")
        kept = {name: value for name, value in event.items() if name not in OURS}
        payload = {**kept, GIVEN_BY: given_by} if given_by else kept
        row = InboxRow(message_id, "alert", payload, source, "new", context.now(), 0, None, None)
        inner = kept.get("data")
        if not isinstance(inner, Mapping) or not cast(Mapping[str, Any], inner).get("text"):
            typed_alert(row, dataset, context.agents.extractor)
        with operations.together():
            if not operations.receive(message_id, "alert", payload, source):
                raise Conflict(f"Message {message_id} was received before.", remedy="Nothing is left to do.")
            beside()
        self.worker.wake()
        return {"accepted": True, "message_id": message_id}

    def alerts(self, limit: int) -> Sequence[AlertView]:
        """Latest first: what was received and what came of it."""
        return [_alert_view(row) for row in self._parts.operations.inbox(limit)]

    def _work(self) -> bool:
        """One run for the oldest alert and those like it; False when none waits."""
        operations = self._parts.operations
        self._held = self._held or operations.take_inbox(LEASE_SECONDS)
        if self._held is None:
            return False
        self._batch = (self._held.message_id,)
        row = operations.inbox_message(self._held.message_id)
        run_id = row.run_id or self._begin(row)
        self._batch = tuple(one.message_id for one in operations.inbox_of_run(run_id))
        self._driver.finish(run_id)
        self._settle(run_id)
        self._held = None
        return True

    def _begin(self, row: InboxRow) -> str:
        """Create the run of an alert and of all that wait about the very same items. BadInput."""
        operations, first = self._parts.operations, self._reader.read(row)
        waiting = [other for other in operations.waiting_inbox() if other.message_id not in self._apart]
        alone = row.message_id in self._apart
        readings = [first] if alone else [first, *self._reader.company_of(first, waiting)]
        self._batch = tuple(reading.row.message_id for reading in readings)

        def bind(run_id: str) -> None:
            for reading in readings:
                operations.note_inbox(reading.row.message_id, reading.noted)
                operations.bind_inbox(reading.row.message_id, run_id, LEASE_SECONDS)

        return self._driver.create(joint_trigger(readings), bind)

    def _settle(self, run_id: str) -> None:
        """Tell what came of a run and settle its alerts, in one transaction; again it changes nothing.

        JitError when the run failed.
        """
        operations = self._parts.operations
        run = operations.run(run_id)
        if run.status == "failed":
            reason = str(run.summary.get("text", ""))
            raise JitError(f"Run {run_id} failed: {reason}", remedy=f"`jit journal {run_id}` tells where.")
        text = self._told(run)
        with operations.together():
            settled = [operations.finish_inbox(message_id, run_id) for message_id in self._batch]
            if any(settled):
                operations.add_message(TALK, "assistant", text, {"run_id": run_id, "sources": [run_id]})
        self._reader.forget(self._batch)
        self._apart.difference_update(self._batch)

    def _refuse(self, message_ids: Sequence[str], reason: str) -> None:
        """What cannot be used goes to a person, with the reason."""
        operations = self._parts.operations
        told = "A supplier alert" if len(message_ids) == 1 else f"{len(message_ids)} supplier alerts"
        with operations.together():
            settled = [operations.finish_inbox(message_id, error=reason) for message_id in message_ids]
            if any(settled):
                operations.add_message(TALK, "assistant", f"{told} could not be used. {reason}", {})
        self._reader.forget(message_ids)
        self._apart.difference_update(message_ids)

    def _answer(self, fault: BaseException) -> bool:
        """What cannot be stored now is tried again; a fault with several sets them apart, with one it ends that one."""
        if self._held is None or isinstance(fault, StorageOutOfReach):
            return False
        if not isinstance(fault, JitError):
            LOG.error("Alert %s ended in a fault of the program.", self._held.message_id, exc_info=fault)
        if len(self._batch) > 1:
            self._parts.operations.release_inbox(self._batch)
            self._apart.update(self._batch)
        else:
            LOG.warning("Alert %s: %s", self._held.message_id, fault)
            known = str(fault) if isinstance(fault, JitError) else ""
            self._refuse(self._batch, known or f"A fault of the program: {type(fault).__name__}: {fault}")
        self._held = None
        return True

    def _told(self, run: RunRow) -> str:
        """A line for the conversation, so that whoever watches sees what the alert set off."""
        waiting = self._parts.operations.pending_count([run.run_id]).get(run.run_id, 0)
        summary = dict(run.summary)
        value = f"{float(summary.get('order_value', 0.0)):,.0f} {summary.get('currency', '')}".strip()
        return (
            f"Supplier alert ({run.trigger['reason']}): replanned in {run.run_id}. Order lines: "
            f"{summary.get('lines', 0)}, worth {value}. Orders that wait for approval: {waiting}. "
            f"{summary.get('text', '')}"
        )


def _alert_view(row: InboxRow) -> AlertView:
    stored = row.payload.get("typed") or row.payload.get("data")
    typed = cast(Mapping[str, Any], stored) if isinstance(stored, Mapping) else Json()
    return AlertView(
        message_id=row.message_id,
        source=row.source,
        received_at=row.received_at,
        status=row.status,
        kind=str(typed.get("kind") or ""),
        node_id=str(typed.get("node_id") or ""),
        delay_days=int(typed.get("delay_days") or 0),
        until=str(typed.get("until") or ""),
        run_id=row.run_id,
        error=row.error or "",
    )
