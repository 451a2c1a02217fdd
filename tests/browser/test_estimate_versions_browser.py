"""An item's forecast and the choice of estimate versions in a real browser, over a session in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.browser_session import chromium, open_workbench, served
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
SERVER = str(Path(__file__).with_name("workbench_server.py"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def url(tmp_path: Path, browser: Browser) -> Iterator[str]:
    with served(tmp_path, SERVER, str(tmp_path), "0") as address:
        yield address


def items(browser: Browser, url: str, token: str) -> Page:
    page = open_workbench(browser, url, token)
    page.get_by_role("tab", name="Items").click()
    expect(page.get_by_role("img", name="Demand per period")).to_be_visible()
    return page


def test_an_items_forecast_is_shown_with_its_chart_in_words_and_its_provenance(browser: Browser, url: str) -> None:
    page = items(browser, url, "vic-1")
    chart = page.get_by_role("img", name="Demand per period")
    expect(chart).to_have_attribute(
        "aria-label", "Demand per period. The first week's median is 10, between 8 and 12 in 8 of 10 cases."
    )
    panel = page.get_by_role("tabpanel")
    for text in (
        "Demand while one waits",
        "Tokai Motion, cheapest and fastest",
        "est-2-00c0ffee, active",
        "0.1.0+c0ffee00",
    ):
        expect(panel.get_by_text(text).first).to_be_visible()
    expect(page.get_by_role("button", name="Choose a version")).to_be_disabled()
    assert page.locator("svg text", has_text="each per week").count() == 1
    page.context.close()


def test_an_analyst_chooses_an_earlier_version_after_a_confirmation_and_undoes_it(browser: Browser, url: str) -> None:
    page = items(browser, url, "ana-1")
    status = page.get_by_text("The next run plans with est-2-00c0ffee.")
    expect(status).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    page.get_by_role("button", name="Choose a version").click()
    page.get_by_role("radio", name="est-1-00c0ffee").click()
    page.get_by_role("button", name="Cancel").click()
    expect(status).to_be_visible()
    page.get_by_role("button", name="Choose a version").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("forecast.seed 7 → 8")
    dialog.get_by_role("radio", name="est-1-00c0ffee").click()
    dialog.get_by_label("Reason").fill("too noisy")
    dialog.get_by_role("button", name="Plan with this version").click()
    chosen = "The next run plans with est-1-00c0ffee, chosen by ana: too noisy."
    expect(page.get_by_text(chosen)).to_be_visible()
    page.reload()
    page.get_by_role("tab", name="Items").click()
    expect(page.get_by_text(chosen)).to_be_visible()
    page.get_by_role("button", name="Choose a version").click()
    page.get_by_role("radio", name="est-2-00c0ffee").click()
    page.get_by_role("button", name="Plan with this version").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The next run plans with est-1-00c0ffee, chosen by ana: undone.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    page.context.close()


def test_accuracy_is_measured_on_request_and_shown(browser: Browser, url: str) -> None:
    page = items(browser, url, "ana-2")
    expect(page.get_by_text("none stored yet")).to_be_visible()
    page.get_by_role("button", name="Measure accuracy").click()
    expect(page.get_by_text("0.75, 25% better")).to_be_visible()
    page.context.close()


def test_the_dialog_has_no_serious_accessibility_violation(browser: Browser, url: str) -> None:
    page = items(browser, url, "ana-3")
    page.get_by_role("button", name="Choose a version").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_timeout(400)
    found = Axe().run(page).response["violations"]
    serious = {one["id"] for one in found if one["impact"] in ("serious", "critical")}
    assert serious - {"color-contrast"} == set(), "contrast is measured through the dimmed page behind the dialog"
    page.context.close()
