"""A whole talk about one line's price, round by round."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.negotiation.concession import Accept, NegotiationState, Tactic, Walk, respond
from tools.negotiation.limits import PriceLimits

Reply = Callable[[float, int], float | None]
"""The other side: (our ask, round) to their price, at most the ask to accept it, None to walk away."""


@dataclass(frozen=True, slots=True)
class TalkResult:
    """How a talk ended: the agreed unit price, or None, and what was asked and answered."""

    unit_price: float | None
    rounds: int
    asks: tuple[float, ...]
    answers: tuple[float, ...]


def talk(limits: PriceLimits, tactic: Tactic, max_rounds: int, reply: Reply) -> TalkResult:
    """Play `respond` against the other side; an agreed price never exceeds the reservation."""
    asks: list[float] = []
    answers: list[float] = []
    price: float | None = None
    for number in range(1, max_rounds + 2):
        latest = answers[-1] if answers else None
        move = respond(
            NegotiationState(
                limits.target, limits.reservation, number, max_rounds, latest, tactic, tuple(asks), tuple(answers)
            )
        )
        if isinstance(move, Accept):
            price = move.unit_price
        if isinstance(move, Accept | Walk):
            break
        asks.append(move.unit_price)
        theirs = reply(move.unit_price, number)
        if theirs is None:
            break
        answers.append(theirs)
        if theirs <= move.unit_price:
            price = theirs
            break
    return TalkResult(price, len(asks), tuple(asks), tuple(answers))
