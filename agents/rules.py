"""The rule-based twins: what decides when no model is configured, or when one fails."""

import re
from collections.abc import Sequence

from agents.contracts import (
    Agents,
    Agreement,
    AnalystBrief,
    Answer,
    Counterparty,
    ExposureFigures,
    ExtractedAlert,
    Fact,
    NegotiationBrief,
    NegotiationLine,
    NegotiationOutcome,
    OptionFigures,
    PlannerBrief,
    PlannerChoice,
    RiskAssessment,
    RiskBrief,
    RiskFinding,
    Severity,
)
from tools.domain.alerts import AlertKind
from tools.negotiation import Accept, NegotiationState, Walk, respond

MAX_SENTENCES = 8


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
        gaps = [row for row in brief.exposures if row.days_to_recover > row.days_of_cover]
        worst = max((row.money_at_risk for row in gaps), default=0.0)
        ordered = sorted(gaps, key=lambda row: -row.money_at_risk)
        return RiskAssessment(risks=tuple(self._finding(row, worst, brief.currency) for row in ordered))

    def _finding(self, row: ExposureFigures, worst: float, currency: str) -> RiskFinding:
        share = row.money_at_risk / worst if worst else 0.0
        severity = Severity.HIGH if share > 0.5 else Severity.MEDIUM if share > 0.1 else Severity.LOW
        gap = row.days_to_recover - row.days_of_cover
        return RiskFinding(
            node_id=row.node_id,
            item_ids=(row.item_id,),
            severity=severity,
            summary=(
                f"Without {row.node_id}, {row.item_id} is covered for {row.days_of_cover:.0f} days and recovers in "
                f"{row.days_to_recover:.0f}: {gap:.0f} days short, {row.money_at_risk:,.0f} {currency} at risk."
            ),
            hedge="Split the next order with a second source, or hold stock for the gap.",
        )


class RuleNegotiator:
    """Plays `respond` line by line; numbers come from the engine alone."""

    def negotiate(self, brief: NegotiationBrief, counterparty: Counterparty | None) -> NegotiationOutcome:
        """Talk, or draft an opening when nobody answers."""
        if counterparty is None:
            return NegotiationOutcome(
                supplier_id=brief.supplier_id, status="drafted", message=self._opening(brief), tactic="boulware"
            )
        agreed: list[Agreement] = []
        rounds = 0
        for line in brief.lines:
            price, played = self._talk(line, brief.max_rounds, counterparty)
            rounds = max(rounds, played)
            if price is not None and price < line.unit_price:
                agreed.append(Agreement(line_id=line.line_id, unit_price=price))
        prices = {agreement.line_id: agreement.unit_price for agreement in agreed}
        saved = sum(
            (line.unit_price - prices.get(line.line_id, line.unit_price)) * line.quantity for line in brief.lines
        )
        return NegotiationOutcome(
            supplier_id=brief.supplier_id,
            status="agreed" if agreed else "no_deal",
            agreements=tuple(agreed),
            rounds=rounds,
            saved=saved,
        )

    def _talk(self, line: NegotiationLine, max_rounds: int, other: Counterparty) -> tuple[float | None, int]:
        theirs: float | None = None
        for number in range(1, max_rounds + 2):
            state = NegotiationState(line.target_price, line.reservation_price, number, max_rounds, theirs)
            move = respond(state)
            if isinstance(move, Accept):
                return move.unit_price, number
            if isinstance(move, Walk):
                return None, number
            theirs = other.reply(line.line_id, move.unit_price, number)
            if theirs is None:
                return None, number
            if theirs <= move.unit_price:
                return theirs, number
        return None, max_rounds

    def _opening(self, brief: NegotiationBrief) -> str:
        wishes = "; ".join(
            f"{line.item_id}, {line.quantity:,.0f} units at {line.target_price:,.4g} {brief.currency}"
            for line in brief.lines
        )
        return f"We plan to order {wishes}. Can you meet these prices?"


TOPICS: dict[str, tuple[str, ...]] = {
    "approval": ("approve", "approval", "waiting", "waits", "pending", "sign"),
    "risk": ("risk", "exposed", "disruption", "danger"),
    "kpi": ("kpi", "turns", "turnover", "overall"),
    "verdict": ("gate", "denied", "policy", "rule", "blocked"),
    "option": ("option", "alternative", "trade", "choose", "chose", "choice"),
    "line": ("order", "quantity", "buy", "buying", "why", "supplier"),
    "outlook": ("stock", "cover", "item", "why", "not", "run"),
    "conflict": ("conflict", "limit", "infeasible"),
}


class RuleAnalyst:
    """Finds the facts whose subject or topic the question names, and quotes them."""

    def answer(self, question: str, brief: AnalystBrief) -> Answer:
        """An answer in the facts' own sentences; says what can be asked when nothing matches."""
        words = set(re.findall(r"[a-z0-9_\-]+", question.casefold()))
        named = [f for f in brief.facts if {s.casefold() for s in f.subjects} & words]
        topics = {kind for kind, keys in TOPICS.items() if words & set(keys)}
        found = [fact for fact in named if fact.kind in topics] or named
        if not found:
            found = [fact for fact in brief.facts if fact.kind in topics]
        if not found:
            found = [fact for fact in brief.facts if fact.kind == "run"]
        if not found:
            return Answer(text="No run is stored yet. Ask for a plan, or run `jit plan`.")
        return self._quoted(found)

    def _quoted(self, found: Sequence[Fact]) -> Answer:
        shown = found[:MAX_SENTENCES]
        text = "\n".join(fact.text for fact in shown)
        if len(found) > len(shown):
            text += f"\n… and {len(found) - len(shown)} more; name an item or a supplier to narrow it."
        return Answer(text=text, sources=tuple(fact.fact_id for fact in shown))


KIND_WORDS: tuple[tuple[AlertKind, tuple[str, ...]], ...] = (
    (AlertKind.DISCONTINUED, ("discontinu",)),
    (AlertKind.RECOVERED, ("resolved", "recovered", "available again")),
    (AlertKind.QUALITY_HOLD, ("quality", "recall", "contaminat")),
    (AlertKind.SITE_DOWN, ("fire", "flood", "strike", "shutdown", "shut down")),
    (AlertKind.CAPACITY_CUT, ("allocation", "capacity", "limited supply")),
    (AlertKind.SHORTAGE, ("shortage", "unavailable", "out of stock", "backorder")),
    (AlertKind.DELAY, ("delay", "late", "slip", "postpone", "estimated recovery")),
)
DAYS_OF_UNIT = {"day": 1, "week": 7, "month": 30}


class RuleExtractor:
    """Reads kind, known ids and a number of days by fixed patterns."""

    def extract(self, text: str, known_ids: Sequence[str], item_ids: Sequence[str] = ()) -> ExtractedAlert | None:
        """None when the text names no known id or nothing that happened."""
        lowered = text.casefold()
        ids = [known for known in known_ids if re.search(rf"\b{re.escape(known.casefold())}\b", lowered)]
        kind = next((kind for kind, keys in KIND_WORDS if any(key in lowered for key in keys)), None)
        if not ids or kind is None:
            return None
        span = re.search(r"(\d{1,3})\s*(day|week|month)s?", lowered)
        days = min(730, int(span[1]) * DAYS_OF_UNIT[span[2]]) if span else 0
        return ExtractedAlert(kind=kind, node_id=ids[0], delay_days=days, confidence=0.6)


def rule_agents() -> Agents:
    """All twins."""
    return Agents(RulePlanner(), RuleRiskAgent(), RuleNegotiator(), RuleAnalyst(), RuleExtractor())
