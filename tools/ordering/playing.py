"""The inner loop of the rollout, one path at a time, compiled on first use and cached on disk by numba.

Plain loops, because each path carries a pipeline of its own; 15 times as fast as the same in whole arrays.
"""

from collections.abc import Callable
from functools import cache
from typing import cast

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray

N_TOTALS = 7
HELD, NET, REGULAR, REGULAR_ORDERS, EXPRESS, EXPRESS_ORDERS, EXCESS = range(N_TOTALS)
"""Columns of the totals that `play_paths` adds up over the paths."""


@cache
def compiled_windows() -> Callable[..., None]:
    """`fill_windows` as machine code."""
    from numba import njit

    return cast(Callable[..., None], njit(cache=True, nogil=True, error_model="numpy")(fill_windows))


def fill_windows(
    demand: FloatArray,
    arrivals: FloatArray,
    lead: IntArray,
    mean_demand: FloatArray,
    review: int,
    window: FloatArray,
    cover: FloatArray,
) -> None:
    """Demand over lead time plus review from each period on, and the open orders that land within it.

    Shapes: `demand`, `arrivals` (N, S, T); `lead` (N, S); `window` (N, T, S) by path; `cover` (N, T) its mean,
    of arrivals after the period's own. Beyond the horizon demand goes on at the item's mean rate.
    """
    n_items, n_paths, horizon = demand.shape
    needed, landed = np.zeros(horizon + 1), np.zeros(horizon + 1)
    for item in range(n_items):
        for path in range(n_paths):
            for period in range(horizon):
                needed[period + 1] = needed[period] + demand[item, path, period]
                landed[period + 1] = landed[period] + arrivals[item, path, period]
            for period in range(horizon):
                end = period + lead[item, path] + review
                inside = min(end, horizon)
                window[item, period, path] = needed[inside] - needed[period] + (end - inside) * mean_demand[item]
                cover[item, period] += (landed[inside] - landed[period + 1]) / n_paths


@cache
def compiled() -> Callable[..., None]:
    """`play_paths` as machine code."""
    from numba import njit

    return cast(Callable[..., None], njit(cache=True, nogil=True, error_model="numpy")(play_paths))


def play_paths(  # noqa: C901 - one compiled loop over arrays; split, each path would pay calls
    on_hand: FloatArray,
    arrivals: FloatArray,
    demand: FloatArray,
    source: IntArray,
    quantity: FloatArray,
    valid: BoolArray,
    lead: IntArray,
    channel_lead: IntArray,
    channel_active: BoolArray,
    level: FloatArray,
    up_to: FloatArray,
    within: FloatArray,
    terms: FloatArray,
    burn: FloatArray,
    review: int,
    totals: FloatArray,
    stock_out: FloatArray,
    later_out: FloatArray,
) -> None:
    """Add up over the paths, for every item and candidate, what happens under the continuation policy.

    Shapes: `arrivals`, `demand` (N, S, T); `source`, `quantity` (N, C, P); `lead` (M, S); per channel (regular,
    express): `channel_lead`, `channel_active` (2, N), `level`, `up_to` (2, N, T), `within` (2, N, T) share of the
    open orders still to come that counts as cover, `terms` (2, N, 3) MOQ, multiple and cap; `burn` (N, 3) level at
    the horizon, money per squared unit above it, and money per unit at most; `totals` (N, C, N_TOTALS). `stock_out`
    (T, N, S) and `later_out` (T, N, 2) record the first candidate when they are not empty.
    """
    n_items, n_paths, horizon = demand.shape
    record = stock_out.shape[0] > 0
    pipe = np.zeros(horizon + 1)
    tally = np.zeros(N_TOTALS)
    for item in range(n_items):
        moq, multiple, cap = terms[:, item, 0], terms[:, item, 1], terms[:, item, 2]
        packs = np.where(multiple > 0, 1.0 / np.where(multiple > 0, multiple, 1.0), 0.0)
        floor, ceiling, delays, active = level[:, item], up_to[:, item], channel_lead[:, item], channel_active[:, item]
        counted = within[:, item]
        for column in range(source.shape[1]):
            if not valid[item, column]:
                continue
            tally[:] = 0.0
            for path in range(n_paths):
                comes, goes = arrivals[item, path], demand[item, path]
                pipe[:] = 0.0
                on_way = 0.0
                for part in range(source.shape[2]):
                    placed = quantity[item, column, part]
                    if placed > 0:
                        pipe[min(lead[source[item, column, part], path], horizon)] += placed
                        on_way += placed
                stock = on_hand[item]
                to_come = comes.sum()
                due_review = review
                for period in range(horizon):
                    stock += comes[period]
                    to_come -= comes[period]
                    if period == due_review:
                        due_review += review
                        for step in range(2):
                            channel = 1 - step
                            if not active[channel]:
                                continue
                            delay = delays[channel]
                            position = stock + to_come * counted[channel, period]
                            if channel == 0:
                                position += on_way
                            else:
                                for soon in range(period, min(period + delay + review, horizon)):
                                    position += pipe[soon]
                            if position < floor[channel, period] - 1e-9:
                                ordered = max(ceiling[channel, period] - position, moq[channel])
                                if packs[channel] > 0:
                                    ordered = np.ceil(ordered * packs[channel] - 1e-9) * multiple[channel]
                                ordered = min(ordered, cap[channel])
                                pipe[min(period + delay, horizon)] += ordered
                                on_way += ordered
                                tally[REGULAR + 2 * channel] += ordered
                                tally[REGULAR_ORDERS + 2 * channel] += 1.0
                                if record:
                                    later_out[period, item, channel] += ordered / n_paths
                    stock += pipe[period]
                    on_way -= pipe[period]
                    stock -= goes[period]
                    tally[NET] += stock
                    if stock > 0:
                        tally[HELD] += stock
                    if record:
                        stock_out[period, item, path] = stock
                over = stock + on_way - burn[item, 0]
                if over > 0:
                    tally[EXCESS] += min(burn[item, 1] * over * over, burn[item, 2] * over)
            totals[item, column] = tally
