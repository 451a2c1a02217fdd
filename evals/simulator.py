"""Days of a world played on its truth: arrivals, customers' demand, and what a buyer decides about it.

The order of a day: goods arrive, customers ask, the buyer looks at the closing position and orders. What cannot
be served waits as a backorder, or is lost when the settings say so. Two buyers in one world of one seed meet the
same customers and the same luck with each offer's n-th order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Protocol
from zlib import crc32

import numpy as np
from scipy.special import ndtr, ndtri

from evals.worlds.demo import DemoWorld
from tools.domain.arrays import BoolArray, FloatArray
from tools.domain.catalogue import Offer
from tools.domain.datasets import Dataset, DemandHistory
from tools.domain.orders import OrderStatus, PurchaseOrder, Receipt

DAYS = 7


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a buyer wants ordered, and how long deciding takes before the order leaves."""

    offer_id: str
    quantity: float
    release_days: float = 0.0


@dataclass(frozen=True)
class View:
    """What a buyer may see at the close of a day. Arrays are (N,) in the order of `item_keys`."""

    dataset: Dataset
    """The data as first imported."""
    today: date
    day: int
    """Days since the loop began."""
    item_keys: tuple[tuple[str, str], ...]
    net_stock: FloatArray
    """On hand less backorders."""
    position: FloatArray
    """Net stock and everything on order."""
    open_orders: tuple[PurchaseOrder, ...]
    receipts: Sequence[Receipt]
    weekly_demand: FloatArray
    """(N, weeks) of whole weeks since the loop began."""

    def current(self) -> Dataset:
        """The dataset as an import of today would give it."""
        return replace(
            self.dataset,
            version=f"{self.dataset.version}+{self.day}",
            as_of=self.today,
            on_hand={key: float(units) for key, units in zip(self.item_keys, self.net_stock, strict=True)},
            stock_as_of=dict.fromkeys(self.item_keys, self.today),
            demand={key: self._history(row, key) for row, key in enumerate(self.item_keys)},
            open_orders=self.open_orders,
            receipts=(*self.dataset.receipts, *self.receipts),
        )

    def _history(self, row: int, key: tuple[str, str]) -> DemandHistory:
        known = self.dataset.demand[key]
        weeks = np.arange(self.weekly_demand.shape[1]) * DAYS
        starts = np.datetime64(self.dataset.as_of) + 1 + weeks
        return DemandHistory(
            known.item_id,
            known.site_id,
            np.concatenate([known.dates, starts]),
            np.concatenate([known.quantities, self.weekly_demand[row]]),
        )


class Buyer(Protocol):
    """A purchasing policy in the loop."""

    name: str

    def reorder_points(self) -> FloatArray:
        """(N,) position at or below which the buyer sees a need; nan where it has none."""
        ...

    def review(self, view: View) -> Sequence[OrderRequest]:
        """What to order at the close of this day; most days of a weekly buyer return nothing."""
        ...


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How long to play, and what happens to demand that finds no stock."""

    weeks: int = 52
    lost_sales: bool = False


@dataclass(frozen=True)
class LoopRecord:
    """What happened, by item (N,) in the order of `item_ids`; money in the dataset's currency."""

    buyer: str
    seed: int
    days: int
    item_ids: tuple[str, ...]
    unit_value: FloatArray
    demanded: FloatArray
    served_at_once: FloatArray
    served: FloatArray
    """At once and later."""
    stock_value_by_day: FloatArray
    """(D,) value on hand at each day's close."""
    backorder_value_by_day: FloatArray
    """(D,)"""
    purchase: float
    freight: float
    ordering: float
    standard_value_ordered: float
    """Units ordered at the items' standard unit values."""
    orders: int
    latency_days: FloatArray
    """(orders,) from the day on which a need showed to the release of its order."""


@dataclass
class _Pending:
    """An order line from the moment it was asked for."""

    offer: Offer
    row: int
    quantity: float
    released: int
    arrival: int
    order_id: str
    asked: int


@dataclass
class _Loop:
    """The changing state of one run."""

    world: DemoWorld
    settings: LoopSettings
    net: FloatArray
    pending: list[_Pending]
    receipts: list[Receipt] = field(default_factory=list[Receipt])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    crossed: dict[int, int] = field(default_factory=dict[int, int])
    purchase: float = 0.0
    freight: float = 0.0
    ordering: float = 0.0
    standard: float = 0.0
    orders: int = 0
    latency: list[float] = field(default_factory=list[float])


def simulate(world: DemoWorld, buyer: Buyer, settings: LoopSettings | None = None) -> LoopRecord:
    """Play the buyer in the world; deterministic for the world's seed."""
    settings = settings or LoopSettings()
    keys = tuple(world.dataset.on_hand)
    loop = _start(world, settings, keys)
    weekly = _weekly_demand(world, settings.weeks, keys)
    daily = _daily_demand(world.truth.seed, weekly)
    value = np.array([world.dataset.items[item_id].unit_value for item_id, _ in keys])
    days = settings.weeks * DAYS
    at_once, stock, behind = np.zeros(len(keys)), np.zeros(days), np.zeros(days)
    lost = np.zeros(len(keys))
    for day in range(days):
        _decide(loop, buyer, _view(loop, keys, day, weekly[:, : day // DAYS]))
        _receive(loop, day + 1)
        asked = daily[:, day]
        at_once += np.minimum(np.maximum(loop.net, 0.0), asked)
        loop.net = loop.net - asked
        if settings.lost_sales:
            lost += np.maximum(-loop.net, 0.0)
            loop.net = np.maximum(loop.net, 0.0)
        stock[day] = float(np.maximum(loop.net, 0.0) @ value)
        behind[day] = float(np.maximum(-loop.net, 0.0) @ value)
    demanded = daily.sum(axis=1)
    return LoopRecord(
        buyer=buyer.name,
        seed=world.truth.seed,
        days=days,
        item_ids=tuple(item_id for item_id, _ in keys),
        unit_value=value,
        demanded=demanded,
        served_at_once=at_once,
        served=demanded - lost - np.maximum(-loop.net, 0.0),
        stock_value_by_day=stock,
        backorder_value_by_day=behind,
        purchase=loop.purchase,
        freight=loop.freight,
        ordering=loop.ordering,
        standard_value_ordered=loop.standard,
        orders=loop.orders,
        latency_days=np.array(loop.latency, dtype=np.float64),
    )


def _start(world: DemoWorld, settings: LoopSettings, keys: tuple[tuple[str, str], ...]) -> _Loop:
    offers = {(o.item_id, o.supplier_id): o for o in world.dataset.offers}
    rows = {item_id: row for row, (item_id, _) in enumerate(keys)}
    pending = list[_Pending]()
    for order in world.dataset.open_orders:
        offer = offers[order.item_id, order.supplier_id]
        age = (world.dataset.as_of - order.order_date).days
        left = _remaining_days(world, order, offer, age)
        pending.append(_Pending(offer, rows[order.item_id], order.quantity, -age, left, order.order_id, -age))
    return _Loop(world, settings, np.array(list(world.dataset.on_hand.values()), dtype=np.float64), pending)


def _remaining_days(world: DemoWorld, order: PurchaseOrder, offer: Offer, age: int) -> int:
    """True days left of an open order: its lead-time law given that it has not arrived yet."""
    law = world.truth.lead_times[offer.offer_id]
    rng = np.random.default_rng([world.truth.seed, crc32(order.order_id.encode())])
    seen = float(ndtr(np.log(max(age, 1) / law.median_days) / law.sigma)) if age > 0 else 0.0
    z = ndtri(seen + (1 - seen) * rng.uniform(1e-6, 1 - 1e-6))
    return max(1, int(law.of_normal(np.array([z]))[0]) - age)


def _weekly_demand(world: DemoWorld, weeks: int, keys: tuple[tuple[str, str], ...]) -> FloatArray:
    future = world.truth.future_demand(weeks)
    return np.stack([future[item_id] for item_id, _ in keys])


def _daily_demand(seed: int, weekly: FloatArray) -> FloatArray:
    """(N, D) each week's units spread over its seven days at random."""
    rng = np.random.default_rng([seed, 3])
    split = rng.multinomial(weekly.astype(np.int64), np.full(DAYS, 1 / DAYS))
    return split.reshape(weekly.shape[0], -1).astype(np.float64)


def _view(loop: _Loop, keys: tuple[tuple[str, str], ...], day: int, weekly: FloatArray) -> View:
    position = loop.net.copy()
    for line in loop.pending:
        position[line.row] += line.quantity
    data = loop.world.dataset
    return View(
        dataset=data,
        today=data.as_of + timedelta(days=day),
        day=day,
        item_keys=keys,
        net_stock=loop.net.copy(),
        position=position,
        open_orders=tuple(_as_order(line, data.as_of, loop.world) for line in loop.pending),
        receipts=tuple(loop.receipts),
        weekly_demand=weekly,
    )


def _as_order(line: _Pending, start: date, world: DemoWorld) -> PurchaseOrder:
    ordered = start + timedelta(days=line.released)
    promised = ordered + timedelta(days=world.truth.lead_times[line.offer.offer_id].promised_days)
    return PurchaseOrder.model_construct(
        order_id=line.order_id,
        item_id=line.offer.item_id,
        supplier_id=line.offer.supplier_id,
        site_id=line.offer.site_id,
        quantity=line.quantity,
        order_date=ordered,
        promised_date=promised,
        status=OrderStatus.CONFIRMED,
    )


def _decide(loop: _Loop, buyer: Buyer, view: View) -> None:
    """Note the needs that show, let the buyer order, and start its orders."""
    _note_needs(loop, buyer.reorder_points(), view)
    requests = buyer.review(view)
    _note_needs(loop, buyer.reorder_points(), view)
    rows = {item_id: row for row, (item_id, _) in enumerate(view.item_keys)}
    offers = {offer.offer_id: offer for offer in view.dataset.offers}
    ordered = set[int]()
    for request in requests:
        offer = offers[request.offer_id]
        row = rows[offer.item_id]
        ordered.add(row)
        _order(loop, offer, row, request, view.day)
        loop.latency.append(view.day - loop.crossed.get(row, view.day) + request.release_days)
    for row in ordered:
        loop.crossed.pop(row, None)


def _note_needs(loop: _Loop, points: FloatArray, view: View) -> None:
    short: BoolArray = view.position <= points
    for row in np.flatnonzero(short):
        loop.crossed.setdefault(int(row), view.day)
    for row in [row for row in loop.crossed if not short[row] and not np.isnan(points[row])]:
        del loop.crossed[row]


def _order(loop: _Loop, offer: Offer, row: int, request: OrderRequest, day: int) -> None:
    """Book the cost and set the arrivals; what exceeds the weekly capacity follows a week later each time."""
    count = loop.counts[offer.offer_id] = loop.counts.get(offer.offer_id, 0) + 1
    rng = np.random.default_rng([loop.world.truth.seed, crc32(offer.offer_id.encode()), count])
    law = loop.world.truth.lead_times[offer.offer_id]
    released = day + int(np.ceil(request.release_days))
    first = released + int(law.of_normal(rng.standard_normal(1))[0])
    left, part = request.quantity, 0
    while left > 1e-9:
        lot = min(left, offer.capacity_per_week or left)
        name = f"{offer.offer_id}#{count}.{part}"
        loop.pending.append(_Pending(offer, row, lot, released, first + part * DAYS, name, day))
        left, part = left - lot, part + 1
    loop.purchase += request.quantity * offer.unit_price_at(request.quantity)
    loop.freight += request.quantity * offer.freight_per_unit
    loop.ordering += offer.fixed_order_cost
    loop.standard += request.quantity * loop.world.dataset.items[offer.item_id].unit_value
    loop.orders += 1


def _receive(loop: _Loop, day: int) -> None:
    start = loop.world.dataset.as_of
    due = [line for line in loop.pending if line.arrival <= day]
    loop.pending = [line for line in loop.pending if line.arrival > day]
    for line in due:
        loop.net[line.row] += line.quantity
        order = _as_order(line, start, loop.world)
        known = order.model_dump(exclude={"status"})
        loop.receipts.append(Receipt.model_construct(**known, receipt_date=start + timedelta(days=day)))
