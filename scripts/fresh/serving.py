"""Starts `jit serve` on a free port, asks it for a page and for an answer of the API, and ends it with Ctrl-C."""

import json
import re
import signal
import subprocess
import threading
from http.cookiejar import CookieJar
from pathlib import Path
from time import monotonic
from urllib.error import URLError
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener

from running import Failure, Runner, say

START_SECONDS = 60.0
STOP_SECONDS = 30.0
ANSWER_SECONDS = 30.0
ENDED_BY_PERSON = (0, 130)


def serve_and_ask(runner: Runner, clone: Path, key: str) -> None:
    """Failure when the server does not start, answer or end."""
    began = monotonic()
    server = runner.start([str(clone / ".venv/bin/jit"), "serve", "--port", "0"], clone)
    impatient = threading.Timer(START_SECONDS, runner.end, (server, signal.SIGKILL))
    impatient.start()
    try:
        link = _link(server)
        if link is None:
            raise _failure(runner, server, "no sign-in link")
        impatient.cancel()
        _ask(runner, server, link, key)
        runner.end(server, signal.SIGINT)
        server.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _failure(runner, server, f"still runs {STOP_SECONDS:.0f} s after Ctrl-C") from error
    finally:
        impatient.cancel()
        runner.end(server, signal.SIGKILL)
        runner.forget(server)
    if server.returncode not in ENDED_BY_PERSON:
        raise runner.failure("jit serve, after Ctrl-C", server.returncode, "")
    say(f"ok {monotonic() - began:5.1f} s  jit serve: a page, an answer of the API, the end")


def _link(server: "subprocess.Popen[str]") -> str | None:
    """The first sign-in link that it prints; None when it ends before."""
    for line in server.stdout or ():
        found = re.search(r"https?://\S+/(?:login|signin)\?token=\S+", line)
        if found:
            return found[0]
    return None


def _ask(runner: Runner, server: "subprocess.Popen[str]", link: str, key: str) -> None:
    base = link.rpartition("/")[0]
    browser = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))
    page = _answer(runner, server, browser, Request(link))  # noqa: S310 - the server's own address
    if "<html" not in page or "Approvals" not in page + _answer(runner, server, browser, Request(base)):  # noqa: S310
        raise _failure(runner, server, f"no workbench behind {link}:\n{page[:1000]}")
    request = Request(f"{base}/api/runs", headers={"Authorization": f"Bearer {key}"})  # noqa: S310
    if not json.loads(_answer(runner, server, browser, request)):
        raise _failure(runner, server, "GET /api/runs is empty")


def _answer(runner: Runner, server: "subprocess.Popen[str]", browser: OpenerDirector, request: Request) -> str:
    try:
        with browser.open(request, timeout=ANSWER_SECONDS) as answer:
            return str(answer.read().decode())
    except (URLError, TimeoutError) as error:
        raise _failure(runner, server, f"{request.full_url}: {error}") from error


def _failure(runner: Runner, server: "subprocess.Popen[str]", message: str) -> Failure:
    runner.end(server, signal.SIGKILL)
    output, errors = server.communicate()
    return runner.failure("jit serve", server.returncode, f"{message}\n{output}{errors}")
