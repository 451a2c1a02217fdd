"""Callbacks that write every node attempt, route, interrupt and resume of a run to the journal."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import orjson
from langgraph.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent
from langgraph.constants import START
from langgraph.errors import GraphBubbleUp
from langgraph.types import Send
from pydantic import BaseModel

from graph.computation.memo import ModelMemo
from store.audit.journal import Journal, TransitionDraft
from tools.domain.orders import Order

PAYLOAD_KEYS = 40
SMALL_RECORD = 8
"""At most this many top-level keys of a node's output go into the compact payload."""


@dataclass(slots=True)
class _Open:
    node: str
    namespace: str
    step: int
    attempt: int
    event: str
    started_at: datetime
    input_hash: str
    order_key: str = ""


def stable_hash(value: object, text_of: Callable[[BaseModel], str] = BaseModel.model_dump_json) -> str:
    """SHA-256 of a value's canonical JSON; what JSON cannot hold is hashed by its text. `text_of`: a model's JSON."""

    def as_json(part: object) -> object:
        """A model by its fields, which is far cheaper than its text, and what a branch is sent by its parts."""
        if isinstance(part, BaseModel):
            return text_of(part)
        return [part.node, part.arg] if isinstance(part, Send) else str(part)

    encoded = orjson.dumps(value, default=as_json, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(encoded).hexdigest()


def compact(value: object) -> dict[str, Any]:
    """Shape of an update for the timeline: scalars as they are, collections by their size."""
    if isinstance(value, list) and value and all(isinstance(part, Send) for part in value):
        return {"sent": dict(Counter(part.node for part in cast(list[Send], value)))}
    if not isinstance(value, Mapping):
        return {"value": str(value)[:200]} if value is not None else {}
    told = {key: part for key, part in value.items() if key != "decisions" and not _is_own(key, value)}
    shape = {str(key): _brief(part) for key, part in list(told.items())[:PAYLOAD_KEYS]}
    decided = value.get("decisions")
    return {**shape, **_told(decided[0])} if decided else shape


def _is_own(key: Any, update: Mapping[Any, Any]) -> bool:
    """The order of a branch, which the row names by its key already."""
    return key in ("order", "routed") and isinstance(update.get("order"), Order)


def _told(record: Mapping[Any, Any]) -> dict[str, Any]:
    """The fields of a small record that say something."""
    brief = {str(key): _size_or_value(part) for key, part in record.items()}
    return {key: part for key, part in brief.items() if part not in ("", None, 0)}


def _brief(part: object) -> Any:
    """A small record by its fields, anything larger by its size."""
    if isinstance(part, Mapping) and len(part) <= SMALL_RECORD:
        return _told(part)
    return _size_or_value(part)


def _size_or_value(part: object) -> Any:
    if isinstance(part, str):
        return part[:200]
    if part is None or isinstance(part, (bool, int, float)):
        return part
    if isinstance(part, Mapping):
        return {"keys": len(part)}
    return {"count": len(part)} if isinstance(part, Sequence) else str(part)[:200]


def _order_key(inputs: object) -> str:
    """The order that a node of an order's branch is about; empty elsewhere."""
    order = inputs.get("order") if isinstance(inputs, Mapping) else None
    if isinstance(order, Order):
        return order.order_key
    return str(order["order_key"]) if isinstance(order, Mapping) else ""


class JournalCallbacks(GraphCallbackHandler):
    """One instance per drive of a run. Thread-safe: parallel nodes report at the same time."""

    run_inline = True
    raise_error = True

    def __init__(self, journal: Journal, run_id: str, trigger: str, actor: str, versions: Mapping[str, str]) -> None:
        self._journal = journal
        self._run_id = run_id
        self._trigger = trigger
        self._actor = actor
        self._versions = dict(versions)
        self._open: dict[UUID, _Open] = {}
        self._attempts: Counter[str] = Counter(journal.attempts(run_id))
        self._lock = threading.Lock()
        self._texts = ModelMemo(BaseModel.model_dump_json)

    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember a node attempt or a routing function when it starts."""
        known = metadata or {}
        node, name = known.get("langgraph_node"), kwargs.get("name")
        if node is None or name is None or name == "LangGraph" or name == START:
            return
        is_node = name == node and any(tag.startswith("graph:step") for tag in tags or ())
        namespace = str(known.get("langgraph_checkpoint_ns", ""))
        with self._lock:
            if is_node:
                self._attempts[namespace] += 1
            self._open[run_id] = _Open(
                node=str(node) if is_node else f"{node}:{name}",
                namespace=namespace,
                step=int(known.get("langgraph_step", 0)),
                attempt=self._attempts[namespace],
                event="node" if is_node else "route",
                started_at=datetime.now(UTC),
                input_hash=stable_hash(inputs, self._texts.of),
                order_key=_order_key(inputs),
            )

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the end of a node attempt or of a route; what it pinned counts from this row on."""
        if isinstance(outputs, Mapping) and outputs.get("estimate_version"):
            self._versions["estimate"] = str(outputs["estimate_version"])
        self._finish(run_id, "ok", stable_hash(outputs, self._texts.of), compact(outputs))

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Record a failed attempt, or one that an interrupt paused."""
        if isinstance(error, GraphBubbleUp):
            self._finish(run_id, "interrupted", "", {})
            return
        self._finish(run_id, "error", "", {"error": type(error).__name__, "message": str(error)[:500]})

    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        """Record that the run waits for people."""
        for pause in event.interrupts:
            payload = compact(pause.value)
            self._mark("interrupt", event.checkpoint_ns, {"interrupt_id": pause.id, **payload})

    def on_resume(self, event: GraphResumeEvent) -> None:
        """Record that a decision set the run going again."""
        self._mark("resume", event.checkpoint_ns, {"checkpoint_id": event.checkpoint_id})

    def _finish(self, run_id: UUID, status: str, output_hash: str, payload: dict[str, Any]) -> None:
        with self._lock:
            opened = self._open.pop(run_id, None)
        if opened is None:
            return
        self._record(opened, status, output_hash, payload)

    def _mark(self, event: str, namespace: tuple[str, ...], payload: dict[str, Any]) -> None:
        now = datetime.now(UTC)
        opened = _Open(event, "|".join(namespace), 0, 1, event, now, "")
        self._record(opened, "ok", "", payload)

    def _record(self, opened: _Open, status: str, output_hash: str, payload: dict[str, Any]) -> None:
        if opened.order_key:
            payload = {"order_key": opened.order_key, **payload}
        model = payload.get("model")
        self._journal.record(
            TransitionDraft(
                run_id=self._run_id,
                node=opened.node,
                attempt=opened.attempt,
                step=opened.step,
                event=opened.event,
                status=status,
                started_at=opened.started_at,
                ended_at=datetime.now(UTC),
                trigger=self._trigger,
                actor=self._actor,
                model=str(model) if model else None,
                tokens_in=payload.get("tokens_in"),
                tokens_out=payload.get("tokens_out"),
                input_hash=opened.input_hash,
                output_hash=output_hash,
                payload=payload,
                versions=self._versions,
                checkpoint_ns=opened.namespace,
            )
        )
