"""Puts the workbench beside the API: sign-in by a one-time link, and the page itself."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from nicegui import app as pages
from nicegui import run, ui
from starlette.middleware.sessions import SessionMiddleware

from graph.contracts import SourcingSession
from web.auth import UserStore
from web.live import Pulse
from web.pages.parts import heading
from web.pages.room import Room, Seat
from web.pages.workbench import Workbench, stored_plan
from web.settings import WebSettings

STATIC = Path(__file__).parent.parent / "static"


def mount(app: FastAPI, session: SourcingSession, users: UserStore, settings: WebSettings) -> None:
    """Mount the workbench on an app of `web.api.create_app`; once in a process, as the page framework asks."""
    room = Room(session, users, settings, Pulse(session, settings.refresh_seconds / 2), app.state.live)
    secret = settings.storage_secret.get_secret_value()
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _sign_in_routes(app, users)
    app.add_middleware(
        SessionMiddleware,
        secret_key=secret,
        max_age=int(settings.session_hours * 3600),
        same_site="lax",
        session_cookie="jit_session",
    )
    _pages(room)
    ui.run_with(
        app,
        title="JIT Sourcing",
        dark=None,
        storage_secret=secret,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
    )
    pages.config.quasar_config["loadingBar"] = {"skipHijack": True}


def _sign_in_routes(app: FastAPI, users: UserStore) -> None:
    def login(request: Request, token: str = "") -> Response:
        """Sign in by a one-time link."""
        person = users.redeem_link(token) if token else None
        request.session.pop("user", None)
        if person is None:
            return RedirectResponse("/signin?used=1" if token else "/signin", status_code=303)
        request.session["user"] = person.name
        return RedirectResponse("/", status_code=303)

    def logout(request: Request) -> Response:
        """Sign out."""
        request.session.clear()
        return RedirectResponse("/signin", status_code=303)

    app.add_api_route("/login", login, methods=["GET"], include_in_schema=False)
    app.add_api_route("/logout", logout, methods=["GET"], include_in_schema=False)


def _pages(room: Room) -> None:
    async def workbench() -> Response | None:
        """The page of whoever is signed in."""
        person = await run.io_bound(room.person, pages.storage.browser.get("user"))
        if person is None:
            return RedirectResponse("/signin", status_code=303)
        _head()
        seat = Seat(room, person)
        glance = await run.io_bound(room.pulse.read)
        if glance is None:
            return None
        page = Workbench(seat, glance, await run.io_bound(stored_plan, seat))
        await page.draw()
        ui.timer(room.settings.refresh_seconds, page.tick)
        return None

    def sign_in(used: str = "") -> None:
        """How to get in."""
        _head()
        with ui.element("main").classes("sign-in"), ui.element("section").classes("card"):
            heading("Sign in", 1)
            if used:
                ui.label("This link was used before, or it is too old.").classes("notice").props("role=alert")
            ui.label(
                "Open the one-time link that `jit serve` printed, or ask an admin for a fresh one: `jit link NAME`."
            )

    ui.page("/", title="JIT Sourcing workbench", response_timeout=20)(workbench)
    ui.page("/signin", title="Sign in to JIT Sourcing")(sign_in)


def _head() -> None:
    ui.add_head_html('<link rel="stylesheet" href="/static/workbench.css">')
    ui.colors(primary="#1f5a78", positive="#2c7a4b", negative="#a63a2b", warning="#8a5a00", info="#1f5a78")
