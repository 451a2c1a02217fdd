"""A fan chart as a specification for a page: an ECharts option of plain values, without code or markup in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

INK = "#3a7ca5"
PAST = "#7d8794"
CAME = "#1f2d3a"
EARLIER = "#8a6bb1"
WARN = "#c2622f"
GRID = "rgba(125, 135, 148, 0.22)"
BANDS = ((0.95, "0.025", "0.975", "#d3e4ee"), (0.80, "0.1", "0.9", "#a9cbde"), (0.50, "0.25", "0.75", "#74aac8"))
"""Central intervals, widest first: share, lower and upper quantile, colour."""
MEDIAN = "0.5"
STYLED = str.maketrans("", "", "{}|")
"""Signs that would be read as styling in a tooltip; texts from data lose them."""
Option = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """A recorded period that the models did not take as it stands."""

    day: str
    units: float
    kind: str
    """spike, or unknown where demand was not seen"""
    reason: str


@dataclass(frozen=True, slots=True)
class FanChart:
    """What a fan chart shows. Dates are ISO texts of the periods' first days; values are units per period."""

    unit: str
    period: str
    history_dates: Sequence[str]
    history: Sequence[float]
    dates: Sequence[str]
    quantiles: Mapping[str, Sequence[float]]
    """Quantile as text, 0.025 to 0.975, to values."""
    actual_dates: Sequence[str] = ()
    actuals: Sequence[float] = ()
    earlier: Sequence[tuple[str, Sequence[str], Sequence[float]]] = ()
    """Name, dates and median of earlier forecasts."""
    marks: Sequence[Mark] = ()


def fan_option(chart: FanChart) -> Option:
    """History, what came after the origin, the bands and the median, as an ECharts option."""
    series = [
        *_bands(chart),
        _line("History", chart.history_dates, chart.history, PAST, chart, marks=chart.marks),
        _median(chart),
    ]
    if chart.actual_dates:
        series.append(_line("What came", chart.actual_dates, chart.actuals, CAME, chart))
    for name, dates, median in chart.earlier:
        series.append(_line(name, dates, median, EARLIER, chart, dash=True))
    return {
        "animation": False,
        "grid": {"left": 64, "right": 16, "top": 30, "bottom": 52},
        "legend": _legend(series),
        "tooltip": {"trigger": "item", "renderMode": "richText", "confine": True},
        "xAxis": {"type": "time", "axisLabel": {"fontSize": 11, "color": PAST, "hideOverlap": True}},
        "yAxis": _value_axis(chart),
        "series": series,
    }


def _value_axis(chart: FanChart) -> Option:
    return {
        "type": "value",
        "min": 0,
        "name": f"{_plain(chart.unit)} per {chart.period}",
        "nameTextStyle": {"color": PAST, "align": "left"},
        "axisLabel": {"fontSize": 11, "color": PAST},
        "splitLine": {"lineStyle": {"color": GRID}},
    }


def _legend(series: Sequence[Option]) -> Option:
    named = list(dict.fromkeys(one["name"] for one in series if one["name"]))
    shown = {"itemStyle": {"opacity": 1}}  # the points of lines show on hover only
    look = {"itemHeight": 8, "icon": "roundRect", "textStyle": {"color": PAST}, "type": "scroll"}
    return {"bottom": 0, "left": "center", **look, "data": [{"name": name, **shown} for name in named]}


def _bands(chart: FanChart) -> list[Option]:
    """Stacked differences between the quantiles, from a transparent base upwards; both halves share a name."""
    lows = [low for _, low, _, _ in BANDS]
    highs = [high for _, _, high, _ in reversed(BANDS)]
    levels = [*lows, *highs]
    middle = len(BANDS) - 1
    found = [_layer(chart, "", chart.quantiles[levels[0]], None)]
    for place, (lower, upper) in enumerate(zip(levels, levels[1:], strict=False)):
        share, _, _, colour = BANDS[place if place <= middle else 2 * middle - place]
        steps = [top - base for base, top in zip(chart.quantiles[lower], chart.quantiles[upper], strict=True)]
        found.append(_layer(chart, f"{share:.0%}".replace("%", " %"), steps, colour))
    return found


def _layer(chart: FanChart, name: str, heights: Sequence[float], colour: str | None) -> Option:
    layer: Option = {
        "name": name,
        "type": "line",
        "stack": "fan",
        "stackStrategy": "all",
        "symbol": "none",
        "silent": True,
        "lineStyle": {"opacity": 0},
        "data": [[day, round(height, 4)] for day, height in zip(chart.dates, heights, strict=True)],
    }
    if colour is not None:
        layer |= {"areaStyle": {"color": colour, "opacity": 1}, "itemStyle": {"color": colour}}
    return layer


def _median(chart: FanChart) -> Option:
    """The median, whose points tell the intervals too."""
    line = _line("Median", chart.dates, chart.quantiles[MEDIAN], INK, chart)
    for place, point in enumerate(line["data"]):
        told = [_heading(chart, chart.dates[place]), f"median {_units(chart, chart.quantiles[MEDIAN][place])}"]
        for share, low, high, _ in reversed(BANDS):
            span = f"{_figure(chart.quantiles[low][place])} to {_units(chart, chart.quantiles[high][place])}"
            told.append(f"{share:.0%} of cases: {span}".replace("%", " %", 1))
        point["tooltip"] = {"formatter": "\n".join(told)}
    return line


def _line(
    name: str,
    dates: Sequence[str],
    values: Sequence[float],
    colour: str,
    chart: FanChart,
    *,
    dash: bool = False,
    marks: Sequence[Mark] = (),
) -> Option:
    shown = _plain(name)
    line: Option = {
        "name": shown,
        "type": "line",
        "symbol": "circle",
        "symbolSize": 7,
        "z": 3,
        "itemStyle": {"color": colour, "opacity": 0},
        "emphasis": {"itemStyle": {"opacity": 1}},
        "lineStyle": {"color": colour, "width": 1.5 if dash else 2, "type": "dashed" if dash else "solid"},
        "data": [
            {
                "value": [day, round(value, 4)],
                "tooltip": {"formatter": f"{_heading(chart, day)}\n{shown.lower()} {_units(chart, value)}"},
            }
            for day, value in zip(dates, values, strict=True)
        ],
    }
    return line | ({"markPoint": _marked(marks, chart)} if marks else {})


def _marked(marks: Sequence[Mark], chart: FanChart) -> Option:
    return {
        "symbol": "circle",
        "symbolSize": 9,
        "label": {"show": False},
        "data": [
            {
                "name": mark.kind,
                "coord": [mark.day, mark.units],
                "itemStyle": {"color": WARN if mark.kind == "spike" else "#ffffff", "borderColor": WARN},
                "tooltip": {
                    "formatter": f"{_heading(chart, mark.day)}\n{_units(chart, mark.units)}\n{_plain(mark.reason)}"
                },
            }
            for mark in marks
        ],
    }


def _heading(chart: FanChart, day: str) -> str:
    named = date.fromisoformat(day)
    return f"{named:%B %Y}" if chart.period == "month" else f"{chart.period.capitalize()} from {named:%d %b %Y}"


def _units(chart: FanChart, value: float) -> str:
    return f"{_figure(value)} {_plain(chart.unit)}".strip()


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:,.3g}"


def _plain(text: str) -> str:
    """Text from data, without signs that a tooltip would read as styling."""
    return text.translate(STYLED)
