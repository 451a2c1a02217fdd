"""The risk agent with a language model: it says which computed exposures matter and words why."""

from collections.abc import Mapping

from pydantic import Field

from agents.chat import ChatModel, ModelAnswer, Unanswered, document
from agents.contracts import RiskAgent, RiskAssessment, RiskBrief, RiskFinding, Severity
from agents.grounding import unknown_numbers

MAX_FINDINGS = 8


class RiskRow(ModelAnswer):
    """One exposure of the document that a buyer should know about."""

    node_id: str
    item_ids: list[str] = Field(min_length=1)
    severity: Severity
    summary: str = Field(min_length=1, max_length=500)
    hedge: str = Field(default="", max_length=300)


class RiskAnswer(ModelAnswer):
    """The exposures worth telling, worst first."""

    risks: list[RiskRow] = Field(max_length=MAX_FINDINGS)


class LlmRiskAgent:
    """Asks a model which exposures matter; `twin` says it when the model gives no usable answer."""

    def __init__(self, chat: ChatModel, twin: RiskAgent) -> None:
        self._chat = chat
        self._twin = twin

    def assess(self, brief: RiskBrief) -> RiskAssessment:
        """Findings on exposures of the brief, worst first."""
        if not brief.exposures:
            return self._twin.assess(brief)
        known = brief.model_dump(mode="json")
        try:
            asked = self._chat.ask("risk", known, RiskAnswer, lambda said: risk_objection(said, brief))
        except Unanswered as failed:
            return self._twin.assess(brief).model_copy(update=dict(failed.record))
        return RiskAssessment(risks=_by_money(asked.answer, brief), **asked.record)


def risk_objection(said: RiskAnswer, brief: RiskBrief) -> str:
    """Empty when every finding is about exposures of the brief, once, and holds no number of its own."""
    pairs = {(row.node_id, row.item_id) for row in brief.exposures}
    told = [(row.node_id, item_id) for row in said.risks for item_id in row.item_ids]
    if not said.risks and any(row.gap_days > 0 for row in brief.exposures):
        return "risks: none named, but there are exposures that recover later than they are covered."
    if not pairs.issuperset(told):
        return "risks: only pairs of node_id and item_id that stand together in `exposures` may be named."
    if len(set(told)) < len(told):
        return "risks: a pair of node_id and item_id is named twice."
    known_text = document(brief.model_dump(mode="json"))
    strange = [number for row in said.risks for number in unknown_numbers(f"{row.summary} {row.hedge}", known_text)]
    return f"risks: these do not stand in the document: {', '.join(strange[:3])}." if strange else ""


def _by_money(said: RiskAnswer, brief: RiskBrief) -> tuple[RiskFinding, ...]:
    """Worst first is computed: by the largest money at risk of a finding's exposures."""
    money: Mapping[tuple[str, str], float] = {(row.node_id, row.item_id): row.money_at_risk for row in brief.exposures}
    ordered = sorted(said.risks, key=lambda row: -max(money[row.node_id, item_id] for item_id in row.item_ids))
    return tuple(
        RiskFinding(
            node_id=row.node_id,
            item_ids=tuple(row.item_ids),
            severity=row.severity,
            summary=row.summary,
            hedge=row.hedge,
        )
        for row in ordered
    )
