"""What a buyer reads of lines and items: short, without the engine's words, each number that of the facts."""

import re
from calendar import month_name
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger, settings_of
from shared_data import shared_data

from graph.session import open_session
from graph.views.orders import LineView
from graph.views.plans import PlanView

LONGEST = 35
ENGINE_WORDS = (
    "position",
    "order-up-to",
    "level",
    "quantile",
    "cvar",
    "shadow",
    "pipeline",
    "newsvendor",
    "rollout",
    "sample path",
    "candidate",
    "horizon",
    "safety stock",
    "lead time",
    "stochastic",
    "bp",
    "continuation",
    "base stock",
    "expected cost",
    "backorder",
    "period",
)
WORDS_OF_VERDICTS = ("level", "lead time", "period", "shadow", "horizon")
"""Of autonomy and its mode, of a supplier, and of what demand is recorded by: a buyer's words there.

A horizon is in one built-in rule: with other words it would be another policy, which voids all that waits."""
MONTHS = month_name[1:]
NUMBER = re.compile(r"(?<![\w|])\d[\d,]*(?:\.\d+)?(?![\w|])")


@pytest.fixture(scope="module", params=["demo", "demo_rdc"])
def plan(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlanView]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "demo":
        with demo_session(folder) as session:
            yield session.plan()
        return
    session = open_session(settings_of(folder))
    session.import_folder(str(shared_data("demo_rdc")))
    session.start(plan_trigger())
    yield session.plan()
    session.close()


def two_digits(value: float) -> str:
    """An estimate as people say it, by another way than the program's."""
    near = Context(prec=2, rounding=ROUND_HALF_EVEN).create_decimal(Decimal(repr(value))).normalize()
    return f"{near:,f}"


def numbers_of(line: LineView) -> set[str]:
    """Every number that may stand in the words of a line."""
    known = line.figures
    ordered, arrives = date.fromisoformat(line.order_date), date.fromisoformat(line.expected_arrival)
    found = {f"{line.quantity:,.0f}", f"{(arrives - ordered).days}"}
    if line.sentence.startswith("Ordered"):
        found.add(str(ordered.day))
    if "days_of_cover" in known:
        cover = round(known["days_of_cover"])
        runs_out = ordered + timedelta(days=min(cover, 100_000))
        found |= {f"{cover:,}", str(runs_out.day), str(runs_out.year)}
    estimates = (
        "extra_cost_of_ordering_nothing",
        "extra_cost_of_next_best_source",
        "lead_time_demand_mean",
        "inventory_position",
        "safety_stock",
        "quantity_before_rounding",
    )
    found |= {two_digits(known[name]) for name in estimates if name in known}
    found |= {str(round(100 * known[name])) for name in ("share_of_paths_that_need_it",) if name in known}
    return found | ({"100"} if "share_of_paths_that_need_it" in known else {"0"})


def words_of(text: str, line: LineView) -> str:
    """The text without names, which may hold any number."""
    return text.replace(f"{line.supplier} ({line.supplier_id})", "NAME")


def test_every_line_has_a_short_sentence_and_at_most_three_reasons(plan: PlanView) -> None:
    assert plan.lines
    for line in plan.lines:
        assert line.sentence.endswith(".") and "\n" not in line.sentence
        assert len(line.reasons) <= 3
        sentences = [line.sentence, *(part for reason in line.reasons for part in re.split(r"(?<=\.) ", reason))]
        assert {text: len(text.split()) for text in sentences if len(text.split()) > LONGEST} == {}


def test_risks_and_verdicts_are_told_shortly_with_names_beside_ids(plan: PlanView) -> None:
    """No sentence over 35 words, no engine word; a risk names its supplier and item, its figures those assessed."""
    assert plan.verdicts
    told = [(risk.node_id, risk.summary) for risk in plan.risks]
    told += [(verdict.rule, verdict.reason) for verdict in plan.verdicts]
    for subject, text in told:
        assert all(len(part.split()) <= LONGEST for part in re.split(r"(?<=\.) ", text)), text
        words = [word for word in ENGINE_WORDS if word not in WORDS_OF_VERDICTS]
        assert [word for word in words if re.search(rf"\b{word}", text.lower())] == [], (subject, text)
    names = {line.supplier_id: line.supplier for line in plan.lines}
    items = {line.item_id: line.item for line in plan.lines}
    for risk in plan.risks:
        if risk.node_id in names:
            assert f"{names[risk.node_id]} ({risk.node_id})" in risk.summary
        if risk.item_ids[0] in items:
            assert f"{items[risk.item_ids[0]]} ({risk.item_ids[0]})" in risk.summary
        if risk.days_of_cover is not None and risk.money_at_risk is not None:
            assert f"last {round(risk.days_of_cover):,} day" in risk.summary
            assert f"about {two_digits(risk.money_at_risk)} {plan.currency} at risk" in risk.summary


def test_no_word_of_the_engine_stands_in_what_a_buyer_reads_first(plan: PlanView) -> None:
    told = [words_of(text, line) for line in plan.lines for text in (line.sentence, *line.reasons)]
    told += [text for outlook in plan.outlooks for text in (outlook.sentence, *outlook.reasons)]
    found = {(word, text) for text in told for word in ENGINE_WORDS if re.search(rf"\b{word}", text.lower())}
    assert found == set()


def test_a_supplier_is_named_with_its_id(plan: PlanView) -> None:
    for line in plan.lines:
        if line.status != "held" and line.supplier != line.supplier_id:
            assert f"{line.supplier} ({line.supplier_id})" in line.sentence


def test_every_number_is_that_of_the_facts(plan: PlanView) -> None:
    checked = 0
    for line in plan.lines:
        if line.status == "held":
            continue
        for text in (line.sentence, *line.reasons):
            for number in NUMBER.findall(words_of(text, line)):
                assert number.rstrip(",") in numbers_of(line), (number, text, line.figures)
                checked += 1
    assert checked >= 4 * len(plan.lines)


def test_the_day_on_which_stock_runs_out_is_the_end_of_its_cover(plan: PlanView) -> None:
    told = 0
    for line in plan.lines:
        found = re.search(r"run out around (\d+) (\w+)", line.sentence)
        if found:
            out = date.fromisoformat(line.order_date) + timedelta(days=round(line.figures["days_of_cover"]))
            assert (int(found[1]), found[2]) == (out.day, MONTHS[out.month - 1])
            assert out < date.fromisoformat(line.expected_arrival)
            told += 1
    assert told or all(line.figures.get("days_of_cover", 1e9) > 0 for line in plan.lines)


def test_an_item_is_told_of_by_its_cover_and_its_risk(plan: PlanView) -> None:
    for outlook in plan.outlooks:
        days = round(outlook.days_of_cover)
        assert f" {days:,} day" in outlook.sentence or days >= 3_650
        for value, told in ((outlook.stockout_probability, outlook.reasons[0]), (outlook.fill_rate, outlook.sentence)):
            if 0.01 <= value <= 0.99:
                assert f"{round(100 * value)} %" in told
        assert len(outlook.sentence.split()) <= LONGEST


def test_sentences_are_the_same_wherever_a_line_is_told(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        lines = {line.line_id: line for line in session.plan().lines}
        told = [line for approval in session.pending() for line in approval.lines]
        assert told
        for line in told:
            assert (line.sentence, line.reasons) == (lines[line.line_id].sentence, lines[line.line_id].reasons)
        assert {line.days_of_cover for line in told} == {lines[line.line_id].days_of_cover for line in told}
        asked = session.explain(None, told[0].item_id)
        assert told[0].sentence in asked.text or told[0].sentence in " ".join(asked.sources)


def test_a_line_that_was_ordered_or_turned_down_is_not_asked_for_again(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        first, second = [a for a in session.pending() if a.lines[0].intent == "place"][:2]
        assert first.lines[0].sentence.startswith("Order ")
        signed = session.decide(first.approval_id, "approve", "mara")
        refused = session.decide(second.approval_id, "reject", "mara", "not now")
        assert all(line.sentence.startswith("Ordered ") for line in signed.lines)
        assert all(line.sentence.startswith("Not ordered ") for line in refused.lines)
        shown = {line.line_id: line for line in session.plan().lines}
        for line in (*signed.lines, *refused.lines):
            assert shown[line.line_id].sentence == line.sentence


def test_an_edited_quantity_is_told_without_what_the_planned_one_would_cost(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        waiting = next(a for a in session.pending() if "waiting would cost" in a.lines[0].sentence)
        line = waiting.lines[0]
        edited = session.decide(
            waiting.approval_id, "edit", "mara", "twice of it", edits={line.line_id: 2 * line.quantity}
        )
        told = [one for a in (edited, *session.pending()) for one in a.lines if one.line_id == line.line_id]
        changed = [one for one in told if one.quantity == 2 * line.quantity]
        assert changed
        for one in changed:
            assert f"{one.quantity:,.0f} " in one.sentence and "cost" not in one.sentence
            assert not any("cost" in reason or "pack sizes" in reason for reason in one.reasons)
