"""Runs over HTTP: start, watch, cancel, read, explain, replay."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Header, Response

from graph.views.line_stories import LineStoryView
from graph.views.plans import AnswerView, OutlookView, PlanView
from graph.views.runs import RunView, Trigger
from web import endpoints
from web.auth import Asker, acting_name, require
from web.bodies import (
    CancelBody,
    RunBody,
)
from web.paging import PLAN_PAGE, plan_page
from web.routes.base import NDJSON, Live, Session, bounded, named, router, serves, stream

ROUTES = router()


@serves(ROUTES, endpoints.START)
def start(
    body: RunBody, asker: Asker, session: Session, live: Live, accept: Annotated[str, Header()] = ""
) -> Response | dict[str, str]:
    """Start a run; with `Accept: application/x-ndjson` one line per step, else the run id at its end."""
    require(asker, "plan")
    trigger = Trigger.model_validate({**body.model_dump(), "actor": acting_name(asker, body.actor)})
    if NDJSON not in accept:
        return {"run_id": session.start(trigger)}
    return stream(live.start(trigger), 201)


@serves(ROUTES, endpoints.RUNS)
def runs(asker: Asker, session: Session, limit: int = 20) -> Sequence[RunView]:
    """Latest first."""
    return session.runs(bounded(limit))


@serves(ROUTES, endpoints.CANCEL)
def cancel(run_id: str, body: CancelBody, asker: Asker, session: Session) -> RunView:
    """End a run while it computes; `latest` names the latest that does. 409 when it computes no more."""
    require(asker, "plan")
    return session.cancel(acting_name(asker, body.actor), named(run_id), body.reason)


@serves(ROUTES, endpoints.PLAN)
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
    return plan_page(session.plan(named(run_id), series=series), limit, offset)


@serves(ROUTES, endpoints.OUTLOOK)
def outlook(run_id: str, item_id: str, asker: Asker, session: Session) -> OutlookView:
    """One item's position with history, forecast and projected stock; `latest` names the run that decides it."""
    return session.outlook(item_id, named(run_id))


@serves(ROUTES, endpoints.STEPS)
def steps(run_id: str, asker: Asker, live: Live) -> Response:
    """The stored steps of a run, one line each."""
    return stream(live.stored(run_id), 200)


@serves(ROUTES, endpoints.EXPLAIN)
def explain(run_id: str, asker: Asker, session: Session, subject: str | None = None) -> AnswerView:
    """Why the plan, a line, an item or a supplier came out as it did."""
    return session.explain(named(run_id), subject)


@serves(ROUTES, endpoints.LINE_STORY)
def line_story(run_id: str, line_id: str, asker: Asker, session: Session) -> LineStoryView:
    """A line's cost curve, next best source, limits, projected stock, textbook quantities and better terms."""
    return session.line_story(line_id, named(run_id))


@serves(ROUTES, endpoints.REPLAY)
def replay(run_id: str, asker: Asker, session: Session) -> Mapping[str, object]:
    """Recompute the run from its snapshot and compare."""
    return session.replay(run_id)


@serves(ROUTES, endpoints.STAMP)
def stamp(asker: Asker, session: Session) -> Mapping[str, str]:
    """A mark that differs once anything that is stored has changed."""
    return {"stamp": session.stamp()}
