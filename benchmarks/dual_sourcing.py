"""Average cost of the chosen policy on dual-sourcing instances with known exact optima.

A regular source with a lead time of 2 to 4 periods and an express source that delivers at once for a premium. Every
policy decides in the same simulated worlds, 2 million periods in all; the figure is its plain average cost against the
optimum. The best-tuned policies of the literature stand beside, and the value that the exact programme solves to.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from benchmarks.cases.planning_worlds import Terms, source_table
from benchmarks.figures import Figure, quick_asked, report
from tools.ordering.replenishment import ItemModel, average_cost, choose_policy
from tools.ordering.replenishment.choice import ChosenPolicy
from tools.ordering.replenishment.exact import ExactPolicy
from tools.ordering.replenishment.simulation import draw_worlds

WORLDS = 2_000
SEED = 20_261
QUICK = (0, 4, 8, 11, 16)
"""Instances of a quick run."""
FAMILIES = ("capped dual index", "dual index", "tailored base-surge")


@dataclass(frozen=True)
class Instance:
    """Uniform demand 0..top, holding and backlog cost, lead time, premium, and the exact optimum per period."""

    top: int
    holding: float
    backlog: float
    lead: int
    premium: float
    optimum: float

    @property
    def name(self) -> str:
        """In short."""
        return f"U0..{self.top} h={self.holding:g} b={self.backlog:g} lr={self.lead} ce={self.premium:g}"

    def model(self) -> ItemModel:
        """The item with its known distributions."""
        slow = tuple([0.0] * self.lead + [1.0])
        sources = source_table([Terms(lead_time=slow), Terms(supplier=1, price=self.premium, expedite=True)])
        return ItemModel(np.arange(self.top + 1.0)[None, :], self.holding, self.backlog, sources)


INSTANCES = tuple(
    Instance(*row)
    for row in (
        (4, 5, 495, 2, 5, 16.7698),
        (4, 5, 495, 2, 10, 19.7333),
        (4, 5, 495, 2, 20, 23.0714),
        (4, 5, 495, 3, 5, 16.8767),
        (4, 5, 495, 3, 10, 20.3411),
        (4, 5, 495, 3, 20, 24.3356),
        (4, 5, 495, 4, 5, 16.8931),
        (4, 5, 495, 4, 10, 20.6122),
        (4, 5, 495, 4, 20, 25.0398),
        (8, 5, 495, 2, 10, 37.8325),
        (8, 5, 495, 2, 20, 43.7631),
        (8, 5, 495, 3, 10, 38.8900),
        (8, 5, 495, 3, 20, 46.1988),
        (4, 1, 19, 2, 1, 3.3540),
        (4, 1, 19, 2, 4, 4.5648),
        (4, 1, 19, 3, 1, 3.3754),
        (4, 1, 19, 3, 4, 4.8591),
    )
)


@dataclass(frozen=True)
class Played:
    """One instance: cost of the chosen policy, and its and others' gap to the optimum in percent."""

    cost: float
    gap: float
    error: float
    """Standard error of the gap."""
    solved: float
    """Average cost that the exact programme gives for the instance."""
    others: dict[str, float]
    periods_per_second: float


def measure(periods: int, chosen: tuple[int, ...]) -> dict[str, Figure]:
    """Gaps over the instances."""
    rows = list[Played]()
    print(f"{periods:,} counted periods in {WORLDS:,} worlds, seed {SEED}; gaps to the exact optimum in %,")
    print("of the yardsticks in half of the worlds; +- is the standard error of the gap (alike in all rows: they share")
    print("the seed's uniform numbers, so a gap below 0 is the luck of one draw)")
    heads = "".join(f"{name:>21}" for name in FAMILIES)
    print(f"{'instance':28}{'optimum':>9}{'solved':>9}{'cost':>9}{'gap':>8}{'+-':>7}{heads}  policy")
    for number in chosen:
        instance = INSTANCES[number]
        policy = choose_policy(instance.model())
        row = _played(instance, policy, periods)
        rows.append(row)
        cells = "".join(f"{row.others.get(name, np.nan):21.2f}" for name in FAMILIES)
        costs = f"{instance.optimum:9.4f}{row.solved:9.4f}{row.cost:9.4f}"
        print(f"{instance.name:28}{costs}{row.gap:8.3f}{row.error:7.3f}{cells}  {policy.name}")
    return _figures(rows, chosen, periods)


def _played(instance: Instance, policy: ChosenPolicy, periods: int) -> Played:
    model, exact = instance.model(), policy.rule
    worlds = draw_worlds(model, periods, WORLDS, SEED)
    started = perf_counter()
    cost = average_cost(policy, model, worlds)
    taken = perf_counter() - started
    rules = [rule for rule, _ in policy.alternatives if rule.name in FAMILIES]
    return Played(
        cost=float(cost.mean()),
        gap=_gap(instance, cost),
        error=100 * float(cost.std()) / WORLDS**0.5 / instance.optimum,
        solved=exact.average_cost if isinstance(exact, ExactPolicy) else np.nan,
        others={rule.name: _gap(instance, average_cost(rule, model, worlds.part(WORLDS // 2))) for rule in rules},
        periods_per_second=worlds.demand.size / taken,
    )


def _gap(instance: Instance, cost: np.ndarray) -> float:
    return 100 * (float(cost.mean()) / instance.optimum - 1)


def _figures(rows: list[Played], chosen: tuple[int, ...], periods: int) -> dict[str, Figure]:
    gaps = [row.gap for row in rows]
    told = f"exact optima, {len(rows)} instances, {periods:,} periods each"
    capped = [row.others["capped dual index"] for row in rows]
    return {
        "max_gap_percent": Figure(max(gaps), "%", "<= 0.5", told),
        "mean_gap_percent": Figure(float(np.mean(gaps)), "%", "<= 0.5", told),
        "max_solved_error": Figure(
            max(abs(row.solved - INSTANCES[number].optimum) for number, row in zip(chosen, rows, strict=True)),
            "money",
            "<= 0.0001",
            "exact programme against the printed optima",
        ),
        "max_gap_capped_dual_index_percent": Figure(
            max(capped), "%", "up to 1.2 published", "best-tuned, for comparison"
        ),
        "mean_gap_capped_dual_index_percent": Figure(float(np.mean(capped)), "%", "", "best-tuned, for comparison"),
        "decide_periods_per_second": Figure(
            float(np.median([row.periods_per_second for row in rows])), "1/s", ">= 1,000,000", "one core, vectorised"
        ),
    }


if __name__ == "__main__":
    if quick_asked():
        print(report("dual_sourcing", measure(400_000, QUICK)))
    else:
        print(report("dual_sourcing", measure(2_000_000, tuple(range(len(INSTANCES))))))
