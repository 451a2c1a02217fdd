"""Build and price the candidate orders of some items: race, choice of policy, refinement, final pricing."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SourceTable
from tools.ordering.candidates.columns import Columns, beside, build_columns
from tools.ordering.candidates.refinement import (
    ROUNDS,
    appended,
    cheapest_order,
    freely_ordered,
    neighbours,
    one_more_source,
)
from tools.ordering.problem.levels import ItemCosts, SourceLevels
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.problem.quantities import TINY
from tools.ordering.stochastic.continuations import Continuation
from tools.ordering.stochastic.costing import PARTS, cost_parts, path_costs, tail_costs
from tools.ordering.stochastic.policy_kinds import continuation
from tools.ordering.stochastic.rollout import Rollout, play

__all__ = ["PARTS", "Batch", "Part", "batches_of", "cost_parts", "pick", "price_items", "take_items"]

BATCH_BYTES = 4_000_000
"""Sample paths of one batch: small enough to stay in a processor's cache."""
FINALISTS = 4
"""Candidates per item played over all paths; three times as many when items compete for shared limits."""
RACE_SHARE, RACE_LEAST = 8, 16
"""Finalists are found on one path in eight, on at least sixteen."""
SEARCH_FINER = 4
FEW_PATHS = 64
"""Up to so many paths the search looks at every second one at most and ends a round earlier: they ask for speed."""
POLICY_SHARE = 2
"""The kinds of continuation policy are compared on every second path."""
WORTH_ANOTHER_KIND = 0.01
"""Share of ordering, holding and shortage cost that another kind of policy must save to be taken."""
_SERIALS = count()


@dataclass(frozen=True)
class Batch:
    """Items priced together: rows `items` of the whole snapshot, as a problem of their own."""

    items: IntArray
    problem: OrderingProblem
    policy: Continuation
    columns: Columns
    parts: FloatArray
    """(N, C, 5) in the order of PARTS; inf where a column is not valid."""
    risk: FloatArray
    """(N, C) what the tail adds to the expected cost in what is minimised; 0 unless the settings weigh it."""
    fill_later: FloatArray
    """(N, C) share of demand served from stock from the first period on that an order placed now can serve."""
    stored: FloatArray | None = None
    """(N, C, T) expected storage volume; None where storage is not limited, and before a pricing is finished."""
    serial: int = field(default_factory=partial(next, _SERIALS))
    """Tells pricings apart: equal numbers and rows, equal candidates."""
    rows: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """(N,) rows in the batch of that number."""

    def __post_init__(self) -> None:
        """A batch as it was priced has its own rows."""
        if self.rows.size != self.items.size:
            object.__setattr__(self, "rows", np.arange(self.items.size))

    @property
    def snapshot(self) -> PlanningSnapshot:
        """The items' own data."""
        return self.problem.snapshot

    @property
    def costs(self) -> ItemCosts:
        """Their cost rates."""
        return self.problem.costs

    @property
    def levels(self) -> SourceLevels:
        """What each of their sources would have to cover."""
        return self.problem.levels

    def stated(self, snapshot: PlanningSnapshot) -> "Batch":
        """As it was priced, where the items' data differ in what pricing did not look at, such as shared limits."""
        return replace(self, problem=replace(self.problem, snapshot=snapshot))

    @property
    def total(self) -> FloatArray:
        """(N, C) what is minimised: weighted expected cost, and risk where it is weighed."""
        return self.parts.sum(axis=2) + self.risk


Part = tuple[Batch, IntArray]
"""A batch, and the rows of it that count."""


def take_items(snapshot: PlanningSnapshot, items: IntArray) -> PlanningSnapshot:
    """The same problem for some of the items, shared limits unchanged; neighbouring items share memory with it."""
    in_row = items.size > 0 and bool((np.diff(items) == 1).all())
    place = np.full(snapshot.n_items, -1, dtype=np.int64)
    place[items] = np.arange(items.size)
    if in_row:
        bounds = np.searchsorted(snapshot.sources.item, [items[0], items[-1] + 1])
        rows, kept = np.arange(*bounds), slice(int(items[0]), int(items[-1]) + 1)
        offers = slice(*(int(b) for b in bounds))
    else:
        rows, kept = (
            np.flatnonzero(place[snapshot.sources.item] >= 0) if snapshot.sources.item.size else items[:0],
            items,
        )
        offers = rows
    ids = tuple(snapshot.item_ids[i] for i in items)
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
        sources=_take_sources(snapshot.sources, rows, offers, place),
        open_orders=tuple(
            order for item_id in dict.fromkeys(ids) for order in snapshot.open_orders_of.get(item_id, ())
        ),
        **{name: getattr(snapshot, name)[kept] for name in fields},
    )


def _take_sources(table: SourceTable, rows: IntArray, kept: IntArray | slice, place: IntArray) -> SourceTable:
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
        path_delay=table.path_delay[kept] if table.path_delay.size else table.path_delay,
        offer_ids=tuple(table.offer_ids[r] for r in rows),
        item=place[table.item[kept]],
        **{name: getattr(table, name)[kept] for name in names},
    )


def batches_of(snapshot: PlanningSnapshot, items: IntArray) -> Iterator[IntArray]:
    """Rows of items, ascending, in batches whose working memory stays small."""
    per_item = max(snapshot.demand.shape[1] * snapshot.horizon * 8, 1)
    size = max(int(BATCH_BYTES // per_item), 1)
    for start in range(0, items.size, size):
        yield items[start : start + size]


def price_items(
    snapshot: PlanningSnapshot,
    settings: OrderingSettings,
    items: IntArray,
    *,
    shared: bool,
    floor: FloatArray | None = None,
) -> Batch:
    """Build and price all candidates of the given items; `floor` multiplies their shortage prices."""
    part = snapshot if items.size == snapshot.n_items else take_items(snapshot, items)
    problem = OrderingProblem.of(part, settings, floor)
    policy, columns = chosen_policy(problem, shared=shared)
    columns = with_refined(problem, policy, columns)
    result, parts, risk = _weighed(problem, policy, columns)
    fill = 1 - result.missed_later / np.maximum(_demand_from(part, policy.reach), 1e-12)[:, None]
    return Batch(items, problem, policy, columns, parts, risk, fill)


def chosen_policy(problem: OrderingProblem, *, shared: bool) -> tuple[Continuation, Columns]:
    """The continuation that plans go on with, one kind an item, and the candidates that were left in the race."""
    policy = continuation(problem, alternatives=True)
    columns = compact(build_columns(problem, shared=shared))
    columns = race(problem, policy, columns, keep=FINALISTS * (3 if shared else 1))
    return best_policy(problem, policy, columns), columns


def _demand_from(snapshot: PlanningSnapshot, first: IntArray) -> FloatArray:
    """(N,) mean demand from a period of each item's own on."""
    mean = snapshot.demand.mean(axis=1, dtype=np.float64)
    return np.where(np.arange(snapshot.horizon) >= first[:, None], mean, 0.0).sum(axis=1)


def objective(
    problem: OrderingProblem,
    policy: Continuation,
    columns: Columns,
    *,
    every: int = 1,
) -> FloatArray:
    """(N, C) what is minimised, on each `every`-th path; inf where a column is not valid."""
    _, parts, risk = _weighed(problem, policy, columns, every)
    return parts.sum(axis=2) + risk


def _weighed(
    problem: OrderingProblem,
    policy: Continuation,
    columns: Columns,
    every: int = 1,
) -> tuple[Rollout, FloatArray, FloatArray]:
    """The play on each `every`-th path, its (N, C, 5) expected costs, and (N, C) what the tail adds where it weighs."""
    risky = problem.settings.cvar_weight > 0
    result = play(problem, policy, columns, every=every, by_path=risky)
    parts = cost_parts(problem, policy, columns, result)
    if not risky:
        return result, parts, np.zeros(parts.shape[:2])
    return result, parts, tail_costs(path_costs(problem, policy, columns, result, every), problem.settings)


def best_policy(
    problem: OrderingProblem,
    policy: Continuation,
    columns: Columns,
) -> Continuation:
    """The continuation whose kind, for each item, costs least on common paths, after the better of two orders now.

    The first kind stays unless another saves notably: near ties would be settled by the sample.
    """
    every, n_items = policy_stride(problem.snapshot), problem.snapshot.n_items
    kinds = policy.offered.shape[1]
    leader = pick(columns, _leaders(problem, policy, columns))
    none = pick(columns, np.zeros(n_items, dtype=np.int64))
    pair = beside(none, leader)
    tried = replace(beside(*[pair] * kinds), valid=np.repeat(policy.offered, 2, axis=1))
    choice = np.tile(np.repeat(np.arange(kinds), 2), (n_items, 1))
    result = play(problem, policy, tried, every=every, choice=choice)
    parts = cost_parts(problem, policy, tried, result, choice)
    total = parts.sum(axis=2).reshape(-1, kinds, 2)
    value = total.min(axis=2)
    rows = np.arange(n_items)
    own = parts.reshape(-1, kinds, 2, 5)[rows, 0, np.argmin(total[:, 0], axis=1), 2:].sum(axis=1)
    best = np.argmin(value, axis=1)
    better = value[rows, best] < value[:, 0] - WORTH_ANOTHER_KIND * np.abs(own)
    return policy.settled(np.where(better, best, 0), np.where(policy.offered, value, np.nan))


def race_stride(snapshot: PlanningSnapshot) -> int:
    """Every how many paths one is looked at while the finalists are found."""
    return max(min(RACE_SHARE, snapshot.demand.shape[1] // RACE_LEAST), 1)


def search_strides(snapshot: PlanningSnapshot) -> tuple[int, int]:
    """Every how many paths one is looked at in the first and in the last pass of the search for better quantities.

    The last pass settles the quantities: on few paths it would settle them for those, and the next plan would add
    to them what the others ask for.
    """
    few = snapshot.demand.shape[1] <= FEW_PATHS
    return max(race_stride(snapshot) // 2, 1), 2 if few and snapshot.demand.shape[1] >= 2 * RACE_LEAST else 1


def policy_stride(snapshot: PlanningSnapshot) -> int:
    """Every how many paths one is looked at while kinds of policy are compared."""
    return POLICY_SHARE if snapshot.demand.shape[1] >= POLICY_SHARE * RACE_LEAST else 1


def _leaders(
    problem: OrderingProblem,
    policy: Continuation,
    columns: Columns,
) -> IntArray:
    """(N,) each item's cheapest order on the race's paths."""
    every = race_stride(problem.snapshot)
    return cheapest_order(columns, objective(problem, policy, columns, every=every))


def race(
    problem: OrderingProblem,
    policy: Continuation,
    columns: Columns,
    *,
    keep: int,
) -> Columns:
    """Drop candidates that are far behind on every eighth path; ordering nothing always stays.

    All candidates see the same paths, so their differences are known far better than their costs.
    """
    every = race_stride(problem.snapshot)
    if every < 2 or columns.source.shape[1] <= keep + 1:
        return columns
    total = objective(problem, policy, columns, every=every)
    rival = _best_rival(columns, total)
    total[np.arange(rival.size), rival] = -np.inf
    total[:, 0] = -np.inf
    place = np.argsort(np.argsort(total, axis=1, kind="stable"), axis=1)
    return compact(replace(columns, valid=columns.valid & (place <= keep)))


def with_refined(
    problem: OrderingProblem,
    policy: Continuation,
    columns: Columns,
) -> Columns:
    """The columns and, for each item, the best order found by a search around its cheapest one.

    The final pricing on all paths decides whether it is any better. Without it a plan would stop short of what the
    next plan of the same day orders on top.
    """
    snapshot = problem.snapshot
    free = freely_ordered(snapshot, problem.settings)
    if not free.any() or not snapshot.sources.item.size:
        return columns
    first, last = search_strides(snapshot)
    rounds = ROUNDS[:-1] if snapshot.demand.shape[1] <= FEW_PATHS else ROUNDS
    strides = (first, *[last] * (len(rounds) - 1))

    def cheapest(among: Columns, stride: int) -> Columns:
        total = objective(problem, policy, among, every=stride)
        return pick(among, cheapest_order(among, total))

    best = cheapest(columns, policy_stride(snapshot))
    for factor_sets, every in zip(rounds, strides, strict=True):
        best = cheapest(one_more_source(problem, best), every)
        for factors in factor_sets:
            best = cheapest(neighbours(problem, best, factors), every)
        columns = appended(columns, best, free)
    return columns


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
