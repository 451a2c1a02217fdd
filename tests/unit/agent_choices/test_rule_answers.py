import pytest
from agent_briefs import CEDAR, FACTS, asked, line_fact

from agents.contracts import AnalystBrief, Answer, Fact, Question, QuestionKind
from agents.grounding import unknown_numbers
from agents.rules import RuleAnalyst


def ask(question: str) -> Answer:
    return RuleAnalyst().answer(asked(question), FACTS)


def test_why_so_much_of_an_item_is_answered_with_its_line_its_reasons_and_its_stock() -> None:
    answer = ask("Why so much of I005?")
    assert answer.sources[:3] == ("line:O5#0", "outlook:I005", "ap-1")
    assert "120 are on hand or on order; 400 are expected to be needed" in answer.text
    assert "Ordering nothing would cost 1,234 USD more" in answer.text
    assert "Formula: b / (b + h)." in answer.text
    assert "I006" not in answer.text


def test_the_formula_is_kept_for_those_who_ask_why() -> None:
    assert "Formula" not in ask("When does I005 arrive?").text


def test_what_waits_is_answered_with_the_approvals_and_their_reasons_alone() -> None:
    answer = ask("What waits for approval and why?")
    assert answer.sources == ("ap-1",)
    assert "exceeds 4,000 USD" in answer.text


def test_nothing_waiting_is_said_with_the_run_as_its_source() -> None:
    quiet = AnalystBrief(facts=tuple(fact for fact in FACTS.facts if fact.kind != "approval"))
    answer = RuleAnalyst().answer(asked("what waits for approval?"), quiet)
    assert answer.text.startswith("Nothing waits for approval.")
    assert answer.sources == ("r1",)


def test_what_runs_out_first_is_ranked_by_days_of_cover() -> None:
    assert ask("Which items run out first?").sources == (
        "outlook:I007",
        "outlook:I005",
        "outlook:I006",
        "outlook:I009",
    )


def test_most_stock_is_ranked_the_other_way_round() -> None:
    assert ask("Which items have the most stock?").sources[0] == "outlook:I009"


@pytest.mark.parametrize(
    "question", ["How much do we spend with Cedar?", "what do we pay S03", "cost of Cedar Supplies"]
)
def test_spending_with_a_supplier_is_the_sum_of_its_lines(question: str) -> None:
    answer = ask(question)
    assert answer.text.startswith("2 order lines worth 6,500 USD")
    assert answer.sources == ("line:O5#0", "line:O6#0")


def test_spending_by_supplier_leaves_out_what_is_not_bought() -> None:
    answer = ask("How much do we spend?")
    assert answer.text.splitlines() == [
        "3 order lines worth 9,500 USD in this run:",
        "Cedar Supplies: 6,500 USD in 2 lines",
        "Alder Supplies: 3,000 USD in 1 line",
    ]
    assert "line:O8#0" not in answer.sources


@pytest.mark.parametrize("status", ["denied", "failed", "held", "rejected", "shadow", "withdrawn"])
def test_a_line_of_which_nothing_is_ordered_is_no_spending(status: str) -> None:
    lines = [line_fact("O1#0", "I001", CEDAR, 200.0, status), line_fact("O2#0", "I002", CEDAR, 300.0, "waiting")]
    answer = RuleAnalyst().answer(asked("How much do we spend?"), AnalystBrief(facts=tuple(lines)))
    assert answer.text.startswith("1 order line worth 300 USD")
    assert answer.sources == ("line:O2#0",)


def test_risks_come_with_the_most_money_first() -> None:
    assert ask("what are the largest risks?").sources == ("risk:S01:I007", "risk:S03:I005")


def test_a_supplier_named_by_its_name_brings_the_risks_of_its_id() -> None:
    assert ask("Is anything at risk with Cedar?").sources == ("risk:S03:I005",)


def test_a_denied_line_is_explained_by_its_verdict() -> None:
    assert ask("Why was I008 denied?").sources == ("line:O8#0", "verdict:price:O8#0")


def test_why_an_item_is_not_ordered_is_answered_by_its_outlook() -> None:
    assert ask("Why is nothing ordered of I009?").sources == ("outlook:I009",)


def test_a_figure_of_the_run_is_found_by_its_name() -> None:
    assert ask("What is our fill rate?").sources == ("kpi:fill_rate",)


def test_a_word_of_a_description_names_the_items_that_share_it() -> None:
    assert {"line:O5#0", "outlook:I006"} <= set(ask("tell me about gloves").sources)


@pytest.mark.parametrize("question", ["hello", "sing me a song", ""])
def test_a_question_that_nothing_matches_is_told_what_can_be_asked(question: str) -> None:
    answer = ask(question)
    assert "Why so much of I005?" in answer.text and "spend with Cedar Supplies" in answer.text
    assert answer.sources == ()


def test_an_unknown_item_is_called_unknown() -> None:
    assert ask("why so much of I999?").text.startswith("No stored fact is about I999.")


def test_without_a_run_the_answer_says_how_to_make_one() -> None:
    assert "jit plan" in RuleAnalyst().answer(asked("why I005?"), AnalystBrief(facts=())).text


@pytest.mark.parametrize(
    "question",
    [
        "why I005",
        "what waits?",
        "run status",
        "option choice why",
        "largest orders",
        "which items run out first",
        "why S03",
    ],
)
def test_no_answer_holds_a_number_that_its_sources_do_not(question: str) -> None:
    answer = ask(question)
    cited = [fact for fact in FACTS.facts if fact.fact_id in answer.sources]
    known = " ".join(f"{fact.text} {' '.join(map(str, fact.figures.values()))} {fact.subjects}" for fact in cited)
    assert answer.sources
    assert unknown_numbers(answer.text, known) == ()


def lead_facts() -> AnalystBrief:
    """The same run with a supplier's record and two open orders."""

    def arrival(order_id: str, item_id: str, older_than: float, overdue_days: float) -> Fact:
        figures = {"older_than": older_than, "age_days": 40.0, "overdue_days": overdue_days}
        subjects = (order_id, item_id, "S03", "Cedar Supplies")
        text = f"{order_id}: expected on 2026-03-09."
        return Fact(
            fact_id=f"arrival:{order_id}:{item_id}", kind="arrival", subjects=subjects, text=text, figures=figures
        )

    def record(supplier_id: str, name: str, bias: float) -> Fact:
        text = f"{name} ({supplier_id}) takes {bias:+.0%}."
        subjects = (supplier_id, name)
        return Fact(
            fact_id=f"lead_time:{supplier_id}", kind="lead_time", subjects=subjects, text=text, figures={"bias": bias}
        )

    more = (
        record("S01", "Alder Supplies", 0.05),
        record("S03", "Cedar Supplies", 0.4),
        arrival("PO7", "I005", 0.3, 0.0),
        arrival("PO8", "I006", 0.9, 12.0),
    )
    return AnalystBrief(facts=(*FACTS.facts, *more))


@pytest.mark.parametrize(
    ("question", "sources"),
    [
        ("How reliable is supplier S03?", ("lead_time:S03",)),
        ("how reliable is Cedar Supplies", ("lead_time:S03",)),
        ("Which suppliers are unreliable?", ("lead_time:S03", "lead_time:S01")),
        ("When will order PO7 arrive?", ("arrival:PO7:I005",)),
        ("Which open orders are late?", ("arrival:PO8:I006",)),
        ("When does I005 arrive?", ("arrival:PO7:I005", "line:O5#0")),
    ],
)
def test_lead_times_are_answered_from_records_and_open_orders(question: str, sources: tuple[str, ...]) -> None:
    assert RuleAnalyst().answer(asked(question), lead_facts()).sources == sources


def test_no_late_order_is_said_before_the_oldest_ones() -> None:
    facts = tuple(fact for fact in lead_facts().facts if not fact.figures.get("overdue_days"))
    answer = RuleAnalyst().answer(asked("are any orders overdue?"), AnalystBrief(facts=facts))
    assert answer.text.startswith("No open order is past the day it was due. Oldest against their own lead time first:")


@pytest.mark.parametrize(
    ("kind", "subject", "words"),
    [
        (QuestionKind.WHY, "I005", "why I005?"),
        (QuestionKind.CHOICE, "", "which options were chosen?"),
        (QuestionKind.STATUS, "", "what is the status?"),
    ],
)
def test_a_question_by_its_kind_is_answered_as_it_is_in_words(kind: QuestionKind, subject: str, words: str) -> None:
    by_kind = RuleAnalyst().answer(Question(kind=kind, subject=subject), FACTS)
    assert by_kind == ask(words)
    assert by_kind.sources
