"""From the periods that demand is recorded and forecast in to those that the plan counts from the clock.

A plan's week may begin within a week of the forecast. Each path's demand of a period is then dealt to its two sides as
a gamma process would: the share before the edge is beta distributed, and whole units fall on either side one by one.
For demand that is gamma or negative binomial and independent between periods the plan's periods have exactly the
distribution of the forecast's; their sums are always those of the path. Demand of the time between the newest complete
period and the clock is so forecast, too, and passed over: stock counted at the clock is already without it.
"""

import zlib
from dataclasses import replace
from datetime import date

import numpy as np

from tools.domain.arrays import FloatArray, IntArray, narrowed
from tools.forecasting.catalogue import DemandForecast
from tools.forecasting.preparation.buckets import future_edges
from tools.forecasting.preparation.plan_periods import plan_days, plan_edges

SMALLEST_SHAPE, LARGEST_SHAPE = 1e-2, 1e6
"""Bounds of the gamma shape: demand that falls all at once, and demand that flows evenly."""


def planned(made: DemandForecast, as_of: date) -> DemandForecast:
    """The forecast in the plan's periods, of which the first begins on the day after `as_of`.

    As many as before; those that reach beyond the forecast repeat its end. The same for the same forecast and clock.
    """
    edges = edges_of(made, as_of)
    if edges.size == 0:
        return made
    rng = np.random.default_rng(zlib.crc32(f"{made.item_id}|{made.site_id}|planned".encode()))
    starts = plan_days(as_of, made.period, edges.size - 1)[:-1].view("datetime64[D]")
    return replace(made, starts=starts, paths=narrowed(dealt(made.paths.astype(np.float64), edges, rng)))


def edges_of(made: DemandForecast, as_of: date) -> FloatArray:
    """(T + 1,) where the plan's periods, which begin on the day after the clock, start and end.

    Counted in periods of the forecast: 1.5 lies midway through the open days of its second. Empty where they agree.
    """
    if made.stored_edges is not None:
        return made.stored_edges
    if made.starts.size == 0:
        return np.empty(0)
    ahead = future_edges(made.starts[0].astype("datetime64[D]") - 1, made.period, made.starts.size)
    return plan_edges(ahead, as_of, made.period, made.closed)


def dealt(paths: FloatArray, edges: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(S, E - 1) units between the edges (E,), which count periods of `paths` (S, T)."""
    periods = paths.shape[1]
    beyond = max(int(np.ceil(edges[-1])) - periods, 0)
    paths = np.concatenate([paths, paths[:, (np.arange(beyond) - beyond) % periods]], axis=1)
    passed = np.concatenate([np.zeros((paths.shape[0], 1)), np.cumsum(paths, axis=1)], axis=1)
    held = np.floor(edges).astype(np.int64)
    share = edges - held
    at_edges = passed[:, held]
    within = np.flatnonzero(share > 0)
    at_edges[:, within] += _before(paths, held[within], share[within], rng)
    return np.maximum(np.diff(at_edges, axis=1), 0.0)


def _before(paths: FloatArray, held: IntArray, share: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(S, n) units of the periods `held` (n,) before these shares of them have passed, ascending within a period."""
    is_whole = bool((paths == np.floor(paths)).all())
    shapes = _shapes(paths, is_whole)
    made = np.empty((paths.shape[0], held.size))
    again = np.diff(held, prepend=-1) == 0
    first = ~again
    made[:, first] = _dealt(paths[:, held[first]], share[first], shapes[held[first]], is_whole, rng)
    for place in np.flatnonzero(again):
        left = 1.0 - share[place - 1]
        rest = paths[:, held[place]] - made[:, place - 1]
        more = np.array([(share[place] - share[place - 1]) / left])
        made[:, place] = made[:, place - 1]
        made[:, place] += _dealt(rest[:, None], more, shapes[held[[place]]] * left, is_whole, rng)[:, 0]
    return made


def _shapes(paths: FloatArray, is_whole: bool) -> FloatArray:
    """(T,) gamma shape of the demand of each period; of its rate where demand is counted in whole units."""
    mean, variance = paths.mean(axis=0), paths.var(axis=0)
    spread = np.maximum(variance - mean if is_whole else variance, 0.0)
    shapes = np.divide(mean**2, spread, out=np.full(mean.shape, LARGEST_SHAPE), where=spread > 0)
    return np.clip(shapes, SMALLEST_SHAPE, LARGEST_SHAPE)


def _dealt(
    units: FloatArray, share: FloatArray, shape: FloatArray, is_whole: bool, rng: np.random.Generator
) -> FloatArray:
    """(S, n) part of `units` (S, n) that falls into the first `share` (n,) of a period."""
    part = rng.beta(shape * share, shape * (1.0 - share), size=units.shape)
    if is_whole and units.max(initial=0.0) < np.iinfo(np.int64).max:
        return rng.binomial(units.astype(np.int64), part).astype(np.float64)
    return units * part
