"""One option per group at least cost within shared rows: a multiple-choice programme, and HiGHS for it.

Kellerer, Pferschy & Pisinger, Knapsack Problems, 2004, chapter 11.
"""

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array, vstack

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.ordering.limits.solver import quiet_solver

TOLERANCE = 1e-9
CLOSE = 1e-6
"""Relative difference between a choice and its bound that counts as none."""


@dataclass(frozen=True)
class Choice:
    """G groups of options, W in all and sorted by group; rows use (R, W), at most `limit` (R,), scaled to about 1."""

    group: IntArray
    cost: FloatArray
    usage: csr_array
    limit: FloatArray

    @property
    def first(self) -> IntArray:
        """(G + 1,) where each group's options begin."""
        return np.searchsorted(self.group, np.arange(int(self.group[-1]) + 2)).astype(np.int64)

    def priced(self, prices: FloatArray) -> FloatArray:
        """(W,) cost plus what is used at the rows' prices."""
        return self.cost + self.usage.T @ prices

    def bound(self, prices: FloatArray) -> float:
        """What no choice can cost less than, by the Lagrangian relaxation at these prices (each at least 0)."""
        least = np.minimum.reduceat(self.priced(prices), self.first[:-1])
        return float(least.sum() - prices @ self.limit)

    def fits(self, picked: IntArray) -> bool:
        """Whether the picked options keep every row."""
        chosen = np.zeros(self.cost.size)
        chosen[picked] = 1.0
        return bool(np.all(self.usage @ chosen <= self.limit + TOLERANCE * np.maximum(np.abs(self.limit), 1.0)))

    def only(self, kept: BoolArray) -> tuple["Choice", IntArray]:
        """The programme of the options kept, at least one a group, and their places in this one."""
        places = np.flatnonzero(kept)
        columns = csc_array(self.usage)[:, places]
        return Choice(self.group[places], self.cost[places], csr_array(columns), self.limit), places


def relaxed(choice: Choice, seconds: float) -> tuple[float, FloatArray, FloatArray] | None:
    """Linear relaxation: its value, the price (R,) of each row and the share (W,) of each option; None in no time."""
    solver = _solver(choice, whole=False)
    solver.setOptionValue("time_limit", seconds)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    solution = solver.getSolution()
    groups = int(choice.group[-1]) + 1
    prices = np.maximum(-np.array(solution.row_dual)[groups:], 0.0)
    return float(solver.getInfo().objective_function_value), prices, np.array(solution.col_value)


def branched(choice: Choice, known: IntArray | None, seconds: float) -> tuple[IntArray | None, bool]:
    """Branch and bound by HiGHS on one thread: options and whether they were proven best."""
    free, fixed = _without_single(choice)
    solver = _solver(free, whole=True)
    for name, value in {"time_limit": seconds, "mip_rel_gap": CLOSE, "mip_feasibility_tolerance": 1e-9}.items():
        solver.setOptionValue(name, value)
    places = np.flatnonzero(~fixed)
    if known is not None:
        start = highspy.HighsSolution()
        chosen = np.zeros(choice.cost.size)
        chosen[known] = 1.0
        start.col_value = list(chosen[places])
        solver.setSolution(start)
    solver.run()
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return known, False
    picked = places[np.array(solver.getSolution().col_value) > 0.5]
    proven = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return np.sort(np.concatenate([picked, np.flatnonzero(fixed)])), proven


def _without_single(choice: Choice) -> tuple[Choice, BoolArray]:
    """The programme without groups that have one option left, and which options those are."""
    counts = np.diff(choice.first)
    fixed = counts[choice.group] == 1
    used = choice.usage @ fixed.astype(np.float64)
    free = np.flatnonzero(~fixed)
    renumbered = np.cumsum(counts > 1) - 1
    columns = csr_array(csc_array(choice.usage)[:, free])
    return Choice(renumbered[choice.group[free]], choice.cost[free], columns, choice.limit - used), fixed


def _solver(choice: Choice, *, whole: bool) -> highspy.Highs:
    solver = quiet_solver()
    solver.passModel(_as_highs(choice, whole))
    return solver


def _as_highs(choice: Choice, whole: bool) -> highspy.HighsLp:
    """One row a group (exactly one option), then the rows of the limits."""
    size, rows = choice.cost.size, choice.limit.size
    groups = int(choice.group[-1]) + 1 if size else 0
    once = coo_array((np.ones(size), (choice.group, np.arange(size))), shape=(groups, size))
    table = csc_array(vstack([once, choice.usage], format="csc"))
    lp: Any = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = size, groups + rows
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = choice.cost, np.zeros(size), np.ones(size)
    lp.row_lower_ = np.concatenate([np.ones(groups), np.full(rows, -np.inf)])
    lp.row_upper_ = np.concatenate([np.ones(groups), choice.limit])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.asarray(table.indptr, dtype=np.int32)
    lp.a_matrix_.index_ = np.asarray(table.indices, dtype=np.int32)
    lp.a_matrix_.value_ = np.asarray(table.data, dtype=np.float64)
    if whole:
        lp.integrality_ = [highspy.HighsVarType.kInteger] * size
    return lp
