"""What is to be decided for some items, stated once: data, settings, and what both come to in money and in stock."""

from dataclasses import dataclass, replace

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, PlanningSnapshot
from tools.ordering.problem.levels import ItemCosts, SourceLevels, cumulative_demand, item_costs, source_levels


@dataclass(frozen=True)
class OrderingProblem:
    """Handed from room to room of the engine, so that none of them pairs one item's data with another's costs."""

    snapshot: PlanningSnapshot
    settings: OrderingSettings
    costs: ItemCosts
    levels: SourceLevels

    @classmethod
    def of(
        cls, snapshot: PlanningSnapshot, settings: OrderingSettings, floor: FloatArray | None = None
    ) -> "OrderingProblem":
        """The problem of a checked snapshot; `floor` (N,) multiplies the items' shortage prices."""
        costs = item_costs(snapshot, settings, floor)
        return cls(snapshot, settings, costs, source_levels(snapshot, settings, costs, cumulative_demand(snapshot)))

    def without_sources(self, rows: IntArray) -> "OrderingProblem":
        """The same where nothing is ordered now from some source rows; later reviews may still use them."""
        usable = self.levels.usable.copy()
        usable[rows] = False
        return replace(self, levels=replace(self.levels, usable=usable))
