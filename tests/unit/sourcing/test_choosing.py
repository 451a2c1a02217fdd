"""A plan is made again with what people left out of it, until no more is left out."""

from types import SimpleNamespace
from typing import Any

import pytest
from gate_cases import Shelf, context_of, state_of
from order_cases import order_of
from planning_cases import OPTIONS, PLAN, SCOPE, PlanningDesk, Told

from agents.contracts import PlannerChoice
from graph import choosing
from graph.choosing import ChosenPlan, chosen_plan
from graph.decided_lines import NOTHING_WITHHELD, Decided, Withheld
from graph.desk import Scope

CHOICE = PlannerChoice(choices={"high": "high/balanced"}, reasons={})
A_LEFT = Withheld({"A#0": ("a", 5.0)})
BOTH_LEFT = Withheld({"A#0": ("a", 5.0), "B#0": ("b", 7.0)})
A_GROWN = Withheld(grown=frozenset({"A#0"}))
B_LEFT = Withheld({"B#0": ("b", 7.0)}, frozenset({"A#0"}))


class AnyScope(PlanningDesk):
    """A desk whose every scope has the same options and plan."""

    def options(self, scope: Scope) -> Any:
        return OPTIONS

    def plan(self, scope: Scope, chosen: Any) -> Any:
        return PLAN


def chosen(
    monkeypatch: pytest.MonkeyPatch, steps: list[tuple[Withheld, Withheld]], **known: Any
) -> tuple[ChosenPlan, list[Withheld], Shelf, Told]:
    """The plan of a state, where a plan made with so much left out leaves out so much; what was planned with."""
    shelf, planner, seen = Shelf(), Told(CHOICE), list[Withheld]()

    def with_decisions(drafted: Any, plan: Any, scope: Scope, context: Any, counted: Withheld) -> Decided:
        seen.append(counted)
        assert scope.withheld == counted.by_offer
        held = [order_of("A").changed(order_key=f"held for {len(counted.units)}")]
        left = next(left for made, left in steps if made == counted)
        return Decided(list(drafted) if left == counted else [], held, left)

    monkeypatch.setattr(choosing, "with_decisions", with_decisions)
    context = context_of(shelf=shelf, desk=AnyScope(), agents=SimpleNamespace(planner=planner))
    return chosen_plan(state_of(**known), context), seen, shelf, planner


def test_a_plan_that_leaves_nothing_out_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made, seen, shelf, planner = chosen(monkeypatch, [(NOTHING_WITHHELD, NOTHING_WITHHELD)])
    assert (seen, len(planner.asked), made.scope) == ([NOTHING_WITHHELD], 1, SCOPE)
    assert shelf.artifacts == {}


def test_each_plan_counts_what_the_one_before_left_out_and_every_held_line_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = [(NOTHING_WITHHELD, A_LEFT), (A_LEFT, BOTH_LEFT), (BOTH_LEFT, BOTH_LEFT)]
    made, seen, shelf, planner = chosen(monkeypatch, steps)
    assert seen == [NOTHING_WITHHELD, A_LEFT, BOTH_LEFT]
    assert made.scope.withheld == (("a", 5.0), ("b", 7.0))
    assert [order.order_key for order in made.held] == ["held for 0", "held for 1", "held for 2"]
    assert len(made.proposed) == 1
    assert (len(planner.asked), len(made.decisions)) == (3, 3)
    assert {key[1:] for key in shelf.artifacts} == {("option", one.option_id) for one in OPTIONS}


def test_where_a_line_outgrew_its_decision_the_held_ones_are_found_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [(NOTHING_WITHHELD, A_LEFT), (A_LEFT, A_GROWN), (A_GROWN, B_LEFT), (B_LEFT, B_LEFT)]
    made, seen, _, _ = chosen(monkeypatch, steps)
    assert seen == [NOTHING_WITHHELD, A_LEFT, A_GROWN, B_LEFT]
    assert [order.order_key for order in made.held] == ["held for 0", "held for 1"]


def test_a_round_after_the_gates_finds_out_anew_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [(NOTHING_WITHHELD, NOTHING_WITHHELD)]
    made, seen, shelf, _ = chosen(monkeypatch, steps, withheld={"a": 5.0})
    assert (seen, made.scope.withheld) == ([NOTHING_WITHHELD], ())
    assert len(shelf.artifacts) == len(OPTIONS)
