"""Questions answered from stored facts with their sources."""

import re
from collections.abc import Callable, Sequence

from agents.contracts import Analyst, AnalystBrief, Fact
from graph.answers import facts_of
from graph.estimate_desk import EstimateDesk
from graph.lead_time_facts import lead_time_facts
from graph.lead_time_views import LeadTimesView
from graph.stores import Stores
from graph.views import AnswerView, ApprovalView, PlanView

OLDER_RUNS = 20


class Answering:
    """Answers from what is stored; `analyst` words it."""

    def __init__(
        self,
        stores: Stores,
        desk: EstimateDesk,
        analyst: Callable[[], Analyst],
        plan: Callable[[str | None], PlanView | None],
        pending: Callable[[], Sequence[ApprovalView]],
        lead_times: Callable[[str | None, str | None], LeadTimesView],
    ) -> None:
        self._stores = stores
        self._desk = desk
        self._analyst = analyst
        self._plan = plan
        self._pending = pending
        self._lead_times = lead_times

    def answer(self, question: str, run_id: str | None) -> AnswerView:
        """An answer from the facts of a run; without one, of the latest and of older ones for items it left alone."""
        view = self._plan(run_id)
        facts = self._facts(view) if view else ()
        if view and run_id is None:
            facts = (*facts, *self._older_facts(view, question))
        if run_id is None and self._stores.warehouse.active_version():
            facts = (*facts, *lead_time_facts(question, self.items(), self._open_orders(), self._lead_times))
        answer = self._analyst().answer(question, AnalystBrief(facts=facts))
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
        wanted = {item_id for item_id in self.items() if item_id.casefold() in words}
        wanted -= {outlook.item_id for outlook in latest.outlooks}
        found: list[Fact] = []
        for row in self._stores.operations.runs(OLDER_RUNS)[1:] if wanted else ():
            view = self._plan(row.run_id)
            here = wanted & {outlook.item_id for outlook in view.outlooks} if view else set[str]()
            if view and here:
                found += [fact for fact in self._facts(view) if here & set(fact.subjects)]
                wanted -= here
        return tuple(found)

    def items(self) -> Sequence[str]:
        """Ids of the active dataset."""
        version = self._stores.warehouse.active_version()
        return tuple(self._desk.dataset(version).items) if version else ()

    def _open_orders(self) -> Sequence[str]:
        dataset = self._desk.dataset(self._stores.warehouse.active_version() or "")
        return [order.order_id for order in dataset.open_orders if order.status.is_open]
