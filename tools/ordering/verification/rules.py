"""An independent check of a plan against its snapshot: plain arithmetic, no solver and no engine code.

It shares nothing with the code that made the plan, so that an error there cannot hide here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.domain.orders import PLACING
from tools.domain.plans import CostParts, OrderPlan, PlanLine, Violation
from tools.domain.snapshots import PlanningSnapshot
from tools.ordering.problem.fingerprint import snapshot_hash
from tools.ordering.verification.stock import volume_by_period

RELATIVE = 1e-6


@dataclass(frozen=True)
class Placed:
    """Lines that place orders with known offers, in arrays of one entry a line."""

    lines: Sequence[PlanLine]
    row: IntArray
    """Source row."""
    item: IntArray
    supplier: IntArray
    quantity: FloatArray
    price: FloatArray
    period: IntArray

    @classmethod
    def of(cls, snapshot: PlanningSnapshot, lines: Sequence[PlanLine], rows: Sequence[int]) -> "Placed":
        """`rows` are the lines' sources."""
        row = np.array(rows, dtype=np.int64)
        return cls(
            lines,
            row,
            snapshot.sources.item[row],
            snapshot.sources.supplier[row],
            np.array([line.quantity for line in lines], dtype=np.float64),
            np.array([line.unit_price for line in lines], dtype=np.float64),
            np.array([line.period for line in lines], dtype=np.int64),
        )

    def of_period(self, period: int) -> "Placed":
        """The orders of one period."""
        kept = np.flatnonzero(self.period == period)
        return Placed(
            [self.lines[int(i)] for i in kept],
            self.row[kept],
            self.item[kept],
            self.supplier[kept],
            self.quantity[kept],
            self.price[kept],
            self.period[kept],
        )


def verify(snapshot: PlanningSnapshot, plan: OrderPlan) -> tuple[Violation, ...]:
    """Every rule of the snapshot that the plan breaks; empty when it is sound.

    Looked at are the orders to place now; of a scheduled plan those of every later period too. The sum of the items'
    costs is looked at where their outlooks are written: a large plan writes them when they are first looked at.
    """
    found = list[Violation]()
    if plan.snapshot_hash != snapshot_hash(snapshot):
        found.append(Violation("snapshot_hash", "", 0.0, 1.0))
    lines = [line for line in plan.lines if line.intent in PLACING]
    found.extend(Violation("period", line.line_id, 0.0, line.period) for line in lines if line.period != 0)
    if plan.scheduled:
        lines.extend(line for line in plan.intended if line.intent in PLACING)
    place = {offer: row for row, offer in enumerate(snapshot.sources.offer_ids)}
    rows = [place.get(line.offer_id, -1) for line in lines]
    found.extend(
        Violation("unknown_offer", line.line_id, 0.0, 1.0) for line, row in zip(lines, rows, strict=True) if row < 0
    )
    known = [index for index, row in enumerate(rows) if row >= 0]
    placed = Placed.of(snapshot, [lines[i] for i in known], [rows[i] for i in known])
    now = placed.of_period(0)
    found.extend(_line_rules(snapshot, plan, placed))
    found.extend(_shared_rules(snapshot, placed))
    found.extend(_supplier_rules(snapshot, plan, now))
    found.extend(_storage_rules(snapshot, now))
    found.extend(_cost_rules(snapshot, plan))
    return tuple(found)


def _above(actual: FloatArray, limit: FloatArray) -> BoolArray:
    """Beyond a limit by more than rounding; what is not a number is beyond any."""
    room = np.where(np.isfinite(limit), limit + RELATIVE * np.maximum(1.0, np.abs(limit)), limit)
    return ~(actual <= room)


def _exceeds(actual: float, limit: float) -> bool:
    """The same for one number."""
    return bool(_above(np.array(actual), np.array(limit)))


def _line_rules(snapshot: PlanningSnapshot, plan: OrderPlan, placed: Placed) -> Iterator[Violation]:
    """Each line by itself: whose it is, whether it may be placed then, how much, at what terms."""
    sources, row = snapshot.sources, placed.row
    named = [
        (line.item_id, line.site_id, line.supplier_id)
        == (snapshot.item_ids[i], snapshot.site_ids[i], snapshot.supplier_ids[k])
        for line, i, k in zip(placed.lines, placed.item.tolist(), placed.supplier.tolist(), strict=True)
    ]
    zero, one = np.zeros(row.size), np.ones(row.size)
    express = _express_allowed(snapshot, plan)
    wrong = {
        "wrong_item_or_supplier": ~np.array(named, dtype=np.bool_),
        "not_orderable": ~sources.orderable[row] & ((placed.period == 0) | (sources.first_period[row] <= 0)),
        "expedite_not_allowed": sources.expedite[row] & ~express[placed.item],
        "period": (placed.period < 0) | (placed.period >= max(snapshot.horizon, 1)),
    }
    for rule, broken in wrong.items():
        yield from _broken(rule, placed, broken, zero, one)
    times = {
        "before_first_period": (sources.first_period[row], placed.period, placed.period < sources.first_period[row]),
        "after_last_period": (sources.last_period[row], placed.period, placed.period > sources.last_period[row]),
        "frozen": (
            snapshot.frozen_periods[placed.item],
            placed.period,
            placed.period < snapshot.frozen_periods[placed.item],
        ),
    }
    for rule, (limit, actual, broken) in times.items():
        yield from _broken(rule, placed, broken, limit, actual)
    yield from _quantity_rules(snapshot, plan, placed)
    seen = set[tuple[int, int]]()
    for index, key in enumerate(zip(row.tolist(), placed.period.tolist(), strict=True)):
        if key in seen:
            yield Violation("duplicate_need", placed.lines[index].line_id, 1.0, 2.0)
        seen.add(key)


def _express_allowed(snapshot: PlanningSnapshot, plan: OrderPlan) -> BoolArray:
    """(N,) whether the item may be ordered from an expedite option."""
    own, usual = plan.settings.item_allow_expedite, plan.settings.allow_expedite
    return np.array([own.get(item, usual) for item in snapshot.item_ids], dtype=np.bool_)


def _broken(
    rule: str, placed: Placed, broken: BoolArray, limit: FloatArray | IntArray, actual: FloatArray | IntArray
) -> Iterator[Violation]:
    for index in np.flatnonzero(broken):
        yield Violation(rule, placed.lines[int(index)].line_id, float(limit[index]), float(actual[index]))


def _quantity_rules(snapshot: PlanningSnapshot, plan: OrderPlan, placed: Placed) -> Iterator[Violation]:
    sources, row, quantity = snapshot.sources, placed.row, placed.quantity
    proper = np.isfinite(quantity) & (quantity > 0)
    yield from _broken("quantity", placed, ~proper, np.zeros(row.size), quantity)
    moq, multiple = sources.moq[row], sources.order_multiple[row]
    yield from _broken("moq", placed, proper & _above(moq, quantity), moq, quantity)
    packs = np.where(proper, quantity, 0.0) / np.where(multiple > 0, multiple, 1.0)
    uneven = proper & (multiple > 0) & (np.abs(packs - np.round(packs)) > 1e-4)
    yield from _broken("order_multiple", placed, uneven, multiple, quantity)
    largest = sources.max_quantity[row]
    yield from _broken("max_quantity", placed, proper & _above(quantity, largest), largest, quantity)
    ships = sources.capacity_per_period[row] * plan.settings.review_periods
    yield from _broken("source_capacity", placed, proper & _above(quantity, ships), ships, quantity)
    price = np.array([_price(snapshot, int(r), float(q)) for r, q in zip(row, quantity, strict=True)])
    terms = {
        "unit_price": (price, placed.price),
        "freight_per_unit": (sources.freight_per_unit[row], [line.freight_per_unit for line in placed.lines]),
        "fixed_order_cost": (sources.fixed_order_cost[row], [line.fixed_order_cost for line in placed.lines]),
    }
    for rule, (right, stated) in terms.items():
        told = np.array(stated, dtype=np.float64)
        yield from _broken(rule, placed, proper & _above(np.abs(told - right), RELATIVE * np.abs(right)), right, told)


def _price(snapshot: PlanningSnapshot, row: int, quantity: float) -> float:
    """Average price of an order: of its last break reached, or, with incremental breaks, step by step."""
    sources = snapshot.sources
    steps = [(0.0, float(sources.unit_price[row]))]
    for point, price in zip(sources.break_quantity[row].tolist(), sources.break_price[row].tolist(), strict=True):
        if np.isfinite(point) and quantity >= point - 1e-9:
            steps.append((point, price))
    if not sources.incremental[row] or not quantity > 0:
        return steps[-1][1]
    ends = [*(point for point, _ in steps[1:]), quantity]
    return sum(price * (end - start) for (start, price), end in zip(steps, ends, strict=True)) / quantity


def _shared_rules(snapshot: PlanningSnapshot, placed: Placed) -> Iterator[Violation]:
    """Budget, number of orders and suppliers' capacity of every period that orders; least values of orders now."""
    for period in np.unique(placed.period).tolist():
        orders = placed.of_period(period)
        value = np.bincount(
            orders.supplier, weights=orders.quantity * orders.price, minlength=len(snapshot.supplier_ids)
        )
        units = np.bincount(orders.supplier, weights=orders.quantity, minlength=value.size)
        limits, where = snapshot.limits, "" if period == 0 else f"period {period}"
        budget = _limit_of(limits.budget, limits.budget_by_period, period)
        if _exceeds(float(value.sum()), budget):
            yield Violation("budget", where, budget, float(value.sum()))
        most = _limit_of(limits.max_orders, limits.max_orders_by_period, period)
        if _exceeds(len(orders.lines), most):
            yield Violation("max_orders", where, most, len(orders.lines))
        for k in np.flatnonzero(units > 0).tolist():
            now = float(limits.supplier_capacity[k]) if limits.supplier_capacity.size else np.inf
            by_period = limits.supplier_capacity_by_period
            capacity = _limit_of(now, by_period[k] if by_period.size else by_period, period)
            if _exceeds(float(units[k]), capacity):
                yield Violation(f"supplier_capacity:{snapshot.supplier_ids[k]}", where, capacity, float(units[k]))
            least = float(limits.supplier_min_order_value[k]) if limits.supplier_min_order_value.size else 0.0
            if period == 0 and _exceeds(least, float(value[k])):
                yield Violation(f"supplier_min_order_value:{snapshot.supplier_ids[k]}", "", least, float(value[k]))


def _limit_of(now: float, by_period: FloatArray, period: int) -> float:
    """The limit of a period: its own, and for the first one also what holds now."""
    own = float(by_period[period]) if 0 <= period < by_period.size else np.inf
    return min(own, now) if period == 0 else own


def _supplier_rules(snapshot: PlanningSnapshot, plan: OrderPlan, now: Placed) -> Iterator[Violation]:
    """Shares of an item's order, with one order multiple of slack, and the number of its suppliers.

    Sole suppliers are exempt, and an item needs no more suppliers than it may be ordered from.
    """
    settings, limits, sources = plan.settings, snapshot.limits, snapshot.sources
    rivals = _rivals(snapshot, plan)
    for item in np.unique(now.item).tolist():
        mine, name = now.item == item, snapshot.item_ids[item]
        total, several = now.quantity[mine].sum(), len(rivals.get(item, ()))
        taken = np.unique(now.supplier[mine]).tolist()
        wanted = min(settings.item_min_suppliers.get(name, settings.min_suppliers), several)
        if len(taken) < wanted:
            yield Violation("min_suppliers", name, wanted, len(taken))
        for supplier in taken:
            cap = settings.item_max_share.get(name, settings.max_share)
            if limits.supplier_max_share.size:
                cap = min(cap, float(limits.supplier_max_share[supplier]))
            own = mine & (now.supplier == supplier)
            limit = cap * total + sources.order_multiple[now.row[own]].max()
            if several > 1 and cap < 1 and _exceeds(float(now.quantity[own].sum()), float(limit)):
                who = snapshot.supplier_ids[supplier]
                yield Violation(f"supplier_share:{who}", name, float(limit), float(now.quantity[own].sum()))


def _rivals(snapshot: PlanningSnapshot, plan: OrderPlan) -> dict[int, set[int]]:
    """Item to the suppliers that take an order of any size for it now."""
    sources, rows = snapshot.sources, np.arange(snapshot.sources.item.size)
    if not rows.size:
        return {}
    most = np.minimum(sources.max_quantity, sources.capacity_per_period * plan.settings.review_periods)
    step = np.where(sources.order_multiple > 0, sources.order_multiple, 1.0)
    least = np.where(sources.order_multiple > 0, np.ceil(sources.moq / step - 1e-9) * step, sources.moq)
    least = np.where((least <= 0) & (sources.order_multiple > 0), step, least)
    open_now = (sources.first_period <= 0) & (sources.last_period >= 0) & (snapshot.frozen_periods[sources.item] <= 0)
    express = _express_allowed(snapshot, plan)[sources.item]
    usable = sources.orderable & (express | ~sources.expedite) & open_now & (most > 0) & (least <= most + 1e-9)
    found = dict[int, set[int]]()
    for row in rows[usable].tolist():
        found.setdefault(int(sources.item[row]), set()).add(int(sources.supplier[row]))
    return found


def _storage_rules(snapshot: PlanningSnapshot, now: Placed) -> Iterator[Violation]:
    """Expected volume of stock, open orders and this plan's orders of today at the end of each period."""
    if not np.isfinite(snapshot.limits.storage):
        return
    volume = volume_by_period(snapshot, now.row, now.quantity)
    for period in np.flatnonzero(_above(volume, np.full(volume.size, snapshot.limits.storage))):
        yield Violation("storage", f"period {period}", snapshot.limits.storage, float(volume[period]))


def _cost_rules(snapshot: PlanningSnapshot, plan: OrderPlan) -> Iterator[Violation]:
    """One outlook an item, costs that add up part by part, and a bound that does not exceed them."""
    total = plan.cost.total
    if len(plan.outlooks) != snapshot.n_items:
        yield Violation("outlooks", "", snapshot.n_items, len(plan.outlooks))
    elif isinstance(plan.outlooks, tuple):
        for part in CostParts.__dataclass_fields__:
            stated, summed = getattr(plan.cost, part), sum(getattr(o.cost, part) for o in plan.outlooks)
            if _exceeds(abs(summed - stated), RELATIVE * max(abs(stated), abs(total))):
                yield Violation(f"cost_sum:{part}", "", summed, stated)
    if _exceeds(plan.lower_bound - total, RELATIVE * abs(total)):
        yield Violation("lower_bound", "", total, plan.lower_bound)
