from dataclasses import replace
from datetime import UTC, date, datetime

from tools.domain.alerts import Alert, AlertKind
from tools.domain.catalogue import Item, Link, Offer, Relation, Supplier
from tools.domain.datasets import Dataset
from tools.domain.orders import PurchaseOrder
from tools.network import build_graph, propagate

AS_OF = date(2026, 1, 5)
PILL, CREAM = "pill", "cream"


def link(from_id: str, to_id: str, relation: Relation) -> Link:
    return Link(from_id=from_id, to_id=to_id, relation=relation)


def order(order_id: str, item_id: str, supplier_id: str) -> PurchaseOrder:
    return PurchaseOrder(
        order_id=order_id, item_id=item_id, supplier_id=supplier_id, quantity=10, order_date=date(2025, 12, 1)
    )


def offer(item_id: str, supplier_id: str) -> Offer:
    return Offer(item_id=item_id, supplier_id=supplier_id, unit_price=2.0, lead_time_days=30)


WORLD = Dataset(
    version="ds-1",
    as_of=AS_OF,
    currency="USD",
    items={key: Item(item_id=key, unit_value=2.0) for key in (CREAM, PILL)},
    suppliers={key: Supplier(supplier_id=key) for key in ("Acme", "Bolt")},
    sites={},
    offers=(offer(PILL, "Acme"), offer(CREAM, "Acme"), offer(PILL, "Bolt")),
    on_hand={(PILL, "MAIN"): 60.0},
    stock_as_of={},
    demand={},
    open_orders=(order("PO1", PILL, "Acme"), order("PO2", CREAM, "Acme"), order("PO3", PILL, "Bolt")),
    receipts=(),
    links=(
        link("plant:1", "Acme", Relation.SUPPLIES),
        link("plant:2", "Acme", Relation.SUPPLIES),
        link(PILL, "plant:1", Relation.MADE_AT),
        link(CREAM, "plant:2", Relation.MADE_AT),
        link("plant:1", "country:IN", Relation.LOCATED_IN),
        link("Bolt", "country:IN", Relation.LOCATED_IN),
        link("Bolt", "country:DE", Relation.LOCATED_IN),
        link("Bolt", "port:Hamburg", Relation.SHIPS_THROUGH),
        link("Acme", "Holding", Relation.OWNED_BY),
        link(CREAM, "wax", Relation.MADE_FROM),
    ),
)
ACME_PILL, ACME_CREAM, BOLT_PILL = (known.offer_id for known in WORLD.offers)


def alert(node_id: str, **changes) -> Alert:
    made = {"alert_id": "a1", "kind": AlertKind.DELAY, "received_at": datetime(2026, 1, 5, tzinfo=UTC), **changes}
    return Alert(node_id=node_id, **made)


def run(*alerts: Alert, dataset: Dataset = WORLD):
    return propagate(build_graph(dataset), alerts, dataset, AS_OF)


def test_a_late_supplier_delays_all_its_offers_and_its_open_orders_only():
    hit = run(alert("Acme", delay_days=12))
    assert hit.delay_days_by_supplier == {"Acme": 12}
    assert hit.delay_days_by_order == {"PO1": 12, "PO2": 12}
    assert hit.affected_item_ids == (CREAM, PILL)
    assert hit.routes[PILL] == "Acme → pill"


def test_a_plant_hits_only_the_items_that_it_makes():
    hit = run(alert("plant:1", delay_days=20))
    assert hit.delay_days_by_offer == {ACME_PILL: 20}
    assert hit.delay_days_by_supplier == {}
    assert hit.delay_days_by_order == {"PO1": 20}
    assert hit.routes == {PILL: "plant:1 → Acme → pill"}


def test_a_country_reaches_through_plants_and_costs_a_supplier_with_two_countries_half():
    hit = run(alert("country:IN", kind=AlertKind.SITE_DOWN, capacity_fraction=0.0))
    assert hit.capacity_fraction_by_offer == {ACME_PILL: 0.0, BOLT_PILL: 0.5}
    assert hit.capacity_fraction_by_supplier == {"Bolt": 0.5}
    assert hit.routes[PILL] == "country:IN → plant:1 → Acme → pill"


def test_a_supplier_with_another_country_is_not_late():
    hit = run(alert("country:DE", delay_days=30))
    assert hit.delay_days_by_offer == {}
    assert hit.affected_item_ids == ()


def test_a_port_an_owner_and_a_component_each_reach_the_items_behind_them():
    assert run(alert("port:Hamburg", delay_days=9)).delay_days_by_offer == {BOLT_PILL: 9}
    assert run(alert("Holding", delay_days=5)).delay_days_by_supplier == {"Acme": 5}
    assert run(alert("wax", delay_days=7)).delay_days_by_offer == {ACME_CREAM: 7}


def test_an_alert_about_one_item_leaves_the_suppliers_other_items_alone():
    hit = run(alert("Acme", kind=AlertKind.SHORTAGE, item_ids=(PILL,), capacity_fraction=0.25))
    assert hit.capacity_fraction_by_offer == {ACME_PILL: 0.25}
    assert hit.capacity_fraction_by_supplier == {}
    assert hit.affected_item_ids == (PILL,)


def test_an_alert_about_an_order_delays_that_order_and_no_new_one():
    hit = run(alert("Acme", order_ids=("PO2",), delay_days=4))
    assert hit.delay_days_by_order == {"PO2": 4}
    assert hit.delay_days_by_offer == {}
    assert hit.affected_item_ids == (CREAM,)


def test_a_discontinued_item_cannot_be_ordered_anywhere():
    hit = run(alert(PILL, kind=AlertKind.DISCONTINUED))
    assert hit.capacity_fraction_by_offer == {ACME_PILL: 0.0, BOLT_PILL: 0.0}


def test_what_ships_nothing_until_a_date_delays_open_orders_until_then():
    hit = run(alert("Acme", kind=AlertKind.SITE_DOWN, capacity_fraction=0.0, until=date(2026, 1, 25)))
    assert hit.delay_days_by_order == {"PO1": 20, "PO2": 20}


def test_an_alert_that_is_over_or_lifted_hurts_nothing_but_its_recovery_replans_the_items():
    assert run(alert("Acme", delay_days=12, until=date(2026, 1, 4))).affected_item_ids == ()
    lifted = alert(
        "Acme", alert_id="a2", kind=AlertKind.RECOVERED, received_at=datetime(2026, 1, 6, tzinfo=UTC), delay_days=3
    )
    hit = run(alert("Acme", delay_days=12), lifted)
    assert hit.delay_days_by_order == {}
    assert hit.delay_days_by_offer == {}
    assert hit.affected_item_ids == (CREAM, PILL)


def test_a_recovery_before_the_alert_lifts_nothing():
    earlier = alert("Acme", kind=AlertKind.RECOVERED, received_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert run(earlier, alert("Acme", delay_days=12)).delay_days_by_supplier == {"Acme": 12}


def test_of_two_alerts_the_longer_delay_and_the_smaller_capacity_hold():
    hit = run(
        alert("Acme", delay_days=12, capacity_fraction=0.8), alert("Holding", delay_days=5, capacity_fraction=0.5)
    )
    assert hit.delay_days_by_supplier == {"Acme": 12}
    assert hit.capacity_fraction_by_supplier == {"Acme": 0.5}


def test_a_circle_of_owners_ends():
    circle = replace(WORLD, links=(*WORLD.links, link("Holding", "Acme", Relation.OWNED_BY)))
    assert run(alert("Holding", delay_days=5), dataset=circle).delay_days_by_supplier == {"Acme": 5}


def test_an_unknown_node_touches_nothing():
    assert run(alert("country:XX", delay_days=50, capacity_fraction=0.0)).affected_item_ids == ()
