"""A page holds what it shows, however much waits: lists are cut on the server, say so, and give the rest on request."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.browser_session import chromium, open_workbench, served
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser
SERVER = str(Path(__file__).with_name("workbench_server.py"))
FEW, MANY = 20, 300


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=20_000)  # three hundred orders on a busy machine
    with chromium() as opened:
        yield opened
    expect.set_options(timeout=5_000)


def url_with(folder: Path, more: int) -> Iterator[str]:
    with served(folder, SERVER, str(folder), "0", str(more)) as address:
        yield address


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[str]:
    yield from url_with(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[str]:
    yield from url_with(tmp_path_factory.mktemp("many"), MANY)


@pytest.fixture
def page(browser: Browser, many: str) -> Iterator[Page]:
    opened = open_workbench(browser, many, f"mia-{next(LINKS)}")
    yield opened
    opened.context.close()


LINKS = iter(range(2, 7))


def cards(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("^Order to "))


def elements_of_the_first_page(browser: Browser, url: str) -> int:
    page = open_workbench(browser, url, "mia-1")
    expect(cards(page)).to_have_count(10)
    found = page.evaluate("document.querySelectorAll('*').length")
    page.context.close()
    return int(found)


def test_the_first_page_has_as_many_elements_for_three_hundred_orders_as_for_twenty(
    browser: Browser, few: str, many: str
) -> None:
    assert elements_of_the_first_page(browser, few) == elements_of_the_first_page(browser, many) < 2_500


def test_orders_that_wait_are_shown_in_part_with_the_total_of_all_and_more_on_request(page: Page) -> None:
    expect(page.get_by_text("303 orders worth")).to_be_visible()
    expect(page.get_by_text("Showing 10 of 303 orders.")).to_be_visible()
    page.get_by_role("button", name="Show more orders").click()
    expect(page.get_by_text("Showing 30 of 303 orders.")).to_be_visible()
    expect(cards(page)).to_have_count(30)


def test_an_order_is_found_among_all_that_wait_and_what_nothing_has_says_so(page: Page) -> None:
    page.get_by_role("textbox", name="Filter orders").fill("m-0250")
    expect(cards(page)).to_have_count(1)
    expect(cards(page)).to_contain_text("Maker0250 Works")
    expect(page.get_by_text("303 orders worth")).to_be_visible()
    page.get_by_role("textbox", name="Filter orders").fill("no such thing")
    expect(page.get_by_text("No order that waits has this in it.")).to_be_visible()
    page.get_by_role("textbox", name="Filter orders").fill("")
    expect(cards(page)).to_have_count(10)


def test_one_that_is_decided_makes_room_for_the_next_that_waits(page: Page) -> None:
    first = cards(page).first.get_attribute("aria-label") or ""
    page.get_by_role("button", name=f"Approve the order to {first.removeprefix('Order to ')}", exact=True).click()
    expect(page.get_by_text("302 orders worth")).to_be_visible()
    expect(page.get_by_role("region", name=first, exact=True)).to_have_count(0)
    expect(cards(page)).to_have_count(10)
    expect(page.get_by_text("Showing 10 of 302 orders.")).to_be_visible()


def test_order_lines_are_paged_sorted_and_searched_on_the_server(page: Page) -> None:
    page.get_by_role("tab", name="Plan").click()
    rows = page.get_by_role("tabpanel").locator("tbody tr:has(.why)")
    expect(rows).to_have_count(15)
    expect(page.get_by_text("1-15 of 304")).to_be_visible()
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("16-30 of 304")).to_be_visible()
    page.get_by_role("columnheader", name="Item").click()
    expect(rows.first).to_contain_text("I-101")  # drawn anew: a click before that is lost
    page.get_by_role("columnheader", name="Item").click()
    expect(rows.first).to_contain_text("M-0299")
    page.get_by_role("textbox", name="Filter lines").fill("fitting no. 123")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Why M-0123").click()
    expect(page.get_by_role("dialog")).to_contain_text("M-0123")
