"""A day's plan is bought once: of what was ordered from it nothing is asked for again on that day."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import orjson
import pytest
from decided_cases import ALERT, OFFERS, dataset, drafted, line, only_line
from gate_cases import Shelf
from sandbox_world import START

from graph.computation.desk import Scope
from graph.context import Context
from graph.facts.day_orders import left_of_the_day
from graph.facts.decided_lines import held_order
from policies.material import Materiality
from tools.domain.alerts import Alert
from tools.domain.catalogue import Criticality, Item, Supplier, SupplierStatus
from tools.domain.datasets import Dataset, DemandHistory
from tools.domain.orders import OpenOrderStatus, Order, OrderStatus, PurchaseOrder, Route, RouteKind
from tools.network import build_graph, propagate
from tools.network.disruption import Disruption

VERSIONS = {"policy": "p-1", "desk": {"seed": 7}, "dataset": "ds-1", "code": "1"}


class Desk:
    """A desk of the dataset that the plan was bought on and of that of now."""

    def __init__(self, then: Dataset, now: Dataset) -> None:
        self._known = {"ds-1": then, "ds-2": now}

    def dataset(self, version: str) -> Dataset:
        return self._known[version]

    def disruption(self, scope: Scope) -> Disruption:
        known = self.dataset(scope.dataset_version)
        return propagate(build_graph(known), scope.typed_alerts, known, known.as_of)


class Ledger:
    """A ledger of orders with what the ERP calls them, of runs that planned under these versions."""

    def __init__(self, orders: Sequence[Order], versions: Mapping[str, Mapping[str, Any]]) -> None:
        self._orders, self._versions = orders, versions

    def orders_by_reference(self, erp_refs: Iterable[str]) -> list[Order]:
        refs = set(erp_refs)
        return [order for order in self._orders if order.erp_ref in refs]

    def orders_of_actions(self, beginnings: Collection[str]) -> list[Order]:
        return [order for order in self._orders if order.reason.removeprefix("by ") in beginnings]

    def unsent_orders(self) -> list[Order]:
        return [order for order in self._orders if order.reason == "unsent"]

    def orders_of(self, *run_ids: str) -> list[Order]:
        return [order for order in self._orders if order.run_id in run_ids]

    def run(self, run_id: str) -> SimpleNamespace:
        return SimpleNamespace(versions=self._versions.get(run_id, VERSIONS))


def part(units: float, supplier_id: str = "S1", run_id: str = "run-2", **changed: Any) -> Order:
    """A supplier's part of the need for A."""
    made = drafted(line(quantity=units, supplier_id=supplier_id), supplier_id=supplier_id)
    return made.changed(run_id=run_id, **changed)


def planned(units: float, supplier_id: str = "S1", run_id: str = "run-1", **changed: Any) -> Order:
    """A part that an earlier plan asked for."""
    key = f"{run_id}/{supplier_id}{changed.get('erp_ref', '')}"
    bought = {"status": OrderStatus.CONFIRMED} if "erp_ref" in changed else {}
    return part(units, supplier_id, run_id, order_key=key, **{**bought, **changed})


def ordered(units: float, ref: str = "PO-9", supplier_id: str = "S1", **changed: Any) -> PurchaseOrder:
    made = PurchaseOrder(order_id=ref, item_id="A", supplier_id=supplier_id, quantity=units, order_date=START)
    return made.model_copy(update=changed)


def left(
    standing: Sequence[PurchaseOrder],
    ledger: Sequence[Order],
    *orders: Order,
    held: Sequence[Order] = (),
    then: Dataset | None = None,
    now: Mapping[str, Any] | None = None,
    alerts: Sequence[Alert] = (),
    known_alerts: Sequence[Alert] = (),
    versions: Mapping[str, Mapping[str, Any]] | None = None,
    stored: Sequence[str] = ("run-1", "run-0"),
) -> tuple[list[Order], list[Order]]:
    """What is left of a plan, and what is not asked for again."""
    before = then or dataset()
    desk = Desk(before, replace(before, **{"open_orders": tuple(standing), **(now or {})}))
    shelf = Shelf()
    made_for = asdict(Scope("ds-1", ("A", "B"), told_of(known_alerts)))
    for run_id in stored:
        shelf.put_artifact(run_id, "plan", "scope", made_for)
    parts = SimpleNamespace(
        desk=desk, materiality=Materiality(), operations=Ledger(ledger, versions or {}), warehouse=shelf
    )
    scope = Scope("ds-2", ("A", "B"), told_of(alerts))
    return left_of_the_day(orders, held, scope, "run-2", cast(Context, parts))


def told_of(alerts: Sequence[Alert]) -> str:
    return orjson.dumps([alert.model_dump(mode="json") for alert in alerts]).decode()


def asked(orders: Sequence[Order]) -> dict[str, float]:
    return {order.supplier_id: one.quantity for order in orders for one in order.lines}


BOUGHT = [ordered(800.0)]
SPLIT = [planned(800.0, erp_ref="PO-9"), planned(1500.0, "S2")]
"""A plan of two parts, of which the first was ordered."""


def test_a_signed_part_is_not_asked_for_again_and_the_others_are() -> None:
    kept, dropped = left(BOUGHT, SPLIT, part(800.0), part(1400.0, "S2"))
    assert asked(kept) == {"S2": 1400.0}
    told = "800 were ordered on 2026-03-02, and that day's plan asks for no more"
    said = f"{told}: 800 are not proposed again on that day."
    assert only_line(dropped).notes == (said, "as computed")
    assert (dropped[0].order_key, dropped[0].route.reasons) == ("run-2/S1/MAIN/held", (said,))


@pytest.mark.parametrize(
    "standing",
    [
        [],
        [ordered(800.0, order_date=START - timedelta(days=1))],
        [ordered(800.0, item_id="B")],
        [ordered(800.0, site_id="NORTH")],
        [ordered(800.0, status=OpenOrderStatus.CANCELLED)],
        [ordered(800.0, ref="PO-1")],
    ],
    ids=["nothing", "the day before", "another item", "for another site", "and cancelled", "by somebody in the ERP"],
)
def test_where_no_plan_was_bought_from_that_day_everything_is_asked_for(standing: list[PurchaseOrder]) -> None:
    assert left(standing, SPLIT, part(800.0)) == ([part(800.0)], [])


def test_an_order_that_was_on_its_way_when_the_data_were_read_is_known_once_it_arrived() -> None:
    sent = planned(800.0, erp_ref="PO-9", reason="by 0123456789ab")
    assert asked(left([ordered(800.0, "queued:0123456789ab:0")], [sent], part(800.0))[0]) == {}
    assert asked(left([ordered(800.0, "queued:f123456789ab:0")], [sent], part(800.0))[0]) == {"S1": 800.0}


@pytest.mark.parametrize("ref", ["PO-9/2", "queued:12:0"])
def test_a_line_of_an_order_and_one_on_its_way_there_are_known(ref: str) -> None:
    ledger = [
        planned(800.0, erp_ref="PO-9"),
        planned(800.0, run_id="run-0", reason="unsent", status=OrderStatus.APPROVED),
    ]
    assert asked(left([ordered(800.0, ref)], ledger, part(800.0))[0]) == {}


def test_the_plan_that_asked_for_most_is_the_days() -> None:
    """A later one knew of what had been ordered by then."""
    later = [planned(1400.0, "S2", "run-0", erp_ref="PO-8")]
    standing = [*BOUGHT, ordered(1400.0, "PO-8", "S2")]
    assert asked(left(standing, [*SPLIT, *later], part(800.0), part(1000.0, "S2"))[0]) == {}
    assert asked(left(BOUGHT, [*later, *SPLIT], part(800.0), part(1000.0, "S2"))[0]) == {"S2": 1000.0}


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.FAILED, OrderStatus.WITHDRAWN])
def test_an_order_that_came_to_nothing_makes_no_plan_the_days(status: OrderStatus) -> None:
    """An ERP may give its number again, as the sandbox does when it is started over."""
    ledger = [*SPLIT[:1], planned(5000.0, run_id="run-0", erp_ref="PO-9", status=status)]
    assert asked(left(BOUGHT, ledger, part(800.0))[0]) == {}


def test_a_plan_of_which_only_another_item_was_ordered_is_not_the_days() -> None:
    of_b = drafted(line("B")).changed(run_id="run-0", order_key="run-0/S1", erp_ref="PO-8", status=OrderStatus.PLACED)
    ledger = [*SPLIT[:1], of_b, planned(5000.0, run_id="run-0").changed(order_key="run-0/S1/A")]
    kept, _ = left([*BOUGHT, ordered(800.0, "PO-8", item_id="B")], ledger, drafted(line(), line("B", quantity=800.0)))
    assert kept == []


def test_only_the_item_that_was_ordered_is_kept_to_its_plan() -> None:
    kept, dropped = left(BOUGHT, SPLIT[:1], drafted(line(quantity=800.0), line("B", quantity=90.0)))
    assert [(one.item_id, one.quantity) for one in kept[0].lines] == [("B", 90.0)]
    assert only_line(dropped).item_id == "A"


@pytest.mark.parametrize("route", [RouteKind.HELD, RouteKind.SHADOW, RouteKind.DENIED])
def test_what_that_plan_did_not_propose_was_no_part_of_it(route: RouteKind) -> None:
    ledger = [SPLIT[0], planned(1500.0, "S2", route=Route(kind=route))]
    assert asked(left(BOUGHT, ledger, part(1400.0, "S2"))[0]) == {}


def test_a_change_of_an_open_order_is_no_part_of_a_plan_and_stays() -> None:
    change = drafted(line(), changes="PO-9")
    assert left(BOUGHT, SPLIT, change) == ([change], [])
    assert left(BOUGHT, SPLIT[:1], change, part(900.0))[0] == [change]
    ledger = [SPLIT[0], planned(1500.0, "S2", changes="PO-3")]
    assert asked(left(BOUGHT, ledger, part(1400.0, "S2"))[0]) == {}


@pytest.mark.parametrize(
    ("bought", "units"), [(300.0, 1500.0), (301.0, 1199.0), (500.0, 1000.0), (501.0, None), (2000.0, None)]
)
def test_a_line_gets_what_is_left_unless_that_is_about_what_it_asks_for(bought: float, units: float | None) -> None:
    """Below the supplier's minimum of 1,000 nothing is left."""
    kept, dropped = left(
        [ordered(bought, supplier_id="S2")], [planned(1500.0, "S2", erp_ref="PO-9")], part(1500.0, "S2")
    )
    assert (asked(kept), len(dropped)) == ({} if units is None else {"S2": units}, int(units is None))


@pytest.mark.parametrize(("bought", "units"), [(1599.0, 401.0), (1600.0, None)])
def test_a_part_is_done_once_nearly_all_of_it_was_ordered(bought: float, units: float | None) -> None:
    kept, _ = left([ordered(bought)], [planned(2000.0, erp_ref="PO-9")], part(410.0))
    assert asked(kept) == ({} if units is None else {"S1": 410.0})


def test_a_line_that_is_cut_says_so_and_has_the_price_of_what_is_left() -> None:
    """400 are below the price break at 700."""
    kept, _ = left([ordered(600.0)], [planned(1000.0, erp_ref="PO-9")], part(800.0))
    found = only_line(kept)
    assert (found.quantity, found.list_price, found.value) == (400.0, 2.5, 1000.0)
    said = "600 were ordered on 2026-03-02; of that day's plan 400 are left, where the plan with them computes 800."
    assert found.notes == (said, "as computed")


def test_a_cut_line_keeps_to_the_order_multiple() -> None:
    offers = tuple(one.model_copy(update={"order_multiple": 50.0}) for one in OFFERS)
    ledger, in_fifties = [planned(1000.0, erp_ref="PO-9")], replace(dataset(), offers=offers)
    assert asked(left([ordered(570.0)], ledger, part(800.0), then=in_fifties)[0]) == {"S1": 400.0}


def test_what_is_left_is_asked_of_another_supplier_where_the_plan_went_over_to_it() -> None:
    ledger = [planned(1500.0, "S2", erp_ref="PO-9")]
    assert asked(left([ordered(500.0, supplier_id="S2")], ledger, part(1400.0))[0]) == {"S1": 1000.0}


def test_no_supplier_gets_of_the_part_of_another_that_is_asked_as_well() -> None:
    assert asked(left(BOUGHT, SPLIT, part(2000.0), part(1400.0, "S2"))[0]) == {"S2": 1400.0}
    assert asked(left(BOUGHT, SPLIT, part(2000.0), part(1100.0, "S2"))[0]) == {"S2": 1100.0}
    third = part(2000.0).changed(supplier_id="S3", order_key="run-2/S3/MAIN")
    assert asked(left(BOUGHT, SPLIT, part(800.0), third)[0]) == {"S3": 1500.0}


def test_a_line_that_keeps_a_persons_quantity_is_not_cut_and_takes_its_part() -> None:
    """Somebody made 1,400 of 500; the plan that was bought from had asked for 500."""
    ledger = [planned(800.0, erp_ref="PO-9"), planned(500.0, "S2")]
    edited = line(quantity=1400.0, supplier_id="S2").model_copy(update={"decided_before": "bob changed 500 to 1,400"})
    order = drafted(edited, supplier_id="S2").changed(edited=True)
    assert left(BOUGHT, ledger, order) == ([order], [])
    assert left(BOUGHT, ledger, order.changed(edited=False))[0] == []
    newcomer = part(900.0).changed(supplier_id="S3", order_key="run-2/S3/MAIN")
    assert asked(left(BOUGHT, ledger, order, newcomer)[0]) == {"S2": 1400.0}


def test_a_part_that_was_turned_down_is_left_to_nobody_else() -> None:
    turned_down = held_order(part(1500.0, "S2"), part(1500.0, "S2").lines)
    kept, held = left(BOUGHT, SPLIT, part(800.0), held=[turned_down])
    assert (asked(kept), held[0], asked(held)) == ({}, turned_down, {"S1": 800.0, "S2": 1500.0})


def test_lines_of_one_order_are_held_together_whatever_holds_them() -> None:
    rejected = drafted(line("B")).changed(lines=(line("B").model_copy(update={"notes": ("no",)}),))
    kept, (held,) = left(BOUGHT, SPLIT[:1], part(800.0), held=[held_order(rejected, rejected.lines)])
    assert (kept, [one.item_id for one in held.lines]) == ([], ["B", "A"])
    assert held.order_key == "run-2/S1/MAIN/held"
    assert (held.route.reasons, held.reason) == (("no", held.lines[1].notes[0]), f"no {held.lines[1].notes[0]}")


HISTORY = DemandHistory("A", "MAIN", np.array(["2026-02-23"], dtype="datetime64[D]"), np.array([5.0]))
LONGER = DemandHistory("A", "MAIN", HISTORY.dates, np.array([6.0]))


@pytest.mark.parametrize(
    ("now", "free"),
    [
        ({}, False),
        ({"on_hand": {("A", "MAIN"): 99.0}}, True),
        ({"demand": {("A", "MAIN"): LONGER}}, True),
        ({"demand": {}}, True),
        ({"offers": (*OFFERS[:1], OFFERS[1].model_copy(update={"unit_price": 2.4}), OFFERS[2])}, True),
        ({"offers": (*OFFERS[:2], OFFERS[2].model_copy(update={"unit_price": 2.4}))}, False),
        ({"suppliers": {"S2": Supplier(supplier_id="S2", status=SupplierStatus.BLOCKED)}}, True),
        ({"items": {"A": Item(item_id="A", criticality=Criticality.A)}}, True),
        ({"as_of": START + timedelta(days=1)}, True),
    ],
    ids=["nothing", "stock", "demand", "no demand", "its offers", "another's", "a supplier", "the item", "the day"],
)
def test_once_the_data_say_something_new_of_an_item_it_is_planned_freely(now: dict[str, Any], free: bool) -> None:
    then = replace(dataset(), demand={("A", "MAIN"): HISTORY})
    standing = [ordered(800.0, order_date=now.get("as_of", START))]
    assert asked(left(standing, SPLIT[:1], part(800.0), then=then, now=now)[0]) == ({"S1": 800.0} if free else {})


def test_a_new_alert_about_the_item_frees_it_and_no_other_does() -> None:
    elsewhere = ALERT.model_copy(update={"node_id": "S3"})
    since = ALERT.model_copy(update={"received_at": datetime(2026, 3, 2, 9, tzinfo=UTC)})
    assert asked(left(BOUGHT, SPLIT[:1], part(800.0), alerts=[ALERT])[0]) == {"S1": 800.0}
    assert asked(left(BOUGHT, SPLIT[:1], part(800.0), alerts=[elsewhere])[0]) == {}
    assert asked(left(BOUGHT, SPLIT[:1], part(800.0), alerts=[since], known_alerts=[ALERT])[0]) == {}


@pytest.mark.parametrize(
    ("before", "free"), [({"policy": "p-0"}, True), ({"desk": {"seed": 8}}, True), ({"code": "0"}, False)]
)
def test_other_rules_or_settings_free_it(before: dict[str, Any], free: bool) -> None:
    versions = {"run-1": {**VERSIONS, **before}}
    assert asked(left(BOUGHT, SPLIT[:1], part(800.0), versions=versions)[0]) == ({"S1": 800.0} if free else {})


def test_a_plan_of_which_nothing_is_kept_binds_nobody() -> None:
    assert asked(left(BOUGHT, SPLIT[:1], part(800.0), stored=())[0]) == {"S1": 800.0}
