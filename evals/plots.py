"""Plots of a suite's result as SVG text that stands in a page by itself."""

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evals.buying import LoopRecord
from evals.results import SuiteResult
from tools.domain.arrays import FloatArray

COLOURS = ("#0b6e4f", "#b5541c", "#4a5a8a")
"""Ours first; each differs from the others in lightness as well."""
DASHES = ("-", "--", ":")


def plot_result(result: SuiteResult) -> str:
    """Stock and cumulative fill rate over time by buyer, means over the seeds, and what fill rate costs in stock."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 7.6), layout="constrained")
    grid = figure.add_gridspec(2, 2)
    _lines(figure.add_subplot(grid[0, 0]), result, _stock, f"Stock on hand, thousand {result.currency}")
    _lines(figure.add_subplot(grid[0, 1]), result, _filled, "Fill rate by value since the start, %")
    _trade_off(figure.add_subplot(grid[1, :]), result)
    return _as_svg(figure)


def _lines(axes: Any, result: SuiteResult, of: Callable[[LoopRecord], FloatArray], title: str) -> None:
    for buyer, colour, dash in zip(result.buyers, COLOURS, DASHES, strict=False):
        runs = np.stack([of(p.record) for p in result.played if p.record.buyer == buyer])
        weeks = (np.arange(runs.shape[1]) + 1) / 7
        axes.plot(weeks, runs.mean(axis=0), dash, color=colour, label=buyer, linewidth=1.8)
        if runs.shape[0] > 1:
            axes.fill_between(weeks, runs.min(axis=0), runs.max(axis=0), color=colour, alpha=0.10, linewidth=0)
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel("week")
    _plain_frame(axes)
    axes.legend(fontsize=8, frameon=False)


def _stock(record: LoopRecord) -> FloatArray:
    return record.stock_value_by_day / 1000


def _filled(record: LoopRecord) -> FloatArray:
    asked = np.cumsum(record.demand_value_by_day)
    return 100 * np.cumsum(record.served_value_by_day) / np.maximum(asked, 1e-9)


def _trade_off(axes: Any, result: SuiteResult) -> None:
    for buyer, colour, dash in zip(result.buyers, COLOURS, DASHES, strict=False):
        mean = result.means(buyer)
        if curve := result.curves.get(buyer, ()):
            stock = [point.stock_value / 1000 for point in curve]
            axes.plot(stock, [100 * point.fill_rate for point in curve], dash, color=colour, linewidth=1, alpha=0.7)
        runs = [p.figures for p in result.played if p.record.buyer == buyer]
        _dots(axes, [run["stock_value"] for run in runs], [run["fill_rate"] for run in runs], colour, 18)
        _dots(axes, [mean["stock_value"]], [mean["fill_rate"]], colour, 90, buyer)
    axes.set_title(
        "Fill rate against stock: large dots are means, small ones seeds; lines are the baselines with other safety "
        "factors",
        fontsize=10,
        loc="left",
    )
    axes.set_xlabel(f"average stock, thousand {result.currency}")
    axes.set_ylabel("fill rate, %")
    _plain_frame(axes)
    axes.legend(fontsize=8, frameon=False, loc="lower right")


def _dots(axes: Any, stock: Sequence[float], fill: Sequence[float], colour: str, size: float, label: str = "") -> None:
    axes.scatter(
        [value / 1000 for value in stock],
        [100 * value for value in fill],
        s=size,
        color=colour,
        label=label or None,
        zorder=3,
    )


def _plain_frame(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.tick_params(labelsize=8)


def _as_svg(figure: Any) -> str:
    """The svg element alone: no document type, metadata, comment or link; the same bytes for one result."""
    from matplotlib import rc_context

    stream = io.StringIO()
    plain = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with rc_context({"svg.hashsalt": "eval", "svg.fonttype": "path"}):
        figure.savefig(stream, format="svg", metadata=plain)
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text[text.index("<svg") :], flags=re.DOTALL)
    return re.sub(r' xmlns(:xlink)?="[^"]*"', "", text, count=2).replace("xlink:href", "href")
