"""What people do with orders on every day: the night's plan, signatures, edits, rejections, a look at it all."""

import math
from collections.abc import Sequence
from typing import Any

from scripts.week.checks import surfaces
from scripts.week.checks.findings import Finding
from scripts.week.checks.surface_checks import figures_agree, journal_whole, screens_full
from scripts.week.company.firm import day_of
from scripts.week.company.office import Office, signer_of, who_may
from scripts.week.company.page import TABS

LEFT_WAITING = 5
"""Orders that nobody signs in the morning: some are edited or rejected, some replaced by the next plan."""
LEAST_SIGNED, ITEMS_PER_SIGNATURE = 10, 20
"""How many people sign on a day: so many, and more in a larger company."""
BY_COMMAND = 1
"""Orders a day that are signed in a terminal; the others over HTTP."""
PLANNED_AGAIN = 8


def nightly_plan(office: Office) -> list[Finding]:
    """The clock moves to the new day, the ERP delivers, everything is planned."""
    office.touched.clear()
    told = office.firm.told("observe", "--advance-days", "1")
    books, today = office.books(), day_of(office.day).isoformat()
    arrived = sum(row["receipt_date"] == today for row in books.receipts)
    view = office.firm.told("plan", "--reason", "nightly plan")
    found = [] if books.today == today else [Finding("clock", today, books.today)]
    if told["receipts"] != arrived:
        found.append(Finding("receipts are read back", f"{arrived} receipts of {today}", str(told["receipts"])))
    return found + surfaces.stock_as_the_erp_has_it(view, books)


def sign_orders(office: Office) -> list[Finding]:
    """Ben signs what a buyer may and Mia the rest; some wait on."""
    waiting = sorted(office.pending(), key=lambda one: (one["supplier"], one["lines"][0]["line_id"]))
    office.draw.shuffle(waiting)
    signed = max(LEAST_SIGNED, office.firm.items // ITEMS_PER_SIGNATURE)
    for place, one in enumerate(waiting[LEFT_WAITING : LEFT_WAITING + signed]):
        who = who_may(one)
        if place < BY_COMMAND:
            office.firm.told("decide", one["approval_id"], "approve", "--reason", "as planned", who=who)
        else:
            decide(office, one, "approve", who, reason="as planned")
        note(office, one)
    return []


def decide(office: Office, approval: Any, decision: str, who: str, **more: Any) -> Any:
    """A decision over HTTP, bound to what was seen; None when somebody was faster, or the facts changed."""
    body = {"decision": decision, "content_hash": approval["content_hash"], **more}
    return office.wire(who).post(f"/api/approvals/{approval['approval_id']}/decide", body, allowed=(409,))


def note(office: Office, approval: Any) -> None:
    """Remember which items were decided about today."""
    office.touched |= {line["item_id"] for line in approval["lines"]}


def edit_an_order(office: Office) -> list[Finding]:
    """Ben looks what less would cost and orders less in a terminal; Mia signs what he edited."""
    mine = [one for one in office.pending() if signer_of(one) == "ben" and "ben" not in one["proposed_by"]]
    chosen = next(((one, line, units) for one in mine for line in one["lines"] if (units := less_of(line))), None)
    if chosen is None:
        return []
    one, line, units = chosen
    edit = f"{line['line_id']}={units:g}"
    shown = office.firm.told("decide", one["approval_id"], "edit", "--edit", edit, "--preview", who="ben")
    office.firm.told("decide", one["approval_id"], "edit", "--edit", edit, "--reason", "less will do", who="ben")
    note(office, one)
    found: list[Finding] = []
    for again in [row for row in office.pending() if "ben" in row["proposed_by"] and row["run_id"] == one["run_id"]]:
        if again["supplier"] == one["supplier"] and not math.isclose(again["value"], shown["value"], abs_tol=1.0):
            told = f"an edited order of {shown['value']:.2f}, as the preview said"
            found.append(Finding("figures agree", told, f"{again['value']:.2f}"))
        approve_at_the_page(office, again)
    return found


def less_of(line: Any) -> float:
    """About half of a line's units in whole packs; 0 where that would be no smaller order."""
    if line["intent"] != "place":
        return 0.0
    pack, least = line["figures"].get("order_multiple") or 1.0, line["figures"].get("moq") or 1.0
    units = max(math.ceil(line["quantity"] / 2 / pack) * pack, math.ceil(least / pack) * pack)
    return units if units < line["quantity"] else 0.0


def approve_at_the_page(office: Office, approval: Any) -> None:
    """Mia approves at her page; over HTTP where there is no browser, or where a supplier has several cards."""
    alone = sum(one["supplier"] == approval["supplier"] for one in office.pending()) == 1
    if office.browser is not None and alone:
        office.desk("mia").approve(approval["supplier"])
    else:
        decide(office, approval, "approve", "mia")
    note(office, approval)


def reject_an_order(office: Office) -> list[Finding]:
    """Mia rejects at her page."""
    waiting = [one for one in office.pending() if all(line["intent"] == "place" for line in one["lines"])]
    if not waiting:
        return []
    chosen = waiting[0]
    if office.browser is not None:
        office.desk("mia").reject(chosen["supplier"], f"enough on the shelf, day {office.day}")
    else:
        decide(office, chosen, "reject", "mia", reason=f"enough on the shelf, day {office.day}")
    note(office, chosen)
    return []


def plan_decided_items_again(office: Office) -> list[Finding]:
    """Ana plans some items anew that were decided about today: nothing of it may be asked for twice or come back."""
    items = sorted(office.touched)
    chosen = sorted(office.draw.sample(items, min(PLANNED_AGAIN, len(items))))
    if chosen:
        office.wire("ana").post("/api/runs", {"kind": "analyst", "reason": "look again", "item_ids": chosen})
    return []


def look_at_everything(office: Office) -> list[Finding]:
    """In the evening every surface is asked for the same figures, and every tab is opened."""
    api = surfaces.of_plan(office.plan(), office.pending())
    shown: dict[str, surfaces.Json] = {"ledger": surfaces.of_ledger(office.books()), "API": api}
    terminal = office.firm.told("show", who="ana"), office.firm.told("approvals", who="ana")
    shown["jit show"] = surfaces.of_plan(*terminal)
    spending, waiting = (_answer(office, text) for text in (surfaces.SPENDING, surfaces.WHAT_WAITS))
    shown["chat"] = surfaces.of_answers(spending, waiting)
    found: list[Finding] = []
    if office.browser is not None:
        found += _look_at_the_page(office, shown)
    verified = office.wire("ana").get("/api/journal/verify")
    rows = office.wire("ana").every("/api/journal")
    return found + figures_agree(shown) + journal_whole(office.journal, rows, verified)


def _answer(office: Office, question: str) -> str:
    return str(office.wire("ana").post("/api/ask", {"question": question})["text"])


def _look_at_the_page(office: Office, shown: dict[str, surfaces.Json]) -> Sequence[Finding]:
    """Every tab of Mia's page, and its figures."""
    desk = office.desk("mia")
    desk.reload()
    shown["page"] = desk.figures()
    return screens_full(desk.screens(), TABS)
