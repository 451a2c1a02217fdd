"""What the API does, a line each: routes serve these, the client asks them, and the description tells of them.

Paths lie below `/api`. The webhook for signed alerts is not among them: no session asks it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from string import Formatter
from typing import Any, Generic, Literal, TypedDict, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from graph.views.decisions import DecisionView
from graph.views.forecasts import BacktestView, EstimateView, ForecastRowView, ForecastView
from graph.views.installation import DatasetView, PartView, RejectView
from graph.views.lead_times import LeadTimesView
from graph.views.line_stories import LineStoryView
from graph.views.orders import ApprovalView, EditPreviewView, WaitingView
from graph.views.plans import AnswerView, OutlookView, PlanView
from graph.views.runs import AlertView, JournalCheckView, RunView, TransitionView
from web import bodies

PREFIX = "/api"
NDJSON = "application/x-ndjson"
"""How steps come: a line of JSON each."""
LATEST = "latest"
"""Stands for the latest run in a path."""
Answered = TypeVar("Answered")


class Asked(TypedDict):
    """A request, as the HTTP client takes it."""

    method: str
    url: str
    params: dict[str, str | int | bool]
    json: dict[str, Any] | None


@dataclass(frozen=True)
class Endpoint(Generic[Answered]):
    """One thing that the API does."""

    method: Literal["GET", "POST"]
    path: str
    """With the names of its parts in braces."""
    answer: type[Answered]
    """What it answers as JSON."""
    body: type[bodies.Body] | None = None
    status: int = 200
    streams: bool = False
    """Answers a line per step where the asker accepts that."""
    parts: frozenset[str] = field(init=False)
    """Names within the path."""

    def __post_init__(self) -> None:
        """Find the names once."""
        parts = frozenset(name for _, name, _, _ in Formatter().parse(self.path) if name)
        object.__setattr__(self, "parts", parts)

    @cached_property
    def _reader(self) -> TypeAdapter[Answered]:
        return TypeAdapter(self.answer)

    def request(self, given: Mapping[str, object]) -> Asked:
        """What to send for the given values: those that the path names in it, the others as body, else as query.

        What is None is left out of a query.
        """
        path = self.path.format_map({name: quote(str(given[name]), safe="") for name in self.parts})
        rest = {name: value for name, value in given.items() if name not in self.parts}
        query = {} if self.body else {name: value for name, value in rest.items() if value is not None}
        sent = to_jsonable_python(rest) if self.body else None
        return Asked(method=self.method, url=PREFIX + path, params=to_jsonable_python(query), json=sent)

    def read(self, answered: Any) -> Answered:
        """The JSON of an answer as the typed value."""
        return self._reader.validate_python(answered)


Said = Mapping[str, object]

START = Endpoint("POST", "/runs", Mapping[str, str], bodies.RunBody, 201, streams=True)
RUNS = Endpoint("GET", "/runs", Sequence[RunView])
CANCEL = Endpoint("POST", "/runs/{run_id}/cancel", RunView, bodies.CancelBody)
PLAN = Endpoint("GET", "/runs/{run_id}", PlanView)
OUTLOOK = Endpoint("GET", "/runs/{run_id}/outlook", OutlookView)
STEPS = Endpoint("GET", "/runs/{run_id}/steps", Sequence[Said], streams=True)
EXPLAIN = Endpoint("GET", "/runs/{run_id}/explanation", AnswerView)
LINE_STORY = Endpoint("GET", "/runs/{run_id}/story", LineStoryView)
REPLAY = Endpoint("GET", "/runs/{run_id}/replay", Said)
STAMP = Endpoint("GET", "/stamp", Mapping[str, str])

WAITING = Endpoint("GET", "/waiting", WaitingView)
PENDING = Endpoint("GET", "/approvals", Sequence[ApprovalView])
DECIDED = Endpoint("GET", "/decided", Sequence[ApprovalView])
DECISIONS = Endpoint("GET", "/decisions", Sequence[DecisionView])
APPROVAL = Endpoint("GET", "/approvals/{approval_id}", ApprovalView)
DECIDE = Endpoint("POST", "/approvals/{approval_id}/decide", ApprovalView, bodies.DecisionBody)
PREVIEW_EDIT = Endpoint("POST", "/approvals/{approval_id}/preview", EditPreviewView, bodies.PreviewBody)
RECONSIDER = Endpoint("POST", "/approvals/{approval_id}/reconsider", ApprovalView, bodies.ReconsiderBody)
WITHDRAW = Endpoint("POST", "/approvals/{approval_id}/withdraw", ApprovalView, bodies.WithdrawalBody)
ONE_PERSON = Endpoint("POST", "/one-person", Said, bodies.OnePersonBody)
ASK = Endpoint("POST", "/ask", AnswerView, bodies.QuestionBody)
MESSAGES = Endpoint("GET", "/messages", Sequence[Said])

JOURNAL = Endpoint("GET", "/journal", Sequence[TransitionView])
VERIFY_JOURNAL = Endpoint("GET", "/journal/verify", JournalCheckView)
ALERTS = Endpoint("GET", "/alerts", Sequence[AlertView])
GIVE_ALERT = Endpoint("POST", "/alerts/by-hand", Said, bodies.GivenAlertBody, 202)
DATASETS = Endpoint("GET", "/datasets", Sequence[DatasetView])
REJECTS = Endpoint("GET", "/rejects", Sequence[RejectView])
FORECAST = Endpoint("GET", "/forecast", ForecastView)
FORECASTS = Endpoint("GET", "/forecasts", Sequence[ForecastRowView])
ESTIMATES = Endpoint("GET", "/estimates", Sequence[EstimateView])
ACTIVATE_ESTIMATES = Endpoint("POST", "/estimates/active", EstimateView, bodies.EstimatesBody)
BACKTESTS = Endpoint("GET", "/backtests", Sequence[BacktestView])
BACKTEST = Endpoint("POST", "/backtests", Sequence[BacktestView], bodies.BacktestBody)
LEAD_TIMES = Endpoint("GET", "/lead-times", LeadTimesView)

HEALTH = Endpoint("GET", "/health", Mapping[str, str])
DIAGNOSE = Endpoint("GET", "/diagnosis", Sequence[PartView])
STATUS = Endpoint("GET", "/status", Said)
OBSERVE = Endpoint("POST", "/observe", Said, bodies.ObserveBody)
HALT = Endpoint("POST", "/halt", Said, bodies.HaltBody)
ROLLBACK = Endpoint("POST", "/rollback", Said, bodies.RollbackBody)
BACKUP = Endpoint("POST", "/backup", Said, bodies.BackupBody, 201)
IMPORT = Endpoint("POST", "/import", Said, bodies.ImportBody)
