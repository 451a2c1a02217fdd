"""What stored alerts say, read once each, and which items they affect: those of the same items are planned together."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from graph.incoming.triggers import typed_alert
from graph.parts import Parts
from graph.run.state import Json
from graph.views.runs import Trigger, TriggerKind
from store.background import attempted
from store.operations import InboxRow
from tools.domain.alerts import Alert
from tools.domain.datasets import Dataset
from tools.network import build_graph, propagate

READING_SECONDS = 10.0
"""How long waiting alerts are read for company before the first one is planned: a model may take its time."""
TOLD_REASONS = 3
GIVEN_BY = "given_by"
OURS = frozenset({"typed", "reader", GIVEN_BY})
"""Fields that we keep beside a stored event; an event that brings them along is stored without."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A stored message with what was read in it."""

    row: InboxRow
    alert: Alert
    reader: Json
    """Who read it, where it was free text."""
    affected: frozenset[str]
    """Items that it affects in the active dataset."""

    @property
    def given_by(self) -> str:
        """The person who gave it by hand; empty when it came signed."""
        return str(self.row.payload.get(GIVEN_BY) or "")

    @property
    def reason(self) -> str:
        """What happened where."""
        return f"{self.alert.kind.value} at {self.alert.node_id}"

    @property
    def noted(self) -> Json:
        """The message with what was read, as it is stored."""
        return {**self.row.payload, "typed": self.alert.model_dump(mode="json"), "reader": self.reader}


class AlertReader:
    """Reads messages against the active dataset, each once while it waits."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._version = ""
        self._readings: dict[str, Reading] = {}
        self._affected: dict[bytes, frozenset[str]] = {}

    def read(self, row: InboxRow) -> Reading:
        """The reading of a message. BadInput when it is no alert about what the dataset knows."""
        dataset = self._dataset()
        if row.message_id not in self._readings:
            alert, reader = typed_alert(row, dataset, self._parts.context.agents.extractor)
            self._readings[row.message_id] = Reading(row, alert, reader, self._affected_by(alert, dataset))
        return self._readings[row.message_id]

    def company_of(self, first: Reading, waiting: Iterable[InboxRow]) -> list[Reading]:
        """Of the messages that wait, those that affect the very same items and were given by the same hand."""
        found: list[Reading] = []
        until = time.monotonic() + READING_SECONDS
        for row in waiting:
            if time.monotonic() > until:
                break
            tried = attempted(lambda row=row: self.read(row))
            if tried.exception() is not None:  # told in its own turn
                continue
            other = tried.result()
            if other.affected == first.affected and other.given_by == first.given_by:
                found.append(other)
        return found

    def forget(self, message_ids: Iterable[str]) -> None:
        """These messages are settled."""
        for message_id in message_ids:
            self._readings.pop(message_id, None)

    def _dataset(self) -> Dataset:
        version = self._parts.warehouse.active_version() or ""
        dataset = self._parts.context.desk.dataset(version)
        if version != self._version:
            self._version = version
            self._readings.clear()
            self._affected.clear()
        return dataset

    def _affected_by(self, alert: Alert, dataset: Dataset) -> frozenset[str]:
        told = alert.model_dump(mode="json", exclude={"alert_id", "source", "received_at", "confidence"})
        key = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
        if key not in self._affected:
            spread = propagate(build_graph(dataset), (alert,), dataset, dataset.as_of)
            self._affected[key] = frozenset(spread.affected_item_ids)
        return self._affected[key]


def joint_trigger(readings: list[Reading]) -> Trigger:
    """Why one run starts for all of these. Whoever gave them by hand proposes what comes of them."""
    alerts = tuple(reading.alert.model_dump(mode="json") for reading in readings)
    reasons = list(dict.fromkeys(reading.reason for reading in readings))
    more = f" and {len(reasons) - TOLD_REASONS} more" if len(reasons) > TOLD_REASONS else ""
    reason = ", ".join(reasons[:TOLD_REASONS]) + more
    sources = {reading.row.source for reading in readings}
    return Trigger(
        kind=TriggerKind.ALERT,
        actor=readings[0].given_by or f"alert:{sources.pop() if len(sources) == 1 else 'several'}",
        reason=reason if len(readings) == 1 else f"{len(readings)} alerts: {reason}",
        item_ids=tuple(sorted(readings[0].affected)) if len(readings) > 1 else (),
        alerts=alerts,
    )
