"""Key figures of a dataset version: stock, turns, cover, delivery performance, cycle time, landed cost.

Each is nan where the data does not hold what its formula needs; none is guessed.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from tools.domain.catalogue import Offer
from tools.domain.datasets import Dataset, DemandHistory
from tools.domain.orders import Receipt

NAN = float("nan")
DAYS_PER_YEAR = 365.0

KPI_FORMULAS: Mapping[str, str] = {
    "stock_value": "sum of units on hand times unit value, in money",
    "open_order_value": "sum of units still to arrive times unit value, in money",
    "inventory_turns": "demand of the window at unit value, per year, over stock value; a year's rate",
    "days_of_cover": "stock value over the window's mean daily demand at unit value, in days",
    "fill_rate": "units served over units demanded; needs both from the caller",
    "otif": "order lines due in the window that arrived in full by the promised date, as a share of all due",
    "cycle_time_mean_days": "mean days from order to receipt, over receipts of the window",
    "cycle_time_p90_days": "90th percentile of days from order to receipt, over receipts of the window",
    "landed_cost": "price, freight and fixed order cost of the window's receipts at today's terms, in money",
    "landed_cost_ratio": "landed cost over the same units at unit value",
}
"""Name of each figure and its formula, for people."""


def compute_kpis(
    dataset: Dataset,
    *,
    window_days: int = 365,
    demanded: float | None = None,
    served: float | None = None,
) -> dict[str, float]:
    """Every figure of `KPI_FORMULAS` over the `window_days` up to `dataset.as_of`.

    The data holds one stock level, not its past, so turns and cover use the stock at `as_of` as it stands.
    A dataset records what was asked for, not what was served: fill rate needs `demanded` and `served` units.
    """
    since = dataset.as_of - timedelta(days=window_days)
    stock = stock_value(dataset)
    daily = demand_value(dataset, since) / window_days
    received = [receipt for receipt in dataset.receipts if since < receipt.receipt_date <= dataset.as_of]
    cycle = np.array([receipt.lead_time_days for receipt in received], dtype=np.float64)
    landed, goods = landed_cost(dataset, received)
    return {
        "stock_value": stock,
        "open_order_value": _open_order_value(dataset),
        "inventory_turns": inventory_turns(daily, stock),
        "days_of_cover": ratio(stock, daily),
        "fill_rate": fill_rate(demanded, served),
        "otif": otif(dataset, since),
        "cycle_time_mean_days": float(cycle.mean()) if cycle.size else NAN,
        "cycle_time_p90_days": float(np.quantile(cycle, 0.9)) if cycle.size else NAN,
        "landed_cost": landed if received else NAN,
        "landed_cost_ratio": ratio(landed, goods),
    }


def ratio(numerator: float, denominator: float) -> float:
    """The quotient; nan where the denominator is not above 0."""
    return numerator / denominator if denominator > 0 else NAN


def inventory_turns(demand_value_per_day: float, stock: float) -> float:
    """Times a year that the stock value is used up; nan without stock."""
    return ratio(demand_value_per_day * DAYS_PER_YEAR, stock)


def fill_rate(demanded: float | None, served: float | None) -> float:
    """Share of demanded units served from stock (type 2 service level); nan where either is unknown."""
    if demanded is None or served is None:
        return NAN
    return ratio(min(served, demanded), demanded)


def stock_value(dataset: Dataset) -> float:
    """Units on hand at unit value; backorders are no negative stock."""
    return sum(max(units, 0.0) * _unit_value(dataset, item_id) for (item_id, _), units in dataset.on_hand.items())


def demand_value(dataset: Dataset, since: date) -> float:
    """Demand after `since` up to `as_of` at unit value."""
    return sum(
        _units_between(history, since, dataset.as_of) * _unit_value(dataset, item_id)
        for (item_id, _), history in dataset.demand.items()
    )


def _units_between(history: DemandHistory, since: date, until: date) -> float:
    inside = (history.dates > np.datetime64(since)) & (history.dates <= np.datetime64(until))
    return float(np.nansum(history.quantities[inside]))


def _unit_value(dataset: Dataset, item_id: str) -> float:
    item = dataset.items.get(item_id)
    return item.unit_value if item else 0.0


def _open_order_value(dataset: Dataset) -> float:
    return sum(o.quantity * _unit_value(dataset, o.item_id) for o in dataset.open_orders if o.status.is_open)


def otif(dataset: Dataset, since: date) -> float:
    """On time in full: of the order lines promised after `since` and up to `as_of`, the share kept.

    A line is an order and item at a site. It is kept when its last receipt came by the promised date and nothing
    of it is still open. A date promised for `as_of` or later can still be kept and does not count while open.
    """
    kept: dict[tuple[str, str, str], bool] = defaultdict(lambda: True)
    for receipt in dataset.receipts:
        if receipt.promised_date and since < receipt.promised_date <= dataset.as_of >= receipt.receipt_date:
            kept[receipt.order_id, receipt.item_id, receipt.site_id] &= receipt.receipt_date <= receipt.promised_date
    for order in dataset.open_orders:
        if order.status.is_open and order.promised_date:
            line = (order.order_id, order.item_id, order.site_id)
            if since < order.promised_date < dataset.as_of:
                kept[line] = False
            else:
                kept.pop(line, None)
    return ratio(float(sum(kept.values())), float(len(kept)))


def landed_cost(dataset: Dataset, receipts: list[Receipt]) -> tuple[float, float]:
    """Money for the received units at today's terms, and the same units at unit value.

    Receipts name no price, so each is taken at the cheapest offer of its item and supplier that is not an
    expedited one; where they have none, at the item's unit value. One fixed order cost per order and item.
    """
    terms = _usual_terms(dataset.offers)
    lines: dict[tuple[str, str, str], float] = defaultdict(float)
    for receipt in receipts:
        lines[receipt.order_id, receipt.item_id, receipt.supplier_id] += receipt.quantity
    landed = goods = 0.0
    for (_, item_id, supplier_id), units in lines.items():
        value = units * _unit_value(dataset, item_id)
        offer = terms.get((item_id, supplier_id))
        landed += _landed(offer, units) if offer else value
        goods += value
    return landed, goods


def _landed(offer: Offer, units: float) -> float:
    return units * (offer.unit_price_at(units) + offer.freight_per_unit) + offer.fixed_order_cost


def _usual_terms(offers: tuple[Offer, ...]) -> dict[tuple[str, str], Offer]:
    found: dict[tuple[str, str], Offer] = {}
    ordered = sorted(offers, key=lambda o: (o.expedite, o.unit_price + o.freight_per_unit, o.offer_id))
    for offer in ordered:
        found.setdefault((offer.item_id, offer.supplier_id), offer)
    return found
