"""A fan chart and sparklines in letters: history, the 50, 80 and 95 % bands, and the median."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from graph.views.forecasts import ForecastView
from terminal.figures import amount, units
from terminal.screen import screen, width

ROWS = 16
LABEL = 9
"""Columns of the scale on the left."""
MOST_COLUMNS = 100
CLIPPED_ABOVE = 0.98
"""Share of the history that sets the scale; higher values are drawn at the top with an arrow."""
HEADROOM = 1.05
SPARKS = "▁▂▃▄▅▆▇█"
BANDS = (("0.25", "0.75", "▓", "blue"), ("0.1", "0.9", "▒", "blue"), ("0.025", "0.975", "░", "bright_black"))
"""Lower and upper quantile, letter and colour, narrowest first."""
HISTORY, CAME, MEDIAN, HIGHER = "•", "◆", "━", "▲"
Cell = tuple[str, str]
"""Letter and style."""
EMPTY: Cell = (" ", "")


@dataclass(frozen=True, slots=True)
class _Scale:
    """Units at the top of the chart; a row covers `top / ROWS` of them, the lowest one from zero."""

    top: float

    def row(self, value: float) -> int:
        """Row from the bottom, at most the highest."""
        return min(int(max(value, 0.0) / self.top * ROWS), ROWS - 1)


def spark(values: Sequence[float]) -> str:
    """Values as one line of bars from zero to the largest."""
    largest = max(values, default=0.0)
    if largest <= 0:
        return SPARKS[0] * len(values)
    return "".join(SPARKS[min(int(value / largest * len(SPARKS)), len(SPARKS) - 1)] for value in values)


def draw_fan(view: ForecastView) -> None:
    """Print the chart: time to the right, a scale on the left, what the letters mean below."""
    room = min(width() - LABEL - 2, MOST_COLUMNS)
    ahead = min(len(view.dates), room)
    past = min(len(view.history), room - ahead)
    repeat = max(1, room // max(past + ahead, 1))
    history = view.history[len(view.history) - past :]
    scale = _Scale(_top(view, history, ahead))
    columns = [_recorded(value, scale) for value in history] + [_future(view, place, scale) for place in range(ahead)]
    wide = [column for column in columns for _ in range(repeat)]
    for row in reversed(range(ROWS)):
        line = Text(f"{_label(row, scale):>{LABEL}} ", style="dim")
        for column in wide:
            letter, style = column[row]
            line.append(letter, style)
        line.rstrip()
        screen().print(line, soft_wrap=True)
    _time_axis(view, past * repeat, ahead * repeat, past)
    _legend(view)


def _top(view: ForecastView, history: Sequence[float], ahead: int) -> float:
    usual = sorted(history)
    kept = usual[: max(1, int(len(usual) * CLIPPED_ABOVE))] if usual else [0.0]
    highest = max(view.quantiles["0.975"][:ahead], default=0.0)
    return max(kept[-1], highest, max(view.actuals, default=0.0), 1e-9) * HEADROOM


def _label(row: int, scale: _Scale) -> str:
    if row == ROWS - 1:
        return amount(scale.top)
    if row == ROWS // 2:
        return amount(scale.top * (ROWS // 2) / ROWS)
    return "0" if row == 0 else ""


def _recorded(value: float, scale: _Scale) -> list[Cell]:
    column = [EMPTY] * ROWS
    column[scale.row(value)] = (HIGHER if value > scale.top else HISTORY, "")
    return column


def _future(view: ForecastView, place: int, scale: _Scale) -> list[Cell]:
    column = [EMPTY] * ROWS
    for low, high, letter, style in reversed(BANDS):
        for row in range(scale.row(view.quantiles[low][place]), scale.row(view.quantiles[high][place]) + 1):
            column[row] = (letter, style)
    column[scale.row(view.quantiles["0.5"][place])] = (MEDIAN, "bold blue")
    came = dict(zip(view.actual_dates, view.actuals, strict=True)).get(view.dates[place])
    if came is not None:
        column[scale.row(came)] = (CAME, "bold")
    return column


def _time_axis(view: ForecastView, past: int, ahead: int, shown: int) -> None:
    """A rule with its first day, the origin and the last day."""
    rule = "─" * past + ("┼" if past else "") + "─" * max(ahead - 1, 0)
    screen().print(Text(f"{'':>{LABEL}} {rule}", style="dim"), soft_wrap=True)
    first = view.history_dates[-shown] if shown else view.dates[0]
    marks = {0: first, past: f"{view.as_of}", past + ahead: view.dates[min(ahead, len(view.dates)) - 1]}
    line, places = [" "] * (past + ahead + 1), sorted(marks)
    for place, text in marks.items():
        start = max(0, min(place, len(line)) - (len(text) if place == places[-1] and place else 0))
        if all(letter == " " for letter in line[start : start + len(text) + 1]):
            line[start : start + len(text)] = text
    screen().print(Text(f"{'':>{LABEL}} {''.join(line).rstrip()}", style="dim"), soft_wrap=True)


def _legend(view: ForecastView) -> None:
    parts = [f"{HISTORY} recorded", f"{MEDIAN} median"]
    parts += [f"{letter} {share} %" for (_, _, letter, _), share in zip(BANDS, (50, 80, 95), strict=True)]
    if view.actuals:
        parts.append(f"{CAME} what came ({view.actuals_from})")
    if any(value > _top(view, view.history, len(view.dates)) for value in view.history):
        parts.append(f"{HIGHER} higher, up to {units(max(view.history))}")
    text = f"{'  '.join(parts)}   {view.uom} per {view.period}"
    screen().print(Text(f"{'':>{LABEL}} {text}", style="dim"), soft_wrap=True)
