"""A day's plan is bought once: its parts that were ordered are not asked for again on that day.

The engine decides once in a period, and takes later orders to follow at the next review. Asked again on the same day,
with the first order on its way, it would make those later orders too, or choose anew among lots of about equal cost.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from graph.computation.desk import Scope
from graph.context import Context
from graph.facts.decided_lines import TINY, held_order, held_together
from graph.facts.earlier_runs import Knowledge
from graph.incoming.readback import action_of
from graph.incoming.unexplained import references
from tools.domain.datasets import Dataset
from tools.domain.orders import ON_ORDER, ItemSite, Order, OrderLine, PurchaseOrder, RouteKind

ASKED = (RouteKind.AUTO, RouteKind.PERSON)


@dataclass
class _Left:
    """What the plan that was bought from still asks for, in units."""

    bought: float
    by_supplier: dict[str, float] = field(default_factory=dict[str, float])

    def take(self, supplier_id: str, wanted: float) -> float:
        """Take off up to so many units of a supplier's part; how many there were."""
        if supplier_id not in self.by_supplier:
            return 0.0
        taken = min(wanted, self.by_supplier[supplier_id])
        self.by_supplier[supplier_id] -= taken
        return taken

    def take_of_others(self, wanted: float, asked: Collection[str]) -> float:
        """Take off up to so many units of the parts of suppliers that are not asked now; how many there were."""
        found = 0.0
        for supplier_id in (name for name in self.by_supplier if name not in asked):
            found += self.take(supplier_id, wanted - found)
        return found


def left_of_the_day(
    proposed: Sequence[Order], held: Sequence[Order], scope: Scope, run_id: str, context: Context
) -> tuple[list[Order], list[Order]]:
    """The orders with what is left of the day's plan, and the held ones with the lines of which nothing is left.

    Where something of an item was ordered on the dataset's day, the plan that it was ordered from is the plan of that
    day: what that asked of each supplier, less what was ordered there and what people turned down (`held`), is left.
    A supplier that had no part gets those of suppliers that are asked no more. A part is done once all of it was
    ordered but a share that is not material, and a line is cut only where materially less is left than it asks for.
    Once anything else is known of the item (stock, demand, offers, an alert, other rules or settings), it is planned
    freely. Changes of open orders, and lines that keep the quantity that a person gave them, stay as they are.
    """
    dataset = context.desk.dataset(scope.dataset_version)
    of_the_day = _ordered_that_day(dataset)
    places = {(line.item_id, order.site_id) for order in proposed for line in order.lines if not order.changes}
    touched = places & of_the_day.keys()
    if not touched:
        return list(proposed), list(held)
    bought = {place: of_the_day[place] for place in touched}
    left = {
        place: _left_of(parts, bought[place], context)
        for place, parts in _plans_bought_from(bought, scope, run_id, context).items()
    }
    for order, line in _lines_of(held, left):
        of_need = left[_place(line, order)]
        of_need.take(order.supplier_id, of_need.by_supplier.get(order.supplier_id, 0.0))
    kept, dropped = _cut(proposed, left, dataset, context)
    return kept, held_together([*held, *dropped])


def _left_of(parts: Mapping[str, float], bought: Sequence[PurchaseOrder], context: Context) -> _Left:
    found = _Left(sum(order.quantity for order in bought), dict(parts))
    units: dict[str, float] = {}
    for order in bought:
        units[order.supplier_id] = units.get(order.supplier_id, 0.0) + order.quantity
    for supplier_id, ordered in units.items():
        whole = parts.get(supplier_id, 0.0)
        done = ordered >= whole * (1.0 - context.materiality.quantity)
        found.take(supplier_id, whole if done else ordered)
    return found


def _plans_bought_from(
    bought: Mapping[ItemSite, Sequence[PurchaseOrder]], scope: Scope, run_id: str, context: Context
) -> dict[ItemSite, dict[str, float]]:
    """Units by supplier that the plan asked for from which each need was bought; none where something else is known.

    Of several plans it is the one that asked for most: the others already knew of what was ordered.
    """
    operations = context.operations
    rows = [order for orders in bought.values() for order in orders]
    own = (
        *operations.orders_by_reference({ref for order in rows for ref in references(order)}),
        *operations.orders_of_actions({key for order in rows if (key := action_of(order))}),
        *operations.unsent_orders(),
    )
    standing = [order for order in own if order.places and order.status in ON_ORDER]
    sources = {(place, order.run_id) for order in standing for place in order.needs & bought.keys()}
    asked: dict[ItemSite, dict[str, dict[str, float]]] = {}
    for order in operations.orders_of(*{run for _, run in sources}):
        if order.places and order.route.kind in ASKED:
            for line in order.lines:
                if (_place(line, order), order.run_id) in sources:
                    parts = asked.setdefault(_place(line, order), {}).setdefault(order.run_id, {})
                    parts[order.supplier_id] = parts.get(order.supplier_id, 0.0) + line.quantity
    found: dict[ItemSite, dict[str, float]] = {}
    known: dict[str, Knowledge] = {}
    for place, by_run in asked.items():
        fullest = max(by_run, key=lambda run: sum(by_run[run].values()))
        if fullest not in known:
            known[fullest] = Knowledge.of(fullest, run_id, scope, context)
        if not known[fullest].anything_new_of(place):
            found[place] = by_run[fullest]
    return found


def _cut(
    proposed: Sequence[Order], left: Mapping[ItemSite, _Left], dataset: Dataset, context: Context
) -> tuple[list[Order], list[Order]]:
    concerned = [(order, line) for order, line in _lines_of(proposed, left) if not order.changes]
    suppliers: dict[ItemSite, set[str]] = {}
    for order, line in concerned:
        suppliers.setdefault(_place(line, order), set()).add(order.supplier_id)
        if _keeps_a_persons_quantity(line, order):
            left[_place(line, order)].take(order.supplier_id, line.quantity)
    units = dict[tuple[str, str], float]()
    for order, line in ((order, line) for order, line in concerned if not _keeps_a_persons_quantity(line, order)):
        of_need = left[_place(line, order)]
        if order.supplier_id in of_need.by_supplier:
            units[_key(line, order)] = of_need.take(order.supplier_id, line.quantity)
        else:
            units[_key(line, order)] = of_need.take_of_others(line.quantity, suppliers[_place(line, order)])
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


def _keeps_a_persons_quantity(line: OrderLine, order: Order) -> bool:
    return order.edited and bool(line.decided_before)


def _ordered_that_day(dataset: Dataset) -> dict[ItemSite, list[PurchaseOrder]]:
    """Open orders of the dataset's day, by need."""
    found: dict[ItemSite, list[PurchaseOrder]] = {}
    for order in dataset.open_orders:
        if order.order_date == dataset.as_of and order.status.is_open:
            found.setdefault((order.item_id, order.site_id), []).append(order)
    return found


def _lines_of(orders: Sequence[Order], places: Collection[ItemSite]) -> list[tuple[Order, OrderLine]]:
    return [(order, line) for order in orders for line in order.lines if _place(line, order) in places]


def _place(line: OrderLine, order: Order) -> ItemSite:
    return line.item_id, order.site_id


def _key(line: OrderLine, order: Order) -> tuple[str, str]:
    return order.order_key, line.line_id
