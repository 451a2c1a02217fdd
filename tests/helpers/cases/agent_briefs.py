"""Small briefs for the agents, as the graph hands them over."""

from agents.contracts import (
    AnalystBrief,
    ExposureFigures,
    Fact,
    NegotiationBrief,
    NegotiationLine,
    OptionFigures,
    PlannerBrief,
    Question,
    QuestionKind,
    RiskBrief,
)


def asked(words: str) -> Question:
    return Question(kind=QuestionKind.WORDS, subject=words)


def option(option_id: str, group: str, cost: float, fill: float, risk: float = 0.0) -> OptionFigures:
    return OptionFigures(
        option_id=option_id,
        group=group,
        title=f"{option_id} title",
        order_value=cost * 0.8,
        expected_cost=cost,
        fill_rate=fill,
        stockout_probability=1 - fill,
        risk_exposure=risk,
        suppliers=("S01",),
    )


PLANNER = PlannerBrief(
    currency="USD",
    options=(
        option("A-lean", "A", 900.0, 0.91),
        option("A-balanced", "A", 1000.0, 0.96, risk=50.0),
        option("A-safe", "A", 1003.0, 0.97, risk=20.0),
        option("A-rich", "A", 1400.0, 0.995),
        option("B-lean", "B", 200.0, 0.80),
        option("B-rich", "B", 260.0, 0.90),
    ),
)


def exposed(
    node_id: str, item_id: str, covered: float, recovers: float, money: float, node: str = ""
) -> ExposureFigures:
    return ExposureFigures(
        node_id=node_id,
        item_id=item_id,
        node=node or node_id,
        item=item_id,
        days_of_cover=covered,
        days_to_recover=recovers,
        money_at_risk=money,
        route=f"{node_id} > {item_id}",
    )


RISK = RiskBrief(
    currency="USD",
    exposures=(
        exposed("S01", "I001", 12, 40, 9000, "Alder (S01)"),
        exposed("S02", "I002", 20, 35, 2000),
        exposed("S02", "I003", 90, 35, 0),
    ),
    alerts=("delay at S01: 14 days, capacity 100%",),
)
TALK = NegotiationBrief(
    supplier_id="S01",
    currency="USD",
    lines=(
        NegotiationLine(
            line_id="O1#0", item_id="I001", quantity=100, unit_price=10.0, target_price=9.2, reservation_price=9.83
        ),
        NegotiationLine(
            line_id="O2#0", item_id="I002", quantity=50, unit_price=4.0, target_price=3.68, reservation_price=4.0
        ),
    ),
)


def line_fact(line_id: str, item: str, supplier: tuple[str, str], value: float, status: str, **figures: float) -> Fact:
    text = f"{item}: place 100 pack from {supplier[1]} for {value:,.0f} USD, expected 2026-03-01 ({status})."
    subjects = (item, *supplier, line_id, f"Nitrile gloves {item[-1]}", status)
    known = {"value": value, **figures}
    return Fact(
        fact_id=f"line:{line_id}",
        kind="line",
        subjects=subjects,
        text=text,
        detail="Formula: b / (b + h).",
        figures=known,
        currency="USD",
    )


def outlook_fact(item: str, days: float, share: float) -> Fact:
    return Fact(
        fact_id=f"outlook:{item}",
        kind="outlook",
        subjects=(item, f"Nitrile gloves {item[-1]}"),
        text=f"{item}: Stock covers {days:,.0f} days; the probability of a stock-out is {share:.0%}.",
        figures={"days_of_cover": days, "stockout_probability": share},
    )


WHY = {
    "inventory_position": 120.0,
    "order_up_to": 620.0,
    "lead_time_demand_mean": 400.0,
    "safety_stock": 90.0,
    "extra_cost_of_ordering_nothing": 1234.4,
    "extra_cost_of_next_best_source": 210.0,
}
CEDAR, ALDER = ("S03", "Cedar Supplies"), ("S01", "Alder Supplies")
FACTS = AnalystBrief(
    facts=(
        Fact(
            fact_id="r1",
            kind="run",
            subjects=("r1",),
            text="Run r1 is waiting: 4 order lines worth 9,500 USD, 1 orders wait for approval, 2 were dispatched.",
        ),
        line_fact("O5#0", "I005", CEDAR, 5000.0, "waiting", **WHY),
        line_fact("O6#0", "I006", CEDAR, 1500.0, "confirmed"),
        line_fact("O7#0", "I007", ALDER, 3000.0, "confirmed"),
        line_fact("O8#0", "I008", ALDER, 700.0, "denied"),
        outlook_fact("I005", 12.0, 0.2),
        outlook_fact("I006", 45.0, 0.04),
        outlook_fact("I007", 5.0, 0.1),
        outlook_fact("I009", 80.0, 0.01),
        Fact(
            fact_id="risk:S03:I005",
            kind="risk",
            subjects=("S03", "I005"),
            text="Without S03, I005 is 28 days short, 4,000 USD at risk.",
            figures={"money_at_risk": 4000.0},
        ),
        Fact(
            fact_id="risk:S01:I007",
            kind="risk",
            subjects=("S01", "I007"),
            text="Without S01, I007 is 30 days short, 8,000 USD at risk.",
            figures={"money_at_risk": 8000.0},
        ),
        Fact(fact_id="A-safe", kind="option", subjects=("A-safe", "A"), text="A-safe: least risk at the same cost."),
        Fact(
            fact_id="verdict:price:O8#0",
            kind="verdict",
            subjects=("O8#0", "price"),
            text="O8#0: deny by price. 30 % above the contract.",
        ),
        Fact(
            fact_id="ap-1",
            kind="approval",
            subjects=("ap-1", "Cedar Supplies", "O5#0"),
            text="ap-1: Cedar Supplies, 5,000 USD, needs a manager. The value exceeds 4,000 USD.",
        ),
        Fact(fact_id="kpi:fill_rate", kind="kpi", subjects=("fill_rate",), text="fill_rate: 0.97"),
    )
)
