"""Stock-outs hide demand: the estimate corrects for them, and leaves true demand alone."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.domain.arrays import BoolArray, FloatArray
from tools.domain.datasets import DemandHistory, Period
from tools.forecasting.context import DemandContext
from tools.forecasting.preparation import PreparedSeries, prepare
from tools.forecasting.preparation.life import Life

AS_OF = date(2024, 12, 29)
END = np.datetime64(AS_OF)


def prepared(units: FloatArray, out: BoolArray, period: Period = Period.WEEK) -> PreparedSeries:
    days = END - np.arange(units.size)[::-1]
    context = DemandContext(stockouts={("A", "MAIN"): days[out]})
    return prepare([DemandHistory("A", "MAIN", days, units)], as_of=AS_OF, period=period, horizon=4, context=context)[0]


def test_a_week_mostly_without_stock_is_unknown_and_one_partly_without_is_scaled_up() -> None:
    units, out = np.full(140, 10.0), np.zeros(140, dtype=np.bool_)
    out[[70, 71, 84, 85, 86, 87, 88]] = True
    units[out] = 0
    made = prepared(units, out)
    assert made.series.quantities[[10, 12]].tolist() == [50, 20]
    assert made.values[10] == pytest.approx(70)
    assert np.isnan(made.values[12])
    assert "days without stock: 1 week unknown, 1 week scaled up to full stock" in made.notes


def test_a_week_that_sold_more_than_usual_before_stock_ran_out_stays_as_recorded() -> None:
    units, out = np.full(140, 10.0), np.zeros(140, dtype=np.bool_)
    out[85:91] = True
    units[out] = 0
    units[84] = 200
    assert prepared(units, out).values[12] == 200


def test_demand_recorded_without_stock_is_taken_as_it_is() -> None:
    rng = np.random.default_rng(1)
    units, out = rng.poisson(10, 280).astype(np.float64), np.zeros(280, dtype=np.bool_)
    out[70:91] = True
    made = prepared(units, out)
    assert made.values.tolist() == made.series.quantities.tolist()
    assert any("demand was recorded on such days as on any other" in note for note in made.notes)


def test_sales_of_an_item_that_was_never_in_stock_by_the_counts_are_taken_as_they_are() -> None:
    made = prepared(np.full(140, 10.0), np.ones(140, dtype=np.bool_))
    assert made.life is Life.ACTIVE
    assert made.values.tolist() == made.series.quantities.tolist()
    assert made.notes == (
        "days without stock were passed over: the counts leave no demand in stock, and units went out all the same",
    )


def test_an_item_out_of_stock_for_months_is_not_discontinued() -> None:
    units, out = np.full(700, 10.0), np.zeros(700, dtype=np.bool_)
    out[350:] = True
    units[out] = 0
    made = prepared(units, out)
    assert made.life is Life.ACTIVE
    assert np.isnan(made.values[-40:]).all()
    assert prepared(units, np.zeros(700, dtype=np.bool_)).life is Life.DISCONTINUED


def sold(
    rng: np.random.Generator, rate: float, days: int, order: float, level: float
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Demand, sales and days without stock of a reorder-point policy that loses what it cannot sell."""
    asked = rng.poisson(rate, days).astype(np.float64)
    sales, out = np.zeros(days), np.zeros(days, dtype=np.bool_)
    stock, due = order, -1
    for day in range(days):
        stock += order if day == due else 0
        out[day] = stock <= 0
        sales[day] = min(stock, asked[day])
        stock -= sales[day]
        if stock <= level and due <= day:
            due = day + 14
    return asked, sales, out


@pytest.mark.parametrize(("order", "level", "lost"), [(60, 25, 0.15), (40, 10, 0.35)])
def test_the_mean_demand_under_lost_sales_is_estimated_almost_without_bias(
    order: float, level: float, lost: float
) -> None:
    rng = np.random.default_rng(3)
    naive: list[float] = []
    handled: list[float] = []
    for _ in range(30):
        asked, sales, out = sold(rng, 3.0, 104 * 7, order, level)
        true = asked.reshape(-1, 7).sum(axis=1).mean()
        made = prepared(sales, out)
        naive.append(made.series.quantities.mean() / true - 1)
        handled.append(float(np.nanmean(made.values)) / true - 1)
    assert np.mean(naive) < -lost
    assert abs(np.mean(handled)) < 0.05


@settings(max_examples=80, deadline=None)
@given(
    units=st.lists(st.integers(0, 50), min_size=14, max_size=120),
    out=st.lists(st.booleans(), min_size=120, max_size=120),
    period=st.sampled_from(list(Period)),
)
def test_a_known_period_is_never_below_its_record(units: list[int], out: list[bool], period: Period) -> None:
    made = prepared(np.array(units, dtype=np.float64), np.array(out[: len(units)]), period)
    known = ~np.isnan(made.values)
    spiky = any("spike" in note for note in made.notes)
    assert spiky or (made.values[known] >= made.series.quantities[known] - 1e-9).all()
