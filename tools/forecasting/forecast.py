"""Demand forecasts of a whole catalogue: prepared, fitted at once, reconciled with families, drawn as sample paths."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.datasets import DemandHistory, Period
from tools.forecasting.catalogue import Catalogue, DemandForecast
from tools.forecasting.combining.reconciliation import NO_FAMILY, family_sums, family_variances, reconcile
from tools.forecasting.context import DemandContext
from tools.forecasting.engine import CatalogueFit, fit_catalogue
from tools.forecasting.engine.panel import Panel, panel_of
from tools.forecasting.preparation import PreparedCatalogue, PreparedSeries, prepare_catalogue
from tools.forecasting.preparation.life import Life
from tools.forecasting.settings import ForecastSettings

__all__ = [
    "MODEL_VERSION",
    "Catalogue",
    "DemandForecast",
    "ForecastSettings",
    "fitted_catalogue",
    "forecast_catalogue",
    "forecast_demand",
]

MODEL_VERSION = "3"
LARGEST_SCALE = 4.0
"""Reconciliation multiplies an item's demand by at most this, or divides it."""


def forecast_demand(
    histories: Sequence[DemandHistory],
    *,
    as_of: date,
    period: Period,
    horizon: int,
    settings: ForecastSettings | None = None,
    context: DemandContext | None = None,
) -> tuple[DemandForecast, ...]:
    """One forecast per history, in order. A series that no model fits gets a stated fallback, never an error."""
    made = forecast_catalogue(
        histories, as_of=as_of, period=period, horizon=horizon, settings=settings, context=context
    )
    return tuple(made)


def forecast_catalogue(
    histories: Sequence[DemandHistory],
    *,
    as_of: date,
    period: Period,
    horizon: int,
    settings: ForecastSettings | None = None,
    context: DemandContext | None = None,
) -> Catalogue:
    """Forecasts of all histories in compact form. Deterministic for data, settings and seed, whatever the threads.

    Errors are pooled over the catalogue, so an item's forecast depends on the others beside it.

    What is forecast are the `horizon` periods after the newest complete one, in the periods that the records come in:
    the first of them may be running at the clock or have passed unreported. So two clocks between which no period
    becomes complete give equal histories and equal distributions, bit for bit and period by period. What the plan
    needs, the periods that begin on the day after the clock, `planned` makes of them.
    """
    known = context or DemandContext()
    prepared = prepare_catalogue(histories, as_of=as_of, period=period, horizon=horizon, context=known)
    return fitted_catalogue(prepared, period, settings, known)


def fitted_catalogue(
    catalogue: PreparedCatalogue,
    period: Period,
    settings: ForecastSettings | None = None,
    context: DemandContext | None = None,
) -> Catalogue:
    """Forecasts of what was prepared in periods, of as many periods as it has ahead."""
    chosen, known = settings or ForecastSettings(), context or DemandContext()
    prepared = catalogue.series
    families = _families(prepared, known.families) if chosen.reconcile else np.full(len(prepared), NO_FAMILY)
    panel = with_totals(panel_of([one.values for one in prepared], period, chosen.recent_periods), families)
    fit = fit_catalogue(panel, catalogue.ahead.size - 1)
    factors = reconciling_factors(fit, families)
    return Catalogue(prepared, panel, fit, factors, catalogue.ahead[:-1], chosen, known)


def _families(prepared: Sequence[PreparedSeries], family_of: Mapping[str, str]) -> IntArray:
    """(N,) place of each established item's family; `NO_FAMILY` where it has no other such item."""
    names = [family_of.get(one.series.item_id, "") if one.life is Life.ACTIVE else "" for one in prepared]
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    places = {name: place for place, name in enumerate(sorted(n for n, c in counts.items() if n and c > 1))}
    return np.array([places.get(name, NO_FAMILY) for name in names], dtype=np.int64)


def with_totals(panel: Panel, families: IntArray) -> Panel:
    """The panel with one more row per family: the sum of its items, from the first one's first period on."""
    count = int(families.max(initial=NO_FAMILY)) + 1
    if count == 0:
        return panel
    known = np.isfinite(panel.values)
    means = np.where(known, panel.values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    complete = np.where(known, panel.values, np.where(known.any(axis=1), means, 0.0)[:, None])
    before = np.arange(panel.width) < panel.first[:, None]
    totals = family_sums(np.where(before, 0.0, complete), families, count)
    seen = family_sums(known.astype(np.float64), families, count) > 0
    first = np.argmax(seen, axis=1).astype(np.int64)
    rows = np.where(np.arange(panel.width) >= first[:, None], totals, np.nan)
    return Panel(np.vstack([panel.values, rows]), np.concatenate([panel.first, first]), panel.period)


def reconciling_factors(fit: CatalogueFit, families: IntArray) -> FloatArray:
    """(N, T) what reconciliation multiplies each item's demand by."""
    items, count = families.size, int(families.max(initial=NO_FAMILY)) + 1
    means, variances = fit.mean * fit.season, fit.variances()
    if count == 0:
        return np.ones_like(means[:items])
    summed = family_sums(variances[:items], families, count)
    own, together = _past_errors(fit, families, count)
    trusted = family_variances(own, together, summed)
    made = reconcile(means[:items], variances[:items], families, means[items:], trusted)
    ratio = np.divide(made.items, means[:items], out=np.ones_like(made.items), where=means[:items] > 0)
    return np.clip(ratio, 1 / LARGEST_SCALE, LARGEST_SCALE)


def _past_errors(fit: CatalogueFit, families: IntArray, count: int) -> tuple[FloatArray, FloatArray]:
    """(F, O) errors in units per period at earlier origins, of the families' own forecasts and their items' summed."""
    past = fit.past
    errors = np.where(past.tried, (past.missed() * past.season).mean(axis=2), np.nan)
    place = np.full(fit.mean.shape[0], -1, dtype=np.int64)
    place[past.rows] = np.arange(past.rows.size)
    own, together = (np.full((count, past.origins.size), np.nan) for _ in range(2))
    for family in range(count):
        total, members = place[families.size + family], place[np.flatnonzero(families == family)]
        if total >= 0 and (members >= 0).all():
            own[family] = errors[total]
            together[family] = errors[members].sum(axis=0)
    return own, together
