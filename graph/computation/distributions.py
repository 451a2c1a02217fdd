"""Forecasts and lead times as stored rows, and back: figures for people, arrays for the next plan."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.arrays import from_bytes, to_bytes
from store.estimates import EstimateKind, EstimateRow
from tools.domain.arrays import FloatArray, narrowed
from tools.domain.catalogue import Offer
from tools.domain.datasets import Period, PeriodSeries
from tools.forecasting import DemandForecast, DemandPattern
from tools.forecasting.accuracy import LEVELS
from tools.forecasting.preparation.closures import NEVER_CLOSED, ClosedDays
from tools.lead_times import LeadTimeDistribution

FAN_LEVELS = tuple(LEVELS.tolist())
"""Quantiles that are kept as figures: the median and the 50, 80 and 95 % intervals."""
FIGURE_DIGITS = 4
LEAD_LEVELS = (0.1, 0.5, 0.9)
LEAD_QUANTILES = {f"p{100 * level:.0f}_days": level for level in LEAD_LEVELS}
LEAD_FIELDS = tuple(field.name for field in fields(LeadTimeDistribution))


def demand_key(item_id: str, site_id: str) -> str:
    """Key of an item's demand at a site."""
    return f"{item_id}@{site_id}"


def demand_rows(forecasts: Sequence[DemandForecast]) -> list[EstimateRow]:
    """Forecasts of one catalogue as rows. The plan uses what is stored, also when it was just made."""
    if not forecasts:
        return []
    paths = np.stack([made.paths for made in forecasts]).astype(np.float32)
    fans, means = figures_of(_quantiles(paths)), figures_of(paths.mean(axis=1).astype(np.float64))
    return [_demand_row(*one) for one in zip(forecasts, paths, fans, means, strict=True)]


def _quantiles(paths: NDArray[np.float32]) -> FloatArray:
    """(N, Q, T) quantiles at `FAN_LEVELS` of paths (N, S, T), between the two nearest ones.

    Sorted, since whole sorted rows are ten times as fast as a selection along the middle axis.
    """
    ordered = np.sort(np.ascontiguousarray(paths.transpose(0, 2, 1)), axis=2)
    place = np.array(FAN_LEVELS) * (ordered.shape[2] - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, ordered.shape[2] - 1)
    below, above = ordered[:, :, low].astype(np.float64), ordered[:, :, high]
    return (below + (above - below) * (place - low)).transpose(0, 2, 1)


def _demand_row(
    made: DemandForecast, paths: NDArray[np.float32], fan: Sequence[Sequence[float]], mean: Sequence[float]
) -> EstimateRow:
    series = made.history
    figures = {
        "period": made.period.value,
        "pattern": made.pattern.value,
        "model": made.model,
        "fallback": made.fallback,
        "notes": made.notes,
        "accuracy": {name: value for name, value in made.accuracy.items() if isfinite(value)},
        "dates": np.datetime_as_string(made.starts).tolist(),
        "mean": mean,
        "quantiles": {f"{level:g}": row for level, row in zip(FAN_LEVELS, fan, strict=True)},
    }
    arrays = {
        "starts": made.starts,
        "paths": narrowed(paths),
        "history_starts": series.starts,
        "history_quantities": series.quantities,
        "history_closed": series.closed,
        "modelled": made.modelled,
        "closed_days": made.closed.days,
        "rest_days": np.array(made.closed.rests, dtype=np.int8),
    }
    key = demand_key(made.item_id, made.site_id)
    return EstimateRow.of(EstimateKind.DEMAND, made.item_id, made.site_id, key, figures, to_bytes(arrays))


def demand_from(figures: Mapping[str, Any], content: bytes) -> DemandForecast:
    """The forecast of a stored row; what this program's forecasts do not know is passed over."""
    arrays = from_bytes(content)
    item_id, site_id, period = figures["item_id"], figures["site_id"], Period(figures["period"])
    history = (arrays["history_starts"], arrays["history_quantities"], arrays["history_closed"])
    is_earlier = "closed_days" not in arrays
    found: dict[str, Any] = {
        "item_id": item_id,
        "site_id": site_id,
        "period": period,
        "starts": arrays["starts"],
        "paths": arrays["paths"],
        "pattern": DemandPattern(figures["pattern"]),
        "model": figures["model"],
        "fallback": figures["fallback"],
        "history": PeriodSeries(item_id, site_id, period, *history),
        "accuracy": figures["accuracy"],
        "notes": tuple(figures["notes"]),
        "modelled": arrays["modelled"],
        "closed": NEVER_CLOSED
        if is_earlier
        else ClosedDays(arrays["closed_days"], tuple(arrays["rest_days"].tolist())),
        "stored_edges": arrays.get("plan_edges", np.empty(0)) if is_earlier else None,
    }
    known = {field.name for field in fields(DemandForecast)}
    return DemandForecast(**{name: value for name, value in found.items() if name in known})


def lead_time_row(offer: Offer, made: LeadTimeDistribution) -> EstimateRow:
    """An offer's lead time as a row."""
    parts: dict[str, Any] = {name: getattr(made, name) for name in LEAD_FIELDS}
    arrays = {name: part for name, part in parts.items() if isinstance(part, np.ndarray)}
    figures = {
        "mean_days": made.mean,
        "sd_days": made.sd,
        **{name: made.quantile(level) for name, level in LEAD_QUANTILES.items()},
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
    return figures_of(np.asarray(values, dtype=np.float64))


def figures_of(values: FloatArray) -> Any:
    """Arrays of any depth as nested lists of figures, to four digits after the point."""
    return np.round(values, FIGURE_DIGITS).tolist()
