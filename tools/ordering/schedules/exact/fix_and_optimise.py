"""Better schedules by fixing most set-ups and optimising the rest (fix and optimise; Helber & Sahling 2010).

The whole programme is reused: all set-ups but those of a window of periods or of a few items keep their value, and
branch and bound finds the best of what is left, sizes of all orders included. First the choice is narrowed to the
set-ups that the linear relaxation uses at all.
"""

from time import perf_counter

import highspy
import numpy as np

from tools.domain.arrays import BoolArray, FloatArray
from tools.ordering.schedules.exact.monolith import Monolith
from tools.ordering.schedules.problem.statement import ScheduleProblem

FIRST_FREE = 60
"""Set-ups left free in the first parts."""
GROWTH = 1.3
"""A part solved in a tenth of its time lets the next be larger by this factor; one that is not, smaller."""
PART_SHARE = 0.12
"""Share of the whole time that one part may take."""
RELAXED_SHARE = 0.35
"""Share of the whole time that the narrowed choice may take."""
USED = 1e-6
PART_GAP = 1e-3
MOST_STALE = 200
"""Parts in a row without a better schedule after which no more are tried."""


class PartSolver:
    """The whole programme of a problem in one solver, whose set-ups are fixed and freed in turn."""

    def __init__(self, problem: ScheduleProblem, model: Monolith, solver: highspy.Highs, seconds: float) -> None:
        self.started, self.seconds = perf_counter(), seconds
        self.solver = solver
        self.orders = model.choices.source.size
        self.columns = np.arange(self.orders, dtype=np.int32)
        self.item = problem.source_item[model.choices.source]
        self.period = model.choices.period
        self.horizon, self.n_items = problem.horizon, problem.n_items
        self.value: FloatArray | None = None
        self.cost = np.inf

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.seconds - (perf_counter() - self.started)

    def take(self, value: FloatArray) -> None:
        """Start from known set-ups, sizes optimised; from nothing where they break a limit of the programme."""
        self.value = value
        self.solve(np.zeros(self.orders, dtype=np.bool_), self.left)
        if not np.isfinite(self.cost):
            self.value = None

    def solve(self, free: BoolArray, seconds: float) -> bool:
        """Optimise the free set-ups with all others as they are; whether it ended within its time."""
        held = np.zeros(self.orders) if self.value is None else np.rint(self.value[: self.orders])
        lower, upper = np.where(free, 0.0, held), np.where(free, 1.0, held)
        self.solver.changeColsBounds(self.orders, self.columns, lower, upper)
        if self.value is not None:
            known = self.value[: 2 * self.orders]
            self.solver.setSolution(known.size, np.arange(known.size, dtype=np.int32), known)
        self.solver.setOptionValue("time_limit", max(seconds, 0.01))
        self.solver.run()
        info = self.solver.getInfo()
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        if found and info.objective_function_value < self.cost:
            self.cost = float(info.objective_function_value)
            self.value = np.array(self.solver.getSolution().col_value)
        return self.solver.getModelStatus() != highspy.HighsModelStatus.kTimeLimit

    def narrow(self) -> None:
        """Optimise over the set-ups that the linear relaxation or the known schedule uses."""
        self.solver.changeColsBounds(self.orders, self.columns, np.zeros(self.orders), np.ones(self.orders))
        self.solver.setOptionValue("solve_relaxation", True)
        self.solver.setOptionValue("time_limit", max(RELAXED_SHARE * self.left, 0.01))
        self.solver.run()
        solved = self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        used = np.array(self.solver.getSolution().col_value)[: self.orders] > USED if solved else None
        self.solver.setOptionValue("solve_relaxation", False)
        if used is None:
            return
        if self.value is not None:
            used |= self.value[: self.orders] > 0.5
        self.solve(np.asarray(used), RELAXED_SHARE * self.seconds)

    def improve(self, seed: int = 0) -> None:
        """Free windows of periods and groups of items in turn until the time is over."""
        rng = np.random.default_rng(seed)
        free_wanted, stale = float(FIRST_FREE), 0
        while self.left > 0.02 and self.value is not None:
            before, begun = self.cost, perf_counter()
            allowed = min(PART_SHARE * self.seconds, self.left)
            free = self._part(rng, free_wanted)
            ended = self.solve(free, allowed)
            if ended and free.all():
                return
            quick = ended and perf_counter() - begun < 0.3 * allowed
            free_wanted = free_wanted * GROWTH if quick else free_wanted if ended else max(free_wanted / GROWTH, 10.0)
            stale = 0 if self.cost < before else stale + 1
            if stale > MOST_STALE:
                return

    def _part(self, rng: np.random.Generator, wanted: float) -> BoolArray:
        """About `wanted` set-ups: a window of periods of all items, or all periods of some, by turns at random."""
        share = min(wanted / max(self.orders, 1), 1.0)
        if rng.random() < 0.5:
            width = max(round(share * self.horizon), 1)
            start = int(rng.integers(1 - width // 2, max(self.horizon - width // 2, 2)))
            return (self.period >= start) & (self.period < start + width)
        some = rng.permutation(self.n_items)[: max(round(share * self.n_items), 1)]
        return np.isin(self.item, some)
