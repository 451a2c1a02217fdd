"""The pages over HTTP: nothing without a sign-in, cookies that scripts and other sites cannot use, safe text."""

import ast
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser.browser_session import served

SERVER = str(Path(__file__).parents[2] / "browser" / "workbench_server.py")
PAGES = Path(__file__).parents[3] / "web"


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    home = tmp_path_factory.mktemp("pages")
    with served(home, SERVER, str(home), "0") as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def test_the_workbench_sends_strangers_to_the_sign_in(http: httpx.Client) -> None:
    answer = http.get("/")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("/signin")
    assert "Northwind" not in http.get("/signin").text


def test_the_session_cookie_is_for_this_site_and_no_script(http: httpx.Client) -> None:
    answer = http.get("/login", params={"token": "mia-1"})
    cookie = answer.headers["set-cookie"].lower()
    assert answer.headers["location"] == "/"
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "mia-1" not in cookie
    assert http.get("/").status_code == 200
    http.get("/logout")
    http.cookies.clear()
    assert http.get("/").status_code == 303


@pytest.mark.parametrize("path", ["/signin", "/login?token=wrong", "/static/workbench.css", "/api/health"])
def test_every_answer_keeps_to_its_own_origin(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_page_names_no_other_host(http: httpx.Client) -> None:
    page = http.get("/signin").text
    assert "https://" not in page.replace("https://nicegui.io", "")


def test_no_page_puts_text_into_html() -> None:
    """Text from suppliers and files only ever goes into labels, which escape it."""
    risky = {"html", "markdown", "run_javascript", "add_body_html"}
    for file in sorted(PAGES.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in risky:
                pytest.fail(f"{file.name}:{node.lineno} uses {node.attr}")
