"""Figures of one buyer's run in the closed loop; each with its formula, built on those of `tools.kpi`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from evals.buying import LoopRecord
from tools.domain.arrays import FloatArray
from tools.kpi import DAYS_PER_YEAR, NAN, fill_rate, inventory_turns, ratio


@dataclass(frozen=True, slots=True)
class Scorer:
    """One figure: what it is called, its unit, and how it is computed."""

    key: str
    title: str
    unit: str
    formula: str
    of: Callable[[LoopRecord], float]


def _fill_rate(record: LoopRecord) -> float:
    return fill_rate(float(record.demanded.sum()), float(record.served_at_once.sum()))


def _value_fill_rate(record: LoopRecord) -> float:
    return fill_rate(_demand_value(record), float(record.served_at_once @ record.unit_value))


def _stock_value(record: LoopRecord) -> float:
    return float(record.stock_value_by_day.mean())


def _turns(record: LoopRecord) -> float:
    return inventory_turns(_demand_value(record) / record.days, _stock_value(record))


def _demand_value(record: LoopRecord) -> float:
    return float(record.demanded @ record.unit_value)


def landed_cost_ratio(record: LoopRecord) -> float:
    """Purchase, freight and ordering over the ordered units at unit value; nan without an order."""
    landed = record.purchase + record.freight + record.ordering
    return ratio(landed, float(record.ordered @ record.unit_value))


def _landed_cost(record: LoopRecord) -> float:
    """Of a year's demand at the buyer's own cost per standard value: what lies in stock at the end is not in it."""
    return landed_cost_ratio(record) * _demand_value(record) * _per_year(record)


def _holding_cost(record: LoopRecord) -> float:
    return record.holding * _per_year(record)


def _total_cost(record: LoopRecord) -> float:
    return _landed_cost(record) + _holding_cost(record)


def _per_year(record: LoopRecord) -> float:
    return DAYS_PER_YEAR / record.days


def _backorders(record: LoopRecord) -> float:
    return float(record.backorder_value_by_day.sum())


def _end_position(record: LoopRecord) -> float:
    return float((record.end_net + record.end_on_order) @ record.unit_value)


def _quantile(share: float, values: Callable[[LoopRecord], FloatArray]) -> Callable[[LoopRecord], float]:
    def of(record: LoopRecord) -> float:
        found = values(record)
        return float(np.quantile(found, share)) if found.size else NAN

    return of


def _latencies(record: LoopRecord) -> FloatArray:
    return record.latency_days


def _computing(record: LoopRecord) -> FloatArray:
    return record.planning_seconds


SCORERS: tuple[Scorer, ...] = (
    Scorer("fill_rate", "Fill rate", "share", "units served at once / units demanded", _fill_rate),
    Scorer("value_fill_rate", "Fill rate by value", "share", "the same, units at unit value", _value_fill_rate),
    Scorer("stock_value", "Average stock", "money", "mean over days of units on hand at unit value", _stock_value),
    Scorer("inventory_turns", "Inventory turns", "per year", "a year's demand at unit value / average stock", _turns),
    Scorer(
        "landed_cost_ratio",
        "Landed cost per standard value",
        "ratio",
        "(purchase + freight + ordering) / units ordered at unit value",
        landed_cost_ratio,
    ),
    Scorer(
        "landed_cost",
        "Landed cost",
        "money per year",
        "landed cost per standard value * a year's demand at unit value",
        _landed_cost,
    ),
    Scorer(
        "holding_cost",
        "Holding cost",
        "money per year",
        "each item's holding rate on its value on hand, day by day",
        _holding_cost,
    ),
    Scorer("total_cost", "Total cost", "money per year", "landed cost + holding cost", _total_cost),
    Scorer(
        "backorder_value_days",
        "Backorders",
        "money days",
        "sum over days of units owed to customers at unit value",
        _backorders,
    ),
    Scorer(
        "latency_median_days",
        "Decision latency, median",
        "days",
        "from the day a need shows (position at or below the reorder point) to the order's release",
        _quantile(0.5, _latencies),
    ),
    Scorer(
        "latency_p95_days",
        "Decision latency, 95th percentile",
        "days",
        "the same",
        _quantile(0.95, _latencies),
    ),
    Scorer(
        "planning_seconds",
        "Computing time of a plan, 95th percentile",
        "seconds",
        "per review that ordered something",
        _quantile(0.95, _computing),
    ),
    Scorer(
        "end_position_value",
        "Stock and orders at the end",
        "money",
        "(on hand - backorders + on order) at unit value",
        _end_position,
    ),
)
"""In the order in which they are shown."""
BY_KEY: Mapping[str, Scorer] = {scorer.key: scorer for scorer in SCORERS}


def score(record: LoopRecord) -> dict[str, float]:
    """Every figure of `SCORERS` by its key; nan where the run holds nothing to compute it from."""
    return {scorer.key: scorer.of(record) for scorer in SCORERS}
