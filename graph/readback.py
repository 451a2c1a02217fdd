"""What the ERP did since the last look: receipts, confirmations, stock and demand become a new dataset version."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from erp.sandbox_demand import resampled_demand
from graph.parts import Parts
from store.operations import OutboxRow
from tools.domain.datasets import Dataset, Period
from tools.domain.errors import NotFound
from tools.domain.orders import OrderStatus, PurchaseOrder
from tools.lead_times import LeadTimeDistribution

SHOWN_CHANGES = 10
UNSENT = ("queued", "leased")


class ReadBack:
    """Reads the ERP into new versions of the active dataset."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def fresh_version(self) -> str | None:
        """The active version; a new one first when orders of ours left, or were queued, since it was made.

        Without this a second plan would order the same need again.
        """
        warehouse = self._parts.warehouse
        active = next((known for known in warehouse.datasets() if known.active), None)
        if active is None:
            return None
        moved = [
            row.updated_at
            for row in self._parts.operations.outbox()
            if row.updated_at is not None and row.status != "failed"
        ]
        if not moved or max(moved) <= active.created_at:
            return active.version
        return str(self.observe(0)["version"])

    def observe(self, advance_days: int) -> Mapping[str, object]:
        """Read everything back. `advance_days` first moves the clock of a sandbox ERP.

        Returns the new version, its parent, the clock, what arrived and which lead times it changed.
        """
        erp, warehouse, desk = self._parts.erp, self._parts.warehouse, self._parts.context.desk
        parent = warehouse.active_version()
        if parent is None:
            raise NotFound("Nothing has been imported yet.", remedy="Run `jit import FOLDER` or `jit demo` first.")
        before = desk.dataset(parent)
        asked = resampled_demand(before, desk.period(parent), erp.today, advance_days, self._parts.settings.seed)
        passed = erp.advance(advance_days, asked)
        receipts = [receipt for receipt in erp.iter_receipts(None)]
        known = {(r.order_id, r.item_id, r.receipt_date) for r in before.receipts}
        fresh = [r for r in receipts if (r.order_id, r.item_id, r.receipt_date) not in known]
        version = warehouse.derive_dataset(
            parent,
            receipts=fresh,
            open_orders=[*erp.iter_open_orders(), *self._unsent(before)],
            on_hand={(item, site): units for item, site, units in erp.iter_stock()},
            demand=bucketed(erp.iter_demand(before.as_of), before.as_of, desk.period(parent)),
            as_of=erp.today,
            note="sandbox ERP",
        )
        return {
            "version": version,
            "parent": parent,
            "clock": erp.today.isoformat(),
            "confirmed_orders": passed.confirmed,
            "receipts": len(fresh),
            "received_units": sum(receipt.quantity for receipt in fresh),
            "lead_times_changed": self._changed_lead_times(parent, version),
        }

    def _unsent(self, dataset: Dataset) -> list[PurchaseOrder]:
        """Approved orders that wait in the outbox (dispatch is halted, the ERP is away): decided, so on order."""
        rows = [row for row in self._parts.operations.outbox() if row.status in UNSENT and row.kind == "place"]
        return [order for row in rows for order in _as_orders(row, dataset)]

    def _changed_lead_times(self, parent: str, version: str) -> list[dict[str, Any]]:
        desk = self._parts.context.desk
        before, after = desk.lead_times(parent), desk.lead_times(version)
        changes = [
            _change(offer_id, before[offer_id], made)
            for offer_id, made in after.items()
            if offer_id in before and made.observations != before[offer_id].observations
        ]
        changes.sort(key=lambda row: -abs(row["p50_days"] - row["p50_days_before"]))
        return changes[:SHOWN_CHANGES]


def bucketed(
    asked: Iterable[tuple[str, str, date, float]], since: date, period: Period
) -> list[tuple[str, str, date, float]]:
    """Daily demand summed into the cadence of the history, so that one more day is not one more observation.

    Months carry their first day; weeks are counted from `since` and carry the last day that has demand.
    """
    sums: dict[tuple[str, str, date], float] = {}
    lasts: dict[tuple[str, str, date], date] = {}
    for item_id, site_id, day, units in asked:
        weeks = ((day - since).days - 1) // 7
        start = day.replace(day=1) if period is Period.MONTH else since + timedelta(weeks=weeks)
        key = (item_id, site_id, start)
        sums[key] = sums.get(key, 0.0) + units
        lasts[key] = day
    return [
        (item, site, start if period is Period.MONTH else lasts[item, site, start], units)
        for (item, site, start), units in sums.items()
    ]


def _as_orders(row: OutboxRow, dataset: Dataset) -> Sequence[PurchaseOrder]:
    order: Mapping[str, Any] = row.payload["order"]
    return [
        PurchaseOrder(
            order_id=f"queued:{row.action_key[:12]}:{place}",
            item_id=line["item_id"],
            supplier_id=order["supplier_id"],
            site_id=order["site_id"],
            quantity=line["quantity"],
            order_date=dataset.as_of,
            promised_date=line["due_date"],
            status=OrderStatus.CONFIRMED,
        )
        for place, line in enumerate(order["lines"])
    ]


def _change(offer_id: str, before: LeadTimeDistribution, after: LeadTimeDistribution) -> dict[str, Any]:
    return {
        "offer_id": offer_id,
        "receipts": after.observations - before.observations,
        "p50_days_before": before.quantile(0.5),
        "p50_days": after.quantile(0.5),
        "p90_days_before": before.quantile(0.9),
        "p90_days": after.quantile(0.9),
    }
