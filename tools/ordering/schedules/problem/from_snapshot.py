"""From a planning snapshot to the scheduling problem: packs, terms by pack, requirements and limits by period.

What the schedule leaves out, so that the caller must look after it: share caps and least number of suppliers, least
order values and joint order costs, fill-rate targets; shelf life only bounds an order. Unmet demand is backordered.
"""

from dataclasses import dataclass, replace

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.problem.levels import ItemCosts, cumulative_demand, item_costs, source_levels
from tools.ordering.problem.quantities import TINY, round_up, unit_price_at, usable_later
from tools.ordering.schedules.problem.packs import PackMap, multiples_in_packs, pack_sizes
from tools.ordering.schedules.problem.statement import ScheduleProblem

UNLIMITED_PACKS = 10**9
ROUND_DOWN = 0.25
"""A mean lead time this much above a whole period counts as that period."""
ATOMS_AT_ONCE = 8_000_000
INCREMENTAL_STEPS = 12
"""Break points that stand for the falling mean price of a source with incremental breaks."""


@dataclass(frozen=True)
class _Frame:
    """The snapshot and what follows from it before packs are counted."""

    snapshot: PlanningSnapshot
    settings: OrderingSettings
    costs: ItemCosts
    rows: IntArray
    """(M,) rows of the sources that may be ordered from in the horizon."""
    draws: IntArray
    """(all sources, S) lead time on each path."""
    lead: IntArray
    """(M,) whole periods."""
    safety: FloatArray
    """(M,) money per usable unit: holding of the safety stock that the source's lead time asks for."""


def schedule_problem(
    snapshot: PlanningSnapshot, settings: OrderingSettings, atoms: int = 16
) -> tuple[ScheduleProblem, PackMap]:
    """The scheduling problem of a snapshot, its requirements in at most `atoms` values, and the way back to units.

    A source whose supplier is not approved is not ordered from at all. Yield: prices, freight and capacity are those of
    the units ordered for a usable pack.
    """
    frame = _frame(snapshot, settings)
    sources, rows = snapshot.sources, frame.rows
    units = pack_sizes(sources, rows, frame.costs.mean_demand)
    item = sources.item[rows]
    packs = PackMap(
        units_per_pack=units,
        source_row=rows,
        ordered_per_pack=units[item] / np.maximum(sources.yield_rate[rows], TINY),
        moq=sources.moq[rows],
        order_multiple=sources.order_multiple[rows],
    )
    holding, shortage = frame.costs.holding * units, frame.costs.shortage * units
    blank = _without_end_value(frame, packs, _requirement(frame, units, atoms), holding, shortage)
    return replace(blank, end_value=_end_value(blank, snapshot.unit_value * units)), packs


def _frame(snapshot: PlanningSnapshot, settings: OrderingSettings) -> _Frame:
    usable = usable_later(snapshot, settings)
    rows = np.flatnonzero(usable & (snapshot.sources.first_period < snapshot.horizon))
    costs = item_costs(snapshot, settings)
    levels = source_levels(snapshot, settings, costs, cumulative_demand(snapshot))
    draws = levels.usual_lead
    lead = np.ceil(draws[rows].mean(axis=1) - ROUND_DOWN).astype(np.int64)
    safety = np.maximum(levels.score - levels.unit_cost, 0.0)[rows]
    return _Frame(snapshot, settings, costs, rows, draws, np.maximum(lead, 0), safety)


def _without_end_value(
    frame: _Frame, packs: PackMap, requirement: FloatArray, holding: FloatArray, shortage: FloatArray
) -> ScheduleProblem:
    """Terms by pack and limits by period."""
    sources, rows, each = frame.snapshot.sources, frame.rows, packs.ordered_per_pack
    item = sources.item[rows]
    multiple = multiples_in_packs(packs.order_multiple, packs.units_per_pack[item])
    points, price = _breaks(frame, requirement, packs)
    most = np.minimum(sources.max_quantity, sources.capacity_per_period)[rows] / each
    least = round_up(np.maximum(packs.moq, 2 * TINY), packs.moq, packs.order_multiple) / each
    most = np.minimum(most, np.maximum(_most_worth(frame) / packs.units_per_pack[item], least))
    capacity, budget, orders = _limits(frame.snapshot)
    return ScheduleProblem(
        requirement=requirement,
        holding=holding,
        shortage=shortage,
        end_value=np.zeros(holding.size),
        volume=frame.snapshot.storage_volume * packs.units_per_pack,
        source_item=item,
        source_supplier=sources.supplier[rows],
        lead=frame.lead,
        unit_price=sources.unit_price[rows] * each,
        break_packs=points,
        break_price=price,
        freight=sources.freight_per_unit[rows] * each + _risk(frame) * packs.units_per_pack[item],
        fixed_cost=sources.fixed_order_cost[rows].astype(np.float64),
        least=np.clip(np.ceil(least - TINY), 1, UNLIMITED_PACKS).astype(np.int64),
        multiple=multiple,
        largest=np.floor(np.minimum(most + TINY, UNLIMITED_PACKS)).astype(np.int64),
        first=np.maximum(sources.first_period[rows], frame.snapshot.frozen_periods[item]),
        last=np.minimum(sources.last_period[rows], frame.snapshot.horizon - 1),
        effort_per_pack=each,
        effort_per_order=np.zeros(rows.size),
        capacity=capacity,
        budget=budget,
        storage=np.full(frame.snapshot.horizon, frame.snapshot.limits.storage),
        max_orders=orders,
    )


def _risk(frame: _Frame) -> FloatArray:
    """(M,) money per usable unit by which a source's lead time asks for dearer safety stock than the usual source's.

    The requirement holds what the usual source's lead time asks for; a source that strays farther costs more by this.
    """
    usual = _usual_sources(frame)[frame.snapshot.sources.item[frame.rows]]
    return np.maximum(frame.safety - frame.safety[usual], 0.0)


def _most_worth(frame: _Frame) -> FloatArray:
    """(M,) usable units that one order may bring: demand of lead time, review and cover cap, or of the shelf life."""
    snapshot, item = frame.snapshot, frame.snapshot.sources.item[frame.rows]
    cover = frame.lead + frame.settings.review_periods + frame.settings.max_cover_periods
    return frame.costs.mean_demand[item] * np.minimum(np.minimum(cover, snapshot.shelf_life_periods[item]), 1e9)


def _breaks(frame: _Frame, requirement: FloatArray, packs: PackMap) -> tuple[IntArray, FloatArray]:
    """(M, B) break points in packs and the price per pack from each.

    Incremental breaks become all-units breaks in narrow steps, each at the mean price at its start: exact there, never
    below what the order costs, and above it by a few per cent at most between two steps.
    """
    sources, rows, each = frame.snapshot.sources, frame.rows, packs.ordered_per_pack
    point = sources.break_quantity[rows]
    packs_at = np.where(np.isfinite(point), np.ceil(point / each[:, None] - TINY), UNLIMITED_PACKS)
    incremental = sources.incremental[rows] & np.isfinite(point).any(axis=1)
    if incremental.any():
        packs_at = np.pad(packs_at, ((0, 0), (0, INCREMENTAL_STEPS)), constant_values=UNLIMITED_PACKS)
        need = np.maximum(requirement.max(axis=(1, 2)), 1.0)[sources.item[rows[incremental]]]
        packs_at[incremental] = _narrow_steps(packs_at[incremental], need)
    packs_at = np.clip(packs_at, 1, UNLIMITED_PACKS).astype(np.int64)
    priced = (
        np.stack([unit_price_at(sources, rows, packs_at[:, b] * each) for b in range(packs_at.shape[1])], axis=1)
        if packs_at.shape[1]
        else np.empty(packs_at.shape)
    )
    return packs_at, priced * each[:, None]


def _narrow_steps(packs_at: FloatArray, need: FloatArray) -> FloatArray:
    """The break points and as many more between the first of them and all that is needed, ascending."""
    first = packs_at[:, 0]
    used = np.where(packs_at < UNLIMITED_PACKS, packs_at, 0.0)
    end = np.maximum(2 * used.max(axis=1), need)
    share = np.arange(1, INCREMENTAL_STEPS + 1) / INCREMENTAL_STEPS
    more = np.ceil(first[:, None] * (end / first)[:, None] ** share)
    known = packs_at[:, : packs_at.shape[1] - INCREMENTAL_STEPS]
    return np.sort(np.concatenate([known, more], axis=1), axis=1)


def _end_value(problem: ScheduleProblem, otherwise: FloatArray) -> FloatArray:
    """(N,) cheapest price and freight per pack among an item's sources; `otherwise` without a source."""
    lowest = np.minimum(problem.unit_price, problem.break_price.min(axis=1, initial=np.inf)) + problem.freight
    value = np.full(problem.n_items, np.inf)
    np.minimum.at(value, problem.source_item, lowest)
    return np.where(np.isfinite(value), value, otherwise)


def _limits(snapshot: PlanningSnapshot) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(K, T) capacity, (T,) budget and (T,) number of orders; what holds now joins the limit of period 0."""
    limits, horizon = snapshot.limits, snapshot.horizon
    capacity = np.full((len(snapshot.supplier_ids), horizon), np.inf)
    if limits.supplier_capacity_by_period.size:
        capacity = _of_horizon(limits.supplier_capacity_by_period, horizon)
    if limits.supplier_capacity.size:
        capacity[:, 0] = np.minimum(capacity[:, 0], limits.supplier_capacity)
    budget, orders = (
        _of_horizon(table, horizon) if table.size else np.full(horizon, np.inf)
        for table in (limits.budget_by_period, limits.max_orders_by_period)
    )
    budget[0], orders[0] = min(budget[0], limits.budget), min(orders[0], limits.max_orders)
    return capacity, budget, orders


def _of_horizon(table: FloatArray, horizon: int) -> FloatArray:
    """A copy of the table's first `horizon` periods, without limit beyond its end."""
    known = table[..., :horizon].astype(np.float64)
    missing = horizon - known.shape[-1]
    return np.pad(known, [(0, 0)] * (known.ndim - 1) + [(0, missing)], constant_values=np.inf)


def _requirement(frame: _Frame, units: FloatArray, atoms: int) -> FloatArray:
    """(N, T, Q) packs required up to each period: means of equal groups of the sorted sample paths.

    Group means keep the expectation that quantiles would lose.
    """
    n_items, paths, horizon = frame.snapshot.demand.shape
    values = np.empty((n_items, horizon, min(atoms, paths)))
    edges = np.floor(np.arange(values.shape[2]) * paths / values.shape[2]).astype(np.int64)
    sizes = np.diff(np.append(edges, paths))
    usual = _usual_sources(frame)
    step = max(ATOMS_AT_ONCE // max(paths * horizon, 1), 1)
    for start in range(0, n_items, step):
        part = slice(start, min(start + step, n_items))
        needed = _needed(frame, part, usual[part]) / units[part, None, None]
        values[part] = np.add.reduceat(np.sort(needed, axis=2), edges, axis=2) / sizes
    return values


def _needed(frame: _Frame, part: slice, usual: IntArray) -> FloatArray:
    """(n, T, S) units required up to each period on each path, as far as it is unknown when the last order is placed.

    An order that serves a period is placed a lead time and a review before it, when the demand until then is known:
    only the demand since is uncertain, and what came before counts with its mean. Without this the uncertainty would
    grow with the horizon, and distant periods would be stocked for what later orders can still react to. A lead time
    that strays from its whole periods shifts the path: an order that comes a period late finds the requirement of a
    period later, at the mean rate beyond the horizon. The cover cap bounds what a path may ask for above the mean.
    """
    snapshot = frame.snapshot
    net = np.cumsum(snapshot.demand[part] - snapshot.arrivals[part], axis=2) - snapshot.on_hand[part, None, None]
    n, paths, horizon = net.shape
    start = np.broadcast_to(-snapshot.on_hand[part, None, None], (n, paths, 1))
    net = np.concatenate([start, net], axis=2)
    lead, strays = _lead_and_strays(frame, usual, paths)
    when = np.arange(horizon)[None, None, :] + strays[:, :, None]
    beyond = np.maximum(when - (horizon - 1), 0) * frame.costs.mean_demand[part, None, None]
    needed = np.take_along_axis(net, np.clip(when, -1, horizon - 1) + 1, axis=2) + beyond
    placed = np.maximum(np.arange(horizon)[None, :] - (lead + frame.settings.review_periods)[:, None], -1) + 1
    known = np.take_along_axis(net, np.broadcast_to(placed[:, None, :], needed.shape), axis=2)
    needed = needed - known + known.mean(axis=1, keepdims=True)
    cover = frame.settings.max_cover_periods * np.maximum(frame.costs.mean_demand[part], TINY)
    return np.minimum(needed, needed.mean(axis=1, keepdims=True) + cover[:, None, None]).transpose(0, 2, 1)


def _lead_and_strays(frame: _Frame, usual: IntArray, paths: int) -> tuple[IntArray, IntArray]:
    """(n,) whole lead time of each item's usual source, and (n, S) periods that a path strays from it; 0 for none."""
    lead, strays = np.zeros(usual.size, dtype=np.int64), np.zeros((usual.size, paths), dtype=np.int64)
    has = usual >= 0
    lead[has] = frame.lead[usual[has]]
    strays[has] = frame.draws[frame.rows[usual[has]]] - lead[has, None]
    return lead, strays


def _usual_sources(frame: _Frame) -> IntArray:
    """(N,) each item's cheapest source with the safety stock it asks for; -1 without one."""
    sources, rows = frame.snapshot.sources, frame.rows
    landed = (sources.unit_price + sources.freight_per_unit)[rows] / np.maximum(sources.yield_rate[rows], TINY)
    order = np.lexsort((sources.preference[rows], landed + frame.safety, sources.item[rows]))
    first: BoolArray = np.ones(order.size, dtype=np.bool_)
    first[1:] = np.diff(sources.item[rows[order]]) > 0
    usual = np.full(frame.snapshot.n_items, -1, dtype=np.int64)
    usual[sources.item[rows[order[first]]]] = order[first]
    return usual
