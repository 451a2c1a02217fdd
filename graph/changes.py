"""What a run proposes otherwise than the plan before it, order line by order line."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graph.queries import order_status
from graph.views import ChangeView
from store.operations import Operations
from tools.domain.datasets import Dataset

LEFT = ("dispatched", "confirmed")
"""Statuses of lines that became open orders: the next plan counts them as cover and does not repeat them."""
Orders = Sequence[Mapping[str, Any]]


def changes_since(
    item_ids: Iterable[str],
    orders: Orders,
    earlier: Iterable[tuple[str, Iterable[str], Orders]],
    dataset: Dataset,
    operations: Operations,
) -> tuple[ChangeView, ...]:
    """Lines of each item against those of the latest earlier run that planned it; `earlier` is latest first.

    An item that no earlier run planned is new and has no changes. Lines that have left since are not missed.
    """
    wanted, before = set(item_ids), dict[str, dict[str, Any]]()
    since = dict[str, str]()
    for run_id, planned, found in earlier:
        fresh = (wanted & set(planned)) - since.keys()
        since.update(dict.fromkeys(fresh, run_id))
        before |= _lines(found, fresh, operations)
        if since.keys() >= wanted:
            break
    after = _lines(orders, set(since), operations, with_left=True)
    keys = sorted(before.keys() | after.keys(), key=lambda key: (str((after.get(key) or before[key])["item_id"]), key))
    changed = (_change(after.get(key), before.get(key), since, dataset) for key in keys)
    return tuple(change for change in changed if change.before_quantity != change.after_quantity)


def _lines(
    orders: Orders, item_ids: set[str], operations: Operations, *, with_left: bool = False
) -> dict[str, dict[str, Any]]:
    """Line id to line with its supplier, of the named items."""
    return {
        line["line_id"]: {**line, "supplier_id": order["supplier_id"]}
        for order in orders
        for line in order["lines"]
        if line["item_id"] in item_ids and (with_left or order_status(order, operations) not in LEFT)
    }


def _change(
    after: Mapping[str, Any] | None, before: Mapping[str, Any] | None, since: Mapping[str, str], dataset: Dataset
) -> ChangeView:
    line = after or before or {}
    supplier = dataset.suppliers.get(str(line["supplier_id"]))
    return ChangeView(
        line_id=str(line["line_id"]),
        intent=str(line["intent"]),
        item_id=str(line["item_id"]),
        item=str(line["item"]),
        uom=str(line["uom"]),
        supplier=supplier.name if supplier and supplier.name else str(line["supplier_id"]),
        before_quantity=float(before["quantity"]) if before else 0.0,
        after_quantity=float(after["quantity"]) if after else 0.0,
        since_run=since[str(line["item_id"])],
    )
