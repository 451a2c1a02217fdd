"""The negotiator with a language model: it picks a computed tactic and words the opening; the talk is computed."""

from collections.abc import Mapping

from pydantic import Field

from agents.bargaining import BriefProspect, brief_prospects, open_lines, played
from agents.chat import ChatModel, ModelAnswer, Unanswered, document
from agents.contracts import Counterparty, NegotiationBrief, NegotiationOutcome, Negotiator
from agents.grounding import unknown_numbers
from tools.negotiation import Tactic

SECRETS = ("reservation", "walk away", "tactic", "probab", "concede", *(tactic.value for tactic in Tactic))
"""Words that would tell a supplier how we negotiate."""


class NegotiatorAnswer(ModelAnswer):
    """A tactic of the document and the opening message."""

    tactic: Tactic
    message: str = Field(min_length=1, max_length=2000)


class LlmNegotiator:
    """Asks a model for a tactic and an opening; `twin` negotiates when it gives no usable answer."""

    def __init__(self, chat: ChatModel, twin: Negotiator) -> None:
        self._chat = chat
        self._twin = twin

    def negotiate(self, brief: NegotiationBrief, counterparty: Counterparty | None) -> NegotiationOutcome:
        """Agreements within the limits of the brief, or an opening when nobody answers."""
        promised = brief_prospects(brief)
        if not promised:
            return self._twin.negotiate(brief, counterparty)
        known = {**wishes(brief), "tactics": [_promise(one) for one in promised]}
        try:
            asked = self._chat.ask("negotiator", known, NegotiatorAnswer, lambda said: opening_objection(said, brief))
        except Unanswered as failed:
            return self._twin.negotiate(brief, counterparty).model_copy(update=dict(failed.record))
        outcome = played(brief, asked.answer.tactic, asked.answer.message, counterparty)
        return outcome.model_copy(update=dict(asked.record))


def wishes(brief: NegotiationBrief) -> Mapping[str, object]:
    """What a supplier may hear: never the reservation price."""
    lines = [
        line.model_dump(mode="json", include={"item_id", "quantity", "unit_price", "target_price"})
        for line in open_lines(brief)
    ]
    return {"supplier_id": brief.supplier_id, "currency": brief.currency, "lines": lines}


def opening_objection(said: NegotiatorAnswer, brief: NegotiationBrief) -> str:
    """Empty when the message holds no number but the lines' and tells nothing of how we negotiate."""
    strange = unknown_numbers(said.message, document(wishes(brief)))
    if strange:
        return f"message: these do not stand in `lines`: {', '.join(strange[:3])}."
    told = [word for word in SECRETS if word.replace("_", " ") in said.message.casefold().replace("_", " ")]
    return f"message: the supplier must not read the word {told[0]!r}." if told else ""


def _promise(known: BriefProspect) -> Mapping[str, object]:
    return {
        "tactic": known.tactic.value,
        "deal_probability": known.deal_probability,
        "expected_total_price": known.expected_total,
        "expected_rounds": known.expected_rounds,
    }
