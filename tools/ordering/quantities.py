"""Order quantities a supplier accepts and what they cost: MOQ, multiples, caps, all-units price breaks."""

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SourceTable

TINY = 1e-9


def order_cap(sources: SourceTable, review_periods: int) -> FloatArray:
    """(M,) largest order a source accepts now: its own maximum, and what it ships until the next review."""
    return np.minimum(sources.max_quantity, sources.capacity_per_period * review_periods)


def round_up(quantity: FloatArray, moq: FloatArray, multiple: FloatArray) -> FloatArray:
    """Smallest accepted quantity not below `quantity`; 0 stays 0. A multiple of 0 accepts any quantity."""
    step = np.where(multiple > 0, multiple, 1.0)
    wanted = np.maximum(quantity, moq)
    rounded = np.where(multiple > 0, np.ceil(wanted / step - TINY) * step, wanted)
    return np.where(quantity > TINY, rounded, 0.0)


def round_down(quantity: FloatArray, moq: FloatArray, multiple: FloatArray) -> FloatArray:
    """Largest accepted quantity not above `quantity`; 0 where not even the MOQ fits."""
    step = np.where(multiple > 0, multiple, 1.0)
    least = np.where(multiple > 0, np.ceil(moq / step - TINY) * step, moq)
    rounded = np.where(multiple > 0, np.floor(quantity / step + TINY) * step, quantity)
    return np.where(rounded >= least - TINY, np.maximum(rounded, 0.0), 0.0)


def unit_price_at(sources: SourceTable, rows: IntArray, quantity: FloatArray) -> FloatArray:
    """All-units price of `quantity` at source `rows` (same shape)."""
    price = sources.unit_price[rows]
    for column in range(sources.break_quantity.shape[1]):
        reached = quantity >= sources.break_quantity[rows, column] - TINY
        price = np.where(reached, sources.break_price[rows, column], price)
    return price


def usable_sources(snapshot: PlanningSnapshot, settings: OrderingSettings) -> np.ndarray:
    """(M,) bool: may be ordered from now, under these settings."""
    sources = snapshot.sources
    allowed = np.array([settings.item_allow_expedite.get(i, settings.allow_expedite) for i in snapshot.item_ids])
    if sources.item.size == 0:
        return np.zeros(0, dtype=np.bool_)
    return sources.orderable & (~sources.expedite | allowed[sources.item])


def share_caps(snapshot: PlanningSnapshot, settings: OrderingSettings) -> FloatArray:
    """(M,) largest share of the item's order now that the source's supplier may take."""
    sources = snapshot.sources
    wanted = np.array([settings.item_max_share.get(i, settings.max_share) for i in snapshot.item_ids])
    cap = wanted[sources.item] if sources.item.size else np.zeros(0)
    limit = snapshot.limits.supplier_max_share
    return np.minimum(cap, limit[sources.supplier]) if limit.size else cap


def price_of(sources: SourceTable, row: int, quantity: float) -> float:
    """All-units price of one order."""
    price = float(sources.unit_price[row])
    for point, at_point in zip(sources.break_quantity[row].tolist(), sources.break_price[row].tolist(), strict=True):
        price = at_point if quantity >= point - TINY else price
    return price
