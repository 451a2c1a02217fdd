"""One item's orders of today, priced as its plan priced them: the bench that stories and reservation values work on.

What follows after today is the engine's own continuation policy; only what is placed now is varied. Shared limits
enter by the shadow prices that the plan found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.errors import NotFound
from tools.domain.plans import OrderPlan, PlanLine
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot, SourceTable
from tools.ordering.candidates.columns import Columns, build_columns
from tools.ordering.limits.allocation import Candidates, limit_rows, limits_may_bind
from tools.ordering.pricing.catalogue_prices import Priced
from tools.ordering.pricing.floors import held_to_floors
from tools.ordering.pricing.items import Batch, cost_parts, price_items, take_items, with_refined
from tools.ordering.problem.levels import ItemCosts, SourceLevels
from tools.ordering.problem.quantities import TINY, order_cap, round_down, round_up
from tools.ordering.stochastic.rollout import play
from tools.ordering.verification.rules import PLACING

Orders = Mapping[int, float]
"""Source row of the case to the units ordered now."""


@dataclass(frozen=True)
class PricedOrders:
    """Alternatives for today with their expected cost."""

    columns: Columns
    parts: FloatArray
    """(C, 5) expected cost by part; inf where a column is not valid."""
    limit_value: FloatArray
    """(C,) value, at shadow prices, of the shared limits that the orders use."""

    @property
    def total(self) -> FloatArray:
        """(C,) what is minimised: expected cost and the value of the limits used."""
        return self.parts.sum(axis=1) + self.limit_value

    def units(self, source: int) -> FloatArray:
        """(C,) units from a source."""
        return np.where(self.columns.source[0] == source, self.columns.quantity[0], 0.0).sum(axis=1)

    def orders(self, column: int) -> dict[int, float]:
        """What a column orders."""
        pairs = zip(self.columns.source[0, column].tolist(), self.columns.quantity[0, column].tolist(), strict=True)
        return {int(source): float(units) for source, units in pairs if units > TINY}


@dataclass(frozen=True)
class ItemCase:
    """An item's planning problem of its own, and what its plan orders now."""

    batch: Batch
    """The one item with all its sources, as the engine prices it."""
    settings: OrderingSettings
    shared: bool
    """Whether limits are shared with other items, so that smaller orders are worth pricing."""
    planned: Orders
    prices: Mapping[str, float]
    """Shared limit to the money that one more unit of it is worth."""

    @property
    def snapshot(self) -> PlanningSnapshot:
        """The item's own problem."""
        return self.batch.snapshot

    @property
    def levels(self) -> SourceLevels:
        """What each of its sources would have to cover."""
        return self.batch.levels

    @property
    def costs(self) -> ItemCosts:
        """Cost rates of the item."""
        return self.batch.costs

    def row_of(self, offer_id: str) -> int:
        """Source row of an offer. NotFound."""
        if offer_id not in self.snapshot.sources.offer_ids:
            known = ", ".join(self.snapshot.sources.offer_ids) or "none"
            raise NotFound(
                f"Offer {offer_id!r} is not one of item {self.snapshot.item_ids[0]}.",
                remedy=f"Name one of its offers: {known}.",
                offer_id=offer_id,
            )
        return self.snapshot.sources.offer_ids.index(offer_id)

    @cached_property
    def base(self) -> Columns:
        """The planned orders as a column of their own."""
        return columns_of([self.planned])

    def candidates(self, barred: int | None = None) -> Columns:
        """Orders worth considering now, without a source if one is barred."""
        if barred is None:
            return self.batch.columns
        problem = self.batch.problem.without_sources(np.array([barred]))
        return with_refined(problem, self.batch.policy, build_columns(problem, shared=self.shared))

    def priced(self, columns: Columns) -> PricedOrders:
        """Expected cost of alternatives over all sample paths."""
        problem, policy = self.batch.problem, self.batch.policy
        parts = cost_parts(problem, policy, columns, play(problem, policy, columns))[0]
        return PricedOrders(columns, parts, limit_value(self.snapshot, columns, self.prices)[0])

    def stock(self, orders: Orders) -> FloatArray:
        """(T, S) net stock at the end of each period after these orders."""
        played = play(self.batch.problem, self.batch.policy, columns_of([orders]), record=True)
        if played.stock is None:
            raise ValueError("the play of the orders was not recorded")
        return played.stock[:, 0]

    def under(self, sources: SourceTable) -> "ItemCase":
        """The same item with other terms, solved anew; what is planned stays what it was."""
        snapshot = replace(self.snapshot, sources=sources)
        return replace(self, batch=_batch(snapshot, self.settings, self.shared))


def item_case(
    snapshot: PlanningSnapshot, plan: OrderPlan, item_id: str, site_id: str, priced: Priced | None = None
) -> ItemCase:
    """The case of an item of a plan. NotFound when the snapshot does not hold it.

    `priced` is what the plan's items were priced as; without it the item is priced again.
    """
    item, shared = snapshot.row_of.get((item_id, site_id)), limits_may_bind(snapshot)
    if item is None:
        raise NotFound(
            f"The plan holds no item {item_id!r} at site {site_id!r}.",
            remedy="Name an item of the plan.",
            item_id=item_id,
        )
    part = take_items(snapshot, np.array([item]))
    part = replace(part, limits=replace(part.limits, supplier_min_order_value=np.empty(0)))
    lines = plan.lines_by_item.get((item_id, site_id), ())
    batch = _batch(part, plan.settings, shared) if priced is None else priced.of_item(item).stated(part)
    return ItemCase(batch, plan.settings, shared, _planned(part, lines), plan.limit_prices)


def _batch(snapshot: PlanningSnapshot, settings: OrderingSettings, shared: bool) -> Batch:
    priced = price_items(snapshot, settings, np.zeros(1, dtype=np.int64), shared=shared)
    return held_to_floors(priced, settings, shared=shared)


def _planned(snapshot: PlanningSnapshot, lines: Iterable[PlanLine]) -> dict[int, float]:
    rows = {offer_id: row for row, offer_id in enumerate(snapshot.sources.offer_ids)}
    return {rows[line.offer_id]: line.quantity for line in lines if line.intent in PLACING and line.period == 0}


def limit_value(snapshot: PlanningSnapshot, columns: Columns, prices: Mapping[str, float]) -> FloatArray:
    """(N, C) value, at shadow prices, of the shared limits that each column would use."""
    value = np.zeros(columns.source.shape[:2])
    if prices:
        items = np.arange(snapshot.n_items, dtype=np.int64)
        candidates = Candidates.of([(items, columns, value, None)])
        rows = limit_rows(snapshot, candidates)
        worth = np.array([prices.get(name, 0.0) for name in rows.names])
        value[candidates.item, candidates.column] = rows.usage.T @ worth
    return value


def columns_of(alternatives: Sequence[Orders]) -> Columns:
    """Alternatives of one item as columns; what they wanted is what they order."""
    depth = max((len(orders) for orders in alternatives), default=1) or 1
    source, quantity = np.zeros((1, len(alternatives), depth), dtype=np.int64), np.zeros((1, len(alternatives), depth))
    for column, orders in enumerate(alternatives):
        for part, (row, units) in enumerate(sorted(orders.items())):
            source[0, column, part], quantity[0, column, part] = row, units
    return Columns(source, quantity, np.ones(source.shape[:2], dtype=np.bool_), quantity)


def beside(*parts: Columns) -> Columns:
    """All columns of one item in a row."""
    depth = max(columns.source.shape[2] for columns in parts)

    def joined(name: str) -> list[np.ndarray]:
        arrays = [getattr(columns, name) for columns in parts]
        return [np.pad(array, ((0, 0), (0, 0), (0, depth - array.shape[2]))) for array in arrays]

    return Columns(
        np.concatenate(joined("source"), axis=1),
        np.concatenate(joined("quantity"), axis=1),
        np.concatenate([columns.valid for columns in parts], axis=1),
        np.concatenate(joined("wanted"), axis=1),
    )


def accepted_of(case: ItemCase, row: int, wanted: FloatArray) -> FloatArray:
    """Wanted quantities (n,) as a source accepts them: in its MOQ, its multiples and up to its largest order."""
    sources = case.snapshot.sources
    moq, multiple = np.full(wanted.size, sources.moq[row]), np.full(wanted.size, sources.order_multiple[row])
    cap = float(order_cap(sources, case.settings.review_periods)[row])
    top = round_down(np.full(wanted.size, cap if np.isfinite(cap) else 1e15), moq, multiple)
    return np.minimum(round_up(np.maximum(wanted, 2 * TINY), moq, multiple), top)


def accepted_around(case: ItemCase, row: int, centre: float, each_side: int) -> list[float]:
    """Quantities that a source accepts, around one: 0, the centre, and about `each_side` of them either way.

    Steps are whole order multiples, about the centre divided by `each_side`; where the MOQ cuts off the lower side,
    more follow on the upper.
    """
    middle = centre if centre > TINY else max(float(case.snapshot.sources.moq[row]), float(case.costs.mean_demand[0]))
    step = max(middle / each_side, float(case.snapshot.sources.order_multiple[row]), TINY)
    units = accepted_of(case, row, middle + step * np.arange(-each_side, 2 * each_side + 1, dtype=np.float64))
    ladder = sorted({round(float(u), 9) for u in units if u > TINY} | ({centre} if centre > TINY else set()))
    first = max(ladder.index(centre) - each_side, 0) if centre in ladder else 0
    return [0.0, *ladder[first : first + 2 * each_side]]
