"""Closed days and promotions are taken out of history and put on the future."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from tools.domain.arrays import FloatArray
from tools.domain.datasets import CalendarDay, DemandHistory, Period
from tools.forecasting.context import DemandContext
from tools.forecasting.preparation import PreparedSeries, prepare

AS_OF = date(2024, 12, 29)
"""A Sunday."""
END = np.datetime64(AS_OF)


def daily(units: FloatArray, item_id: str = "A", site_id: str = "MAIN") -> DemandHistory:
    kept = units > 0
    days = END - np.arange(units.size)[::-1]
    return DemandHistory(item_id, site_id, days[kept], units[kept].astype(np.float64))


def closed(*days: date, item_id: str | None = None) -> tuple[CalendarDay, ...]:
    return tuple(CalendarDay(day, item_id, promotion=False, closed=True) for day in days)


def promoted(*days: date, item_id: str | None = None) -> tuple[CalendarDay, ...]:
    return tuple(CalendarDay(day, item_id, promotion=True, closed=False) for day in days)


def week(back: int) -> list[date]:
    """Days of a whole week of the plan, 0 for the newest, -1 for the first to come."""
    last = AS_OF - timedelta(weeks=back)
    return [last - timedelta(days=day) for day in range(7)]


def made(
    histories: list[DemandHistory],
    period: Period = Period.WEEK,
    *,
    calendar: Sequence[CalendarDay] = (),
    families: dict[str, str] | None = None,
) -> tuple[PreparedSeries, ...]:
    known = DemandContext(calendar=tuple(calendar), families=families or {})
    return prepare(histories, as_of=AS_OF, period=period, horizon=6, context=known)


def test_a_partly_closed_week_is_scaled_to_an_open_one_and_a_closed_week_is_unknown() -> None:
    units = np.full(140, 10.0)
    days = [*week(3)[:2], *week(5)]
    units[[139 - (AS_OF - day).days for day in days]] = 0
    series = made([daily(units)], calendar=closed(*days))[0]
    assert series.values[-4] == pytest.approx(70)
    assert series.series.quantities[-4] == 50
    assert np.isnan(series.values[-6])
    assert series.series.closed.tolist() == [False] * 14 + [True] + [False] * 5
    assert any("9 closed days" in note and "1 week of the catalogue unknown" in note for note in series.notes)


def test_a_week_that_was_hardly_open_is_unknown() -> None:
    series = made([daily(np.full(140, 10.0))], calendar=closed(*week(3)[:5]))[0]
    assert np.isnan(series.values[-4])
    assert not series.series.closed[-4]


def test_closed_days_to_come_reduce_the_future() -> None:
    series = made([daily(np.full(140, 10.0))], calendar=closed(*week(-1)[:3], *week(-3)))[0]
    assert series.future == pytest.approx([4 / 7, 1, 0, 1, 1, 1])


def test_a_day_of_rest_makes_no_week_shorter_and_every_such_day_empty() -> None:
    sundays = [AS_OF - timedelta(weeks=back) for back in range(-6, 20)]
    units = np.full(140, 10.0)
    units[6::7] = 0
    by_week = made([daily(units)], calendar=closed(*sundays))[0]
    assert by_week.values.tolist() == [60.0] * 20
    assert by_week.future.tolist() == [1.0] * 6
    by_day = made([daily(units)], Period.DAY, calendar=closed(*sundays))[0]
    assert np.isnan(by_day.values[6::7]).all()
    assert by_day.future.tolist() == [0, 1, 1, 1, 1, 1], "the Sunday of the clock is closed and still to be passed over"
    assert by_day.series.closed[6::7].all()


def test_a_shutdown_of_months_is_no_row_of_days_of_rest() -> None:
    ahead = [AS_OF + timedelta(days=day) for day in range(1, 71)]
    [item] = made([daily(np.full(140, 10.0))], calendar=closed(*ahead))
    assert item.future.tolist() == [0.0] * 6
    behind = [AS_OF - timedelta(days=day) for day in range(70)]
    [item] = made([daily(np.concatenate([np.full(70, 10.0), np.zeros(70)]))], calendar=closed(*behind))
    assert np.isnan(item.values[-10:]).all() and item.values[:10].tolist() == [70.0] * 10


def test_closed_days_of_one_item_are_its_own() -> None:
    histories = [daily(np.full(140, 10.0), "A"), daily(np.full(140, 10.0), "B")]
    own, other = made(histories, calendar=closed(*week(2), item_id="A"))
    assert np.isnan(own.values[-3])
    assert other.values.tolist() == [70.0] * 20
    assert other.notes == ()


def test_months_are_judged_by_their_open_days() -> None:
    units = np.full(400, 1.0)
    days = [date(2024, 6, day) for day in range(1, 16)]
    units[[399 - (AS_OF - day).days for day in days]] = 0
    series = made([daily(units)], Period.MONTH, calendar=closed(*days))[0]
    june = int(np.flatnonzero(series.series.starts == np.datetime64("2024-06-01"))[0])
    assert series.values[june] == pytest.approx(30)


def catalogue(items: int, rate: float, days: int = 200, seed: int = 4, site_id: str = "MAIN") -> list[FloatArray]:
    rng = np.random.default_rng(seed)
    return [rng.poisson(rate, days).astype(np.float64) for _ in range(items)]


def test_a_day_without_any_demand_in_a_whole_catalogue_is_taken_as_closed_and_said() -> None:
    rows = catalogue(60, 1.0)
    for row in rows:
        row[[60, 61, 150]] = 0
    series = made([daily(row, str(at)) for at, row in enumerate(rows)])
    assert any("3 closed days" in note and "3 of them shown" in note for note in series[0].notes)
    touched = series[0].values != series[0].series.quantities
    assert 1 <= touched.sum() <= 3


def test_weekdays_without_any_demand_are_days_of_rest() -> None:
    rows = catalogue(30, 1.0)
    for row in rows:
        row[6::7] = 0
    series = made([daily(row, str(at)) for at, row in enumerate(rows)], Period.DAY)[0]
    resting = (series.series.starts.astype("datetime64[D]") - END).astype(int) % 7
    empty = np.isnan(series.values)
    assert empty.sum() == pytest.approx(series.values.size / 7, abs=1)
    assert np.unique(resting[empty]).size == 1
    assert sorted(series.future) == [0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(("items", "rate"), [(1, 0.05), (1, 8.0), (5, 0.2), (20, 0.1)])
def test_the_silence_of_few_or_intermittent_items_is_no_closure(items: int, rate: float) -> None:
    rows = catalogue(items, rate, 400)
    rows[0][200:230] = 0
    rows[0][[0, -1]] = 1
    series = made([daily(row, str(at)) for at, row in enumerate(rows)])
    assert not any(np.isnan(each.values).any() for each in series)
    assert not [note for each in series for note in each.notes if "closed" in note]


def test_days_on_which_no_weekly_record_can_fall_are_not_closed() -> None:
    rng = np.random.default_rng(6)
    days = END - 7 * np.arange(100)[::-1]
    histories = [DemandHistory(str(at), "MAIN", days, (rng.poisson(9, 100) + 1).astype(np.float64)) for at in range(50)]
    assert all(each.notes == () and np.isfinite(each.values).all() for each in made(histories))


def test_what_the_whole_catalogue_lacks_before_the_clock_is_to_be_forecast_and_not_zero() -> None:
    for step in (1, 7):
        rng = np.random.default_rng(6)
        days = END - 28 - step * np.arange(60)[::-1]
        histories = [
            DemandHistory(str(at), "MAIN", days, (rng.poisson(9, 60) + 1).astype(np.float64)) for at in range(50)
        ]
        for each in made(histories):
            assert each.series.starts[-1] == END - 28 - 6
            assert np.isfinite(each.values).all()


def test_each_site_is_closed_on_its_own_days() -> None:
    rows = catalogue(60, 1.0)
    for row in rows:
        row[67:74] = 0
    here = [daily(row, str(at), "HERE") for at, row in enumerate(rows)]
    there = [daily(row, str(at), "THERE") for at, row in enumerate(catalogue(60, 1.0, seed=9))]
    series = made([*here, *there])
    assert all(np.isnan(each.values).any() for each in series[:60])
    assert not any(np.isnan(each.values).any() for each in series[60:])


def promoted_history(uplift: float, backs: list[int], item_id: str = "A", seed: int = 1) -> DemandHistory:
    units = np.random.default_rng(seed).poisson(20, 52 * 7).astype(np.float64)
    for back in backs:
        units[[units.size - 1 - (AS_OF - day).days for day in week(back)]] *= uplift
    return daily(units, item_id)


def test_promoted_weeks_are_brought_down_and_coming_ones_up() -> None:
    backs = [5, 12, 19, 26, 33, 40]
    days = [day for back in [*backs, -2] for day in week(back)]
    series = made([promoted_history(3.0, backs)], calendar=promoted(*days))[0]
    assert series.future[1] == pytest.approx(3.0, rel=0.25)
    assert np.delete(series.future, 1).tolist() == [1.0] * 5
    weeks = [-1 - back for back in backs]
    assert series.series.quantities[weeks].mean() > 2.7 * 140
    assert series.values[weeks].mean() == pytest.approx(140, rel=0.3)
    assert any("promotions multiply demand by 2." in note for note in series.notes)


def test_one_promotion_is_believed_less_than_six() -> None:
    days = [day for back in [5, -2] for day in week(back)]
    once = made([promoted_history(3.0, [5])], calendar=promoted(*days))[0].future[1]
    assert 1.4 < once < 2.2


def test_an_item_never_promoted_before_takes_the_uplift_of_its_family() -> None:
    backs = [5, 12, 19, 26]
    calendar = [
        row
        for name, uplift_weeks in (("A", backs), ("B", backs), ("C", [])) + tuple((f"D{at}", backs) for at in range(4))
        for row in promoted(*[day for back in [*uplift_weeks, -1] for day in week(back)], item_id=name)
    ]
    histories = [
        *[promoted_history(3.0, backs, name, seed) for seed, name in enumerate("AB")],
        promoted_history(1.0, [], "C"),
        *[promoted_history(1.0, backs, f"D{at}", 9 + at) for at in range(4)],
    ]
    families = {"A": "toys", "B": "toys", "C": "toys"} | {f"D{at}": "tools" for at in range(4)}
    toys = made(histories, families=families, calendar=calendar)[2].future[0]
    alone = made(histories, calendar=calendar)[2].future[0]
    assert toys > 2.3
    assert 1.0 < alone < 2.0


def test_a_promotion_for_everyone_reaches_every_item() -> None:
    backs = [5, 12, 19, 26]
    days = [day for back in [*backs, -1] for day in week(back)]
    series = made([promoted_history(2.0, backs, name, at) for at, name in enumerate("AB")], calendar=promoted(*days))
    assert all(each.future[0] == pytest.approx(2.0, rel=0.2) for each in series)
