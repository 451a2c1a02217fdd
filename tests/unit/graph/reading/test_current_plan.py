"""The current plan of every item is merged from the runs that decide it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from order_cases import order_of
from sandbox_world import small_dataset

from graph.reading.current_plan import Part, is_under_way, merged, with_marks
from graph.reading.queries import line_view
from graph.views.orders import VerdictView
from graph.views.plans import ChangeView, OptionView, OutlookView, PlanView, RiskView
from graph.views.runs import RunStatus, RunView, Trigger, TriggerKind
from graph.views.standing import shown_status
from tools.domain.orders import Order, OrderStatus

AT = datetime(2026, 3, 2, tzinfo=UTC)
DATASET = small_dataset()


def run_view(run_id: str, status: RunStatus = RunStatus.WAITING) -> RunView:
    trigger = Trigger(kind=TriggerKind.CLI, actor="ana")
    return RunView(run_id=run_id, status=status, trigger=trigger, dataset_version="ds-1", started_at=AT, currency="USD")


def outlook(item_id: str, run_id: str) -> OutlookView:
    figures = dict.fromkeys(
        ("on_hand", "inventory_position", "reorder_point", "safety_stock", "days_of_cover", "stockout_probability"), 1.0
    )
    return OutlookView(item_id=item_id, item=item_id, fill_rate=1.0, reason="", run_id=run_id, **figures)


def risk(item_id: str, money: float, graded_by: str = "rules") -> RiskView:
    return RiskView(
        node_id="S1", item_ids=(item_id,), severity="high", summary="", money_at_risk=money, graded_by=graded_by
    )


def option(run_id: str, group: str) -> OptionView:
    return OptionView(
        option_id=f"{group}/balanced",
        group=group,
        title="Balanced",
        order_value=1.0,
        expected_cost=1.0,
        fill_rate=1.0,
        stockout_probability=0.0,
        risk_exposure=0.0,
        suppliers=(),
        chosen=True,
        run_id=run_id,
    )


def verdict(rule: str, subject: str, reason: str = "") -> VerdictView:
    return VerdictView(gate="lines", rule=rule, subject=subject, effect="warn", reason=reason)


def planned(run_id: str, orders: Sequence[Order], item_ids: str, **more: object) -> PlanView:
    lines = tuple(line_view(line, one, DATASET, shown_status(one), ()) for one in orders for line in one.lines)
    found = {"lines": lines, "outlooks": tuple(outlook(item_id, run_id) for item_id in item_ids.split()), **more}
    return PlanView.model_validate({"run": run_view(run_id), **found})


def parts_of(first: PlanView, again: PlanView) -> list[Part]:
    """A first run planned A, B and C; another one then planned B again."""
    return [Part(again, frozenset({"B"}), 1), Part(first, frozenset({"A", "C"}), 3)]


def whole_of(
    first: Sequence[Order],
    again: Sequence[Order],
    *,
    known: str = "A B C",
    earlier: Sequence[Order] = (),
    **more: object,
) -> PlanView:
    old, new = planned("run-1", first, "A B C", **more), planned("run-2", again, "B")
    lines = [
        line_view(line, one, DATASET, shown_status(one), ()).model_copy(update={"under_way": True})
        for one in earlier
        for line in one.lines
    ]
    return merged(new, parts_of(old, new), [*first, *again], lines, "ABC")


def test_each_item_shows_the_lines_and_the_outlook_of_the_run_that_decides_it() -> None:
    plan = whole_of([order_of("A", "B"), order_of("C")], [order_of("B", run_id="run-2", quantity=4.0)])
    assert [(line.item_id, line.quantity, line.run_id) for line in plan.lines] == [
        ("B", 4.0, "run-2"),
        ("A", 10.0, "run-1"),
        ("C", 10.0, "run-1"),
    ]
    assert {one.item_id: one.run_id for one in plan.outlooks} == {"A": "run-1", "B": "run-2", "C": "run-1"}


def test_orders_are_counted_once_over_the_whole_plan_and_neither_void_nor_rejected_ones_count() -> None:
    first = [
        order_of("A", "B"),
        order_of("B", status=OrderStatus.SUPERSEDED),
        order_of("C", status=OrderStatus.REJECTED),
        order_of("C", supplier_id="S2", status=OrderStatus.CONFIRMED),
    ]
    whole = whole_of(first, [order_of("B", run_id="run-2", quantity=4.0)]).whole
    assert whole is not None
    assert (whole.orders, whole.lines, whole.pending_approvals, whole.dispatched) == (3, 3, 2, 1)
    assert whole.order_value == pytest.approx(25.0 + 25.0 + 10.0)


def test_orders_under_way_from_an_earlier_plan_stay_in_the_picture_beside_the_current_one() -> None:
    sent = order_of("B", status=OrderStatus.CONFIRMED)
    plan = whole_of([order_of("A"), sent], [order_of("B", run_id="run-2", quantity=4.0)], earlier=[sent])
    assert plan.whole is not None
    assert (plan.whole.under_way, plan.whole.under_way_value, plan.whole.dispatched) == (1, 25.0, 0)
    assert plan.kpis["order_value"] == pytest.approx(25.0 + 10.0)
    of_b = [(line.quantity, line.under_way, line.status) for line in plan.lines if line.item_id == "B"]
    assert of_b == [(4.0, False, "waiting"), (10.0, True, "confirmed")]
    assert len({line.row_id for line in plan.lines}) == len(plan.lines), "the same line id of two runs is two rows"


@pytest.mark.parametrize(
    ("status", "changes", "shown"),
    [
        (OrderStatus.APPROVED, "", True),
        (OrderStatus.IN_DOUBT, "", True),
        (OrderStatus.CONFIRMED, "", True),
        (OrderStatus.PART_RECEIVED, "", True),
        (OrderStatus.RECEIVED, "", False),
        (OrderStatus.CANCELLED, "", False),
        (OrderStatus.WAITING, "", False),
        (OrderStatus.IN_DOUBT, "PO-1", True),
        (OrderStatus.CONFIRMED, "PO-1", False),
    ],
)
def test_what_is_to_arrive_or_in_doubt_is_under_way(status: OrderStatus, changes: str, shown: bool) -> None:
    assert is_under_way(order_of("A", status=status, changes=changes)) is shown


def test_a_risk_shows_for_the_items_that_its_run_decides_and_is_graded_against_the_largest_of_all() -> None:
    old = planned("run-1", [], "A B C", risks=(risk("A", 1000.0), risk("B", 900.0), risk("C", 40.0, "a model")))
    new = planned("run-2", [], "B", risks=(risk("B", 80.0),))
    plan = merged(new, parts_of(old, new), [], [], "ABC")
    assert [(one.item_ids, one.severity) for one in plan.risks] == [(("A",), "high"), (("B",), "low"), (("C",), "high")]


def test_cost_and_bound_are_said_of_the_run_that_they_belong_to() -> None:
    old = planned("run-1", [], "A B C", expected_cost=100.0, lower_bound=90.0)
    new = planned("run-2", [], "B", expected_cost=8.0, lower_bound=7.0)
    plan = merged(new, parts_of(old, new), [], [], "ABC")
    assert plan.whole is not None
    assert [(part.run_id, part.expected_cost, part.lower_bound, part.planned) for part in plan.whole.parts] == [
        ("run-2", 8.0, 7.0, 1),
        ("run-1", 100.0, 90.0, 3),
    ]
    assert (plan.expected_cost, plan.lower_bound) == (8.0, 7.0)


def test_options_of_a_run_show_while_it_decides_most_of_what_it_weighed() -> None:
    old = planned("run-1", [], "A B C", options=(option("run-1", "A"),))
    new = planned("run-2", [], "B", options=(option("run-2", "A"),))
    shown = merged(new, parts_of(old, new), [], [], "ABC").options
    assert [one.run_id for one in shown] == ["run-1", "run-2"]
    left = [Part(new, frozenset({"B"}), 1), Part(old, frozenset({"A"}), 3)]
    assert [one.run_id for one in merged(new, left, [], [], "AB").options] == ["run-2"]


def test_gates_speak_of_what_their_run_decides_and_of_anything_wider_the_latest_does() -> None:
    old = planned(
        "run-1",
        [order_of("A")],
        "A B C",
        verdicts=(
            verdict("moq", "A|S1#0"),
            verdict("moq", "B|S1#0"),
            verdict("tier", "run-1/S1/A"),
            verdict("tier", "run-1/S1/gone"),
            verdict("budget", "plan", "old"),
            verdict("storage", "plan", "old"),
        ),
    )
    new = planned("run-2", [], "B", verdicts=(verdict("moq", "B|S2#0"), verdict("budget", "plan", "new")))
    told = merged(new, parts_of(old, new), [order_of("A")], [], "ABC").verdicts
    assert [(one.rule, one.subject, one.reason) for one in told] == [
        ("moq", "B|S2#0", ""),
        ("budget", "plan", "new"),
        ("moq", "A|S1#0", ""),
        ("tier", "run-1/S1/A", ""),
        ("storage", "plan", "old"),
    ]


def test_items_without_a_plan_are_named_and_a_run_that_decides_nothing_is_still_the_one_that_began_last() -> None:
    old = planned("run-1", [order_of("A")], "A")
    stopped = PlanView(run=run_view("run-9", RunStatus.STOPPED))
    plan = merged(stopped, [Part(old, frozenset({"A"}), 1)], [order_of("A")], [], ["A", "D"])
    assert plan.whole is not None
    assert (plan.run.run_id, plan.whole.undecided, len(plan.lines)) == ("run-9", ("D",), 1)
    nothing = merged(stopped, [], [], [], ["D"])
    assert nothing.whole is not None
    assert (nothing.whole.parts, nothing.whole.items, nothing.lines) == ((), 0, ())


def test_what_the_latest_run_changed_is_marked_at_its_lines_and_items_alone() -> None:
    plan = whole_of([order_of("A"), order_of("C")], [order_of("B", run_id="run-2")])
    change = ChangeView(
        line_id="B#0",
        intent="place",
        item_id="B",
        item="B",
        uom="",
        supplier="S1",
        before_quantity=0.0,
        after_quantity=10.0,
        since_run="run-1",
    )
    other = change.model_copy(update={"line_id": "A#0", "item_id": "X"})
    marked = with_marks(plan.model_copy(update={"changes": (change, other)}))
    assert {line.item_id: line.change for line in marked.lines} == {"A": "", "B": "new", "C": ""}
    assert {one.item_id: one.change for one in marked.outlooks} == {"A": "", "B": "changed", "C": ""}
    again = with_marks(plan)
    assert {one.item_id: one.change for one in again.outlooks} == {"A": "", "B": "planned again", "C": ""}
    kept = [line.model_copy(update={"planned_by": "run-1"}) for line in plan.lines]
    assert {one.change for one in with_marks(plan.model_copy(update={"lines": tuple(kept)})).outlooks} == {""}
    earlier = [line.model_copy(update={"run_id": "run-0"}) for line in kept]
    others = plan.model_copy(update={"lines": tuple(earlier)})
    assert {one.item_id: one.change for one in with_marks(others).outlooks} == {"A": "", "B": "planned again", "C": ""}
    altered = change.model_copy(update={"before_quantity": 4.0})
    assert next(iter(with_marks(plan.model_copy(update={"changes": (altered,)})).lines)).change == "changed"
