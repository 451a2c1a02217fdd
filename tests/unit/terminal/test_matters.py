"""Which orders matter most: by the money at stake, told by the line of the order that most of it lies in."""

from datetime import UTC, datetime

import pytest
from plan_views import approval_view, line_view

from graph.views.orders import ApprovalView, LineView, VerdictView
from graph.views.plans import OutlookView, PlanView
from graph.views.runs import RunStatus, RunView, Trigger, TriggerKind
from terminal.demo.first_page import show_first_page
from terminal.demo.matters import at_stake, decision_of

LEVELS = {"inventory_position": 40.0, "reorder_point": 120.0}


def order(name: str, *lines: LineView) -> ApprovalView:
    return approval_view(*lines, approval_id=name)


def outlook(item_id: str, cover: float, stock: tuple[float, ...] = ()) -> OutlookView:
    dates = ("2026-07-01", "2026-07-08", "2026-07-15", "2026-08-12")
    return OutlookView(
        item_id=item_id,
        item="Seal",
        on_hand=40,
        inventory_position=40,
        reorder_point=120,
        safety_stock=30,
        days_of_cover=cover,
        stockout_probability=0.2,
        fill_rate=0.9,
        reason="",
        dates=dates[: len(stock)],
        stock_p50=stock,
    )


def plan(*lines: LineView, outlooks: tuple[OutlookView, ...] = (), verdicts: tuple[VerdictView, ...] = ()) -> PlanView:
    run = RunView(
        run_id="run-1",
        status=RunStatus.WAITING,
        trigger=Trigger(kind=TriggerKind.CLI, actor="demo"),
        dataset_version="ds-1",
        started_at=datetime(2026, 6, 30, tzinfo=UTC),
        currency="USD",
    )
    return PlanView(run=run, lines=lines, outlooks=outlooks, verdicts=verdicts)


def cancelled(needed: float = 0.02) -> LineView:
    return line_view("I9", intent="cancel", share_of_paths_that_need_it=needed, on_hand=900.0)


def test_what_an_item_costs_unordered_is_shared_by_quantity_and_a_cancellation_frees_its_value() -> None:
    half = line_view("I1", extra=800.0)
    assert at_stake(half, {"I1": 200.0}) == pytest.approx(400.0)
    assert at_stake(half, {"I1": 100.0}) == pytest.approx(800.0)
    assert at_stake(line_view("I1", extra=-5.0), {"I1": 100.0}) == 0.0
    assert at_stake(line_view("I1"), {}) == 0.0
    assert at_stake(cancelled(), {}) == pytest.approx(250.0)


def test_orders_are_ranked_by_stake_then_value_and_three_are_told() -> None:
    lines = {name: line_view(name, extra=extra) for name, extra in (("A", 10.0), ("B", 900.0), ("C", 0.0), ("D", 0.0))}
    dear = lines["D"].model_copy(update={"value": 9000.0})
    waiting = [order("ap-a", lines["A"]), order("ap-b", lines["B"]), order("ap-c", lines["C"]), order("ap-d", dear)]
    told = decision_of(plan(*lines.values()), waiting)
    assert (told.orders, told.value) == (4, pytest.approx(9750.0))
    assert [matter.approval_id for matter in told.first] == ["ap-b", "ap-a", "ap-d"]
    assert [matter.at_stake for matter in told.first] == [900.0, 10.0, 0.0]


def test_an_order_is_told_by_the_line_with_most_at_stake() -> None:
    small, large = line_view("A", extra=10.0), line_view("B", extra=70.0)
    (matter,) = decision_of(plan(small, large), [order("ap-1", small, large)]).first
    assert (matter.item_id, matter.lines, matter.at_stake) == ("B", 2, pytest.approx(80.0))


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (
            outlook("I1", 99, (5.0, -1.0)),
            "Likely to run out in the period from 2026-07-08 (40 each on hand); this order lands on 2026-07-30.",
        ),
        (outlook("I1", 12.7), "Stock and open orders last 12 days; this order takes 30 and lands on 2026-07-30."),
        (
            outlook("I1", 99, (5.0, 4.0, 3.0, -1.0)),
            "Stock and the orders that land in time make 40 each, below the level of 120.",
        ),
    ],
)
def test_the_reason_is_a_stock_out_before_the_order_lands_then_a_short_cover_then_the_level(
    known: OutlookView, reason: str
) -> None:
    line = line_view("I1", extra=5.0, **LEVELS)
    (matter,) = decision_of(plan(line, outlooks=(known,)), [order("ap-1", line)]).first
    assert matter.reason == reason


def test_a_drift_of_the_item_is_part_of_the_reason() -> None:
    alarm = VerdictView(
        gate="data",
        rule="demand_drift",
        subject="I9",
        effect="warn",
        reason="Demand of I9 is 59 % below its former level since 2026-05-13, found after 6 periods; such alarms: 1.",
    )
    (matter,) = decision_of(plan(cancelled(), verdicts=(alarm,)), [order("ap-1", cancelled())]).first
    assert matter.reason == (
        "In 98 % of the outcomes looked at, stock lasts without it (900 each on hand). Demand of I9 is 59 % below its "
        "former level since 2026-05-13."
    )


def test_nothing_that_waits_is_said_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    show_first_page(plan(), [], decision_of(plan(), []), "kim", 1.0)
    printed = capsys.readouterr().out
    assert printed.startswith("No order waits for a decision.\n")
    assert "approve" not in printed
    assert "{" not in printed
