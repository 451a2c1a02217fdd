"""What the next runs know of a decision, until when it holds, and how a decision or an order is taken back."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from approval_cases import AFTER_A_REVIEW, Office, facts_of, line_a, line_b

from graph.facts import order_facts as facts
from store.operations import Operations
from tools.domain.decisions import LineDecision, LineRuling
from tools.domain.errors import Conflict, NotAllowed, OutOfReach
from tools.domain.orders import Order, OrderLine, OrderStatus

TOLD = frozenset({"a-1", "a-2"})
MAY = date(2026, 5, 1)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(facts, "line_facts", facts_of)
    with closing(Operations(f"sqlite:///{tmp_path}/operations.sqlite")) as opened:
        yield Office(opened)


def decision(
    order: Order, line: OrderLine, ruling: LineRuling, units: float = 0.0, until: date | None = None
) -> LineDecision:
    """What bob decided of a line of an order, as it was shown."""
    return LineDecision(
        approval_id=order.route.approval_id,
        order_key=order.order_key,
        line_id=line.line_id,
        item_id=line.item_id,
        site_id="MAIN",
        supplier_id="S1",
        ruling=ruling,
        proposed_units=line.quantity,
        decided_units=units,
        list_price=line.list_price,
        stockout_bp=300,
        actor="bob",
        reason="because",
        alert_ids=TOLD,
        until=until,
    )


RISKY = {"facts": {"stockout_bp": 300}}
A, B = line_a(**RISKY), line_b(**RISKY)


@pytest.mark.parametrize("until", [None, MAY])
def test_a_rejection_is_remembered_of_every_line_for_ever_or_until_its_day(office: Office, until: date | None) -> None:
    order = office.asked(A, B)
    office.decide(order, "reject", until=until)
    assert office.remembered(order) == [decision(order, line, LineRuling.REJECT, until=until) for line in (A, B)]


@pytest.mark.parametrize(
    ("units", "given", "until"),
    [
        (60.0, None, AFTER_A_REVIEW),
        (60.0, MAY, MAY),
        (0.0, None, None),
        (0.0, MAY, MAY),
    ],
)
def test_an_edit_is_remembered_of_the_lines_it_changes_until_their_need_is_over(
    office: Office, units: float, given: date | None, until: date | None
) -> None:
    """Until the order's last arrival and a review; a line that was dropped stays dropped."""
    order = office.asked(A, B)
    office.decide(order, "edit", edits={"B#0": 100.0, "A#0": units}, until=given)
    assert office.remembered(order) == [decision(order, A, LineRuling.EDIT, units, until)]


def test_an_approval_of_what_nobody_decided_before_is_not_remembered(office: Office) -> None:
    order = office.asked(A, B)
    office.decide(order, "approve")
    assert office.remembered(order) == []


def test_a_run_that_stored_no_scope_knew_no_alerts(office: Office) -> None:
    order = office.asked(A)
    office.shelf.artifacts.clear()
    office.decide(order, "reject")
    assert [made.alert_ids for made in office.remembered(order)] == [frozenset()]


def decided_before(office: Office, *, units: float) -> None:
    """A run before asked for 100 of A and of nothing else; bob left so many units of it."""
    before = office.asked(A, run_id="run-0", order_key="run-0/S1/MAIN")
    if units:
        office.decide(before, "edit", edits={"A#0": units})
    else:
        office.decide(before, "reject")


@pytest.mark.parametrize(
    ("units", "edited", "remembered", "held"),
    [
        (0.0, False, ["A#0"], []),
        (60.0, False, ["A#0"], []),
        (0.0, True, ["A#0"], []),
        (60.0, True, [], ["A"]),
        (1.0, True, [], ["A"]),
    ],
    ids=["a rejection", "an edit", "a rejection beside an edit", "the edit that it carries on", "an edit to one"],
)
def test_an_approval_ends_what_was_decided_before_but_not_the_edit_that_it_carries_on(
    office: Office, units: float, edited: bool, remembered: list[str], held: list[str]
) -> None:
    decided_before(office, units=units)
    order = office.asked(line_a(60.0), B, edited=edited)
    office.decide(order, "approve")
    assert [(made.line_id, made.ruling) for made in office.remembered(order)] == [
        (line_id, LineRuling.APPROVE) for line_id in remembered
    ]
    assert list(office.held()) == held


@pytest.mark.parametrize(
    ("units", "edited", "proposed"),
    [(60.0, True, (100.0, 2.5)), (60.0, False, (70.0, 3.0)), (0.0, True, (70.0, 3.0))],
    ids=["an edit carried on", "a plan of its own", "a rejection"],
)
def test_a_decision_on_an_edit_that_is_carried_on_stands_against_what_the_plan_had_computed(
    office: Office, units: float, edited: bool, proposed: tuple[float, float]
) -> None:
    """Else the next plan, which computes the same again, would look like a material change."""
    decided_before(office, units=units)
    order = office.asked(line_a(70.0, list_price=3.0), B, edited=edited)
    office.decide(order, "reject")
    a, b = office.remembered(order)
    assert (a.proposed_units, a.list_price, a.decided_units) == (*proposed, 0.0)
    assert (b.proposed_units, b.list_price) == (100.0, 4.0)


def test_a_decision_that_is_taken_back_holds_no_more(office: Office) -> None:
    order = office.asked(A, B)
    office.decide(order, "reject")
    assert set(office.held()) == {"A", "B"}
    office.calls.clear()
    shown = office.desk.reconsider(order.route.approval_id, "cy", "the price fell")
    assert shown == ("as it stands", order.route.approval_id)
    assert office.held() == {} and office.calls == ["show"]
    taken = office.remembered(order)[2:]
    assert [(made.ruling, made.actor, made.reason) for made in taken] == [
        (LineRuling.RECONSIDER, "cy", "the price fell")
    ] * 2


def test_only_what_still_holds_is_taken_back(office: Office) -> None:
    first = office.asked(A, B, run_id="run-0", order_key="run-0/S1/MAIN")
    office.decide(first, "reject")
    later = office.asked(A)
    office.decide(later, "reject")
    office.desk.reconsider(first.route.approval_id, "cy", "")
    assert {item: made.approval_id for item, made in office.held().items()} == {"A": later.route.approval_id}
    with pytest.raises(Conflict, match="it holds back no line"):
        office.desk.reconsider(first.route.approval_id, "cy", "")


def test_who_may_not_sign_takes_nothing_back(office: Office) -> None:
    rejected, approved = office.asked(A), office.asked(B, run_id="run-0", order_key="run-0/S1/MAIN")
    office.decide(rejected, "reject")
    office.decide(approved, "approve")
    office.calls.clear()
    with pytest.raises(NotAllowed, match="ana proposed or edited this order"):
        office.desk.reconsider(rejected.route.approval_id, "ana", "")
    with pytest.raises(NotAllowed, match="ana proposed or edited this order"):
        office.desk.withdraw(approved.route.approval_id, "ana", "")
    assert set(office.held()) == {"A"} and office.status(approved) is OrderStatus.APPROVED
    assert office.calls == []


def test_an_order_that_has_not_left_is_dropped(office: Office) -> None:
    order = office.asked()
    office.decide(order, "approve")
    office.calls.clear()
    shown = office.desk.withdraw(order.route.approval_id, "cy", "too early")
    assert shown == ("as it stands", order.route.approval_id)
    assert office.calls == ["look for run-1/S1/MAIN", "drain", "show"]
    last = office.operations.order_history(order.order_key)[-1]
    assert (last.after, last.actor, last.reason) == ("withdrawn", "cy", "too early")


def reach(office: Office, order: Order, *statuses: OrderStatus, reason: str = "") -> None:
    """The order moves on, as the ERP says."""
    for status in statuses:
        office.operations.note_in_erp({order.order_key: (status, "SB-1")}, reason)


def test_an_order_in_the_erp_is_cancelled_there(office: Office) -> None:
    """It is looked for there first: what is placed by now cannot just be dropped."""
    order = office.asked()
    office.decide(order, "approve")
    office.erp = lambda order_key: reach(office, order, OrderStatus.SENDING, OrderStatus.PLACED)
    office.desk.withdraw(order.route.approval_id, "cy", "too early")
    assert office.status(order) is OrderStatus.CHANGE_SENT
    assert office.actions(order) == [("place", order.route.approval_id), ("cancel", order.route.approval_id)]


@pytest.mark.parametrize(
    "status", [OrderStatus.PLACED, OrderStatus.CONFIRMED, OrderStatus.PART_RECEIVED, OrderStatus.RECEIVED]
)
def test_an_order_that_the_erp_does_not_take_back_still_stands_and_is_told_so(
    office: Office, status: OrderStatus
) -> None:
    order = office.asked()
    office.decide(order, "approve")
    reach(office, order, OrderStatus.SENDING, OrderStatus.PLACED)
    office.sent = lambda: reach(office, order, status, reason="It was shipped.")
    office.calls.clear()
    with pytest.raises(Conflict) as refused:
        office.desk.withdraw(order.route.approval_id, "cy", "too early")
    approval_id = order.route.approval_id
    assert refused.value.message == f"The ERP did not take the order of approval {approval_id} back: It was shipped."
    assert refused.value.remedy == "Cancel what is still open in the ERP, or send the goods back."
    assert refused.value.context == {"approval_id": approval_id}
    assert office.calls == ["look for run-1/S1/MAIN", "drain"]


def out_of_reach(order_key: str) -> None:
    raise OutOfReach("The ERP does not answer.", remedy="Try again.")


@pytest.mark.parametrize("doubt", [False, True], ids=["not left", "in doubt"])
def test_while_the_erp_does_not_answer_only_an_order_in_doubt_cannot_be_taken_back(office: Office, doubt: bool) -> None:
    order = office.asked()
    office.decide(order, "approve")
    office.erp = out_of_reach
    if doubt:
        reach(office, order, OrderStatus.SENDING, OrderStatus.IN_DOUBT)
        with pytest.raises(OutOfReach):
            office.desk.withdraw(order.route.approval_id, "cy", "")
    else:
        office.desk.withdraw(order.route.approval_id, "cy", "")
    assert office.status(order) is (OrderStatus.IN_DOUBT if doubt else OrderStatus.WITHDRAWN)


def test_an_order_that_the_ledger_does_not_know_is_not_taken_back_unseen(office: Office) -> None:
    order = office.asked()
    office.forget_orders()
    office.erp = out_of_reach
    with pytest.raises(OutOfReach):
        office.desk.withdraw(order.route.approval_id, "cy", "")
