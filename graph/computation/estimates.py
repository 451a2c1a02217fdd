"""Estimate versions: all demand and lead-time distributions of one dataset version, made once and stored.

A plan uses what is stored, so that a version which is made active again plans bit for bit as before, whatever the
code or the settings have become since.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib.metadata import version as installed_version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from graph.computation.distributions import demand_from, demand_key, demand_rows, lead_time_from, lead_time_row
from store.estimates import EstimateInfo, EstimateKind, EstimateOrigin, EstimateRow, hash_of
from store.warehouse import Warehouse
from tools.domain.datasets import Dataset, Period
from tools.domain.errors import Conflict
from tools.domain.fingerprint import content_hash
from tools.domain.progress import did, expect
from tools.forecasting import (
    Catalogue,
    DemandContext,
    DemandForecast,
    ForecastSettings,
    detect_period,
)
from tools.forecasting.forecast import MODEL_VERSION, fitted_catalogue
from tools.forecasting.preparation import PreparedCatalogue, prepare_catalogue
from tools.lead_times import MODEL_VERSION as LEAD_TIME_VERSION
from tools.lead_times import LeadTimeDistribution, LeadTimeSettings, estimate_lead_times

DRAWN_TOGETHER = 64
"""Items whose sample paths are unpacked at once."""
KEPT_VERSIONS = 10
"""Distributions of this many latest versions stay, beside the active one and those of runs that go on."""
CONFIGURED = "configured"
"""Stands for a version made anew with the installation's own settings."""
PROGRAM = "program"
"""Who makes a version active when nobody asked."""
_Part = tuple[Mapping[str, Any], bytes]
"""Figures and content of one row."""
ESTIMATING = ("forecasting", "lead_times", "rhythm")
"""Folders of `tools` whose code makes the distributions."""
SHOWING = ("chart.py",)
"""Files in them that only show what was made."""


@dataclass(frozen=True)
class Estimates:
    """Demand and lead-time distributions of some items."""

    period: Period
    forecasts: tuple[DemandForecast, ...]
    lead_times: Mapping[str, LeadTimeDistribution]
    horizon_periods: int
    seed: int
    version: str = ""
    """Where they are stored; empty for nowhere."""
    recomputed: bool = False
    """Whether the stored distributions were dropped, so that these were computed again."""
    as_stored: bool = True
    """Whether those that were computed again are those that were stored."""

    @cached_property
    def forecast_of(self) -> Mapping[tuple[str, str], DemandForecast]:
        """Forecast by (item_id, site_id)."""
        return {(made.item_id, made.site_id): made for made in self.forecasts}


@dataclass(frozen=True)
class EstimateSettings:
    """How distributions are made."""

    forecast: ForecastSettings
    lead_times: LeadTimeSettings
    horizon_periods: int

    def parameters(self, period: Period) -> dict[str, Any]:
        """JSON values that `of` takes back, with the bucket of the dataset."""
        made = {"forecast": asdict(self.forecast), "lead_times": asdict(self.lead_times)}
        return {**made, "horizon_periods": self.horizon_periods, "period": period.value}

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "EstimateSettings":
        """From the parameters of a stored version; names that this program does not know are passed over."""
        return cls(
            ForecastSettings(**_known(ForecastSettings, parameters["forecast"])),
            LeadTimeSettings(**_known(LeadTimeSettings, parameters["lead_times"])),
            int(parameters["horizon_periods"]),
        )


def _known(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    names = kind.__dataclass_fields__
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items() if name in names}


def planning_period(dataset: Dataset) -> Period:
    """The bucket that the history's dates imply (a day's history is planned by the week)."""
    found = detect_period(list(dataset.demand.values()))
    return Period.WEEK if found is Period.DAY else found


def demand_context(dataset: Dataset) -> DemandContext:
    """What the dataset knows of demand beside its records."""
    return DemandContext(
        calendar=dataset.calendar,
        families=dataset.families,
        stockouts=dataset.stockouts,
        user_forecasts=dataset.user_forecasts,
    )


def records_hash(dataset: Dataset, origin: EstimateOrigin) -> str:
    """Of all that the dataset says of demand, on its day: equal records give equal series."""
    return content_hash(origin.made_by, dataset.as_of, dataset.demand, demand_context(dataset))


def series_hash(prepared: PreparedCatalogue, context: DemandContext, origin: EstimateOrigin) -> str:
    """Of everything that demand distributions are made from: equal series give equal ones, bit for bit.

    Records of a period that is not complete yet, and the clock within it, change nothing.
    """
    known = {(one.series.item_id, one.series.site_id): one for one in prepared.series}
    return content_hash(origin.made_by, prepared.ahead, known, context.families, context.user_forecasts)


def drawn_rows(catalogue: Catalogue) -> list[EstimateRow]:
    """A row of every forecast. Sample paths of only a few items are unpacked at a time.

    In one thread: what an item takes is so short that two threads waste more on the interpreter's lock than they win.
    """
    found: list[EstimateRow] = []
    for first in range(0, len(catalogue), DRAWN_TOGETHER):
        rows = range(first, min(first + DRAWN_TOGETHER, len(catalogue)))
        found += demand_rows([catalogue[row] for row in rows])
        did(len(rows))
    return found


def offer_lead_times(dataset: Dataset, settings: LeadTimeSettings) -> Mapping[str, LeadTimeDistribution]:
    """Lead-time distribution of every offer of the dataset."""
    return estimate_lead_times(
        dataset.offers,
        dataset.receipts,
        dataset.open_orders,
        dataset.as_of,
        settings,
        families=dataset.families,
    )


def model_version() -> str:
    """Of both kinds of models."""
    return f"demand {MODEL_VERSION}, lead time {LEAD_TIME_VERSION}"


@lru_cache(maxsize=4)
def code_version(folders: tuple[str, ...] = ESTIMATING) -> str:
    """The installed version, and a hash of the sources that make distributions, so that an edit shows."""
    digest = sha256()
    for folder in folders:
        for name, source in _sources(files("tools") / folder, folder):
            digest.update(name.encode() + source)
    return f"{installed_version('jit-sourcing')}+{digest.hexdigest()[:8]}"


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    """Path and text of each module in the folder and below it, in order, but for those that only show."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{name}/{entry.name}"
        if entry.is_dir():
            yield from _sources(entry, path)
        elif entry.name.endswith(".py") and entry.name not in SHOWING:
            yield path, entry.read_bytes()


class _Demand:
    """A dataset's demand under the settings of an origin; prepared once, when something asks for it."""

    def __init__(self, dataset: Dataset, settings: EstimateSettings, origin: EstimateOrigin) -> None:
        self.dataset, self.settings, self._origin = dataset, settings, origin

    @cached_property
    def _context(self) -> DemandContext:
        return demand_context(self.dataset)

    @cached_property
    def _prepared(self) -> PreparedCatalogue:
        return prepare_catalogue(
            list(self.dataset.demand.values()),
            as_of=self.dataset.as_of,
            period=self._origin.period,
            horizon=self.settings.horizon_periods,
            context=self._context,
        )

    @property
    def records(self) -> str:
        """Hash of the records as they came."""
        return records_hash(self.dataset, self._origin)

    @property
    def series(self) -> str:
        """Hash of what forecasts are made from."""
        return series_hash(self._prepared, self._context, self._origin)

    def forecasts(self) -> Catalogue:
        """Forecasts of all items, made together; an item's sample paths are drawn when it is looked at."""
        return fitted_catalogue(self._prepared, self._origin.period, self.settings.forecast, self._context)


class EstimateBook:
    """Makes estimate versions when a run needs one, and reads them. One is made at a time."""

    def __init__(
        self,
        warehouse: Warehouse,
        settings: EstimateSettings,
        protected: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._warehouse = warehouse
        self._settings = settings
        self._protected = protected
        self._lock = threading.RLock()

    def current(self, dataset: Dataset) -> str:
        """The version that a run on this dataset plans with; made and stored when there is none.

        The active version when a person chose it and it was made from this dataset. Otherwise the one that its
        parameters give (a choice is held on to) or, when nobody chose, the installation's settings.
        """
        with self._lock:
            active = self._warehouse.active_estimates()
            chosen = active if active and active.held else None
            if chosen and chosen.origin.dataset_version == dataset.version:
                return chosen.version
            settings = EstimateSettings.of(chosen.origin.parameters) if chosen else self._settings
            version = self._made(dataset, settings)
            is_new = active is None or active.version != version
            if is_new and dataset.version == self._warehouse.active_version():
                carried = f" with the parameters of {chosen.version}" if chosen else ""
                reason = f"made from {dataset.version}{carried}"
                self._warehouse.activate_estimates(version, PROGRAM, reason, held=chosen is not None)
            return version

    def choose(self, version: str, dataset: Dataset, actor: str, reason: str) -> EstimateInfo:
        """Make a version active because a person asks. NotFound when there is none.

        `configured` stands for one made from the dataset with the settings. A choice is held on to when later
        estimates would otherwise come from other parameters or other code.
        """
        with self._lock:
            if version == CONFIGURED:
                version = self._made(dataset, self._settings)
            info = self._warehouse.estimate(version)
            if not info.kept:
                self._restore(info)
            usual = self._origin(dataset, self._settings)
            held = replace(info.origin, dataset_version=usual.dataset_version) != usual
            self._warehouse.activate_estimates(version, actor, reason, held=held)
            return self._warehouse.estimate(version)

    def _made(self, dataset: Dataset, settings: EstimateSettings) -> str:
        """The version of this origin: found, or made from the dataset; then old distributions are dropped."""
        origin = self._origin(dataset, settings)
        known = self._warehouse.estimates_from(origin)
        if known and known.kept:
            return known.version
        demand = _Demand(dataset, settings, origin)
        series = self._series(demand)
        same = [] if known else self._warehouse.members_from(series)
        rows = self._lead_time_rows(dataset, settings) if same else self._rows(demand)
        if known and known.content_hash == hash_of(rows):
            self._warehouse.restore_contents(known.version, rows)
            return known.version
        version = self._warehouse.store_estimates(origin, rows, same, series)
        self._warehouse.drop_contents(KEPT_VERSIONS, self._protected())
        return version

    def _origin(self, dataset: Dataset, settings: EstimateSettings) -> EstimateOrigin:
        parameters = settings.parameters(planning_period(dataset))
        return EstimateOrigin(dataset.version, model_version(), parameters, settings.forecast.seed, code_version())

    def _series(self, demand: "_Demand") -> str:
        """Hash of the series that these records give; they are prepared only where it is not known."""
        known = self._warehouse.series_from(demand.records)
        if known is None:
            known = demand.series
            self._warehouse.put_series(demand.records, known)
        return known

    def _rows(self, demand: "_Demand") -> list[EstimateRow]:
        expect(2 * len(demand.dataset.demand))
        forecasts = demand.forecasts()
        did(len(demand.dataset.demand))
        return [*drawn_rows(forecasts), *self._lead_time_rows(demand.dataset, demand.settings)]

    def _lead_time_rows(self, dataset: Dataset, settings: EstimateSettings) -> list[EstimateRow]:
        offers, made = dataset.offer_of, offer_lead_times(dataset, settings.lead_times)
        return [lead_time_row(offers[offer_id], lead) for offer_id, lead in made.items()]

    def _restore(self, info: EstimateInfo) -> None:
        """Compute dropped distributions again and keep them. Conflict when the present code makes other ones."""
        rows = self._again(info, self._warehouse.load_dataset(info.origin.dataset_version))
        if hash_of(rows) != info.content_hash:
            raise Conflict(
                f"The distributions of {info.version} were dropped, and the present code makes other ones.",
                remedy=f"Choose one of the latest {KEPT_VERSIONS} versions of `jit estimates`, or `{CONFIGURED}`.",
                version=info.version,
            )
        self._warehouse.restore_contents(info.version, rows)

    def _again(self, info: EstimateInfo, dataset: Dataset) -> list[EstimateRow]:
        return self._rows(_Demand(dataset, EstimateSettings.of(info.origin.parameters), info.origin))

    def lead_times(self, version: str, dataset: Dataset) -> Mapping[str, LeadTimeDistribution]:
        """Lead times of all offers as the version has them."""
        info = self._warehouse.estimate(version)
        kind = EstimateKind.LEAD_TIME
        parts = self._stored(version, kind) if info.kept else _parts(self._again(info, dataset), kind)
        return {key: lead_time_from(*part) for key, part in parts.items()}

    def read(
        self,
        version: str,
        dataset: Dataset,
        item_ids: Collection[str],
        lead_times: Mapping[str, LeadTimeDistribution],
    ) -> Estimates:
        """Forecasts of the items as the version has them, beside its lead times.

        Where its distributions were dropped they are computed again from its parameters, and the answer says so.
        """
        info, wanted = self._warehouse.estimate(version), set(item_ids)
        keys = [demand_key(*key) for key in dataset.demand if key[0] in wanted]
        again = [] if info.kept else self._again(info, dataset)
        kind = EstimateKind.DEMAND
        demand = self._stored(version, kind, keys) if info.kept else _parts(again, kind)
        return Estimates(
            info.origin.period,
            tuple(demand_from(*demand[key]) for key in keys),
            lead_times,
            int(info.origin.parameters["horizon_periods"]),
            info.origin.seed,
            version,
            recomputed=not info.kept,
            as_stored=info.kept or hash_of(again) == info.content_hash,
        )

    def _stored(self, version: str, kind: EstimateKind, keys: Collection[str] | None = None) -> dict[str, _Part]:
        figures = self._warehouse.estimate_figures(version, kind, keys)
        contents = self._warehouse.estimate_contents(version, kind, keys)
        return {key: (figures[key], content) for key, content in contents.items()}

    def unsaved(self, dataset: Dataset) -> Estimates:
        """Estimates of the whole dataset that are stored nowhere: for plans of before there were versions."""
        origin = self._origin(dataset, self._settings)
        made = _Demand(dataset, self._settings, origin).forecasts()
        lead = offer_lead_times(dataset, self._settings.lead_times)
        return Estimates(origin.period, tuple(made), lead, self._settings.horizon_periods, self._settings.forecast.seed)


def _parts(rows: Iterable[EstimateRow], kind: EstimateKind) -> dict[str, _Part]:
    return {
        row.key: ({"item_id": row.item_id, "site_id": row.site_id, **row.figures}, row.content)
        for row in rows
        if row.kind is kind
    }
