"""What the week checks of the orders can fail: each violation is planted in a copy of a real home, and told."""

import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger, settings_of

from graph.session import open_session
from graph.views.plans import PlanView
from scripts.week.checks.findings import Finding
from scripts.week.checks.order_checks import bought_once, decided_by, decisions_stick, sent_once
from scripts.week.checks.steadiness import bought_on
from scripts.week.checks.surface_checks import figures_agree
from scripts.week.checks.surfaces import of_ledger, of_plan, stock_as_the_erp_has_it
from scripts.week.company.books import Books, Row, read_books
from scripts.week.work import less_of
from store.packing import unpacked

Lived = tuple[Path, PlanView]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A home where orders were approved, edited, rejected and left to wait, with its plan."""
    root = tmp_path_factory.mktemp("lived")
    with demo_session(root) as session:
        waiting = [one for one in session.pending() if all(line.intent == "place" for line in one.lines)]
        for one in waiting[:3]:
            session.decide(one.approval_id, "approve", "mia", "as planned")
        session.decide(waiting[3].approval_id, "reject", "mia", "enough on the shelf")
        rest = [(one, line, less_of(line.model_dump())) for one in waiting[4:] for line in one.lines]
        one, line, units = next(found for found in rest if found[2])
        session.decide(one.approval_id, "edit", "ben", "less", edits={line.line_id: units})
        session.start(plan_trigger())
        return root / "home", session.plan()


@pytest.fixture
def home(lived: Lived, tmp_path: Path) -> Path:
    return Path(shutil.copytree(lived[0], tmp_path / "home"))


def planted(file: Path, statement: str, *values: object) -> None:
    """Change rows behind the program's back."""
    with closing(sqlite3.connect(file)) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


def all_findings(home: Path, known: dict[str, Row] | None = None) -> Sequence[Finding]:
    books = read_books(home)
    return [*sent_once(books), *bought_once(books), *decisions_stick(known or {}, books)]


def the_one(found: Sequence[Finding], check: str, word: str) -> Finding:
    assert [one.check for one in found if word in str(one)] == [check], found
    return next(one for one in found if word in str(one))


def ours(home: Path) -> Row:
    """An order of ours that the ERP has."""
    return sorted(read_books(home).ours, key=lambda row: str(row["erp_ref"]))[-1]


def test_an_untouched_home_has_nothing_to_tell(home: Path) -> None:
    books = read_books(home)
    assert len(books.ours) > 3 and of_ledger(books)["orders that wait"] > 0
    assert {row["decision"] for row in decided_by(books).values()} == {"approve", "edit", "reject"}
    assert all_findings(home, decided_by(books)) == []


COPIED = "supplier_id, site_id, currency, ordered_on, confirms_on, confirmed_on"


def with_a_second_order(home: Path, ref: str, copy: str, key: str) -> None:
    """The ERP has an order twice, under another number and key."""
    file = home / "sandbox_erp.sqlite"
    planted(file, f"INSERT INTO orders SELECT ?, ?, {COPIED} FROM orders WHERE erp_ref = ?", copy, key, ref)  # noqa: S608
    names = (
        "order_id, line_id, item_id, quantity, open, unit_price, due_on, promised_on, quoted_days, arrives_on, status"
    )
    lines = f"INSERT INTO lines (erp_ref, {names}) SELECT ?, {names} FROM lines WHERE erp_ref = ?"  # noqa: S608
    planted(file, lines, copy, ref)


def test_an_order_that_stands_twice_in_the_erp_is_told(home: Path) -> None:
    with_a_second_order(home, ours(home)["erp_ref"], "copy", "a key")
    assert the_one(sent_once(read_books(home)), "sent once", "copy").found == "copy of key a key"


def test_an_order_that_was_sent_and_is_not_there_is_told(home: Path) -> None:
    key = ours(home)["idempotency_key"]
    planted(home / "sandbox_erp.sqlite", "DELETE FROM orders WHERE idempotency_key = ?", key)
    assert the_one(all_findings(home), "sent once", key[:12]).found == "0"


def test_an_order_of_ours_sent_under_two_keys_is_told(home: Path) -> None:
    one, other = sorted(row["idempotency_key"] for row in read_books(home).ours)[:2]
    taken = "(SELECT order_key FROM outbox WHERE action_key = ?)"
    planted(home / "operations.sqlite", f"UPDATE outbox SET order_key = {taken} WHERE action_key = ?", other, one)  # noqa: S608
    assert the_one(sent_once(read_books(home)), "sent once", "times")


def test_another_quantity_in_the_erp_than_was_signed_is_told(home: Path) -> None:
    ref = ours(home)["erp_ref"]
    planted(home / "sandbox_erp.sqlite", "UPDATE lines SET quantity = quantity + 1 WHERE erp_ref = ?", ref)
    assert the_one(all_findings(home), "sent as signed", ref)


def a_waiting_order(books: Books) -> Row:
    """One of which nothing was decided before."""
    waiting = [row for _, row in sorted(books.orders.items()) if row["status"] == "waiting"]
    return next(row for row in waiting if not json.loads(unpacked(row["body"]))["lines"][0]["decided_before"])


def test_a_need_that_waits_in_two_runs_is_told(home: Path) -> None:
    key, file = a_waiting_order(read_books(home))["order_key"], home / "operations.sqlite"
    rest = "status, supplier_id, site_id, approval_id, erp_ref, value_cents, left_seq, left_at, seq, body"
    twin = f"INSERT INTO orders (order_key, run_id, {rest}) SELECT 'twin', 'run-x', {rest} FROM orders"  # noqa: S608
    planted(file, f"{twin} WHERE order_key = ?", key)
    line = "line_id, item_id, site_id, quantity, unit_price"
    planted(file, f"INSERT INTO order_lines SELECT 'twin', {line} FROM order_lines WHERE order_key = ?", key)  # noqa: S608
    assert the_one(bought_once(read_books(home)), "bought once", "run-x")


def test_a_need_bought_by_two_runs_on_one_day_is_told(home: Path) -> None:
    books = read_books(home)
    order = next(row for row in books.ours if row["ordered_on"] == books.today)
    with_a_second_order(home, order["erp_ref"], "again", "key-2")
    rest = (
        "payload, approval_id, status, attempts, due_at, leased_until, erp_ref, response, error, created_at, updated_at"
    )
    action = f"SELECT id + 1000, 'key-2', 'run-x', order_key || '-2', kind, {rest} FROM outbox WHERE action_key = ?"  # noqa: S608
    planted(home / "operations.sqlite", f"INSERT INTO outbox {action}", order["idempotency_key"])
    found = [one for one in bought_once(read_books(home)) if "run-x" in one.found]
    assert found and {one.check for one in found} == {"bought once"}
    assert len(found) == len(books.erp_lines[order["erp_ref"]])


def test_what_a_later_day_bought_on_without_need_is_counted(home: Path) -> None:
    books = read_books(home)
    assert bought_on(books) == {}
    order = next(row for row in books.ours if row["ordered_on"] == books.today)
    with_a_second_order(home, order["erp_ref"], "again", "key-2")
    planted(home / "sandbox_erp.sqlite", "UPDATE orders SET ordered_on = '2026-07-03' WHERE erp_ref = 'again'")
    lines = books.erp_lines[order["erp_ref"]]
    found = bought_on(read_books(home))
    assert found == {(line["item_id"], order["site_id"]): line["quantity"] for line in lines}
    used = "INSERT INTO demand VALUES (?, ?, '2026-07-02', ?)"
    planted(home / "sandbox_erp.sqlite", used, lines[0]["item_id"], order["site_id"], lines[0]["quantity"] - 1)
    assert bought_on(read_books(home))[lines[0]["item_id"], order["site_id"]] == pytest.approx(1.0)


DECISIONS = {
    "another reason": "UPDATE approvals SET reason = 'x' WHERE order_key = ?",
    "another person": "UPDATE approvals SET decided_by = 'eve' WHERE order_key = ?",
    "no decision": "UPDATE approvals SET decision = NULL WHERE order_key = ?",
}


@pytest.mark.parametrize("change", DECISIONS)
def test_a_decision_that_changed_is_told(home: Path, change: str) -> None:
    known = decided_by(read_books(home))
    approval_id, row = next((key, row) for key, row in known.items() if row["decision"] == "approve")
    planted(home / "operations.sqlite", DECISIONS[change], row["order_key"])
    assert the_one(decisions_stick(known, read_books(home)), "decisions stick", approval_id)


def a_decision(books: Books, kind: str) -> Row:
    return next(row for row in decided_by(books).values() if row["decision"] == kind)


def test_a_rejected_order_that_is_sent_is_told(home: Path) -> None:
    key = a_decision(read_books(home), "reject")["order_key"]
    first = "(SELECT MIN(id) FROM outbox WHERE kind = 'place')"
    planted(home / "operations.sqlite", f"UPDATE outbox SET order_key = ? WHERE id = {first}", key)  # noqa: S608
    assert the_one(decisions_stick({}, read_books(home)), "decisions stick", "an action in the outbox")


def test_an_edit_that_left_another_quantity_is_told(home: Path) -> None:
    edit = a_decision(read_books(home), "edit")
    ((line_id, units),) = json.loads(edit["edits"]).items()
    other = json.dumps({line_id: units + 1})
    planted(home / "operations.sqlite", "UPDATE approvals SET edits = ? WHERE decision = 'edit'", other)
    assert the_one(decisions_stick({}, read_books(home)), "decisions stick", line_id)


def test_a_rejected_line_that_waits_again_without_a_word_is_told(home: Path) -> None:
    order = a_waiting_order(read_books(home))
    line = json.loads(unpacked(order["body"]))["lines"][0]
    about = line["line_id"], line["item_id"], order["site_id"], order["supplier_id"]
    planted(
        home / "operations.sqlite",
        "INSERT INTO line_decisions (approval_id, order_key, line_id, item_id, site_id, supplier_id, changes, decision,"
        " proposed_units, decided_units, list_price, stockout_bp, alert_ids, actor, reason, decided_at, seq)"
        " VALUES ('ap-x', 'gone', ?, ?, ?, ?, '', 'reject', 1, 0, 1, 0, '[]', 'eve', '', '', 0)",
        *about,
    )
    assert the_one(decisions_stick({}, read_books(home)), "decisions stick", "eve rejected it")


def test_stock_that_the_plan_did_not_start_from_is_told(lived: Lived, home: Path) -> None:
    view = lived[1].model_dump(mode="json")
    assert stock_as_the_erp_has_it(view, read_books(home)) == []
    planted(home / "sandbox_erp.sqlite", "UPDATE stock SET on_hand = on_hand + 5 WHERE item_id = ?", "I007")
    (found,) = stock_as_the_erp_has_it(view, read_books(home))
    assert found.found.startswith("1 items differ: {'I007'")


def test_the_ledger_and_the_plan_tell_the_same_of_what_waits(lived: Lived, home: Path) -> None:
    with closing(open_session(settings_of(home))) as session:
        approvals = [one.model_dump(mode="json") for one in session.pending()]
    api = of_plan(lived[1].model_dump(mode="json"), approvals)
    assert figures_agree({"ledger": of_ledger(read_books(home)), "API": api}) == []
    planted(home / "operations.sqlite", "UPDATE approvals SET status = 'void' WHERE status = 'pending'")
    (waits, value) = figures_agree({"ledger": of_ledger(read_books(home)), "API": api})
    assert "orders that wait is 0" in waits.expected and "value that waits" in value.expected
