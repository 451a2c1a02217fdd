"""When an item is small enough for exact dynamic programming, and its best policy then."""

import numpy as np

from tools.domain.arrays import FloatArray
from tools.ordering.replenishment.exact import ExactPolicy, SmallModel, solve_small
from tools.ordering.replenishment.model import ItemModel

MOST_STATES = 6_000_000
"""State and action pairs up to which the exact programme is solved."""


def exact_policy(model: ItemModel, slow: int, fast: int, usual: FloatArray) -> ExactPolicy | None:
    """The best of all policies for the two sources (`fast` -1: one source, sales lost), or None where it is too large.

    Demand must be whole units, lead times certain, orders free of fixed cost, lots and breaks; the slow source may
    have a largest order. `usual` (M,) are usual order quantities.
    """
    lost, draws, leads = model.lost_share >= 1, model.demand.ravel(), model.leads()
    if (fast < 0 and not lost) or (not lost and model.lost_share > 0) or np.any(draws != np.round(draws)):
        return None
    gap, window = (int(leads[slow]), 0) if fast < 0 else (int(leads[slow] - leads[fast]), int(leads[fast]))
    open_ended = fast < 0 or np.isinf(_largest(model, fast))
    if gap < 1 or (lost and window > 0) or not open_ended or not all(_plain(model, j) for j in (slow, fast) if j >= 0):
        return None
    top = int(draws.max())
    largest = int(min(top + 1, _largest(model, slow)))
    size = (gap + window + 3) * top + 2
    above = float(model.landed(usual)[slow]) - model.cheapest()
    if largest < 1 or (lost and above > 1e-9) or float(largest + 1) ** gap * size > MOST_STATES:
        return None
    probability = np.bincount(draws.astype(np.int64), minlength=top + 1) / draws.size
    least, landed = 0 if lost else -top * (window + 1), model.landed(usual)
    premium = float(landed[fast] - landed[slow]) if fast >= 0 else np.inf
    cost = _period_cost(model, probability, window, least, size)
    average, raised, ordered = solve_small(SmallModel(probability, cost, least, premium, gap, largest, lost))
    bought = 0.0 if lost else above * model.mean_demand
    return ExactPolicy(model.sources, slow, fast, window, least, largest, raised, ordered, average + bought)


def _largest(model: ItemModel, source: int) -> float:
    """Most units of an order."""
    return float(np.floor(min(model.sources.max_quantity[source], model.sources.capacity_per_period[source])))


def _plain(model: ItemModel, source: int) -> bool:
    """Whether the source's orders are whole units at a price a unit, after a certain lead time."""
    table = model.sources
    return bool(
        table.lead_time[source].max() > 1 - 1e-9
        and table.fixed_order_cost[source] == 0
        and table.moq[source] <= 1
        and table.order_multiple[source] in (0.0, 1.0)
        and not np.isfinite(table.break_quantity[source]).any()
        and table.yield_rate[source] == 1
    )


def _period_cost(model: ItemModel, probability: FloatArray, window: int, least: int, size: int) -> FloatArray:
    """(X,) expected holding and shortage cost at the end of a period, over the demand of `window` + 1 periods."""
    demand = np.ones(1)
    for _ in range(window + 1):
        demand = np.convolve(demand, probability)
    end = least + np.arange(size)[:, None] - np.arange(demand.size)[None, :]
    cost = model.holding_cost * np.maximum(end, 0) + model.shortage_cost * np.maximum(-end, 0)
    return cost @ demand
