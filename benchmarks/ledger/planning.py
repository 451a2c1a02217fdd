"""Drawn plans: exactly the units that a reader misses, split over lines, orders and suppliers as drawn."""

from collections.abc import Collection, Sequence
from random import Random

from benchmarks.ledger.world import NEEDS, SUPPLIERS, TARGET
from graph.decisions.edits import asked_anew
from tools.domain.datasets import Dataset
from tools.domain.orders import (
    Fact,
    Intent,
    ItemSite,
    Order,
    OrderLine,
    OrderStatus,
    PurchaseOrder,
    Route,
    RouteKind,
)

POLICY = "p-1"
PRICE = 2.5


def missing_units(dataset: Dataset) -> dict[ItemSite, int]:
    """What each need lacks as a reader sees it: its target less stock and less what is on order; below 0 too much."""
    lacking = {need: TARGET[need] - dataset.on_hand.get(need, 0.0) for need in NEEDS}
    for order in dataset.open_orders:
        lacking[order.item_id, order.site_id] -= order.quantity
    return {need: round(units) for need, units in lacking.items()}


def line_of(need: ItemSite, units: float, supplier_id: str, dataset: Dataset, number: int, intent: Intent) -> OrderLine:
    """A line of so many units."""
    return OrderLine(
        line_id=f"{need[0]}@{need[1]}#{number}",
        intent=intent,
        item_id=need[0],
        offer_id=f"{need[0]}|{supplier_id}||{need[1]}",
        quantity=units,
        unit_price=PRICE,
        list_price=PRICE,
        value=units * PRICE,
        landed_cost=units * PRICE,
        currency="USD",
        order_date=dataset.as_of,
        expected_arrival=dataset.as_of,
    )


def sealed(order: Order, kind: RouteKind, *, reason: str = "") -> Order:
    """The order with its route, its status and the hash of its content."""
    waiting = OrderStatus.CHANGE_WAITING if order.changes else OrderStatus.WAITING
    status = {RouteKind.AUTO: OrderStatus.APPROVED, RouteKind.PERSON: waiting}.get(kind, OrderStatus.GATED)
    facts: dict[str, Fact] = {"order_value_cents": order.value_cents, "edited": order.edited}
    content = order.seal(POLICY, facts)
    asked = f"ap-{content[:16]}" if kind is RouteKind.PERSON else ""
    route = Route(kind=kind, tier="buyer", facts=facts, policy_version=POLICY, content_hash=content, approval_id=asked)
    return order.changed(route=route, status=status, reason=reason)


def with_units(order: Order, units: Sequence[float], kind: RouteKind) -> Order | None:
    """The order as a person edits it; lines of 0 units go, and an order without lines is none."""
    lines = tuple(
        line.model_copy(update={"quantity": number, "value": number * PRICE, "landed_cost": number * PRICE})
        for line, number in zip(order.lines, units, strict=True)
        if number > 0
    )
    return asked_anew(sealed(order.changed(lines=lines, edited=True), kind), order) if lines else None


def drawn_orders(
    run_id: str, dataset: Dataset, items: Collection[str], random: Random, *, gated: bool = True
) -> list[Order]:
    """What a run orders: the missing units of its items, and changes of open orders where there are too many."""
    lacking = {need: units for need, units in missing_units(dataset).items() if need[0] in items}
    lots = [lot for need, units in lacking.items() if units > 0 for lot in _lots(need, units, random)]
    kinds = [RouteKind.AUTO, RouteKind.PERSON, RouteKind.PERSON]
    kinds += [RouteKind.SHADOW] if gated and random.random() < 0.1 else []
    orders: list[Order] = []
    for place, basket in enumerate(_baskets(lots, random)):
        supplier_id, site_id = basket[0][2], basket[0][0][1]
        draft = Order(
            order_key=f"{run_id}/{supplier_id}/{place}",
            run_id=run_id,
            supplier_id=supplier_id,
            site_id=site_id,
            currency="USD",
            lines=tuple(
                line_of(need, units, supplier, dataset, number, Intent.PLACE)
                for number, (need, units, supplier) in enumerate(basket)
            ),
            proposed_by=("agent:planner",),
        )
        orders.append(sealed(draft, random.choice(kinds)))
    return [*orders, *_changes(run_id, dataset, lacking, random)]


def _lots(need: ItemSite, units: int, random: Random) -> list[tuple[ItemSite, int, str]]:
    """The units from one supplier, or split over two."""
    first = random.choice(SUPPLIERS)
    if units < 2 or random.random() < 0.4:
        return [(need, units, first)]
    part = random.randint(1, units - 1)
    return [(need, part, first), (need, units - part, random.choice(SUPPLIERS))]


def _baskets(lots: Sequence[tuple[ItemSite, int, str]], random: Random) -> list[list[tuple[ItemSite, int, str]]]:
    """Lots of one supplier and site share an order, or not."""
    baskets: list[list[tuple[ItemSite, int, str]]] = []
    for lot in lots:
        alike = [basket for basket in baskets if (basket[0][2], basket[0][0][1]) == (lot[2], lot[0][1])]
        if alike and random.random() < 0.5:
            random.choice(alike).append(lot)
        else:
            baskets.append([lot])
    return baskets


def _changes(run_id: str, dataset: Dataset, lacking: dict[ItemSite, int], random: Random) -> list[Order]:
    """Open orders of the ERP that are not needed are cancelled."""
    found: list[Order] = []
    for need, units in lacking.items():
        spare = [
            order
            for order in dataset.open_orders
            if (order.item_id, order.site_id) == need
            and not order.order_id.startswith("queued:")
            and order.quantity <= -units
        ]
        if spare and random.random() < 0.5:
            found.append(_cancel(run_id, random.choice(spare), dataset, len(found), random))
    return found


def _cancel(run_id: str, known: PurchaseOrder, dataset: Dataset, place: int, random: Random) -> Order:
    need = (known.item_id, known.site_id)
    draft = Order(
        order_key=f"{run_id}/{known.order_id}/{place}",
        run_id=run_id,
        supplier_id=known.supplier_id,
        site_id=known.site_id,
        currency="USD",
        changes=known.order_id,
        lines=(line_of(need, known.quantity, known.supplier_id, dataset, place, Intent.CANCEL),),
        proposed_by=("agent:planner",),
    )
    return sealed(draft, random.choice([RouteKind.AUTO, RouteKind.PERSON]))
