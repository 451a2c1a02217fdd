"""Exact dynamic programming for an item with two sources, or with one and lost sales, where the state is small.

Average-cost relative value iteration over net stock and what the slow source still brings. Event order: arrivals,
orders, the fast source's units at once, demand, cost on the end state. A fast source with a lead time of its own is
the same problem with the demand of its lead time added (Sheopuri, Janakiraman & Seshadri 2010).
"""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import SourceTable
from tools.kernels import kernel
from tools.ordering.replenishment.model import InventoryStates

TOLERANCE = 1e-9
"""Span of the cost differences at which the iteration ends, relative to the average cost."""
LONGEST = 20_000
"""Sweeps at most."""


@dataclass(frozen=True)
class SmallModel:
    """An item in whole units: demand 0..D with probabilities, costs, and how long a regular order is on its way."""

    probability: FloatArray
    """(D + 1,) of each demand of a period."""
    cost: FloatArray
    """(X,) expected holding and shortage cost of a period by stock after express orders, from `least` up."""
    least: int
    premium: float
    """Extra money for a unit from the fast source; inf without one."""
    gap: int
    """Periods by which the regular source is slower, at least 1."""
    largest: int
    """Most units of a regular order."""
    lost: bool = False
    """Unmet demand is lost; `least` is then 0."""


@dataclass(frozen=True)
class ExactPolicy:
    """Best orders by state, looked up; states beyond the table count as its nearest."""

    sources: SourceTable
    regular_source: int
    express_source: int
    express_window: int
    least: int
    largest: int
    express_to: IntArray
    """(X, C) stock after express orders, by stock before them (from `least` up) and code of the pipeline."""
    regular: IntArray
    """(X, C) units of the regular order, by stock before express orders and code of the pipeline."""
    average_cost: float
    name: str = "exact dynamic programming"

    @property
    def regular_level(self) -> float:
        """Highest inventory position from which a regular order is placed with nothing on order, plus that order."""
        ordered = np.flatnonzero(self.regular[:, 0] > 0)
        return float(self.least + ordered[-1] + self.regular[ordered[-1], 0]) if ordered.size else -np.inf

    def decide(self, states: InventoryStates) -> FloatArray:
        """(B, M) units to order now from each source."""
        width = round(np.log(self.regular.shape[1]) / np.log(self.largest + 1))
        pipeline = np.rint(states.wide(self.express_window + width)).astype(np.int64)
        stock = np.rint(states.net_stock).astype(np.int64) + pipeline[:, : self.express_window].sum(axis=1)
        coming = pipeline[:, self.express_window :]
        code = np.zeros(stock.size, dtype=np.int64)
        for column in range(width):
            kept = np.minimum(coming[:, column], self.largest)
            stock = stock + coming[:, column] - kept
            code = code * (self.largest + 1) + kept
        row = np.clip(stock - self.least, 0, self.regular.shape[0] - 1)
        orders = np.zeros((stock.size, self.sources.item.size))
        if self.express_source >= 0:
            orders[:, self.express_source] = np.maximum(self.express_to[row, code] - stock, 0)
        orders[:, self.regular_source] = self.regular[row, code]
        return orders


def solve_small(model: SmallModel) -> tuple[float, IntArray, IntArray]:
    """Average cost per period, (X, C) stock after express orders and (X, C) regular order of the best policy."""
    size, codes = model.cost.size, (model.largest + 1) ** (model.gap - 1)
    shape = (size, codes)
    value, fresh, reach = np.zeros(shape), np.zeros(shape), np.zeros((size + model.largest, codes))
    raised, ordered = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    average = iterate(
        model.probability, model.cost, model.least, model.premium, model.gap, model.largest, model.lost,
        TOLERANCE, LONGEST, value, fresh, reach, raised, ordered,
    )  # fmt: skip
    return float(average), raised, ordered


@kernel(error_model="numpy")
def iterate(  # noqa: C901 - one compiled sweep over states; split, each state would pay calls
    probability: FloatArray,
    cost: FloatArray,
    least: int,
    premium: float,
    gap: int,
    largest: int,
    lost: bool,
    tolerance: float,
    longest: int,
    value: FloatArray,
    fresh: FloatArray,
    reach: FloatArray,
    raised: IntArray,
    ordered: IntArray,
) -> float:
    """Sweep until the cost per period is the same from every state; fills `raised` and `ordered`, returns that cost.

    Shapes: `value`, `fresh`, `raised`, `ordered` (X, C), `reach` (X + largest, C): expected value of the next state by
    stock before demand with what arrives next added. Below the table a unit costs the premium to raise, or without a
    fast source what the lowest state costs; above it the highest state stands.
    """
    size, codes = value.shape
    base = largest + 1
    head = codes // base if gap > 1 else 1
    steep = premium if premium < np.inf else 0.0
    average = 0.0
    for _ in range(longest):
        for after in range(reach.shape[0]):
            for code in range(codes):
                total = 0.0
                for demand in range(probability.size):
                    at = after - demand
                    if at < 0:
                        total += probability[demand] * (value[0, code] - steep * at)
                    else:
                        total += probability[demand] * value[min(at, size - 1), code]
                reach[after, code] = total
        low, high = np.inf, -np.inf
        for code in range(codes):
            next_in = code // head if gap > 1 else 0
            rest = (code % head) * base if gap > 1 else 0
            # from high stock down, so that one unit from the fast source leads to a state already settled
            for at in range(size - 1, -1, -1):
                best, units = np.inf, 0
                for quantity in range(base):
                    arriving = next_in if gap > 1 else quantity
                    following = rest + quantity if gap > 1 else 0
                    if lost:
                        found = 0.0
                        for demand in range(probability.size):
                            left = max(at - demand, 0) + arriving
                            found += probability[demand] * value[min(left, size - 1), following]
                    else:
                        found = reach[at + arriving, following]
                    if found < best - 1e-12:
                        best, units = found, quantity
                best += cost[at]
                ordered[at, code], raised[at, code] = units, at
                if at + 1 < size and fresh[at + 1, code] + premium < best:
                    best = fresh[at + 1, code] + premium
                    ordered[at, code], raised[at, code] = ordered[at + 1, code], raised[at + 1, code]
                fresh[at, code] = best
                low, high = min(low, best - value[at, code]), max(high, best - value[at, code])
        anchor = fresh[size // 2, 0]
        for at in range(size):
            for code in range(codes):
                value[at, code] = fresh[at, code] - anchor
        # the cost per period lies between the least and the largest rise of any state
        average = 0.5 * (low + high)
        if high - low <= tolerance * max(1.0, abs(average)):
            break
    for at in range(size):
        for code in range(codes):
            raised[at, code] += least
    return average
