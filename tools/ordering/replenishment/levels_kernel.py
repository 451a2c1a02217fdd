"""The index policies' simulator as machine code: many settings of a pair of sources in the same worlds."""

from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.kernels import kernel
from tools.ordering.replenishment.model import ItemModel
from tools.ordering.replenishment.simulation import WARM_UP, Worlds

REGULAR, UP_TO, CAP, SURGE, BASE, LOT = range(6)
"""Columns of a setting: regular level, up to, cap, express level, constant regular quantity or -1, lot or 0."""
SETTING_COLUMNS = 6


@dataclass(frozen=True)
class Pair:
    """A regular and an express source in plain numbers; -1 without an express source."""

    regular: int
    express: int
    terms: FloatArray
    """(2, 8) of regular and express: price, freight, fixed cost, MOQ, multiple, largest, yield, incremental breaks."""
    breaks: FloatArray
    """(2, 2, K) of regular and express: quantity from which on, and price."""
    window: int
    """Periods ahead whose arrivals the express index counts."""


def pair_of(model: ItemModel, regular: int, express: int = -1) -> Pair:
    """The pair's terms."""
    table = model.sources
    columns = [table.unit_price, table.freight_per_unit, table.fixed_order_cost, table.moq, table.order_multiple]
    largest = np.minimum(table.max_quantity, table.capacity_per_period)
    terms = np.stack([*columns, largest, table.yield_rate, table.incremental.astype(np.float64)], axis=1)
    rows = [regular, max(express, 0)]
    window = int(model.leads()[express]) if express >= 0 else 0
    return Pair(
        regular, express, terms[rows], np.stack([table.break_quantity, table.break_price], axis=1)[rows], window
    )


def play_levels(pair: Pair, model: ItemModel, worlds: Worlds, settings: FloatArray) -> FloatArray:
    """(P,) average cost of P settings (P, 6) over all worlds, as `average_cost` counts it."""
    lead = worlds.lead[[pair.regular, max(pair.express, 0)]]
    costs = np.array([model.holding_cost, model.shortage_cost, model.lost_share, model.cheapest()])
    found = np.zeros(settings.shape[0])
    demand = np.ascontiguousarray(worlds.demand)
    play_worlds(
        demand, lead, pair.terms, pair.breaks, pair.express >= 0, pair.window, costs, WARM_UP, settings, found
    )  # fmt: skip
    return found


@kernel(error_model="numpy")
def play_worlds(  # noqa: C901 - one compiled loop over periods; split, each period would pay calls
    demand: FloatArray,
    lead: IntArray,
    terms: FloatArray,
    breaks: FloatArray,
    express: bool,
    window: int,
    costs: FloatArray,
    warm_up: int,
    settings: FloatArray,
    found: FloatArray,
) -> None:
    """Fill `found` (P,) with the average cost of each setting over all worlds; see `Pair` and `play_levels`."""
    n_worlds, length = demand.shape
    longest = max(lead.max(), window) + 1
    for setting in range(settings.shape[0]):
        level, up_to, cap = settings[setting, 0], settings[setting, 1], settings[setting, 2]
        surge, base, lot = settings[setting, 3], settings[setting, 4], settings[setting, 5]
        total = 0.0
        for world in range(n_worlds):
            pipe = np.zeros(longest)
            stock, on_way = 0.0, 0.0
            for period in range(length):
                place = period % longest
                # what was ordered arrives before orders are placed; its place in the ring is then free for them
                stock += pipe[place]
                on_way -= pipe[place]
                pipe[place] = 0.0
                spent = 0.0
                # express first, so that the regular source counts what it was just asked for
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
                        gap = level - stock - on_way
                        wanted = np.ceil(gap / lot - 1e-9) * lot if lot > 0 else min(up_to - stock - on_way, cap)
                    else:
                        wanted = 0.0
                    if wanted <= 1e-9:
                        continue
                    multiple = terms[source, 4]
                    units, top = max(wanted / terms[source, 6], terms[source, 3]), terms[source, 5]
                    if multiple > 0:
                        units = np.ceil(units / multiple - 1e-9) * multiple
                        top = np.floor(top / multiple + 1e-9) * multiple
                    units = min(units, top)
                    # the largest order may be below the MOQ: then there is none
                    if units <= 0 or units < terms[source, 3] - 1e-9:
                        continue
                    price = reached = terms[source, 0]
                    money = price * units
                    for step in range(breaks.shape[2]):
                        if units >= breaks[source, 0, step] - 1e-9:
                            money += (units - breaks[source, 0, step]) * (breaks[source, 1, step] - reached)
                            price = reached = breaks[source, 1, step]
                    if terms[source, 7] == 0:
                        money = price * units
                    usable = units * terms[source, 6]
                    # usable units are credited at the cheapest price, so that only what is paid beyond it counts
                    spent += money + units * terms[source, 1] + terms[source, 2] - usable * costs[3]
                    wait = lead[source, world, period]
                    # without lead time it serves this period's demand
                    if wait == 0:
                        stock += usable
                    else:
                        pipe[(period + wait) % longest] += usable
                        on_way += usable
                stock -= demand[world, period]
                held = costs[0] * stock if stock > 0 else -costs[1] * stock
                # of this period's unmet demand alone: older debt has been kept already
                if stock < 0 and costs[2] > 0:
                    stock += costs[2] * min(-stock, demand[world, period])
                # the worlds start empty, which is not how they go on
                if period >= warm_up:
                    total += spent + held
        found[setting] = total / (n_worlds * (length - warm_up))
