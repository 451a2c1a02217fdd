"""Our policy beside two baselines in the closed loop of the demo world, on the same customers and the same luck."""

import multiprocessing
import platform
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from time import perf_counter

from evals.baselines import BATCH_DECISION_DAYS, DESK_HOURS, StaticReorderPoint, WeeklyCentralPlan
from evals.buying import Buyer, LoopRecord, LoopSettings
from evals.contender import ContenderSettings, EngineBuyer
from evals.experiment import score_offline
from evals.results import Played, SuiteResult, compare, curve_of, goals_of, means_of
from evals.simulator import simulate
from evals.suites import OnStep, SuiteSettings
from evals.worlds.demo import make_demo_world
from tools.domain.datasets import Dataset

QUESTION = (
    "Would the demo world's distribution centre serve its customers better, with less stock and money tied up, "
    "if the ordering engine bought for it instead of fixed reorder points or a weekly central plan?"
)
BASELINES: Mapping[str, Callable[[Dataset, float], Buyer]] = {
    StaticReorderPoint.name: StaticReorderPoint,
    WeeklyCentralPlan.name: WeeklyCentralPlan,
}
CURVE_FACTORS = (-0.4, 0.4, 0.8, 1.2, 1.6)
"""What is added to a baseline's safety factors to see what more or less fill rate costs it."""
LIMITS = (
    "The world is generated: its lead times, lateness, freight and demand shapes are calibrated to public figures, "
    "its items and values are invented, and demand keeps its law all year. No disruption strikes.",
    "Unserved demand waits as a backorder; customers who turn away are not played.",
    "The ordering engine buys by itself: no planner agent, gate, negotiation or person changes its orders. Its "
    "cover limit and shortage weight are the defaults of `jit plan`; they were chosen on seeds 101 to 104, which are "
    "not among those played here.",
    "An order that needs a person waits the mean requisition-to-order time of a public purchasing log "
    f"({DESK_HOURS:.0f} h), whoever proposes it; the weekly batch is assumed to take {BATCH_DECISION_DAYS:.0f} days.",
    "Storage capacity, shelf life and least order values of suppliers bind nobody in the loop.",
    "Landed cost is each buyer's own cost per standard value times the demand served, so that stock left at the end "
    "is not counted as cost; it assumes that what is left cost the same per standard value as what was used.",
    "A few worlds over a year or two show large differences only: look at the spread over the seeds.",
)


@dataclass(frozen=True, slots=True)
class _Task:
    """One buyer in the world of one seed; a baseline is played once for each extra factor."""

    seed: int
    buyer: str
    factors: tuple[float, ...]
    loop: LoopSettings


def run(settings: SuiteSettings, on_step: OnStep) -> SuiteResult:
    """Play every buyer in every seed's world, score the runs, and compare."""
    started = perf_counter()
    tasks = _tasks(settings)
    runs = list[tuple[float, LoopRecord]]()
    with _executed(tasks, settings.processes) as finished:
        for done, (task, records) in enumerate(finished, start=1):
            runs.extend(zip(task.factors, records, strict=True))
            on_step(done, len(tasks), f"{task.buyer}, seed {task.seed}")
    return _result(settings, _scored(runs), perf_counter() - started)


def _tasks(settings: SuiteSettings) -> list[_Task]:
    """The engine's runs first: they are the longest."""
    loop = LoopSettings(settings.weeks, settings.warm_up_weeks)
    factors = (0.0, *CURVE_FACTORS)
    ours = [_Task(seed, EngineBuyer.name, (0.0,), loop) for seed in settings.seeds]
    return ours + [_Task(seed, name, factors, loop) for seed in settings.seeds for name in BASELINES]


@contextmanager
def _executed(tasks: Sequence[_Task], processes: int) -> Generator[Iterator[tuple[_Task, list[LoopRecord]]]]:
    """Tasks with their records as they finish; in this process when one is enough."""
    if processes == 1:
        yield ((task, play(task)) for task in tasks)
        return
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=fresh) as pool:
        waiting = {pool.submit(play, task): task for task in tasks}
        yield ((waiting[future], future.result()) for future in as_completed(waiting))


def play(task: _Task) -> list[LoopRecord]:
    """The task's runs, one for each of its factors."""
    world = make_demo_world(task.seed)
    if task.buyer == EngineBuyer.name:
        return [simulate(world, EngineBuyer(world.dataset), task.loop)]
    return [simulate(world, BASELINES[task.buyer](world.dataset, factor), task.loop) for factor in task.factors]


def _scored(runs: Sequence[tuple[float, LoopRecord]]) -> list[Played]:
    """Runs in a fixed order with their figures: one experiment for each extra factor."""
    played = list[Played]()
    for factor in sorted({factor for factor, _ in runs}, key=lambda f: (f != 0, f)):
        records = sorted((r for f, r in runs if f == factor), key=lambda r: (_rank(r.buyer), r.seed))
        figures = score_offline(f"closed_loop {factor:+.1f}", records)
        played.extend(Played(record, found, factor) for record, found in zip(records, figures, strict=True))
    return played


def _rank(buyer: str) -> int:
    return (EngineBuyer.name, *BASELINES).index(buyer)


def _result(settings: SuiteSettings, played: Sequence[Played], seconds: float) -> SuiteResult:
    as_they_are = tuple(p for p in played if p.extra_factor == 0)
    means = {
        buyer: means_of([p.figures for p in as_they_are if p.record.buyer == buyer])
        for buyer in (EngineBuyer.name, *BASELINES)
    }
    curves = {name: curve_of(played, name) for name in BASELINES}
    comparisons = tuple(compare(means[EngineBuyer.name], means[name], name, curves[name]) for name in BASELINES)
    return SuiteResult(
        suite="closed_loop",
        question=QUESTION,
        currency="USD",
        ours=EngineBuyer.name,
        settings=_settings(settings),
        versions=_versions(),
        limits=LIMITS,
        played=as_they_are,
        curves=curves,
        comparisons=comparisons,
        goals=goals_of(comparisons),
        seconds=seconds,
    )


def _settings(settings: SuiteSettings) -> dict[str, str]:
    ours = ContenderSettings()
    return {
        "seeds": ", ".join(str(seed) for seed in settings.seeds),
        "weeks": str(settings.weeks),
        "weeks played before, not counted": str(settings.warm_up_weeks),
        "world": "demo world, 40 items, 15 suppliers",
        "unserved demand": "waits",
        **{f"engine: {name.replace('_', ' ')}": str(getattr(ours, name)) for name in ours.__dataclass_fields__},
        "baselines: extra safety factors of the curve": ", ".join(f"{factor:+.1f}" for factor in CURVE_FACTORS),
        "repeat with": f"jit eval closed_loop --seeds {len(settings.seeds)} --weeks {settings.weeks}",
    }


def _versions() -> dict[str, str]:
    packages = ("jit-sourcing", "numpy", "scipy", "numba", "langsmith")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
