"""The JSON API: every method of the session under /api, for a person with a key."""

from fastapi import FastAPI

from graph.contracts import SourcingSession
from web.auth import UserStore
from web.errors import answer_errors_as_json, describe_malformed
from web.live import LiveRuns
from web.routes import decisions, installation, records, runs
from web.settings import WebSettings
from web.shield import BodyLimit, PlainAddress, PrivatePages
from web.webhook import alert_routes


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
    for room in (runs, decisions, records, installation):
        app.include_router(room.ROUTES)
    app.include_router(alert_routes(session, settings))
    answer_errors_as_json(app)
    describe_malformed(app)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(PlainAddress)
    app.add_middleware(PrivatePages)
    return app
