"""Average cost of the chosen policy on dual-sourcing instances with known exact optima.

A regular source with a lead time of 2 to 4 periods and an express source that delivers at once for a premium. Every
policy decides in the same simulated worlds, 2 million periods in all; the figure is its plain average cost against the
optimum. The best-tuned policies of the literature stand beside.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from benchmarks.figures import Figure, quick_asked, report
from benchmarks.planning_worlds import Terms, source_table
from tools.ordering.policies import ItemModel, OrderPolicy, average_cost, choose_policy
from tools.ordering.policies.simulation import Worlds, draw_worlds

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
    """One instance: gap of the chosen policy and of others to the optimum, in percent."""

    gap: float
    error: float
    """Standard error of the gap."""
    others: dict[str, float]
    periods_per_second: float


def measure(periods: int, chosen: tuple[int, ...]) -> dict[str, Figure]:
    """Gaps over the instances."""
    rows = list[Played]()
    print(f"{periods:,} counted periods in {WORLDS:,} worlds, seed {SEED}; gaps to the exact optimum in %")
    heads = "".join(f"{name:>21}" for name in FAMILIES)
    print(f"{'instance':34}{'optimum':>9}{'chosen':>8}{'+-':>7}{heads}  policy")
    for number in chosen:
        instance = INSTANCES[number]
        policy = choose_policy(instance.model())
        row = _played(instance, policy, dict(_rules(policy.alternatives)), periods)
        rows.append(row)
        cells = "".join(f"{row.others.get(name, np.nan):21.2f}" for name in FAMILIES)
        print(f"{instance.name:34}{instance.optimum:9.4f}{row.gap:8.3f}{row.error:7.3f}{cells}  {policy.name}")
    return _figures(rows, periods)


def _rules(alternatives: tuple[tuple[OrderPolicy, float], ...]) -> list[tuple[str, OrderPolicy]]:
    return [(rule.name, rule) for rule, _ in alternatives if rule.name in FAMILIES]


def _played(instance: Instance, policy: OrderPolicy, rules: dict[str, OrderPolicy], periods: int) -> Played:
    worlds = draw_worlds(instance.model(), periods, WORLDS, SEED)
    started = perf_counter()
    cost = average_cost(policy, instance.model(), worlds)
    taken = perf_counter() - started
    return Played(
        gap=_gap(instance, cost),
        error=100 * float(cost.std()) / WORLDS**0.5 / instance.optimum,
        others={
            name: _gap(instance, average_cost(rule, instance.model(), _part(worlds))) for name, rule in rules.items()
        },
        periods_per_second=worlds.demand.size / taken,
    )


def _gap(instance: Instance, cost: np.ndarray) -> float:
    return 100 * (float(cost.mean()) / instance.optimum - 1)


def _part(worlds: Worlds) -> Worlds:
    """As many worlds as place the yardsticks to a tenth of a percent."""
    return Worlds(worlds.demand[: WORLDS // 2], worlds.lead)


def _figures(rows: list[Played], periods: int) -> dict[str, Figure]:
    gaps = [row.gap for row in rows]
    told = f"exact optima, {len(rows)} instances, {periods:,} periods each"
    capped = [row.others["capped dual index"] for row in rows]
    return {
        "max_gap_percent": Figure(max(gaps), "%", "<= 0.5", told),
        "mean_gap_percent": Figure(float(np.mean(gaps)), "%", "<= 0.5", told),
        "max_gap_capped_dual_index_percent": Figure(
            max(capped), "%", "up to 1.2 published", "best-tuned, for comparison"
        ),
        "mean_gap_capped_dual_index_percent": Figure(float(np.mean(capped)), "%", "", "best-tuned, for comparison"),
        "decided_periods_per_second": Figure(
            float(np.median([row.periods_per_second for row in rows])), "1/s", ">= 1,000,000", "one core, vectorised"
        ),
    }


if __name__ == "__main__":
    if quick_asked():
        print(report("dual_sourcing", measure(400_000, QUICK)))
    else:
        print(report("dual_sourcing", measure(2_000_000, tuple(range(len(INSTANCES))))))
