"""Runs the API and the workbench, and tells the command line beside them where they answer."""

import getpass
import json
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from graph.contracts import SourcingSession
from graph.settings import Settings
from tools.domain.errors import Conflict
from web.api import create_app
from web.auth import UserStore, WithOwner
from web.client import find_server, server_url
from web.listening import listening
from web.pages.mount import mount
from web.settings import WebSettings, web_settings, write_private

if TYPE_CHECKING:
    from store.operations import Operations

LINK_SECONDS = 15 * 60.0
SWITCH_SECONDS = 0.0005
"""How long a thread that computes keeps the interpreter from one that answers a page: a plan that is made ready in the
background would hold up each of the thousand short readings of an answer for ten times as long by default."""


class _Server(uvicorn.Server):
    """Leaves its address in a file while it answers."""

    def __init__(self, config: uvicorn.Config, file: Path, told: dict[str, object], ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._file = file
        self._told = told
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            write_private(self._file, json.dumps(self._told))
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take the address back, then stop."""
        self._file.unlink(missing_ok=True)
        await super().shutdown(sockets)


def serve(
    session: SourcingSession,
    users: UserStore,
    settings: WebSettings,
    host: str,
    port: int,
    ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve until a signal; calls `ready` with the URL once it answers.

    Conflict when a server of this home runs already, OutOfReach when the port is taken. Port 0 takes a free one.
    """
    _must_be_alone(settings.server_file)
    with closing(listening(host, port)) as listener:
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
        url = f"http://{shown}:{listener.getsockname()[1]}"
        owner_key = secrets.token_urlsafe(32)
        known = WithOwner(users, owner_key)
        app = create_app(session, known, settings)
        mount(app, session, users, settings)
        config = uvicorn.Config(
            app,
            log_level="warning",
            timeout_graceful_shutdown=5,
            proxy_headers=bool(settings.trusted_proxy),
            forwarded_allow_ips=settings.trusted_proxy,
        )
        told: dict[str, object] = {"url": url, "pid": os.getpid(), "key": owner_key}
        try:
            _Server(config, settings.server_file, told, lambda: ready(url)).run(sockets=[listener])
        finally:
            app.state.live.close()


def _must_be_alone(server_file: Path) -> None:
    running = find_server(server_file)
    if running is not None:
        running.close()
        raise Conflict("A server of this home runs already.", remedy="Stop it, or use another JIT_HOME.")


def serve_workbench(settings: Settings, host: str, port: int, answering: Callable[[], None]) -> None:
    """Open the session of a home and serve it; prints a one-time sign-in link for each user once it is `answering`."""
    from graph.session import open_session
    from store.operations import Operations

    _must_be_alone(settings.server_file)
    sys.setswitchinterval(SWITCH_SECONDS)
    with closing(open_session(settings)) as session, closing(Operations(settings.operations_url)) as operations:
        if not operations.users():
            operations.add_user(getpass.getuser(), "admin")

        def ready(url: str) -> None:
            answering()
            threading.Thread(target=session.warm, name="warm", daemon=True).start()
            url = settings.public_url or url
            sys.stdout.write(f"The workbench answers at {url}. Sign in within 15 minutes, each link once:\n")
            for user in operations.users():
                sys.stdout.write(f"  {user.name} ({user.role}): {_link(operations, url, user.name)}\n")
            sys.stdout.write("A fresh link: `jit link NAME`. Another user: `jit user NAME --role ROLE`. End: Ctrl-C.\n")
            sys.stdout.flush()

        serve(session, operations, web_settings(settings), host, port, ready)


def sign_in_link(settings: Settings, name: str) -> str:
    """A fresh one-time link of a user, at the server that runs, or at the address where one will."""
    from graph.stores import open_operations

    with closing(open_operations(settings)) as operations:
        here = server_url(settings.server_file) or f"http://{settings.host}:{settings.port}"
        return _link(operations, settings.public_url or here, name)


def _link(operations: "Operations", url: str, name: str) -> str:
    return f"{url.rstrip('/')}/login?token={operations.issue_link(name, LINK_SECONDS)}"
