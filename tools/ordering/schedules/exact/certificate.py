"""Proof of the best schedule of a small catalogue: the monolithic programme, solved by branch and bound (HiGHS).

The Lagrangian bound is weak below about twenty items, where one item's lumps are a large part of a limit. There the
whole programme is small enough to be solved.
"""

from dataclasses import dataclass
from time import perf_counter

import highspy
import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.limits.solver import quiet_solver
from tools.ordering.schedules.exact.fix_and_optimise import PART_GAP, PartSolver
from tools.ordering.schedules.exact.monolith import Monolith, monolith
from tools.ordering.schedules.problem.statement import ScheduleOrders, ScheduleProblem

RELATIVE_GAP = 1e-7


@dataclass(frozen=True)
class Certificate:
    """The best schedule found and a bound on every schedule; equal within 1e-7 when proven."""

    orders: ScheduleOrders
    cost: float
    """Expected cost, in money; inf when no schedule was found."""
    lower_bound: float
    """inf when there is provably no schedule."""
    proven: bool


def certify(
    problem: ScheduleProblem,
    *,
    time_limit_seconds: float,
    start: ScheduleOrders | None = None,
    improve_share: float = 0.0,
) -> Certificate:
    """Solve the whole problem as one programme, from a known schedule if there is one, on one thread.

    Meant for up to about 20 items. `improve_share` of the time goes to better schedules by parts of the programme
    first: worth it where the proof is out of reach. Raises ValueError where buying without end would pay.
    """
    begun = perf_counter()
    model = monolith(problem)
    if model.choices.source.size == 0:
        return _empty(model, problem)
    known = None if start is None else _columns_of(problem, model, start)
    if improve_share > 0:
        known = _improved(problem, model, known, improve_share * time_limit_seconds)
    solver = _solver(model, RELATIVE_GAP)
    if known is not None:
        solver.setSolution(known.size, np.arange(known.size, dtype=np.int32), known)
    solver.setOptionValue("time_limit", max(time_limit_seconds - (perf_counter() - begun), 0.01))
    solver.run()
    return _read(solver, problem, model)


def _solver(model: Monolith, gap: float) -> highspy.Highs:
    solver = quiet_solver()
    for name, value in {"mip_rel_gap": gap, "mip_abs_gap": 1e-9}.items():
        solver.setOptionValue(name, value)
    solver.passModel(_as_highs(model))
    return solver


def _improved(problem: ScheduleProblem, model: Monolith, known: FloatArray | None, seconds: float) -> FloatArray | None:
    """Set-ups and sizes after fixing and optimising by parts."""
    parts = PartSolver(problem, model, _solver(model, PART_GAP), seconds)
    if known is not None:
        parts.take(known)
    parts.narrow()
    parts.improve()
    return None if parts.value is None else np.rint(parts.value[: 2 * model.choices.source.size])


def _as_highs(model: Monolith) -> highspy.HighsLp:
    columns = model.cost.size
    orders = model.choices.source.size
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns, model.row_lower.size
    lp.col_cost_ = model.cost
    lp.col_lower_, lp.col_upper_ = np.zeros(columns), model.upper
    lp.row_lower_, lp.row_upper_ = model.row_lower, model.row_upper
    lp.offset_ = model.base
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.asarray(model.rows.indptr, dtype=np.int32)
    lp.a_matrix_.index_ = np.asarray(model.rows.indices, dtype=np.int32)
    lp.a_matrix_.value_ = np.asarray(model.rows.data, dtype=np.float64)
    whole, part = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    lp.integrality_ = [whole] * (2 * orders) + [part] * (columns - 2 * orders)
    return lp


def _columns_of(problem: ScheduleProblem, model: Monolith, start: ScheduleOrders) -> FloatArray:
    """The whole-numbered columns of a known schedule; the solver finds the deliveries."""
    choices = model.choices
    step = np.maximum(problem.multiple, 1)[choices.source]
    table = np.zeros((problem.source_item.size, problem.horizon), dtype=np.int64)
    table[start.source, start.period] = start.packs
    packs = table[choices.source, choices.period]
    chosen = (packs >= choices.lowest * step) & (packs <= choices.highest * step) & (packs > 0)
    return np.concatenate([chosen, np.where(chosen, packs // step, 0)]).astype(np.float64)


def _read(solver: highspy.Highs, problem: ScheduleProblem, model: Monolith) -> Certificate:
    status, info = solver.getModelStatus(), solver.getInfo()
    if status == highspy.HighsModelStatus.kInfeasible:
        return Certificate(_orders_of(problem, model, None), np.inf, np.inf, True)
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values = np.array(solver.getSolution().col_value) if found else None
    proven = found and status == highspy.HighsModelStatus.kOptimal
    cost = float(info.objective_function_value) if found else np.inf
    bound = float(info.mip_dual_bound) if abs(info.mip_dual_bound) < highspy.kHighsInf else -np.inf
    return Certificate(_orders_of(problem, model, values), cost, min(bound, cost), proven)


def _orders_of(problem: ScheduleProblem, model: Monolith, values: FloatArray | None) -> ScheduleOrders:
    """The orders of a solution; none without one."""
    choices = model.choices
    n = choices.source.size
    multiples: IntArray = np.zeros(n, dtype=np.int64) if values is None else np.rint(values[n : 2 * n]).astype(np.int64)
    rows = np.flatnonzero(multiples > 0)
    rows = rows[np.lexsort((choices.period[rows], choices.source[rows]))]
    packs = multiples[rows] * np.maximum(problem.multiple, 1)[choices.source[rows]]
    return ScheduleOrders(choices.source[rows], choices.period[rows], packs)


def _empty(model: Monolith, problem: ScheduleProblem) -> Certificate:
    """The certificate where nothing can be ordered: free, or impossible where something must be."""
    impossible = bool((model.row_lower > 0).any())
    cost = np.inf if impossible else model.base
    return Certificate(_orders_of(problem, model, None), cost, cost, True)
