"""Two years of history of the demo world: demand, receipts, open orders, and the stock that is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from evals.worlds.goods import Good
from evals.worlds.parties import EXPRESS, ON_HOLD, SITE
from evals.worlds.truth import LeadTimeLaw
from tools.domain.arrays import FloatArray
from tools.domain.catalogue import Offer
from tools.domain.datasets import DemandHistory
from tools.domain.orders import OpenOrderStatus, PurchaseOrder, Receipt

WEEKS = 104
SHORT, OVER = 8, 11
"""An item in eight is about to run out, one in eleven is overstocked."""
Lane = tuple[Offer, LeadTimeLaw]
Lanes = Sequence[Lane]


@dataclass(frozen=True)
class Orders:
    """What has arrived and what is on its way."""

    receipts: list[Receipt]
    open_orders: list[PurchaseOrder]


def demand_history(rng: np.random.Generator, good: Good, as_of: date) -> DemandHistory:
    """Weekly demand up to `as_of`; each row carries the first day of its week, and weeks without demand a zero."""
    weeks = np.arange(-WEEKS, 0)
    starts = np.datetime64(as_of) + 1 + weeks * 7
    return DemandHistory(good.item.item_id, SITE, starts, good.demand.draw(rng, weeks))


def orders_of(rng: np.random.Generator, good: Good, lanes: Lanes, as_of: date, first_number: int) -> Orders:
    """Orders of the past two years at an economic rhythm, mostly from the cheapest source."""
    receipts, open_orders = list[Receipt](), list[PurchaseOrder]()
    day = as_of - timedelta(days=WEEKS * 7)
    number = first_number
    gap_weeks = _rhythm_weeks(good, lanes[0][0])
    day += timedelta(days=int(rng.integers(0, max(1, round(gap_weeks * 7)))))
    while day <= as_of:
        offer, law = _source(rng, lanes)
        quantity = _quantity(good.demand.weekly_mean * gap_weeks * float(rng.uniform(0.8, 1.2)), offer)
        arrival = day + timedelta(days=int(law.sample(rng, 1)[0]))
        common = {
            "order_id": f"PO{number:05d}",
            "item_id": offer.item_id,
            "supplier_id": offer.supplier_id,
            "site_id": SITE,
            "quantity": quantity,
            "order_date": day,
            "promised_date": day + timedelta(days=law.promised_days),
        }
        if arrival <= as_of:
            receipts.append(Receipt.model_validate({**common, "receipt_date": arrival}))
        else:
            status = _status(day, law, as_of)
            open_orders.append(PurchaseOrder.model_validate({**common, "status": status}))
        number += 1
        day += timedelta(days=max(3, round(gap_weeks * 7 * float(rng.uniform(0.7, 1.3)))))
    return Orders(receipts, open_orders)


def _rhythm_weeks(good: Good, offer: Offer) -> float:
    """Weeks of demand in an economic order quantity, between two weeks and twelve."""
    value, mean = good.item.unit_value, good.demand.weekly_mean
    economic = np.sqrt(2 * offer.fixed_order_cost * mean * 52 / (value * good.item.holding_rate_per_year))
    return float(np.clip(economic / mean, 2.0, 12.0))


def _source(rng: np.random.Generator, lanes: Lanes) -> tuple[Offer, LeadTimeLaw]:
    """The cheapest seven times in ten, else another; the fast one only now and then."""
    ranked = sorted(lanes, key=lambda lane: lane[0].unit_price + lane[0].freight_per_unit)
    if len(ranked) == 1 or rng.random() < 0.7:
        return ranked[0]
    other = ranked[1 + int(rng.integers(len(ranked) - 1))]
    return ranked[0] if other[0].supplier_id == EXPRESS and rng.random() < 0.5 else other


def _quantity(units: float, offer: Offer) -> float:
    return float(max(offer.moq, offer.order_multiple * np.ceil(units / offer.order_multiple)))


def _status(ordered: date, law: LeadTimeLaw, as_of: date) -> OpenOrderStatus:
    """Where an order stands by its age; one past its promise is in transit, and late."""
    share = (as_of - ordered).days / law.promised_days
    if share < 0.05:
        return OpenOrderStatus.SENT
    return OpenOrderStatus.CONFIRMED if share < 0.6 else OpenOrderStatus.IN_TRANSIT


def without_held_supplier(orders: Orders) -> Orders:
    """Nothing is on order from a supplier on hold; what it delivered stays."""
    return Orders(orders.receipts, [o for o in orders.open_orders if o.supplier_id != ON_HOLD])


def stock_on_hand(rng: np.random.Generator, number: int, weekly: FloatArray, lanes: Lanes) -> float:
    """Units left: a few days' worth, most of a year's, or what bridges the spread of the cheapest source."""
    mean = float(weekly[-26:].mean())
    if number % SHORT == 1:
        return float(round(mean * rng.uniform(0.1, 0.8)))
    if number % OVER == 5:
        return float(round(mean * rng.uniform(40, 55)))
    cheapest = min(lanes, key=lambda lane: lane[0].unit_price + lane[0].freight_per_unit)[1]
    return float(round(mean * (4 + rng.uniform(0.5, 1.4) * cheapest.median_days / 7)))
