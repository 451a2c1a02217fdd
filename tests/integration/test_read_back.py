"""What the ERP did comes back: receipts change the lead times, demand goes on, and the next plan starts from it."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from demo_home import demo_session, plan_trigger

from graph.desk import Scope
from graph.readback import dated_alike
from tools.domain.datasets import Period
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
