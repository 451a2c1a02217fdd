"""What each tactic promises against suppliers of every hidden floor, so that a negotiator may choose among them."""

from dataclasses import dataclass, replace
from functools import lru_cache, partial

from tools.negotiation.concession import Tactic
from tools.negotiation.counterparty import FLOOR_RANGE, PATIENCE_RANGE, SimulatedSupplier
from tools.negotiation.limits import PriceLimits
from tools.negotiation.talk import TalkResult, talk

FLOORS = 12
LINE = "line"


@dataclass(frozen=True, slots=True)
class TacticProspect:
    """Computed figures of one tactic: unit prices in money, a talk without a deal counts as the list price."""

    tactic: Tactic
    deal_probability: float
    expected_unit_price: float
    expected_rounds: float


def prospects(limits: PriceLimits, list_price: float, max_rounds: int) -> tuple[TacticProspect, ...]:
    """One prospect per tactic, cheapest expected price first; `list_price` is above 0.

    Suppliers' floors are even over FLOOR_RANGE of the list price and their patience over PATIENCE_RANGE rounds.
    """
    relative = _relative(round(limits.target / list_price, 4), round(limits.reservation / list_price, 4), max_rounds)
    return tuple(replace(known, expected_unit_price=known.expected_unit_price * list_price) for known in relative)


@lru_cache(maxsize=512)
def _relative(target: float, reservation: float, max_rounds: int) -> tuple[TacticProspect, ...]:
    """Prospects at a list price of 1: talks do not depend on the scale of prices."""
    low, high = FLOOR_RANGE
    floors = [low + (high - low) * (place + 0.5) / FLOORS for place in range(FLOORS)]
    patience = range(PATIENCE_RANGE[0], PATIENCE_RANGE[1] + 1)
    others = [SimulatedSupplier({LINE: 1.0}, floor, rounds) for floor in floors for rounds in patience]
    limits = PriceLimits(target, reservation)
    found = [
        _prospect(tactic, [talk(limits, tactic, max_rounds, partial(other.reply, LINE)) for other in others])
        for tactic in Tactic
    ]
    return tuple(sorted(found, key=lambda known: (known.expected_unit_price, known.expected_rounds, known.tactic)))


def _prospect(tactic: Tactic, results: list[TalkResult]) -> TacticProspect:
    prices = [1.0 if result.unit_price is None else result.unit_price for result in results]
    deals = sum(result.unit_price is not None for result in results)
    rounds = sum(result.rounds for result in results)
    return TacticProspect(tactic, deals / len(results), sum(prices) / len(prices), rounds / len(results))
