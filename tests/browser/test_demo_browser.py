"""The workbench of the demo world in a real browser: the real session, server, databases and sandbox ERP."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.browser_session import chromium, open_workbench, served
from jit_command import JIT, Jit
from playwright.sync_api import Browser, Locator, Page, expect
from standardwebhooks import Webhook

from graph.settings import Settings
from store.operations import Operations

pytestmark = pytest.mark.browser
TABS = ("Approvals", "Plan", "Items", "Risks", "Decisions", "Runs", "Data")
PEOPLE = {"demo": "manager", "max": "manager", "mia": "manager", "vic": "viewer"}
"""`demo` asked for the demo's run, and may sign its orders as the others may."""
PATIENCE_MS = 60_000
"""Guards against hanging only."""
Door = Callable[[str], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Path:
    """The demo's home with a few users."""
    made = tmp_path_factory.mktemp("demo")
    done = Jit(made)("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    with Operations(Settings(home=made).operations_url) as operations:
        for name, role in PEOPLE.items():
            operations.add_user(name, role)
    return made


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with served(home, str(JIT), "serve", "--port", "0", environment=Jit(home).environment()) as address:
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
            show_all(pages[name])
            return pages[name]

        yield enter


def show_all(page: Page) -> None:
    """The demo has more orders than a page begins with."""
    expect(waiting(page).first).to_be_visible(timeout=PATIENCE_MS)
    more = page.get_by_role("button", name="Show more orders")
    if more.count():
        before = waiting(page).count()
        more.click()
        expect(waiting(page)).not_to_have_count(before, timeout=PATIENCE_MS)


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
    expect(log.locator(".turn-answer")).to_contain_text("I005", timeout=PATIENCE_MS)
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


def test_who_asked_for_the_plan_may_sign_and_a_second_person_sends_it_to_the_erp(door: Door, home: Path) -> None:
    proposer = door("demo")
    expect(waiting(proposer).first).to_contain_text("Proposed by agent:planner")
    expect(waiting(proposer).first.get_by_role("button", name=re.compile("^Approve"))).to_be_enabled()

    signer = door("max")
    before = waiting(signer).count()
    label = str(waiting(signer).first.get_attribute("aria-label")).removeprefix("Order to ")
    waiting(signer).first.get_by_role("button", name=f"Approve the order to {label}").click()
    expect(waiting(signer)).to_have_count(before - 1, timeout=PATIENCE_MS)
    expect(decided(signer).first).to_contain_text("Placed in the ERP as", timeout=PATIENCE_MS)

    with Operations(Settings(home=home).operations_url) as operations:
        (sent,) = [row for row in operations.outbox(status="done") if row.approval_id]
    assert sent.erp_ref
    expect(decided(signer).first).to_contain_text(sent.erp_ref)
    expect(waiting(proposer)).to_have_count(before - 1, timeout=PATIENCE_MS)
    expect(decided(proposer).first).to_contain_text(sent.erp_ref)
    expect(decided(proposer).first).not_to_contain_text("Taken back")


def test_an_order_that_was_signed_can_be_taken_back_from_the_erp(door: Door) -> None:
    page = door("max")
    with_edit(page).first.get_by_role("button", name=re.compile("^Approve")).click()
    latest = decided(page).first
    expect(latest).to_contain_text("Still open: take it back", timeout=PATIENCE_MS)
    latest.get_by_role("button", name=re.compile("^Take back")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Signed by mistake")
    dialog.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("region", name="Decided lately")).to_contain_text(
        re.compile(r"Taken back: \S+ is cancelled in the ERP"), timeout=PATIENCE_MS
    )


def test_a_rejected_order_is_proposed_again_on_request(door: Door) -> None:
    page = door("mia")
    last = with_edit(page).last
    label = str(last.get_attribute("aria-label")).removeprefix("Order to ")
    last.get_by_role("button", name=re.compile("^Reject")).click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Enough on the shelf")
    page.get_by_role("button", name="Reject order").click()
    rejected = decided(page).filter(has_text="Enough on the shelf")
    expect(rejected).to_have_count(1, timeout=PATIENCE_MS)
    before = waiting(page).filter(has_text=label).count()
    rejected.get_by_role("button", name=re.compile("^Propose again")).click()
    expect(waiting(page).filter(has_text=label)).to_have_count(before + 1, timeout=PATIENCE_MS)


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

    expect(decided(editor).first).to_contain_text("Edited", ignore_case=True, timeout=PATIENCE_MS)
    own = waiting(editor).filter(has_text="max proposed or edited this order")
    expect(own).to_have_count(1, timeout=PATIENCE_MS)
    expect(own).to_have_attribute("aria-label", f"Order to {supplier}")

    other = door("mia")
    again = waiting(other).filter(has_text=re.compile("Proposed by .*max"))
    again.get_by_role("button", name=re.compile("^Approve")).click()
    expect(again).to_have_count(0, timeout=PATIENCE_MS)
    expect(decided(other).first).to_contain_text("Placed in the ERP as", timeout=PATIENCE_MS)
    expect(own).to_have_count(0, timeout=PATIENCE_MS)


def test_a_rejection_needs_a_reason_and_a_reload_keeps_every_decision(door: Door) -> None:
    page = door("max")
    before = waiting(page).count()
    waiting(page).first.get_by_role("button", name=re.compile("^Reject")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject order").click()
    expect(dialog).to_contain_text("Say why")
    dialog.get_by_label("Reason").fill("Supplier is under review")
    dialog.get_by_role("button", name="Reject order").click()
    expect(waiting(page)).to_have_count(before - 1, timeout=PATIENCE_MS)
    expect(decided(page).first).to_contain_text("Nothing was sent. Reason: Supplier is under review")
    shown = [text.split("\n")[0] for text in decided(page).all_inner_texts()]
    page.reload()
    show_all(page)
    expect(waiting(page)).to_have_count(before - 1, timeout=PATIENCE_MS)
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
    expect(alerts).to_contain_text("Delay", timeout=PATIENCE_MS)
    expect(alerts).to_contain_text("S05")
    expect(alerts).to_contain_text("Done", timeout=PATIENCE_MS)
    expect(page.get_by_role("status", name="Latest run")).to_contain_text("Run after an alert", timeout=PATIENCE_MS)

    page.get_by_role("tab", name="Plan").click()
    expect(
        page.get_by_text(re.compile(r"the current plan of 40 items: the latest run planned \d+ items?"))
    ).to_be_visible()
    expect(page.get_by_text(re.compile(r"Against the plan before: \d+ lines? differ"))).to_be_visible()
    expect(page.get_by_role("region", name="Changes")).to_contain_text(
        re.compile(r"I\d{3} · .*(\d|new|no longer proposed)")
    )
    page.get_by_role("tab", name="Runs").click()
    page.locator(".run-row").last.click()
    page.get_by_role("button", name="Show the plan of the picked run").click()
    expect(page.get_by_text("You look at an earlier run.")).to_be_visible()
    page.get_by_role("button", name="Back to the current plan").click()
    expect(page.get_by_text("You look at an earlier run.")).to_have_count(0)
    expect(page.get_by_text(re.compile("the current plan of 40 items"))).to_be_visible()


def test_after_a_run_over_two_items_the_page_shows_the_whole_plan_with_what_it_changed(
    home: Path, url: str, door: Door
) -> None:
    key = json.loads((home / "server.json").read_text())["key"]
    body = {"kind": "cli", "actor": "demo", "reason": "two items", "item_ids": ["I002", "I008"]}
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{url}/api/runs", json=body, headers=headers, timeout=60, trust_env=False)
    assert answer.status_code == 201, answer.text
    page = door("max")
    page.get_by_role("tab", name="Plan").click()
    expect(page.get_by_text(re.compile("the current plan of 40 items: the latest run planned"))).to_be_visible()
    page.get_by_label("Filter lines").fill("I010")
    expect(page.get_by_role("row", name=re.compile("I010 · Syringe 5 ml")).first).to_be_visible()
    page.get_by_label("Filter lines").fill("I002")
    early = page.get_by_role("row", name=re.compile("I002 · Syringe 2 ml.*Earlier order")).first
    expect(early).to_contain_text("Confirmed")
    early.get_by_role("button", name="Why I002 · Syringe 2 ml").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Formula")
    expect(drawer).to_contain_text(re.compile("next best", re.IGNORECASE), timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    page.get_by_label("Filter lines").fill("")
    page.get_by_role("tab", name="Items").click()
    page.get_by_label("Filter items").fill("I002")
    expect(page.get_by_role("row", name=re.compile("I002 · Syringe 2 ml"))).to_contain_text(
        re.compile("Planned again|Changed")
    )
    page.get_by_label("Filter items").fill("")
    page.get_by_role("tab", name="Risks").click()
    expect(page.get_by_role("region", name="Supply risks")).to_contain_text("I005")


def test_what_was_decided_stays_readable_and_replaced_orders_open_on_demand(home: Path, url: str, door: Door) -> None:
    key = json.loads((home / "server.json").read_text())["key"]
    headers = {"Authorization": f"Bearer {key}"}
    known = httpx.get(f"{url}/api/decisions", headers=headers, trust_env=False).json()
    replaced = next(one for one in known if one["kind"] == "replaced" and one["orders"] > 1)
    page = door("max")
    page.get_by_role("tab", name="Decisions").click()
    history = page.get_by_role("region", name="Decisions", exact=True)
    expect(history).to_contain_text("Reason: Supplier is under review")
    group = history.get_by_role("region", name=f"Decision on {replaced['orders']} orders").first
    expect(group.get_by_role("table")).to_have_count(0)
    group.get_by_text("Its orders").click()
    expect(group.get_by_role("table").first).to_contain_text("→ nothing")
    page.get_by_label("Decided by").fill("nobody at all")
    page.get_by_role("button", name="Find decisions").click()
    expect(history).to_contain_text("No decision of this kind is stored.")
    page.get_by_label("Decided by").fill("mia")
    page.get_by_label("Decided by").press("Enter")
    expect(history).not_to_contain_text("No decision of this kind is stored.")
    by_mia = [one for one in known if one["actor"] == "mia"]
    expect(history.get_by_role("region", name=re.compile("^Decision on "))).to_have_count(len(by_mia))
    page.get_by_label("Decided by").fill("")
    page.get_by_role("button", name="Find decisions").click()
    expect(history).to_contain_text("Reason: Supplier is under review")


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
