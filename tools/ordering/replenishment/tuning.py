"""Levels of the policies, found by simulation under common random numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray
from tools.ordering.replenishment.levels_kernel import (
    BASE,
    CAP,
    LOT,
    REGULAR,
    SETTING_COLUMNS,
    SURGE,
    UP_TO,
    Pair,
    play_levels,
)
from tools.ordering.replenishment.model import ItemModel
from tools.ordering.replenishment.simulation import Worlds

STEPS = (8, 3, 1)
"""Step sizes of the search, in units or in fortieths of the mean demand, whichever is larger."""
SWEEPS = 12
GRID_SHARES = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0, 1.15)
"""Levels of the coarse grid, in shares of the newsvendor level."""
STARTS = 3
"""Best points of the grid from which the search goes on."""


@dataclass(frozen=True)
class Tuned:
    """A setting and what it costs per period in the worlds it was tuned in."""

    setting: FloatArray
    cost: float


Moves = Sequence[FloatArray]
"""Directions in which a setting may move, each (6,)."""


def setting_of(
    level: float, up_to: float = 0.0, *, cap: float = np.inf, surge: float = 0.0, base: float = -1.0, lot: float = 0.0
) -> FloatArray:
    """(6,) a setting of the compiled simulator."""
    found = np.zeros(SETTING_COLUMNS)
    found[[REGULAR, UP_TO, CAP, SURGE, BASE, LOT]] = level, up_to, cap, surge, base, lot
    return found


def descend(pair: Pair, model: ItemModel, worlds: Worlds, start: FloatArray, moves: Moves) -> Tuned:
    """The best setting by steps along `moves`, coarse ones first; deterministic for the worlds."""
    unit = unit_of(model)
    best = Tuned(start, float(play_levels(pair, model, worlds, start[None])[0]))
    for step in STEPS:
        for _ in range(SWEEPS):
            tried = np.stack([best.setting + sign * step * unit * move for move in moves for sign in (1.0, -1.0)])
            tried[:, CAP] = np.maximum(tried[:, CAP], unit)
            tried[:, BASE] = np.where(best.setting[BASE] >= 0, np.maximum(tried[:, BASE], 0.0), -1.0)
            tried[:, LOT] = np.where(best.setting[LOT] > 0, np.maximum(tried[:, LOT], unit), 0.0)
            costs = play_levels(pair, model, worlds, tried)
            at = int(np.argmin(costs))
            if costs[at] >= best.cost - 1e-12:
                break
            best = Tuned(tried[at], float(costs[at]))
    return best


def unit_of(model: ItemModel) -> float:
    """Smallest step of a level worth trying."""
    whole = 1.0 if np.all(model.demand == np.round(model.demand)) else 0.0
    return max(whole, model.mean_demand / 40, 1e-9)


def single_source(
    pair: Pair, model: ItemModel, worlds: Worlds, level: float, lots: Sequence[float], gap: bool = True
) -> Tuned:
    """Base stock and (s, S) with each of the lots, from a starting reorder level.

    `gap` False keeps the two levels together: best where an order of any size costs the same a unit.
    """
    moves = (_along(REGULAR, UP_TO), *((_along(UP_TO),) if gap else ()))
    return min((descend(pair, model, worlds, setting_of(level, level + lot), moves) for lot in lots), key=_cost)


def whole_lots(pair: Pair, model: ItemModel, worlds: Worlds, level: float, lots: Sequence[float]) -> Tuned:
    """(r, Q) with each of the lots, from a starting reorder point."""
    moves = (_along(REGULAR), _along(LOT), _along(LOT, REGULAR))
    return min((descend(pair, model, worlds, setting_of(level, lot=lot), moves) for lot in lots), key=_cost)


def capped_dual_index(
    pair: Pair, model: ItemModel, worlds: Worlds, level: float, caps: Sequence[float], lots: Sequence[float]
) -> list[Tuned]:
    """Regular and express level for the caps and lots, from the best points of a coarse grid, cheapest first.

    A cap of inf is none at all. Near ties are left to be told apart in other worlds.
    """
    unit, found = unit_of(model), list[Tuned]()
    shares = [max(round(share * level / unit), 0) * unit for share in GRID_SHARES]
    whole = [cap if np.isinf(cap) else max(unit, round(cap / unit) * unit) for cap in caps]
    coarse = [(own, surge, cap) for own in shares for surge in shares if surge <= own for cap in whole]
    for lot in lots:
        grid = np.stack([setting_of(own, own + lot, cap=cap, surge=surge) for own, surge, cap in coarse])
        capped = [] if np.isinf(caps[0]) else [_along(CAP)]
        moves = [_along(REGULAR, UP_TO), _along(SURGE), *([_along(UP_TO)] if lot else []), *capped]
        costs = play_levels(pair, model, worlds, grid)
        found += [descend(pair, model, worlds, grid[at], moves) for at in np.argsort(costs, kind="stable")[:STARTS]]
    distinct = {tuned.setting.tobytes(): tuned for tuned in found}
    return sorted(distinct.values(), key=_cost)[:STARTS]


def base_surge(pair: Pair, model: ItemModel, worlds: Worlds, level: float) -> Tuned:
    """A constant regular quantity below the mean demand, and the express level."""
    starts = [setting_of(0.0, surge=0.5 * level, base=share * model.mean_demand) for share in (0.5, 0.8, 0.95)]
    return min((descend(pair, model, worlds, start, (_along(SURGE), _along(BASE))) for start in starts), key=_cost)


def by_steps(cost_of: Callable[[FloatArray], float], start: FloatArray, unit: float) -> tuple[FloatArray, float]:
    """A local minimum of a cost of a few levels, one at a time by steps of 4, 2 and 1 units: (levels, cost)."""
    at, best = start.copy(), cost_of(start)
    moves = [sign * move for move in np.eye(start.size) for sign in (1.0, -1.0)]
    for step in (4, 2, 1):
        since, turn = 0, 0
        while since < len(moves):
            candidate = at + step * unit * moves[turn]
            cost = cost_of(candidate)
            if cost < best - 1e-12:
                at, best, since = candidate, cost, 0
            else:
                since, turn = since + 1, (turn + 1) % len(moves)
    return at, best


def _cost(tuned: Tuned) -> float:
    return tuned.cost


def _along(*columns: int) -> FloatArray:
    move = np.zeros(SETTING_COLUMNS)
    move[list(columns)] = 1.0
    return move
