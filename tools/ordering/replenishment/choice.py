"""The policy that serves an item at the least cost: every family tuned in the same worlds, the best one taken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.domain.arrays import FloatArray
from tools.domain.snapshots import OrderingSettings
from tools.ordering.replenishment.exact import ExactPolicy
from tools.ordering.replenishment.families import (
    Bench,
    Priced,
    backstopped,
    pairs,
    projected,
    singles,
    usual_quantities,
)
from tools.ordering.replenishment.index_policies import Backstop, DualIndex
from tools.ordering.replenishment.lookahead import Lookahead
from tools.ordering.replenishment.model import InventoryStates, ItemModel, OrderPolicy
from tools.ordering.replenishment.simulation import WARM_UP, Worlds, average_cost, draw_worlds
from tools.ordering.replenishment.small_items import exact_policy

TUNING_PERIODS = 50_000
TUNING_WORLDS = 200
JUDGED_PERIODS = 60_000
JUDGED_WORLDS = 300
"""Fresh worlds in which the best rule of each family is compared: a tuned level flatters itself in its own worlds."""
NEAR_TIES = 3
"""Rules of a family that are compared in the fresh worlds."""
LOOKED_AT = (20, WARM_UP + 60)
"""Worlds and periods in which a rule that looks ahead is tried."""
WORTH_SWITCHING = 0.002
"""Share by which a policy that looks ahead must beat the best of the index policies to be taken."""


@dataclass(frozen=True)
class ChosenPolicy:
    """The best rule found, what it costs per period, and what the others would cost."""

    rule: OrderPolicy
    value: float
    """Average cost per period above the cheapest price of what is demanded, in money."""
    alternatives: tuple[Priced, ...]
    """The best rule of each family that was tried and its average cost, cheapest first."""

    @property
    def name(self) -> str:
        """The family, in the field's words."""
        return self.rule.name

    @property
    def reason(self) -> str:
        """Why this rule, with the figures of the others."""
        if not self.alternatives:
            return "No source may be ordered from."
        others = [f"{rule.name} {cost:,.4g}" for rule, cost in self.alternatives if rule.name != self.name]
        told = f"; {', '.join(others)}" if others else ""
        exact = " and by the exact value" if isinstance(self.rule, ExactPolicy) else ""
        return f"{self.name} costs {self.value:,.4g} a period{told} (over {JUDGED_PERIODS:,} simulated periods{exact})."

    @property
    def regular_source(self) -> int:
        """Row of the source that usual orders go to; -1 without one."""
        return self.rule.regular_source

    @property
    def express_source(self) -> int:
        """Row of the source that bridges gaps; -1 without one."""
        return self.rule.express_source

    def decide(self, states: InventoryStates) -> FloatArray:
        """(B, M) units to order now from each source."""
        return self.rule.decide(states)


def choose_policy(item: ItemModel, settings: OrderingSettings | None = None) -> ChosenPolicy:
    """The rule of least average cost among all families that fit the item, deterministic for the settings' seed.

    Exact where the state is small; otherwise base stock, (s, S), (r, Q), dual index with and without a cap,
    base-surge, projected inventory level, a third source, and a lookahead on the best of them, each tuned in the same
    simulated worlds and compared in others.
    """
    settings = settings or OrderingSettings()
    model = replace(item, shortage_cost=item.shortage_cost * settings.shortage_weight)
    rows = np.flatnonzero(model.sources.orderable & (~model.sources.expedite | settings.allow_expedite))
    if rows.size == 0:
        idle = DualIndex(model.sources, -1, -1, -np.inf, 0.0, 0.0, 0, name="no source")
        return ChosenPolicy(idle, float("inf"), ())
    bench = Bench(
        model, rows, draw_worlds(model, TUNING_PERIODS, TUNING_WORLDS, settings.seed), usual_quantities(model)
    )
    fresh = draw_worlds(model, JUDGED_PERIODS, JUDGED_WORLDS, (settings.seed, 1))
    found = sorted([*singles(bench), *pairs(bench)], key=_cost)
    exact = _exact(bench, found)
    slower = [] if exact else projected(bench, found)
    found = sorted([*found, *slower, *backstopped(bench, found)], key=_cost)
    ranked = _judged(bench, found, fresh, exact)
    ranked = ranked if exact else _looked_ahead(bench, ranked, fresh)
    return ChosenPolicy(*ranked[0], tuple(ranked))


def _cost(priced: Priced) -> float:
    return priced[1]


def _exact(bench: Bench, found: Sequence[Priced]) -> ExactPolicy | None:
    """The exact rule for the sources of the best rule, or where that uses one source, for those of the best pair."""
    best = found[0][0]
    two = next((rule for rule, _ in found if rule.express_source >= 0), best)
    used = two if two.regular_source == best.regular_source or best.express_source >= 0 else best
    return exact_policy(bench.model, used.regular_source, used.express_source, bench.usual)


def _judged(bench: Bench, found: Sequence[Priced], fresh: Worlds, exact: ExactPolicy | None) -> list[Priced]:
    """The best rule of each family with its cost in fresh worlds, cheapest first.

    Where the exact rule is known its own cost is exact, and the others' costs are that cost plus the difference
    simulated under common random numbers; a rule that uses the same sources costs at least as much.
    """
    near = dict[str, list[OrderPolicy]]()
    for rule, _ in found:
        near.setdefault(rule.name, []).append(rule)
    tried = [rule for rules in near.values() for rule in rules[:NEAR_TIES]]
    costs = sorted([(rule, float(average_cost(rule, bench.model, fresh).mean())) for rule in tried], key=_cost)
    costs = list({rule.name: (rule, cost) for rule, cost in reversed(costs)}.values())
    if exact is None:
        return sorted(costs, key=_cost)
    least, used = exact.average_cost, {exact.regular_source, exact.express_source, -1}
    shift = least - float(average_cost(exact, bench.model, fresh).mean())
    above = [
        (rule, cost + shift if isinstance(rule, Backstop) or not _sources(rule) <= used else max(cost + shift, least))
        for rule, cost in costs
    ]
    return sorted([(exact, least), *above], key=_cost)


def _sources(rule: OrderPolicy) -> set[int]:
    """Rows of the sources of a rule of one or two."""
    return {rule.regular_source, rule.express_source}


def _looked_ahead(bench: Bench, ranked: list[Priced], fresh: Worlds) -> list[Priced]:
    """The rules and, where two sources are in use and it saves enough, a lookahead on the best of them.

    It plays many paths for every state and takes longest to try, so it is left out where the exact rule is known.
    """
    base, cost = ranked[0]
    if base.express_source < 0:
        return ranked
    horizon = int(bench.model.leads().max()) + 6
    rule = Lookahead(base, bench.model, bench.draws(horizon), max(1.0, bench.model.mean_demand / 4))
    part = fresh.part(*LOOKED_AT)
    saved = average_cost(base, bench.model, part) - average_cost(rule, bench.model, part)
    sure = float(saved.mean()) - float(saved.std()) / np.sqrt(saved.size)
    if sure <= WORTH_SWITCHING * cost:
        return ranked
    return sorted([*ranked, (rule, cost - float(saved.mean()))], key=_cost)
