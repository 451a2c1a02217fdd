"""What the ERP did comes back: receipts change the lead times, demand goes on, and the next plan starts from it."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger

from erp.adapter import ActionKind, DraftLine, OrderAction, OrderChange, OrderDraft
from graph.computation.desk import Scope
from graph.incoming.readback import dated_alike
from graph.session import LocalSession
from graph.views.orders import ApprovalView
from tools.domain.datasets import Period
from tools.domain.errors import Conflict
from tools.forecasting import bucket
from tools.rhythm import Rhythm


def test_receipts_and_demand_come_back_as_a_new_version_and_change_lead_times(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        desk = session._parts.context.desk
        before = desk.dataset(session.status()["dataset"])
        found = session.observe(60)
        after = desk.dataset(str(found["version"]))
        assert after.as_of == before.as_of + timedelta(days=60)
        assert len(after.receipts) == len(before.receipts) + int(str(found["receipts"])) > len(before.receipts)
        assert found["lead_times_changed"]
        for key, history in after.demand.items():
            assert len(history.quantities) == len(before.demand[key].quantities) + 9, key
        assert session.status()["dataset"] == found["version"]


def test_demand_goes_on_at_its_level_and_lumpy_items_stay_lumpy(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        desk = session._parts.context.desk
        before = desk.dataset(session.status()["dataset"])
        for _ in range(4):  # in steps, as a user lets time pass
            after = desk.dataset(str(session.observe(42)["version"]))
        last_year = {key: bucket(history, before.as_of, Period.WEEK) for key, history in before.demand.items()}
        expected = {key: series.quantities[-52:] for key, series in last_year.items()}
        gained = {key: history.quantities[-24:] for key, history in after.demand.items()}
        total = sum(weeks.mean() for weeks in expected.values())
        assert sum(weeks.mean() for weeks in gained.values()) == pytest.approx(total, rel=0.15)
        for key, weeks in expected.items():
            idle = (weeks == 0).mean()
            if idle > 0.4:
                assert (gained[key] == 0).mean() == pytest.approx(idle, abs=0.35), key


def test_a_plan_after_sixty_days_still_expects_demand(tmp_path: Path) -> None:
    """Without the demand of the days between, histories would end in zeros and forecasts collapse."""
    with demo_session(tmp_path, planned=False) as session:
        session.observe(60)
        desk, version = (
            session._parts.context.desk,
            session.plan(session.start(plan_trigger("I001"))).run.dataset_version,
        )
        dataset = desk.dataset(version)
        for made in desk.estimates(Scope(version, ("I001", "I002", "I003"))).forecasts:
            recorded = bucket(dataset.demand[made.item_id, made.site_id], dataset.as_of, Period.WEEK)
            usual = float(recorded.quantities[-52:].mean())
            assert 0.7 * usual < float(made.mean().mean()) < 1.4 * usual, made.item_id


def test_a_placed_order_arrives_and_becomes_stock(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        placing = [waiting for waiting in session.pending() if waiting.lines[0].intent != "cancel"]
        approval = min(placing, key=lambda waiting: max(line.expected_arrival for line in waiting.lines))
        session.decide(approval.approval_id, "approve", "bob")
        session.observe(300)
        dataset = session._parts.context.desk.dataset(session.status()["dataset"])
        items = {line.item_id for line in approval.lines}
        received = {receipt.item_id for receipt in dataset.receipts if receipt.order_id.startswith("SB")}
        assert items <= received


def test_days_are_summed_under_the_dates_that_the_history_has() -> None:
    asked = [("A", "X", date(2026, 6, 30) + timedelta(days=day), 2.0) for day in range(1, 11)]

    def dated(rhythm: Rhythm) -> list[tuple[date, float]]:
        return [(day, units) for _, _, day, units in dated_alike(asked, {("A", "X"): rhythm})]

    assert dated(Rhythm(Period.WEEK, 2)) == [(date(2026, 7, 1), 14.0), (date(2026, 7, 8), 6.0)]
    assert dated(Rhythm(Period.WEEK, 6)) == [(date(2026, 7, 5), 10.0), (date(2026, 7, 12), 10.0)]
    assert dated(Rhythm(Period.MONTH, 1)) == [(date(2026, 7, 1), 20.0)]
    assert dated(Rhythm(Period.MONTH, -1)) == [(date(2026, 7, 31), 20.0)]
    assert dated(Rhythm(Period.DAY)) == [(day, units) for _, _, day, units in asked]


def test_a_week_read_back_is_an_observation_at_once_and_in_steps_the_same(tmp_path: Path) -> None:
    """Two readings a week apart, or six on odd days, give the same history and the same forecast."""
    seen: list[object] = []
    for name, steps in (("weekly", (7, 7)), ("odd", (3, 4, 1, 2, 3, 1))):
        with demo_session(tmp_path / name, planned=False) as session:
            newest = session.forecast("I010").history_dates[-1]
            for days in steps:
                session.observe(days)
            view = session.forecast("I010")
            assert len([day for day in view.history_dates if day > newest]) == 2
            seen.append((view.history_dates, len(view.history)))
    assert seen[0] == seen[1]


def _place_in_the_erp(session: LocalSession, approval: ApprovalView, quantity: float) -> str:
    """Somebody orders the same item in the ERP itself; the ERP's number."""
    line, erp = approval.lines[0], session._parts.erp
    draft = OrderDraft(
        supplier_id=line.supplier_id,
        site_id=session._parts.operations.approval(approval.approval_id).order.site_id,
        currency="USD",
        lines=(
            DraftLine(
                line_id="hand",
                item_id=line.item_id,
                quantity=quantity,
                unit_price="1",
                due_date=line.expected_arrival,
            ),
        ),
    )
    ref = erp.submit(OrderAction(key="hand", kind=ActionKind.PLACE, order=draft)).erp_ref
    erp.confirm(ref, "hand:confirm")
    return ref


def _void_when_approved(session: LocalSession, approval: ApprovalView) -> None:
    with pytest.raises(Conflict, match="what is on order changed since this was planned"):
        session.decide(approval.approval_id, "approve", "bob")
    assert session.approval(approval.approval_id).status == "void"


def test_what_was_born_in_the_erp_and_has_arrived_makes_the_waiting_order_void(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger("I022"))
        (approval,) = session.pending()
        _place_in_the_erp(session, approval, approval.lines[0].quantity)
        session._parts.erp.advance(400)
        session.observe()
        _void_when_approved(session, approval)


def test_what_was_raised_in_the_erp_makes_the_waiting_order_void_and_what_stands_does_not(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        session.start(plan_trigger("I022"))
        (approval,) = session.pending()
        ref = _place_in_the_erp(session, approval, 1.0)
        session.observe()
        session.start(plan_trigger("I022"))
        (again,) = session.pending()
        session.observe()
        assert session.pending() == [again]
        raised = OrderChange(quantity=again.lines[0].quantity)
        session._parts.erp.amend(OrderAction(key="hand:more", kind=ActionKind.AMEND, erp_ref=ref, change=raised))
        session.observe()
        _void_when_approved(session, again)


def test_a_draft_that_was_never_released_is_in_doubt_and_can_be_taken_back(tmp_path: Path) -> None:
    with demo_session(tmp_path, planned=False) as session:
        operations, erp = session._parts.operations, session._parts.erp
        session.start(plan_trigger("I022"))
        (approval,) = session.pending()
        session.halt("bob")
        session.decide(approval.approval_id, "approve", "bob")
        (row,) = operations.lease(1, 60)
        ref = erp.submit(OrderAction.model_validate({**row.payload, "key": row.action_key})).erp_ref
        operations.fail(row.action_key, "no answer", may_stand=True)
        session.observe()
        order = operations.orders_for([approval.order_key])[approval.order_key]
        assert (order.status.value, order.erp_ref) == ("in_doubt", ref)
        session.halt("bob", on=False)
        session.withdraw(approval.approval_id, "bob", "never released")
        assert erp.get_status(ref).status.value == "cancelled"
        assert operations.orders_for([approval.order_key])[approval.order_key].status.value == "cancelled"
