"""Empirical Bayes on the log lead time: effects of mode, family, supplier, item, site and period, drawn to their pools.

log(T / quoted) = g + sum over levels of an effect + the supplier's spread times a residual. Effects of a level are
normal around zero with a spread estimated from all its groups together, so a group with little evidence is drawn to
zero, that is to the level above, and one with much keeps its own (Gelman and Hill 2007, ch. 12; Efron and Morris 1975).
Right-censored rows enter by expectation: mean and variance of the normal beyond their age (Tobin's model by EM,
Dempster, Laird and Rubin 1977). Effects are updated level by level (backfitting), all groups at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.lead_times.preparation.observations import Observations
from tools.lead_times.settings import LeadTimeSettings
from tools.lead_times.shapes import beyond_age, normal_shape

SWEEPS = 10
FAR_RESIDUAL = 2.5
"""Spreads from where a row's weight falls as one over its distance (Huber 1964)."""
PRIOR_ORDERS = 5.0
"""Orders' worth of the quoted spread in the common one."""
DRIFTING = ("period", "supplier and period")
IN_OWN_SPREADS = ("period", "supplier and period", "supplier and mode", "supplier and item", "supplier and site")
"""Levels whose effects are multiples of the supplier's own spread: an unsteady supplier's vary more."""


@dataclass
class Level:
    """Groups of one kind: their effects and what remains uncertain of each."""

    name: str
    of_row: IntArray
    """(n,) group of each observed row."""
    of_terms: IntArray
    """(m,) group of each row of the terms, as an order sent today."""
    effect: FloatArray
    """(groups,) in log units, or in supplier's spreads."""
    variance: FloatArray
    """(groups,) posterior, in the same unit squared."""
    prior: float
    """Variance of effects between groups."""


@dataclass(frozen=True)
class Fit:
    """What the pools say of every row of the terms."""

    location: FloatArray
    """(m,) expected log of lead time over quoted."""
    uncertainty: FloatArray
    """(m,) variance of that expectation, drift to come included."""
    spread: FloatArray
    """(m,) standard deviation from order to order, in logs."""
    residuals: FloatArray
    """(n,) in supplier's spreads; of a censored row, its age's."""
    excess: FloatArray
    """(n,) log of expected lead time over age, of censored rows; zero of those that arrived."""
    doubt: FloatArray
    """(n,) variance of that log; zero of those that arrived."""
    undrifted: FloatArray
    """(n,) log residuals with what period effects explain put back: for finding changes of regime."""


class PooledModel:
    """The model of one set of observations; `fit` may be called again with other weights."""

    def __init__(self, seen: Observations, settings: LeadTimeSettings) -> None:
        self._seen, self._settings = seen, settings
        self._suppliers = len(seen.terms.supplier_ids)
        self._levels = _levels(seen, settings)
        self._y = seen.log_ratios
        self._supplier = seen.supplier
        common = settings.quoted_log_sd**2
        self._common = common
        self._variance = np.full(self._suppliers, common)
        self._overall = self._centre = -common / 2
        self._shape = normal_shape()

    def fit(self, weights: FloatArray, sweeps: int = SWEEPS, shape: FloatArray | None = None) -> Fit:
        """Effects after these sweeps over all levels, going on from where the last call stopped.

        With a `shape` (K,) of residuals, open orders are expected by it and no longer by the normal's.
        """
        if shape is not None:
            self._shape = shape
        if not len(self._y):
            return self._without_evidence()
        residual = excess = doubt = np.zeros_like(self._y)
        for sweep in range(sweeps):
            residual, excess, doubt = self._sweep(weights, learn_priors=sweep > 1)
        return self._result(residual, excess, doubt)

    def _sweep(self, weights: FloatArray, learn_priors: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        """One round; residuals (n,) of the expected values, how much those exceed the observed, their variance."""
        variance = self._variance[self._supplier]
        sd = np.sqrt(variance)
        mean = self._overall + self._explained(self._levels, sd)
        excess, doubt = self._censored(mean, sd)
        residual = self._y + excess - mean
        robust = np.minimum(1.0, FAR_RESIDUAL * sd / np.maximum(np.abs(residual), 1e-12))
        trusted = np.where(self._seen.arrived, weights * robust, weights)
        precise = trusted / variance
        prior = 1 / self._common
        total = float(precise.sum()) + prior
        step = (float(precise @ residual) + prior * (self._centre - self._overall)) / total
        self._overall += step
        residual -= step
        explained = np.zeros_like(residual)
        for level in self._levels:
            scale = sd if level.name in IN_OWN_SPREADS else np.ones_like(sd)
            _update(level, residual, scale, trusted if level.name in IN_OWN_SPREADS else precise)
            explained += scale**2 * level.variance[level.of_row]
            if learn_priors:
                self._learn(level)
        self._learn_spreads(trusted, residual, doubt + explained)
        return residual, excess, doubt

    def _explained(self, levels: Sequence[Level], sd: FloatArray) -> FloatArray:
        found = np.zeros_like(sd)
        for level in levels:
            effect = level.effect[level.of_row]
            found += effect * sd if level.name in IN_OWN_SPREADS else effect
        return found

    def _censored(self, mean: FloatArray, sd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(n,), (n,) expected excess over the age and its variance, of the normal beyond the age."""
        excess, doubt = np.zeros_like(mean), np.zeros_like(mean)
        open_rows = np.flatnonzero(~self._seen.arrived)
        scale = sd[open_rows]
        at = np.clip((self._y[open_rows] - mean[open_rows]) / scale, -8.0, 8.0)
        beyond, variance = beyond_age(at, self._shape)
        excess[open_rows] = scale * (beyond - at)
        doubt[open_rows] = scale**2 * variance
        return excess, doubt

    def _learn(self, level: Level) -> None:
        """Prior variance from the groups seen, drawn to what was expected."""
        expected, weight = self._settings.prior_spreads[level.name] ** 2, self._settings.level_weight
        known = level.variance < level.prior * (1 - 1e-12)
        found = float((level.effect[known] ** 2 + level.variance[known]).sum())
        level.prior = (weight * expected + found) / (weight + int(known.sum()))

    def _learn_spreads(self, weights: FloatArray, residual: FloatArray, doubt: FloatArray) -> None:
        squares = weights * (residual**2 + doubt)
        quoted = self._settings.quoted_log_sd**2
        self._common = (PRIOR_ORDERS * quoted + float(squares.sum())) / (PRIOR_ORDERS + float(weights.sum()))
        own = np.bincount(self._supplier, squares, self._suppliers)
        rows = np.bincount(self._supplier, weights, self._suppliers)
        prior = self._settings.spread_weight
        self._variance = (prior * self._common + own) / (prior + rows)

    def _result(self, residual: FloatArray, excess: FloatArray, doubt: FloatArray) -> Fit:
        terms, kept = self._seen.terms, self._settings.carried_over
        variance = self._variance[terms.supplier]
        location, uncertainty = np.full(len(variance), self._overall), np.zeros_like(variance)
        for level in self._levels:
            scale = np.sqrt(variance) if level.name in IN_OWN_SPREADS else np.ones_like(variance)
            effect, unsure = level.effect[level.of_terms], level.variance[level.of_terms]
            if level.name in DRIFTING:
                effect, unsure = kept * effect, kept**2 * unsure + (1 - kept**2) * level.prior
            location += scale * effect
            uncertainty += scale**2 * unsure
        sd = np.sqrt(self._variance)[self._supplier]
        drift = self._explained([level for level in self._levels if level.name in DRIFTING], sd)
        spread = np.sqrt(variance)
        return Fit(location, uncertainty, spread, (residual - excess) / sd, excess, doubt, residual + drift)

    def _without_evidence(self) -> Fit:
        rows, none = len(self._seen.terms.supplier), np.empty(0)
        sd = self._settings.quoted_log_sd
        return Fit(np.full(rows, -(sd**2) / 2), np.zeros(rows), np.full(rows, sd), none, none, none, none)


def _update(level: Level, residual: FloatArray, scale: FloatArray, weights: FloatArray) -> None:
    """Effects by ridge regression on what the other levels leave; `residual` is brought up to date in place."""
    groups = len(level.effect)
    precision = np.bincount(level.of_row, weights, groups) + 1 / level.prior
    pull = np.bincount(level.of_row, weights * (residual / scale + level.effect[level.of_row]), groups)
    effect = pull / precision
    residual -= scale * (effect - level.effect)[level.of_row]
    level.effect, level.variance = effect, 1 / precision


def _levels(seen: Observations, settings: LeadTimeSettings) -> list[Level]:
    """The levels that tell rows apart; a level that only repeats another is left out, the drift never is."""
    terms, rows = seen.terms, seen.terms_row
    period = (np.maximum(seen.age_days, 0) // settings.period_days).astype(np.int64)
    today = np.zeros(len(terms.supplier), dtype=np.int64)

    def crossed(*columns: IntArray) -> IntArray:
        code = columns[0].copy()
        for column in columns[1:]:
            code = code * (int(column.max(initial=0)) + 1) + column
        return code

    whole: dict[str, IntArray] = {
        "mode": terms.mode,
        "family": terms.family,
        "supplier": terms.supplier,
        "supplier and mode": crossed(terms.supplier, terms.mode),
        "supplier and item": crossed(terms.supplier, terms.item),
        "supplier and site": crossed(terms.supplier, terms.site),
    }
    suppliers = len(terms.supplier_ids)
    made: list[Level] = []
    for name, codes in whole.items():
        groups = len(np.unique(codes))
        needless = groups == suppliers if name in ("supplier and mode", "supplier and site") else groups < 2
        if name in ("supplier", "supplier and item") or not needless:
            made.append(_level(name, codes[rows], codes, settings))
    both = max(int(period.max(initial=0)) + 1, 1)
    made.append(_level("period", period, today, settings))
    drift = terms.supplier[rows] * both + period
    made.append(_level("supplier and period", drift, terms.supplier * both, settings))
    return made


def _level(name: str, of_row: IntArray, of_terms: IntArray, settings: LeadTimeSettings) -> Level:
    values, places = np.unique(np.concatenate([of_row, of_terms]), return_inverse=True)
    prior = settings.prior_spreads[name] ** 2
    row, terms = places[: len(of_row)], places[len(of_row) :]
    empty = np.zeros(len(values))
    return Level(name, row, terms, empty, np.full(len(values), prior), prior)
