"""The same figures as each surface shows them: the ledger's rows, the command line, the API, the chat, the page."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.week.checks.findings import Finding
from scripts.week.company.books import Books

SPENDING = "How much do we spend?"
WHAT_WAITS = "What waits for approval and why?"
Json = Mapping[str, Any]


def of_ledger(books: Books) -> dict[str, float]:
    """What waits, from the rows."""
    pending = [row["order_key"] for row in books.approvals.values() if row["status"] == "pending"]
    placing = [books.orders[key] for key in pending if books.orders[key]["status"] == "waiting"]
    return {
        "orders that wait": float(len(pending)),
        "value that waits": sum(row["value_cents"] for row in placing) / 100,
    }


def of_plan(view: Json, approvals: Sequence[Json]) -> dict[str, float]:
    """What the plan and the approvals come to, as the API and `--json` give them."""
    run, whole = view["run"], view["whole"]
    shown = whole or run
    placing = [one for one in approvals if all(line["intent"] != "cancel" for line in one["lines"])]
    return {
        "lines": float(whole["lines"] if whole else run["n_lines"]),
        "order value": float(shown["order_value"]),
        "dispatched": float(shown["dispatched"]),
        "orders of the plan that wait": float(shown["pending_approvals"]),
        "orders that wait": float(len(approvals)),
        "value that waits": sum(float(one["value"]) for one in placing),
    }


def of_answers(spending: str, waiting: str) -> dict[str, float]:
    """What the chat says."""
    lines = re.search(r"([\d,]+) order lines? worth ([\d,.]+)", spending)
    named, more = len(re.findall(r"^ap-", waiting, re.MULTILINE)), re.search(r"… and ([\d,]+) more", waiting)
    found = {"orders of the plan that wait": float(named + (int(more[1].replace(",", "")) if more else 0))}
    if lines:
        found["order value"] = float(lines[2].replace(",", ""))
    return found


def stock_as_the_erp_has_it(view: Json, books: Books) -> list[Finding]:
    """A plan made on today's data starts from the stock that the ERP counts, item by item."""
    counted: dict[str, float] = {}
    for (item, _), units in books.stock.items():
        counted[item] = counted.get(item, 0.0) + units
    wrong = {
        one["item_id"]: (one["on_hand"], counted.get(one["item_id"], 0.0))
        for one in view["outlooks"]
        if abs(one["on_hand"] - counted.get(one["item_id"], 0.0)) > 1e-6 * max(1.0, abs(one["on_hand"]))
    }
    told = f"{len(wrong)} items differ: {dict(list(wrong.items())[:3])}"
    return [Finding("figures agree", "on hand as the ERP counts it", told)] if wrong else []
