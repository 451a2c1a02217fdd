"""What else an order line could be: its cost curve, next best, projected stock, textbook quantities, better terms."""

from typing import Any

from nicegui import ui

from graph.views.line_stories import LineStoryView
from web.pages.widgets.charts import FAN, GRID, INK, PAST, WARN, labelled_chart
from web.pages.widgets.parts import grid_table, heading
from web.pages.widgets.wording import money, percent, quantity, words

Option = dict[str, Any]


def story_section(story: LineStoryView) -> None:
    """Everything computed about a line on demand."""
    heading("What other quantities would cost", 3)
    labelled_chart("Expected cost by quantity", curve_chart(story), story.curve_in_words)
    ui.label(story.curve_in_words)
    heading("Next best", 3)
    ui.label(story.next_best)
    if story.limits:
        heading("What a limit is worth", 3)
        for limit in story.limits:
            ui.label(limit)
    heading("Projected stock with this line", 3)
    labelled_chart("Projected stock", stock_band_chart(story), stock_in_words(story))
    ui.label(
        f"Stock-out before an order of the next review can arrive, around {story.next_opportunity}:"
        f" {percent(story.stockout_probability)}; without this line, later orders making up for it,"
        f" {percent(story.stockout_probability_without)}."
    )
    if story.textbook:
        heading("Textbook quantities", 3)
        rows = [(words(one.name), quantity(one.textbook), quantity(one.ours), one.why) for one in story.textbook]
        grid_table(("", "Textbook", "Ours", "Why they differ"), rows, numeric=(1, 2), name="Textbook quantities")
    _terms(story)


def _terms(story: LineStoryView) -> None:
    heading("What better terms are worth", 3)
    ui.label(story.reservation_in_words)
    rows = [(term.words, money(term.value, story.currency)) for term in story.terms if term.value > 0.005]
    if rows:
        grid_table(("Better term", "Worth"), rows, numeric=(1,), name="What better terms are worth")


def curve_chart(story: LineStoryView) -> Option:
    """The expected cost by quantity, with the planned one marked."""
    planned = next(point.quantity for point in story.curve if point.planned)
    points = [[point.quantity, round(point.total, 2)] for point in story.curve]
    return {
        "animation": False,
        "grid": {"left": 70, "right": 20, "top": 32, "bottom": 42},
        "tooltip": {"trigger": "axis"},
        "xAxis": {**_axis(), "name": "Quantity", "nameLocation": "middle", "nameGap": 26},
        "yAxis": {**_axis(), "scale": True, "name": story.currency},
        "series": [
            {
                "name": "Expected cost",
                "type": "line",
                "data": points,
                "symbolSize": 7,
                **_inked(),
                "markLine": {
                    "symbol": "none",
                    "silent": True,
                    "lineStyle": {"color": WARN, "type": "dashed"},
                    "label": {"formatter": "planned", "color": WARN, "fontSize": 11},
                    "data": [{"xAxis": planned}],
                },
            }
        ],
    }


def stock_band_chart(story: LineStoryView) -> Option:
    """Projected stock: the median within the 25–75 % and the 5–95 % bands."""
    bands = (story.stock_p05, story.stock_p25, story.stock_p50, story.stock_p75, story.stock_p95)
    low, lower, middle, upper, high = (list(band) for band in bands)
    series = [
        *_band("5–95 %", low, high, 0.22),
        *_band("25–75 %", lower, upper, 0.45),
        {"name": "Median", "type": "line", "symbol": "none", "data": middle, **_inked()},
    ]
    return {
        "animation": False,
        "grid": {"left": 56, "right": 16, "top": 30, "bottom": 26},
        "legend": {"top": 0, "right": 8, "data": ["5–95 %", "25–75 %", "Median"], "textStyle": {"color": PAST}},
        "xAxis": {"type": "category", "data": [day.isoformat() for day in story.dates], "axisLabel": _label()},
        "yAxis": _axis(),
        "series": series,
    }


def _band(name: str, low: list[float], high: list[float], opacity: float) -> list[Option]:
    """A transparent base and the filled difference stacked on it."""
    band = {"type": "line", "stack": name, "symbol": "none", "silent": True, "lineStyle": {"opacity": 0}}
    width = [round(top - base, 4) for base, top in zip(low, high, strict=True)]
    filled = {"areaStyle": {"color": FAN, "opacity": opacity}, "itemStyle": {"color": FAN}}
    return [
        {**band, "name": f"{name} base", "data": low, "stackStrategy": "all"},
        {**band, **filled, "name": name, "data": width, "stackStrategy": "all"},
    ]


def _inked() -> Option:
    return {"lineStyle": {"color": INK, "width": 2}, "itemStyle": {"color": INK}}


def _axis() -> Option:
    return {"type": "value", "axisLabel": _label(), "splitLine": {"lineStyle": {"color": GRID}}}


def _label() -> Option:
    return {"fontSize": 11, "color": PAST}


def stock_in_words(story: LineStoryView) -> str:
    """The chart's message for who cannot see it."""
    runs_out = next((day for day, units in zip(story.dates, story.stock_p50, strict=True) if units < 0), None)
    low = next((day for day, units in zip(story.dates, story.stock_p05, strict=True) if units < 0), None)
    median = f"The median falls below zero by {runs_out}" if runs_out else "The median stays above zero"
    return f"{median}; in one of twenty cases stock is out by {low}." if low else f"{median}, and so does the 5 % line."
