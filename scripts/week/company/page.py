"""A person at the real page: Debian's Chromium, driven as the browser tests drive it."""

import re
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, Locator, expect, sync_playwright

from scripts.week.company.witness import Answered, Witness

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TABS: Mapping[str, str] = {
    "Approvals": r"Waiting for a decision",
    "Plan": r"Order value\s+[\d,.]+",
    "Items": r"I\d{4} · ",
    "Risks": r"Supply risks",
    "Decisions": r"approved|replaced|rejected",
    "Runs": r"run-\d{12}-|by \w+",
    "Data": r"Dataset versions",
}
"""What each tab shows once a plan was made and something was decided."""
FAULTS = (Error, AssertionError)
"""How the browser says that something did not come."""
PATIENCE_MS = 600_000
"""Guards against hanging only."""
LOOKS_AGAIN_MS = 100


@contextmanager
def chromium() -> Generator[Browser]:
    """The browser until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Desk:
    """The page of one person, signed in by a one-time link."""

    def __init__(self, browser: Browser, link: str, who: str, witness: Witness) -> None:
        self.who = who
        self._page = browser.new_page(viewport={"width": 1280, "height": 900})
        self._page.set_default_timeout(PATIENCE_MS)
        self._page.on("pageerror", lambda error: witness.console.append(f"{who}: {error}"))
        self._page.on(
            "response",
            lambda answer: witness.answered.append(
                Answered(f"{who}'s page", answer.request.method, answer.url.partition("?")[0], answer.status)
            ),
        )
        self._page.goto(link)
        self._page.get_by_role("tab", name="Plan").wait_for()

    def close(self) -> None:
        """Leave."""
        self._page.context.close()

    def screens(self) -> dict[str, str]:
        """The text of every tab, once what it reads has come."""
        return {tab: self._open(tab, pattern) for tab, pattern in TABS.items()}

    def figures(self) -> dict[str, float]:
        """What the page says of the plan and of what waits."""
        tiles = {
            "lines": "Lines",
            "order value": "Order value",
            "dispatched": "Dispatched",
            "orders of the plan that wait": "Wait for approval",
        }
        plan = self._open("Plan", *(numbered(tile) for tile in tiles.values()))
        approvals = self._open("Approvals", TABS["Approvals"])
        self._show_all()
        found = {figure: number_after(tile, plan) for figure, tile in tiles.items()}
        found["orders that wait"] = float(self._waiting().count())
        worth = re.search(r"orders? worth ([\d,.]+)", approvals)
        return found | ({"value that waits": as_number(worth[1])} if worth else {})

    def approve(self, supplier: str) -> None:
        """Approve the first order to a supplier, and wait until its card is gone."""
        card = self._card(supplier)
        left = self._waiting().count() - 1
        card.get_by_role("button", name=re.compile("^Approve")).click()
        expect(self._waiting()).to_have_count(left, timeout=PATIENCE_MS)

    def reject(self, supplier: str, reason: str) -> None:
        """Reject the first order to a supplier."""
        card = self._card(supplier)
        left = self._waiting().count() - 1
        card.get_by_role("button", name=re.compile("^Reject")).click()
        dialog = self._page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill(reason)
        dialog.get_by_role("button", name="Reject order").click()
        expect(self._waiting()).to_have_count(left, timeout=PATIENCE_MS)

    def ask(self, question: str) -> str:
        """Ask in the conversation; gives the answer's text."""
        answers = self._page.get_by_role("log").locator(".turn-answer")
        before = answers.count()
        self._page.get_by_role("textbox", name="Question").fill(question)
        self._page.keyboard.press("Enter")
        expect(answers).to_have_count(before + 1, timeout=PATIENCE_MS)
        return answers.last.inner_text()

    def reload(self) -> None:
        """Load the page anew; what is stored has to be there again."""
        self._page.reload()
        self._page.get_by_role("tab", name="Plan").wait_for()

    def _open(self, tab: str, *patterns: str) -> str:
        """The tab's text, read once with all of the patterns in it; what never comes is left to the check to tell.

        The very text that was looked at is given: a panel that is drawn anew in between would show less.
        """
        self._page.get_by_role("tab", name=tab).click()
        panel = self._page.get_by_role("tabpanel").filter(visible=True).first
        patience = time.monotonic() + PATIENCE_MS / 10_000
        while True:
            text = panel.inner_text()
            if time.monotonic() > patience or all(re.search(one, text, re.MULTILINE) for one in patterns):
                return text
            self._page.wait_for_timeout(LOOKS_AGAIN_MS)

    def _waiting(self) -> Locator:
        return self._page.get_by_role("region", name=re.compile("^Order to "))

    def _show_all(self) -> None:
        """Ask for the rest of what waits, as long as the page says that there is more."""
        more = self._page.get_by_role("button", name="Show more orders")
        while more.count():
            before = self._waiting().count()
            more.first.click()
            expect(self._waiting()).not_to_have_count(before, timeout=PATIENCE_MS)

    def _card(self, supplier: str) -> Locator:
        self._page.get_by_role("tab", name="Approvals").click()
        expect(self._waiting().first).to_be_visible(timeout=PATIENCE_MS)
        self._show_all()
        return self._page.get_by_role("region", name=f"Order to {supplier}", exact=True).first


def numbered(name: str) -> str:
    """The pattern of a line that begins with a name, followed by its number."""
    return rf"^{re.escape(name)}\s+([\d,.]+)"


def number_after(name: str, text: str) -> float:
    """The number that follows a name in the text of a page; -1 where there is none."""
    found = re.search(numbered(name), text, re.MULTILINE)
    return as_number(found[1]) if found else -1.0


def as_number(shown: str) -> float:
    """`1,234.5` as a number."""
    return float(shown.replace(",", "").rstrip("."))
