"""What a suite found: figures by buyer and seed, our policy beside each baseline, and whether it met its goals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evals.buying import LoopRecord
from evals.scorers import BY_KEY, SCORERS
from tools.kpi import NAN

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Played:
    """One buyer's run of one seed and its figures."""

    record: LoopRecord
    figures: Figures
    extra_factor: float = 0.0
    """What was added to a baseline's safety factors; 0 for a buyer as it is."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A baseline with this much added to its safety factors: means over the seeds."""

    extra_factor: float
    fill_rate: float
    stock_value: float
    total_cost: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our policy beside one baseline, means over the seeds: below zero is less than the baseline."""

    baseline: str
    stock_change_percent: float
    fill_rate_change: float
    """Percentage points."""
    landed_cost_change_percent: float
    total_cost_change_percent: float
    latency_median_change_days: float
    same_fill_stock_change_percent: float
    """Against the same way to buy with safety factors that reach our fill rate."""
    same_fill_total_cost_change_percent: float


@dataclass(frozen=True, slots=True)
class Goal:
    """What our policy must reach, and whether it did."""

    title: str
    met: bool
    found: str


@dataclass(frozen=True)
class SuiteResult:
    """Everything a suite reports. Money is in `currency`."""

    suite: str
    question: str
    currency: str
    ours: str
    settings: Mapping[str, str]
    versions: Mapping[str, str]
    limits: tuple[str, ...]
    played: tuple[Played, ...]
    curves: Mapping[str, tuple[CurvePoint, ...]]
    """By baseline, fill rate ascending."""
    comparisons: tuple[Comparison, ...]
    goals: tuple[Goal, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every goal is met."""
        return all(goal.met for goal in self.goals)

    @property
    def buyers(self) -> tuple[str, ...]:
        """Ours first, then the baselines."""
        return (self.ours, *(c.baseline for c in self.comparisons))

    def means(self, buyer: str) -> dict[str, float]:
        """Each figure's mean over the seeds."""
        return means_of([p.figures for p in self.played if p.record.buyer == buyer])

    def as_json(self) -> dict[str, object]:
        """Everything but the day-by-day series; a figure that cannot be computed is null."""
        return {
            "suite": self.suite,
            "ok": self.ok,
            "question": self.question,
            "currency": self.currency,
            "settings": dict(self.settings),
            "versions": dict(self.versions),
            "goals": [{"title": g.title, "met": g.met, "found": g.found} for g in self.goals],
            "comparisons": [
                {name: _plain(getattr(c, name)) for name in Comparison.__dataclass_fields__} for c in self.comparisons
            ],
            "means": {b: {key: _plain(value) for key, value in self.means(b).items()} for b in self.buyers},
            "runs": [
                {"buyer": p.record.buyer, "seed": p.record.seed}
                | {key: _plain(value) for key, value in p.figures.items()}
                for p in self.played
            ],
            "formulas": {scorer.key: f"{scorer.formula} ({scorer.unit})" for scorer in SCORERS},
            "limits": list(self.limits),
            "seconds": round(self.seconds, 1),
        }


def _plain(value: object) -> object:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def means_of(rows: Sequence[Figures]) -> dict[str, float]:
    """Each figure's mean over the rows that have it; nan where none has."""
    found = {key: [row[key] for row in rows if np.isfinite(row[key])] for key in BY_KEY}
    return {key: float(np.mean(values)) if values else NAN for key, values in found.items()}


def curve_of(played: Sequence[Played], baseline: str) -> tuple[CurvePoint, ...]:
    """The exchange curve of a baseline: what more fill rate costs it in stock (Silver, Pyke and Thomas, 6.10)."""
    mine = [p for p in played if p.record.buyer == baseline]
    points = list[CurvePoint]()
    for factor in {p.extra_factor for p in mine}:
        mean = means_of([p.figures for p in mine if p.extra_factor == factor])
        points.append(CurvePoint(factor, mean["fill_rate"], mean["stock_value"], mean["total_cost"]))
    return tuple(sorted(points, key=lambda point: (point.fill_rate, point.extra_factor)))


def at_fill(curve: Sequence[CurvePoint], fill_rate: float, name: str) -> float:
    """A figure of the curve at this fill rate, linear between its points; beyond its ends the end's own."""
    return float(np.interp(fill_rate, [p.fill_rate for p in curve], [getattr(p, name) for p in curve]))


def compare(ours: Figures, theirs: Figures, baseline: str, curve: Sequence[CurvePoint]) -> Comparison:
    """Our means beside the baseline's."""
    same_stock = at_fill(curve, ours["fill_rate"], "stock_value")
    same_cost = at_fill(curve, ours["fill_rate"], "total_cost")
    return Comparison(
        baseline=baseline,
        stock_change_percent=change_percent(ours["stock_value"], theirs["stock_value"]),
        fill_rate_change=100 * (ours["fill_rate"] - theirs["fill_rate"]),
        landed_cost_change_percent=change_percent(ours["landed_cost"], theirs["landed_cost"]),
        total_cost_change_percent=change_percent(ours["total_cost"], theirs["total_cost"]),
        latency_median_change_days=ours["latency_median_days"] - theirs["latency_median_days"],
        same_fill_stock_change_percent=change_percent(ours["stock_value"], same_stock),
        same_fill_total_cost_change_percent=change_percent(ours["total_cost"], same_cost),
    )


def change_percent(ours: float, theirs: float) -> float:
    """Ours against theirs; nan when theirs is not above zero."""
    return 100 * (ours / theirs - 1) if theirs > 0 else NAN


def goals_of(comparisons: Sequence[Comparison]) -> tuple[Goal, ...]:
    """At least the better baseline's fill rate; no more stock or total cost than either needs for our fill rate."""
    fill = min(comparisons, key=lambda c: c.fill_rate_change)
    stock = max(comparisons, key=lambda c: c.same_fill_stock_change_percent)
    cost = max(comparisons, key=lambda c: c.same_fill_total_cost_change_percent)
    return (
        Goal(
            "Fill rate not below that of the better baseline",
            fill.fill_rate_change >= 0,
            f"{fill.fill_rate_change:+.1f} points against {fill.baseline}",
        ),
        Goal(
            "Average stock not above what either baseline needs for our fill rate",
            stock.same_fill_stock_change_percent <= 0,
            f"{stock.same_fill_stock_change_percent:+.1f} % against {stock.baseline}",
        ),
        Goal(
            "Landed and holding cost not above what either baseline needs for our fill rate",
            cost.same_fill_total_cost_change_percent <= 0,
            f"{cost.same_fill_total_cost_change_percent:+.1f} % against {cost.baseline}",
        ),
    )
