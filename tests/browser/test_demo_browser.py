"""The workbench of the demo world in a real browser: the real session, server, databases and sandbox ERP."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.browser_session import chromium, open_workbench, served
from playwright.sync_api import Browser, Locator, Page, expect
from standardwebhooks import Webhook

from graph.settings import Settings
from store.operations import Operations

pytestmark = pytest.mark.browser
TABS = ("Approvals", "Plan", "Items", "Risks", "Runs", "Data")
PEOPLE = {"demo": "manager", "max": "manager", "mia": "manager", "vic": "viewer"}
"""The demo's run is proposed by `demo`, who may therefore sign none of its orders."""
Door = Callable[[str], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Path:
    """The demo's home with a few users."""
    made = tmp_path_factory.mktemp("demo")
    demo = [sys.executable, "-m", "app", "demo"]
    done = subprocess.run(demo, cwd=made, env={**os.environ, "JIT_HOME": str(made)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with Operations(Settings(home=made).operations_url) as operations:
        for name, role in PEOPLE.items():
            operations.add_user(name, role)
    return made


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with served(home, "-m", "app", "serve", "--port", "0", environment={"JIT_HOME": str(home)}) as address:
        yield address


@pytest.fixture(scope="module")
def door(home: Path, url: str, browser: Browser) -> Iterator[Door]:
    """Signs somebody in by a fresh link; one page a person."""
    pages: dict[str, Page] = {}
    with ExitStack() as stack:
        operations = stack.enter_context(Operations(Settings(home=home).operations_url))

        def enter(name: str) -> Page:
            if name not in pages:
                pages[name] = open_workbench(browser, url, operations.issue_link(name, 60.0))
                stack.callback(pages[name].context.close)
            pages[name].get_by_role("tab", name="Approvals").click()
            return pages[name]

        yield enter


def waiting(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("^Order to "))


def decided(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("^Decided order to "))


def with_edit(page: Page) -> Locator:
    """Orders whose quantities may be edited: all but cancellations."""
    return waiting(page).filter(has=page.get_by_role("button", name=re.compile("^Edit quantity")))


def test_a_question_about_an_item_is_answered_with_sources_that_open(door: Door) -> None:
    page = door("max")
    page.get_by_role("textbox", name="Question").fill("Why I005?")
    page.keyboard.press("Enter")
    log = page.get_by_role("log")
    expect(log.locator(".turn-answer")).to_contain_text("I005", timeout=10_000)
    log.get_by_role("button", name="Outlook I005").first.click()
    expect(page.get_by_role("heading", name=re.compile("^I005"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Demand per period"))).to_be_visible()
    page.reload()
    expect(page.get_by_role("log").get_by_role("button", name="Outlook I005").first).to_be_visible()


def test_what_waits_says_why_what_it_costs_and_what_happens_if_nothing_is_done(door: Door) -> None:
    page = door("max")
    panel = page.get_by_role("tabpanel").first
    expect(panel).to_contain_text(re.compile(r"\d+ orders worth [\d,]+ USD"))
    expect(panel).to_contain_text("Nothing leaves for the ERP until somebody decides. Left alone, it costs about")
    first = with_edit(page).first
    expect(first).to_contain_text(re.compile(r"needs (buyer|manager)"))
    expect(first).to_contain_text("more expected cost over the horizon")
    first.get_by_role("button", name=re.compile("^Why ")).first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Formula")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_who_proposed_may_not_sign_and_a_second_person_sends_it_to_the_erp(door: Door, home: Path) -> None:
    proposer = door("demo")
    expect(waiting(proposer).first).to_contain_text("demo proposed or edited this order; somebody else must sign it.")
    expect(waiting(proposer).first.get_by_role("button", name=re.compile("^Approve"))).to_be_disabled()

    signer = door("max")
    before = waiting(signer).count()
    label = str(waiting(signer).first.get_attribute("aria-label")).removeprefix("Order to ")
    waiting(signer).first.get_by_role("button", name=f"Approve the order to {label}").click()
    expect(waiting(signer)).to_have_count(before - 1, timeout=15_000)
    expect(decided(signer).first).to_contain_text("Placed in the ERP as", timeout=15_000)

    with Operations(Settings(home=home).operations_url) as operations:
        (sent,) = [row for row in operations.outbox(status="done") if row.approval_id]
    assert sent.erp_ref
    expect(decided(signer).first).to_contain_text(sent.erp_ref)
    expect(waiting(proposer)).to_have_count(before - 1, timeout=15_000)
    expect(decided(proposer).first).to_contain_text(sent.erp_ref)
    expect(decided(proposer).first).not_to_contain_text("Taken back")


def test_an_order_that_was_signed_can_be_taken_back_from_the_erp(door: Door) -> None:
    page = door("max")
    with_edit(page).first.get_by_role("button", name=re.compile("^Approve")).click()
    latest = decided(page).first
    expect(latest).to_contain_text("Still open: take it back", timeout=15_000)
    latest.get_by_role("button", name=re.compile("^Take back")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Signed by mistake")
    dialog.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("region", name="Decided lately")).to_contain_text(
        re.compile(r"Taken back: \S+ is cancelled in the ERP"), timeout=15_000
    )


def test_an_edited_order_waits_for_somebody_else_than_its_editor(door: Door) -> None:
    editor = door("max")
    card = with_edit(editor).first
    supplier = str(card.get_attribute("aria-label")).removeprefix("Order to ")
    card.get_by_role("button", name=re.compile("^Edit quantity")).click()
    dialog = editor.get_by_role("dialog")
    box = dialog.get_by_role("spinbutton").first
    least = re.search(r"Minimum ([\d,]+)", dialog.inner_text())
    assert least, dialog.inner_text()
    minimum = float(least[1].replace(",", ""))
    if minimum > 1:
        box.fill(f"{minimum / 2:g}")
        expect(dialog).to_contain_text("Below the minimum of")
        expect(dialog.get_by_role("button", name="Save quantities")).to_be_disabled()
    step = re.search(r"in steps of ([\d,.]+)", dialog.inner_text())
    size = float(step[1].replace(",", "").rstrip(".")) if step else 1.0
    box.fill(f"{-(-minimum // size) * size:g}")
    dialog.get_by_label("Reason (optional)").fill("A smaller first lot")
    dialog.get_by_role("button", name="Save quantities").click()

    expect(decided(editor).first).to_contain_text("Edited", ignore_case=True, timeout=15_000)
    own = waiting(editor).filter(has_text="max proposed or edited this order")
    expect(own).to_have_count(1, timeout=15_000)
    expect(own).to_have_attribute("aria-label", f"Order to {supplier}")

    other = door("mia")
    again = waiting(other).filter(has_text=re.compile("Proposed by .*max"))
    again.get_by_role("button", name=re.compile("^Approve")).click()
    expect(again).to_have_count(0, timeout=15_000)
    expect(decided(other).first).to_contain_text("Placed in the ERP as", timeout=15_000)
    expect(own).to_have_count(0, timeout=15_000)


def test_a_rejection_needs_a_reason_and_a_reload_keeps_every_decision(door: Door) -> None:
    page = door("max")
    before = waiting(page).count()
    waiting(page).first.get_by_role("button", name=re.compile("^Reject")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject order").click()
    expect(dialog).to_contain_text("Say why")
    dialog.get_by_label("Reason").fill("Supplier is under review")
    dialog.get_by_role("button", name="Reject order").click()
    expect(waiting(page)).to_have_count(before - 1, timeout=15_000)
    expect(decided(page).first).to_contain_text("Nothing was sent. Reason: Supplier is under review")
    shown = [text.split("\n")[0] for text in decided(page).all_inner_texts()]
    page.reload()
    expect(waiting(page)).to_have_count(before - 1, timeout=15_000)
    assert [text.split("\n")[0] for text in decided(page).all_inner_texts()] == shown


def test_who_only_looks_may_sign_nothing_and_sees_why(door: Door) -> None:
    page = door("vic")
    expect(page.get_by_text("You may sign 0.")).to_be_visible()
    first = waiting(page).first
    expect(first).to_contain_text(re.compile("vic is viewer; this order needs a (buyer|manager)."))
    for name in ("Approve", "Reject"):
        expect(first.get_by_role("button", name=re.compile(f"^{name}"))).to_be_disabled()


def test_a_signed_alert_in_words_replans_by_itself_and_the_page_shows_it(door: Door, home: Path, url: str) -> None:
    page = door("max")
    page.get_by_role("tab", name="Risks").click()
    event = {
        "specversion": "1.0",
        "id": "mail-1",
        "type": "supplier.alert",
        "source": "mailto:ops@supplier.example",
        "data": {"text": "<b>Delay</b>: shipments of supplier S05 will be 20 days late."},
    }
    body, now = json.dumps(event), datetime.now(UTC)
    secret = json.loads((home / "secrets.json").read_text())["webhook"]
    headers = {
        "webhook-id": "mail-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("mail-1", now, body),
    }
    answer = httpx.post(f"{url}/api/alerts", content=body, headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["accepted"]) == (202, True)
    alerts = page.get_by_role("region", name="Alerts received")
    expect(alerts).to_contain_text("Delay", timeout=20_000)
    expect(alerts).to_contain_text("S05")
    expect(alerts).to_contain_text("Done", timeout=20_000)
    expect(page.get_by_role("status", name="Latest run")).to_contain_text("Run after an alert", timeout=20_000)

    page.get_by_role("tab", name="Plan").click()
    expect(page.get_by_text(re.compile(r"This run replanned \d+ items? only"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"Against the plan before: \d+ lines? differ"))).to_be_visible()
    expect(page.get_by_role("region", name="Changes")).to_contain_text(
        re.compile(r"I\d{3} · .*(\d|new|no longer proposed)")
    )
    page.get_by_role("tab", name="Runs").click()
    page.locator(".run-row").last.click()
    page.get_by_role("button", name="Show the plan of the picked run").click()
    expect(page.get_by_text("You look at an earlier run.")).to_be_visible()
    page.get_by_role("button", name="Back to the latest").click()
    expect(page.get_by_text("You look at an earlier run.")).to_have_count(0)


def test_no_tab_of_the_demo_has_a_serious_accessibility_violation(door: Door) -> None:
    page = door("max")
    for name in TABS:
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(400)
        found = Axe().run(page).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == [], name


def test_no_secret_is_in_the_log_of_the_server(home: Path, door: Door) -> None:
    door("max")
    log = (home / "server.log").read_text()
    secrets = json.loads((home / "secrets.json").read_text())
    owner = json.loads((home / "server.json").read_text())["key"]
    for secret in (*secrets.values(), owner):
        assert secret not in log
    assert "Traceback" not in log
