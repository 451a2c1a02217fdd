"""Suppliers' lead times and the arrival of open orders in a real browser, over a session in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.browser_session import chromium, open_workbench, served
from integration.web.web_lead_times import lead_times_of
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser
SERVER = str(Path(__file__).with_name("workbench_server.py"))
ACTIVE = "est-2-00c0ffee"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[str]:
    home = tmp_path_factory.mktemp("leads")
    with served(home, SERVER, str(home), "0") as address:
        yield address


def test_suppliers_stand_under_risks_with_what_their_record_says(browser: Browser, url: str) -> None:
    page = open_workbench(browser, url, "vic-1")
    page.get_by_role("tab", name="Risks").click()
    suppliers = page.get_by_role("region", name="Suppliers' lead times")
    expected = lead_times_of(None, ACTIVE)
    expect(suppliers.get_by_role("row")).to_have_count(len(expected.suppliers) + 1)
    expect(suppliers.get_by_role("row").nth(1)).to_contain_text(" ".join(expected.suppliers[0].sentences))
    arrivals = page.get_by_role("region", name="Arrival of open orders")
    expect(arrivals.get_by_role("row").nth(1)).to_contain_text(expected.orders[0].order_id)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    page.context.close()


def test_an_items_open_order_stands_with_the_chance_of_arrival_by_the_promised_day(browser: Browser, url: str) -> None:
    page = open_workbench(browser, url, "vic-2")
    page.get_by_role("tab", name="Items").click()
    order = lead_times_of("I-105", ACTIVE).orders[0]
    row = page.get_by_role("region", name="Arrival of open orders").get_by_role("row").nth(1)
    expect(row).to_contain_text(order.order_id)
    expect(row).to_contain_text(f"{order.due_date} promised")
    expect(row).to_contain_text(f"{order.due_probability:.0%}".replace("%", " %"))
    expect(row).to_contain_text(f"{order.p10_date} to {order.p90_date}")
    page.context.close()
