"""What happens on some days only: alerts, two planners at once, a restart, a power cut, a halt, month's end."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scripts.week.checks import surfaces
from scripts.week.checks.findings import Finding
from scripts.week.checks.surface_checks import figures_agree
from scripts.week.company.firm import day_of
from scripts.week.company.office import Office, who_may
from scripts.week.work import decide, note

AT_ONCE = 6
"""Items that two people plan at the same time."""
DELAY_DAYS = 15


def found_the_company(office: Office) -> list[Finding]:
    """Generate and import the company, add its people, start the server."""
    imported = office.firm.found()
    office.open()
    turned_away = imported["rejected"]
    return [Finding("import", "no row turned away", str(turned_away)[:400])] if turned_away else []


def a_delivery_is_late(office: Office) -> list[Finding]:
    """A supplier tells by a signed alert that what it has to deliver is late."""
    supplier = _suppliers_of_open_orders(office)[0]
    return _alerted(office, {"kind": "delay", "node_id": supplier, "delay_days": DELAY_DAYS, "confidence": 0.9})


def a_supplier_is_down(office: Office) -> list[Finding]:
    """A supplier that we order from stands still for a month."""
    supplier = _suppliers_of_open_orders(office)[1]
    until = day_of(office.day + 30).isoformat()
    return _alerted(office, {"kind": "site_down", "node_id": supplier, "until": until, "capacity_fraction": 0.0})


def a_mail_tells_of_a_delay(office: Office) -> list[Finding]:
    """A supplier writes in words."""
    supplier = _suppliers_of_open_orders(office)[2]
    return _alerted(office, {"text": f"Delay: shipments of supplier {supplier} will be 20 days late."})


def _alerted(office: Office, data: dict[str, Any]) -> list[Finding]:
    """Send it, and wait until its run is through."""
    message_id = f"day-{office.day}-{data.get('node_id', 'mail')}"
    office.wire().alert(message_id, data)

    def status() -> str:
        alerts = office.wire("ana").get("/api/alerts")
        return next((str(one["status"]) for one in alerts if one["message_id"] == message_id), "")

    found = office.settle(f"alert {message_id} taken in", lambda: status() in ("done", "failed"))
    return found + ([Finding("alerts", f"{message_id} done", status())] if status() == "failed" else [])


def _suppliers_of_open_orders(office: Office) -> list[str]:
    """Those with most orders on their way first."""
    books = office.books()
    open_lines = Counter[str]()
    for order in books.erp_orders:
        open_lines[order["supplier_id"]] += sum(row["open"] > 0 for row in books.erp_lines.get(order["erp_ref"], ()))
    return [supplier for supplier, _ in open_lines.most_common()]


def two_plan_at_once(office: Office) -> list[Finding]:
    """Ana and Ben plan the same items at the same moment, while Mia signs what she sees of them."""
    waiting = office.pending()
    items = sorted({line["item_id"] for one in waiting for line in one["lines"]} | office.touched)
    body = {"kind": "analyst", "reason": "both at once", "item_ids": items[:AT_ONCE]}
    doors = [office.wire(name) for name in ("ana", "ben")]
    chosen = next((one for one in waiting if {line["item_id"] for line in one["lines"]} & set(items[:AT_ONCE])), None)
    with ThreadPoolExecutor(2) as pool:
        under_way = [pool.submit(door.post, "/api/runs", body) for door in doors]
        if chosen is not None and decide(office, chosen, "approve", "mia") is not None:
            note(office, chosen)
        for run in under_way:
            run.result()
    return []


def restart(office: Office) -> list[Finding]:
    """The server is stopped and started again; in between the command line reads the same by itself."""
    shown: dict[str, surfaces.Json] = {"before": _seen(office)}
    office.close()
    terminal = office.firm.told("show"), office.firm.told("approvals")
    shown["without a server"] = surfaces.of_plan(*terminal)
    office.open()
    shown["after"] = _seen(office)
    return figures_agree(shown)


def _seen(office: Office) -> dict[str, float]:
    return surfaces.of_plan(office.plan(), office.pending())


def power_cut(office: Office) -> list[Finding]:
    """The server is killed in the middle of a plan of everything, and started again: the run ends by itself."""
    known = set(office.books().runs)
    with ThreadPoolExecutor(1) as pool:
        cut_off = pool.submit(_plan_of_everything, office)
        started = office.settle("a run begins", lambda: bool(set(office.books().runs) - known))
        office.server.kill()
        cut_off.exception()
    office.close(killed=True)
    office.open()
    mine = set(office.books().runs) - known

    def ended() -> bool:
        runs = office.books().runs
        return all(runs[run_id]["status"] != "running" for run_id in mine)

    return started + office.settle(f"the run that was cut off ends ({sorted(mine)})", ended)


def _plan_of_everything(office: Office) -> Any:
    return office.wire("ana").post("/api/runs", {"kind": "analyst", "reason": "cut off"})


def halt_and_resume(office: Office) -> list[Finding]:
    """While dispatch is halted a signed order stays here; afterwards it leaves."""
    waiting = [one for one in office.pending() if all(line["intent"] == "place" for line in one["lines"])]
    if not waiting:
        return []
    office.firm.told("halt", "--actor", "mia", who="mia")
    chosen = waiting[-1]
    signed = decide(office, chosen, "approve", who_may(chosen), reason="signed while halted")
    held = _in_erp(office, chosen["order_key"])
    office.firm.told("halt", "--off", "--actor", "mia", who="mia")
    if signed is None:
        return []
    note(office, chosen)
    found = [Finding("halt", f"{chosen['order_key']} kept while halted", "it is in the ERP")] if held else []
    return found + office.settle("what was signed leaves after the halt", lambda: _in_erp(office, chosen["order_key"]))


def _in_erp(office: Office, order_key: str) -> bool:
    books = office.books()
    keys = {row["action_key"] for row in books.outbox if row["order_key"] == order_key and row["kind"] == "place"}
    return any(row["idempotency_key"] in keys for row in books.erp_orders)


def take_an_order_back(office: Office) -> list[Finding]:
    """Mia withdraws an order that was signed today: nothing of it is to come."""
    books = office.books()
    placed = [key for key, row in books.orders.items() if row["status"] == "placed" and row["approval_id"]]
    if not placed:
        return []
    order = books.orders[sorted(placed)[-1]]
    office.firm.told("withdraw", order["approval_id"], "--reason", "ordered by phone already", who="mia")

    def gone() -> bool:
        now = office.books()
        keys = {row["action_key"] for row in now.outbox if row["order_key"] == order["order_key"]}
        refs = [row["erp_ref"] for row in now.erp_orders if row["idempotency_key"] in keys]
        return all(line["open"] == 0 for ref in refs for line in now.erp_lines.get(ref, ()))

    return office.settle(f"{order['order_key']} is cancelled in the ERP", gone)


def months_end(office: Office) -> list[Finding]:
    """What a company keeps of a month: a backup, the verified journal, a run computed again, the decisions."""
    jit = office.firm.told
    jit("backup", str(office.firm.root / f"month-{office.day}.tar.gz"))
    jit("journal", "--verify")
    latest = jit("runs", "--limit", "1")[0]["run_id"]
    jit("replay", latest)
    decided = {row["approval_id"] for row in jit("decisions", "--limit", "500") if row["orders"] == 1}
    people = {key for key, row in office.books().approvals.items() if row["decision"] in ("approve", "reject")}
    lost = sorted(people - decided) if len(people) < 500 else []
    return [Finding("decisions stick", "every decision told", f"not told: {lost[:5]}")] if lost else []


def figures_are_looked_up(office: Office) -> list[Finding]:
    """Ana reads what is known of demand, suppliers and data, and why an item is ordered as it is."""
    jit, items = office.firm.told, sorted(office.touched)
    for words in (("forecast",), ("lead-times",), ("datasets",), ("estimates",), ("rejects",), ("runs",)):
        jit(*words, who="ana")
    for item in items[:1]:
        for words in (("explain", item), ("forecast", item), ("decisions", "--item", item), ("ask", f"Why {item}?")):
            jit(*words, who="ana")
    return []


def close_the_week(office: Office) -> list[Finding]:
    """The server stops for good; what is stored verifies without it."""
    office.close()
    checked = office.firm.told("journal", "--verify")
    office.firm.told("doctor")
    return [] if checked["ok"] else [Finding("journal whole", "a journal that verifies", checked["reason"])]
