"""A day's plan is bought once: what was ordered since the morning is part of it, and is not asked for again.

The engine decides once in a period, and takes later orders to follow at the next review. Asked again on the same day,
with the first order on its way, it would make those later orders too.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from graph.context import Context
from graph.decided_lines import TINY, held_order, held_together
from graph.desk import Scope
from tools.domain.datasets import Dataset
from tools.domain.orders import ItemSite, Order, OrderLine


@dataclass
class _Left:
    """What a need's plan of the morning still asks for, in units."""

    bought: float
    by_supplier: dict[str, float] = field(default_factory=dict[str, float])

    def add(self, supplier_id: str, units: float) -> None:
        """So many units more are asked of a supplier."""
        self.by_supplier[supplier_id] = self.by_supplier.get(supplier_id, 0.0) + units

    def take(self, supplier_id: str, wanted: float) -> float:
        """Take off up to so many units of a supplier's part; how many there were."""
        taken = min(wanted, self.by_supplier.get(supplier_id, 0.0))
        self.by_supplier[supplier_id] = self.by_supplier.get(supplier_id, 0.0) - taken
        return taken

    def take_of_any(self, wanted: float) -> float:
        """Take off up to so many units of whatever suppliers' parts are left; how many there were."""
        found = 0.0
        for supplier_id in self.by_supplier:
            found += self.take(supplier_id, wanted - found)
        return found


def left_of_the_day(
    proposed: Sequence[Order], held: Sequence[Order], scope: Scope, chosen: Mapping[str, str], context: Context
) -> tuple[list[Order], list[Order]]:
    """The orders with what is left of the day's plan, and the held ones with the lines of which nothing is left.

    For items of which something was ordered on the dataset's day, the plan of its morning is computed: as now, but
    without those orders. What it asks of each supplier, less what was ordered there and what people turned down
    (`held`), is left. A supplier's part is done once all of it was ordered but a share that is not material, and a line
    is cut only where materially less is left than it asks for. Lines that come back after a decision are a person's to
    look at, and changes of open orders are no new ones: both stay as they are.
    """
    dataset = context.desk.dataset(scope.dataset_version)
    bought = _ordered_that_day(dataset)
    places = {(line.item_id, order.site_id) for order in proposed for line in order.lines if _is_new(line, order)}
    touched = places & bought.keys()
    if not touched:
        return list(proposed), list(held)
    items = {item_id for item_id, _ in touched}
    asked = context.desk.units_asked_in_the_morning(scope, chosen, items)
    left = {place: _Left(sum(bought[place].values())) for place in touched}
    for offer_id, units in asked.items():
        offer = dataset.offer_of[offer_id]
        if (offer.item_id, offer.site_id) in touched:
            left[offer.item_id, offer.site_id].add(offer.supplier_id, units)
    for place, of_need in left.items():
        for supplier_id, units in bought[place].items():
            whole = of_need.by_supplier.get(supplier_id, 0.0)
            least = whole * (1.0 - context.materiality.quantity)
            of_need.take(supplier_id, whole if units >= least else units)
    for order, line in _lines_of(held, left):
        of_need = left[_place(line, order)]
        of_need.take(order.supplier_id, of_need.by_supplier.get(order.supplier_id, 0.0))
    for order, line in _lines_of(proposed, left):
        if not _is_new(line, order) and not order.changes:
            left[_place(line, order)].take(order.supplier_id, line.quantity)
    kept, dropped = _cut(proposed, left, dataset, context)
    return kept, held_together([*held, *dropped])


def _cut(
    proposed: Sequence[Order], left: Mapping[ItemSite, _Left], dataset: Dataset, context: Context
) -> tuple[list[Order], list[Order]]:
    concerned = [(order, line) for order, line in _lines_of(proposed, left) if _is_new(line, order)]
    units = dict[tuple[str, str], float]()
    for order, line in concerned:
        units[_key(line, order)] = left[_place(line, order)].take(order.supplier_id, line.quantity)
    for order, line in concerned:
        units[_key(line, order)] += left[_place(line, order)].take_of_any(line.quantity - units[_key(line, order)])
    kept: list[Order] = []
    dropped: list[Order] = []
    for order in proposed:
        lines = [
            _with_units(line, units[_key(line, order)], left[_place(line, order)].bought, dataset, context)
            if _key(line, order) in units
            else line
            for line in order.lines
        ]
        if stays := tuple(line for line in lines if not line.denied):
            kept.append(order.changed(lines=stays))
        if out := tuple(line for line in lines if line.denied):
            dropped.append(held_order(order, out))
    return kept, dropped


def _with_units(line: OrderLine, units: float, bought: float, dataset: Dataset, context: Context) -> OrderLine:
    if units >= line.quantity * (1.0 - context.materiality.quantity):
        return line
    offer = dataset.offer_of[line.offer_id]
    step = offer.order_multiple or TINY
    whole = units // step * step
    told = f"{bought:,.0f} were ordered on {dataset.as_of}"
    if whole < max(offer.moq, TINY):
        said = f"{told}, and that day's plan asks for no more: {line.quantity:,.0f} are not proposed again on that day."
        return line.model_copy(update={"denied": True, "notes": (said, *line.notes)})
    said = f"{told}; of that day's plan {whole:,.0f} are left, where the plan with them computes {line.quantity:,.0f}."
    return line.at_quantity(whole, offer.unit_price_at(whole)).model_copy(update={"notes": (said, *line.notes)})


def _ordered_that_day(dataset: Dataset) -> dict[ItemSite, dict[str, float]]:
    """Units of the open orders of the dataset's day, by need and supplier."""
    found: dict[ItemSite, dict[str, float]] = {}
    for order in dataset.open_orders:
        if order.order_date == dataset.as_of and order.status.is_open:
            units = found.setdefault((order.item_id, order.site_id), {})
            units[order.supplier_id] = units.get(order.supplier_id, 0.0) + order.quantity
    return found


def _lines_of(orders: Sequence[Order], places: Collection[ItemSite]) -> list[tuple[Order, OrderLine]]:
    return [(order, line) for order in orders for line in order.lines if _place(line, order) in places]


def _is_new(line: OrderLine, order: Order) -> bool:
    return not order.changes and not line.decided_before


def _place(line: OrderLine, order: Order) -> ItemSite:
    return line.item_id, order.site_id


def _key(line: OrderLine, order: Order) -> tuple[str, str]:
    return order.order_key, line.line_id
