"""A suite's result for people: a table for the terminal, and one page that needs nothing beside itself."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from evals.plots import plot_result
from evals.results import Comparison, SuiteResult
from evals.scorers import BY_KEY, SCORERS, Scorer
from tools.domain.errors import BadInput

FORMATS: Mapping[str, Callable[[float], str]] = {
    "share": lambda value: f"{value:.1%}",
    "money": lambda value: f"{value:,.0f}",
    "money per year": lambda value: f"{value:,.0f}",
    "money days": lambda value: f"{value:,.0f}",
    "per year": lambda value: f"{value:.2f}",
    "ratio": lambda value: f"{value:.4f}",
    "days": lambda value: f"{value:.1f}",
    "seconds": lambda value: f"{value:.3f}",
}

SEED_BY_SEED = ("fill_rate", "stock_value", "inventory_turns", "landed_cost", "holding_cost", "total_cost")
"""Figures that the page shows for each seed; the JSON document holds all."""


def shown(scorer: Scorer, value: float) -> str:
    """A figure in its unit; a dash where it could not be computed."""
    return FORMATS[scorer.unit](value) if np.isfinite(value) else "–"


def changes(comparison: Comparison) -> list[tuple[str, str]]:
    """The headline beside one baseline: what, and by how much."""
    percent, points = partial(_signed, unit=" %"), partial(_signed, unit=" points")
    return [
        ("average stock", percent(comparison.stock_change_percent)),
        ("fill rate", points(comparison.fill_rate_change)),
        ("landed cost", percent(comparison.landed_cost_change_percent)),
        ("landed and holding cost", percent(comparison.total_cost_change_percent)),
        ("decision latency, median", _signed(comparison.latency_median_change_days, " days")),
        ("stock at the same fill rate", percent(comparison.same_fill_stock_change_percent)),
        ("total cost at the same fill rate", percent(comparison.same_fill_total_cost_change_percent)),
    ]


def _signed(value: float, unit: str) -> str:
    return f"{value:+.1f}{unit}" if np.isfinite(value) else "–"


def as_terminal(result: SuiteResult) -> Group:
    """Means by buyer, the headline beside each baseline, and the goals."""
    table = Table(
        title=f"{result.suite}: means over seeds {result.settings['seeds']}, {result.settings['weeks']} weeks",
        title_justify="left",
    )
    table.add_column("figure")
    for buyer in result.buyers:
        table.add_column(buyer, justify="right")
    means = [result.means(buyer) for buyer in result.buyers]
    for scorer in SCORERS:
        unit = scorer.unit.replace("money", result.currency)
        table.add_row(f"{scorer.title}, {unit}", *(shown(scorer, mean[scorer.key]) for mean in means))
    headline = Table(title=f"{result.ours} beside each baseline", title_justify="left")
    headline.add_column("change in")
    for comparison in result.comparisons:
        headline.add_column(f"against {comparison.baseline}", justify="right")
    for rows in zip(*(changes(comparison) for comparison in result.comparisons), strict=True):
        headline.add_row(rows[0][0], *(value for _, value in rows))
    goals = [
        Text.assemble(("✓ ", "green") if goal.met else ("✗ ", "red"), f"{goal.title}: {goal.found}.")
        for goal in result.goals
    ]
    return Group(table, headline, *goals)


def as_page(result: SuiteResult) -> str:
    """The HTML page. Every text in it is escaped; the plot is part of it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("evals", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html.j2").render(
        result=result,
        scorers=SCORERS,
        seed_by_seed=[BY_KEY[key] for key in SEED_BY_SEED],
        means={buyer: result.means(buyer) for buyer in result.buyers},
        changes=changes,
        shown=shown,
        plot=Markup(plot_result(result)),  # noqa: S704 - matplotlib escapes names and draws them as shapes
    )


def ready_page(path: Path) -> Path:
    """The path, once its folder is there and it can be written. BadInput when not: before anything is played."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a").close()
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written: {error.strerror}.", remedy="Give another file with --out.", path=str(path)
        ) from error
    return path


def write_page(result: SuiteResult, path: Path) -> None:
    """Write the page. BadInput when the path cannot be written."""
    ready_page(path).write_text(as_page(result), encoding="utf-8")
