"""Where an order stands, in the words of the screens."""

from collections.abc import Mapping

from tools.domain.orders import Order, OrderStatus, RouteKind

LEAVING = (RouteKind.AUTO, RouteKind.PERSON)
"""Routes of orders that leave, or wait to."""
_S = OrderStatus
WORDS: Mapping[OrderStatus, str] = {
    _S.PROPOSED: "planned",
    _S.WAITING: "waiting",
    _S.CHANGE_WAITING: "waiting",
    _S.APPROVED: "dispatched",
    _S.SENDING: "dispatched",
    _S.IN_DOUBT: "in doubt",
    _S.PLACED: "confirmed",
    _S.CONFIRMED: "confirmed",
    _S.PART_RECEIVED: "part received",
    _S.RECEIVED: "received",
    _S.REJECTED: "rejected",
    _S.WITHDRAWN: "withdrawn",
    _S.SUPERSEDED: "void",
    _S.CANCELLED: "withdrawn",
    _S.FAILED: "failed",
}


ON_ITS_WAY = tuple(WORDS[status] for status in (_S.APPROVED, _S.IN_DOUBT, _S.PLACED, _S.PART_RECEIVED, _S.RECEIVED))
"""Words for orders that were sent, or go by themselves."""
ASKED = (WORDS[_S.PROPOSED], WORDS[_S.WAITING])
"""Words for orders that are still to be decided."""
KEPT_BACK: Mapping[RouteKind, str] = {RouteKind.SHADOW: "shadow", RouteKind.HELD: "held"}
"""Words for orders that no gate denied and that do not leave: only shown, or rejected by a person before."""


def shown_status(order: Order) -> str:
    """Where an order stands. A change of an open order is confirmed once sent; an order of ours is taken back."""
    if order.status is _S.GATED:
        return KEPT_BACK.get(order.route.kind, "denied")
    if order.status is _S.CHANGE_SENT:
        return "withdrawn" if order.places else "confirmed"
    return WORDS[order.status]
