"""A seeded world of items bought week by week: demand of five kinds, three sources each, and what it all costs.

Every buyer meets the same demand and the same lead-time draws: those of a source depend on the week it is ordered
in, not on who orders. Order of events in a week: arrivals, the buyer's orders (one with lead time 0 is there at
once), demand, then holding on what is left and shortage on what is owed.
"""

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from benchmarks.cases.planning_worlds import Terms, source_table
from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import SourceTable
from tools.ordering.problem.quantities import unit_price_at

KINDS = ("smooth", "seasonal", "trending", "erratic", "intermittent")
YEAR = 52
HOLDING_PER_YEAR = 0.25
CRITICAL_RATIOS = (0.95, 0.98)
"""Range of b / (b + h): what a week's shortage of a unit costs against a week in stock."""
LEAST_LEADS = ((5, 7), (2, 4), (0, 1))
"""Shortest lead time in weeks of the cheap, the middling and the fast source; each takes up to three more."""
FIXED_COSTS = (5.0, 10.0, 20.0)
"""Money an order at the cheap source; three quarters and half of it at the others."""
WEEKLY_DRIFT = 0.015
"""Standard deviation of the weekly change of the log of every item's level: 11 % over a year."""
PREMIUMS = ((1.0, 1.0), (1.01, 1.05), (1.08, 1.25))
"""Their unit price against the item's value."""


@dataclass(frozen=True)
class RollingWorld:
    """N items over H weeks of history and W weeks to play; M sources."""

    kind: IntArray
    """(N,) index into KINDS."""
    history: FloatArray
    """(N, H) units."""
    demand: FloatArray
    """(N, W) units, unknown to the buyer until each week's end."""
    sources: SourceTable
    lead_weeks: IntArray
    """(M, W) lead time of an order placed in each week."""
    unit_value: FloatArray
    holding: FloatArray
    """(N,) money per unit and week."""
    shortage: FloatArray
    """(N,) money per unit owed and week."""
    start_stock: FloatArray

    @property
    def weeks(self) -> int:
        """W."""
        return self.demand.shape[1]

    def least_unit_cost(self) -> FloatArray:
        """(N,) the cheapest price with freight that any source has at any quantity: what nobody can avoid."""
        table = self.sources
        lowest = np.fmin(table.unit_price, np.fmin.reduce(table.break_price, axis=1, initial=np.inf))
        least = np.full(self.kind.size, np.inf)
        np.minimum.at(least, table.item, lowest + table.freight_per_unit)
        return least


def told_world() -> str:
    """The generator's parameters in words."""
    return (
        f"kinds {', '.join(KINDS)} in turn, level drift {WEEKLY_DRIFT:g} a week (log), {HOLDING_PER_YEAR:.0%} "
        f"holding a year, b/(b+h) {CRITICAL_RATIOS[0]:g} to {CRITICAL_RATIOS[1]:g}, three sources with least "
        f"lead times {LEAST_LEADS} weeks at {PREMIUMS} of the item's value, fixed costs {FIXED_COSTS}, "
        f"MOQ up to 4, 2 and 0 weeks of demand, a break of 1 to 3 % at 3 to 8 weeks at the "
        f"first two, two years of history"
    )


def build_world(items: int, weeks: int, *, history_weeks: int = 2 * YEAR, seed: int) -> RollingWorld:
    """Items of the five kinds in turn."""
    rng = np.random.default_rng(seed)
    kind = np.arange(items, dtype=np.int64) % len(KINDS)
    units = np.stack([weekly_demand(KINDS[k], history_weeks + weeks, rng) for k in kind])
    mean = np.maximum(units[:, :history_weeks].mean(axis=1), 0.05)
    value = np.round(rng.lognormal(2.5, 0.6, items), 2)
    holding = value * HOLDING_PER_YEAR / YEAR
    ratio = rng.uniform(*CRITICAL_RATIOS, items)
    terms = [_terms(rng, item, rank, items, mean[item], value[item]) for item in range(items) for rank in range(3)]
    sources = source_table(terms)
    recent = units[:, history_weeks - 13 : history_weeks].mean(axis=1)
    slow_lead = sources.lead_time_days[::3] / 7
    return RollingWorld(
        kind=kind,
        history=units[:, :history_weeks],
        demand=units[:, history_weeks:],
        sources=sources,
        lead_weeks=_drawn_leads(rng, sources.lead_time, weeks),
        unit_value=value,
        holding=holding,
        shortage=holding * ratio / (1 - ratio),
        start_stock=np.ceil(np.maximum(recent, mean) * (slow_lead + 3)),
    )


def weekly_demand(kind: str, weeks: int, rng: np.random.Generator) -> FloatArray:
    """Whole units a week: gamma around a level that drifts, and moves with the year, or grows or shrinks."""
    mean = rng.lognormal(3.0, 0.7)
    level = mean * np.exp(np.cumsum(rng.normal(0.0, WEEKLY_DRIFT, weeks)))
    spread = rng.uniform(0.15, 0.35)
    if kind == "seasonal":
        angle = 2 * np.pi * (np.arange(weeks) / YEAR + rng.random())
        level = level * (1 + rng.uniform(0.3, 0.7) * np.sin(angle))
    elif kind == "trending":
        ratio = rng.uniform(1.5, 3.0)
        level = level * np.geomspace(1.0, ratio if rng.random() < 0.5 else 1 / ratio, weeks)
    elif kind == "erratic":
        spread = rng.uniform(0.7, 1.2)
    elif kind == "intermittent":
        spread = rng.uniform(0.4, 0.9)
        level = np.where(rng.random(weeks) < rng.uniform(0.15, 0.45), level / 2, 0.0)
    return np.ceil(level * rng.gamma(1 / spread**2, spread**2, weeks) - 0.5)


def _terms(rng: np.random.Generator, item: int, rank: int, items: int, mean: float, value: float) -> Terms:
    least = int(rng.integers(LEAST_LEADS[rank][0], LEAST_LEADS[rank][1] + 1))
    lead = np.zeros(least + 4)
    lead[least:] = rng.dirichlet((4.0, 3.0, 2.0, 1.0)) if rank < 2 else (0.8, 0.2, 0.0, 0.0)
    pack = float(rng.choice([1.0, 5.0, 10.0])) if mean > 10 else 1.0
    price = float(np.round(value * rng.uniform(*PREMIUMS[rank]), 2))
    least_order = mean * rng.uniform(0, (4, 2, 0)[rank])
    step = float(np.ceil(rng.uniform(3, 8) * mean / pack) * pack)
    return Terms(
        item=item,
        supplier=(item + 2 * rank) % max(items // 4, 3),
        price=price,
        lead_time=tuple(lead),
        moq=float(np.ceil(least_order / pack) * pack),
        multiple=pack,
        fixed_cost=float(rng.choice(FIXED_COSTS) * (1.0, 0.75, 0.5)[rank]),
        freight=float(np.round(0.02 * price, 4)),
        expedite=rank == 2,
        breaks=((step, float(np.round(price * rng.uniform(0.97, 0.99), 4))),) if rank < 2 else (),
    )


def totals_by_item(item: IntArray, amounts: FloatArray, n_items: int) -> FloatArray:
    """(N,) sums of (M,) amounts over each item's sources."""
    return np.bincount(item, amounts, n_items).astype(np.float64)


def _drawn_leads(rng: np.random.Generator, lead_time: FloatArray, weeks: int) -> IntArray:
    """(M, W) draws of each source's lead time, by the week of the order."""
    cumulative = np.cumsum(lead_time, axis=1)[:, None, :-1]
    return (rng.random((lead_time.shape[0], weeks))[:, :, None] > cumulative).sum(axis=2)


@dataclass(frozen=True)
class BuyersView:
    """What a buyer knows at the moment of ordering."""

    week: int
    past: FloatArray
    """(N, H + week) demand of every week that is over."""
    net_stock: FloatArray
    """(N,) on hand, this week's arrivals included; negative when units are owed."""
    open_units: FloatArray
    """(M, week) ordered in each week and still to come."""


class Buyer(Protocol):
    """Anything that orders once a week."""

    def order(self, view: BuyersView) -> FloatArray:
        """(M,) units to order now from each source."""
        ...


@dataclass(frozen=True)
class Played:
    """What one buyer's weeks cost, (N,) by item in money, and how they served."""

    ordering: FloatArray
    holding: FloatArray
    shortage: FloatArray
    premium: FloatArray
    """Paid above the cheapest unit price with freight."""
    unavoidable: FloatArray
    """The units demanded at that cheapest price: what is left in stock counts as worth it."""
    served: FloatArray
    """(N,) units served from stock at once."""
    demanded: FloatArray
    ready_weeks: FloatArray
    """(N,) share of weeks that end with nothing owed."""
    orders: FloatArray
    """(N,) orders placed."""
    express_units: FloatArray
    """(N,) units ordered from sources that expedite."""

    unit_cost: FloatArray
    """(N,) cheapest price with freight."""

    @property
    def relevant(self) -> FloatArray:
        """(N,) ordering, holding, shortage and premium: what a buyer can change."""
        return self.ordering + self.holding + self.shortage + self.premium

    def fill_rate(self) -> float:
        """Mean over items of the share of demand served at once, in percent."""
        asked = self.demanded > 0
        return 100 * float((self.served[asked] / self.demanded[asked]).mean())

    def value_fill(self) -> float:
        """Share of the value asked for that was served at once, in percent."""
        return 100 * float((self.served * self.unit_cost).sum() / (self.demanded * self.unit_cost).sum())

    def of(self, items: IntArray) -> "Played":
        """The same for some of the items."""
        return Played(**{each.name: getattr(self, each.name)[items] for each in fields(self)})

    def ready_rate(self) -> float:
        """Share of item-weeks that end with nothing owed, in percent."""
        return 100 * float(self.ready_weeks.mean())


def play_weeks(world: RollingWorld, buyer: Buyer) -> Played:
    """Let the buyer live through all weeks."""
    n_items, weeks = world.demand.shape
    item, everything = world.sources.item, np.concatenate([world.history, world.demand], axis=1)
    placed, arrival = np.zeros((item.size, weeks)), np.arange(weeks)[None, :] + world.lead_weeks
    net = world.start_stock.copy()
    tally = {name: np.zeros(n_items) for name in ("ordering", "holding", "shortage", "premium", "served", "ready")}
    least = world.least_unit_cost()
    for week in range(weeks):
        due = np.where(arrival[:, :week] == week, placed[:, :week], 0.0).sum(axis=1)
        net += totals_by_item(item, due, n_items)
        waiting = np.where(arrival[:, :week] > week, placed[:, :week], 0.0)
        seen = everything[:, : world.history.shape[1] + week]
        units = buyer.order(BuyersView(week, seen, net.copy(), waiting))
        check_accepted(world.sources, units)
        placed[:, week] = units
        net += totals_by_item(item, np.where(world.lead_weeks[:, week] == 0, units, 0.0), n_items)
        _pay_orders(world, units, least, tally)
        asked = world.demand[:, week]
        tally["served"] += np.minimum(np.maximum(net, 0.0), asked)
        net -= asked
        tally["holding"] += world.holding * np.maximum(net, 0.0)
        tally["shortage"] += world.shortage * np.maximum(-net, 0.0)
        tally["ready"] += net >= 0
    return _played(world, tally, placed, least)


def _pay_orders(world: RollingWorld, units: FloatArray, least: FloatArray, tally: dict[str, FloatArray]) -> None:
    table, n_items = world.sources, least.size
    rows = np.arange(units.size)
    above = unit_price_at(table, rows, units) + table.freight_per_unit - least[table.item]
    tally["premium"] += totals_by_item(table.item, units * above, n_items)
    tally["ordering"] += totals_by_item(table.item, np.where(units > 0, table.fixed_order_cost, 0.0), n_items)


def _played(world: RollingWorld, tally: dict[str, FloatArray], placed: FloatArray, least: FloatArray) -> Played:
    item, n_items = world.sources.item, least.size
    demanded = world.demand.sum(axis=1)
    express = np.where(world.sources.expedite, placed.sum(axis=1), 0.0)
    return Played(
        ordering=tally["ordering"],
        holding=tally["holding"],
        shortage=tally["shortage"],
        premium=tally["premium"],
        unavoidable=demanded * least,
        served=tally["served"],
        demanded=demanded,
        ready_weeks=tally["ready"] / world.weeks,
        orders=totals_by_item(item, (placed > 0).sum(axis=1).astype(np.float64), n_items),
        express_units=totals_by_item(item, express, n_items),
        unit_cost=least,
    )


def check_accepted(sources: SourceTable, units: FloatArray) -> None:
    """Refuse orders that the source would refuse: below the MOQ, off the multiple, above the maximum."""
    ordered = units > 0
    packs = units / np.maximum(sources.order_multiple, 1e-9)
    off = np.abs(packs - np.round(packs)) > 1e-6
    wrong = ordered & ((units < sources.moq - 1e-6) | off | (units > sources.max_quantity + 1e-6))
    if wrong.any() or (units < 0).any():
        rows = [sources.offer_ids[row] for row in np.flatnonzero(wrong | (units < 0))]
        raise ValueError(f"orders against the terms of {', '.join(rows[:5])}")
