"""Prices of the limits: a short dual ascent, then rounds of Dantzig-Wolfe; the best Lagrangian bound met counts.

At any prices >= 0, the sum of the items' best priced costs less prices times limits is a bound that no schedule within
the limits can beat (Geoffrion 1974). Both methods only look for prices at which it is high.
"""

from collections.abc import Callable

import numpy as np

from tools.domain.arrays import FloatArray
from tools.ordering.schedules.column_generation.columns import PlanPool
from tools.ordering.schedules.column_generation.item_sweeps import solve_free, total_use
from tools.ordering.schedules.column_generation.master import master_prices
from tools.ordering.schedules.problem.programme_arrays import Limits, Terms, unflat

FIRST_STEP = 0.5
"""First step of the ascent, in multiples of a row's `price_scale`."""
STEP_DECAY = 0.88
SOFTNESS = 1e-3
"""Width of the master's soft minima as a share of an item's cost, in the first round."""
SOFTNESS_DECAY = 0.7
LEAST_SOFTNESS = 3e-5
MASTER_STEPS = 40
"""L-BFGS-B steps of a round; more cost more than they move the bound."""
REACH = 2.0
"""A round may move a price up to this multiple of the best one known, plus half its scale."""
PLANS_PER_ITEM = 15
POOL_ENTRIES = 40_000_000
"""Entries of the pool that memory allows; with more items fewer plans of each are kept."""


def price_scale(terms: Terms, limits: Limits) -> FloatArray:
    """What a price of each limit is measured in: 2 % of what is bought with it, or a period's holding cost."""
    worth = 0.02 * terms.price[:, 0] / np.maximum(terms.effort_pack, 1e-9)
    usual = float(np.median(worth)) if worth.size else 1.0
    capacity = np.full(limits.capacity.shape, usual)
    for supplier in range(limits.capacity.shape[0]):
        mine = worth[terms.supplier == supplier] if limits.capacity.shape[0] <= 50 else worth[:0]
        if mine.size:
            capacity[supplier] = float(np.median(mine))
    roomy = terms.volume > 0
    stock = float(np.median(terms.holding[roomy] / terms.volume[roomy])) if roomy.any() else 1.0
    ordering = float(np.median(terms.fixed)) if terms.fixed.size else 1.0
    parts = (capacity, np.full(limits.budget.shape, 0.02), np.full(limits.storage.shape, stock))
    scale = Limits(*parts, np.full(limits.orders.shape, ordering)).flat()
    return np.maximum(scale, 1e-9)


class DualPrices:
    """The search for prices: the best bound and its prices so far, and the plans met on the way."""

    def __init__(self, terms: Terms, limits: Limits) -> None:
        self.terms, self.limits = terms, limits
        self.flat_limits = limits.flat()
        self.limited = np.isfinite(self.flat_limits)
        self.finite = Limits(*(np.isfinite(part).astype(np.float64) for part in limits))
        self.stored = bool(np.isfinite(limits.storage).any())
        self.scale = price_scale(terms, limits)
        self.packs = np.zeros((terms.lead.size, terms.requirement.shape[1]), np.int32)
        self.value = np.zeros(terms.start.size - 1)
        self.pool = PlanPool.empty()
        entries = limits.storage.size * self.stored + 20
        self.per_item = int(np.clip(POOL_ENTRIES // (entries * max(self.value.size, 1)), 3, PLANS_PER_ITEM))
        self.prices = np.zeros(self.scale.size)
        self.bound = -np.inf
        self.best_value = self.value
        """(N,) the items' least priced costs at the best prices."""
        self.softness = SOFTNESS

    def start_from(self, warm: Limits) -> None:
        """Begin at known prices, such as those of the last plan."""
        self.prices = np.where(self.limited, np.maximum(warm.flat(), 0.0), 0.0)

    def visit(self, prices: FloatArray) -> FloatArray:
        """Solve all items at these prices, remember their plans, and return use less limits."""
        solve_free(self.terms, unflat(prices, self.limits), self.packs, self.value)
        use = Limits(*(np.zeros_like(part) for part in self.limits))
        total_use(self.terms, self.packs, use, self.stored)
        over = np.where(self.limited, use.flat() - np.where(self.limited, self.flat_limits, 0.0), 0.0)
        bound = self.bound_at(prices)
        if bound > self.bound:
            self.bound, self.prices, self.best_value = bound, prices.copy(), self.value.copy()
        self.pool = self.pool.with_plans(self.terms, self.packs, self.finite)
        return over

    def bound_at(self, prices: FloatArray) -> float:
        """The Lagrangian bound at the prices that were visited last."""
        return float(self.value.sum() - prices[self.limited] @ self.flat_limits[self.limited])

    def ascend(self, steps: int, first_step: float, go_on: Callable[[], bool]) -> None:
        """Adam steps on the violation of every limit relative to the limit (Kingma & Ba 2015); at least one."""
        prices = self.prices.copy()
        mean, square = np.zeros_like(prices), np.zeros_like(prices)
        relative = 1.0 / np.where(self.limited, np.maximum(self.flat_limits, 1e-9), 1.0)
        for step in range(steps):
            if step and not go_on():
                return
            slope = np.clip(self.visit(prices) * relative, -1.0, 10.0)
            mean = 0.7 * mean + 0.3 * slope
            square = 0.95 * square + 0.05 * slope**2
            move = mean / (1 - 0.7 ** (step + 1)) / np.sqrt(square / (1 - 0.95 ** (step + 1)) + 1e-4)
            prices = np.maximum(0.0, prices + first_step * STEP_DECAY**step * self.scale * move)

    def round(self, steps: int = MASTER_STEPS) -> None:
        """One round of Dantzig-Wolfe: prices from the plans met so far, then the items at these prices.

        Where that does not raise the bound, halfway back to the best prices as well (smoothing; Wentges 1997).
        """
        self.pool = self.pool.keeping(self.prices, self.per_item)
        upper = np.where(self.limited, REACH * self.prices + 0.5 * self.scale, 0.0)
        softness = np.maximum(self.softness * np.abs(self.best_value), 1e-9)
        answer = master_prices(self.pool, self.flat_limits, self.prices, upper, self.scale, softness, steps)
        best, bound = self.prices, self.bound
        self.visit(answer.prices)
        if self.bound <= bound:
            self.visit(0.5 * (best + answer.prices))
        self.softness = max(self.softness * SOFTNESS_DECAY, LEAST_SOFTNESS)
