"""The workbench in a real browser, over a session in memory."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.browser_session import chromium, open_workbench, served
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser
SERVER = str(Path(__file__).with_name("workbench_server.py"))
TABS = ("Approvals", "Plan", "Items", "Risks", "Decisions", "Runs", "Data")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def url(tmp_path: Path, browser: Browser) -> Iterator[str]:
    """A server of its own, for a test that changes what others would see."""
    with served(tmp_path, SERVER, str(tmp_path), "0") as address:
        yield address


@pytest.fixture(scope="module")
def kept_url(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[str]:
    """One server for the tests that only look and ask."""
    home = tmp_path_factory.mktemp("kept")
    with served(home, SERVER, str(home), "0") as address:
        yield address


@pytest.fixture
def manager(browser: Browser, url: str) -> Iterator[Page]:
    page = open_workbench(browser, url, "mia-1")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def reader(browser: Browser, kept_url: str) -> Iterator[Page]:
    page = open_workbench(browser, kept_url, "mia-1")
    yield page
    page.context.close()


def card(page: Page, supplier: str) -> Locator:
    return page.get_by_role("region", name=f"Order to {supplier}", exact=True).first


def decided(page: Page, supplier: str) -> Locator:
    return page.get_by_role("region", name=f"Decided order to {supplier}")


def test_a_link_signs_in_once_and_nothing_is_shown_without_one(browser: Browser, kept_url: str) -> None:
    url = kept_url
    page = browser.new_page()
    page.goto(url)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.context.close()
    open_workbench(browser, url, "ana-1").context.close()
    again = browser.new_page()
    again.goto(f"{url}/login?token=ana-1")
    expect(again.get_by_role("alert")).to_contain_text("used before")
    again.goto(url)
    expect(again.get_by_role("heading", name="Sign in")).to_be_visible()
    again.context.close()


def test_the_open_tab_is_in_the_address_so_that_a_reload_or_a_link_opens_it_again(reader: Page, kept_url: str) -> None:
    reader.get_by_role("tab", name="Risks").click()
    expect(reader).to_have_url(re.compile(r"/\?tab=risks$"))
    reader.reload()
    expect(reader.get_by_role("tab", name="Risks")).to_have_attribute("aria-selected", "true")
    expect(reader.get_by_role("heading", name="Supply risks")).to_be_visible()
    reader.goto(f"{kept_url}/?tab=plan")
    expect(reader.get_by_text("Order value", exact=True).first).to_be_visible()
    reader.goto(f"{kept_url}/?tab=nowhere")
    expect(reader.get_by_role("tab", name="Approvals")).to_have_attribute("aria-selected", "true")


def test_a_manager_approves_edits_and_rejects_and_a_reload_loses_nothing(manager: Page) -> None:
    expect(manager.get_by_text("3 orders worth")).to_be_visible()
    manager.get_by_role("button", name="Approve the order to Northwind Seals").click()
    expect(card(manager, "Northwind Seals")).to_have_count(0)
    expect(decided(manager, "Northwind Seals")).to_contain_text("Placed in the ERP as ERP-0001")
    expect(manager.get_by_role("heading", name="Waiting for a decision")).to_be_focused()

    manager.get_by_role("button", name="Edit quantity of the order to Shenlan Electronics").click()
    dialog = manager.get_by_role("dialog")
    expect(dialog).to_contain_text("Minimum 10, in steps of 10")
    dialog.get_by_label("I-103").fill("205")
    expect(dialog).to_contain_text("Not in steps of 10: 200 or 210.")
    expect(dialog.get_by_role("button", name="Save quantities")).to_be_disabled()
    dialog.get_by_label("I-103").fill("200")
    expect(dialog).to_contain_text("New value 17,200 EUR")
    dialog.get_by_role("button", name="Save quantities").click()
    expect(card(manager, "Shenlan Electronics")).to_have_count(0)

    manager.reload()
    expect(card(manager, "Tokai Motion")).to_be_visible()
    expect(card(manager, "Northwind Seals")).to_have_count(0)
    expect(decided(manager, "Northwind Seals")).to_contain_text("ERP-0001")

    manager.get_by_role("button", name="Reject the order to Tokai Motion").click()
    manager.get_by_role("button", name="Reject order").click()
    expect(manager.get_by_text("Say why")).to_be_visible()
    manager.get_by_role("dialog").get_by_label("Reason").fill("Too early")
    manager.get_by_role("button", name="Reject order").click()
    expect(manager.get_by_text("Nothing waits for you.")).to_be_visible()
    expect(decided(manager, "Tokai Motion")).to_contain_text("Nothing was sent. Reason: Too early")
    expect(decided(manager, "Tokai Motion").get_by_role("button", name="Propose again")).to_be_enabled()

    manager.get_by_role("tab", name="Plan").click()
    rows = manager.get_by_role("row")
    expect(rows.filter(has_text="I-103")).to_contain_text("200")
    expect(rows.filter(has_text="I-103")).to_contain_text("Dispatched")
    expect(rows.filter(has_text="I-105")).to_contain_text("Rejected")


def test_what_is_typed_survives_a_decision_made_elsewhere(browser: Browser, url: str, manager: Page) -> None:
    question = manager.get_by_role("textbox", name="Question")
    question.fill("Why is I-1")
    other = open_workbench(browser, url, "ada-1")
    other.get_by_role("button", name="Approve the order to Tokai Motion").click()
    expect(card(manager, "Tokai Motion")).to_have_count(0)
    expect(manager.get_by_text("The order to Tokai Motion was approved by ada.")).to_be_visible()
    expect(question).to_have_value("Why is I-1")
    expect(card(manager, "Northwind Seals")).to_be_visible()
    other.context.close()


def test_a_question_is_answered_with_its_sources_and_stays_after_a_reload(reader: Page) -> None:
    reader.get_by_role("textbox", name="Question").fill("Why I-105?")
    reader.keyboard.press("Enter")
    log = reader.get_by_role("log")
    expect(log).to_contain_text("1.4 x (41 + 7 + 30) - 6, in packs of 4")
    expect(log).to_contain_text("L-04")
    reader.reload()
    expect(reader.get_by_role("log")).to_contain_text("Why I-105?")
    expect(reader.get_by_role("log")).to_contain_text("in packs of 4")


def test_the_drawer_draws_the_cost_curve_and_the_stock_and_says_what_terms_are_worth(reader: Page) -> None:
    reader.get_by_role("tab", name="Plan").click()
    reader.get_by_role("button", name="Why I-101").click()
    drawer = reader.get_by_role("dialog")
    expect(drawer.get_by_role("img", name="Expected cost by quantity. At ")).to_be_visible()
    expect(drawer.get_by_role("img", name="Projected stock. The median ")).to_be_visible()
    for text in (
        "ordering nothing now",
        "a unit this line still costs no more",
        "Why they differ",
        "off the unit price",
    ):
        expect(drawer).to_contain_text(text)
    expect(drawer.locator("svg").first).to_be_visible()
    reader.keyboard.press("Escape")
    expect(drawer).to_have_count(0)


def test_the_drawer_shows_formula_figures_and_gates_of_a_line(reader: Page) -> None:
    reader.get_by_role("tab", name="Plan").click()
    reader.get_by_role("button", name="Why I-101").click()
    drawer = reader.get_by_role("dialog")
    for text in ("22 x (18 + 7 + 30) - 120", "Reorder point", "Next best source", "require approval"):
        expect(drawer).to_contain_text(text)
    expect(drawer.locator(".sentence")).to_contain_text("now: a delivery takes")
    expect(drawer.get_by_text("It is cheaper than the next best way to buy it.")).to_be_visible()
    expect(drawer.locator(".formula")).not_to_be_visible()
    drawer.get_by_text("The mathematics").click()
    expect(drawer.locator(".formula")).to_be_visible()
    reader.keyboard.press("Escape")
    expect(drawer).to_have_count(0)


def test_text_from_outside_is_shown_as_text(reader: Page) -> None:
    reader.get_by_role("tab", name="Items").click()
    reader.get_by_role("button", name="Show I-106").click()
    expect(reader.get_by_role("heading", name="<b>Cable</b> 3x1.5")).to_be_visible()
    expect(reader.get_by_role("img", name="Demand per period")).to_be_visible()
    assert reader.locator("b", has_text="Cable").count() == 0


def test_a_viewer_sees_why_the_buttons_are_off(browser: Browser, kept_url: str) -> None:
    page = open_workbench(browser, kept_url, "vic-1")
    header = page.locator("header")
    for button in (
        header.get_by_role("button", name="Replan all items"),
        header.get_by_role("button", name="Halt dispatch"),
        page.get_by_role("button", name="Approve the order to Tokai Motion"),
    ):
        expect(button).to_be_disabled()
    expect(page.get_by_role("textbox", name="Question")).to_be_disabled()
    page.locator(".topbar .action").first.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("Your role is viewer")
    page.context.close()


def test_a_halt_is_seen_by_everybody(browser: Browser, url: str, manager: Page) -> None:
    buyer = open_workbench(browser, url, "bo-1")
    buyer.get_by_role("button", name="Halt dispatch").click()
    expect(manager.get_by_text("Dispatch halted")).to_be_visible()
    expect(buyer.get_by_role("button", name="Allow dispatch")).to_be_disabled()
    manager.get_by_role("button", name="Allow dispatch").click()
    expect(buyer.get_by_text("Dispatch halted")).to_have_count(0)
    buyer.context.close()


def test_no_page_loads_anything_from_elsewhere(browser: Browser, kept_url: str) -> None:
    asked: list[str] = []
    context = browser.new_context()
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(f"{kept_url}/login?token=mia-2")
    page.get_by_role("tab", name="Items").click()
    page.get_by_role("img", name="Demand per period").wait_for()
    assert asked
    assert [one for one in asked if not one.startswith((kept_url, "data:", "blob:"))] == []
    context.close()


def test_no_tab_has_a_serious_accessibility_violation(reader: Page) -> None:
    for name in TABS:
        reader.get_by_role("tab", name=name).click()
        reader.wait_for_timeout(400)
        found = Axe().run(reader).response["violations"]
        serious = [
            (one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], name


def test_the_steps_show_while_a_replan_runs_and_a_reload_keeps_them(tmp_path: Path, browser: Browser) -> None:
    with served(tmp_path, SERVER, str(tmp_path), "0.8") as url:
        page = open_workbench(browser, url, "ana-1")
        page.get_by_role("button", name="Replan all items").first.click()
        status = page.get_by_role("status", name="Latest run")
        expect(status).to_contain_text("running")
        expect(status).to_contain_text("6 items of ds-1-ab12cd34.")
        assert "3 orders wait" not in status.inner_text()
        page.reload()
        expect(status).to_contain_text("Sensing")
        expect(status).to_contain_text("3 orders wait for approval, 0 dispatched", timeout=15_000)
        expect(card(page, "Tokai Motion")).to_be_visible()
        page.context.close()


def test_a_run_that_computes_shows_how_far_it_is_and_is_cancelled_by_its_button(
    tmp_path: Path, browser: Browser
) -> None:
    with served(tmp_path, SERVER, str(tmp_path), "2.0") as url:
        page = open_workbench(browser, url, "ana-1")
        page.get_by_role("button", name="Replan all items").first.click()
        status = page.get_by_role("status", name="Latest run")
        expect(status).to_contain_text("2 of 6 done", timeout=15_000)
        expect(status.get_by_role("progressbar", name="Progress")).to_have_attribute("aria-valuenow", re.compile("0.3"))
        status.get_by_role("button", name="Cancel the run").click()
        expect(status).to_contain_text("stopped", timeout=15_000)
        expect(status.get_by_role("button", name="Cancel the run")).to_have_count(0)
        expect(page.get_by_role("region", name=re.compile("^Order to "))).to_have_count(0)
        page.context.close()
