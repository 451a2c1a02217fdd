"""The JSON API: every method of the session under /api, for a person with a key."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.responses import StreamingResponse

from graph.contracts import SourcingSession
from graph.views.decisions import DecisionView
from graph.views.forecasts import BacktestView, EstimateView, ForecastRowView, ForecastView
from graph.views.installation import DatasetView, PartView, RejectView
from graph.views.lead_times import LeadTimesView
from graph.views.line_stories import LineStoryView
from graph.views.orders import ApprovalView, EditPreviewView, WaitingView
from graph.views.plans import AnswerView, OutlookView, PlanView
from graph.views.runs import AlertView, JournalCheckView, RunView, StepView, TransitionView, Trigger
from tools.domain.errors import JitError
from web.auth import Asker, UserStore, acting_name, file_named_by, require
from web.bodies import (
    BacktestBody,
    BackupBody,
    CancelBody,
    DecisionBody,
    EstimatesBody,
    GivenAlertBody,
    HaltBody,
    ImportBody,
    ObserveBody,
    OnePersonBody,
    PreviewBody,
    QuestionBody,
    ReconsiderBody,
    RollbackBody,
    RunBody,
    WithdrawalBody,
)
from web.errors import answer_errors_as_json, describe_malformed, error_answers, error_body, status_of
from web.live import Feed, LiveRuns
from web.paging import LONGEST_PAGE, PLAN_PAGE, Paged, plan_page
from web.settings import WebSettings
from web.shield import BodyLimit, PlainAddress, PrivatePages
from web.webhook import alert_event, alert_routes

NDJSON = "application/x-ndjson"
LAST_PLACE = 10_000_000
BY_HAND = "by hand"
"""Source of an alert that a person gave."""


def create_app(session: SourcingSession, users: UserStore, settings: WebSettings) -> FastAPI:
    """The API over a session. Pages are mounted beside it by `web.pages.mount`."""
    app = FastAPI(
        title="JIT Sourcing",
        version="1",
        description="Start, watch, decide, explain and replay runs. Errors come as code, message, remedy and context.",
        docs_url=None,  # its page loads from elsewhere, which our pages never do
        redoc_url=None,
    )
    live = LiveRuns(session)
    app.state.users = users
    app.state.session = session
    app.state.live = live
    app.include_router(ROUTES)
    app.include_router(alert_routes(session, settings))
    answer_errors_as_json(app)
    describe_malformed(app)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(PlainAddress)
    app.add_middleware(PrivatePages)
    return app


def _session(request: Request) -> SourcingSession:
    session: SourcingSession = request.app.state.session
    return session


def _live(request: Request) -> LiveRuns:
    live: LiveRuns = request.app.state.live
    return live


Session = Annotated[SourcingSession, Depends(_session)]
Live = Annotated[LiveRuns, Depends(_live)]
ROUTES = APIRouter(prefix="/api", responses=error_answers(400, 401, 403, 404, 409, 413, 503))


@ROUTES.post("/runs", status_code=201, response_model=None, responses={201: {"content": {NDJSON: {}}}})
def start(
    body: RunBody, asker: Asker, session: Session, live: Live, accept: Annotated[str, Header()] = ""
) -> Response | dict[str, str]:
    """Start a run; with `Accept: application/x-ndjson` one line per step, else the run id at its end."""
    require(asker, "plan")
    trigger = Trigger.model_validate({**body.model_dump(), "actor": acting_name(asker, body.actor)})
    if NDJSON not in accept:
        return {"run_id": session.start(trigger)}
    return _stream(live.start(trigger), 201)


@ROUTES.get("/runs")
def runs(asker: Asker, session: Session, limit: int = 20) -> Sequence[RunView]:
    """Latest first."""
    return session.runs(_bounded(limit))


@ROUTES.post("/runs/{run_id}/cancel")
def cancel(run_id: str, body: CancelBody, asker: Asker, session: Session) -> RunView:
    """End a run while it computes; `latest` names the latest that does. 409 when it computes no more."""
    require(asker, "plan")
    return session.cancel(acting_name(asker, body.actor), _named(run_id), body.reason)


@ROUTES.get("/runs/{run_id}")
def plan(
    run_id: str,
    asker: Asker,
    session: Session,
    limit: int = PLAN_PAGE,
    offset: int = 0,
    *,
    series: bool = True,
) -> PlanView:
    """What is stored about a run; `latest` names the latest. Of lines, outlooks and the like at most `limit` each.

    Where something is cut, `counts` tells how many there are; `offset` goes on from there, a limit of 0 cuts nothing.
    """
    return plan_page(session.plan(_named(run_id), series=series), limit, offset)


@ROUTES.get("/runs/{run_id}/outlook")
def outlook(run_id: str, item_id: str, asker: Asker, session: Session) -> OutlookView:
    """One item's position with history, forecast and projected stock; `latest` names the run that decides it."""
    return session.outlook(item_id, _named(run_id))


@ROUTES.get("/runs/{run_id}/steps", response_model=None, responses={200: {"content": {NDJSON: {}}}})
def steps(run_id: str, asker: Asker, live: Live) -> Response:
    """The stored steps of a run, one line each."""
    return _stream(live.stored(run_id), 200)


@ROUTES.get("/runs/{run_id}/explanation")
def explain(run_id: str, asker: Asker, session: Session, subject: str | None = None) -> AnswerView:
    """Why the plan, a line, an item or a supplier came out as it did."""
    return session.explain(_named(run_id), subject)


@ROUTES.get("/runs/{run_id}/story")
def line_story(run_id: str, line_id: str, asker: Asker, session: Session) -> LineStoryView:
    """A line's cost curve, next best source, limits, projected stock, textbook quantities and better terms."""
    return session.line_story(line_id, _named(run_id))


@ROUTES.get("/runs/{run_id}/replay")
def replay(run_id: str, asker: Asker, session: Session) -> Mapping[str, object]:
    """Recompute the run from its snapshot and compare."""
    return session.replay(run_id)


@ROUTES.get("/stamp")
def stamp(asker: Asker, session: Session) -> Mapping[str, str]:
    """A mark that differs once anything that is stored has changed."""
    return {"stamp": session.stamp()}


@ROUTES.get("/waiting")
def waiting(asker: Asker, session: Session, limit: int = 50, offset: int = 0, search: str = "") -> WaitingView:
    """Totals of all that waits for a person, and its orders from `offset` on, oldest first, at most 500 at a time."""
    return session.waiting(_bounded(limit), max(0, min(offset, LAST_PLACE)), search)


@ROUTES.get("/approvals")
def pending(asker: Asker, session: Session, page: Paged) -> Sequence[ApprovalView]:
    """What waits for a person, oldest first, a page at a time; `X-Total-Count` tells how many there are."""
    return page.cut(session.pending(page.limit, page.start), session.waiting(0).total)


@ROUTES.get("/decided")
def decided(asker: Asker, session: Session, limit: int = 20) -> Sequence[ApprovalView]:
    """What people decided, then what became void, each latest first, with what the ERP made of it."""
    return session.decided(_bounded(limit))


@ROUTES.get("/decisions")
def decisions(
    asker: Asker,
    session: Session,
    item: str = "",
    supplier: str = "",
    by: str = "",
    within: str = "",
    limit: int = 50,
    before: str = "",
) -> Sequence[DecisionView]:
    """What was decided of orders, latest first; `before` takes the cursor of the last one of the page before."""
    return session.decisions(item, supplier, by, within, _bounded(limit), before)


@ROUTES.get("/approvals/{approval_id}")
def approval(approval_id: str, asker: Asker, session: Session) -> ApprovalView:
    """One approval, decided or not."""
    return session.approval(approval_id)


@ROUTES.post("/approvals/{approval_id}/decide")
def decide(approval_id: str, body: DecisionBody, asker: Asker, session: Session) -> ApprovalView:
    """Approve, edit or reject; 409 when already decided or changed since it was read."""
    require(asker, "decide")
    return session.decide(
        approval_id,
        body.decision,
        acting_name(asker, body.actor),
        body.reason,
        content_hash=body.content_hash,
        edits=body.edits,
        until=body.until,
    )


@ROUTES.post("/approvals/{approval_id}/preview")
def preview_edit(approval_id: str, body: PreviewBody, asker: Asker, session: Session) -> EditPreviewView:
    """What an order would cost at other quantities; nothing is saved."""
    return session.preview_edit(approval_id, body.edits)


@ROUTES.post("/approvals/{approval_id}/reconsider")
def reconsider(approval_id: str, body: ReconsiderBody, asker: Asker, session: Session) -> ApprovalView:
    """Take a rejection or an edit back: the next run proposes its lines as it computes them; 409 when none is held."""
    require(asker, "decide")
    return session.reconsider(approval_id, acting_name(asker, body.actor), body.reason)


@ROUTES.post("/one-person")
def one_person(body: OnePersonBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Say that this installation has one person, who may sign what policy leaves to one; 409 with two signers."""
    require(asker, "one_person")
    return session.one_person(acting_name(asker, body.actor), body.on)


@ROUTES.post("/approvals/{approval_id}/withdraw")
def withdraw(approval_id: str, body: WithdrawalBody, asker: Asker, session: Session) -> ApprovalView:
    """Take an approval back: drop its order before it leaves, or cancel it in the ERP; 409 when there is none."""
    require(asker, "decide")
    return session.withdraw(approval_id, acting_name(asker, body.actor), body.reason)


@ROUTES.post("/ask")
def ask(body: QuestionBody, asker: Asker, session: Session) -> AnswerView:
    """Answer from stored facts, or replan when the question asks for it."""
    require(asker, "ask")
    return session.ask(body.question, actor=acting_name(asker, body.actor), conversation=body.conversation)


@ROUTES.get("/messages")
def messages(
    asker: Asker, session: Session, conversation: str = "main", limit: int = 200
) -> Sequence[Mapping[str, object]]:
    """The latest of the stored conversation, oldest first."""
    return session.messages(conversation, max(1, min(limit, LONGEST_PAGE)))


@ROUTES.get("/journal")
def journal(asker: Asker, session: Session, page: Paged, run_id: str | None = None) -> Sequence[TransitionView]:
    """Transitions in order, of one run or of all, a page at a time; `X-Total-Count` tells how many there are."""
    return page.of(session.journal(run_id))


@ROUTES.get("/journal/verify")
def verify(asker: Asker, session: Session) -> JournalCheckView:
    """Check the hash chain."""
    return session.verify_journal()


@ROUTES.get("/alerts")
def alerts(asker: Asker, session: Session, limit: int = 50) -> Sequence[AlertView]:
    """Alerts that were received, latest first, and the run that each set off."""
    return session.alerts(_bounded(limit))


@ROUTES.post("/alerts/by-hand", status_code=202)
def give_alert(body: GivenAlertBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Give a supplier alert by hand, without a signature: for admins, whose name it carries from then on."""
    require(asker, "give_alert")
    event = alert_event(json.dumps(body.event).encode())
    return session.receive_alert(body.message_id, event, BY_HAND, acting_name(asker, body.actor))


@ROUTES.get("/datasets")
def datasets(asker: Asker, session: Session, page: Paged) -> Sequence[DatasetView]:
    """Dataset versions, newest first, a page at a time; the active one is planned on."""
    return page.of(session.datasets())


@ROUTES.get("/forecast")
def forecast(
    item_id: str, asker: Asker, session: Session, site_id: str | None = None, version: str | None = None
) -> ForecastView:
    """An item's demand forecast with accuracy, provenance and a chart; that of the next run without a version."""
    return session.forecast(item_id, site_id, version)


@ROUTES.get("/forecasts")
def forecasts(asker: Asker, session: Session, page: Paged, version: str | None = None) -> Sequence[ForecastRowView]:
    """Every item's forecast in a row, the worst accuracy first, a page at a time."""
    return page.of(session.forecasts(version))


@ROUTES.get("/estimates")
def estimates(asker: Asker, session: Session, limit: int = 20) -> Sequence[EstimateView]:
    """Estimate versions, newest first, each with what differs from the one before."""
    return session.estimates(_bounded(limit))


@ROUTES.post("/estimates/active")
def activate_estimates(body: EstimatesBody, asker: Asker, session: Session) -> EstimateView:
    """Plan with an earlier estimate version; `configured` goes back to the settings."""
    require(asker, "estimates")
    return session.activate_estimates(body.version, acting_name(asker, body.actor), body.reason)


@ROUTES.get("/backtests")
def backtests(asker: Asker, session: Session, page: Paged, version: str | None = None) -> Sequence[BacktestView]:
    """The stored accuracy of a version: of all items, by demand class, by item; a page at a time."""
    return page.of(session.backtests(version))


@ROUTES.post("/backtests")
def backtest(body: BacktestBody, asker: Asker, session: Session) -> Sequence[BacktestView]:
    """Forecast again from earlier clocks and store the accuracy."""
    require(asker, "estimates")
    return session.backtest(body.version)


@ROUTES.get("/lead-times")
def lead_times(asker: Asker, session: Session, subject: str | None = None, version: str | None = None) -> LeadTimesView:
    """How suppliers keep their quotes, the worst first; of a supplier, item or order its offers and open orders."""
    return session.lead_times(subject, version)


@ROUTES.get("/rejects")
def rejects(asker: Asker, session: Session, limit: int = 500) -> Sequence[RejectView]:
    """Rows that imports turned away, oldest import first."""
    return session.rejects(max(1, min(limit, 5000)))


@ROUTES.get("/health")
def health() -> Mapping[str, str]:
    """Whether the server answers at all; needs no key and tells nothing else."""
    return {"status": "ok"}


@ROUTES.get("/diagnosis")
def diagnose(asker: Asker, session: Session) -> Sequence[PartView]:
    """Ask every part whether it answers, the model's server included."""
    return session.diagnose()


@ROUTES.get("/status")
def status(asker: Asker, session: Session) -> Mapping[str, object]:
    """Active dataset, policy version, model, journal lag, ERP health, halted."""
    return session.status()


@ROUTES.post("/observe")
def observe(body: ObserveBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Read confirmations and receipts back from the ERP."""
    require(asker, "observe")
    return session.observe(body.advance_days)


@ROUTES.post("/halt")
def halt(body: HaltBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Stop every dispatch, or allow it again."""
    require(asker, "halt" if body.on else "resume")
    return session.halt(acting_name(asker, body.actor), body.on)


@ROUTES.post("/rollback")
def rollback(body: RollbackBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Make an earlier dataset or policy version active again."""
    require(asker, "rollback")
    return session.rollback(body.point_id, acting_name(asker, body.actor))


@ROUTES.post("/backup", status_code=201)
def backup(body: BackupBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Write one file of the server's machine that holds every database as of one moment; replaces none."""
    require(asker, "backup")
    return session.backup(file_named_by(asker, body.file), actor=acting_name(asker, body.actor))


@ROUTES.post("/import")
def import_folder(body: ImportBody, asker: Asker, session: Session) -> Mapping[str, object]:
    """Read a folder of the server's machine into a new dataset version."""
    require(asker, "import")
    return session.import_folder(body.folder, as_of=body.as_of, lenient=body.lenient)


def _bounded(limit: int) -> int:
    return max(1, min(limit, 500))


def _named(run_id: str) -> str | None:
    return None if run_id == "latest" else run_id


def _stream(feed: Feed, status: int) -> StreamingResponse:
    """Steps as lines. What fails before the first step is answered as an error, later as a last line."""
    following = feed.follow()
    first = next(following, None)

    def lines() -> Iterator[bytes]:
        try:
            if first is not None:
                yield _line(first)
            for step in following:
                yield _line(step)
        except JitError as error:
            yield json.dumps({"error": error_body(error), "status": status_of(error)}).encode() + b"\n"

    return StreamingResponse(lines(), status_code=status, media_type=NDJSON)


def _line(step: StepView) -> bytes:
    return step.model_dump_json().encode() + b"\n"
