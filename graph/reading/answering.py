"""Questions answered from stored facts with their sources."""

from collections.abc import Callable, Iterable, Sequence

from agents.contracts import Analyst, AnalystBrief, Fact, Question
from graph.computation.estimate_desk import EstimateDesk
from graph.reading.answers import facts_of
from graph.reading.lead_time_facts import lead_time_facts
from graph.stores import Stores
from graph.views.lead_times import LeadTimesView
from graph.views.orders import ApprovalView
from graph.views.plans import AnswerView, PlanView


class Answering:
    """Answers from what is stored; `analyst` words it."""

    def __init__(
        self,
        stores: Stores,
        desk: EstimateDesk,
        analyst: Callable[[], Analyst],
        plan: Callable[[str | None], PlanView | None],
        pending_of: Callable[[Iterable[str]], Sequence[ApprovalView]],
        lead_times: Callable[[str | None, str | None], LeadTimesView],
    ) -> None:
        self._stores = stores
        self._desk = desk
        self._analyst = analyst
        self._plan = plan
        self._pending_of = pending_of
        self._lead_times = lead_times

    def answer(self, question: Question, run_id: str | None) -> AnswerView:
        """An answer from the facts of a run; without one, of the current plan of every item."""
        view = self._plan(run_id)
        facts = self._facts(view) if view else ()
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
        runs = {part.run_id for part in view.whole.parts} if view.whole else {view.run.run_id}
        return facts_of(view, self._pending_of(runs))

    def items(self) -> Sequence[str]:
        """Ids of the active dataset."""
        version = self._stores.warehouse.active_version()
        return tuple(self._desk.dataset(version).items) if version else ()

    def _open_orders(self) -> Sequence[str]:
        dataset = self._desk.dataset(self._stores.warehouse.active_version() or "")
        return [order.order_id for order in dataset.open_orders if order.status.is_open]
