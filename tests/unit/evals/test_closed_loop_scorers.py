"""Figures of a run against values worked out by hand."""

import socket
from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np
import pytest

from evals.buying import LoopRecord
from evals.experiment import score_offline
from evals.scorers import BY_KEY, SCORERS, score


def record() -> LoopRecord:
    """Two items over 73 days (a fifth of a year)."""
    return LoopRecord(
        buyer="hand",
        seed=1,
        days=73,
        item_ids=("A", "B"),
        unit_value=np.array([10.0, 100.0]),
        demanded=np.array([80.0, 20.0]),
        served_at_once=np.array([80.0, 10.0]),
        served=np.array([80.0, 15.0]),
        lost=np.zeros(2),
        ordered=np.array([100.0, 30.0]),
        received=np.array([90.0, 20.0]),
        start_net=np.array([20.0, 0.0]),
        end_net=np.array([30.0, 0.0]),
        start_on_order=np.zeros(2),
        end_on_order=np.array([10.0, 10.0]),
        stock_value_by_day=np.linspace(400.0, 1600.0, 73),
        backorder_value_by_day=np.array([500.0] * 10 + [0.0] * 63),
        demand_value_by_day=np.full(73, 2800 / 73),
        served_value_by_day=np.full(73, 1800 / 73),
        holding=40.0,
        purchase=3_900.0,
        freight=150.0,
        ordering=150.0,
        orders=4,
        latency_days=np.array([0.0, 1.0, 2.0, 9.0]),
        planning_seconds=np.array([0.1, 0.3]),
    )


def test_every_figure_of_a_small_run_is_as_worked_out_by_hand() -> None:
    assert score(record()) == pytest.approx(
        {
            "fill_rate": 90 / 100,
            "value_fill_rate": (800 + 1000) / (800 + 2000),
            "stock_value": 1000.0,
            "inventory_turns": 2800 * 5 / 1000,
            "landed_cost_ratio": 4200 / (1000 + 3000),
            "landed_cost": 1.05 * 2800 * 5,
            "holding_cost": 200.0,
            "total_cost": 14_900.0,
            "backorder_value_days": 5000.0,
            "latency_median_days": 1.5,
            "latency_p95_days": 2 + 0.85 * 7,
            "planning_seconds": 0.29,
            "end_position_value": 40 * 10 + 10 * 100,
        }
    )


def test_who_ends_with_more_stock_is_not_called_dearer() -> None:
    twice = replace(record(), ordered=2 * record().ordered, purchase=7_800.0, freight=300.0, ordering=300.0, orders=8)
    assert score(twice)["landed_cost"] == pytest.approx(score(record())["landed_cost"])
    assert score(replace(record(), freight=250.0))["landed_cost"] > score(record())["landed_cost"]


def test_a_run_without_an_order_has_no_landed_cost_and_no_latency() -> None:
    idle = replace(
        record(),
        ordered=np.zeros(2),
        purchase=0.0,
        freight=0.0,
        ordering=0.0,
        latency_days=np.empty(0),
        planning_seconds=np.empty(0),
    )
    found = score(idle)
    unknown = {key for key, value in found.items() if isnan(value)}
    assert unknown == {
        "landed_cost_ratio",
        "landed_cost",
        "total_cost",
        "latency_median_days",
        "latency_p95_days",
        "planning_seconds",
    }


def test_every_scorer_says_its_unit_and_formula_and_no_key_occurs_twice() -> None:
    assert len(BY_KEY) == len(SCORERS)
    assert all(scorer.unit and scorer.formula and scorer.title for scorer in SCORERS)


def test_the_experiment_gives_the_scorers_figures_and_asks_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a request left the machine")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "a key of somebody's")
    runs = [record(), replace(record(), seed=2, freight=0.0)]
    assert score_offline("hand", runs) == [score(run) for run in runs]
