"""What the ERP did since the last look: receipts, confirmations, stock and demand become a new dataset version."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from erp.adapter import ActionKind, ErpOrder
from erp.sandbox import SandboxErp
from erp.sandbox_demand import resampled_demand
from graph.computation.desk import Desk
from graph.incoming.unexplained import note_unexplained, references, told_of
from store.ledger.orders import IN_ERP
from store.operations import Operations
from store.warehouse import Warehouse
from tools.domain.datasets import Dataset, Period
from tools.domain.errors import NotFound
from tools.domain.orders import OpenOrderStatus, Order, OrderStatus, PurchaseOrder, Receipt
from tools.forecasting.preparation.catalogue_records import read_catalogue
from tools.lead_times import LeadTimeDistribution
from tools.rhythm import Rhythm

SHOWN_CHANGES = 10
QUEUED = "queued:"
"""How the id of an order begins that is decided here and not in the ERP yet."""
KEY_LENGTH = 12
"""Of its action's key as much as stands in that id."""
STATUS_OF_ERP: Mapping[OpenOrderStatus, OrderStatus] = {
    OpenOrderStatus.DRAFT: OrderStatus.IN_DOUBT,
    OpenOrderStatus.CONFIRMED: OrderStatus.CONFIRMED,
    OpenOrderStatus.IN_TRANSIT: OrderStatus.CONFIRMED,
    OpenOrderStatus.PARTIAL: OrderStatus.PART_RECEIVED,
    OpenOrderStatus.RECEIVED: OrderStatus.RECEIVED,
    OpenOrderStatus.CANCELLED: OrderStatus.CANCELLED,
}
"""What the ERP's word for an order means for the ledger; a draft was never released to its supplier."""


class ReadBack:
    """Reads the ERP into new versions of the active dataset; one reading at a time."""

    def __init__(self, operations: Operations, warehouse: Warehouse, erp: SandboxErp, desk: Desk, seed: int) -> None:
        self._operations = operations
        self._warehouse = warehouse
        self._erp = erp
        self._desk = desk
        self._seed = seed
        self._reading = threading.RLock()

    def fresh_version(self) -> str | None:
        """The active version; a new one first when it does not know everything that is on order by now.

        Without this a second plan would order the same need again. The counters of ledger and ERP tell, never a clock.
        """
        with self._reading:
            active = self._warehouse.active_version()
            if active is None or (self._operations.knows_supply(active) and not self._erp_moved()):
                return active
            return str(self.observe(0)["version"])

    def _erp_moved(self) -> bool:
        """Whether the ERP was written since it was last read."""
        return self._erp.changes > self._operations.erp_read()

    def observe(self, advance_days: int) -> Mapping[str, object]:
        """Read everything back. `advance_days` first moves the clock of a sandbox ERP.

        Returns the new version, its parent, the clock, what arrived and which lead times it changed.
        """
        erp, warehouse, desk = self._erp, self._warehouse, self._desk
        with self._reading:
            parent = warehouse.active_version()
            if parent is None:
                raise NotFound("Nothing has been imported yet.", remedy="Run `jit import FOLDER` or `jit demo` first.")
            before = desk.dataset(parent)
            asked = resampled_demand(before, desk.period(parent), erp.today, advance_days, self._seed)
            passed = erp.advance(advance_days, asked)
            read, seq = erp.changes, self._operations.supply_seq()
            on_order, sent = self._on_order(before)
            receipts = [receipt for receipt in erp.iter_receipts(None)]
            known = {(r.order_id, r.item_id, r.receipt_date) for r in before.receipts}
            fresh = [r for r in receipts if (r.order_id, r.item_id, r.receipt_date) not in known]
            self._note_born(before, on_order, fresh, sent)
            asked_since = list(erp.iter_demand(before.as_of))
            rhythms = _rhythms_of(before, desk.period(parent)) if asked_since else {}
            version = warehouse.derive_dataset(
                parent,
                receipts=fresh,
                open_orders=on_order,
                on_hand={(item, site): units for item, site, units in erp.iter_stock()},
                demand=dated_alike(asked_since, rhythms),
                as_of=erp.today,
                note="sandbox ERP",
            )
            self._operations.note_supply_read(version, seq)
            self._operations.note_erp_changes(erp.changes, read=read)
        return {
            "version": version,
            "parent": parent,
            "clock": erp.today.isoformat(),
            "confirmed_orders": passed.confirmed,
            "receipts": len(fresh),
            "received_units": sum(receipt.quantity for receipt in fresh),
            "lead_times_changed": self._changed_lead_times(parent, version) if fresh else [],
            "unexplained": list(told_of(self._operations, on_order)),
        }

    def _on_order(self, dataset: Dataset) -> tuple[list[PurchaseOrder], set[str]]:
        """The ERP's open orders, and ours that are approved and not among them: decided, so on order.

        Ours are read first: one that reaches the ERP meanwhile is found there by its key, and counted once. Also the
        ids of those lines of ours that were found so.
        """
        unsent = self._operations.unsent_orders()
        placing = self._placing_keys(unsent)
        standing = list(self._erp.iter_open_orders())
        there = {order.order_id for order in standing}
        found = {key: self._erp.find_by_key(key) for key in placing.values()}
        self.note_in_erp()
        waiting = [(order, placing[order.order_key]) for order in unsent if order.order_key in placing]
        ours = [(order, key) for order, key in waiting if not _is_there(found[key], there)]
        sent = {line.order_id for held in found.values() if held for line in held.lines}
        return [*standing, *(made for order, key in ours for made in _as_orders(order, key, dataset))], sent

    def _placing_keys(self, orders: Sequence[Order]) -> dict[str, str]:
        """Idempotency key of the action that places each of these orders, by order key."""
        actions = self._operations.actions_for(order.order_key for order in orders)
        return {
            order_key: row.action_key
            for order_key, rows in actions.items()
            for row in rows
            if row.kind == ActionKind.PLACE.value
        }

    def note_in_erp(self, *order_keys: str) -> None:
        """Move our orders, or only those named, on to where the ERP says that they stand."""
        known = self._operations.orders_for(order_keys).values() if order_keys else self._operations.orders_in(IN_ERP)
        ours = [order for order in known if order.status in IN_ERP]
        keys = self._placing_keys(ours)
        found: dict[str, tuple[OrderStatus, str]] = {}
        for order in ours:
            held = self._erp.find_by_key(keys[order.order_key]) if order.order_key in keys else None
            status = STATUS_OF_ERP.get(held.status, OrderStatus.PLACED) if held else order.status
            if held is not None and (status, held.erp_ref) != (order.status, order.erp_ref):
                found[order.order_key] = (status, held.erp_ref)
        self._operations.note_in_erp(found, "read back from the ERP")

    def _note_born(
        self, dataset: Dataset, on_order: Sequence[PurchaseOrder], fresh: Sequence[Receipt], sent: Collection[str]
    ) -> None:
        """Orders that were born or raised in the ERP since the last reading change the supply of their items.

        So do those that were born there and have arrived since.
        """
        before, now = _units_of(dataset.open_orders), _units_of(on_order)
        raised = [line for line, units in now.items() if units > before.get(line, units)]
        known = {row.order_id for row in (*dataset.open_orders, *dataset.receipts)} | set(sent)
        new = [row for row in (*on_order, *fresh) if row.order_id not in known and not row.order_id.startswith(QUEUED)]
        own = self._operations.own_references({ref for row in new for ref in references(row)})
        born = [row for row in new if not own.intersection(references(row))]
        changed = {(row.item_id, row.site_id) for row in born}
        self._operations.supply_moved(changed | {(item_id, site_id) for _, item_id, site_id in raised})
        standing = [row for row in on_order if not row.order_id.startswith(QUEUED)]
        open_born = [row for row in born if isinstance(row, PurchaseOrder)]
        note_unexplained(self._operations, self._erp, standing, open_born)

    def _changed_lead_times(self, parent: str, version: str) -> list[dict[str, Any]]:
        desk = self._desk
        before, after = desk.lead_times(parent), desk.lead_times(version)
        changes = [
            _change(offer_id, before[offer_id], made)
            for offer_id, made in after.items()
            if offer_id in before and made.observations != before[offer_id].observations
        ]
        changes.sort(key=lambda row: -abs(row["p50_days"] - row["p50_days_before"]))
        return changes[:SHOWN_CHANGES]


def dated_alike(
    asked: Iterable[tuple[str, str, date, float]], rhythms: Mapping[tuple[str, str], Rhythm]
) -> list[tuple[str, str, date, float]]:
    """Daily demand summed under the dates that the history of its item and site has; by the day where it has none.

    A week or month that still runs is so no observation yet, and a history keeps its rhythm however often the ERP is
    read.
    """
    sums: dict[tuple[str, str, date], float] = {}
    for item_id, site_id, day, units in asked:
        key = (item_id, site_id, rhythms.get((item_id, site_id), Rhythm(Period.DAY)).date_of(day))
        sums[key] = sums.get(key, 0.0) + units
    return [(item, site, day, units) for (item, site, day), units in sums.items()]


def _rhythms_of(dataset: Dataset, period: Period) -> dict[tuple[str, str], Rhythm]:
    """How the demand of each item and site is dated."""
    read = read_catalogue(list(dataset.demand.values()), dataset.as_of, period, {}, dataset.calendar)
    return dict(zip(dataset.demand, read.reporting.rhythms.of, strict=True))


def _is_there(found: ErpOrder | None, open_ids: set[str]) -> bool:
    """Whether the ERP's list of open orders tells of an order already, or it has come to its end."""
    if found is None:
        return False
    return not found.status.is_open or any(line.order_id in open_ids for line in found.lines)


def _units_of(orders: Iterable[PurchaseOrder]) -> dict[tuple[str, str, str], float]:
    """Units that are still to arrive by order id, item and site."""
    units: dict[tuple[str, str, str], float] = {}
    for order in orders:
        line = (order.order_id, order.item_id, order.site_id)
        units[line] = units.get(line, 0.0) + order.quantity
    return units


def _as_orders(order: Order, action_key: str, dataset: Dataset) -> Sequence[PurchaseOrder]:
    return [
        PurchaseOrder(
            order_id=f"{QUEUED}{action_key[:KEY_LENGTH]}:{place}",
            item_id=line.item_id,
            supplier_id=order.supplier_id,
            site_id=order.site_id,
            quantity=line.quantity,
            order_date=dataset.as_of,
            promised_date=line.expected_arrival,
            status=OpenOrderStatus.CONFIRMED,
        )
        for place, line in enumerate(order.lines)
    ]


def action_of(order: PurchaseOrder) -> str:
    """How the key begins of the action that was to place an order which was not in the ERP yet; empty for others."""
    return order.order_id.removeprefix(QUEUED)[:KEY_LENGTH] if order.order_id.startswith(QUEUED) else ""


def _change(offer_id: str, before: LeadTimeDistribution, after: LeadTimeDistribution) -> dict[str, Any]:
    return {
        "offer_id": offer_id,
        "receipts": after.observations - before.observations,
        "p50_days_before": before.quantile(0.5),
        "p50_days": after.quantile(0.5),
        "p90_days_before": before.quantile(0.9),
        "p90_days": after.quantile(0.9),
    }
