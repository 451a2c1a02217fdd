"""A person's edit of an order: its prices, its gates, its new approval, and what it shows before it is saved."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from math import floor
from types import SimpleNamespace
from typing import Any, cast

import pytest
from order_cases import line_of, order_of
from policy_cases import LINE
from sandbox_world import small_dataset

from graph.computation.desk import Scope
from graph.context import Context
from graph.decisions.edits import asked_anew, edited_order, previewed, refuse_denied
from graph.facts import order_facts as facts
from graph.run.transitions import stable_hash
from graph.views.orders import EditedLineView, EditPreviewView
from policies.facts import LineFacts
from policies.gates import Effect, Verdict, default_rules
from tools.domain.catalogue import Autonomy, Offer, PriceBreak, Supplier
from tools.domain.datasets import Dataset
from tools.domain.errors import BadInput, NotFound
from tools.domain.orders import Order, OrderLine, OrderStatus, OrderVerdict

RULES = default_rules()
BREAKS = (PriceBreak(quantity=500, unit_price=14.0), PriceBreak(quantity=2000, unit_price=11.0))
OFFERS = {
    offer.offer_id: offer
    for offer in (
        Offer(item_id="A", supplier_id="S1", unit_price=15.0, lead_time_days=10, price_breaks=BREAKS),
        Offer(item_id="B", supplier_id="S1", unit_price=4.0, lead_time_days=10),
    )
}
SCOPE = Scope("ds-1", ("A", "B"), "[]", (("A|S1||MAIN", 900.0),), 5000.0, "est-1")
STORED = {
    ("run-1", "plan", "scope"): {
        "dataset_version": "ds-1",
        "item_ids": ["A", "B"],
        "alerts": "[]",
        "adjustments": [["A|S1||MAIN", 900.0]],
        "budget": 5000.0,
        "estimate_version": "est-1",
    },
    ("run-1", "plan", "choice"): {"choices": {"high": "high/balanced"}},
}
LEAST = {"A": 50, "B": 0}
"""Minimum order by item, as the gates know it."""


def line(item_id: str, quantity: float, price: float, **known: object) -> OrderLine:
    changed = {"offer_id": f"{item_id}|S1||MAIN", **known}
    return line_of(item_id, quantity, price=price).model_copy(update=changed)


AGREED = line("A", 803.0, 14.0, agreed_price=12.5, agreed_from=803.0).at_quantity(803.0, 14.0)
PLAIN = line("B", 100.0, 4.0)
ORDER = order_of("A", "B").changed(lines=(AGREED, PLAIN))


def verdict(gate: str, rule: str, effect: Effect = Effect.WARN) -> OrderVerdict:
    return OrderVerdict(gate=gate, rule=rule, subject="I1", effect=effect.value, reason=f"{rule} says so.")


def facts_of(line: OrderLine) -> LineFacts:
    """Facts of a line that passes every gate, but for its minimum."""
    known = {
        "value_cents": line.value_cents,
        "quantity": floor(line.quantity),
        "moq": LEAST[line.item_id],
        "max_quantity": -1,
        "negotiated_bp": facts.points(line.unit_price, line.list_price),
    }
    return LINE.model_copy(update=known)


class Installation:
    """What an edit reads: the stored plan of run-1, the offers, and the orders that wait."""

    def __init__(self, *waiting: Order) -> None:
        self._waiting = waiting
        self.context = cast(
            Context,
            SimpleNamespace(desk=self, warehouse=self, operations=self, rules=RULES, now=lambda: datetime.now(UTC)),
        )

    def artifact(self, run_id: str, kind: str, key: str) -> Mapping[str, Any] | None:
        return STORED.get((run_id, kind, key))

    def plan(self, scope: Scope, chosen: Mapping[str, str]) -> tuple[Any, ...]:
        return "plan of", scope, chosen["high"]

    def dataset(self, version: str) -> Dataset:
        suppliers = {"S1": Supplier(supplier_id="S1", min_order_value=450.0)}
        known = replace(small_dataset(), offers=tuple(OFFERS.values()), suppliers=suppliers)
        return {known.version: known}[version]

    def last_prices(self) -> dict[tuple[str, str], float]:
        return {("A", "S1"): 14.0}

    def waiting_orders(self) -> list[Order]:
        return list(self._waiting)

    def left_since(self, moment: datetime) -> list[Any]:
        return []

    def flag(self, name: str) -> str:
        return ""


@pytest.fixture
def edited(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Order | None, list[Verdict]]]:
    """Edits an order by bob, where a line's facts are known only under its own plan, scope and ledger."""

    def line_facts(line: OrderLine, plan: object, desk: object, scope: Scope, ledger: facts.Ledger) -> LineFacts:
        assert (plan, scope) == (("plan of", SCOPE, "high/balanced"), SCOPE)
        assert isinstance(desk, Installation)
        assert ledger == facts.Ledger({("A", "S1"): 14.0})
        return facts_of(line)

    def edit(order: Order, edits: Mapping[str, float], *waiting: Order) -> tuple[Order | None, list[Verdict]]:
        return edited_order(order, edits, "bob", Installation(*waiting).context)

    monkeypatch.setattr(facts, "line_facts", line_facts)
    return edit


Edit = Callable[..., tuple[Order | None, list[Verdict]]]


def lines_of(order: Order | None) -> list[tuple[str, float, float, float]]:
    """Line id, quantity, price and list price."""
    found = order.lines if order else ()
    return [(line.line_id, line.quantity, line.unit_price, line.list_price) for line in found]


@pytest.mark.parametrize(
    ("quantity", "price", "listed"),
    [
        (900.0, 12.5, 14.0),
        (803.0, 12.5, 14.0),
        (802.0, 14.0, 14.0),
        (499.0, 15.0, 15.0),
        (2000.0, 11.0, 11.0),
        (50.0, 15.0, 15.0),
    ],
)
def test_an_edited_line_costs_what_was_agreed_or_the_lists_price_at_its_quantity(
    edited: Edit, quantity: float, price: float, listed: float
) -> None:
    order, _ = edited(ORDER, {"A#0": quantity})
    assert lines_of(order) == [("A#0", quantity, price, listed), ("B#0", 100.0, 4.0, 4.0)]


def test_an_edited_order_carries_its_editor_its_facts_and_a_new_approval(edited: Edit) -> None:
    order, verdicts = edited(ORDER, {"A#0": 900.0})
    assert order is not None
    assert [(one.gate, one.rule, one.effect) for one in verdicts] == [("lines", "none", Effect.ALLOW)] * 2
    assert (order.edited, order.proposed_by) == (True, ("agent:planner", "ana", "bob"))
    assert [line.facts for line in order.lines] == [
        facts_of(line.model_copy(update={"facts": {}})).model_dump() for line in order.lines
    ]
    assert order.status is OrderStatus.WAITING
    assert order.route.facts["edited"] is True
    asked = stable_hash([ORDER.route.approval_id, order.route.content_hash])[:12]
    assert (order.route.approval_id, order.is_intact) == (f"ap-{asked}", True)


def test_of_earlier_verdicts_only_those_about_drift_go_on(edited: Edit) -> None:
    """The lines are judged anew; the plan's gates bind the plan and no edit of one order."""
    stood = (
        verdict("lines", "moq", Effect.DENY),
        verdict("drift", "demand_drift", Effect.REQUIRE_APPROVAL),
        verdict("plan", "budget", Effect.DENY),
    )
    order, verdicts = edited(ORDER.changed(route=ORDER.route.model_copy(update={"verdicts": stood})), {"A#0": 900.0})
    assert order is not None
    rules = [one.rule for one in order.route.verdicts]
    assert rules[:3] == ["none", "none", "demand_drift"]
    assert not {"moq", "budget"} & set(rules)
    assert "demand_drift says so." in order.route.reasons
    assert len(verdicts) == 2


def test_a_line_that_the_gates_deny_is_told_with_its_reason(edited: Edit) -> None:
    order, verdicts = edited(ORDER, {"A#0": 49.0})
    assert [(one.rule, one.effect) for one in verdicts] == [("moq", Effect.DENY), ("none", Effect.ALLOW)]
    assert order is not None and order.status is OrderStatus.GATED
    with pytest.raises(BadInput, match="Quantity 49 is below the supplier's minimum 50"):
        refuse_denied(verdicts)


@pytest.mark.parametrize(("units", "told"), [(112.5, 0), (112.0, 1)])
def test_an_edit_below_what_the_supplier_takes_says_so(edited: Edit, units: float, told: int) -> None:
    order, verdicts = edited(ORDER, {"A#0": 0.0, "B#0": units})
    assert order is not None
    reasons = [reason for reason in order.route.reasons if "takes none below" in reason]
    assert reasons == ["The order is worth 448.00; S1 takes none below 450.00."][:told]
    assert [one.rule for one in verdicts] == ["none"]


@pytest.mark.parametrize(
    ("edits", "kept"),
    [
        ({"A#0": 0.0}, ["B#0"]),
        ({"B#0": 0.0}, ["A#0"]),
        ({"B#0": 0.5}, ["A#0", "B#0"]),
        ({"B#0": 1}, ["A#0", "B#0"]),
    ],
)
def test_no_units_drop_a_line_and_few_units_do_not(edited: Edit, edits: dict[str, float], kept: list[str]) -> None:
    order, verdicts = edited(ORDER, edits)
    assert [line_id for line_id, *_ in lines_of(order)] == kept
    assert len(verdicts) == len(kept)


def test_an_order_without_lines_is_none(edited: Edit) -> None:
    assert edited(ORDER, {"A#0": 0.0, "B#0": 0.0}) == (None, [])


def test_an_edit_is_weighed_against_what_waits_in_other_runs_for_other_items(edited: Edit) -> None:
    waiting = [
        order_of("C", run_id="run-2", quantity=100.0),
        order_of("C", run_id="run-1", quantity=1000.0),
        order_of("A", run_id="run-2", quantity=1000.0),
    ]
    order, _ = edited(ORDER, {"A#0": 900.0}, *waiting)
    assert order is not None and order.route.facts["waiting_value_cents"] == 25_000


def test_a_kept_line_that_stays_as_it_is_is_judged_on_what_was_known_of_it(edited: Edit) -> None:
    """The plan of the run that computed it is not asked for: nothing of that run is stored here."""
    first, second = ORDER.lines
    kept = first.model_copy(update={"planned_by": "run-0", "facts": facts_of(first).model_dump()})
    order = ORDER.changed(lines=(kept, second))
    found, _ = edited(order, {second.line_id: second.quantity * 2})
    assert found is not None and found.lines[0].facts == kept.facts
    with pytest.raises(NotFound):
        edited(order, {kept.line_id: kept.quantity * 2})


def test_an_edit_of_a_run_that_stored_no_plan_is_refused(edited: Edit) -> None:
    with pytest.raises(NotFound, match="run-9 made no plan"):
        edited(ORDER.changed(run_id="run-9"), {"A#0": 900.0})


def test_an_edit_that_needs_nobody_asks_nobody(edited: Edit) -> None:
    watched = tuple(line.model_copy(update={"autonomy": Autonomy.SHADOW}) for line in ORDER.lines)
    order, _ = edited(ORDER.changed(lines=watched), {"A#0": 900.0})
    assert order is not None and order.route.approval_id == ""


def test_an_edit_back_to_what_was_asked_for_before_is_asked_for_under_another_approval() -> None:
    """The approval of the first form is decided already: the same content needs one of its own."""
    again = asked_anew(ORDER, ORDER)
    asked = f"ap-{stable_hash([ORDER.route.approval_id, ORDER.route.content_hash])[:12]}"
    assert again == ORDER.changed(route=ORDER.route.model_copy(update={"approval_id": asked}))
    left = order_of("A", status=OrderStatus.APPROVED)
    assert asked_anew(left, ORDER) is left


def test_a_preview_tells_every_line_and_what_they_add_up_to() -> None:
    assert previewed(ORDER.changed(currency="EUR"), {"B#0": 50}, OFFERS) == EditPreviewView(
        lines=(
            EditedLineView(
                line_id="A#0", quantity=803.0, unit_price=12.5, value=10_037.5, price_rule="Agreed from 803 up."
            ),
            EditedLineView(line_id="B#0", quantity=50.0, unit_price=4.0, value=200.0, price_rule=""),
        ),
        value=10_237.5,
        currency="EUR",
    )


NEVER_AGREED = line("A", 803.0, 14.0)
DEAR = AGREED.model_copy(update={"agreed_price": 1234.567, "agreed_from": 1200.0})


@pytest.mark.parametrize(
    ("shown", "quantity", "rule"),
    [
        (AGREED, 802.0, "List price: the agreed 12.50 holds from 803 up."),
        (AGREED, 803.0, "Agreed from 803 up."),
        (DEAR, 900.0, "List price: the agreed 1,234.57 holds from 1,200 up."),
        (AGREED.model_copy(update={"agreed_price": 11.0}), 2000.0, "Agreed from 803 up."),
        (AGREED, 2000.0, "The list price is lower than the agreed one."),
        (NEVER_AGREED, 900.0, ""),
        (NEVER_AGREED, 499.0, "Price break at this quantity."),
        (NEVER_AGREED, 2000.0, "Price break at this quantity."),
    ],
)
def test_a_preview_names_the_rule_behind_a_price(shown: OrderLine, quantity: float, rule: str) -> None:
    view = previewed(ORDER.changed(lines=(shown,)), {"A#0": quantity}, OFFERS)
    assert view.lines[0].price_rule == rule


@pytest.mark.parametrize("quantity", [49.0, 400.0, 803.0, 900.0, 2500.0])
def test_a_preview_shows_the_very_price_that_is_saved(edited: Edit, quantity: float) -> None:
    order, _ = edited(ORDER, {"A#0": quantity})
    shown = previewed(ORDER, {"A#0": quantity}, OFFERS)
    assert order is not None
    assert [(one.unit_price, one.value) for one in shown.lines] == [(one.unit_price, one.value) for one in order.lines]
    assert shown.value == order.value


def test_a_denied_edit_says_each_reason_once_and_what_would_do() -> None:
    def judged(reason: str, effect: Effect = Effect.DENY) -> Verdict:
        return Verdict("lines", "r", effect, reason, "", "", None, "p-1")

    refuse_denied([judged("Too dear.", Effect.WARN), judged("Too late.", Effect.REQUIRE_APPROVAL)])
    with pytest.raises(BadInput) as refused:
        refuse_denied([judged("Too many."), judged("Too dear.", Effect.WARN), judged("Too few."), judged("Too many.")])
    assert refused.value.message == "This edit would be denied. Too many. Too few."
    assert refused.value.remedy == (
        "Choose a quantity within the offer's minimum, step and maximum, or reject the order."
    )
