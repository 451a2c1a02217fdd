"""Evaluation suites by name; each is imported when it is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from evals.results import SuiteResult
from tools.domain.errors import BadInput

SUITES: Mapping[str, str] = {"closed_loop": "our policy and two baselines buy for the demo world"}
"""Name and what it does."""
FIRST_SEED = 7
OnStep = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what was done last."""


@dataclass(frozen=True, slots=True)
class SuiteSettings:
    """Which worlds are played, and for how long."""

    seeds: tuple[int, ...] = tuple(range(7, 16))
    weeks: int = 52
    """Weeks that count."""
    warm_up_weeks: int = 26
    """Weeks before: longer than nearly every lead time, so that what the world began with no longer decides."""
    processes: int = 2

    @classmethod
    def of(cls, seeds: int | None, weeks: int | None, *, quick: bool) -> "SuiteSettings":
        """`seeds` worlds from the first seed on; `quick` counts half a year of one unless told otherwise."""
        count, span = seeds or (1 if quick else 9), weeks or (26 if quick else 52)
        return cls(tuple(range(FIRST_SEED, FIRST_SEED + count)), span, 13 if quick else 26)


def known_suite(name: str) -> str:
    """The name. BadInput when there is no suite of this name."""
    if name not in SUITES:
        raise BadInput(
            f"There is no suite {name!r}.",
            remedy=f"Suites: {', '.join(f'{known} ({what})' for known, what in SUITES.items())}.",
            suite=name,
        )
    return name


def run_suite(name: str, settings: SuiteSettings, on_step: OnStep) -> SuiteResult:
    """Run a suite by its name. BadInput when there is none of this name."""
    module = import_module(f"evals.suites.{known_suite(name)}")
    return cast(Callable[[SuiteSettings, OnStep], SuiteResult], module.run)(settings, on_step)
