"""The textbook's (s,Q) and (s,S), one source per item, as strong as tuning in hindsight makes them.

s is a quantile of demand over lead time plus the week of review (Silver, Pyke and Thomas 2017, section 6.9, with
the spread of demand and of lead time), Q the economic order quantity or the price break where that is cheaper.
The quantile is the item's own newsvendor ratio, moved by one safety factor for all items.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
from scipy.special import gammaincinv, ndtr, ndtri

from benchmarks.cases.rolling_world import BuyersView, Played, RollingWorld, play_weeks
from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.snapshots import SourceTable
from tools.ordering.problem.quantities import round_down, round_up, unit_price_at

REVIEW_WEEKS = 1.0
SOURCE_RULES = ("least cost", "cheap", "middling")
WINDOWS = (26, 52, 104)
"""Recent weeks from which mean and standard deviation are estimated."""
SHIFTS = (-1.2, -0.9, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.7)
"""Safety factors added to that of the item's newsvendor ratio."""


class DemandEstimate(Protocol):
    """What a classical policy takes from the history."""

    @property
    def name(self) -> str:
        """For the table."""
        ...

    def weekly_mean(self, view: BuyersView) -> FloatArray:
        """(N,) units."""
        ...

    def lead_demand(self, view: BuyersView, factor: FloatArray) -> FloatArray:
        """(M,) quantile of demand over lead time plus review at safety factor (M,)."""
        ...


@dataclass(frozen=True)
class RecentWeeks:
    """Mean and standard deviation of the latest weeks; the lead-time distribution is known."""

    sources: SourceTable
    window: int
    gamma: bool
    """Whether lead-time demand is a gamma of these moments, else normal."""

    @property
    def name(self) -> str:
        """For the table."""
        return f"{'gamma' if self.gamma else 'normal'} of {self.window} weeks"

    def weekly_mean(self, view: BuyersView) -> FloatArray:
        """(N,) units."""
        return view.past[:, -self.window :].mean(axis=1)

    def lead_demand(self, view: BuyersView, factor: FloatArray) -> FloatArray:
        """(M,) from E = m(L + 1) and V = (L + 1) sd² + m² sd_L²."""
        recent = view.past[:, -self.window :]
        mean, variance = recent.mean(axis=1)[self.sources.item], recent.var(axis=1, ddof=1)[self.sources.item]
        lead, spread = lead_moments(self.sources)
        expected = mean * (lead + REVIEW_WEEKS)
        total = np.maximum((lead + REVIEW_WEEKS) * variance + mean**2 * spread, 1e-9)
        if not self.gamma:
            return expected + factor * np.sqrt(total)
        shape = np.maximum(expected, 1e-9) ** 2 / total
        return gammaincinv(shape, ndtr(factor)) * total / np.maximum(expected, 1e-9)


def lead_moments(sources: SourceTable) -> tuple[FloatArray, FloatArray]:
    """(M,) mean and variance of the lead time in weeks."""
    weeks = np.arange(sources.lead_time.shape[1])
    mean = sources.lead_time @ weeks
    return mean, sources.lead_time @ weeks**2 - mean**2


@dataclass(frozen=True)
class ClassicalBuyer:
    """One way to set s, Q and the source; estimates are renewed every week."""

    world: RollingWorld
    estimate: DemandEstimate
    rule: str
    """One of SOURCE_RULES; by least cost, the source is chosen anew every week."""
    shift: float
    up_to: bool = False
    """(s,S) with S = s + Q instead of (s,Q)."""

    @property
    def name(self) -> str:
        """For the table."""
        return f"{'(s,S)' if self.up_to else '(s,Q)'}, {self.estimate.name}, {self.rule}, z {self.shift:+.1f}"

    def order(self, view: BuyersView) -> FloatArray:
        """(M,) lots that lift the position above s, or one order up to s + Q."""
        sources, item = self.world.sources, self.world.sources.item
        ratio = self.world.shortage / (self.world.shortage + self.world.holding)
        factor = (ndtri(ratio) + self.shift)[item]
        mean = self.estimate.weekly_mean(view)[item]
        point = np.maximum(self.estimate.lead_demand(view, factor), 0.0)
        lot = economic_lots(self.world, mean)
        position = (view.net_stock + np.bincount(item, view.open_units.sum(axis=1), view.net_stock.size))[item]
        wanted = np.maximum(point + lot - position, lot) if self.up_to else self._lots(point - position, lot)
        units = round_up(wanted, sources.moq, sources.order_multiple)
        return np.where(self._chosen(mean, point, lot) & (position < point), units, 0.0)

    @staticmethod
    def _lots(gap: FloatArray, lot: FloatArray) -> FloatArray:
        return np.maximum(np.ceil(gap / lot), 1.0) * lot

    def _chosen(self, mean: FloatArray, point: FloatArray, lot: FloatArray) -> BoolArray:
        """(M,) bool: the one source of each item."""
        item = self.world.sources.item
        if self.rule != "least cost":
            return rank_of(self.world.sources) == SOURCE_RULES.index(self.rule) - 1
        lead, _ = lead_moments(self.world.sources)
        safety = np.maximum(point - mean * (lead + REVIEW_WEEKS), 0.0)
        cost = weekly_cost(self.world, mean, lot) + self.world.holding[item] * safety
        least = np.full(self.world.holding.size, np.inf)
        np.minimum.at(least, item, cost)
        return cost <= least[item]


def rank_of(sources: SourceTable) -> IntArray:
    """(M,) place of each source among its item's."""
    return np.arange(sources.item.size) - np.searchsorted(sources.item, sources.item)


def weekly_cost(world: RollingWorld, mean: FloatArray, lot: FloatArray) -> FloatArray:
    """(M,) money a week for purchase, freight, ordering and cycle stock at a lot."""
    sources = world.sources
    price = unit_price_at(sources, np.arange(lot.size), lot) + sources.freight_per_unit
    return mean * (price + sources.fixed_order_cost / lot) + world.holding[sources.item] * lot / 2


def economic_lots(world: RollingWorld, mean: FloatArray) -> FloatArray:
    """(M,) the economic order quantity, up or down to what the source accepts, or a break point: what costs least."""
    sources = world.sources
    terms = sources.moq, sources.order_multiple
    eoq = np.maximum(np.sqrt(2 * sources.fixed_order_cost * mean / world.holding[sources.item]), 1.0)
    best = round_up(eoq, *terms)
    others = [round_down(eoq, *terms)]
    for column in range(sources.break_quantity.shape[1]):
        point = sources.break_quantity[:, column]
        others.append(round_up(np.where(np.isfinite(point), point, best), *terms))
    for lot in others:
        usable = np.where(lot > 0, lot, best)
        best = np.where(weekly_cost(world, mean, usable) < weekly_cost(world, mean, best), usable, best)
    return best


@dataclass(frozen=True)
class Tuned:
    """The cheapest of a family of classical buyers on one world, in hindsight."""

    buyer: ClassicalBuyer
    played: Played


def recent_estimates(sources: SourceTable) -> tuple[RecentWeeks, ...]:
    """Every window, normal and gamma."""
    return tuple(RecentWeeks(sources, window, gamma) for window, gamma in product(WINDOWS, (False, True)))


def best_in_hindsight(
    world: RollingWorld,
    estimates: Iterable[DemandEstimate],
    *,
    rules: Sequence[str] = SOURCE_RULES,
    up_to: bool = False,
) -> Tuned:
    """Play every estimate, source rule and safety factor, and keep what cost least: nobody could know it before."""
    tried = (
        ClassicalBuyer(world, estimate, rule, shift, up_to)
        for estimate, rule, shift in product(estimates, rules, SHIFTS)
    )
    return min(
        (Tuned(buyer, play_weeks(world, buyer)) for buyer in tried), key=lambda t: float(t.played.relevant.sum())
    )
