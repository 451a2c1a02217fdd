import csv
import re
from collections import defaultdict
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest
from shared_data import shared_data

from tools.domain.datasets import CalendarDay, DemandHistory, Period, UserForecast
from tools.forecasting import (
    DemandContext,
    DemandPattern,
    ForecastSettings,
    bucket,
    forecast_catalogue,
    forecast_demand,
)
from tools.forecasting.accuracy import LEVELS, coverage, quantile_losses, seasonal_naive_quantiles
from tools.forecasting.combining.reconciliation import NO_FAMILY
from tools.forecasting.engine import fit_catalogue, panel_of
from tools.forecasting.forecast import reconciling_factors, with_totals

AS_OF = date(2024, 12, 29)


def weekly(item_id: str, values: np.ndarray) -> DemandHistory:
    dates = np.datetime64(AS_OF) - 7 * np.arange(len(values))[::-1]
    return DemandHistory(item_id, "MAIN", dates, np.asarray(values, dtype=float))


def assortment(items: int, weeks: int) -> list[DemandHistory]:
    rng = np.random.default_rng(11)
    made: list[DemandHistory] = []
    for row in range(items):
        values = rng.gamma(4, 20, weeks)
        made.append(weekly(f"I{row}", values * (rng.random(weeks) < 0.3) if row % 4 == 0 else values))
    return made


@cache
def real_demand() -> dict[str, DemandHistory]:
    rows: dict[str, list[tuple[str, float]]] = defaultdict(list)
    with (shared_data("demo_rdc") / "demand.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["item_id"]].append((row["date"], float(row["quantity"])))
    return {
        item_id: DemandHistory(
            item_id,
            "RDC",
            np.array([day for day, _ in found], dtype="datetime64[D]"),
            np.array([units for _, units in found]),
        )
        for item_id, found in rows.items()
    }


def test_forecasts_are_the_same_for_the_same_seed_and_differ_for_another() -> None:
    histories = assortment(3, 60)
    first, second = (forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=8) for _ in range(2))
    other = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=8, settings=ForecastSettings(seed=8))
    for a, b, c in zip(first, second, other, strict=True):
        assert (a.paths == b.paths).all()
        assert (a.paths != c.paths).any()


def test_an_item_is_forecast_alike_wherever_it_stands_in_the_catalogue() -> None:
    histories = assortment(6, 60)
    forward = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=5)
    backward = forecast_demand(histories[::-1], as_of=AS_OF, period=Period.WEEK, horizon=5)
    for one, other in zip(forward, backward[::-1], strict=True):
        assert one.mean() == pytest.approx(other.mean(), rel=0.1)


def test_a_catalogue_draws_the_same_paths_for_one_item_as_for_all() -> None:
    histories = assortment(6, 60)
    together = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=5)
    catalogue = forecast_catalogue(histories, as_of=AS_OF, period=Period.WEEK, horizon=5)
    assert (catalogue.forecast(("I3", "MAIN")).paths == together[3].paths).all()
    quantiles = catalogue.quantiles(np.array([0.5]))[:, 0]
    frequent = [row for row in range(6) if row % 4]
    for row in frequent:
        assert together[row].quantile(0.5) == pytest.approx(quantiles[row], rel=0.15)


def test_broken_and_short_histories_state_their_fallback_and_leave_the_others_alone() -> None:
    good = weekly("good", np.random.default_rng(1).gamma(4, 10, 60))
    histories = [
        DemandHistory("none", "MAIN", np.empty(0, dtype="datetime64[D]"), np.empty(0)),
        weekly("zero", np.zeros(30)),
        weekly("nan", np.full(30, np.nan)),
        weekly("short", np.array([3.0, 4.0, 5.0])),
        weekly("single", np.array([9.0])),
        good,
    ]
    made = {f.item_id: f for f in forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=6)}
    assert all(f.paths.shape == (256, 6) and np.isfinite(f.paths).all() for f in made.values())
    assert [made[name].paths.sum() for name in ("none", "zero", "nan")] == [0, 0, 0]
    assert "3 periods" in (made["short"].fallback or "") or "analogy" in (made["short"].fallback or "")
    assert made["single"].fallback
    assert made["single"].paths.sum() > 0
    assert made["good"].fallback is None
    assert made["good"].mean().mean() == pytest.approx(40, rel=0.2)


def test_intermittent_items_get_their_bootstrap_beside_the_pool_and_smooth_ones_the_ensemble() -> None:
    intermittent, smooth_item = forecast_demand(assortment(2, 80), as_of=AS_OF, period=Period.WEEK, horizon=6)
    assert intermittent.pattern in (DemandPattern.INTERMITTENT, DemandPattern.LUMPY)
    assert "bootstrap and negative binomial" in intermittent.model
    assert smooth_item.pattern is DemandPattern.SMOOTH
    assert smooth_item.model.startswith("level ") and "bootstrap" not in smooth_item.model
    assert set(smooth_item.accuracy) == {"mase", "origins"}
    assert smooth_item.accuracy["origins"] > 10


def test_items_sold_in_whole_units_are_forecast_in_whole_units_with_the_mean_kept() -> None:
    rng = np.random.default_rng(3)
    histories = [weekly(f"W{row}", rng.poisson(0.6, 104)) for row in range(20)]
    histories.append(weekly("KG", rng.gamma(4, 2.5, 104)))
    made = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=6)
    assert all((f.paths == np.floor(f.paths)).all() for f in made[:-1])
    assert (made[-1].paths != np.floor(made[-1].paths)).any()
    assert np.mean([f.paths.mean() for f in made[:-1]]) == pytest.approx(0.6, rel=0.15)


def test_lead_time_demand_of_an_intermittent_world_is_covered() -> None:
    rng = np.random.default_rng(12)
    rates = rng.uniform(0.2, 0.6, (120, 1))
    world = (rng.random((120, 92)) < rates) * rng.geometric(0.3, (120, 92)).astype(float)
    histories = [weekly(f"L{row}", values[:84]) for row, values in enumerate(world)]
    made = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=8)
    actual = world[:, 84:].sum(axis=1)
    below = np.array([(f.paths[:, :8].sum(axis=1) < came).mean() for f, came in zip(made, actual, strict=True)])
    upto = np.array([(f.paths[:, :8].sum(axis=1) <= came).mean() for f, came in zip(made, actual, strict=True)])
    middle = (below + upto) / 2
    assert ((middle >= 0.1) & (middle <= 0.9)).mean() == pytest.approx(0.8, abs=0.1)
    assert ((middle >= 0.025) & (middle <= 0.975)).mean() >= 0.9


def test_the_coming_periods_closed_in_the_calendar_are_forecast_lower() -> None:
    histories = assortment(3, 60)
    shut = [AS_OF + timedelta(days=day) for day in range(8, 15)]
    calendar = tuple(CalendarDay(day, None, promotion=False, closed=True) for day in shut)
    known = DemandContext(calendar=calendar)
    made = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=3, context=known)
    for one in made:
        assert one.paths[:, 1].sum() == 0
        assert one.paths[:, 0].sum() > 0


def test_a_family_moves_its_items_forecasts_moderately() -> None:
    rng = np.random.default_rng(5)
    season = 1 + 0.5 * np.sin(2 * np.pi * np.arange(120) / 52.18)
    histories = [weekly(f"F{row}", rng.gamma(2, 20, 120) * season) for row in range(6)]
    families = DemandContext(families={f"F{row}": "A" for row in range(6)})
    plain = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=8)
    made = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=8, context=families)
    assert any((a.mean() != b.mean()).any() for a, b in zip(plain, made, strict=True))
    ratio = sum(f.mean().sum() for f in made) / sum(f.mean().sum() for f in plain)
    assert 0.8 < ratio < 1.25


def test_a_season_that_only_the_familys_total_shows_reaches_its_items() -> None:
    """The items' own noise hides it; without families the plan would not see the trough coming."""
    rng = np.random.default_rng(5)
    weeks = np.arange(156 + 13)
    season = 1 + 0.5 * np.cos(2 * np.pi * (weeks - 156 - 32) / 52.18)
    world = rng.gamma(0.5, 80, (40, 156)) * season[:156]
    histories = [weekly(f"F{row}", values) for row, values in enumerate(world)]
    context = DemandContext(families={f"F{row}": "A" for row in range(40)})
    truth = 40 * 40 * season[156:].sum()
    totals = [
        sum(
            made.mean().sum()
            for made in forecast_demand(
                histories,
                as_of=AS_OF,
                period=Period.WEEK,
                horizon=13,
                settings=ForecastSettings(reconcile=reconcile),
                context=context,
            )
        )
        for reconcile in (False, True)
    ]
    assert abs(totals[1] - truth) < 0.7 * abs(totals[0] - truth)


def test_reconciled_means_add_up_to_what_item_and_family_forecasts_agree_on() -> None:
    rng = np.random.default_rng(9)
    families = np.array([0, 0, 0, 1, 1, NO_FAMILY])
    panel = with_totals(panel_of([rng.gamma(6, 10 + row, 80) for row in range(6)], Period.WEEK), families)
    made = fit_catalogue(panel, 8)
    factor = reconciling_factors(made, families)
    own = made.mean * made.season
    for family, rows in enumerate(([0, 1, 2], [3, 4])):
        agreed, apart = (own[rows] * factor[rows]).sum(axis=0), own[rows].sum(axis=0)
        between = np.sort(np.stack([apart, own[6 + family]]), axis=0)
        assert ((agreed > between[0]) & (agreed < between[1])).all()
    assert (factor[5] == 1).all()


def test_a_new_item_borrows_from_its_family_and_says_so() -> None:
    rng = np.random.default_rng(6)
    histories = [weekly(f"S{row}", rng.gamma(6, 10, 80)) for row in range(8)]
    histories.append(weekly("NEW", np.array([55.0, 70.0])))
    families = DemandContext(families={h.item_id: "SHIRTS" for h in histories})
    made = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=6, context=families)[-1]
    assert "family SHIRTS" in (made.fallback or "")
    assert made.mean().mean() == pytest.approx(60, rel=0.2)
    established = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=6, context=families)[0]
    assert made.paths.sum(axis=1).std() > established.paths.sum(axis=1).std()


def test_a_discontinued_item_is_forecast_at_nothing_and_says_so() -> None:
    busy = np.random.default_rng(7).gamma(4, 10, 60)
    made = forecast_demand(
        [weekly("GONE", np.concatenate([busy, np.zeros(40)])), weekly("STAYS", np.tile(busy, 2)[:100])],
        as_of=AS_OF,
        period=Period.WEEK,
        horizon=6,
    )
    assert "discontinued" in (made[0].fallback or "")
    assert made[0].paths.sum() == 0
    assert made[1].paths.sum() > 0


def test_a_users_forecast_counts_and_is_scored_beside_ours() -> None:
    rng = np.random.default_rng(8)
    histories = [weekly(f"U{row}", rng.gamma(9, 10, 80)) for row in range(3)]
    dates = np.datetime64(AS_OF) + 1 + 7 * np.arange(6)
    user = UserForecast("U1", dates, np.full(6, 180.0), np.full(6, np.nan))
    known = DemandContext(user_forecasts={"U1": user})
    plain = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=6)
    made = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=6, context=known)
    assert plain[1].mean().mean() + 10 < made[1].mean().mean() < 180
    assert any("your forecast counts" in note for note in made[1].notes)
    assert (made[0].paths == plain[0].paths).all()


def test_an_item_last_sold_before_the_history_that_is_used_fails_nobody() -> None:
    """Its one pause before was as long, so nothing says that it was discontinued."""
    rare = np.zeros(395)
    rare[[0, 180]] = 5.0
    steady = weekly("STEADY", np.random.default_rng(3).poisson(5, 100))
    made = forecast_demand([weekly("RARE", rare), steady], as_of=AS_OF, period=Period.WEEK, horizon=6)
    assert made[0].paths.sum() == 0
    assert "no demand in the last 208 weeks" in (made[0].fallback or "")
    assert made[1].mean().mean() == pytest.approx(5, rel=0.2)


def test_our_record_of_a_seasonal_item_is_judged_in_units_as_sold() -> None:
    """A flat guess of the user's is far worse than our seasonal forecast and has to lose weight for it."""
    months = np.arange(84)
    season = 100 * (1 + 0.8 * np.sin(2 * np.pi * months / 12))
    noise = np.random.default_rng(4).gamma(400, 1 / 400, 84)
    starts = np.datetime64("2018-01") + months
    history = DemandHistory("S", "MAIN", starts.astype("datetime64[D]"), season * noise)
    coming = np.arange(np.datetime64("2018-01"), np.datetime64("2026-01")).astype("datetime64[D]")
    guess = UserForecast("S", coming, np.full(coming.size, 100.0), np.full(coming.size, np.nan))
    known = DemandContext(user_forecasts={"S": guess})
    end = date(2024, 12, 31)
    made = forecast_demand([history], as_of=end, period=Period.MONTH, horizon=12, context=known)[0]
    assert "with season" in made.model
    assert made.accuracy["mase"] < 0.6
    counted = next(note for note in made.notes if "your forecast counts" in note)
    assert int(re.search(r"counts (\d+)%", counted)[1]) <= 10


def test_a_giant_order_that_was_one_of_a_kind_does_not_move_the_forecast() -> None:
    rng = np.random.default_rng(9)
    quiet = rng.gamma(4, 10, 60)
    shocked = quiet.copy()
    shocked[-5] = 80_000.0
    made = [
        forecast_demand([weekly("X", values)], as_of=AS_OF, period=Period.WEEK, horizon=6)[0]
        for values in (quiet, shocked)
    ]
    assert made[1].mean() == pytest.approx(made[0].mean(), rel=0.15)
    assert made[1].notes


def test_quantiles_are_ordered_and_the_first_period_starts_after_as_of() -> None:
    (made,) = forecast_demand(assortment(1, 60), as_of=AS_OF, period=Period.WEEK, horizon=4)
    assert (made.quantile(0.1) <= made.quantile(0.5)).all()
    assert (made.quantile(0.5) <= made.quantile(0.95)).all()
    assert str(made.starts[0]) == "2024-12-30"


def losses(engine_history: DemandHistory, cut: date) -> tuple[float, float, float]:
    """Quantile loss of the forecast and of the seasonal naive over the six months after `cut`, and coverage."""
    actual = bucket(engine_history, date(2013, 12, 31), Period.MONTH)
    (made,) = forecast_demand([engine_history], as_of=cut, period=Period.MONTH, horizon=6)
    future = actual.quantities[np.isin(actual.starts, made.starts)]
    quantiles = np.quantile(made.paths, LEVELS, axis=0)
    naive = seasonal_naive_quantiles(made.history.quantities, 6, 12)
    loss, naive_loss = (float(quantile_losses(future, q).mean()) for q in (quantiles, naive))
    return loss, naive_loss, coverage(future, made.paths, 0.8)


def test_real_frequent_items_beat_the_seasonal_naive_and_cover_what_came() -> None:
    cuts = [date(2011, 12, 31), date(2012, 6, 30), date(2012, 12, 31), date(2013, 6, 30)]
    frequent = ["P01", "P02", "P03", "P04", "P06", "P08"]
    found = np.array([losses(real_demand()[item], cut) for item in frequent for cut in cuts])
    assert found[:, 0].sum() < 0.85 * found[:, 1].sum()
    assert 0.65 <= found[:, 2].mean() <= 0.92


def test_real_intermittent_items_beat_the_seasonal_naive() -> None:
    cuts = [date(2011, 12, 31), date(2012, 6, 30), date(2012, 12, 31), date(2013, 6, 30)]
    slow = ["P05", "P07", "P09", "P10", "P11", "P12", "P13", "P14"]
    found = np.array([losses(real_demand()[item], cut) for item in slow for cut in cuts])
    assert np.median(found[:, 0] / found[:, 1]) < 1
    assert 0.6 <= found[:, 2].mean() <= 0.95


def test_all_real_items_are_forecast_without_a_fallback() -> None:
    made = forecast_demand(list(real_demand().values()), as_of=date(2013, 12, 31), period=Period.MONTH, horizon=12)
    assert len(made) == 14
    assert [f.item_id for f in made if f.fallback] == ["P14"]
