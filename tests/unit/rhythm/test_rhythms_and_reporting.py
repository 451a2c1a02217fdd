"""How demand is recorded is read from its dates, and its zeros are told from what was not reported yet."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from tools.domain.arrays import DateArray
from tools.domain.datasets import Period
from tools.rhythm import Reporting, Rhythm, read_reporting, reporting_words
from tools.rhythm.grid import Grid, epoch_day

CLOCK = date(2026, 6, 30)
MONDAYS = np.datetime64("2026-06-22") - 7 * np.arange(52)[::-1]
SUNDAYS = MONDAYS + 6
DAYS = np.datetime64("2026-06-28") - np.arange(365)[::-1]
REACHED = [("06-27", "06-21"), ("06-28", "06-28"), ("06-30", "06-28"), ("07-31", "06-28")]
Dated = tuple[DateArray, str]


def reporting(
    rows: Sequence[Dated], clock: date = CLOCK, period: Period = Period.WEEK, closed: Sequence[date] = ()
) -> Reporting:
    places: dict[str, int] = {}
    sites = np.array([places.setdefault(site, len(places)) for _, site in rows], dtype=np.int64)
    known = [dates[dates <= np.datetime64(clock)] for dates, _ in rows]
    owners = np.repeat(np.arange(len(rows)), [dates.size for dates in known])
    days = np.concatenate(known).astype("datetime64[D]").view(np.int64)
    return read_reporting(owners, days, sites, clock, period, [epoch_day(day) for day in closed])


def words(rows: Sequence[Dated], clock: date = CLOCK, period: Period = Period.WEEK) -> list[str]:
    items, sites = [f"I{place}" for place in range(len(rows))], [site for _, site in rows]
    return reporting_words(reporting(rows, clock, period), items, sites, clock)


def day(number: int) -> str:
    return str(np.datetime64(int(number), "D"))


def months(first: str, last: str) -> DateArray:
    return np.arange(first, last, dtype="datetime64[M]").astype("datetime64[D]")


def test_each_history_is_read_from_its_own_dates() -> None:
    ends = months("2024-02", "2026-07") - 1
    found = reporting([(MONDAYS, "A"), (SUNDAYS, "A"), (DAYS, "A"), (months("2024-01", "2026-06"), "A"), (ends, "A")])
    assert found.rhythms.of == (
        Rhythm(Period.WEEK, 0),
        Rhythm(Period.WEEK, 6),
        Rhythm(Period.DAY),
        Rhythm(Period.MONTH, 1),
        Rhythm(Period.MONTH, -1),
    )
    assert [rhythm.begins for rhythm in found.rhythms.of] == [True, False, True, True, False]


def test_a_weekly_date_moved_by_a_holiday_leaves_the_rhythm_as_it_is() -> None:
    moved = MONDAYS.copy()
    moved[[10, 30]] += 1
    assert reporting([(moved, "A")]).rhythms.of == (Rhythm(Period.WEEK, 0),)


def test_few_rows_take_the_rhythm_of_their_site_and_then_of_the_catalogue() -> None:
    few = MONDAYS[[-9, -4]]
    rows = [(MONDAYS, "A"), (MONDAYS, "A"), (SUNDAYS, "B"), (few, "A"), (few, "B"), (few, "C")]
    assert [rhythm.anchor for rhythm in reporting(rows).rhythms.of] == [0, 0, 6, 0, 6, 0]
    assert reporting([(MONDAYS[-3:], "A"), (MONDAYS[-2:], "A")]).rhythms.of == (Rhythm(Period.WEEK, 0),) * 2


def test_dates_on_one_weekday_by_chance_make_no_rhythm_in_a_daily_catalogue() -> None:
    assert reporting([(DAYS, "A"), (MONDAYS[[3, 20, 31, 40]], "A")]).rhythms.of[1] == Rhythm(Period.DAY)


@pytest.mark.parametrize(
    ("clock", "end"), [("06-27", "06-21"), ("06-28", "06-28"), ("06-30", "06-28"), ("07-31", "06-28")]
)
def test_a_week_is_complete_when_it_has_ended_and_later_ones_when_they_are_reported(clock: str, end: str) -> None:
    assert day(reporting([(MONDAYS, "A")], date.fromisoformat(f"2026-{clock}")).end) == f"2026-{end}"


def test_an_items_own_silence_is_no_demand_while_others_report() -> None:
    found = reporting([(MONDAYS, "A"), (MONDAYS[:-5], "A")])
    assert [day(until) for until in found.until] == ["2026-06-28"] * 2


def test_a_site_that_is_a_week_late_is_unknown_there_and_one_silent_for_months_had_none() -> None:
    found = reporting([(MONDAYS, "A"), (MONDAYS[:-1], "B"), (MONDAYS[:-12], "C")])
    assert [day(until) for until in found.until] == ["2026-06-28", "2026-06-21", "2026-06-28"]


def test_a_catalogue_that_is_mostly_silent_keeps_the_zeros_of_a_usual_silence() -> None:
    rare = (MONDAYS[::6], "A")
    assert day(reporting([rare], date(2026, 7, 5)).end) == "2026-07-05"
    assert reporting([rare], date(2030, 7, 5)).end < epoch_day(date(2028, 1, 1))


def test_an_export_that_stops_in_the_middle_of_a_week_has_not_completed_it() -> None:
    assert day(reporting([(DAYS[:-3], "A")]).end) == "2026-06-21"


def test_a_day_without_demand_at_the_end_of_a_week_is_as_usual_for_slow_items() -> None:
    slow = np.random.default_rng(2).random(DAYS.size - 2) < 0.4
    assert day(reporting([(DAYS[:-2][slow], "A")]).end) == "2026-06-28"


@pytest.mark.parametrize("clock", [date(2026, 6, 26) + timedelta(days=ahead) for ahead in range(7)])
def test_a_week_of_a_shop_closed_at_weekends_is_complete_from_friday_on(clock: date) -> None:
    shop = DAYS[(DAYS.astype("datetime64[D]").view(np.int64) + 3) % 7 < 5]
    found = reporting([(shop, "A")], clock)
    assert (day(found.end), found.rests) == ("2026-06-28", (5, 6))


def test_a_closed_week_that_has_passed_needs_no_report() -> None:
    week = [date(2026, 6, 29) + timedelta(days=ahead) for ahead in range(7)]
    assert day(reporting([(MONDAYS, "A")], date(2026, 7, 5), closed=week).end) == "2026-07-05"


def test_the_grid_follows_most_weekly_items_and_others_are_told_not_to_fit() -> None:
    found = reporting([(MONDAYS, "A"), (MONDAYS, "A"), (MONDAYS + 3, "A")])
    assert found.grid == Grid(Period.WEEK, 0)
    assert [found.aligned(rhythm) for rhythm in found.rhythms.of] == [True, True, False]
    assert reporting([(SUNDAYS, "A"), (MONDAYS, "A")]).grid.week_begins == 0


def test_the_report_says_in_a_buyers_words_what_was_found() -> None:
    rows = [*[(MONDAYS, "A")] * 40, *[(DAYS, "A")] * 3]
    assert words(rows) == [
        "Demand: weekly, dated on the Monday that begins the week, 40 items; dated by the day, 3 items; "
        "reported up to the week of 22 June 2026."
    ]


def test_the_report_says_what_is_late_and_what_has_passed_unreported() -> None:
    assert words([(SUNDAYS, "A"), (SUNDAYS[:-1], "B")], date(2026, 7, 13)) == [
        "Demand: weekly, dated on the Sunday that ends the week, 2 items; reported up to the week of 22 June 2026.",
        "Not all sites are reported so far: B up to the week of 15 June 2026.",
        "2 weeks since then have no report yet: forecast, not counted as no demand.",
    ]


def test_the_report_names_months_and_days_of_rest() -> None:
    first = months("2023-01", "2026-06")
    assert words([(first, "A")], period=Period.MONTH) == [
        "Demand: monthly, dated on the 1st of the month, 1 item; reported up to May 2026.",
        "1 month since then has no report yet: forecast, not counted as no demand.",
    ]
    told = words([(DAYS[(DAYS.view(np.int64) + 3) % 7 != 5], "A")])[0]
    assert "dated by the day, 1 item; none on Saturdays; reported up to the week of 22 June 2026." in told
