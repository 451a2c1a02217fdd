"""Approvals: who may sign, what the signature binds to, and that the ERP gets each signed order once."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from demo_home import demo_home, demo_session, plan_trigger, settings_of

from graph.rules import BUILT_IN_RULES
from graph.session import LocalSession, open_session
from graph.views.orders import ApprovalView, LineView
from tools.domain.errors import BadInput, Conflict, NotAllowed


def _erp_orders(home: Path) -> list[str]:
    """Idempotency keys of the orders that we placed."""
    with closing(sqlite3.connect(home / "sandbox_erp.sqlite")) as raw:
        found = raw.execute("SELECT idempotency_key FROM orders WHERE idempotency_key NOT LIKE 'before:%'").fetchall()
    return [key for (key,) in found]


def _ordered_units(home: Path, approval: ApprovalView) -> dict[str, float]:
    with closing(sqlite3.connect(home / "sandbox_erp.sqlite")) as raw:
        held = dict(raw.execute("SELECT line_id, quantity FROM lines").fetchall())
    return {line.line_id: held[line.line_id] for line in approval.lines if line.line_id in held}


def test_an_approved_order_reaches_the_erp_once_with_what_was_signed(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        before = _erp_orders(tmp_path / "home")
        approval = session.pending()[0]
        decided = session.decide(approval.approval_id, "approve", "bob", "needed")
        assert (decided.status, decided.decided_by, decided.reason) == ("approved", "bob", "needed")
        assert len(_erp_orders(tmp_path / "home")) == len(before) + 1
        assert _ordered_units(tmp_path / "home", approval) == {line.line_id: line.quantity for line in approval.lines}
        with pytest.raises(Conflict, match="already approved by bob"):
            session.decide(approval.approval_id, "approve", "carol")
        assert len(_erp_orders(tmp_path / "home")) == len(before) + 1


def test_a_rejected_order_never_leaves(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        before = _erp_orders(tmp_path / "home")
        approval = session.pending()[0]
        assert session.decide(approval.approval_id, "reject", "bob", "too much").status == "rejected"
        assert _erp_orders(tmp_path / "home") == before
        assert approval.approval_id not in {waiting.approval_id for waiting in session.pending()}
        lines = [line for line in session.plan().lines if line.order_key == approval.order_key]
        assert {line.status for line in lines} == {"rejected"}


@pytest.mark.parametrize("actor", ["agent:planner", "AGENT: planner", "rules", "Out box"])
def test_agents_and_programs_may_not_sign(tmp_path: Path, actor: str) -> None:
    with demo_session(tmp_path) as session, pytest.raises(NotAllowed):
        session.decide(session.pending()[0].approval_id, "approve", actor)


def test_a_buyer_may_not_sign_what_needs_a_manager(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        session._parts.operations.add_user("bob", "buyer")
        large = next(approval for approval in session.pending() if approval.tier == "manager")
        with pytest.raises(NotAllowed, match="needs a manager"):
            session.decide(large.approval_id, "approve", "bob")


def _halvable(session: LocalSession) -> tuple[ApprovalView, LineView, float]:
    """A waiting line that its offer also sells by the half, and that half."""
    for approval in session.pending():
        for line in approval.lines:
            step = line.figures["order_multiple"]
            half = line.quantity / 2 // step * step
            if line.intent != "cancel" and half >= line.figures["moq"]:
                return approval, line, half
    raise AssertionError("no waiting line can be halved")


def test_an_edited_order_asks_again_and_its_editor_may_not_sign_it(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        approval, line, half = _halvable(session)
        session.decide(approval.approval_id, "edit", "bob", "half will do", edits={line.line_id: half})
        again = next(waiting for waiting in session.pending() if waiting.order_key == approval.order_key)
        assert again.approval_id != approval.approval_id
        assert {known.line_id: known.quantity for known in again.lines}[line.line_id] == half
        with pytest.raises(NotAllowed, match="somebody else"):
            session.decide(again.approval_id, "approve", "bob")
        session.decide(again.approval_id, "approve", "carol")
        assert _ordered_units(tmp_path / "home", again)[line.line_id] == half


def test_an_edit_to_nothing_ends_the_order(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        before = _erp_orders(tmp_path / "home")
        approval = session.pending()[0]
        session.decide(approval.approval_id, "edit", "bob", edits={line.line_id: 0 for line in approval.lines})
        assert _erp_orders(tmp_path / "home") == before
        assert approval.order_key not in {waiting.order_key for waiting in session.pending()}


@pytest.mark.parametrize("edits", [None, {}, {"no such line": 5.0}, {"": -1.0}])
def test_an_edit_without_valid_lines_is_refused_and_changes_nothing(
    tmp_path: Path, edits: dict[str, float] | None
) -> None:
    with demo_session(tmp_path) as session:
        approval = session.pending()[0]
        with pytest.raises(BadInput, match="quantities"):
            session.decide(approval.approval_id, "edit", "bob", edits=edits)
        assert session.approval(approval.approval_id).status == "pending"


def test_an_edit_below_the_minimum_is_refused_with_the_gates_reason(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        approval = next(a for a in session.pending() if a.lines[0].figures.get("moq", 0) > 1)
        with pytest.raises(BadInput, match="below the supplier's minimum"):
            session.decide(approval.approval_id, "edit", "bob", edits={approval.lines[0].line_id: 1.0})
        assert session.approval(approval.approval_id).status == "pending"


def test_a_decision_on_what_was_read_before_it_changed_is_refused(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        approval = session.pending()[0]
        with pytest.raises(Conflict, match="changed since"):
            session.decide(approval.approval_id, "approve", "bob", content_hash="0" * 64)


def test_a_changed_quantity_in_the_database_makes_the_approval_void(tmp_path: Path) -> None:
    home = demo_home(tmp_path, planned=True)
    with closing(open_session(settings_of(home))) as session:
        approval = session.pending()[0]
        with closing(sqlite3.connect(home / "operations.sqlite")) as raw, raw:
            raw.execute(
                "UPDATE approvals SET payload = replace(payload, :old, :new) WHERE approval_id = :id",
                {
                    "old": f'"quantity":{approval.lines[0].quantity}',
                    "new": f'"quantity":{approval.lines[0].quantity * 10}',
                    "id": approval.approval_id,
                },
            )
        before = _erp_orders(home)
        with pytest.raises(Conflict, match="void"):
            session.decide(approval.approval_id, "approve", "bob")
        assert session.approval(approval.approval_id).status == "void"
        assert _erp_orders(home) == before


def test_a_new_policy_makes_what_waits_void(tmp_path: Path) -> None:
    home = demo_home(tmp_path, planned=True)
    stricter = tmp_path / "rules.yaml"
    stricter.write_text(BUILT_IN_RULES.read_text().replace("max_cover_factor: 3", "max_cover_factor: 2"))
    with closing(open_session(settings_of(home, policy_file=stricter))) as session:
        approval = session.pending()[0]
        with pytest.raises(Conflict, match="policy"):
            session.decide(approval.approval_id, "approve", "bob")


def test_a_newer_plan_replaces_what_still_waits_for_the_same_items(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        old = {approval.approval_id for approval in session.pending()}
        first = session.runs(1)[0].run_id
        session.start(plan_trigger())
        waiting = session.pending()
        assert waiting and not old & {approval.approval_id for approval in waiting}
        assert {session.approval(approval_id).status for approval_id in old} == {"void"}
        assert next(run for run in session.runs() if run.run_id == first).status.value == "done"
        items = [line.item_id + line.offer_id for approval in waiting for line in approval.lines]
        assert len(items) == len(set(items))


def test_a_partial_replan_proposes_the_whole_waiting_order_anew(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        basket = max(session.pending(), key=lambda approval: len({line.item_id for line in approval.lines}))
        items = {line.item_id for line in basket.lines}
        assert len(items) > 1
        run_id = session.start(plan_trigger(sorted(items)[0]))
        assert session.approval(basket.approval_id).status == "void"
        assert items <= {outlook.item_id for outlook in session.plan(run_id).outlooks}


def _approve_all(session: LocalSession) -> None:
    for approval in session.pending():
        session.decide(approval.approval_id, "approve", "bob")


def _on_order(session: LocalSession, run_id: str) -> dict[str, float]:
    """Units on order by item in the data that a run planned on."""
    version = next(run.dataset_version for run in session.runs() if run.run_id == run_id)
    found: dict[str, float] = {}
    for order in session._parts.context.desk.dataset(version).open_orders:
        found[order.item_id] = found.get(order.item_id, 0.0) + order.quantity
    return found


def _placed(session: LocalSession) -> dict[str, float]:
    """Units by item that a plan orders, without what is only watched."""
    found: dict[str, float] = {}
    for line in session.plan().lines:
        if line.intent in ("place", "expedite") and line.status not in ("shadow", "denied"):
            found[line.item_id] = found.get(line.item_id, 0.0) + line.quantity
    return found


def test_what_was_ordered_is_on_order_in_the_next_plan(tmp_path: Path) -> None:
    """ERPNext 36154: daily runs that ask for the same need again and again."""
    with demo_session(tmp_path) as session:
        first, placed = session.plan().run, _placed(session)
        before = _on_order(session, first.run_id)
        _approve_all(session)
        again = session.plan(session.start(plan_trigger())).run
        after = _on_order(session, again.run_id)
        grown = {item: after[item] - before.get(item, 0.0) for item in placed}
        assert grown == pytest.approx(placed)
        _approve_all(session)
        third = session.plan(session.start(plan_trigger())).run
        assert third.order_value < 0.15 * first.order_value


def test_while_dispatch_is_halted_approved_orders_wait_and_are_not_ordered_twice(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        first = session.plan().run
        before, on_order = len(_erp_orders(tmp_path / "home")), _on_order(session, first.run_id)
        placed = _placed(session)
        session.halt("bob")
        approvals = session.pending()
        _approve_all(session)
        assert len(_erp_orders(tmp_path / "home")) == before
        after = _on_order(session, session.start(plan_trigger()))
        assert {item: after[item] - on_order.get(item, 0.0) for item in placed} == pytest.approx(placed)
        session.halt("bob", on=False)
        placing = [approval for approval in approvals if approval.lines[0].intent != "cancel"]
        assert len(_erp_orders(tmp_path / "home")) == before + len(placing)


def test_an_approval_taken_back_cancels_the_order_in_the_erp(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        approval = next(waiting for waiting in session.pending() if waiting.lines[0].intent != "cancel")
        with pytest.raises(Conflict, match="no order to take back"):
            session.withdraw(approval.approval_id, "bob")
        session.decide(approval.approval_id, "approve", "bob")
        session.withdraw(approval.approval_id, "carol", "a mistake")
        lines = [line for line in session.plan().lines if line.order_key == approval.order_key]
        assert {line.status for line in lines} == {"withdrawn"}
        with closing(sqlite3.connect(tmp_path / "home" / "sandbox_erp.sqlite")) as raw:
            held = dict(raw.execute("SELECT line_id, status FROM lines").fetchall())
        assert {held[line.line_id] for line in lines} == {"cancelled"}
        with pytest.raises(Conflict, match="no order to take back"):
            session.withdraw(approval.approval_id, "carol")


def test_an_approval_taken_back_while_dispatch_is_halted_never_leaves(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        before = _erp_orders(tmp_path / "home")
        session.halt("bob")
        approval = session.pending()[0]
        session.decide(approval.approval_id, "approve", "bob")
        session.withdraw(approval.approval_id, "bob")
        session.halt("bob", on=False)
        assert _erp_orders(tmp_path / "home") == before


def test_who_may_not_sign_may_not_take_back(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        approval = session.pending()[0]
        session.decide(approval.approval_id, "approve", "bob")
        with pytest.raises(NotAllowed):
            session.withdraw(approval.approval_id, "agent:planner")
