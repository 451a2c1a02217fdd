"""Who may sign an order, what the signature binds to, and what is refused before anything changes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from approval_cases import Office, facts_of, line_a, line_b
from gate_cases import RULES, rules_with, verdict_of
from order_cases import line_of
from sandbox_world import OFFER, OTHER

from graph.decisions.edits import previewed
from graph.facts import order_facts as facts
from graph.facts.records import order_verdict, verdict_from
from policies.gates import load_rules
from store.operations import Operations
from tools.domain.catalogue import Autonomy
from tools.domain.errors import BadInput, Conflict, JitError, NotAllowed
from tools.domain.orders import Intent, OrderStatus


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(facts, "line_facts", facts_of)
    with closing(Operations(f"sqlite:///{tmp_path}/operations.sqlite")) as opened:
        yield Office(opened)


def refused(error: type[JitError], act: Callable[[], object]) -> tuple[str, str, Mapping[str, object]]:
    """Message, remedy and ids of a refusal."""
    with pytest.raises(error) as found:
        act()
    return found.value.message, found.value.remedy, found.value.context


@pytest.mark.parametrize("bound", [True, False], ids=["to what was shown", "to what is asked"])
def test_a_signed_order_leaves_and_its_run_hears_of_it_before_anything_is_sent(office: Office, bound: bool) -> None:
    order = office.asked()
    shown = office.decide(order, "approve", content_hash=order.route.content_hash if bound else None)
    assert shown == ("as it stands", order.route.approval_id)
    assert office.calls == ["deliver to run-1", "drain", "show"]
    row = office.operations.approval(order.route.approval_id)
    assert (row.status, row.decided_by, row.reason, row.edits) == ("approved", "bob", "because", None)
    assert office.status(order) is OrderStatus.APPROVED
    assert office.actions(order) == [("place", order.route.approval_id)]


def test_a_signature_under_other_content_signs_nothing_and_the_run_hears_of_it(office: Office) -> None:
    order = office.asked()
    message, _, _ = refused(Conflict, lambda: office.decide(order, "approve", content_hash="another"))
    assert message == f"The order of approval {order.route.approval_id} changed since you looked at it."
    assert office.status(order) is OrderStatus.WAITING and office.actions(order) == []
    assert office.calls == ["deliver to run-1"]


def test_a_rejected_order_sends_nothing(office: Office) -> None:
    order = office.asked()
    office.decide(order, "reject")
    assert office.status(order) is OrderStatus.REJECTED and office.actions(order) == []
    assert office.calls == ["deliver to run-1", "drain", "show"]


@pytest.mark.parametrize("decision", ["reconsider", "postpone"])
def test_a_decision_that_is_none_is_refused_and_remembers_nothing(office: Office, decision: str) -> None:
    order = office.asked()
    assert refused(BadInput, lambda: office.decide(order, decision))[0] == f"{decision!r} is no decision."
    assert office.status(order) is OrderStatus.WAITING and office.remembered(order) == []


PROPOSED = "{} proposed or edited this order; somebody else must sign it."
MANAGERS = "bob is buyer; this order needs a manager."


@pytest.mark.parametrize(
    ("users", "actor", "units", "why"),
    [
        ({}, "bob", 100.0, ""),
        ({}, "bob", 20_000.0, ""),
        ({}, "ana", 100.0, PROPOSED.format("ana")),
        ({}, "agent:planner", 100.0, "Agents and programs never approve."),
        ({"bob": "buyer"}, "bob", 100.0, ""),
        ({"bob": "buyer"}, "bob", 20_000.0, MANAGERS),
        ({"bob": "manager", "cy": "buyer"}, "bob", 20_000.0, ""),
        ({"bob": "manager"}, "dan", 100.0, "dan is viewer; this order needs a buyer."),
        ({"dan": "analyst", "bob": "manager"}, "dan", 100.0, "dan is analyst; this order needs a buyer."),
    ],
)
def test_who_may_sign(office: Office, users: dict[str, str], actor: str, units: float, why: str) -> None:
    """A name is registered, or nobody is and it is the manager's who works on the machine itself."""
    for name, role in users.items():
        office.operations.add_user(name, role)
    order = office.asked(line_a(units))
    if not why:
        office.decide(order, "approve", actor)
        assert office.status(order) is OrderStatus.APPROVED
        return
    found = refused(NotAllowed, lambda: office.decide(order, "approve", actor))
    assert found == (why, "Ask somebody else to decide.", {"approval_id": order.route.approval_id})
    assert office.status(order) is OrderStatus.WAITING and office.calls == []


@pytest.mark.parametrize(
    ("one_person", "units", "signs"),
    [(True, 10_000.0, True), (True, 10_001.0, False), (False, 100.0, False)],
    ids=["up to the limit", "above the limit", "not said"],
)
def test_the_only_person_signs_their_own_up_to_the_limit(
    office: Office, one_person: bool, units: float, signs: bool
) -> None:
    office.operations.set_flag("one_person", one_person)
    order = office.asked(line_a(units))
    if signs:
        office.decide(order, "approve", "ana")
        assert office.status(order) is OrderStatus.APPROVED
    else:
        assert refused(NotAllowed, lambda: office.decide(order, "approve", "ana"))[0] == PROPOSED.format("ana")


def void(approval_id: str) -> tuple[str, str, Mapping[str, object]]:
    return (
        f"The policy or the order changed since approval {approval_id} was opened; it is void.",
        "Plan again with `jit plan`; the new order asks anew.",
        {"approval_id": approval_id},
    )


def test_a_signature_under_another_policy_is_void(office: Office) -> None:
    order = office.asked()
    office.rules = rules_with(max_stock_age_days=8)
    assert refused(Conflict, lambda: office.decide(order, "approve")) == void(order.route.approval_id)
    row = office.operations.approval(order.route.approval_id)
    assert (row.status, row.reason) == ("void", "the policy or the order changed")
    assert office.status(order) is OrderStatus.SUPERSEDED
    assert office.calls == ["deliver to run-1"] and office.actions(order) == []


def test_a_signature_under_an_order_that_changed_in_the_ledger_is_void(office: Office) -> None:
    order = office.asked()
    with office.operations.order_book() as book:
        book.move(order, order.changed(lines=(line_a(101.0), line_b())), "somebody")
    assert refused(Conflict, lambda: office.decide(order, "approve")) == void(order.route.approval_id)


def test_a_decided_approval_is_told_as_decided_under_any_policy(office: Office) -> None:
    order = office.asked()
    office.decide(order, "approve")
    office.rules = rules_with(max_stock_age_days=8)
    message, _, _ = refused(Conflict, lambda: office.decide(order, "reject"))
    assert message == f"Approval {order.route.approval_id} is already approved by bob."
    assert office.operations.approval(order.route.approval_id).status == "approved"


def test_an_approval_whose_order_is_not_in_the_ledger_is_refused_as_that(office: Office) -> None:
    order = office.asked()
    office.forget_orders()
    message, _, _ = refused(Conflict, lambda: office.decide(order, "approve"))
    assert message == f"The order of approval {order.route.approval_id} is not in the ledger."


def test_an_edited_order_asks_anew_and_leaves_nothing(office: Office) -> None:
    order = office.asked()
    office.decide(order, "edit", edits={"A#0": 60.0})
    row, edited = office.operations.approval(order.route.approval_id), office.now(order)
    assert (row.status, row.decided_by, row.edits) == ("edited", "bob", {"A#0": 60.0})
    assert [(line.line_id, line.quantity) for line in edited.lines] == [("A#0", 60.0), ("B#0", 100.0)]
    assert (edited.status, edited.proposed_by) == (OrderStatus.WAITING, ("agent:planner", "ana", "bob"))
    assert [one.approval_id for one in office.operations.approvals("pending")] == [edited.route.approval_id]
    assert office.actions(order) == [] and office.calls == ["deliver to run-1", "drain", "show"]
    assert refused(NotAllowed, lambda: office.decide(edited, "approve"))[0] == PROPOSED.format("bob")


def test_an_edit_to_what_policy_lets_leave_by_itself_leaves(office: Office) -> None:
    text = RULES.text.replace("when: edited", "when: edited && halted")
    office.rules = load_rules(text.replace("proposed_by_agent && edited", "edited && halted"))
    asking = verdict_from(verdict_of("too_many", "require_approval"))
    order = office.asked(line_a(autonomy=Autonomy.AUTO), inherited=(asking,))
    office.decide(order, "edit", edits={"A#0": 60.0})
    edited = office.now(order)
    assert (edited.status, edited.lines[0].quantity) == (OrderStatus.APPROVED, 60.0)
    assert office.actions(order) == [("place", None)]


def test_an_edit_that_leaves_no_line_sends_nothing(office: Office) -> None:
    order = office.asked()
    office.decide(order, "edit", edits={"A#0": 0.0, "B#0": 0.0})
    assert office.operations.approval(order.route.approval_id).status == "edited"
    assert office.status(order) is OrderStatus.REJECTED and office.actions(order) == []


NEEDED = "An edit needs quantities of 0 to 1,000,000,000 for lines of this order"
LINES = "Lines are A#0, B#0."
NOTHING = "This edit changes nothing: the order has these quantities."
LIMITS = "Choose a quantity within the offer's minimum, step and maximum, or reject the order."


@pytest.mark.parametrize(
    ("edits", "message", "remedy"),
    [
        (None, f"{NEEDED}.", LINES),
        ({}, f"{NEEDED}.", LINES),
        ({"A#0": -0.5}, f"{NEEDED}.", LINES),
        ({"A#0": 60.0, "B#0": 1_000_000_000.5}, f"{NEEDED}.", LINES),
        ({"A#0": float("nan")}, f"{NEEDED}.", LINES),
        ({"A#0": 60.0, "Z#0": 1.0, "C#0": 1.0}, f"{NEEDED}, not ['C#0', 'Z#0'].", LINES),
        ({"B#0": 100.0}, NOTHING, "Approve the order as it is, or name another quantity."),
        ({"B#0": 49.0}, "This edit would be denied. Quantity 49 is below the supplier's minimum 50.", LIMITS),
        (
            {"A#0": 1_000_000_000},
            "This edit would be denied. Quantity 1000000000 is above the largest order the supplier accepts, 400.",
            LIMITS,
        ),
    ],
)
def test_an_edit_that_is_none_is_refused_and_changes_nothing(
    office: Office, edits: dict[str, float] | None, message: str, remedy: str
) -> None:
    order = office.asked(line_b(), line_a())
    assert refused(BadInput, lambda: office.decide(order, "edit", edits=edits)) == (message, remedy, {})
    assert office.now(order) == order and office.calls == []


def test_an_edit_that_the_gates_would_keep_back_is_refused_with_why(office: Office) -> None:
    drift = verdict_from({**verdict_of("Demand fell", "deny"), "gate": "drift"})
    order = office.asked()
    shown = order.changed(route=order.route.model_copy(update={"verdicts": (order_verdict(drift, "A"),)}))
    with office.operations.order_book() as book:
        book.connection.exec_driver_sql("UPDATE approvals SET payload = ?", (shown.model_dump_json(),))
    message, remedy, _ = refused(BadInput, lambda: office.decide(order, "edit", edits={"A#0": 60.0}))
    told = "The items of this order are at autonomy level recommend. A person changed the quantity."
    both = "An agent proposed this order and a person changed it; somebody who did neither must sign."
    assert message == f"This edit would be denied. Demand fell. {told} {both}"
    assert remedy == "Choose another quantity, or reject the order."
    assert office.status(order) is OrderStatus.WAITING


def test_a_change_of_an_open_order_has_no_quantity_to_edit(office: Office) -> None:
    order = office.asked(line_of("A", intent=Intent.CANCEL), changes="PO-1")
    for act in (
        lambda: office.decide(order, "edit", edits={"A#0": 5.0}),
        lambda: office.desk.preview(order.route.approval_id, {"A#0": 5.0}),
    ):
        message, remedy, _ = refused(BadInput, act)
        assert message == "This concerns an open order of the ERP; it has no quantity to edit."
        assert remedy == "Approve or reject it."


@pytest.mark.parametrize("units", [0.0, 60.0, 1_000_000_000.0])
def test_a_preview_prices_an_edit_by_the_offers_of_its_run(office: Office, units: float) -> None:
    order = office.asked()
    offers = {offer.offer_id: offer for offer in (OFFER, OTHER)}
    shown = office.desk.preview(order.route.approval_id, {"B#0": units})
    assert shown == previewed(order, {"B#0": units}, offers)
    assert shown.value == 250.0 + 4.0 * units
    assert office.calls == []


def test_a_preview_refuses_what_an_edit_refuses(office: Office) -> None:
    order = office.asked()
    found = refused(BadInput, lambda: office.desk.preview(order.route.approval_id, {"Z#0": 1.0}))
    assert found == (f"{NEEDED}, not ['Z#0'].", LINES, {})
