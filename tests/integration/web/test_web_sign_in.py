"""Signing in, staying in and signing out over real HTTP, with the real accounts and with the real server."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from browser.browser_session import served
from fastapi import FastAPI
from integration.web.running_app import running
from integration.web.signed_alerts import SECRET
from jit_command import JIT, Jit
from pydantic import SecretStr

from store.operations import Operations
from web.settings import WebSettings
from web.sign_in import COOKIE, sign_in_routes

SERVER = str(Path(__file__).parents[2] / "browser" / "workbench_server.py")
VISITS = 300
FORGOTTEN_MB = 8.0
"""What as many pages of the framework would leave several times over."""


@dataclass
class Clock:
    """The time of day, moved on by a test."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True)
class Doors:
    """The doors to sign in, over the real accounts."""

    url: str
    accounts: Operations
    clock: Clock

    def open(self, path: str, *, came_from: str = "127.0.0.1", cookie: str = "") -> httpx.Response:
        """Ask from an address of this machine."""
        transport = httpx.HTTPTransport(local_address=came_from)
        headers = {"cookie": f"{COOKIE}={cookie}"} if cookie else {}
        with httpx.Client(base_url=self.url, transport=transport, headers=headers) as client:
            return client.get(path)

    def link(self) -> str:
        """A fresh link of ana."""
        return f"/login?token={self.accounts.issue_link('ana', 900.0)}"


@contextmanager
def doors(home: Path, **changed: object) -> Iterator[Doors]:
    clock = Clock()
    web = WebSettings.model_validate({"home": home, "webhook_secret": SecretStr(SECRET), **changed})
    with Operations(f"sqlite:///{home / 'operations.sqlite'}", clock=clock) as accounts:
        accounts.add_user("ana", "analyst")
        app = FastAPI()
        sign_in_routes(app, accounts, web)
        with running(app) as url:
            yield Doors(url, accounts, clock)


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    home = tmp_path_factory.mktemp("signing")
    with served(home, SERVER, str(home), "0") as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client, home


def signed_in(http: httpx.Client, token: str) -> str:
    """Open a link; the cookie that it gave, which the client itself does not keep."""
    answer = http.get("/login", params={"token": token})
    assert answer.headers["location"] == "/"
    secret = answer.cookies[COOKIE]
    http.cookies.clear()
    return secret


def test_a_stolen_cookie_is_worth_nothing_after_signing_out(workbench: tuple[httpx.Client, Path]) -> None:
    http, _ = workbench
    stolen = {"cookie": f"{COOKIE}={signed_in(http, 'mia-1')}"}
    socket = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert http.get("/", headers=stolen).status_code == 200
    assert http.get(socket, headers=stolen).status_code == 200
    left = http.get("/logout", headers=stolen)
    assert left.headers["location"] == "/signin"
    assert "max-age=0" in left.headers["set-cookie"].lower()
    assert http.get("/", headers=stolen).headers["location"] == "/signin"
    assert http.get(socket, headers=stolen).status_code == 401


def test_one_browser_signing_out_leaves_the_other_in(workbench: tuple[httpx.Client, Path]) -> None:
    http, _ = workbench
    first, second = signed_in(http, "ada-1"), signed_in(http, "ada-2")
    http.get("/logout", headers={"cookie": f"{COOKIE}={first}"})
    assert http.get("/", headers={"cookie": f"{COOKIE}={second}"}).status_code == 200


@pytest.mark.parametrize("cookie", ["", "x", "a" * 5000, '"', "\xff", "mia"])
def test_a_cookie_that_nobody_gave_opens_nothing(workbench: tuple[httpx.Client, Path], cookie: str) -> None:
    http, _ = workbench
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode("latin-1"))]
    assert http.get("/", headers=headers).headers["location"] == "/signin"
    assert http.get("/logout", headers=headers).headers["location"] == "/signin"
    assert http.get("/api/runs", headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["/signin", "/signin?used=1", "/", "/nowhere", "/_nicegui/x", "/api/nothing"])
def test_strangers_get_no_page_of_the_framework(workbench: tuple[httpx.Client, Path], path: str) -> None:
    http, _ = workbench
    answer = http.get(path)
    assert answer.status_code in (200, 303, 401, 404)
    assert "nicegui" not in answer.text
    assert "set-cookie" not in answer.headers


def test_visits_of_strangers_leave_no_memory_behind(workbench: tuple[httpx.Client, Path]) -> None:
    http, home = workbench
    process = json.loads((home / "server.json").read_text())["pid"]

    def resident_mb() -> float:
        status = Path(f"/proc/{process}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def visit(times: int) -> None:
        for path in ("/signin", "/", "/nowhere"):
            for _ in range(times):
                connection = HTTPConnection(str(http.base_url.netloc, "ascii"), timeout=60)
                connection.request("GET", path)
                connection.getresponse().read()
                connection.close()

    visit(30)
    before = resident_mb()
    visit(VISITS)
    assert resident_mb() - before < FORGOTTEN_MB


def test_a_sign_in_ends_by_itself(tmp_path: Path) -> None:
    with doors(tmp_path, session_hours=1.0) as at:
        secret = at.open(at.link()).cookies[COOKIE]
        assert at.accounts.signed_in(secret) is not None
        at.clock.ahead = timedelta(minutes=61)
        assert at.accounts.signed_in(secret) is None


def test_a_second_link_ends_the_sign_in_that_the_browser_had(tmp_path: Path) -> None:
    with doors(tmp_path) as at:
        first = at.open(at.link()).cookies[COOKIE]
        second = at.open(at.link(), cookie=first).cookies[COOKIE]
        assert at.accounts.signed_in(first) is None
        assert at.accounts.signed_in(second) is not None


def test_a_sign_in_outlives_a_restart_and_only_its_hash_is_stored(tmp_path: Path) -> None:
    with doors(tmp_path) as at:
        secret = at.open(at.link()).cookies[COOKIE]
    for file in tmp_path.iterdir():
        assert secret.encode() not in file.read_bytes()
    with Operations(f"sqlite:///{tmp_path / 'operations.sqlite'}") as accounts:
        found = accounts.signed_in(secret)
        assert found is not None
        assert found.name == "ana"


def test_wrong_links_are_slowed_down_and_a_right_one_gets_in_afterwards(tmp_path: Path) -> None:
    with doors(tmp_path, wrong_links_per_address=3, wrong_links_seconds=2.0) as at:
        for tried in range(3):
            assert at.open(f"/login?token=wrong-{tried}").headers["location"] == "/signin?used=1"
        link = at.link()
        slowed = at.open(link)
        assert slowed.status_code == 429
        assert "Too many wrong links were tried" in slowed.text
        assert at.open(link, came_from="127.0.0.2").status_code == 303
        time.sleep(int(slowed.headers["retry-after"]))
        assert at.open(at.link()).headers["location"] == "/"


def test_a_link_that_was_slowed_down_is_not_used_up(tmp_path: Path) -> None:
    with doors(tmp_path, wrong_links_per_address=1, wrong_links_seconds=600.0) as at:
        at.open("/login?token=wrong")
        link = at.link()
        assert at.open(link).status_code == 429
        assert at.open(link, came_from="127.0.0.3").headers["location"] == "/"


def test_strangers_from_many_addresses_do_not_lock_a_user_out(tmp_path: Path) -> None:
    with doors(tmp_path, wrong_links_overall=5, wrong_links_seconds=600.0) as at:
        for number in range(2, 7):
            at.open("/login?token=wrong", came_from=f"127.0.1.{number}")
        assert at.open("/login?token=wrong", came_from="127.0.1.2").status_code == 429
        assert at.open(at.link(), came_from="127.0.2.1").headers["location"] == "/"


@pytest.mark.parametrize("public_url", ["", "https://plans.example"])
def test_the_cookie_is_for_tls_only_where_people_come_over_tls(tmp_path: Path, public_url: str) -> None:
    with doors(tmp_path, public_url=public_url) as at:
        given = at.open(at.link()).headers["set-cookie"].lower()
        assert ("secure" in given) == bool(public_url)
        assert "httponly" in given
        assert "samesite=lax" in given


FORWARDED = {"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7"}


def test_without_a_named_proxy_nobody_is_believed_to_come_over_tls(workbench: tuple[httpx.Client, Path]) -> None:
    http, _ = workbench
    answer = http.get("/login?token=bo-1", headers=FORWARDED)
    assert answer.headers["location"] == "/"
    assert "secure" not in answer.headers["set-cookie"].lower()
    http.cookies.clear()


def printed_link(log: Path) -> str:
    """The sign-in link that a server prints once it answers."""
    patience = time.monotonic() + 60.0
    while time.monotonic() < patience:
        for word in log.read_text().split():
            if "/login?token=" in word:
                return word
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def test_the_real_server_heeds_its_proxy_and_keeps_its_files_to_itself(tmp_path: Path) -> None:
    home = tmp_path / "home"
    jit = Jit(home, {"JIT_TRUSTED_PROXY": "127.0.0.1", "JIT_PUBLIC_URL": "http://plans.example/"})
    before = os.umask(0)
    try:
        with served(home, str(JIT), "serve", "--port", "0", environment=jit.environment()) as url:
            link = printed_link(home / "server.log")
            assert link.startswith("http://plans.example/login?token=")
            link = link.replace("http://plans.example", url)
            answer = httpx.get(link, headers=FORWARDED, trust_env=False)
            modes = {file.name: file.stat().st_mode & 0o777 for file in home.iterdir() if file.name != "server.log"}
    finally:
        os.umask(before)
    assert answer.headers["location"] == "/"
    assert "secure" in answer.headers["set-cookie"].lower()
    assert {"server.json", "secrets.json", "operations.sqlite-wal", "warehouse.duckdb"} <= set(modes)
    assert set(modes.values()) == {0o600}, modes
