"""What every route may use: the session, the live runs, and answers as lines."""

import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from graph.contracts import SourcingSession
from graph.views.runs import StepView
from tools.domain.errors import JitError
from web.endpoints import LATEST, NDJSON, PREFIX, Endpoint
from web.errors import error_answers, error_body, status_of
from web.live import Feed, LiveRuns

Route = TypeVar("Route", bound=Callable[..., Any])
LAST_PLACE = 10_000_000
BY_HAND = "by hand"
"""Source of an alert that a person gave."""


def _session(request: Request) -> SourcingSession:
    session: SourcingSession = request.app.state.session
    return session


def _live(request: Request) -> LiveRuns:
    live: LiveRuns = request.app.state.live
    return live


Session = Annotated[SourcingSession, Depends(_session)]
Live = Annotated[LiveRuns, Depends(_live)]


def router() -> APIRouter:
    """Routes below `/api`, with the errors that each may answer with."""
    return APIRouter(prefix=PREFIX, responses=error_answers(400, 401, 403, 404, 409, 413, 503))


def serves(routes: APIRouter, endpoint: Endpoint[Any]) -> Callable[[Route], Route]:
    """Serve an endpoint by the function below: its path, method, status and answer are the endpoint's."""
    lines: dict[int | str, dict[str, Any]] = {endpoint.status: {"content": {NDJSON: {}}}}
    return routes.api_route(
        endpoint.path,
        methods=[endpoint.method],
        status_code=endpoint.status,
        response_model=None if endpoint.streams else endpoint.answer,
        responses=lines if endpoint.streams else None,
    )


def bounded(limit: int) -> int:
    """A number of rows that somebody asked for, within what one answer holds."""
    return max(1, min(limit, 500))


def named(run_id: str) -> str | None:
    """The run that an address names; None for the latest."""
    return None if run_id == LATEST else run_id


def stream(feed: Feed, status: int) -> StreamingResponse:
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
