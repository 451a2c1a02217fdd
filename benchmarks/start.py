"""What a person waits for at the command line, as whole commands: the first demo, a later one, help, stored answers.

Every time stands beside that of `python -c "import langgraph.graph"` in the same run, the smallest of several each:
whole commands in turn, so that a busy machine slows both. The first demo begins without any machine code of kernels.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.figures import Figure, quick_asked, report

JIT = (sys.executable, "-m", "app")
IMPORT = (sys.executable, "-c", "import langgraph.graph")
ITEM = "I010"
GOALS: Mapping[str, str] = {
    "cold_s": "told",
    "warm_s": "<= 5",
    "help_s": "<= 0.4",
    "explain_first_s": "<= 4",
    "explain_s": "<= 1.5",
    "forecast_s": "<= 1.5",
}


def _seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    started = perf_counter()
    subprocess.run(command, env=dict(environment), check=True, capture_output=True)
    return perf_counter() - started


def _least(command: Sequence[str], environment: Mapping[str, str], rounds: int) -> float:
    return min(_seconds(command, environment) for _ in range(rounds))


def measure(rounds: int, folder: Path) -> dict[str, Figure]:
    """Seconds of each command and its ratio to the import; `folder` holds the homes and the kernels' code."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "kernels")}

    def at(home: str) -> dict[str, str]:
        return {**environment, "JIT_HOME": str(folder / home)}

    bare = [_seconds(IMPORT, environment)]
    found = {"cold_s": _seconds((*JIT, "demo"), at("cold"))}
    found["warm_s"] = min(_seconds((*JIT, "demo"), at(f"warm-{number}")) for number in range(rounds))
    found["explain_first_s"] = _seconds((*JIT, "explain", ITEM), at("cold"))
    for key, command in {
        "help_s": ("--help",),
        "explain_s": ("explain", ITEM),
        "forecast_s": ("forecast", ITEM),
    }.items():
        found[key] = _least((*JIT, *command), at("cold"), rounds)
        bare.append(_seconds(IMPORT, environment))
    return _figures(found, min(bare))


def _figures(found: Mapping[str, float], bare: float) -> dict[str, Figure]:
    said = f"import langgraph.graph in the same run: {bare:.2f} s"
    made: dict[str, Figure] = {}
    for key, goal in GOALS.items():
        made[key] = Figure(found[key], "s", goal, said)
        made[key.removesuffix("_s") + "_ratio"] = Figure(found[key] / bare, "x", "told", said)
    return made


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(report("start", measure(1 if quick_asked() else 5, Path(scratch))))
