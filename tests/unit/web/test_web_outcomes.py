"""What waits and what became of it, in sentences; and quantities that the gates would let pass."""

import pytest
from plan_views import approval_view as approval
from plan_views import line_view as line

from graph.views.orders import ApprovalView, WaitingGroupView, WaitingView
from web.pages.tabs.edit_dialog import changed_quantities, limits_of, quantity_fault
from web.pages.widgets.outcomes import (
    cost_of_nothing,
    may_be_proposed_anew,
    may_be_taken_back,
    outcome,
    undoing,
    waiting_summary,
)


@pytest.mark.parametrize(
    ("decided", "said", "undo"),
    [
        (approval(status="approved", erp_status="done", erp_reference="PO-7"), "as PO-7", "take it back"),
        (approval(status="approved", erp_status="queued"), "on its way", "take it back"),
        (approval(status="approved", erp_status="failed", erp_error="unknown item"), "refused it: unknown", "replan"),
        (approval(status="approved"), "its run takes the decision in", "Final here"),
        (approval(status="edited"), "went through the gates again", "reject the edited order"),
        (approval(status="edited", erp_status="done", erp_reference="PO-8"), "as PO-8", "Final here"),
        (approval(status="rejected", reason="Too early"), "Nothing was sent. Reason: Too early", "propose it again"),
        (approval(status="void"), "Void", "replan"),
    ],
)
def test_a_decision_says_what_was_done_and_what_can_be_undone(decided: ApprovalView, said: str, undo: str) -> None:
    assert said in outcome(decided)
    assert undo in undoing(decided)


def test_an_order_signed_while_dispatch_is_halted_says_so() -> None:
    assert "dispatch is halted" in outcome(approval(status="approved", erp_status="queued"), halted=True)


def test_an_order_taken_back_says_where_and_may_be_proposed_anew() -> None:
    gone = line().model_copy(update={"status": "withdrawn"})
    taken = approval(gone, status="approved", erp_status="done", erp_reference="PO-7")
    assert outcome(taken) == "Taken back: PO-7 is cancelled in the ERP."
    assert may_be_proposed_anew(taken)
    assert not may_be_taken_back(taken)


def test_a_change_of_an_order_that_the_erp_has_is_not_taken_back_here() -> None:
    cancelled = approval(line(intent="cancel"), status="approved", erp_status="done", erp_reference="PO-7")
    assert not may_be_taken_back(cancelled)
    assert "Final here" in undoing(cancelled)


def test_only_what_did_not_leave_may_be_proposed_anew() -> None:
    assert may_be_proposed_anew(approval(status="rejected"))
    assert may_be_proposed_anew(approval(status="approved", erp_status="failed"))
    assert not may_be_proposed_anew(approval(status="approved", erp_status="done"))


def test_an_item_in_two_orders_counts_once_in_the_cost_of_doing_nothing() -> None:
    both = [approval(line(extra=40), line("I2", extra=2)), approval(line(extra=40), approval_id="ap-2")]
    assert cost_of_nothing(both) == 42
    assert cost_of_nothing([approval()]) is None


def test_the_summary_keeps_cancellations_apart_and_says_who_must_sign() -> None:
    asked = {"proposed_by": ("agent:planner",), "own": False, "currency": "USD", "value": 250.0, "orders": 1}
    waiting = WaitingView(
        total=3,
        matching=3,
        groups=(
            WaitingGroupView(tier="buyer", cancels=False, **asked),
            WaitingGroupView(tier="manager", cancels=False, **asked),
            WaitingGroupView(tier="buyer", cancels=True, **asked),
        ),
        left_alone={"USD": 40.0},
        orders=(),
    )
    first, second = waiting_summary(waiting, lambda one: one.tier == "buyer")
    assert first == "2 orders worth 500.00 USD and 1 cancellation wait: 2 for a buyer, 1 for a manager. You may sign 2."
    assert "40.00 USD more" in second
    nothing = waiting.model_copy(update={"total": 0, "matching": 0, "groups": (), "left_alone": {}})
    assert waiting_summary(nothing, lambda _one: True) == ()


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        (None, "zero or more"),
        (-1, "zero or more"),
        (float("nan"), "zero or more"),
        (0, ""),
        (30, "Below the minimum of 50"),
        (60, "Not in steps of 25: 50 or 75."),
        (75, ""),
        (400, "Above the maximum of 300"),
    ],
)
def test_a_quantity_that_the_gates_deny_is_told_before_it_is_saved(typed: float | None, fault: str) -> None:
    limited = line(moq=50, order_multiple=25, max_quantity=300)
    found = quantity_fault(limited, typed)
    assert fault in found if fault else found == ""
    assert limits_of(limited) == "Minimum 50, in steps of 25, at most 300"


def test_only_changed_and_possible_quantities_are_sent() -> None:
    lines = (line(order_multiple=10), line("I2"))
    assert changed_quantities(lines, {"I1#0": 120, "I2#0": 100}) == {"I1#0": 120}
    assert changed_quantities(lines, {"I1#0": 100, "I2#0": 100}) is None
    assert changed_quantities(lines, {"I1#0": 125, "I2#0": 80}) is None
