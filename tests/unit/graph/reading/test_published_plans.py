"""What of a plan is published: orders by autonomy level, under the verdicts that concern them, on unmoved supply."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from gate_cases import (
    automatic,
    context_of,
    dataset_with,
    draft_of,
    rules_that_fired,
    runtime_of,
    state_of,
    verdict_of,
)
from order_cases import DAY, line_of, order_of

from erp.actions import queued_actions
from graph.run.gates import gate_autonomy, plan_of
from store.operations import Operations, Plan, Window
from tools.domain.errors import Cancelled
from tools.domain.orders import Order, OrderStatus, OrderVerdict, RouteKind


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with closing(Operations(f"sqlite:///{tmp_path}/operations.sqlite")) as opened:
        yield opened


def parts_of(orders: Sequence[Order]) -> list[tuple[str, list[str], str]]:
    return [(one.order_key, [line.line_id for line in one.lines], one.status.value) for one in orders]


def test_allowed_lines_are_published_by_autonomy_level_and_the_ledger_tells_the_same(operations: Operations) -> None:
    denied = automatic("B").model_copy(update={"denied": True})
    orders = [draft_of(automatic("A"), line_of("C"), denied), draft_of(denied, supplier_id="S2")]
    held = order_of("D", status=OrderStatus.GATED)
    state = state_of(
        item_ids=["A", "B", "C", "D"], orders=orders, held=[held], plan_verdicts=[], line_verdicts=[], watched=""
    )
    found = gate_autonomy(state, runtime_of(context_of(operations)))
    assert found["moved"] == []
    assert [found[name] for name in ("orders", "kept", "held", "line_verdicts")] == [[], [], [], []]
    assert parts_of(found["routed"]) == [
        ("run-1/S1/MAIN/recommend", ["C#0"], "waiting"),
        ("run-1/S1/MAIN/auto", ["A#0"], "approved"),
        ("run-1/S1/D", ["D#0"], "gated"),
    ]
    assert sorted(operations.orders_of("run-1"), key=lambda one: one.order_key) == sorted(
        found["routed"], key=lambda one: one.order_key
    )
    assert [row.order_key for row in operations.approvals("pending")] == ["run-1/S1/MAIN/recommend"]
    keys = [one.order_key for one in found["routed"]]
    assert {key: len(rows) for key, rows in operations.actions_for(keys).items() if rows} == {"run-1/S1/MAIN/auto": 1}


def test_an_order_with_kept_lines_carries_what_drift_said_of_them_once(operations: Operations) -> None:
    alarm = OrderVerdict.model_validate({**verdict_of("drift_before", subject="run-2/S1/MAIN"), "gate": "drift"})
    before = order_of("C", run_id="run-2")
    kept = before.changed(route=before.route.model_copy(update={"verdicts": (alarm, alarm)}))
    orders = [draft_of(automatic("A"), line_of("C").model_copy(update={"planned_by": "run-2"}))]
    state = state_of(item_ids=["A", "C"], orders=orders, kept=[kept], plan_verdicts=[], line_verdicts=[])
    routed = gate_autonomy(state, runtime_of(context_of(operations)))["routed"]
    assert [rules_that_fired(one).count("drift_before") for one in routed] == [1] * len(routed)


def test_an_order_carries_the_verdicts_of_the_plan_of_its_own_lines_and_of_drift(operations: Operations) -> None:
    drift = [verdict_of("drift", subject="A"), verdict_of("drift_of_others", subject="B")]
    state = state_of(
        orders=[draft_of(automatic("A"))],
        plan_verdicts=[verdict_of("plan")],
        line_verdicts=[verdict_of("own", subject="A#0"), verdict_of("other", subject="B#0")],
        drift={"verdicts": drift},
    )
    context = context_of(operations, dataset=dataset_with(1000.0))
    (order,) = gate_autonomy(state, runtime_of(context))["routed"]
    assert rules_that_fired(order) == ["plan", "own", "drift", "supplier_minimum", "none"]
    assert order.route.reasons == ("The order is worth 25.00; S1 takes none below 1,000.00.",)
    assert (order.status, order.proposed_by) == (OrderStatus.WAITING, ("agent:planner",))


def test_the_minimum_of_a_supplier_is_asked_of_each_part_that_is_sent_alone(operations: Operations) -> None:
    """Together the two parts would be enough; each is an order of its own, and too small."""
    state = state_of(orders=[draft_of(automatic("A"), line_of("B"))], plan_verdicts=[], line_verdicts=[])
    found = gate_autonomy(state, runtime_of(context_of(operations, dataset=dataset_with(50.0))))
    assert [rules_that_fired(one) for one in found["routed"]] == [
        ["supplier_minimum", "autonomy_recommend"],
        ["supplier_minimum", "none"],
    ]


def test_who_typed_the_alert_is_a_proposer_of_every_order(operations: Operations) -> None:
    trigger = {"kind": "alert", "actor": "ana"}
    state = state_of(orders=[draft_of(line_of("A"))], plan_verdicts=[], line_verdicts=[], trigger=trigger)
    (order,) = gate_autonomy(state, runtime_of(context_of(operations)))["routed"]
    assert order.proposed_by == ("agent:planner", "ana")


def test_orders_are_weighed_against_what_waits_elsewhere(operations: Operations) -> None:
    """Not against what waits for the items that the run replans: that gives way to it."""
    for one in (order_of("C", run_id="run-2"), order_of("A", run_id="run-3", quantity=20.0)):
        operations.publish(plan_for(one, operations.supply_seq()))
    state = state_of(
        orders=[draft_of(line_of("A"))], plan_verdicts=[], line_verdicts=[], supply=operations.supply_seq()
    )
    (order,) = gate_autonomy(state, runtime_of(context_of(operations)))["routed"]
    assert order.route.facts["waiting_value_cents"] == 2500


def test_a_gate_that_runs_again_finds_the_same(operations: Operations, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the run itself asked for by then does not count as waiting beside it."""
    plans: list[Plan] = []
    publish = operations.publish
    monkeypatch.setattr(operations, "publish", lambda plan: plans.append(plan) or publish(plan))
    state = state_of(item_ids=["B"], orders=[draft_of(line_of("A"))], plan_verdicts=[], line_verdicts=[])
    first, again = (gate_autonomy(state, runtime_of(context_of(operations))) for _ in range(2))
    assert first == again and plans[0] == plans[1]
    assert [order.order_key for order in operations.waiting_orders()] == ["run-1/S1/MAIN/recommend"]


def plan_for(order: Order, seq: int) -> Plan:
    window = Window(DAY, date(2026, 3, 29))
    return Plan(order.run_id, seq, sorted(order.item_ids), dict.fromkeys(order.needs, window), [order])


def test_a_plan_on_supply_that_moved_names_the_items_and_publishes_nothing(operations: Operations) -> None:
    other = order_of("B", "A", run_id="run-2", status=OrderStatus.APPROVED)
    operations.publish(plan_for(other, operations.supply_seq()))
    state = state_of(orders=[draft_of(line_of("B"), line_of("A"))], plan_verdicts=[], line_verdicts=[])
    found = gate_autonomy(state, runtime_of(context_of(operations)))
    assert found == {"moved": ["A", "B"]}
    assert operations.orders_of("run-1") == []


def test_a_run_that_was_cancelled_before_it_published_publishes_nothing(operations: Operations) -> None:
    context = context_of(operations)
    context.cancels.computing("run-1")
    assert context.cancels.ask("run-1", "Cancelled by ana.")
    with pytest.raises(Cancelled, match="by ana"):
        gate_autonomy(
            state_of(orders=[draft_of(automatic("A"))], plan_verdicts=[], line_verdicts=[]), runtime_of(context)
        )
    assert operations.orders_of("run-1") == []


def test_a_plan_that_is_only_watched_is_stored_and_nothing_of_it_leaves_or_waits(operations: Operations) -> None:
    state = state_of(
        orders=[draft_of(automatic("A"), line_of("B"))], plan_verdicts=[], line_verdicts=[], watched="An old version."
    )
    found = gate_autonomy(state, runtime_of(context_of(operations)))
    assert [(one.status, one.route.kind, one.reason) for one in found["routed"]] == [
        (OrderStatus.GATED, RouteKind.SHADOW, "An old version.")
    ] * 2
    assert operations.approvals() == [] and operations.need_owners() == {}


def test_a_run_decides_its_items_until_the_last_order_came_and_a_review_passed() -> None:
    """Sites that hold or are offered the item; what an order touches beyond them; nothing of items left alone."""
    review, arrival = timedelta(days=7), date(2026, 3, 22)
    late = line_of("A").model_copy(update={"expected_arrival": arrival + timedelta(days=5)})
    orders = [
        draft_of(late, status=OrderStatus.APPROVED),
        draft_of(automatic("A"), supplier_id="S2", status=OrderStatus.WAITING),
        draft_of(automatic("D"), supplier_id="S3", status=OrderStatus.APPROVED),
    ]
    dataset = dataset_with(on_hand={("A", "MAIN"): 5.0, ("A", "NORTH"): 1.0, ("C", "MAIN"): 1.0})
    state = state_of(item_ids=["A", "B"], supply=7)
    made = plan_of(state, orders, context_of(dataset=dataset))
    assert made == Plan(
        run_id="run-1",
        seq=7,
        item_ids=["A", "B"],
        needs={
            ("A", "MAIN"): Window(DAY, arrival + timedelta(days=5) + review),
            ("A", "NORTH"): Window(DAY, DAY + review),
            ("B", "MAIN"): Window(DAY, DAY + review),
            ("D", "MAIN"): Window(DAY, arrival + review),
        },
        orders=orders,
        actions=[action for order in (orders[0], orders[2]) for action in queued_actions(order)],
        decides=True,
    )
    assert not plan_of(state_of(watched="An old version."), orders, context_of()).decides
