"""ECharts options of an item's outlook: fans of demand and of projected stock."""

from collections.abc import Sequence
from typing import Any

from graph.views import OutlookView

INK = "#24506b"
FAN = "#7fb0cc"
PAST = "#3c4654"
WARN = "#b4552d"
Option = dict[str, Any]


def demand_chart(outlook: OutlookView) -> Option:
    """What was consumed, then the forecast's median within its 10 and 90 % quantiles."""
    past, ahead = len(outlook.history_dates), len(outlook.dates)
    dates = [*outlook.history_dates, *outlook.dates]
    history = [*outlook.history, *[None] * ahead]
    series = [_line("History", history, PAST), *_fan(outlook.demand_p10, outlook.demand_p50, outlook.demand_p90, past)]
    return _chart(dates, series)


def stock_chart(outlook: OutlookView) -> Option:
    """Projected stock within its quantiles, with the reorder point and the safety stock as lines."""
    series = _fan(outlook.stock_p10, outlook.stock_p50, outlook.stock_p90, 0)
    levels = [("Reorder point", outlook.reorder_point), ("Safety stock", outlook.safety_stock)]
    series[-1]["markLine"] = {
        "symbol": "none",
        "silent": True,
        "lineStyle": {"color": WARN, "type": "dashed"},
        "label": {"position": "insideEndTop", "formatter": "{b}", "color": WARN, "fontSize": 11},
        "data": [{"yAxis": round(level, 2), "name": name} for name, level in levels],
    }
    return _chart(list(outlook.dates[: len(outlook.stock_p50)]), series)


def _fan(low: Sequence[float], middle: Sequence[float], high: Sequence[float], offset: int) -> list[Option]:
    """The band as a transparent base and a filled difference stacked on it, then the median."""
    skipped: list[float | None] = [None] * offset
    band = {"stack": "band", "symbol": "none", "silent": True, "lineStyle": {"opacity": 0}, "type": "line"}
    return [
        {**band, "name": "10 %", "data": [*skipped, *low], "stackStrategy": "all"},
        {
            **band,
            "name": "10–90 %",
            "data": [*skipped, *(round(top - base, 4) for base, top in zip(low, high, strict=True))],
            "areaStyle": {"color": FAN, "opacity": 0.45},
            "itemStyle": {"color": FAN},
            "stackStrategy": "all",
        },
        _line("Median", [*skipped, *middle], INK),
    ]


def _line(name: str, values: Sequence[float | None], colour: str) -> Option:
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
            "data": [one["name"] for one in series if one["name"] != "10 %"],
        },
        "xAxis": {"type": "category", "data": list(dates), "axisLabel": {"fontSize": 11, "color": PAST}},
        "yAxis": {
            "type": "value",
            "axisLabel": {"fontSize": 11, "color": PAST},
            "splitLine": {"lineStyle": {"color": "#e6eaee"}},
        },
        "series": list(series),
    }
