"""What each agent is asked and what it may answer. An agent chooses among computed options and words reasons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from tools.domain.alerts import AlertKind


class Typed(BaseModel):
    """A frozen, closed record."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Decided(Typed):
    """Who decided: `rules`, or the model's name; `fallback_reason` says why a model was passed over."""

    decided_by: str = "rules"
    fallback_reason: str = ""
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


class OptionFigures(Typed):
    """The computed figures of one option, money in the plan's currency."""

    option_id: str
    group: str
    title: str
    order_value: float
    expected_cost: float
    fill_rate: float
    stockout_probability: float
    risk_exposure: float
    suppliers: tuple[str, ...]


class PlannerBrief(Typed):
    """Options per group, and what the gates said of the last choice."""

    currency: str
    options: tuple[OptionFigures, ...]
    service_floor: float = 0.95
    feedback: tuple[str, ...] = ()


class PlannerChoice(Decided):
    """One option id per group, with a reason in words."""

    choices: Mapping[str, str]
    reasons: Mapping[str, str]


class Severity(StrEnum):
    """How soon a risk needs an answer."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @classmethod
    def of_share(cls, share: float) -> "Severity":
        """How severe it is by its money at risk, as a share of the largest."""
        return cls.HIGH if share > 0.5 else cls.MEDIUM if share > 0.1 else cls.LOW


class ExposureFigures(Typed):
    """One computed exposure on the supply network."""

    node_id: str
    item_id: str
    node: str
    """Its name and id; the id alone where it has no name."""
    item: str
    """Its name and id."""
    days_of_cover: float
    days_to_recover: float
    money_at_risk: float
    route: str

    @property
    def gap_days(self) -> float:
        """Days without stock before the node or its replacement recovers; 0 or less without a gap."""
        return self.days_to_recover - self.days_of_cover


class RiskBrief(Typed):
    """Computed exposures, worst first, and the typed alerts' sentences."""

    currency: str
    exposures: tuple[ExposureFigures, ...]
    alerts: tuple[str, ...] = ()


class RiskFinding(Typed):
    """A risk worth telling a planner, tied to a computed exposure."""

    node_id: str
    item_ids: tuple[str, ...]
    severity: Severity
    summary: str
    hedge: str = ""


class RiskAssessment(Decided):
    """Findings, worst first."""

    risks: tuple[RiskFinding, ...]


class NegotiationLine(Typed):
    """One line to negotiate: the current price, the computed target and the price beyond which we walk."""

    line_id: str
    item_id: str
    quantity: float
    unit_price: float
    target_price: float
    reservation_price: float


class NegotiationBrief(Typed):
    """What one negotiator may talk about with one supplier."""

    supplier_id: str
    currency: str
    lines: tuple[NegotiationLine, ...]
    max_rounds: int = 5


class Agreement(Typed):
    """A price agreed for a line; always between target and reservation, and from the quantity talked about up."""

    line_id: str
    unit_price: float
    quantity: float


class NegotiationOutcome(Decided):
    """What came of a talk: agreements, or a drafted opening message when nobody answered."""

    supplier_id: str
    status: str
    """agreed, no_deal, drafted"""
    agreements: tuple[Agreement, ...] = ()
    rounds: int = 0
    tactic: str = ""
    """How fast we gave way; a tactic of `tools.negotiation`."""
    message: str = ""
    """The opening in words."""
    saved: float = 0.0
    """Money below the list prices."""


class Fact(Typed):
    """A stored fact that an answer may rest on: its id, what it is about, its sentence, and its figures."""

    fact_id: str
    kind: str
    """line, outlook, option, verdict, approval, risk, kpi, run, conflict, negotiation, lead_time, arrival"""
    subjects: tuple[str, ...]
    text: str
    reasons: str = ""
    """Why it is so, as a buyer would say it, for those who ask why."""
    detail: str = ""
    """Notes and formula: the mathematics behind the reasons."""
    figures: Mapping[str, float] = Field(default_factory=dict[str, float])
    """Figures by name, so that facts can be ranked and summed: `value` and `money_at_risk` are money in `currency`,
    `days_of_cover` days, `stockout_probability`, the `bias` of quotes and `older_than` shares; a line carries its
    explanation's figures too."""
    currency: str = ""


class QuestionKind(StrEnum):
    """What an analyst may be asked."""

    WORDS = "words"
    """The subject is a person's question, as they wrote it."""
    WHY = "why"
    """Why the subject (a line, an order, an item, a supplier, by id or name) came out as it did."""
    CHOICE = "choice"
    """Why the plan's options were chosen."""
    STATUS = "status"
    """What a run came to."""


class Question(Typed):
    """A question to the analyst."""

    kind: QuestionKind
    subject: str = ""

    @property
    def words(self) -> str:
        """The question as a person would ask it."""
        asked = {
            QuestionKind.WORDS: self.subject,
            QuestionKind.WHY: f"Why {self.subject}?",
            QuestionKind.CHOICE: "Why were these options chosen?",
            QuestionKind.STATUS: "What did the run come to?",
        }
        return asked[self.kind]


class AnalystBrief(Typed):
    """Stored facts of the run that is talked about."""

    facts: tuple[Fact, ...]


class Answer(Decided):
    """An answer in words with the ids of the facts it rests on."""

    text: str
    sources: tuple[str, ...] = ()


class ExtractedAlert(Decided):
    """What an extractor read in a supplier's text: enums, bounds and known ids only."""

    kind: AlertKind
    node_id: str
    item_ids: tuple[str, ...] = ()
    delay_days: int = Field(default=0, ge=0, le=730)
    capacity_fraction: float = Field(default=1.0, ge=0.0, le=1.0)
    confidence: float = Field(default=0.5, ge=0.0, le=1.0)


class Planner(Protocol):
    """Chooses one option per item group."""

    def choose(self, brief: PlannerBrief) -> PlannerChoice:
        """Return an option id of the brief for every group."""
        ...


class RiskAgent(Protocol):
    """Says which computed exposures matter."""

    def assess(self, brief: RiskBrief) -> RiskAssessment:
        """Return findings about nodes of the brief."""
        ...


class Counterparty(Protocol):
    """The supplier's side of a talk, one line at a time."""

    def reply(self, line_id: str, offered_price: float, round_number: int) -> float | None:
        """Return the supplier's price (at most `offered_price` to accept it), or None to walk away."""
        ...


class Negotiator(Protocol):
    """Talks prices with one supplier inside computed limits."""

    def negotiate(self, brief: NegotiationBrief, counterparty: Counterparty | None) -> NegotiationOutcome:
        """Return agreements within the limits, or a drafted opening when there is nobody to talk to."""
        ...


class Analyst(Protocol):
    """Answers questions from stored facts."""

    def answer(self, question: Question, brief: AnalystBrief) -> Answer:
        """Return an answer whose sources are fact ids of the brief."""
        ...


class Extractor(Protocol):
    """Reads a supplier's free text into a typed alert; has no tools."""

    def extract(
        self,
        text: str,
        known_ids: Sequence[str],
        item_ids: Sequence[str] = (),
        *,
        names: Mapping[str, str] | None = None,
        received: date | None = None,
    ) -> ExtractedAlert | None:
        """Return what the text says about known ids, or None when it says nothing usable.

        `item_ids` tells which of the known ids are items: named beside another node, they narrow the alert to them.
        `names` gives known ids the names that a text may use instead; `received` turns its dates into days.
        """
        ...


def _nothing() -> None:
    """Rule-based agents hold nothing open."""


@dataclass(frozen=True)
class Agents:
    """The agents of an installation."""

    planner: Planner
    risk: RiskAgent
    negotiator: Negotiator
    analyst: Analyst
    extractor: Extractor
    close: Callable[[], None] = _nothing
    """Releases what the agents hold open."""
    check: Callable[[], str] | None = None
    """Whether the model answers: empty when it does, else why not. None without a model."""
