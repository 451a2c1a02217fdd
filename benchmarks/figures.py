"""The one way in which every benchmark prints: a readable table, then one JSON object as the last line."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value beside its goal and what it is compared with."""

    value: float
    unit: str
    goal: str
    yardstick: str


def quick_asked(arguments: Sequence[str] | None = None) -> bool:
    """Whether `--quick` is among the command's arguments; it must end within 50 s."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    return bool(parser.parse_known_args(arguments)[0].quick)


def report(benchmark: str, figures: Mapping[str, Figure]) -> str:
    """The whole output of a benchmark."""
    rows = [("figure", "value", "unit", "goal", "yardstick")]
    rows += [(key, f"{f.value:,.4g}", f.unit, f.goal, f.yardstick) for key, f in figures.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    as_json = {"benchmark": benchmark, "figures": {key: asdict(f) for key, f in figures.items()}}
    return "\n".join([*lines, json.dumps(as_json)])
