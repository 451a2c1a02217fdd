"""Order-up-to levels from the empirical distribution of demand over lead time plus review.

Levels are newsvendor quantiles (Snyder & Shen, Fundamentals of Supply Chain Theory, 4.3): the smallest level
whose probability of covering the demand until the next order can arrive reaches b / (b + h). Which demand that is,
path by path in plain Python: `tests/helpers/cases/lead_time_demand_in_words.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.problem.quantities import order_cap, round_up, unit_price_at, usable_later, usable_now

LARGEST_RATIO = 0.9995
HALVINGS = 30
"""Steps of the search for the reorder point of a lot."""


@dataclass(frozen=True)
class ItemCosts:
    """Cost rates by item, (N,): per unit and period."""

    holding: FloatArray
    shortage: FloatArray
    """Weighted by the settings: what the optimiser minimises."""
    weight: FloatArray
    """The weight within `shortage`; divide by it for the neutral cost."""
    ratio: FloatArray
    """b / (b + h)."""
    mean_demand: FloatArray
    """Units per period over the horizon."""
    floor: FloatArray
    """Multiplies the shortage price so that the fill-rate floor holds: 1 where it holds without or there is none."""


def item_costs(snapshot: PlanningSnapshot, settings: OrderingSettings, floor: FloatArray | None = None) -> ItemCosts:
    """Holding and shortage rates; a service level a stands for b = h a / (1 - a)."""
    floor = np.ones(snapshot.n_items) if floor is None else floor
    holding = snapshot.holding_cost
    level = np.clip(snapshot.service_level, 0.0, LARGEST_RATIO)
    implied = np.maximum(holding, 1e-9) * level / (1 - level)
    shortage = np.where(np.isnan(snapshot.shortage_cost), implied, snapshot.shortage_cost)
    own = settings.item_shortage_weight
    weight = np.full(snapshot.n_items, settings.shortage_weight)
    if own:
        weight = weight * np.array([own.get(item, 1.0) for item in snapshot.item_ids])
    weighted = np.where(floor > 1, np.maximum(shortage, holding), shortage) * weight * floor
    ratio = np.clip(weighted / np.maximum(weighted + holding, 1e-12), 0.0, LARGEST_RATIO)
    return ItemCosts(holding, weighted, weight, ratio, snapshot.demand.mean(axis=(1, 2), dtype=np.float64), floor)


@dataclass(frozen=True)
class SourceLevels:
    """What each of the M sources would have to cover if it were ordered from now."""

    usable: BoolArray
    """May be ordered from now."""
    later: BoolArray
    """May be ordered from at a later review."""
    lead: IntArray
    """(M, S) whole periods until an order placed now arrives, one draw per sample path, its disruption included."""
    usual_lead: IntArray
    """(M, S) the same without disruptions."""
    mean_lead: FloatArray
    window_mean: FloatArray
    """Mean demand over lead time plus review."""
    window_sd: FloatArray
    position: FloatArray
    """On hand plus the open orders that land within the window: those that land later are no cover."""
    ratio: FloatArray
    """Quantile that the reorder point is set at: b / (b + h), less where a lot stays above it for a while."""
    level: FloatArray
    """That quantile of the window's demand: the reorder point."""
    shortfall: FloatArray
    """(M, S) ascending: window demand less stock and the arrivals within it."""
    lot: FloatArray
    """Economic order quantity, at least the MOQ, in accepted steps."""
    eoq: FloatArray
    beyond: FloatArray
    """Usable units of the usual lot, above the level; 0 where every review orders anew."""
    unit_cost: FloatArray
    """Price, freight and fixed cost per usable unit at the usual lot."""
    score: FloatArray
    """`unit_cost` plus the holding cost of the safety stock the source's lead time asks for."""


@lru_cache(maxsize=64)
def _shuffled_ranks(offer_ids: tuple[str, ...], paths: int, seed: int) -> FloatArray:
    """Each row a permutation of the strata's midpoints, from a hash (splitmix64) of seed, offer and path."""
    names = np.array([crc32(offer.encode()) for offer in offer_ids], dtype=np.uint64)[:, None]
    start = (names << np.uint64(32)) ^ (np.arange(paths, dtype=np.uint64)[None, :] + np.uint64(seed % 2**31 * 2**20))
    mixed = (start + np.uint64(0x9E3779B97F4A7C15)) & np.uint64(0xFFFFFFFFFFFFFFFF)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (np.argsort(mixed, axis=1) + 0.5) / paths


def lead_ranks(offer_ids: Sequence[str], paths: int, seed: int) -> FloatArray:
    """(M, S) rank in (0, 1) that each offer's lead time takes on each path.

    Open orders of an offer take the same rank as an order placed now: a source is slow or fast on a path, and its
    orders do not cross (Kaplan 1970), so that what was just ordered counts as cover for the next order. Different
    offers are shuffled independently: were one's rank a shift of another's, some pairs would hedge by construction.
    """
    return _shuffled_ranks(tuple(offer_ids), paths, seed)


def draw_leads(snapshot: PlanningSnapshot, seed: int) -> IntArray:
    """(M, S) stratified draws of each source's lead time, a function of the seed and the offer alone.

    Rows do not depend on which other items are in the snapshot, so replanning part of it repeats them.
    """
    sources = snapshot.sources
    uniform = lead_ranks(sources.offer_ids, snapshot.demand.shape[1], seed)
    cumulative = np.cumsum(sources.lead_time, axis=1)
    leads = np.zeros(uniform.shape, dtype=np.int64)
    for column in range(cumulative.shape[1] - 1):
        leads += uniform > cumulative[:, column : column + 1]
    return leads


def cumulative_demand(snapshot: PlanningSnapshot) -> FloatArray:
    """(N, S, T + 1) demand before each period."""
    paths = snapshot.demand
    total = np.zeros((*paths.shape[:2], paths.shape[2] + 1))
    np.cumsum(paths, axis=2, out=total[:, :, 1:])
    return total


def demand_within(total: FloatArray, rows: IntArray, ends: IntArray, mean_demand: FloatArray) -> FloatArray:
    """(M, S) demand before period `ends` (M, S); beyond the horizon it goes on at the item's mean rate."""
    horizon = total.shape[2] - 1
    paths = np.arange(total.shape[1])[None, :]
    inside = total[rows[:, None], paths, np.minimum(ends, horizon)]
    return inside + np.maximum(ends - horizon, 0) * mean_demand[rows][:, None]


def quantile_index(ratio: FloatArray, size: int) -> IntArray:
    """Index into `size` ascending draws of the smallest one covering probability `ratio`."""
    return np.clip(np.ceil(ratio * size - 1e-9).astype(np.int64) - 1, 0, size - 1)


def at_quantile(ascending: FloatArray, ratio: FloatArray) -> FloatArray:
    """(M,) quantile of each row of ascending draws."""
    picked = quantile_index(ratio, ascending.shape[1])
    return ascending[np.arange(ascending.shape[0]), picked]


def source_levels(
    snapshot: PlanningSnapshot, settings: OrderingSettings, costs: ItemCosts, total: FloatArray
) -> SourceLevels:
    """Levels of every source for an order placed now."""
    sources, rows = snapshot.sources, snapshot.sources.item
    review, horizon = settings.review_periods, snapshot.horizon
    usual = draw_leads(snapshot, settings.seed)
    leads = usual + sources.path_delay if sources.path_delay.size else usual
    demand = demand_within(total, rows, leads + review, costs.mean_demand)
    arrived = np.cumsum(snapshot.arrivals, axis=2)
    # the next order, a review later, arrives a lead time after that: this one has to last until then
    last = np.minimum(leads + review, horizon) - 1
    cover = arrived[rows[:, None], np.arange(leads.shape[1])[None, :], last]
    stock = snapshot.on_hand[rows]
    window = np.sort(demand, axis=1)
    net = demand - cover
    if (snapshot.lost_share > 0).any():
        net = net - snapshot.lost_share[rows][:, None] * _missed_before(snapshot, costs, total, arrived, leads)
    mean = costs.mean_demand[rows]
    beyond = usual_lots(snapshot, costs, mean, review)
    ratio = np.where(
        np.isnan(snapshot.service_level[rows]), lot_ratios(window, costs.ratio[rows], beyond), costs.ratio[rows]
    )
    level = at_quantile(window, ratio)
    window_mean = window.mean(axis=1)
    lead_mean = leads.mean(axis=1)
    eoq = np.sqrt(2 * sources.fixed_order_cost * mean / np.maximum(costs.holding[rows], 1e-12))
    lot = np.maximum(eoq, np.maximum(mean * review, 1e-9))
    lot = round_up(lot / sources.yield_rate, sources.moq, sources.order_multiple)
    lot = np.minimum(lot, order_cap(sources, review))
    unit_cost = _landed(snapshot, lot)
    safety = np.maximum(level - window_mean, 0.0)
    score = unit_cost + costs.holding[rows] * safety / np.maximum(mean, 1e-9)
    return SourceLevels(
        usable=usable_now(snapshot, settings),
        later=usable_later(snapshot, settings),
        lead=leads,
        usual_lead=usual,
        mean_lead=lead_mean,
        window_mean=window_mean,
        window_sd=window.std(axis=1),
        position=stock + cover.mean(axis=1),
        ratio=ratio,
        level=level,
        shortfall=np.sort(net, axis=1) - stock[:, None],
        lot=lot,
        eoq=eoq,
        beyond=beyond,
        unit_cost=unit_cost,
        score=np.where(mean > 1e-9, score, unit_cost),
    )


def lot_ratios(window: FloatArray, ratio: FloatArray, lot: FloatArray) -> FloatArray:
    """(M,) probability of no shortage at the reorder point r of lots Q: the mean of F over [r, r + Q] is b / (b + h).

    F is the distribution of `window` (M, S), ascending. The cost rate of (r, Q) averages the newsvendor's over the
    positions r to r + Q, so that it is least where this mean is the ratio (Zheng 1992, On properties of stochastic
    inventory systems); with no lot it is the newsvendor's own.
    """
    low, high = window[:, 0] - lot, at_quantile(window, ratio)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        covered = np.clip((middle + lot)[:, None] - window, 0.0, lot[:, None]).mean(axis=1)
        enough = covered >= ratio * lot
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    found = (window <= high[:, None] + 1e-9).mean(axis=1)
    return np.where(lot > 1e-9, np.clip(found, 1.0 / window.shape[1], ratio), ratio)


def usual_lots(snapshot: PlanningSnapshot, costs: ItemCosts, mean: FloatArray, review: int) -> FloatArray:
    """(M,) usable units of the lot that costs least by the formula of the economic quantity; 0 below a review's demand.

    Weighed are the economic quantity, at least the MOQ, and every all-units break above it: purchase + ordering +
    holding of half the lot, per period.
    """
    sources, rows = snapshot.sources, snapshot.sources.item
    good = np.maximum(sources.yield_rate, 1e-9)
    holding = np.maximum(costs.holding[rows], 1e-12)
    economic = np.maximum(np.sqrt(2 * sources.fixed_order_cost * mean / holding), sources.moq * good)
    least = np.maximum(economic, np.maximum(mean * review, 1e-9))
    every = np.arange(mean.size)

    def cost(lot: FloatArray) -> FloatArray:
        price = unit_price_at(sources, every, lot / good) / good
        return mean * (price + sources.fixed_order_cost / lot) + holding * lot / 2

    best, chosen = cost(least), np.where(economic > mean * review, economic, 0.0)
    for column in range(sources.break_quantity.shape[1]):
        point = sources.break_quantity[:, column] * good
        above = np.isfinite(point) & (point > least)
        total = cost(np.where(above, point, least))
        better = above & (total < best)
        best, chosen = np.where(better, total, best), np.where(better, point, chosen)
    return chosen


def _missed_before(
    snapshot: PlanningSnapshot, costs: ItemCosts, total: FloatArray, arrived: FloatArray, leads: IntArray
) -> FloatArray:
    """(M, S) demand that stock and open orders do not serve before an order placed now lands."""
    rows = snapshot.sources.item
    asked = demand_within(total, rows, leads, costs.mean_demand)
    last = np.minimum(leads, snapshot.horizon) - 1
    landed = np.where(last >= 0, arrived[rows[:, None], np.arange(leads.shape[1])[None, :], last], 0.0)
    return np.maximum(asked - landed - np.maximum(snapshot.on_hand[rows], 0.0)[:, None], 0.0)


def _landed(snapshot: PlanningSnapshot, lot: FloatArray) -> FloatArray:
    sources = snapshot.sources
    price = unit_price_at(sources, np.arange(lot.size), lot)
    ordered = price + sources.freight_per_unit + sources.fixed_order_cost / np.maximum(lot, 1e-9)
    return ordered / np.maximum(sources.yield_rate, 1e-9)
