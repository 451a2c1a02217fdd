"""Order quantities a supplier accepts and what they cost: MOQ, multiples, caps, all-units price breaks."""

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
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
    """Mean price per unit of an order of `quantity` at source `rows` (same shape).

    All-units breaks give the whole order the price of the last break reached; incremental ones only the units beyond.
    """
    first = sources.unit_price[rows]
    price, spent, reached_price = first, np.zeros(np.shape(quantity)), first
    steps = bool(sources.incremental.any())
    for column in range(sources.break_quantity.shape[1]):
        point, at_point = sources.break_quantity[rows, column], sources.break_price[rows, column]
        reached = quantity >= point - TINY
        if steps:
            spent = spent + np.where(reached, (quantity - point) * (at_point - reached_price), 0.0)
            reached_price = np.where(reached, at_point, reached_price)
        price = np.where(reached, at_point, price)
    if not steps:
        return price
    return np.where(sources.incremental[rows], first + spent / np.maximum(quantity, TINY), price)


def allowed_sources(snapshot: PlanningSnapshot, settings: OrderingSettings) -> BoolArray:
    """(M,) approved now or from a later period on, able to take an order of some size, and not a forbidden expedite."""
    sources, own = snapshot.sources, settings.item_allow_expedite
    if sources.item.size == 0:
        return np.zeros(0, dtype=np.bool_)
    allowed = np.full(snapshot.n_items, settings.allow_expedite)
    if own:
        allowed = np.array([own.get(item, settings.allow_expedite) for item in snapshot.item_ids])
    approved = (sources.orderable | (sources.first_period > 0)) & accepts_orders(sources, settings.review_periods)
    return approved & (~sources.expedite | allowed[sources.item])


def accepts_orders(sources: SourceTable, review_periods: int) -> BoolArray:
    """(M,) whether any quantity within MOQ, multiple, maximum and capacity is left to order."""
    return round_down(order_cap(sources, review_periods), sources.moq, sources.order_multiple) > TINY


def usable_now(snapshot: PlanningSnapshot, settings: OrderingSettings) -> BoolArray:
    """(M,) may be ordered from now: allowed, within its dates, and the item is not frozen."""
    sources = snapshot.sources
    if sources.item.size == 0:
        return np.zeros(0, dtype=np.bool_)
    in_time = (sources.first_period <= 0) & (sources.last_period >= 0)
    return allowed_sources(snapshot, settings) & in_time & (snapshot.frozen_periods[sources.item] <= 0)


def usable_later(snapshot: PlanningSnapshot, settings: OrderingSettings) -> BoolArray:
    """(M,) may be ordered from at a later review within the horizon, or now."""
    sources = snapshot.sources
    if sources.item.size == 0:
        return np.zeros(0, dtype=np.bool_)
    opens = np.maximum(sources.first_period, snapshot.frozen_periods[sources.item])
    return allowed_sources(snapshot, settings) & (opens <= sources.last_period) & (opens <= snapshot.horizon)


def least_suppliers(snapshot: PlanningSnapshot, settings: OrderingSettings) -> IntArray:
    """(N,) suppliers that must share an item's order now: as many as asked for and as there are to order from."""
    own = settings.item_min_suppliers
    wanted = np.full(snapshot.n_items, max(settings.min_suppliers, 1), dtype=np.int64)
    if own:
        wanted = np.array([max(own.get(item, settings.min_suppliers), 1) for item in snapshot.item_ids])
    if int(wanted.max(initial=1)) <= 1:
        return wanted
    return np.minimum(wanted, np.maximum(supplier_counts(snapshot, usable_now(snapshot, settings)), 1))


def supplier_counts(snapshot: PlanningSnapshot, usable: BoolArray) -> IntArray:
    """(N,) different suppliers that may be ordered from now."""
    sources = snapshot.sources
    rows = np.flatnonzero(usable)
    pairs = np.unique(np.stack([sources.item[rows], sources.supplier[rows]], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=snapshot.n_items) if pairs.size else np.zeros(snapshot.n_items, np.int64)


def share_caps(snapshot: PlanningSnapshot, settings: OrderingSettings) -> FloatArray:
    """(M,) largest share of the item's order now that the source's supplier may take."""
    sources = snapshot.sources
    own = settings.item_max_share
    wanted = np.full(snapshot.n_items, settings.max_share)
    if own:
        wanted = np.array([own.get(item, settings.max_share) for item in snapshot.item_ids])
    cap = wanted[sources.item] if sources.item.size else np.zeros(0)
    limit = snapshot.limits.supplier_max_share
    return np.minimum(cap, limit[sources.supplier]) if limit.size else cap


def price_of(sources: SourceTable, row: int, quantity: float) -> float:
    """Mean price per unit of one order."""
    price = reached_price = float(sources.unit_price[row])
    spent = price * quantity
    for point, at_point in zip(sources.break_quantity[row].tolist(), sources.break_price[row].tolist(), strict=True):
        if quantity >= point - TINY:
            spent += (quantity - point) * (at_point - reached_price)
            price = reached_price = at_point
    return spent / max(quantity, TINY) if sources.incremental[row] and quantity > TINY else price
