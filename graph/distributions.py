"""Forecasts and lead times as stored rows, and back: figures for people, arrays for the next plan."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from store.arrays import from_bytes, to_bytes
from store.estimates import EstimateKind, EstimateRow
from tools.domain.catalogue import Offer
from tools.domain.datasets import Period, PeriodSeries
from tools.forecasting import DemandForecast, DemandPattern
from tools.lead_times import LeadTimeDistribution

FAN_LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Quantiles that are kept as figures: the median and the 50, 80 and 95 % intervals."""
FIGURE_DIGITS = 4
LEAD_LEVELS = (0.1, 0.5, 0.9)


def demand_key(item_id: str, site_id: str) -> str:
    """Key of an item's demand at a site."""
    return f"{item_id}@{site_id}"


def demand_row(made: DemandForecast) -> EstimateRow:
    """A forecast as a row. Paths are kept as float32: the plan uses what is stored, also when it was just made."""
    series, paths = made.history, made.paths.astype(np.float32)
    fan = np.quantile(paths, FAN_LEVELS, axis=0)
    figures = {
        "period": made.period.value,
        "pattern": made.pattern.value,
        "model": made.model,
        "fallback": made.fallback,
        "notes": list(made.notes),
        "accuracy": {name: float(value) for name, value in made.accuracy.items() if np.isfinite(value)},
        "dates": [str(day) for day in made.starts],
        "mean": rounded(paths.mean(axis=0)),
        "quantiles": {f"{level:g}": rounded(row) for level, row in zip(FAN_LEVELS, fan, strict=True)},
    }
    arrays = {
        "starts": made.starts,
        "paths": paths,
        "history_starts": series.starts,
        "history_quantities": series.quantities,
        "history_closed": series.closed,
        "modelled": made.modelled,
    }
    key = demand_key(made.item_id, made.site_id)
    return EstimateRow.of(EstimateKind.DEMAND, made.item_id, made.site_id, key, figures, to_bytes(arrays))


def demand_from(figures: Mapping[str, Any], content: bytes) -> DemandForecast:
    """The forecast of a stored row; what this program's forecasts do not know is passed over."""
    arrays = from_bytes(content)
    item_id, site_id, period = figures["item_id"], figures["site_id"], Period(figures["period"])
    history = (arrays["history_starts"], arrays["history_quantities"], arrays["history_closed"])
    found: dict[str, Any] = {
        "item_id": item_id,
        "site_id": site_id,
        "period": period,
        "starts": arrays["starts"],
        "paths": arrays["paths"].astype(np.float64),
        "pattern": DemandPattern(figures["pattern"]),
        "model": figures["model"],
        "fallback": figures["fallback"],
        "history": PeriodSeries(item_id, site_id, period, *history),
        "accuracy": figures["accuracy"],
        "notes": tuple(figures["notes"]),
        "modelled": arrays["modelled"],
    }
    known = {field.name for field in fields(DemandForecast)}
    return DemandForecast(**{name: value for name, value in found.items() if name in known})


def lead_time_row(offer: Offer, made: LeadTimeDistribution) -> EstimateRow:
    """An offer's lead time as a row."""
    parts: dict[str, Any] = {field.name: getattr(made, field.name) for field in fields(made)}
    arrays = {name: part for name, part in parts.items() if isinstance(part, np.ndarray)}
    figures = {
        "mean_days": made.mean,
        "sd_days": made.sd,
        **{f"p{100 * level:.0f}_days": made.quantile(level) for level in LEAD_LEVELS},
        "fields": {name: part for name, part in parts.items() if name not in arrays},
    }
    key = offer.offer_id
    return EstimateRow.of(EstimateKind.LEAD_TIME, offer.item_id, offer.site_id, key, figures, to_bytes(arrays))


def lead_time_from(figures: Mapping[str, Any], content: bytes) -> LeadTimeDistribution:
    """The lead time of a stored row."""
    found: dict[str, Any] = {**figures["fields"], **from_bytes(content)}
    known = {field.name for field in fields(LeadTimeDistribution)}
    return LeadTimeDistribution(**{name: value for name, value in found.items() if name in known})


def rounded(values: Any) -> list[float]:
    """Values as figures, to four digits after the point."""
    return np.round(np.asarray(values, dtype=np.float64), FIGURE_DIGITS).tolist()
