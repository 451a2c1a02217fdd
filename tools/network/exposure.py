"""Exposure: how long an item lives without one node of its network, against how long a replacement takes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tools.domain.catalogue import Offer, SupplierStatus
from tools.domain.datasets import Dataset
from tools.domain.orders import PurchaseOrder
from tools.network.disruption import ItemExposure
from tools.network.effects import Effect, Wave
from tools.network.graph import Dependencies, Graph, route_text

RECOVERY_QUANTILE = 0.9
"""A replacement counts as recovered when its order has arrived with this probability."""
UNREPLACED_FACTOR = 2.0
"""Without another source, recovery takes this many lead times of the lost ones."""
STOPPED = Effect(0, 0.0)


class LeadTime(Protocol):
    """A lead-time distribution in days."""

    def quantile(self, q: float) -> int:
        """Day by which an order has arrived with probability q."""
        ...


@dataclass(frozen=True)
class _Supply:
    """The dataset by item, so that every exposure is one look-up."""

    dataset: Dataset
    demand: Mapping[str, float]
    days: Mapping[str, float]
    """Recovery days by offer."""
    offers: Mapping[str, Sequence[Offer]]
    stock: Mapping[str, float]
    inbound: Mapping[str, Sequence[PurchaseOrder]]
    """Open orders by item."""

    def usable(self, offer: Offer) -> bool:
        supplier = self.dataset.suppliers.get(offer.supplier_id)
        expired = offer.valid_to is not None and offer.valid_to < self.dataset.as_of
        return supplier is not None and supplier.status is SupplierStatus.ACTIVE and not expired


def exposure(
    graph: Graph,
    dataset: Dataset,
    lead_times: Mapping[str, LeadTime],
    mean_daily_demand: Mapping[str, float],
) -> tuple[ItemExposure, ...]:
    """One row per item and node whose loss takes away a source of it, worst first.

    Time to survive = (stock + open orders from the sources that remain) / mean daily demand; time to recover = the
    fastest remaining source's 90th-percentile lead time (Simchi-Levi et al. 2014). Money at risk = days between the
    two x demand x unit value. A node above the suppliers has a row only where it takes away more than one of them.
    """
    supply = _supply(dataset, lead_times, mean_daily_demand)
    suppliers = {offer.supplier_id for offers in supply.offers.values() for offer in offers}
    dependencies = Dependencies(graph)
    rows: list[ItemExposure] = []
    for node_id in sorted({*suppliers, *(node for node in graph if node not in dataset.items)}):
        wave = Wave(dependencies, node_id, STOPPED)
        for item_id, offers in supply.offers.items():
            if not wave.reaches(item_id):
                continue
            lost = {o.supplier_id for o in offers if wave.on_offer(o.supplier_id, item_id).capacity_fraction <= 0.0}
            if len(lost) > 1 or node_id in lost:
                rows.append(_row(supply, wave, node_id, item_id, lost))
    return tuple(sorted(rows, key=lambda row: (-row.money_at_risk, row.item_id, row.node_id)))


def _supply(dataset: Dataset, lead_times: Mapping[str, LeadTime], demand: Mapping[str, float]) -> _Supply:
    wanted = {item_id: mean for item_id, mean in demand.items() if mean > 0 and item_id in dataset.items}
    offers: dict[str, list[Offer]] = defaultdict(list)
    for offer in dataset.offers:
        if offer.item_id in wanted:
            offers[offer.item_id].append(offer)
    stock: dict[str, float] = defaultdict(float)
    for (item_id, _), units in dataset.on_hand.items():
        stock[item_id] += units
    inbound: dict[str, list[PurchaseOrder]] = defaultdict(list)
    for order in dataset.open_orders:
        if order.status.is_open:
            inbound[order.item_id].append(order)
    days = {
        offer.offer_id: _recovery_days(offer, lead_times.get(offer.offer_id))
        for group in offers.values()
        for offer in group
    }
    return _Supply(dataset, wanted, days, offers, stock, inbound)


def _recovery_days(offer: Offer, lead_time: LeadTime | None) -> float:
    return float(lead_time.quantile(RECOVERY_QUANTILE)) if lead_time else offer.lead_time_days


def _row(supply: _Supply, wave: Wave, node_id: str, item_id: str, lost: set[str]) -> ItemExposure:
    demand = supply.demand[item_id]
    arriving = sum(order.quantity for order in supply.inbound.get(item_id, ()) if order.supplier_id not in lost)
    cover = (max(0.0, supply.stock.get(item_id, 0.0)) + arriving) / demand
    recovery = _recovery(supply, item_id, lost)
    value = max(0.0, recovery - cover) * demand * supply.dataset.items[item_id].unit_value
    path = wave.on_offer(min(lost), item_id).path
    return ItemExposure(item_id, node_id, cover, recovery, value, route_text(path))


def _recovery(supply: _Supply, item_id: str, lost: set[str]) -> float:
    offers = supply.offers[item_id]
    others = [supply.days[offer.offer_id] for offer in offers if offer.supplier_id not in lost and supply.usable(offer)]
    if others:
        return min(others)
    return UNREPLACED_FACTOR * min(supply.days[offer.offer_id] for offer in offers if offer.supplier_id in lost)
