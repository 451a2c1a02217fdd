"""What a plan means for an item: levels, service and projected stock, and why it orders or does not."""

from dataclasses import replace

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.plans import CostParts, ItemOutlook
from tools.domain.snapshots import OrderingSettings
from tools.ordering.explaining.explanation import Scene, days_of_cover
from tools.ordering.pricing.items import Batch
from tools.ordering.problem.levels import quantile_index
from tools.ordering.problem.quantities import TINY


def outlook(scene: Scene) -> ItemOutlook:
    """What the chosen candidate means for the item; levels are those of the source that it orders most from."""
    snapshot, row, batch = scene.snapshot, scene.row, scene.batch
    stock = scene.result.stock
    if stock is None:
        raise ValueError("the play of the chosen columns was not recorded")
    paths, demand = stock[:, row], snapshot.demand[row]
    position = float(snapshot.on_hand[row] + snapshot.arrivals[row].sum(axis=1).mean())
    source, levels = reference_source(scene), batch.levels
    missed = float(scene.result.missed[row, 0]) * demand.shape[0]
    level = 0.0 if source is None else float(levels.level[source])
    reach = int(reaches(batch, scene.settings)[row])
    later = _ready_rate(paths[min(reach, snapshot.horizon - 1) :])
    return ItemOutlook(
        item_id=scene.item_id,
        site_id=snapshot.site_ids[row],
        inventory_position=position,
        reorder_point=level,
        order_up_to=0.0 if source is None else level + float(levels.beyond[source]),
        safety_stock=0.0 if source is None else level - float(levels.window_mean[source]),
        cost=_cost(scene),
        stockout_probability=float((paths[:reach].min(axis=0) < -TINY).mean()),
        fill_rate=float(1 - missed / max(demand.sum(), 1e-12)),
        projected_stock=_bands(paths),
        days_of_cover=days_of_cover(scene),
        policy=batch.policy.name_of(row),
        reason=_reason(scene, source, later),
        ready_rate_later=later,
    )


def _cost(scene: Scene) -> CostParts:
    """Expected cost of the chosen candidate, with its share of what ordering from its suppliers costs at all."""
    own = CostParts(*(float(v) for v in scene.batch.parts[scene.row, scene.column]))
    joint = scene.allocation.joint_cost
    if not joint.size:
        return own
    return replace(own, ordering=own.ordering + float(joint[scene.batch.items[scene.row]]))


def reference_source(scene: Scene) -> int | None:
    """The source that the chosen candidate orders most from, else the regular one; nothing without a source."""
    columns, regular = scene.batch.columns, scene.batch.policy.regular
    quantities = columns.quantity[scene.row, scene.column]
    if quantities.max(initial=0.0) > TINY:
        return int(columns.source[scene.row, scene.column, int(np.argmax(quantities))])
    return int(regular.row[scene.row]) if regular.active[scene.row] else None


def reaches(batch: Batch, settings: OrderingSettings) -> IntArray:
    """(N,) periods until an order of the next review could arrive from the regular source."""
    regular, horizon = batch.policy.regular, batch.snapshot.horizon
    return np.where(regular.active, np.minimum(regular.lead + settings.review_periods, horizon), horizon)


def _ready_rate(paths: FloatArray) -> float:
    """Share of periods that end without a backorder, over (T, S) paths."""
    return float((paths >= -TINY).mean())


def _bands(paths: FloatArray) -> FloatArray:
    """(3, T) 10th, 50th and 90th percentile of (T, S) paths."""
    at = quantile_index(np.array([0.1, 0.5, 0.9]), paths.shape[1])
    return np.sort(paths, axis=1)[:, at].T


def _reason(scene: Scene, source: int | None, ready_rate: float) -> str:
    quantity = float(scene.batch.columns.quantity[scene.row, scene.column].sum())
    currency, chosen = scene.snapshot.currency, scene.total(scene.column)
    if source is None:
        return f"No source may be ordered from now: {scene.snapshot.on_hand[scene.row]:,.1f} on hand."
    levels = scene.batch.levels
    figures = (
        f"stock and the open orders that land within its lead time make {levels.position[source]:,.1f}, against a"
        f" level of {levels.level[source]:,.1f} for {scene.snapshot.sources.offer_ids[source]}"
    )
    after = f"later {ready_rate:.1%} of periods end without a backorder"
    if quantity <= TINY:
        extra = _cheapest_order(scene) - chosen
        tail = (
            f"the best order now would cost {extra:,.2f} {currency} more" if np.isfinite(extra) else "nothing is needed"
        )
        return f"Order nothing now: {figures}; {tail}; {after}."
    extra = f"{scene.total(0) - chosen:,.2f} {currency} more"
    return f"Order {quantity:,.0f} now: {figures}; ordering nothing would cost {extra}; {after}."


def _cheapest_order(scene: Scene) -> float:
    """Least expected cost among the item's candidates that order something; inf without one."""
    orders = (scene.batch.columns.quantity[scene.row] > TINY).any(axis=1)
    return float(np.where(orders, scene.batch.parts[scene.row].sum(axis=1), np.inf).min())
