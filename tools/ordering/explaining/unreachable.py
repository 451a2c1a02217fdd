"""Service floors that no order can keep: what runs out before the first order can land, and what stays short."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.limits.allocation import Allocation
from tools.ordering.pricing.items import Batch, Part

NAMED = 5
"""Items named one by one, the largest shortage in money first."""
LEAST_UNITS = 0.5
"""Expected shortage in units below which nothing is said."""
FILL_MISSED = 0.005
"""Share of demand by which a fill-rate floor may be missed unsaid."""


@dataclass(frozen=True)
class _Shortage:
    """An item that is short before any order can land."""

    item_id: str
    begins: date
    lands: date
    units: float
    worth: float
    offer_id: str


def short_before_any_order(parts: Sequence[Part]) -> list[str]:
    """Items with a service floor that is out of reach before the fastest source lands, one sentence each."""
    found = [shortage for batch, rows in parts for shortage in _shortages(batch, rows)]
    found.sort(key=lambda shortage: (-shortage.worth, shortage.item_id))
    words = [
        f"Item {s.item_id} will be short from {s.begins} to {s.lands} by about {s.units:,.0f} units whatever is"
        f" ordered: its fastest source, {s.offer_id}, lands on {s.lands}; expedite an open order or borrow stock."
        for s in found[:NAMED]
    ]
    if len(found) > NAMED:
        words.append(f"{len(found) - NAMED} more items will be short before their fastest source can land.")
    return words


def _shortages(batch: Batch, standing: IntArray) -> list[_Shortage]:
    """Shortages of the periods that end before the fastest source lands on half of the paths."""
    snapshot = batch.snapshot
    floor: FloatArray = np.fmax(snapshot.service_level, snapshot.fill_rate_target)
    fastest = _fastest(batch)
    rows = standing[np.isfinite(floor[standing]) & (fastest[standing] >= 0)]
    reach = np.median(batch.levels.lead[fastest[rows]], axis=1).astype(np.int64) if rows.size else rows
    rows, reach = rows[reach > 0], np.minimum(reach[reach > 0], snapshot.horizon)
    if not rows.size:
        return []
    last = int(reach.max())
    coming = np.cumsum(snapshot.arrivals[rows, :, :last] - snapshot.demand[rows, :, :last], axis=2)
    missing = np.maximum(-(snapshot.on_hand[rows, None, None] + coming), 0.0)
    often = ((missing > 0).mean(axis=1) > (1 - floor[rows] + 1e-9)[:, None]) & (np.arange(last) < reach[:, None])
    units = np.where(often, missing.mean(axis=1), 0.0).max(axis=1)
    return [
        _shortage(batch, int(rows[k]), int(fastest[rows[k]]), int(np.argmax(often[k])), float(units[k]))
        for k in np.flatnonzero(units >= LEAST_UNITS)
    ]


def _fastest(batch: Batch) -> IntArray:
    """(N,) source that may be ordered from now and lands first; -1 without one."""
    usable: BoolArray = batch.levels.usable
    rows = np.flatnonzero(usable)
    found = np.full(batch.items.size, -1, dtype=np.int64)
    order = rows[np.lexsort((rows, batch.levels.mean_lead[rows]))[::-1]]
    found[batch.snapshot.sources.item[order]] = order
    return found


def _shortage(batch: Batch, row: int, source: int, period: int, units: float) -> _Shortage:
    snapshot = batch.snapshot
    begins = _begins(snapshot, period)
    lands = snapshot.as_of + timedelta(days=int(np.ceil(snapshot.sources.lead_time_days[source])))
    return _Shortage(
        snapshot.item_ids[row],
        begins,
        max(lands, begins),
        units,
        units * float(batch.costs.shortage[row]),
        snapshot.sources.offer_ids[source],
    )


def _begins(snapshot: PlanningSnapshot, period: int) -> date:
    return snapshot.as_of + timedelta(days=round(period * snapshot.period.days) + 1)


def fill_floors_missed(parts: Sequence[Part], allocation: Allocation) -> list[str]:
    """Items whose fill-rate floor the plan misses from the first period on that an order placed now can serve."""
    found = list[tuple[float, str]]()
    for batch, rows in parts:
        target: FloatArray = batch.snapshot.fill_rate_target[rows]
        served = batch.fill_later[rows, allocation.chosen[batch.items[rows]]]
        for at in np.flatnonzero(served < target - FILL_MISSED).tolist():
            found.append((float(target[at] - served[at]), _fill_words(batch, int(rows[at]), float(served[at]))))
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    words = [text for _, text in found[:NAMED]]
    if len(found) > NAMED:
        words.append(f"{len(found) - NAMED} more items miss their fill-rate floors.")
    return words


def _fill_words(batch: Batch, row: int, served: float) -> str:
    snapshot = batch.snapshot
    begins = _begins(snapshot, int(batch.policy.reach[row]))
    return (
        f"Item {snapshot.item_ids[row]} is served {served:.1%} from stock from {begins} on, where"
        f" {float(snapshot.fill_rate_target[row]):.1%} is asked for; a faster or further source, more room in the"
        " shared limits, or a lower floor would cure it."
    )
