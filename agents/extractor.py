"""The extractor with a language model: it reads an untrusted notice into a typed form and can do nothing else."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from pydantic import Field

from agents.chat import ChatModel, ModelAnswer, Unanswered
from agents.contracts import ExtractedAlert, Extractor
from agents.rule_extractor import MAX_CHARACTERS, MAX_DELAY_DAYS
from tools.domain.alerts import AlertKind

SHOWN_IDS = 400
"""Known ids that a model is shown: those that the text names first, then nodes before items."""


class ExtractorAnswer(ModelAnswer):
    """The form: nothing but an enum, known ids and bounded numbers."""

    found: bool
    kind: AlertKind | None = None
    node_id: str = ""
    item_ids: list[str] = []
    delay_days: int = Field(default=0, ge=0, le=MAX_DELAY_DAYS)
    capacity_fraction: float = Field(default=1.0, ge=0.0, le=1.0)
    confidence: float = Field(default=0.5, ge=0.0, le=1.0)


class LlmExtractor:
    """Asks a model to read a notice; `twin` reads it when the model gives no usable answer or overlooks an event."""

    def __init__(self, chat: ChatModel, twin: Extractor) -> None:
        self._chat = chat
        self._twin = twin

    def extract(
        self,
        text: str,
        known_ids: Sequence[str],
        item_ids: Sequence[str] = (),
        *,
        names: Mapping[str, str] | None = None,
        received: date | None = None,
    ) -> ExtractedAlert | None:
        """What the text says about known ids, or None when it says nothing usable."""
        by_rules = self._twin.extract(text, known_ids, item_ids, names=names, received=received)
        if not text.strip() or not known_ids:
            return by_rules
        shown = shown_ids(text, known_ids, item_ids, names or {})
        known = {
            "text": text[:MAX_CHARACTERS],
            "received": received.isoformat() if received else "",
            "known_ids": [{"id": one, "name": (names or {}).get(one, "")} for one in shown],
            "item_ids": [one for one in shown if one in set(item_ids)],
        }
        return self._filled(known, lambda said: form_objection(said, shown, item_ids), by_rules)

    def _filled(
        self,
        known: Mapping[str, object],
        objection: Callable[[ExtractorAnswer], str],
        by_rules: ExtractedAlert | None,
    ) -> ExtractedAlert | None:
        try:
            asked = self._chat.ask("extractor", known, ExtractorAnswer, objection)
        except Unanswered as failed:
            return by_rules.model_copy(update=dict(failed.record)) if by_rules else None
        said = asked.answer
        if not said.found or said.kind is None:
            return _overlooked(by_rules, asked.record)
        return ExtractedAlert(
            kind=said.kind,
            node_id=said.node_id,
            item_ids=tuple(one for one in dict.fromkeys(said.item_ids) if one != said.node_id),
            delay_days=said.delay_days,
            capacity_fraction=said.capacity_fraction,
            confidence=said.confidence,
            **asked.record,
        )


def shown_ids(
    text: str, known_ids: Sequence[str], item_ids: Sequence[str], names: Mapping[str, str]
) -> tuple[str, ...]:
    """At most SHOWN_IDS known ids."""
    lowered, items = text.casefold(), set(item_ids)

    def far(known: str) -> tuple[bool, bool]:
        written = [word for word in (known, names.get(known, "")) if word]
        return not any(word.casefold() in lowered for word in written), known in items

    return tuple(sorted(known_ids, key=far)[:SHOWN_IDS])


def form_objection(said: ExtractorAnswer, known_ids: Sequence[str], item_ids: Sequence[str]) -> str:
    """Empty when a reported event has a kind and is about known ids."""
    if not said.found:
        return ""
    if said.kind is None:
        return "kind: needed when found is true."
    if said.node_id not in known_ids:
        return "node_id: must be one of `known_ids`."
    if not set(said.item_ids) <= set(item_ids) & set(known_ids):
        return "item_ids: each must be one of the document's `item_ids`."
    return ""


def _overlooked(by_rules: ExtractedAlert | None, record: Mapping[str, object]) -> ExtractedAlert | None:
    """A notice may talk a model out of an event, but not the fixed patterns: their reading stands."""
    if by_rules is None:
        return None
    reason = "The model found no event where the fixed patterns find one."
    return by_rules.model_copy(update={**record, "decided_by": "rules", "fallback_reason": reason})
