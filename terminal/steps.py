"""The steps of a run as they end; what happens many times in parallel is one line with a count."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from rich.text import Text

from graph.views.runs import UNDER_WAY, StepView
from terminal.failures import stop_if_asked
from terminal.figures import seconds
from terminal.screen import bullet, screen, working

NEXT = {
    "": "Reading the dataset",
    "sense": "Checking data quality",
    "gate_data": "Forecasting demand and lead times",
    "estimate": "Looking for drift",
    "gate_drift": "Assessing risk along the supply network",
    "assess_risk": "Pricing options",
    "compute_options": "Choosing a plan",
    "choose_plan": "Pricing what suppliers are asked for",
    "limit_prices": "Negotiating with suppliers",
    "negotiate": "Checking lines against the rules",
    "gate_lines": "Checking the plan against the rules",
    "gate_plan": "Deciding what may leave by itself",
    "gate_autonomy": "Opening approvals and dispatching",
    "order": "Dispatching",
}
"""What runs after a step, as the spinner says it."""
BEFORE = {node: before for before, node in pairwise(NEXT)}
"""The step that ends before one begins."""
PARALLEL = ("negotiate", "order", "await_approval", "dispatch", "decline", "gate_edit")
"""Steps with a branch for each supplier or order."""
MARKS = {"ok": ("✓", "green"), "interrupted": ("…", "yellow")}


@dataclass
class _Group:
    """Steps of one node in a row."""

    first: StepView
    round: int = 1
    """Denied lines went back to the planner: how often this step has run."""
    times: int = 0
    seconds: float = 0.0
    lines: list[str] = field(default_factory=list[str])

    def add(self, step: StepView) -> None:
        self.times += 1
        self.seconds += step.seconds
        found = step.summary.splitlines()
        self.lines = found if self.first.node in PARALLEL else [*dict.fromkeys([*self.lines, *found])]


def until_stopped(steps: Iterator[StepView]) -> Iterator[StepView]:
    """The steps, until a person asks to stop; then what drives them is ended too."""
    try:
        for step in steps:
            stop_if_asked()
            yield step
    finally:
        if isinstance(steps, Generator):
            steps.close()


def grouped(steps: Iterable[StepView]) -> Iterator[_Group]:
    """Each step as soon as it ends, but those that run in parallel as one, when the last of them has ended."""
    held: _Group | None = None
    for step in steps:
        if held is not None and held.first.node != step.node:
            yield held
            held = None
        held = held or _Group(step)
        held.add(step)
        if step.node not in PARALLEL:
            yield held
            held = None
    if held is not None:
        yield held


def show_steps(steps: Iterator[StepView], *, printing: bool = True, quiet: bool = False) -> list[StepView]:
    """Print each step as it ends, unless it is not asked for, and tell the one that runs; gives all steps."""
    done: list[StepView] = []
    seen: Counter[str] = Counter()
    with working(running(""), quiet=quiet) as tell:

        def watched() -> Iterator[StepView]:
            for step in until_stopped(steps):
                if step.status == UNDER_WAY:
                    tell(f"{running(BEFORE.get(step.node, step.node))}: {step.summary}")
                    continue
                done.append(step)
                tell(running(step.node))
                yield step

        for group in grouped(watched()):
            seen[group.first.node] += 1
            group.round = seen[group.first.node]
            if printing:
                _print(group)
    return done


def running(ended: str) -> str:
    """What runs after a step, and how far the run is."""
    if ended not in NEXT:
        return "Working"
    return f"{NEXT[ended]} (step {list(NEXT).index(ended) + 1} of {len(NEXT)})"


def _print(group: _Group) -> None:
    mark, colour = MARKS.get(group.first.status, ("✗", "red"))
    times = f" × {group.times}" if group.times > 1 else f" (round {group.round})" if group.round > 1 else ""
    title = Text.assemble(
        (mark, colour), " ", (group.first.title, "bold"), times, "  ", (seconds(group.seconds), "dim")
    )
    screen().print(title)
    for line in group.lines:
        bullet(line)
