"""What is watched: demand without its season, one-step errors, and lead times in the order of receipt."""

from datetime import date, timedelta

import numpy as np
import pytest

from tools.domain.arrays import FloatArray
from tools.domain.catalogue import Offer
from tools.domain.datasets import Period, PeriodSeries
from tools.domain.orders import Receipt
from tools.drift import DriftKind, demand_series, lead_time_series, watch
from tools.drift.observed import one_step_errors, without_season

AS_OF = date(2026, 1, 1)
OFFERS = (
    Offer(item_id="A", supplier_id="S1", unit_price=1.0, lead_time_days=20),
    Offer(item_id="B", supplier_id="S1", unit_price=1.0, lead_time_days=40),
)


def history(
    units: FloatArray, item_id: str = "A", site_id: str = "MAIN", period: Period = Period.MONTH
) -> PeriodSeries:
    starts = np.datetime64("2020-01") + np.arange(units.size)
    return PeriodSeries(item_id, site_id, period, starts.astype("datetime64[D]"), units, np.zeros(units.size, np.bool_))


def receipt(number: int, days: int, item_id: str = "A", order_id: str = "", supplier_id: str = "S1") -> Receipt:
    came = date(2025, 1, 1) + timedelta(days=7 * number)
    return Receipt(
        order_id=order_id or f"o{number}",
        item_id=item_id,
        supplier_id=supplier_id,
        quantity=1,
        order_date=came - timedelta(days=days),
        receipt_date=came,
    )


def test_the_errors_are_those_of_exponential_smoothing_that_starts_at_the_median() -> None:
    units = np.array([10.0] * 8 + [20.0, 10.0, 12.0])
    assert one_step_errors(units).tolist() == pytest.approx([10.0, -2.0, 0.4])
    assert one_step_errors(units[:8]).size == 0


def test_every_history_is_watched_for_its_level_its_error_size_and_its_bias() -> None:
    found = demand_series([history(np.arange(1.0, 21.0)), history(np.ones(20), "B")])
    assert [(one.subject, one.kind) for one in found] == [
        (item, kind)
        for item in ("A", "B")
        for kind in (DriftKind.DEMAND_LEVEL, DriftKind.FORECAST_ERROR, DriftKind.FORECAST_BIAS)
    ]
    assert (found[1].values == np.abs(found[2].values)).all()
    assert found[2].usual == pytest.approx(10.5)


def test_an_item_with_several_sites_is_named_with_its_site() -> None:
    found = demand_series([history(np.ones(12)), history(np.ones(12), site_id="EAST"), history(np.ones(12), "B")])
    assert list(dict.fromkeys(one.subject for one in found)) == ["A@MAIN", "A@EAST", "B"]


def test_a_clear_season_gives_no_alarm_and_a_shift_upon_it_does() -> None:
    rng = np.random.default_rng(3)
    season = np.tile(1 + 0.8 * np.sin(np.arange(12) / 12 * 2 * np.pi), 6)
    units = 100 * season * rng.normal(1, 0.06, 72)
    flat = without_season(units, 12)
    assert flat.std() < 0.25 * units.std()
    kinds = {one.kind for one in watch(demand_series([history(units)])).alarms}
    assert DriftKind.DEMAND_LEVEL not in kinds
    units[66:] *= 1.4
    level = [one for one in watch(demand_series([history(units)])).alarms if one.kind is DriftKind.DEMAND_LEVEL]
    assert [(one.since, one.direction) for one in level] == [(66, "above")]


@pytest.mark.parametrize("units", [np.ones(72), np.zeros(72), np.random.default_rng(1).poisson(3.0, 72), np.ones(20)])
def test_a_history_without_a_clear_season_is_left_as_it_is(units: FloatArray) -> None:
    assert without_season(units.astype(float), 12) is not None
    assert (without_season(units.astype(float), 12) == units).all()


def test_a_closed_period_says_nothing() -> None:
    units = np.array([5.0, 6.0] * 10)
    shut = history(units)
    shut.closed[4] = True
    level = demand_series([shut])[0]
    assert level.values.size == 19 and shut.starts[4] not in level.dates


def test_lead_times_are_told_over_their_quotes_in_the_order_in_which_goods_came() -> None:
    rows = [receipt(3, 20), receipt(1, 30), receipt(2, 60, "B"), receipt(400, 5)]
    (found,) = lead_time_series(OFFERS, rows, AS_OF)
    assert (found.subject, found.kind) == ("S1", DriftKind.LEAD_TIME)
    assert found.values.tolist() == [1.5, 1.5, 1.0]
    assert found.dates.tolist() == [date(2025, 1, 1) + timedelta(days=7 * n) for n in (1, 2, 3)]


def test_lines_of_one_order_that_came_on_one_day_count_once() -> None:
    rows = [receipt(1, 20, order_id="o"), receipt(1, 60, "B", order_id="o"), receipt(2, 20)]
    (found,) = lead_time_series(OFFERS, rows, AS_OF)
    assert found.values.tolist() == [1.25, 1.0]


def test_what_nobody_offers_any_more_is_told_against_its_own_median() -> None:
    rows = [receipt(number, days, "Z", supplier_id="S9") for number, days in enumerate((10, 20, 30))]
    (found,) = lead_time_series(OFFERS, rows, AS_OF)
    assert found.values.tolist() == [0.5, 1.0, 1.5]


def test_a_supplier_that_grows_slow_is_named_with_how_much_and_since_when() -> None:
    rng = np.random.default_rng(5)
    days = np.round(rng.normal(20, 3, 46) + np.repeat([0, 12], [40, 6])).astype(int)
    rows = [receipt(number, int(value)) for number, value in enumerate(days)]
    (alarm,) = watch(lead_time_series(OFFERS, rows, AS_OF)).alarms
    assert (alarm.subject, alarm.direction, alarm.since) == ("S1", "above", 40)
    assert alarm.reason.startswith("Lead times of S1 are ")
