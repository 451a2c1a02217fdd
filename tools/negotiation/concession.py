"""Concession and acceptance of a buyer who talks about a unit price.

Asks follow the polynomial time-dependent tactics of Faratin, Sierra and Jennings (1998), alone or mixed with their
relative tit-for-tat; a price is accepted when it is no worse than the next ask (AC_next, Baarslag et al. 2014).
"""

from dataclasses import dataclass
from enum import StrEnum


class Tactic(StrEnum):
    """How fast we concede."""

    BOULWARE = "boulware"
    LINEAR = "linear"
    CONCEDER = "conceder"
    TIT_FOR_TAT = "tit_for_tat"
    """Half boulware, half what the other side conceded."""


EXPONENT = {Tactic.BOULWARE: 0.25, Tactic.LINEAR: 1.0, Tactic.CONCEDER: 3.0, Tactic.TIT_FOR_TAT: 0.25}
"""beta of the polynomial concession function; below 1 concedes late."""
IMITATION = {Tactic.TIT_FOR_TAT: 0.5}
"""Weight of imitation beside time; 0 unless listed."""


@dataclass(frozen=True, slots=True)
class NegotiationState:
    """A buyer's view: unit prices, the round about to be played (1-based), and their latest price."""

    target: float
    reservation: float
    round: int
    max_rounds: int
    their_price: float | None = None
    tactic: Tactic = Tactic.BOULWARE
    our_prices: tuple[float, ...] = ()
    """Our asks so far, oldest first."""
    their_prices: tuple[float, ...] = ()
    """Their prices so far, oldest first, the latest included."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Take their price."""

    unit_price: float


@dataclass(frozen=True, slots=True)
class Counter:
    """Ask for this price."""

    unit_price: float


@dataclass(frozen=True, slots=True)
class Walk:
    """End without a deal."""


def time_share(progress: float, tactic: Tactic) -> float:
    """Share of the way from target to reservation that is conceded at this progress of the talk (both 0 to 1)."""
    return min(1.0, max(0.0, progress)) ** (1.0 / EXPONENT[tactic])


def imitated_price(state: NegotiationState) -> float | None:
    """Our last ask moved by the proportion in which they last conceded; None before they have moved."""
    if not state.our_prices or len(state.their_prices) < 2 or state.their_prices[-1] <= 0:
        return None
    return state.our_prices[-1] * max(1.0, state.their_prices[-2] / state.their_prices[-1])


def asking_price(state: NegotiationState) -> float:
    """Target + (reservation - target) * (round-1 / max_rounds-1)^(1/beta), mixed with imitation by the tactic.

    Never above the reservation nor below the target, and never below an earlier ask.
    """
    progress = (state.round - 1) / max(1, state.max_rounds - 1)
    ask = state.target + (state.reservation - state.target) * time_share(progress, state.tactic)
    imitated = imitated_price(state)
    weight = IMITATION.get(state.tactic, 0.0) if progress < 1.0 else 0.0
    if imitated is not None:
        ask = (1 - weight) * ask + weight * imitated
    ask = max(ask, state.target, *state.our_prices)
    return min(state.reservation, ask)


def respond(state: NegotiationState) -> Accept | Counter | Walk:
    """Accept when their price is no worse than our next ask; walk after the last round."""
    ask = asking_price(state)
    theirs = state.their_price
    if theirs is not None and theirs <= ask:
        return Accept(theirs)
    return Walk() if state.round > state.max_rounds else Counter(ask)
