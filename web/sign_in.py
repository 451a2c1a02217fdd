"""Sign-in by a one-time link, kept on the server so that signing out ends it; its pages are plain HTML.

The page framework keeps memory for every page that it draws, and anybody may ask for the sign-in page: so it is
drawn without the framework, and `Gate` lets nobody else reach the framework.
"""

import math
from collections.abc import Callable
from html import escape

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from tools.domain.errors import NotFound
from web.auth import UserStore
from web.errors import SignInNeeded, error_response
from web.settings import WebSettings
from web.throttle import Throttle

COOKIE = "jit_session"
HOW = (
    "Open the one-time link that <code>jit serve</code> printed, or ask an admin for a fresh one:"
    " <code>jit link NAME</code>."
)
USED = "This link was used before, or it is too old."
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to JIT Sourcing</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/sign-in.css">
</head>
<body>
<main>
<h1>Sign in</h1>
{notice}<p>{how}</p>
</main>
</body>
</html>
"""


def sign_in_routes(app: FastAPI, users: UserStore, settings: WebSettings) -> None:
    """/signin tells how to get in, /login takes a one-time link, /logout ends the sign-in."""
    throttle = Throttle(settings.wrong_links_per_address, settings.wrong_links_overall, settings.wrong_links_seconds)

    def signin(used: str = "") -> Response:
        """How to get in."""
        return _page(USED if used else "")

    def login(request: Request, token: str = "") -> Response:
        """Sign in by a one-time link."""
        address = request.client.host if request.client else ""
        wait = throttle.wait_seconds(address)
        if wait > 0:
            return _slow_down(math.ceil(wait))
        person = users.redeem_link(token) if token else None
        if person is None:
            if token:
                throttle.count_wrong(address)
            return RedirectResponse("/signin?used=1" if token else "/signin", status_code=303)
        users.end_sign_in(sign_in_of(request))
        answer = RedirectResponse("/", status_code=303)
        seconds = settings.session_hours * 3600
        _set_cookie(answer, request, settings, users.open_sign_in(person.name, seconds), int(seconds))
        return answer

    def logout(request: Request) -> Response:
        """Sign out: the cookie is worth nothing afterwards, whoever holds a copy."""
        users.end_sign_in(sign_in_of(request))
        answer = RedirectResponse("/signin", status_code=303)
        _set_cookie(answer, request, settings, "", 0)
        return answer

    for path, endpoint in (("/signin", signin), ("/login", login), ("/logout", logout)):
        app.add_api_route(path, endpoint, methods=["GET"], include_in_schema=False, response_class=HTMLResponse)


def sign_in_of(connection: HTTPConnection) -> str:
    """The secret of the sign-in that came with a request; empty without one."""
    return connection.cookies.get(COOKIE, "")


def _set_cookie(answer: Response, request: Request, settings: WebSettings, value: str, seconds: int) -> None:
    """For this site and no script; behind TLS only over TLS."""
    answer.set_cookie(
        COOKIE,
        value,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https" or settings.public_url.startswith("https:"),
    )


def _page(notice: str, status: int = 200) -> HTMLResponse:
    told = f'<p class="notice" role="alert">{escape(notice)}</p>\n' if notice else ""
    return HTMLResponse(PAGE.format(notice=told, how=HOW), status_code=status, headers={"cache-control": "no-store"})


def _slow_down(seconds: int) -> HTMLResponse:
    unit = "second" if seconds == 1 else "seconds"
    answer = _page(f"Too many wrong links were tried. Open yours again in {seconds} {unit}: it is still good.", 429)
    answer.headers["retry-after"] = str(seconds)
    return answer


class Gate:
    """Lets those through to the page framework who are signed in; strangers cost it no memory."""

    def __init__(self, app: ASGIApp, users: UserStore) -> None:
        self._app = app
        self._users = users

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or say where to sign in."""
        if scope["type"] not in ("http", "websocket") or (answer := await self._refusal(scope)) is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await answer(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _refusal(self, scope: Scope) -> Response | None:
        path = str(scope["path"])
        if path.startswith("/api/"):
            return error_response(NotFound(f"There is nothing at {path}.", remedy="See /openapi.json for its form."))
        signed_in: Callable[[str], object] = self._users.signed_in
        secret = sign_in_of(HTTPConnection(scope))
        if secret and await run_in_threadpool(signed_in, secret) is not None:
            return None
        if path.startswith("/_nicegui"):
            return error_response(SignInNeeded("This needs a sign-in.", remedy="See /signin."))
        return RedirectResponse("/signin", status_code=303)
