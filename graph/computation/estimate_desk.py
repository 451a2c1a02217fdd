"""Datasets and their stored distributions, memoised by the versions that they are made from.

Nothing here plans: what only reads does without the ordering engine.
"""

import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeVar

import numpy as np
import orjson

from graph.computation.distributions import rounded
from graph.computation.estimates import EstimateBook, Estimates, EstimateSettings, offer_lead_times, planning_period
from graph.computation.memo import MemoByKind
from store.estimates import EstimateInfo, EstimateKind
from store.warehouse import Warehouse
from tools.domain.alerts import Alert
from tools.domain.datasets import Catalogue, Dataset, Period, PeriodSeries
from tools.domain.snapshots import OrderingSettings
from tools.drift import ObservedSeries, lead_time_series
from tools.forecasting import ForecastSettings
from tools.forecasting.history import bucket_all
from tools.lead_times import (
    FittedLeadTimes,
    LeadTimeDistribution,
    LeadTimeFindings,
    LeadTimeSettings,
    YieldDistribution,
    estimate_yields,
    findings_of,
    fit_lead_times,
)

Value = TypeVar("Value")
CACHE_SIZE = 256
"""Values of a kind that are kept, the latest used last."""
LARGE_KEPT = 4
"""Of those that grow with the catalogue: a server that plans every night must not grow with its nights."""
HISTORY_SHOWN = 104
"""Latest periods of history that are shown of an item."""
MANY_ITEMS = 500
"""Items above which what is kept of a scope is large."""


@dataclass(frozen=True)
class Scope:
    """What a plan depends on beside code: hashable, and rebuilt from the state of a run."""

    dataset_version: str
    item_ids: tuple[str, ...]
    alerts: str = "[]"
    """Canonical JSON of the typed alerts."""
    adjustments: tuple[tuple[str, float], ...] = ()
    """Offer id to the largest quantity that the gates left it."""
    budget: float = float("inf")
    """Money that the policy leaves for orders placed now."""
    estimate_version: str = ""
    """Stored distributions to plan with; empty to make them from the dataset, stored nowhere."""
    withheld: tuple[tuple[str, float], ...] = ()
    """Offer id to units that a person decided not to order of it and that count as coming, to see what else is asked
    for beside them."""
    beside: tuple[tuple[str, float], ...] = ()
    """Offer id to units of other items that wait in the same orders and stay as they were planned: shared limits are
    less by them."""

    @cached_property
    def items_digest(self) -> str:
        """Stands for the items where something is kept by them: made once, however many there are."""
        return sha256("\0".join(self.item_ids).encode()).hexdigest()

    @property
    def kept(self) -> int:
        """How many values of a kind are kept of scopes of this size."""
        return LARGE_KEPT if len(self.item_ids) > MANY_ITEMS else CACHE_SIZE

    @cached_property
    def _hashed(self) -> int:
        rest = (self.alerts, self.adjustments, self.budget, self.estimate_version, self.withheld, self.beside)
        return hash((self.dataset_version, self.items_digest, *rest))

    def __hash__(self) -> int:
        """Made once: what is kept by scope is looked up for every line."""
        return self._hashed

    def told_only(self, alerts: Iterable[Alert]) -> "Scope":
        """The same data and items, of which nothing is known but these alerts."""
        raw = [alert.model_dump(mode="json") for alert in alerts]
        return Scope(self.dataset_version, self.item_ids, orjson.dumps(raw, option=orjson.OPT_SORT_KEYS).decode())

    @property
    def typed_alerts(self) -> tuple[Alert, ...]:
        """The alerts as values."""
        return tuple(Alert.model_validate(raw) for raw in orjson.loads(self.alerts))


@dataclass(frozen=True)
class DeskSettings:
    """What the computations of an installation depend on beside their data; part of a run's versions."""

    seed: int = 7
    horizon_periods: int = 26
    shortage_weight: float = 1.0
    """A shortage against what the service targets imply."""
    max_cover_days: float = 49.0
    """No order lifts an item above this many days of mean demand beyond its lead-time demand."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "DeskSettings":
        """From settings, or from the versions of an earlier run; unknown names are passed over."""
        return cls(**{key: values[key] for key in cls.__dataclass_fields__ if key in values})

    def as_versions(self) -> dict[str, Any]:
        """JSON values that `of` takes back."""
        return asdict(self)

    @property
    def estimating(self) -> EstimateSettings:
        """How distributions are made."""
        return EstimateSettings(ForecastSettings(seed=self.seed), LeadTimeSettings(), self.horizon_periods)

    def ordering(self, period: Period) -> OrderingSettings:
        """The ordering engine's settings for a planning bucket."""
        return OrderingSettings(
            seed=self.seed,
            shortage_weight=self.shortage_weight,
            max_cover_periods=max(1.0, self.max_cover_days / period.days),
        )


class EstimateDesk:
    """Memoised datasets and distributions of one warehouse; safe to use from several threads.

    Readings never wait for a plan that is computed meanwhile.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        settings: DeskSettings | None = None,
        protected: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._warehouse = warehouse
        self._settings = settings or DeskSettings()
        self.book = EstimateBook(warehouse, self._settings.estimating, protected)
        """Estimate versions."""
        self._read = MemoByKind()
        self._lock = threading.RLock()
        self._computed = MemoByKind(self._lock)

    @property
    def settings(self) -> DeskSettings:
        """What its computations depend on beside their data."""
        return self._settings

    def dataset(self, version: str) -> Dataset:
        """The dataset version."""
        return self._read.of(("dataset", version), lambda: self._warehouse.load_dataset(version), LARGE_KEPT)

    def catalogue(self, version: str, item_ids: Collection[str]) -> Catalogue:
        """Suppliers and the offers of these items: from the dataset where it is loaded, else read alone."""
        if self._read.has(("dataset", version), LARGE_KEPT):
            dataset = self.dataset(version)
            return Catalogue(dataset.suppliers, dataset.offer_of)
        return self._warehouse.catalogue(version, item_ids)

    def period(self, version: str) -> Period:
        """The planning bucket that the history's dates imply (a day's history is planned by the week)."""
        return self._read.of(("period", version), lambda: planning_period(self.dataset(version)), CACHE_SIZE)

    def recorded(self, version: str, period: Period) -> Mapping[tuple[str, str], PeriodSeries]:
        """Demand as recorded in complete periods, by item and site."""

        def compute() -> Mapping[tuple[str, str], PeriodSeries]:
            dataset = self.dataset(version)
            histories = list(dataset.demand.values())
            made = bucket_all(histories, dataset.as_of, period, dataset.calendar)
            return dict(zip(dataset.demand, made, strict=True))

        return self._read.of(("recorded", version, period), compute, LARGE_KEPT)

    def current_estimates(self, version: str) -> str:
        """The estimate version that a run on this dataset plans with; made and stored when there is none."""
        return self.book.current(self.dataset(version))

    def estimates(self, scope: Scope) -> Estimates:
        """Demand forecasts of the scope's items and lead times of all offers.

        They were made for the whole dataset at once: a forecast depends on the catalogue that it was made in.
        """
        dataset, version = self.dataset(scope.dataset_version), scope.estimate_version
        if version:
            leads = self.stored_lead_times(scope)
            return self._read.of(
                ("estimates", version, scope.items_digest),
                lambda: self.book.read(version, dataset, scope.item_ids, leads),
                scope.kept,
            )
        made = self._read.of(("unsaved", scope.dataset_version), lambda: self.book.unsaved(dataset), LARGE_KEPT)
        wanted = set(scope.item_ids)
        return replace(made, forecasts=tuple(found for found in made.forecasts if found.item_id in wanted))

    def told_demand(self, version: str, estimate_version: str, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """What an estimate version says of the demand for items at a site, by `demand_key`, with the latest history."""
        told = self._warehouse.estimate_figures(estimate_version, EstimateKind.DEMAND, keys)
        for found in told.values():
            history = self.recorded(version, Period(found["period"]))[found["item_id"], found["site_id"]]
            found["history_dates"] = np.datetime_as_string(history.starts[-HISTORY_SHOWN:]).tolist()
            found["history"] = rounded(history.quantities[-HISTORY_SHOWN:])
        return told

    def estimate_info(self, version: str | None) -> EstimateInfo:
        """The named estimate version, or the one that the next run plans with. NotFound."""
        if version is not None:
            return self._warehouse.estimate(version)
        active = self.dataset(self._warehouse.active_version() or "")
        return self._warehouse.estimate(self.current_estimates(active.version))

    def stored_lead_times(self, scope: Scope) -> Mapping[str, LeadTimeDistribution]:
        """Lead times of all offers as the scope's estimate version has them."""
        version, dataset = scope.estimate_version, self.dataset(scope.dataset_version)
        return self._read.of(("stored lead times", version), lambda: self.book.lead_times(version, dataset), LARGE_KEPT)

    def lead_time_findings(self, scope: Scope) -> LeadTimeFindings:
        """What the dataset's record says of suppliers and offers, beside the scope's stored lead times."""
        dataset, settings = self.dataset(scope.dataset_version), self._settings.estimating.lead_times

        def fit() -> FittedLeadTimes:
            receipts, orders = dataset.receipts, dataset.open_orders
            return fit_lead_times(dataset.offers, receipts, orders, dataset.as_of, settings, families=dataset.families)

        def find() -> LeadTimeFindings:
            fitted = self._read.of(("fitted lead times", dataset.version), fit, LARGE_KEPT)
            stored = replace(fitted, distributions=self.stored_lead_times(scope))
            return findings_of(stored, dataset.receipts, self.yields(dataset.version))

        return self._read.of(("lead time findings", dataset.version, scope.estimate_version), find, LARGE_KEPT)

    def lead_times(self, version: str) -> Mapping[str, LeadTimeDistribution]:
        """Lead-time distribution of every offer, made from the dataset alone."""
        settings = self._settings.estimating.lead_times
        return self._read.of(
            ("lead_times", version), lambda: offer_lead_times(self.dataset(version), settings), LARGE_KEPT
        )

    def lead_time_series(self, version: str) -> Sequence[ObservedSeries]:
        """Each supplier's lead times over their quotes, as a run watches them for drift."""
        dataset = self.dataset(version)
        return self._read.of(
            ("lead time series", version),
            lambda: lead_time_series(dataset.offers, dataset.receipts, dataset.as_of),
            LARGE_KEPT,
        )

    def yields(self, version: str) -> Mapping[str, YieldDistribution]:
        """Share of an order that arrives, of every offer."""
        dataset = self.dataset(version)
        return self._read.of(
            ("yields", version),
            lambda: estimate_yields(dataset.offers, dataset.receipts, dataset.open_orders),
            LARGE_KEPT,
        )

    def _memo(self, key: tuple[Hashable, ...], compute: Callable[[], Value], kept: int = CACHE_SIZE) -> Value:
        """A value of the plans that are computed on top of the readings here, one computation at a time."""
        return self._computed.of(key, compute, kept)
