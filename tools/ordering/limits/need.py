"""When stock runs out, and what room it takes: the figures that gates hold a plan's lines against."""

from collections.abc import Mapping, Sequence

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.limits.limit_use import expected_stock


def days_short_before(
    snapshot: PlanningSnapshot, item_id: str, site_id: str, day: float, arrivals: Sequence[tuple[float, float]] = ()
) -> float:
    """Days up to `day` through which the median stock of an item stays below zero; 0 when it is not below then.

    Stock on hand, open orders and `arrivals` (day, units) are cover. A shortage that one of them ends before `day`
    does not count: what arrives on `day` serves a later need. Between the ends of periods stock moves evenly.
    """
    row = snapshot.row_of[item_id, site_id]
    extra = np.zeros(snapshot.horizon)
    for at, units in arrivals:
        period = int(np.ceil(at / snapshot.period.days - 1e-9))
        if period < snapshot.horizon:
            extra[period] += units
    net = snapshot.on_hand[row] + np.cumsum(snapshot.arrivals[row] + extra - snapshot.demand[row], axis=1)
    stock = np.concatenate([[snapshot.on_hand[row]], np.median(net, axis=0)])
    times = np.arange(snapshot.horizon + 1) * snapshot.period.days
    if np.interp(day, times, stock) >= 0:
        return 0.0
    before = np.flatnonzero((times < day) & (stock >= 0))
    if not before.size:
        return float(day)
    last = int(before[-1])
    fall = float(stock[last] - stock[min(last + 1, snapshot.horizon)])
    return float(day) - float(times[last]) - float(stock[last]) / max(fall, 1e-12) * snapshot.period.days


def expected_volume(snapshot: PlanningSnapshot, ordered: Mapping[str, float]) -> dict[str, FloatArray]:
    """Site to its (T,) expected storage volume from stock, open orders and orders placed now, by offer id.

    Of an order its usable units count, once they can have arrived.
    """
    offers = {offer_id: row for row, offer_id in enumerate(snapshot.sources.offer_ids)}
    placed: dict[int, list[int]] = {}
    for offer_id in ordered:
        row = offers[offer_id]
        placed.setdefault(int(snapshot.sources.item[row]), []).append(row)
    depth = max((len(rows) for rows in placed.values()), default=1)
    source = np.zeros((snapshot.n_items, depth), dtype=np.int64)
    quantity = np.zeros(source.shape)
    for item, rows in placed.items():
        source[item, : len(rows)] = rows
        quantity[item, : len(rows)] = [ordered[snapshot.sources.offer_ids[row]] for row in rows]
    stock = expected_stock(snapshot, np.arange(snapshot.n_items), source, quantity) * snapshot.storage_volume[:, None]
    volume = {site: np.zeros(snapshot.horizon) for site in sorted(set(snapshot.site_ids))}
    for item, site in enumerate(snapshot.site_ids):
        volume[site] += stock[item]
    return volume
