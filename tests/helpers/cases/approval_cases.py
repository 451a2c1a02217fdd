"""An office where people sign: the real ledger and gates, a desk that knows two offers, and a note of who was told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from math import floor
from types import SimpleNamespace
from typing import Any, cast

from gate_cases import CHOSEN, RULES, Shelf, context_of, dataset_with, draft_of
from order_cases import line_of
from policy_cases import LINE
from sandbox_world import OFFER, OTHER

from graph.decisions.approvals import ApprovalDesk
from graph.facts import order_facts as facts
from graph.facts.order_facts import Standing
from graph.parts import Parts
from graph.run.gates import route_order
from graph.views.orders import ApprovalView
from policies.facts import LineFacts
from policies.gates import RuleSet, Verdict
from store.operations import Moved, Operations, Plan, Window
from tools.domain.decisions import LineDecision
from tools.domain.orders import Order, OrderLine, OrderStatus

QUIET = Standing(left=(), waiting=(), halted=False)
ARRIVAL = date(2026, 3, 22)
AFTER_A_REVIEW = date(2026, 3, 29)
WINDOW = Window(date(2026, 3, 2), AFTER_A_REVIEW)
SCOPE = {
    "dataset_version": "ds-1",
    "item_ids": ["A", "B"],
    "alerts": '[{"alert_id": "a-1"}, {"alert_id": "a-2"}]',
    "adjustments": [],
    "budget": None,
}


LEAST = {"A": 1, "B": 50}
"""Minimum order by item, as the gates know it."""


def facts_of(line: OrderLine, *known: object) -> LineFacts:
    """Facts of a line that passes every gate from its minimum to 400 units."""
    changed = {"quantity": floor(line.quantity), "value_cents": line.value_cents, "moq": LEAST[line.item_id]}
    return LINE.model_copy(update={**changed, "negotiated_bp": facts.points(line.unit_price, line.list_price)})


def line_a(quantity: float = 100.0, **known: Any) -> OrderLine:
    return line_of("A", quantity).model_copy(update={"offer_id": OFFER.offer_id, **known})


def line_b(quantity: float = 100.0, **known: Any) -> OrderLine:
    return line_of("B", quantity, price=4.0).model_copy(update={"offer_id": OTHER.offer_id, **known})


class Office:
    """One desk for approvals; `calls` says whom it told, in order. What the ERP does is for a test to say."""

    def __init__(self, operations: Operations, rules: RuleSet = RULES) -> None:
        self.operations = operations
        self.rules = rules
        self.shelf = Shelf()
        self.calls: list[str] = []
        self.erp: Any = lambda order_key: None
        self.sent: Any = lambda: None
        operations.create_run("run-1", {}, "ana", "ds-1", {})
        for run_id in ("run-1", "run-0"):
            self.shelf.put_artifact(run_id, "plan", "scope", SCOPE)
            self.shelf.put_artifact(run_id, "plan", "choice", {"choices": CHOSEN})

    @property
    def desk(self) -> ApprovalDesk:
        context = context_of(self.operations, dataset=dataset_with(), shelf=self.shelf, rules=self.rules)
        readback = SimpleNamespace(note_in_erp=self._look)
        parts = SimpleNamespace(operations=self.operations, context=context, readback=readback)
        return ApprovalDesk(cast(Parts, parts), self._deliver, self._drain, self._show)

    def _look(self, order_key: str) -> None:
        self.calls.append(f"look for {order_key}")
        self.erp(order_key)

    def _deliver(self, run_id: str) -> None:
        self.calls.append(f"deliver to {run_id}")

    def _drain(self) -> None:
        self.calls.append("drain")
        self.sent()

    def _show(self, approval_id: str) -> ApprovalView:
        self.calls.append("show")
        return cast(ApprovalView, ("as it stands", approval_id))

    def asked(self, *lines: OrderLine, person: str = "ana", inherited: tuple[Verdict, ...] = (), **known: Any) -> Order:
        """An order that waits for a signature, by the gates, proposed by the program and a person."""
        draft = draft_of(*(lines or (line_a(), line_b())), **known)
        context = context_of(self.operations, rules=self.rules)
        order = route_order(draft, inherited, QUIET, context, person)
        needs = dict.fromkeys(order.needs, WINDOW)
        plan = Plan(order.run_id, self.operations.supply_seq(), sorted(order.item_ids), needs, [order])
        assert not isinstance(self.operations.publish(plan), Moved)
        return order

    def decide(self, order: Order, decision: str, actor: str = "bob", **known: Any) -> ApprovalView:
        said = {"reason": "because", "content_hash": None, "edits": None, **known}
        return self.desk.decide(order.route.approval_id, decision, actor, **said)

    def forget_orders(self) -> None:
        """A ledger that lost its orders, beside approvals of them."""
        with self.operations.order_book() as book:
            for table in ("order_lines", "orders"):
                book.connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608

    def now(self, order: Order) -> Order:
        return self.operations.orders_for([order.order_key])[order.order_key]

    def status(self, order: Order) -> OrderStatus:
        return self.now(order).status

    def actions(self, order: Order) -> list[tuple[str, Any]]:
        """Kind and approval of what the ERP is to do."""
        rows = self.operations.actions_for([order.order_key]).get(order.order_key, [])
        return [(row.kind, row.approval_id) for row in rows]

    def held(self) -> Mapping[str, LineDecision]:
        """What the next runs are to know, by item."""
        return {made.item_id: made for made in self.operations.line_decisions().values()}

    def remembered(self, order: Order) -> list[LineDecision]:
        """What was stored with an approval, without the day and the ledger's counter."""
        found = self.operations.decisions_of_approval(order.route.approval_id)
        return [replace(made, decided_on=None) for made in found]
