"""The rule-based analyst: finds, ranks and sums stored facts, and quotes them."""

from collections.abc import Callable, Sequence

from agents.contracts import AnalystBrief, Answer, Fact, Question
from agents.questions import FALLING, RISING, QuestionReading, read_question

MAX_SENTENCES = 8
NOT_BOUGHT = frozenset({"denied", "failed", "held", "rejected", "shadow", "withdrawn"})
"""States of a line, among its subjects, in which no money is spent."""
ABOUT_ORDERS = frozenset({"order", "orders", "overdue", "arrive", "arrives", "arriving", "delivery", "deliveries"})
KINDS_OF_LEAD_TIMES = ("lead_time", "arrival", "line")
ORDER_OF_KINDS = ("line", "outlook", "approval", "verdict", "negotiation", "risk", "option", "conflict", "kpi", "run")


class RuleAnalyst:
    """Answers in the facts' own sentences; says what can be asked when nothing matches."""

    def answer(self, question: Question, brief: AnalystBrief) -> Answer:
        """An answer whose every figure is a fact's, or a sum of facts' figures that it cites."""
        if not brief.facts:
            return Answer(text="No run is stored yet. Ask for a plan, or run `jit plan`.")
        asked = read_question(question, brief.facts)
        ways: tuple[Callable[[QuestionReading, Sequence[Fact]], Answer | None], ...] = (
            _unknown,
            _spending,
            _lead_times,
            _ranking,
            _explanation,
            _topics,
        )
        for way in ways:
            found = way(asked, brief.facts)
            if found is not None:
                return found
        return _what_can_be_asked(brief.facts)


def _unknown(asked: QuestionReading, facts: Sequence[Fact]) -> Answer | None:
    if not asked.unknown_ids or asked.named:
        return None
    offered = _what_can_be_asked(facts)
    return Answer(text=f"No stored fact is about {', '.join(asked.unknown_ids[:3])}. {offered.text}")


def _spending(asked: QuestionReading, facts: Sequence[Fact]) -> Answer | None:
    """Order value of what is named, or by supplier."""
    if "spend" not in asked.topics or (asked.asks_why and not asked.words & {"much"}):
        return None
    named = [fact for fact in asked.named if fact.kind == "line"]
    if asked.named and not named:
        return Answer(text="Nothing is ordered there. " + asked.named[0].text, sources=(asked.named[0].fact_id,))
    bought = [fact for fact in named or facts if _is_bought(fact)]
    if not bought:
        return None
    total = f"{_counted(len(bought), 'order line')} worth {_money(bought)} in this run:"
    if named:
        return _quoted(sorted(bought, key=_value), total)
    suppliers: dict[str, list[Fact]] = {}
    for fact in bought:
        suppliers.setdefault(_supplier(fact), []).append(fact)
    ranked = sorted(suppliers.items(), key=lambda pair: sum(map(_value, pair[1])))
    rows = [f"{name}: {_money(lines)} in {_counted(len(lines), 'line')}" for name, lines in ranked[:MAX_SENTENCES]]
    rest = [f"… and {len(ranked) - len(rows)} more suppliers."] if len(ranked) > len(rows) else []
    return Answer(text="\n".join([total, *rows, *rest]), sources=tuple(fact.fact_id for fact in bought))


def _lead_times(asked: QuestionReading, facts: Sequence[Fact]) -> Answer | None:
    """How suppliers keep their quotes and when open orders come: of what is named, else the worst first."""
    kinds = asked.topics & {"lead_time", "arrival"}
    if not kinds or asked.asks_what_runs_out:
        return None
    if asked.named:
        kinds |= {"line"} if "arrival" in kinds else set()
        found = [fact for fact in asked.named if fact.kind in kinds]
        if not {fact.kind for fact in found} & {"lead_time", "arrival"}:
            return None
        ordered = sorted(found, key=lambda fact: (KINDS_OF_LEAD_TIMES.index(fact.kind), *_latest(fact)))
        return _quoted(ordered, "", with_reasons="why" in asked.words)
    late = sorted(_having("arrival", "older_than", facts), key=_latest)
    if "arrival" in kinds and late and asked.words & ABOUT_ORDERS:
        past = [fact for fact in late if fact.figures.get("overdue_days", 0.0) > 0]
        none = "" if past else "No open order is past the day it was due. "
        return _quoted(past or late, f"{none}Oldest against their own lead time first:")
    biased = sorted(_having("lead_time", "bias", facts), key=lambda fact: -fact.figures["bias"])
    return _quoted(biased, "Longest over their quotes first:") if "lead_time" in kinds else None


def _latest(fact: Fact) -> tuple[float, float]:
    return -fact.figures.get("older_than", 0.0), -fact.figures.get("age_days", 0.0)


def _ranking(asked: QuestionReading, facts: Sequence[Fact]) -> Answer | None:
    """The facts of a topic by the figure that the question ranks by."""
    ordered = asked.words & (RISING | FALLING)
    if asked.asks_what_runs_out or ("outlook" in asked.topics and ordered and not asked.named):
        items = _having("outlook", "days_of_cover", asked.named or facts)
        reverse = bool(asked.words & {"most", "highest", "largest"}) and not asked.asks_what_runs_out
        found = sorted(items, key=lambda fact: fact.figures["days_of_cover"], reverse=reverse)
        return _quoted(found, "Most days of cover first:" if reverse else "Fewest days of cover first:")
    if "risk" in asked.topics and not asked.named:
        found = sorted(
            _having("risk", "money_at_risk", facts),
            key=lambda fact: -fact.figures["money_at_risk"],
        )
        return _quoted(found, "Most money at risk first:")
    if "line" in asked.topics and ordered and not asked.named:
        lines = sorted([fact for fact in facts if _is_bought(fact)], key=_value, reverse=bool(ordered & RISING))
        return _quoted(lines, "Smallest order first:" if ordered & RISING else "Largest order first:")
    return None


def _explanation(asked: QuestionReading, facts: Sequence[Fact]) -> Answer | None:
    """What is stored about the named items, suppliers or orders, with the reasons of their quantities."""
    del facts
    about = asked.named
    wanted = [fact for fact in about if fact.kind in asked.topics]
    if not asked.asks_why and wanted:
        about = wanted
    elif asked.asks_why:
        about = [fact for fact in about if fact.kind not in ("kpi", "run")] or about
    ordered = sorted(about, key=lambda fact: ORDER_OF_KINDS.index(fact.kind) if fact.kind in ORDER_OF_KINDS else 99)
    return _quoted(ordered, "", with_reasons=asked.asks_why)


def _topics(asked: QuestionReading, facts: Sequence[Fact]) -> Answer | None:
    """Every fact of the topics; a more telling topic than the order lines goes before them."""
    stored = {fact.kind for fact in facts}
    topics = asked.topics - {"spend"} - ({"lead_time", "arrival"} - stored)
    if len(topics) > 1:
        topics -= {"line", "run"}
    found = [fact for fact in facts if fact.kind in topics]
    run = [fact for fact in facts if fact.kind == "run"]
    if "run" in topics:
        found = [*run, *(fact for fact in facts if fact.kind == "kpi")]
    if not found and topics and run:
        empty = (
            "Nothing waits for approval." if "approval" in topics else "Nothing of that kind is stored for this plan."
        )
        return Answer(text=f"{empty} {run[0].text}", sources=(run[0].fact_id,))
    return _quoted(found, "")


def _what_can_be_asked(facts: Sequence[Fact]) -> Answer:
    line = next((fact for fact in facts if fact.kind == "line"), None)
    item = line.subjects[0] if line else next((f.subjects[0] for f in facts if f.kind == "outlook"), "an item")
    supplier = _supplier(line) if line else "a supplier"
    return Answer(
        text=(
            "I answer from the stored facts of the plan. Ask for example: "
            f"“Why so much of {item}?”, “What waits for approval and why?”, “Which items run out first?”, "
            f"“How much do we spend with {supplier}?”, “How reliable is {supplier}?”, “Which open orders are late?”, "
            "“What are the largest risks?”, “Which lines were denied?”"
        )
    )


def _quoted(found: Sequence[Fact], heading: str, *, with_reasons: bool = False) -> Answer | None:
    if not found:
        return None
    shown = found[:MAX_SENTENCES]
    sentences = [_reasoned(fact) if with_reasons else fact.text for fact in shown]
    if len(found) > len(shown):
        sentences.append(f"… and {len(found) - len(shown)} more; name an item or a supplier to narrow it.")
    text = "\n".join([heading, *sentences] if heading else sentences)
    return Answer(text=text, sources=tuple(fact.fact_id for fact in shown))


def _reasoned(fact: Fact) -> str:
    said = " ".join(part for part in (fact.text, fact.reasons) if part)
    mathematics = " ".join(part for part in (quantity_reason(fact), fact.detail) if part)
    return f"{said}\nThe mathematics: {mathematics}" if mathematics else said


def quantity_reason(fact: Fact) -> str:
    """Why a line has its quantity, from its figures; empty for other facts."""
    figures = fact.figures
    if not {"inventory_position", "order_up_to", "lead_time_demand_mean", "safety_stock"} <= set(figures):
        return ""
    said = (
        f"{figures['inventory_position']:,.0f} are on hand or on order; {figures['lead_time_demand_mean']:,.0f} are "
        f"expected to be needed over lead time and review, with {figures['safety_stock']:,.0f} of safety stock, and "
        f"one order goes up to {figures['order_up_to']:,.0f}."
    )
    if "extra_cost_of_ordering_nothing" in figures:
        extra = figures["extra_cost_of_ordering_nothing"]
        said += f" Ordering nothing would cost {extra:,.0f} {fact.currency} more in expectation."
    if "extra_cost_of_next_best_source" in figures:
        extra = figures["extra_cost_of_next_best_source"]
        said += f" The next best source would cost {extra:,.0f} {fact.currency} more."
    return said


def _having(kind: str, figure: str, facts: Sequence[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.kind == kind and figure in fact.figures]


def _is_bought(fact: Fact) -> bool:
    return fact.kind == "line" and "value" in fact.figures and not NOT_BOUGHT & set(fact.subjects)


def _value(fact: Fact) -> float:
    return -fact.figures["value"]


def _supplier(fact: Fact) -> str:
    """A line is about its item, its supplier's id and its supplier's name, in this order."""
    return fact.subjects[2] if len(fact.subjects) > 2 else "the supplier"


def _money(lines: Sequence[Fact]) -> str:
    totals: dict[str, float] = {}
    for fact in lines:
        totals[fact.currency] = totals.get(fact.currency, 0.0) + fact.figures["value"]
    return " and ".join(f"{total:,.0f} {currency}".strip() for currency, total in totals.items())


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
