"""The thresholds of the issue on real orders: fitted on orders sent to 2012, scored on those sent in 2013."""

from datetime import date

import duckdb
import numpy as np
import pytest
from shared_data import shared_data

from benchmarks.cases.lead_time_cases import LAST_DAY, at_clock, shipments
from benchmarks.cases.lead_time_scores import interval_coverage, windowed_crps
from benchmarks.cases.simulated_lanes import TODAY, simulate_lanes
from benchmarks.lead_times import FIT_TO, HALF_YEAR, REMAINING_CLOCKS, score_new_orders, score_remaining
from tools.domain.orders import Receipt
from tools.lead_times import LeadTimeDistribution, estimate_lead_times, promise_trust


def test_the_80_percent_interval_holds_on_orders_sent_in_the_first_half_of_2013() -> None:
    scored = score_new_orders(shipments(shared_data("scms")), FIT_TO, HALF_YEAR)
    assert len(scored.ours) > 250
    assert scored.coverage_80 == pytest.approx(0.8, abs=0.04)


def test_it_does_not_fall_apart_over_the_whole_year_with_its_many_open_orders() -> None:
    scored = score_new_orders(shipments(shared_data("scms")), FIT_TO, LAST_DAY)
    assert len(scored.ours) > 600
    assert 0.72 <= scored.coverage_80 <= 0.88
    assert scored.gain_percent() > 5


def test_vendors_with_few_receipts_are_foretold_better_than_by_their_own_record() -> None:
    rows = shipments(shared_data("scms"))
    half = score_new_orders(rows, FIT_TO, HALF_YEAR)
    assert half.thin.sum() > 20
    assert half.gain_percent(half.thin) >= 10
    for year in (2010, 2011, 2012, 2013):
        scored = score_new_orders(rows, date(year - 1, 12, 31), date(year, 12, 31))
        assert scored.gain_percent(scored.thin) > 3


def test_what_open_orders_still_take_is_foretold_better_than_by_the_vendors_record() -> None:
    scored = [score_remaining(shipments(shared_data("scms")), clock) for clock in REMAINING_CLOCKS]
    ours, plain = (np.concatenate([getattr(s, name) for s in scored]).mean() for name in ("ours", "empirical"))
    assert ours < plain
    covered = sum(s.coverage_80 * len(s.ours) for s in scored) / sum(len(s.ours) for s in scored)
    assert 0.72 <= covered <= 0.9


def test_direct_drop_promises_moved_to_the_outcome_are_found() -> None:
    query = (
        "SELECT vendor, po_so_no, item_norm, po_sent_date::DATE, delivered_date::DATE, scheduled_date::DATE "
        "FROM read_parquet(?) WHERE fulfill_via = 'Direct Drop' AND po_sent_date >= '2010-01-01' "
        "AND po_to_delivery_days BETWEEN 15 AND 400"
    )
    with duckdb.connect() as connection:
        rows = connection.execute(query, [str(shared_data("scms") / "shipments_to_2013.parquet")]).fetchall()
    names = ("supplier_id", "order_id", "item_id", "order_date", "receipt_date", "promised_date")
    judged = promise_trust([Receipt(quantity=1, **dict(zip(names, row, strict=True))) for row in rows])
    verdicts = [one.trust for one in judged.values() if one.trust != "too few"]
    assert len(verdicts) > 15
    assert verdicts.count("rebaselined") >= 0.9 * len(verdicts)


def test_a_clock_knows_nothing_of_what_came_later() -> None:
    clock = at_clock(shipments(shared_data("scms")), date(2012, 12, 31))
    assert max(r.receipt_date for r in clock.receipts) <= clock.as_of
    assert max(o.order_date for o in clock.open_orders) <= clock.as_of


def test_the_windowed_score_is_that_of_the_whole_line_when_the_window_is_long() -> None:
    """Of a point forecast the score is the absolute error."""
    steps = (np.arange(800) >= 30)[None, :].astype(float)
    assert windowed_crps(steps, np.array([42.0]), np.array([700.0])) == pytest.approx([12])
    assert windowed_crps(steps, np.array([np.nan]), np.array([50.0])) == pytest.approx([20])


def test_coverage_counts_open_orders_by_what_may_still_become_of_them() -> None:
    law = LeadTimeDistribution(np.arange(1, 101), np.full(100, 0.01), "offer", 9)
    rng = np.random.default_rng(2)
    days = rng.integers(1, 101, 20_000).astype(float)
    window = rng.integers(20, 120, 20_000).astype(float)
    seen = np.where(days <= window, days, np.nan)
    assert interval_coverage([law] * 20_000, seen, window) == pytest.approx(0.81, abs=0.02)


def test_simulated_laws_are_recovered() -> None:
    world = simulate_lanes(600, 3)
    made = estimate_lead_times(world.offers, world.receipts, world.open_orders, TODAY)
    told = [made[o.offer_id] for o in world.offers]
    ratio = np.log([one.quantile(0.5) for one in told]) - np.log(np.median(world.truth, axis=1))
    assert abs(ratio.mean()) < 0.03
    assert ratio.std() < 0.15
    below = np.array([one.quantile(0.95) for one in told])[:, None]
    assert (world.truth <= below).mean() == pytest.approx(0.95, abs=0.02)
