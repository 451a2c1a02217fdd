"""A real Chromium, and a workbench in a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; skips the test where none is installed."""
    if not CHROMIUM.exists():
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(home: Path, *command: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a command that serves a home until the block ends; gives its URL."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=home, stdout=log, stderr=log, env={**os.environ, **(environment or {})}
        )
        try:
            yield _address(home, process)
        finally:
            process.terminate()
            process.wait(30)


def _address(home: Path, process: subprocess.Popen[bytes], patience_seconds: float = 90.0) -> str:
    file, deadline = home / "server.json", time.monotonic() + patience_seconds
    while not file.exists():
        log = (home / "server.log").read_text()
        assert process.poll() is None, log
        assert time.monotonic() < deadline, log
        time.sleep(0.05)
    return str(json.loads(file.read_text())["url"])


def open_workbench(browser: Browser, url: str, token: str) -> Page:
    """Sign in by a one-time link and wait for the page."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{url}/login?token={token}")
    page.locator(".workbench").wait_for()
    page.get_by_role("tab", name="Plan").wait_for()
    return page
