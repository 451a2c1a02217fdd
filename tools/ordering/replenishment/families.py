"""Every family of policies tuned for an item in the same worlds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.ordering.replenishment.index_policies import Backstop, BaseSurge, DualIndex, ProjectedInventory
from tools.ordering.replenishment.levels_kernel import BASE, CAP, LOT, REGULAR, SURGE, UP_TO, Pair, pair_of
from tools.ordering.replenishment.model import ItemModel, OrderPolicy
from tools.ordering.replenishment.simulation import Worlds, average_cost
from tools.ordering.replenishment.tuning import (
    Tuned,
    base_surge,
    by_steps,
    capped_dual_index,
    single_source,
    unit_of,
    whole_lots,
)

PATHS = 64
"""Sample paths of projections and lookahead."""
CAP_SHARES = (0.6, 1.0, 1.25, 1.5, 2.0, 3.0)
"""Caps of regular orders to start from, in shares of the mean demand."""
MOST_THIRDS = 3
"""Further sources tried beside a pair, cheapest first."""
LAST_RESORT = 0.5
"""Share of its newsvendor level from which the level of a third source that is the fastest is searched."""

Priced = tuple[OrderPolicy, float]
"""A rule and its average cost per period."""


@dataclass(frozen=True)
class Bench:
    """The item as it is tuned: the same worlds for every rule."""

    model: ItemModel
    rows: IntArray
    """Sources that may be ordered from."""
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
        """Lots to start from beyond the reorder level: none without a fixed cost or breaks, else around the usual."""
        table, unit = self.model.sources, unit_of(self.model)
        found = [float(point) for point in table.break_quantity[source] if np.isfinite(point)]
        if table.fixed_order_cost[source] > 0:
            found += [float(self.usual[source]), 1.5 * float(self.usual[source])]
        return [max(unit, round(lot / unit) * unit) for lot in found]

    def pair(self, regular: int, express: int = -1) -> Pair:
        """Two sources in plain numbers."""
        return pair_of(self.model, regular, express)

    def gap(self, rule: OrderPolicy) -> int:
        """Periods by which the rule's regular source is slower than its express source."""
        leads = self.model.leads()
        return int(leads[rule.regular_source] - leads[rule.express_source])

    def draws(self, periods: int) -> FloatArray:
        """(S, periods) demand on sample paths, from the worlds' last periods."""
        demand = self.worlds.demand
        return demand[:PATHS, max(demand.shape[1] - periods, 0) :]


def usual_quantities(model: ItemModel) -> FloatArray:
    """(M,) economic lot, at least the MOQ and a period's demand."""
    table, mean = model.sources, max(model.mean_demand, 1e-9)
    eoq = np.sqrt(2 * table.fixed_order_cost * mean / max(model.holding_cost, 1e-12))
    return np.maximum(np.maximum(eoq, table.moq), mean)


def singles(bench: Bench) -> list[Priced]:
    """Base stock, (s, S) or (r, Q) from each source alone."""
    found, table = list[Priced](), bench.model.sources
    for source in bench.rows.tolist():
        pair, level, lots = bench.pair(source), bench.level(source), bench.lots(source)
        gap = bool(lots) or bool(max(table.moq[source], table.order_multiple[source]) > unit_of(bench.model))
        tuned = single_source(pair, bench.model, bench.worlds, level, [0.0, *lots], gap)
        low, high = float(tuned.setting[REGULAR]), float(tuned.setting[UP_TO])
        name = "base stock" if high - low < 1e-9 else "(s, S)"
        found.append((DualIndex(table, source, -1, low, high, 0.0, 0, name=name), tuned.cost))
        if lots:
            tuned = whole_lots(pair, bench.model, bench.worlds, level, lots)
            point, lot = float(tuned.setting[REGULAR]), float(tuned.setting[LOT])
            rule = DualIndex(table, source, -1, point, point + lot, 0.0, 0, lot=lot, name="(r, Q)")
            found.append((rule, tuned.cost))
    return found


def pairs(bench: Bench) -> list[Priced]:
    """A cheap source with a dearer one that is faster or takes what the cheap one cannot, in every family."""
    found, leads = list[Priced](), bench.model.leads()
    for slow, fast in _worth_pairing(bench):
        pair, level, lots = bench.pair(slow, fast), bench.level(slow), [0.0, *bench.lots(slow)]
        caps = [share * bench.model.mean_demand for share in CAP_SHARES]
        plain = capped_dual_index(pair, bench.model, bench.worlds, level, (np.inf,), lots)
        capped = capped_dual_index(pair, bench.model, bench.worlds, level, caps, lots[:1])
        found += [(_dual_index(bench, slow, fast, tuned), tuned.cost) for tuned in (*plain, *capped)]
        surge = base_surge(pair, bench.model, bench.worlds, level)
        quantity, express = float(surge.setting[BASE]), float(surge.setting[SURGE])
        found.append(
            (BaseSurge(bench.model.sources, slow, fast, quantity, express, int(leads[fast])), surge.cost)
        )  # fmt: skip
    return found


def _worth_pairing(bench: Bench) -> list[tuple[int, int]]:
    """(cheap, dear) sources: the dear one is faster, or the cheap one takes only so much a period."""
    leads, landed, table = bench.model.leads(), bench.model.landed(bench.usual), bench.model.sources
    limited = np.isfinite(np.minimum(table.max_quantity, table.capacity_per_period))
    return [
        (cheap, dear)
        for cheap in bench.rows.tolist()
        for dear in bench.rows.tolist()
        if (landed[dear] > landed[cheap] and leads[dear] < leads[cheap])
        or (limited[cheap] and leads[dear] >= leads[cheap] and (landed[dear], dear) > (landed[cheap], cheap))
    ]


def _dual_index(bench: Bench, slow: int, fast: int, tuned: Tuned) -> DualIndex:
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


def projected(bench: Bench, found: Sequence[Priced]) -> list[Priced]:
    """The projected inventory level policy, its two levels found by steps from those of the best dual index."""
    duals = [rule for rule, _ in found if isinstance(rule, DualIndex) and rule.express_source >= 0]
    if not duals or bench.gap(duals[0]) < 1:
        return []
    index, gap, mean = duals[0], bench.gap(duals[0]), bench.model.mean_demand
    slow, fast, window, draws = index.regular_source, index.express_source, index.express_window, bench.draws(gap)
    worlds = bench.worlds.part(bench.worlds.demand.shape[0] // 2)

    def rule(levels: FloatArray) -> ProjectedInventory:
        own, surge = float(levels[0]), float(levels[1])
        return ProjectedInventory(bench.model.sources, slow, fast, own, surge, window, gap, draws)

    start = np.array([index.express_level + mean, index.express_level])
    levels, cost = by_steps(lambda levels: _mean_cost(rule(levels), bench.model, worlds), start, max(1.0, mean / 10))
    return [(rule(levels), cost)]


def backstopped(bench: Bench, found: Sequence[Priced]) -> list[Priced]:
    """The best dual index with each of the cheapest other sources, all three levels found by steps."""
    duals = [rule for rule, _ in found if isinstance(rule, DualIndex) and rule.express_source >= 0]
    if not duals or bench.rows.size < 3:
        return []
    pair, unit, landed = duals[0], max(1.0, bench.model.mean_demand / 10), bench.model.landed(bench.usual)
    others = [row for row in bench.rows.tolist() if row not in (pair.regular_source, pair.express_source)]
    tuned = list[Priced]()
    for third in sorted(others, key=lambda row: float(landed[row]))[:MOST_THIRDS]:

        def rule(levels: FloatArray, third: int = third) -> Backstop:
            lift = float(levels[2]) - pair.regular_level
            base = replace(
                pair,
                express_level=float(levels[1]),
                regular_level=float(levels[2]),
                regular_up_to=pair.regular_up_to + lift,
            )
            return Backstop(base, bench.model.sources, third, float(levels[0]), bench.model.leads())

        share = LAST_RESORT if bench.model.leads()[third] < bench.model.leads()[pair.express_source] else 1.0
        start = np.array([share * bench.level(third), pair.express_level, pair.regular_level])
        levels, cost = by_steps(lambda levels: _mean_cost(rule(levels), bench.model, bench.worlds), start, unit)
        tuned.append((rule(levels), cost))
    return tuned


def _mean_cost(rule: OrderPolicy, model: ItemModel, worlds: Worlds) -> float:
    return float(average_cost(rule, model, worlds).mean())
