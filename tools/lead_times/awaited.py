"""Which offer's lead time an open order is awaited by: order lines name no mode of transport."""

from collections.abc import Container, Iterable, Mapping

from tools.domain.catalogue import Offer


def awaited_offers(offers: Iterable[Offer], known: Container[str]) -> Mapping[tuple[str, str], str]:
    """Offer id by item and supplier: the slowest of its regular offers whose lead time is known.

    The slowest, so that an order by sea is not believed to fly; an expedited offer only where there is no other.
    """
    found: dict[tuple[str, str], str] = {}
    for offer in sorted(offers, key=lambda one: (one.expedite, -one.lead_time_days, one.offer_id)):
        if offer.offer_id in known:
            found.setdefault((offer.item_id, offer.supplier_id), offer.offer_id)
    return found
