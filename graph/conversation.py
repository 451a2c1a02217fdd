"""Questions in words: answered from stored facts with their sources, or a replan where the question asks for one."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from agents.contracts import AnalystBrief, Fact
from graph.answers import facts_of
from graph.lead_time_facts import lead_time_facts
from graph.lead_time_views import LeadTimesView
from graph.parts import Parts
from graph.views import AnswerView, ApprovalView, PlanView, StepView, Trigger, TriggerKind
from tools.domain.errors import BadInput

OLDER_RUNS = 20
REPLAN = re.compile(r"^\s*(please\s+)?(re-?plan|plan)\b", re.IGNORECASE)


class Conversation:
    """Keeps the conversation and answers it."""

    def __init__(
        self,
        parts: Parts,
        plan: Callable[[str | None], PlanView | None],
        pending: Callable[[], Sequence[ApprovalView]],
        stream: Callable[[Trigger], Iterator[StepView]],
        lead_times: Callable[[str | None, str | None], LeadTimesView],
    ) -> None:
        self._parts = parts
        self._plan = plan
        self._pending = pending
        self._stream = stream
        self._lead_times = lead_times

    def messages(self, conversation: str) -> Sequence[Mapping[str, object]]:
        """The stored conversation, oldest first."""
        told = ("actor", "sources", "steps", "run_id", "decided_by")
        turns = self._parts.operations.messages(conversation)
        kept = [{name: turn.payload[name] for name in told if name in turn.payload} for turn in turns]
        return [
            {"role": turn.role, "text": turn.text, "at": turn.at, **more}
            for turn, more in zip(turns, kept, strict=True)
        ]

    def ask(self, question: str, actor: str, conversation: str) -> AnswerView:
        """Answer, or replan and tell what came of it; both sides are stored."""
        operations = self._parts.operations
        operations.add_message(conversation, "user", question, {"actor": actor})
        try:
            answer = self._replan(question, actor) if REPLAN.match(question) else self.answer(question, None)
        except BadInput as error:
            answer = AnswerView(text=str(error))
        operations.add_message(conversation, "assistant", answer.text, answer.model_dump(mode="json"))
        return answer

    def _replan(self, question: str, actor: str) -> AnswerView:
        trigger = Trigger(kind=TriggerKind.ANALYST, actor=actor, reason=question, item_ids=self._named_items(question))
        steps = list(self._stream(trigger))
        answer = self.answer("run status", steps[-1].run_id)
        return answer.model_copy(update={"steps": tuple(step.title for step in steps)})

    def _named_items(self, question: str) -> tuple[str, ...]:
        """Items that the request names; none means every item. BadInput when it names something unknown."""
        items = self._items()
        known = {item_id.casefold(): item_id for item_id in items}
        words = re.findall(r"[\w\-]+", REPLAN.sub("", question, count=1))
        named = [known[word.casefold()] for word in words if word.casefold() in known]
        strange = [word for word in words if any(c.isdigit() for c in word) and word.casefold() not in known]
        if strange:
            raise BadInput(
                f"I know no item {', '.join(strange)}.", remedy=f"Items are for example {', '.join(list(items)[:5])}."
            )
        return tuple(dict.fromkeys(named))

    def answer(self, question: str, run_id: str | None) -> AnswerView:
        """An answer from the facts of a run; without one, of the latest and of older ones for items it left alone."""
        view = self._plan(run_id)
        facts = self._facts(view) if view else ()
        if view and run_id is None:
            facts = (*facts, *self._older_facts(view, question))
        if run_id is None and self._parts.warehouse.active_version():
            facts = (*facts, *lead_time_facts(question, self._items(), self._open_orders(), self._lead_times))
        answer = self._parts.context.agents.analyst.answer(question, AnalystBrief(facts=facts))
        return AnswerView(
            text=answer.text,
            sources=answer.sources,
            run_id=view.run.run_id if view else None,
            decided_by=answer.decided_by,
        )

    def _facts(self, view: PlanView) -> tuple[Fact, ...]:
        return facts_of(view, [approval for approval in self._pending() if approval.run_id == view.run.run_id])

    def _older_facts(self, latest: PlanView, question: str) -> tuple[Fact, ...]:
        """Facts about the items that the question names and the latest run did not plan, from the run that did."""
        words = {word.casefold() for word in re.findall(r"[\w\-]+", question)}
        wanted = {item_id for item_id in self._items() if item_id.casefold() in words}
        wanted -= {outlook.item_id for outlook in latest.outlooks}
        found: list[Fact] = []
        for row in self._parts.operations.runs(OLDER_RUNS)[1:] if wanted else ():
            view = self._plan(row.run_id)
            here = wanted & {outlook.item_id for outlook in view.outlooks} if view else set[str]()
            if view and here:
                found += [fact for fact in self._facts(view) if here & set(fact.subjects)]
                wanted -= here
        return tuple(found)

    def _items(self) -> Sequence[str]:
        version = self._parts.warehouse.active_version()
        return tuple(self._parts.context.desk.dataset(version).items) if version else ()

    def _open_orders(self) -> Sequence[str]:
        dataset = self._parts.context.desk.dataset(self._parts.warehouse.active_version() or "")
        return [order.order_id for order in dataset.open_orders if order.status.is_open]
