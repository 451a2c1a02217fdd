"""Two usual ways to buy: reorder points set once, and one central plan a week.

Both use the textbook's full formula, with the spread of demand and of lead time (Silver, Pyke and Thomas 2017,
section 6.9): safety stock = z·sqrt(L·sd_d² + mean_d²·sd_L²).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from evals.buying import OrderRequest, View
from tools.domain.arrays import FloatArray
from tools.domain.catalogue import Criticality, Item, Offer, SupplierStatus
from tools.domain.datasets import Dataset

SERVICE = {Criticality.A: 0.98, Criticality.B: 0.95, Criticality.C: 0.90}
BATCH_DECISION_DAYS = 3.0
"""Assumed: a weekly plan is made, talked over and released within three days."""
DESK_HOURS = 22.02
"""Requisition to order, mean over 46,117 requisitions of the BPI Challenge 2019."""


@dataclass(frozen=True, slots=True)
class Levels:
    """How one item is replenished from its one source."""

    offer: Offer
    reorder_point: float
    lot: float


def cheapest_sources(dataset: Dataset) -> dict[str, Offer]:
    """Item id to its one source: the regular offer of least landed unit cost from an active supplier."""
    chosen = dict[str, Offer]()
    for offer in dataset.offers:
        if dataset.suppliers[offer.supplier_id].status is not SupplierStatus.ACTIVE or offer.expedite:
            continue
        best = chosen.get(offer.item_id)
        if best is None or _landed(offer) < _landed(best):
            chosen[offer.item_id] = offer
    return chosen


def _landed(offer: Offer) -> float:
    return offer.unit_price + offer.freight_per_unit


def lead_weeks(dataset: Dataset, offer: Offer) -> tuple[float, float]:
    """Mean and standard deviation in weeks over the lane's receipts; the quote and 0 with fewer than three."""
    days = [
        receipt.lead_time_days
        for receipt in dataset.receipts
        if (receipt.item_id, receipt.supplier_id) == (offer.item_id, offer.supplier_id)
    ]
    if len(days) < 3:
        return offer.lead_time_days / 7, 0.0
    return float(np.mean(days)) / 7, float(np.std(days, ddof=1)) / 7


def safety_stock(mean: float, sd: float, lead: tuple[float, float], review_weeks: float, factor: float) -> float:
    """Units: safety factor times the standard deviation of demand over lead time plus review."""
    weeks, spread = lead
    return float(factor * np.sqrt((weeks + review_weeks) * sd**2 + mean**2 * spread**2))


def lot_size(offer: Offer, item: Item, weekly_mean: float) -> float:
    """Economic order quantity within the offer's MOQ, multiple and maximum."""
    holding = max(item.unit_value * item.holding_rate_per_year, 1e-9)
    return rounded(offer, float(np.sqrt(2 * offer.fixed_order_cost * weekly_mean * 52 / holding)))


def rounded(offer: Offer, units: float) -> float:
    """Up to the MOQ and the next multiple, down to the maximum."""
    multiple = max(offer.order_multiple, 1e-9)
    quantity = float(np.ceil(max(units, offer.moq) / multiple - 1e-9) * multiple)
    return min(quantity, offer.max_quantity or quantity)


def service_of(item: Item) -> float:
    """The stated service level, or the usual one of the item's criticality."""
    return item.service_level_target or SERVICE[item.criticality]


class StaticReorderPoint:
    """A reorder point and an economic lot per item, set from history on the first day and never again.

    The ERP checks every day; a requisition becomes an order after the usual time on a buyer's desk.
    `extra_factor` adds to every item's safety factor: the same way to buy with more or less stock.
    """

    name = "static reorder point"

    def __init__(self, dataset: Dataset, extra_factor: float = 0.0) -> None:
        history = {key: h.quantities for key, h in dataset.demand.items()}
        self._levels = _levels(dataset, history, 1 / 7, extra_factor)
        self._points = np.array([self._levels[key].reorder_point for key in dataset.on_hand])

    def reorder_points(self) -> FloatArray:
        """(N,) fixed."""
        return self._points

    def review(self, view: View) -> Sequence[OrderRequest]:
        """As many lots as lift the position above the reorder point."""
        requests = list[OrderRequest]()
        for row in np.flatnonzero(view.position <= self._points):
            level = self._levels[view.item_keys[row]]
            lots = int(np.floor((level.reorder_point - view.position[row]) / level.lot)) + 1
            for _ in range(lots):
                requests.append(OrderRequest(level.offer.offer_id, level.lot, DESK_HOURS / 24))
        return requests


class WeeklyCentralPlan:
    """Once a week, a central plan over all items: forecast mean, normal safety stock, the cheapest source.

    The forecast is the mean of the latest half-year, renewed every four weeks with the lead times. Orders lift the
    position to the reorder point plus one lot and leave when the batch has been talked over. `extra_factor` as above.
    """

    name = "weekly central plan"

    def __init__(self, dataset: Dataset, extra_factor: float = 0.0) -> None:
        self._extra_factor = extra_factor
        self._keys = tuple(dataset.on_hand)
        self._levels: Mapping[tuple[str, str], Levels] = {}
        self._points = np.full(len(self._keys), np.nan)

    def reorder_points(self) -> FloatArray:
        """(N,) as of the latest renewal."""
        return self._points

    def review(self, view: View) -> Sequence[OrderRequest]:
        """Every seventh day."""
        if view.day % 7:
            return ()
        if view.day % 28 == 0:
            self._renew(view.current())
        requests = list[OrderRequest]()
        for row in np.flatnonzero(view.position <= self._points):
            level = self._levels[self._keys[row]]
            wanted = level.reorder_point + level.lot - view.position[row]
            requests.append(
                OrderRequest(level.offer.offer_id, rounded(level.offer, float(wanted)), BATCH_DECISION_DAYS)
            )
        return requests

    def _renew(self, dataset: Dataset) -> None:
        recent = {key: h.quantities[-26:] for key, h in dataset.demand.items()}
        self._levels = _levels(dataset, recent, 1.0 + BATCH_DECISION_DAYS / 7, self._extra_factor)
        self._points = np.array([self._levels[key].reorder_point for key in self._keys])


def _levels(
    dataset: Dataset, weekly: Mapping[tuple[str, str], FloatArray], review_weeks: float, extra_factor: float
) -> dict[tuple[str, str], Levels]:
    sources = cheapest_sources(dataset)
    levels = dict[tuple[str, str], Levels]()
    for key, quantities in weekly.items():
        item, offer = dataset.items[key[0]], sources[key[0]]
        mean, sd = float(quantities.mean()), float(quantities.std(ddof=1))
        lead = lead_weeks(dataset, offer)
        factor = float(ndtri(service_of(item))) + extra_factor
        spare = safety_stock(mean, sd, lead, review_weeks, factor)
        point = mean * (lead[0] + review_weeks) + spare
        levels[key] = Levels(offer, point, lot_size(offer, item, mean))
    return levels
