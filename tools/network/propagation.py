"""From alerts to what planning uses: delays and capacities of suppliers, offers and open orders, and items hit."""

from collections.abc import Sequence
from datetime import date

from tools.domain.alerts import LONGEST_DELAY_DAYS, Alert, AlertKind
from tools.domain.catalogue import Offer
from tools.domain.datasets import Dataset
from tools.network.disruption import Disruption
from tools.network.effects import Effect, Wave
from tools.network.graph import Dependencies, Graph, route_text


def propagate(graph: Graph, alerts: Sequence[Alert], dataset: Dataset, as_of: date) -> Disruption:
    """Run the alerts that are in force along the network.

    Alerts that end before `as_of`, or that a later `recovered` of the same node lifts, hurt nothing; the items of
    a recovery still count as affected, so that they are planned again. An alert with order ids concerns those
    orders only; one with item ids, those items only. Of several alerts the longest delay and the least capacity hold.
    """
    tally, dependencies = _Tally(dataset), Dependencies(graph)
    for alert in alerts:
        in_force = _in_force(alert, alerts, as_of)
        hit = _hit_of(alert, as_of) if in_force else Effect()
        if alert.order_ids:
            tally.take_orders(alert, hit)
        elif in_force:
            tally.take_network(alert, Wave(dependencies, alert.node_id, hit))
    return tally.disruption()


def _in_force(alert: Alert, alerts: Sequence[Alert], as_of: date) -> bool:
    if alert.until is not None and alert.until < as_of:
        return False
    return alert.kind is AlertKind.RECOVERED or not any(_lifts(later, alert) for later in alerts)


def _lifts(later: Alert, alert: Alert) -> bool:
    same = later.kind is AlertKind.RECOVERED and later.node_id == alert.node_id
    covered = not later.item_ids or (bool(alert.item_ids) and set(alert.item_ids) <= set(later.item_ids))
    return same and covered and later.received_at >= alert.received_at


def _hit_of(alert: Alert, as_of: date) -> Effect:
    """Days and capacity at the node itself; what ships nothing until a date is late until then, two years at most."""
    if alert.kind in (AlertKind.RECOVERED, AlertKind.PRICE_CHANGE):
        return Effect()
    capacity = 0.0 if alert.kind is AlertKind.DISCONTINUED else alert.capacity_fraction
    delay = alert.delay_days
    if capacity == 0.0 and delay == 0 and alert.until is not None:
        delay = min((alert.until - as_of).days, LONGEST_DELAY_DAYS)
    return Effect(delay, capacity)


class _Tally:
    """Adds up the effects of alert after alert."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._offers: dict[str, tuple[Offer, Effect]] = {}
        self._orders: dict[str, int] = {}
        self._routes: dict[str, str] = {}

    def take_orders(self, alert: Alert, hit: Effect) -> None:
        """An alert that names open orders."""
        for order in self._dataset.open_orders:
            if order.order_id in alert.order_ids:
                self._delay_order(order.order_id, hit.delay_days)
                self._routes.setdefault(order.item_id, route_text((alert.node_id, order.order_id, order.item_id)))

    def take_network(self, alert: Alert, wave: Wave) -> None:
        """An alert about a node: every offer, and every open order, that depends on it."""
        wanted = set(alert.item_ids)
        hit: dict[tuple[str, str], Effect] = {}
        for offer in self._dataset.offers:
            if (wanted and offer.item_id not in wanted) or not wave.reaches(offer.item_id):
                continue
            pair = (offer.supplier_id, offer.item_id)
            if pair not in hit:
                hit[pair] = wave.on_offer(*pair)
            self._add_offer(offer, hit[pair], quiet=not wave.on(alert.node_id).hurts)
        for order in self._dataset.open_orders:
            effect = hit.get((order.supplier_id, order.item_id))
            if effect is None and (not wanted or order.item_id in wanted):
                effect = wave.on_offer(order.supplier_id, order.item_id)
            if effect is not None and effect.delay_days > 0:
                self._delay_order(order.order_id, effect.delay_days)
                self._routes.setdefault(order.item_id, route_text(effect.path))

    def _add_offer(self, offer: Offer, effect: Effect, *, quiet: bool) -> None:
        if not effect.path or not (effect.hurts or quiet):
            return
        self._routes.setdefault(offer.item_id, route_text(effect.path))
        _, before = self._offers.get(offer.offer_id, (offer, Effect()))
        worst = Effect(
            max(before.delay_days, effect.delay_days), min(before.capacity_fraction, effect.capacity_fraction)
        )
        self._offers[offer.offer_id] = (offer, worst)

    def _delay_order(self, order_id: str, days: int) -> None:
        if days > 0:
            self._orders[order_id] = max(self._orders.get(order_id, 0), days)

    def disruption(self) -> Disruption:
        """The effects; a supplier counts as hit by what hits all of its offers."""
        delays: dict[str, int] = {}
        capacity: dict[str, float] = {}
        for supplier_id in sorted({offer.supplier_id for offer, _ in self._offers.values()}):
            own = [offer for offer in self._dataset.offers if offer.supplier_id == supplier_id]
            effects = [self._offers.get(offer.offer_id, (offer, Effect()))[1] for offer in own]
            delays[supplier_id] = min(effect.delay_days for effect in effects)
            capacity[supplier_id] = max(effect.capacity_fraction for effect in effects)
        return Disruption(
            delay_days_by_supplier={key: days for key, days in delays.items() if days > 0},
            delay_days_by_order=self._orders,
            capacity_fraction_by_supplier={key: left for key, left in capacity.items() if left < 1.0},
            affected_item_ids=tuple(sorted(self._routes)),
            routes=self._routes,
            delay_days_by_offer={
                key: effect.delay_days for key, (_, effect) in self._offers.items() if effect.delay_days > 0
            },
            capacity_fraction_by_offer={
                key: effect.capacity_fraction
                for key, (_, effect) in self._offers.items()
                if effect.capacity_fraction < 1.0
            },
        )
