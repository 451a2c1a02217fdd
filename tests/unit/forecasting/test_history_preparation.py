"""Any history becomes a prepared series with its notes, and none disturbs another."""

import csv
import time
from datetime import date

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import shared_data

from tools.domain.datasets import CalendarDay, DemandHistory, Period
from tools.forecasting.context import DemandContext
from tools.forecasting.forecast import forecast_catalogue
from tools.forecasting.history import bucket, bucket_all
from tools.forecasting.preparation import Life, PreparedSeries, prepare

AS_OF = date(2024, 12, 29)
END = np.datetime64(AS_OF)


def daily(quantities: object, item_id: str = "A") -> DemandHistory:
    """A record for each of the last days."""
    units = np.asarray(quantities, dtype=np.float64)
    return DemandHistory(item_id, "MAIN", END - np.arange(units.size)[::-1], units)


def weekly(quantities: object, item_id: str = "A") -> DemandHistory:
    """A record on the last day of each of the last weeks."""
    units = np.asarray(quantities, dtype=np.float64)
    return DemandHistory(item_id, "MAIN", END - 7 * np.arange(units.size)[::-1], units)


def one(history: DemandHistory, period: Period = Period.WEEK) -> PreparedSeries:
    return prepare([history], as_of=AS_OF, period=period, horizon=4)[0]


def written(dates: list[str], quantities: list[float]) -> DemandHistory:
    return DemandHistory("A", "MAIN", np.array(dates, dtype="datetime64[D]"), np.array(quantities, dtype=np.float64))


BROKEN = {
    "nothing": (written([], []), Life.NONE, ""),
    "zeros": (weekly(np.zeros(40)), Life.NONE, ""),
    "one": (weekly([5]), Life.NEW, ""),
    "three": (weekly([5, 6, 7]), Life.NEW, ""),
    "nan": (weekly([5, np.nan, 7] * 10), Life.ACTIVE, "10 rows whose quantity is no number up to 1e12 left out"),
    "infinite": (weekly([5, np.inf, 7] * 10), Life.ACTIVE, "10 rows whose quantity is no number up to 1e12 left out"),
    "huge": (weekly([5, 1e300, 7] * 10), Life.ACTIVE, "10 rows whose quantity is no number up to 1e12 left out"),
    "returns": (weekly([5, 6, 7, -2] * 10), Life.ACTIVE, "10 rows with a negative quantity (returns) left out"),
    "future": (
        written(["2024-12-01", "2024-12-08", "2025-03-01"], [1, 2, 900]),
        Life.NEW,
        "1 row dated after the clock left out",
    ),
    "undated": (written(["2024-12-01", "NaT", "2024-12-20"], [1, 2, 3]), Life.NEW, "1 row without a date left out"),
    "repeated": (written(["2024-12-01", "2024-12-01"], [1, 2]), Life.NEW, "1 repeated date: quantities added up"),
    "only nan": (weekly([np.nan] * 20), Life.NONE, "20 rows whose quantity is no number up to 1e12 left out"),
    "short column": (
        DemandHistory("A", "MAIN", END - np.arange(9)[::-1], np.ones(5)),
        Life.NEW,
        "9 dates but 5 quantities: the first 5 rows are used",
    ),
    "year one": (
        written(["0001-01-01", "2024-12-20"], [5, 5]),
        Life.NEW,
        "1 row from before a silence of over 5 years",
    ),
    "year 1970": (
        DemandHistory("A", "MAIN", np.append(np.datetime64("1970-01-01"), END - np.arange(200)[::-1]), np.ones(201)),
        Life.ACTIVE,
        "1 row from before a silence of over 5 years",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("period", list(Period))
def test_bad_input_is_stated_and_never_an_error(case: str, period: Period) -> None:
    history, life, words = BROKEN[case]
    made = one(history, period)
    assert any(words in note for note in made.notes) or not words
    assert np.nanmin(made.values, initial=0.0) >= 0
    assert np.isfinite(made.series.quantities).all()
    if period is Period.WEEK:
        assert made.life is life


def test_one_broken_history_leaves_the_others_as_they_are() -> None:
    good = [weekly(np.arange(30) % 7 + 1, "GOOD"), daily(np.arange(300) % 5 + 1, "DAILY")]
    alone = prepare(good, as_of=AS_OF, period=Period.WEEK, horizon=4)
    beside = prepare([*[row[0] for row in BROKEN.values()], *good], as_of=AS_OF, period=Period.WEEK, horizon=4)
    for expected, found in zip(alone, beside[-2:], strict=True):
        assert found.values.tolist() == expected.values.tolist()
        assert (found.life, found.notes) == (expected.life, expected.notes)


def test_unsorted_rows_give_what_sorted_rows_give() -> None:
    rng = np.random.default_rng(1)
    history = daily(rng.poisson(3, 400))
    order = rng.permutation(400)
    mixed = DemandHistory("A", "MAIN", history.dates[order], history.quantities[order])
    assert one(mixed).values.tolist() == one(history).values.tolist()


def test_dates_in_finer_units_than_days_are_days() -> None:
    history = daily(np.ones(70))
    fine = DemandHistory("A", "MAIN", history.dates.astype("datetime64[ns]"), history.quantities)
    assert one(fine).values.tolist() == [7.0] * 10


def test_thirty_thousand_points_are_prepared_by_day_and_week() -> None:
    history = daily(np.tile([1.0, 2.0, 3.0], 10_000))
    assert one(history, Period.DAY).values.size == 30_000
    assert one(history).values.sum() == pytest.approx(60_000, abs=14)


def test_a_cancelled_order_goes_with_its_return_and_other_returns_are_left_out() -> None:
    history = written(["2024-11-01", "2024-11-02", "2024-11-02", "2024-11-05"], [12, 74_215, -74_215, -3])
    made = one(history)
    assert made.series.quantities.sum() == 12
    assert "74,215 units of 2024-11-02 were cancelled: left out with their return" in made.notes
    assert "1 row with a negative quantity (returns) left out" in made.notes


def test_values_begin_at_the_first_demand() -> None:
    made = one(weekly([0] * 30 + [5, 0, 6] * 8))
    assert made.values.size == made.series.quantities.size == made.series.starts.size == 24
    assert made.values[0] == 5


def test_monthly_records_in_a_weekly_plan_are_spread_and_not_lumpy() -> None:
    months = np.arange("2022-01", "2025-01", dtype="datetime64[M]").astype("datetime64[D]")
    made = one(DemandHistory("A", "MAIN", months, np.full(36, 310.0)))
    assert made.values[:-1].std() < 0.1 * made.values.mean()
    assert made.values[-1] == pytest.approx(70, abs=5)
    assert any("35 monthly records spread over their days" in note for note in made.notes), "December still runs"


def test_a_history_that_turns_from_months_to_days_is_one_steady_series() -> None:
    months = np.arange("2023-01", "2024-07", dtype="datetime64[M]").astype("datetime64[D]")
    days = np.arange(np.datetime64("2024-07-01"), END + 1)
    made = one(
        DemandHistory("A", "MAIN", np.append(months, days), np.append(np.full(18, 304.0), np.full(days.size, 10.0)))
    )
    assert made.values.min() > 60
    assert made.values.max() < 80


def test_monthly_records_beside_daily_ones_in_a_catalogue_are_spread_alone() -> None:
    months = np.arange("2023-01", "2025-01", dtype="datetime64[M]").astype("datetime64[D]")
    monthly = DemandHistory("M", "MAIN", months, np.full(24, 310.0))
    made = prepare([daily(np.full(700, 3.0)), monthly], as_of=AS_OF, period=Period.WEEK, horizon=4)
    assert made[0].notes == ()
    assert np.nanstd(made[1].values) < 0.1 * np.nanmean(made[1].values)
    assert np.isfinite(made[1].values[:-5]).all()


def test_the_weeks_after_the_last_monthly_record_are_unknown_until_the_next_one() -> None:
    months = np.arange("2023-01", "2024-12", dtype="datetime64[M]").astype("datetime64[D]")
    monthly = DemandHistory("A", "MAIN", months, np.full(23, 310.0))
    made = prepare([weekly(np.full(104, 5.0), "W"), monthly], as_of=AS_OF, period=Period.WEEK, horizon=4)[1]
    assert np.isnan(made.values[-4:]).all()
    assert made.series.closed[-4:].all()
    assert np.isfinite(made.values[:-5]).all()
    assert one(monthly).series.starts[-1] == np.datetime64("2024-11-18"), "alone it ends where its months do"


def test_irregular_demand_is_not_taken_for_monthly_records() -> None:
    rng = np.random.default_rng(5)
    histories = [
        DemandHistory(str(at), "MAIN", END - np.sort(rng.choice(1_000, 20, replace=False))[::-1], np.ones(20))
        for at in range(300)
    ]
    made = prepare(histories, as_of=AS_OF, period=Period.WEEK, horizon=4)
    assert not [note for each in made for note in each.notes if "spread" in note]


def test_weekly_records_in_a_daily_plan_are_spread_over_the_week() -> None:
    starts = END - 6 - 7 * np.arange(20)[::-1]
    made = one(DemandHistory("A", "MAIN", starts, np.full(20, 70.0)), Period.DAY)
    assert set(made.values.round(6)) == {10.0}


def test_without_anything_to_correct_values_are_what_was_recorded() -> None:
    rng = np.random.default_rng(2)
    for history in (weekly(rng.poisson(4, 100) + 1), daily(rng.poisson(4, 300) + 1)):
        made = one(history)
        plain = bucket(history, AS_OF, Period.WEEK)
        assert made.values.tolist() == plain.quantities.tolist()
        assert made.series.starts.tolist() == plain.starts.tolist()
        assert (made.notes, made.life, made.future.tolist()) == ((), Life.ACTIVE, [1.0] * 4)


def test_a_catalogue_is_bucketed_as_its_histories_are_alone() -> None:
    rng = np.random.default_rng(7)
    histories = [weekly(rng.poisson(2, 60), str(at)) for at in range(20)]
    for together, alone in zip(
        bucket_all(histories, AS_OF, Period.WEEK), [bucket(each, AS_OF, Period.WEEK) for each in histories], strict=True
    ):
        assert (together.item_id, together.quantities.tolist()) == (alone.item_id, alone.quantities.tolist())
        assert together.starts.tolist() == alone.starts.tolist()


def test_an_empty_catalogue_and_an_empty_horizon_are_fine() -> None:
    assert prepare([], as_of=AS_OF, period=Period.WEEK, horizon=4) == ()
    assert prepare([weekly([1, 2])], as_of=AS_OF, period=Period.WEEK, horizon=0)[0].future.size == 0


ANY_DAY = st.one_of(st.integers(19_000, 20_100), st.integers(-700_000, 2_000_000))
ANY_UNITS = st.one_of(
    st.floats(0, 1e4), st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, -5.0, 5.0, 1e12])
)
HISTORIES = st.lists(st.lists(st.tuples(ANY_DAY, ANY_UNITS), max_size=25), min_size=1, max_size=5)
CALENDARS = st.lists(
    st.tuples(st.integers(19_900, 20_200), st.sampled_from([None, "0", "1"]), st.booleans(), st.booleans()), max_size=20
)


@settings(max_examples=150, deadline=None)
@given(rows=HISTORIES, calendar=CALENDARS, out=st.lists(ANY_DAY, max_size=20), period=st.sampled_from(list(Period)))
def test_any_history_gives_values_that_are_finite_or_unknown_and_never_negative(
    rows: list[list[tuple[int, float]]],
    calendar: list[tuple[int, str | None, bool, bool]],
    out: list[int],
    period: Period,
) -> None:
    histories = [
        DemandHistory(
            str(at),
            "MAIN",
            np.array([day for day, _ in pairs], dtype=np.int64).view("datetime64[D]"),
            np.array([units for _, units in pairs], dtype=np.float64),
        )
        for at, pairs in enumerate(rows)
    ]
    context = DemandContext(
        calendar=tuple(
            CalendarDay(np.datetime64(day, "D").astype(date), item, promotion, closed)
            for day, item, promotion, closed in calendar
        ),
        families={"0": "F", "1": "F"},
        stockouts={("0", "MAIN"): np.array(out, dtype=np.int64).view("datetime64[D]")},
    )
    made = prepare(histories, as_of=AS_OF, period=period, horizon=6, context=context)
    assert len(made) == len(histories)
    for each in made:
        assert not np.isinf(each.values).any()
        assert not (each.values < 0).any()
        assert (each.values.size, each.series.closed.size) == (each.series.quantities.size,) * 2
        assert each.future.size == 6
        assert np.isfinite(each.future).all()
        assert (each.future >= 0).all()
        assert not (each.series.quantities.sum() > 0 and each.series.quantities[0] == 0)


def online_retail() -> list[DemandHistory]:
    """Units ordered by day of every SKU, as recorded: with the order of 74,215 units that was cancelled."""
    path = shared_data("online_retail") / "daily.parquet"
    connection = duckdb.connect(":memory:")
    rows = connection.execute(
        f"SELECT sku, date::date AS day, units_ordered FROM '{path}' WHERE units_ordered > 0 ORDER BY 1, 2"  # noqa: S608
    ).fetchall()
    grouped: dict[str, list[tuple[date, float]]] = {}
    for sku, day, units in rows:
        grouped.setdefault(sku, []).append((day, float(units)))
    return [
        DemandHistory(
            sku, "MAIN", np.array([d for d, _ in pairs], dtype="datetime64[D]"), np.array([u for _, u in pairs])
        )
        for sku, pairs in grouped.items()
    ]


CLOCK = date(2011, 9, 30)


def test_the_cancelled_giant_orders_leave_no_trace_in_a_real_catalogue() -> None:
    histories = online_retail()
    giant = "23166"
    lone = DemandHistory("23843", "MAIN", np.array(["2011-08-09"], dtype="datetime64[D]"), np.array([80_995.0]))
    made = {
        each.series.item_id: each for each in prepare([*histories, lone], as_of=CLOCK, period=Period.WEEK, horizon=8)
    }
    clean = [
        DemandHistory(h.item_id, h.site_id, h.dates[h.quantities < 74_215], h.quantities[h.quantities < 74_215])
        for h in histories
    ]
    expected = {each.series.item_id: each for each in prepare(clean, as_of=CLOCK, period=Period.WEEK, horizon=8)}[giant]
    known = made[giant].values[-expected.values.size :]
    assert known.tolist() == expected.values.tolist()
    assert np.isnan(made[giant].values[: -expected.values.size]).all()
    assert any("74,215 units" in note and "one-off spike" in note for note in made[giant].notes)
    assert made[giant].series.quantities.max() == 74_215
    assert made["23843"].life is Life.NONE
    assert np.nansum(made["23843"].values) == 0
    assert any("80,995 units" in note for note in made["23843"].notes)


def test_the_cancelled_giant_order_does_not_move_the_forecast_at_all() -> None:
    giant = "23166"
    histories = [each for at, each in enumerate(online_retail()) if at % 16 == 0 or each.item_id == giant]
    clean = [
        DemandHistory(h.item_id, h.site_id, h.dates[h.quantities < 74_215], h.quantities[h.quantities < 74_215])
        for h in histories
    ]
    first, second = (
        forecast_catalogue(given, as_of=CLOCK, period=Period.WEEK, horizon=8) for given in (histories, clean)
    )
    for each in histories:
        key = (each.item_id, each.site_id)
        assert first.forecast(key).paths.tolist() == second.forecast(key).paths.tolist(), key


def test_spikes_are_a_thousandth_of_a_real_catalogue_at_most() -> None:
    made = prepare(online_retail(), as_of=CLOCK, period=Period.WEEK, horizon=8)
    cut = sum("one-off spike" in note for each in made for note in each.notes)
    assert 0 < cut < 0.001 * sum(each.values.size for each in made)


def test_real_closures_are_found_and_saturdays_are_days_of_rest() -> None:
    histories = online_retail()
    weeks = {each.series.item_id: each for each in prepare(histories, as_of=CLOCK, period=Period.WEEK, horizon=8)}
    seller = weeks["85123A"]
    christmas = seller.series.starts == np.datetime64("2010-12-27")
    assert np.isnan(seller.values[christmas]).all()
    assert seller.series.closed[christmas].all()
    assert np.isnan(seller.values).sum() == 1
    easter = int(np.flatnonzero(seller.series.starts == np.datetime64("2011-04-18"))[0])
    assert seller.values[easter] == pytest.approx(seller.series.quantities[easter] * 6 / 4)
    days = {each.series.item_id: each for each in prepare(histories, as_of=CLOCK, period=Period.DAY, horizon=7)}
    assert days["85123A"].future.tolist() == [0, 1, 1, 1, 1, 1, 1]


def test_discontinued_items_of_a_real_catalogue_sell_next_to_nothing_later() -> None:
    histories = online_retail()
    made = prepare(histories, as_of=date(2011, 7, 3), period=Period.WEEK, horizon=8)
    sold: dict[Life, list[float]] = {life: [] for life in Life}
    for each, history in zip(made, histories, strict=True):
        sold[each.life].append(history.quantities[history.dates > np.datetime64("2011-07-03")].sum())
    assert len(sold[Life.DISCONTINUED]) > 50
    assert np.mean(sold[Life.DISCONTINUED]) < 0.2 * np.mean(sold[Life.ACTIVE])
    assert np.median(sold[Life.DISCONTINUED]) == 0


def test_the_demo_centre_finds_the_item_that_had_no_demand_in_its_last_year() -> None:
    grouped: dict[str, list[tuple[str, float]]] = {}
    with (shared_data("demo_rdc") / "demand.csv").open() as stream:
        for row in csv.DictReader(stream):
            grouped.setdefault(row["item_id"], []).append((row["date"], float(row["quantity"])))
    histories = [
        DemandHistory(key, "RDC", np.array([d for d, _ in rows], dtype="datetime64[D]"), np.array([q for _, q in rows]))
        for key, rows in grouped.items()
    ]
    made = prepare(histories, as_of=date(2013, 12, 31), period=Period.MONTH, horizon=6)
    assert [each.series.item_id for each in made if each.life is Life.DISCONTINUED] == ["P14"]
    assert not [note for each in made for note in each.notes if "spike" in note]


def test_ten_thousand_weekly_series_are_prepared_in_seconds() -> None:
    rng = np.random.default_rng(0)
    days = END - 7 * np.arange(156)[::-1]
    sizes = rng.poisson(5, (10_000, 156)) * rng.lognormal(0, 1, (10_000, 156)).round()
    histories = [DemandHistory(str(at), "MAIN", days, row) for at, row in enumerate(sizes)]
    begun = time.process_time()
    prepare(histories, as_of=AS_OF, period=Period.WEEK, horizon=13)
    assert time.process_time() - begun < 4
