"""What a policy costs in the long run: many parallel worlds played with common random numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.policies.model import InventoryStates, ItemModel, OrderPolicy
from tools.ordering.quantities import unit_price_at

WARM_UP = 100
"""Periods of each world that are not counted."""


@dataclass(frozen=True)
class Worlds:
    """Demand of B worlds over T periods, and the lead times of the orders placed in each."""

    demand: FloatArray
    """(B, T) units."""
    lead: IntArray
    """(M, T) whole periods; an order never overtakes an earlier one of its source."""


def draw_worlds(model: ItemModel, periods: int, worlds: int, seed: int, *, usual_lead: bool = False) -> Worlds:
    """Worlds of `periods` counted periods in all, drawn from the model's own demand and lead times."""
    rng = np.random.default_rng(seed)
    length = -(-periods // worlds) + WARM_UP
    draws = model.demand.ravel()
    demand = draws[rng.integers(0, draws.size, (worlds, length))]
    if usual_lead:
        return Worlds(demand, np.repeat(model.leads()[:, None], length, axis=1))
    cumulative = np.cumsum(model.sources.lead_time, axis=1)[:, None, :-1]
    lead = (rng.random((model.sources.item.size, length))[:, :, None] > cumulative).sum(axis=2)
    arrival = np.maximum.accumulate(np.arange(length) + lead, axis=1)
    return Worlds(demand, arrival - np.arange(length))


def average_cost(policy: OrderPolicy, model: ItemModel, worlds: Worlds) -> FloatArray:
    """(B,) average cost per period of each world after the warm-up, without the cheapest price of what is demanded.

    Order of events: arrivals, orders, those of no lead time arrive, demand, cost on the end state. `decide` is asked
    once a period for all worlds together.
    """
    n_worlds, length = worlds.demand.shape
    longest = int(worlds.lead.max(initial=0))
    stock, pipe = np.zeros(n_worlds), np.zeros((n_worlds, longest + 1))
    total, cheapest = np.zeros(n_worlds), model.cheapest()
    for period in range(length):
        stock = stock + pipe[:, 0]
        pipe = np.concatenate([pipe[:, 1:], np.zeros((n_worlds, 1))], axis=1)
        orders = policy.decide(InventoryStates(stock, pipe[:, :longest]))
        paid = _paid(model, orders) - cheapest * orders.sum(axis=1)
        for source in range(orders.shape[1]):
            wait, units = int(worlds.lead[source, period]), orders[:, source] * model.sources.yield_rate[source]
            if wait == 0:
                stock = stock + units
            else:
                pipe[:, wait - 1] += units
        stock = stock - worlds.demand[:, period]
        cost = model.holding_cost * np.maximum(stock, 0.0) + model.shortage_cost * np.maximum(-stock, 0.0)
        stock = np.maximum(stock, 0.0) if model.lost_share >= 1 else stock
        if period >= WARM_UP:
            total += paid + cost
    return total / (length - WARM_UP)


def _paid(model: ItemModel, orders: FloatArray) -> FloatArray:
    """(B,) money for price, freight and ordering of (B, M) units."""
    table = model.sources
    rows = np.broadcast_to(np.arange(orders.shape[1]), orders.shape)
    unit = unit_price_at(table, rows, orders) + table.freight_per_unit
    return (orders * unit + np.where(orders > 0, table.fixed_order_cost, 0.0)).sum(axis=1)


@dataclass(frozen=True)
class Pair:
    """A regular and an express source in plain numbers, for the compiled simulator; -1 without an express source."""

    regular: int
    express: int
    terms: FloatArray
    """(2, 6) of regular and express: landed cost above the cheapest, fixed cost, MOQ, multiple, largest, yield."""
    window: int


def pair_of(model: ItemModel, regular: int, express: int, usual: FloatArray) -> Pair:
    """The pair's terms at the usual order quantities (M,)."""
    table, landed = model.sources, model.landed(usual) - model.cheapest()
    columns = np.stack(
        [
            landed,
            table.fixed_order_cost,
            table.moq,
            table.order_multiple,
            np.minimum(table.max_quantity, table.capacity_per_period),
            table.yield_rate,
        ],
        axis=1,
    )
    window = int(model.leads()[express]) if express >= 0 else 0
    return Pair(regular, express, columns[[regular, max(express, 0)]], window)


def play_levels(pair: Pair, model: ItemModel, worlds: Worlds, levels: FloatArray) -> FloatArray:
    """(P,) average cost of P settings (P, 5): regular level, up to, cap, express level, and base quantity or -1."""
    lead = worlds.lead[[pair.regular, max(pair.express, 0)]]
    found = np.zeros(levels.shape[0])
    costs = np.array([model.holding_cost, model.shortage_cost, float(model.lost_share >= 1)])
    compiled()(worlds.demand, lead, pair.terms, pair.express >= 0, pair.window, costs, WARM_UP, levels, found)
    return found


@cache
def compiled() -> Callable[..., None]:
    """`play_worlds` as machine code."""
    from numba import njit

    return cast(Callable[..., None], cast(Any, njit(cache=True, nogil=True, error_model="numpy"))(play_worlds))


def play_worlds(  # noqa: C901 - one compiled loop over periods; split, each period would pay calls
    demand: FloatArray,
    lead: IntArray,
    terms: FloatArray,
    express: bool,
    window: int,
    costs: FloatArray,
    warm_up: int,
    levels: FloatArray,
    found: FloatArray,
) -> None:
    """Fill `found` (P,) with the average cost of each setting over all worlds; see `play_levels` for the shapes."""
    n_worlds, length = demand.shape
    longest = lead.max() + 1
    for setting in range(levels.shape[0]):
        level, up_to, cap = levels[setting, 0], levels[setting, 1], levels[setting, 2]
        surge, base = levels[setting, 3], levels[setting, 4]
        total = 0.0
        for world in range(n_worlds):
            pipe = np.zeros(longest)
            stock, on_way = 0.0, 0.0
            for period in range(length):
                place = period % longest
                stock += pipe[place]
                on_way -= pipe[place]
                pipe[place] = 0.0
                spent = 0.0
                for source in range(1, -1, -1):
                    if source == 1 and not express:
                        continue
                    if source == 1:
                        near = stock
                        for ahead in range(1, window + 1):
                            near += pipe[(period + ahead) % longest]
                        wanted = surge - near
                    elif base >= 0:
                        wanted = base
                    elif stock + on_way < level - 1e-9:
                        wanted = min(up_to - stock - on_way, cap)
                    else:
                        wanted = 0.0
                    if wanted <= 1e-9:
                        continue
                    multiple = terms[source, 3]
                    units, top = max(wanted, terms[source, 2]), terms[source, 4]
                    if multiple > 0:
                        units = np.ceil(units / multiple - 1e-9) * multiple
                        top = np.floor(top / multiple + 1e-9) * multiple
                    units = min(units, top)
                    if units <= 0:
                        continue
                    usable = units * terms[source, 5]
                    spent += usable * terms[source, 0] + terms[source, 1]
                    wait = lead[source, period]
                    if wait == 0:
                        stock += usable
                    else:
                        pipe[(period + wait) % longest] += usable
                        on_way += usable
                stock -= demand[world, period]
                held = costs[0] * stock if stock > 0 else -costs[1] * stock
                if costs[2] > 0 and stock < 0:
                    stock = 0.0
                if period >= warm_up:
                    total += spent + held
        found[setting] = total / (n_worlds * (length - warm_up))
