"""What a plan means item by item, in columns: enough to compare options, with no line written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.plans import OrderPlan
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.explaining.outlook import reaches
from tools.ordering.plan import Draft
from tools.ordering.pricing.catalogue_prices import taken
from tools.ordering.pricing.items import PARTS, Batch, pick
from tools.ordering.problem.levels import item_costs
from tools.ordering.problem.quantities import TINY, price_of
from tools.ordering.stochastic.rollout import play
from tools.ordering.verification.rules import PLACING

SHORTAGE = PARTS.index("shortage")


@dataclass(frozen=True, slots=True)
class Placed:
    """An order placed now."""

    item_id: str
    supplier_id: str
    offer_id: str
    quantity: float
    value: float
    """Purchase value without freight, in money."""


@dataclass(frozen=True)
class ItemFigures:
    """By row of the snapshot."""

    parts: FloatArray
    """(N, 5) expected cost in the order of PARTS, the shortage as the item's own settings count it, unweighted."""
    fill_rate: FloatArray
    """(N,)"""
    stockout: FloatArray
    """(N,) probability of a stock-out before an order of the next review could arrive."""
    placed: Sequence[Sequence[Placed]]
    """Orders of each row, by source."""


@dataclass
class Outcomes:
    """Service of candidates, played once for all plans of a catalogue that order the same of an item."""

    settings: OrderingSettings
    _known: dict[int, tuple[IntArray, FloatArray]] = field(default_factory=dict[int, tuple[IntArray, FloatArray]])
    """By batch: (N,) the candidate that was looked at last, -1 for none; (N, 2) its fill rate and stock-outs."""

    def of(self, batch: Batch, rows: IntArray, chosen: IntArray) -> FloatArray:
        """(R, 2) fill rate and stock-out probability of some rows' chosen candidates."""
        if batch.serial not in self._known:
            self._known[batch.serial] = np.full(batch.items.size, -1), np.zeros((batch.items.size, 2))
        looked_at, found = self._known[batch.serial]
        fresh = looked_at[rows] != chosen
        if fresh.any():
            found[rows[fresh]] = self._played(taken(batch, rows[fresh]), chosen[fresh])
            looked_at[rows[fresh]] = chosen[fresh]
        return found[rows]

    def _played(self, batch: Batch, chosen: IntArray) -> FloatArray:
        snapshot, columns = batch.snapshot, pick(batch.columns, chosen)
        played = play(batch.problem, batch.policy, columns, record=True)
        if played.stock is None:
            raise ValueError("the play of the chosen columns was not recorded")
        paths = snapshot.demand.shape[1]
        demand = snapshot.demand.sum(axis=(1, 2), dtype=np.float64)
        fill = 1 - played.missed[:, 0] * paths / np.maximum(demand, 1e-12)
        least = np.minimum.accumulate(played.stock, axis=0)
        out = (least[reaches(batch, self.settings) - 1, np.arange(chosen.size)] < -TINY).mean(axis=1)
        return np.stack([fill, out], axis=1)


def figures_of(answer: Draft | OrderPlan, snapshot: PlanningSnapshot, outcomes: Outcomes) -> ItemFigures:
    """Of a draft, or of a schedule, which comes written."""
    if isinstance(answer, OrderPlan):
        return _of_plan(answer, snapshot)
    parts, service = np.zeros((snapshot.n_items, len(PARTS))), np.zeros((snapshot.n_items, 2))
    placed = list[list[Placed]]([] for _ in range(snapshot.n_items))
    for batch, rows in answer.priced.parts():
        items = batch.items[rows]
        chosen = answer.allocation.chosen[items]
        parts[items] = batch.parts[rows, chosen]
        parts[items, SHORTAGE] /= np.maximum(batch.costs.weight[rows], 1e-12)
        service[items] = outcomes.of(batch, rows, chosen)
        _place(batch, rows, chosen, placed)
    if answer.allocation.joint_cost.size:
        parts[:, PARTS.index("ordering")] += answer.allocation.joint_cost
    return ItemFigures(parts, service[:, 0], service[:, 1], placed)


def _place(batch: Batch, rows: IntArray, chosen: IntArray, placed: list[list[Placed]]) -> None:
    """Add the orders of some rows to those of their items."""
    snapshot, sources = batch.snapshot, batch.snapshot.sources
    quantity, source = batch.columns.quantity[rows, chosen], batch.columns.source[rows, chosen]
    for at, part in np.argwhere(quantity > TINY).tolist():
        row, units = int(source[at, part]), float(quantity[at, part])
        order = Placed(
            snapshot.item_ids[int(rows[at])],
            snapshot.supplier_ids[int(sources.supplier[row])],
            sources.offer_ids[row],
            units,
            units * price_of(sources, row, units),
        )
        placed[int(batch.items[rows[at]])].append(order)
    for item in batch.items[rows[(quantity > TINY).sum(axis=1) > 1]].tolist():
        placed[item].sort(key=attrgetter("offer_id"))


def _of_plan(plan: OrderPlan, snapshot: PlanningSnapshot) -> ItemFigures:
    placed = list[list[Placed]]([] for _ in range(snapshot.n_items))
    for line in plan.lines:
        if line.intent in PLACING:
            order = Placed(line.item_id, line.supplier_id, line.offer_id, line.quantity, line.value)
            placed[snapshot.row_of[line.item_id, line.site_id]].append(order)
    outlooks = plan.outlooks
    parts = np.array([[getattr(outlook.cost, name) for name in PARTS] for outlook in outlooks])
    parts[:, SHORTAGE] /= np.maximum(item_costs(snapshot, plan.settings).weight, 1e-12)
    service = np.array([[outlook.fill_rate, outlook.stockout_probability] for outlook in outlooks])
    return ItemFigures(parts, service[:, 0], service[:, 1], placed)
