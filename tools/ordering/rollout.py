"""Price a candidate order by what follows: sample paths played forward under a base-stock policy.

A candidate placed now is one deviation from the policy "review, then order up to the level from the cheapest
source, and expedite what would run short before it lands". Playing that policy forward after each candidate is
one step of policy improvement (a rollout; Bertsekas, Reinforcement Learning and Optimal Control, 2.4).
Later decisions see stock and orders at their time, never the demand to come.
"""

from dataclasses import dataclass, replace

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.candidates import Columns
from tools.ordering.levels import ItemCosts, SourceLevels, quantile_index
from tools.ordering.playing import (
    EXCESS,
    EXPRESS,
    EXPRESS_ORDERS,
    HELD,
    N_TOTALS,
    NET,
    REGULAR,
    REGULAR_ORDERS,
    compiled,
    compiled_windows,
)
from tools.ordering.quantities import TINY, order_cap, round_down

LONGEST_WAIT = 2
"""Reviews for which a unit short is taken to wait when expediting is weighed."""


@dataclass(frozen=True)
class Channel:
    """One way the continuation policy replenishes each item: arrays (N,) and levels (N, T)."""

    row: IntArray
    """Source row; 0 where the item has none."""
    active: np.ndarray
    lead: IntArray
    level: FloatArray
    """Order when the position falls below this."""
    up_to: FloatArray
    within: FloatArray
    """(N, T) share of the open orders still to come after each period that lands within the channel's window."""


@dataclass(frozen=True)
class Continuation:
    """The policy that goes on after the first decision."""

    regular: Channel
    express: Channel


@dataclass(frozen=True)
class Rollout:
    """Averages over the paths, (N, C): units and orders per channel, and cost-driving sums."""

    held: FloatArray
    """Unit-periods in stock."""
    short: FloatArray
    """Unit-periods short."""
    regular_units: FloatArray
    regular_orders: FloatArray
    express_units: FloatArray
    express_orders: FloatArray
    excess: FloatArray
    """Money: cost of burning down what lies above the order-up-to level at the horizon."""
    stock: FloatArray | None
    """(T, N, S) net stock at the end of each period, when recorded."""
    later: FloatArray | None
    """(T, N, 2) mean units the continuation orders in each period, when recorded: regular, express."""


def continuation(
    snapshot: PlanningSnapshot, settings: OrderingSettings, costs: ItemCosts, levels: SourceLevels
) -> Continuation:
    """The cheapest source by score for what is regular, the faster one that saves most for what runs short."""
    n_items, sources = snapshot.n_items, snapshot.sources
    regular = np.full(n_items, -1, dtype=np.int64)
    for row in np.flatnonzero(levels.usable):
        item = int(sources.item[row])
        best = regular[item]
        if best < 0 or (levels.score[row], sources.preference[row]) < (levels.score[best], sources.preference[best]):
            regular[item] = row
    express = _express_sources(snapshot, costs, levels, regular)
    ratio = _express_ratio(costs, levels, regular, express, LONGEST_WAIT * settings.review_periods)
    return Continuation(
        _channel(snapshot, settings, costs, levels, regular, costs.ratio, lots=True),
        _channel(snapshot, settings, costs, levels, express, ratio, lots=False),
    )


def _express_sources(snapshot: PlanningSnapshot, costs: ItemCosts, levels: SourceLevels, regular: IntArray) -> IntArray:
    """(N,) the source, at least half a period faster than the regular one, that saves most a unit; -1 without one.

    Not the fastest at any price: a wholesaler at six times the price saves nothing where air freight would do.
    """
    express = np.full(regular.size, -1, dtype=np.int64)
    best = np.full(regular.size, -np.inf)
    rows = np.flatnonzero(levels.usable)
    items = snapshot.sources.item[rows]
    saved = _saving(costs.shortage[items], levels, regular[items], rows)
    faster = levels.mean_lead[rows] < levels.mean_lead[regular[items]] - 0.5
    for row, item, saving in zip(rows[faster].tolist(), items[faster].tolist(), saved[faster].tolist(), strict=True):
        if saving > best[item]:
            express[item], best[item] = row, saving
    return express


def _saving(shortage: FloatArray, levels: SourceLevels, slow: IntArray, fast: IntArray) -> FloatArray:
    """Shortage cost that a unit from the fast source avoids until the slow one lands, less its premium."""
    periods = np.maximum(levels.mean_lead[slow] - levels.mean_lead[fast], 1.0)
    return shortage * periods - np.maximum(levels.unit_cost[fast] - levels.unit_cost[slow], 0.0)


def _express_ratio(
    costs: ItemCosts, levels: SourceLevels, regular: IntArray, express: IntArray, longest: float
) -> FloatArray:
    """Newsvendor ratio of expediting: what a unit saves over what it may cost while it waits for the regular source.

    `longest` caps that wait in periods: regular orders keep landing, so a unit is short until the next of them and
    not for a whole lead time.
    """
    both = (regular >= 0) & (express >= 0)
    slow, fast = np.maximum(regular, 0), np.maximum(express, 0)
    if levels.mean_lead.size == 0:
        return np.zeros(regular.size)
    periods = np.minimum(np.maximum(levels.mean_lead[slow] - levels.mean_lead[fast], 1.0), longest)
    saved = costs.shortage * periods - np.maximum(levels.unit_cost[fast] - levels.unit_cost[slow], 0.0)
    ratio = saved / np.maximum((costs.shortage + costs.holding) * periods, 1e-12)
    return np.where(both, np.clip(ratio, 0.0, costs.ratio), 0.0)


def _channel(
    snapshot: PlanningSnapshot,
    settings: OrderingSettings,
    costs: ItemCosts,
    levels: SourceLevels,
    chosen: IntArray,
    ratio: FloatArray,
    *,
    lots: bool,
) -> Channel:
    horizon, n_items = snapshot.horizon, snapshot.n_items
    active = (chosen >= 0) & (ratio > 0)
    if not active.any():
        nothing = np.zeros((n_items, horizon))
        none = np.zeros(n_items, dtype=np.int64)
        return Channel(none, active, none, nothing, nothing, nothing)
    row = np.where(active, chosen, 0)
    lead = levels.lead[row]
    cover = np.zeros((n_items, horizon))
    window = np.zeros((n_items, horizon, lead.shape[1]))
    rates = costs.mean_demand, settings.review_periods
    compiled_windows()(snapshot.demand, snapshot.arrivals, lead, *rates, window, cover)
    window.sort(axis=2)
    level = window[np.arange(n_items), :, quantile_index(ratio, window.shape[2])]
    extra = levels.beyond[row] if lots else np.zeros(n_items)
    mean_lead = np.ceil(lead.mean(axis=1) - 0.25).astype(np.int64)
    to_come = np.zeros((n_items, horizon))
    to_come[:, :-1] = np.cumsum(snapshot.arrivals.mean(axis=1)[:, :0:-1], axis=1)[:, ::-1]
    within = np.divide(cover, to_come, out=np.zeros_like(cover), where=to_come > TINY)
    return Channel(row, active, mean_lead, level, level + extra[:, None], np.minimum(within, 1.0))


def play(
    snapshot: PlanningSnapshot,
    settings: OrderingSettings,
    costs: ItemCosts,
    levels: SourceLevels,
    policy: Continuation,
    columns: Columns,
    *,
    record: bool = False,
    every: int = 1,
) -> Rollout:
    """Play every column of every item over each `every`-th sample path; record only for single columns."""
    if every > 1:
        snapshot = replace(
            snapshot,
            arrivals=np.ascontiguousarray(snapshot.arrivals[:, ::every]),
            demand=np.ascontiguousarray(snapshot.demand[:, ::every]),
        )
    n_items, n_paths, horizon = snapshot.demand.shape
    channels = (policy.regular, policy.express)
    totals = np.zeros((*columns.source.shape[:2], N_TOTALS))
    stock = np.zeros((horizon if record else 0, n_items, n_paths))
    later = np.zeros((horizon if record else 0, n_items, 2))
    compiled()(
        snapshot.on_hand,
        snapshot.arrivals,
        snapshot.demand,
        columns.source,
        columns.quantity,
        columns.valid,
        np.ascontiguousarray(levels.lead[:, ::every]),
        np.stack([c.lead for c in channels]),
        np.stack([c.active for c in channels]),
        np.stack([c.level for c in channels]),
        np.stack([c.up_to for c in channels]),
        np.stack([c.within for c in channels]),
        np.stack([_terms(snapshot, settings, c) for c in channels]),
        _burn(snapshot, costs, policy.regular),
        settings.review_periods,
        totals,
        stock,
        later,
    )
    return _averages(totals / n_paths, stock if record else None, later if record else None)


def _averages(mean: FloatArray, stock: FloatArray | None, later: FloatArray | None) -> Rollout:
    """The totals (N, C, N_TOTALS) over the number of paths, by name."""
    return Rollout(
        held=mean[:, :, HELD],
        short=mean[:, :, HELD] - mean[:, :, NET],
        regular_units=mean[:, :, REGULAR],
        regular_orders=mean[:, :, REGULAR_ORDERS],
        express_units=mean[:, :, EXPRESS],
        express_orders=mean[:, :, EXPRESS_ORDERS],
        excess=mean[:, :, EXCESS],
        stock=stock,
        later=later,
    )


def _terms(snapshot: PlanningSnapshot, settings: OrderingSettings, channel: Channel) -> FloatArray:
    """(N, 3) MOQ, order multiple and largest order of the channel's source."""
    sources = snapshot.sources
    if sources.item.size == 0:
        return np.zeros((snapshot.n_items, 3))
    cap = round_down(order_cap(sources, settings.review_periods), sources.moq, sources.order_multiple)
    return np.stack([sources.moq, sources.order_multiple, cap], axis=1)[channel.row]


def _burn(snapshot: PlanningSnapshot, costs: ItemCosts, regular: Channel) -> FloatArray:
    """(N, 3) what lies above the level at the horizon costs its holding until used up, at most its value."""
    rate = np.maximum(costs.mean_demand, 1e-9)
    return np.stack(
        [np.maximum(regular.up_to[:, -1], 0.0), costs.holding / (2 * rate), np.maximum(snapshot.unit_value, 0.0)],
        axis=1,
    )
