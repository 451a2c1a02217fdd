"""A forecast as a file: a picture, a page that stands by itself, or its figures."""

import html
import io
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from graph.views.forecasts import ForecastView
from tools.domain.errors import BadInput
from tools.forecasting.chart import BANDS, CAME, EARLIER, INK, MEDIAN, PAST

SIZE_INCHES = (10.5, 4.6)
DOTS_PER_INCH = 150


def save_forecast(view: ForecastView, file: Path) -> None:
    """Write the forecast as .png, .svg, .html or .json. BadInput for another kind, or where nothing can be written."""
    write = WRITERS.get(file.suffix.lower())
    if write is None:
        raise BadInput(
            f"--save {file} names no kind of file that is known.", remedy=f"End it with {', '.join(WRITERS)}."
        )
    content = write(view)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error}.", remedy="Name a file in a folder of yours.") from error


def _figure(view: ForecastView) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    axes: Any = figure.add_subplot()
    ahead = _days(view.dates)
    axes.plot(_days(view.history_dates), view.history, color=PAST, linewidth=1.4, label="recorded")
    for share, low, high, colour in BANDS:
        label = f"{share:.0%}".replace("%", " %")
        axes.fill_between(ahead, view.quantiles[low], view.quantiles[high], color=colour, linewidth=0, label=label)
    axes.plot(ahead, view.quantiles[MEDIAN], color=INK, linewidth=1.8, label="median")
    for earlier in view.earlier[:1]:
        style: Mapping[str, Any] = {"color": EARLIER, "linestyle": "--", "linewidth": 1.2}
        axes.plot(_days(earlier.dates), earlier.median, label=f"median of {earlier.version}", **style)
    if view.actuals:
        axes.plot(_days(view.actual_dates), view.actuals, color=CAME, marker="D", markersize=4, label="what came")
    axes.set_title(_title(view), fontsize=11, loc="left")
    axes.set_ylabel(f"{view.uom} per {view.period}")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, frameon=False, ncols=4)
    return figure


def _days(texts: tuple[str, ...]) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


def _title(view: ForecastView) -> str:
    named = f"{view.item_id} {view.item}".strip()
    return f"{named.replace('$', chr(92) + '$')} at {view.site_id}: {view.pattern} demand, {view.estimate.version}"


def _png(view: ForecastView) -> bytes:
    stream = io.BytesIO()
    _figure(view).savefig(stream, format="png", dpi=DOTS_PER_INCH)
    return stream.getvalue()


def _svg(view: ForecastView) -> bytes:
    """The same bytes for the same forecast."""
    from matplotlib import rc_context

    stream = io.BytesIO()
    with rc_context({"svg.hashsalt": view.estimate.version, "svg.fonttype": "path"}):
        _figure(view).savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def _html(view: ForecastView) -> bytes:
    """A page without scripts of its own: the picture, the figures, and the chart's specification as JSON."""
    picture = _svg(view).decode()
    picture = re.sub(r"<metadata>.*?</metadata>", "", picture[picture.index("<svg") :], flags=re.DOTALL)
    levels = list(view.quantiles)
    head = "".join(f"<th>{level}</th>" for level in levels)
    rows = "".join(
        f"<tr><td>{day}</td>{''.join(f'<td>{view.quantiles[level][n]:,.2f}</td>' for level in levels)}</tr>"
        for n, day in enumerate(view.dates)
    )
    told = f"{view.estimate.version} of {view.estimate.dataset_version}, {view.estimate.model_version}"
    spec = orjson.dumps(view.chart).decode().replace("<", "\\u003c")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(_title(view))}</title>'
        "<style>body{font:14px system-ui;margin:2rem;max-width:70rem}td,th{text-align:right;padding:.1rem .6rem}"
        "svg{max-width:100%;height:auto}</style>"
        f"<h1>{html.escape(f'{view.item_id} {view.item}')}</h1>{picture}"
        f"<p>{html.escape(f'Quantiles, {view.uom} per {view.period}. {told}, code {view.estimate.code_version}.')}</p>"
        f"<table><tr><th>{view.period}</th>{head}</tr>{rows}</table>"
        f'<script type="application/json" id="chart">{spec}</script></html>'
    ).encode()


def _json(view: ForecastView) -> bytes:
    return view.model_dump_json(indent=2).encode()


WRITERS: Mapping[str, Callable[[ForecastView], bytes]] = {".png": _png, ".svg": _svg, ".html": _html, ".json": _json}
