"""Backtests of an estimate version: forecast again from earlier clocks of its dataset, stored with its lineage."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from graph.computation.estimates import EstimateSettings, demand_context
from graph.views.forecasts import BacktestView
from store.estimates import EstimateInfo
from store.warehouse import Warehouse
from tools.domain.datasets import Dataset, DemandHistory, Period
from tools.forecasting import DemandForecast, DemandPattern, forecast_demand
from tools.forecasting.backtest import AccuracyRow, BacktestReport, Origin, backtest_catalogue, summarised
from tools.lead_times import LeadTimeDistribution

ORIGINS = 4
HORIZONS: Mapping[Period, int] = {Period.DAY: 28, Period.WEEK: 13, Period.MONTH: 6}
STEPS: Mapping[Period, int] = {Period.DAY: 7, Period.WEEK: 4, Period.MONTH: 2}
"""Periods between two origins."""
FIGURES = ("mase", "rmsse", "wql", "wql_naive", "coverage_50", "coverage_80", "coverage_95", "bias")


def run_backtest(
    info: EstimateInfo, dataset: Dataset, lead_times: Mapping[str, LeadTimeDistribution]
) -> BacktestReport:
    """Forecast the dataset's items from `ORIGINS` earlier clocks with the version's own parameters."""
    settings = EstimateSettings.of(info.origin.parameters)
    period = Period(info.origin.parameters["period"])

    def make(histories: Sequence[DemandHistory], origin: Origin) -> Sequence[DemandForecast]:
        return forecast_demand(
            histories,
            as_of=origin.as_of,
            period=origin.period,
            horizon=origin.horizon,
            settings=settings.forecast,
            context=origin.context,
        )

    return backtest_catalogue(
        list(dataset.demand.values()),
        as_of=dataset.as_of,
        period=period,
        horizon=HORIZONS[period],
        origins=ORIGINS,
        step=STEPS[period],
        make=make,
        context=demand_context(dataset),
        spans=_waits(dataset, lead_times, period),
        dataset_version=dataset.version,
        model_version=info.origin.model_version,
        settings=info.version,
        seed=info.origin.seed,
    )


def _waits(
    dataset: Dataset, lead_times: Mapping[str, LeadTimeDistribution], period: Period
) -> dict[tuple[str, str], list[int]]:
    """Median lead times of each item's offers in whole periods."""
    found: dict[tuple[str, str], list[int]] = {}
    for offer in dataset.offers:
        if offer.offer_id in lead_times:
            wait = max(1, round(lead_times[offer.offer_id].quantile(0.5) / period.days))
            found.setdefault((offer.item_id, offer.site_id), []).append(min(wait, HORIZONS[period]))
    return found


def stored_backtests(warehouse: Warehouse, version: str, dataset: Dataset) -> list[BacktestView]:
    """Accuracy of all items, by demand class, and by item with the worst against seasonal naive first."""
    rows = warehouse.backtests(version)
    if not rows:
        return []
    by_item: dict[tuple[str, str], list[dict[str, Any]]] = {}
    by_class: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_item.setdefault((row["item_id"], row["site_id"]), []).append(row)
        by_class.setdefault(row["pattern"], []).append(row)
    items = [_item_view(found, version, dataset) for found in by_item.values()]
    classes = [_view("class", name, found, version, dataset) for name, found in sorted(by_class.items())]
    return [_view("all", "all", rows, version, dataset), *classes, *sorted(items, key=worst_first)]


def item_backtest(
    warehouse: Warehouse, version: str, dataset: Dataset, item_id: str, site_id: str
) -> BacktestView | None:
    """Accuracy of one item at one site, None before a backtest."""
    rows = [row for row in warehouse.backtests(version, item_id) if row["site_id"] == site_id]
    return _item_view(rows, version, dataset) if rows else None


def worst_first(view: BacktestView) -> tuple[float, str]:
    """Order of items: the worst loss against seasonal naive first, those without a figure last."""
    return (-view.to_naive if view.to_naive is not None else np.inf, view.name)


def _item_view(rows: Sequence[Mapping[str, Any]], version: str, dataset: Dataset) -> BacktestView:
    item = dataset.items.get(rows[0]["item_id"])
    more = {"item": item.description if item else "", "site_id": rows[0]["site_id"], "pattern": rows[-1]["pattern"]}
    return _view("item", rows[0]["item_id"], rows, version, dataset).model_copy(update=more)


def _view(group: str, name: str, rows: Sequence[Mapping[str, Any]], version: str, dataset: Dataset) -> BacktestView:
    made = summarised(name, [_typed(row) for row in rows])
    figures: dict[str, Any] = {figure: _defined(getattr(made, figure)) for figure in FIGURES}
    return BacktestView(
        group=group,
        name=name,
        forecasts=made.forecasts,
        **figures,
        lead_time_coverage_80=_mean(rows, "lead_time_coverage_80"),
        lead_time_coverage_95=_mean(rows, "lead_time_coverage_95"),
        first_origin=min(row["origin"] for row in rows),
        last_origin=max(row["origin"] for row in rows),
        estimate_version=version,
        dataset_version=dataset.version,
    )


def _typed(row: Mapping[str, Any]) -> AccuracyRow:
    """A stored row as the tools read it: figures that are not defined are nan again."""
    values = {field.name: row[field.name] for field in fields(AccuracyRow)}
    known: dict[str, Any] = {name: float("nan") if value is None else value for name, value in values.items()}
    known["pattern"] = DemandPattern(row["pattern"])
    return AccuracyRow(**known)


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    known = [float(row[name]) for row in rows if row[name] is not None]
    return sum(known) / len(known) if known else None


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
