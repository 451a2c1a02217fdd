"""Fill-rate floors: an item's shortage price is raised until its plan serves the share of demand asked for."""

from dataclasses import replace

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.snapshots import OrderingSettings
from tools.ordering.pricing.items import Batch, price_items, take_items

STEEPEST = 8
"""Doublings of the shortage price tried; a floor that 256 times the price does not reach is out of reach."""
HALVINGS = 3
"""Bisections between the last price that fell short and the first that did not."""
SHORT_OF = 1e-4
"""Share of demand by which a floor may be missed."""


def held_to_floors(batch: Batch, settings: OrderingSettings, *, shared: bool) -> Batch:
    """The batch, priced anew at the least shortage prices found at which every item's floor holds.

    The fill rate is that of the cheapest candidate, from the first period on that an order placed now with the
    regular source can serve: what today's stock already misses no order can mend. Where no price reaches the floor
    the price stays that served most.
    """
    target = batch.snapshot.fill_rate_target
    short = np.flatnonzero(np.isfinite(target) & (fill_rates(batch) < target - SHORT_OF))
    if not short.size:
        return batch
    floor = np.ones(batch.items.size)
    floor[short] = _least_prices(batch, settings, short, shared)
    own = np.arange(batch.items.size)
    raised = price_items(batch.snapshot, settings, own, shared=shared, floor=floor)
    return replace(raised, items=batch.items)


def fill_rates(batch: Batch) -> FloatArray:
    """(N,) share served later under each item's cheapest candidate."""
    return batch.fill_later[np.arange(batch.items.size), np.argmin(batch.total, axis=1)]


def _least_prices(batch: Batch, settings: OrderingSettings, short: np.ndarray, shared: bool) -> FloatArray:
    """(R,) multiples of the shortage price: doubled until the floor holds, then halved back by bisection."""
    part, target = take_items(batch.snapshot, short), batch.snapshot.fill_rate_target[short]
    served = fill_rates(batch)[short]

    def tried(multiple: FloatArray) -> FloatArray:
        return fill_rates(price_items(part, settings, np.arange(short.size), shared=shared, floor=multiple))

    low, high = np.ones(short.size), np.full(short.size, np.inf)
    most = np.ones(short.size)
    for doubling in range(1, STEEPEST + 1):
        open_ = ~np.isfinite(high)
        if not open_.any():
            break
        at = np.where(open_, 2.0**doubling, low)
        found = tried(at)
        better = open_ & (found > served + SHORT_OF)
        served, most = np.where(better, found, served), np.where(better, at, most)
        high = np.where(open_ & (found >= target - SHORT_OF), at, high)
        low = np.where(open_ & ~np.isfinite(high), at, low)
    reached = np.isfinite(high)
    for _ in range(HALVINGS if reached.any() else 0):
        middle = np.where(reached, np.sqrt(low * np.where(reached, high, low)), most)
        held = tried(middle) >= target - SHORT_OF
        high, low = np.where(reached & held, middle, high), np.where(reached & ~held, middle, low)
    return np.where(reached, high, most)
