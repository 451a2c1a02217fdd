"""A real Chromium, and a workbench in a process of its own."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from loaded_command import loaded_command
from playwright.sync_api import Browser, Page, expect
from serving import address_told

from scripts.week.company import page as week_page

PATIENCE_MS = 60_000
"""How long a page may take to show what is expected of it: guards against hanging only."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; skips the test where none is installed."""
    if not week_page.CHROMIUM.exists():
        pytest.skip("no Chromium is installed")
    expect.set_options(timeout=PATIENCE_MS)
    with week_page.chromium() as browser:
        yield browser


@contextmanager
def served(home: Path, *command: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a command that serves a home until the block ends; gives its URL."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / "server.log"
    with log.open("w") as said:
        found = {**os.environ, **(environment or {})}
        process = loaded_command().start(command, found, home, (said.fileno(), said.fileno()))
        try:
            yield str(address_told(home, process, log)["url"])
        finally:
            process.terminate()
            process.wait(30)


def open_workbench(browser: Browser, url: str, token: str) -> Page:
    """Sign in by a one-time link and wait for the page."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{url}/login?token={token}")
    page.locator(".workbench").wait_for()
    page.get_by_role("tab", name="Plan").wait_for()
    return page
