"""What a run proposes otherwise than the plan before it, order line by order line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graph.views.plans import ChangeView
from graph.views.standing import shown_status
from tools.domain.datasets import Dataset
from tools.domain.orders import Order, OrderLine

LEFT = ("dispatched", "confirmed", "in doubt", "part received", "received")
"""Statuses of lines that became open orders: the next plan counts them as cover and does not repeat them."""


@dataclass(frozen=True, slots=True)
class _Line:
    line: OrderLine
    supplier_id: str


def changes_since(
    item_ids: Iterable[str],
    orders: Sequence[Order],
    earlier: Iterable[tuple[str, Iterable[str], Sequence[Order]]],
    dataset: Dataset,
) -> tuple[ChangeView, ...]:
    """Lines of each item against those of the latest earlier run that planned it; `earlier` is latest first.

    An item that no earlier run planned is new and has no changes. Lines that have left since are not missed.
    """
    wanted, before = set(item_ids), dict[str, _Line]()
    since = dict[str, str]()
    for run_id, planned, found in earlier:
        fresh = (wanted & set(planned)) - since.keys()
        since.update(dict.fromkeys(fresh, run_id))
        before |= _lines(found, fresh)
        if since.keys() >= wanted:
            break
    after = _lines(orders, set(since), with_left=True)
    keys = sorted(before.keys() | after.keys(), key=lambda key: ((after.get(key) or before[key]).line.item_id, key))
    changed = (_change(after.get(key), before.get(key), since, dataset) for key in keys)
    return tuple(change for change in changed if change and change.before_quantity != change.after_quantity)


def _lines(orders: Sequence[Order], item_ids: set[str], *, with_left: bool = False) -> dict[str, _Line]:
    """Line id to line with its supplier, of the named items."""
    return {
        line.line_id: _Line(line, order.supplier_id)
        for order in orders
        for line in order.lines
        if line.item_id in item_ids and (with_left or shown_status(order) not in LEFT)
    }


def _change(after: _Line | None, before: _Line | None, since: Mapping[str, str], dataset: Dataset) -> ChangeView | None:
    known = after or before
    if known is None:
        return None
    line, supplier = known.line, dataset.suppliers.get(known.supplier_id)
    return ChangeView(
        line_id=line.line_id,
        intent=line.intent.value,
        item_id=line.item_id,
        item=line.item,
        uom=line.uom,
        supplier=supplier.name if supplier and supplier.name else known.supplier_id,
        before_quantity=before.line.quantity if before else 0.0,
        after_quantity=after.line.quantity if after else 0.0,
        since_run=since[line.item_id],
    )
