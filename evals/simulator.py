"""Days of a world played on its truth: arrivals, customers' demand, and what a buyer decides about it.

The order of a day: goods arrive, customers ask, the buyer looks at the closing position and orders. What cannot
be served waits as a backorder, or is lost when the settings say so. Two buyers in one world of one seed meet the
same customers and the same luck with each offer's n-th order.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from time import perf_counter
from zlib import crc32

import numpy as np
from scipy.special import ndtr, ndtri

from evals.buying import DAYS, Buyer, LoopRecord, LoopSettings, OrderRequest, View
from evals.worlds.demo import DemoWorld
from tools.domain.arrays import BoolArray, FloatArray
from tools.domain.catalogue import Offer
from tools.domain.orders import OpenOrderStatus, PurchaseOrder, Receipt

DAYS_PER_YEAR = 365.0


@dataclass
class _Pending:
    """An order line from the moment it was asked for."""

    offer: Offer
    row: int
    quantity: float
    released: int
    arrival: int
    order_id: str


@dataclass
class _Books:
    """What is written down of the days that count; arrays (N,) by item, lists by day or order."""

    start_net: FloatArray
    start_on_order: FloatArray
    demanded: FloatArray
    at_once: FloatArray
    lost: FloatArray
    ordered: FloatArray
    received: FloatArray
    stock_value: list[float] = field(default_factory=list[float])
    backorder_value: list[float] = field(default_factory=list[float])
    demand_value: list[float] = field(default_factory=list[float])
    served_value: list[float] = field(default_factory=list[float])
    holding: float = 0.0
    purchase: float = 0.0
    freight: float = 0.0
    ordering: float = 0.0
    orders: int = 0
    latency: list[float] = field(default_factory=list[float])
    planning: list[float] = field(default_factory=list[float])

    @classmethod
    def opened(cls, net: FloatArray, on_order: FloatArray) -> "_Books":
        """Nothing written yet, with this stock and these orders."""
        zero = np.zeros((5, net.size))
        return cls(net.copy(), on_order, zero[0], zero[1], zero[2], zero[3], zero[4])


@dataclass
class _Loop:
    """The changing state of one run."""

    world: DemoWorld
    settings: LoopSettings
    keys: tuple[tuple[str, str], ...]
    value: FloatArray
    rate: FloatArray
    net: FloatArray
    pending: list[_Pending]
    books: _Books
    receipts: list[Receipt] = field(default_factory=list[Receipt])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    crossed: dict[int, int] = field(default_factory=dict[int, int])

    def on_order(self) -> FloatArray:
        """(N,) units asked for and not yet received."""
        units = np.zeros(self.net.size)
        for line in self.pending:
            units[line.row] += line.quantity
        return units

    def open_books(self) -> None:
        """Forget what was written and begin anew with the stock and orders of today."""
        self.books = _Books.opened(self.net, self.on_order())


def simulate(world: DemoWorld, buyer: Buyer, settings: LoopSettings | None = None) -> LoopRecord:
    """Play the buyer in the world; deterministic for the world's seed, but for the computing times."""
    loop = _start(world, settings or LoopSettings())
    counted_from = loop.settings.warm_up_weeks * DAYS
    weekly = _weekly_demand(world, loop.settings.warm_up_weeks + loop.settings.weeks, loop.keys)
    daily = _daily_demand(world.truth.seed, weekly)
    for day in range(daily.shape[1]):
        if day == counted_from:
            loop.open_books()
        _decide(loop, buyer, _view(loop, day, weekly[:, : day // DAYS]))
        _receive(loop, day + 1)
        _serve(loop, daily[:, day])
    return _record(loop, buyer)


def _record(loop: _Loop, buyer: Buyer) -> LoopRecord:
    books = loop.books
    return LoopRecord(
        buyer=buyer.name,
        seed=loop.world.truth.seed,
        days=len(books.stock_value),
        item_ids=tuple(item_id for item_id, _ in loop.keys),
        unit_value=loop.value,
        demanded=books.demanded,
        served_at_once=books.at_once,
        served=books.demanded - books.lost - np.maximum(-loop.net, 0.0) + np.maximum(-books.start_net, 0.0),
        lost=books.lost,
        ordered=books.ordered,
        received=books.received,
        start_net=books.start_net,
        end_net=loop.net,
        start_on_order=books.start_on_order,
        end_on_order=loop.on_order(),
        stock_value_by_day=np.array(books.stock_value),
        backorder_value_by_day=np.array(books.backorder_value),
        demand_value_by_day=np.array(books.demand_value),
        served_value_by_day=np.array(books.served_value),
        holding=books.holding,
        purchase=books.purchase,
        freight=books.freight,
        ordering=books.ordering,
        orders=books.orders,
        latency_days=np.array(books.latency, dtype=np.float64),
        planning_seconds=np.array(books.planning, dtype=np.float64),
    )


def _start(world: DemoWorld, settings: LoopSettings) -> _Loop:
    keys = tuple(world.dataset.on_hand)
    items = [world.dataset.items[item_id] for item_id, _ in keys]
    offers = {(o.item_id, o.supplier_id): o for o in world.dataset.offers}
    rows = {item_id: row for row, (item_id, _) in enumerate(keys)}
    pending = list[_Pending]()
    for order in world.dataset.open_orders:
        offer = offers[order.item_id, order.supplier_id]
        age = (world.dataset.as_of - order.order_date).days
        left = _remaining_days(world, order, offer, age)
        pending.append(_Pending(offer, rows[order.item_id], order.quantity, -age, left, order.order_id))
    net = np.array(list(world.dataset.on_hand.values()), dtype=np.float64)
    return _Loop(
        world,
        settings,
        keys,
        np.array([item.unit_value for item in items]),
        np.array([item.holding_rate_per_year for item in items]),
        net,
        pending,
        _Books.opened(net, np.zeros(net.size)),
    )


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


def _view(loop: _Loop, day: int, weekly: FloatArray) -> View:
    data = loop.world.dataset
    return View(
        dataset=data,
        today=data.as_of + timedelta(days=day),
        day=day,
        item_keys=loop.keys,
        net_stock=loop.net.copy(),
        position=loop.net + loop.on_order(),
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
        status=OpenOrderStatus.CONFIRMED,
    )


def _decide(loop: _Loop, buyer: Buyer, view: View) -> None:
    """Note the needs that show, let the buyer order, and start its orders."""
    _note_needs(loop, buyer.reorder_points(), view)
    started = perf_counter()
    requests = buyer.review(view)
    if requests:
        loop.books.planning.append(perf_counter() - started)
    _note_needs(loop, buyer.reorder_points(), view)
    rows = {item_id: row for row, (item_id, _) in enumerate(view.item_keys)}
    offers = {offer.offer_id: offer for offer in view.dataset.offers}
    ordered = set[int]()
    for request in requests:
        offer = offers[request.offer_id]
        row = rows[offer.item_id]
        ordered.add(row)
        _order(loop, offer, row, request, view.day)
        loop.books.latency.append(view.day - loop.crossed.get(row, view.day) + request.release_days)
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
        loop.pending.append(_Pending(offer, row, lot, released, first + part * DAYS, name))
        left, part = left - lot, part + 1
    books = loop.books
    books.ordered[row] += request.quantity
    books.purchase += request.quantity * offer.unit_price_at(request.quantity)
    books.freight += request.quantity * offer.freight_per_unit
    books.ordering += offer.fixed_order_cost
    books.orders += 1


def _receive(loop: _Loop, day: int) -> None:
    start = loop.world.dataset.as_of
    due = [line for line in loop.pending if line.arrival <= day]
    loop.pending = [line for line in loop.pending if line.arrival > day]
    for line in due:
        loop.net[line.row] += line.quantity
        loop.books.received[line.row] += line.quantity
        order = _as_order(line, start, loop.world)
        known = order.model_dump(exclude={"status"})
        loop.receipts.append(Receipt.model_construct(**known, receipt_date=start + timedelta(days=day)))


def _serve(loop: _Loop, asked: FloatArray) -> None:
    """Customers take what is there; the rest waits or is lost. Then the day's books are closed."""
    books = loop.books
    served = np.minimum(np.maximum(loop.net, 0.0), asked)
    loop.net = loop.net - asked
    if loop.settings.lost_sales:
        books.lost += np.maximum(-loop.net, 0.0)
        loop.net = np.maximum(loop.net, 0.0)
    stock = np.maximum(loop.net, 0.0) * loop.value
    books.demanded += asked
    books.at_once += served
    books.stock_value.append(float(stock.sum()))
    books.backorder_value.append(float(np.maximum(-loop.net, 0.0) @ loop.value))
    books.demand_value.append(float(asked @ loop.value))
    books.served_value.append(float(served @ loop.value))
    books.holding += float(stock @ loop.rate) / DAYS_PER_YEAR
