"""Needs whose facts are others in a new dataset version than those that waiting orders were planned on."""

from collections.abc import Iterable

from tools.domain.datasets import Dataset
from tools.domain.orders import ItemSite, Order

TINY = 1e-6


def moved_needs(waiting: Iterable[Order], before: Dataset, after: Dataset) -> set[ItemSite]:
    """Needs of waiting orders that would buy what is there by now, or on terms that are no longer true.

    A need moved when its stock and open orders together rose, or when the offer or the supplier of its line changed.
    Less stock than before moves none: what waits is needed the more.
    """
    found: set[ItemSite] = set()
    for order in waiting:
        supplier_moved = before.suppliers.get(order.supplier_id) != after.suppliers.get(order.supplier_id)
        for line in order.lines:
            need = (line.item_id, order.site_id)
            terms_moved = before.offer_of.get(line.offer_id) != after.offer_of.get(line.offer_id)
            if supplier_moved or terms_moved or _position(after, need) > _position(before, need) + TINY:
                found.add(need)
    return found


def _position(dataset: Dataset, need: ItemSite) -> float:
    """Units on hand and on order."""
    item_id, site_id = need
    standing = dataset.open_orders_by_item.get(item_id, ())
    return dataset.on_hand.get(need, 0.0) + sum(row.quantity for row in standing if row.site_id == site_id)
