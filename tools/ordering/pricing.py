"""Expected cost of every candidate of every item over the horizon, by part."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SourceTable
from tools.ordering.candidates import Columns, build_columns, now_costs
from tools.ordering.levels import (
    ItemCosts,
    SourceLevels,
    cumulative_demand,
    item_costs,
    source_levels,
)
from tools.ordering.quantities import TINY, unit_price_at
from tools.ordering.refinement import ROUNDS, appended, cheapest_order, may_refine, neighbours, one_more_source
from tools.ordering.rollout import Channel, Continuation, Rollout, continuation, play

PARTS = ("purchase", "freight", "ordering", "holding", "shortage")
BATCH_BYTES = 24_000_000
"""Working memory of one batch's pipeline: small enough to stay in a processor's cache hierarchy."""
FINALISTS = 4
"""Candidates per item played over all paths; three times as many when items compete for shared limits."""
RACE_PATHS = 32
"""Paths on which the finalists are found."""


@dataclass(frozen=True)
class Batch:
    """Items priced together: rows `items` of the whole snapshot, as a snapshot of their own."""

    items: IntArray
    snapshot: PlanningSnapshot
    costs: ItemCosts
    levels: SourceLevels
    policy: Continuation
    columns: Columns
    parts: FloatArray
    """(N, C, 5) in the order of PARTS; inf where a column is not valid."""

    @property
    def total(self) -> FloatArray:
        """(N, C) weighted expected cost."""
        return self.parts.sum(axis=2)


def take_items(snapshot: PlanningSnapshot, items: IntArray) -> PlanningSnapshot:
    """The same problem for some of the items, shared limits unchanged."""
    place = np.full(snapshot.n_items, -1, dtype=np.int64)
    place[items] = np.arange(items.size)
    rows = np.flatnonzero(place[snapshot.sources.item] >= 0) if snapshot.sources.item.size else items[:0]
    ids = tuple(snapshot.item_ids[i] for i in items)
    known = set(ids)
    fields = (
        "on_hand",
        "arrivals",
        "demand",
        "unit_value",
        "holding_cost",
        "shortage_cost",
        "service_level",
        "storage_volume",
        "shelf_life_periods",
        "lost_share",
        "fill_rate_target",
        "frozen_periods",
    )
    return replace(
        snapshot,
        item_ids=ids,
        site_ids=tuple(snapshot.site_ids[i] for i in items),
        sources=_take_sources(snapshot.sources, rows, place),
        open_orders=tuple(o for o in snapshot.open_orders if o.item_id in known),
        **{name: getattr(snapshot, name)[items] for name in fields},
    )


def _take_sources(table: SourceTable, rows: IntArray, place: IntArray) -> SourceTable:
    names = (
        "supplier",
        "unit_price",
        "break_quantity",
        "break_price",
        "freight_per_unit",
        "fixed_order_cost",
        "moq",
        "order_multiple",
        "max_quantity",
        "capacity_per_period",
        "lead_time",
        "lead_time_days",
        "expedite",
        "preference",
        "orderable",
        "incremental",
        "yield_rate",
        "first_period",
        "last_period",
    )
    return replace(
        table,
        path_delay=table.path_delay[rows] if table.path_delay.size else table.path_delay,
        offer_ids=tuple(table.offer_ids[r] for r in rows),
        item=place[table.item[rows]],
        **{name: getattr(table, name)[rows] for name in names},
    )


def batches_of(snapshot: PlanningSnapshot, columns_per_item: int = 32) -> Iterator[IntArray]:
    """Item rows in batches whose working memory stays small."""
    per_item = columns_per_item * snapshot.demand.shape[1] * (snapshot.horizon + 1) * 8
    size = max(int(BATCH_BYTES // max(per_item, 1)), 1)
    for start in range(0, snapshot.n_items, size):
        yield np.arange(start, min(start + size, snapshot.n_items))


def price_items(snapshot: PlanningSnapshot, settings: OrderingSettings, items: IntArray, *, shared: bool) -> Batch:
    """Build and price all candidates of the given items."""
    part = snapshot if items.size == snapshot.n_items else take_items(snapshot, items)
    costs = item_costs(part, settings)
    levels = source_levels(part, settings, costs, cumulative_demand(part))
    policy = continuation(part, settings, costs, levels)
    columns = compact(build_columns(part, settings, costs, levels, shared=shared))
    columns = race(part, settings, costs, levels, policy, columns, keep=FINALISTS * (3 if shared else 1))
    columns = with_refined(part, settings, costs, levels, policy, columns)
    result = play(part, settings, costs, levels, policy, columns)
    parts = cost_parts(part, costs, policy, columns, result)
    return Batch(items, part, costs, levels, policy, columns, parts)


def race(
    snapshot: PlanningSnapshot,
    settings: OrderingSettings,
    costs: ItemCosts,
    levels: SourceLevels,
    policy: Continuation,
    columns: Columns,
    *,
    keep: int,
) -> Columns:
    """Drop candidates that are far behind on every eighth path; ordering nothing always stays.

    All candidates see the same paths, so their differences are known far better than their costs.
    """
    every = snapshot.demand.shape[1] // RACE_PATHS
    if every < 2 or columns.source.shape[1] <= keep + 1:
        return columns
    result = play(snapshot, settings, costs, levels, policy, columns, every=every)
    total = cost_parts(snapshot, costs, policy, columns, result).sum(axis=2)
    rival = _best_rival(columns, total)
    total[np.arange(rival.size), rival] = -np.inf
    total[:, 0] = -np.inf
    place = np.argsort(np.argsort(total, axis=1, kind="stable"), axis=1)
    return compact(replace(columns, valid=columns.valid & (place <= keep)))


def with_refined(
    snapshot: PlanningSnapshot,
    settings: OrderingSettings,
    costs: ItemCosts,
    levels: SourceLevels,
    policy: Continuation,
    columns: Columns,
) -> Columns:
    """The columns and, for each item, the best order found by a search around its cheapest one.

    Searched on the race's paths; the final pricing on all of them decides whether it is any better. Without it a
    plan would stop short of what the next plan of the same day orders on top.
    """
    if not may_refine(snapshot, settings):
        return columns
    every = max(snapshot.demand.shape[1] // RACE_PATHS, 1)

    def cheapest(among: Columns) -> Columns:
        result = play(snapshot, settings, costs, levels, policy, among, every=every)
        total = cost_parts(snapshot, costs, policy, among, result).sum(axis=2)
        return pick(among, cheapest_order(among, total))

    best = cheapest(one_more_source(snapshot, settings, levels, cheapest(columns)))
    for _ in range(ROUNDS):
        best = cheapest(neighbours(snapshot, settings, costs, levels, best))
    return appended(columns, best)


def _best_rival(columns: Columns, total: FloatArray) -> IntArray:
    """(N,) cheapest order that shares no source with the cheapest of all; 0 where there is none.

    It stays in the race so that every line can name its next best source.
    """
    live = columns.quantity > TINY
    orders = live.any(axis=2)
    leader = np.argmin(np.where(orders, total, np.inf), axis=1)
    rows = np.arange(leader.size)
    led, led_live = columns.source[rows, leader], live[rows, leader]
    same = (columns.source[:, :, :, None] == led[:, None, None, :]) & live[:, :, :, None] & led_live[:, None, None, :]
    rivals = np.where(orders & ~same.any(axis=(2, 3)), total, np.inf)
    best = np.argmin(rivals, axis=1)
    return np.where(np.isfinite(rivals[rows, best]), best, 0)


def compact(columns: Columns) -> Columns:
    """Move valid columns to the front, in order, and cut the rest: less to play forward."""
    order = np.argsort(~columns.valid, axis=1, kind="stable")[:, : int(columns.valid.sum(axis=1).max(initial=1))]
    parts = order[:, :, None]
    return Columns(
        np.take_along_axis(columns.source, parts, axis=1),
        np.take_along_axis(columns.quantity, parts, axis=1),
        np.take_along_axis(columns.valid, order, axis=1),
        np.take_along_axis(columns.wanted, parts, axis=1),
    )


def pick(columns: Columns, chosen: IntArray) -> Columns:
    """The one chosen column of each item."""
    rows = np.arange(chosen.size)[:, None], chosen[:, None]
    return Columns(columns.source[rows], columns.quantity[rows], columns.valid[rows], columns.wanted[rows])


@dataclass(frozen=True)
class _Rates:
    price: FloatArray
    freight: FloatArray
    fixed: FloatArray


def _rates(snapshot: PlanningSnapshot, channel: Channel, lot: FloatArray) -> _Rates:
    """(N,) what a later unit, and a later order, of the channel costs."""
    if snapshot.sources.item.size == 0:
        zero = np.zeros(snapshot.n_items)
        return _Rates(snapshot.unit_value, zero, zero)
    row = channel.row
    price = np.where(channel.active, unit_price_at(snapshot.sources, row, lot), snapshot.unit_value)
    freight = np.where(channel.active, snapshot.sources.freight_per_unit[row], 0.0)
    return _Rates(price, freight, np.where(channel.active, snapshot.sources.fixed_order_cost[row], 0.0))


def cost_parts(
    snapshot: PlanningSnapshot, costs: ItemCosts, policy: Continuation, columns: Columns, result: Rollout
) -> FloatArray:
    """(N, C, 5) expected cost of what the horizon's demand uses.

    Stock and orders left at the horizon (or missing, against those it began with) are valued at what a unit
    costs from the regular source, so that buying ahead is neither a loss nor a gain by itself.
    """
    now_purchase, now_freight, now_fixed = now_costs(snapshot, columns)
    placed = columns.quantity.sum(axis=2)
    demand = snapshot.demand.sum(axis=2).mean(axis=1)[:, None]
    later = result.regular_units + result.express_units
    drawn = demand - placed - later
    mean_lot = np.maximum(costs.mean_demand, 1e-9)
    regular = _rates(snapshot, policy.regular, _usual_lot(policy.regular, mean_lot))
    express = _rates(snapshot, policy.express, mean_lot)
    ordered = result.regular_orders * regular.fixed[:, None] + result.express_orders * express.fixed[:, None]
    usual = np.maximum(_usual_lot(policy.regular, mean_lot), 1e-9)
    purchase = now_purchase + _valued(regular.price, express.price, result, drawn)
    freight = now_freight + _valued(regular.freight, express.freight, result, drawn)
    ordering = now_fixed + ordered + (regular.fixed / usual)[:, None] * drawn
    holding = costs.holding[:, None] * result.held + result.excess
    shortage = costs.shortage[:, None] * result.short
    parts = np.stack([purchase, freight, ordering, holding, shortage], axis=2)
    return np.where(columns.valid[:, :, None], parts, np.inf)


def _usual_lot(channel: Channel, mean: FloatArray) -> FloatArray:
    return np.maximum((channel.up_to - channel.level)[:, 0] + mean, mean)


def _valued(regular: FloatArray, express: FloatArray, result: Rollout, drawn: FloatArray) -> FloatArray:
    return result.regular_units * regular[:, None] + result.express_units * express[:, None] + regular[:, None] * drawn
