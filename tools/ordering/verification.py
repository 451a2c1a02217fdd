"""An independent check of a plan against its snapshot: plain arithmetic, no solver and no engine code.

It shares nothing with the code that made the plan, so that an error there cannot hide here.
"""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from tools.domain.snapshots import Intent, OrderPlan, PlanLine, PlanningSnapshot, Violation
from tools.ordering.fingerprint import snapshot_hash

PLACING = (Intent.PLACE, Intent.EXPEDITE, Intent.SWITCH_SUPPLIER)
RELATIVE = 1e-6


def verify(snapshot: PlanningSnapshot, plan: OrderPlan) -> tuple[Violation, ...]:
    """Every rule of the snapshot that the plan's lines to place now break; empty when it is sound."""
    lines = [line for line in plan.lines if line.period == 0 and line.intent in PLACING]
    offers = {offer: row for row, offer in enumerate(snapshot.sources.offer_ids)}
    found = list[Violation]()
    if plan.snapshot_hash != snapshot_hash(snapshot):
        found.append(Violation("snapshot_hash", "", 0.0, 1.0))
    for line in lines:
        if line.offer_id in offers:
            found.extend(_line_rules(snapshot, plan, line, offers[line.offer_id]))
        else:
            found.append(Violation("unknown_offer", line.line_id, 0.0, 1.0))
    known = [line for line in lines if line.offer_id in offers]
    found.extend(_duplicates(known))
    found.extend(_shared_rules(snapshot, known, offers))
    found.extend(_share_rules(snapshot, plan, known, offers))
    found.extend(_storage_rules(snapshot, known, offers))
    return tuple(found)


def _above(actual: float, limit: float) -> bool:
    return actual > limit + RELATIVE * max(1.0, abs(limit))


def _line_rules(snapshot: PlanningSnapshot, plan: OrderPlan, line: PlanLine, row: int) -> Iterator[Violation]:
    sources, item = snapshot.sources, int(snapshot.sources.item[row])
    expedite_allowed = plan.settings.item_allow_expedite.get(line.item_id, plan.settings.allow_expedite)
    broken = {
        "wrong_item": (line.item_id, line.site_id) != (snapshot.item_ids[item], snapshot.site_ids[item]),
        "wrong_supplier": line.supplier_id != snapshot.supplier_ids[int(sources.supplier[row])],
        "not_orderable": not sources.orderable[row],
        "expedite_not_allowed": bool(sources.expedite[row]) and not expedite_allowed,
    }
    yield from (Violation(rule, line.line_id, 0.0, 1.0) for rule, found in broken.items() if found)
    if not line.quantity > 0 or not math.isfinite(line.quantity):
        yield Violation("quantity", line.line_id, 0.0, line.quantity)
    else:
        yield from _quantity_rules(snapshot, plan, line, row)


def _quantity_rules(snapshot: PlanningSnapshot, plan: OrderPlan, line: PlanLine, row: int) -> Iterator[Violation]:
    sources, quantity = snapshot.sources, line.quantity
    if _above(float(sources.moq[row]), quantity):
        yield Violation("moq", line.line_id, float(sources.moq[row]), quantity)
    multiple = float(sources.order_multiple[row])
    if multiple > 0 and abs(quantity / multiple - round(quantity / multiple)) > 1e-4:
        yield Violation("order_multiple", line.line_id, multiple, quantity)
    if _above(quantity, float(sources.max_quantity[row])):
        yield Violation("max_quantity", line.line_id, float(sources.max_quantity[row]), quantity)
    ships = float(sources.capacity_per_period[row]) * plan.settings.review_periods
    if _above(quantity, ships):
        yield Violation("source_capacity", line.line_id, ships, quantity)
    price = _price(snapshot, row, quantity)
    if abs(price - line.unit_price) > RELATIVE * max(1.0, price):
        yield Violation("unit_price", line.line_id, price, line.unit_price)


def _price(snapshot: PlanningSnapshot, row: int, quantity: float) -> float:
    price = float(snapshot.sources.unit_price[row])
    points = zip(snapshot.sources.break_quantity[row], snapshot.sources.break_price[row], strict=True)
    for point, at_point in sorted((float(p), float(v)) for p, v in points if math.isfinite(p)):
        if quantity >= point - 1e-9:
            price = at_point
    return price


def _duplicates(lines: list[PlanLine]) -> Iterator[Violation]:
    seen = set[str]()
    for line in lines:
        if line.offer_id in seen:
            yield Violation("duplicate_need", line.line_id, 1.0, 2.0)
        seen.add(line.offer_id)


def _shared_rules(snapshot: PlanningSnapshot, lines: list[PlanLine], offers: dict[str, int]) -> Iterator[Violation]:
    limits = snapshot.limits
    value, units = defaultdict[int, float](float), defaultdict[int, float](float)
    for line in lines:
        supplier = int(snapshot.sources.supplier[offers[line.offer_id]])
        value[supplier] += line.quantity * line.unit_price
        units[supplier] += line.quantity
    spent = sum(value.values())
    if lines and _above(spent, limits.budget):
        yield Violation("budget", "", limits.budget, spent)
    for supplier, used in sorted(units.items()):
        name = snapshot.supplier_ids[supplier]
        if limits.supplier_capacity.size and _above(used, float(limits.supplier_capacity[supplier])):
            yield Violation(f"supplier_capacity:{name}", "", float(limits.supplier_capacity[supplier]), used)
        least = float(limits.supplier_min_order_value[supplier]) if limits.supplier_min_order_value.size else 0.0
        if _above(least, value[supplier]):
            yield Violation(f"supplier_min_order_value:{name}", "", least, value[supplier])


def _share_rules(
    snapshot: PlanningSnapshot, plan: OrderPlan, lines: list[PlanLine], offers: dict[str, int]
) -> Iterator[Violation]:
    """Shares of an item's order, with one order multiple (or MOQ) of slack; sole suppliers are exempt."""
    sources = snapshot.sources
    taken = defaultdict[int, dict[int, float]](lambda: defaultdict(float))
    slack = dict[tuple[int, int], float]()
    for line in lines:
        row = offers[line.offer_id]
        item, supplier = int(sources.item[row]), int(sources.supplier[row])
        taken[item][supplier] += line.quantity
        slack[item, supplier] = max(slack.get((item, supplier), 0.0), float(sources.order_multiple[row]))
    for item, by_supplier in taken.items():
        express = plan.settings.item_allow_expedite.get(snapshot.item_ids[item], plan.settings.allow_expedite)
        rivals = {
            int(sources.supplier[row])
            for row in np.flatnonzero(sources.item == item)
            if sources.orderable[row] and (express or not sources.expedite[row])
        }
        total = sum(by_supplier.values())
        for supplier, quantity in by_supplier.items():
            cap = plan.settings.item_max_share.get(snapshot.item_ids[item], plan.settings.max_share)
            if snapshot.limits.supplier_max_share.size:
                cap = min(cap, float(snapshot.limits.supplier_max_share[supplier]))
            limit = cap * total + slack[item, supplier]
            if len(rivals) > 1 and cap < 1 and _above(quantity, limit):
                yield Violation(
                    f"supplier_share:{snapshot.supplier_ids[supplier]}", snapshot.item_ids[item], limit, quantity
                )


def _storage_rules(snapshot: PlanningSnapshot, lines: list[PlanLine], offers: dict[str, int]) -> Iterator[Violation]:
    """Expected volume of stock, open orders and this plan's orders at the end of each period."""
    if not math.isfinite(snapshot.limits.storage):
        return
    by_item = defaultdict[int, list[tuple[float, int]]](list)
    for line in lines:
        row = offers[line.offer_id]
        by_item[int(snapshot.sources.item[row])].append((line.quantity, row))
    volume = np.zeros(snapshot.horizon)
    for item in range(snapshot.n_items):
        net = snapshot.on_hand[item] + np.cumsum(snapshot.arrivals[item] - snapshot.demand[item], axis=1)
        volume += snapshot.storage_volume[item] * _expected_stock(snapshot, net, by_item[item])
    for period in np.flatnonzero(volume > snapshot.limits.storage * (1 + RELATIVE) + RELATIVE):
        yield Violation("storage", f"period {period}", snapshot.limits.storage, float(volume[period]))


def _expected_stock(snapshot: PlanningSnapshot, net: np.ndarray, orders: list[tuple[float, int]]) -> np.ndarray:
    """Mean over paths and over every combination of orders that has, or has not, arrived."""
    periods = np.arange(snapshot.horizon)
    arrived = [np.array([snapshot.sources.lead_time[row, : p + 1].sum() for p in periods]) for _, row in orders]
    stock = np.zeros(snapshot.horizon)
    for pattern in range(2 ** len(orders)):
        chance, extra = np.ones(snapshot.horizon), 0.0
        for bit, (quantity, _) in enumerate(orders):
            here = bool(pattern >> bit & 1)
            chance = chance * (arrived[bit] if here else 1 - arrived[bit])
            extra += quantity if here else 0.0
        stock += chance * np.maximum(net + extra, 0.0).mean(axis=0)
    return stock
