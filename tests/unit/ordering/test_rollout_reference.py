"""The compiled rollout and its costs against the same rules written out in plain Python, path by path."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import random_snapshot
from tools.domain.snapshots import OrderingSettings, RiskMeasure
from tools.ordering.candidates.columns import build_columns
from tools.ordering.problem.levels import cumulative_demand, item_costs, source_levels
from tools.ordering.stochastic.continuations import KINDS
from tools.ordering.stochastic.costing import cost_parts, path_costs, tail_costs
from tools.ordering.stochastic.policy_kinds import continuation
from tools.ordering.stochastic.rollout import play


def with_everything(seed: int, review: int = 1):
    """A small random problem in which every optional trait of an item and a source occurs."""
    rng = np.random.default_rng(seed)
    snapshot = random_snapshot(5, seed=seed, paths=40, horizon=14)
    rows = snapshot.sources.item.size
    sources = replace(
        snapshot.sources,
        yield_rate=rng.choice([1.0, 0.9, 0.7], rows),
        incremental=rng.random(rows) < 0.5,
        first_period=rng.choice([0, 0, 3], rows),
        last_period=rng.choice([9, 10_000], rows),
        path_delay=rng.choice([0, 0, 2], (rows, 40)),
        capacity_per_period=rng.choice([np.inf, 150.0], rows),
    )
    snapshot = replace(
        snapshot,
        sources=sources,
        lost_share=rng.choice([0.0, 0.4, 1.0], 5),
        shelf_life_periods=rng.choice([np.inf, 3.0, 6.5, 1.0], 5),
        frozen_periods=rng.choice([0, 0, 2], 5),
        on_hand=snapshot.on_hand - 20,
        unit_value=rng.uniform(1, 20, 5),
    )
    settings = OrderingSettings(review_periods=review)
    costs = item_costs(snapshot, settings)
    levels = source_levels(snapshot, settings, costs, cumulative_demand(snapshot))
    policy = continuation(snapshot, settings, costs, levels, alternatives=True)
    columns = build_columns(snapshot, settings, costs, levels, shared=False)
    choice = rng.integers(0, len(KINDS), columns.valid.shape)
    return snapshot, settings, costs, levels, policy, columns, choice


def accepted(gap: float, moq: float, multiple: float, cap: float, usable: float) -> float:
    units = max(gap / usable, moq)
    if multiple > 0:
        units = float(np.ceil(units / multiple - 1e-9)) * multiple
    return min(units, cap)


def played_path(  # noqa: C901 - the rules of a period, in their order
    snapshot, settings, levels, policy, columns, item, column, kind, path
):
    """One path of one candidate: what `play` adds up, by name."""
    horizon, sources, tables = snapshot.horizon, snapshot.sources, policy.tables
    comes, asks = snapshot.arrivals[item, path], snapshot.demand[item, path]
    pipe = dict.fromkeys(range(horizon + 1), 0.0)
    for part in range(columns.source.shape[2]):
        row, units = columns.source[item, column, part], columns.quantity[item, column, part]
        if units > 0:
            pipe[min(int(levels.lead[row, path]), horizon)] += units * sources.yield_rate[row]
    lots: list[list[float]] = [[0, max(float(snapshot.on_hand[item]), 0.0)]]
    backlog = max(-float(snapshot.on_hand[item]), 0.0)
    shelf, share = snapshot.shelf_life_periods[item], snapshot.lost_share[item]
    told = dict.fromkeys(("held", "short", "lost", "scrapped", "missed", "missed_later", "excess"), 0.0)
    orders = [[], []]
    for period in range(horizon):

        def take_in(units: float, period: int = period) -> None:
            nonlocal backlog
            served = min(backlog, units)
            backlog -= served
            lots.append([period, units - served])

        take_in(float(comes[period]))
        if period > 0 and period % settings.review_periods == 0:
            for channel in (1, 0):
                row, wait, first, last = (int(v) for v in tables.whole[kind, channel, item])
                if row < 0 or not first <= period <= last:
                    continue
                on_hand = sum(units for _, units in lots) - backlog
                reach = period + wait + settings.review_periods if channel else horizon + 1
                near = sum(
                    units for at, units in pipe.items() if period <= at < reach and (not channel or at < horizon)
                )
                position = on_hand + tables.within[kind, channel, item, period] * comes[period + 1 :].sum() + near
                if position < tables.level[kind, channel, item, period] - 1e-9:
                    level, up_to = (float(t[kind, channel, item, period]) for t in (tables.level, tables.up_to))
                    lot = up_to - level
                    gap = np.ceil((level - position) / lot - 1e-9) * lot if lot > 1e-9 else up_to - position
                    units = accepted(gap, *(float(v) for v in tables.terms[kind, channel, item]))
                    lands = period + int(levels.usual_lead[row, path])
                    if sources.path_delay[row, path] > 0:
                        lands = max(lands, int(levels.lead[row, path]))
                    pipe[min(lands, horizon)] += units * tables.terms[kind, channel, item, 3]
                    orders[channel].extend([units] if units > 0 else [])
        take_in(pipe.pop(period))
        wanted = float(asks[period])
        for lot in lots:
            used = min(lot[1], wanted)
            lot[1] -= used
            wanted -= used
        told["missed"] += wanted
        told["missed_later"] += wanted if period >= policy.reach[item] else 0.0
        told["lost"] += share * wanted
        backlog += (1 - share) * wanted
        told["held"] += sum(units for _, units in lots)
        told["short"] += backlog
        if np.isfinite(shelf) and shelf <= horizon:
            for lot in lots:
                if period - lot[0] >= max(int(shelf), 1) - 1:
                    told["scrapped"] += lot[1]
                    lot[1] = 0.0
    left = sum(units for _, units in lots) - backlog + sum(pipe.values())
    over = max(left - max(policy.burn_level[item], 0.0), 0.0)
    rate = snapshot.holding_cost[item] / (2 * snapshot.demand[item].mean())
    told["excess"] = min(rate * over**2, snapshot.unit_value[item] * over)
    told["regular_units"], told["express_units"] = sum(orders[0]), sum(orders[1])
    told["regular_orders"], told["express_orders"] = len(orders[0]), len(orders[1])
    return told


@pytest.mark.parametrize(("seed", "review", "every"), [(1, 1, 1), (2, 2, 1), (3, 1, 4), (4, 3, 2), (5, 1, 1)])
def test_the_compiled_rollout_adds_up_what_plain_python_adds_up(seed, review, every):
    snapshot, settings, costs, levels, policy, columns, choice = with_everything(seed, review)
    result = play(snapshot, settings, costs, levels, policy, columns, every=every, choice=choice)
    items, tried = np.nonzero(columns.valid)
    picked = np.random.default_rng(seed).permutation(items.size)[:40]
    for item, column in zip(items[picked].tolist(), tried[picked].tolist(), strict=True):
        kind = int(choice[item, column])
        paths = [
            played_path(snapshot, settings, levels, policy, columns, item, column, kind, path)
            for path in range(0, 40, every)
        ]
        for name in paths[0]:
            mean = np.mean([path[name] for path in paths])
            assert getattr(result, name)[item, column] == pytest.approx(mean, rel=1e-9, abs=1e-7), name


def price_of_order(sources, row: int, units: float) -> float:
    """Money for an order, break by break."""
    points = [(0.0, float(sources.unit_price[row]))]
    steps = zip(sources.break_quantity[row].tolist(), sources.break_price[row].tolist(), strict=True)
    points += [(at, price) for at, price in steps if np.isfinite(at) and at <= units + 1e-9]
    if not sources.incremental[row]:
        return points[-1][1] * units
    ends = [at for at, _ in points[1:]] + [units]
    return sum(price * (end - at) for (at, price), end in zip(points, ends, strict=True))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cost_parts_are_those_of_plain_arithmetic(seed):
    snapshot, settings, costs, levels, policy, columns, choice = with_everything(seed)
    sources, tables = snapshot.sources, policy.tables
    result = play(snapshot, settings, costs, levels, policy, columns, choice=choice)
    parts = cost_parts(snapshot, costs, policy, columns, result, choice)
    assert np.isinf(parts[~columns.valid]).all()
    for item, column in np.argwhere(columns.valid).tolist():
        kind = int(choice[item, column])
        placed = [
            (int(row), float(units))
            for row, units in zip(columns.source[item, column], columns.quantity[item, column], strict=True)
            if units > 0
        ]
        later = [
            (result.regular_units[item, column], result.regular_orders[item, column]),
            (result.express_units[item, column], result.express_orders[item, column]),
        ]
        good = sum(units * sources.yield_rate[row] for row, units in placed)
        good += sum(units * tables.terms[kind, channel, item, 3] for channel, (units, _) in enumerate(later))
        drawn = snapshot.demand[item].sum(axis=1).mean() - result.lost[item, column] - good
        rates, worth = tables.rates[kind, :, item], policy.worth[item]
        expected = [
            sum(price_of_order(sources, row, units) for row, units in placed)
            + sum(units * rates[c, 0] for c, (units, _) in enumerate(later))
            + worth[0] * drawn,
            sum(units * sources.freight_per_unit[row] for row, units in placed)
            + sum(units * rates[c, 1] for c, (units, _) in enumerate(later))
            + worth[1] * drawn,
            sum(sources.fixed_order_cost[row] for row, _ in placed)
            + sum(orders * rates[c, 2] for c, (_, orders) in enumerate(later))
            + worth[2] * drawn,
            snapshot.holding_cost[item] * result.held[item, column]
            + result.excess[item, column]
            + snapshot.unit_value[item] * result.scrapped[item, column],
            costs.shortage[item] * (result.short[item, column] + result.lost[item, column]),
        ]
        assert parts[item, column] == pytest.approx(expected)


def test_costs_by_path_average_to_the_expected_cost_and_their_tail_is_the_mean_of_the_worst():
    snapshot, settings, costs, levels, policy, columns, _ = with_everything(6)
    result = play(snapshot, settings, costs, levels, policy, columns, by_path=True)
    parts = cost_parts(snapshot, costs, policy, columns, result)
    by_path = path_costs(snapshot, costs, policy, columns, result)
    assert by_path[columns.valid].mean(axis=1) == pytest.approx(parts[columns.valid])
    weighed = OrderingSettings(cvar_weight=0.3, cvar_level=0.9)
    extra = tail_costs(by_path, weighed)
    of_shortage = tail_costs(by_path, replace(weighed, cvar_of=RiskMeasure.SHORTAGE))
    for item, column in np.argwhere(columns.valid)[::7].tolist():
        total = by_path[item, column].sum(axis=1)
        assert extra[item, column] == pytest.approx(0.3 * (np.sort(total)[-4:].mean() - total.mean()))
        worst = np.sort(by_path[item, column, :, 4])[-4:].mean()
        assert of_shortage[item, column] == pytest.approx(0.3 * (worst - total.mean()))


def test_a_tail_of_part_of_a_path_weighs_that_path_in_part():
    by_path = np.zeros((1, 1, 8, 5))
    by_path[0, 0, :, 0] = np.arange(8.0)
    extra = tail_costs(by_path, OrderingSettings(cvar_weight=1.0, cvar_level=1 - 1.5 / 8))
    assert extra[0, 0] == pytest.approx((7.0 + 0.5 * 6.0) / 1.5 - 3.5)
