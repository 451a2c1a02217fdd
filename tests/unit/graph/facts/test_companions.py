"""What waits in one order with a wanted item stays as it was planned, unless something is new of it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from gate_cases import KnownDesk, Shelf, context_of, dataset_with, verdict_of
from order_cases import judged, order_of
from sandbox_world import OFFER, OTHER, START

from graph.computation.desk import Scope, shared_limits
from graph.facts.companions import drift_of, joined, outlooks_of, risks_of, with_companions
from store.operations import Operations, Plan, Window
from tools.domain.alerts import Alert, AlertKind
from tools.domain.catalogue import Item, Offer, PurchasingLimit, Site, Supplier
from tools.domain.datasets import Dataset
from tools.domain.orders import Order, OrderStatus, OrderVerdict, Receipt, RouteKind

WINDOW = Window(date(2026, 3, 2), date(2026, 3, 29))
VERSIONS = {"policy": "p-1", "desk": {"seed": 7}, "models": "1", "code": "1"}
THIRD = Offer(item_id="C", supplier_id="S1", unit_price=1.0, lead_time_days=5)


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with closing(Operations(f"sqlite:///{tmp_path}/operations.sqlite")) as opened:
        for run_id in ("run-1", "run-2"):
            opened.create_run(run_id, {}, "ana", "ds-1", VERSIONS)
        yield opened


def of_three(**changed: Any) -> Dataset:
    """Items A, B and C from S1, which takes no order below 40."""
    stock = {(name, "MAIN"): 100.0 for name in "AB"} | {("C", "MAIN"): 1.0}
    known = {"items": {name: Item(item_id=name) for name in "ABC"}, "offers": (OFFER, OTHER, THIRD), "on_hand": stock}
    return dataset_with(40.0, **{**known, **changed})


class TwoDays(KnownDesk):
    """A desk that knows what an earlier run planned on and what there is now; alerts affect the items they name."""

    def __init__(self, now: Dataset, then: Dataset | None = None) -> None:
        super().__init__(now)
        self._versions = {"ds-1": then or now, "ds-2": now}

    def dataset(self, version: str) -> Dataset:
        return self._versions[version]

    def disruption(self, scope: Scope) -> Any:
        return SimpleNamespace(affected_item_ids=[item for one in scope.typed_alerts for item in one.item_ids])


def told(*alerts: Alert) -> str:
    """Alerts as a scope has them."""
    return orjson.dumps([one.model_dump(mode="json") for one in alerts], option=orjson.OPT_SORT_KEYS).decode()


def alert(item_id: str) -> Alert:
    morning = datetime(2026, 3, 1, 8, tzinfo=UTC)
    return Alert(alert_id="a", kind=AlertKind.DELAY, node_id="S1", item_ids=(item_id,), received_at=morning)


def publish(operations: Operations, *orders: Order) -> None:
    """The plan of run-2, as its gates judged it."""
    orders = tuple(order if any(line.facts for line in order.lines) else judged(order) for order in orders)
    items = sorted({item_id for order in orders for item_id in order.item_ids})
    needs = dict.fromkeys([need for order in orders for need in order.needs], WINDOW)
    operations.publish(Plan("run-2", operations.supply_seq(), items, needs, orders))


def beside(
    operations: Operations,
    *wanted: str,
    now: Dataset | None = None,
    then: Dataset | None = None,
    known: Scope | None = None,
    alerts: str = "[]",
) -> tuple[set[str], list[Order]]:
    """What is planned and kept when these items are wanted; run-2 planned with `known`."""
    shelf = Shelf()
    shelf.put_artifact("run-2", "plan", "scope", asdict(known or Scope("ds-1", ("A", "B", "C"))))
    desk = TwoDays(now or of_three(), then or of_three())
    return with_companions(
        wanted, Scope("ds-2", ("A", "B", "C"), alerts), "run-1", context_of(operations, desk=desk, shelf=shelf)
    )


def lines_of(orders: list[Order]) -> list[tuple[str, float, str]]:
    return [(line.item_id, line.quantity, line.planned_by) for order in orders for line in order.lines]


def test_a_companion_of_which_nothing_is_new_keeps_its_line(operations: Operations) -> None:
    publish(operations, order_of("A", "B", "C", run_id="run-2", quantity=20))
    planned, kept = beside(operations, "B")
    assert planned == {"B"}
    assert lines_of(kept) == [("A", 20.0, "run-2"), ("C", 20.0, "run-2")]


def test_companions_are_kept_in_turn_through_orders_that_share_them(operations: Operations) -> None:
    """C waits in a second order: it is asked for anew whole, or one of its orders would be left without its owner."""
    publish(
        operations,
        order_of("A", "C", run_id="run-2", quantity=20),
        order_of("C", "B", run_id="run-2", quantity=30),
    )
    planned, kept = beside(operations, "A")
    assert planned == {"A"}
    assert lines_of(kept) == [("C", 20.0, "run-2"), ("C", 30.0, "run-2"), ("B", 30.0, "run-2")]


def test_a_line_that_was_kept_before_still_names_who_planned_it(operations: Operations) -> None:
    order = order_of("A", "B", run_id="run-2", quantity=20)
    lines = tuple(line.model_copy(update={"planned_by": "run-0"}) for line in order.lines)
    publish(operations, order.changed(lines=lines))
    assert lines_of(beside(operations, "B")[1]) == [("A", 20.0, "run-0")]


@pytest.mark.parametrize(
    "changed",
    [
        {"on_hand": {("A", "MAIN"): 99.0, ("B", "MAIN"): 100.0, ("C", "MAIN"): 1.0}},
        {"offers": (OFFER.model_copy(update={"unit_price": 2.6}), OTHER, THIRD)},
        {"as_of": date(2026, 3, 3)},
        {"items": {name: Item(item_id=name, frozen_days=9 if name == "A" else 0) for name in "ABC"}},
        {"suppliers": {"S1": Supplier(supplier_id="S1", min_order_value=41.0)}},
    ],
    ids=["stock", "price", "day", "item", "supplier"],
)
def test_a_companion_of_which_something_is_new_is_planned_again(
    operations: Operations, changed: dict[str, Any]
) -> None:
    publish(operations, order_of("A", "B", run_id="run-2", quantity=20))
    planned, kept = beside(operations, "B", now=replace(of_three(), **changed))
    assert planned == {"A", "B"} and kept == []


def test_an_alert_about_a_companion_has_it_planned_again_whichever_run_knew_of_it(operations: Operations) -> None:
    publish(operations, order_of("A", "B", "C", run_id="run-2", quantity=20))
    assert beside(operations, "B", alerts=told(alert("A")))[0] == {"A", "B"}
    before = Scope("ds-1", ("A", "B", "C"), told(alert("C")))
    assert beside(operations, "B", known=before)[0] == {"B", "C"}
    same = Scope("ds-1", ("A", "B", "C"), told(alert("C")))
    assert beside(operations, "B", known=same, alerts=told(alert("C")))[0] == {"B"}


def test_a_companion_is_planned_again_where_anything_is_new_of_it_at_another_site(operations: Operations) -> None:
    """Whoever keeps its line owns its needs at every site, and nothing waits there that would tell."""
    sites = {name: Site(site_id=name) for name in ("MAIN", "EAST")}
    then = of_three(sites=sites, on_hand={("A", "MAIN"): 100.0, ("A", "EAST"): 50.0, ("B", "MAIN"): 100.0})
    order = order_of("A", "B", run_id="run-2", quantity=20)
    needs = {("A", "MAIN"): WINDOW, ("A", "EAST"): WINDOW, ("B", "MAIN"): WINDOW}
    operations.publish(Plan("run-2", operations.supply_seq(), ["A", "B"], needs, [judged(order)]))
    assert beside(operations, "B", now=then, then=then)[0] == {"B"}
    less = replace(then, on_hand={**then.on_hand, ("A", "EAST"): 5.0})
    assert beside(operations, "B", now=less, then=then)[0] == {"A", "B"}
    operations.supply_moved({("A", "EAST")})
    assert beside(operations, "B", now=then, then=then)[0] == {"A", "B"}


def test_a_companion_of_whose_supplier_goods_came_since_is_planned_again(operations: Operations) -> None:
    """Its lead time may be another by that."""
    publish(operations, order_of("A", "B", run_id="run-2", quantity=20))
    came = Receipt(
        order_id="PO-9", item_id="C", supplier_id="S1", quantity=5.0, order_date=START, receipt_date=date(2026, 3, 2)
    )
    assert beside(operations, "B", now=of_three(receipts=(came,)))[0] == {"A", "B"}
    assert beside(operations, "B", now=of_three(receipts=(came.model_copy(update={"supplier_id": "S9"}),)))[0] == {"B"}


@pytest.mark.parametrize("name", ["models", "code"])
def test_what_another_version_computed_is_planned_again(operations: Operations, name: str) -> None:
    operations.create_run("run-3", {}, "ana", "ds-1", {**VERSIONS, name: "2"})
    publish(operations, order_of("A", "B", run_id="run-2", quantity=20))
    shelf = Shelf()
    shelf.put_artifact("run-2", "plan", "scope", asdict(Scope("ds-1", ("A", "B", "C"))))
    context = context_of(operations, desk=TwoDays(of_three()), shelf=shelf)
    assert with_companions({"B"}, Scope("ds-2", ("A",)), "run-3", context) == ({"A", "B"}, [])


def test_a_companion_whose_supply_moved_is_planned_again(operations: Operations) -> None:
    publish(operations, order_of("A", "B", "C", run_id="run-2", quantity=20))
    operations.supply_moved({("A", "MAIN")})
    planned, kept = beside(operations, "B")
    assert planned == {"A", "B"} and lines_of(kept) == [("C", 20.0, "run-2")]


def test_a_companion_of_which_another_line_does_not_wait_is_planned_again(operations: Operations) -> None:
    publish(
        operations,
        order_of("A", "B", "C", run_id="run-2", quantity=20),
        order_of("A", run_id="run-2", supplier_id="S2", status=OrderStatus.GATED),
    )
    assert beside(operations, "B")[0] == {"A", "B"}


def test_what_a_person_edited_or_what_changes_an_open_order_is_planned_again(operations: Operations) -> None:
    edited = order_of("A", "B", run_id="run-2", quantity=20).changed(edited=True)
    change = order_of("C", "B", run_id="run-2", status=OrderStatus.CHANGE_WAITING, changes="PO-1")
    publish(operations, edited, change)
    assert beside(operations, "B") == ({"A", "B", "C"}, [])


def test_what_another_version_of_the_program_judged_is_planned_again(operations: Operations) -> None:
    """Its gates did not know a fact that the rules of this one ask for."""
    order = judged(order_of("A", "B", run_id="run-2", quantity=20))
    before = order.changed(lines=tuple(line.model_copy(update={"facts": {"moq": 1}}) for line in order.lines))
    publish(operations, before)
    assert beside(operations, "B") == ({"A", "B"}, [])


def test_a_supplier_is_not_left_with_less_than_it_takes(operations: Operations) -> None:
    """10 units at 2.50 are worth less than the 40 that S1 takes; the wanted item may order nothing."""
    publish(operations, order_of("A", "B", run_id="run-2", quantity=10))
    assert beside(operations, "B") == ({"A", "B"}, [])


def test_a_supplier_may_be_left_with_just_what_it_takes(operations: Operations) -> None:
    publish(operations, order_of("A", "B", run_id="run-2", quantity=16))
    assert beside(operations, "B")[0] == {"B"}


def test_an_installation_with_other_rules_plans_all_of_an_order_again(operations: Operations) -> None:
    operations.create_run("run-3", {}, "ana", "ds-1", {**VERSIONS, "policy": "p-2"})
    publish(operations, order_of("A", "B", run_id="run-2", quantity=20))
    shelf = Shelf()
    shelf.put_artifact("run-2", "plan", "scope", asdict(Scope("ds-1", ("A", "B", "C"))))
    context = context_of(operations, desk=TwoDays(of_three()), shelf=shelf)
    assert with_companions({"B"}, Scope("ds-2", ("A",)), "run-3", context) == ({"A", "B"}, [])


def test_limits_of_later_periods_are_planned_for_by_all_of_an_order(operations: Operations) -> None:
    publish(operations, order_of("A", "B", run_id="run-2", quantity=20))
    limited = replace(of_three(), limits=(PurchasingLimit.model_construct(),))
    assert beside(operations, "B", now=limited) == ({"A", "B"}, [])


def test_an_item_that_is_gone_leaves_its_order_to_be_planned_again(operations: Operations) -> None:
    publish(operations, order_of("A", "GONE", run_id="run-2", quantity=20))
    assert beside(operations, "GONE") == ({"A", "GONE"}, [])


def test_kept_lines_join_the_new_order_of_their_supplier() -> None:
    drafted = order_of("B", run_id="run-1").changed(order_key="run-1/S1/MAIN", status=OrderStatus.PROPOSED)
    change = order_of("B", run_id="run-1", changes="PO-1")
    kept = order_of("A", "C", run_id="run-2").changed(proposed_by=("bo",))
    other = order_of("D", run_id="run-2", supplier_id="S2")
    first, second, third = joined([drafted, change], [kept, other], "run-1")
    assert [line.item_id for line in first.lines] == ["A", "B", "C"]
    assert (first.order_key, first.status, first.proposed_by) == (
        "run-1/S1/MAIN",
        OrderStatus.PROPOSED,
        ("agent:planner", "ana", "bo"),
    )
    assert second == change
    assert (third.order_key, third.run_id, third.status) == ("run-1/S2/MAIN", "run-1", OrderStatus.PROPOSED)
    assert third.route.content_hash == "" and [line.item_id for line in third.lines] == ["D"]


def test_what_was_told_of_the_kept_lines_is_told_again() -> None:
    kept = [order_of("A", run_id="run-2")]
    shelf = Shelf()
    shelf.put_artifacts("run-2", "outlook", {"A@MAIN": {"item_id": "A"}, "B@MAIN": {"item_id": "B"}})
    risks = [{"item_ids": ["A", "B"], "node_id": "S1"}, {"item_ids": ["B"], "node_id": "S2"}]
    exposures = [{"item_id": "A", "money_at_risk": 5.0}, {"item_id": "B", "money_at_risk": 9.0}]
    shelf.put_artifact("run-2", "risk", "assessment", {"risks": risks, "exposures": exposures})
    shelf.put_artifact("run-2", "risk", "exposed", {"A": 7.0, "B": 9.0})
    shelf.put_artifacts("run-2", "outlook", {"A@EAST": {"item_id": "A", "site_id": "EAST"}})
    context = context_of(shelf=shelf)
    assert outlooks_of(kept, ["MAIN", "EAST"], context) == {
        "A@MAIN": {"item_id": "A"},
        "A@EAST": {"item_id": "A", "site_id": "EAST"},
    }
    assert risks_of(kept, context) == ([{"item_ids": ["A"], "node_id": "S1"}], exposures[:1], {"A": 7.0})


def test_an_alarm_of_drift_stays_with_the_kept_lines() -> None:
    alarm, other = ({**verdict_of(rule), "gate": gate} for rule, gate in (("demand", "drift"), ("size", "line")))
    order = order_of("A", run_id="run-2")
    said = tuple(OrderVerdict.model_validate(raw) for raw in (alarm, other))
    routed = order.changed(route=order.route.model_copy(update={"verdicts": said}))
    twice = [routed, routed.changed(order_key="run-2/S1/B")]
    assert [verdict.rule for verdict in drift_of(twice)["S1", "MAIN"]] == ["demand"]
    assert order.route.kind is RouteKind.PERSON


def test_shared_limits_are_less_by_what_is_kept() -> None:
    """20 units of A at 2.50 are 50 of the supplier's 120 and of the budget of 1,000; 120 units of it lie in 500."""
    items = {name: Item(item_id=name, storage_volume=2.0) for name in "AB"}
    dataset = dataset_with(120.0, items=items, sites={"MAIN": Site(site_id="MAIN", storage_capacity=500.0)})
    scope = Scope("ds-1", ("B",), budget=1_000.0)
    limits = shared_limits(dataset, scope)
    assert (limits.budget, limits.storage, limits.supplier_min_order_value.tolist()) == (1_000.0, 500.0, [120.0])
    kept = replace(scope, beside=((OFFER.offer_id, 20.0),))
    less = shared_limits(dataset, kept)
    assert (less.budget, less.storage, less.supplier_min_order_value.tolist()) == (950.0, 260.0, [70.0])
    assert kept != scope and hash(kept) != hash(scope)
