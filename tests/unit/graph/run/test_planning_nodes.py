"""Risks, options and the choice among them: what each agent is asked, and what is stored of its answer."""

from types import SimpleNamespace
from typing import Any

import pytest
from gate_cases import (
    CHOSEN,
    NOW,
    Shelf,
    context_of,
    runtime_of,
    state_of,
    verdict_of,
)
from order_cases import order_of
from planning_cases import OPTIONS, OUTLOOKS, PLAN, RULED, SCOPE, PlanningDesk, Told

from agents.contracts import (
    ExposureFigures,
    OptionFigures,
    PlannerBrief,
    PlannerChoice,
    RiskAssessment,
    RiskBrief,
    RiskFinding,
    Severity,
)
from graph.computation.desk import Scope
from graph.context import Context
from graph.facts import records
from graph.run import nodes
from graph.run.nodes import assess_risk, choose_plan, compute_options
from tools.domain.alerts import Alert, AlertKind
from tools.domain.orders import Order
from tools.network import ItemExposure


def exposure(item_id: str, node_id: str, money: float) -> ItemExposure:
    return ItemExposure(item_id, node_id, 5.0, 30.0, money, f"{node_id} > {item_id}")


FOUND = RiskFinding(node_id="N9", item_ids=("A",), severity=Severity.HIGH, summary="One plant makes it.")


def test_the_worst_twelve_exposures_and_every_alert_are_assessed() -> None:
    delay = Alert(
        alert_id="a-1", kind=AlertKind.DELAY, node_id="S1", delay_days=45, capacity_fraction=0.5, received_at=NOW
    )
    state = state_of(alerts=[delay.model_dump(mode="json")])
    rows = [exposure("A" if number % 2 else "B", f"N{number}", 100.0 * (number + 1)) for number in range(14)]
    risk, shelf = Told(RiskAssessment(risks=(FOUND,))), Shelf()
    desk = PlanningDesk(*rows, scope=nodes.scope_of(state))
    found = assess_risk(state, runtime_of(context_of(shelf=shelf, desk=desk, agents=SimpleNamespace(risk=risk))))
    shown = tuple(
        ExposureFigures(
            node_id=f"N{number}",
            item_id="A" if number % 2 else "B",
            node=f"N{number}",
            item="A" if number % 2 else "B",
            days_of_cover=5.0,
            days_to_recover=30.0,
            money_at_risk=100.0 * (number + 1),
            route=f"N{number} > {'A' if number % 2 else 'B'}",
        )
        for number in range(13, 1, -1)
    )
    told = ("delay at S1: 45 days, capacity 50%",)
    assert risk.asked == [RiskBrief(currency="USD", exposures=shown, alerts=told)]
    risks = [FOUND.model_dump(mode="json")]
    assert found == {"exposure": {"A": 1400.0, "B": 1300.0}, "decisions": [RULED]}
    exposures = [row.model_dump() for row in shown]
    assert shelf.artifacts == {
        ("run-1", "risk", "assessment"): {"risks": risks, "exposures": exposures, **RULED},
        ("run-1", "risk", "exposed"): found["exposure"],
    }


def test_what_kept_items_have_at_risk_counts_and_is_told_again() -> None:
    state = state_of(item_ids=["A", "B"], kept=[order_of("B", run_id="run-2")])
    shelf = Shelf()
    told = {**FOUND.model_dump(mode="json"), "item_ids": ["B"]}
    shelf.put_artifact("run-2", "risk", "assessment", {"risks": [told], "exposures": [{"item_id": "B"}]})
    shelf.put_artifact("run-2", "risk", "exposed", {"B": 900.0, "C": 1.0})
    agents = SimpleNamespace(risk=Told(RiskAssessment(risks=())))
    desk = PlanningDesk(exposure("A", "N1", 7.0), scope=nodes.scope_of(state))
    found = assess_risk(state, runtime_of(context_of(desk=desk, shelf=shelf, agents=agents)))
    assert found["exposure"] == {"A": 7.0, "B": 900.0}
    assert shelf.artifacts["run-1", "risk", "assessment"]["risks"] == [told]
    assert shelf.artifacts["run-1", "risk", "exposed"] == found["exposure"]


def test_an_item_without_money_at_risk_is_exposed_by_nothing() -> None:
    agents = SimpleNamespace(risk=Told(RiskAssessment(risks=())))
    context = context_of(desk=PlanningDesk(exposure("A", "N1", 0.0)), agents=agents)
    assert assess_risk(state_of(), runtime_of(context))["exposure"] == {"A": 0.0}


def test_computed_options_take_the_place_of_those_of_an_earlier_round() -> None:
    shelf = Shelf()
    shelf.artifacts = {("run-1", "option", "high/old"): {}, ("run-1", "plan", "choice"): {}}
    assert compute_options(state_of(), runtime_of(context_of(shelf=shelf, desk=PlanningDesk()))) == {}
    assert shelf.artifacts == {
        ("run-1", "plan", "choice"): {},
        **{("run-1", "option", one.option_id): records.option(one) for one in OPTIONS},
    }


CHOICE = PlannerChoice(choices=CHOSEN, reasons={"high": "It serves best."}, decided_by="model", model="m-1")
BY_MODEL = {**RULED, "decided_by": "model", "model": "m-1"}


@pytest.mark.parametrize(
    ("known", "feedback"),
    [
        ({}, ()),
        ({"line_verdicts": [verdict_of("a", "deny"), verdict_of("b"), verdict_of("c", "deny")]}, ("a.", "c.")),
    ],
)
def test_the_planner_chooses_among_figures_and_hears_why_lines_were_denied(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, Any], feedback: tuple[str, ...]
) -> None:
    planner, shelf = Told(CHOICE), Shelf()
    context = context_of(shelf=shelf, desk=PlanningDesk(), agents=SimpleNamespace(planner=planner))
    held = order_of("C")

    def with_decisions(drafted: list[Order], plan: Any, scope: Scope, chosen: Any, seen: Context) -> tuple[Any, Any]:
        assert plan is PLAN and scope == SCOPE and chosen == CHOSEN and seen is context
        return drafted, [held]

    monkeypatch.setattr(nodes, "with_decisions", with_decisions)
    found = choose_plan(state_of(**known), runtime_of(context))
    figures = tuple(
        OptionFigures(
            option_id=f"high/{profile}",
            group="high",
            title=f"{profile} of high",
            order_value=value,
            expected_cost=cost,
            fill_rate=0.99,
            stockout_probability=0.02,
            risk_exposure=70.0,
            suppliers=suppliers,
        )
        for profile, value, cost, suppliers in [
            ("balanced", 20_250.0, 20_300.0, ("S1",)),
            ("lean", 10_000.0, 10_900.0, ("S1", "S2")),
        ]
    )
    assert planner.asked == [PlannerBrief(currency="USD", options=figures, feedback=feedback)]
    chosen = CHOICE.model_dump(mode="json")
    (order,) = found["orders"]
    assert found == {"choice": chosen, "orders": [order], "held": [held], "rounds": 1, "decisions": [BY_MODEL]}
    assert (order.order_key, order.run_id, order.currency) == ("run-1/S1/MAIN", "run-1", "USD")
    assert [(line.line_id, line.quantity) for line in order.lines] == [("A#0", 100.0), ("B#0", 5000.0)]
    assert shelf.artifact("run-1", "plan", "choice") == {**chosen, **records.plan_totals(PLAN)}
    assert records.stored_scope("run-1", shelf) == SCOPE
    outlooks = {f"{one.item_id}@MAIN": records.outlook(one) for one in OUTLOOKS}
    assert {key: shelf.artifact("run-1", "outlook", key) for key in outlooks} == outlooks
    assert len(shelf.artifacts) == 4
