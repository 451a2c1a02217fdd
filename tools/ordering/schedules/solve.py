"""Schedules of a whole catalogue within limits per period: prices and a bound first, then a schedule, then better."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from tools.ordering.schedules.column_generation.dual_prices import FIRST_STEP, DualPrices
from tools.ordering.schedules.column_generation.exact_prices import finish_exactly
from tools.ordering.schedules.column_generation.sampling import sampled
from tools.ordering.schedules.feasible import Draft, first_schedule, improve
from tools.ordering.schedules.problem.expected_cost import evaluate
from tools.ordering.schedules.problem.programme_arrays import (
    Limits,
    PacksArray,
    as_prices,
    limits_of,
    prices_of,
    terms_of,
    unflat,
)
from tools.ordering.schedules.problem.statement import LimitPrices, ScheduleOrders, ScheduleOutcome, ScheduleProblem
from tools.ordering.schedules.problem.unmet_limits import conflicts_of

CERTIFY_ITEMS = 30
"""Up to so many items the Lagrangian bound is weak, and a mixed-integer programme goes on from the schedule."""
EXACT_ITEMS = 300
"""Up to so many items a linear master ends the search for prices, so that they are exact."""
IMPROVE_SHARE = 0.1
"""Share of the time for improving a schedule before such a programme goes on."""
PARTS_SHARE = 0.6
"""Share of the programme's time for better schedules by parts of it, before the proof."""
PRICE_SHARE = 0.6
"""Share of the time that the search for prices may take."""
FIRST_SHARE = 0.3
"""Share of the time that the first ascent may take."""
ASCENT_STEPS = 8
WARM_STEPS, WARM_STEP = 3, 0.1
"""The same from prices that are known about, and the first of these steps."""
CAUTION = 1.1
"""Rough prices are raised by this factor for a schedule: where they are too low, late items find no room at all."""
SAMPLE_FROM = 4_000
"""From so many items on, a sample of them finds the prices to begin with."""
LEAST_SAMPLE, MOST_SAMPLE = 1_500, 8_000
SAMPLE_ROUNDS = 10
SAMPLE_SHARE = 0.45
"""Share of the time that the sample may take: a schedule at rough prices is far dearer than one a little later."""
SETTLED = 2e-5
"""The prices are good enough when four rounds together raise the bound by less than this share."""
POOR_GAP = 0.01
"""A schedule farther from the bound is built anew halfway through the search for prices."""
LEAST_MOVES, MOVES_PER_ITEM = 200, 2
"""Groups ordered anew where no clock ends the search."""
WORTH_PROVING = 0.003
"""Gap up to which few items' schedule is left as it is where no clock ends the search."""
TELL_SECONDS = 0.25
"""Progress is reported this often while a schedule is being improved."""


@dataclass(frozen=True)
class ScheduleProgress:
    """How far the search is: the best bound and the cost of the best schedule so far (inf before the first)."""

    seconds: float
    lower_bound: float
    cost: float
    phase: str


def solve_schedules(
    problem: ScheduleProblem,
    *,
    time_limit_seconds: float,
    gap_target: float = 0.0,
    warm_prices: LimitPrices | None = None,
    seed: int = 0,
    most_moves: int | None = None,
    progress: Callable[[ScheduleProgress], None] | None = None,
) -> ScheduleOutcome:
    """The best schedule found in the time, within every limit, and a proven bound on what any schedule costs.

    Ends early at `gap_target` ((cost - bound) / bound). Without any limit the items' own optima are the answer, and
    the gap is 0. Each step is deterministic for a seed; how many are taken depends on the time alone. So with
    `most_moves`, the number of groups ordered anew at most, and ample time the outcome is the same every time.
    """
    search = _Search(problem, time_limit_seconds, gap_target, progress)
    search.moves_left = most_moves
    if not search.limits_any:
        return search.outcome_without_limits()
    search.find_prices(warm_prices)
    certify = problem.n_items <= CERTIFY_ITEMS
    search.improve(seed, search.elapsed + IMPROVE_SHARE * search.seconds if certify else search.seconds)
    outcome = search.outcome()
    return search.certified(outcome) if certify and not search.near(search.cost) else outcome


def steady_schedules(
    problem: ScheduleProblem,
    *,
    proof_seconds: float,
    gap_target: float = 0.0,
    seed: int = 0,
) -> ScheduleOutcome:
    """The same outcome every time, whatever the clock: a fixed number of steps instead of a time limit.

    Only the proof of few items looks at the clock, and its schedule is taken only when it came to its end.
    """
    search = _Search(problem, np.inf, gap_target, None)
    if not search.limits_any:
        return search.outcome_without_limits()
    search.find_prices(None)
    search.moves_left = max(LEAST_MOVES, MOVES_PER_ITEM * problem.n_items)
    search.improve(seed, np.inf)
    outcome = search.outcome()
    if problem.n_items > CERTIFY_ITEMS or outcome.gap <= max(gap_target, WORTH_PROVING):
        return outcome
    search.seconds = search.elapsed + proof_seconds
    proof = search.certified(outcome)
    return proof if proof.proven else replace(outcome, lower_bound=proof.lower_bound)


class _Search:
    """The best bound and schedule so far, against the clock."""

    def __init__(
        self,
        problem: ScheduleProblem,
        seconds: float,
        gap_target: float,
        progress: Callable[[ScheduleProgress], None] | None,
    ) -> None:
        self.started = perf_counter()
        self.problem, self.seconds, self.gap_target, self.progress = problem, seconds, gap_target, progress
        self.terms, self.limits = terms_of(problem), limits_of(problem)
        self.duals = DualPrices(self.terms, self.limits)
        self.limits_any = bool(self.duals.limited.any())
        self.best: Draft | None = None
        self.told = -np.inf
        self.moves_left: int | None = None
        self.placing = 0.0
        """Seconds that the last schedule took to build."""

    @property
    def elapsed(self) -> float:
        return perf_counter() - self.started

    @property
    def cost(self) -> float:
        return np.inf if self.best is None else self.best.total

    def near(self, cost: float) -> bool:
        """Whether a schedule of this cost reaches the gap asked for."""
        return cost - self.duals.bound <= self.gap_target * abs(self.duals.bound) + 1e-9 * abs(cost)

    def tell(self, phase: str, cost: float | None = None) -> None:
        self.told = self.elapsed
        if self.progress is not None:
            cost = self.cost if cost is None else cost
            self.progress(ScheduleProgress(self.told, self.duals.bound, cost, phase))

    def find_prices(self, warm: LimitPrices | None) -> None:
        """Prices to begin with and a first schedule; then rounds of Dantzig-Wolfe while they pay, and another."""
        if warm is not None:
            self.duals.start_from(prices_of(warm))
        elif self.problem.n_items >= SAMPLE_FROM:
            self.duals.start_from(self.prices_of_sample())
        known = bool(self.duals.prices.any())
        self.duals.ascend(1 if known else ASCENT_STEPS, FIRST_STEP, lambda: self.elapsed < FIRST_SHARE * self.seconds)
        self.schedule("first schedule", CAUTION)
        if known and not self.near(self.cost) and self.elapsed < PRICE_SHARE * self.seconds:
            self.duals.ascend(WARM_STEPS, WARM_STEP, lambda: self.elapsed < PRICE_SHARE * self.seconds)
        self.rounds()

    def prices_of_sample(self) -> Limits:
        """What the limits are worth to a sample of the items."""
        size = max(LEAST_SAMPLE, min(MOST_SAMPLE, self.problem.n_items // 5))
        part = DualPrices(*sampled(self.terms, self.limits, size, np.random.default_rng(0)))
        part.ascend(ASCENT_STEPS, FIRST_STEP, lambda: self.elapsed < FIRST_SHARE * self.seconds)
        for _ in range(SAMPLE_ROUNDS):
            if self.elapsed > SAMPLE_SHARE * self.seconds:
                break
            part.round()
        return unflat(part.prices, self.limits)

    def rounds(self) -> None:
        """Rounds of Dantzig-Wolfe until they no longer pay or time is short, and a schedule at the prices found."""
        bounds, longest, midway = [self.duals.bound], 0.0, False
        end = min(PRICE_SHARE * self.seconds, self.seconds - self.placing)
        while not self.near(self.cost) and self.elapsed + longest < end:
            begun = self.elapsed
            self.duals.round()
            longest = max(longest, self.elapsed - begun)
            bounds.append(self.duals.bound)
            self.tell("prices")
            if len(bounds) > 5 and bounds[-1] - bounds[-5] < SETTLED * abs(bounds[-1]):
                break
            poor = self.cost - self.duals.bound > POOR_GAP * abs(self.duals.bound)
            if poor and not midway and self.elapsed > 0.5 * PRICE_SHARE * self.seconds > self.placing:
                midway = True
                self.schedule("schedule midway", CAUTION)
        if self.problem.n_items <= EXACT_ITEMS and self.best is not None and self.elapsed < end:
            finish_exactly(self.duals, self.best.packs)
            bounds.append(self.duals.bound)
        if bounds[-1] > bounds[0] and not self.near(self.cost):
            self.schedule("schedule at the prices")

    def schedule(self, phase: str, caution: float = 1.0) -> None:
        """Build a schedule at the present prices times `caution` and keep it when it is better."""
        begun = self.elapsed
        draft = first_schedule(
            self.terms,
            self.limits,
            self.prices.times(caution),
            self.duals.best_value,
            lambda: self.elapsed < self.seconds,
        )
        self.placing = self.elapsed - begun
        if draft.total < self.cost:
            self.best = draft
        self.tell(phase)

    @property
    def prices(self) -> Limits:
        return unflat(self.duals.prices, self.limits)

    def improve(self, seed: int, until_seconds: float) -> None:
        """Improve the best schedule until the time or the gap asked for is reached."""

        def go_on(total: float) -> bool:
            if self.elapsed - self.told > TELL_SECONDS:
                self.tell("improvement", total)
            if self.moves_left is not None:
                self.moves_left -= 1
            spent = self.moves_left is not None and self.moves_left < 0
            return not spent and not self.near(total) and self.elapsed < until_seconds

        if self.best is not None:
            improve(self.best, self.prices, self.duals.best_value, np.random.default_rng(seed), go_on)
        self.tell("done")

    def outcome(self) -> ScheduleOutcome:
        """What the search found, its cost counted afresh."""
        assert self.best is not None  # noqa: S101 - the first schedule always comes before
        return self._outcome_of(self.best.packs)

    def outcome_without_limits(self) -> ScheduleOutcome:
        """Every item at its own best."""
        self.duals.visit(self.duals.prices)
        self.tell("done", self.duals.bound)
        found = self._outcome_of(self.duals.packs)
        return replace(found, lower_bound=found.cost, proven=not found.over)

    def _outcome_of(self, packs: PacksArray) -> ScheduleOutcome:
        source, period = np.nonzero(packs)
        orders = ScheduleOrders(source, period, packs[source, period].astype(np.int64))
        return ScheduleOutcome(
            orders=orders,
            item_cost=evaluate(self.problem, orders),
            lower_bound=self.duals.bound,
            prices=as_prices(self.prices),
            seconds=self.elapsed,
            proven=False,
            over=conflicts_of(self.problem, orders),
        )

    def certified(self, outcome: ScheduleOutcome) -> ScheduleOutcome:
        """The outcome after a mixed-integer programme went on from it for the rest of the time."""
        from tools.ordering.schedules.exact.certificate import certify

        left = self.seconds - self.elapsed
        if left <= 0.05:
            return outcome
        proof = certify(self.problem, time_limit_seconds=left, start=outcome.orders, improve_share=PARTS_SHARE)
        if not np.isfinite(proof.cost):
            return outcome
        cost = evaluate(self.problem, proof.orders)
        better = cost.sum() < outcome.cost
        return replace(
            outcome,
            orders=proof.orders if better else outcome.orders,
            item_cost=cost if better else outcome.item_cost,
            lower_bound=max(outcome.lower_bound, proof.lower_bound),
            proven=proof.proven,
            seconds=self.elapsed,
            over=conflicts_of(self.problem, proof.orders) if better else outcome.over,
        )
