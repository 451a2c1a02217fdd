"""Puts the workbench beside the API: the doors to sign in, and the page itself behind them."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from nicegui import app as pages
from nicegui import run, ui

from graph.contracts import SourcingSession
from web.auth import UserStore
from web.live import Pulse
from web.pages.room import Room, Seat
from web.pages.workbench import Workbench
from web.settings import WebSettings
from web.sign_in import Gate, sign_in_of, sign_in_routes

RECONNECT_SECONDS = 30.0
"""How long a page that lost its connection is kept as it is: with a busy server or a poor network it is not drawn anew,
and keeps its filters and what was typed."""
STATIC = Path(__file__).parent.parent / "static"


def mount(app: FastAPI, session: SourcingSession, users: UserStore, settings: WebSettings) -> None:
    """Mount the workbench on an app of `web.api.create_app`; once in a process, as the page framework asks."""
    room = Room(session, users, settings, Pulse(session, settings.refresh_seconds / 2), app.state.live)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    sign_in_routes(app, users, settings)
    _pages(room)
    ui.run_with(
        app,
        title="JIT Sourcing",
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=RECONNECT_SECONDS,
    )
    pages.add_middleware(Gate, users=users)
    pages.config.quasar_config["loadingBar"] = {"skipHijack": True}


def _pages(room: Room) -> None:
    async def workbench(request: Request) -> Response | None:
        """The page of whoever is signed in."""
        sign_in = sign_in_of(request)
        person = await run.io_bound(room.users.signed_in, sign_in)
        if person is None:
            return RedirectResponse("/signin", status_code=303)
        _head()
        seat = Seat(room, person, sign_in)
        glance = await run.io_bound(room.pulse.read)
        if glance is None:
            return None
        tab = request.query_params.get("tab", "")
        page = Workbench(seat, glance, tab)
        await page.begin()
        ui.timer(room.settings.refresh_seconds, page.tick)
        return None

    ui.page("/", title="JIT Sourcing workbench", response_timeout=20)(workbench)


def _head() -> None:
    ui.add_head_html('<link rel="stylesheet" href="/static/workbench.css">')
    ui.colors(primary="#1f5a78", positive="#2c7a4b", negative="#a63a2b", warning="#8a5a00", info="#1f5a78")
