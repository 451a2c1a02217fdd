"""Levels of the index policies, found by simulation under common random numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray
from tools.ordering.policies.model import ItemModel
from tools.ordering.policies.simulation import Pair, Worlds, play_levels

STEPS = (8, 3, 1)
"""Step sizes of the search, in units or in fortieths of the mean demand, whichever is larger."""
SWEEPS = 12
REGULAR, UP_TO, CAP, SURGE, BASE = range(5)
"""Columns of a setting, see `play_levels`."""


@dataclass(frozen=True)
class Tuned:
    """A setting and what it costs per period in the worlds it was tuned in."""

    setting: FloatArray
    cost: float


Moves = Sequence[FloatArray]
"""Directions in which a setting may move, each (5,)."""


def descend(pair: Pair, model: ItemModel, worlds: Worlds, start: FloatArray, moves: Moves) -> Tuned:
    """The best setting by steps along `moves`, coarse ones first; deterministic for the worlds."""
    unit = max(1.0 if np.all(model.demand == np.round(model.demand)) else 0.0, model.mean_demand / 40, 1e-9)
    best = Tuned(start, float(play_levels(pair, model, worlds, start[None])[0]))
    for step in STEPS:
        for _ in range(SWEEPS):
            tried = np.stack([best.setting + sign * step * unit * move for move in moves for sign in (1.0, -1.0)])
            tried[:, CAP] = np.maximum(tried[:, CAP], unit)
            tried[:, BASE] = np.where(best.setting[BASE] >= 0, np.maximum(tried[:, BASE], 0.0), -1.0)
            costs = play_levels(pair, model, worlds, tried)
            at = int(np.argmin(costs))
            if costs[at] >= best.cost - 1e-12:
                break
            best = Tuned(tried[at], float(costs[at]))
    return best


def single_source(pair: Pair, model: ItemModel, worlds: Worlds, level: float, lots: Sequence[float]) -> Tuned:
    """Base stock and (s, S) with each of the lots, from a starting reorder level."""
    found = [
        descend(pair, model, worlds, np.array([level, level + lot, np.inf, 0.0, -1.0]), (_both(), _along(UP_TO)))
        for lot in lots
    ]
    return min(found, key=lambda tuned: tuned.cost)


def capped_dual_index(
    pair: Pair, model: ItemModel, worlds: Worlds, level: float, caps: Sequence[float], lots: Sequence[float]
) -> Tuned:
    """Regular and express level from each starting cap and lot; a cap of inf leaves the dual index without one."""
    found = list[Tuned]()
    for cap in caps:
        for lot in lots:
            moves = [
                _both(),
                _along(SURGE),
                *([_along(UP_TO)] if lot else []),
                *([] if np.isinf(cap) else [_along(CAP)]),
            ]
            for surge in (0.25 * level, 0.6 * level):
                start = np.array([level, level + lot, cap, surge, -1.0])
                found.append(descend(pair, model, worlds, start, moves))
    return min(found, key=lambda tuned: tuned.cost)


def base_surge(pair: Pair, model: ItemModel, worlds: Worlds, level: float) -> Tuned:
    """A constant regular quantity below the mean demand, and the express level."""
    starts = [np.array([0.0, 0.0, np.inf, 0.5 * level, share * model.mean_demand]) for share in (0.5, 0.8, 0.95)]
    found = [descend(pair, model, worlds, start, (_along(SURGE), _along(BASE))) for start in starts]
    return min(found, key=lambda tuned: tuned.cost)


def by_one(cost_of: Callable[[float], float], start: float, unit: float) -> tuple[float, float]:
    """A local minimum of a cost of one level by steps of 4, 2 and 1 units: (level, cost)."""
    at, best = start, cost_of(start)
    for step in (4, 2, 1):
        improved = True
        while improved:
            improved = False
            for candidate in (at + step * unit, at - step * unit):
                cost = cost_of(candidate)
                if cost < best - 1e-12:
                    at, best, improved = candidate, cost, True
                    break
    return at, best


def _both() -> FloatArray:
    """Reorder level and order-up-to level together."""
    move = np.zeros(5)
    move[[REGULAR, UP_TO]] = 1.0
    return move


def _along(column: int) -> FloatArray:
    move = np.zeros(5)
    move[column] = 1.0
    return move
