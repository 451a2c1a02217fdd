"""The gates of data, lines and plan: what stops a run, which lines go back, how often, and what goes on."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gate_cases import (
    CHOSEN,
    RULES,
    Shelf,
    context_of,
    dataset_with,
    draft_of,
    rules_with,
    runtime_of,
    state_of,
    verdict_of,
)
from langgraph.types import Send
from order_cases import line_of, order_of
from policy_cases import LINE
from sandbox_world import START

from graph.computation.desk import Scope
from graph.facts import order_facts as facts
from graph.run.gates import (
    denied_lines_go_back,
    gate_data,
    gate_lines,
    gate_plan,
    to_order_branches,
    unless_stopped,
)
from policies.facts import LineFacts
from store.operations import Operations
from tools.domain.orders import Intent, OrderLine

DEMAND = {("A", "MAIN"): (), ("B", "MAIN"): ()}
OLD = "Stock figures are 9 days old; orders on them would repeat what was already bought."
REJECTED = "6 of 130 rows were rejected at import; correct the file and import again."


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with closing(Operations(f"sqlite:///{tmp_path}/operations.sqlite")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("age_days", "sources", "known", "stopped"),
    [
        (0, [(100, 0), (24, 0)], {}, ""),
        (9, [(100, 0)], {}, OLD),
        (0, [(100, 4), (24, 2)], {}, REJECTED),
        (9, [(100, 4), (24, 2)], {}, f"{OLD} {REJECTED}"),
        (9, [(100, 0)], {"stopped": "Supply never stood still."}, "Supply never stood still."),
        (0, [(100, 0)], {"item_ids": []}, "No item is affected."),
        (9, [(100, 0)], {"item_ids": []}, OLD),
    ],
)
def test_bad_data_stops_a_run_with_every_reason(
    age_days: int, sources: list[tuple[int, int]], known: Mapping[str, Any], stopped: str
) -> None:
    dataset = dataset_with(stock_as_of={("A", "MAIN"): START - timedelta(days=age_days)}, demand=DEMAND)
    context = context_of(dataset=dataset, shelf=Shelf(*sources))
    assert gate_data(state_of(**known), runtime_of(context)) == {"stopped": stopped}


def test_the_data_gate_keeps_its_verdicts() -> None:
    shelf = Shelf((100, 0))
    gate_data(state_of(), runtime_of(context_of(shelf=shelf)))
    reason = "2 items have no demand history and are not planned."
    told = {"gate": "data", "rule": "items_without_demand", "subject": "dataset", "effect": "warn", "reason": reason}
    more = {"limit": "0", "actual": "2", "tier": "", "policy_version": RULES.version}
    assert shelf.artifacts == {("run-1", "quality", "data"): {"verdicts": [{**told, **more}]}}


@pytest.mark.parametrize(("stopped", "way"), [("", "estimate"), ("No item is affected.", "close")])
def test_a_run_goes_on_unless_it_was_stopped(stopped: str, way: str) -> None:
    assert unless_stopped(state_of(stopped=stopped)) == way


SCOPE = Scope("ds-1", ("A", "B"))
LARGE = LINE.model_copy(update={"quantity": 900, "max_quantity": -1, "cover_after_days": 200})
"""900 units cover the days from 20 to 200; three times 60 are allowed, so 160 days of it: 800 units."""


@pytest.fixture
def known_lines(monkeypatch: pytest.MonkeyPatch) -> dict[str, LineFacts]:
    """Facts by line id, known only under the run's own plan, desk, scope and ledger."""
    known: dict[str, LineFacts] = {}

    def line_facts(
        line: OrderLine, plan: object, desk: Any, scope: Scope, ledger: facts.Ledger, priced: object
    ) -> LineFacts:
        assert desk.dataset("ds-1").version == "ds-1"
        assert plan == (scope, CHOSEN) and scope.item_ids == ("A", "B")
        assert ledger == facts.Ledger({})
        found = known.get(line.line_id, LINE)
        return found.model_copy(update={"negotiated_bp": facts.points(line.unit_price, line.list_price)})

    monkeypatch.setattr(facts, "line_facts", line_facts)
    return known


def test_denied_lines_are_marked_capped_or_barred_and_the_others_stand(
    operations: Operations, known_lines: dict[str, LineFacts]
) -> None:
    few, many = LINE.model_copy(update={"quantity": 40}), LARGE
    known_lines.update({"B#0": few, "C#0": many})
    order, other = draft_of(line_of("A"), line_of("B")), draft_of(line_of("C"), supplier_id="S2")
    shelf = Shelf()
    state = state_of(choice={"choices": CHOSEN}, orders=[order, other], rounds=2, adjustments={"Z|S9": 5.0})
    found = gate_lines(state, runtime_of(context_of(operations, shelf=shelf)))
    lines = [line for one in found["orders"] for line in one.lines]
    assert [(one.order_key, len(one.lines)) for one in found["orders"]] == [("run-1/S1/MAIN", 2), ("run-1/S2/MAIN", 1)]
    assert [(line.line_id, line.denied) for line in lines] == [("A#0", False), ("B#0", True), ("C#0", True)]
    assert [line.facts for line in lines] == [LINE.model_dump(), few.model_dump(), many.model_dump()]
    assert found["adjustments"] == {"Z|S9": 5.0, "B|S1": 0.0, "C|S1": 800.0}
    told = [(v["subject"], v["rule"], v["effect"], v["reason"]) for v in found["line_verdicts"]]
    too_much = "The order would cover 200 days of demand, far beyond the 60 days it has to."
    assert told == [
        ("A#0", "none", "allow", "Within every limit."),
        ("B#0", "moq", "deny", "Quantity 40 is below the supplier's minimum 50."),
        ("C#0", "max_order_quantity", "deny", too_much),
    ]
    assert shelf.artifacts == {("run-1", "verdict", "lines-2"): {"verdicts": found["line_verdicts"]}}
    assert state["adjustments"] == {"Z|S9": 5.0}


def test_a_line_that_needs_a_signature_is_not_denied(operations: Operations, known_lines: dict[str, LineFacts]) -> None:
    known_lines["A#0"] = LINE.model_copy(update={"price_bp_of_last_paid": 13_000})
    state = state_of(choice={"choices": CHOSEN}, orders=[draft_of(line_of("A"))], rounds=1)
    found = gate_lines(state, runtime_of(context_of(operations)))
    assert [verdict["effect"] for verdict in found["line_verdicts"]] == ["require_approval"]
    assert [line.denied for line in found["orders"][0].lines] == [False]
    assert found["adjustments"] == {}


@pytest.mark.parametrize(("talked_at", "price"), [(7, 2.0), (6, 2.5)], ids=["in this pass", "in an earlier pass"])
def test_only_what_was_agreed_on_this_supply_prices_a_line(
    operations: Operations, known_lines: dict[str, LineFacts], talked_at: int, price: float
) -> None:
    agreed = [{"line_id": "A#0", "unit_price": 2.0, "quantity": 10.0}]
    talk = {"order_key": "run-1/S1/MAIN", "agreements": agreed, "supply": talked_at}
    orders = [draft_of(line_of("A"))]
    state = state_of(choice={"choices": CHOSEN}, orders=orders, rounds=1, supply=7, agreements=[talk])
    (order,) = gate_lines(state, runtime_of(context_of(operations)))["orders"]
    (line,) = order.lines
    assert (line.unit_price, line.list_price, line.value) == (price, 2.5, 10 * price)
    assert line.facts["negotiated_bp"] == 10_000 * price / 2.5


@pytest.mark.parametrize(
    ("effects", "rounds", "way"),
    [
        (["allow", "deny"], 1, "compute_options"),
        (["deny", "allow"], 2, "compute_options"),
        (["allow", "deny"], 3, "gate_plan"),
        (["allow", "warn", "require_approval"], 1, "gate_plan"),
        ([], 1, "gate_plan"),
    ],
)
def test_denied_lines_go_back_to_the_planner_twice_and_no_more(effects: list[str], rounds: int, way: str) -> None:
    verdicts = [verdict_of("r", effect) for effect in effects]
    assert denied_lines_go_back(state_of(line_verdicts=verdicts, rounds=rounds)) == way


def test_the_plan_is_judged_on_its_allowed_lines_alone(operations: Operations) -> None:
    """Denied lines, orders left without a line, and changes of open orders spend nothing."""
    dropped = line_of("B", 1000.0).model_copy(update={"denied": True})
    cancel = line_of("A", 500.0, intent=Intent.EXPEDITE)
    orders = [
        draft_of(line_of("A"), dropped),
        draft_of(dropped, supplier_id="S2"),
        draft_of(cancel, supplier_id="S3", changes="PO-1"),
    ]
    shelf = Shelf()
    context = context_of(operations, shelf=shelf, rules=rules_with(budget_cents=2000))
    found = gate_plan(state_of(orders=orders), runtime_of(context))
    assert found == {
        "plan_verdicts": [
            {
                "gate": "plan",
                "rule": "budget",
                "subject": "plan",
                "effect": "deny",
                "reason": "The plan costs 25 and 0 left in 30 days; the budget is 20.",
                "limit": "2000",
                "actual": "2500",
                "tier": "",
                "policy_version": context.rules.version,
            }
        ]
    }
    assert shelf.artifacts == {("run-1", "verdict", "plan"): {"verdicts": found["plan_verdicts"]}}


def test_the_plan_counts_what_is_exposed_in_the_datasets_money(operations: Operations) -> None:
    context = context_of(operations, dataset=dataset_with(currency="JPY"))
    state = state_of(orders=[draft_of(line_of("A"))], exposure={"A": 30_000_000.0})
    assert [v["rule"] for v in gate_plan(state, runtime_of(context))["plan_verdicts"]] == ["risk_beyond_spend"]


def test_every_order_goes_its_own_way() -> None:
    orders = [order_of("A"), order_of("B")]
    assert to_order_branches(state_of(moved=[], routed=orders)) == [Send("order", {"order": order}) for order in orders]


@pytest.mark.parametrize(
    ("known", "way"),
    [({}, "close"), ({"routed": []}, "close"), ({"moved": ["A"], "routed": [order_of("A")]}, "sense")],
)
def test_without_orders_a_run_closes_and_where_supply_moved_it_looks_again(known: dict[str, Any], way: str) -> None:
    assert to_order_branches(state_of(**known)) == way
