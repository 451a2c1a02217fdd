"""Which orders are talked about with their supplier, between which prices, and how a run ends."""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from gate_cases import CHOSEN, NOW, Shelf, automatic, context_of, dataset_with, draft_of, runtime_of, state_of
from langgraph.types import Send
from order_cases import line_of, order_of
from planning_cases import RULED, PlanningDesk, Told

from agents.contracts import Agreement, NegotiationBrief, NegotiationLine, NegotiationOutcome
from graph.context import Context
from graph.run.nodes import close, limit_prices, negotiate, talked_about_once, to_negotiators
from tools.domain.catalogue import Item
from tools.domain.orders import Order

BY_MODEL = {**RULED, "decided_by": "model", "model": "m-1"}
TALKED = {"choice": {"choices": CHOSEN}, "supply": 7}


def talking_context(**known: Any) -> Context:
    return context_of(desk=PlanningDesk(), **known)


def limits(item_id: str, quantity: float, price: float, target: float, reservation: float) -> dict[str, Any]:
    return {
        "line_id": f"{item_id}#0",
        "item_id": item_id,
        "quantity": quantity,
        "unit_price": price,
        "target_price": target,
        "reservation_price": reservation,
    }


def test_a_line_is_talked_about_between_its_target_and_the_next_best_source() -> None:
    """Not above the list price, nor where another source would cost less; a small automatic line is not worth it."""
    order = draft_of(line_of("A"), automatic("B"))
    found = limit_prices(state_of(orders=[order], **TALKED), runtime_of(talking_context()))["limits"]
    assert found[order.order_key] == [limits("A", 10.0, 2.5, 2.0, 2.0)]
    dear = automatic("B", 5000.0, unit_price=4.0, value=20_000.0)
    other = draft_of(automatic("A"), dear)
    found = limit_prices(state_of(orders=[other], **TALKED), runtime_of(talking_context()))["limits"]
    (limit,) = found[other.order_key]
    assert limit == limits("B", 5000.0, 4.0, pytest.approx(3.68), 4.0)


def test_each_order_of_the_first_round_is_talked_about_with_its_supplier() -> None:
    """Not one of small automatic lines alone, nor a change of an open order."""
    talked, change = draft_of(line_of("A")), draft_of(line_of("A"), changes="PO-1", order_key="run-1/S1/PO-1")
    small, other = draft_of(automatic("B"), supplier_id="S2"), draft_of(line_of("A"), supplier_id="S3")
    state = state_of(orders=[change, talked, small, other], rounds=1, **TALKED)
    assert talked_about_once(state) == "limit_prices"
    priced = limit_prices(state, runtime_of(talking_context()))
    assert to_negotiators({**state, **priced}) == [
        Send(
            "negotiate",
            {"run_id": "run-1", "order": order, "supply": 7, "round": 1, "limits": [limits("A", 10.0, 2.5, 2.0, 2.0)]},
        )
        for order in (talked, other)
    ]


@pytest.mark.parametrize("orders", [[draft_of(automatic("A"))], []], ids=["nothing worth it", "no orders"])
def test_without_anything_to_talk_about_the_lines_are_gated(orders: list[Order]) -> None:
    state = state_of(orders=orders, rounds=1, **TALKED)
    priced = limit_prices(state, runtime_of(talking_context()))
    assert priced == {"limits": {}}
    assert to_negotiators({**state, **priced}) == "gate_lines"


def test_suppliers_are_talked_with_in_the_first_round_only() -> None:
    assert talked_about_once(state_of(orders=[draft_of(line_of("A"))], rounds=2)) == "gate_lines"


def test_one_supplier_is_talked_with_inside_the_limits_and_the_outcome_says_where_it_belongs() -> None:
    outcome = NegotiationOutcome(
        supplier_id="S1",
        status="agreed",
        agreements=(Agreement(line_id="A#0", unit_price=2.2, quantity=10.0),),
        rounds=3,
        saved=3.0,
        decided_by="model",
        model="m-1",
    )
    negotiator, shelf = Told(outcome), Shelf()
    context = talking_context(
        shelf=shelf,
        agents=SimpleNamespace(negotiator=negotiator),
        counterparty=lambda supplier_id, prices: (supplier_id, prices),
    )
    order = draft_of(line_of("A"))
    told = [limits("A", 10.0, 2.5, 2.0, 2.4)]
    task: Any = {"run_id": "run-1", "order": order, "supply": 7, "round": 1, "limits": told}
    found = negotiate(task, runtime_of(context))
    line = NegotiationLine.model_validate(told[0])
    brief = NegotiationBrief(supplier_id="S1", currency="USD", lines=(line,))
    assert negotiator.asked == [(brief, ("S1", {"A#0": 2.5}))]
    stored = {**outcome.model_dump(mode="json"), "order_key": "run-1/S1/MAIN", "round": 1}
    assert found == {"agreements": [{**stored, "supply": 7}], "decisions": [BY_MODEL]}
    assert shelf.artifacts == {("run-1", "negotiation", "run-1/S1/MAIN"): stored}


class Ending(Shelf):
    """A shelf that keeps figures of runs beside their artifacts."""

    def __init__(self) -> None:
        super().__init__()
        self.kpis: list[tuple[str, str, Mapping[str, float], datetime]] = []

    def put_kpis(self, run_id: str, version: str, figures: Mapping[str, float], at: datetime) -> None:
        self.kpis.append((run_id, version, figures, at))


@pytest.mark.parametrize("outcomes", [None, [{"order_key": "run-1/S1/MAIN", "status": "sent"}]])
def test_a_run_ends_with_its_figures_and_what_became_of_its_orders(outcomes: list[dict[str, str]] | None) -> None:
    shelf = Ending()
    ledger = SimpleNamespace(orders_of=lambda run_id: {"run-1": [order_of("A", "B")]}[run_id])
    dataset = dataset_with(items={"A": Item(item_id="A", unit_value=2.0), "B": Item(item_id="B", unit_value=3.0)})
    context = context_of(shelf=shelf, desk=PlanningDesk(dataset=dataset), operations=ledger)
    known = {} if outcomes is None else {"outcomes": outcomes}
    assert close(state_of(stopped="", **known), runtime_of(context)) == {}
    figures = {
        "order_value": 50.0,
        "order_lines": 2.0,
        "items": 2.0,
        "negotiated_saving": 0.0,
        "stock_value": 500.0,
    }
    assert shelf.kpis == [("run-1", "ds-1", figures, NOW)]
    assert shelf.artifacts == {
        ("run-1", "kpi", "run"): figures,
        ("run-1", "plan", "outcomes"): {"outcomes": outcomes or []},
    }
