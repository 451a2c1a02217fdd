"""The analyst with a language model: it words an answer from stored facts that it cites."""

import re
from collections.abc import Mapping, Sequence

from pydantic import Field

from agents.chat import ChatModel, ModelAnswer, Unanswered, document
from agents.contracts import Analyst, AnalystBrief, Answer, Fact, Question
from agents.grounding import unknown_numbers
from agents.questions import read_question

SHOWN_FACTS = 40
"""Facts that a model is shown: those that the question names or touches first."""
QUESTION_CHARACTERS = 2000


class AnalystAnswer(ModelAnswer):
    """An answer and the ids of the facts that it rests on."""

    text: str = Field(min_length=1, max_length=4000)
    sources: list[str] = Field(min_length=1)


class LlmAnalyst:
    """Asks a model for an answer; `twin` drafts it, and answers when the model gives no usable one."""

    def __init__(self, chat: ChatModel, twin: Analyst) -> None:
        self._chat = chat
        self._twin = twin

    def answer(self, question: Question, brief: AnalystBrief) -> Answer:
        """An answer whose sources are fact ids of the brief and whose numbers stand in them."""
        draft = self._twin.answer(question, brief)
        if not brief.facts:
            return draft
        shown = shown_facts(question, brief.facts, draft.sources)
        known = {
            "question": question.words[:QUESTION_CHARACTERS],
            "facts": [{"fact_id": fact.fact_id, "text": fact.text, **_more(fact)} for fact in shown],
            "draft": {"text": draft.text, "sources": list(draft.sources)},
        }
        try:
            asked = self._chat.ask(
                "analyst", known, AnalystAnswer, lambda said: answer_objection(said, question.words, shown, draft)
            )
        except Unanswered as failed:
            return draft.model_copy(update=dict(failed.record))
        sources = tuple(dict.fromkeys(asked.answer.sources))
        return Answer(text=asked.answer.text, sources=sources, **asked.record)


def shown_facts(question: Question, facts: Sequence[Fact], first: Sequence[str]) -> tuple[Fact, ...]:
    """The facts of the draft, then those the question names, then those of its topics, then the rest."""
    read = read_question(question, facts)
    named = {fact.fact_id for fact in read.named}
    ranked = sorted(
        facts,
        key=lambda fact: (fact.fact_id not in first, fact.fact_id not in named, fact.kind not in {*read.topics, "run"}),
    )
    return tuple(ranked[:SHOWN_FACTS])


def answer_objection(said: AnalystAnswer, question: str, shown: Sequence[Fact], draft: Answer) -> str:
    """Empty when the sources exist and every number stands in one of them, or in the draft that shares one."""
    facts = {fact.fact_id: fact for fact in shown}
    if not set(said.sources) <= set(facts):
        return "sources: every one must be the fact_id of a fact in the document."
    cited = [
        f"{fact.fact_id} {' '.join(fact.subjects)} {fact.text} {document(_more(fact))}"
        for fact in map(facts.__getitem__, said.sources)
    ]
    drafted = draft.text if set(said.sources) & set(draft.sources) else ""
    named = " ".join(re.findall(r"[^\W\d_][\w\-]*", question))
    strange = unknown_numbers(said.text, " ".join([*cited, drafted, named]))
    return f"text: these do not stand in the facts that you cite: {', '.join(strange[:3])}." if strange else ""


def _more(fact: Fact) -> Mapping[str, object]:
    more = {"reasons": fact.reasons, "detail": fact.detail, "figures": dict(fact.figures)}
    return {name: part for name, part in more.items() if part}
