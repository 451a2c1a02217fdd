"""What people, runs and the ERP do, each as one operation of a process; the answer names what came of it."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from random import Random

import orjson
from sqlalchemy import text

from benchmarks.ledger.planning import drawn_orders, with_units
from benchmarks.ledger.world import FORGER, ITEMS, NEEDS, SUPPLIERS, Process, World
from erp.actions import cancelling, queued_actions
from erp.adapter import ActionKind, DraftLine, OrderAction, OrderDraft
from graph.facts.companions import with_waiting_companions
from store.operations import ApprovalRow, Moved, Plan, Ruling, Window
from tools.domain.errors import JitError
from tools.domain.orders import Order, OrderStatus, RouteKind

MOST_PASSES = 8
CLOCK_CHANGES = tuple(timedelta(seconds=seconds) for seconds in (-7200, -61, -5, 5, 61, 600, 7200))
Act = Callable[[World, Process, Random], str]


def run_of(world: World, process: Process, items: Collection[str], random: Random, *, gated: bool = True) -> str:
    """A run: look at supply, draw a plan, publish it; look again where supply moved meanwhile."""
    run_id, operations = f"run-{next(world.numbers)}", process.operations
    for _ in range(MOST_PASSES):
        seq = operations.supply_seq()
        dataset = world.datasets.dataset(process.readback.fresh_version() or "")
        wanted = with_waiting_companions(set(items), operations.waiting_orders())
        orders = drawn_orders(run_id, dataset, wanted, random, gated=gated)
        leaving = [order for order in orders if order.status is OrderStatus.APPROVED]
        window = Window(dataset.as_of, dataset.as_of + timedelta(days=7))
        plan = Plan(
            run_id=run_id,
            seq=seq,
            item_ids=sorted(wanted),
            needs={need: window for need in NEEDS if need[0] in wanted},
            orders=orders,
            actions=[action for order in leaving for action in queued_actions(order)],
        )
        if not isinstance(operations.publish(plan), Moved):
            if random.random() < 0.5:
                process.outbox.drain()
            return "published"
    return "never still"


def plan_all(world: World, process: Process, random: Random) -> str:
    """A run over all items."""
    return run_of(world, process, ITEMS, random)


def alert(world: World, process: Process, random: Random) -> str:
    """A run over the items that an alert affects."""
    return run_of(world, process, random.sample(ITEMS, random.randint(1, 2)), random)


def approve(world: World, process: Process, random: Random) -> str:
    """A person signs an order."""
    return _decided(world, process, random, "approve")


def reject(world: World, process: Process, random: Random) -> str:
    """A person rejects an order."""
    return _decided(world, process, random, "reject")


def edit(world: World, process: Process, random: Random) -> str:
    """A person changes the quantities of an order: it asks anew, leaves by itself, or nothing is left of it."""
    return _decided(world, process, random, "edit")


def _decided(world: World, process: Process, random: Random, decision: str) -> str:
    pending = process.operations.approvals("pending")
    if decision == "edit":
        pending = [row for row in pending if not row.order.changes]
    if not pending:
        return "nothing waits"
    close = [row for row in pending if world.focus in row.order.needs]
    row = random.choice(close if close and random.random() < 0.6 else pending)
    edited = _edited(row, random) if decision == "edit" else None
    leaves = row.order if decision == "approve" else edited
    goes = leaves is not None and (decision == "approve" or leaves.status is OrderStatus.APPROVED)
    actions = queued_actions(leaves) if leaves is not None and goes else []
    edits = {line.line_id: 1.0 for line in row.order.lines} if decision == "edit" else None
    ruling = Ruling(row.approval_id, decision, "bob", "drawn", row.content_hash, edits, edited, actions)
    try:
        process.operations.decide(ruling)
    except JitError:
        return "refused"
    if random.random() < 0.5:
        process.outbox.drain()
    return "done"


def _edited(row: ApprovalRow, random: Random) -> Order | None:
    most = [0, 0, *(round(line.quantity * share) for line in row.order.lines for share in (0.5, 1.0, 1.5))]
    units = [float(random.choice(most)) for _ in row.order.lines]
    return with_units(row.order, units, random.choice([RouteKind.AUTO, RouteKind.PERSON]))


def withdraw(world: World, process: Process, random: Random) -> str:
    """A person takes an approval back."""
    approved = process.operations.approvals("approved")
    if not approved:
        return "nothing is approved"
    row = random.choice(approved[-6:])
    process.readback.note_in_erp(row.order_key)
    try:
        process.operations.withdraw(row.approval_id, "bob", "drawn", cancelling)
    except JitError:
        return "refused"
    process.outbox.drain()
    return "done"


def drain(world: World, process: Process, random: Random) -> str:
    """Send what is due."""
    return f"{min(3, len(process.outbox.drain().attempts))} attempts"


def read_back(world: World, process: Process, random: Random) -> str:
    """Read the ERP back; days may pass there: suppliers confirm, goods arrive in parts, demand takes stock."""
    days = random.choice([0, 0, 1, 2, 7])
    process.readback.observe(days)
    return f"{days} days"


def born_in_the_erp(world: World, process: Process, random: Random) -> str:
    """Somebody orders in the ERP itself."""
    item, site = world.focus if random.random() < 0.6 else random.choice(NEEDS)
    supplier, units = random.choice(SUPPLIERS), float(random.randint(1, 25))
    line = DraftLine(
        line_id="hand", item_id=item, quantity=units, unit_price="2.50", due_date=world.datasets.first.as_of
    )
    draft = OrderDraft(supplier_id=supplier, site_id=site, currency="USD", lines=(line,))
    key = f"hand:{next(world.numbers)}"
    erp = process.erp.inside
    order = erp.submit(OrderAction(key=key, kind=ActionKind.PLACE, order=draft))
    erp.confirm(order.erp_ref, f"{key}:confirm")
    return "placed"


def cancelled_in_the_erp(world: World, process: Process, random: Random) -> str:
    """Somebody cancels an order in the ERP itself."""
    erp = process.erp.inside
    standing = [order.order_id for order in erp.iter_open_orders()]
    if not standing:
        return "nothing stands"
    chosen = random.choice(standing)
    try:
        erp.cancel(OrderAction(key=f"hand:{next(world.numbers)}", kind=ActionKind.CANCEL, erp_ref=chosen))
    except JitError:
        return "refused"
    return "cancelled"


def forged(world: World, process: Process, random: Random) -> str:
    """Somebody changes what is queued for the ERP, in the database itself."""
    queued = [row for row in process.operations.outbox(status="queued") if row.kind == "place" and not row.attempts]
    if not queued:
        return "nothing is queued"
    row = random.choice(queued)
    forged_text = orjson.dumps({**row.payload, "order": {**row.payload["order"], "supplier_id": FORGER}}).decode()
    change = text("UPDATE outbox SET payload = :payload WHERE action_key = :key AND status = 'queued'")
    with process.operations.order_book() as book:
        book.connection.execute(change, {"payload": forged_text, "key": row.action_key})
    world.forged.add(row.action_key)
    return "changed"


def set_clock(world: World, process: Process, random: Random) -> str:
    """Somebody sets the clock of the machine."""
    change = random.choice(CLOCK_CHANGES)
    world.clock.set_by(change)
    return "back" if change < timedelta(0) else "forward"


def halt(world: World, process: Process, random: Random) -> str:
    """Dispatch is halted, or allowed again."""
    on = random.random() < 0.3
    process.operations.set_flag("halted", "ana" if on else "")
    return "halted" if on else "allowed"


ACTS: Mapping[str, tuple[Act, int]] = {
    "plan": (plan_all, 10),
    "alert": (alert, 10),
    "approve": (approve, 22),
    "edit": (edit, 8),
    "reject": (reject, 8),
    "withdraw": (withdraw, 5),
    "drain": (drain, 12),
    "read back": (read_back, 14),
    "born in the ERP": (born_in_the_erp, 9),
    "cancelled in the ERP": (cancelled_in_the_erp, 4),
    "forged": (forged, 2),
    "clock": (set_clock, 5),
    "halt": (halt, 2),
}
"""Operations and how often each is drawn."""
