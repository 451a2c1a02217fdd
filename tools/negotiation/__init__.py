"""Price negotiation inside computed limits: concession, acceptance and walking away."""

from tools.negotiation.concession import Accept, Counter, NegotiationState, Tactic, Walk, asking_price, respond
from tools.negotiation.counterparty import SimulatedSupplier, seeded_supplier
from tools.negotiation.limits import PriceLimits, price_limits
from tools.negotiation.prospects import TacticProspect, prospects
from tools.negotiation.talk import TalkResult, talk

__all__ = [
    "Accept",
    "Counter",
    "NegotiationState",
    "PriceLimits",
    "SimulatedSupplier",
    "Tactic",
    "TacticProspect",
    "TalkResult",
    "Walk",
    "asking_price",
    "price_limits",
    "prospects",
    "respond",
    "seeded_supplier",
    "talk",
]
