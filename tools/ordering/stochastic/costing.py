"""Expected cost by part of candidate orders and what follows them."""

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings, RiskMeasure
from tools.kernels import kernel
from tools.ordering.candidates.columns import Columns
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.stochastic.continuations import Continuation
from tools.ordering.stochastic.rollout import Rollout
from tools.ordering.stochastic.rollout_kernels import (
    EXCESS,
    HELD,
    LOST,
    REGULAR,
    REGULAR_ORDERS,
    SCRAPPED,
    SHORT,
    YIELD,
)

PARTS = ("purchase", "freight", "ordering", "holding", "shortage")


def cost_parts(
    problem: OrderingProblem,
    policy: Continuation,
    columns: Columns,
    result: Rollout,
    choice: IntArray | None = None,
) -> FloatArray:
    """(N, C, 5) expected cost of what the horizon's demand uses, in the order of PARTS; inf where not valid.

    Stock and orders left at the horizon (or missing, against those it began with) are valued at what a usable unit
    costs from the regular source, so that buying ahead is neither a loss nor a gain by itself. Holding includes the
    value of what is scrapped. A unit lost is not bought; it costs the shortage price once, and what it would have
    cost to buy: not paying for what was not sold is no gain, the shortage price is what is missed beyond it.
    """
    demand = np.repeat(
        (problem.costs.mean_demand * problem.snapshot.horizon)[:, None], columns.quantity.shape[1], axis=1
    )
    return _costs_of(problem, policy, columns, result.mean, demand, choice)


def path_costs(
    problem: OrderingProblem,
    policy: Continuation,
    columns: Columns,
    result: Rollout,
    every: int = 1,
) -> FloatArray:
    """(N, C, S, 5) the same on each path played."""
    if result.by_path is None:
        raise ValueError("the play of the columns did not keep the paths apart")
    n_items, width, totals, paths = result.by_path.shape
    demand = problem.snapshot.demand[:, ::every].sum(axis=2, dtype=np.float64)
    apart = np.ascontiguousarray(result.by_path.swapaxes(2, 3)).reshape(n_items, width * paths, totals)
    quantity = np.repeat(columns.quantity, paths, axis=1)
    source, valid = np.repeat(columns.source, paths, axis=1), np.repeat(columns.valid, paths, axis=1)
    wide = Columns(source, quantity, valid, quantity)
    return _costs_of(problem, policy, wide, apart, np.tile(demand, width)).reshape(n_items, width, paths, 5)


def tail_costs(by_path: FloatArray, settings: OrderingSettings) -> FloatArray:
    """(N, C) what risk adds to the expected cost: w (CVaR - expected cost), CVaR of cost or of its shortage part.

    CVaR at a level is the mean of the worst paths that make up the rest (Rockafellar and Uryasev 2000), taken item
    by item: the sum over items bounds the plan's own from above.
    """
    total = by_path.sum(axis=3)
    measured = total if settings.cvar_of is RiskMeasure.COST else by_path[..., 4]
    paths = total.shape[2]
    tail = max((1.0 - settings.cvar_level) * paths, 1e-9)
    whole = int(min(np.ceil(tail - 1e-9), paths))
    worst = np.sort(measured, axis=2)[:, :, ::-1][:, :, :whole]
    weight = np.ones(whole)
    # the tail may end within a path, which then counts in part
    weight[-1] = tail - (whole - 1)
    cvar = (worst * weight).sum(axis=2) / weight.sum()
    # invalid candidates cost inf, and inf - inf is no number
    with np.errstate(invalid="ignore"):
        extra = settings.cvar_weight * (cvar - total.mean(axis=2))
    return np.where(np.isfinite(extra), extra, 0.0)


def _costs_of(
    problem: OrderingProblem,
    policy: Continuation,
    columns: Columns,
    mean: FloatArray,
    demand: FloatArray,
    choice: IntArray | None = None,
) -> FloatArray:
    sources, costs, tables = problem.snapshot.sources, problem.costs, policy.tables
    shape = columns.quantity.shape[:2]
    parts = np.full((*shape, 5), np.inf)
    fill_costs(
        mean,
        columns.source,
        columns.quantity,
        columns.valid,
        np.repeat(policy.choice[:, None], shape[1], axis=1) if choice is None else choice,
        np.ascontiguousarray(sources.unit_price),
        sources.break_quantity,
        sources.break_price,
        sources.incremental,
        np.ascontiguousarray(sources.freight_per_unit),
        np.ascontiguousarray(sources.fixed_order_cost),
        sources.yield_rate,
        tables.terms,
        tables.rates,
        policy.worth,
        costs.holding,
        costs.shortage,
        costs.shortage + costs.weight * policy.worth.sum(axis=1),
        problem.snapshot.unit_value,
        demand,
        parts,
    )
    return parts


@kernel(
    "void(f8[:,:,::1], i8[:,:,::1], f8[:,:,::1], b1[:,::1], i8[:,::1], f8[::1], f8[:,::1], f8[:,::1], b1[::1], f8[::1],"
    " f8[::1], f8[::1], f8[:,:,:,::1], f8[:,:,:,::1], f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[:,::1],"
    " f8[:,:,::1])",
    error_model="numpy",
)
def fill_costs(
    mean: FloatArray,
    source: IntArray,
    quantity: FloatArray,
    valid: BoolArray,
    choice: IntArray,
    unit_price: FloatArray,
    break_quantity: FloatArray,
    break_price: FloatArray,
    incremental: BoolArray,
    freight: FloatArray,
    fixed: FloatArray,
    yields: FloatArray,
    terms: FloatArray,
    rates: FloatArray,
    worth: FloatArray,
    holding: FloatArray,
    shortage: FloatArray,
    lost: FloatArray,
    unit_value: FloatArray,
    demand: FloatArray,
    parts: FloatArray,
) -> None:
    """Cost parts (N, C, 5) from the means (N, C, N_TOTALS) of a rollout; invalid candidates are left as they are.

    `rates` (K, 2, N, 3) and `worth` (N, 3): price, freight and fixed cost of a later order, and per usable unit of
    what is drawn from stock. `lost` (N,): money per unit lost.
    """
    for item in range(source.shape[0]):
        for column in range(source.shape[1]):
            if not valid[item, column]:
                continue
            k = choice[item, column]
            bought, carried, ordered, placed = 0.0, 0.0, 0.0, 0.0
            for part in range(source.shape[2]):
                units = quantity[item, column, part]
                if units <= 1e-9:
                    continue
                row = source[item, column, part]
                price = unit_price[row]
                before, spent = price, price * units
                for step in range(break_quantity.shape[1]):
                    if units >= break_quantity[row, step] - 1e-9:
                        price = break_price[row, step]
                        # incremental breaks: each one changes the price of the units beyond it alone
                        spent += (units - break_quantity[row, step]) * (price - before)
                        before = price
                bought += spent if incremental[row] else units * price
                carried += units * freight[row]
                ordered += fixed[row]
                placed += units * yields[row]
            for channel in range(2):
                units = mean[item, column, REGULAR + 2 * channel]
                orders = mean[item, column, REGULAR_ORDERS + 2 * channel]
                bought += units * rates[k, channel, item, 0]
                carried += units * rates[k, channel, item, 1]
                ordered += orders * rates[k, channel, item, 2]
                placed += units * terms[k, channel, item, YIELD]
            # what demand uses beyond all orders comes from stock; below 0, orders have added to it
            drawn = demand[item, column] - mean[item, column, LOST] - placed
            held = holding[item] * mean[item, column, HELD] + mean[item, column, EXCESS]
            scrapped = unit_value[item] * mean[item, column, SCRAPPED]
            parts[item, column, 0] = bought + worth[item, 0] * drawn
            parts[item, column, 1] = carried + worth[item, 1] * drawn
            parts[item, column, 2] = ordered + worth[item, 2] * drawn
            parts[item, column, 3] = held + scrapped
            # lost units are not among those short: each is charged once, whatever it would have waited
            parts[item, column, 4] = shortage[item] * mean[item, column, SHORT] + lost[item] * mean[item, column, LOST]
