import pytest
from agent_briefs import PLANNER, RISK, TALK, option
from hypothesis import given
from hypothesis import strategies as st

from agents.bargaining import brief_prospects, open_lines
from agents.contracts import NegotiationBrief, PlannerBrief, Severity
from agents.rules import RuleNegotiator, RulePlanner, RuleRiskAgent
from tools.negotiation import seeded_supplier

PRICES = st.floats(0.01, 1e5)


class Says:
    """A supplier that always answers with the same price."""

    def __init__(self, price: float | None) -> None:
        self.price = price

    def reply(self, line_id: str, offered_price: float, round_number: int) -> float | None:
        return self.price


def test_the_planner_takes_the_cheapest_option_that_keeps_the_service_floor() -> None:
    assert RulePlanner().choose(PLANNER).choices["B"] == "B-rich"


def test_less_money_at_risk_decides_between_nearly_equal_costs() -> None:
    assert RulePlanner().choose(PLANNER).choices["A"] == "A-safe"


def test_the_planners_reason_names_cost_service_and_the_cheapest_rival() -> None:
    reason = RulePlanner().choose(PLANNER).reasons["A"]
    assert "1,003 USD" in reason and "97.0%" in reason and "103 less" in reason


def test_an_only_option_is_called_the_only_option() -> None:
    brief = PlannerBrief(currency="USD", options=(option("C-hold", "C", 5.0, 0.5),))
    assert RulePlanner().choose(brief).reasons["C"].startswith("Only option")


def test_every_gap_is_a_finding_worst_first_and_a_covered_item_is_none() -> None:
    found = RuleRiskAgent().assess(RISK).risks
    assert [(risk.node_id, risk.item_ids, risk.severity) for risk in found] == [
        ("S01", ("I001",), Severity.HIGH),
        ("S02", ("I002",), Severity.MEDIUM),
    ]
    assert found[0].summary == (
        "If Alder (S01) stopped delivering, I001 would last 12 days and be out for 28 days until supply is back: "
        "about 9,000 USD at risk."
    )


def test_a_gap_of_hours_is_told_as_a_day() -> None:
    (row, *_), day = RISK.exposures, {"days_of_cover": 12.1, "days_to_recover": 12.4}
    (found,) = RuleRiskAgent().assess(RISK.model_copy(update={"exposures": (row.model_copy(update=day),)})).risks
    assert "would last 12 days and be out for 1 day until" in found.summary


def test_the_negotiator_plays_the_tactic_with_the_lowest_expected_total() -> None:
    promised = brief_prospects(TALK)
    outcome = RuleNegotiator().negotiate(TALK, seeded_supplier("S01", {"O1#0": 10.0, "O2#0": 4.0}, 7))
    assert outcome.tactic == promised[0].tactic
    assert promised[0].expected_total == min(known.expected_total for known in promised)


def test_what_is_saved_is_the_difference_to_the_list_prices() -> None:
    outcome = RuleNegotiator().negotiate(TALK, seeded_supplier("S01", {"O1#0": 10.0, "O2#0": 4.0}, 7))
    prices = {agreed.line_id: agreed.unit_price for agreed in outcome.agreements}
    assert outcome.status == "agreed"
    assert outcome.saved == pytest.approx(sum((ln.unit_price - prices[ln.line_id]) * ln.quantity for ln in TALK.lines))


def test_with_nobody_to_talk_to_an_opening_is_drafted_without_the_reservation_price() -> None:
    outcome = RuleNegotiator().negotiate(TALK, None)
    assert (outcome.status, outcome.agreements, outcome.saved) == ("drafted", (), 0.0)
    assert "I001, 100 units at 9.2 USD" in outcome.message
    assert "9.83" not in outcome.message


@pytest.mark.parametrize("answer", [None, float("nan"), float("inf"), -1.0, 0.0, 1e9])
def test_an_answer_that_is_no_acceptable_price_ends_without_a_deal(answer: float | None) -> None:
    outcome = RuleNegotiator().negotiate(TALK, Says(answer))
    assert (outcome.status, outcome.agreements) == ("no_deal", ())


def test_a_line_with_nothing_to_gain_is_not_talked_about() -> None:
    fixed = TALK.lines[0].model_copy(update={"target_price": 10.0, "reservation_price": 10.0})
    brief = TALK.model_copy(update={"lines": (fixed,)})
    assert open_lines(brief) == ()
    assert RuleNegotiator().negotiate(brief, Says(1.0)).status == "no_deal"


@given(listed=PRICES, low=st.floats(0.1, 1.0), high=st.floats(0.1, 1.0), answer=st.floats(allow_nan=True))
def test_an_agreed_price_lies_between_target_and_reservation_whatever_the_other_side_says(
    listed: float, low: float, high: float, answer: float
) -> None:
    line = TALK.lines[0].model_copy(
        update={
            "unit_price": listed,
            "target_price": listed * min(low, high),
            "reservation_price": listed * max(low, high),
        }
    )
    brief = NegotiationBrief(supplier_id="S01", currency="USD", lines=(line,))
    outcome = RuleNegotiator().negotiate(brief, Says(answer))
    assert all(
        line.target_price <= agreed.unit_price <= line.reservation_price and agreed.unit_price <= line.unit_price
        for agreed in outcome.agreements
    )
    assert outcome.saved >= 0
