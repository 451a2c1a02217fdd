"""The kinds of continuation policy, written side by side for the rollout to compare.

All are order-up-to rules with two indices (Veeraraghavan and Scheller-Wolf 2008, Now or later): the express source
is called for what would run short before it lands, the regular one fills up to a level. The kinds differ in source,
levels, lots and in a cap on what the regular source gets a review (capped dual index, Sun and Van Mieghem 2019;
tailored base-surge, Allon and Van Mieghem 2010, where it gets a fixed quantity).
"""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.ordering.problem.levels import LARGEST_RATIO, quantile_index
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.problem.quantities import TINY, order_cap, round_down, round_up, unit_price_at
from tools.ordering.stochastic.continuations import KINDS, Continuation, PolicyTables
from tools.ordering.stochastic.policy_sources import express_ratio, express_sources, regular_sources
from tools.ordering.stochastic.rollout_kernels import fill_windows

LONGEST_WAIT = 2
"""Reviews for which a unit short is taken to wait when expediting is weighed."""
ROOM_ABOVE_MEAN = 1.2
"""A capped policy's largest regular order, in mean demand between two reviews."""
BASE_SHARE = 0.9
"""Share of mean demand that a base-surge policy gives to the regular source."""
EVER_BELOW = 1e15
"""A level that no stock reaches."""


@dataclass(frozen=True)
class _Window:
    """Demand over a source's lead time plus review from each period on, (N, T, S) ascending, with its cover."""

    row: IntArray
    """(N,) source row, -1 for none."""
    lead: IntArray
    sorted: FloatArray
    within: FloatArray

    def level(self, ratio: FloatArray) -> FloatArray:
        """(N, T) quantile of each item's ratio."""
        index = quantile_index(ratio, self.sorted.shape[2])
        return self.sorted[np.arange(ratio.size), :, index]


def continuation(problem: OrderingProblem, *, alternatives: bool = False) -> Continuation:
    """The cheapest source by score for what is regular, the faster one that saves most for what runs short.

    With `alternatives` the other kinds of policy stand beside it, for `price_items` to choose among.
    """
    first, second = regular_sources(problem)
    fast = express_sources(problem, first)
    maker = _Maker(problem, first, fast)
    if alternatives:
        maker.add_alternatives(second)
    return maker.finished()


class _Maker:
    """Fills the tables of the policies, kind by kind."""

    def __init__(self, problem: OrderingProblem, first: IntArray, fast: IntArray) -> None:
        self.problem, self.snapshot = problem, problem.snapshot
        self.costs, self.levels = problem.costs, problem.levels
        self.sources = problem.snapshot.sources
        self.review = problem.settings.review_periods
        self.cap = round_down(order_cap(self.sources, self.review), self.sources.moq, self.sources.order_multiple)
        self.slow = self._window(np.where(self.costs.ratio > 0, first, -1))
        self.wait = LONGEST_WAIT * self.review
        ratio = express_ratio(problem, first, fast, self.wait)
        self.dual = ratio > 0
        self.fast = self._window(np.where(self.dual, fast, -1))
        self.extra = _of_rows(self.levels.beyond, first, np.zeros(first.size))
        self.ratio = _of_rows(self.levels.ratio, first, self.costs.ratio)
        self.regular = self._regular(self.slow, self.ratio, self.extra)
        self.express = self._express(ratio)
        self.parts = [(self.regular, self.express)]
        self.offered = [np.ones(first.size, dtype=np.bool_)]

    def _window(self, row: IntArray) -> _Window:
        snapshot, shape = self.snapshot, (row.size, self.snapshot.horizon)
        if not (row >= 0).any():
            return _Window(row, np.zeros_like(row), np.zeros((*shape, 1)), np.zeros(shape))
        lead = self.levels.usual_lead[np.maximum(row, 0)]
        cover, window = np.zeros(shape), np.zeros((*shape, lead.shape[1]))
        rates = self.costs.mean_demand, self.review
        fill_windows(snapshot.demand, snapshot.arrivals, lead, *rates, window, cover)
        window.sort(axis=2)
        to_come = np.zeros(shape)
        to_come[:, :-1] = np.cumsum(snapshot.arrivals.mean(axis=1)[:, :0:-1], axis=1)[:, ::-1]
        within = np.divide(cover, to_come, out=np.zeros_like(cover), where=to_come > TINY)
        mean_lead = np.ceil(lead.mean(axis=1) - 0.25).astype(np.int64)
        none = row < 0
        mean_lead[none], window[none], within[none] = 0, 0.0, 0.0
        return _Window(row, mean_lead, window, np.minimum(within, 1.0))

    def _regular(self, window: _Window, ratio: FloatArray, extra: FloatArray) -> "_Part":
        level = self._ahead_of_capacity(window, window.level(ratio))
        return _Part(window, level, level + extra[:, None])

    def _ahead_of_capacity(self, window: _Window, level: FloatArray) -> FloatArray:
        """Levels raised where later ones could not be reached by what the source ships until then."""
        if not self.sources.moq.size:
            return level
        row = np.maximum(window.row, 0)
        ships = np.where(window.row >= 0, self.cap[row] * self.sources.yield_rate[row] / self.review, np.inf)
        if not np.isfinite(ships).any():
            return level
        mean, level = self.snapshot.demand.mean(axis=1), level.copy()
        for period in range(level.shape[1] - 2, -1, -1):
            level[:, period] = np.maximum(level[:, period], level[:, period + 1] + mean[:, period] - ships)
        return level

    def _express(self, ratio: FloatArray) -> "_Part":
        level = self.fast.level(ratio)
        return _Part(self.fast, level, level)

    def add_alternatives(self, second: IntArray) -> None:
        """The other kinds, in the order of KINDS."""
        ratio, none = self.ratio, _Part(self.fast, self.express.level, self.express.level, closed=True)
        slow, fast = self.slow.row, self.fast.row
        self._add(self.dual, self.regular, none)
        for wait in (2 * self.wait, self.wait / 2):
            other = np.where(self.dual, express_ratio(self.problem, slow, fast, wait), 0.0)
            self._add(self.dual & (other > 0), self.regular, self._express(other))
        for away in (0.5, 2.0):
            other = np.clip(1 - (1 - ratio) * away, 0.0, LARGEST_RATIO)
            self._add((ratio > 0) & (other > 0), self._regular(self.slow, other, self.extra), self.express)
        single = np.zeros_like(self.extra)
        self._add(self.extra > TINY, self._regular(self.slow, self.costs.ratio, single), self.express)
        lot = self._break_lots()
        larger = lot > np.maximum(self.extra, TINY)
        self._add(larger, self._regular(self.slow, ratio, np.where(larger, lot, self.extra)), self.express)
        self._add_capped()
        extra = _of_rows(self.levels.beyond, second, np.zeros(second.size))
        own = _of_rows(self.levels.ratio, second, self.costs.ratio)
        self._add(second >= 0, self._regular(self._window(second), own, extra), none)

    def _break_lots(self) -> FloatArray:
        """(N,) usable units of an order that reaches the regular source's next price break; 0 for none."""
        mean, points = self.costs.mean_demand, self.sources.break_quantity
        if not points.size:
            return np.zeros(mean.size)
        row, usual = np.maximum(self.slow.row, 0), mean * self.review
        ahead = np.where(points[row] > np.maximum(self.extra, usual)[:, None] + TINY, points[row], np.inf).min(axis=1)
        longest = min(self.snapshot.horizon, self.problem.settings.max_cover_periods)
        usable = ahead * self.sources.yield_rate[row]
        worth = np.isfinite(ahead) & (usable <= mean * longest) & (self.slow.row >= 0)
        return np.where(worth, usable, 0.0)

    def _add_capped(self) -> None:
        """A cap on regular orders a review; with levels never reached it is a fixed quantity a review."""
        row = np.maximum(self.slow.row, 0)
        if not self.sources.moq.size:
            for _ in range(2):
                self._add(self.dual, self.regular, self.express)
            return
        moq, multiple = self.sources.moq[row], self.sources.order_multiple[row]
        usual = self.costs.mean_demand * self.review / self.sources.yield_rate[row]
        cap = round_up(ROOM_ABOVE_MEAN * usual, moq, multiple)
        base = round_down(BASE_SHARE * usual, moq, multiple)
        level = np.full_like(self.regular.level, EVER_BELOW)
        capped = _Part(self.slow, self.regular.level, self.regular.up_to, cap=cap)
        fixed = _Part(self.slow, level, level, cap=base)
        self._add(self.dual & (cap < self.cap[row]), capped, self.express)
        self._add(self.dual & (base > TINY), fixed, self.express)

    def _add(self, offered: BoolArray, regular: "_Part", express: "_Part") -> None:
        self.offered.append(offered)
        self.parts.append((regular, express))

    def finished(self) -> Continuation:
        """Everything side by side."""
        n_items, zero = self.slow.row.size, np.zeros(self.slow.row.size, dtype=np.int64)
        shape = (len(self.parts), 2, n_items)
        level, up_to, within = (np.zeros((*shape, self.snapshot.horizon)) for _ in range(3))
        whole, terms, rates = np.zeros((*shape, 4), dtype=np.int64), np.ones((*shape, 4)), np.zeros((*shape, 3))
        tables = PolicyTables(whole, terms, level, up_to, within, rates)
        for index, pair in enumerate(self.parts):
            for channel, part in enumerate(pair):
                self._write(tables, (index, channel), part)
        burn = self.regular.up_to[:, -1] if self.snapshot.horizon else np.zeros(n_items)
        offered = np.stack(self.offered, axis=1)
        estimates = np.full(offered.shape, np.nan)
        self._rate(tables)
        worth = self._worth(tables)
        return Continuation(tables, zero, zero, estimates, offered, burn, self.slow.lead, worth)

    def _rate(self, tables: PolicyTables) -> None:
        """Prices of later orders, each at the usual size of its channel's orders."""
        sources, horizon = self.sources, self.snapshot.horizon
        if not sources.moq.size or not horizon:
            return
        lot = np.maximum(tables.up_to[..., 0] - tables.level[..., 0], np.maximum(self.costs.mean_demand, 1e-9))
        rows, terms, open_ = np.maximum(tables.whole[..., 0], 0), tables.terms, tables.whole[..., 0] >= 0
        lot = np.minimum(np.maximum(lot / terms[..., 3], terms[..., 0]), np.maximum(terms[..., 2], TINY))
        tables.rates[..., 0] = np.where(open_, unit_price_at(sources, rows, lot), 0.0)
        tables.rates[..., 1] = np.where(open_, sources.freight_per_unit[rows], 0.0)
        tables.rates[..., 2] = np.where(open_, sources.fixed_order_cost[rows], 0.0)

    def _worth(self, tables: PolicyTables) -> FloatArray:
        rates, good = tables.rates[0, 0], tables.terms[0, 0, :, 3]
        mean = np.maximum(self.costs.mean_demand, 1e-9)
        lot = np.maximum((self.regular.up_to - self.regular.level)[:, 0], mean)
        rates = rates.copy()
        if len(self.parts) > 1:
            lots = KINDS.index("lots for a price break")
            rates[:, 0] = np.minimum(rates[:, 0], np.where(self.offered[lots], tables.rates[lots, 0, :, 0], np.inf))
        worth = rates / np.maximum(good, TINY)[:, None]
        worth[:, 2] = rates[:, 2] / np.maximum(lot, 1e-9)
        idle = tables.whole[0, 0, :, 0] < 0
        worth[idle] = 0.0
        worth[idle, 0] = self.snapshot.unit_value[idle]
        return worth

    def _write(self, tables: PolicyTables, at: tuple[int, int], part: "_Part") -> None:
        row, sources = part.window.row, self.sources
        tables.whole[(*at, slice(None), 0)] = -1 if part.closed else row
        tables.whole[(*at, slice(None), 1)] = part.window.lead
        tables.level[at], tables.up_to[at], tables.within[at] = part.level, part.up_to, part.window.within
        if not sources.moq.size:
            tables.whole[(*at, slice(None), 0)] = -1
            return
        items = np.flatnonzero(row >= 0)
        rows, cap = row[items], self.cap[row[items]]
        tables.whole[(*at, items, 2)] = np.maximum(sources.first_period[rows], self.snapshot.frozen_periods[items])
        tables.whole[(*at, items, 3)] = sources.last_period[rows]
        tables.terms[(*at, items, 0)] = sources.moq[rows]
        tables.terms[(*at, items, 1)] = sources.order_multiple[rows]
        tables.terms[(*at, items, 2)] = cap if part.cap is None else np.minimum(part.cap[items], cap)
        tables.terms[(*at, items, 3)] = np.maximum(sources.yield_rate[rows], TINY)


def _of_rows(values: FloatArray, rows: IntArray, missing: FloatArray) -> FloatArray:
    """(N,) a value of each item's source; where the item has none, what is given for that."""
    return np.where(rows >= 0, values[np.maximum(rows, 0)], missing) if values.size else missing


@dataclass(frozen=True)
class _Part:
    window: _Window
    level: FloatArray
    up_to: FloatArray
    cap: FloatArray | None = None
    closed: bool = False
