"""What a negotiator of either kind works with: the tactics' prospects, the talk, and a plain opening."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from agents.contracts import Agreement, Counterparty, NegotiationBrief, NegotiationLine, NegotiationOutcome
from tools.negotiation import PriceLimits, Tactic, prospects, talk


@dataclass(frozen=True, slots=True)
class BriefProspect:
    """What a tactic promises over all lines of a brief: money in total, a share, and rounds of the longest talk."""

    tactic: Tactic
    expected_total: float
    deal_probability: float
    expected_rounds: float


def open_lines(brief: NegotiationBrief) -> tuple[NegotiationLine, ...]:
    """The lines that there is something to talk about: a price above zero that may fall."""
    return tuple(
        line
        for line in brief.lines
        if line.quantity > 0 and 0 < line.target_price <= line.reservation_price and line.target_price < line.unit_price
    )


def brief_prospects(brief: NegotiationBrief) -> tuple[BriefProspect, ...]:
    """One prospect per tactic, cheapest expected total first; empty when there is nothing to talk about."""
    lines = open_lines(brief)
    per_line = [
        {known.tactic: known for known in prospects(_limits(line), line.unit_price, brief.max_rounds)} for line in lines
    ]
    found = [
        BriefProspect(
            tactic=tactic,
            expected_total=sum(
                line.quantity * known[tactic].expected_unit_price for line, known in zip(lines, per_line, strict=True)
            ),
            deal_probability=sum(known[tactic].deal_probability for known in per_line) / len(per_line),
            expected_rounds=max(known[tactic].expected_rounds for known in per_line),
        )
        for tactic in Tactic
        if per_line
    ]
    return tuple(sorted(found, key=lambda known: (known.expected_total, known.expected_rounds, known.tactic)))


def played(
    brief: NegotiationBrief, tactic: Tactic, opening: str, counterparty: Counterparty | None
) -> NegotiationOutcome:
    """The outcome of a talk with this tactic, or a drafted opening when nobody answers."""
    if counterparty is None:
        return NegotiationOutcome(supplier_id=brief.supplier_id, status="drafted", tactic=tactic.value, message=opening)
    agreements: list[Agreement] = []
    rounds, saved = 0, 0.0
    for line in open_lines(brief):
        result = talk(_limits(line), tactic, brief.max_rounds, _usable(partial(counterparty.reply, line.line_id)))
        rounds = max(rounds, result.rounds)
        if result.unit_price is None:
            continue
        price = min(max(result.unit_price, line.target_price), line.reservation_price)
        if price < line.unit_price:
            agreements.append(Agreement(line_id=line.line_id, unit_price=price, quantity=line.quantity))
            saved += (line.unit_price - price) * line.quantity
    return NegotiationOutcome(
        supplier_id=brief.supplier_id,
        status="agreed" if agreements else "no_deal",
        agreements=tuple(agreements),
        rounds=rounds,
        tactic=tactic.value,
        message=opening,
        saved=saved,
    )


def plain_opening(brief: NegotiationBrief) -> str:
    """A request for the target prices, in fixed words."""
    wishes = "; ".join(
        f"{line.item_id}, {line.quantity:,.0f} units at {line.target_price:,.4g} {brief.currency}"
        for line in open_lines(brief)
    )
    return f"We plan to order {wishes}. Can you meet these prices?" if wishes else ""


def _limits(line: NegotiationLine) -> PriceLimits:
    return PriceLimits(line.target_price, min(line.reservation_price, line.unit_price))


def _usable(reply: Callable[[float, int], float | None]) -> Callable[[float, int], float | None]:
    """The other side's reply; what is no price above zero ends the talk."""

    def answered(ask: float, number: int) -> float | None:
        price = reply(ask, number)
        return price if price is not None and math.isfinite(price) and price > 0 else None

    return answered
