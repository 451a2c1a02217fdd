"""The compiled rollout and its costs against the same rules in plain Python: `rollout_in_words`, path by path."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given
from hypothesis import settings as bounds
from hypothesis import strategies as st
from ordering_cases import random_problem
from rollout_in_words import play_in_words

from benchmarks.cases.planning_worlds import random_snapshot
from tools.domain.snapshots import OrderingSettings, RiskMeasure
from tools.ordering.candidates.columns import Columns, build_columns
from tools.ordering.problem.ordering_problem import OrderingProblem
from tools.ordering.stochastic.continuations import KINDS
from tools.ordering.stochastic.costing import cost_parts, path_costs, tail_costs
from tools.ordering.stochastic.policy_kinds import continuation
from tools.ordering.stochastic.rollout import play
from tools.ordering.stochastic.rollout_kernels import (
    BLOCK,
    EXCESS,
    HELD,
    LOST,
    MISSED,
    MISSED_LATER,
    REGULAR,
    REGULAR_ORDERS,
    SCRAPPED,
    SHORT,
)

SUMS = {
    "held": HELD,
    "short": SHORT,
    "excess": EXCESS,
    "lost": LOST,
    "scrapped": SCRAPPED,
    "missed": MISSED,
    "missed_later": MISSED_LATER,
}
CANDIDATES = 6
"""Candidates of a problem that are played in words."""
GENERATED = bounds(max_examples=40, deadline=None, derandomize=True, database=None, phases=[Phase.generate])


def with_everything(seed: int, review: int = 1, *, items: int = 5, paths: int = 40, horizon: int = 14):
    """A small random problem in which every optional trait of an item and a source occurs."""
    rng = np.random.default_rng(seed)
    snapshot = random_snapshot(items, seed=seed, paths=paths, horizon=horizon)
    rows = snapshot.sources.item.size
    sources = replace(
        snapshot.sources,
        yield_rate=rng.choice([1.0, 0.9, 0.7], rows),
        incremental=rng.random(rows) < 0.5,
        first_period=rng.choice([0, 0, 3], rows),
        last_period=rng.choice([9, 10_000], rows),
        path_delay=rng.choice([0, 0, 2], (rows, paths)),
        capacity_per_period=rng.choice([np.inf, 150.0], rows),
    )
    snapshot = replace(
        snapshot,
        sources=sources,
        lost_share=rng.choice([0.0, 0.4, 1.0], items),
        shelf_life_periods=rng.choice([np.inf, 3.0, 6.5, 1.0], items),
        frozen_periods=rng.choice([0, 0, 2], items),
        on_hand=snapshot.on_hand - 20,
        unit_value=rng.uniform(1, 20, items),
    )
    return world_of(snapshot, OrderingSettings(review_periods=review, shortage_weight=1.5), rng)


def world_of(snapshot, settings, rng):
    """What `play` takes, with the continuation of each candidate drawn at random."""
    problem = OrderingProblem.of(snapshot, settings)
    policy = continuation(problem, alternatives=True)
    columns = build_columns(problem, shared=False)
    choice = rng.integers(0, len(KINDS), columns.valid.shape)
    return problem, policy, columns, choice


def assert_played_as_in_words(world, every: int, rng) -> None:
    """A few candidates, path by path: every sum, and the record of stock and later orders."""
    problem, policy, columns, choice = world
    snapshot = problem.snapshot
    result = play(problem, policy, columns, by_path=True, every=every, choice=choice)
    assert result.by_path is not None
    places = np.argwhere(columns.valid)
    for item, column in rng.permutation(places)[:CANDIDATES].tolist():
        kind = int(choice[item, column])
        one = Columns(*(a[:, [column]] for a in (columns.source, columns.quantity, columns.valid, columns.wanted)))
        single = play(problem, policy, one, record=True, every=every, choice=choice[:, [column]])
        assert single.stock is not None and single.later is not None
        told, stocks, orders = zip(
            *(
                play_in_words(problem, policy, columns, item, column, kind, path)
                for path in range(0, snapshot.demand.shape[1], every)
            ),
            strict=True,
        )
        for name, place in SUMS.items():
            sums = [path[name] for path in told]
            assert result.by_path[item, column, place] == pytest.approx(sums, rel=1e-9, abs=1e-7), name
            assert result.mean[item, column, place] == pytest.approx(np.mean(sums), rel=1e-9, abs=1e-7), name
        for place, per_path in ((REGULAR, np.sum), (REGULAR_ORDERS, np.count_nonzero)):
            for channel in range(2):
                sums = [per_path(path[:, channel]) for path in orders]
                assert result.by_path[item, column, place + 2 * channel] == pytest.approx(sums, rel=1e-9, abs=1e-7)
        assert single.stock[:, item] == pytest.approx(np.stack(stocks, axis=1), rel=1e-9, abs=1e-7)
        assert single.later[:, item] == pytest.approx(np.mean(orders, axis=0), rel=1e-9, abs=1e-7)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 14),
    st.sampled_from([1, 5, BLOCK + 6]),
    st.integers(1, 3),
    st.integers(1, 3),
)
@GENERATED
def test_the_compiled_rollout_plays_every_path_as_it_is_said_in_words(seed, horizon, paths, review, every):
    world = with_everything(seed, review, items=3, paths=paths, horizon=horizon)
    assert_played_as_in_words(world, every, np.random.default_rng(seed))


@given(st.integers(0, 2**32 - 1))
@GENERATED
def test_it_does_so_on_items_without_demand_or_sources_and_terms_that_nothing_fits(seed):
    rng = np.random.default_rng(seed)
    assert_played_as_in_words(world_of(*random_problem(seed), rng), 1, rng)


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
    problem, policy, columns, choice = with_everything(seed)
    snapshot = problem.snapshot
    sources, tables = snapshot.sources, policy.tables
    result = play(problem, policy, columns, choice=choice)
    parts = cost_parts(problem, policy, columns, result, choice)
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
            problem.costs.shortage[item] * (result.short[item, column] + result.lost[item, column])
            + problem.costs.weight[item] * worth.sum() * result.lost[item, column],
        ]
        assert parts[item, column] == pytest.approx(expected)


def test_costs_by_path_average_to_the_expected_cost_and_their_tail_is_the_mean_of_the_worst():
    problem, policy, columns, _ = with_everything(6)
    result = play(problem, policy, columns, by_path=True)
    parts = cost_parts(problem, policy, columns, result)
    by_path = path_costs(problem, policy, columns, result)
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
