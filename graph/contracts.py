"""The one door's signature, in facets by who uses it: the local session and the client of a running server have all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from graph.views.decisions import DecisionView
from graph.views.forecasts import BacktestView, EstimateView, ForecastRowView, ForecastView
from graph.views.installation import DatasetView, PartView, RejectView
from graph.views.lead_times import LeadTimesView
from graph.views.line_stories import LineStoryView
from graph.views.orders import ApprovalView, EditPreviewView, WaitingView
from graph.views.plans import AnswerView, OutlookView, PlanView
from graph.views.runs import AlertView, JournalCheckView, RunView, StepView, TransitionView, Trigger


def silent(_step: str) -> None:
    """Hears what is being done, and tells nobody."""


class StoredPlans(Protocol):
    """Runs and plans as they are stored: for whoever looks at one."""

    def runs(self, limit: int = 20) -> Sequence[RunView]:
        """Latest first."""
        ...

    def plan(self, run_id: str | None = None, *, series: bool = True) -> PlanView:
        """Everything stored about a run (the latest when none is named). NotFound when there is none.

        Without series its steps are left out, and its outlooks are figures alone, so that a plan of many items is
        small: `outlook` tells of one item.
        """
        ...

    def outlook(self, item_id: str, run_id: str | None = None) -> OutlookView:
        """An item's position with history, forecast and projected stock, by a run or the one that decides it.

        NotFound when that run planned no such item.
        """
        ...

    def stamp(self) -> str:
        """A mark that differs once anything that is stored has changed: whoever shows it need not read it to know."""
        ...

    def explain(self, run_id: str | None = None, subject: str | None = None) -> AnswerView:
        """Why the plan, a line, an item or a supplier came out as it did."""
        ...

    def line_story(self, line_id: str, run_id: str | None = None) -> LineStoryView:
        """What other quantities, sources, terms and limits would mean for a line of a run (the latest by default).

        NotFound when the run's plan places no such line; BadInput when the line changes an open order.
        """
        ...

    def messages(self, conversation: str = "main", limit: int = 200) -> Sequence[Mapping[str, object]]:
        """The latest of the stored conversation, oldest first: role, text, at, sources, run_id."""
        ...


class StoredOrders(Protocol):
    """What waits and what was decided: for whoever signs."""

    def waiting(self, limit: int = 50, offset: int = 0, search: str = "") -> WaitingView:
        """Totals of all that waits, and its orders from `offset` on, oldest first, at most 500 at a time.

        `search` finds orders by a part of their id, or of an item's or a supplier's id or name.
        """
        ...

    def pending(self, limit: int | None = None, offset: int = 0) -> Sequence[ApprovalView]:
        """Approvals that wait, oldest first: all of them, or so many from `offset` on, and only those are read."""
        ...

    def approval(self, approval_id: str) -> ApprovalView:
        """One approval, decided or not."""
        ...

    def decided(self, limit: int = 20) -> Sequence[ApprovalView]:
        """What people decided, then what became void, each latest first, with what the ERP made of it."""
        ...

    def decisions(
        self, item: str = "", supplier: str = "", actor: str = "", within: str = "", limit: int = 50, before: str = ""
    ) -> Sequence[DecisionView]:
        """What was decided of orders, latest first, for ever: of an item, a supplier, by somebody; `before` pages.

        What one event decided of several orders alike is one entry; `within` its group are its orders one by one.
        """
        ...


class StoredRecords(Protocol):
    """What happened and what came in: for audits."""

    def journal(self, run_id: str | None = None) -> Sequence[TransitionView]:
        """Transitions in order."""
        ...

    def verify_journal(self) -> JournalCheckView:
        """Check the hash chain and its completeness."""
        ...

    def datasets(self) -> Sequence[DatasetView]:
        """Dataset versions, newest first; the active one is planned on, any can be made active again."""
        ...

    def rejects(self, limit: int = 500) -> Sequence[RejectView]:
        """Rows that imports turned away, oldest import first."""
        ...


class StoredForecasts(Protocol):
    """Demand and lead times as they are estimated: for whoever doubts a quantity."""

    def forecast(self, item_id: str, site_id: str | None = None, version: str | None = None) -> ForecastView:
        """An item's demand forecast with accuracy and provenance; that of the next run when no version is named.

        NotFound names near matches.
        """
        ...

    def forecasts(self, version: str | None = None) -> Sequence[ForecastRowView]:
        """Every item's forecast in a row, the worst accuracy first."""
        ...

    def estimates(self, limit: int = 20) -> Sequence[EstimateView]:
        """Estimate versions, newest first, each with what differs from the one before."""
        ...

    def backtests(self, version: str | None = None) -> Sequence[BacktestView]:
        """The stored accuracy of a version; empty before its backtest."""
        ...

    def lead_times(self, subject: str | None = None, version: str | None = None) -> LeadTimesView:
        """How suppliers keep their quotes; of a supplier, item or order its offers and when open orders arrive.

        By the named estimate version, else the next run's. NotFound names near matches.
        """
        ...


class StoredAnswers(StoredPlans, StoredOrders, StoredRecords, StoredForecasts, Protocol):
    """What a session tells of what is stored."""

    def close(self) -> None:
        """Release what the session holds open."""
        ...


class Planning(Protocol):
    """Run, watch and compute again."""

    def start(self, trigger: Trigger) -> str:
        """Run until it ends or waits for people; returns the run id."""
        ...

    def stream(self, run_id: str | None = None, trigger: Trigger | None = None) -> Iterator[StepView]:
        """Yield steps as they finish: of a new run for `trigger`, or those stored for `run_id`.

        A step that takes long comes beforehand too, with how far it is.
        """
        ...

    def cancel(self, actor: str, run_id: str | None = None, reason: str = "") -> RunView:
        """End a run while it computes, the latest such when none is named: nothing of it is published.

        The plan before it stays current. Conflict when it does not compute; NotFound.
        """
        ...

    def replay(self, run_id: str) -> Mapping[str, object]:
        """Recompute a run from its snapshot: {"identical": bool, "stored": hash, "replayed": hash}."""
        ...


class Deciding(Protocol):
    """What people decide of orders."""

    def decide(
        self,
        approval_id: str,
        decision: str,
        actor: str,
        reason: str = "",
        *,
        content_hash: str | None = None,
        edits: Mapping[str, float] | None = None,
        until: date | None = None,
    ) -> ApprovalView:
        """Approve, edit (line id to quantity) or reject; the run goes on at once.

        A rejection or an edit binds the next runs, until that day where one is given. Conflict when it is already
        decided or its content changed; NotAllowed when the actor may not sign.
        """
        ...

    def preview_edit(self, approval_id: str, edits: Mapping[str, float]) -> EditPreviewView:
        """What an order would cost at other quantities (line id to quantity); nothing is saved. BadInput, NotFound."""
        ...

    def reconsider(self, approval_id: str, actor: str, reason: str = "") -> ApprovalView:
        """Take a rejection or an edit back: the next run proposes its lines as it computes them.

        Conflict when it holds back no line; NotAllowed when the actor may not sign.
        """
        ...

    def one_person(self, actor: str, on: bool = True) -> Mapping[str, object]:
        """Say that this installation has one person, who may sign what policy leaves to one. Conflict with two."""
        ...

    def withdraw(self, approval_id: str, actor: str, reason: str = "") -> ApprovalView:
        """Take an approval back: drop its order before it leaves, or cancel it in the ERP.

        Conflict when there is no order to take back; NotAllowed when the actor may not sign.
        """
        ...


class Asking(Protocol):
    """Questions and messages, which may set off a run."""

    def ask(self, question: str, *, actor: str, conversation: str = "main") -> AnswerView:
        """Answer a question from stored facts, or start a replan when the question asks for one."""
        ...

    def receive_alert(
        self, message_id: str, event: Mapping[str, object], source: str, given_by: str = ""
    ) -> Mapping[str, object]:
        """Store a verified alert in the inbox and replan by itself: {"accepted": True}; Conflict when seen before.

        `given_by` names the person who gives it by hand: in the journal, and a proposer of what comes of it.
        """
        ...

    def alerts(self, limit: int = 50) -> Sequence[AlertView]:
        """Alerts that were received, latest first, and the run that each set off."""
        ...


class Operating(Protocol):
    """Data, estimates, the ERP and the installation: for whoever runs it."""

    def import_folder(self, folder: str, *, as_of: date | None = None, lenient: bool = False) -> Mapping[str, object]:
        """Read a folder of this machine into a new, active dataset version."""
        ...

    def rollback(self, point_id: str, actor: str) -> Mapping[str, object]:
        """Make an earlier dataset version active again."""
        ...

    def activate_estimates(self, version: str, actor: str, reason: str = "") -> EstimateView:
        """Plan with an earlier estimate version; `configured` goes back to the settings. NotFound, Conflict."""
        ...

    def backtest(self, version: str | None = None) -> Sequence[BacktestView]:
        """Forecast again from earlier clocks and store the accuracy: of all items, by demand class, by item."""
        ...

    def observe(self, advance_days: int = 0) -> Mapping[str, object]:
        """Read confirmations and receipts back from the ERP into a new dataset version."""
        ...

    def backup(self, file: str = "", *, actor: str = "", tell: Callable[[str], None] = silent) -> Mapping[str, object]:
        """Write one file of this machine that holds every database as of one moment.

        Returns where it is, its bytes and what it holds. BadInput when the file is there already.
        """
        ...

    def halt(self, actor: str, on: bool = True) -> Mapping[str, object]:
        """Stop (or allow again) every dispatch."""
        ...

    def diagnose(self) -> Sequence[PartView]:
        """Ask every part whether it answers, the model's server included."""
        ...

    def status(self) -> Mapping[str, object]:
        """Active dataset, policy version, model, journal lag, ERP health, halted."""
        ...


class SourcingSession(StoredAnswers, Planning, Deciding, Asking, Operating, Protocol):
    """Start, watch, decide, explain, replay and roll back sourcing runs."""
