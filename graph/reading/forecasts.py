"""Forecasts as the doors see them: an item's figures with accuracy and provenance, and versions to choose among."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from graph.computation.backtests import item_backtest, run_backtest, stored_backtests
from graph.computation.distributions import LEAD_LEVELS, demand_key, rounded
from graph.computation.estimate_desk import HISTORY_SHOWN, EstimateDesk, Scope
from graph.computation.estimates import CONFIGURED, Estimates
from graph.computation.provenance import differences
from graph.reading.naming import NEAR_MATCHES, near_ids
from graph.views.forecast_charts import chart_of
from graph.views.forecasts import (
    BacktestView,
    EarlierView,
    EstimateView,
    ForecastRowView,
    ForecastView,
    LeadTimeDemandView,
)
from store.estimates import EstimateInfo, EstimateKind
from store.warehouse import Warehouse
from tools.domain.arrays import FloatArray
from tools.domain.catalogue import Offer
from tools.domain.datasets import Dataset, Period, PeriodSeries
from tools.domain.errors import BadInput, NotFound
from tools.forecasting import DemandForecast
from tools.forecasting.lead_time_demand import lead_time_demand, weighted_quantile
from tools.forecasting.planned import planned
from tools.lead_times import LeadTimeDistribution

RECENT_SHOWN = 26
EARLIER_SHOWN = 2
DEMAND_LEVELS = (0.5, 0.8, 0.95)
"""Quantiles of lead-time demand that are told."""


class ForecastDesk:
    """Reads and chooses estimate versions; makes the current one when there is none."""

    def __init__(self, warehouse: Warehouse, desk: EstimateDesk) -> None:
        self._warehouse = warehouse
        self._desk = desk

    def forecast(self, item_id: str, site_id: str | None, version: str | None) -> ForecastView:
        """One item at one site, by the named version or the one that the next run plans with. NotFound."""
        info = self._desk.estimate_info(version)
        dataset = self._desk.dataset(info.origin.dataset_version)
        site, others = _site_of(dataset, item_id, site_id)
        key = demand_key(item_id, site)
        figures = self._warehouse.estimate_figures(info.version, EstimateKind.DEMAND, [key])[key]
        made = (
            self._desk.estimates(Scope(dataset.version, (item_id,), estimate_version=info.version))
            if info.kept
            else None
        )
        forecast = next(one for one in made.forecasts if one.site_id == site) if made else None
        history = forecast.history if forecast else self._recorded(dataset.version, figures["period"])[item_id, site]
        item = dataset.items[item_id]
        view = ForecastView(
            item_id=item_id,
            item=item.description,
            site_id=site,
            other_sites=others,
            uom=item.uom,
            as_of=dataset.as_of,
            **{name: figures[name] for name in ("period", "pattern", "model", "fallback", "accuracy")},
            notes=tuple(figures["notes"]),
            dates=tuple(figures["dates"]),
            mean=tuple(figures["mean"]),
            quantiles={level: tuple(values) for level, values in figures["quantiles"].items()},
            history_dates=tuple(str(day) for day in history.starts[-HISTORY_SHOWN:]),
            history=tuple(rounded(history.quantities[-HISTORY_SHOWN:])),
            earlier=self._earlier(info, key),
            lead_time_demand=_lead_time_demand(made, forecast, dataset) if made and forecast else (),
            backtest=item_backtest(self._warehouse, info.version, dataset, item_id, site),
            estimate=self._view(info),
        )
        view = view.model_copy(update=self._came(view, dataset))
        return view.model_copy(update={"chart": chart_of(view, forecast)})

    def _earlier(self, info: EstimateInfo, key: str) -> tuple[EarlierView, ...]:
        """Medians of the versions just before that knew the item."""
        found: list[EarlierView] = []
        for known in self._warehouse.estimates():
            if known.number >= info.number or known.content_hash == info.content_hash:
                continue
            figures = self._warehouse.estimate_figures(known.version, EstimateKind.DEMAND, [key]).get(key)
            if figures:
                median = tuple(figures["quantiles"]["0.5"])
                found.append(EarlierView(version=known.version, dates=tuple(figures["dates"]), median=median))
            if len(found) == EARLIER_SHOWN:
                break
        return tuple(found)

    def _came(self, view: ForecastView, dataset: Dataset) -> dict[str, object]:
        """What the newest dataset records after the origin, in the forecast's own whole periods."""
        newer = max(self._warehouse.datasets(), key=lambda known: (known.as_of, known.created_at))
        if newer.as_of <= dataset.as_of:
            return {}
        records = self._desk.dataset(newer.version).demand.get((view.item_id, view.site_id))
        starts = np.array(view.dates, dtype="datetime64[D]")
        if records is None or starts.size < 2:
            return {}
        ends = np.append(starts[1:], starts[-1] + (starts[-1] - starts[-2]))
        whole = ends - 1 <= np.datetime64(newer.as_of)
        sums = [
            float(records.quantities[(records.dates >= a) & (records.dates < b)].sum()) for a, b in _pairs(starts, ends)
        ]
        return {
            "actual_dates": tuple(str(day) for day in starts[whole]),
            "actuals": tuple(rounded(np.array(sums)[whole])),
            "actuals_from": newer.version,
        }

    def forecasts(self, version: str | None) -> Sequence[ForecastRowView]:
        """Every item of the named or current version, the worst accuracy first."""
        info = self._desk.estimate_info(version)
        dataset = self._desk.dataset(info.origin.dataset_version)
        tested = {
            (view.name, view.site_id): view
            for view in stored_backtests(self._warehouse, info.version, dataset)
            if view.group == "item"
        }
        figures = self._warehouse.estimate_figures(info.version, EstimateKind.DEMAND)
        rows: list[ForecastRowView] = []
        for found in figures.values():
            key = (found["item_id"], found["site_id"])
            history = self._recorded(dataset.version, found["period"])[key]
            rows.append(_row(found, dataset, history, tested.get(key), info))
        return sorted(rows, key=_worst_first)

    def _recorded(self, version: str, period: str) -> Mapping[tuple[str, str], PeriodSeries]:
        return self._desk.recorded(version, Period(period))

    def estimates(self, limit: int) -> Sequence[EstimateView]:
        """Versions, newest first, each with what differs from the one before."""
        infos = self._warehouse.estimates(limit + 1)
        before = {info.number: info for info in infos}
        return [self._view(info, before.get(info.number - 1)) for info in infos[:limit]]

    def _view(self, info: EstimateInfo, before: EstimateInfo | None = None) -> EstimateView:
        origin = info.origin
        names = ("version", "number", "created_at", "content_hash", "parent", "active", "held", "kept", "chosen_by")
        return EstimateView(
            **{name: getattr(info, name) for name in names},
            reason=info.reason,
            dataset_version=origin.dataset_version,
            model_version=origin.model_version,
            parameters=dict(origin.parameters),
            seed=origin.seed,
            code_version=origin.code_version,
            differences=differences(info, before) if before else (),
        )

    def activate(self, version: str, actor: str, reason: str) -> EstimateView:
        """Make a version active because a person asks; `configured` makes one with the settings. NotFound."""
        dataset = self._desk.dataset(self._warehouse.active_version() or "")
        known = [info.version for info in self._warehouse.estimates()]
        if version not in (CONFIGURED, *known):
            near = ", ".join(get_close_matches(version, known, NEAR_MATCHES, 0.3)) or "none yet"
            raise NotFound(
                f"There is no estimate version {version}.",
                remedy=f"`jit estimates` lists the versions, for example {near}.",
                version=version,
            )
        return self._view(self._desk.book.choose(version, dataset, actor, reason))

    def backtest(self, version: str | None) -> Sequence[BacktestView]:
        """Forecast again from earlier clocks of the version's dataset and store what it comes to."""
        info = self._desk.estimate_info(version)
        dataset = self._desk.dataset(info.origin.dataset_version)
        report = run_backtest(info, dataset, self._desk.lead_times(dataset.version))
        self._warehouse.put_backtests(info.version, dataset.version, report.as_rows())
        return stored_backtests(self._warehouse, info.version, dataset)

    def backtests(self, version: str | None) -> Sequence[BacktestView]:
        """What the last backtest of a version came to; nothing before the first."""
        info = self._desk.estimate_info(version)
        return stored_backtests(self._warehouse, info.version, self._desk.dataset(info.origin.dataset_version))


def _pairs(starts: Any, ends: Any) -> list[tuple[Any, Any]]:
    return list(zip(starts, ends, strict=True))


def _site_of(dataset: Dataset, item_id: str, site_id: str | None) -> tuple[str, tuple[str, ...]]:
    """The site whose demand is meant, and the item's other sites. NotFound names near matches."""
    if item_id not in dataset.items:
        raise _unknown_item(dataset, item_id)
    sites = [site for item, site in dataset.demand if item == item_id]
    if not sites:
        raise BadInput(
            f"Item {item_id} has no demand history in {dataset.version}.",
            remedy="Add rows of it to `demand` and import again.",
            item_id=item_id,
        )
    if site_id is not None and site_id not in sites:
        raise NotFound(
            f"Item {item_id} has no demand at site {site_id}.", remedy=f"It has at {', '.join(sites)}.", item_id=item_id
        )
    chosen = site_id or sites[0]
    return chosen, tuple(site for site in sites if site != chosen)


def _unknown_item(dataset: Dataset, item_id: str) -> NotFound:
    shown = near_ids(item_id, {known: item.description for known, item in dataset.items.items()})
    meant = (
        f"Did you mean {', '.join(shown)}?"
        if shown
        else f"Items are for example {', '.join(list(dataset.items)[:NEAR_MATCHES])}."
    )
    return NotFound(f"There is no item {item_id} in dataset {dataset.version}.", remedy=meant, item_id=item_id)


def _lead_time_demand(made: Estimates, forecast: DemandForecast, dataset: Dataset) -> tuple[LeadTimeDemandView, ...]:
    here = (forecast.item_id, forecast.site_id)
    offers = [offer for offer in dataset.offers if (offer.item_id, offer.site_id) == here]
    return tuple(
        _demand_while_waiting(role, offer, forecast, made, dataset)
        for role, offer in _cheapest_and_fastest(offers, made.lead_times)
    )


def _cheapest_and_fastest(
    offers: Sequence[Offer], lead_times: Mapping[str, LeadTimeDistribution]
) -> list[tuple[str, Offer]]:
    known = [offer for offer in offers if offer.offer_id in lead_times]
    if not known:
        return []
    cheapest = min(known, key=lambda offer: (offer.unit_price + offer.freight_per_unit, offer.offer_id))
    fastest = min(known, key=lambda offer: (lead_times[offer.offer_id].quantile(0.5), offer.offer_id))
    if cheapest == fastest:
        return [("cheapest and fastest", cheapest)]
    return [("cheapest", cheapest), ("fastest", fastest)]


def _demand_while_waiting(
    role: str, offer: Offer, forecast: DemandForecast, made: Estimates, dataset: Dataset
) -> LeadTimeDemandView:
    lead = made.lead_times[offer.offer_id]
    ahead = planned(forecast, dataset.as_of)
    units, weights = lead_time_demand(ahead.paths.astype(np.float64), made.period.days, lead.days, lead.probabilities)
    supplier = dataset.suppliers.get(offer.supplier_id)
    return LeadTimeDemandView(
        role=role,
        offer_id=offer.offer_id,
        supplier=supplier.name if supplier and supplier.name else offer.supplier_id,
        transport_mode=offer.transport_mode,
        unit_price=offer.unit_price + offer.freight_per_unit,
        currency=offer.currency,
        lead_time_days={f"{level:g}": float(lead.quantile(level)) for level in LEAD_LEVELS},
        lead_time_source=lead.source if lead.fallback is None else f"{lead.source}: {lead.fallback}",
        mean_units=round(float(units @ weights), 4),
        quantiles={f"{level:g}": _units_at(units, weights, level) for level in DEMAND_LEVELS},
    )


def _units_at(units: FloatArray, weights: FloatArray, level: float) -> float:
    return round(weighted_quantile(units, weights, level), 4)


def _worst_first(row: ForecastRowView) -> tuple[float, float, str]:
    """By loss against seasonal naive where a backtest measured it, else by MASE; unmeasured items last."""
    loss = np.inf if row.loss_to_naive is None else -row.loss_to_naive
    return loss, np.inf if row.mase is None else -row.mase, row.item_id


def _row(
    figures: Mapping[str, Any],
    dataset: Dataset,
    history: PeriodSeries,
    tested: BacktestView | None,
    info: EstimateInfo,
) -> ForecastRowView:
    item_id, site_id = figures["item_id"], figures["site_id"]
    item, own = dataset.items.get(item_id), figures["accuracy"].get("mase")
    return ForecastRowView(
        item_id=item_id,
        item=item.description if item else "",
        site_id=site_id,
        uom=item.uom if item else "",
        **{name: figures[name] for name in ("period", "pattern", "model", "fallback")},
        next_low=figures["quantiles"]["0.1"][0],
        next_median=figures["quantiles"]["0.5"][0],
        next_high=figures["quantiles"]["0.9"][0],
        recent=tuple(rounded(history.quantities[-RECENT_SHOWN:])),
        mase=tested.mase if tested else own,
        loss_to_naive=tested.to_naive if tested else None,
        coverage_80=tested.coverage_80 if tested else None,
        bias=tested.bias if tested else None,
        measured="backtest" if tested else "fit" if own is not None else "",
        estimate_version=info.version,
    )
