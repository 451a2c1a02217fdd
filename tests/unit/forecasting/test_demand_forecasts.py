import csv
import time
from collections import defaultdict
from datetime import date
from functools import cache

import numpy as np
import pytest
from shared_data import shared_data

from tools.domain.datasets import DemandHistory, Period
from tools.forecasting import DemandPattern, Engine, ForecastSettings, bucket, coverage, forecast_demand, pinball
from tools.forecasting.accuracy import seasonal_naive_paths

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


def test_an_item_is_forecast_alike_alone_and_among_others() -> None:
    histories = assortment(4, 60)
    together = forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=5)
    alone = forecast_demand(histories[2:3], as_of=AS_OF, period=Period.WEEK, horizon=5)
    assert (together[2].paths == alone[0].paths).all()


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
    assert "3 periods" in (made["short"].fallback or "")
    assert set(np.unique(made["single"].paths)) == {9.0}
    assert made["good"].fallback is None
    assert made["good"].mean().mean() == pytest.approx(40, rel=0.2)


def test_intermittent_items_get_the_compound_bootstrap_and_smooth_ones_the_ensemble() -> None:
    intermittent, smooth_item = forecast_demand(assortment(2, 80), as_of=AS_OF, period=Period.WEEK, horizon=6)
    assert intermittent.pattern in (DemandPattern.INTERMITTENT, DemandPattern.LUMPY)
    assert intermittent.model == "sba-compound-bootstrap"
    assert (smooth_item.pattern, smooth_item.model) == (DemandPattern.SMOOTH, "damped+theta")
    assert set(smooth_item.accuracy) >= {"mase", "pinball_to_naive", "coverage_80", "bias"}


def test_quantiles_are_ordered_and_the_first_period_starts_after_as_of() -> None:
    (made,) = forecast_demand(assortment(1, 60), as_of=AS_OF, period=Period.WEEK, horizon=4)
    assert (made.quantile(0.1) <= made.quantile(0.5)).all()
    assert (made.quantile(0.5) <= made.quantile(0.95)).all()
    assert str(made.starts[0]) == "2024-12-30"


def test_the_statsforecast_engine_is_a_setting() -> None:
    settings = ForecastSettings(engine=Engine.STATSFORECAST)
    history = assortment(2, 60)[1:]
    (made,) = forecast_demand(history, as_of=AS_OF, period=Period.WEEK, horizon=4, settings=settings)
    assert made.model == "AutoETS+DOT"
    assert made.mean().mean() == pytest.approx(80, rel=0.25)


def test_forty_items_of_two_years_are_forecast_within_five_seconds() -> None:
    histories = assortment(40, 104)
    started = time.perf_counter()
    forecast_demand(histories, as_of=AS_OF, period=Period.WEEK, horizon=26)
    assert time.perf_counter() - started < 5


def losses(engine_history: DemandHistory, cut: date) -> tuple[float, float, float]:
    """Pinball loss of the forecast and of the seasonal naive over the six months after `cut`, and coverage."""
    actual = bucket(engine_history, date(2013, 12, 31), Period.MONTH)
    (made,) = forecast_demand([engine_history], as_of=cut, period=Period.MONTH, horizon=6)
    future = actual.quantities[np.isin(actual.starts, made.starts)]
    naive = seasonal_naive_paths(made.history.quantities, 6, 12)
    return pinball(future, made.paths), pinball(future, naive), coverage(future, made.paths, 0.8)


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
    assert {f.fallback for f in made} == {None}
