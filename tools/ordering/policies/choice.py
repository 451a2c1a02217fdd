"""The policy that serves an item at the least cost: every family tuned in the same worlds, the best one taken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.snapshots import OrderingSettings
from tools.ordering.policies.exact import ExactPolicy, SmallModel, solve_small
from tools.ordering.policies.index_policies import BaseSurge, DualIndex, ProjectedInventory
from tools.ordering.policies.lookahead import Lookahead
from tools.ordering.policies.model import InventoryStates, ItemModel, OrderPolicy
from tools.ordering.policies.simulation import Pair, Worlds, average_cost, draw_worlds, pair_of
from tools.ordering.policies.tuning import (
    BASE,
    CAP,
    REGULAR,
    SURGE,
    UP_TO,
    Tuned,
    base_surge,
    by_one,
    capped_dual_index,
    single_source,
)

TUNING_PERIODS = 20_000
TUNING_WORLDS = 100
PATHS = 64
"""Sample paths of projections and lookahead."""
MOST_STATES = 6_000_000
"""State and action pairs up to which the exact programme is solved."""
WORTH_SWITCHING = 0.002
"""Share by which a policy that looks ahead must beat the best of the index policies to be taken."""


@dataclass(frozen=True)
class ChosenPolicy:
    """The best rule found, what it costs per period, and what the others would cost."""

    rule: OrderPolicy
    value: float
    """Average cost per period above the cheapest price of what is demanded, in money."""
    alternatives: tuple[tuple[OrderPolicy, float], ...]
    """The best rule of each family that was tried and its average cost, cheapest first."""

    @property
    def name(self) -> str:
        """The family, in the field's words."""
        return self.rule.name

    @property
    def reason(self) -> str:
        """Why this rule, with the figures of the others."""
        others = [f"{rule.name} {cost:,.4g}" for rule, cost in self.alternatives if rule.name != self.name]
        told = f"; {', '.join(others)}" if others else ""
        return f"{self.name} costs {self.value:,.4g} a period{told} (over {TUNING_PERIODS:,} simulated periods)."

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


@dataclass(frozen=True)
class _Bench:
    """The item as it is tuned: the same worlds for every rule."""

    model: ItemModel
    rows: IntArray
    worlds: Worlds
    usual: FloatArray
    """(M,) usual order quantity of each source."""

    def level(self, source: int) -> float:
        """Newsvendor quantile of the demand over the source's lead time and the next period."""
        lead, demand = int(self.model.leads()[source]), self.worlds.demand
        window = np.lib.stride_tricks.sliding_window_view(demand, min(lead + 1, demand.shape[1]), axis=1).sum(axis=2)
        h, b = self.model.holding_cost, self.model.shortage_cost
        return float(np.quantile(window, min(b / max(b + h, 1e-12), 0.9995), method="inverted_cdf"))

    def lots(self, source: int) -> list[float]:
        """Lots to start from beyond the reorder level: none without a fixed cost, else around the economic one."""
        table = self.model.sources
        breaks = [float(point) for point in table.break_quantity[source] if np.isfinite(point)]
        economic = float(self.usual[source])
        return [0.0, *breaks] if table.fixed_order_cost[source] <= 0 else [0.0, economic, 1.5 * economic, *breaks]

    def pair(self, regular: int, express: int = -1) -> Pair:
        """Two sources in plain numbers."""
        return pair_of(self.model, regular, express, self.usual)


def choose_policy(item: ItemModel, settings: OrderingSettings | None = None) -> ChosenPolicy:
    """The rule of least average cost among all families that fit the item, deterministic for the settings' seed.

    Exact where the state is small; otherwise base stock, (s, S), dual index with and without a cap, base-surge,
    projected inventory level and a lookahead on the best of them, each tuned in the same simulated worlds.
    """
    settings = settings or OrderingSettings()
    model = replace(item, shortage_cost=item.shortage_cost * settings.shortage_weight)
    sources = model.sources
    rows = np.flatnonzero(sources.orderable & (~sources.expedite | settings.allow_expedite))
    if rows.size == 0:
        idle = DualIndex(sources, -1, -1, -np.inf, 0.0, 0.0, 0, name="no source")
        return ChosenPolicy(idle, float("inf"), ())
    worlds = draw_worlds(model, TUNING_PERIODS, TUNING_WORLDS, settings.seed)
    bench = _Bench(model, rows, worlds, _usual_quantities(model))
    found = sorted([*_singles(bench), *_pairs(bench)], key=_cost)
    exact = _exact(bench, found[0][0])
    found = [(exact, exact.average_cost), *found] if exact else sorted(_looking_ahead(bench, found), key=_cost)
    best: dict[str, Priced] = {}
    for rule, cost in found:
        best.setdefault(rule.name, (rule, cost))
    return ChosenPolicy(*found[0], tuple(best.values()))


Priced = tuple[OrderPolicy, float]
"""A rule and its average cost."""


def _cost(priced: Priced) -> float:
    return priced[1]


def _usual_quantities(model: ItemModel) -> FloatArray:
    """(M,) economic lot, at least the MOQ and a period's demand."""
    table, mean = model.sources, max(model.mean_demand, 1e-9)
    eoq = np.sqrt(2 * table.fixed_order_cost * mean / max(model.holding_cost, 1e-12))
    return np.maximum(np.maximum(eoq, table.moq), mean)


def _singles(bench: _Bench) -> list[Priced]:
    """Base stock or (s, S) from each source alone."""
    found = list[Priced]()
    for source in bench.rows.tolist():
        tuned = single_source(bench.pair(source), bench.model, bench.worlds, bench.level(source), bench.lots(source))
        level, up_to = tuned.setting[REGULAR], tuned.setting[UP_TO]
        name = "base stock" if up_to - level < 1e-9 else "(s, S)"
        rule = DualIndex(bench.model.sources, source, -1, float(level), float(up_to), 0.0, 0, name=name)
        found.append((rule, tuned.cost))
    return found


def _pairs(bench: _Bench) -> list[Priced]:
    """A slow cheap source with a faster one, in every family."""
    leads, landed = bench.model.leads(), bench.model.landed(bench.usual)
    pairs = [
        (slow, fast)
        for slow in bench.rows.tolist()
        for fast in bench.rows.tolist()
        if leads[fast] < leads[slow] and landed[fast] > landed[slow]
    ]
    found = list[Priced]()
    for slow, fast in pairs:
        pair, level = bench.pair(slow, fast), bench.level(slow)
        caps = (1.1 * bench.model.mean_demand, float(bench.usual[slow]))
        lots = bench.lots(slow)
        plain = capped_dual_index(pair, bench.model, bench.worlds, level, (np.inf,), lots)
        capped = capped_dual_index(pair, bench.model, bench.worlds, level, caps, lots[:1])
        found += [(_dual_index(bench, slow, fast, tuned), tuned.cost) for tuned in (plain, capped)]
        surge = base_surge(pair, bench.model, bench.worlds, level)
        rule = BaseSurge(
            bench.model.sources, slow, fast, float(surge.setting[BASE]), float(surge.setting[SURGE]), int(leads[fast])
        )
        found.append((rule, surge.cost))
    return found


def _dual_index(bench: _Bench, slow: int, fast: int, tuned: Tuned) -> DualIndex:
    setting, capped = tuned.setting, bool(np.isfinite(tuned.setting[CAP]))
    return DualIndex(
        bench.model.sources,
        slow,
        fast,
        float(setting[REGULAR]),
        float(setting[UP_TO]),
        float(setting[SURGE]),
        int(bench.model.leads()[fast]),
        float(setting[CAP]),
        name="capped dual index" if capped else "dual index",
    )


def _projected(bench: _Bench, index: DualIndex) -> Priced:
    """The projected inventory level policy with the index policy's express level, its own level found by steps."""
    slow, fast, surge = index.regular_source, index.express_source, index.express_level
    gap = int(bench.model.leads()[slow] - bench.model.leads()[fast])
    draws = _draws(bench, gap)

    def rule(level: float) -> ProjectedInventory:
        return ProjectedInventory(bench.model.sources, slow, fast, level, surge, index.express_window, gap, draws)

    def cost_of(level: float) -> float:
        return float(average_cost(rule(level), bench.model, bench.worlds).mean())

    unit = max(1.0, bench.model.mean_demand / 10)
    level, cost = by_one(cost_of, surge + bench.model.mean_demand, unit)
    return rule(level), cost


def _looking_ahead(bench: _Bench, found: Sequence[Priced]) -> list[Priced]:
    """The rules; where two sources are in use also a projected inventory level and a lookahead on the best rule.

    Both look at every state anew and take longest to try, so they are left out where the exact rule is known.
    """
    base, cost = found[0]
    if base.express_source < 0:
        return list(found)
    index = next(rule for rule, _ in found if isinstance(rule, DualIndex) and rule.express_source >= 0)
    projected = _projected(bench, index)
    horizon = int(bench.model.leads().max()) + 6
    rule = Lookahead(base, bench.model, _draws(bench, horizon), max(1.0, bench.model.mean_demand / 4))
    part = Worlds(bench.worlds.demand[:20], bench.worlds.lead)
    saved = float((average_cost(base, bench.model, part) - average_cost(rule, bench.model, part)).mean())
    return [*found, projected, *([(rule, cost - saved)] if saved > WORTH_SWITCHING * cost else [])]


def _draws(bench: _Bench, periods: int) -> FloatArray:
    """(S, periods) demand on sample paths, from the worlds' counted periods."""
    demand = bench.worlds.demand
    start = demand.shape[1] - periods
    return demand[:PATHS, start:]


def _exact(bench: _Bench, best: OrderPolicy) -> ExactPolicy | None:
    """The exact rule for the sources that the best one uses, where demand is whole units and the state small."""
    model, table = bench.model, bench.model.sources
    slow, fast = best.regular_source, best.express_source
    lost = model.lost_share >= 1
    if fast < 0 and not lost:
        return None
    used = [slow] if fast < 0 else [slow, fast]
    leads, certain = model.leads(), (table.lead_time.max(axis=1) > 1 - 1e-9)
    plain = all(
        certain[j]
        and table.fixed_order_cost[j] == 0
        and table.moq[j] <= 1
        and table.order_multiple[j] in (0.0, 1.0)
        and not np.isfinite(table.max_quantity[j])
        and not np.isfinite(table.capacity_per_period[j])
        and not np.isfinite(table.break_quantity[j]).any()
        and table.yield_rate[j] == 1
        for j in used
    )
    draws = model.demand.ravel()
    gap, window = (int(leads[slow]), 0) if fast < 0 else (int(leads[slow] - leads[fast]), int(leads[fast]))
    if not plain or gap < 1 or (lost and window > 0) or np.any(draws != np.round(draws)):
        return None
    top = int(draws.max())
    size = (gap + window + 3) * top + 2
    if float(top + 2) ** gap * size > MOST_STATES:
        return None
    probability = np.bincount(draws.astype(np.int64), minlength=top + 1) / draws.size
    least = 0 if lost else -top * (window + 1)
    landed = model.landed(bench.usual)
    premium = float(landed[fast] - landed[slow]) if fast >= 0 else np.inf
    small = SmallModel(
        probability, _period_cost(model, probability, window, least, size), least, premium, gap, top + 1, lost
    )
    average, raised, ordered = solve_small(small)
    above = (landed[slow] - model.cheapest()) * (model.mean_demand if not lost else 0.0)
    return ExactPolicy(table, slow, fast, window, least, top + 1, raised, ordered, average + float(above))


def _period_cost(model: ItemModel, probability: FloatArray, window: int, least: int, size: int) -> FloatArray:
    """(X,) expected holding and shortage cost at the end of a period, over the demand of `window` + 1 periods."""
    demand = np.ones(1)
    for _ in range(window + 1):
        demand = np.convolve(demand, probability)
    end = least + np.arange(size)[:, None] - np.arange(demand.size)[None, :]
    cost = model.holding_cost * np.maximum(end, 0) + model.shortage_cost * np.maximum(-end, 0)
    return cost @ demand
