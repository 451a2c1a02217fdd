"""What is stored, read without the run's graph: every session answers from here, and one that only reads needs no more.

A reader opens the databases alone. It loads neither LangGraph nor the engine, unless an answer was never computed.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

import orjson

from agents.contracts import Analyst, Question, QuestionKind
from graph.computation.estimate_desk import DeskSettings, EstimateDesk
from graph.reading import queries
from graph.reading.answering import Answering
from graph.reading.decision_history import DecisionDesk
from graph.reading.forecasts import ForecastDesk
from graph.reading.kept_stories import KeptStories
from graph.reading.lead_times import LeadTimeDesk
from graph.reading.plans import Plans
from graph.reading.waiting import WaitingDesk
from graph.rules import rules_of
from graph.settings import Settings
from graph.stores import Stores, open_stores
from graph.upkeep.old_homes import MOVED
from graph.views.decisions import DecisionView
from graph.views.forecasts import BacktestView, EstimateView, ForecastRowView, ForecastView
from graph.views.installation import DatasetView, RejectView
from graph.views.lead_times import LeadTimesView
from graph.views.line_stories import LineStoryView
from graph.views.orders import ApprovalView, WaitingView
from graph.views.plans import AnswerView, OutlookView, PlanView
from graph.views.runs import JournalCheckView, RunView, StepView, TransitionView
from policies.approval import signs_own
from store.operations import ApprovalRow

LOOKED_BACK = 200
"""Latest runs among which one that was cut off is looked for."""
TOLD_OF_A_TURN = ("actor", "sources", "steps", "run_id", "decided_by")


class Readings:
    """Answers from the databases of one home. Safe across threads."""

    def __init__(self, stores: Stores, desk: EstimateDesk, analyst: Callable[[], Analyst]) -> None:
        self._stores = stores
        self._stored = desk
        self._plans = Plans(stores, desk)
        self._decisions = DecisionDesk(stores, desk)
        self._forecasts = ForecastDesk(stores.warehouse, desk)
        self._lead_times = LeadTimeDesk(desk)
        self._stories = KeptStories(stores, desk)
        self._waiting = WaitingDesk(stores, desk, self._approvals)
        self._answering = Answering(
            stores, desk, analyst, self._plan_or_none, self._pending_of, self._lead_times.lead_times
        )

    def close(self) -> None:
        """Release the databases."""
        self._stores.close()

    def stored_steps(self, run_id: str | None = None) -> Iterator[StepView]:
        """The steps of a run as the journal holds them."""
        yield from self._plans.steps(run_id or self._plans.latest().run_id)

    def runs(self, limit: int = 20) -> Sequence[RunView]:
        """Latest first."""
        return self._plans.runs(limit)

    def plan(self, run_id: str | None = None, *, series: bool = True) -> PlanView:
        """What a run planned, or the current plan of every item: orders as the ledger has them now."""
        return self._plans.of_run(run_id, series=series) if run_id else self._plans.current(series=series)

    def outlook(self, item_id: str, run_id: str | None = None) -> OutlookView:
        """One item's position with its history, forecast and projected stock, by a run or the one that decides it."""
        return self._plans.outlook(item_id, run_id)

    def _plan_or_none(self, run_id: str | None) -> PlanView | None:
        return self.plan(run_id) if run_id or self._stores.operations.runs(1) else None

    def pending(self, limit: int | None = None, offset: int = 0) -> Sequence[ApprovalView]:
        """Approvals that wait, oldest first: all of them, or so many from `offset` on."""
        operations = self._stores.operations
        if limit is None and not offset:
            return self._approvals(operations.approvals("pending"))
        wanted = operations.pending_ids()[offset:][:limit]
        rows = operations.approvals_named(wanted)
        return self._approvals([rows[one] for one in wanted if one in rows])

    def _pending_of(self, run_ids: Iterable[str]) -> Sequence[ApprovalView]:
        """Approvals of these runs that wait, oldest first."""
        operations = self._stores.operations
        found = [row for run_id in run_ids for row in operations.approvals("pending", run_id)]
        return self._approvals(sorted(found, key=lambda row: (row.opened_at, row.order_key, row.approval_id)))

    def waiting(self, limit: int = 50, offset: int = 0, search: str = "") -> WaitingView:
        """Totals of all that waits, and some of its orders, oldest first."""
        return self._waiting.waiting(limit, offset, search)

    def stamp(self) -> str:
        """A mark that differs once anything that is stored has changed."""
        warehouse = self._stores.warehouse
        active = warehouse.active_estimates()
        chosen = (active.version, active.held) if active else None
        found = [self._stores.operations.change_mark(), warehouse.active_version(), chosen]
        return hashlib.sha256(orjson.dumps(found)).hexdigest()

    def approval(self, approval_id: str) -> ApprovalView:
        """One approval. NotFound when there is none of this id."""
        return self._approvals([self._stores.operations.approval(approval_id)])[0]

    def decided(self, limit: int = 20) -> Sequence[ApprovalView]:
        """What people decided, then what became void, each latest first, with what the ERP made of it."""
        return self._approvals(self._stores.operations.decided_approvals(limit))

    def decisions(
        self, item: str = "", supplier: str = "", actor: str = "", within: str = "", limit: int = 50, before: str = ""
    ) -> Sequence[DecisionView]:
        """What was decided of orders, latest first; one query a page."""
        return self._decisions.decisions(item, supplier, actor, within, limit, before)

    def _approvals(self, rows: Sequence[ApprovalRow]) -> list[ApprovalView]:
        """Views of approvals, in three queries however many they are."""
        operations = self._stores.operations
        keys = {row.order_key for row in rows}
        orders, actions = operations.orders_for(keys), operations.actions_for(keys)
        versions = operations.dataset_versions({row.run_id for row in rows})
        items: dict[str, set[str]] = {}
        for row in rows:
            items.setdefault(versions[row.run_id], set()).update(row.order.item_ids)
        catalogues = {version: self._stored.catalogue(version, found) for version, found in items.items()}
        rules = rules_of(self._stores.settings) if operations.of_one_person() else None
        return [
            queries.approval_view(
                row,
                orders.get(row.order_key),
                catalogues[versions[row.run_id]],
                [sent for sent in actions.get(row.order_key, ()) if sent.approval_id == row.approval_id],
                own=rules is not None and signs_own(row.order.value_cents, rules),
            )
            for row in rows
        ]

    def explain(self, run_id: str | None = None, subject: str | None = None) -> AnswerView:
        """Why the plan, a line, an item or a supplier came out as it did."""
        kind = QuestionKind.WHY if subject else QuestionKind.CHOICE
        return self._answering.answer(Question(kind=kind, subject=subject or ""), run_id)

    def line_story(self, line_id: str, run_id: str | None = None) -> LineStoryView:
        """What other quantities, sources, terms and limits would mean for a line; computed once and kept."""
        return self._stories.story(run_id or self._plans.run_of_line(line_id), line_id)

    def messages(self, conversation: str = "main", limit: int = 200) -> Sequence[Mapping[str, object]]:
        """The latest of the stored conversation, oldest first."""
        return [
            {"role": turn.role, "text": turn.text, "at": turn.at}
            | {name: turn.payload[name] for name in TOLD_OF_A_TURN if name in turn.payload}
            for turn in self._stores.operations.messages(conversation, limit)
        ]

    def journal(self, run_id: str | None = None) -> Sequence[TransitionView]:
        """Transitions in order."""
        return [queries.transition_view(row) for row in self._stores.journal.transitions(run_id)]

    def verify_journal(self) -> JournalCheckView:
        """Check the hash chain, its completeness, and that runs, decisions and ERP actions agree with it."""
        check, lag = self._stores.journal.verify(), self._stores.journal.lag()
        found = self._stores.journal.agreement()
        return JournalCheckView(
            ok=check.ok and not found.differences,
            rows=check.rows,
            reason=" ".join([*([check.reason] if check.reason else []), *found.differences]),
            head_hash=check.head_hash,
            lag_rows=lag.rows,
            runs=found.runs,
            decisions=found.decisions,
            actions=found.actions,
            uncounted_rows=check.uncounted,
        )

    def datasets(self) -> Sequence[DatasetView]:
        """Dataset versions, newest first; the active one is planned on, any can be made active again."""
        return [queries.dataset_view(info) for info in self._stores.warehouse.datasets()]

    def rejects(self, limit: int = 500) -> Sequence[RejectView]:
        """Rows that imports turned away, latest import first."""
        return [RejectView.model_validate(asdict(row)) for row in self._stores.warehouse.rejects()[-limit:]]

    def forecast(self, item_id: str, site_id: str | None = None, version: str | None = None) -> ForecastView:
        """An item's demand forecast with accuracy and provenance."""
        return self._forecasts.forecast(item_id, site_id, version)

    def forecasts(self, version: str | None = None) -> Sequence[ForecastRowView]:
        """Every item's forecast in a row, the worst accuracy first."""
        return self._forecasts.forecasts(version)

    def estimates(self, limit: int = 20) -> Sequence[EstimateView]:
        """Estimate versions, newest first, each with what differs from the one before."""
        return self._forecasts.estimates(limit)

    def backtests(self, version: str | None = None) -> Sequence[BacktestView]:
        """The stored accuracy of a version; empty before its backtest."""
        return self._forecasts.backtests(version)

    def lead_times(self, subject: str | None = None, version: str | None = None) -> LeadTimesView:
        """How suppliers keep their quotes; of a supplier, item or order its offers and when open orders arrive."""
        return self._lead_times.lead_times(subject, version)


def open_readings(settings: Settings) -> Readings | None:
    """A session that only reads; None when a run, a decision, an action or an alert waits for one that works.

    OutOfReach when another process owns the warehouse.
    """
    stores = open_stores(settings)
    try:
        waits = _work_waits(stores)
    except BaseException:  # an interrupt, too: nothing half-done stays open
        stores.close()
        raise
    if waits:
        stores.close()
        return None
    return Readings(stores, _desk(stores), lambda: _analyst(settings))


def _work_waits(stores: Stores) -> bool:
    operations = stores.operations
    return bool(
        not operations.flag(MOVED)
        or any(row.status == "running" for row in operations.runs(LOOKED_BACK))
        or operations.undelivered_decisions()
        or any(operations.outbox_counts().get(status) for status in ("queued", "leased"))
        or any(row.status in ("new", "taken") for row in operations.inbox(LOOKED_BACK))
    )


def _desk(stores: Stores) -> EstimateDesk:
    return EstimateDesk(stores.warehouse, DeskSettings.of(stores.settings.model_dump()), stores.pinned_estimates)


def _analyst(settings: Settings) -> Analyst:
    from graph.team import agents_of

    return agents_of(settings).analyst
