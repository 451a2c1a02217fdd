"""Forecasts of a whole catalogue in compact form; an item's sample paths are drawn when somebody asks for them."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tools.domain.arrays import BoolArray, DateArray, FloatArray
from tools.domain.datasets import Period, PeriodSeries
from tools.forecasting.accuracy import LEVELS
from tools.forecasting.combining.analogy import Siblings, choose_siblings, gather, lenders, new_item_paths
from tools.forecasting.combining.blending import PastForecasts, blend, past_of
from tools.forecasting.combining.user_forecasts import scaled_forecast
from tools.forecasting.context import DemandContext, Key
from tools.forecasting.engine import CatalogueFit
from tools.forecasting.engine.intermittent import compound_bootstrap, negative_binomial
from tools.forecasting.engine.panel import Panel
from tools.forecasting.patterns import PATTERNS, DemandPattern
from tools.forecasting.preparation import PreparedSeries
from tools.forecasting.preparation.closures import NEVER_CLOSED, ClosedDays
from tools.forecasting.preparation.life import Life
from tools.forecasting.settings import ForecastSettings

COMMON_SHARE = 0.75
"""Share of an intermittent item's paths that come from the pooled errors; the others are its own bootstrap and a
negative binomial in equal parts. On weekly retail demand a smaller share left lead-time demand uncovered."""
SIBLING_PATHS = 64
"""Paths that a sibling lends to a new item."""


@dataclass(frozen=True)
class DemandForecast:
    """Predictive distribution of one item and site.

    `paths` (S, T) are units per period, non-negative; whole ones that were stored are integers of few bytes, without
    sign: arithmetic with them begins with a cast.
    """

    item_id: str
    site_id: str
    period: Period
    starts: DateArray
    paths: FloatArray
    pattern: DemandPattern
    model: str
    fallback: str | None
    history: PeriodSeries
    """As recorded."""
    accuracy: dict[str, float] = field(default_factory=dict[str, float])
    """Of the forecasts made from earlier origins on the way: `mase` and their number, `origins`."""
    notes: tuple[str, ...] = ()
    """What was changed in the history, borrowed, blended or reconciled, in words."""
    modelled: FloatArray = field(default_factory=lambda: np.empty(0))
    """(n,) the history as the models saw it: per open period, spikes cut, nan where unknown."""
    closed: ClosedDays = NEVER_CLOSED
    """Closed days from the first period on: what a plan that begins within a period counts its part by."""
    stored_edges: FloatArray | None = None
    """(T + 1,) what `plan_edges` gave for the one clock of a forecast that an earlier version of the program stored."""

    def mean(self) -> FloatArray:
        """(T,) expected units per period."""
        return self.paths.mean(axis=0, dtype=np.float64)

    def quantile(self, q: float) -> FloatArray:
        """(T,) quantile per period."""
        return np.quantile(self.paths.astype(np.float64), q, axis=0)


class Catalogue:
    """One forecast per item and site, made together; iterates in the order of the histories."""

    def __init__(
        self,
        prepared: Sequence[PreparedSeries],
        panel: Panel,
        fit: CatalogueFit,
        factor: FloatArray,
        starts: DateArray,
        settings: ForecastSettings,
        context: DemandContext,
    ) -> None:
        """`factor` (N, T) is what reconciliation multiplies each item's demand by; more rows of `fit` are families."""
        self._starts = starts
        self._prepared, self._panel, self._fit, self._factor = prepared, panel, fit, factor
        self._settings, self._context = settings, context
        self._rows: dict[Key, int] = {(p.series.item_id, p.series.site_id): row for row, p in enumerate(prepared)}
        self._sites = _rows_by_item(prepared)
        self._scaled = fit.past.scaled_errors(panel)
        self._tried = dict(zip(fit.past.rows.tolist(), fit.past.tried.sum(axis=1).tolist(), strict=True))
        self._places = {row: place for place, row in enumerate(fit.past.rows.tolist())}
        self._seasonal: BoolArray = np.any(~np.isclose(fit.season, 1.0), axis=1)
        self._siblings: dict[str, Siblings] = {}
        self._window = max((p.values.size for p in prepared), default=0)

    def __len__(self) -> int:
        return len(self._prepared)

    def __iter__(self) -> Iterator[DemandForecast]:
        return (self._forecast(row) for row in range(len(self._prepared)))

    def __getitem__(self, row: int) -> DemandForecast:
        """The forecast of one history by its place; the same in whatever order they are asked for."""
        return self._forecast(row)

    def forecast(self, key: Key) -> DemandForecast:
        """The forecast of one item and site. KeyError when it is not in the catalogue."""
        return self._forecast(self._rows[key])

    def quantiles(self, levels: FloatArray) -> FloatArray:
        """(N, Q, T) quantiles per period from the pooled errors alone, for all items at once.

        New items, users' forecasts and the own part of intermittent items are in `forecast` only.
        """
        future = np.stack([p.future for p in self._prepared])
        return self._fit.quantiles(levels)[: len(self)] * (future * self._factor)[:, None, :]

    def _forecast(self, row: int) -> DemandForecast:
        one = self._prepared[row]
        rng = np.random.default_rng(zlib.crc32(_name(one, self._settings.seed).encode()))
        drawn = self._drawn(row, rng)
        paths = drawn.paths * one.future
        paths *= self._factor[row]
        blended = self._with_user(row, paths, rng)
        paths = whole(blended.paths, rng) if _is_whole(one.series.quantities) else blended.paths
        return DemandForecast(
            one.series.item_id,
            one.series.site_id,
            one.series.period,
            self._starts,
            paths,
            PATTERNS[int(self._fit.pattern[row])],
            drawn.model,
            drawn.fallback,
            one.series,
            self._accuracy(row),
            (*one.notes, *blended.notes),
            one.values,
            one.closed,
        )

    def _drawn(self, row: int, rng: np.random.Generator) -> "_Drawn":
        """Paths of an item in its stage of life, before calendar, family and user."""
        one, shape = self._prepared[row], (self._settings.paths, self._fit.mean.shape[1])
        if one.life is Life.NONE:
            reason = "no demand in the history" if one.series.quantities.size else "no history"
            return _Drawn(np.zeros(shape), "zero", reason)
        if one.life is Life.DISCONTINUED:
            return _Drawn(np.zeros(shape), "zero", "discontinued: no demand for far longer than its pauses")
        if PATTERNS[int(self._fit.pattern[row])] is DemandPattern.NONE:
            reason = f"no demand in the last {self._panel.width} {one.series.period.value}s, all that is used"
            return _Drawn(np.zeros(shape), "zero", reason)
        siblings = self._siblings_of(one) if one.life is Life.NEW else None
        if siblings is not None and siblings.levels.size:
            made = new_item_paths(one.values, siblings, shape, rng)
            return _Drawn(made.paths, "analogy", made.note)
        paths = item_paths(self._fit, self._panel, row, shape[0], rng)
        known = int(np.isfinite(one.values).sum())
        few = f"only {known} periods of history: spread as for like items" if self._is_short(known) else None
        return _Drawn(paths, model_name(self._fit, row, seasonal=bool(self._seasonal[row])), few)

    def _is_short(self, known: int) -> bool:
        return known < self._settings.min_observations

    def _siblings_of(self, one: PreparedSeries) -> Siblings:
        """Established items of the family, or of the whole catalogue where it has too few."""
        family = self._context.families.get(one.series.item_id, "")
        catalogue = self._gathered("")
        return choose_siblings(self._gathered(family), catalogue) if family else catalogue

    def _gathered(self, family: str) -> Siblings:
        if family not in self._siblings:
            mine = [
                row
                for row, other in enumerate(self._prepared)
                if other.life is Life.ACTIVE
                and not self._is_short(other.values.size)
                and (not family or self._context.families.get(other.series.item_id) == family)
            ]
            rows = [mine[place] for place in lenders(self._fit.mean[mine].mean(axis=1))] if mine else []
            seed = [self._settings.seed, zlib.crc32(family.encode())]
            rng = np.random.default_rng(seed)
            paths = [item_paths(self._fit, self._panel, row, SIBLING_PATHS, rng) for row in rows]
            histories = [self._prepared[row].values for row in rows]
            name = f"family {family}" if family else "the catalogue"
            self._siblings[family] = gather(name, paths, histories, self._window)
        return self._siblings[family]

    def _with_user(self, row: int, paths: FloatArray, rng: np.random.Generator) -> "_Blended":
        """Drawn towards the user's own forecast of the item, shared among its sites by what each sells."""
        one = self._prepared[row]
        user = self._context.user_forecasts.get(one.series.item_id)
        if user is None:
            return _Blended(paths, ())
        sites = self._sites[one.series.item_id]
        total = float(self._fit.mean[sites].sum())
        share = float(self._fit.mean[row].sum()) / total if total > 0 else 1.0 / len(sites)
        made = blend(paths, self._starts, scaled_forecast(user, share), one.series.period, self._past(row), rng)
        return _Blended(made.paths, made.notes)

    def _past(self, row: int) -> PastForecasts:
        """Forecasts of single periods from the earlier origins, one period ahead."""
        one, past = self._prepared[row], self._fit.past
        place = self._places.get(row)
        origins = np.empty(0, dtype=np.int64) if place is None else np.flatnonzero(past.tried[place])
        columns = past.origins[origins] - (self._panel.width - one.series.starts.size)
        origins, columns = origins[columns >= 0], columns[columns >= 0]
        if columns.size == 0:
            return past_of(one.series.starts[:0], np.empty(0), np.empty((1, 0)), LEVELS)
        shape = self._fit.pool.errors[int(self._fit.group[row])][:, 0]
        season = past.season[place, origins, 0]
        means, errors = past.mean[place, origins, 0] * season, past.error[place, origins] * season
        paths = np.maximum(means + np.outer(shape, errors), 0.0)
        return past_of(one.series.starts[columns], one.values[columns], paths, LEVELS)

    def _accuracy(self, row: int) -> dict[str, float]:
        if not np.isfinite(self._scaled[row]):
            return {}
        return {"mase": float(self._scaled[row]), "origins": float(self._tried[row])}


@dataclass(frozen=True, slots=True)
class _Drawn:
    paths: FloatArray
    model: str
    fallback: str | None


@dataclass(frozen=True, slots=True)
class _Blended:
    paths: FloatArray
    notes: tuple[str, ...]


def _rows_by_item(prepared: Sequence[PreparedSeries]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, one in enumerate(prepared):
        found.setdefault(one.series.item_id, []).append(row)
    return found


def item_paths(fit: CatalogueFit, panel: Panel, row: int, count: int, rng: np.random.Generator) -> FloatArray:
    """(S, T) sample paths of one row, not rounded: pooled errors, for intermittent demand beside its own bootstrap."""
    if PATTERNS[int(fit.pattern[row])] in (DemandPattern.SMOOTH, DemandPattern.ERRATIC):
        return _pooled_paths(fit, row, count, rng)
    common, own = round(count * COMMON_SHARE), count - round(count * COMMON_SHARE)
    history, rate = panel.values[row, panel.first[row] :], fit.mean[row] * fit.season[row]
    parts = (
        _pooled_paths(fit, row, common, rng),
        compound_bootstrap(history, rate, own - own // 2, rng),
        negative_binomial(history, rate, own // 2, rng),
    )
    return rng.permutation(np.concatenate(parts))


def _pooled_paths(fit: CatalogueFit, row: int, count: int, rng: np.random.Generator) -> FloatArray:
    """Whole error trajectories at evenly spaced ranks of their sum, in random order."""
    group = int(fit.group[row])
    errors, zero = fit.pool.errors[group], fit.pool.zero[group]
    ranks = (rng.permutation(count) + rng.random(count)) / count
    picked = np.minimum((ranks * len(errors)).astype(np.int64), len(errors) - 1)
    paths = errors[picked]
    paths *= fit.error[row]
    paths += fit.mean[row]
    np.clip(paths, 0.0, fit.most[row], out=paths)
    paths[zero[picked]] = 0.0
    paths *= fit.season[row]
    return paths


def whole(paths: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Paths in whole units: rounded up with the probability of the fraction, which keeps the mean."""
    raised = rng.random(paths.shape)
    raised += paths
    return np.floor(raised, out=raised)


def _is_whole(quantities: FloatArray) -> bool:
    return bool((quantities == np.floor(quantities)).all())


def model_name(fit: CatalogueFit, row: int, *, seasonal: bool) -> str:
    """The ensemble with its weights, in words."""
    shares = fit.weights[row]
    parts = [f"{name} {share:.0%}" for name, share in zip(("level", "theta", "damped trend"), shares, strict=True)]
    season = ", with season" if seasonal else ""
    frequent = PATTERNS[int(fit.pattern[row])] in (DemandPattern.SMOOTH, DemandPattern.ERRATIC)
    return " + ".join(parts) + season + ("" if frequent else ", with bootstrap and negative binomial")


def _name(one: PreparedSeries, seed: int) -> str:
    return f"{one.series.item_id}|{one.series.site_id}|{seed}"
