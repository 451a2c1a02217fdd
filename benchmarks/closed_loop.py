"""What the ordering engine's orders change against two usual ways to buy, played on the truth of a world.

`python -m benchmarks.closed_loop [--quick] [--world NAME]`: figures are means over the seeds, against the baseline
with the better fill rate; `jit eval` writes the whole report.
"""

import argparse
import sys

from benchmarks.figures import Figure, quick_asked, report
from evals.results import SuiteResult
from evals.suites import SuiteSettings, run_suite

WORLDS = ("demo",)


def figures_of(result: SuiteResult) -> dict[str, Figure]:
    """The suite's headline in the form of the benchmarks."""
    better = min(result.comparisons, key=lambda comparison: comparison.fill_rate_change)
    usual = f"{better.baseline}, the baseline with the better fill rate"
    same = "the baseline that does best at our fill rate, by other safety factors"
    return {
        "stock_change_percent": Figure(better.stock_change_percent, "%", "<= 0", usual),
        "fill_rate_change": Figure(better.fill_rate_change, "points", ">= 0", usual),
        "landed_cost_change_percent": Figure(better.landed_cost_change_percent, "%", "total cost decides", usual),
        "total_cost_change_percent": Figure(better.total_cost_change_percent, "%", "<= 0", usual),
        "same_fill_stock_change_percent": Figure(_worst(result, "same_fill_stock_change_percent"), "%", "<= 0", same),
        "same_fill_total_cost_change_percent": Figure(
            _worst(result, "same_fill_total_cost_change_percent"), "%", "<= 0", same
        ),
        "seconds": Figure(result.seconds, "s", "<= 50 with --quick", "time of the whole suite"),
    }


def _worst(result: SuiteResult, name: str) -> float:
    return max(float(getattr(comparison, name)) for comparison in result.comparisons)


def _world(arguments: list[str] | None = None) -> str:
    parser = argparse.ArgumentParser()
    parser.add_argument("--world", choices=WORLDS, default=WORLDS[0])
    return str(parser.parse_known_args(arguments)[0].world)


def _tell(done: int, total: int, what: str) -> None:
    sys.stderr.write(f"{done} of {total}: {what}\n")


if __name__ == "__main__":
    _world()
    found = run_suite("closed_loop", SuiteSettings.of(None, None, quick=quick_asked()), _tell)
    print(report("closed_loop", figures_of(found)))
