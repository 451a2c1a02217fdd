from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from tools.domain.arrays import DateArray, FloatArray
from tools.domain.datasets import DemandHistory, Period, PeriodSeries, UserForecast
from tools.forecasting import DemandPattern, bucket, classify, forecast_demand
from tools.forecasting.backtest import Origin, backtest_catalogue, origin_dates
from tools.forecasting.context import DemandContext
from tools.forecasting.history import future_starts

AS_OF = date(2024, 12, 29)


@dataclass(frozen=True)
class Drawn:
    """A forecast with paths of our choosing."""

    item_id: str
    site_id: str
    starts: DateArray
    paths: FloatArray
    pattern: DemandPattern
    history: PeriodSeries


def weekly(item_id: str, values: Sequence[float] | FloatArray) -> DemandHistory:
    dates = np.datetime64(AS_OF) - 7 * np.arange(len(values))[::-1]
    return DemandHistory(item_id, "MAIN", dates, np.asarray(values, dtype=float))


def drawn(history: DemandHistory, origin: Origin, paths: FloatArray) -> Drawn:
    series = bucket(history, origin.as_of, origin.period)
    starts = future_starts(series, origin.as_of, origin.horizon)
    return Drawn(history.item_id, history.site_id, starts, paths, classify(series.quantities), series)


class Flat:
    """Forecasts 0 to 20 evenly and notes what it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[Origin, list[DemandHistory]]] = []

    def __call__(self, histories: Sequence[DemandHistory], origin: Origin) -> Iterator[Drawn]:
        self.seen.append((origin, list(histories)))
        for history in histories:
            yield drawn(history, origin, np.tile(np.linspace(0, 20, 21)[:, None], (1, origin.horizon)))


def test_origins_are_whole_periods_apart_and_the_newest_leaves_the_horizon() -> None:
    assert origin_dates(AS_OF, Period.WEEK, 4, 2, 2) == (date(2024, 12, 1), date(2024, 11, 17))
    assert origin_dates(date(2013, 12, 31), Period.MONTH, 6, 3, 2) == (
        date(2013, 6, 30),
        date(2013, 4, 30),
        date(2013, 2, 28),
    )
    assert origin_dates(AS_OF, Period.DAY, 7, 1, 1) == (date(2024, 12, 22),)


def test_a_month_that_has_not_ended_is_not_among_the_scored_ones() -> None:
    assert origin_dates(date(2013, 12, 15), Period.MONTH, 6, 1, 1) == (date(2013, 5, 31),)


def test_a_forecaster_sees_nothing_that_was_recorded_after_the_origin() -> None:
    make = Flat()
    late = np.array(["2024-12-03", "2024-11-02"], dtype="datetime64[D]")
    context = DemandContext(
        stockouts={("A", "MAIN"): late},
        user_forecasts={"A": UserForecast("A", late, np.ones(2), np.full(2, np.nan))},
    )
    histories = [weekly("A", np.arange(30.0)), weekly("B", np.ones(20))]
    backtest_catalogue(
        histories, as_of=AS_OF, period=Period.WEEK, horizon=4, origins=3, step=3, make=make, context=context
    )
    assert [origin.as_of for origin, _ in make.seen] == list(origin_dates(AS_OF, Period.WEEK, 4, 3, 3))
    for origin, shown in make.seen:
        assert all((history.dates <= np.datetime64(origin.as_of)).all() for history in shown)
        assert origin.context is not None
        assert (origin.context.stockouts["A", "MAIN"] <= np.datetime64(origin.as_of)).all()
        assert origin.context.user_forecasts == {}


def test_changing_what_came_later_changes_no_forecast() -> None:
    rng = np.random.default_rng(1)
    values = rng.gamma(4, 10, 60)
    made: list[list[FloatArray]] = []
    for later in (1.0, 50.0):
        kept: list[FloatArray] = []

        def make(histories: Sequence[DemandHistory], origin: Origin, kept: list[FloatArray] = kept) -> Sequence[Drawn]:
            found = forecast_demand(histories, as_of=origin.as_of, period=origin.period, horizon=origin.horizon)
            kept += [one.paths for one in found]
            return [drawn(h, origin, one.paths) for h, one in zip(histories, found, strict=True)]

        shocked = np.concatenate([values[:52], values[52:] * later])
        backtest_catalogue(
            [weekly("A", shocked)], as_of=AS_OF, period=Period.WEEK, horizon=8, origins=2, step=4, make=make
        )
        made.append(kept)
    assert all((one == other).all() for one, other in zip(*made, strict=True))


def test_the_figures_of_one_item_equal_those_by_hand() -> None:
    history = weekly("A", [4.0, 8.0] * 8 + [10.0, 30.0, 10.0, 10.0])
    made = backtest_catalogue(
        [history], as_of=AS_OF, period=Period.WEEK, horizon=4, origins=1, step=1, make=Flat(), spans=(2, 4)
    )
    (row,) = made.rows
    assert (row.item_id, row.origin, row.horizon, row.actual_units) == ("A", date(2024, 12, 1), 4, 60.0)
    assert row.pattern is DemandPattern.SMOOTH
    assert row.mase == pytest.approx((0 + 20 + 0 + 0) / 4 / 4), "the median is 10; the naive error of the past is 4"
    assert row.rmsse == pytest.approx(np.sqrt(400 / 4 / 16))
    assert row.bias == pytest.approx((40 - 60) / 60)
    assert row.coverage_80 == pytest.approx(0.75), "30 lies outside"
    assert row.scale_units == pytest.approx(6)
    assert row.loss_units == pytest.approx(row.wql * 60)
    assert [span.periods for span in made.spans] == [2, 4]
    assert [span.actual_units for span in made.spans] == [40.0, 60.0]
    shares = [span.coverage_50 for span in made.spans]
    assert shares == pytest.approx([0.0, 0.75]), "40 is the largest total of two; 60 lies on the edge"


def test_an_item_without_demand_to_compare_with_is_counted_without_breaking_the_sums() -> None:
    quiet = weekly("quiet", [5.0, 0.0, 0.0, 5.0] * 5 + [0.0] * 4)
    busy = weekly("busy", np.full(24, 10.0))
    made = backtest_catalogue(
        [quiet, busy], as_of=AS_OF, period=Period.WEEK, horizon=4, origins=1, step=1, make=Flat(), spans=(4,)
    )
    first, second = made.rows
    assert np.isnan(first.wql)
    assert np.isnan(first.bias)
    assert np.isnan(second.mase), "the naive forecast of a constant item makes no error"
    expected = (first.loss_units / first.scale_units + second.loss_units / 10) / (40 / 10)
    assert made.overall.wql == pytest.approx(expected)
    assert made.overall.items == 2
    plain = made.as_rows()[0]
    assert plain["wql"] is None
    assert plain["origin"] == "2024-12-01"
    assert plain["pattern"] == first.pattern.value


def test_an_item_that_begins_after_an_origin_had_no_demand_before() -> None:
    made = backtest_catalogue(
        [weekly("new", [7.0, 7.0])], as_of=AS_OF, period=Period.WEEK, horizon=4, origins=1, step=1, make=Flat()
    )
    (row,) = made.rows
    assert row.actual_units == 14.0
    assert row.pattern is DemandPattern.NONE
    assert row.scale_units == 0.0
    assert np.isnan(made.overall.wql)
    assert made.overall.wql_units > 0


def test_periods_out_of_stock_are_not_scored() -> None:
    history = weekly("A", np.full(24, 10.0))
    empty = DemandContext(stockouts={("A", "MAIN"): np.array(["2024-12-11"], dtype="datetime64[D]")})
    made = backtest_catalogue(
        [history],
        as_of=AS_OF,
        period=Period.WEEK,
        horizon=4,
        origins=1,
        step=1,
        make=Flat(),
        context=empty,
        spans=(1, 2, 4),
    )
    assert made.rows[0].actual_units == 30.0, "the second of the four weeks is left out"
    assert [row.periods for row in made.spans] == [1]


def test_spans_may_differ_by_item_and_those_beyond_the_horizon_are_left_out() -> None:
    histories = [weekly("A", np.full(24, 10.0)), weekly("B", np.full(24, 10.0))]
    made = backtest_catalogue(
        histories,
        as_of=AS_OF,
        period=Period.WEEK,
        horizon=4,
        origins=1,
        step=1,
        make=Flat(),
        spans={("A", "MAIN"): (3, 9)},
    )
    assert [(row.item_id, row.periods) for row in made.spans] == [("A", 3)]
    assert np.isnan(made.rows[1].lead_time_coverage_80)


def test_a_right_forecast_is_calibrated_in_every_class_and_over_its_lead_time() -> None:
    rng = np.random.default_rng(8)
    rates = {f"I{n}": (0.1 if n % 2 else 0.95) for n in range(300)}

    def sales(rate: float, shape: tuple[int, ...]) -> FloatArray:
        return np.where(rng.random(shape) < rate, rng.poisson(6, shape) + 1, 0).astype(float)

    def make(histories: Sequence[DemandHistory], origin: Origin) -> list[Drawn]:
        return [drawn(h, origin, sales(rates[h.item_id], (200, origin.horizon))) for h in histories]

    histories = [weekly(name, sales(rate, (60,))) for name, rate in rates.items()]
    made = backtest_catalogue(
        histories, as_of=AS_OF, period=Period.WEEK, horizon=4, origins=3, step=4, make=make, spans=(4,)
    )
    for summary in (*made.by_pattern, *made.by_span):
        if summary.forecasts >= 300:
            assert summary.coverage_80 == pytest.approx(0.80, abs=0.04)
            assert summary.coverage_95 == pytest.approx(0.95, abs=0.02)
    assert made.overall.wql < made.overall.wql_naive


def test_a_report_says_what_it_was_made_from() -> None:
    made = backtest_catalogue(
        [weekly("A", np.ones(30))],
        as_of=AS_OF,
        period=Period.WEEK,
        horizon=4,
        origins=2,
        step=2,
        make=Flat(),
        dataset_version="d1",
        model_version="2",
        settings="paths=21",
        seed=3,
    )
    lineage = made.lineage
    assert (lineage.dataset_version, lineage.model_version, lineage.settings, lineage.seed) == (
        "d1",
        "2",
        "paths=21",
        3,
    )
    assert lineage.origins == (date(2024, 12, 1), date(2024, 11, 17))


def test_the_real_forecasts_of_a_catalogue_beat_the_naive_ones() -> None:
    rng = np.random.default_rng(11)
    histories = [
        weekly(f"I{n}", rng.gamma(4, 20, 80) * (rng.random(80) < (0.3 if n % 3 == 0 else 1))) for n in range(12)
    ]
    made = backtest_catalogue(
        histories,
        as_of=AS_OF,
        period=Period.WEEK,
        horizon=6,
        origins=3,
        step=4,
        make=lambda shown, origin: forecast_demand(
            shown, as_of=origin.as_of, period=origin.period, horizon=origin.horizon
        ),
    )
    assert len(made.rows) == 36
    assert made.overall.wql < 0.9 * made.overall.wql_naive
