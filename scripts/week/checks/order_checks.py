"""What must hold of the orders in ledger, outbox and ERP, read from their rows alone."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from scripts.week.checks.findings import Finding
from scripts.week.company.books import Books, Row
from store.packing import unpacked

ItemSite = tuple[str, str]
WAITING = ("waiting", "change_waiting")
GIVEN_UP = ("withdrawn", "cancelled", "failed")
MOST_BOUGHT = 1.25
"""Of what one plan asked for: the engine may choose another lot of about equal cost when it plans again."""


def sent_once(books: Books) -> list[Finding]:
    """An order of the ERP for each action that was carried out, none that nobody queued, no order of ours twice."""
    placing = [row for row in books.outbox if row["kind"] == "place"]
    held = Counter(row["idempotency_key"] for row in books.erp_orders)
    known = {row["action_key"] for row in placing}
    found = [
        Finding("sent once", f"one order in the ERP for {row['action_key'][:12]}", str(held[row["action_key"]]))
        for row in placing
        if row["status"] == "done" and held[row["action_key"]] != 1
    ]
    found += [
        Finding("sent once", "orders that somebody queued", f"{row['erp_ref']} of key {row['idempotency_key'][:12]}")
        for row in books.ours
        if row["idempotency_key"] not in known
    ]
    twice = Counter(row["order_key"] for row in placing if held[row["action_key"]])
    found += [
        Finding("sent once", f"{key} in the ERP once", f"{times} times") for key, times in twice.items() if times > 1
    ]
    return found + _other_quantities(books)


def _other_quantities(books: Books) -> list[Finding]:
    """Orders of which the ERP has something else than the ledger."""
    order_of = {row["action_key"]: row["order_key"] for row in books.outbox if row["kind"] == "place"}
    found: list[Finding] = []
    for row in books.ours:
        key = order_of.get(row["idempotency_key"])
        if key is None:
            continue
        asked = {line["line_id"]: line["quantity"] for line in books.lines.get(key, ())}
        there = {line["line_id"]: line["quantity"] for line in books.erp_lines.get(row["erp_ref"], ())}
        if asked != there:
            found.append(Finding("sent as signed", f"{key} with {asked}", f"{row['erp_ref']} with {there}"))
    return found


def bought_once(books: Books) -> list[Finding]:
    """No need is asked for by two runs at a time, and none is bought beyond what one run asked for on that day.

    Where an alert set off one of the day's runs, what that run asked for is a need of its own: the facts are others.
    """
    askers = defaultdict[ItemSite, set[str]](set)
    for key, order in books.orders.items():
        for line in books.lines.get(key, ()) if order["status"] in WAITING else ():
            askers[line["item_id"], line["site_id"]].add(order["run_id"])
    found = [
        Finding("bought once", f"{item} at {site} to wait in one run's orders", f"it waits in {sorted(runs)}")
        for (item, site), runs in askers.items()
        if len(runs) > 1
    ]
    for need, by_run in _bought_today(books).items():
        allowed = MOST_BOUGHT * asked_at_once(books, need, set(by_run))
        if len(by_run) > 1 and sum(by_run.values()) > allowed:
            told = f"{need[0]} at {need[1]} bought on {books.today} up to {allowed:g} units"
            found.append(Finding("bought once", told, str(dict(by_run))))
    return found


def _bought_today(books: Books) -> Mapping[ItemSite, Mapping[str, float]]:
    """Units that the ERP was given today and still has, by need and run."""
    run_of = {row["action_key"]: row["run_id"] for row in books.outbox}
    found = defaultdict[ItemSite, Counter[str]](Counter)
    for order in books.ours:
        run_id = run_of.get(order["idempotency_key"], order["idempotency_key"])
        for line in books.erp_lines.get(order["erp_ref"], ()) if order["ordered_on"] == books.today else ():
            if line["status"] != "cancelled":
                found[line["item_id"], order["site_id"]][run_id] += line["quantity"]
    return found


def asked_at_once(books: Books, need: ItemSite, run_ids: set[str]) -> float:
    """Units that one of the runs asked for at most, and those of runs that an alert set off beside them."""
    usual, alerted = [0.0], 0.0
    for run_id in run_ids:
        mine = [key for key, row in books.orders.items() if row["run_id"] == run_id and row["status"] not in GIVEN_UP]
        units = books.units(mine).get(need, 0.0)
        if _is_alert(books.runs.get(run_id)):
            alerted += units
        else:
            usual.append(units)
    return max(usual) + alerted


def _is_alert(run: Row | None) -> bool:
    return run is not None and json.loads(run["trigger_json"]).get("kind") == "alert"


def decided_by(books: Books) -> dict[str, Row]:
    """What people decided by now, by approval."""
    kept = ("order_key", "decision", "decided_by", "reason", "edits", "decided_at")
    return {
        key: {name: row[name] for name in kept}
        for key, row in books.approvals.items()
        if row["decided_by"] and row["decision"]
    }


def decisions_stick(known: Mapping[str, Row], books: Books) -> list[Finding]:
    """Every decision seen before reads as it did, what was rejected is not sent, and does not come back unsaid."""
    now = decided_by(books)
    found = [
        Finding("decisions stick", f"{key} as {dict(row)}", str(dict(now.get(key, {}))))
        for key, row in known.items()
        if now.get(key) != row
    ]
    queued = {row["order_key"] for row in books.outbox}
    rejected = {row["order_key"]: key for key, row in now.items() if row["decision"] == "reject"}
    found += [
        Finding("decisions stick", f"nothing sent of {key}, rejected as {rejected[key]}", "an action in the outbox")
        for key in sorted(queued & set(rejected))
    ]
    return found + _edits_left_as_edited(books) + _came_back_unsaid(books)


def _edits_left_as_edited(books: Books) -> list[Finding]:
    """An edited order asks for what its last edit decided, whatever became of it later."""
    last: dict[tuple[str, str], tuple[str, float]] = {}
    for key, row in sorted(books.approvals.items(), key=lambda pair: str(pair[1]["decided_at"])):
        for line_id, units in json.loads(row["edits"] or "{}").items() if row["decision"] == "edit" else ():
            last[row["order_key"], line_id] = key, units
    found: list[Finding] = []
    for (order_key, line_id), (approval_id, units) in last.items():
        now = [line["quantity"] for line in books.lines.get(order_key, ()) if line["line_id"] == line_id]
        if now != ([units] if units else []):
            told = f"{line_id} of {order_key} at {units:g}, as {approval_id} was edited"
            found.append(Finding("decisions stick", told, str(now)))
    return found


def _came_back_unsaid(books: Books) -> list[Finding]:
    """A rejected line that waits anew has to say that it was rejected; what was reconsidered may come back."""
    last: dict[tuple[Any, ...], Row] = {}
    for row in books.decided_lines:
        last[row["item_id"], row["site_id"], row["supplier_id"], row["changes"], row["line_id"]] = row
    found: list[Finding] = []
    for key, order in books.orders.items():
        body = json.loads(unpacked(order["body"])) if order["status"] in WAITING else {"lines": []}
        for line in body["lines"]:
            place = line["item_id"], order["site_id"], order["supplier_id"], body.get("changes", ""), line["line_id"]
            made = last.get(place)
            if made is not None and made["decision"] == "reject" and not line.get("decided_before"):
                told = f"{line['line_id']} to stay away, or to say that {made['actor']} rejected it"
                found.append(Finding("decisions stick", told, f"{key} asks for it without a word"))
    return found
