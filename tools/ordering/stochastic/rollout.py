"""Price a candidate order by what follows: sample paths played forward under a policy with recourse.

A candidate placed now is one deviation from the policy that goes on after it. Playing that policy forward after
each candidate is one step of policy improvement (a rollout; Bertsekas, Reinforcement Learning and Optimal Control,
2.4). Later decisions see stock and orders at their time, never the demand to come.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import current_thread

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.candidates.columns import Columns
from tools.ordering.problem.levels import ItemCosts
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.stochastic.continuations import Continuation
from tools.ordering.stochastic.rollout_kernels import (
    EXCESS,
    EXPRESS,
    EXPRESS_ORDERS,
    HELD,
    LOST,
    MISSED,
    MISSED_LATER,
    N_TOTALS,
    REGULAR,
    REGULAR_ORDERS,
    SCRAPPED,
    SHORT,
    play_paths,
)

__all__ = ["BATCH_THREADS", "Rollout", "play"]

BATCH_THREADS, SPLIT = "ordering-batch", "ordering-split"
"""Names of the threads that price whole batches, and of those that share one batch's play."""
WORTH_SPLITTING = 150_000
"""Periods to play from which a second thread saves more than it costs to call."""


@dataclass(frozen=True)
class Rollout:
    """Averages over the paths, (N, C): units and orders per channel, and cost-driving sums."""

    mean: FloatArray
    """(N, C, N_TOTALS) in the order of `playing`."""
    by_path: FloatArray | None
    """(N, C, N_TOTALS, S) the same by path, when kept."""
    stock: FloatArray | None
    """(T, N, S) net stock at the end of each period, when recorded."""
    later: FloatArray | None
    """(T, N, 2) mean units the continuation orders in each period, when recorded: regular, express."""

    @property
    def held(self) -> FloatArray:
        """Unit-periods in stock."""
        return self.mean[:, :, HELD]

    @property
    def short(self) -> FloatArray:
        """Unit-periods short; units lost are not among them."""
        return self.mean[:, :, SHORT]

    @property
    def regular_units(self) -> FloatArray:
        """Units ordered later from the regular source."""
        return self.mean[:, :, REGULAR]

    @property
    def regular_orders(self) -> FloatArray:
        """Orders placed later with the regular source."""
        return self.mean[:, :, REGULAR_ORDERS]

    @property
    def express_units(self) -> FloatArray:
        """Units ordered later from the express source."""
        return self.mean[:, :, EXPRESS]

    @property
    def express_orders(self) -> FloatArray:
        """Orders placed later with the express source."""
        return self.mean[:, :, EXPRESS_ORDERS]

    @property
    def excess(self) -> FloatArray:
        """Money: cost of burning down what lies above the order-up-to level at the horizon."""
        return self.mean[:, :, EXCESS]

    @property
    def lost(self) -> FloatArray:
        """Units of demand lost."""
        return self.mean[:, :, LOST]

    @property
    def scrapped(self) -> FloatArray:
        """Units scrapped at the end of their shelf life."""
        return self.mean[:, :, SCRAPPED]

    @property
    def missed(self) -> FloatArray:
        """Units of demand not served from stock in the period they were asked for."""
        return self.mean[:, :, MISSED]

    @property
    def missed_later(self) -> FloatArray:
        """Those of them from the first period on that an order placed now can serve."""
        return self.mean[:, :, MISSED_LATER]


def play(
    problem: OrderingProblem,
    policy: Continuation,
    columns: Columns,
    *,
    record: bool = False,
    by_path: bool = False,
    every: int = 1,
    choice: IntArray | None = None,
) -> Rollout:
    """Play every column of every item over each `every`-th sample path; record only for single columns.

    `choice` (N, C) names the alternative of the policy that each column goes on with; without it each item goes on
    with the one chosen for it.
    """
    snapshot, levels = problem.snapshot, problem.levels
    n_items, n_paths, horizon = snapshot.demand.shape
    used = -(-n_paths // every)
    shape = columns.source.shape[:2]
    tables = policy.tables
    if choice is None:
        choice = np.repeat(policy.choice[:, None], shape[1], axis=1)
    totals = np.zeros((*shape, N_TOTALS))
    apart = np.zeros((*shape, N_TOTALS, used) if by_path else (0, 0, 0, 0))
    stock = np.zeros((horizon if record else 0, n_items, used))
    later = np.zeros((horizon if record else 0, n_items, 2))
    arguments = (
        snapshot.on_hand,
        snapshot.arrivals,
        snapshot.demand,
        every,
        columns.source,
        columns.quantity,
        columns.valid,
        choice,
        levels.lead,
        levels.usual_lead,
        snapshot.sources.yield_rate,
        snapshot.sources.path_delay,
        tables.whole,
        tables.terms,
        tables.level,
        tables.up_to,
        tables.within,
        _traits(snapshot, problem.costs, policy),
        problem.settings.review_periods,
        totals,
        apart,
        stock,
        later,
    )
    _run(arguments, n_items, int(columns.valid.sum()) * used * horizon)
    return Rollout(totals / used, apart if by_path else None, stock if record else None, later if record else None)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix=SPLIT)


def _run(arguments: tuple[object, ...], n_items: int, steps: int) -> None:
    """Play all items, in as many threads as there are cores where it is worth it and no batch runs beside it.

    Items do not touch each other's totals, so the split changes nothing in the result.
    """
    alone = not current_thread().name.startswith(BATCH_THREADS)
    parts = min(os.cpu_count() or 1, n_items) if alone and steps >= WORTH_SPLITTING else 1
    ends = [n_items * part // parts for part in range(parts + 1)] if parts else [0, 0]
    others = [_pool().submit(play_paths, *arguments, a, b) for a, b in zip(ends[1:-1], ends[2:], strict=True)]
    play_paths(*arguments, ends[0], ends[1])
    for other in others:
        other.result()


def _traits(snapshot: PlanningSnapshot, costs: ItemCosts, policy: Continuation) -> FloatArray:
    """(N, 6) by `playing.LOST_SHARE` and on.

    What lies above the level at the horizon costs its holding until used up, at most its value. The level is that
    of the first policy whatever the others are, so that all leave off against the same mark.
    """
    rate = np.maximum(costs.mean_demand, 1e-9)
    traits = np.empty((snapshot.n_items, 6))
    traits[:, 0] = np.clip(snapshot.lost_share, 0.0, 1.0)
    traits[:, 1] = np.minimum(snapshot.shelf_life_periods, 1e9)
    traits[:, 2] = np.maximum(policy.burn_level, 0.0)
    traits[:, 3] = costs.holding / (2 * rate)
    traits[:, 4] = np.maximum(snapshot.unit_value, 0.0)
    traits[:, 5] = policy.reach
    return traits
