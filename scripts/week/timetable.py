"""How the week is told: a row as each step ends, then the time table, what failed, and one JSON object."""

import json
from collections import defaultdict

from rich.console import Console
from rich.table import Table

from scripts.week.company.firm import Firm, day_of
from scripts.week.living import Lived, Taken


def row_of(taken: Taken) -> str:
    """A step that just ended, in a line, and what failed of it below."""
    row = f"day {taken.day}  {taken.step:<28} {taken.seconds:7.1f} s  checks {taken.check_seconds:5.1f} s"
    return "\n".join([row, *(f"  FAILED {one.finding}" for one in taken.failures)])


def show_table(lived: Lived, console: Console) -> None:
    """Seconds of each step by day, and of all its times."""
    days = sorted({one.day for one in lived.taken})
    table = Table("step", *(f"{day_of(day):%a %d}" for day in days), "all", title="Seconds by step", show_footer=True)
    seconds: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for one in lived.taken:
        seconds[one.step][one.day] += one.seconds
        seconds["what must hold"][one.day] += one.check_seconds
    for step in sorted(seconds, key=lambda name: name == "what must hold"):
        cells = [f"{seconds[step][day]:.1f}" if day in seconds[step] else "" for day in days]
        table.add_row(step, *cells, f"{sum(seconds[step].values()):.1f}")
    for column, day in enumerate(days, start=1):
        table.columns[column].footer = f"{sum(by_day.get(day, 0.0) for by_day in seconds.values()):.1f}"
    table.columns[-1].footer = f"{sum(sum(by_day.values()) for by_day in seconds.values()):.1f}"
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)


def show_failures(lived: Lived, firm: Firm, console: Console) -> None:
    """What did not hold, or that everything did."""
    for failure in lived.failures:
        console.print(f"FAILED {failure}", markup=False, highlight=False, soft_wrap=True)
    if lived.without:
        console.print(lived.without)
    if lived.failures:
        console.print(f"{len(lived.failures)} failures. The home is kept: {firm.root}", soft_wrap=True)
    else:
        console.print("Everything held.")


def as_json(lived: Lived, firm: Firm, days: int) -> str:
    """The week's figures as the benchmarks give theirs."""
    figures = {
        "items": (firm.items, "items", "-", "of the generated company"),
        "days": (days, "days", "-", "lived through"),
        "steps": (len(lived.taken), "steps", "-", "each as a person takes it"),
        "checks": (lived.checks, "checks", "-", "after the steps"),
        "commands": (lived.commands, "commands", "-", "each a process of its own"),
        "requests": (lived.requests, "requests", "-", "HTTP, the page's among them"),
        "needs": (lived.needs, "needs", "-", "items at a site that were bought"),
        "bought_on": (lived.bought_on, "needs", "-", "bought on by later days' plans, beyond one plan and the use"),
        "failures": (len(lived.failures), "findings", "0", "what must hold"),
        "seconds": (round(sum(one.seconds + one.check_seconds for one in lived.taken), 1), "s", "-", "all of it"),
        "slowest_plan_s": (round(_slowest(lived, "nightly plan"), 1), "s", "-", "clock, read-back and plan"),
    }
    named = {
        key: {"value": value, "unit": unit, "goal": goal, "yardstick": yardstick}
        for key, (value, unit, goal, yardstick) in figures.items()
    }
    told = {"benchmark": "week", "figures": named, "failures": [str(one) for one in lived.failures]}
    return json.dumps(told)


def _slowest(lived: Lived, step: str) -> float:
    return max((one.seconds for one in lived.taken if one.step == step), default=0.0)
