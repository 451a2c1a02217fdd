"""Order plans of single items met so far: what each costs and what it takes of every limit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.domain.arrays import FloatArray, IntArray
from tools.kernels import kernel
from tools.ordering.schedules.column_generation.item_sweeps import cost_of_orders, price_per_pack
from tools.ordering.schedules.problem.expected_cost import expected_stock
from tools.ordering.schedules.problem.programme_arrays import Limits, PacksArray, Terms

RowArray = NDArray[np.int32]
AmountArray = NDArray[np.float32]
MIX = 1099511628211
"""Multiplier of the order plans' fingerprints (FNV)."""


@kernel(error_model="numpy")
def fingerprints(terms: Terms, packs: PacksArray, out: IntArray) -> None:  # pragma: no cover - compiled
    """Fill `out` (N,) with a number that tells order plans of all items apart."""
    for item in range(terms.start.size - 1):
        mark = np.uint64(14695981039346656037) ^ (np.uint64(item + 1) * np.uint64(MIX))
        for source in range(terms.start[item], terms.start[item + 1]):
            for placed in range(packs.shape[1]):
                if packs[source, placed] > 0:
                    place = (source - terms.start[item]) * packs.shape[1] + placed
                    mark = (mark ^ np.uint64(place + 1)) * np.uint64(MIX)
                    mark = (mark ^ np.uint64(packs[source, placed])) * np.uint64(MIX)
                    mark = mark ^ (mark >> np.uint64(29))
        # one bit less, so that the mark is a positive signed number
        out[item] = np.int64(mark >> np.uint64(1))


@kernel(error_model="numpy")
def plan_rows(  # noqa: C901 - one compiled loop over arrays; split, each item would pay calls
    items: IntArray,
    terms: Terms,
    packs: PacksArray,
    finite: Limits,
    none: Limits,
    write: bool,
    cost: FloatArray,
    begin: IntArray,
    row: RowArray,
    amount: AmountArray,
) -> int:  # pragma: no cover - compiled
    """Write the plans' costs and what they take of the limits that are `finite` (1 or 0), in the order of `flat`.

    Plan j has the entries begin[j] to begin[j + 1] of `row` and `amount`; returns the number of entries, and only
    counts them unless `write` is set.
    """
    suppliers, horizon = finite.capacity.shape
    at = 0
    for j, item in enumerate(items):
        begin[j] = at
        mine = packs[terms.start[item] : terms.start[item + 1]]
        if write:
            cost[j] = cost_of_orders(item, mine, terms, none)
        for source in range(terms.start[item], terms.start[item + 1]):
            supplier = terms.supplier[source]
            for placed in range(horizon):
                quantity = packs[source, placed]
                if quantity <= 0:
                    continue
                if finite.capacity[supplier, placed] > 0:
                    if write:
                        row[at] = supplier * horizon + placed
                        amount[at] = terms.effort_order[source] + terms.effort_pack[source] * quantity
                    at += 1
                if finite.budget[placed] > 0:
                    if write:
                        row[at] = suppliers * horizon + placed
                        amount[at] = price_per_pack(source, quantity, terms) * quantity
                    at += 1
                if finite.orders[placed] > 0:
                    if write:
                        row[at] = (suppliers + 2) * horizon + placed
                        amount[at] = 1.0
                    at += 1
        # storage takes what has arrived up to the period's end, the other limits what is placed in it
        level = 0
        for period in range(horizon):
            for source in range(terms.start[item], terms.start[item + 1]):
                if period >= terms.lead[source]:
                    level += packs[source, period - terms.lead[source]]
            if finite.storage[period] > 0 and terms.volume[item] > 0.0:
                if write:
                    row[at] = (suppliers + 1) * horizon + period
                    amount[at] = terms.volume[item] * expected_stock(float(level), terms.requirement[item, period])
                at += 1
    begin[items.size] = at
    return at


@kernel(error_model="numpy")
def _copy_plans(
    take: IntArray,
    begin: IntArray,
    row: RowArray,
    amount: AmountArray,
    to: IntArray,
    row_to: RowArray,
    out: AmountArray,
) -> None:  # pragma: no cover - compiled
    """Copy the entries of the plans `take` to where `to` says that each begins."""
    for j, plan in enumerate(take):
        at = to[j]
        for entry in range(begin[plan], begin[plan + 1]):
            row_to[at] = row[entry]
            out[at] = amount[entry]
            at += 1


@kernel(error_model="numpy")
def _price_plans(
    cost: FloatArray, begin: IntArray, row: RowArray, amount: AmountArray, prices: FloatArray, out: FloatArray
) -> None:  # pragma: no cover - compiled
    """Fill `out` with each plan's cost with the prices of what it takes."""
    for plan in range(cost.size):
        total = cost[plan]
        for entry in range(begin[plan], begin[plan + 1]):
            total += prices[row[entry]] * amount[entry]
        out[plan] = total


@dataclass(frozen=True)
class PlanPool:
    """Plans grouped by item, each once; plan j takes `amount` of the limits `row` at begin[j] to begin[j + 1]."""

    item: IntArray
    key: IntArray
    cost: FloatArray
    begin: IntArray
    row: RowArray
    amount: AmountArray

    @classmethod
    def empty(cls) -> "PlanPool":
        """A pool without plans."""
        whole, real = np.zeros(0, np.int64), np.zeros(0)
        return cls(whole, whole, real, np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))

    def priced(self, prices: FloatArray) -> FloatArray:
        """Each plan's cost with the prices of the limits it takes."""
        out = np.empty(self.cost.size)
        _price_plans(self.cost, self.begin, self.row, self.amount, prices, out)
        return out

    def keeping(self, prices: FloatArray, per_item: int) -> "PlanPool":
        """The plans that are cheapest at the prices, at most `per_item` of each item."""
        order = np.lexsort((self.priced(prices), self.item))
        first = np.searchsorted(self.item[order], self.item[order], side="left")
        return self._taking(np.sort(order[np.arange(order.size) - first < per_item]))

    def _taking(self, take: IntArray) -> "PlanPool":
        length = np.diff(self.begin)[take]
        begin = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
        row, amount = np.empty(begin[-1], np.int32), np.empty(begin[-1], np.float32)
        _copy_plans(take, self.begin, self.row, self.amount, begin, row, amount)
        return PlanPool(self.item[take], self.key[take], self.cost[take], begin, row, amount)

    def with_plans(self, terms: Terms, packs: PacksArray, finite: Limits) -> "PlanPool":
        """The pool with the current plan of every item added, unless it is known already."""
        key = np.empty(terms.start.size - 1, np.int64)
        fingerprints(terms, packs, key)
        items = np.flatnonzero(~np.isin(key, self.key))
        cost, begin = np.empty(items.size), np.empty(items.size + 1, np.int64)
        none = Limits(*(np.zeros_like(part) for part in finite))
        nothing = np.zeros(0, np.int32), np.zeros(0, np.float32)
        # counted first, so that the arrays are made once in their size
        size = plan_rows(items, terms, packs, finite, none, False, cost, begin, *nothing)
        row, amount = np.empty(size, np.int32), np.empty(size, np.float32)
        plan_rows(items, terms, packs, finite, none, True, cost, begin, row, amount)
        item = np.concatenate([self.item, items])
        joined = PlanPool(
            item=item,
            key=np.concatenate([self.key, key[items]]),
            cost=np.concatenate([self.cost, cost]),
            begin=np.concatenate([self.begin, begin[1:] + self.begin[-1]]),
            row=np.concatenate([self.row, row]),
            amount=np.concatenate([self.amount, amount]),
        )
        return joined._taking(np.argsort(item, kind="stable"))
