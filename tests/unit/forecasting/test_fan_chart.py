"""The chart specification: bands that add up, tooltips with units, and nothing from data that steers the page."""

import json
from dataclasses import replace

import pytest

from tools.forecasting.chart import FanChart, Mark, fan_option

LEVELS = ("0.025", "0.1", "0.25", "0.5", "0.75", "0.9", "0.975")


@pytest.fixture
def chart() -> FanChart:
    return FanChart(
        unit="pack",
        period="week",
        history_dates=("2026-06-10", "2026-06-17"),
        history=(40.0, 1200.0),
        dates=("2026-06-24", "2026-07-01"),
        quantiles={level: (10.0 * n, 20.0 * n + 5) for n, level in enumerate(LEVELS)},
    )


def named(option: dict, name: str) -> list[dict]:
    return [one for one in option["series"] if one["name"] == name]


def test_the_bands_stack_up_to_the_quantiles(chart: FanChart) -> None:
    layers = [one for one in fan_option(chart)["series"] if one.get("stack") == "fan"]
    assert [one["name"] for one in layers] == ["", "95 %", "80 %", "50 %", "80 %", "95 %"]
    for n, day in enumerate(chart.dates):
        heights = [one["data"][n] for one in layers]
        assert {height[0] for height in heights} == {day}
        tops = [sum(height[1] for height in heights[: place + 1]) for place in range(len(heights))]
        wanted = [chart.quantiles[level][n] for level in LEVELS if level != "0.5"]
        assert tops == pytest.approx(wanted)


def test_points_tell_their_period_their_units_and_the_intervals(chart: FanChart) -> None:
    option = fan_option(chart)
    assert named(option, "History")[0]["data"][1] == {
        "value": ["2026-06-17", 1200.0],
        "tooltip": {"formatter": "Week from 17 Jun 2026\nhistory 1,200 pack"},
    }
    told = named(option, "Median")[0]["data"][0]["tooltip"]["formatter"]
    assert "median 30 pack" in told
    assert "80 % of cases: 10 to 50 pack" in told
    assert option["yAxis"]["name"] == "pack per week"


def test_what_came_earlier_medians_and_marks_are_lines_of_their_own(chart: FanChart) -> None:
    option = fan_option(
        replace(
            chart,
            actual_dates=("2026-06-24",),
            actuals=(25.0,),
            earlier=(("Median of est-1", chart.dates, (20.0, 21.0)),),
            marks=(Mark("2026-06-17", 1200.0, "spike", "A one-off."),),
        )
    )
    assert named(option, "What came")[0]["data"][0]["value"] == ["2026-06-24", 25.0]
    assert named(option, "Median of est-1")[0]["lineStyle"]["type"] == "dashed"
    mark = named(option, "History")[0]["markPoint"]["data"][0]
    assert mark["coord"] == ["2026-06-17", 1200.0]
    assert mark["tooltip"]["formatter"].endswith("A one-off.")
    assert {"History", "Median", "What came", "Median of est-1", "50 %"} <= {
        one["name"] for one in option["legend"]["data"]
    }


def test_text_from_data_can_neither_style_nor_script_a_tooltip(chart: FanChart) -> None:
    option = fan_option(replace(chart, unit="{a|<b>x</b>}"))
    assert option["tooltip"]["renderMode"] == "richText"
    text = json.dumps(option)
    assert "{a|" not in text and "a<b>x</b>" in text


def test_the_specification_is_plain_json(chart: FanChart) -> None:
    option = fan_option(chart)
    assert json.loads(json.dumps(option)) == option
    assert "function" not in json.dumps(option)


def test_an_empty_history_gives_the_bands_alone(chart: FanChart) -> None:
    option = fan_option(replace(chart, history_dates=(), history=()))
    assert named(option, "History")[0]["data"] == []
    assert len(named(option, "Median")[0]["data"]) == 2
