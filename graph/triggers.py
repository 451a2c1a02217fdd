"""From the inbox to a run: alerts are stored once, read into typed events, and replan what they affect."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any, cast

from pydantic import ValidationError

from agents.contracts import ExtractedAlert, Extractor
from graph import records
from graph.parts import Parts
from graph.state import Json
from graph.views import AlertView, Trigger, TriggerKind
from store.operations import InboxRow, Operations
from tools.domain.alerts import Alert, AlertKind
from tools.domain.datasets import Dataset
from tools.domain.errors import BadInput, Conflict, JitError
from tools.network import build_graph
from tools.network.graph import Dependencies

LOG = logging.getLogger(__name__)
LEAST_FORCE_DAYS = 30
"""How long an alert without an end is in force, unless its delay is longer."""
LEASE_SECONDS = 600.0
IDLE_SECONDS = 5.0
FORM = "docs/alerts.md has an event to copy."
EXTRACTED = {"kind", "node_id", "item_ids", "delay_days", "capacity_fraction", "confidence"}


def known_nodes(dataset: Dataset) -> list[str]:
    """Ids that an alert may name: nodes of the supply network, items and suppliers included."""
    graph = build_graph(dataset)
    return sorted({str(node) for node in graph.nodes} | set(dataset.items) | set(dataset.suppliers))


def typed_alert(row: InboxRow, dataset: Dataset, extractor: Extractor) -> tuple[Alert, Json]:
    """The typed alert of a stored message, and who read it where that was free text. BadInput.

    Text goes through the extractor and no further.
    """
    inner = row.payload.get("data")
    fields: Json = dict(cast(Mapping[str, Any], inner)) if isinstance(inner, Mapping) else {}
    text, reader = str(fields.pop("text", "") or ""), Json()
    if not fields.get("kind") or not fields.get("node_id"):
        found = _read(text, dataset, extractor)
        fields = {**fields, **found.model_dump(include=EXTRACTED), "item_ids": _behind(found, dataset)}
        reader = records.decided(found)
    try:
        alert = Alert.model_validate(
            {**fields, "alert_id": row.message_id, "source": row.source, "received_at": row.received_at}
        )
    except ValidationError as error:
        found_wrong = error.errors(include_input=False)
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found_wrong)
        raise BadInput(f"The event holds no valid alert: {wrong}.", remedy=FORM) from error
    return with_known_ids(with_force(alert, dataset.as_of), dataset), reader


def _read(text: str, dataset: Dataset, extractor: Extractor) -> ExtractedAlert:
    names = {key: supplier.name for key, supplier in dataset.suppliers.items()}
    names |= {key: item.description for key, item in dataset.items.items()}
    items, as_of = list(dataset.items), dataset.as_of
    found = extractor.extract(text, known_nodes(dataset), items, names=names, received=as_of) if text else None
    if found is None:
        raise BadInput("The text reports no event about a known supplier, place or item.", remedy=FORM)
    return found


def _behind(found: ExtractedAlert, dataset: Dataset) -> tuple[str, ...]:
    """The items named in the text that depend on its node; none, thus all of them, when no named one does.

    Else a text that mentions an unrelated item would hide what it reports.
    """
    reached = Dependencies(build_graph(dataset)).reached_from(found.node_id)
    return tuple(item_id for item_id in found.item_ids if item_id in reached)


def with_force(alert: Alert, today: date) -> Alert:
    """The alert with the days on which it is in force; a discontinuation has no end."""
    starts = alert.starts or today
    lasting = timedelta(days=max(alert.delay_days, LEAST_FORCE_DAYS))
    until = alert.until or (None if alert.kind is AlertKind.DISCONTINUED else starts + lasting)
    return alert.model_copy(update={"starts": starts, "until": until})


def with_known_ids(alert: Alert, dataset: Dataset) -> Alert:
    """BadInput when the alert names a node or an item that the data does not hold."""
    unknown = [alert.node_id] if alert.node_id not in known_nodes(dataset) else []
    unknown += sorted(set(alert.item_ids) - set(dataset.items))
    if unknown:
        raise BadInput(
            f"The alert names {', '.join(unknown)}, which dataset {dataset.version} does not hold.",
            remedy="Use ids of the network: suppliers, plants, countries or items.",
        )
    return alert


def in_force(operations: Operations, today: date, limit: int = 10_000) -> list[Alert]:
    """Alerts that earlier runs took in and whose time is not over, oldest first; recoveries among them."""
    stored = [row.payload.get("typed") for row in operations.inbox(limit) if row.status == "done"]
    alerts = [Alert.model_validate(typed) for typed in stored if typed]
    held = [alert for alert in alerts if alert.until is None or alert.until >= today]
    return sorted(held, key=lambda alert: (alert.received_at, alert.alert_id))


class AlertIntake:
    """Takes alerts in at once and works through them on a thread of its own."""

    def __init__(self, parts: Parts, start: Callable[[Trigger], str]) -> None:
        self._parts = parts
        self._start = start
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="alert")

    def open(self) -> None:
        """Begin to work, first on what an earlier process left."""
        self._thread.start()

    def close(self) -> None:
        """Finish the alert under way; others stay stored for the next session."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        self._worker.shutdown()

    def receive(self, message_id: str, event: Mapping[str, object], source: str) -> Mapping[str, object]:
        """Store an alert durably. Conflict when its id was seen before; BadInput when it is no alert."""
        dataset = self._parts.context.desk.dataset(self._parts.warehouse.active_version() or "")
        row = InboxRow(message_id, "alert", dict(event), source, "new", self._parts.context.now(), 0, None, None)
        inner = event.get("data")
        if not isinstance(inner, Mapping) or not cast(Mapping[str, Any], inner).get("text"):
            typed_alert(row, dataset, self._parts.context.agents.extractor)
        if not self._parts.operations.receive(message_id, "alert", event, source):
            raise Conflict(f"Message {message_id} was received before.", remedy="Nothing is left to do.")
        self._wake.set()
        return {"accepted": True, "message_id": message_id}

    def alerts(self, limit: int) -> Sequence[AlertView]:
        """Latest first: what was received and what came of it."""
        return [_alert_view(row) for row in self._parts.operations.inbox(limit)]

    def _work(self) -> None:
        while not self._stopping.is_set():
            row = self._parts.operations.take_inbox(LEASE_SECONDS)
            if row is None:
                self._wake.wait(IDLE_SECONDS)
                self._wake.clear()
            else:
                self._finish(row)

    def _finish(self, row: InboxRow) -> None:
        """One alert; a fault of the program ends this alert and not the intake."""
        fault = self._worker.submit(self._replan, row).exception()
        if fault is not None:
            LOG.error("Alert %s ended in a fault of the program.", row.message_id, exc_info=fault)
            self._refuse(row, f"A fault of the program: {type(fault).__name__}: {fault}")

    def _refuse(self, row: InboxRow, reason: str) -> None:
        operations = self._parts.operations
        operations.finish_inbox(row.message_id, error=reason)
        operations.add_message("main", "assistant", f"A supplier alert could not be used. {reason}", {})

    def _replan(self, row: InboxRow) -> None:
        """One alert to its run; what cannot be read goes to a person, with the reason."""
        operations, context = self._parts.operations, self._parts.context
        try:
            dataset = context.desk.dataset(self._parts.warehouse.active_version() or "")
            alert, reader = typed_alert(row, dataset, context.agents.extractor)
            typed = alert.model_dump(mode="json")
            operations.note_inbox(row.message_id, {**row.payload, "typed": typed, "reader": reader})
            reason = f"{alert.kind.value} at {alert.node_id}"
            trigger = Trigger(kind=TriggerKind.ALERT, actor=f"alert:{row.source}", reason=reason, alerts=(typed,))
            run_id = self._start(trigger)
        except JitError as error:
            LOG.warning("Alert %s: %s", row.message_id, error)
            self._refuse(row, str(error))
            return
        operations.finish_inbox(row.message_id, run_id)
        self._tell(reason, run_id)

    def _tell(self, reason: str, run_id: str) -> None:
        """A line in the conversation, so that whoever watches sees what the alert set off."""
        operations = self._parts.operations
        run = operations.run(run_id)
        waiting = operations.pending_count([run_id]).get(run_id, 0)
        summary = dict(run.summary)
        value = f"{float(summary.get('order_value', 0.0)):,.0f} {summary.get('currency', '')}".strip()
        text = (
            f"Supplier alert ({reason}): replanned in {run_id}. Order lines: {summary.get('lines', 0)}, worth {value}. "
            f"Orders that wait for approval: {waiting}. {summary.get('text', '')}"
        )
        operations.add_message("main", "assistant", text, {"run_id": run_id, "sources": [run_id]})


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
