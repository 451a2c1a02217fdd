"""From a dataset, forecasts and lead times to the arrays of a planning snapshot."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.domain.catalogue import Criticality, Item, Offer, SupplierStatus
from tools.domain.datasets import Dataset, Period
from tools.domain.errors import BadInput
from tools.domain.orders import PurchaseOrder
from tools.domain.snapshots import LAST_PERIOD, PlanningSnapshot, SharedLimits, SourceTable
from tools.lead_times.awaited import awaited_offers
from tools.ordering.problem.ingredients import DisruptionEffects, ForecastPaths, LeadTime, Yield
from tools.ordering.problem.levels import lead_ranks

DEFAULT_SERVICE = {Criticality.A: 0.98, Criticality.B: 0.95, Criticality.C: 0.90}
"""Cycle service level of an item that states neither a shortage cost nor a target."""
LEAST_YIELD = 0.05
"""Lower yields are planned as this: a record of almost nothing received is a record of something else."""
FULL_YIELD = 0.005
"""A mean yield this near to 1 is planned as full: what is received beyond the order is not counted on."""


@dataclass(frozen=True)
class _Frame:
    """The common shape of the snapshot being built."""

    dataset: Dataset
    forecasts: tuple[ForecastPaths, ...]
    lead_times: Mapping[str, LeadTime]
    disruption: DisruptionEffects | None
    period: Period
    paths: int
    horizon: int
    seed: int
    yields: Mapping[str, Yield]

    @property
    def keys(self) -> list[tuple[str, str]]:
        return [(f.item_id, f.site_id) for f in self.forecasts]

    def delay_days(self, offer: Offer) -> int:
        """Days added to new orders: those of the offer, else of its supplier."""
        if self.disruption is None:
            return 0
        whole = self.disruption.delay_days_by_supplier.get(offer.supplier_id, 0)
        return self.disruption.delay_days_by_offer.get(offer.offer_id, whole)

    def capacity_fraction(self, offer: Offer) -> float:
        """Share of capacity left for new orders: of the offer, else of its supplier."""
        if self.disruption is None:
            return 1.0
        whole = self.disruption.capacity_fraction_by_supplier.get(offer.supplier_id, 1.0)
        return self.disruption.capacity_fraction_by_offer.get(offer.offer_id, whole)


def build_snapshot(
    dataset: Dataset,
    forecasts: Sequence[ForecastPaths],
    lead_times: Mapping[str, LeadTime],
    *,
    horizon: int,
    limits: SharedLimits | None = None,
    disruption: DisruptionEffects | None = None,
    seed: int = 7,
    yields: Mapping[str, Yield] | None = None,
) -> PlanningSnapshot:
    """Arrange everything the ordering engine needs for the items that have a forecast.

    `horizon` is in periods of the forecasts and is cut to their length. Lead times in days become whole periods
    by splitting each day's probability between the two periods around it, which keeps the mean. `seed` is that
    of the `OrderingSettings` the snapshot is planned with. `yields`, by offer id, say which share of an order arrives
    usable; without them all of it does. An offer whose validity begins later can be ordered from as of the first
    period that begins within it.
    """
    frame = _frame(dataset, forecasts, lead_times, horizon, disruption, seed, yields or {})
    suppliers = tuple(sorted(dataset.suppliers))
    return PlanningSnapshot(
        as_of=dataset.as_of,
        period=frame.period,
        currency=dataset.currency,
        item_ids=tuple(f.item_id for f in frame.forecasts),
        site_ids=tuple(f.site_id for f in frame.forecasts),
        supplier_ids=suppliers,
        on_hand=np.array([dataset.on_hand.get(key, 0.0) for key in frame.keys], dtype=np.float64),
        arrivals=_arrivals(frame),
        demand=_demand(frame),
        sources=_source_table(frame, suppliers),
        limits=_limits(dataset, suppliers, limits),
        item_notes=_notes(frame),
        open_orders=tuple(o for o in dataset.open_orders if o.status.is_open),
        **_item_arrays(frame),
    )


def _frame(
    dataset: Dataset,
    forecasts: Sequence[ForecastPaths],
    lead_times: Mapping[str, LeadTime],
    horizon: int,
    disruption: DisruptionEffects | None,
    seed: int,
    yields: Mapping[str, Yield],
) -> _Frame:
    known = [f for f in forecasts if f.item_id in dataset.items]
    ordered = tuple(sorted(known, key=lambda f: (f.item_id, f.site_id)))
    if not ordered:
        raise BadInput("No item has a forecast.", remedy="Import demand history for at least one item.")
    periods = {f.period for f in ordered}
    if len(periods) > 1:
        raise BadInput("Forecasts mix periods.", remedy="Forecast all items in one period.", periods=sorted(periods))
    return _Frame(
        dataset,
        ordered,
        lead_times,
        disruption,
        ordered[0].period,
        min(f.paths.shape[0] for f in ordered),
        min(horizon, *(f.paths.shape[1] for f in ordered)),
        seed,
        yields,
    )


def _item_arrays(frame: _Frame) -> dict[str, Any]:
    items = [frame.dataset.items[f.item_id] for f in frame.forecasts]
    value = np.array([_unit_value(frame.dataset, item) for item in items])
    rate = np.array([item.holding_rate_per_year for item in items])
    service = [_service_level(item) for item in items]
    shelf = [i.shelf_life_days / frame.period.days if i.shelf_life_days else math.inf for i in items]
    cost = [math.nan if s is not None else i.stockout_cost_per_unit for i, s in zip(items, service, strict=True)]
    return {
        "unit_value": value,
        "holding_cost": value * rate / frame.period.per_year,
        "service_level": np.array([math.nan if s is None else s for s in service], dtype=np.float64),
        "shortage_cost": np.array(cost, dtype=np.float64),
        "storage_volume": np.array([i.storage_volume for i in items], dtype=np.float64),
        "shelf_life_periods": np.array(shelf, dtype=np.float64),
        "lost_share": np.array([item.lost_sales_share for item in items], dtype=np.float64),
        "fill_rate_target": np.array(
            [math.nan if item.fill_rate_target is None else item.fill_rate_target for item in items], dtype=np.float64
        ),
        "frozen_periods": np.array(
            [math.ceil(item.frozen_days / frame.period.days - 1e-9) for item in items], dtype=np.int64
        ),
    }


def _service_level(item: Item) -> float | None:
    """The stated target, or a default by criticality when no shortage cost is stated either."""
    if item.service_level_target is not None:
        return item.service_level_target
    return DEFAULT_SERVICE[item.criticality] if item.stockout_cost_per_unit is None else None


def _unit_value(dataset: Dataset, item: Item) -> float:
    if item.unit_value > 0:
        return item.unit_value
    return min((offer.unit_price for offer in dataset.offers_by_item.get(item.item_id, ())), default=0.0)


def _notes(frame: _Frame) -> dict[str, tuple[str, ...]]:
    notes = defaultdict[str, list[str]](list)
    for forecast in frame.forecasts:
        if forecast.fallback:
            notes[forecast.item_id].append(f"Demand: {forecast.fallback}.")
        item = frame.dataset.items[forecast.item_id]
        if item.service_level_target is None and item.stockout_cost_per_unit is None:
            level = DEFAULT_SERVICE[item.criticality]
            notes[item.item_id].append(
                f"No target stated: service level {level:.0%} by criticality {item.criticality.value}."
            )
    for offer in frame.dataset.offers:
        lead = frame.lead_times.get(offer.offer_id)
        if lead is None or lead.fallback:
            why = lead.fallback if lead else "quoted lead time taken as certain"
            notes[offer.item_id].append(f"Lead time of {offer.offer_id}: {why}.")
        rate = _yield_rate(frame, offer.offer_id)
        if rate < 1:
            known = frame.yields[offer.offer_id]
            why = f" ({known.fallback})" if known.fallback else ""
            notes[offer.item_id].append(f"Yield of {offer.offer_id}: {rate:.1%} of an order arrives usable{why}.")
    return {item_id: tuple(dict.fromkeys(lines)) for item_id, lines in notes.items()}


def _limits(dataset: Dataset, suppliers: tuple[str, ...], given: SharedLimits | None) -> SharedLimits:
    limits = given or SharedLimits()
    if limits.supplier_min_order_value.size:
        return limits
    least = np.array([dataset.suppliers[s].min_order_value for s in suppliers], dtype=np.float64)
    return replace(limits, supplier_min_order_value=least) if (least > 0).any() else limits


def _demand(frame: _Frame) -> FloatArray:
    """(N, S, T) sample paths."""
    demand = np.empty((len(frame.forecasts), frame.paths, frame.horizon))
    for row, forecast in enumerate(frame.forecasts):
        demand[row] = forecast.paths[: frame.paths, : frame.horizon]
    return demand


def _arrivals(frame: _Frame) -> FloatArray:
    """(N, S, T) usable units of open orders: on each path the wait left at the rank of its offer's lead time."""
    rows = {key: row for row, key in enumerate(frame.keys)}
    awaited = awaited_offers(frame.dataset.offers, frame.lead_times)
    open_orders = [o for o in frame.dataset.open_orders if o.status.is_open and (o.item_id, o.site_id) in rows]
    offer_ids = [awaited.get((order.item_id, order.supplier_id)) for order in open_orders]
    arrivals = np.zeros((len(rows), frame.paths, frame.horizon))
    for order, offer_id, due in zip(open_orders, offer_ids, _due_periods(frame, open_orders, offer_ids), strict=True):
        inside = np.flatnonzero(due < frame.horizon)
        usable = order.quantity * _yield_rate(frame, offer_id)
        arrivals[rows[order.item_id, order.site_id], inside, due[inside]] += usable
    return arrivals


def _due_periods(frame: _Frame, orders: Sequence[PurchaseOrder], offer_ids: Sequence[str | None]) -> IntArray:
    """(K, S) period at whose start each order can be used, in whole periods as for new orders of its offer."""
    as_of, period_days = frame.dataset.as_of, frame.period.days
    delay_of = frame.disruption.delay_days_by_order if frame.disruption else {}
    promised = [max(((order.promised_date or as_of) - as_of).days, 1.0) for order in orders]
    delays = [delay_of.get(order.order_id, 0) for order in orders]
    days = np.array(promised, dtype=np.float64) + np.array(delays, dtype=np.float64)
    due = np.repeat(np.ceil(days / period_days - 1e-9).astype(np.int64)[:, None], frame.paths, axis=1)
    known = [(row, offer_id) for row, offer_id in enumerate(offer_ids) if offer_id is not None]
    waits = list[tuple[FloatArray, FloatArray]]()
    for row, offer_id in known:
        left = frame.lead_times[offer_id].remaining(max((as_of - orders[row].order_date).days, 0))
        waits.append(((left.days + delays[row]).astype(np.float64), left.probabilities))
    ranks = lead_ranks([offer_id for _, offer_id in known], frame.paths, frame.seed)
    arrived = np.cumsum(_lead_matrix(waits, period_days), axis=1)
    for (row, _), rank, by_period in zip(known, ranks, arrived, strict=True):
        due[row] = np.searchsorted(by_period, rank - 1e-12)
    return due


def _source_table(frame: _Frame, suppliers: tuple[str, ...]) -> SourceTable:
    rows = {key: row for row, key in enumerate(frame.keys)}
    number = {supplier: k for k, supplier in enumerate(suppliers)}
    offers = [o for o in frame.dataset.offers if (o.item_id, o.site_id) in rows and o.supplier_id in number]
    offers.sort(key=lambda o: (rows[o.item_id, o.site_id], o.offer_id))
    width = max((len(o.price_breaks) for o in offers), default=0)
    fraction = np.array([frame.capacity_fraction(o) for o in offers], dtype=np.float64)
    weekly = np.array([math.inf if o.capacity_per_week is None else o.capacity_per_week for o in offers])
    limited = np.isfinite(weekly)
    days = [_lead_days(frame, o) for o in offers]
    table = np.array(
        [
            [o.unit_price, o.freight_per_unit, o.fixed_order_cost, o.moq, o.order_multiple, o.max_quantity or math.inf]
            for o in offers
        ],
        dtype=np.float64,
    ).reshape(-1, 6)
    return SourceTable(
        offer_ids=tuple(o.offer_id for o in offers),
        item=np.array([rows[o.item_id, o.site_id] for o in offers], dtype=np.int64),
        supplier=np.array([number[o.supplier_id] for o in offers], dtype=np.int64),
        unit_price=table[:, 0],
        break_quantity=_breaks(offers, width, "quantity", math.inf),
        break_price=_breaks(offers, width, "unit_price", math.nan),
        freight_per_unit=table[:, 1],
        fixed_order_cost=table[:, 2],
        moq=table[:, 3],
        order_multiple=table[:, 4],
        max_quantity=table[:, 5],
        capacity_per_period=np.where(
            limited, np.where(limited, weekly, 0.0) * frame.period.days / 7 * fraction, math.inf
        ),
        lead_time=_lead_matrix(days, frame.period.days),
        lead_time_days=np.array([float(d @ p) for d, p in days], dtype=np.float64),
        expedite=np.array([o.expedite for o in offers], dtype=np.bool_),
        preference=np.array([o.preference for o in offers], dtype=np.int64),
        orderable=np.array([_orderable(frame, o) for o in offers], dtype=np.bool_) & (fraction > 0),
        incremental=np.array([o.incremental_breaks for o in offers], dtype=np.bool_),
        yield_rate=np.array([_yield_rate(frame, o.offer_id) for o in offers], dtype=np.float64),
        first_period=np.array([_first_period(frame, o) for o in offers], dtype=np.int64),
        last_period=np.array([_last_period(frame, o) for o in offers], dtype=np.int64),
    )


def _breaks(offers: Sequence[Offer], width: int, name: str, empty: float) -> FloatArray:
    points = np.full((len(offers), width), empty)
    for row, offer in enumerate(offers):
        for column, step in enumerate(sorted(offer.price_breaks, key=lambda b: b.quantity)):
            points[row, column] = getattr(step, name)
    return points


def _orderable(frame: _Frame, offer: Offer) -> bool:
    today = frame.dataset.as_of
    active = frame.dataset.suppliers[offer.supplier_id].status is SupplierStatus.ACTIVE
    begun = offer.valid_from is None or offer.valid_from <= today
    return active and begun and (offer.valid_to is None or offer.valid_to >= today)


def _yield_rate(frame: _Frame, offer_id: str | None) -> float:
    """Mean share of an order with the offer that arrives usable, at most 1."""
    known = frame.yields.get(offer_id or "")
    if known is None or known.mean >= 1 - FULL_YIELD:
        return 1.0
    return max(float(known.mean), LEAST_YIELD)


def _first_period(frame: _Frame, offer: Offer) -> int:
    """The first period that begins within the offer's validity; 0 where it holds today or its supplier is not active.

    A period's orders are placed on the day before it begins, as today's are.
    """
    active = frame.dataset.suppliers[offer.supplier_id].status is SupplierStatus.ACTIVE
    if offer.valid_from is None or not active or frame.capacity_fraction(offer) <= 0:
        return 0
    return max(math.ceil((offer.valid_from - frame.dataset.as_of).days / frame.period.days - 1e-9), 0)


def _last_period(frame: _Frame, offer: Offer) -> int:
    """The last period whose orders are placed while the offer holds; -1 where it has ended."""
    if offer.valid_to is None:
        return LAST_PERIOD
    return max(math.floor((offer.valid_to - frame.dataset.as_of).days / frame.period.days + 1e-9), -1)


def _lead_days(frame: _Frame, offer: Offer) -> tuple[FloatArray, FloatArray]:
    lead = frame.lead_times.get(offer.offer_id)
    delay = frame.delay_days(offer)
    if lead is None:
        return np.array([offer.lead_time_days + delay]), np.ones(1)
    return np.maximum(lead.days + delay, 0).astype(np.float64), lead.probabilities


def _lead_matrix(days: Sequence[tuple[FloatArray, FloatArray]], period_days: float) -> FloatArray:
    """(M, L) probability by whole periods; a day between two periods is shared by its distance to each."""
    longest = max((float(d.max()) for d, _ in days), default=0.0)
    matrix = np.zeros((len(days), int(math.floor(longest / period_days)) + 2))
    if not days:
        return matrix
    row = np.repeat(np.arange(len(days)), [day.size for day, _ in days])
    day, probability = (np.concatenate(column) for column in zip(*days, strict=True))
    whole = np.floor(day / period_days).astype(np.int64)
    part = day / period_days - whole
    np.add.at(matrix, (row, whole), probability * (1 - part))
    np.add.at(matrix, (row, whole + 1), probability * part)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1e-12)
