"""The conversation: questions are answered, requests replan, and both sides are kept."""

import re
from collections.abc import Callable, Iterator

from agents.contracts import Question, QuestionKind
from graph.reading.answering import Answering
from graph.views.plans import AnswerView
from graph.views.runs import StepView, Trigger, TriggerKind
from store.operations import Operations
from tools.domain.errors import BadInput

REPLAN = re.compile(r"^\s*(please\s+)?(re-?plan|plan)\b", re.IGNORECASE)


class Conversation:
    """Keeps the conversation and answers it."""

    def __init__(
        self, operations: Operations, answering: Answering, stream: Callable[[Trigger], Iterator[StepView]]
    ) -> None:
        self._operations = operations
        self._answering = answering
        self._stream = stream

    def ask(self, question: str, actor: str, conversation: str) -> AnswerView:
        """Answer, or replan and tell what came of it; both sides are stored."""
        self._operations.add_message(conversation, "user", question, {"actor": actor})
        try:
            answer = self._replan(question, actor) if REPLAN.match(question) else self._answered(question)
        except BadInput as error:
            answer = AnswerView(text=str(error))
        self._operations.add_message(conversation, "assistant", answer.text, answer.model_dump(mode="json"))
        return answer

    def _answered(self, question: str) -> AnswerView:
        return self._answering.answer(Question(kind=QuestionKind.WORDS, subject=question), None)

    def _replan(self, question: str, actor: str) -> AnswerView:
        trigger = Trigger(kind=TriggerKind.ANALYST, actor=actor, reason=question, item_ids=self._named_items(question))
        steps = list(self._stream(trigger))
        answer = self._answering.answer(Question(kind=QuestionKind.STATUS), steps[-1].run_id)
        return answer.model_copy(update={"steps": tuple(step.title for step in steps)})

    def _named_items(self, question: str) -> tuple[str, ...]:
        """Items that the request names; none means every item. BadInput when it names something unknown."""
        items = self._answering.items()
        known = {item_id.casefold(): item_id for item_id in items}
        words = re.findall(r"[\w\-]+", REPLAN.sub("", question, count=1))
        named = [known[word.casefold()] for word in words if word.casefold() in known]
        strange = [word for word in words if any(c.isdigit() for c in word) and word.casefold() not in known]
        if strange:
            raise BadInput(
                f"I know no item {', '.join(strange)}.", remedy=f"Items are for example {', '.join(list(items)[:5])}."
            )
        return tuple(dict.fromkeys(named))
