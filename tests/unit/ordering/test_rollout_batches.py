"""Batches, threads and deferred writing change how fast a plan is made, never what it says."""

import copy

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import random_snapshot
from benchmarks.cases.throughput_worlds import World, throughput_snapshot
from benchmarks.ordering_throughput import sampled
from tools.domain.snapshots import OrderingSettings
from tools.ordering import plan, plan_orders, verify
from tools.ordering.candidates.columns import mark_distinct
from tools.ordering.pricing import catalogue_prices as priced
from tools.ordering.pricing import items as pricing
from tools.ordering.pricing.items import take_items


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a few items each."""
    monkeypatch.setattr(pricing, "BATCH_BYTES", 64 * 26 * 8 * 3)


def same(one, other) -> bool:
    return (one.lines, one.intended, one.cost, one.lower_bound) == (
        other.lines,
        other.intended,
        other.cost,
        other.lower_bound,
    )


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_plan_does_not_depend_on_the_number_of_threads(monkeypatch, small_batches, threads: int):
    snapshot = random_snapshot(20, seed=2, paths=64)
    monkeypatch.setattr(priced.os, "cpu_count", lambda: threads)
    made = plan_orders(snapshot)
    monkeypatch.setattr(priced.os, "cpu_count", lambda: 1)
    assert same(made, plan_orders(snapshot))


def test_a_plan_of_many_batches_is_that_of_its_items_alone(small_batches):
    snapshot = random_snapshot(20, seed=2, paths=64)
    whole = plan_orders(snapshot)
    for start in (0, 7, 15):
        rows = np.arange(start, start + 5)
        part = plan_orders(take_items(snapshot, rows))
        ids = {snapshot.item_ids[row] for row in rows}
        assert tuple(line for line in whole.lines if line.item_id in ids) == tuple(part.lines)


def test_a_large_plan_written_when_read_equals_the_plan_written_at_once(monkeypatch, small_batches):
    snapshot = random_snapshot(20, seed=5, paths=64)
    at_once = plan_orders(snapshot)
    monkeypatch.setattr(plan, "WRITTEN_AT_ONCE", 0)
    deferred = plan_orders(snapshot)
    assert not isinstance(deferred.lines, tuple)
    assert len(deferred.lines) == len(at_once.lines)
    assert deferred.lines[-1] == at_once.lines[-1]
    assert deferred.lines[2:5] == at_once.lines[2:5]
    assert deferred.lines == at_once.lines
    assert deferred.intended == at_once.intended
    assert [o.reason for o in deferred.outlooks] == [o.reason for o in at_once.outlooks]
    assert copy.copy(deferred.lines) == at_once.lines
    with pytest.raises(IndexError):
        deferred.lines[len(at_once.lines)]


def test_a_sample_of_a_large_plan_is_sound_and_adds_up(monkeypatch):
    monkeypatch.setattr(plan, "WRITTEN_AT_ONCE", 0)
    snapshot = throughput_snapshot(World(items=120, paths=32))
    made = plan_orders(snapshot)
    part, part_plan = sampled(snapshot, made)
    assert part.n_items == 120
    assert verify(part, part_plan) == ()
    assert part_plan.cost.total == pytest.approx(made.cost.total)
    assert tuple(made.lines) == part_plan.lines


def test_single_precision_paths_give_the_plan_of_double_precision():
    from dataclasses import replace

    single = throughput_snapshot(World(items=40, paths=64))
    double = replace(single, demand=single.demand.astype(np.float64), arrivals=single.arrivals.astype(np.float64))
    one, two = plan_orders(single, OrderingSettings()), plan_orders(double, OrderingSettings())
    assert [(line.line_id, line.quantity) for line in one.lines] == [
        (line.line_id, line.quantity) for line in two.lines
    ]
    assert one.cost.total == pytest.approx(two.cost.total, rel=1e-6)


def test_of_equal_columns_the_first_is_kept():
    source = np.array([[[0, 1], [0, 1], [2, 1], [2, 0], [0, 0]]])
    quantity = np.array([[[0.0, 0.0], [5.0, 0.0], [5.0, 0.0], [5.0, 0.0], [5.0, 0.0]]])
    valid = np.zeros((1, 5), dtype=np.bool_)
    mark_distinct(source, quantity, valid)
    assert valid.tolist() == [[True, True, True, False, False]]
