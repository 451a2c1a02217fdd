"""What a model's answer is refused for, agent by agent; a good answer meets no objection."""

import json
from typing import Any

import pytest
from agent_briefs import FACTS, PLANNER, RISK, TALK, asked
from pydantic import ValidationError

from agents.analyst import AnalystAnswer, answer_objection, shown_facts
from agents.bargaining import brief_prospects
from agents.contracts import AnalystBrief, Answer, Fact
from agents.extractor import SHOWN_IDS, ExtractorAnswer, form_objection, shown_ids
from agents.negotiator import NegotiatorAnswer, opening_objection, wishes
from agents.planner import PlannerAnswer, planner_objection
from agents.risk import RiskAnswer, risk_objection
from agents.rules import RuleAnalyst


def planned(*choices: tuple[str, str, str]) -> PlannerAnswer:
    rows = [{"group": group, "option_id": option_id, "reason": reason} for group, option_id, reason in choices]
    return PlannerAnswer.model_validate_json(json.dumps({"choices": rows}))


GOOD_A = ("A", "A-safe", "1,003 USD keeps 97% of demand served.")
GOOD_B = ("B", "B-lean", "Cheapest at 200.")


@pytest.mark.parametrize(
    ("choices", "objection"),
    [
        ((GOOD_A, GOOD_B), ""),
        ((GOOD_A,), "exactly one for each group"),
        ((GOOD_A, GOOD_B, GOOD_B), "exactly one for each group"),
        ((GOOD_A, GOOD_B, ("C", "C-x", "Fine.")), "exactly one for each group"),
        ((GOOD_A, ("B", "A-safe", "Fine.")), "group B has these option_id: B-lean, B-rich"),
        ((GOOD_A, ("B", "B-best", "Fine.")), "group B has these option_id"),
        ((GOOD_A, ("B", "B-lean", "It saves 61 USD.")), "do not stand in the document: 61"),
    ],
)
def test_a_plan_needs_one_own_option_for_every_group_and_computed_numbers(
    choices: tuple[tuple[str, str, str], ...], objection: str
) -> None:
    said = planner_objection(planned(*choices), PLANNER)
    assert objection in said
    assert bool(said) == bool(objection)


def risks(*rows: dict[str, Any]) -> RiskAnswer:
    return RiskAnswer.model_validate_json(json.dumps({"risks": rows}))


def risk(node_id: str, *item_ids: str, summary: str = "Exposed.", hedge: str = "") -> dict[str, Any]:
    return {"node_id": node_id, "item_ids": item_ids, "severity": "high", "summary": summary, "hedge": hedge}


@pytest.mark.parametrize(
    ("rows", "objection"),
    [
        ((risk("S01", "I001", summary="I001 is covered for 12 of 40 days."), risk("S02", "I002", "I003")), ""),
        ((), "none named"),
        ((risk("S09", "I001"),), "only pairs"),
        ((risk("S01", "I002"),), "only pairs"),
        ((risk("S01", "I001"), risk("S01", "I001")), "named twice"),
        ((risk("S01", "I001", summary="It costs 12,345 USD."),), "12,345"),
        ((risk("S01", "I001", hedge="Order 700 units."),), "700"),
    ],
)
def test_a_finding_is_about_a_computed_exposure(rows: tuple[dict[str, Any], ...], objection: str) -> None:
    said = risk_objection(risks(*rows), RISK)
    assert objection in said
    assert bool(said) == bool(objection)


@pytest.mark.parametrize(
    ("message", "objection"),
    [
        ("We would like 100 units of I001 at 9.20 USD and 50 of I002 at 3.68 USD.", ""),
        ("We would pay up to 9.83 USD.", "9.83"),
        ("Give us 20% off.", "20"),
        ("Our reservation price is near.", "reservation"),
        ("We will play tit for tat.", "tit"),
    ],
)
def test_an_opening_names_only_what_a_supplier_may_hear(message: str, objection: str) -> None:
    said = opening_objection(NegotiatorAnswer(tactic=brief_prospects(TALK)[0].tactic, message=message), TALK)
    assert objection in said
    assert bool(said) == bool(objection)


def test_a_model_never_sees_the_reservation_price() -> None:
    assert "9.83" not in json.dumps(wishes(TALK))


DRAFT = RuleAnalyst().answer(asked("How much do we spend with Cedar?"), FACTS)


@pytest.mark.parametrize(
    ("text", "sources", "objection"),
    [
        ("I005 from Cedar Supplies waits, 5,000 USD.", ["line:O5#0"], ""),
        ("We spend 6,500 USD with Cedar.", ["line:O5#0", "line:O6#0"], ""),
        ("We spend 6,500 USD with Cedar.", ["line:O7#0"], "6,500"),
        ("It is worth 3,000 USD.", ["line:O5#0"], "3,000"),
        ("Nothing to see.", ["line:O99#0"], "every one must be the fact_id"),
        ("We order 9,999 of it.", ["line:O5#0"], "9,999"),
    ],
)
def test_an_answer_cites_facts_that_exist_and_that_hold_its_numbers(
    text: str, sources: list[str], objection: str
) -> None:
    said = answer_objection(AnalystAnswer(text=text, sources=sources), "How many of 9,999?", FACTS.facts, DRAFT)
    assert objection in said
    assert bool(said) == bool(objection)


def test_an_id_of_the_question_may_be_repeated() -> None:
    said = AnalystAnswer(text="No fact is about I999.", sources=["r1"])
    assert answer_objection(said, "why I999?", FACTS.facts, Answer(text="")) == ""


def test_an_answer_without_a_source_is_outside_the_schema() -> None:
    with pytest.raises(ValidationError):
        AnalystAnswer(text="Trust me.", sources=[])


def test_of_many_facts_a_model_is_shown_those_that_the_question_is_about() -> None:
    many = tuple(Fact(fact_id=f"x{n}", kind="outlook", subjects=(f"Z{n:05d}",), text="Fine.") for n in range(5_000))
    brief = AnalystBrief(facts=(*many, *FACTS.facts))
    shown = shown_facts(asked("why so much of I005?"), brief.facts, ("ap-1",))
    assert [fact.fact_id for fact in shown[:3]] == ["ap-1", "line:O5#0", "outlook:I005"]
    assert len(shown) == 40


def form(**fields: Any) -> ExtractorAnswer:
    return ExtractorAnswer.model_validate_json(json.dumps({"found": True, "kind": "delay", "node_id": "S01", **fields}))


@pytest.mark.parametrize(
    ("fields", "objection"),
    [
        ({}, ""),
        ({"item_ids": ["I001"]}, ""),
        ({"found": False, "kind": None, "node_id": ""}, ""),
        ({"kind": None}, "kind: needed"),
        ({"node_id": "S99"}, "node_id"),
        ({"item_ids": ["S01"]}, "item_ids"),
        ({"item_ids": ["I999"]}, "item_ids"),
    ],
)
def test_a_form_names_known_ids(fields: dict[str, Any], objection: str) -> None:
    said = form_objection(form(**fields), ["S01", "I001"], ["I001", "I002"])
    assert objection in said
    assert bool(said) == bool(objection)


@pytest.mark.parametrize(
    "fields",
    [
        {"delay_days": 9999},
        {"delay_days": -1},
        {"delay_days": "14"},
        {"delay_days": 1.5},
        {"capacity_fraction": 1.01},
        {"confidence": float("nan")},
        {"kind": "approve_everything"},
        {"quantity": 9999},
        {"status": "approved"},
    ],
)
def test_a_form_has_no_room_for_other_fields_types_or_bounds(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        form(**fields)


def test_of_many_ids_a_model_is_shown_those_that_the_notice_names() -> None:
    many = [f"N{number}" for number in range(2_000)]
    shown = shown_ids("Birch is late with N1999", [*many, "S02"], [], {"S02": "Birch"})
    assert len(shown) == SHOWN_IDS
    assert {"N1999", "S02"} <= set(shown[:8])
