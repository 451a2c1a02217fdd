"""Charts: the fan of an item's projected stock, and what the options trade for each other."""

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from graph.views.plans import OptionView, OutlookView
from web.pages.widgets.wording import money, percent

INK = "#3a7ca5"
FAN = "#7fb0cc"
PAST = "#7d8794"
WARN = "#c2622f"
GRID = "rgba(125, 135, 148, 0.22)"
GROUPS = ("#3a7ca5", "#c2622f", "#4f8f5b", "#8a6bb1", "#a8862c")
Option = dict[str, Any]


def stock_chart(outlook: OutlookView) -> Option:
    """Projected stock within its quantiles, with the reorder point and the safety stock as lines."""
    series = _fan(outlook.stock_p10, outlook.stock_p50, outlook.stock_p90)
    levels = [("Reorder point", outlook.reorder_point), ("Safety stock", outlook.safety_stock)]
    series[-1]["markLine"] = {
        "symbol": "none",
        "silent": True,
        "lineStyle": {"color": WARN, "type": "dashed"},
        "label": {"position": "insideEndTop", "formatter": "{b}", "color": WARN, "fontSize": 11},
        "data": [{"yAxis": round(level, 2), "name": name} for name, level in levels],
    }
    return _chart(list(outlook.dates[: len(outlook.stock_p50)]), series)


def _fan(low: Sequence[float], middle: Sequence[float], high: Sequence[float]) -> list[Option]:
    """The band as a transparent base and a filled difference stacked on it, then the median."""
    band = {"stack": "band", "symbol": "none", "silent": True, "lineStyle": {"opacity": 0}, "type": "line"}
    return [
        {**band, "name": "10 %", "data": list(low), "stackStrategy": "all"},
        {
            **band,
            "name": "10–90 %",
            "data": [round(top - base, 4) for base, top in zip(low, high, strict=True)],
            "areaStyle": {"color": FAN, "opacity": 0.45},
            "itemStyle": {"color": FAN},
            "stackStrategy": "all",
        },
        _line("Median", middle, INK),
    ]


def _line(name: str, values: Sequence[float], colour: str) -> Option:
    return {
        "name": name,
        "type": "line",
        "symbol": "none",
        "data": list(values),
        "lineStyle": {"color": colour, "width": 2},
        "itemStyle": {"color": colour},
    }


def _chart(dates: Sequence[str], series: Sequence[Option]) -> Option:
    return {
        "animation": False,
        "grid": {"left": 56, "right": 16, "top": 30, "bottom": 26},
        "legend": {
            "top": 0,
            "right": 8,
            "itemHeight": 8,
            "icon": "roundRect",
            "textStyle": {"color": PAST},
            "data": [one["name"] for one in series if one["name"] != "10 %"],
        },
        "xAxis": {"type": "category", "data": list(dates), "axisLabel": {"fontSize": 11, "color": PAST}},
        "yAxis": {
            "type": "value",
            "axisLabel": {"fontSize": 11, "color": PAST},
            "splitLine": {"lineStyle": {"color": GRID}},
        },
        "series": list(series),
    }


def options_chart(options: Sequence[OptionView], currency: str) -> Option:
    """Each option by its cost above the cheapest of its group and its fill rate; the chosen ones are large."""
    groups = list(dict.fromkeys(option.group for option in options))
    axis = {"type": "value", "axisLabel": {"fontSize": 11, "color": PAST}, "splitLine": {"lineStyle": {"color": GRID}}}
    named = {"nameLocation": "middle", "nameTextStyle": {"color": PAST}}
    cost_axis = {
        **axis,
        **named,
        "nameGap": 26,
        "name": f"Cost above the cheapest of the group ({currency or 'money'})",
    }
    fill_axis = {**axis, **named, "nameGap": 40, "name": "Fill rate (%)", "scale": True}
    colours = [GROUPS[place % len(GROUPS)] for place in range(len(groups))]
    return {
        "animation": False,
        "grid": {"left": 60, "right": 24, "top": 34, "bottom": 44},
        "legend": {"top": 0, "right": 8, "itemHeight": 8, "textStyle": {"color": PAST}},
        "xAxis": cost_axis,
        "yAxis": fill_axis,
        "series": [_group(group, colour, options) for group, colour in zip(groups, colours, strict=True)],
    }


def _group(group: str, colour: str, options: Sequence[OptionView]) -> Option:
    own = [option for option in options if option.group == group]
    least = min(option.expected_cost for option in own)
    points = [
        {
            "name": option.title,
            "value": [round(option.expected_cost - least, 2), round(option.fill_rate * 100, 2)],
            "symbolSize": 18 if option.chosen else 9,
            "label": {"show": option.chosen, "formatter": "{b}", "position": "right", "color": PAST, "fontSize": 11},
        }
        for option in own
    ]
    return {"name": f"Group {group}", "type": "scatter", "data": points, "itemStyle": {"color": colour}}


def trade_off_words(chosen: Sequence[OptionView]) -> str:
    """The chosen options' figures, for who cannot see the chart."""
    return " ".join(
        f"Group {one.group}: {one.title}, cost {money(one.expected_cost)}, fill rate {percent(one.fill_rate)}."
        for one in chosen
    )


def labelled_chart(title: str, option: Option, in_words: str) -> None:
    """A chart with its title, and its message in words for who cannot see it."""
    with ui.column().classes("chart-box"):
        ui.label(title).classes("strong")
        chart = ui.echart(option, renderer="svg").classes("chart")
        chart.props["role"] = "img"
        chart.props["aria-label"] = f"{title}. {in_words}"
