"""What must change before a line that a person decided is proposed otherwise again."""

import pytest

from policies.material import Materiality, Proposal, material_changes
from tools.domain.decisions import LineDecision, LineRuling

LIMITS = Materiality()


def decided(units: float = 800.0, price: float = 10.0, risk_bp: int = 200) -> LineDecision:
    return LineDecision(
        approval_id="ap-1",
        order_key="run-1/S1/MAIN",
        line_id="I1#0",
        item_id="I1",
        site_id="MAIN",
        supplier_id="S1",
        ruling=LineRuling.REJECT,
        proposed_units=units,
        decided_units=0.0,
        list_price=price,
        stockout_bp=risk_bp,
        actor="bob",
    )


@pytest.mark.parametrize(
    "now",
    [
        Proposal(800, 10, 200),
        Proposal(959, 10, 200),
        Proposal(641, 10, 200),
        Proposal(800, 10.49, 200),
        Proposal(800, 9.51, 200),
        Proposal(800, 10, 699),
        Proposal(800, 10, 0),
        Proposal(300, 10, 200, bought_units=400),
    ],
)
def test_within_the_thresholds_a_decision_holds(now: Proposal) -> None:
    assert material_changes(decided(), now, LIMITS) == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (Proposal(960, 10, 200), "the quantity is 960 instead of 800 (+20%)"),
        (Proposal(640, 10, 200), "the quantity is 640 instead of 800 (-20%)"),
        (Proposal(960, 10, 200, bought_units=400), "the quantity is 960 instead of 800 (+20%)"),
        (Proposal(800, 10.5, 200), "the price is 10.50 instead of 10.00 (+5%)"),
        (Proposal(800, 9.5, 200), "the price is 9.50 instead of 10.00 (-5%)"),
        (Proposal(800, 10, 700), "the risk of a stock-out is 7 %, it was 2 %"),
        (Proposal(800, 10, 200, new_alerts=("delay at S1",)), "there is a new alert: delay at S1"),
    ],
)
def test_at_a_threshold_the_line_comes_back_and_says_what_changed(now: Proposal, said: str) -> None:
    assert material_changes(decided(), now, LIMITS) == [said]


def test_thresholds_can_be_set() -> None:
    assert material_changes(decided(), Proposal(960, 10.5, 700), Materiality(0.5, 0.2, 1000)) == []


def test_a_price_of_nothing_before_is_a_change_only_when_there_is_one_now() -> None:
    assert material_changes(decided(price=0.0), Proposal(800, 0, 200), LIMITS) == []
    assert len(material_changes(decided(price=0.0), Proposal(800, 1, 200), LIMITS)) == 1


def test_risks_are_told_in_whole_percent() -> None:
    assert material_changes(decided(risk_bp=4050), Proposal(800, 10, 9949), LIMITS) == [
        "the risk of a stock-out is 99 %, it was 40 %"
    ]
    assert material_changes(decided(risk_bp=9000), Proposal(800, 10, 10_000), LIMITS) == [
        "the risk of a stock-out is 100 %, it was 90 %"
    ]


def test_exactly_what_was_bought_asks_for_nothing_more() -> None:
    """With a threshold of nothing even the same quantity is no rise once something was bought."""
    always = Materiality(quantity=0.0)
    assert material_changes(decided(), Proposal(800, 10, 200, bought_units=1), always) == []
    assert material_changes(decided(), Proposal(800, 10, 200), always) != []
