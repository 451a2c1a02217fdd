"""What a buyer's question is about: the facts that it names, the topics it touches, and how it wants them ranked."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.contracts import Fact, Question, QuestionKind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TOPICS: Mapping[str, frozenset[str]] = {
    "approval": _words("approve approves approval approvals waiting wait waits pending sign signature"),
    "risk": _words("risk risks risky exposed exposure exposures disruption disruptions danger alert alerts"),
    "kpi": _words("kpi kpis turns turnover otif landed performance"),
    "verdict": _words("gate gates denied deny refused rejected policy policies rule rules blocked stopped"),
    "option": _words("option options alternative alternatives trade choose chose chosen choice planner"),
    "spend": _words("spend spends spent spending cost costs pay paying worth value money expensive price"),
    "outlook": _words("stock stockout stockouts cover short shortage shortages empty inventory service"),
    "conflict": _words("conflict conflicts infeasible limits"),
    "negotiation": _words("negotiate negotiated negotiation negotiations talk talks discount saved saving"),
    "line": _words(
        "order orders ordered ordering line lines quantity quantities buy buying bought arrive arrives arrival "
        "delivery when supplier suppliers much many"
    ),
    "lead_time": _words(
        "reliable reliably reliability unreliable punctual punctuality late lateness slow slower slowest quote quotes "
        "quoted promise promises promised lead yield yields"
    ),
    "arrival": _words("arrive arrives arriving arrival eta late overdue"),
    "run": _words("status summary overview happened overall"),
}
"""Kind of fact (spend: order lines summed) to the words that ask for it."""
RISING = _words("first soonest earliest least lowest smallest cheapest fewest")
FALLING = _words("most biggest largest highest top worst greatest main")
PLAIN = _words(
    "the and for not why how what which who where with from does did are was were has have will our you your this "
    "that these those all any more less than item items plan run runs out of low now need needs pharma ltd inc group "
    "company"
)
"""Words that name nothing."""
VOCABULARY = frozenset[str]().union(*TOPICS.values(), RISING, FALLING, PLAIN)
NAMED_BY_ONE_WORD = 8
"""A word that more subjects share names none of them."""


@dataclass(frozen=True)
class QuestionReading:
    """A question as read."""

    words: frozenset[str]
    topics: frozenset[str]
    named: tuple[Fact, ...]
    """Facts about what it names, and the verdicts and approvals on their lines."""
    unknown_ids: tuple[str, ...]
    """What looks like an id and stands in no fact."""

    @property
    def asks_why(self) -> bool:
        """Whether reasons are wanted."""
        return bool(self.words & {"why", "reason", "explain", "how"})

    @property
    def asks_what_runs_out(self) -> bool:
        """Whether it is about running out of stock."""
        return "out" in self.words and bool(self.words & {"run", "runs", "running", "stock"})


def topics_of(question: Question) -> frozenset[str]:
    """Kinds of facts that a question asks for, by its kind or by its words."""
    told = {QuestionKind.CHOICE: frozenset({"option"}), QuestionKind.STATUS: frozenset({"run"})}
    words = set(_plain(question.subject).split())
    return told.get(question.kind) or frozenset(kind for kind, keys in TOPICS.items() if words & keys)


def read_question(question: Question, facts: Sequence[Fact]) -> QuestionReading:
    """Find what the question names among the facts' subjects, whole or by a word that few subjects share."""
    text = question.subject
    plain = _plain(text)
    words = frozenset(plain.split()) | ({"why"} if question.kind is QuestionKind.WHY else set())
    named = _named_subjects(plain, facts)
    known_words = {word for fact in facts for name in (*fact.subjects, fact.fact_id) for word in _plain(name).split()}
    return QuestionReading(
        words=words,
        topics=topics_of(question),
        named=_with_their_verdicts([fact for fact in facts if named & {*fact.subjects, fact.fact_id}], facts),
        unknown_ids=tuple(
            word
            for word in re.findall(r"[^\W\d_]+[\-_]?\d[\w\-]*", text)
            if not set(_plain(word).split()) <= known_words
        ),
    )


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _named_subjects(question: str, facts: Sequence[Fact]) -> set[str]:
    """Subjects named whole, or by words that few subjects share; more words of a name beat fewer.

    A line's supplier has an id and a name: whoever names one means the other too.
    """
    words = set(question.split())
    subjects = {subject: _plain(subject) for fact in facts for subject in fact.subjects}
    shared = Counter(word for name in set(subjects.values()) for word in set(name.split()))
    matched: dict[str, frozenset[str]] = {}
    for subject, name in subjects.items():
        if len(name) > 1 and name not in VOCABULARY and f" {name} " in f" {question} ":
            matched[subject] = frozenset(name.split())
        else:
            matched[subject] = frozenset(word for word in set(name.split()) & words if _names(word, shared[word]))
    best = set(matched.values())
    named = {subject for subject, found in matched.items() if found and not any(found < other for other in best)}
    suppliers = [set(fact.subjects[1:3]) for fact in facts if fact.kind == "line"]
    return named.union(*(pair for pair in suppliers if pair & named))


def _names(word: str, subjects: int) -> bool:
    return len(word) > 2 and not word.isdigit() and word not in VOCABULARY and subjects <= NAMED_BY_ONE_WORD


def _with_their_verdicts(named: Sequence[Fact], facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Verdicts are about line ids: whoever names an item wants those of its lines too."""
    lines = {fact.fact_id.removeprefix("line:") for fact in named if fact.kind == "line"}
    chosen = {fact.fact_id for fact in named}
    linked = [fact for fact in facts if fact.kind in ("verdict", "approval") and lines & set(fact.subjects)]
    return (*named, *(fact for fact in linked if fact.fact_id not in chosen))
