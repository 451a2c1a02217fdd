"""The rule-based twins: what decides when no model is configured, or when one fails."""

from collections.abc import Sequence

from agents.bargaining import brief_prospects, plain_opening, played
from agents.contracts import (
    Agents,
    Counterparty,
    ExposureFigures,
    NegotiationBrief,
    NegotiationOutcome,
    OptionFigures,
    PlannerBrief,
    PlannerChoice,
    RiskAssessment,
    RiskBrief,
    RiskFinding,
    Severity,
)
from agents.rule_analyst import RuleAnalyst
from agents.rule_extractor import RuleExtractor
from tools.wording import RiskFacts, told_of_risk


class RulePlanner:
    """Cheapest expected cost among the options that keep the service floor; less exposure breaks near-ties."""

    near_tie = 0.005

    def choose(self, brief: PlannerBrief) -> PlannerChoice:
        """Choose for every group."""
        groups: dict[str, list[OptionFigures]] = {}
        for option in brief.options:
            groups.setdefault(option.group, []).append(option)
        chosen = {group: self._best(options, brief.service_floor) for group, options in groups.items()}
        return PlannerChoice(
            choices={group: option.option_id for group, option in chosen.items()},
            reasons={group: self._reason(option, groups[group], brief) for group, option in chosen.items()},
        )

    def _best(self, options: Sequence[OptionFigures], floor: float) -> OptionFigures:
        best_fill = max(option.fill_rate for option in options)
        serving = [option for option in options if option.fill_rate >= min(floor, best_fill) - 1e-9]
        cheapest = min(option.expected_cost for option in serving)
        near = [o for o in serving if o.expected_cost <= cheapest * (1 + self.near_tie) + 1e-9]
        return min(near, key=lambda o: (o.risk_exposure, o.expected_cost, o.option_id))

    def _reason(self, chosen: OptionFigures, options: Sequence[OptionFigures], brief: PlannerBrief) -> str:
        others = [option for option in options if option.option_id != chosen.option_id]
        text = f"expected cost {chosen.expected_cost:,.0f} {brief.currency} at a fill rate of {chosen.fill_rate:.1%}"
        if not others:
            return f"Only option: {text}."
        rival = min(others, key=lambda option: option.expected_cost)
        difference = rival.expected_cost - chosen.expected_cost
        side = "more" if difference >= 0 else "less"
        return f"{text}; {rival.title} would cost {abs(difference):,.0f} {side} at {rival.fill_rate:.1%}."


class RuleRiskAgent:
    """Every exposure with a gap is a finding; its size against the largest grades it."""

    def assess(self, brief: RiskBrief) -> RiskAssessment:
        """Findings, worst first."""
        gaps = [row for row in brief.exposures if row.gap_days > 0]
        worst = max((row.money_at_risk for row in gaps), default=0.0)
        ordered = sorted(gaps, key=lambda row: -row.money_at_risk)
        return RiskAssessment(risks=tuple(self._finding(row, worst, brief.currency) for row in ordered))

    def _finding(self, row: ExposureFigures, worst: float, currency: str) -> RiskFinding:
        share = row.money_at_risk / worst if worst else 0.0
        return RiskFinding(
            node_id=row.node_id,
            item_ids=(row.item_id,),
            severity=Severity.of_share(share),
            summary=told_of_risk(
                RiskFacts(row.node, row.item, row.days_of_cover, row.days_to_recover, row.money_at_risk, currency)
            ),
            hedge="Split the next order with a second source, or hold stock for the gap.",
        )


class RuleNegotiator:
    """Plays the tactic with the lowest expected total; every number comes from the engine."""

    def negotiate(self, brief: NegotiationBrief, counterparty: Counterparty | None) -> NegotiationOutcome:
        """Talk, or draft an opening when nobody answers."""
        promised = brief_prospects(brief)
        if not promised:
            return NegotiationOutcome(supplier_id=brief.supplier_id, status="no_deal")
        return played(brief, promised[0].tactic, plain_opening(brief), counterparty)


def rule_agents() -> Agents:
    """All twins."""
    return Agents(RulePlanner(), RuleRiskAgent(), RuleNegotiator(), RuleAnalyst(), RuleExtractor())
