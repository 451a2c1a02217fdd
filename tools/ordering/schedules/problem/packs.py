"""The pack in which an item's orders are counted, and the way back to ordered units."""

from dataclasses import dataclass
from math import gcd, lcm

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import SourceTable
from tools.ordering.problem.quantities import round_down
from tools.ordering.schedules.problem.statement import ScheduleOrders

PACKS_PER_PERIOD = 12
"""Packs of a period's mean demand where order multiples leave the choice."""
FINENESS = 1_000
"""Order multiples are read to a thousandth of a unit."""


@dataclass(frozen=True)
class PackMap:
    """Turns packs of a schedule back into units, N items and M sources of the schedule."""

    units_per_pack: FloatArray
    """(N,) usable units of a pack."""
    source_row: IntArray
    """(M,) row of the source in the snapshot: those that may never be ordered from are left out."""
    ordered_per_pack: FloatArray
    """(M,) units to order for a usable pack: more than the pack where the yield is below 1."""
    moq: FloatArray
    """(M,) units."""
    order_multiple: FloatArray
    """(M,) units, 0 for any quantity."""

    def ordered_units(self, orders: ScheduleOrders) -> FloatArray:
        """Units to order by row of `orders`, as the source accepts them.

        With a yield below 1 packs are no whole multiples: rounded down, so that no limit is broken by rounding.
        """
        source = orders.source
        wanted = orders.packs * self.ordered_per_pack[source]
        return round_down(wanted, self.moq[source], self.order_multiple[source])


def pack_sizes(sources: SourceTable, rows: IntArray, mean_demand: FloatArray) -> FloatArray:
    """(N,) units of each item's pack: orders of every source `rows` are whole packs.

    The greatest common step of the order multiples. Where all multiples fit many times into a period's mean demand,
    larger steps that all of them share or divide save levels at no loss but fineness, down to twelve packs a period.
    Sources that accept any quantity leave the pack free.
    """
    wanted = np.maximum(mean_demand / PACKS_PER_PERIOD, 0.0)
    steps: list[list[int]] = [[] for _ in range(mean_demand.size)]
    thousandths = np.rint(sources.order_multiple[rows] * FINENESS).astype(np.int64)
    for item, step in zip(sources.item[rows].tolist(), thousandths.tolist(), strict=True):
        if step > 0:
            steps[item].append(step)
    return np.array([_pack(found, float(want)) for found, want in zip(steps, wanted, strict=True)])


def _pack(steps: list[int], wanted: float) -> float:
    """Units of a pack from order multiples in thousandths and the size wanted."""
    if not steps:
        return wanted if wanted > 0 else 1.0
    least, common = gcd(*steps), lcm(*steps)
    room = int(wanted * FINENESS)
    if common <= room:
        return common * (room // common) / FINENESS
    ratio = common // least
    largest = max((d for d in range(1, min(ratio, room // least) + 1) if ratio % d == 0), default=1)
    return least * largest / FINENESS


def multiples_in_packs(multiple: FloatArray, pack: FloatArray) -> IntArray:
    """(M,) packs of the smallest order that is a whole number of both; 1 where any quantity is accepted."""
    steps = np.rint(multiple * FINENESS).astype(np.int64)
    size = np.maximum(np.rint(pack * FINENESS).astype(np.int64), 1)
    return np.where(steps > 0, np.maximum(steps, 1) // np.gcd(np.maximum(steps, 1), size), 1)
