"""Reservation prices of many lines at once: what each may cost before walking away from its source is cheaper."""

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.datasets import grouped
from tools.domain.plans import OrderPlan, PlanLine
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.candidates.columns import Columns, build_columns
from tools.ordering.explaining.item_case import limit_value
from tools.ordering.limits.allocation import limits_may_bind
from tools.ordering.pricing.catalogue_prices import Priced
from tools.ordering.pricing.floors import held_to_floors
from tools.ordering.pricing.items import Batch, batches_of, cost_parts, price_items, with_refined
from tools.ordering.problem.quantities import TINY
from tools.ordering.stochastic.rollout import BATCH_THREADS, play
from tools.ordering.verification.rules import PLACING


def reservation_prices(
    snapshot: PlanningSnapshot, plan: OrderPlan, line_ids: Collection[str], priced: Priced | None = None
) -> dict[str, float]:
    """Line id to the unit price at which the line's quantity costs as much as the next best orders without its source.

    For lines that place an order now; others are passed over. As `reservation_values`, for many items together: the
    source is barred for the order of today, everything else is as the plan has it, shared limits by their prices.
    `priced` is what the plan's items were priced as; without it they are priced again.
    """
    wanted = [line for line in plan.lines if line.line_id in line_ids and line.intent in PLACING]
    by_item = grouped(wanted, lambda line: snapshot.row_of[line.item_id, line.site_id])
    items, shared = np.array(sorted(by_item), dtype=np.int64), limits_may_bind(snapshot)
    if priced is None:
        batches = [_priced(snapshot, plan, rows, shared) for rows in batches_of(snapshot, items)]
    else:
        batches = priced.among(items)
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix=BATCH_THREADS) as pool:
        made = pool.map(partial(_prices, plan=plan, by_item=by_item, shared=shared), batches)
        return {line_id: value for prices in made for line_id, value in prices.items()}


def _priced(snapshot: PlanningSnapshot, plan: OrderPlan, items: IntArray, shared: bool) -> Batch:
    batch = price_items(snapshot, plan.settings, items, shared=shared)
    return held_to_floors(batch, plan.settings, shared=shared)


def _prices(batch: Batch, plan: OrderPlan, by_item: Mapping[int, Sequence[PlanLine]], shared: bool) -> dict[str, float]:
    limits = replace(batch.snapshot.limits, supplier_min_order_value=np.empty(0))
    bench = _Bench(batch.stated(replace(batch.snapshot, limits=limits)), plan, shared)
    turns = {row: by_item[item] for row, item in enumerate(batch.items.tolist())}
    found = dict[str, float]()
    for turn in range(max((len(lines) for lines in turns.values()), default=0)):
        asked = {item: lines[turn] for item, lines in turns.items() if turn < len(lines)}
        extra = bench.extra_without({item: line.offer_id for item, line in asked.items()})
        for item, line in asked.items():
            found[line.line_id] = max(line.unit_price + float(extra[item]) / line.quantity, 0.0)
    return found


@dataclass(frozen=True)
class _Bench:
    """Some items priced as their plan priced them."""

    batch: Batch
    plan: OrderPlan
    shared: bool

    def extra_without(self, offers: dict[int, str]) -> FloatArray:
        """(N,) what the best orders without one offer of an item cost above the planned ones; 0 where none is asked."""
        barred = np.full(self.batch.items.size, -1, dtype=np.int64)
        for item, offer in offers.items():
            barred[item] = self._place[offer]
        planned, fresh = self._planned, self._without(barred)
        others = replace(planned, quantity=np.where(_used(planned, barred), 0.0, planned.quantity))
        least = np.minimum(self._total(fresh).min(axis=1), self._total(others)[:, 0])
        known = np.where(_uses(self.batch.columns, barred), np.inf, self._own_total).min(axis=1)
        return np.where(barred >= 0, np.minimum(least, known) - self._planned_total, 0.0)

    @property
    def _place(self) -> Mapping[str, int]:
        return self.batch.snapshot.source_of

    @cached_property
    def _planned_total(self) -> FloatArray:
        return self._total(self._planned)[:, 0]

    @cached_property
    def _own_total(self) -> FloatArray:
        """(N, C) of the batch's own candidates."""
        batch = self.batch
        return batch.parts.sum(axis=2) + limit_value(batch.snapshot, batch.columns, self.plan.limit_prices)

    def _without(self, barred: IntArray) -> Columns:
        problem = self.batch.problem.without_sources(barred[barred >= 0])
        columns = build_columns(problem, shared=self.shared)
        columns = replace(columns, valid=columns.valid & (barred >= 0)[:, None])
        return with_refined(problem, self.batch.policy, columns)

    def _total(self, columns: Columns) -> FloatArray:
        batch = self.batch
        parts = cost_parts(batch.problem, batch.policy, columns, play(batch.problem, batch.policy, columns))
        return parts.sum(axis=2) + limit_value(batch.snapshot, columns, self.plan.limit_prices)

    @cached_property
    def _planned(self) -> Columns:
        """What the plan orders now, a column an item."""
        place, orders = self._place, dict[int, list[PlanLine]]()
        for key, row in self.batch.snapshot.row_of.items():
            lines = self.plan.lines_by_item.get(key, ())
            orders[row] = [line for line in lines if line.intent in PLACING and line.period == 0]
        depth = max((len(lines) for lines in orders.values()), default=0) or 1
        shape = (self.batch.items.size, 1, depth)
        source, quantity = np.zeros(shape, dtype=np.int64), np.zeros(shape)
        for item, lines in orders.items():
            for part, line in enumerate(sorted(lines, key=lambda known: place[known.offer_id])):
                source[item, 0, part], quantity[item, 0, part] = place[line.offer_id], line.quantity
        return Columns(source, quantity, np.ones(shape[:2], dtype=np.bool_), quantity)


def _used(columns: Columns, barred: IntArray) -> BoolArray:
    """(N, C, P) whether an order part is from the item's barred source."""
    return (columns.source == barred[:, None, None]) & (columns.quantity > TINY)


def _uses(columns: Columns, barred: IntArray) -> BoolArray:
    """(N, C) whether a column orders from the item's barred source."""
    return np.any(_used(columns, barred), axis=2)
