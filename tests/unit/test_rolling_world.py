"""The weekly world of the rolling-horizon benchmark: its books balance, and all buyers meet the same luck."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from scipy.stats import gamma as gamma_distribution

from benchmarks.cases.classical_policies import (
    ClassicalBuyer,
    RecentWeeks,
    best_in_hindsight,
    economic_lots,
    weekly_cost,
)
from benchmarks.cases.planning_worlds import Terms, source_table
from benchmarks.cases.rolling_world import BuyersView, RollingWorld, build_world, play_weeks
from benchmarks.rolling_horizon import EngineBuyer, EngineSettings, Forecasts, measure, open_arrivals


def small_world(demand, *, lead=2, start=10.0, price=10.0, fixed_cost=3.0, breaks=()) -> RollingWorld:
    """One item, one source with a certain lead time, holding 1 and shortage 9 a unit and week."""
    weeks = len(demand)
    probabilities = tuple(float(week == lead) for week in range(lead + 1))
    return RollingWorld(
        kind=np.zeros(1, dtype=np.int64),
        history=np.full((1, 8), 5.0),
        demand=np.array([demand], dtype=np.float64),
        sources=source_table([Terms(price=price, lead_time=probabilities, fixed_cost=fixed_cost, breaks=breaks)]),
        lead_weeks=np.full((1, weeks), lead, dtype=np.int64),
        unit_value=np.array([price]),
        holding=np.ones(1),
        shortage=np.full(1, 9.0),
        start_stock=np.array([start]),
    )


@dataclass
class Scripted:
    """Orders what is written down, and remembers what it saw."""

    units: dict[int, float]
    views: list[BuyersView] = field(default_factory=list)

    def order(self, view: BuyersView):
        self.views.append(view)
        return np.array([self.units.get(view.week, 0.0)])


def test_stock_holding_shortage_and_orders_are_counted_week_by_week():
    played = play_weeks(small_world([6, 6, 6, 6]), Scripted({0: 8.0}))
    # net stock after demand: 4, -2, -2 + 8 - 6 = 0 with the arrival in week 2, -6
    assert played.holding[0] == 4
    assert played.shortage[0] == 9 * (2 + 0 + 6)
    assert played.ordering[0] == 3
    assert played.served[0] == 6 + 4 + 6 + 0
    assert played.ready_rate() == pytest.approx(50.0)
    assert played.fill_rate() == pytest.approx(100 * 16 / 24)


def test_only_what_is_paid_above_the_cheapest_price_counts_as_premium():
    world = small_world([5, 5, 5, 5], breaks=((20.0, 9.0),))
    small, large = play_weeks(world, Scripted({0: 10.0})), play_weeks(world, Scripted({0: 20.0}))
    assert small.premium[0] == pytest.approx(10.0)
    assert large.premium[0] == pytest.approx(0.0)
    assert small.unavoidable[0] == large.unavoidable[0] == pytest.approx(9.0 * 20)


def test_the_buyer_sees_open_orders_and_past_weeks_but_no_demand_to_come():
    buyer = Scripted({0: 8.0})
    play_weeks(small_world([6, 1, 2, 3]), buyer)
    assert [view.past.shape[1] for view in buyer.views] == [8, 9, 10, 11]
    assert buyer.views[1].open_units[0].tolist() == [8.0]
    assert buyer.views[2].open_units[0].tolist() == [0.0, 0.0]
    assert buyer.views[2].net_stock[0] == 10 - 6 - 1 + 8
    assert buyer.views[3].past[0, -3:].tolist() == [6.0, 1.0, 2.0]


def test_an_order_below_the_minimum_of_its_source_is_refused():
    world = small_world([5, 5])
    terms = replace(world.sources, moq=np.array([12.0]))
    with pytest.raises(ValueError, match="against the terms of I000"):
        play_weeks(replace(world, sources=terms), Scripted({0: 8.0}))


def test_a_world_is_the_same_for_a_seed_and_offers_three_sources_each():
    first, again = build_world(10, 20, seed=3), build_world(10, 20, seed=3)
    assert np.array_equal(first.demand, again.demand)
    assert np.array_equal(first.lead_weeks, again.lead_weeks)
    assert np.bincount(first.sources.item).tolist() == [3] * 10
    assert first.sources.expedite.sum() == 10
    shares = np.stack([np.mean(first.lead_weeks == week) for week in range(first.sources.lead_time.shape[1])])
    assert shares == pytest.approx(first.sources.lead_time.mean(axis=0), abs=0.08)


def test_lead_time_demand_has_the_moments_of_the_textbook():
    world = build_world(5, 4, seed=1)
    view = BuyersView(0, world.history, world.start_stock, np.zeros((15, 0)))
    weeks = np.arange(world.sources.lead_time.shape[1])
    lead = world.sources.lead_time @ weeks
    spread = world.sources.lead_time @ weeks**2 - lead**2
    recent = world.history[:, -52:][world.sources.item]
    mean, variance = recent.mean(axis=1), recent.var(axis=1, ddof=1)
    total = (lead + 1) * variance + mean**2 * spread
    normal = RecentWeeks(world.sources, 52, gamma=False).lead_demand(view, np.full(15, 1.5))
    assert normal == pytest.approx(mean * (lead + 1) + 1.5 * np.sqrt(total))
    shape = (mean * (lead + 1)) ** 2 / total
    expected = gamma_distribution.ppf(0.9331928, shape, scale=mean * (lead + 1) / shape)
    assert RecentWeeks(world.sources, 52, gamma=True).lead_demand(view, np.full(15, 1.5)) == pytest.approx(expected)


def test_lots_are_economic_and_no_accepted_lot_nearby_costs_less():
    world = build_world(40, 4, seed=2)
    mean = np.maximum(world.history.mean(axis=1), 0.1)[world.sources.item]
    lots = economic_lots(world, mean)
    step = world.sources.order_multiple
    best = weekly_cost(world, mean, lots)
    for other in (lots + step, np.maximum(lots - step, np.maximum(world.sources.moq, step))):
        assert (best <= weekly_cost(world, mean, other) * (1 + 1e-9)).all()


def test_the_tuned_policy_costs_no_more_than_any_member_of_its_family():
    world = build_world(10, 26, seed=4)
    estimates = (RecentWeeks(world.sources, 52, gamma=True),)
    tuned = best_in_hindsight(world, estimates)
    for shift in (-0.4, 0.0, 0.4):
        other = play_weeks(world, ClassicalBuyer(world, estimates[0], "least cost", shift))
        assert tuned.played.relevant.sum() <= other.relevant.sum() + 1e-9


def test_an_open_order_is_expected_by_its_lead_time_given_that_it_has_not_come():
    world = build_world(1, 12, seed=5)
    lead = world.sources.lead_time[0]
    longest = int(np.flatnonzero(lead).max())
    units = np.zeros((3, longest - 1))
    units[0, 0] = 40.0
    view = BuyersView(longest - 1, world.history, world.start_stock, units)
    arrivals = open_arrivals(world, view, (1, 64, 10), 7)
    # placed longest - 1 weeks ago: only the longest lead time is left, so it comes next week on every path
    assert (arrivals[0, :, 1] == 40.0).all()
    young = BuyersView(1, world.history, world.start_stock, units[:, :1])
    landed = open_arrivals(world, young, (1, 64, 12), 7)[0].argmax(axis=1)
    assert np.mean(landed + 1) == pytest.approx(lead @ np.arange(lead.size), abs=0.1)


def test_the_engine_buys_within_the_terms_and_keeps_every_kind_of_item_in_stock():
    world = build_world(10, 12, seed=6)
    settings = EngineSettings(paths=64, forecast_every_weeks=4)
    played = play_weeks(world, EngineBuyer(world, Forecasts(settings), settings))
    assert played.fill_rate() > 85
    assert (played.orders > 0).sum() >= 5


def test_the_benchmark_prints_who_paid_what_and_both_fill_rates():
    table, figures = measure(5, 6, EngineSettings(paths=32, forecast_every_weeks=4))
    assert "intermittent: best (s,Q)" in table
    assert {"cost_change_percent", "fill_rate_change", "fill_rate_engine", "fill_rate_classical"} <= figures.keys()
