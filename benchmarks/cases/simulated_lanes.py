"""Lanes with known lead-time laws: suppliers and items with effects of their own, skewed residuals, open orders."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.catalogue import Offer
from tools.domain.orders import PurchaseOrder, Receipt

TODAY = date(2024, 6, 30)
LANES_PER_SUPPLIER = 15
HISTORY_DAYS = 720
DRAWS = 200
LATE_SHARE = 0.12
"""Of orders that meet an extra delay: residuals are skewed to the right, as real ones are."""


@dataclass(frozen=True)
class SimulatedLanes:
    """One offer per lane, its record up to TODAY, and what comes next."""

    offers: tuple[Offer, ...]
    receipts: tuple[Receipt, ...]
    open_orders: tuple[PurchaseOrder, ...]
    truth: FloatArray
    """(lanes, DRAWS) days of orders to come."""


@dataclass(frozen=True)
class _Laws:
    quoted: FloatArray
    location: FloatArray
    spread: FloatArray


def simulate_lanes(lanes: int, seed: int) -> SimulatedLanes:
    """Lanes with 1 to 20 orders sent over two years; those not yet arrived at TODAY are open."""
    rng = np.random.default_rng(seed)
    laws = _laws(rng, lanes)
    offers, receipts, waiting = list[Offer](), list[Receipt](), list[PurchaseOrder]()
    for lane, orders in enumerate(rng.integers(1, 21, lanes).tolist()):
        item_id, supplier_id = f"I{lane}", f"S{lane // LANES_PER_SUPPLIER}"
        offers.append(
            Offer(item_id=item_id, supplier_id=supplier_id, unit_price=1, lead_time_days=float(laws.quoted[lane]))
        )
        age_days = rng.integers(1, HISTORY_DAYS, orders)
        lead_days = _draw(rng, laws, lane, orders)
        for number, (age, lead) in enumerate(zip(age_days.tolist(), lead_days.tolist(), strict=True)):
            order_id, sent = f"{lane}-{number}", TODAY - timedelta(days=age)
            if lead <= age:
                arrived = sent + timedelta(days=lead)
                receipts.append(
                    Receipt(
                        order_id=order_id,
                        item_id=item_id,
                        supplier_id=supplier_id,
                        quantity=1,
                        order_date=sent,
                        receipt_date=arrived,
                    )
                )
            else:
                waiting.append(
                    PurchaseOrder(
                        order_id=order_id, item_id=item_id, supplier_id=supplier_id, quantity=1, order_date=sent
                    )
                )
    truth = np.stack([_draw(rng, laws, lane, DRAWS) for lane in range(lanes)]).astype(np.float64)
    return SimulatedLanes(tuple(offers), tuple(receipts), tuple(waiting), truth)


def _laws(rng: np.random.Generator, lanes: int) -> _Laws:
    suppliers = -(-lanes // LANES_PER_SUPPLIER)
    supplier = np.arange(lanes) // LANES_PER_SUPPLIER
    bias, spread = rng.normal(0.1, 0.3, suppliers), rng.uniform(0.15, 0.45, suppliers)
    quoted: FloatArray = np.rint(60 * np.exp(rng.normal(0, 0.5, lanes))).astype(np.float64)
    return _Laws(quoted, np.log(quoted) + bias[supplier] + rng.normal(0, 0.15, lanes), spread[supplier])


def _draw(rng: np.random.Generator, laws: _Laws, lane: int, count: int) -> FloatArray:
    """(count,) whole days."""
    late = rng.exponential(1.5, count) * (rng.random(count) < LATE_SHARE)
    return np.maximum(np.rint(np.exp(laws.location[lane] + laws.spread[lane] * (rng.normal(size=count) + late))), 1)
