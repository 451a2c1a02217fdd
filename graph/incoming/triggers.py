"""Reading alerts: a stored message becomes a typed event with known ids and the days on which it is in force."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, cast

from pydantic import ValidationError

from agents.contracts import ExtractedAlert, Extractor
from graph.facts import records
from graph.run.state import Json
from store.operations import InboxRow, Operations
from tools.domain.alerts import Alert, AlertKind
from tools.domain.datasets import Dataset
from tools.domain.errors import BadInput
from tools.network import build_graph
from tools.network.graph import Dependencies

LEAST_FORCE_DAYS = 30
"""How long an alert without an end is in force, unless its delay is longer."""
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


def heeded(new: Sequence[Json], operations: Operations, today: date) -> list[Json]:
    """The alerts that a run plans with: those still in force, then those that started it, each once."""
    started_by = {alert["alert_id"] for alert in new}
    held = [alert for alert in in_force(operations, today) if alert.alert_id not in started_by]
    return [*(alert.model_dump(mode="json") for alert in held), *new]
