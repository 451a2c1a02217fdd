"""A session over HTTP, for a command line beside a server that owns the warehouse."""

import json
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from graph.contracts import silent
from graph.views.decisions import DecisionView
from graph.views.forecasts import BacktestView, EstimateView, ForecastRowView, ForecastView
from graph.views.installation import DatasetView, PartView, RejectView
from graph.views.lead_times import LeadTimesView
from graph.views.line_stories import LineStoryView
from graph.views.orders import ApprovalView, EditPreviewView, WaitingView
from graph.views.plans import AnswerView, OutlookView, PlanView
from graph.views.runs import AlertView, JournalCheckView, RunView, StepView, TransitionView, Trigger, TriggerKind
from tools.domain.errors import BadInput, OutOfReach
from web import endpoints
from web.endpoints import LATEST, NDJSON, Answered, Endpoint
from web.errors import error_from
from web.paging import LONGEST_PAGE, TOTAL, Row

PATIENCE = httpx.Timeout(600.0, connect=3.0)
"""A run answers when it ends or waits; a dead server is found out at once."""


class RemoteSession:
    """A `SourcingSession` that asks a running server, and raises the errors that the server raised."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._http = httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE, trust_env=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> "RemoteSession":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, trigger: Trigger) -> str:
        """Run until it ends or waits for people; returns the run id."""
        return str(self._ask(endpoints.START, **_asked(trigger))["run_id"])

    def stream(self, run_id: str | None = None, trigger: Trigger | None = None) -> Iterator[StepView]:
        """Yield steps as they finish: of a new run for `trigger`, or those stored for `run_id`."""
        if trigger is not None:
            yield from self._steps(endpoints.START, **_asked(trigger))
        elif run_id is not None:
            yield from self._steps(endpoints.STEPS, run_id=run_id)
        else:
            raise BadInput("Nothing to stream.", remedy="Name a run or give a trigger.")

    def cancel(self, actor: str, run_id: str | None = None, reason: str = "") -> RunView:
        """End a run while it computes, the latest such when none is named."""
        return self._ask(endpoints.CANCEL, run_id=run_id or LATEST, actor=actor, reason=reason)

    def runs(self, limit: int = 20) -> Sequence[RunView]:
        """Latest first."""
        return self._ask(endpoints.RUNS, limit=limit)

    def plan(self, run_id: str | None = None, *, series: bool = True) -> PlanView:
        """Everything stored about a run (the latest when none is named)."""
        return self._ask(endpoints.PLAN, run_id=run_id or LATEST, limit=0, series=series)

    def outlook(self, item_id: str, run_id: str | None = None) -> OutlookView:
        """An item's position with history, forecast and projected stock."""
        return self._ask(endpoints.OUTLOOK, run_id=run_id or LATEST, item_id=item_id)

    def stamp(self) -> str:
        """A mark that differs once anything that is stored has changed."""
        return self._ask(endpoints.STAMP)["stamp"]

    def waiting(self, limit: int = 50, offset: int = 0, search: str = "") -> WaitingView:
        """Totals of all that waits, and some of its orders, oldest first."""
        return self._ask(endpoints.WAITING, limit=limit, offset=offset, search=search)

    def pending(self, limit: int | None = None, offset: int = 0) -> Sequence[ApprovalView]:
        """Approvals that wait, oldest first: all of them, or so many from `offset` on."""
        if limit is None or limit > LONGEST_PAGE:
            return self._every(endpoints.PENDING)[offset:][:limit]
        return self._ask(endpoints.PENDING, limit=limit, offset=offset) if limit else ()

    def approval(self, approval_id: str) -> ApprovalView:
        """One approval, decided or not."""
        return self._ask(endpoints.APPROVAL, approval_id=approval_id)

    def decided(self, limit: int = 20) -> Sequence[ApprovalView]:
        """What people decided, then what became void, each latest first, with what the ERP made of it."""
        return self._ask(endpoints.DECIDED, limit=limit)

    def decisions(
        self, item: str = "", supplier: str = "", actor: str = "", within: str = "", limit: int = 50, before: str = ""
    ) -> Sequence[DecisionView]:
        """What was decided of orders, latest first."""
        asked = {"item": item, "supplier": supplier, "by": actor, "within": within, "before": before}
        return self._ask(endpoints.DECISIONS, limit=limit, **{name: value for name, value in asked.items() if value})

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
        """Approve, edit or reject. With a person's key the key says who acts, whatever `actor` is."""
        return self._ask(
            endpoints.DECIDE,
            approval_id=approval_id,
            decision=decision,
            actor=actor,
            reason=reason,
            content_hash=content_hash,
            edits=dict(edits) if edits else None,
            until=until,
        )

    def preview_edit(self, approval_id: str, edits: Mapping[str, float]) -> EditPreviewView:
        """What an order would cost at other quantities; nothing is saved."""
        return self._ask(endpoints.PREVIEW_EDIT, approval_id=approval_id, edits=dict(edits))

    def reconsider(self, approval_id: str, actor: str, reason: str = "") -> ApprovalView:
        """Take a rejection or an edit back."""
        return self._ask(endpoints.RECONSIDER, approval_id=approval_id, actor=actor, reason=reason)

    def one_person(self, actor: str, on: bool = True) -> Mapping[str, object]:
        """Say that this installation has one person."""
        return self._ask(endpoints.ONE_PERSON, actor=actor, on=on)

    def withdraw(self, approval_id: str, actor: str, reason: str = "") -> ApprovalView:
        """Take an approval back: drop its order before it leaves, or cancel it in the ERP."""
        return self._ask(endpoints.WITHDRAW, approval_id=approval_id, actor=actor, reason=reason)

    def explain(self, run_id: str | None = None, subject: str | None = None) -> AnswerView:
        """Why the plan, a line, an item or a supplier came out as it did."""
        return self._ask(endpoints.EXPLAIN, run_id=run_id or LATEST, subject=subject)

    def line_story(self, line_id: str, run_id: str | None = None) -> LineStoryView:
        """What other quantities, sources, terms and limits would mean for a line."""
        return self._ask(endpoints.LINE_STORY, run_id=run_id or LATEST, line_id=line_id)

    def ask(self, question: str, *, actor: str, conversation: str = "main") -> AnswerView:
        """Answer a question from stored facts, or start a replan when the question asks for one."""
        return self._ask(endpoints.ASK, question=question, actor=actor, conversation=conversation)

    def messages(self, conversation: str = "main", limit: int = 200) -> Sequence[Mapping[str, object]]:
        """The latest of the stored conversation, oldest first."""
        return self._ask(endpoints.MESSAGES, conversation=conversation, limit=limit)

    def replay(self, run_id: str) -> Mapping[str, object]:
        """Recompute a run from its snapshot and compare."""
        return self._ask(endpoints.REPLAY, run_id=run_id)

    def rollback(self, point_id: str, actor: str) -> Mapping[str, object]:
        """Make an earlier dataset or policy version active again."""
        return self._ask(endpoints.ROLLBACK, point_id=point_id, actor=actor)

    def journal(self, run_id: str | None = None) -> Sequence[TransitionView]:
        """Transitions in order."""
        return self._every(endpoints.JOURNAL, run_id=run_id)

    def verify_journal(self) -> JournalCheckView:
        """Check the hash chain and its completeness."""
        return self._ask(endpoints.VERIFY_JOURNAL)

    def receive_alert(
        self, message_id: str, event: Mapping[str, object], source: str, given_by: str = ""
    ) -> Mapping[str, object]:
        """Give an alert by hand, for admins. With a person's key the key says who gives it, whatever `given_by` is."""
        return self._ask(endpoints.GIVE_ALERT, message_id=message_id, event=dict(event), actor=given_by)

    def alerts(self, limit: int = 50) -> Sequence[AlertView]:
        """Alerts that were received, latest first, and the run that each set off."""
        return self._ask(endpoints.ALERTS, limit=limit)

    def datasets(self) -> Sequence[DatasetView]:
        """Dataset versions, newest first."""
        return self._every(endpoints.DATASETS)

    def rejects(self, limit: int = 500) -> Sequence[RejectView]:
        """Rows that imports turned away, oldest import first."""
        return self._ask(endpoints.REJECTS, limit=limit)

    def forecast(self, item_id: str, site_id: str | None = None, version: str | None = None) -> ForecastView:
        """An item's demand forecast with accuracy and provenance."""
        return self._ask(endpoints.FORECAST, item_id=item_id, site_id=site_id, version=version)

    def forecasts(self, version: str | None = None) -> Sequence[ForecastRowView]:
        """Every item's forecast in a row, the worst accuracy first."""
        return self._every(endpoints.FORECASTS, version=version)

    def estimates(self, limit: int = 20) -> Sequence[EstimateView]:
        """Estimate versions, newest first, each with what differs from the one before."""
        return self._ask(endpoints.ESTIMATES, limit=limit)

    def activate_estimates(self, version: str, actor: str, reason: str = "") -> EstimateView:
        """Plan with an earlier estimate version; `configured` goes back to the settings."""
        return self._ask(endpoints.ACTIVATE_ESTIMATES, version=version, actor=actor, reason=reason)

    def backtest(self, version: str | None = None) -> Sequence[BacktestView]:
        """Forecast again from earlier clocks and store the accuracy."""
        return self._ask(endpoints.BACKTEST, version=version)

    def backtests(self, version: str | None = None) -> Sequence[BacktestView]:
        """The stored accuracy of a version; empty before its backtest."""
        return self._every(endpoints.BACKTESTS, version=version)

    def lead_times(self, subject: str | None = None, version: str | None = None) -> LeadTimesView:
        """How suppliers keep their quotes; of a supplier, item or order its offers and when open orders arrive."""
        return self._ask(endpoints.LEAD_TIMES, subject=subject, version=version)

    def observe(self, advance_days: int = 0) -> Mapping[str, object]:
        """Read confirmations and receipts back from the ERP into a new dataset version."""
        return self._ask(endpoints.OBSERVE, advance_days=advance_days)

    def backup(self, file: str = "", *, actor: str = "", tell: Callable[[str], None] = silent) -> Mapping[str, object]:
        """Write one file of the server's machine that holds every database as of one moment."""
        tell("Copying the home of the running server")
        return self._ask(endpoints.BACKUP, file=file, actor=actor)

    def halt(self, actor: str, on: bool = True) -> Mapping[str, object]:
        """Stop (or allow again) every dispatch."""
        return self._ask(endpoints.HALT, actor=actor, on=on)

    def diagnose(self) -> Sequence[PartView]:
        """Ask every part of the server's installation whether it answers."""
        return self._ask(endpoints.DIAGNOSE)

    def status(self) -> Mapping[str, object]:
        """Active dataset, policy version, model, journal lag, ERP health, halted."""
        return self._ask(endpoints.STATUS)

    def import_folder(self, folder: str, *, as_of: date | None = None, lenient: bool = False) -> Mapping[str, object]:
        """Read a folder of the server's machine into a new dataset version."""
        return self._ask(endpoints.IMPORT, folder=folder, as_of=as_of, lenient=lenient)

    def _ask(self, endpoint: Endpoint[Answered], **given: object) -> Answered:
        """What an endpoint answers; raises the error that it answers with."""
        with self._reaching():
            return endpoint.read(_answered(self._http.request(**endpoint.request(given))))

    def _every(self, endpoint: Endpoint[Sequence[Row]], **given: object) -> Sequence[Row]:
        """Every row of an answer that comes in pages."""
        found: list[Row] = []
        while True:
            with self._reaching():
                asked = endpoint.request({**given, "limit": LONGEST_PAGE, "offset": len(found)})
                answer = self._http.request(**asked)
                page = endpoint.read(_answered(answer))
            found += page
            if not page or len(found) >= int(answer.headers[TOTAL]):
                return found

    def _steps(self, endpoint: Endpoint[Any], **given: object) -> Iterator[StepView]:
        with self._reaching(), self._http.stream(**endpoint.request(given), headers={"Accept": NDJSON}) as response:
            if response.is_error:
                response.read()
                _answered(response)
            for line in response.iter_lines():
                fields = json.loads(line)
                if "error" in fields:
                    raise error_from(int(fields["status"]), fields["error"])
                yield StepView.model_validate(fields)

    @contextmanager
    def _reaching(self) -> Generator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise OutOfReach(
                f"The server at {self._base_url} does not answer: {error}.", remedy="Start it with `jit serve`."
            ) from error


def _asked(trigger: Trigger) -> dict[str, object]:
    """A run to start. BadInput for alerts, which start runs through the inbox only."""
    if trigger.kind is TriggerKind.ALERT or trigger.alerts:
        raise BadInput("An alert starts a run through the inbox only.", remedy="Give it to `receive_alert`.")
    return trigger.model_dump(mode="json", exclude={"alerts"})


def _answered(response: httpx.Response) -> Any:
    if response.is_success:
        return response.json()
    try:
        body = response.json()
    except ValueError:
        body = {}
    raise error_from(response.status_code, body if isinstance(body, dict) else {})


def find_server(server_file: Path) -> RemoteSession | None:
    """The session of the server that owns this home, or None when none runs.

    Uses the person's key in JIT_API_KEY, else the owner's key that the server left in the file.
    """
    told = _told(server_file)
    if told is None:
        return None
    url = str(told["url"])
    try:
        httpx.get(f"{url}{endpoints.PREFIX}{endpoints.HEALTH.path}", timeout=5.0, trust_env=False).raise_for_status()
    except httpx.HTTPError:
        return None
    return RemoteSession(url, os.environ.get("JIT_API_KEY") or str(told.get("key", "")))


def server_url(server_file: Path) -> str:
    """Where the server that owns this home answers; empty when none runs."""
    told = _told(server_file)
    return str(told["url"]) if told else ""


def _told(server_file: Path) -> Mapping[str, object] | None:
    """What a server left in its file, unless the process is gone."""
    try:
        told = json.loads(server_file.read_text(encoding="utf-8"))
        pid = int(told["pid"])
        str(told["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if is_alive(pid) else None


def is_alive(pid: int) -> bool:
    """Whether a process of this id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
