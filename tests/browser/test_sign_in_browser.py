"""Signing in and out in a real browser: who signs out is out, with every copy of the cookie."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.browser_session import chromium, open_workbench, served
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser
SERVER = str(Path(__file__).with_name("workbench_server.py"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[str]:
    home = tmp_path_factory.mktemp("signing")
    with served(home, SERVER, str(home), "0") as address:
        yield address


def test_signing_out_ends_the_open_page_of_whoever_copied_the_cookie(browser: Browser, url: str) -> None:
    page = open_workbench(browser, url, "mia-1")
    thief = browser.new_context(storage_state=page.context.storage_state())
    copied = thief.new_page()
    copied.goto(url)
    expect(copied.get_by_role("button", name="Approve the order to Northwind Seals")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(copied.get_by_role("heading", name="Sign in")).to_be_visible()
    for left in (page, copied):
        left.goto(url)
        expect(left.get_by_role("heading", name="Sign in")).to_be_visible()
        left.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/signin", "/login?token=wrong"])
def test_the_sign_in_page_can_be_read_by_everybody(browser: Browser, url: str, path: str, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.goto(url + path)
    expect(page.get_by_role("heading", name="Sign in", level=1)).to_be_visible()
    assert Axe().run(page).violations_count == 0
    assert problems == []
    page.set_viewport_size({"width": 320, "height": 480})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()
