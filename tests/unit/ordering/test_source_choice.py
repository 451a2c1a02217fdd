"""Which sources an order is split over, and that no quantity near the chosen one is cheaper."""

import numpy as np
import pytest

from benchmarks.cases.planning_worlds import Terms, random_snapshot, snapshot_of_paths
from tools.domain.snapshots import OrderingSettings
from tools.ordering import plan_orders, verify
from tools.ordering.candidates.columns import Columns
from tools.ordering.pricing.items import cost_parts, price_items
from tools.ordering.problem.levels import lead_ranks
from tools.ordering.stochastic.rollout import play

OFFERS = [f"I{item:03d}|S{supplier:02d}|air|MAIN" for item in range(12) for supplier in range(5)]


def test_lead_time_ranks_of_different_sources_are_unrelated():
    """A fixed shift between two sources would make one slow whenever the other is fast: hedging by construction."""
    related = np.corrcoef(lead_ranks(OFFERS, 512, 7)) - np.eye(len(OFFERS))
    assert np.abs(related).max() < 0.2
    assert np.abs(related).mean() < 0.05


def test_each_source_sees_every_rank_once_and_the_same_ranks_whatever_else_is_planned():
    ranks = lead_ranks(OFFERS, 128, 7)
    assert np.sort(ranks, axis=1) == pytest.approx(np.tile((np.arange(128) + 0.5) / 128, (len(OFFERS), 1)))
    assert np.array_equal(lead_ranks(OFFERS[7:9], 128, 7), ranks[7:9])
    assert not np.array_equal(lead_ranks(OFFERS, 128, 8), ranks)


def demanded(seed: int = 3):
    return np.random.default_rng(seed).gamma(4.0, 25.0, (1, 256, 16))


CHEAP = Terms(supplier=0, price=10.0, lead_time=(0, 0, 0, 0, 0, 0, 1.0))
NEARER = Terms(supplier=1, price=10.5, lead_time=(0, 0, 0, 1.0))
WHOLESALE = Terms(supplier=2, price=60.0, lead_time=(0, 0, 1.0), expedite=True)


def planned(on_hand: float, shortage: float):
    snapshot = snapshot_of_paths(
        demanded(),
        [CHEAP, NEARER, WHOLESALE],
        on_hand=[on_hand],
        holding=[0.05],
        shortage=[shortage],
        suppliers=3,
        unit_value=10.0,
    )
    plan = plan_orders(snapshot)
    assert verify(snapshot, plan) == ()
    return {line.supplier_id: line.quantity for line in plan.lines}


def test_a_gap_is_bridged_by_the_source_that_saves_most_and_not_by_the_fastest_at_any_price():
    ordered = planned(on_hand=150.0, shortage=2.0)
    assert ordered.keys() == {"S00", "S01"}


def test_the_wholesaler_at_six_times_the_price_is_called_where_a_shortage_costs_more_than_its_premium():
    assert "S02" in planned(on_hand=150.0, shortage=200.0)
    assert "S02" not in planned(on_hand=3_000.0, shortage=200.0)


@pytest.mark.parametrize("seed", range(6))
def test_no_scaling_of_an_order_by_a_quarter_is_notably_cheaper(seed: int):
    snapshot = random_snapshot(6, seed=seed)
    settings = OrderingSettings()
    batch = price_items(snapshot, settings, np.arange(6), shared=False)
    chosen = np.argmin(batch.total, axis=1)
    rows = np.arange(6)[:, None]
    at = rows, chosen[:, None]
    for factor in (0.75, 1.25):
        moved = Columns(
            batch.columns.source[at],
            np.round(batch.columns.quantity[at] * factor),
            batch.columns.valid[at],
            batch.columns.wanted[at],
        )
        result = play(batch.problem, batch.policy, moved)
        other = cost_parts(batch.problem, batch.policy, moved, result).sum(axis=2)[:, 0]
        assert (batch.total.min(axis=1) <= other + 0.01 * np.abs(other)).all()


@pytest.mark.parametrize("seed", range(8))
def test_being_allowed_to_expedite_never_costs_notably_more(seed: int):
    snapshot = random_snapshot(8, seed=seed)
    free = plan_orders(snapshot).cost.total
    barred = plan_orders(snapshot, OrderingSettings(allow_expedite=False)).cost.total
    assert free <= 1.01 * barred
