"""The fan chart and sparklines in letters."""

import pytest
from integration.web.web_forecasts import forecast_of, version_of
from integration.web.web_stock import ITEMS

from graph.views.forecasts import ForecastView
from terminal.fan import ROWS, draw_fan, spark
from terminal.forecasts import show_estimates, show_forecast


@pytest.fixture
def view() -> ForecastView:
    return forecast_of(ITEMS[0], version_of(2, True), None)


def rows_of(printed: str) -> list[str]:
    return [line[10:] for line in printed.splitlines()[:ROWS]]


def test_bands_lie_inside_one_another_around_the_median(view: ForecastView, capsys: pytest.CaptureFixture[str]) -> None:
    draw_fan(view)
    rows = rows_of(capsys.readouterr().out)
    column = max(len(row) for row in rows) - 1
    letters = "".join(row[column] if len(row) > column else " " for row in rows).strip()
    assert letters.count("━") == 1
    upper, lower = letters.split("━")
    order = "░▒▓"
    assert list(upper) == sorted(upper, key=order.index)
    assert list(lower) == sorted(lower, key=order.index, reverse=True)


def test_one_spike_does_not_flatten_the_chart(view: ForecastView, capsys: pytest.CaptureFixture[str]) -> None:
    spiked = view.model_copy(update={"history": (*view.history[:-1], 80_995.0)})
    draw_fan(spiked)
    printed = capsys.readouterr().out
    assert "▲" in rows_of(printed)[0]
    assert "▲ higher, up to 80,995" in printed
    assert float(printed.split()[0].replace(",", "")) < 1_000


def test_what_came_is_drawn_over_the_bands(view: ForecastView, capsys: pytest.CaptureFixture[str]) -> None:
    came = {"actual_dates": view.dates[:2], "actuals": (10.0, 300.0), "actuals_from": "ds-2-ff"}
    draw_fan(view.model_copy(update=came))
    printed = capsys.readouterr().out
    assert sum(row.count("◆") for row in rows_of(printed)) >= 2
    assert "what came (ds-2-ff)" in printed


def test_an_item_without_history_is_drawn_too(view: ForecastView, capsys: pytest.CaptureFixture[str]) -> None:
    draw_fan(view.model_copy(update={"history": (), "history_dates": ()}))
    assert "━" in capsys.readouterr().out


@pytest.mark.parametrize(("values", "shown"), [((0, 0, 0), "▁▁▁"), ((), ""), ((1, 2, 4, 8), "▂▃▅█"), ((5.0,), "█")])
def test_sparklines_rise_from_zero(values: tuple[float, ...], shown: str) -> None:
    assert spark(values) == shown


def test_figures_of_an_item_name_their_units_and_their_source(
    view: ForecastView, capsys: pytest.CaptureFixture[str]
) -> None:
    show_forecast(view)
    printed = capsys.readouterr().out
    assert "Forecast, each per week" in printed
    assert "est-2-00c0ffee (active)" in printed
    assert "--backtest measures it from earlier clocks" in printed


def test_a_choice_that_is_held_is_told_with_the_way_back(capsys: pytest.CaptureFixture[str]) -> None:
    show_estimates([version_of(2, False), version_of(1, True, "ana", "too noisy")])
    printed = capsys.readouterr().out
    assert "The parameters of est-1-00c0ffee are held on to; chosen by ana: too noisy." in printed
    assert "estimates activate configured" in printed
